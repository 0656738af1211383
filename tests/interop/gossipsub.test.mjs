// The finer points of gossipsub against js-libp2p: meshes, scores, IDONTWANT, peer exchange, verdicts; and a while of traffic
// with go and rust as well: ten seconds each, or MINUTES=.
import { generateKeyPair } from '@libp2p/crypto/keys'
import { gossipsub } from '@libp2p/gossipsub'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { TOPIC, once, startJs, startPeerlet } from './nodes.mjs'
import * as peerlet from './peerlet.mjs'
import { missing, startPeerFor } from './start-peer.mjs'

/** Looks ten times a second, as not everything has an event. @param {() => any} condition */
async function until (condition, what, ms = 60_000) {
  for (let waited = 0; !condition(); waited += 100) {
    if (waited >= ms) throw new Error(`${ms} ms passed without ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

const startTheirs = (t, options = {}) => startJs(t, { pubsub: gossipsub(options) })

const startOurs = (t, options = {}) => startPeerlet(t, {
  services: { identify: peerlet.identify(), identifyPush: peerlet.identifyPush(), pubsub: peerlet.gossipsub(options) }
})

/** One of ours between two of js-libp2p's, all subscribed and in each other's meshes. */
async function between (t, ourOptions = {}, jsOptions = {}) {
  const [left, right] = [await startTheirs(t, jsOptions), await startTheirs(t, jsOptions)]
  const ours = await startOurs(t, ourOptions)
  for (const node of [left, right, ours]) node.services.pubsub.subscribe(TOPIC)
  for (const js of [left, right]) await ours.dial(js.getMultiaddrs()[0].toString())
  const meshOf = (node) => node.services.pubsub.getMeshPeers(TOPIC)
  await until(() => meshOf(ours).length === 2 && [left, right].every((js) => meshOf(js).includes(ours.peerId.toString())), 'meshes')
  return { left, right, ours }
}

/** What js-libp2p thinks of another. */
const score = (js, other) => js.services.pubsub.score.score(other.peerId.toString())

/** How often each text was heard by a node. */
function ears (node) {
  const heard = new Map()
  node.services.pubsub.addEventListener('message', ({ detail: { data } }) => {
    const text = Buffer.from(data).toString().slice(0, 16)
    heard.set(text, (heard.get(text) ?? 0) + 1)
  })
  return heard
}

test('meshes form, everything is heard once, and no score falls below 0', { timeout: 300_000 }, async (t) => {
  const { left, right, ours } = await between(t)
  const nodes = [left, right, ours]
  const heard = nodes.map(ears)
  let least = 0
  for (let i = 0; i < 60; i++) {
    const text = `${i}`.padStart(16, '.')
    await nodes[i % 3].services.pubsub.publish(TOPIC, Buffer.concat([Buffer.from(text), randomBytes(1000)]))
    await new Promise((resolve) => setTimeout(resolve, 100))
    least = Math.min(least, score(left, ours), score(right, ours))
  }
  await until(() => heard.every((one) => one.size === 40), 'everything heard')
  for (const one of heard) assert.ok([...one.values()].every((times) => times === 1))
  assert.equal(least, 0)
})

const TRAFFIC_MS = 60_000 * Number(process.env.MINUTES ?? 1 / 6)
const PAUSE_MS = 100

// of theirs; ours is 1.3
const NEWEST = { js: '/meshsub/1.2.0', go: '/meshsub/1.3.0', rust: '/meshsub/1.3.0' }

for (const kind of /** @type {const} */ (['js', 'go', 'rust'])) {
  test(`traffic with ${kind}-libp2p: a mesh both ways, everything heard once, and no score below 0 on either side`, { skip: missing(kind), timeout: TRAFFIC_MS + 120_000 }, async (t) => {
    const [theirs, third] = await Promise.all([startPeerFor(t, kind, { RELAY_TOPICS: TOPIC }), startTheirs(t)])
    const ours = await startOurs(t, { floodPublish: false })
    const { pubsub } = ours.services
    for (const node of [ours, third]) node.services.pubsub.subscribe(TOPIC)
    await ours.dial(theirs.addr)
    await ours.dial(third.getMultiaddrs()[0].toString())
    await until(() => pubsub.getMeshPeers(TOPIC).length === 2, 'a mesh')
    const { protocols } = await ours.peerStore.get(theirs.peerId)
    assert.ok(protocols.includes(NEWEST[kind]), protocols.join()) // so that this is what is spoken
    const pruned = []
    pubsub.addEventListener('gossipsub:prune', ({ detail }) => pruned.push(detail))

    // What they publish comes to the third through us, and the other way about: they are not connected.
    const count = Math.ceil(TRAFFIC_MS / PAUSE_MS / 3) * 3
    const names = Array.from({ length: count }, (_, i) => `${i}`.padStart(16, '.'))
    const [here, beyond, there] = [ears(ours), ears(third), new Map()]
    const allThere = theirs.heard(({ text }) => {
      const name = text.slice(0, 16)
      there.set(name, (there.get(name) ?? 0) + 1)
      return there.size === count / 3 * 2
    }, TRAFFIC_MS + 60_000)
    let [lowest, lowestOfThird] = [0, 0]
    const started = performance.now()
    for (const [i, name] of names.entries()) {
      const text = name + randomBytes(i % 2 === 0 ? 20 : 600).toString('hex') // some are worth an IDONTWANT
      if (i % 3 === 0) await pubsub.publish(TOPIC, Buffer.from(text))
      else if (i % 3 === 1) await theirs.ask('publish', { topic: TOPIC, text })
      else await third.services.pubsub.publish(TOPIC, Buffer.from(text))
      lowest = Math.min(lowest, pubsub.getScore(theirs.peerId))
      lowestOfThird = Math.min(lowestOfThird, score(third, ours))
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, started + (i + 1) * PAUSE_MS - performance.now())))
    }
    await allThere
    await until(() => here.size === count / 3 * 2 && beyond.size === count / 3 * 2, 'everything heard')
    for (const heard of [here, beyond, there]) assert.deepEqual([...heard].filter(([, times]) => times !== 1), [])
    assert.deepEqual([lowest, lowestOfThird, pruned, pubsub.getMeshPeers(TOPIC).length], [0, 0, [], 2])
    if (kind !== 'js') { // whose score of us is looked at in the third
      const { score, count } = await theirs.ask('score', { text: ours.peerId.toString() })
      assert.ok(count > 1)
      assert.equal(score, 0)
    }
  })
}

for (const type of ['RSA', 'Secp256k1', 'ECDSA']) {
  test(`an author whose key is ${type} is heard, and passed on`, { skip: missing('go'), timeout: 300_000 }, async (t) => {
    const theirs = await startPeerFor(t, 'go', { RELAY_TOPICS: TOPIC, RELAY_KEY_TYPE: type })
    const third = await startPeerFor(t, 'go', { RELAY_TOPICS: TOPIC })
    const ours = await startOurs(t)
    const { pubsub } = ours.services
    pubsub.subscribe(TOPIC)
    for (const { addr } of [theirs, third]) await ours.dial(addr)
    await until(() => pubsub.getMeshPeers(TOPIC).length === 2, 'a mesh')
    const [here, there] = [once(pubsub, 'message'), third.heard(({ text }) => text === type)]
    await theirs.ask('publish', { topic: TOPIC, text: type })
    assert.equal((await here).from.toString(), theirs.peerId)
    assert.equal((await there).from, theirs.peerId)
    assert.equal(pubsub.getScore(theirs.peerId), 0)
  })
}

test('the ids of our IDONTWANT are those of js-libp2p', { timeout: 300_000 }, async (t) => {
  const { left, right, ours } = await between(t)
  const message = once(ours.services.pubsub, 'message')
  const known = once(right.services.pubsub, 'gossipsub:message')
  await left.services.pubsub.publish(TOPIC, randomBytes(2000))
  await message
  const { msgId } = await known
  await until(() => /** @type {any} */ (right.services.pubsub).idontwants.get(ours.peerId.toString())?.has(msgId), 'an IDONTWANT of that message')
})

test('peers that we prune learn of each other', { timeout: 300_000 }, async (t) => {
  const { left, right, ours } = await between(t, { doPX: true }, { scoreThresholds: { acceptPXThreshold: 0 } })
  assert.equal(left.getPeers().length, 1)
  ours.services.pubsub.unsubscribe(TOPIC)
  await until(() => left.getPeers().some((peer) => peer.equals(right.peerId)), 'a connection between them')
})

test('pruned by js-libp2p, we meet the others', { timeout: 300_000 }, async (t) => {
  const hub = await startTheirs(t, { doPX: true })
  const other = await startTheirs(t)
  const ours = await startOurs(t, { scoreThresholds: { acceptPXThreshold: 0 } })
  for (const node of [hub, other, ours]) node.services.pubsub.subscribe(TOPIC)
  await ours.dial(hub.getMultiaddrs()[0].toString())
  await other.dial(hub.getMultiaddrs()[0])
  await until(() => /** @type {any} */ (hub.services.pubsub).getMeshPeers(TOPIC).length === 2 && ours.services.pubsub.getMeshPeers(TOPIC).length === 1, 'meshes')
  hub.services.pubsub.unsubscribe(TOPIC)
  await until(() => ours.getPeers().some((peer) => peer.toString() === other.peerId.toString()), 'a connection to the other')
})

test('what a validator rejects or ignores is not sent on', { timeout: 300_000 }, async (t) => {
  const { left, right, ours } = await between(t)
  const asked = []
  ours.services.pubsub.topicValidators.set(TOPIC, async (peer, { data }) => {
    const text = Buffer.from(data).toString()
    asked.push(peer.toString())
    await new Promise((resolve) => setTimeout(resolve, 50))
    if (text === 'broken') throw new Error('no opinion')
    return { good: 'accept', bad: 'reject', dull: 'ignore' }[text]
  })
  const [heard, ourEars] = [ears(right), ears(ours)]
  for (const text of ['dull', 'broken']) await left.services.pubsub.publish(TOPIC, Buffer.from(text))
  await until(() => asked.length === 2, 'two questions')
  for (const text of ['bad', 'good']) await left.services.pubsub.publish(TOPIC, Buffer.from(text))
  await until(() => heard.size > 0, 'the good one')
  assert.deepEqual([...heard.keys()], ['good'])
  assert.deepEqual([...ourEars.keys()], ['good'])
  assert.ok(asked.every((peer) => peer === left.peerId.toString()))
})

test('what an application says of topics and peers is in their scores', { timeout: 300_000 }, async (t) => {
  let disliked = ''
  const scoreParams = {
    topicScoreCap: 100,
    topics: { [TOPIC]: { topicWeight: 1, timeInMeshWeight: 0, firstMessageDeliveriesWeight: 3, firstMessageDeliveriesDecay: 0.999, meshMessageDeliveriesWeight: 0 } },
    appSpecificScore: (peer) => peer === disliked ? -0.5 : 0
  }
  const { left, right, ours } = await between(t, { scoreParams })
  const { pubsub } = ours.services
  assert.equal(pubsub.getScore('12D3KooWnobody'), 0)
  for (const text of ['one', 'two']) {
    const message = once(pubsub, 'message')
    await left.services.pubsub.publish(TOPIC, Buffer.from(text))
    await message
  }
  await until(() => pubsub.getScore(left.peerId.toString()) > 5.9, 'a score for two messages brought first')
  assert.equal(pubsub.getScore(right.peerId.toString()), 0)
  disliked = right.peerId.toString()
  await until(() => pubsub.getScore(right.peerId.toString()) === -5, 'the score that the application gave')
})

test('messages have the names that the application gives them, as js-libp2p has them', { timeout: 300_000 }, async (t) => {
  const digest = async ({ data }) => new Uint8Array(await crypto.subtle.digest('SHA-256', data)).subarray(0, 20)
  const { left, right, ours } = await between(t, { msgIdFn: digest }, { msgIdFn: digest })
  const heard = ears(ours)
  const known = once(right.services.pubsub, 'gossipsub:message')
  const long = randomBytes(2000)
  await left.services.pubsub.publish(TOPIC, long)
  const { msgId } = await known
  await until(() => right.services.pubsub.idontwants.get(ours.peerId.toString())?.has(msgId), 'an IDONTWANT of that name')

  // The same said by another is the same message.
  await until(() => heard.size === 1, 'the message')
  const { pubsub } = (await startOurs(t, { msgIdFn: digest })).services
  pubsub.subscribe(TOPIC)
  await ours.services.pubsub.publish(TOPIC, Buffer.from('ours'))
  await assert.rejects(left.services.pubsub.publish(TOPIC, Buffer.from('ours')).then(() => left.services.pubsub.publish(TOPIC, Buffer.from('ours'))), { name: 'Error' })
  assert.deepEqual([...heard.values()], [1])
})

/** The ids that both sides may have: js-libp2p's own, go's, and the application's. */
const NAMES = {
  js: [{}, {}],
  go: [{ messageId: 'spec' }, { msgIdFn: ({ from, sequenceNumber }) => Buffer.concat([from.toMultihash().bytes, bigEndian(sequenceNumber)]) }],
  own: ['', ''].map(() => ({ msgIdFn: async ({ data }) => new Uint8Array(await crypto.subtle.digest('SHA-256', data)).subarray(0, 20) }))
}

/** @param {bigint} number */
function bigEndian (number) {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(number)
  return bytes
}

for (const [kind, [ourNames, theirNames]] of Object.entries(NAMES)) {
  test(`outside of a mesh messages are told of and asked for, both ways: ids of ${kind}`, { timeout: 300_000 }, async (t) => {
    const near = await startTheirs(t, theirNames)
    const far = await startTheirs(t, theirNames)
    // It has a low opinion of us, so there is no mesh between us.
    const picky = await startTheirs(t, { ...theirNames, scoreParams: { appSpecificScore: (peer) => peer === ours?.peerId.toString() ? -0.1 : 0 } })
    const ours = await startOurs(t, ourNames)
    await far.dial(picky.getMultiaddrs()[0])
    for (const js of [near, picky]) await ours.dial(js.getMultiaddrs()[0].toString())
    for (const node of [near, far, picky, ours]) node.services.pubsub.subscribe(TOPIC)
    const { pubsub } = ours.services
    const isApart = () => pubsub.getMeshPeers(TOPIC).join() === near.peerId.toString() && picky.services.pubsub.getMeshPeers(TOPIC).join() === far.peerId.toString()
    await until(() => pubsub.getSubscribers(TOPIC).length === 2 && isApart(), 'two meshes')
    const [ourEars, pickyEars] = [ears(ours), ears(picky)]
    await near.services.pubsub.publish(TOPIC, Buffer.from('from near'))
    await far.services.pubsub.publish(TOPIC, Buffer.from('from far'))
    await until(() => ourEars.size === 2 && pickyEars.size === 2, 'what was told of')
    assert.ok(isApart())
    assert.deepEqual([...ourEars.values(), ...pickyEars.values()], [1, 1, 1, 1])
    assert.equal(pubsub.getScore(picky.peerId.toString()), 0)
    assert.equal(score(picky, ours), -1)
  })
}

test('a peer that speaks floodsub alone is sent everything, is in no mesh, and is not known where that is not wanted', { skip: missing('go'), timeout: 300_000 }, async (t) => {
  const [theirs, js] = await Promise.all([startPeerFor(t, 'go', { RELAY_TOPICS: TOPIC, RELAY_FLOODSUB: '1' }), startTheirs(t)])
  const ours = await startOurs(t, { floodPublish: false })
  const without = await startOurs(t, { fallbackToFloodsub: false })
  assert.deepEqual([ours, without].map((node) => node.services.pubsub.protocols.includes('/floodsub/1.0.0')), [true, false])
  const { pubsub } = ours.services
  for (const node of [ours, without, js]) node.services.pubsub.subscribe(TOPIC)
  for (const node of [ours, without]) await node.dial(theirs.addr)
  await ours.dial(js.getMultiaddrs()[0].toString())
  await until(() => pubsub.getSubscribers(TOPIC).length === 2 && pubsub.getMeshPeers(TOPIC).length === 1, 'both, and a mesh of one')
  assert.deepEqual(pubsub.getMeshPeers(TOPIC), [js.peerId.toString()])
  const protocols = async (node) => (await node.peerStore.get(theirs.peerId)).protocols.filter((one) => /sub/.test(one))
  assert.deepEqual(await protocols(ours), ['/floodsub/1.0.0'])

  const there = new Set()
  const allThere = theirs.heard(({ text }) => there.add(text).size === 2)
  const [here, beyond] = [ears(ours), ears(js)]
  await pubsub.publish(TOPIC, Buffer.from('from us'))
  await js.services.pubsub.publish(TOPIC, Buffer.from('from js'))
  await allThere // and so it knows of us
  await theirs.ask('publish', { topic: TOPIC, text: 'from go' })
  await until(() => here.size === 2 && beyond.size === 2, 'all messages')
  assert.deepEqual([...there].sort(), ['from js', 'from us'])
  assert.ok(beyond.has('from go') && beyond.has('from us'))
  assert.deepEqual([await protocols(without), without.services.pubsub.getPeers()], [['/floodsub/1.0.0'], []])
})

// No mesh of ours holds anybody, so that all there is is told of; their meshes are ended by a PRUNE.
for (const kind of /** @type {const} */ (['go', 'rust'])) {
  test(`outside of a mesh messages are told of and asked for, both ways: ${kind}-libp2p and ids by default`, { skip: missing(kind), timeout: 300_000 }, async (t) => {
    const [theirs, near, far] = await Promise.all([startPeerFor(t, kind, { RELAY_TOPICS: TOPIC }), startTheirs(t), startTheirs(t)])
    const ours = await startOurs(t, { D: 0, Dlo: 0, Dhi: 0, Dout: 0, Dscore: 0 })
    for (const node of [near, far, ours]) node.services.pubsub.subscribe(TOPIC)
    await far.dial(multiaddr(theirs.addr))
    await ours.dial(theirs.addr)
    await ours.dial(near.getMultiaddrs()[0].toString())
    const { pubsub } = ours.services
    await until(() => pubsub.getSubscribers(TOPIC).length === 2 && pubsub.getMeshPeers(TOPIC).length === 0 && far.services.pubsub.getMeshPeers(TOPIC).length === 1, 'their mesh, and none of ours')
    const [here, there] = [ears(ours), ears(far)]
    await near.services.pubsub.publish(TOPIC, Buffer.from('from near'))
    await far.services.pubsub.publish(TOPIC, Buffer.from('from far'))
    await until(() => here.size === 2 && there.size === 1, 'what was told of')
    assert.deepEqual([[...here].sort(), [...there]], [[['from far', 1], ['from near', 1]], [['from near', 1]]])
    await new Promise((resolve) => setTimeout(resolve, 5000)) // a promise is broken after three seconds
    assert.deepEqual([pubsub.getMeshPeers(TOPIC), pubsub.getScore(theirs.peerId)], [[], 0])
    assert.equal((await theirs.ask('score', { text: ours.peerId.toString() })).score, 0)
  })
}

test('peers that we prune learn of each other: go-libp2p', { skip: missing('go'), timeout: 300_000 }, async (t) => {
  const [theirs, js] = await Promise.all([startPeerFor(t, 'go', { RELAY_TOPICS: TOPIC, RELAY_PX: '' }), startTheirs(t)])
  const ours = await startOurs(t, { doPX: true })
  for (const node of [js, ours]) node.services.pubsub.subscribe(TOPIC)
  for (const addr of [theirs.addr, js.getMultiaddrs()[0].toString()]) await ours.dial(addr)
  await until(() => ours.services.pubsub.getMeshPeers(TOPIC).length === 2, 'meshes')
  ours.services.pubsub.unsubscribe(TOPIC)
  await until(() => js.getPeers().some((peer) => peer.toString() === theirs.peerId), 'a connection between them')
})

test('pruned by go-libp2p, we meet the others', { skip: missing('go'), timeout: 300_000 }, async (t) => {
  const [hub, other] = await Promise.all([startPeerFor(t, 'go', { RELAY_TOPICS: TOPIC, RELAY_PX: '' }), startTheirs(t)])
  const ours = await startOurs(t, { scoreThresholds: { acceptPXThreshold: 0 } })
  for (const node of [other, ours]) node.services.pubsub.subscribe(TOPIC)
  await ours.dial(hub.addr)
  await other.dial(multiaddr(hub.addr))
  await until(() => [other, ours].every((node) => node.services.pubsub.getMeshPeers(TOPIC).length > 0), 'meshes')
  await hub.ask('leave', { topic: TOPIC })
  await until(() => ours.getPeers().some((peer) => peer.toString() === other.peerId.toString()), 'a connection to the other')
})

test('direct peers are dialled, are in no mesh, and get everything', { timeout: 300_000 }, async (t) => {
  const key = await generateKeyPair('Ed25519')
  const self = peerIdFromPrivateKey(key)
  const left = await startTheirs(t, { directPeers: [{ id: self, addrs: [] }] })
  const right = await startTheirs(t)
  const ours = await startPeerlet(t, {
    privateKey: key,
    services: { identify: peerlet.identify(), pubsub: peerlet.gossipsub({ floodPublish: false, directPeers: [{ id: left.peerId, addrs: left.getMultiaddrs() }], directConnectTicks: 2 }) }
  })
  for (const node of [left, right, ours]) node.services.pubsub.subscribe(TOPIC)
  await ours.dial(right.getMultiaddrs()[0].toString())
  const { pubsub } = ours.services
  await until(() => pubsub.getSubscribers(TOPIC).length === 2 && pubsub.getMeshPeers(TOPIC).length === 1, 'one in the mesh of two')
  assert.deepEqual(pubsub.getMeshPeers(TOPIC), [right.peerId.toString()])
  assert.equal(left.services.pubsub.getMeshPeers(TOPIC).length, 0)
  const [leftEars, rightEars] = [ears(left), ears(right)]
  await left.services.pubsub.publish(TOPIC, Buffer.from('from the left'))
  await right.services.pubsub.publish(TOPIC, Buffer.from('from the right'))
  await pubsub.publish(TOPIC, Buffer.from('from between'))
  await until(() => leftEars.size === 2 && rightEars.size === 2, 'all messages')

  await ours.hangUp(left.peerId.toString())
  await until(() => ours.getConnections(left.peerId.toString()).length === 1, 'a new connection')
})

test('grafts, prunes and heartbeats are told', { timeout: 300_000 }, async (t) => {
  const js = await startTheirs(t)
  const ours = await startOurs(t)
  const { pubsub } = ours.services
  const told = []
  for (const name of ['gossipsub:graft', 'gossipsub:prune']) pubsub.addEventListener(name, ({ detail }) => told.push([name, detail]))
  const beat = once(pubsub, 'gossipsub:heartbeat')
  pubsub.subscribe(TOPIC)
  js.services.pubsub.subscribe(TOPIC)
  await ours.dial(js.getMultiaddrs()[0].toString())
  await beat
  await until(() => told.length > 0, 'a graft')
  js.services.pubsub.unsubscribe(TOPIC)
  await until(() => told.some(([name]) => name === 'gossipsub:prune'), 'a prune')
  const detail = { peerId: js.peerId.toString(), topic: TOPIC }
  assert.equal(told[0][0], 'gossipsub:graft')
  for (const [, { direction, ...rest }] of told) {
    assert.deepEqual(rest, detail)
    assert.ok(['inbound', 'outbound'].includes(direction))
  }
  assert.equal(told.at(-1)[1].direction, 'inbound')
})

test('of topics that are not allowed nothing is heard', { timeout: 300_000 }, async (t) => {
  const js = await startTheirs(t)
  const ours = await startOurs(t, { allowedTopics: [TOPIC] })
  js.services.pubsub.subscribe('another')
  js.services.pubsub.subscribe(TOPIC)
  const { pubsub } = ours.services
  await ours.dial(js.getMultiaddrs()[0].toString())
  await until(() => pubsub.getSubscribers(TOPIC).length === 1, 'the subscription')
  assert.deepEqual(pubsub.getSubscribers('another'), [])
})

test('a network that reads longer RPCs has longer messages, sent and passed on', { timeout: 300_000 }, async (t) => {
  const KIB = 1024
  const { left, right, ours } = await between(t, { maxInboundDataLength: 256 * KIB }, { maxInboundDataLength: 256 * KIB })
  const say = (node, bytes) => node.services.pubsub.publish(TOPIC, bytes)
  for (const [from, to] of [[ours, right], [left, right]]) {
    const long = randomBytes(200 * KIB)
    const heard = once(to.services.pubsub, 'message')
    await say(from, long)
    assert.ok(long.equals((await heard).data))
  }
  await assert.rejects(say(ours, randomBytes(256 * KIB)), { name: 'InvalidDataLengthError', message: /maxInboundDataLength/ })
  await assert.rejects(say(await startOurs(t), randomBytes(61 * KIB)), { message: /at most 61440 bytes/ })

  // what is longer than that is not heard, and the stream that it came on is over
  const cautious = await startOurs(t, { maxInboundDataLength: 1 })
  cautious.services.pubsub.subscribe(TOPIC)
  await cautious.dial(left.getMultiaddrs()[0].toString())
  await until(() => left.services.pubsub.getSubscribers(TOPIC).some((id) => id.equals(cautious.peerId.toString())), 'subscription')
  const all = ears(cautious)
  await say(left, Buffer.from('short'.padEnd(60 * KIB)))
  await until(() => all.size === 1, 'a message of 60 KiB')
  await say(left, Buffer.from('long'.padEnd(100 * KIB)))
  await until(() => !left.services.pubsub.streamsInbound.has(cautious.peerId.toString()) || !left.services.pubsub.streamsOutbound.has(cautious.peerId.toString()), 'the end of the stream')
  assert.equal(all.size, 1)
})

test('what cannot be done is refused by its name', async () => {
  for (const [option, value] of Object.entries({ dataTransform: {}, asyncValidation: true, messageId: 'mine', msgIdToStrFn: () => '', metricsRegister: {}, messageCache: {}, IPColocationFactorWhitelist: new Set() })) {
    await assert.rejects(peerlet.createLibp2p({ services: { pubsub: peerlet.gossipsub({ [option]: value }) }, start: false }),
      (/** @type {any} */ err) => err.name === 'InvalidParametersError' && err.message.includes(option))
  }
})

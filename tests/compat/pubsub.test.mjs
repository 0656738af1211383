// services.pubsub of an application that was written for js-libp2p: every member of its router is there, or says that it is not.
import { gossipsub } from '@libp2p/gossipsub'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import '../interop/peerlet.mjs'
import { TOPIC, once, startJs, when } from '../interop/nodes.mjs'
import * as compat from '../../js-glue/compat/index.js'
import { NOT_HERE } from '../../js-glue/compat/pubsub.js'

/** @param {import('node:test').TestContext} t @param {Record<string, any>} [options] @returns {Promise<any>} */
async function start (t, options = {}) {
  const node = await compat.createLibp2p({
    transports: [compat.webSockets()],
    connectionGater: { denyDialMultiaddr: async () => false },
    services: { identify: compat.identify(), pubsub: compat.gossipsub(options) }
  })
  t.after(() => node.stop())
  return node
}

/** Each dialled by us, and in our mesh. */
async function meet (ours, ...others) {
  const { pubsub } = ours.services
  for (const node of [ours, ...others]) node.services.pubsub.subscribe(TOPIC)
  for (const js of others) await ours.dial(js.getMultiaddrs()[0])
  await when(() => pubsub.getMeshPeers(TOPIC).length === others.length, pubsub, ['gossipsub:graft', 'gossipsub:heartbeat'])
}

test('every member of the router is there, or says that it is not', async (t) => {
  const { pubsub } = (await start(t)).services
  const names = ['../../node_modules/@libp2p/gossipsub/dist/src/gossipsub.d.ts', 'v2/node_modules/@chainsafe/libp2p-gossipsub/dist/src/index.d.ts'].flatMap((file) => {
    const declared = readFileSync(new URL(file, import.meta.url), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')
    const found = [...declared.slice(declared.indexOf('class GossipSub')).matchAll(/^ {4}(?!private|protected|static|constructor)(?:readonly )?(?:get )?(\w+)[?:(]/gm)].map(([, name]) => name)
    assert.ok(found.length > 25, `${file}: the declarations are not where they were`)
    return found
  })
  for (const name of names) {
    const why = NOT_HERE[name]
    if (why === undefined) assert.notEqual(pubsub[name], undefined, name)
    else assert.throws(() => pubsub[name], (/** @type {any} */ err) => err instanceof compat.UnsupportedOperationError && err.message.includes(`pubsub.${name}: ${why}`))
  }
  assert.deepEqual(Object.keys(NOT_HERE).filter((name) => !names.includes(name)), [], 'nothing is denied that nobody asks for')
  assert.equal(pubsub[compat.serviceCapabilities][0], '@libp2p/pubsub')
  const faces = [['../../node_modules/@libp2p/gossipsub/dist/src/index.d.ts', 'interface GossipSub extends'], ['v2/node_modules/@libp2p/interface/dist/src/pubsub.d.ts', 'interface PubSub<']]
  for (const [file, begin] of faces) {
    const face = readFileSync(new URL(file, import.meta.url), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '').split(begin)[1].split('\n}')[0]
    const promised = [...face.matchAll(/^ {4}(\w+)\??[:(]/gm)].map(([, name]) => name)
    assert.ok(promised.length >= 8, `${file}: ${promised}`)
    for (const name of promised) assert.ok(name in pubsub && NOT_HERE[name] === undefined, `what services.pubsub is declared to have: ${name}`)
  }
})

test('peers, meshes and scores as js-libp2p has them', { timeout: 120_000 }, async (t) => {
  const js = await startJs(t, { pubsub: gossipsub() })
  const friend = compat.peerIdFromString('12D3KooWKRyzVWW6ChFjQjK4miCty85Niy48tpPV95XdKu1BcvMA')
  let rating = 0 // nobody who is disliked comes into a mesh
  const ours = await start(t, { directPeers: [{ id: friend, addrs: [] }], scoreParams: { appSpecificScore: () => rating } })
  const { pubsub } = ours.services
  const id = js.peerId.toString()
  await meet(ours, js)
  assert.deepEqual([...pubsub.peers.keys()], [id])
  assert.equal(String(pubsub.peers.get(id)), id)
  assert.deepEqual([...pubsub.mesh], [[TOPIC, new Set([id])]])
  assert.deepEqual([...pubsub.direct], [friend.toString()])
  assert.deepEqual([pubsub.isStarted(), pubsub.started, pubsub.acceptFrom(id), pubsub.acceptFrom(friend.toString())], [true, true, true, true])
  rating = -9
  await when(() => pubsub.score.score(id) === -90, pubsub, ['gossipsub:heartbeat'])
  assert.equal(pubsub.getScore(id), -90)
  assert.deepEqual([pubsub.acceptFrom(id), pubsub.acceptFrom(friend.toString())], [false, true])
  await pubsub.start()
  await assert.rejects(pubsub.stop(), compat.UnsupportedOperationError)
  await ours.stop()
  await pubsub.stop()
  assert.deepEqual([pubsub.isStarted(), pubsub.started], [false, false])
  await assert.rejects(pubsub.start(), compat.UnsupportedOperationError)
})

const SCORES = /** @type {Array<[string, Record<string, any>, number]>} */ ([
  ['all of one host are counted', {}, 9 - 3 * 4],
  ['but for a host that is named', { IPColocationFactorWhitelist: new Set(['127.0.0.1']) }, 9],
  ['and not where another one is', { IPColocationFactorWhitelist: new Set(['127.0.0.2']) }, 9 - 3 * 4]
])

for (const [which, more, score] of SCORES) {
  test(`peers of one host: ${which}`, { timeout: 120_000 }, async (t) => {
    const others = await Promise.all([1, 2, 3].map(() => startJs(t, { pubsub: gossipsub() })))
    const scoreParams = { IPColocationFactorWeight: -3, IPColocationFactorThreshold: 1, appSpecificWeight: 3, appSpecificScore: () => 3, ...more }
    const ours = await start(t, { scoreParams, scoreThresholds: { graylistThreshold: -1000 } })
    const { pubsub } = ours.services
    for (const js of others) await ours.dial(js.getMultiaddrs()[0])
    const scores = () => others.map(({ peerId }) => pubsub.getScore(peerId.toString()))
    await when(() => pubsub.getPeers().length === 3, pubsub, ['gossipsub:heartbeat', 'subscription-change'])
    for (let beat = 0; beat < 2; beat++) await once(pubsub, 'gossipsub:heartbeat')
    assert.deepEqual(scores(), [score, score, score])
    if (score === 9) return
    await ours.hangUp(others[2].peerId.toString())
    for (let beat = 0; beat < 2; beat++) await once(pubsub, 'gossipsub:heartbeat')
    assert.deepEqual(scores().slice(0, 2), [6, 6], 'one fewer than there were')
  })
}

/** A register as of prom-client, which keeps what it was told. */
class Register {
  /** @type {Map<string, { config: any, values: Map<string, any> }>} */
  metrics = new Map()
  #collect = []

  #make (config) {
    const values = new Map()
    this.metrics.set(config.name, { config, values })
    const key = (/** @type {any} */ labels) => Object.entries(labels).map(([name, value]) => { assert.ok(config.labelNames.includes(name)); return value }).join()
    const told = (change) => (...args) => {
      const [labels, value = 1] = typeof args[0] === 'object' && !Array.isArray(args[0]) ? args : [{}, ...args]
      values.set(key(labels), change(values.get(key(labels)), value))
    }
    return { set: told((was, value) => value), inc: told((was = 0, value) => was + value), observe: told((was = 0) => was + 1), reset: () => values.clear(), startTimer: () => () => {}, addCollect: (collect) => this.#collect.push(collect) }
  }

  gauge = (config) => this.#make(config)
  histogram = this.gauge
  avgMinMax = this.gauge

  read () {
    for (const collect of this.#collect) collect()
    return Object.fromEntries([...this.metrics].map(([name, { values }]) => [name, Object.fromEntries(values)]))
  }
}

/** Where js knows a reason, and ours says only that it was so. */
const inclusions = (metrics) => Object.entries(metrics).filter(([name]) => name.includes('inclusion')).reduce((sum, [, values]) => sum + (values.labelled ?? 0), 0)

test('metrics as js-libp2p has them', { timeout: 120_000 }, async (t) => {
  const [there, here] = [new Register(), new Register()]
  const options = { floodPublish: false, metricsTopicStrToLabel: new Map([[TOPIC, 'labelled']]) }
  const js = await startJs(t, { pubsub: gossipsub({ ...options, metricsRegister: /** @type {any} */ (there) }) })
  const ours = await start(t, { ...options, metricsRegister: here })
  await meet(ours, js)
  await when(() => js.services.pubsub.mesh.get(TOPIC)?.size === 1, js.services.pubsub, ['gossipsub:graft', 'gossipsub:heartbeat'])
  for (const { services } of [js, ours]) for (let i = 0; i < 3; i++) await services.pubsub.publish(TOPIC, Buffer.from(`message ${i}`))
  const [theirs, own] = [there.read(), here.read()]
  delete own.gossipsub_protocol['/meshsub/1.3.0'] // js-libp2p does not speak it
  assert.deepEqual([inclusions(own), inclusions(theirs)], [1, 1])
  for (const [name, values] of Object.entries(own)) {
    assert.deepEqual(here.metrics.get(name)?.config.labelNames ?? [], there.metrics.get(name)?.config.labelNames ?? [], name)
    if (name.includes('inclusion')) continue
    const among = Object.fromEntries(Object.keys(values).map((key) => [key, theirs[name][key]]))
    assert.deepEqual(values, among, name)
  }
  assert.equal(own.gossipsub_msg_publish_bytes_total.labelled, 27)
  assert.deepEqual(Object.keys(own).filter((name) => Object.keys(own[name]).length === 0), ['gossipsub_peer_churn_events_prune_total', 'gossipsub_peer_churn_events_unknown_total'])
  const pruned = once(ours.services.pubsub, 'gossipsub:prune')
  js.services.pubsub.unsubscribe(TOPIC)
  await pruned
  assert.deepEqual(here.read().gossipsub_peer_churn_events_prune_total, { labelled: 1 })
  for (const topic of ['one', 'two']) ours.services.pubsub.subscribe(topic)
  ours.services.pubsub.unsubscribe(TOPIC)
  const last = here.read()
  assert.deepEqual(last.gossipsub_topic_subscription_status, { [TOPIC]: 0, one: 1, two: 1 })
  assert.deepEqual([last.gossipsub_topic_peer_count[TOPIC], last.gossipsub_mesh_peer_count[TOPIC]], [0, 0])
  assert.deepEqual(last.gossipsub_score_per_mesh, { labelled: [], unknown: [] })
})

const firstThree = async (/** @type {any} */ { data }) => data.subarray(0, 3)

/** Of theirs, what names messages as ours do. @type {Array<[string, Record<string, any>, Record<string, any>]>} */
const NAMES = [
  ['by default', {}, {}],
  ['without signatures', { globalSignaturePolicy: 'StrictNoSign' }, { globalSignaturePolicy: 'StrictNoSign' }],
  ['that the application gives', { msgIdFn: firstThree }, { msgIdFn: firstThree }],
  ['as the specification has them', { messageId: 'spec' }, { msgIdFn: ({ from, sequenceNumber }) => Buffer.concat([from.toMultihash().bytes, Buffer.from(sequenceNumber.toString(16).padStart(16, '0'), 'hex')]) }],
  ['as rust-libp2p has them', { messageId: 'rust' }, { msgIdFn: ({ from, sequenceNumber }) => Buffer.from(`${from}${sequenceNumber}`) }]
]

for (const [which, our, their] of NAMES) {
  test(`gossipsub:message names messages ${which}`, { timeout: 120_000 }, async (t) => {
    const [left, right] = await Promise.all([1, 2].map(() => startJs(t, { pubsub: gossipsub(their) })))
    const ours = await start(t, our)
    await meet(ours, left, right)
    const [here, there] = [ours, right].map(({ services: { pubsub } }) => once(pubsub, 'gossipsub:message'))
    await left.services.pubsub.publish(TOPIC, Buffer.from('hello'))
    const [{ msgId, msg, propagationSource }, theirs] = [await here, await there]
    assert.equal(msgId, theirs.msgId)
    assert.equal(Buffer.from(msg.data).toString(), 'hello')
    if (their.globalSignaturePolicy === undefined) assert.equal(propagationSource.toString(), left.peerId.toString())
  })
}

/** Data upside down; what ends with ! is nothing. */
const dataTransform = {
  outboundTransform: (topic, data) => Uint8Array.from(data).reverse(),
  inboundTransform: (topic, data) => {
    if (data.at(-1) === 0x21) throw new Error('not one of ours')
    return Uint8Array.from(data).reverse()
  }
}

const texts = (/** @type {any} */ pubsub, /** @type {string[]} */ heard = []) => {
  pubsub.addEventListener('message', ({ detail }) => heard.push(Buffer.from(detail.data).toString()))
  return heard
}

for (const [which, names] of /** @type {const} */ ([['ids of its data', { msgIdFn: ({ data }) => Uint8Array.from(data).subarray(0, 5) }], ['the default ids', {}]])) {
  test(`data that is transformed on its way, and ${which}`, { timeout: 120_000 }, async (t) => {
    const [left, right] = await Promise.all([1, 2].map(() => startJs(t, { pubsub: gossipsub({ ...names, dataTransform }) })))
    const plain = await startJs(t, { pubsub: gossipsub(names) })
    const ours = await start(t, { ...names, dataTransform, emitSelf: true })
    await meet(ours, left, right, plain)
    const heard = [ours, left, right, plain].map(({ services }) => texts(services.pubsub))
    const passedOn = once(plain.services.pubsub, 'message')
    const asked = []
    ours.services.pubsub.topicValidators.set(TOPIC, (peer, { data }) => { asked.push(Buffer.from(data).toString()); return 'accept' })
    const [here, there] = [ours, right].map(({ services }) => once(services.pubsub, 'gossipsub:message'))
    await left.services.pubsub.publish(TOPIC, Buffer.from('hello'))
    const event = await here
    assert.equal(event.msgId, (await there).msgId)
    assert.equal(Buffer.from(event.msg.data).toString(), 'hello')
    assert.equal(event.msg.type, 'signed')
    await passedOn
    await plain.services.pubsub.publish(TOPIC, Buffer.from('wrong!'))
    await when(() => ours.services.pubsub.getScore(plain.peerId) < 0, ours.services.pubsub, ['gossipsub:heartbeat'])
    await ours.services.pubsub.publish(TOPIC, Buffer.from('ours'))
    await when(() => heard[2].length === 2, right.services.pubsub, ['message', 'gossipsub:heartbeat'])
    assert.deepEqual(heard[0], ['hello', 'ours'])
    assert.deepEqual(heard[2], ['hello', 'ours'])
    assert.deepEqual(asked.filter((text) => text !== 'ours'), ['hello'])
    assert.equal(heard[3][0], 'olleh')
  })
}

test('messages that the application judges after it was given them', { timeout: 120_000 }, async (t) => {
  const [left, right] = await Promise.all([1, 2].map(() => startJs(t, { pubsub: gossipsub() })))
  const ours = await start(t, { asyncValidation: true, msgIdToStrFn: (id) => Buffer.from(id).toString('hex') })
  const { pubsub } = ours.services
  await meet(ours, left, right)
  const [here, there] = [texts(pubsub), texts(right.services.pubsub)]
  const verdicts = { good: 'accept', dull: 'ignore', bad: 'reject' }
  for (const [text, verdict] of [...Object.entries(verdicts).reverse(), ['last', 'accept']]) {
    const given = once(pubsub, 'gossipsub:message')
    await left.services.pubsub.publish(TOPIC, Buffer.from(text))
    const { msgId, propagationSource, msg } = await given
    assert.match(msgId, /^[0-9a-f]+$/)
    assert.equal(Buffer.from(msg.data).toString(), text)
    assert.equal(here.at(-1), text)
    assert.ok(!there.includes(text))
    pubsub.reportMessageValidationResult(msgId, propagationSource, verdict)
  }
  await when(() => there.includes('last'), right.services.pubsub, ['message'])
  assert.deepEqual(there, ['good', 'last'])
  assert.deepEqual(here, ['bad', 'dull', 'good', 'last'])
  assert.ok(pubsub.getScore(left.peerId) < 0)
  pubsub.reportMessageValidationResult('unknown', left.peerId, 'accept')
})

test('opts are there with js-libp2p\'s defaults', async (t) => {
  const { pubsub } = (await start(t, { D: 8 })).services
  const theirs = await startJs(t, { pubsub: gossipsub({ D: 8 }) })
  const { scoreParams, scoreThresholds, ...opts } = pubsub.opts
  const { scoreParams: _, scoreThresholds: __, ...expected } = theirs.services.pubsub.opts
  assert.deepEqual(opts, expected)
})

test('options of one publish', async (t) => {
  const { pubsub } = (await start(t)).services
  await assert.rejects(pubsub.publish('nobody', Buffer.from('x')), { message: /NoPeersSubscribedToTopic/ })
  assert.deepEqual(await pubsub.publish('nobody', Buffer.from('x'), { allowPublishToZeroTopicPeers: true, batchPublish: true, floodPublish: false }), { recipients: [] })
  await assert.rejects(pubsub.publish('nobody', Buffer.from('x'), { nonsense: false }), /** @type {any} */ ({ name: 'InvalidParametersError', option: 'nonsense' }))
  const same = (await start(t, { globalSignaturePolicy: 'StrictNoSign', allowPublishToZeroTopicPeers: true })).services.pubsub
  await same.publish('nobody', Buffer.from('x'))
  await assert.rejects(same.publish('nobody', Buffer.from('x')), { message: /PublishError/ })
  assert.deepEqual(await same.publish('nobody', Buffer.from('x'), { ignoreDuplicatePublishError: true }), { recipients: [] })
  await assert.rejects(same.publish('nobody', Buffer.from('x'), { allowPublishToZeroTopicPeers: false }), /** @type {any} */ ({ option: 'allowPublishToZeroTopicPeers' }))
})

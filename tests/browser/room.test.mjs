// Rooms of build/web/room.mjs: in real pages that meet by a relay, with js-libp2p, and with a stranger who
// knows what a room is called and means no good.
import { gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { concat, prefixed, uvarint, writeFrame, writePayload } from '../../js-glue/room/codec.js'
import { joinRoom } from '../../js-glue/room/index.js'
import { PATIENCE_MS, openWorld } from './harness.mjs'

const world = openWorld()
const MIB = 1024 * 1024
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')
const payload = writePayload('hi')

/** A page in a room. @param {import('node:test').TestContext} t @param {string} name @param {object} options */
async function enter (t, name, options) {
  const page = await world.tab(t, '/pages/room.html')
  await page.waitForFunction('globalThis.here')
  /** @type {(name: string, ...args: any[]) => Promise<any>} */
  const call = (name, ...args) => page.evaluate(([name, args]) => /** @type {any} */ (globalThis).here[name](...args), /** @type {any} */ ([name, args]))
  const self = await call('join', name, options)
  return { page, call, self, when: (wanted) => call('when', wanted) }
}

/** Two pages that see each other. @param {import('node:test').TestContext} t @param {object} [options] */
async function pair (t, options) {
  const relay = await world.relay(t)
  const given = { relays: [relay.addr], ...options }
  const [a, b] = await Promise.all([enter(t, 'tea', given), enter(t, 'tea', given)])
  await Promise.all([a.when({ join: b.self }), b.when({ join: a.self })])
  return { a, b, relay, given }
}

/** There is a direct connection, and what they say to each other alone has moved there. */
const direct = (one, other) => one.page.waitForFunction((id) => /** @type {any} */ (globalThis).room.node.getConnections()
  .some((c) => String(c.remotePeer) === id && c.limits === undefined && c.streams.some(({ protocol }) => protocol === /** @type {any} */ (globalThis).room.topic)), other.self)

/** js-libp2p, which pages can dial. @param {import('node:test').TestContext} t @returns {Promise<any>} */
async function startJs (t) {
  const node = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws'] },
    transports: [webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify(), pubsub: gossipsub({ scoreParams: { IPColocationFactorWeight: 0 } }) }
  })
  t.after(() => node.stop())
  return node
}

/** @param {any} node @param {any} page */
const dial = (node, page) => page.evaluate((address) => /** @type {any} */ (globalThis).room.node.dial(address).then(() => {}), String(node.getMultiaddrs()[0]))

test('who is there, messages of all kinds, and what has become of them', { timeout: 300_000 }, async (t) => {
  const relay = await world.relay(t)
  const a = await enter(t, 'tea', { relays: [relay.addr] })
  assert.equal(await a.call('say', { said: 'to nobody yet' }), 'queued')
  const b = await enter(t, 'tea', { relays: [relay.addr] })
  await Promise.all([a.when({ join: b.self }), b.when({ join: a.self })])
  assert.deepEqual(await a.call('peers'), [b.self])

  // what waited is not lost
  assert.equal((await b.when({ heard: { said: 'to nobody yet' } })).from, a.self)
  await a.when({ sent: 'chat', state: 'seen', seen: 1 })

  await b.call('say', { bytes: [0, 255, 7] })
  assert.equal((await a.when({ heard: { bytes: [0, 255, 7] } })).from, b.self)
  await b.call('say', null)
  await a.when({ heard: null })

  const c = await enter(t, 'tea', { relays: [relay.addr] })
  await Promise.all([a.when({ join: c.self }), b.when({ join: c.self })])
  await a.call('say', 'for two')
  await Promise.all([b, c].map((one) => one.when({ heard: 'for two' })))
  await a.when({ sent: 'chat', state: 'seen', seen: 2 })
  await a.call('say', 'for one', { to: c.self })
  await c.when({ heard: 'for one' })
  await b.call('say', 'after that', { to: c.self })
  await c.when({ heard: 'after that' })
  assert.ok(!(await b.call('happened')).some(({ heard }) => heard === 'for one'))

  assert.equal((await a.call('say', 'x'.repeat(60_000))).name, 'MessageTooBigError')
  assert.equal((await a.call('say', 'x', { to: relay.peerId })).name, 'PeerLeftError')

  // a tab that is closed says goodbye, one that crashes does not
  await b.page.close({ runBeforeUnload: true })
  await a.when({ leave: b.self })
  await c.page.close()
  await a.when({ leave: c.self })
  assert.deepEqual(await a.call('peers'), [])
  assert.equal(await a.call('say', 'anybody?'), 'queued')
})

test('what is said into a connection that is lost already arrives when there is another', { timeout: 300_000 }, async (t) => {
  const { a, b } = await pair(t)
  await Promise.all([direct(a, b), direct(b, a)])
  // The page stands still, as that of a machine that sleeps, until it is given up; when it wakes it speaks before it hears of that.
  const server = createServer().listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const asked = once(server, 'request')
  const asleep = a.page.evaluate((port) => {
    const request = new XMLHttpRequest()
    request.open('GET', `http://127.0.0.1:${port}/`, false)
    request.send()
    const { room } = /** @type {any} */ (globalThis)
    for (const text of ['one', 'two']) room.send('chat', text)
    room.send('chat', 'for you', { to: room.peers[0] })
  }, /** @type {import('node:net').AddressInfo} */ (server.address()).port)
  const [, response] = await asked
  await b.when({ leave: a.self })
  response.writeHead(200, { 'access-control-allow-origin': '*', connection: 'close' }).end()
  await asleep
  for (const heard of ['one', 'two', 'for you']) await b.when({ heard, from: a.self })
  const all = (await b.call('happened')).filter(({ heard }) => heard !== undefined).map(({ heard }) => heard)
  assert.deepEqual(all.sort(), ['for you', 'one', 'two'], 'each of them once')
})

test('questions and answers', { timeout: 300_000 }, async (t) => {
  const { a, b } = await pair(t)
  assert.equal(await a.call('ask', b.self, 'double', 21), 42)
  const ask = async (action, options) => (await b.call('ask', a.self, action, 1, options))
  assert.match((await ask('throw')).message, /no such thing/)
  assert.deepEqual([(await ask('throw')).name, (await ask('dance')).name], ['RemoteError', 'NoHandlerError'])
  assert.equal((await ask('sleep', { timeout: 200 })).name, 'TimeoutError')
  await a.when({ woken: 'AbortError' })
  assert.equal((await b.call('askInVain', a.self, 'sleep')).name, 'AbortError')
  // one peer keeps 32 of them waiting, and no more
  const asked = await b.page.evaluate(async (id) => {
    const giveUp = new AbortController()
    const all = Array.from({ length: 33 }, () => /** @type {any} */ (globalThis).here.ask(id, 'sleep', null, { signal: giveUp.signal, timeout: 60_000 }))
    await Promise.race(all)
    giveUp.abort()
    return Promise.all(all)
  }, a.self)
  assert.deepEqual(asked.map(({ name }) => name).sort(), [...Array(32).fill('AbortError'), 'BusyError'])
  const unanswered = ask('sleep')
  await a.call('leave')
  assert.equal((await unanswered).name, 'PeerLeftError')
  assert.equal((await ask('double')).name, 'PeerLeftError')
  // and nobody is there, for whom so much may wait
  const waiting = await b.page.evaluate(() => Array.from({ length: 257 }, () => /** @type {any} */ (globalThis).here.say('x')))
  assert.deepEqual([waiting[255], waiting[256].name], ['queued', 'QueueFullError'])
})

test('files both ways, with progress, given up by either side', { timeout: 300_000 }, async (t) => {
  const { a, b } = await pair(t)
  await direct(a, b)
  for (const [from, to, name, size] of /** @type {Array<[any, any, string, number]>} */ ([[a, b, 'one.bin', 9 * MIB + 1], [b, a, 'two.bin', 3 * MIB], [a, b, 'empty', 0]])) {
    const sum = await from.call('offer', name, size, { note: name })
    assert.deepEqual(await to.when({ file: name }), { file: name, size, data: { note: name }, from: from.self })
    const got = await to.call('fetch', name)
    assert.equal(got.sum, sum)
    assert.equal(got.type, 'application/octet-stream')
    if (size > MIB) assert.ok(got.steps > 10, `${got.steps} steps of progress`)
    await from.when({ done: name, peer: to.self })
  }
  await a.call('offer', '../half\u202e.bin', 30 * MIB)
  const name = (await b.when({ size: 30 * MIB })).file
  assert.equal(name, '_half_.bin')
  assert.equal((await b.call('fetch', name, { stopAt: MIB })).name, 'AbortError')
  await a.when({ cancelled: '../half\u202e.bin', peer: b.self })

  const fetching = b.call('fetch', name, { slowly: 20 })
  await a.call('withdraw')
  assert.equal((await fetching).name, 'FileGoneError')
  await b.when({ gone: name })
  assert.equal((await b.call('fetch', name)).name, 'FileGoneError')
})

test('a file goes on where it was when the connection is lost, and is lost with its owner', { timeout: 300_000 }, async (t) => {
  const { a, b } = await pair(t)
  await direct(a, b)
  const sum = await a.call('offer', 'long.bin', 24 * MIB)
  await b.when({ file: 'long.bin' })
  const fetching = b.call('fetch', 'long.bin', { slowly: 10 })
  await b.when({ began: 'long.bin' })
  await b.page.evaluate((id) => {
    for (const connection of /** @type {any} */ (globalThis).room.node.getConnections()) if (String(connection.remotePeer) === id) connection.abort(new Error('cut'))
  }, a.self)
  await a.when({ cancelled: 'long.bin', peer: b.self })
  assert.equal((await fetching).sum, sum)

  await a.call('offer', 'longer.bin', 24 * MIB)
  await b.when({ file: 'longer.bin' })
  const lost = b.call('fetch', 'longer.bin', { slowly: 10, timeout: 3000 })
  await b.when({ began: 'longer.bin' })
  await a.page.close()
  assert.equal((await lost).name, 'FileLostError')
})

test('a password: with it all is as without, with another the room is empty', { timeout: 300_000 }, async (t) => {
  const { a, b, relay } = await pair(t, { password: 'correct horse' })
  const others = await Promise.all([
    enter(t, 'tea', { relays: [relay.addr], password: 'battery staple' }),
    enter(t, 'tea', { relays: [relay.addr] })
  ])
  await a.call('say', 'secret')
  await b.when({ heard: 'secret' })
  await b.call('say', 'secret, too', { to: a.self })
  await a.when({ heard: 'secret, too' })
  await direct(a, b)
  const sum = await a.call('offer', 'secret.bin', MIB)
  await b.when({ file: 'secret.bin' })
  assert.equal((await b.call('fetch', 'secret.bin')).sum, sum)

  // connected with them all the same
  for (const other of others) {
    await other.page.waitForFunction((ids) => ids.every((id) => /** @type {any} */ (globalThis).room.node.getPeers().map(String).includes(id)), [a.self, b.self])
    assert.deepEqual(await other.call('happened'), [])
    assert.deepEqual(await other.call('peers'), [])
  }
  const topics = await a.page.evaluate(() => /** @type {any} */ (globalThis).room.node.services.pubsub.getTopics())
  assert.ok(topics.some((topic) => /^\/peerlet\/room\/1\/:[\w-]{22}$/.test(topic)), String(topics))
  assert.ok(!topics.some((topic) => topic.includes('tea')))
})

test('a room outlives its relay, and a newcomer finds it when the relay is back', { timeout: 300_000 }, async (t) => {
  const { a, b, relay, given } = await pair(t)
  await direct(a, b)
  await relay.kill()
  await a.call('say', 'no relay')
  await b.when({ heard: 'no relay' })
  assert.equal(await b.call('ask', a.self, 'double', 2), 4)
  await relay.restart()
  const c = await enter(t, 'tea', given)
  await Promise.all([c.when({ join: a.self }), c.when({ join: b.self })])
  await c.call('say', 'hello')
  await Promise.all([a, b].map((one) => one.when({ heard: 'hello' })))
  assert.ok(!(await a.call('happened')).some(({ leave }) => leave === b.self), 'the two have not left each other')
})

test('with js-libp2p: the same room over its node', { timeout: 300_000 }, async (t) => {
  const page = await enter(t, 'tea', { libp2p: { peerDiscovery: [] }, password: 'both know' })
  const node = await startJs(t)
  const room = await joinRoom('tea', { node, password: 'both know' })
  await assert.rejects(joinRoom('tea', { node, password: 'both know' }), { name: 'AlreadyJoinedError' })
  t.after(() => room.leave())
  const heard = new Promise((resolve) => room.on('chat', (data, { from }) => resolve({ data, from })))
  const file = new Promise((resolve) => room.addEventListener('file', (/** @type {any} */ { detail }) => resolve(detail)))
  room.answer('half', (number) => number / 2)
  await dial(node, page.page)
  await page.when({ join: room.self })

  await page.call('say', { bytes: [1, 2] })
  assert.deepEqual(await heard, { data: Uint8Array.of(1, 2), from: page.self })
  const sent = room.send('chat', 'from js-libp2p')
  await page.when({ heard: 'from js-libp2p' })
  if (sent.seen === 0) await new Promise((resolve) => sent.addEventListener('change', () => { if (sent.seen === 1) resolve(undefined) }))
  assert.equal(await room.ask(page.self, 'double', 4), 8)
  assert.equal(await page.call('ask', room.self, 'half', 4), 2)

  // js-libp2p reaches nobody while its own stream of pubsub is not open
  const { pubsub } = node.services
  const publish = pubsub.publish.bind(pubsub)
  let isOpen = false
  pubsub.publish = async (...args) => {
    if (isOpen) return await publish(...args)
    isOpen = true
    return { recipients: [] }
  }
  room.send('chat', 'too early')
  room.send('chat', 'in time')
  await Promise.all(['too early', 'in time'].map((heard) => page.when({ heard })))

  const bytes = randomBytes(2 * MIB)
  room.offer(new Blob([bytes]), { name: 'theirs.bin' })
  await page.when({ file: 'theirs.bin' })
  assert.equal((await page.call('fetch', 'theirs.bin')).sum, sha256(bytes))
  const sum = await page.call('offer', 'ours.bin', 2 * MIB)
  const offered = /** @type {any} */ (await file)
  await assert.rejects(offered.fetch({ to: new WritableStream({ write () { throw new Error('the disk is full') } }) }), /the disk is full/)
  const blob = /** @type {Blob} */ (await offered.fetch())
  assert.equal(sha256(Buffer.from(await blob.arrayBuffer())), sum)
  await room.leave()
  await page.when({ leave: room.self })
})

const session = Buffer.alloc(8, 1)
const hello = prefixed('hello', { session, nonce: Buffer.alloc(16) })

/** What a stranger writes on a stream of the room, and what becomes of the stream. @type {Array<[string, Uint8Array]>} */
const STREAMS = [
  ['a length of 2^49', Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 1)],
  ['a length that never ends', new Uint8Array(40).fill(128)],
  ['no hello', prefixed('say', { number: 1, action: 'chat', payload })],
  ['a hello that is too short', Uint8Array.of(3, 0, 1, 2)],
  ['garbage behind the hello', concat(hello, Uint8Array.of(4, 2, 1, 255, 255))],
  ['an action as long as a book', concat(hello, prefixed('say', { number: 1, action: 'x'.repeat(2000), payload }))],
  ['no JSON', concat(hello, prefixed('say', { number: 1, action: 'chat', payload: Uint8Array.of(1, 123) }))],
  ['a thousand numbers seen', concat(hello, prefixed('seen', { numbers: Array.from({ length: 1000 }, () => 1) }))],
  ['a file that nobody offers', prefixed('fetch', { file: Buffer.alloc(16), from: 0 })],
  ['a file from far behind its end', prefixed('fetch', { file: Buffer.alloc(16), from: 2 ** 50 })]
]

test('a stranger who knows what the room is called is refused, and does no harm', { timeout: 300_000 }, async (t) => {
  const relay = await world.relay(t)
  for (const password of [undefined, 'secret']) {
    const a = await enter(t, 'tea', { relays: [relay.addr], password })
    const node = await startJs(t)
    const topic = await a.page.evaluate(() => /** @type {any} */ (globalThis).room.topic)
    await dial(node, a.page)
    const { pubsub } = node.services
    pubsub.subscribe(topic)
    while (!pubsub.getSubscribers(topic).some((id) => String(id) === a.self)) await a.page.waitForTimeout(50)

    for (const [name, bytes] of STREAMS) {
      const stream = await node.getConnections()[0].newStream(topic)
      const over = new Promise((resolve) => {
        stream.addEventListener('close', resolve)
        stream.addEventListener('remoteCloseWrite', resolve)
      })
      stream.send(bytes)
      await Promise.race([over, new Promise((resolve, reject) => setTimeout(() => reject(new Error(`${name}: the stream goes on`)), PATIENCE_MS).unref())])
      stream.abort(new Error('done'))
    }
    // on the topic: nothing, noise, each frame cut short, and much of it
    const said = concat(session, writeFrame('say', { number: 1, action: 'chat', payload }))
    for (let at = 0; at < said.length; at++) await pubsub.publish(topic, said.subarray(0, at))
    await pubsub.publish(topic, concat(said, uvarint(7)).fill(255, 9, 11))
    for (let i = 0; i < 200; i++) await pubsub.publish(topic, randomBytes(200))
    await pubsub.publish(topic, concat(session, writeFrame('ask', { number: 3, action: 'throw', payload })))
    await pubsub.publish(topic, concat(session, writeFrame('offer', { number: 4, file: Buffer.alloc(16), size: 2 ** 50, name: 'huge', type: '', payload })))
    await pubsub.publish(topic, concat(session, writeFrame('say', { number: 5, action: 'unknown', payload })))

    const b = await enter(t, 'tea', { relays: [relay.addr], password })
    await Promise.all([a.when({ join: b.self }), b.when({ join: a.self })])
    await b.call('say', 'all is well')
    await a.when({ heard: 'all is well' })
    const strange = (await a.call('happened')).filter((one) => one.heard !== 'all is well' && one.join !== b.self)
    // in an open room anybody may say hello: a stream that ends then is somebody who leaves
    if (password === undefined) assert.ok(strange.every(({ join, leave }) => [join, leave].includes(String(node.peerId))), JSON.stringify(strange))
    else assert.deepEqual(strange, [])
  }
})

test('where WebCrypto is missing a password is refused with the reason', { timeout: 300_000 }, async (t) => {
  const page = await world.tab(t, '/pages/room.html', { script: 'Object.defineProperty(crypto, "subtle", { value: undefined })' })
  await page.waitForFunction('globalThis.here')
  const refused = (options) => page.evaluate((options) => /** @type {any} */ (globalThis).here.join('tea', options).catch(({ name, message }) => `${name}: ${message}`), options)
  assert.match(await refused({ relays: [], password: 'x' }), /^InsecureContextError: .*https/)
  assert.match(await refused({ relays: [], password: '' }), /^InvalidParametersError: the password is empty/)
  assert.match(await refused({}), /^InvalidParametersError: .*relays/)
  assert.match(await refused({ node: { services: {} } }), /^InvalidParametersError: .*gossipsub/)
})

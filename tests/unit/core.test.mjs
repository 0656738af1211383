// The seam to the module: its numbers, commands, events and faults; what keeps it from starting; options.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as k from '../../build/gen/numbers.js'
import { Core, setCoreSource } from '../../js-glue/core.js'
import {
  bootstrap, gossipsub, ping, pubsubPeerDiscovery, readOptions, webRTC, webSockets, webTransport
} from '../../js-glue/options.js'

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** A module with a memory and the given exports. @param {Record<string, Function>} exports */
function fakeModule (exports = {}) {
  const heap = new Uint8Array(4096)
  const place = (/** @type {Uint8Array} */ bytes) => {
    heap.set(bytes, 64)
    new Uint32Array(heap.buffer, 0, 2).set([64, bytes.length])
    return 0
  }
  /** @type {any} */
  const module = {
    HEAPU8: heap,
    die: (/** @type {any} */ err) => module.onTrap(err),
    calls: () => ({
      ask_error: (/** @type {number} */ code) => place(new TextEncoder().encode(code === -7 ? 'TIMEOUT TimeoutError took too long' : 'UNKNOWN Error unknown error')),
      inbox: (/** @type {number} */ len) => len > 1024 ? 0 : 128,
      app_flush: () => { module.flushes++ },
      ask_reason: () => place(new TextEncoder().encode(module.reason)),
      ...exports
    }),
    flushes: 0,
    reason: ''
  }
  return module
}

test('errors are those that C tells; numbers those of its headers', () => {
  const core = new Core(fakeModule())
  assert.deepEqual([k.DIALER, k.LISTENER, k.IDENTIFY, k.WEBSOCKET, k.STRICT_NO_SIGN, k.PAGE_ANY, k.APP_PAGE], [0, 1, 1, 16, 1, 4, 1])
  const err = core.error(-7)
  assert.deepEqual([err.name, err.code, err.message, err instanceof Error], ['TimeoutError', 'TIMEOUT', 'took too long', true])
  assert.equal(core.error(-7, 'nobody answered').message, 'nobody answered')
  assert.equal(core.error(-99).name, 'Error')
  assert.equal(core.error(-7).constructor, err.constructor)
})

test('a command gets its bytes, throws the reason, and is flushed once a turn', async () => {
  const module = fakeModule({ app_say: (/** @type {number} */ a, /** @type {number} */ b) => a === 0 ? -7 : a * 10 + b })
  const core = new Core(module)
  assert.equal(core.run(core.calls.app_say, ['äb', new Uint8Array([9])]), 31)
  assert.deepEqual([...module.HEAPU8.subarray(128, 132)], [0xc3, 0xa4, 0x62, 9])
  core.run(core.calls.app_say, ['c', ''])
  await turn()
  assert.equal(module.flushes, 1)
  module.reason = 'what was wrong and what to do'
  assert.throws(() => core.run(core.calls.app_say, [''], 0), { name: 'TimeoutError', message: module.reason })
  assert.throws(() => core.run(core.calls.app_say, [new Uint8Array(2000)], 0), { name: 'InvalidDataLengthError' })
  for (const piece of [undefined, null, 7, {}, new ArrayBuffer(1)]) {
    assert.throws(() => core.run(core.calls.app_say, ['a', /** @type {any} */ (piece)]), { name: 'InvalidParametersError', message: /is neither text nor a Uint8Array/ })
  }
})

test('events are told after the call that brought them, and one bad listener costs no other', async () => {
  const module = fakeModule()
  const core = new Core(module)
  /** @type {any[]} */
  const heard = []
  /** @type {any[]} */
  const reported = []
  globalThis.reportError = (err) => reported.push(err.message)
  core.listen({ [k.PINGED]: ({ id, code, text, data, limitBytes }) => { heard.push([id, code, text, [...data], limitBytes]); if (id === 1) throw new Error('mine') } })
  const put = (/** @type {number} */ id) => {
    module.HEAPU8.set([104, 105, 1, 2, 3], 1024)
    new Uint32Array(module.HEAPU8.buffer, 512, 20).set([k.PINGED, id, 0, 0, -7 >>> 0, 0, 1, 1, 0, 0, 1024, 2, 1026, 3])
    module.onEvent(512)
    module.HEAPU8.fill(0)
  }
  put(1)
  put(2)
  assert.equal(heard.length, 0)
  await turn()
  assert.deepEqual(heard, [[1, -7, 'hi', [1, 2, 3], 4294967297], [2, -7, 'hi', [1, 2, 3], 4294967297]])
  assert.deepEqual(reported, ['mine'])
})

test('a trap is told once, and every call after it says so', async () => {
  const module = fakeModule({ app_ping: () => { throw new WebAssembly.RuntimeError('unreachable') } })
  const core = new Core(module)
  /** @type {Error[]} */
  const told = []
  core.onTrap = (err) => told.push(err)
  for (let i = 0; i < 2; i++) assert.throws(() => core.run(core.calls.app_ping, [], 1), { name: 'WebAssemblyError', code: 'TRAP', message: /unreachable.*createLibp2p/ })
  assert.throws(() => core.calls.app_flush(), { code: 'TRAP' })
  core.flushSoon()
  await turn()
  assert.equal(told.length, 1)
  assert.equal(module.flushes, 0)
})

test('what keeps the module from starting is said in words', async () => {
  const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
  /** @type {Array<[any, RegExp]>} */
  const rows = [
    [{ factory: async () => {}, wasm: async () => Uint8Array.of(1, 2, 3) }, /does not understand the module/],
    [{ factory: async () => {}, wasm: async () => { throw new TypeError('fetch failed') } }, /fetch failed/],
    [{ factory: async () => { throw new Error("Refused to compile: 'unsafe-eval' is not allowed") }, wasm: async () => empty }, /Content-Security-Policy.*'wasm-unsafe-eval'/]
  ]
  for (const [source, words] of rows) {
    setCoreSource(source)
    await assert.rejects(Core.create({}), { name: 'WebAssemblyError', message: words })
  }
  const { WebAssembly: kept } = globalThis
  Object.assign(globalThis, { WebAssembly: undefined })
  await assert.rejects(Core.create({}), { name: 'WebAssemblyError', message: /no WebAssembly/ }).finally(() => Object.assign(globalThis, { WebAssembly: kept }))
})

test('options: everything, or what js-libp2p would do', () => {
  const all = readOptions({})
  assert.equal(all.numbers[k.APP_SERVICES], k.ALL)
  assert.deepEqual(all.listen.map(String), ['/p2p-circuit', '/webrtc'])
  assert.deepEqual(all.discovery, [{ topic: '_peer-discovery._p2p._pubsub', interval: 0, listenOnly: false }])
  assert.equal(all.rtcConfiguration.iceServers[0].urls.length, 4)

  const some = readOptions({
    transports: [webSockets(), webTransport(), webRTC({ rtcConfiguration: { iceServers: [] } })],
    peerDiscovery: [bootstrap({ list: ['/ws', '/wss'] }), pubsubPeerDiscovery({ topics: ['x', 'y'], interval: 5, listenOnly: true })],
    services: { chat: gossipsub({ D: 3, globalSignaturePolicy: 'StrictNoSign' }), own: () => 'mine' },
    connectionManager: { maxConnections: 9 },
    nodeInfo: { name: 'app', version: '1.2.3' }
  })
  assert.equal(some.numbers[k.APP_SERVICES], k.WEBSOCKET | k.WEBTRANSPORT | k.WEBRTC | k.PUBSUB)
  assert.deepEqual([some.listen, some.bootstrap.map(String), some.agent], [[], ['/ws', '/wss'], 'app/1.2.3'])
  assert.deepEqual(some.discovery.map(({ topic, interval }) => [topic, interval]), [['x', 5], ['y', 5]])
  assert.deepEqual(some.rtcConfiguration, { iceServers: [] })
  assert.deepEqual([k.APP_D, k.APP_SIGNING, k.APP_MESSAGE_ID, k.APP_MAX_CONNECTIONS].map((at) => some.numbers[at]), [4, k.STRICT_NO_SIGN, k.ID_SHA256, 9])

  const { numbers } = readOptions({ services: { pubsub: gossipsub({ msgIdFn: async () => new Uint8Array(1), heartbeatInterval: 700, directConnectTicks: 2, maxInboundDataLength: 99 }) } })
  assert.deepEqual([k.APP_MESSAGE_ID, k.APP_EXPLICIT_MS, k.APP_OPPORTUNISTIC_MS, k.APP_LONGEST_RPC].map((at) => Number(numbers[at])), [k.ID_GIVEN, 1401, 0, 100])
})

test('numbers of gossipsub are what was given, also 0; parts of a second and of a percent are rounded up', () => {
  const rows = /** @type {Array<[object, Record<string, number>]>} */ ([
    [{}, { D: 0, D_LOW: 0, PRUNE_BACKOFF_S: 0, GOSSIP_PERCENT: 0 }],
    [{ D: undefined, Dlo: null, pruneBackoff: undefined }, { D: 0, D_LOW: 0, PRUNE_BACKOFF_S: 0 }],
    [{ D: 0, Dlo: 0, Dhi: 0, Dout: 0, Dlazy: 0, prunePeers: 0, idontwantMinDataSize: 0 }, { D: 1, D_LOW: 1, D_HIGH: 1, D_OUT: 1, D_LAZY: 1, PX_PEERS: 1, IDONTWANT_BYTES: 1 }],
    [{ pruneBackoff: 500, unsubcribeBackoff: 0 }, { PRUNE_BACKOFF_S: 2, UNSUBSCRIBE_BACKOFF_S: 1 }],
    [{ pruneBackoff: 60_000, unsubcribeBackoff: 10_001 }, { PRUNE_BACKOFF_S: 61, UNSUBSCRIBE_BACKOFF_S: 12 }],
    [{ gossipFactor: 0.29, opportunisticGraftTicks: 7 }, { GOSSIP_PERCENT: 30, OPPORTUNISTIC_MS: 7001 }],
    [{ gossipFactor: 0.07, heartbeatInterval: 300, directConnectTicks: 0 }, { GOSSIP_PERCENT: 8, EXPLICIT_MS: 1 }],
    [{ seenTTL: Infinity, fanoutTTL: 1e12 }, { SEEN_TTL_MS: 2 ** 32 - 1, FANOUT_TTL_MS: 2 ** 32 - 1 }]
  ])
  for (const [given, expected] of rows) {
    const { numbers } = readOptions({ services: { pubsub: gossipsub(given) } })
    for (const [name, number] of Object.entries(expected)) assert.equal(numbers[/** @type {any} */ (k)[`APP_${name}`]], number, name)
  }
})

test('options that cannot be met are refused by name', () => {
  /** @type {Array<[any, RegExp]>} */
  const rows = [
    [{ datastore: {} }, /"datastore"/],
    [{ addresses: { announce: ['/webrtc'] } }, /addresses.*"announce"/],
    [{ connectionGater: { denyDialPeer: () => true } }, /"denyDialPeer"/],
    [{ connectionManager: { deny: ['/ip4/1.2.3.4'] } }, /"deny"/],
    [{ services: { pubsub: gossipsub({ msgIdToStrFn: () => '' }) } }, /"msgIdToStrFn"/],
    [{ services: { pubsub: gossipsub({ messageId: 'mine' }) } }, /"messageId"/],
    [{ services: { pubsub: gossipsub({ Dlazy: -1 }) } }, /"Dlazy" cannot be -1/],
    [{ services: { pubsub: gossipsub({ fanoutTTL: 'long' }) } }, /"fanoutTTL" cannot be long/],
    [{ services: { pubsub: gossipsub({ heartbeatInterval: 0 }) } }, /"heartbeatInterval" cannot be 0/],
    [{ services: { pubsub: gossipsub({ seenTTL: 0 }) } }, /"seenTTL" cannot be 0/],
    [{ services: { one: gossipsub(), two: gossipsub() } }, /gossipsub\(\) is there twice/],
    [{ transports: [() => ({})] }, /transports.*from "peerlet"/],
    [{ transports: [ping()] }, /transports.*ping/],
    [{ peerDiscovery: [webSockets()] }, /peerDiscovery.*webSockets/]
  ]
  for (const [options, words] of rows) assert.throws(() => readOptions(options), { name: 'InvalidParametersError', message: words })
  assert.throws(() => readOptions({ privateKey: /** @type {any} */ ({ raw: new Uint8Array(32) }) }), { name: 'InvalidPrivateKeyError' })
  readOptions(/** @type {any} */ ({ addresses: { announce: [] }, datastore: undefined, connectionMonitor: { enabled: false } }))
})

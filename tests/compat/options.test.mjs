// Every option that js-libp2p has works, or is harmless for a reason that docs/from-js-libp2p.md gives, or is refused.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import '../interop/peerlet.mjs'
import * as compat from '../../js-glue/compat/index.js'
import { check, DEFAULTS, HARMLESS, WORKS } from '../../js-glue/compat/options.js'

const root = (/** @type {string} */ name) => fileURLToPath(new URL(`../../${name}`, import.meta.url))
const TREES = ['node_modules', 'tests/compat/v2/node_modules'].map(root).filter(existsSync)

/** Where the options of each are declared, in js-libp2p 3 or 2. */
const DECLARED = {
  createLibp2p: [['libp2p', 'Libp2pInit'], ['libp2p', 'Libp2pOptions']],
  addresses: [['libp2p', 'AddressManagerInit']],
  connectionGater: [['@libp2p/interface', 'ConnectionGater']],
  connectionManager: [['libp2p', 'ConnectionManagerInit']],
  connectionMonitor: [['libp2p', 'ConnectionMonitorInit']],
  nodeInfo: [['@libp2p/interface', 'NodeInfo']],
  transportManager: [['libp2p', 'TransportManagerInit']],
  bootstrap: [['@libp2p/bootstrap', 'BootstrapInit']],
  circuitRelayTransport: [['@libp2p/circuit-relay-v2', 'CircuitRelayTransportInit'], ['@libp2p/circuit-relay-v2', 'TransportReservationStoreInit']],
  gossipsub: [['@libp2p/gossipsub', 'GossipsubOpts'], ['@libp2p/gossipsub', 'GossipsubOptsSpec'], ['@chainsafe/libp2p-gossipsub', 'GossipsubOpts'], ['@chainsafe/libp2p-gossipsub', 'GossipsubOptsSpec']],
  publish: [['@libp2p/gossipsub', 'PublishOpts'], ['@chainsafe/libp2p-gossipsub', 'PublishOpts']],
  identify: [['@libp2p/identify', 'IdentifyInit']],
  identifyPush: [['@libp2p/identify', 'IdentifyInit'], ['@libp2p/identify', 'IdentifyPushInit']],
  noise: [['@libp2p/noise', 'NoiseInit']],
  ping: [['@libp2p/ping', 'PingInit']],
  pubsubPeerDiscovery: [['@libp2p/pubsub-peer-discovery', 'PubsubPeerDiscoveryInit']],
  webRTC: [['@libp2p/webrtc', 'WebRTCTransportInit']],
  webRTCDirect: [['@libp2p/webrtc', 'WebRTCTransportDirectInit']],
  webSockets: [['@libp2p/websockets', 'WebSocketsInit']],
  webTransport: [['@libp2p/webtransport', 'WebTransportInit']],
  yamux: [['@libp2p/yamux', 'Config'], ['@libp2p/interface', 'StreamMuxerOptions'], ['@chainsafe/libp2p-yamux', 'Config']]
}

/** The names that a package's declarations give an interface. */
function declared (tree, name, shape) {
  const names = []
  const visit = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const file = path.join(folder, entry.name)
      if (entry.isDirectory()) visit(file)
      if (!file.endsWith('.d.ts')) continue
      const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')
      for (const [, body] of text.matchAll(new RegExp(`export (?:interface|type) ${shape}\\b[^{;]*\\{([\\s\\S]*?)\\n\\}`, 'g'))) {
        names.push(...[...body.matchAll(/^ {4}(?:readonly )?(\w+)\??[:(]/gm)].map((match) => match[1]))
      }
    }
  }
  const folder = path.join(tree, name, 'dist/src')
  if (existsSync(folder)) visit(folder)
  return names
}

const doc = readFileSync(root('docs/from-js-libp2p.md'), 'utf8')
const works = (where) => (WORKS[where] ?? '').split(' ').filter(Boolean)
const factories = Object.keys(DECLARED).filter((where) => compat[where] !== undefined && where !== 'createLibp2p')

for (const [where, shapes] of Object.entries(DECLARED)) {
  test(`options of ${where}`, () => {
    const names = [...new Set(TREES.flatMap((tree) => shapes.flatMap(([name, shape]) => declared(tree, name, shape))))]
    assert.ok(names.length > 0, 'the declarations are not where they were')
    const [harmless, own] = [Object.keys(HARMLESS[where] ?? {}), works(where)]
    assert.deepEqual(harmless.filter((name) => own.includes(name)), [])
    const refused = names.filter((name) => ![...harmless, ...own].includes(name))
    for (const name of [...refused, 'nonsense']) {
      assert.throws(() => check(where, { [name]: 'x' }), (err) => err instanceof compat.InvalidParametersError && /** @type {any} */ (err).option === name && err.message.includes(`"${name}"`))
      if (factories.includes(where)) assert.throws(() => compat[where]({ [name]: 'x' }), /** @type {any} */ ({ name: 'InvalidParametersError', option: name }))
      if (DEFAULTS[where]?.[name] !== undefined) assert.equal(check(where, { [name]: DEFAULTS[where][name] }), undefined)
    }
    for (const name of refused) assert.ok(doc.includes(`\`${where}.${name}\``), `the document names ${where}.${name}`)
    for (const [name, why] of Object.entries(HARMLESS[where] ?? {})) {
      assert.ok(doc.includes(`| \`${where}.${name}\` | ${why} |`), `the document says why ${where}.${name} is harmless`)
      assert.equal(check(where, { [name]: 'x' }), undefined)
    }
    for (const name of own) assert.equal(check(where, { [name]: 'x' }), undefined)
  })
}

for (const where of ['addresses', 'connectionGater', 'connectionManager', 'connectionMonitor', 'nodeInfo', 'transportManager']) {
  test(`createLibp2p looks into ${where}`, async () => {
    await assert.rejects(compat.createLibp2p({ [where]: { nonsense: 1 } }), /** @type {any} */ ({ name: 'InvalidParametersError', option: 'nonsense' }))
  })
}

test('what only one value can be given for', async () => {
  assert.equal(compat.webSockets({ filter: compat.all }).part, 'webSockets')
  for (const filter of [compat.wss, compat.dnsWss, compat.dnsWsOrWss, () => []]) assert.throws(() => compat.webSockets({ filter }), /** @type {any} */ ({ option: 'filter', message: /denyDialMultiaddr/ }))
  await assert.rejects(compat.createLibp2p({ connectionManager: { resolvers: { dnsaddr: () => {} } } }), /** @type {any} */ ({ option: 'resolvers' }))
  const node = await compat.createLibp2p({ start: false, transports: [], connectionManager: { resolvers: { dnsaddr: compat.dnsaddrResolver } } })
  assert.equal(node.status, 'stopped')
})

test('what a page cannot do says what to do instead', () => {
  for (const what of [compat.circuitRelayServer, compat.dnsOverHttps, compat.keyStretcher, compat.generateEphemeralKeyPair]) {
    assert.throws(what, { name: 'UnsupportedOperationError', message: /Peerlet has no .*: \w/ })
  }
})

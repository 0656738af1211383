// What applications give to createLibp2p as functions of the components, besides services; and peers that are kept.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import '../interop/peerlet.mjs'
import * as compat from '../../js-glue/compat/index.js'
import { startPeerFor } from '../interop/start-peer.mjs'
import { next, until } from './transcript.mjs'

const PEER = fileURLToPath(new URL('peer.mjs', import.meta.url))
const SOMEBODY = compat.peerIdFromString('12D3KooWRawPbxPtP1eZaJpumGnyWX2DcUyd3RQnydr3eAto4Az7')

/** @param {any} t @param {Record<string, any>} [options] @returns {Promise<any>} */
async function makeNode (t, options = {}) {
  const node = await compat.createLibp2p({
    transports: [compat.webSockets()],
    connectionGater: { denyDialMultiaddr: () => false },
    services: { identify: compat.identify(), ping: compat.ping() },
    ...options
  })
  t.after(() => node.stop())
  return node
}

test('routers and discovery of the application\'s own', { timeout: 90_000 }, async (t) => {
  const where = { id: SOMEBODY, multiaddrs: [compat.multiaddr('/ip4/192.0.2.1/tcp/1/ws')] }
  const log = []
  class Discovery extends compat.TypedEventEmitter {
    constructor (components) {
      super()
      log.push(typeof components.peerStore.merge)
    }

    start () { log.push('start') }
    stop () { log.push('stop') }
  }
  let discovery = /** @type {any} */ (undefined)
  const node = await makeNode(t, {
    peerDiscovery: [(components) => (discovery = new Discovery(components))],
    peerRouters: [() => ({ findPeer: async () => where, async * getClosestPeers () {} })],
    contentRouters: [() => ({ provide: async () => {}, async * findProviders () { yield where } })]
  })
  const found = next(node, 'peer:discovery')
  discovery.safeDispatchEvent('peer', { detail: where })
  assert.equal((await found).id, SOMEBODY)
  assert.deepEqual((await node.peerStore.get(SOMEBODY)).addresses.map(({ multiaddr }) => String(multiaddr)), ['/ip4/192.0.2.1/tcp/1/ws'])
  assert.equal((await node.peerRouting.findPeer(SOMEBODY)).id, SOMEBODY)
  for await (const provider of node.contentRouting.findProviders(SOMEBODY.toCID())) assert.equal(provider.id, SOMEBODY)
  await node.stop()
  assert.deepEqual(log, ['function', 'start', 'stop'])
})

test('a peer with a keep-alive tag is dialled again, and given up in the end', { timeout: 120_000 }, async (t) => {
  const peer = await startPeerFor(t, PEER)
  const node = await makeNode(t, { connectionManager: { reconnectRetries: 1, reconnectRetryInterval: 50 } })
  const { remotePeer } = await node.dial(peer.addr)
  await node.peerStore.merge(remotePeer, { multiaddrs: [compat.multiaddr(peer.addr)], tags: { [`${compat.KEEP_ALIVE}-mine`]: { value: 1 } } })
  const back = next(node, 'peer:connect')
  await node.hangUp(remotePeer)
  assert.ok((await back).equals(remotePeer))
  const failure = next(node, 'peer:reconnect-failure')
  await peer.kill()
  await node.hangUp(remotePeer)
  assert.ok(remotePeer.equals(await failure))
  assert.ok(await until(async () => (await node.peerStore.get(remotePeer)).tags.size === 0))
})

test('a ping has the time that was set for it', { timeout: 90_000 }, async (t) => {
  const peer = await startPeerFor(t, PEER)
  const node = await makeNode(t, { services: { identify: compat.identify(), ping: compat.ping({ timeout: 100 }) } })
  const connection = await node.dial(peer.addr)
  peer.freeze()
  try {
    await assert.rejects(node.services.ping.ping(connection.remotePeer), { name: 'TimeoutError' })
  } finally {
    peer.thaw()
  }
})

test('what identify is told to call us, and a logger of the application\'s own', { timeout: 90_000 }, async (t) => {
  const lines = []
  const logger = { forComponent: (name) => Object.assign((...what) => lines.push([name, ...what]), { error () {}, trace () {}, enabled: true, newScope: () => logger.forComponent(name) }) }
  const node = await makeNode(t, {
    logger,
    services: { identify: compat.identify({ agentVersion: 'mine/1' }), mine: ({ logger }) => { logger.forComponent('mine')('hello') } }
  })
  assert.equal(node.logger, logger)
  assert.deepEqual(lines, [['mine', 'hello']])
  const other = await makeNode(t)
  assert.notEqual(other.logger, logger)
})

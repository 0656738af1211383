// What `peerlet` itself tells, and when: over a real peer, without the layer for js-libp2p's applications.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { bootstrap, createLibp2p, gossipsub, identify, peerIdFromString, webSockets } from '../interop/peerlet.mjs'
import { startPeerFor } from '../interop/start-peer.mjs'
import { next } from './transcript.mjs'

const PEER = fileURLToPath(new URL('peer.mjs', import.meta.url))
const NOBODY = '/ip4/127.0.0.1/tcp/1/ws/p2p/12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq'

/** @param {any} t @param {any} [options] @returns {Promise<any>} */
async function makeNode (t, options) {
  const node = await createLibp2p({ transports: [webSockets()], connectionGater: { denyDialMultiaddr: () => false }, services: { identify: identify(), pubsub: gossipsub() }, ...options })
  t.after(() => node.stop())
  return node
}

test('whoever begins to listen when the node is there hears of the peers it began with, once', { timeout: 120_000 }, async (t) => {
  const node = await makeNode(t, { peerDiscovery: [bootstrap({ list: [NOBODY] })] })
  await new Promise((resolve) => setTimeout(resolve, 50))
  const heard = []
  node.addEventListener('peer:discovery', ({ detail }) => heard.push([detail.id, ...detail.multiaddrs].map(String)))
  node.addEventListener('peer:discovery', ({ detail }) => heard.push(String(detail.id)))
  await new Promise((resolve) => setTimeout(resolve, 50))
  const id = NOBODY.slice(NOBODY.indexOf('12D3'))
  assert.deepEqual(heard, [[id, '/ip4/127.0.0.1/tcp/1/ws'], id])
})

test('what a node answers is said at once, before it is told to others', async (t) => {
  const node = await makeNode(t)
  assert.ok(node.getProtocols().includes('/ipfs/id/1.0.0'))
  await node.handle('/mine/1', () => {})
  assert.ok(node.getProtocols().includes('/mine/1'))
  await node.unhandle('/mine/1')
  assert.ok(!node.getProtocols().includes('/mine/1'))
  await next(node, 'self:peer:update', ({ peer }) => peer.protocols.length > 0)
  const told = next(node, 'self:peer:update')
  await node.handle('/mine/2', () => {})
  const { peer, previous } = await told
  assert.deepEqual(peer.protocols.filter((/** @type {string} */ one) => !previous.protocols.includes(one)), ['/mine/2'])
})

test('peer:update has what was known before', { timeout: 120_000 }, async (t) => {
  const host = await startPeerFor(t, PEER)
  const node = await makeNode(t)
  const updates = []
  node.addEventListener('peer:update', ({ detail }) => updates.push(detail))
  const id = peerIdFromString(host.peerId)
  await node.peerStore.merge(id, { multiaddrs: [host.addr], tags: { mine: { value: 1 } } })
  const { connection } = await node.dial(id).then((/** @type {any} */ connection) => node.services.identify.identify(connection))
  assert.equal(String(connection.remotePeer), host.peerId)
  assert.deepEqual(updates.map(({ peer, previous }) => [peer.protocols.length > 0, peer.tags.size, previous?.protocols.length, previous?.tags.size]), [[false, 1, undefined, undefined], [true, 1, 0, 1]])
})

test('dials are told step by step', { timeout: 120_000 }, async (t) => {
  const host = await startPeerFor(t, PEER)
  const node = await makeNode(t)
  /** @type {any[]} */
  const steps = []
  node.addEventListener('dial', ({ detail }) => steps.push(detail))
  const connection = await node.dial([NOBODY.replace(/\/p2p\/.*/, `/p2p/${host.peerId}`), host.addr])
  assert.deepEqual([steps[0].status, steps[0].multiaddrs.length, String(steps[0].peerId), steps[0].text], ['active', 2, host.peerId, undefined])
  assert.ok(steps.every(({ id }) => id === steps[0].id))
  assert.deepEqual([steps.at(-1).status, steps.at(-1).connection === connection], ['success', true])
  steps.length = 0
  const error = await node.dial(NOBODY).catch((/** @type {any} */ err) => err)
  assert.deepEqual(steps.map(({ status }) => status), ['active', 'active', 'error'])
  assert.match(steps[1].text, /no WebSocket answers/)
  assert.equal(steps[2].error, error)
  assert.deepEqual(node.getDialQueue(), [])
})

test('a node that has stopped keeps no process alive', { timeout: 120_000 }, async () => {
  const program = `
    import { createLibp2p, gossipsub, multiaddr, webSockets } from '${new URL('../interop/peerlet.mjs', import.meta.url)}'
    const directPeers = [{ id: '${NOBODY.slice(-52)}', addrs: [multiaddr('${NOBODY}')] }] // they are dialled again after five minutes
    const node = await createLibp2p({ transports: [webSockets()], services: { pubsub: gossipsub({ directPeers }) } })
    await new Promise((resolve) => setTimeout(resolve, 100))
    await node.stop()
    console.log('stopped')`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { timeout: 60_000 })
  assert.equal(stdout, 'stopped\n')
})

test('what is left out is named', async (t) => {
  const node = await makeNode(t)
  await assert.rejects(node.services.pubsub.publish(), { name: 'InvalidParametersError', message: /undefined is neither text nor a Uint8Array/ })
  await assert.rejects(node.services.pubsub.publish('topic', 7), { name: 'InvalidParametersError', message: /^7 is neither/ })
  await assert.rejects(node.handle(undefined, () => {}), { name: 'InvalidParametersError' })
  assert.throws(() => node.services.pubsub.subscribe(), { name: 'InvalidParametersError' })
})

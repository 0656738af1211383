// A page in Chromium that bootstraps from a /dnsaddr name, and races addresses. The resolver is one of the
// tests.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { startDoh } from '../interop/doh.mjs'
import { startPeerFor } from '../interop/start-peer.mjs'
import { PATIENCE_MS, openWorld } from './harness.mjs'

const world = openWorld()
const TOPIC = 'chat'

test('pages meet through the relays behind a name, of which one is dead', { timeout: 300_000 }, async (t) => {
  const [dead, good] = await Promise.all([1, 2].map(() => startPeerFor(t, 'js', { RELAY_TOPICS: TOPIC })))
  await dead.kill()
  const { url, asked } = await startDoh(t, {
    '_dnsaddr.relays.example': [`dnsaddr=${dead.addr}`, 'dnsaddr=/dnsaddr/eu.relays.example'],
    '_dnsaddr.eu.relays.example': [`dnsaddr=${good.addr}`]
  })
  const options = { relay: '/dnsaddr/relays.example', dohs: [url], topics: [TOPIC], discovery: TOPIC }
  const [a, b] = await Promise.all([1, 2].map(() => world.peer(t, 'peerlet', options)))
  for (const page of [a, b]) await page.call('whenReservedAt', good.peerId, PATIENCE_MS)
  for (const [from, to] of [[a, b], [b, a]]) await from.call('whenDirect', to.id, PATIENCE_MS)
  assert.ok(asked.every((line) => line.startsWith('application/dns-json TXT _dnsaddr.')), asked.join())

  await dead.restart()
  await a.call('whenReservedAt', dead.peerId, PATIENCE_MS)
})

test('a page of js-libp2p reads the same name with the same options', { timeout: 300_000 }, async (t) => {
  const relay = await startPeerFor(t, 'js', { RELAY_TOPICS: TOPIC })
  const { url } = await startDoh(t, { '_dnsaddr.relays.example': [`dnsaddr=${relay.addr}`] })
  for (const impl of ['peerlet', 'js-libp2p']) {
    const page = await world.peer(t, impl, { dohs: [url], topics: [] })
    assert.equal(await page.call('dial', `/dnsaddr/relays.example/p2p/${relay.peerId}`), relay.peerId)
  }
})

test('a resolver that cannot be reached, or may not: the page is told, and what can be done', { timeout: 300_000 }, async (t) => {
  const page = await world.peer(t, 'peerlet', { dohs: ['http://127.0.0.1:1/dns-query'], topics: [] })
  await assert.rejects(page.call('dial', '/dnsaddr/relays.example'), /DNSQueryFailedError: .*no resolver answers.*Failed to fetch/)
})

test('an address that takes the connection and says nothing holds up no other', { timeout: 300_000 }, async (t) => {
  const relay = await startPeerFor(t, 'js')
  const taken = new Set()
  const server = createServer((socket) => { taken.add(socket.on('error', () => {})) }).listen(0, '127.0.0.1')
  t.after(() => { server.close(); taken.forEach((socket) => socket.destroy()) })
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  const silent = `/ip4/127.0.0.1/tcp/${port}/ws/p2p/${relay.peerId}`

  const page = await world.peer(t, 'peerlet', { topics: [] })
  const asked = once(server, 'connection')
  assert.equal(await page.call('dial', `${silent}\n${relay.addr}`), relay.peerId)
  await asked
  assert.deepEqual(await page.call('progress'), [], 'an address was given up before the other was up')
  assert.deepEqual((await page.call('connections')).map(({ addr }) => addr), [relay.addr])
})

// A page that is given several relays, not all of them good.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { missing, startPeerFor } from '../interop/start-peer.mjs'
import { PATIENCE_MS, openWorld } from './harness.mjs'

const world = openWorld()
const NOBODY = '12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq'

/** Whose place is free again when its holder goes: js-libp2p keeps it until it expires. */
const ONE_PLACE = missing('go') === undefined ? 'go' : 'js'

/** Takes connections and says nothing. @param {import('node:test').TestContext} t */
async function startSilent (t) {
  const taken = new Set()
  const server = createServer((socket) => { taken.add(socket.on('error', () => {})) }).listen(0, '127.0.0.1')
  t.after(() => { server.close(); taken.forEach((socket) => socket.destroy()) })
  await once(server, 'listening')
  return `/ip4/127.0.0.1/tcp/${/** @type {import('node:net').AddressInfo} */ (server.address()).port}/ws/p2p/${NOBODY}`
}

test('of four relays one is dead, one full, one silent: the other is used at once, and each when it is there', { timeout: 300_000 }, async (t) => {
  const one = { RELAY_LIMITS: '{ "maxReservations": 1 }' }
  const [dead, full, good, silent] = await Promise.all([startPeerFor(t, 'js'), startPeerFor(t, ONE_PLACE, one), startPeerFor(t, 'js'), startSilent(t)])
  await dead.kill()
  const holder = await world.peer(t, 'peerlet', { relay: full.addr, topics: [] })
  await holder.call('whenReservedAt', full.peerId, PATIENCE_MS)

  const page = await world.peer(t, 'peerlet', { relay: [dead.addr, full.addr, silent, good.addr], topics: [] })
  await page.page.evaluate((id) => {
    const { node } = /** @type {any} */ (globalThis)
    node.addEventListener('relay:state', ({ detail: { relay, state } }) => { if (String(relay) === id && state === 'waiting') Object.assign(globalThis, { isGivenUp: true }) })
  }, NOBODY)
  await page.call('whenReservedAt', good.peerId, PATIENCE_MS)
  assert.equal(await page.page.evaluate('globalThis.isGivenUp'), undefined, 'the silent one was waited for, which takes half a minute')
  await page.call('whenRelay', full.peerId, 'waiting', PATIENCE_MS)
  assert.match((await page.call('whenRelay', full.peerId, 'waiting', PATIENCE_MS)).detail, /RESERVATION_REFUSED|RESOURCE_LIMIT_EXCEEDED/)
  assert.match((await page.call('whenRelay', dead.peerId, 'waiting', PATIENCE_MS)).detail, /no WebSocket answers at/)
  await page.call('whenRelay', NOBODY, 'connecting', PATIENCE_MS)

  await dead.restart()
  await page.call('whenReservedAt', dead.peerId, PATIENCE_MS)
  if (ONE_PLACE === 'go') {
    await holder.page.close()
    await page.call('whenReservedAt', full.peerId, PATIENCE_MS)
  }
  assert.ok((await page.call('addresses')).every((text) => !text.includes(NOBODY)))
})

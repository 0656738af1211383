// The end of a page, and of a connection: the other side is told, and has not to find out by silence.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openWorld } from './harness.mjs'

const TOPIC = 'chat'
const DISCOVERY = '_peer-discovery._p2p._pubsub'
const world = openWorld()

/**
 * Two pages that are directly connected; the first notes how its connections to the second end.
 *
 * @param {import('node:test').TestContext} t
 * @param {string} [impl] which the second is
 */
async function pair (t, impl = 'peerlet') {
  const relay = await world.relay(t)
  const options = { relay: relay.addr, topics: [TOPIC], discovery: DISCOVERY }
  const a = await world.peer(t, 'peerlet', options)
  const b = await world.peer(t, impl, options)
  await Promise.all([a.call('whenDirect', b.id, 30_000), b.call('whenDirect', a.id, 30_000)])
  await Promise.all([a.call('whenSubscribed', b.id, TOPIC, 10_000), b.call('whenSubscribed', a.id, TOPIC, 10_000)])
  await a.page.evaluate((id) => {
    const { node, peer } = /** @type {any} */ (globalThis)
    const ends = node.getConnections().filter((c) => String(c.remotePeer) === id && c.limits === undefined)
      .map((c) => new Promise((resolve) => c.addEventListener('close', ({ error }) => resolve(error?.message ?? 'closed'), { once: true })))
    Object.assign(globalThis, { ends: Promise.all(ends), peer })
  }, b.id)
  return { a, b, ends: () => a.page.evaluate('ends') }
}

const CLOSED = ['the peer closed the connection']

/** @type {Record<string, (b: any) => any>} */
const LEAVE = {
  'is left for another': (b) => b.page.goto(new URL('/web/icon.svg', world.origin).href),
  'is loaded again': (b) => b.page.reload(),
  'stops its node': (b) => b.page.evaluate('node.stop()')
}

for (const [how, leave] of Object.entries(LEAVE)) {
  test(`a page that ${how} says so`, { timeout: 60_000 }, async (t) => {
    const { b, ends } = await pair(t)
    await leave(b)
    assert.deepEqual(await ends(), CLOSED)
  })
}

test('js-libp2p that stops is understood', { timeout: 60_000 }, async (t) => {
  const { b, ends } = await pair(t, 'js-libp2p')
  await LEAVE['stops its node'](b)
  assert.deepEqual(await ends(), CLOSED)
})

// The end of a page, and of a connection: the other side is told, and has not to find out by silence.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PATIENCE_MS, firefoxMissing, openWorld } from './harness.mjs'

const TOPIC = 'chat'
const DISCOVERY = '_peer-discovery._p2p._pubsub'
const world = openWorld()

/**
 * Two pages that are directly connected; the first notes how its connections to the second end.
 *
 * @param {import('node:test').TestContext} t
 * @param {{ impl?: string, where?: string[], interval?: number }} [of] which the second is, in what browsers they are, and the ms between their announcements
 */
async function pair (t, { impl = 'peerlet', where = [], interval } = {}) {
  const relay = await world.relay(t)
  const options = { relay: relay.addr, topics: [TOPIC], discovery: DISCOVERY, interval }
  const a = await world.peer(t, 'peerlet', options, where[0])
  const b = await world.peer(t, impl, options, where[1])
  await Promise.all([a.call('whenDirect', b.id, PATIENCE_MS), b.call('whenDirect', a.id, PATIENCE_MS)])
  await Promise.all([a.call('whenSubscribed', b.id, TOPIC, PATIENCE_MS), b.call('whenSubscribed', a.id, TOPIC, PATIENCE_MS)])
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
  'is closed': (b) => b.page.close(),
  'is closed by its user': (b) => b.page.close({ runBeforeUnload: true }),
  'is left for another': (b) => b.page.goto(new URL('/web/icon.svg', world.origin).href),
  'is loaded again': (b) => b.page.reload(),
  'stops its node': (b) => b.page.evaluate('node.stop()')
}

for (const [how, leave] of Object.entries(LEAVE)) {
  test(`a page that ${how} says so`, { timeout: 300_000 }, async (t) => {
    const { b, ends } = await pair(t)
    await leave(b)
    assert.deepEqual(await ends(), CLOSED)
  })
}

test('js-libp2p that stops is understood', { timeout: 300_000 }, async (t) => {
  const { b, ends } = await pair(t, { impl: 'js-libp2p' })
  await LEAVE['stops its node'](b)
  assert.deepEqual(await ends(), CLOSED)
})

for (const where of [['chromium', 'firefox'], ['firefox', 'chromium']]) {
  test(`a page in ${where[1]} that is closed says so to ${where[0]}`, { timeout: 300_000, skip: firefoxMissing() ?? false }, async (t) => {
    const { b, ends } = await pair(t, { where })
    await b.page.close()
    assert.deepEqual(await ends(), CLOSED)
  })
}

test('a direct connection that was aborted is there again before the next announcement', { timeout: 300_000 }, async (t) => {
  const { a, b, ends } = await pair(t, { interval: 600_000 }) // none is due while this test lasts
  await a.page.waitForTimeout(10_500) // what was not there for so long is not called back at once
  await a.page.evaluate((id) => {
    const { node } = /** @type {any} */ (globalThis)
    const happened = Object.assign(globalThis, { happened: [] }).happened
    for (const type of ['peer:discovery', 'connection:open']) node.addEventListener(type, ({ detail }) => happened.push(type === 'peer:discovery' ? type : detail.direct))
    for (const c of node.getConnections()) if (String(c.remotePeer) === id) c.abort(new Error('cut'))
  }, b.id)
  assert.equal((await ends()).length, 1)
  await a.call('whenDirect', b.id, PATIENCE_MS)
  const happened = await a.page.evaluate('happened')
  assert.equal(happened[0], false) // the relayed one is not owed to an announcement; who is subscribed again may then announce itself
  assert.deepEqual(happened.filter((/** @type {any} */ what) => typeof what === 'boolean'), [false, true])
})

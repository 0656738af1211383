// build/web/devtools.mjs, dropped into a page under a strict Content-Security-Policy.
import assert from 'node:assert/strict'
import { mkdir, readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openWorld } from './harness.mjs'

const world = openWorld()
const SHOTS = fileURLToPath(new URL('../../build/tests/browser/shots/', import.meta.url))
const URL_OF_PAGE = '/pages/devtools.html'
const NOBODY = '/ip4/127.0.0.1/tcp/1/ws/p2p/12D3KooWQtCgYCZ7JZQoe7Ao6KP5CDMnmEiURqMoarfBgJwbnCPQ'

/** @param {import('node:test').TestContext} t @param {object} [look] of the profile */
async function open (t, look) {
  const page = await world.tab(t, URL_OF_PAGE, { profile: await world.profile(t, look) })
  await page.waitForFunction(() => /** @type {any} */ (globalThis).devtools !== undefined)
  return page
}

/** What listens to the node. @param {import('playwright-core').Page} page */
const listeners = (page) => page.evaluate(() => ['connection:open', 'relay:state', 'peer:identify', 'self:peer:update', 'dial'].map((type) => /** @type {any} */ (globalThis).node.listenerCount(type)))

test('it shows connections, relays, pubsub and dials, and saves a trace', { timeout: 300_000 }, async (t) => {
  const relay = await world.relay(t)
  const [page, other] = await Promise.all([open(t), open(t)])
  const before = await listeners(page)
  await page.evaluate(() => { document.body.append(/** @type {any} */ (globalThis).devtools(/** @type {any} */ (globalThis).node)) })
  const row = (/** @type {string} */ section, /** @type {string | RegExp} */ text) => page.locator(`peerlet-devtools .${section} .row`, { hasText: text }).first()
  const id = await other.evaluate(() => /** @type {any} */ (globalThis).room.self)

  await row('connections', 'WebSocket').waitFor()
  await page.locator('peerlet-devtools .connections .row', { has: page.locator(`.name[title="${id}"]`), hasText: 'WebRTC' }).first().waitFor()
  await row('connections', '/peerlet/room/1/tea').waitFor()
  await row('relays', 'reserved').waitFor()
  await row('addresses', '/p2p-circuit/webrtc').waitFor()
  await row('topics', '/peerlet/room/1/tea').locator(`.name[title="${id}"]`).waitFor()
  await page.locator('peerlet-devtools .memory', { hasText: /wasm .* of .* MiB/ }).waitFor()

  await page.locator('peerlet-devtools input').fill(NOBODY)
  await page.locator('peerlet-devtools input').press('Enter')
  await row('dials', 'failed').waitFor()
  assert.match(String(await row('dials', 'failed').textContent()), /\d+ ms.*no WebSocket answers at ws:\/\/127\.0\.0\.1:1/)
  await page.locator('peerlet-devtools input').fill(relay.addr)
  await page.locator('peerlet-devtools input').press('Enter')
  await row('dials', 'it answered a ping').waitFor()
  // those of the application are told step by step as well
  await page.evaluate((to) => { /** @type {any} */ (globalThis).node.dial(to).catch(() => {}) }, NOBODY.replace('/tcp/1/', '/tcp/2/'))
  await row('dials', /\/tcp\/2\/.*DialError/).waitFor()
  assert.match(String(await row('dials', '/tcp/2/').textContent()), /failed.*\d+ ms.*no WebSocket answers at ws:\/\/127\.0\.0\.1:2.*\d+ ms.*DialError/)
  const now = await page.evaluate(() => /** @type {any} */ (document.querySelector('peerlet-devtools')).trace())
  assert.ok(now.connections.some((/** @type {any} */ { peer, streams }) => peer === id && streams.some((/** @type {any} */ { protocol }) => protocol === '/peerlet/room/1/tea')))
  await page.evaluate((id) => /** @type {any} */ (globalThis).node.hangUp(id), id)
  await page.locator('peerlet-devtools .event', { hasText: 'connection:close' }).first().waitFor()

  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('peerlet-devtools .save').click()])
  const trace = JSON.parse(await readFile(await download.path(), 'utf8'))
  assert.equal(trace.version, 1)
  assert.equal(trace.self, await page.evaluate(() => /** @type {any} */ (globalThis).room.self))
  assert.ok(trace.connections.some((/** @type {any} */ { transport, streams }) => transport === 'WebSocket' && Array.isArray(streams)))
  assert.ok(trace.events.some((/** @type {any} */ { type }) => type === 'connection:close'))
  const stateOf = (/** @type {string} */ to) => trace.dials.find((/** @type {any} */ { target }) => target === to)?.state
  assert.deepEqual([NOBODY, relay.addr].map(stateOf), ['failed', 'connected'])
  assert.ok(trace.memory.used > 0)

  // closed, nothing of it is left running
  await page.locator('peerlet-devtools .toggle').click()
  assert.deepEqual(await listeners(page), before)
  const drawn = await page.evaluate(() => document.querySelector('peerlet-devtools')?.shadowRoot?.childElementCount)
  assert.equal(drawn, 1)
  await page.locator('peerlet-devtools .toggle').click()
  await row('connections', 'WebSocket').waitFor()
  await page.evaluate(() => document.querySelector('peerlet-devtools')?.remove())
  assert.deepEqual(await listeners(page), before)
  assert.deepEqual(await page.evaluate(() => /** @type {any} */ (globalThis).violations), [])
})

/** @type {Array<[string, object]>} */
const LOOKS = [
  ['light', { colorScheme: 'light', viewport: { width: 1200, height: 760 } }],
  ['dark', { colorScheme: 'dark', viewport: { width: 1200, height: 760 } }],
  ['narrow', { colorScheme: 'light', viewport: { width: 360, height: 760 } }]
]

test('it fits: light, dark, and 360 pixels', { timeout: 300_000 }, async (t) => {
  await world.relay(t)
  await mkdir(SHOTS, { recursive: true })
  const colours = new Set()
  for (const [name, look] of LOOKS) {
    const page = await open(t, look)
    await page.evaluate(() => {
      /** @type {any} */ (globalThis).defineDevtools()
      const element = /** @type {any} */ (document.createElement('peerlet-devtools'))
      element.toggleAttribute('floating')
      document.body.append(element)
      element.node = /** @type {any} */ (globalThis).node
    })
    await page.locator('peerlet-devtools .toggle').click()
    await page.locator('peerlet-devtools input').fill(NOBODY)
    await page.locator('peerlet-devtools input').press('Enter')
    await page.locator('peerlet-devtools .dials .row', { hasText: 'failed' }).waitFor()
    await page.locator('peerlet-devtools .relays .row', { hasText: 'reserved' }).waitFor()
    const { width, colour } = await page.evaluate(() => ({ width: document.documentElement.scrollWidth, colour: getComputedStyle(/** @type {Element} */ (document.querySelector('peerlet-devtools'))).backgroundColor }))
    assert.equal(width, /** @type {any} */ (look).viewport.width, `${name}: it is wider than the page`)
    colours.add(colour)
    await page.screenshot({ path: `${SHOTS}${name}.png` })
    assert.deepEqual(await page.evaluate(() => /** @type {any} */ (globalThis).violations), [])
  }
  assert.equal(colours.size, 2)
})

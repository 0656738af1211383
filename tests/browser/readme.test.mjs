// The page in README.md, taken from there: it has to work as it stands.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { openWorld } from './harness.mjs'

const world = openWorld()

test('the page of README.md', { timeout: 60_000 }, async (t) => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const relay = await world.relay(t)
  const html = (/```html\n(.*?)```/s.exec(readme)?.[1] ?? '')
    .replace(/\/ip4\/[^']+/, relay.addr)
    .replace('./peerlet.mjs', '/build/web/peerlet.mjs')
  assert.ok(html.includes(relay.addr) && html.includes('/build/web/peerlet.mjs'), 'README no longer shows what to put in')

  const pages = []
  for (let i = 0; i < 2; i++) {
    const page = await world.tab(t, '/peer.html?impl=nothing')
    const heard = page.waitForEvent('console', { predicate: (message) => /^12D3KooW\w+: hello$/.test(message.text()), timeout: 40_000 })
    await page.setContent(html)
    pages.push({ page, heard })
  }
  // published into the void until the other is there
  const [speaker, listener] = pages
  const speaking = setInterval(() => speaker.page.evaluate(() => document.documentElement.click()).catch(() => {}), 300)
  t.after(() => clearInterval(speaking))
  await listener.heard
  clearInterval(speaking)
  await listener.page.evaluate(() => document.documentElement.click())
  await speaker.heard
})

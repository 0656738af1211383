// What README.md tells a newcomer to do with its page and its errors, done as it stands.
import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { HELLO, openWorld } from './harness.mjs'

const world = openWorld()
const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')

test('the page of README.md', { timeout: 60_000 }, async (t) => {
  const relay = await world.relay(t)
  const html = readme.match(/```html\n(.*?)```/s)?.[1] ?? ''
  const filledIn = html.replace(/'\/ip4\/[^']+'/, `'${relay.addr}'`)
  assert.ok(filledIn.includes(relay.addr), 'README no longer shows where the relay goes')
  await mkdir(new URL('.', HELLO), { recursive: true })
  await writeFile(HELLO, filledIn)

  const speaker = await world.tab(t, '/build/web/hello.html')
  await speaker.waitForFunction('document.onclick')
  await speaker.click('html')
  await speaker.getByText('nobody is subscribed to the topic').waitFor()
  const listener = await world.tab(t, '/build/web/hello.html')
  await listener.waitForFunction('document.onclick')
  // said into the void until the other is there
  for (const [from, to] of [[speaker, listener], [listener, speaker]]) {
    const heard = to.getByText(/^12D3KooW\w+: hello$/m).waitFor()
    const speaking = setInterval(() => from.click('html').catch(() => {}), 300)
    t.after(() => clearInterval(speaking))
    await heard
    clearInterval(speaking)
    await from.getByText('hello to 1').first().waitFor()
  }
})

test('the errors of README.md', { timeout: 60_000 }, async (t) => {
  const said = [...readme.matchAll(/node\.dial\('(.*?)'\)\n *\/\/ (\w+): (.*)/g)]
  assert.ok(said.length > 0, 'README no longer shows errors')
  const page = await world.tab(t, '/peer.html?impl=peerlet')
  await page.waitForFunction('globalThis.peer')
  await page.evaluate('peer.start({ topics: [] })')
  for (const [, address, name, message] of said) {
    const err = await page.evaluate(`peer.dial(${JSON.stringify(address)}).catch(({ name, message }) => ({ name, message }))`)
    assert.deepEqual(err, { name, message })
  }
})

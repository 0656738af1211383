// The demo page, used as a person would.
import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { test } from 'node:test'
import { openWorld } from './harness.mjs'

const world = openWorld()

const status = (page, text) => page.locator('#status-text').getByText(text).waitFor()
const badge = (page, text) => page.locator('.peers .person .badge').getByText(text, { exact: true }).waitFor()

async function say (from, to, text) {
  await from.fill('#message', text)
  await from.press('#message', 'Enter')
  await from.locator('.message.mine .text').getByText(text, { exact: true }).waitFor()
  await to.locator('.message:not(.mine) .text').getByText(text, { exact: true }).waitFor()
}

/** Presses a button that says for a moment what has come of it, and returns that. */
async function pressed (button, press = () => button.click()) {
  await button.evaluate((shown) => {
    shown.said = new Promise((resolve) => new MutationObserver(() => resolve(shown.textContent)).observe(shown, { childList: true }))
  })
  await press()
  return await button.evaluate((shown) => shown.said)
}

async function twoTabs (t, path = '/', profile = undefined) {
  profile ??= await world.profile(t)
  const a = await world.tab(t, path, { profile })
  const b = await world.tab(t, path, { profile })
  for (const page of [a, b]) await status(page, 'Connected directly to 1 person.')
  for (const page of [a, b]) await page.locator('#room-people').getByText('you and 1 other').waitFor()
  return [a, b]
}

test('two tabs of one person find each other, chat, and outlive the relay', { timeout: 300_000 }, async (t) => {
  const relay = await world.relay(t)
  const [a, b] = await twoTabs(t)
  const ids = await Promise.all([a, b].map((page) => page.textContent('#peer-id')))
  assert.match(ids[0], /^12D3KooW\w{44}$/)
  assert.notEqual(ids[0], ids[1], 'two tabs share an identity')
  assert.equal(await b.textContent('#you-name'), ids[1].slice(-6))

  for (const page of [a, b]) {
    await badge(page, 'direct WebRTC')
    await page.locator('.peers .person .rtt').getByText(/^(< )?\d+ ms$/).waitFor()
    await page.locator('.peers .server').getByText('WebSocket').waitFor()
    await page.locator('#addresses').getByText('/p2p-circuit/webrtc/p2p/').first().waitFor()
  }
  await say(a, b, 'hello')
  await say(b, a, '<b>hello</b> & welcome')
  assert.equal(await a.locator('.message:not(.mine) .name').textContent(), ids[1].slice(-6))
  assert.match(await a.locator('.message:not(.mine) time').getAttribute('datetime'), /^\d{4}-\d\d-\d\dT/)

  await relay.kill()
  for (const page of [a, b]) await status(page, 'Reconnecting to the relay; still connected directly to 1 person.')
  await say(a, b, 'no relay')
  await say(b, a, 'no need')
  await relay.restart()
  for (const page of [a, b]) await status(page, 'Connected directly to 1 person.')
})

test('the identity stays with a profile', { timeout: 300_000 }, async (t) => {
  await world.relay(t)
  const profile = await world.profile(t)
  const page = await world.tab(t, '/', { profile })
  await status(page, 'Ready.')
  const id = await page.textContent('#peer-id')
  await page.reload()
  await status(page, 'Ready.')
  assert.equal(await page.textContent('#peer-id'), id)
})

test('a room is the hash of the URL', { timeout: 300_000 }, async (t) => {
  await world.relay(t)
  const [a, b] = await twoTabs(t, '/#Tea%20room')
  assert.equal(await a.textContent('#room-name'), 'tea-room')
  await say(a, b, 'in the tea room')

  await a.fill('#room-input', 'cellar')
  await a.press('#room-input', 'Enter')
  await a.locator('#room-name').getByText('cellar').waitFor()
  assert.equal(new URL(a.url()).hash, '#cellar')
  await b.locator('#room-people').getByText('only you').waitFor()
  await b.locator('.event').getByText('left').first().waitFor()
  await a.locator('#log-empty').waitFor()

  await a.fill('#message', 'echo?')
  await a.press('#message', 'Enter')
  await a.locator('.message .aside').getByText('waits for somebody to come').waitFor()

  await b.evaluate(() => { location.hash = '#cellar' })
  for (const page of [a, b]) await page.locator('#room-people').getByText('you and 1 other').waitFor()
  await b.locator('.message:not(.mine) .text').getByText('echo?').waitFor()
  await a.locator('.message .aside').getByText('seen', { exact: true }).waitFor()
  await say(b, a, 'here I am')
  await a.goBack()
  await a.locator('.message .text').getByText('in the tea room').waitFor()
})

test('a long message is not cut, and what comes while one reads further up is told', { timeout: 300_000 }, async (t) => {
  await world.relay(t)
  const [a, b] = await twoTabs(t)
  const height = (page, id) => page.locator(id).evaluate((shown) => shown.clientHeight)
  const line = await height(a, '#message')
  const tooLong = 'a line\n'.repeat(1000)
  await a.fill('#message', tooLong)
  assert.ok(await height(a, '#message') > 2 * line, 'the field does not grow with what is in it')
  await a.press('#message', 'Enter')
  await a.locator('#composer-note').getByText('Not sent: A message has at most 4000 characters, and this one 6999.').waitFor()
  assert.equal((await a.inputValue('#message')).trim(), tooLong.trim())
  await say(a, b, 'x'.repeat(4000))

  assert.equal(await b.isVisible('#newer'), false)
  await b.locator('#log-frame').evaluate((frame) => new Promise((resolve) => {
    frame.addEventListener('scroll', resolve, { once: true }) // before which the page does not know of it
    frame.scrollTop = 0
  }))
  await say(a, b, 'down here')
  await b.click('#newer')
  await b.locator('.message .text', { hasText: 'down here' }).evaluate((shown) => new Promise((resolve) => new IntersectionObserver(([{ isIntersecting }]) => { if (isIntersecting) resolve(true) }).observe(shown)))
  await b.locator('#newer').waitFor({ state: 'hidden' })
})

test('dialling by hand: what went wrong is said in words', { timeout: 300_000 }, async (t) => {
  const relay = await world.relay(t)
  const page = await world.tab(t, '/')
  await status(page, 'Ready.')
  const note = page.locator('#dial-note')
  const dial = async (text) => {
    await page.fill('#dial-input', text)
    await page.click('#dial-button')
    await page.locator('#dial-button:not([disabled])').waitFor()
    return await note.textContent()
  }
  const tcp = '/ip4/127.0.0.1/tcp/'
  const selected = () => page.evaluate(() => document.getSelection()?.toString())

  assert.match(await dial(`${tcp}99999/ws`), new RegExp(`at character ${tcp.length + 1}: .*99999`))
  assert.equal(await selected(), '99999/ws', 'the cursor is not where the fault is')
  assert.match(await dial('nonsense'), /at character 1\b/)
  assert.match(await dial('/ip4/1.2.3.4/smtp/25'), /at character 14: .*smtp/)
  assert.equal(await selected(), 'smtp/25')
  assert.match(await dial(`${tcp}1/ws/p2p/${relay.peerId.slice(0, -1)}0`), new RegExp(`at character ${`${tcp}1/ws/p2p/`.length + 1}\\b`))
  // well formed, but nothing a browser can reach
  assert.match(await dial(`/ip4/127.0.0.1/udp/1/quic-v1/p2p/${relay.peerId}`), /quic|transport|browser/i)
  // nobody listens there
  const refused = await dial(`${tcp}1/ws/p2p/12D3KooWQtCgYCZ7JZQoe7Ao6KP5CDMnmEiURqMoarfBgJwbnCPQ`)
  assert.match(refused, /127\.0\.0\.1/)
  assert.equal(await note.getAttribute('data-mood'), 'bad')
  // somebody else answers there
  assert.match(await dial(relay.addr.replace(relay.peerId, '12D3KooWQtCgYCZ7JZQoe7Ao6KP5CDMnmEiURqMoarfBgJwbnCPQ')), new RegExp(relay.peerId))
  assert.match(await dial(relay.addr), new RegExp(`Connected to ${relay.peerId.slice(-6)}`))
  assert.equal(await note.getAttribute('data-mood'), 'good')
})

test('a file of any size, whose fetching may be stopped, and who has seen what', { timeout: 300_000 }, async (t) => {
  await world.relay(t)
  const [a, b] = await twoTabs(t)
  for (const page of [a, b]) await badge(page, 'direct WebRTC')
  await say(a, b, 'look at this')
  await a.locator('.message.mine .aside').getByText('seen', { exact: true }).waitFor()
  await a.setInputFiles('#file-input', { name: 'long.bin', mimeType: 'video/mp4', buffer: Buffer.alloc(16 << 20, 7) })
  const fetching = b.locator('.file button', { hasText: /^Fetch · 16\sMiB$/ })
  await fetching.waitFor()
  // all of it may be here before a second click from outside of the page is
  await b.locator('.file button').evaluate((button) => new MutationObserver((_, watch) => {
    if (!/^\d+ %$/.test(button.textContent ?? '')) return
    watch.disconnect()
    button.click()
  }).observe(button, { childList: true }))
  await fetching.click()
  await b.locator('.file button', { hasText: 'Fetch' }).waitFor()
  assert.equal(await b.textContent('#composer-note'), '')
  const [download] = await Promise.all([b.waitForEvent('download'), b.locator('.file button', { hasText: 'Fetch' }).click()])
  assert.equal((await stat(await download.path())).size, 16 << 20)
  await a.locator('.message.mine .aside').getByText('fetched by 1 person').waitFor()
  assert.equal(await a.locator('.message.mine .aside').count(), 1, 'an older message says so, too')
})

test('a look inside, by the button and by the URL', { timeout: 300_000 }, async (t) => {
  await world.relay(t)
  const page = await world.tab(t, '/?devtools')
  const shown = page.locator('peerlet-devtools')
  await shown.locator('.relays .row', { hasText: 'reserved' }).waitFor()
  await shown.locator('.toggle').click()
  await shown.waitFor({ state: 'detached' })
  await page.click('#devtools')
  await shown.locator('.connections .row', { hasText: 'WebSocket' }).waitFor()
  await page.locator('#message').fill('there is room for both')
  await page.click('#devtools')
  await shown.waitFor({ state: 'detached' })
})

test('copying', { timeout: 300_000 }, async (t) => {
  await world.relay(t)
  const profile = await world.profile(t, { permissions: ['clipboard-read', 'clipboard-write'] })
  const page = await world.tab(t, '/', { profile })
  await status(page, 'Ready.')
  const copied = async (button) => {
    assert.equal(await pressed(button), 'Copied')
    return await page.evaluate(() => navigator.clipboard.readText())
  }
  assert.equal(await copied(page.locator('#copy-peer-id')), await page.textContent('#peer-id'))
  assert.equal(await copied(page.locator('#addresses button').first()), await page.locator('#addresses code').first().textContent())
  assert.equal(await copied(page.locator('#copy-link')), `${world.origin}/#lobby`)
})

test('where no direct way exists the relay carries the chat, and the page says so', { timeout: 300_000 }, async (t) => {
  await world.relay(t)
  const a = await world.tab(t, '/')
  const b = await world.tab(t, '/', { script: 'delete globalThis.RTCPeerConnection' })
  for (const page of [a, b]) {
    await status(page, 'Only relayed to 1 person; looking for a direct path.')
    await badge(page, 'relayed')
    await page.locator('#room-people').getByText('you and 1 other').waitFor()
  }
  await say(a, b, 'the long way')
  await say(b, a, 'and back')
})

test('without a relay the page asks for one', { timeout: 300_000 }, async (t) => {
  const page = await world.tab(t, '/')
  await status(page, 'No relay')
  await page.locator('#empty-text').getByText('A relay introduces people to each other').waitFor()
  await page.fill('#relay-input', '/ip4/127.0.0.1/nonsense')
  await page.press('#relay-input', 'Enter')
  await page.locator('#relay-note').getByText(/nonsense/).waitFor()

  const relay = await world.relay(t)
  await page.fill('#relay-input', relay.addr)
  await page.press('#relay-input', 'Enter')
  await status(page, 'Ready.')
  assert.equal(new URL(page.url()).searchParams.get('relay'), relay.addr)
})

/** @type {Array<[string, string, RegExp]>} */
const NO_RELAYS = [
  ['no address', 'nonsense', /at character 1: /],
  ['nobody in particular', '/ip4/127.0.0.1/tcp/1/ws', /Peer ID/],
  ['nothing a browser can reach', '/ip4/127.0.0.1/tcp/1/p2p/12D3KooWQtCgYCZ7JZQoe7Ao6KP5CDMnmEiURqMoarfBgJwbnCPQ', /WebSocket|browser/]
]

for (const [name, relay, words] of NO_RELAYS) {
  test(`a relay in the URL that is ${name}: the page says so and asks for another`, { timeout: 300_000 }, async (t) => {
    const page = await world.tab(t, '/')
    const id = await page.locator('#peer-id', { hasText: '12D3' }).textContent()
    await page.goto(`${world.origin}/?relay=${encodeURIComponent(relay)}`)
    await status(page, 'No relay')
    assert.equal(await page.textContent('#peer-id'), id, 'a start that failed keeps the key')
    assert.match(await page.textContent('#relay-note'), words)
    assert.equal(await page.inputValue('#relay-input'), relay)
  })
}

test('a relay that does not answer is named, and found when it is there', { timeout: 300_000 }, async (t) => {
  const relay = await world.relay(t)
  await relay.kill()
  const page = await world.tab(t, '/')
  await status(page, `The relay cannot be reached: no WebSocket answers at ws://127.0.0.1:${/tcp.(\d+)/.exec(relay.addr)?.[1]}/. Trying again…`)
  await relay.restart()
  await status(page, 'Ready.')
})

test('the second tab is one click away', { timeout: 300_000 }, async (t) => {
  await world.relay(t)
  const profile = await world.profile(t)
  const a = await world.tab(t, '/#tea', { profile })
  await status(a, 'Ready.')
  await a.locator('#empty-title').getByText('Nobody else is here yet').waitFor()
  const [b] = await Promise.all([profile.waitForEvent('page'), a.click('#second-tab')])
  assert.equal(new URL(b.url()).hash, '#tea')
  for (const page of [a, b]) await page.locator('.event', { hasText: 'came in' }).first().waitFor()
  await a.locator('#empty-title').getByText('Say hello').waitFor()
  for (const page of [a, b]) await badge(page, 'direct WebRTC')
  await b.close({ runBeforeUnload: true })
  await a.locator('.event', { hasText: 'left' }).last().waitFor()
  await a.locator('#empty-title').getByText('Nobody else is here yet').waitFor()
  await a.locator('#second-tab').waitFor()
})

test('offline and back', { timeout: 300_000 }, async (t) => {
  await world.relay(t)
  const profile = await world.profile(t)
  const page = await world.tab(t, '/', { profile })
  await status(page, 'Ready.')
  await profile.setOffline(true)
  await status(page, 'Offline. Waiting for the network to come back.')
  await profile.setOffline(false)
  await status(page, 'Ready.')
})

test('360 pixels are enough', { timeout: 300_000 }, async (t) => {
  await world.relay(t)
  const profile = await world.profile(t, { viewport: { width: 360, height: 640 } })
  const page = await world.tab(t, '/', { profile })
  await status(page, 'Ready.')
  const width = () => page.evaluate(() => document.documentElement.scrollWidth)
  assert.equal(await width(), 360)
  await page.focus('#panel-toggle')
  await page.keyboard.press('Enter')
  await page.locator('#peer-id').waitFor()
  assert.equal(await width(), 360)
  assert.equal(await page.getAttribute('#panel-toggle', 'aria-expanded'), 'true')
  await page.press('#panel-toggle', 'Enter')
  await page.setViewportSize({ width: 640, height: 360 })
  await page.waitForFunction(() => document.getElementById('log-frame')?.scrollTop === 0)
  const [title, frame] = await Promise.all(['#empty-title', '#log-frame'].map((id) => page.locator(id).boundingBox()))
  assert.ok(title && frame && title.y >= frame.y, 'what is said first in an empty room is out of sight')
})

test('all of it with the keyboard', { timeout: 300_000 }, async (t) => {
  await world.relay(t)
  const page = await world.tab(t, '/')
  await status(page, 'Ready.')

  const focused = () => page.evaluate(() => {
    const at = /** @type {HTMLInputElement} */ (document.activeElement)
    const name = at.getAttribute('aria-label') ?? at.labels?.[0]?.textContent ?? at.textContent
    return { name: at === document.body ? 'the page' : name?.trim(), ring: getComputedStyle(at).outlineStyle }
  })
  /** Tab, until the control with this name has the focus. @param {string} name */
  const tabTo = async (name) => {
    const passed = []
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press('Tab')
      const at = await focused()
      if (at.name !== 'the page') assert.equal(at.ring, 'solid', `${at.name} has the focus and does not show it`)
      assert.ok(at.name, `a control without a name after ${passed.at(-1)}`)
      if (at.name === name) return
      passed.push(at.name)
    }
    assert.fail(`${name} cannot be reached with Tab: ${passed.join(', ')}`)
  }

  await page.keyboard.type('first line')
  await page.keyboard.press('Shift+Enter')
  await page.keyboard.type('second line')
  await page.keyboard.press('Enter')
  assert.equal(await page.textContent('.message.mine .text'), 'first line\nsecond line')

  await tabTo('Join another room')
  await page.keyboard.type('Tea')
  await page.keyboard.press('Enter')
  await page.locator('#room-name', { hasText: 'tea' }).waitFor()
  assert.equal((await focused()).name, 'Message', 'in a new room one goes on writing')

  for (const name of ['Open a second tab', 'Copy link', 'Messages']) await tabTo(name)
  await tabTo('Copy your Peer ID')
  assert.match(await pressed(page.locator('#copy-peer-id'), () => page.keyboard.press('Enter')), /Copied|Not allowed/)
  await tabTo('Multiaddr to dial')
  await page.keyboard.type('nonsense')
  await page.keyboard.press('Enter')
  await page.locator('#dial-note', { hasText: 'at character 1' }).waitFor()
  assert.equal((await focused()).name, 'Multiaddr to dial', 'the fault is where the cursor is')
  await tabTo('Copy this address')
})

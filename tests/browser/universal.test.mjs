// The demo page in the universal-connectivity chat, and the same things among its own pages: text,
// files, and messages to one person.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startPeerFor } from '../interop/start-peer.mjs'
import { DIRECT_PROTOCOL, DISCOVERY_TOPIC, FILE_PROTOCOL, FILE_TOPIC, Response, TOPIC } from '../interop/universal.js'
import { openWorld } from './harness.mjs'

const world = openWorld()

const MIB = 1024 * 1024
const ROOM = '/#universal-connectivity'
const TOPICS = { RELAY_TOPICS: `browser-peer-discovery,${DISCOVERY_TOPIC}` }
const APPLICATION = fileURLToPath(new URL('../interop/universal-connectivity.mjs', import.meta.url))

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')
const short = (id) => id.slice(-6)

const inRoom = (page) => page.locator('#room-people').getByText('you and 1 other').waitFor()
const heard = (page, text) => page.locator('.message:not(.mine) .text').getByText(text, { exact: true })
const aside = (page, text) => page.locator('.message.mine .aside').getByText(text, { exact: true }).waitFor()
const note = (page, text) => page.locator('#composer-note').getByText(text).waitFor()
const fileRow = (page, name) => page.locator('.message', { has: page.locator('.file-name', { hasText: name }) }).last()

async function say (page, text) {
  await page.fill('#message', text)
  await page.press('#message', 'Enter')
}

/** To a person who is in the list of those who are connected. */
async function choose (page, id) {
  await page.click(`.peers [data-person="${id}"]`)
  await page.locator('#to-name').getByText(short(id)).waitFor()
}

async function give (page, name, bytes) {
  await page.setInputFiles('#file-input', { name, mimeType: 'text/html', buffer: bytes })
}

/** Fetches what somebody offered, and returns its bytes. */
async function take (page, name) {
  const [download] = await Promise.all([page.waitForEvent('download'), fileRow(page, name).locator('button', { hasText: 'Fetch' }).click()])
  return await readFile(await download.path())
}

/** A page in the chat and somebody on js-libp2p in Node, who have found each other. */
async function withSomebody (t) {
  const relay = await world.relay(t, TOPICS)
  const page = await world.tab(t, ROOM)
  const them = await startPeerFor(t, APPLICATION, { RELAY: relay.addr })
  await inRoom(page)
  const self = await page.textContent('#peer-id')
  for (const topic of [TOPIC, FILE_TOPIC]) {
    while (!(await them.ask('subscribers', { topic })).ids.includes(self)) await page.waitForTimeout(50)
  }
  await page.locator(`.peers [data-person="${them.peerId}"]`).waitFor()
  return { page, them, self, relay }
}

/** @type {Array<[string, number]>} */
const SIZES = [['large.bin', MIB], ['full.bin', 4 * MIB], ['empty.txt', 0]]

test('with js-libp2p in Node: text, files and direct messages, both ways', { timeout: 300_000 }, async (t) => {
  const { page, them, self } = await withSomebody(t)

  const hello = them.heard(({ topic, from, text }) => topic === TOPIC && from === self && text === 'grüezi <b>mitenand</b>')
  await say(page, 'grüezi <b>mitenand</b>')
  await hello
  await them.ask('say', { text: '<img src=x onerror="window.broken = true"> & hello' })
  await heard(page, '<img src=x onerror="window.broken = true"> & hello').waitFor()
  assert.equal(await page.locator('.message:not(.mine) button.name').last().textContent(), short(them.peerId))

  for (const [name, size] of SIZES) {
    const bytes = randomBytes(size)
    const fetched = them.heard(({ topic, from, text }) => topic === FILE_TOPIC && from === self && text.endsWith(name), 20_000)
    await give(page, name, bytes)
    const { length, sha256: digest, text } = await fetched
    assert.equal(length, size, text)
    assert.equal(digest, sha256(bytes))

    const { sha256: theirs } = await them.ask('share', { name: `theirs-${name}`, bytes: size })
    const taken = await take(page, 'file-theirs-')
    assert.equal(taken.length, size)
    assert.equal(sha256(taken), theirs)
    await page.locator('.message .file a', { hasText: 'Save' }).last().waitFor()
  }
  await give(page, 'huge.bin', Buffer.alloc(5 * MIB))
  await note(page, 'Not sent: Huge.bin has 5 MiB, and a file may have 4 MiB.')

  await choose(page, them.peerId)
  const secret = them.heard(({ topic, from, text }) => topic === DIRECT_PROTOCOL && from === self && text === 'psst')
  await say(page, 'psst')
  await secret
  await aside(page, 'arrived')
  await page.keyboard.press('Escape')
  await page.locator('#to').waitFor({ state: 'hidden' })

  await them.ask('tell', { to: self, text: '<i>for you</i>' })
  await heard(page, '<i>for you</i>').waitFor()
  await page.locator('.message.direct:not(.mine) .only').getByText('only to you').waitFor()
  assert.equal(await page.evaluate(() => document.querySelectorAll('#log b, #log i, #log img').length), 0)
  assert.equal(await page.evaluate('window.broken'), undefined)

  await choose(page, them.peerId)
  await them.stop()
  await say(page, 'still there?')
  await aside(page, 'did not arrive')
  await note(page, `Not sent: ${short(them.peerId)} is not here any more.`)
  assert.equal(await page.inputValue('#message'), 'still there?', 'what was written is lost')
})

test('with js-libp2p in another page, over the direct connection', { timeout: 300_000 }, async (t) => {
  const relay = await world.relay(t, TOPICS)
  const page = await world.tab(t, ROOM)
  const them = await world.peer(t, 'js-libp2p', { relay: relay.addr }, 'chromium', 'universal')
  await inRoom(page)
  await page.locator(`[data-peer="${them.id}"] .badge`).getByText('direct WebRTC').waitFor()
  const self = await page.textContent('#peer-id')
  await them.page.waitForFunction((id) => globalThis.peer.subscribers().includes(id), self)
  const theyHear = async (fits) => {
    const found = await them.page.waitForFunction(`globalThis.peer.heard().find(${fits})`)
    return await found.jsonValue()
  }

  await say(page, 'hello')
  assert.equal((await theyHear('({ text }) => text === "hello"')).from, self)
  await them.call('say', 'hello yourself')
  await heard(page, 'hello yourself').waitFor()

  const bytes = randomBytes(MIB)
  await give(page, 'ours.bin', bytes)
  assert.equal((await theyHear('({ length }) => length === 1048576')).sha256, sha256(bytes))
  const digest = await them.call('share', 'theirs', MIB)
  assert.equal(sha256(await take(page, 'file-theirs')), digest)

  await choose(page, them.id)
  await say(page, 'psst')
  await aside(page, 'arrived')
  assert.equal((await theyHear('({ text }) => text === "psst"')).topic, DIRECT_PROTOCOL)
  await them.call('tell', self, 'yes?')
  await heard(page, 'yes?').waitFor()
})

/** @type {Array<[string, string, string, RegExp | string]>} what is sent, and the answer's words or how the stream ended */
const HOSTILE = [
  ['a length of 2^63', DIRECT_PROTOCOL, 'ffffffffffffffff7f', /limit of 32 KiB/],
  ['a length that never ends', DIRECT_PROTOCOL, '80'.repeat(20), /length makes no sense/],
  ['garbage for protobuf', DIRECT_PROTOCOL, '05ffffffffff', /not a message/],
  ['another type', DIRECT_PROTOCOL, '0f12026869' + '1a09746578742f68746d6c', /only text\/plain/],
  ['text that is none', DIRECT_PROTOCOL, '1012 02fffe 1a0a746578742f706c61696e'.replaceAll(' ', ''), /UTF-8/],
  ['a request that does not end', DIRECT_PROTOCOL, '0512', 'StreamResetError'],
  ['a file id of 2^63 bytes', FILE_PROTOCOL, 'ffffffffffffffff7f', 'StreamResetError'],
  ['a file that is not there', FILE_PROTOCOL, '0161', 'StreamResetError'],
  ['a file id that is no text', FILE_PROTOCOL, '01ff', 'StreamResetError']
]

test('hostile bytes are refused, and nothing is shown of them', { timeout: 300_000 }, async (t) => {
  const { page, them, self } = await withSomebody(t)
  const rows = await page.locator('.message').count()
  for (const [name, protocol, hex, expected] of HOSTILE) {
    const answer = await them.ask('raw', { to: self, protocol, hex })
    if (typeof expected === 'string') {
      assert.equal(answer.end, expected, name)
      continue
    }
    const bytes = Buffer.from(answer.hex, 'hex')
    const { status, statusText } = Response.decode(bytes.subarray(1))
    assert.equal(status, 500, name)
    assert.match(statusText, expected, name)
  }
  assert.equal(await page.locator('.message').count(), rows)
  await them.ask('tell', { to: self, text: 'and now in earnest' })
  await heard(page, 'and now in earnest').waitFor()
})

/** @type {Array<[string, RegExp]>} */
const TRAPS = [
  ['huge', /sent something else: it is longer than the limit of 4 MiB/],
  ['nonsense', /sent something else: its length makes no sense/],
  ['nothing', /does not answer/]
]

test('files that are none, and one that never ends', { timeout: 300_000 }, async (t) => {
  const { page, them } = await withSomebody(t)
  const devtools = await page.context().newCDPSession(page)
  const memory = async () => {
    await devtools.send('HeapProfiler.collectGarbage')
    const { usedSize, backingStorageSize } = /** @type {any} */ (await devtools.send('Runtime.getHeapUsage'))
    return usedSize + backingStorageSize
  }
  for (const [how, words] of TRAPS) {
    await them.ask('trap', { how })
    await them.ask('share', { name: how, bytes: 1 })
    await fileRow(page, `file-${how}`).locator('button', { hasText: 'Fetch' }).click()
    await page.locator('#composer-note', { hasText: words }).waitFor()
    await fileRow(page, `file-${how}`).locator('button', { hasText: 'Fetch' }).waitFor()
  }

  await them.ask('trap', { how: 'endless' })
  await them.ask('share', { name: 'endless', bytes: 1 })
  const before = await memory()
  assert.equal((await take(page, 'file-endless')).length, 4 * MIB)
  assert.match((await them.ask('trapped', {})).end, /Stream/, 'it goes on for ever')
  const more = await memory() - before
  assert.ok(more < 8 * MIB, `what came behind the file was kept: ${more} bytes`)
  await them.ask('say', { text: 'no harm done' })
  await heard(page, 'no harm done').waitFor()
})

test('a flood leaves the last 500 lines', { timeout: 300_000 }, async (t) => {
  const { page, them } = await withSomebody(t)
  for (let i = 0; i < 520; i++) await them.ask('say', { text: `line ${i}` })
  await heard(page, 'line 519').waitFor()
  assert.equal(await page.locator('#log > li').count(), 500)
})

test('in a room of our own, between two pages', { timeout: 300_000 }, async (t) => {
  await world.relay(t)
  const a = await world.tab(t, '/#tea')
  const b = await world.tab(t, '/#tea')
  for (const page of [a, b]) await inRoom(page)
  const [idA, idB] = await Promise.all([a, b].map((page) => page.textContent('#peer-id')))
  for (const page of [a, b]) await page.locator('.peers .person .badge').getByText('direct WebRTC').waitFor()

  const bytes = randomBytes(MIB)
  await give(a, '../holiday <i>photo</i>.jpg', bytes)
  assert.equal(sha256(await take(b, '_holiday _i_photo_i_.jpg')), sha256(bytes))
  const link = fileRow(b, 'photo').locator('a')
  assert.equal(await link.textContent(), 'Save · 1 MiB')
  assert.equal(await b.evaluate((url) => fetch(url).then((answer) => answer.headers.get('content-type')), await link.getAttribute('href')), 'application/octet-stream')

  await b.locator(`.message [data-person="${idA}"]`).first().click()
  await say(b, 'thank you')
  await aside(b, 'arrived')
  await a.locator('.message.direct .only').getByText('only to you').waitFor()
  // whoever writes to one person does not send a file to all by mistake
  await give(b, 'private.txt', Buffer.from('private'))
  await note(b, 'Not sent: a file goes to everybody in the room')
  await b.click('#to-all')
  await say(b, 'to all')
  await heard(a, 'to all').waitFor()
  assert.equal(await a.locator('.message.direct', { hasText: 'to all' }).count(), 0)
  assert.equal(await a.locator('.file').count(), 1)

  await choose(a, idB)
  await b.close()
  await a.locator('.event').getByText('left').last().waitFor()
  await say(a, 'bye')
  await a.locator('#composer-note[data-mood="bad"]').waitFor()
  assert.match(await a.textContent('#composer-note') ?? '', new RegExp(`^Not sent: ${short(idB)} (is not here any more|does not answer)\\.$`))
})

test('from the front page one link leads there', { timeout: 300_000 }, async (t) => {
  await world.relay(t)
  const page = await world.tab(t, '/')
  await page.locator('#log-empty').getByText('Join the universal-connectivity chat').click()
  await page.locator('#room-name').getByText('universal-connectivity').waitFor()
  await page.locator('#empty-text').getByText('People of the universal-connectivity application').waitFor()
  assert.equal(await page.locator('.universal-link:visible').count(), 0)
})

test('a file is dropped on the page, or pasted', { timeout: 300_000 }, async (t) => {
  await world.relay(t)
  const page = await world.tab(t, '/#tea')
  await page.locator('#status-text').getByText('Ready.').waitFor()
  const drop = (type) => page.evaluate((type) => {
    const dataTransfer = new DataTransfer()
    dataTransfer.items.add(new File(['hello'], `${type}.txt`))
    const target = /** @type {HTMLElement} */ (document.getElementById(type === 'paste' ? 'message' : 'log-frame'))
    target.dispatchEvent(type === 'paste'
      ? new ClipboardEvent('paste', { clipboardData: dataTransfer, bubbles: true, cancelable: true })
      : new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }))
    return document.body.classList.contains('dropping')
  }, type)
  assert.equal(await drop('dragover'), true)
  assert.equal(await drop('drop'), false)
  await page.locator('.message.mine .file-name').getByText('drop.txt').waitFor()
  await drop('paste')
  await page.locator('.message.mine .file-name').getByText('paste.txt').waitFor()
  assert.equal(await page.locator('.message.mine .aside').first().textContent(), 'waits for somebody to come')
})

// Pages that cannot start a node, or hardly: the page says exactly what is missing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openWorld } from './harness.mjs'

const world = openWorld()
const policy = (scripts) => ({ 'content-security-policy': `default-src 'self'; connect-src *; script-src 'self' 'unsafe-inline' ${scripts}` })

// Chromium before 115, where only small modules are compiled at once.
const NOT_AT_ONCE = `
  const { Module } = WebAssembly
  WebAssembly.Module = function (bytes) {
    if (bytes.length > 4096) throw new RangeError('WebAssembly.Module is disallowed on the main thread')
    return new Module(bytes)
  }`

// No browser here lacks it, so its compiler is handed an instruction that nobody knows.
const NO_SIMD = NOT_AT_ONCE + `
  const compile = WebAssembly.compile
  WebAssembly.compile = () => compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 6, 1, 4, 0, 0xfd, 0xff, 0x7f, 11]))`

/** @type {Array<[string, { script?: string, headers?: Record<string, string> }, RegExp]>} */
const CANNOT = [
  ['no memory for it', { script: 'WebAssembly.instantiate = async () => { throw new RangeError("out of memory") }' }, /Out of memory/],
  ['a policy without wasm-unsafe-eval', { headers: policy('') }, /Content-Security-Policy.*'wasm-unsafe-eval'/],
  ['no WebAssembly', { script: 'delete globalThis.WebAssembly' }, /WebAssembly/],
  ['no SIMD', { script: NO_SIMD }, /SIMD.*2023/],
  ['no getRandomValues', { script: 'delete Crypto.prototype.getRandomValues' }, /getRandomValues/]
]

for (const [name, options, words] of CANNOT) {
  test(`cannot start: ${name}`, { timeout: 300_000 }, async (t) => {
    const page = await world.tab(t, '/', options)
    const alert = page.locator('.fatal[role=alert]')
    await alert.waitFor()
    assert.match(await alert.textContent(), words)
    assert.match(await alert.textContent(), /^Peerlet cannot start/)
  })
}

test('cannot start: the module is not there', { timeout: 300_000 }, async (t) => {
  const profile = await world.profile(t)
  await profile.route('**/peerlet.mjs', (route) => route.fulfill({ status: 404 }))
  const page = await world.tab(t, '/', { profile })
  await page.locator('#status-text', { hasText: 'could not be loaded' }).waitFor()
})

/** @type {Array<[string, { script?: string, headers?: Record<string, string> }]>} */
const CAN = [
  ['a policy with wasm-unsafe-eval', { headers: policy("'wasm-unsafe-eval'") }],
  ['a module that is not compiled at once', { script: NOT_AT_ONCE }],
  ['no WebRTC', { script: 'delete globalThis.RTCPeerConnection' }],
  ['no crypto.subtle', { script: 'delete Crypto.prototype.subtle' }],
  ['no Web Locks', { script: 'delete Navigator.prototype.locks' }]
]

for (const [name, options] of CAN) {
  test(`starts all the same: ${name}`, { timeout: 300_000 }, async (t) => {
    await world.relay(t)
    const page = await world.tab(t, '/', options)
    await page.locator('#status-text').getByText('Ready.').waitFor()
  })
}

const NO_DATABASE = [
  ['no IndexedDB', 'Object.defineProperty(globalThis, "indexedDB", { value: undefined })'],
  ['IndexedDB that throws', 'IDBFactory.prototype.open = () => { throw new DOMException("not here", "SecurityError") }'],
  ['IndexedDB that never answers', 'IDBFactory.prototype.open = () => ({})']
]

for (const [name, script] of NO_DATABASE) {
  test(`an identity for this visit only: ${name}`, { timeout: 300_000 }, async (t) => {
    await world.relay(t)
    const page = await world.tab(t, '/', { script })
    await page.locator('#status-text').getByText('Ready.').waitFor()
    const id = await page.textContent('#peer-id')
    await page.reload()
    await page.locator('#status-text').getByText('Ready.').waitFor()
    assert.notEqual(await page.textContent('#peer-id'), id)
  })
}

/** The Peer ID of the page, once it has started. */
async function ready (page) {
  await page.locator('#status-text').getByText('Ready.').waitFor()
  return page.textContent('#peer-id')
}

/** Until IndexedDB has the key: from then on the tab knows its number. A page behind others has no frames. */
const kept = (page) => page.waitForFunction("sessionStorage.getItem('peerlet')?.length < 3", undefined, { polling: 20 })

test('an identity that IndexedDB did not get in time is found at the next visit', { timeout: 300_000 }, async (t) => {
  await world.relay(t)
  const script = 'if (sessionStorage.been === undefined) IDBFactory.prototype.open = () => ({}); sessionStorage.been = 1'
  const page = await world.tab(t, '/', { script })
  const id = await ready(page)
  await page.reload()
  assert.equal(await ready(page), id)
  await kept(page)
  await page.reload()
  assert.equal(await ready(page), id)
})

test('an identity outlives a cleared localStorage', { timeout: 300_000 }, async (t) => {
  await world.relay(t)
  const page = await world.tab(t, '/')
  const id = await ready(page)
  await kept(page)
  await page.evaluate('localStorage.clear()')
  await page.reload()
  await ready(page) // as somebody new, for once
  await kept(page)
  await page.reload()
  assert.equal(await ready(page), id)
})

test('tabs that are opened at once have an identity each, and keep it', { timeout: 300_000 }, async (t) => {
  const profile = await world.profile(t)
  const pages = await Promise.all([0, 1, 2].map(() => world.tab(t, '/', { profile })))
  const shown = (page) => page.locator('#peer-id', { hasText: '12D3' }).textContent()
  const ids = await Promise.all(pages.map(shown))
  assert.equal(new Set(ids).size, 3)
  await Promise.all(pages.map(kept))
  for (const [i, page] of pages.entries()) {
    await page.reload()
    assert.equal(await shown(page), ids[i])
  }
})

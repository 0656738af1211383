// Pages that cannot start a node, or hardly: the page says exactly what is missing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openWorld } from './harness.mjs'

const world = openWorld()
const policy = (scripts) => ({ 'content-security-policy': `default-src 'self'; connect-src *; script-src 'self' 'unsafe-inline' ${scripts}` })

/** @type {Array<[string, { path?: string, script?: string, headers?: Record<string, string> }, RegExp]>} */
const CANNOT = [
  ['a policy without wasm-unsafe-eval', { headers: policy('') }, /Content-Security-Policy.*'wasm-unsafe-eval'/],
  ['no WebAssembly', { script: 'delete globalThis.WebAssembly' }, /WebAssembly/],
  ['no getRandomValues', { script: 'delete Crypto.prototype.getRandomValues' }, /getRandomValues/],
  ['a ?relay= that is no address', { path: '/?relay=nonsense' }, /multiaddr|position 0/]
]

for (const [name, { path = '/', ...options }, words] of CANNOT) {
  test(`cannot start: ${name}`, { timeout: 20_000 }, async (t) => {
    const page = await world.tab(t, path, options)
    const alert = page.locator('.fatal[role=alert]')
    await alert.waitFor()
    assert.match(await alert.textContent(), words)
    assert.match(await page.textContent('#status-text'), /cannot start/)
  })
}

/** @type {Array<[string, { script?: string, headers?: Record<string, string> }]>} */
const CAN = [
  ['a policy with wasm-unsafe-eval', { headers: policy("'wasm-unsafe-eval'") }],
  ['no WebRTC', { script: 'delete globalThis.RTCPeerConnection' }],
  ['no crypto.subtle', { script: 'delete Crypto.prototype.subtle' }],
  ['no Web Locks', { script: 'delete Navigator.prototype.locks' }]
]

for (const [name, options] of CAN) {
  test(`starts all the same: ${name}`, { timeout: 20_000 }, async (t) => {
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
  test(`an identity for this visit only: ${name}`, { timeout: 20_000 }, async (t) => {
    await world.relay(t)
    const page = await world.tab(t, '/', { script })
    await page.locator('#status-text').getByText('Ready.').waitFor()
    const id = await page.textContent('#peer-id')
    await page.reload()
    await page.locator('#status-text').getByText('Ready.').waitFor()
    assert.notEqual(await page.textContent('#peer-id'), id)
  })
}

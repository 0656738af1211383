// Secure WebSockets from Chromium, which trusts one certificate of the tests: every way to write the
// address, and what is said where the certificate is no good.
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { missing, startPeerFor } from '../interop/start-peer.mjs'
import { makeCertificate, startTls } from '../interop/tls.mjs'
import { PATIENCE_MS, openWorld } from './harness.mjs'

const TOPIC = 'chat'
const good = makeCertificate({ names: ['relay.example'] })
const world = openWorld({
  flags: [
    `--ignore-certificate-errors-spki-list=${good.spkiHash}`,
    '--host-resolver-rules=MAP relay.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost'
  ]
})

const portOf = (/** @type {string} */ addr) => Number(/\/tcp\/(\d+)/.exec(addr)?.[1])

/** What an address looks like, the name the server is asked for, and the path. */
const ADDRESSES = /** @type {const} */ ([
  ['/ip4/127.0.0.1/tcp/PORT/tls/ws', false, '/'],
  ['/ip4/127.0.0.1/tcp/PORT/wss', false, '/'],
  ['/ip4/127.0.0.1/tcp/PORT/tls/sni/relay.example/ws', 'relay.example', '/'],
  ['/dns4/localhost/tcp/PORT/tls/ws', 'localhost', '/'],
  ['/dns/relay.example/tcp/PORT/wss', 'relay.example', '/'],
  ['/dns4/localhost/tcp/PORT/tls/ws/http-path/libp2p%2Fa%20b', 'localhost', '/libp2p/a%20b'],
  ['/ip4/127.0.0.1/tcp/PORT/tls/sni/relay.example/ws/http-path/%2Fx', 'relay.example', '/x']
])

test('every way to write the address of a secure WebSocket', { timeout: 300_000 }, async (t) => {
  const relay = await world.relay(t, { RELAY_TOPICS: TOPIC })
  const { port, seen } = await startTls(t, good, portOf(relay.addr))
  const page = await world.peer(t, 'peerlet', { topics: [TOPIC] })
  for (const [text, name, path] of ADDRESSES) {
    const { agent, pingMs, echo } = await page.call('measure', `${text.replace('PORT', String(port))}/p2p/${relay.peerId}`)
    assert.match(agent, /^js-libp2p/)
    assert.ok(pingMs >= 0 && echo)
    const last = seen.pop()
    assert.deepEqual([last?.name, last?.line], [name, `GET ${path} HTTP/1.1`], text)
    await page.call('hangUp', relay.peerId)
  }
})

test('pages meet through a relay behind TLS', { timeout: 300_000 }, async (t) => {
  const relay = await world.relay(t, { RELAY_TOPICS: TOPIC })
  const { port } = await startTls(t, good, portOf(relay.addr))
  const secure = `/dns4/localhost/tcp/${port}/wss/p2p/${relay.peerId}`
  const [a, b] = await Promise.all([1, 2].map(() => world.peer(t, 'peerlet', { relay: secure, topics: [TOPIC] })))
  await b.call('whenReserved', PATIENCE_MS)
  const address = (await b.call('addresses')).find((text) => text.startsWith(`/dns4/localhost/tcp/${port}/tls/ws`) && text.includes('/webrtc'))
  await a.call('dial', address)
  for (const [from, to] of [[a, b], [b, a]]) await from.call('whenDirect', to.id, PATIENCE_MS)
  assert.ok(await a.call('echo', b.id, 1 << 20), 'a megabyte came back changed')
})

test('the secure WebSocket of go-libp2p', { timeout: 300_000, skip: missing('go') ?? false }, async (t) => {
  const [cert, key] = ['cert', 'key'].map((name) => fileURLToPath(new URL(`../../build/tests/browser/wss-${name}.pem`, import.meta.url)))
  await Promise.all([writeFile(cert, good.cert), writeFile(key, good.key)])
  const peer = await startPeerFor(t, 'go', { RELAY_CERT: cert, RELAY_KEY: key, RELAY_TOPICS: TOPIC })
  const page = await world.peer(t, 'peerlet', { topics: [TOPIC] })
  const addr = peer.addrs.find((text) => text.includes('/tls/ws')) ?? assert.fail(`no /tls/ws among ${peer.addrs}`)
  for (const text of [addr, addr.replace('/tls/ws', '/wss'), addr.replace('/tls/ws', '/tls/sni/relay.example/ws')]) {
    const { agent, pingMs, echo } = await page.call('measure', text)
    assert.match(agent, /^go-libp2p/)
    assert.ok(pingMs >= 0 && echo)
    await page.call('hangUp', peer.peerId)
  }
})

/** @type {Array<[string, Parameters<typeof makeCertificate>[0]]>} */
const BAD = [['is known to nobody', {}], ['expired yesterday', { ends: -86_400_000 }]]

for (const [name, about] of BAD) {
  test(`a certificate that ${name}: the error says what a person can do`, { timeout: 300_000 }, async (t) => {
    const relay = await world.relay(t)
    const { port } = await startTls(t, makeCertificate(about), portOf(relay.addr))
    const page = await world.peer(t, 'peerlet', { topics: [] })
    await assert.rejects(page.call('dial', `/dns4/localhost/tcp/${port}/tls/ws/p2p/${relay.peerId}`),
      new RegExp(`DialError: .*wss://localhost:${port}/.*certificate.*open it as https:// in a tab`))
  })
}

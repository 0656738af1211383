// What docs/services.md shows, done as it stands in a page, against js-libp2p and a server of HTTP routing.
import { echo } from '@libp2p/echo'
import { fetch } from '@libp2p/fetch'
import { identify } from '@libp2p/identify'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { openWorld } from './harness.mjs'

const world = openWorld()
const page = await readFile(new URL('../../docs/services.md', import.meta.url), 'utf8')

/** @param {import('node:test').TestContext} t @returns {Promise<any>} */
async function startJs (t) {
  /** @type {any} */
  const node = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws'] },
    transports: [webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: {
      identify: identify(), ping: ping(), fetch: fetch(), echo: echo(),
      dht: kadDHT({ clientMode: false, peerInfoMapper: passthroughMapper, allowQueryWithZeroPeers: true })
    }
  })
  t.after(() => node.stop())
  await node.services.dht.setMode('server')
  node.services.fetch.registerLookupFunction('/their-app/', async () => new TextEncoder().encode('small is beautiful'))
  await node.handle('/perf/1.0.0', async (/** @type {any} */ stream) => {
    let head = Buffer.alloc(0)
    for await (const part of stream) if (head.length < 8) head = Buffer.concat([head, part.subarray()])
    for (let left = Number(head.readBigUInt64BE(0)); left > 0; left -= 65536) {
      if (!stream.send(new Uint8Array(Math.min(left, 65536)))) await stream.onDrain()
    }
    await stream.close()
  })
  return node
}

/** Knows of nobody, as the second router has to find the peer. @param {import('node:test').TestContext} t */
async function startRouting (t) {
  /** @type {string[]} */
  const asked = []
  const server = createServer((request, response) => {
    asked.push(String(request.url))
    response.writeHead(404, { 'access-control-allow-origin': '*' }).end()
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  t.after(() => { server.closeAllConnections(); server.close() })
  return { asked, url: `http://127.0.0.1:${/** @type {any} */ (server.address()).port}` }
}

test('the examples of docs/services.md', { timeout: 300_000 }, async (t) => {
  const [server, friend, { asked, url }] = await Promise.all([startJs(t), startJs(t), startRouting(t)])
  const known = new Promise((resolve) => server.services.dht.routingTable.addEventListener('peer:add', resolve))
  await friend.dial(server.getMultiaddrs()[0])
  await known

  const replaced = /** @type {[RegExp, string][]} */ ([
    [/'\/dns4\/peer\.example[^']*'/, `'${server.getMultiaddrs()[0]}'`],
    [/'https:\/\/delegated-ipfs\.dev'/, `'${url}'`],
    [/peerIdFromString\('[^']*'\)/, `peerIdFromString('${friend.peerId}')`],
    [/'\.\/peerlet\.mjs'/, "'/build/web/peerlet.mjs'"],
    [/'\.\/services\.mjs'/, "'/build/web/services.mjs'"]
  ])
  let script = [...page.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code).join('\n')
  for (const [what, by] of replaced) {
    assert.match(script, what, 'the page no longer shows what the test replaces')
    script = script.replace(what, by)
  }
  /** @type {string[]} */
  const said = []
  const tab = await world.tab(t, '/peer.html?impl=peerlet')
  tab.on('console', (message) => said.push(message.text()))
  const err = await tab.evaluate((code) => {
    const script = Object.assign(document.createElement('script'), { type: 'module', textContent: `try { ${code.replace(/^import .*$/gm, '')}\nglobalThis.over = 'well' } catch (err) { globalThis.over = String(err.stack) }` })
    script.textContent = `${code.match(/^import .*$/gm)?.join('\n')}\n${script.textContent}`
    document.head.append(script)
    return new Promise((resolve) => { setInterval(() => { if (/** @type {any} */ (globalThis).over !== undefined) resolve(/** @type {any} */ (globalThis).over) }, 50) })
  }, script)
  assert.equal(err, 'well')
  assert.deepEqual(said.filter((text) => /^(found|dialled|fetched|echoed|moved)/.test(text)), [
    `found at ${String(friend.getMultiaddrs()[0]).replace(/\/p2p\/.*/, '')}`,
    `dialled ${friend.peerId}`,
    'fetched small is beautiful',
    'echoed 100000',
    'moved 2000000 true'
  ])
  assert.match(asked[0], /^\/routing\/v1\/peers\/baf/)
})

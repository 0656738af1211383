// The demo: a relay, and a web server for the page. `make demo` builds and runs it.
//
//   node web/serve.mjs        prints one URL; Ctrl-C ends both
//
//   PORT=8000         of the web server
//   RELAY_PORT=9001   of the relay
//   RELAY=js          whose relay: js, go or rust, from tests/interop
//   HOST=127.0.0.1    where both listen; 0.0.0.0 lets the whole network in
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { networkInterfaces } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { startPeer } from '../tests/interop/start-peer.mjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
/**
 * What the relay forwards, so that pages hear of each other: pages that say nothing else of discovery, the
 * demo's own and those of the universal-connectivity application.
 */
export const TOPICS = '_peer-discovery._p2p._pubsub,browser-peer-discovery,universal-connectivity-browser-peer-discovery'
const RELAYS = ['js', 'go', 'rust']
/** @type {Record<string, string>} */
const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.mjs': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm'
}
// What the page consists of; nothing else of the checkout is served.
const SERVED = /^\/(index\.html|web\/[\w.-]+\.(js|css|svg)|build\/web\/[\w.-]+)$/

/**
 * Serves the demo page and its parts.
 *
 * @param {object} options
 * @param {(host: string) => string | undefined} options.relayFor the relay's address for a page
 *   opened at a host
 * @param {(path: string) => string | undefined} [options.files] files beside those of the page, as
 *   paths on disk
 * @param {(path: string) => Record<string, string>} [options.extraHeaders]
 */
export function createPageServer ({ relayFor, files = () => undefined, extraHeaders = () => ({}) }) {
  return createServer(async (req, res) => {
    const url = new URL(req.url ?? '/', 'http://localhost')
    const name = url.pathname === '/' ? '/index.html' : url.pathname
    const headers = { 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff', ...extraHeaders(url.pathname) }
    if (name === '/relay.json') {
      const relay = relayFor(req.headers.host?.replace(/:\d+$/, '') ?? '127.0.0.1')
      res.writeHead(relay === undefined ? 404 : 200, { ...headers, 'content-type': TYPES['.json'] })
      return res.end(JSON.stringify({ relay }))
    }
    try {
      const file = files(name) ?? (SERVED.test(name) ? path.join(ROOT, name) : undefined)
      if (file === undefined) throw new Error('not a part of the page')
      const body = await readFile(file)
      res.writeHead(200, { ...headers, 'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream' })
      res.end(body)
    } catch {
      res.writeHead(404, { ...headers, 'content-type': 'text/plain' })
      res.end(`${name} is not here. Built files come from \`make\`.\n`)
    }
  })
}

/**
 * Listens, and explains in words why it could not.
 *
 * @param {import('node:http').Server} server
 * @param {number} port
 * @param {string} host
 * @returns {Promise<number>} the port
 */
export function listen (server, port, host) {
  return new Promise((resolve, reject) => {
    server.once('error', (/** @type {NodeJS.ErrnoException} */ err) => {
      if (err.code === 'EADDRINUSE') err.message = `port ${port} is in use; choose another with PORT=${port + 1}`
      if (err.code === 'EACCES') err.message = `port ${port} needs more rights; choose one above 1023 with PORT=`
      reject(err)
    })
    server.listen(port, host, () => resolve(/** @type {import('node:net').AddressInfo} */ (server.address()).port))
  })
}

// An identity that outlives the process, so that open tabs find the same relay after a restart.
async function relaySeed () {
  const file = path.join(ROOT, 'build/demo-relay.seed')
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch {
    const seed = randomBytes(32).toString('hex')
    await mkdir(path.dirname(file), { recursive: true })
    await writeFile(file, seed, { mode: 0o600 })
    return seed
  }
}

/** @param {string} name @param {number} standard */
function portFrom (name, standard) {
  const text = process.env[name] ?? String(standard)
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535) throw new Error(`${name}=${text} is not a port: 0 to 65535`)
  return Number(text)
}

const lanAddress = () => Object.values(networkInterfaces()).flat()
  .find((i) => i?.family === 'IPv4' && !i.internal)?.address

async function main () {
  const host = process.env.HOST ?? '127.0.0.1'
  const port = portFrom('PORT', 8000)
  const relayPort = portFrom('RELAY_PORT', 9001)
  const { RELAY: kind = 'js' } = process.env
  if (!RELAYS.includes(kind)) throw new Error(`RELAY=${kind} is none of ${RELAYS.join(', ')}`)

  const relay = await startPeer(kind, {
    RELAY_SEED: await relaySeed(), RELAY_HOST: host, RELAY_PORT: String(relayPort), RELAY_TOPICS: process.env.RELAY_TOPICS ?? TOPICS
  })
  // whoever reached the page at a name or an address reaches the relay there too
  const relayFor = (/** @type {string} */ name) => relay.addr.replace(/^\/ip4\/[\d.]+/, (standard) =>
    /^[\d.]+$/.test(name) ? `/ip4/${name}` : /^[\w-]+(\.[\w-]+)*$/.test(name) && name !== 'localhost' ? `/dns4/${name}` : standard)
  const server = createPageServer({ relayFor })
  const actualPort = await listen(server, port, host).catch(async (err) => {
    await relay.stop()
    throw err
  })

  const isOpen = host === '0.0.0.0'
  const name = isOpen ? lanAddress() ?? '127.0.0.1' : host
  const where = isOpen ? 'on two devices of this network, or in two tabs' : 'in two tabs'
  console.log(`\n  Open  http://${name}:${actualPort}/  ${where}.  Ctrl-C ends it.`)
  console.log(`  Relay ${relayFor(name)}\n`)

  // Ctrl-C reaches the relay as well, so its end is only news when nobody asked for it.
  let ending = false
  const end = async () => {
    ending = true
    await relay.stop()
    process.exit(0)
  }
  process.on('SIGINT', end)
  process.on('SIGTERM', end)
  await relay.ended()
  if (ending) return
  console.error('demo: the relay ended')
  process.exit(1)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main().catch((err) => {
    console.error(`demo: ${err.message.replace(/^relay: /, '')}`)
    process.exit(1)
  })
}

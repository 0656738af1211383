// The Node side of every run: the relay of tests/interop, answering the bench protocols too, a bare
// WebSocket peer, and the web server of the pages. Prints one line of JSON when it is ready.
import { readFile } from 'node:fs/promises'
import http from 'node:http'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { WebSocketServer } from 'ws'
import { DISCOVERY_TOPICS, addressOf, createRelay } from '../interop/relay.mjs'
import { wrapStream } from './impl/stream.js'
import { handlers } from './protocols.js'

const PAGES = fileURLToPath(new URL('../../build/bench', import.meta.url))
const TOPICS = [...DISCOVERY_TOPICS, 'bench']
const TYPES = { '.html': 'text/html', '.js': 'text/javascript' }

const node = await createRelay({ port: Number(process.env.RELAY_PORT ?? 0), seed: process.env.RELAY_SEED, topics: TOPICS })
for (const [protocol, handler] of Object.entries(handlers)) {
  await node.handle(protocol, (stream) => { handler(wrapStream(stream)) }, { maxInboundStreams: 4096, maxOutboundStreams: 4096 })
}

function stats () {
  const { user, system } = process.cpuUsage()
  return {
    cpuMs: (user + system) / 1000,
    connections: node.getConnections().length,
    mesh: /** @type {any} */ (node.services.pubsub).getMeshPeers('bench').length
  }
}

const server = http.createServer(async (req, res) => {
  const name = new URL(req.url ?? '/', 'http://localhost').pathname
  if (name === '/stats') {
    res.setHeader('content-type', 'application/json')
    return res.end(JSON.stringify(stats()))
  }
  try {
    const body = await readFile(path.join(PAGES, path.normalize(name)))
    res.writeHead(200, {
      'content-type': TYPES[path.extname(name)] ?? 'application/octet-stream',
      // cross-origin isolation gives the page a finer clock
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'cache-control': 'no-store'
    })
    res.end(body)
  } catch {
    res.writeHead(404).end()
  }
})

// The limit: the same transfers over a WebSocket with nothing on it.
const bare = {
  echo: (socket) => socket.on('message', (data) => socket.send(data, { binary: true })),
  sink (socket) {
    let received = 0
    let told = 0
    socket.on('message', (data, isBinary) => {
      if (isBinary) received += data.length
      if (isBinary && received - told < 256 << 10) return
      told = received
      socket.send(String(received))
    })
  },
  source (socket, query) {
    socket.once('message', async () => {
      const bytes = Buffer.alloc(Number(query.get('chunk')), 7)
      for (let left = Number(query.get('total')); left > 0; left -= bytes.length) {
        socket.send(left >= bytes.length ? bytes : bytes.subarray(0, left))
        if (socket.bufferedAmount > 1 << 20) await new Promise((resolve) => socket._socket.once('drain', resolve))
      }
    })
  }
}

new WebSocketServer({ server, perMessageDeflate: false, maxPayload: 64 << 20 }).on('connection', (socket, req) => {
  const url = new URL(req.url ?? '/', 'http://localhost')
  socket.on('error', () => {})
  bare[url.pathname.split('/').pop()]?.(socket, url.searchParams)
})

server.listen(0, '127.0.0.1', () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  console.log(JSON.stringify({
    peerId: node.peerId.toString(),
    addr: addressOf(node),
    http: `http://127.0.0.1:${port}`,
    ws: `ws://127.0.0.1:${port}/raw`,
    pid: process.pid
  }))
})
process.on('SIGTERM', () => process.exit(0))
process.stdin.on('end', () => process.exit(0)).resume()

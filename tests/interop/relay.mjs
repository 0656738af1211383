// A js-libp2p circuit relay: the meeting point of the demo and the other side of many tests.
//
//   node relay.mjs            prints one line of JSON when it is ready: { peerId, addr, pid }
//
// It forwards circuits, answers identify, ping and /echo/1.0.0, and is subscribed to the discovery
// topics so that peers hear of each other before they are connected. It ends on SIGTERM, SIGINT,
// or when its standard input closes, so it never outlives the program that started it.
//
//   RELAY_PORT    TCP port; 0, the default, takes any
//   RELAY_HOST    IPv4 address to listen on, 127.0.0.1 by default
//   RELAY_SEED    64 hexadecimal digits: a fixed identity, so that it can die and come back
//   RELAY_TOPICS  discovery topics, joined by commas
//   RELAY_LIMITS  JSON merged into the circuit relay server's reservations options
//
// Needs Node 22 or newer.
import { createHash, randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createLibp2p } from 'libp2p'
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { generateKeyPair, generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { gossipsub } from '@libp2p/gossipsub'
import { identify, identifyPush } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'

export const DISCOVERY_TOPICS = ['browser-peer-discovery', '_peer-discovery._p2p._pubsub']
export const ECHO = '/echo/1.0.0'

/** Sends back what it reads, at the pace of whoever reads it, and closes when they do. @param {any} stream */
export async function echo (stream) {
  try {
    for await (const bytes of stream) {
      if (!stream.send(bytes)) await stream.onDrain()
    }
    await stream.close()
  } catch (err) {
    stream.abort(err)
  }
}

/**
 * @param {{ port?: number, host?: string, seed?: string, topics?: string[], limits?: object }} options
 */
export async function createRelay ({ port = 0, host = '127.0.0.1', seed, topics = DISCOVERY_TOPICS, limits = {} } = {}) {
  const node = await createLibp2p({
    privateKey: seed === undefined
      ? await generateKeyPair('Ed25519')
      : await generateKeyPairFromSeed('Ed25519', Buffer.from(seed, 'hex')),
    addresses: { listen: [`/ip4/${host}/tcp/${port}/ws`] },
    transports: [webSockets(), circuitRelayTransport()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    // The stock limits are for the open internet: all our peers come from one address.
    connectionManager: {
      inboundConnectionThreshold: Infinity,
      maxIncomingPendingConnections: 1000,
      maxConnections: 10_000
    },
    services: {
      identify: identify(),
      identifyPush: identifyPush(),
      ping: ping({ maxInboundStreams: 1024 }),
      relay: circuitRelayServer({ maxInboundHopStreams: 1024, reservations: { maxReservations: 1000, ...limits } }),
      pubsub: gossipsub({ scoreParams: { IPColocationFactorWeight: 0 } })
    }
  })
  await node.handle(ECHO, echo, { maxInboundStreams: 1024, runOnLimitedConnection: true })
  for (const topic of topics) node.services.pubsub.subscribe(topic)
  return node
}

/** The address a peer on this machine dials. @param {import('libp2p').Libp2p} node */
export const addressOf = (node) => {
  const all = node.getMultiaddrs().map(String)
  return all.find((text) => text.startsWith('/ip4/127.0.0.1/')) ?? all[0]
}

/** How many random bytes came back as they were. @param {any} connection @param {number} length */
async function echoThrough (connection, length) {
  const bytes = randomBytes(length)
  const stream = await connection.newStream(ECHO, { runOnLimitedConnection: true })
  const back = createHash('sha256')
  const reading = (async () => {
    for await (const part of stream) back.update(part.subarray())
  })()
  for (let at = 0; at < length; at += 65536) {
    if (!stream.send(bytes.subarray(at, at + 65536))) await stream.onDrain()
  }
  await stream.close()
  await reading
  if (back.digest('hex') !== createHash('sha256').update(bytes).digest('hex')) throw new Error(`${length} bytes came back changed`)
  return length
}

/** The commands of peers/go/command.go. @param {any} node @returns {Record<string, (request: any) => Promise<any>>} */
const commands = (node) => ({
  publish: ({ topic, text }) => node.services.pubsub.publish(topic, Buffer.from(text)).then(() => ({})),
  reserve: ({ addr }) => node.components.transportManager.listen([multiaddr(`${addr}/p2p-circuit`)]).then(() => ({})),
  async visit ({ addr, bytes }) {
    const identified = new Promise((resolve) => node.addEventListener('peer:identify', ({ detail: { peerId, agentVersion } }) => {
      if (addr.endsWith(`/p2p/${peerId}`)) resolve(agentVersion)
    }))
    const began = performance.now()
    const connection = await node.dial(multiaddr(addr))
    const dialMs = performance.now() - began
    const agent = await identified
    const pingMs = await node.services.ping.ping(connection.remotePeer)
    return { peerId: connection.remotePeer.toString(), agent, dialMs, pingMs, echoed: await echoThrough(connection, bytes) }
  }
})

async function main () {
  const { RELAY_PORT = '0', RELAY_HOST, RELAY_SEED, RELAY_TOPICS, RELAY_LIMITS = '{}' } = process.env
  const node = await createRelay({
    port: Number(RELAY_PORT),
    host: RELAY_HOST,
    seed: RELAY_SEED,
    topics: RELAY_TOPICS?.split(','),
    limits: JSON.parse(RELAY_LIMITS)
  }).catch((err) => {
    // js-libp2p wraps what the sockets said, so look through all of it
    const why = `${err.message} ${err.errors?.map(String).join(' ') ?? ''} ${err.cause ?? ''}`
    console.error(why.includes('EADDRINUSE')
      ? `relay: port ${RELAY_PORT} is in use; choose another with RELAY_PORT=${Number(RELAY_PORT) + 1}`
      : `relay: ${why}`)
    process.exit(1)
  })
  process.on('SIGTERM', () => process.exit(0))
  process.on('SIGINT', () => process.exit(0))
  const { pubsub } = node.services
  pubsub.addEventListener('message', (/** @type {any} */ { detail: { topic, from, data } }) => {
    console.log(JSON.stringify({ heard: { topic, from: String(from), text: Buffer.from(data).toString() } }))
  })
  const known = commands(node)
  const lines = createInterface({ input: process.stdin }).on('line', async (line) => {
    const { id, do: what, ...request } = JSON.parse(line)
    const done = known[what]?.(request) ?? Promise.reject(new Error(`no such command: ${what}`))
    console.log(JSON.stringify(await done.then((answer) => ({ id, ...answer }), ({ message }) => ({ id, error: message }))))
  })
  lines.on('close', () => process.exit(0))
  console.log(JSON.stringify({
    peerId: node.peerId.toString(),
    addr: addressOf(node),
    addrs: node.getMultiaddrs().map(String),
    pid: process.pid
  }))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()

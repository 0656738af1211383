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
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createLibp2p } from 'libp2p'
import { circuitRelayServer } from '@libp2p/circuit-relay-v2'
import { generateKeyPair, generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { gossipsub } from '@libp2p/gossipsub'
import { identify, identifyPush } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'

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
    transports: [webSockets()],
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
  // the commands of peers/go/command.go that tests need of it
  const { pubsub } = node.services
  pubsub.addEventListener('message', (/** @type {any} */ { detail: { topic, from, data } }) => {
    console.log(JSON.stringify({ heard: { topic, from: String(from), text: Buffer.from(data).toString() } }))
  })
  const lines = createInterface({ input: process.stdin }).on('line', async (line) => {
    const { id, do: what, topic, text } = JSON.parse(line)
    const done = what === 'publish' ? pubsub.publish(topic, Buffer.from(text)) : Promise.reject(new Error(`no such command: ${what}`))
    console.log(JSON.stringify(await done.then(() => ({ id }), ({ message }) => ({ id, error: message }))))
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

// A person of the universal-connectivity chat, in Node on js-libp2p: reached over its WebSocket, known
// by discovery through a relay. `startPeer` of start-peer.mjs speaks with it.
//
//   RELAY=<multiaddr> node universal-connectivity.mjs
//
// Commands: say { text }, share { name, bytes } (that many random ones), tell { to, text }; and what only
// a hostile one does: raw { to, protocol, hex } sends bytes on a stream and tells what came back,
// trap { how } answers the requests for files to come with 'nothing', 'endless', 'huge' or 'nonsense'.
import { createHash, randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import { createLibp2p } from 'libp2p'
import { bootstrap } from '@libp2p/bootstrap'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { gossipsub } from '@libp2p/gossipsub'
import { identify, identifyPush } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { peerIdFromString } from '@libp2p/peer-id'
import { ping } from '@libp2p/ping'
import { pubsubPeerDiscovery } from '@libp2p/pubsub-peer-discovery'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { addressOf } from './relay.mjs'
import { DISCOVERY_TOPIC, FILE_PROTOCOL, gossip, universal } from './universal.js'

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')

const node = await createLibp2p({
  addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws'] },
  transports: [webSockets(), circuitRelayTransport()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  connectionGater: { denyDialMultiaddr: async () => false },
  peerDiscovery: [
    bootstrap({ list: [/** @type {string} */ (process.env.RELAY)], timeout: 0 }),
    pubsubPeerDiscovery({ interval: 1000, topics: [DISCOVERY_TOPIC] })
  ],
  services: { identify: identify(), identifyPush: identifyPush(), ping: ping(), pubsub: gossipsub({ ...gossip, scoreParams: { IPColocationFactorWeight: 0 } }) }
})
const print = (line) => console.log(JSON.stringify(line))
const app = await universal(node, ({ bytes, ...heard }) => {
  print({ heard: bytes === undefined ? heard : { ...heard, length: bytes.length, sha256: sha256(bytes) } })
})

let trapped = Promise.resolve('')

/** What a request for a file gets from somebody hostile. @type {Record<string, (stream: any) => Promise<void>>} */
const TRAPS = {
  nothing: async () => {},
  huge: async (stream) => { stream.send(Buffer.from('ffffffffffffffff7f', 'hex')) },
  nonsense: async (stream) => { stream.send(Buffer.alloc(32, 0x80)) },
  async endless (stream) {
    stream.send(Buffer.from('80808002', 'hex')) // 4 MiB
    const some = Buffer.alloc(16384)
    for (;;) {
      if (!stream.send(some)) await stream.onDrain()
      await new Promise(setImmediate) // or this process would see nothing else
    }
  }
}

/** @type {Record<string, (request: any) => Promise<any>>} */
const commands = {
  say: ({ text }) => app.say(text),
  tell: ({ to, text }) => app.tell(to, text),
  async share ({ name, bytes }) {
    const file = randomBytes(bytes)
    await app.share(name, file)
    return { sha256: sha256(file) }
  },
  subscribers: async ({ topic }) => ({ ids: node.services.pubsub.getSubscribers(topic).map(String) }),
  async raw ({ to, protocol, hex }) {
    const stream = await node.dialProtocol(peerIdFromString(to), protocol)
    const parts = []
    stream.addEventListener('message', ({ data }) => parts.push(data.subarray()))
    const over = new Promise((resolve) => {
      stream.addEventListener('close', ({ error }) => resolve(error?.name ?? 'closed'))
      stream.addEventListener('remoteCloseWrite', () => resolve('ended'))
    })
    stream.send(Buffer.from(hex, 'hex'))
    const end = await over
    stream.abort(new Error('done'))
    return { end, hex: Buffer.concat(parts).toString('hex') }
  },
  async trap ({ how }) {
    await node.unhandle(FILE_PROTOCOL)
    await node.handle(FILE_PROTOCOL, (stream) => { trapped = TRAPS[how](stream).then(() => 'done', (err) => err.name) })
  },
  trapped: async () => ({ end: await trapped })
}

const lines = createInterface({ input: process.stdin }).on('line', async (line) => {
  const { id, do: what, ...request } = JSON.parse(line)
  await commands[what](request).then((answer) => print({ id, ...answer }), (err) => print({ id, error: `${err.name}: ${err.message}` }))
})
lines.on('close', () => process.exit(0))
process.on('SIGTERM', () => process.exit(0))
print({ peerId: String(node.peerId), addr: addressOf(node), pid: process.pid })

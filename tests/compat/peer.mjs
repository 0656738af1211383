// The other side of both applications, on js-libp2p 3: `startPeer` of tests/interop/start-peer.mjs starts one for each
// run. It relays, echoes, and does what it is told over the protocol /compat/do/1: one line, one answer, both JSON.
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { gossipsub } from '@libp2p/gossipsub'
import { identify, identifyPush } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { peerIdFromString } from '@libp2p/peer-id'
import { ping } from '@libp2p/ping'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { once } from 'node:events'
import { addressOf, echo, ECHO } from '../interop/relay.mjs'

const text = async (stream) => {
  let all = ''
  for await (const part of stream) all += Buffer.from(part.subarray()).toString()
  return all
}

async function start (services = {}) {
  const node = await createLibp2p({
    privateKey: await generateKeyPairFromSeed('Ed25519', crypto.getRandomValues(new Uint8Array(32))),
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws'] },
    transports: [webSockets(), circuitRelayTransport()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: async () => false },
    connectionManager: { inboundConnectionThreshold: Infinity },
    services: {
      identify: identify(),
      identifyPush: identifyPush(),
      ping: ping(),
      pubsub: gossipsub({ emitSelf: false, allowPublishToZeroTopicPeers: true, scoreParams: { IPColocationFactorWeight: 0 } }),
      ...services
    }
  })
  await node.handle(ECHO, echo, { maxInboundStreams: 1024, runOnLimitedConnection: true })
  return node
}

const relay = await start({ relay: circuitRelayServer({ reservations: { maxReservations: 100 } }) })
/** Reaches who has reserved at the relay. */
const guest = await start()

/** All that it heard. @type {import('@libp2p/gossipsub').Message[]} */
const messages = []
relay.services.pubsub.addEventListener('message', ({ detail }) => messages.push(detail))

/** What it can be told. @type {Record<string, (request: any, caller: any) => Promise<any>>} */
const commands = {
  /** Opens a stream to the caller, sends a text, and tells what came back. */
  async call ({ protocol, say }, caller) {
    try {
      const stream = await relay.dialProtocol(caller.remotePeer, protocol)
      stream.send(Buffer.from(say))
      const [answer] = await Promise.all([text(stream), stream.close()])
      return { answer }
    } catch {
      return { answer: 'none, the stream failed' }
    }
  },
  /** How many of so many streams are taken. */
  async flood ({ protocol, count }, caller) {
    const opened = await Promise.all(Array.from({ length: count }, async () => {
      try {
        const stream = await caller.newStream(protocol)
        return await new Promise((resolve) => {
          stream.addEventListener('message', () => resolve(1))
          stream.addEventListener('close', () => resolve(0))
          stream.send(Buffer.from('x'))
        })
      } catch {
        return 0
      }
    }))
    return { taken: opened.reduce((sum, one) => sum + one, 0) }
  },
  async subscribe ({ topic }) { relay.services.pubsub.subscribe(topic) },
  async unsubscribe ({ topic }) { relay.services.pubsub.unsubscribe(topic) },
  async publish ({ topic, say }) {
    const { recipients } = await relay.services.pubsub.publish(topic, Buffer.from(say))
    return { recipients: recipients.length }
  },
  /** The first message on a topic, be it there already. */
  async heard ({ topic }) {
    for (;;) {
      const first = messages.find((one) => one.topic === topic)
      if (first !== undefined) return { type: first.type, from: String(/** @type {any} */ (first).from), data: Buffer.from(first.data).toString() }
      await once(relay.services.pubsub, 'message')
    }
  },
  async subscribers ({ topic }) { return { count: relay.services.pubsub.getSubscribers(topic).length } },
  async protocols (_, caller) { return { protocols: (await relay.peerStore.get(caller.remotePeer)).protocols } },
  /** Comes through the relay. */
  async visit (_, caller) {
    const to = multiaddr(`${addressOf(relay)}/p2p-circuit/p2p/${caller.remotePeer}`)
    const connection = await guest.dial(to)
    const stream = await connection.newStream(ECHO, { runOnLimitedConnection: true })
    stream.send(Buffer.from('through the relay'))
    const answer = text(stream)
    await stream.close()
    return { answer: await answer, isLimited: connection.limits !== undefined }
  },
  async leave (_, caller) { await guest.hangUp(peerIdFromString(String(caller.remotePeer))) },
  async drop (_, caller) { setTimeout(() => caller.close(), 50) },
  async abort (_, caller) { setTimeout(() => caller.abort(new Error('told to')), 50) }
}

await relay.handle('/compat/do/1', async (stream, connection) => {
  const { do: what, ...request } = JSON.parse(await text(stream))
  const answer = await commands[what](request, connection).catch((err) => ({ error: `${err.name}: ${err.message}` }))
  stream.send(Buffer.from(JSON.stringify(answer ?? {})))
  await stream.close()
}, { maxInboundStreams: 100, runOnLimitedConnection: true })
// reads a little, then resets
await relay.handle('/compat/reset/1', (stream) => {
  stream.addEventListener('message', () => stream.abort(new Error('reset')))
})
// speaks first, and ends its half; the caller may go on
await relay.handle('/compat/greet/1', async (stream) => {
  await new Promise((resolve) => setTimeout(resolve, 100)) // js-libp2p loses what comes with the answer of the negotiation
  stream.send(Buffer.from('hello'))
  await stream.close()
})
// says nothing, reads nothing
await relay.handle('/compat/silent/1', (stream) => { stream.pause() })
// takes all, tells how much it was
await relay.handle('/compat/count/1', async (stream) => {
  let count = 0
  for await (const part of stream) count += part.byteLength
  stream.send(Buffer.from(String(count)))
  await stream.close()
}, { maxInboundStreams: 100 })

process.stdin.resume().on('end', () => process.exit(0))
process.on('SIGTERM', () => process.exit(0))
console.log(JSON.stringify({ peerId: String(relay.peerId), addr: addressOf(relay), guest: String(guest.peerId), pid: process.pid }))

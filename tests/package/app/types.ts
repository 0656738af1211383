// What an application in TypeScript writes, with every check there is.
import {
  bootstrap, createLibp2p, generateKeyPair, gossipsub, multiaddr, ping, pubsubPeerDiscovery, type Connection, type Libp2p, type Message,
  type Multiaddr, type PeerId, type Stream
} from 'peerlet'
import { createLibp2p as createDebug } from 'peerlet/debug'
import { fetch } from 'peerlet/services'
import { createLibp2p as createSlim, init } from 'peerlet/slim'
import module from 'peerlet/peerlet.wasm'
import 'peerlet/peerlet.min.js'

export async function main (relay: string): Promise<string> {
  const node: Libp2p = await createLibp2p({
    privateKey: await generateKeyPair('Ed25519'),
    peerDiscovery: [bootstrap({ list: [relay] }), pubsubPeerDiscovery()],
    services: { ping: ping(), pubsub: gossipsub(), fetch: fetch() }
  })
  const address: Multiaddr = multiaddr(relay)
  const connection: Connection = await node.dial(address, { signal: AbortSignal.timeout(1000) })
  const peer: PeerId = connection.remotePeer
  const stream: Stream = await connection.newStream('/echo/1.0.0')
  if (!stream.send(new Uint8Array([1]))) await stream.onDrain()
  let length = 0
  for await (const bytes of stream) length += bytes.length
  await node.handle('/chat/1.0.0', (incoming: Stream, from: Connection) => { incoming.abort(new Error(from.id)) })
  node.addEventListener('peer:connect', (event) => { console.log(String(event.detail)) })
  node.services.pubsub.addEventListener('message', (event: CustomEvent<Message>) => { console.log(event.detail.topic, event.detail.data.length) })
  await node.stop()
  return `${peer} ${length}`
}

/** Nothing is annotated: all of it is known from what createLibp2p was given. */
export async function told (relay: string): Promise<void> {
  const node = await createLibp2p({ peerDiscovery: [bootstrap({ list: [relay] })] })
  node.services.pubsub.addEventListener('message', ({ detail: { topic, from, data } }) => { console.log(topic.length, from?.toString(), data.length) })
  node.addEventListener('connection:open', ({ detail }) => { console.log(detail.remotePeer.toString()) })
  node.addEventListener('peer:discovery', ({ detail: { multiaddrs } }) => { console.log(multiaddrs[0]?.toString()) })
  const ms: number = await node.services.ping.ping(relay)
  // @ts-expect-error: a topic is text
  node.services.pubsub.subscribe(ms)
  const named = await createLibp2p({ services: { gossip: gossipsub(), fetch: fetch(), own: () => ({ answer: 42 }) } })
  const { recipients } = await named.services.gossip.publish('chat', await named.services.fetch.fetch(relay, 'key'))
  const answer: number = named.services.own.answer
  // @ts-expect-error: nobody gave it one of this name
  named.services.pubsub.subscribe(`${recipients.length} ${answer}`)
  const kept: Libp2p = named
  await kept.stop()
}

export async function slim (): Promise<void> {
  await init({ module })
  // @ts-expect-error: the types know what init() takes
  await init({ uri: 'peerlet.wasm' })
  await (await createSlim()).stop()
  await (await Peerlet.createLibp2p()).stop()
}

export async function recorded (): Promise<Blob> {
  const node: Libp2p & { recording: () => Blob } = await createDebug({ record: { secrets: true } })
  await node.stop()
  return node.recording()
}

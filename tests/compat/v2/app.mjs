// An application written for js-libp2p 2, after its public API. It says what it sees; main.mjs runs it.
import { gossipsub } from '@chainsafe/libp2p-gossipsub'
import { noise, pureJsCrypto } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { bootstrap } from '@libp2p/bootstrap'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { identify, identifyPush } from '@libp2p/identify'
import { isPeerId, isPubSub, start, StrictSign, stop, TimeoutError, TopicValidatorResult } from '@libp2p/interface'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import { ping, PING_PROTOCOL } from '@libp2p/ping'
import { pubsubPeerDiscovery } from '@libp2p/pubsub-peer-discovery'
import { webSockets } from '@libp2p/websockets'
import * as filters from '@libp2p/websockets/filters'
import { CODE_TCP, fromNodeAddress, fromTuples, isName, multiaddr, protocols } from '@multiformats/multiaddr'
import { QUICV1, WebRTC, WebSockets } from '@multiformats/multiaddr-matcher'
import { lpStream } from 'it-length-prefixed-stream'
import { pipe } from 'it-pipe'
import { createLibp2p, isLibp2p } from 'libp2p'
import { next, until } from '../transcript.mjs'

const bytes = (text) => new TextEncoder().encode(text)
const ECHO = '/echo/1.0.0'
const FRIEND = '12D3KooWRawPbxPtP1eZaJpumGnyWX2DcUyd3RQnydr3eAto4Az7'

async function read (source) {
  let text = ''
  for await (const part of source) text += new TextDecoder().decode(part.subarray())
  return text
}

async function names ({ say, outcome }) {
  const ma = multiaddr(`/ip4/127.0.0.1/tcp/9001/ws/p2p/${FRIEND}`)
  say('protos', [ma.protos().map(({ code, name, size }) => [code, name, size === -1 ? 'V' : size]), ma.protoNames(), ma.protoCodes(), ma.stringTuples(), ma.getPeerId(), ma.nodeAddress(), ma.toOptions(), ma.getPath()])
  say('tuples', ma.tuples().map(([code, value]) => [code, value?.length]))
  say('from tuples', [fromTuples(ma.tuples()), fromNodeAddress({ family: 4, address: '192.0.2.1', port: 80 }, 'tcp'), isName(multiaddr('/dns4/a.example/tcp/1')), isName(ma), ma.isThinWaistAddress(), multiaddr('/ip4/1.2.3.4/tcp/1').isThinWaistAddress()])
  say('protocols', [protocols('tcp').code, protocols(CODE_TCP).name, protocols('dns4').resolvable])
  say('no peer', [multiaddr('/ip4/1.2.3.4/tcp/1').getPeerId(), multiaddr('/dns4/a.example/tcp/443/wss').nodeAddress()])
  await outcome('no address', () => multiaddr('/p2p-circuit').nodeAddress())
  const addresses = ['/ip4/1.2.3.4/tcp/1/ws', '/dns4/a.example/tcp/443/wss', '/dns4/a.example/tcp/1/ws', '/ip4/1.2.3.4/udp/1/quic-v1', '/webrtc'].map((text) => multiaddr(text))
  for (const name of ['all', 'wss', 'dnsWss', 'dnsWsOrWss']) say(`filter ${name}`, filters[name](addresses))
  say('matchers', [QUICV1, WebRTC, WebSockets].map(({ exactMatch }) => addresses.map((one) => Number(exactMatch(one))).join('')))
  const key = await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(7))
  const id = peerIdFromPrivateKey(key)
  say('id', [id, id.type, isPeerId(id), id.equals(peerIdFromString(FRIEND)), String(id.toCID()), PING_PROTOCOL, StrictSign])
  const log = []
  const service = { beforeStart: () => log.push('beforeStart'), start: () => log.push('start'), stop: () => log.push('stop'), afterStop: () => log.push('afterStop') }
  await start(service, 5)
  await stop(service, {})
  say('start and stop', log)
}

/** @param {any} services @param {any} options @returns {Promise<any>} */
const makeNode = (services = {}, options = {}) => createLibp2p({
  transports: [webSockets({ filter: filters.all }), circuitRelayTransport({ reservationConcurrency: 1 })],
  connectionEncrypters: [noise({ crypto: pureJsCrypto })],
  streamMuxers: [yamux({ maxInboundStreams: 64, enableKeepAlive: true })],
  connectionGater: { denyDialMultiaddr: () => false },
  connectionManager: { maxConnections: 50, dialTimeout: 8000, reconnectRetries: 2 },
  connectionMonitor: { enabled: true },
  services: { identify: identify({ timeout: 8000 }), identifyPush: identifyPush(), ping: ping({ timeout: 8000 }), pubsub: gossipsub({ allowPublishToZeroTopicPeers: true, emitSelf: true }), ...services },
  ...options
})

/** As the direct messages of the universal-connectivity chat are: length-prefixed, there and back. */
const direct = (heard) => (components) => {
  const PROTOCOL = '/compat/direct/1'
  const peers = []
  let topology
  return {
    peers,
    async start () { topology = await components.registrar.register(ECHO, { onConnect: (id) => { peers.push(id) }, onDisconnect: () => { peers.length = 0 } }) },
    async afterStart () {
      await components.registrar.handle(PROTOCOL, async ({ stream, connection }) => {
        const lp = lpStream(stream)
        heard.push([await lp.read(), connection.remotePeer])
        await lp.write(bytes('received'))
        await stream.close()
      })
    },
    stop () { components.registrar.unregister(topology) },
    async send (id, text, signal) {
      const connection = await components.connectionManager.openConnection(id, { signal })
      const stream = await connection.newStream(PROTOCOL, { negotiateFully: false })
      const lp = lpStream(stream)
      await lp.write(bytes(text), { signal })
      const answer = await lp.read({ signal })
      await stream.close({ signal })
      return answer
    }
  }
}

/** Tells the peer to do something. */
async function tell (connection, what, request = {}) {
  const stream = await connection.newStream('/compat/do/1', { runOnLimitedConnection: true })
  const answer = await pipe([bytes(JSON.stringify({ do: what, ...request }))], stream, async (source) => await read(source))
  return JSON.parse(answer)
}

async function streams ({ say, outcome }, node, connection) {
  const stream = await node.dialProtocol(connection.remotePeer, ECHO)
  say('stream', [stream.protocol, stream.direction, stream.status, typeof stream.timeline.open, connection.streams.includes(stream)])
  say('piped', await pipe([bytes('one '), bytes('two')], stream, async (source) => await read(source)))
  await stream.close()
  await until(() => stream.status === 'closed')
  say('over', [stream.status, stream.writeStatus, connection.streams.includes(stream)])

  const halves = await connection.newStream([ECHO])
  const reading = read(halves.source)
  await halves.sink((async function * () { yield bytes('from a generator') })())
  say('source and sink', await reading)
  await halves.close()

  const closed = await connection.newStream(ECHO)
  await closed.closeWrite()
  say('closed for writing', [closed.writeStatus, await read(closed.source)])

  const greeted = await connection.newStream('/compat/greet/1')
  say('greeted', await read(greeted.source))
  await greeted.close()

  const counted = await connection.newStream('/compat/count/1')
  say('a lot', await pipe(async function * () { for (let i = 0; i < 50; i++) yield new Uint8Array(65536) }, counted, async (source) => await read(source)))

  const aborted = await connection.newStream(ECHO)
  const dropped = read(aborted.source)
  aborted.abort(new TimeoutError('enough'))
  await outcome('read what was aborted', dropped)
  say('aborted', aborted.status)

  const reset = await connection.newStream('/compat/reset/1')
  const failing = read(reset.source)
  reset.sink([bytes('x')]).catch(() => {})
  await outcome('read what is reset', failing)
  await outcome('a protocol nobody speaks', connection.newStream('/compat/nobody/1'))
}

async function handlers ({ say }, node, connection) {
  const seen = []
  await node.handle('/compat/app/1', async ({ stream, connection: from }) => {
    seen.push([stream.protocol, stream.direction, from === connection, from.remotePeer])
    await pipe(stream, async function * (source) { yield bytes((await read(source)).toUpperCase()) }, stream)
  }, { maxInboundStreams: 10, runOnLimitedConnection: false })
  say('handled', node.getProtocols().includes('/compat/app/1'))
  say('called', await tell(connection, 'call', { protocol: '/compat/app/1', say: 'hello' }))
  say('seen', seen)
  await node.handle('/compat/echo/1', ({ stream }) => { pipe(stream, stream) })
  say('piped into itself', await tell(connection, 'call', { protocol: '/compat/echo/1', say: 'hello' }))
  await node.unhandle(['/compat/app/1', '/compat/echo/1'])
  say('unhandled', node.getProtocols().filter((one) => /compat\/(app|echo)/.test(one)))
}

async function gossip ({ say }, node, connection) {
  const { pubsub } = node.services
  say('pubsub', [isPubSub(pubsub), isPubSub({})])
  const messages = []
  pubsub.addEventListener('message', ({ detail }) => messages.push(detail))
  pubsub.topicValidators.set('compat2', (from, { data }) => new TextDecoder().decode(data) === 'bad' ? TopicValidatorResult.Reject : TopicValidatorResult.Accept)
  pubsub.subscribe('compat2')
  await tell(connection, 'subscribe', { topic: 'compat2' })
  await until(() => pubsub.getSubscribers('compat2').length === 1)
  await until(async () => (await tell(connection, 'subscribers', { topic: 'compat2' })).count === 1)
  await tell(connection, 'publish', { topic: 'compat2', say: 'bad' })
  await tell(connection, 'publish', { topic: 'compat2', say: 'good' })
  await until(() => messages.length === 1)
  const { recipients } = await pubsub.publish('compat2', bytes('mine'))
  await until(() => messages.length === 2)
  say('messages', [recipients, messages.map(({ type, topic, from, data, signature }) => [type, topic, from, data, signature?.length])])
  pubsub.unsubscribe('compat2')
  say('topics', [pubsub.getTopics(), pubsub.getPeers()])
}

async function relayed ({ say, outcome }, peer) {
  const node = await makeNode({}, { addresses: { listen: ['/p2p-circuit'] }, peerDiscovery: [bootstrap({ list: [peer.addr] }), pubsubPeerDiscovery({ interval: 1000 })] })
  await node.handle(ECHO, ({ stream }) => pipe(stream, stream), { runOnLimitedConnection: true })
  await until(() => node.getMultiaddrs().length > 0)
  say('reserved', node.getMultiaddrs().map((ma) => String(ma).replaceAll(String(node.peerId), '<relayed>')))
  const inbound = next(node, 'connection:open', ({ remotePeer }) => String(remotePeer) === peer.guest)
  say('visited', await tell(node.getConnections()[0], 'visit'))
  const limited = await inbound
  say('limited', [limited.direction, typeof limited.limits.bytes, typeof limited.limits.seconds])
  await outcome('stream on a limited connection', limited.newStream(ECHO))
  await node.stop()
}

/** @param {{ peerId: string, addr: string, guest: string }} peer @param {any} t of transcript.mjs */
export async function run (peer, t) {
  const { say, outcome } = t
  t.name(peer.peerId, 'peer')
  t.name(peer.guest, 'guest')
  await names(t)

  const heard = []
  const node = await makeNode({ direct: direct(heard) }, { start: false })
  t.name(node.peerId, 'node')
  const events = []
  for (const type of ['start', 'stop', 'peer:connect', 'peer:disconnect', 'connection:open', 'connection:close', 'peer:identify']) node.addEventListener(type, () => events.push(type))
  say('made', [isLibp2p(node), node.status, Object.keys(node.services).sort()])
  await node.start()
  const identified = next(node, 'peer:identify')
  const connection = await node.dial(multiaddr(peer.addr))
  say('connection', [connection.remotePeer, connection.remoteAddr, connection.direction, connection.status, connection.multiplexer, connection.encryption, typeof connection.timeline.open, typeof connection.timeline.upgraded, connection.limits])
  const { agentVersion, protocolVersion, listenAddrs } = await identified
  say('identify', [agentVersion.split('/')[0], protocolVersion, listenAddrs])
  await until(() => node.services.direct.peers.length > 0)
  say('topology', node.services.direct.peers)
  say('ping', typeof await node.services.ping.ping(connection.remotePeer))
  await streams(t, node, connection)
  await handlers(t, node, connection)
  await gossip(t, node, connection)

  const other = await makeNode({ direct: direct(heard) }, { addresses: { listen: ['/p2p-circuit'] }, peerDiscovery: [bootstrap({ list: [peer.addr], timeout: 10 })] })
  t.name(other.peerId, 'other')
  await until(() => other.getMultiaddrs().length > 0)
  const between = await node.dial(other.getMultiaddrs()[0])
  say('between two', [between.remotePeer, typeof between.limits])
  await outcome('a message, where limits forbid it', node.services.direct.send(other.peerId, 'hello', AbortSignal.timeout(5000)))
  await node.hangUp(other.peerId)
  await other.stop()
  await relayed(t, peer)

  const { peerStore } = node
  const shown = ({ id, addresses, tags }) => [id, addresses.map(({ multiaddr }) => multiaddr), [...tags].map(([name, { value }]) => [name, value])]
  say('store', shown(await peerStore.save(peerIdFromString(FRIEND), { multiaddrs: [multiaddr('/ip4/127.0.0.1/tcp/1/ws')], tags: { friend: { value: 10 } } })))
  say('store patched', shown(await peerStore.patch(peerIdFromString(FRIEND), { tags: {} })))
  await outcome('dial nothing', node.dial([]))
  await node.hangUp(peerIdFromString(peer.peerId))
  await until(() => node.getConnections().length === 0)
  say('hung up', [connection.status, typeof connection.timeline.close, node.getPeers()])
  await node.stop()
  say('events', [...new Set(events)].sort())
}

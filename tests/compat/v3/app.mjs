// An application written for js-libp2p 3, after its public API. It says what it sees; main.mjs runs it.
import { bootstrap } from '@libp2p/bootstrap'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import {
  generateKeyPair, generateKeyPairFromSeed, privateKeyFromProtobuf, privateKeyFromRaw, privateKeyToProtobuf,
  publicKeyFromProtobuf, publicKeyFromRaw, publicKeyToProtobuf
} from '@libp2p/crypto/keys'
import { gossipsub, TopicValidatorResult } from '@libp2p/gossipsub'
import { identify, identifyPush } from '@libp2p/identify'
import {
  isPeerId, isPrivateKey, isPublicKey, isStartable, KEEP_ALIVE, serviceCapabilities, serviceDependencies, TimeoutError, TypedEventEmitter
} from '@libp2p/interface'
import { defaultLogger, disable, enable, logger, prefixLogger } from '@libp2p/logger'
import { noise } from '@libp2p/noise'
import { peerIdFromCID, peerIdFromPrivateKey, peerIdFromPublicKey, peerIdFromString } from '@libp2p/peer-id'
import { ping } from '@libp2p/ping'
import { pubsubPeerDiscovery } from '@libp2p/pubsub-peer-discovery'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { CODE_P2P, isMultiaddr, multiaddr } from '@multiformats/multiaddr'
import * as matchers from '@multiformats/multiaddr-matcher'
import { createLibp2p, isLibp2p } from 'libp2p'
import { next, until } from '../transcript.mjs'

const bytes = (text) => new TextEncoder().encode(text)
const ECHO = '/echo/1.0.0'
const NOBODY = '12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq'
const FRIEND = '12D3KooWRawPbxPtP1eZaJpumGnyWX2DcUyd3RQnydr3eAto4Az7'

const read = async (stream) => {
  let text = ''
  for await (const part of stream) text += new TextDecoder().decode(part.subarray())
  return text
}

/** The events of a target, until it is read. */
function watch (target, types) {
  const seen = []
  for (const type of types) target.addEventListener(type, ({ detail }) => seen.push([type, detail]))
  return seen
}

async function names ({ say, outcome }) {
  const key = await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(7))
  say('key', [key.type, key.raw.length, key.publicKey.type, key.publicKey.raw.length, String(key.publicKey), isPrivateKey(key), isPublicKey(key.publicKey)])
  const id = peerIdFromPrivateKey(key)
  say('id', [id, id.type, isPeerId(id), id.equals(peerIdFromPublicKey(key.publicKey)), id.equals(String(id)), id.equals(NOBODY), String(id.toCID()), id.toMultihash().bytes.length, `${id}`])
  say('ids read', [peerIdFromString(String(id.toCID())), peerIdFromCID(id.toCID()), peerIdFromString('QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC')])
  await outcome('not an id', () => peerIdFromString('12D3Koo'))
  const again = privateKeyFromProtobuf(privateKeyToProtobuf(key))
  say('key again', [again.equals(key), privateKeyFromRaw(key.raw).equals(key), publicKeyFromRaw(key.publicKey.raw).equals(key.publicKey), publicKeyFromProtobuf(publicKeyToProtobuf(key.publicKey)).equals(key.publicKey)])
  const signature = await key.sign(bytes('signed'))
  say('signature', [signature.length, await key.publicKey.verify(bytes('signed'), signature), await key.publicKey.verify(bytes('other'), signature)])
  say('a key of chance', [(await generateKeyPair('Ed25519')).equals(key)])
  say('key of id', id.publicKey?.equals(key.publicKey))
  await outcome('bad key', () => privateKeyFromProtobuf(new Uint8Array([1, 2, 3])))

  const ma = multiaddr(`/ip4/127.0.0.1/tcp/9001/ws/p2p/${NOBODY}`)
  say('address', [ma, isMultiaddr(ma), isMultiaddr('/ip4/1.2.3.4'), ma.getComponents(), ma.bytes.length, ma.equals(multiaddr(ma.bytes)), ma.encapsulate('/p2p-circuit'), ma.decapsulate('/ws'), ma.decapsulateCode(CODE_P2P), `${multiaddr(ma)}`, JSON.stringify({ ma })])
  for (const text of ['/nonsense', '/ip4/1.2.3', '/tcp/99999', 'ip4/1.2.3.4', '/p2p/xyz']) await outcome(`address ${text}`, () => multiaddr(text))
  const addresses = [
    '/ip4/1.2.3.4/tcp/1/ws', '/dns4/a.example/tcp/443/wss', '/dns/a.example/tcp/443/tls/ws', `/ip4/1.2.3.4/udp/1/webrtc-direct/p2p/${NOBODY}`, '/ip4/1.2.3.4/udp/1/quic-v1/webtransport',
    `/ip4/1.2.3.4/tcp/1/ws/p2p/${NOBODY}/p2p-circuit/webrtc/p2p/${NOBODY}`, `/ip4/1.2.3.4/tcp/1/ws/p2p/${NOBODY}/p2p-circuit`, '/webrtc', '/p2p-circuit', `/p2p/${NOBODY}`, '/dnsaddr/a.example', '/ip6/::1/tcp/1', '/ip4/1.2.3.4/udp/1/quic-v1', '/unix/a', '/ip4/1.2.3.4/tcp/80/http', '/dns4/a.example/tcp/443/https'
  ]
  for (const [name, matcher] of Object.entries(matchers).sort(([a], [b]) => a < b ? -1 : 1)) {
    if (name !== 'QUICV1' && matcher?.exactMatch !== undefined) say(`matcher ${name}`, addresses.map((text) => Number(matcher.matches(multiaddr(text))) + Number(matcher.exactMatch(multiaddr(text)))).join(''))
  }

  const target = new TypedEventEmitter()
  const heard = watch(target, ['a'])
  target.addEventListener('a', () => heard.push('once'), { once: true })
  target.safeDispatchEvent('a', { detail: 1 })
  target.dispatchEvent(new CustomEvent('a', { detail: 2 }))
  say('emitter', [heard, target.listenerCount('a'), target.listenerCount('b')])
  enable('compat:on')
  say('logger', [logger('compat:on').enabled, logger('compat:off').enabled, typeof logger('x').error, typeof logger('x').trace, typeof logger('x').newScope('y'), typeof prefixLogger('p').forComponent('c'), typeof defaultLogger().forComponent('c')])
  disable()
  say('logger off', logger('compat:on').enabled)
  say('error', [new TimeoutError().name, new TimeoutError('mine').message, new TimeoutError() instanceof TimeoutError, KEEP_ALIVE])
}

/** A service with everything a service may have. */
const custom = (log) => (components) => {
  log.push(['made with', ['peerId', 'privateKey', 'peerStore', 'events', 'logger', 'registrar', 'connectionManager', 'addressManager', 'peerRouting', 'contentRouting', 'connectionGater', 'nodeInfo'].filter((name) => components[name] != null)])
  log.push(['registrar', ['register', 'unregister', 'handle', 'unhandle', 'getHandler', 'getProtocols', 'getTopologies', 'use', 'unuse'].map((name) => typeof components.registrar[name])])
  log.push(['connectionManager', ['openConnection', 'openStream', 'closeConnections', 'getConnections', 'getConnectionsMap', 'getDialQueue', 'isDialable', 'getMaxConnections'].map((name) => typeof components.connectionManager[name])])
  log.push(['same peer', components.peerId.equals(peerIdFromPrivateKey(components.privateKey))])
  try {
    log.push(['missing', components.nothing])
  } catch (/** @type {any} */ err) {
    log.push(['missing', err.name])
  }
  return {
    [Symbol.toStringTag]: 'custom',
    [serviceCapabilities]: ['compat/custom'],
    [serviceDependencies]: ['@libp2p/identify', '@libp2p/ping'],
    components,
    beforeStart () { log.push(['beforeStart']) },
    async start () { log.push(['start']) },
    afterStart () { log.push(['afterStart', components.pubsub !== undefined]) },
    beforeStop () { log.push(['beforeStop']) },
    stop () { log.push(['stop']) },
    afterStop () { log.push(['afterStop']) }
  }
}

/** @param {any} services @param {any} options @returns {Promise<any>} */
const makeNode = (services = {}, options = {}) => createLibp2p({
  transports: [webSockets(), circuitRelayTransport()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  connectionGater: { denyDialMultiaddr: async () => false },
  services: { identify: identify(), identifyPush: identifyPush(), ping: ping(), pubsub: gossipsub({ allowPublishToZeroTopicPeers: false, runOnLimitedConnection: false }), ...services },
  ...options
})

async function life ({ say, outcome, name }) {
  const log = []
  const node = await makeNode({ custom: custom(log) }, {
    start: false,
    privateKey: await generateKeyPairFromSeed('Ed25519', crypto.getRandomValues(new Uint8Array(32))),
    nodeInfo: { name: 'compat', version: '1.2.3', userAgent: 'compat/1.2.3' }
  })
  name(node.peerId, 'me')
  node.addEventListener('start', ({ detail }) => log.push(['start event', detail === node, node.status]))
  node.addEventListener('stop', ({ detail }) => log.push(['stop event', detail === node, node.status]))
  say('made', [isLibp2p(node), isLibp2p({}), node.status, Object.keys(node.services).sort(), node.peerId, node.getMultiaddrs(), node.getConnections(), node.getPeers(), node.getDialQueue(), isStartable(node)])
  await node.start()
  await node.start()
  say('started', node.status)
  log.push(['registrar protocols', node.services.custom.components.registrar.getProtocols().includes('/ipfs/ping/1.0.0'), node.services.custom.components.nodeInfo.userAgent])
  await node.stop()
  await node.stop()
  say('stopped', node.status)
  await node.start()
  say('started again', node.status)
  await node.stop()
  say('what happened', log)
  await outcome('a need that is not met', () => makeNode({ custom: () => ({ [Symbol.toStringTag]: 'needy', [serviceDependencies]: ['nobody/does'] }) }, { start: false }).then(() => 'made'))
  await outcome('a service that fails to start', () => makeNode({ custom: () => ({ start () { throw new TimeoutError('no') }, stop () {} }) }).then(() => 'made'))
  await outcome('no service', () => makeNode({ custom: () => undefined }, { start: false }).then(({ services }) => Object.keys(services).sort()))
}

async function dials ({ say, outcome }, node, peer) {
  const seen = watch(node, ['peer:connect', 'peer:identify', 'connection:open', 'peer:disconnect', 'connection:close'])
  const identified = next(node, 'peer:identify')
  const updated = next(node, 'peer:update', ({ peer: { id, protocols } }) => id.equals(peer.peerId) && protocols.length > 0)
  const connection = await node.dial(multiaddr(peer.addr))
  say('connection', {
    id: typeof connection.id, remoteAddr: connection.remoteAddr, remotePeer: connection.remotePeer, direction: connection.direction, status: connection.status,
    direct: connection.direct, limits: connection.limits, multiplexer: connection.multiplexer, encryption: connection.encryption,
    streams: Array.isArray(connection.streams), open: typeof connection.timeline.open, close: connection.timeline.close, log: typeof connection.log
  })
  const { listenAddrs, protocols, agentVersion, protocolVersion, publicKey, observedAddr, peerId, connection: whose, signedPeerRecord } = await identified
  say('identify', {
    listenAddrs, protocols: protocols.filter((one) => one.startsWith('/compat')).sort(), agent: agentVersion.split('/')[0], protocolVersion, peerId, same: whose === connection,
    publicKey: publicKey.length, observedAddr: String(observedAddr).replace(/\d{4,}/, 'port'), record: signedPeerRecord?.addresses
  })
  const { peer: known } = await updated
  say('update', { id: known.id, addresses: known.addresses.map(({ multiaddr }) => multiaddr), tags: known.tags.size, metadata: typeof known.metadata.size })
  say('events', seen.map(([type, detail]) => [type, detail.remotePeer ?? detail.peerId ?? detail]).sort())
  say('again', await node.dial(multiaddr(peer.addr)) === connection)
  say('by id', await node.dial(connection.remotePeer) === connection)
  say('by list', await node.dial([multiaddr(peer.addr)]) === connection)
  const second = await node.dial(multiaddr(peer.addr), { force: true })
  say('forced', [second === connection, second.id === connection.id, node.getConnections().length, node.getConnections(connection.remotePeer).length, node.getConnections(peerIdFromString(NOBODY)).length, node.getPeers(), node.getDialQueue()])
  const closing = next(node, 'connection:close')
  await second.close()
  say('one closed', [second.status, typeof second.timeline.close, (await closing) === second, node.getConnections().length, seen.filter(([type]) => type === 'peer:disconnect').length])
  await outcome('stream on it', second.newStream(ECHO))
  const dialable = ['/ip4/127.0.0.1/tcp/1/ws', '/ip4/127.0.0.1/tcp/1', '/ip4/127.0.0.1/udp/1/quic-v1', `/ip4/127.0.0.1/tcp/1/ws/p2p/${NOBODY}/p2p-circuit/p2p/${NOBODY}`]
  for (const text of dialable) await outcome(`dialable ${text}`, node.isDialable(multiaddr(text)))
  await outcome('dialable, one of them', node.isDialable([multiaddr(dialable[1]), multiaddr(dialable[0])]))

  await outcome('dial a closed port', node.dial(multiaddr('/ip4/127.0.0.1/tcp/1/ws')))
  await outcome('dial what no transport knows', node.dial(multiaddr('/ip4/127.0.0.1/tcp/1')))
  await outcome('dial who has no address', node.dial(peerIdFromString(NOBODY)))
  await outcome('dial nothing', node.dial([]))
  await outcome('dial with a signal that is over', node.dial(multiaddr(peer.addr), { signal: AbortSignal.abort() }))
  await outcome('dial somebody else there', node.dial(multiaddr(peer.addr.replace(peer.peerId, NOBODY)), { signal: AbortSignal.timeout(5000) }))
  await outcome('dial myself', node.dial(node.peerId))
  return connection
}

async function streams ({ say, outcome }, node, connection) {
  const stream = await connection.newStream(ECHO)
  say('stream', {
    id: typeof stream.id, protocol: stream.protocol, direction: stream.direction, status: stream.status, readStatus: stream.readStatus, writeStatus: stream.writeStatus,
    remoteReadStatus: stream.remoteReadStatus, remoteWriteStatus: stream.remoteWriteStatus, open: typeof stream.timeline.open, close: stream.timeline.close,
    listed: connection.streams.includes(stream), needsDrain: stream.writableNeedsDrain, ended: stream.readableEnded, unread: stream.readBufferLength, unsent: stream.writeBufferLength, log: typeof stream.log
  })
  const seen = []
  for (const type of ['message', 'drain', 'remoteCloseWrite', 'end', 'close']) stream.addEventListener(type, (event) => seen.push(type === 'message' ? new TextDecoder().decode(event.data.subarray()) : [type, event.error, event.local]))
  say('send', stream.send(bytes('one')))
  await until(() => seen.length === 1)
  stream.send(bytes('two'))
  await until(() => seen.length === 2)
  const closed = next(stream, 'close')
  await stream.close()
  say('closed ours', stream.writeStatus)
  await closed
  say('events', seen.filter(([type]) => type !== 'drain'))
  say('stream over', [stream.status, stream.readStatus, stream.writeStatus, stream.remoteWriteStatus, stream.readableEnded, typeof stream.timeline.close, connection.streams.includes(stream)])
  await outcome('send then', () => stream.send(bytes('three')))
  await outcome('close then', stream.close())

  const greeted = await node.dialProtocol(connection.remotePeer, ['/compat/nobody/1', '/compat/greet/1'])
  say('first that is spoken', greeted.protocol)
  say('read to the end', [await read(greeted), greeted.remoteWriteStatus, greeted.status])
  say('and we may still send', greeted.send(bytes('late')))
  await greeted.close()

  await outcome('a protocol nobody speaks', connection.newStream('/compat/nobody/1'))
  await outcome('no protocol', node.dialProtocol(connection.remotePeer, []))
  await outcome('a stream with a signal that is over', connection.newStream(ECHO, { signal: AbortSignal.abort() }))

  const reset = await connection.newStream('/compat/reset/1')
  const ended = next(reset, 'close')
  reset.send(bytes('x'))
  const { error, local } = await ended
  say('reset', [error, local, reset.status])
  await outcome('read what was reset', read(reset))

  const aborted = await connection.newStream(ECHO)
  const over = next(aborted, 'close')
  aborted.abort(new TimeoutError('enough'))
  const end = await over
  say('aborted', [end.error, end.local, aborted.status, aborted.writeStatus, aborted.readStatus])
  await outcome('send then', () => aborted.send(bytes('x')))

  const paused = await connection.newStream(ECHO)
  const parts = []
  paused.addEventListener('message', ({ data }) => parts.push(new TextDecoder().decode(data.subarray())))
  paused.pause()
  say('paused', paused.readStatus)
  paused.send(bytes('while paused'))
  await until(() => paused.readBufferLength > 0)
  say('waits', [paused.readBufferLength, parts])
  paused.resume()
  await until(() => parts.length > 0)
  say('resumed', [paused.readStatus, parts])
  paused.pause()
  paused.push(bytes('last'))
  paused.unshift(bytes('first'))
  paused.resume()
  await until(() => parts.join('').endsWith('last'))
  say('put back', parts.join(''))
  await paused.closeRead()
  say('closed for reading', paused.readStatus)
  paused.abort(new Error('done'))

  const counted = await connection.newStream('/compat/count/1')
  const some = new Uint8Array(65536)
  let waits = 0
  for (let i = 0; i < 100; i++) {
    if (counted.send(some)) continue
    waits++
    await counted.onDrain({ signal: AbortSignal.timeout(8000) })
  }
  const answer = read(counted)
  await counted.close()
  say('a lot', [await answer, waits > 0])

  const silent = await connection.newStream('/compat/silent/1')
  const filling = new Uint8Array(65536)
  for (let i = 0; i < 200 && silent.send(filling); i++);
  say('full', [silent.writableNeedsDrain, silent.writeStatus])
  await outcome('drain with a signal', silent.onDrain({ signal: AbortSignal.timeout(50) }))
  silent.abort(new Error('done'))
}

/** Tells the peer to do something. */
const tell = async (connection, what, request = {}) => {
  const stream = await connection.newStream('/compat/do/1', { runOnLimitedConnection: true })
  stream.send(bytes(JSON.stringify({ do: what, ...request })))
  const answer = read(stream)
  await stream.close()
  return JSON.parse(await answer)
}

async function handlers ({ say, outcome }, node, connection) {
  const seen = []
  const updates = watch(node, ['self:peer:update'])
  const answering = async (stream, from) => {
    seen.push([stream.protocol, stream.direction, from === connection, from.remotePeer])
    const text = await read(stream)
    stream.send(bytes(text.toUpperCase()))
    await stream.close()
  }
  await node.handle(['/compat/app/1', '/compat/app/2'], answering)
  say('handled', node.getProtocols().filter((one) => one.startsWith('/compat')))
  say('told to others', await until(async () => (await tell(connection, 'protocols')).protocols.includes('/compat/app/2')))
  say('self update', updates.some(([, { peer }]) => peer.protocols.includes('/compat/app/1')))
  say('called', await tell(connection, 'call', { protocol: '/compat/app/1', say: 'hello' }))
  say('seen', seen)
  await outcome('handle twice', node.handle('/compat/app/1', answering))
  await outcome('handle with force', node.handle('/compat/app/1', async (stream) => {
    stream.send(bytes('forced'))
    await stream.close()
  }, { force: true }))
  say('called', await tell(connection, 'call', { protocol: '/compat/app/1', say: 'hello' }))
  await node.unhandle('/compat/app/1')
  say('called then', Object.keys(await tell(connection, 'call', { protocol: '/compat/app/1', say: 'hello' })))
  await node.handle('/compat/fails/1', () => { throw new Error('a fault') })
  say('a handler that throws', await tell(connection, 'call', { protocol: '/compat/fails/1', say: 'hello' }))
  await node.handle('/compat/few/1', (stream) => stream.send(bytes('x')), { maxInboundStreams: 2 })
  say('only so many', await tell(connection, 'flood', { protocol: '/compat/few/1', count: 4 }))
  await node.unhandle(['/compat/app/2', '/compat/fails/1', '/compat/few/1'])
  say('unhandled', node.getProtocols().filter((one) => one.startsWith('/compat')))

  const order = []
  node.use('/compat/app/3', [(stream, from, go) => { order.push('first'); go(stream, from) }, async (stream, from, go) => { order.push('second'); go(stream, from) }])
  await node.handle('/compat/app/3', async (stream) => { order.push('handler'); await stream.close() }, { maxInboundStreams: 3 })
  await tell(connection, 'call', { protocol: '/compat/app/3', say: 'x' })
  node.unuse('/compat/app/3')
  await tell(connection, 'call', { protocol: '/compat/app/3', say: 'x' })
  node.use(ECHO, (stream, from, go) => { order.push('outbound'); go(stream, from) })
  await connection.newStream(ECHO).then((stream) => stream.close())
  node.unuse(ECHO)
  say('middleware', order)
}

async function asked ({ say, outcome }, node, connection) {
  const ms = await node.services.ping.ping(connection.remotePeer)
  say('ping', [typeof ms, ms >= 0])
  await outcome('ping with a signal that is over', node.services.ping.ping(connection.remotePeer, { signal: AbortSignal.abort() }))
  const { peerId, protocols } = await node.services.identify.identify(connection)
  say('identify', [peerId, protocols.includes(ECHO)])
  const { custom } = node.services
  const opened = await custom.components.connectionManager.openConnection(connection.remotePeer, { signal: AbortSignal.timeout(5000) })
  say('openConnection', [opened === connection, custom.components.connectionManager.getConnections().length, custom.components.connectionManager.getConnectionsMap().get(connection.remotePeer).length])
  const stream = await custom.components.connectionManager.openStream(connection.remotePeer, ECHO)
  say('openStream', stream.protocol)
  await stream.close()
  await custom.components.registrar.handle('/compat/service/1', () => {})
  say('getHandler', [typeof custom.components.registrar.getHandler('/compat/service/1').handler, custom.components.registrar.getHandler('/compat/service/1').options])
  await outcome('getHandler of nobody', () => custom.components.registrar.getHandler('/compat/nobody/1'))
  await custom.components.registrar.unhandle('/compat/service/1')
  say('public key', (await node.getPublicKey(connection.remotePeer)).type)
}

async function store ({ say, outcome }, node, connection) {
  const { peerStore } = node
  const id = connection.remotePeer
  const { addresses, protocols } = await peerStore.get(id)
  say('known', [await peerStore.has(id), addresses.map(({ multiaddr }) => multiaddr), protocols.includes(ECHO), (await peerStore.getInfo(id)).multiaddrs])
  say('unknown', await peerStore.has(peerIdFromString(FRIEND)))
  await outcome('get the unknown', peerStore.get(peerIdFromString(FRIEND)))
  const other = peerIdFromString(FRIEND)
  const shown = ({ id, addresses, metadata, tags }) => [id, addresses.map(({ multiaddr }) => multiaddr), metadata, [...tags].map(([name, { value }]) => [name, value])]
  const updates = watch(node, ['peer:update'])
  say('merge', shown(await peerStore.merge(other, { multiaddrs: [multiaddr('/ip4/127.0.0.1/tcp/1/ws')], metadata: { name: bytes('Nobody') }, tags: { friend: { value: 10 } } })))
  say('merge more', shown(await peerStore.merge(other, { metadata: { age: bytes('7') }, tags: { old: { value: 1, ttl: 100 } } })))
  say('updates', updates.filter(([, { peer }]) => peer.id.equals(other)).map(([, { peer, previous }]) => [peer.tags.size, previous?.tags.size]))
  say('tag gone', await until(async () => !(await peerStore.get(other)).tags.has('old')))
  say('patch', shown(await peerStore.patch(other, { tags: { foe: { value: 3 } } })))
  say('take a tag', shown(await peerStore.merge(other, { tags: { foe: undefined }, metadata: { age: undefined } })))
  say('save', shown(await peerStore.save(other, { multiaddrs: [multiaddr('/ip4/127.0.0.1/tcp/1/ws')] })))
  say('all', (await peerStore.all({ filters: [({ id }) => id.equals(other)] })).map(({ id }) => id))
  const each = []
  await peerStore.forEach(({ id }) => each.push(String(id)))
  say('each', each.sort().includes(FRIEND))
  await peerStore.delete(other)
  say('deleted', await peerStore.has(other))
}

async function gossip ({ say, outcome }, node, connection) {
  const { pubsub } = node.services
  await outcome('publish to nobody', pubsub.publish('compat-nobody', bytes('x')))
  const changes = watch(pubsub, ['subscription-change'])
  const messages = watch(pubsub, ['message'])
  pubsub.subscribe('compat')
  say('topics', pubsub.getTopics())
  await tell(connection, 'subscribe', { topic: 'compat' })
  await until(() => pubsub.getSubscribers('compat').length === 1)
  await until(async () => (await tell(connection, 'subscribers', { topic: 'compat' })).count === 1)
  say('subscribers', [pubsub.getSubscribers('compat'), pubsub.getPeers()])
  say('change', changes.map(([, { peerId, subscriptions }]) => [peerId, subscriptions.map(({ topic, subscribe }) => [topic, subscribe])]))
  const heard = tell(connection, 'heard', { topic: 'compat' })
  await new Promise((resolve) => setTimeout(resolve, 1500)) // a mesh
  const { recipients } = await pubsub.publish('compat', bytes('to all'))
  say('published', [recipients, await heard])
  await tell(connection, 'publish', { topic: 'compat', say: 'from the peer' })
  await until(() => messages.length === 1)
  say('message', messages.map(([, { type, topic, from, data, sequenceNumber, signature, key }]) => [type, topic, from, data, typeof sequenceNumber, signature.length, key.type]))
  pubsub.topicValidators.set('compat', (from, { data }) => new TextDecoder().decode(data).includes('bad') ? TopicValidatorResult.Reject : TopicValidatorResult.Accept)
  await tell(connection, 'publish', { topic: 'compat', say: 'bad' })
  await tell(connection, 'publish', { topic: 'compat', say: 'good' })
  await until(() => messages.length === 2)
  say('validated', messages.map(([, { data }]) => data))
  await tell(connection, 'unsubscribe', { topic: 'compat' })
  await until(() => pubsub.getSubscribers('compat').length === 0)
  say('left', changes.map(([, { subscriptions }]) => subscriptions.map(({ topic, subscribe }) => [topic, subscribe])).slice(1))
  pubsub.unsubscribe('compat')
  say('topics', pubsub.getTopics())
}

async function relayed ({ say, outcome }, peer) {
  const node = await makeNode({}, { addresses: { listen: ['/p2p-circuit'] }, peerDiscovery: [bootstrap({ list: [peer.addr], timeout: 10, tagName: 'relay', tagValue: 42 }), pubsubPeerDiscovery({ interval: 1000, listenOnly: true })] })
  const discovered = next(node, 'peer:discovery', ({ id }) => id.equals(peer.peerId))
  const listens = watch(node, ['transport:listening', 'transport:close'])
  await node.handle(ECHO, async (stream) => {
    for await (const part of stream) stream.send(part)
    await stream.close()
  }, { runOnLimitedConnection: true })
  const { id, multiaddrs } = await discovered
  say('discovered', [id, multiaddrs])
  const addressOf = (text) => text.replaceAll(String(node.peerId), '<relayed>')
  await until(() => node.getMultiaddrs().length > 0)
  say('reserved', node.getMultiaddrs().map((ma) => addressOf(String(ma))))
  say('tagged', [...(await node.peerStore.get(peerIdFromString(peer.peerId))).tags].filter(([tag]) => tag === 'relay').map(([tag, { value }]) => [tag, value]))
  await until(() => listens.length > 0)
  say('listening', listens.map(([type, listener]) => [type, listener.getAddrs().map((ma) => addressOf(String(ma)))]))
  const [connection] = node.getConnections()
  const inbound = next(node, 'connection:open', ({ remotePeer }) => remotePeer.equals(peer.guest))
  const visit = await tell(connection, 'visit')
  say('visited', [visit.answer, visit.isLimited])
  const limited = await inbound
  say('limited', [limited.direction, limited.direct, typeof limited.limits.bytes, typeof limited.limits.seconds, limited.remotePeer, addressOf(String(limited.remoteAddr)), limited.status])
  await outcome('stream on a limited connection', limited.newStream(ECHO))
  await outcome('stream where it is allowed', limited.newStream(ECHO, { runOnLimitedConnection: true }).then(async (stream) => {
    stream.send(bytes('allowed'))
    const answer = read(stream)
    await stream.close()
    return await answer
  }))
  const gone = next(node, 'peer:disconnect', (who) => who.equals(peer.guest))
  await tell(connection, 'leave')
  say('left', await gone)
  await node.stop()
  say('listened', listens.map(([type]) => type))
}

async function ends ({ say, outcome }, node, peer) {
  const seen = watch(node, ['peer:disconnect', 'connection:close'])
  const reached = []
  const topology = await node.register(ECHO, { onConnect: (id, connection) => { reached.push(['onConnect', id, connection.status]) }, onDisconnect: (id) => { reached.push(['onDisconnect', id]) } })
  await node.hangUp(peerIdFromString(peer.peerId))
  await until(() => seen.length === 2)
  say('hung up', [seen.map(([type, detail]) => [type, detail.remotePeer ?? detail]).sort(), node.getConnections(), node.getPeers()])
  const connection = await node.dial(multiaddr(peer.addr))
  await until(() => reached.length > 1)
  const closed = next(connection, 'close')
  await tell(connection, 'drop')
  const { error, local } = await closed
  say('dropped', [error, local, connection.status])
  await until(() => reached.length > 2)
  say('topology', reached)
  node.unregister(topology)
  const another = await node.dial(multiaddr(peer.addr))
  const over = next(another, 'close')
  another.abort(new TimeoutError('enough'))
  const end = await over
  say('aborted', [end.error, end.local, another.status])
  await node.hangUp(multiaddr(peer.addr))
  const last = await node.dial(multiaddr(peer.addr))
  const stream = await last.newStream(ECHO)
  const done = next(stream, 'close')
  await node.stop()
  say('stopped', [node.status, last.status, (await done).type, node.getConnections(), node.getMultiaddrs()])
  say('topology then', reached.length)
  await outcome('dial then', node.dial(multiaddr(peer.addr)))
}

/** @param {{ peerId: string, addr: string, guest: string }} peer @param {any} t of transcript.mjs */
export async function run (peer, t) {
  t.name(peer.peerId, 'peer')
  t.name(peer.guest, 'guest')
  await names(t)
  await life(t)
  const log = []
  const node = await makeNode({ custom: custom(log) })
  t.name(node.peerId, 'node')
  const connection = await dials(t, node, peer)
  await streams(t, node, connection)
  await handlers(t, node, connection)
  await asked(t, node, connection)
  await store(t, node, connection)
  await gossip(t, node, connection)
  await relayed(t, peer)
  await ends(t, node, peer)
}

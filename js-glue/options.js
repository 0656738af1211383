import * as k from '../build/gen/numbers.js'
import { dns } from './dns.js'
import { makeError } from './errors.js'
import { privateKeyToProtobuf } from './keys.js'
import { multiaddr } from './multiaddr.js'

/**
 * The modules a js-libp2p application gives to createLibp2p. Here all of them are in the core, and their
 * factories return descriptions of what to switch on.
 *
 * @template [T=any] what it is in `node.services`
 * @typedef {{ part: string, service: number, options: Record<string, any>, is?: T }} Description
 */

/**
 * @template T
 * @typedef {(options?: Record<string, any>) => Description<T>} Factory
 */

/**
 * @template T
 * @typedef {{ services?: { [Name in keyof T]: Description<T[Name]> | ((components: any) => T[Name]) } }} ServicesOf
 */

/** What nodes have without `services`. @typedef {Record<string, any> & { identify: Identify, identifyPush: { push: () => Promise<void> }, ping: Ping, pubsub: import('./pubsub.js').PubSub }} DefaultServices */
/** @typedef {{ identify: (connection: import('./connection.js').Connection, options?: { signal?: AbortSignal }) => Promise<import('./identify.js').IdentifyResult> }} Identify */
/** In ms. @typedef {{ ping: (peer: import('./dialling.js').DialTarget, options?: import('./dialling.js').DialOptions) => Promise<number> }} Ping */

/** @param {string} part @param {number} [service] of enum peerlet_service @returns {(options?: Record<string, any>) => any} */
const describe = (part, service = 0) => (options = {}) => Object.freeze({ part, service, options })

export const webSockets = describe('webSockets', k.WEBSOCKET)
/** `rtcConfiguration`: an object, or a function (that may be async) returning one. */
export const webRTC = describe('webRTC', k.WEBRTC)
export const circuitRelayTransport = describe('circuitRelayTransport', k.CIRCUIT)
export const webTransport = describe('webTransport', k.WEBTRANSPORT)
/** To servers that a browser reaches without a relay. `rtcConfiguration` as for webRTC, whose own comes first. */
export const webRTCDirect = describe('webRTCDirect', k.WEBRTC_DIRECT)
export const noise = describe('noise')
export const yamux = describe('yamux')
/** @type {Factory<Identify>} */
export const identify = describe('identify', k.IDENTIFY)
/** @type {Factory<DefaultServices['identifyPush']>} */
export const identifyPush = describe('identifyPush', k.PUSH)
/** @type {Factory<Ping>} */
export const ping = describe('ping', k.PING)
/** js-libp2p's options: docs/gossipsub.md. @type {Factory<import('./pubsub.js').PubSub>} */
export const gossipsub = describe('gossipsub', k.PUBSUB)
/** `list`: multiaddrs of peers, normally relays, to connect to and keep; `/dnsaddr/<name>`: all behind it. */
export const bootstrap = describe('bootstrap')
/** `topics`, `interval` in ms, `listenOnly`. */
export const pubsubPeerDiscovery = describe('pubsubPeerDiscovery')

/** What js-libp2p asks; with a fifth one browsers complain. */
const ICE_SERVERS = [{
  urls: [
    'stun:stun.l.google.com:19302', 'stun:global.stun.twilio.com:3478', 'stun:stun.cloudflare.com:3478',
    'stun:stun.services.mozilla.com:3478'
  ]
}]

const DISCOVERY_TOPIC = '_peer-discovery._p2p._pubsub'

/**
 * What createLibp2p takes.
 *
 * Without `transports` everything is on, whatever is not said otherwise: listening on `/p2p-circuit` and
 * `/webrtc`, identify, push, ping, pubsub, and discovery by pubsub. With `transports` the options mean
 * what they mean in js-libp2p, where what is not asked for is off.
 *
 * @typedef {object} Libp2pOptions
 * @property {{ listen?: Array<string | import('./multiaddr.js').Multiaddr> }} [addresses] `/p2p-circuit`:
 *   any relay we meet; `<relay>/p2p-circuit`: that one; `/dnsaddr/<name>/p2p-circuit`: those behind it; `/webrtc`: direct connections from other browsers
 * @property {any[]} [transports] webSockets(), webTransport(), webRTCDirect(), webRTC(),
 *   circuitRelayTransport()
 * @property {any[]} [connectionEncrypters] noise(), which is always used
 * @property {any[]} [connectionEncryption] the same, as js-libp2p 1 calls it
 * @property {any[]} [streamMuxers] yamux(), which is always used
 * @property {any[]} [peerDiscovery] bootstrap(), pubsubPeerDiscovery()
 * @property {Record<string, any>} [services] by the name they get in `node.services`: identify(),
 *   identifyPush(), ping(), gossipsub(), or a function that is given the node's components
 * @property {{ denyDialMultiaddr?: (multiaddr: any) => boolean | Promise<boolean> }} [connectionGater]
 *   given: private addresses and plain `ws` may be dialled, but for those it denies to `dial`
 * @property {{ raw: Uint8Array } | Uint8Array} [privateKey] of generateKeyPair, or a PrivateKey protobuf.
 *   Without one the browser keeps one for each tab
 * @property {boolean} [start] false: call `start` yourself
 * @property {boolean} [autoDial] false: discovered peers are only announced, not dialled
 * @property {{ userAgent?: string, name?: string, version?: string }} [nodeInfo]
 * @property {ConnectionManagerOptions} [connectionManager]
 * @property {{ query: (name: string, options: any) => Promise<any> }} [dns] looks up what is behind a
 *   `/dnsaddr` name: dns(), or that of `@multiformats/dns`
 * @property {object} [connectionMonitor] has no effect: who is silent is always pinged
 * @property {object} [logger] has no effect: see `enable`
 *
 * @typedef {object} ConnectionManagerOptions
 * @property {number} [maxConnections]
 * @property {number} [maxParallelDials]
 * @property {number} [maxPeerAddrsToDial]
 * @property {number} [dialTimeout] ms, of a whole dial
 * @property {number} [addressDialTimeout] ms, of one address
 * @property {number} [inboundUpgradeTimeout] ms
 */

/** denyInboundConnection, denyOutboundEncryptedConnection, and so on. */
const DENY = ['Inbound', 'Outbound'].flatMap((way) => ['', 'Encrypted', 'Upgraded', 'Relayed'].map((kind) => `deny${way}${kind}Connection`)).join(' ')

/** What changes what a js-libp2p node does, and cannot be done here: better refused than forgotten. */
const REFUSED = {
  createLibp2p: 'connectionProtector contentRouters datastore metrics peerRouters peerStore record relays',
  addresses: 'announce appendAnnounce noAnnounce announceFilter',
  connectionGater: `denyDialPeer denyInboundRelayReservation filterMultiaddrForPeer ${DENY}`,
  connectionManager: 'allow deny addressSorter resolvers',
  gossipsub: 'asyncValidation dataTransform IPColocationFactorWhitelist messageCache metricsRegister msgIdToStrFn messageId'
}

/** @param {keyof typeof REFUSED} where @param {Record<string, any>} [options] */
function refuse (where, options = {}) {
  const isGiven = (/** @type {any} */ value) => value != null && !(Array.isArray(value) && value.length === 0)
  const name = REFUSED[where].split(' ').find((one) => isGiven(options[one]))
  if (name === undefined) return
  const instead = { record: 'Import createLibp2p from "peerlet/debug"', relays: 'Say peerDiscovery: [bootstrap({ list })]' }[name] ?? 'Leave it out if the application can do without it'
  throw makeError('InvalidParametersError', `${where}: Peerlet has no option "${name}". ${instead}`, 'BAD_ARGUMENT')
}

/** @param {string} where @param {any} list or the only one @param {string[]} parts @returns {Description[]} */
function readParts (where, list, parts) {
  const all = [list].flat()
  for (const given of all) {
    if (!parts.includes(given?.part)) {
      throw makeError('InvalidParametersError', `${where}: Peerlet cannot use ${given?.part ?? 'a module of another library'} here. Import what goes there from "peerlet" and call it`, 'BAD_ARGUMENT')
    }
  }
  return all
}

/** Where nobody is named nobody is met, and nothing would say why. @param {Description} bootstrap */
function relaysOf ({ options: { list } }) {
  const all = [list ?? []].flat()
  if (all.length > 0 && all.every(Boolean)) return all.map(multiaddr)
  throw makeError('InvalidParametersError', 'bootstrap takes { list: [a multiaddr] }', 'BAD_ARGUMENT')
}

/** @param {Description[]} parts @param {string} part */
const find = (parts, part) => parts.find((one) => one.part === part)

/** Options whose numbers follow each other in enum app_number. @param {number} first @param {string} names @param {(name: string) => any} valueOf */
const inARow = (first, names, valueOf) => Object.fromEntries(names.split(' ').map((name, i) => [first + i, valueOf(name)]))

/**
 * How the core is given a number: 0 where none is, else one more. A fraction is rounded up.
 *
 * @param {string} name @param {any} given @param {number} [unit]
 */
function counted (name, given, unit = 1) {
  if (given == null) return 0
  if (!(given > 0 || (given === 0 && !/heartbeatInterval|seenTTL/.test(name)))) throw makeError('InvalidParametersError', `gossipsub: "${name}" cannot be ${given}`, 'BAD_ARGUMENT')
  return Math.min(Math.ceil(given / unit - 1e-9), 2 ** 32 - 2) + 1 // 0.07 / 0.01 is a little more than 7
}

/** gossipsub's options as enum app_number has them. @param {Record<string, any>} o */
function pubsubNumbers (o) {
  const isAnonymous = o.globalSignaturePolicy === 'StrictNoSign'
  const messageId = o.msgIdFn ? 'given' : o.messageId === 'go' ? 'spec' : o.messageId ?? (isAnonymous ? 'sha256' : 'js')
  const messageIds = 'js spec rust sha256 given'.split(' ')
  refuse('gossipsub', { ...o, ...o.scoreParams, messageId: messageIds.includes(messageId) ? undefined : messageId })
  const tick = 1 / (o.heartbeatInterval ?? 1000)
  /** @type {Record<string, number>} */
  const units = { pruneBackoff: 1000, unsubcribeBackoff: 1000, gossipFactor: 0.01, opportunisticGraftTicks: tick, directConnectTicks: tick }
  return {
    [k.APP_SIGNING]: isAnonymous ? k.STRICT_NO_SIGN : k.STRICT_SIGN,
    [k.APP_MESSAGE_ID]: messageIds.indexOf(messageId),
    [k.APP_EMIT_SELF]: o.emitSelf,
    [k.APP_DO_PX]: o.doPX,
    [k.APP_ALLOW_NO_PEERS]: o.allowPublishToZeroTopicPeers ?? o.allowPublishToZeroPeers,
    [k.APP_PUBSUB_ON_LIMITED]: o.runOnLimitedConnection,
    [k.APP_FLOODSUB]: o.fallbackToFloodsub ?? true,
    ...inARow(k.APP_D, 'D Dlo Dhi Dscore Dout Dlazy heartbeatInterval fanoutTTL seenTTL mcacheLength mcacheGossip pruneBackoff unsubcribeBackoff opportunisticGraftPeers idontwantMinDataSize prunePeers gossipsubIWantFollowupMs graftFloodThreshold gossipFactor opportunisticGraftTicks directConnectTicks maxInboundDataLength',
      (name) => counted(name, o[name], units[name]))
  }
}

/** @param {ConnectionManagerOptions} o */
function limitNumbers (o) {
  refuse('connectionManager', o)
  return inARow(k.APP_MAX_CONNECTIONS, 'maxConnections maxParallelDials maxPeerAddrsToDial dialTimeout addressDialTimeout inboundUpgradeTimeout', (name) => /** @type {any} */ (o)[name])
}

/** @param {Libp2pOptions['privateKey']} key @returns {Uint8Array | undefined} a PrivateKey protobuf */
function keyBytes (key) {
  if (key === undefined || key instanceof Uint8Array) return key
  if (key.raw instanceof Uint8Array && key.raw.length === 64) return privateKeyToProtobuf(key)
  throw makeError('InvalidPrivateKeyError', 'privateKey must be an Ed25519 key: make one with generateKeyPair("Ed25519")', 'BAD_PRIVATE_KEY')
}

/** A name of node.services, and what was given for it. @typedef {[string, Description | ((components: any) => any)]} Service */

/** What an application wants. @param {Libp2pOptions} options */
export function readOptions (options) {
  refuse('createLibp2p', options)
  refuse('addresses', options.addresses)
  refuse('connectionGater', options.connectionGater)
  const isAll = options.transports === undefined
  const transports = readParts('transports', options.transports ?? [webSockets(), webTransport(), webRTCDirect(), webRTC(), circuitRelayTransport()],
    ['webSockets', 'webRTC', 'circuitRelayTransport', 'webTransport', 'webRTCDirect'])
  const everything = isAll ? { identify: identify(), identifyPush: identifyPush(), ping: ping(), pubsub: gossipsub({ runOnLimitedConnection: true }) } : {}
  /** @type {Service[]} */
  const services = Object.entries(options.services ?? everything)
  const parts = /** @type {Description[]} */ (services.map(([, given]) => given).filter((given) => typeof given !== 'function'))
  readParts('services', parts, ['identify', 'identifyPush', 'ping', 'gossipsub'])
  for (const { part } of parts) if (parts.filter((one) => one.part === part).length > 1) throw makeError('InvalidParametersError', `services: ${part}() is there twice, and a node has one. Leave one out`, 'BAD_ARGUMENT')
  const hasPubsub = find(parts, 'gossipsub') !== undefined
  const discovery = readParts('peerDiscovery', options.peerDiscovery ?? (isAll && hasPubsub ? [pubsubPeerDiscovery()] : []), ['bootstrap', 'pubsubPeerDiscovery'])
  const { userAgent, name, version } = options.nodeInfo ?? {}
  return {
    services,
    listen: (options.addresses?.listen ?? (isAll ? ['/p2p-circuit', '/webrtc'] : [])).map(multiaddr),
    bootstrap: discovery.filter(({ part }) => part === 'bootstrap').flatMap(relaysOf),
    discovery: discovery.filter(({ part }) => part === 'pubsubPeerDiscovery').flatMap(({ options: { topics, interval = 0, listenOnly = false } }) => {
      return (topics ?? [DISCOVERY_TOPIC]).map((/** @type {string} */ topic) => ({ topic, interval, listenOnly }))
    }),
    rtcConfiguration: find(transports, 'webRTC')?.options.rtcConfiguration ?? find(transports, 'webRTCDirect')?.options.rtcConfiguration ?? { iceServers: ICE_SERVERS },
    gater: options.connectionGater?.denyDialMultiaddr,
    key: keyBytes(options.privateKey),
    dns: options.dns ?? dns(),
    agent: userAgent ?? (name === undefined ? '' : `${name}/${version ?? '0.0.0'}`),
    /** By enum app_number. @type {Record<number, any>} */
    numbers: {
      [k.APP_SERVICES]: [...transports, ...parts].reduce((all, { service }) => all | service, 0),
      [k.APP_NO_AUTO_DIAL]: options.autoDial === false,
      ...limitNumbers(options.connectionManager ?? {}),
      ...pubsubNumbers(find(parts, 'gossipsub')?.options ?? {})
    }
  }
}

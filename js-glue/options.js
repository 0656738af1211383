import { makeError } from './errors.js'
import { privateKeyToProtobuf } from './keys.js'

/**
 * The modules a js-libp2p application gives to createLibp2p. Here all of them are in the core, and their
 * factories return descriptions of what to switch on.
 *
 * @typedef {{ part: string, options: Record<string, any> }} Description
 */

/** @param {string} part @returns {(options?: Record<string, any>) => any} */
const describe = (part) => (options = {}) => Object.freeze({ part, options })

export const webSockets = describe('WEBSOCKET')
/** `rtcConfiguration`: an object, or a function (that may be async) returning one. */
export const webRTC = describe('WEBRTC')
export const circuitRelayTransport = describe('CIRCUIT')
export const webTransport = describe('WEBTRANSPORT')
/** To servers that a browser reaches without a relay. `rtcConfiguration` as for webRTC, whose own comes first. */
export const webRTCDirect = describe('WEBRTC_DIRECT')
export const noise = describe('noise')
export const yamux = describe('yamux')
export const identify = describe('IDENTIFY')
export const identifyPush = describe('PUSH')
export const ping = describe('PING')
export const gossipsub = describe('PUBSUB')
/** `list`: multiaddrs of peers, normally relays, to connect to and keep. */
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
 *   any relay we meet; `<relay>/p2p-circuit`: that one; `/webrtc`: direct connections from other browsers
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

/** What changes what a js-libp2p node does, and cannot be done here: better refused than forgotten. */
const REFUSED = {
  createLibp2p: 'connectionProtector contentRouters datastore dns metrics peerRouters peerStore',
  addresses: 'announce appendAnnounce noAnnounce announceFilter',
  connectionGater: 'denyDialPeer denyInboundConnection denyOutboundConnection denyInboundEncryptedConnection denyOutboundEncryptedConnection denyInboundUpgradedConnection denyOutboundUpgradedConnection denyInboundRelayReservation denyOutboundRelayedConnection denyInboundRelayedConnection filterMultiaddrForPeer',
  connectionManager: 'allow deny addressSorter resolvers',
  gossipsub: 'allowedTopics dataTransform directPeers fastMsgIdFn msgIdFn'
}

/** @param {keyof typeof REFUSED} where @param {Record<string, any>} [options] */
function refuse (where, options = {}) {
  const isGiven = (/** @type {any} */ value) => value != null && !(Array.isArray(value) && value.length === 0)
  const name = REFUSED[where].split(' ').find((one) => isGiven(options[one]))
  if (name === undefined) return
  const instead = name === 'msgIdFn' ? 'Choose with messageId: "js", "spec" (go-libp2p) or "sha256"' : 'Leave it out if the application can do without it'
  throw makeError('InvalidParametersError', `${where}: Peerlet has no option "${name}". ${instead}`, 'BAD_ARGUMENT')
}

/** @param {string} where @param {any[]} list @param {string[]} parts @returns {Description[]} */
function readParts (where, list, parts) {
  for (const given of list) {
    if (!parts.includes(given?.part)) {
      throw makeError('InvalidParametersError', `${where}: Peerlet cannot use ${given?.part ?? 'a module of another library'} here. Import what goes there from "peerlet"`, 'BAD_ARGUMENT')
    }
  }
  return list
}

/** @param {Description[]} parts @param {string} part */
const find = (parts, part) => parts.find((one) => one.part === part)

/** gossipsub's options as enum app_number has them. @param {Record<string, any>} o @param {Record<string, number>} k */
function pubsubNumbers (o, k) {
  refuse('gossipsub', o)
  const isAnonymous = o.globalSignaturePolicy === 'StrictNoSign'
  const messageId = o.messageId ?? (isAnonymous ? 'sha256' : 'js')
  return {
    APP_SIGNING: isAnonymous ? k.STRICT_NO_SIGN : k.STRICT_SIGN,
    APP_MESSAGE_ID: { js: k.ID_JS, spec: k.ID_SPEC, sha256: k.ID_SHA256 }[/** @type {'js'} */ (messageId)],
    APP_NO_FLOOD_PUBLISH: o.floodPublish === false,
    APP_EMIT_SELF: o.emitSelf,
    APP_ALLOW_NO_PEERS: o.allowPublishToZeroTopicPeers ?? o.allowPublishToZeroPeers,
    APP_PUBSUB_ON_LIMITED: o.runOnLimitedConnection,
    APP_FLOODSUB: o.fallbackToFloodsub,
    APP_D: o.D,
    APP_D_LOW: o.Dlo,
    APP_D_HIGH: o.Dhi,
    APP_D_SCORE: o.Dscore,
    APP_D_OUT: o.Dout,
    APP_D_LAZY: o.Dlazy,
    APP_HEARTBEAT_MS: o.heartbeatInterval,
    APP_FANOUT_TTL_MS: o.fanoutTTL,
    APP_SEEN_TTL_MS: o.seenTTL,
    APP_MCACHE_LENGTH: o.mcacheLength,
    APP_MCACHE_GOSSIP: o.mcacheGossip,
    APP_PRUNE_BACKOFF_S: o.pruneBackoff / 1000,
    APP_UNSUBSCRIBE_BACKOFF_S: o.unsubcribeBackoff
  }
}

/** @param {ConnectionManagerOptions} o */
function limitNumbers (o) {
  refuse('connectionManager', o)
  return {
    APP_MAX_CONNECTIONS: o.maxConnections,
    APP_MAX_DIALS: o.maxParallelDials,
    APP_DIAL_ADDRESSES: o.maxPeerAddrsToDial,
    APP_DIAL_MS: o.dialTimeout,
    APP_DIAL_ADDRESS_MS: o.addressDialTimeout,
    APP_UPGRADE_MS: o.inboundUpgradeTimeout
  }
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
    ['WEBSOCKET', 'WEBRTC', 'CIRCUIT', 'WEBTRANSPORT', 'WEBRTC_DIRECT'])
  const discovery = readParts('peerDiscovery', options.peerDiscovery ?? (isAll ? [pubsubPeerDiscovery()] : []), ['bootstrap', 'pubsubPeerDiscovery'])
  const everything = isAll ? { identify: identify(), identifyPush: identifyPush(), ping: ping(), pubsub: gossipsub({ runOnLimitedConnection: true }) } : {}
  /** @type {Service[]} */
  const services = Object.entries(options.services ?? everything)
  const parts = /** @type {Description[]} */ (services.map(([, given]) => given).filter((given) => typeof given !== 'function'))
  readParts('services', parts, ['IDENTIFY', 'PUSH', 'PING', 'PUBSUB'])
  const { userAgent, name, version } = options.nodeInfo ?? {}
  return {
    services,
    /** @type {string[]} names of enum peerlet_service */
    switchedOn: [...transports, ...parts].map(({ part }) => part),
    listen: (options.addresses?.listen ?? (isAll ? ['/p2p-circuit', '/webrtc'] : [])).map(String),
    bootstrap: discovery.filter(({ part }) => part === 'bootstrap').flatMap((one) => one.options.list ?? []).map(String),
    discovery: discovery.filter(({ part }) => part === 'pubsubPeerDiscovery').flatMap(({ options: { topics, interval = 0, listenOnly = false } }) => {
      return (topics ?? [DISCOVERY_TOPIC]).map((/** @type {string} */ topic) => ({ topic, interval, listenOnly }))
    }),
    rtcConfiguration: find(transports, 'WEBRTC')?.options.rtcConfiguration ?? find(transports, 'WEBRTC_DIRECT')?.options.rtcConfiguration ?? { iceServers: ICE_SERVERS },
    gater: options.connectionGater?.denyDialMultiaddr,
    key: keyBytes(options.privateKey),
    agent: userAgent ?? (name === undefined ? '' : `${name}/${version ?? '0.0.0'}`),
    /** Numbers of enum app_number by name. @param {Record<string, number>} k @returns {Record<string, any>} */
    numbers: (k) => ({
      APP_NO_AUTO_DIAL: options.autoDial === false,
      ...limitNumbers(options.connectionManager ?? {}),
      ...pubsubNumbers(find(parts, 'PUBSUB')?.options ?? {}, k)
    })
  }
}

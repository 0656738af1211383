/**
 * The factories a js-libp2p application imports. Here they describe what to switch on; the C core is
 * the implementation of all of them.
 */
import { PeerletError } from './errors.js'

/** enum peerlet_service */
export const SERVICE = { identify: 1, push: 2, ping: 4, pubsub: 8, websocket: 16, circuit: 32, webrtc: 64, all: 127 }

/** What js-libp2p asks for; four, since five draw a browser's warning. */
export const DEFAULT_ICE_SERVERS = [{
  urls: ['stun:stun.l.google.com:19302', 'stun:global.stun.twilio.com:3478', 'stun:stun.cloudflare.com:3478', 'stun:stun.services.mozilla.com:3478']
}]

/**
 * @typedef {object} Description
 * @property {string} part what it switches on
 * @property {any} options
 */

/** @param {string} part @returns {(options?: any) => () => Description} */
const describe = (part) => (options = {}) => Object.assign(() => ({ part, options }), { part, options })

export const webSockets = describe('websocket')
export const webRTC = describe('webrtc')
export const circuitRelayTransport = describe('circuit')
export const webTransport = describe('webtransport')
export const webRTCDirect = describe('webrtc-direct')
export const noise = describe('noise')
export const yamux = describe('yamux')
export const identify = describe('identify')
export const identifyPush = describe('push')
export const ping = describe('ping')
export const gossipsub = describe('pubsub')
export const bootstrap = describe('bootstrap')
export const pubsubPeerDiscovery = describe('discovery')

/** @param {any} factory @returns {Description} */
const read = (factory) => {
  if (factory?.part !== undefined) return factory
  throw new PeerletError('InvalidParametersError', 'a transport, service or discovery module of another library was given; import it from peerlet', 'BAD_ARGUMENT')
}

/**
 * @typedef {object} Libp2pOptions
 * @property {{ listen?: string[], announce?: string[] }} [addresses]
 * @property {any[]} [transports]
 * @property {any[]} [connectionEncrypters]
 * @property {any[]} [streamMuxers]
 * @property {any[]} [peerDiscovery]
 * @property {Record<string, any>} [services]
 * @property {{ denyDialMultiaddr?: (ma: any) => boolean | Promise<boolean> }} [connectionGater]
 * @property {any} [privateKey] of generateKeyPair, or the bytes of a PrivateKey protobuf
 * @property {boolean} [start] false: call start() yourself
 * @property {{ userAgent?: string, name?: string, version?: string }} [nodeInfo]
 * @property {object} [connectionManager]
 * @property {object} [connectionMonitor]
 * @property {boolean} [autoDial] false: a discovered peer is only announced
 * @property {(level: number, text: string) => void} [log]
 */

/** gossipsub's options in the order of enum app_number. @param {any} o */
const pubsubNumbers = (o = {}) => [
  o.globalSignaturePolicy === 'StrictNoSign' ? 1 : 0,
  o.messageId === 'spec' ? 1 : o.messageId === 'sha256' || o.globalSignaturePolicy === 'StrictNoSign' ? 2 : 0,
  o.floodPublish === false ? 1 : 0,
  o.emitSelf === true ? 1 : 0,
  o.allowPublishToZeroTopicPeers === true ? 1 : 0,
  o.fallbackToFloodsub === true ? 1 : 0,
  o.D ?? 0, o.Dlo ?? 0, o.Dhi ?? 0, o.Dscore ?? 0, o.Dout ?? 0, o.Dlazy ?? 0,
  o.heartbeatInterval ?? 0, o.fanoutTTL ?? 0, o.seenTTL ?? 0, o.mcacheLength ?? 0, o.mcacheGossip ?? 0,
  Math.ceil((o.pruneBackoff ?? 0) / 1000), Math.ceil((o.unsubscribeBackoff ?? 0) / 1000)
]

/** The connection manager's options in the order of enum app_number. @param {any} o */
const limitNumbers = (o = {}) => [
  o.maxConnections ?? 0, o.maxParallelDials ?? 0, o.maxPeerAddrsToDial ?? 0, 0, o.dialTimeout ?? 0, o.inboundUpgradeTimeout ?? 0
]

/**
 * What an application wants, in the core's terms. With no options everything is on.
 *
 * @param {Libp2pOptions} options
 */
export function readOptions (options) {
  const transports = options.transports?.map(read)
  const services = Object.entries(options.services ?? {}).map(([name, factory]) => ({ name, ...read(factory) }))
  const isOn = (/** @type {string} */ part) => services.find((s) => s.part === part)
  let on = 0
  for (const part of /** @type {const} */ (['websocket', 'circuit', 'webrtc'])) {
    if (transports === undefined || transports.some((t) => t.part === part)) on |= SERVICE[part]
  }
  if (options.services === undefined) on |= SERVICE.identify | SERVICE.push | SERVICE.ping | SERVICE.pubsub
  // Without identify and ping a node is deaf and cannot tell who is alive, so they are always answered.
  on |= SERVICE.identify | SERVICE.push | SERVICE.ping
  const pubsub = isOn('pubsub')
  if (pubsub !== undefined) on |= SERVICE.pubsub
  const discovery = (options.peerDiscovery ?? []).map(read)
  return {
    on,
    serviceNames: options.services === undefined
      ? { pubsub: 'pubsub', identify: 'identify', identifyPush: 'push', ping: 'ping' }
      : Object.fromEntries(services.map((s) => [s.name, s.part])),
    listen: options.addresses?.listen?.map(String) ?? (options.addresses === undefined && transports === undefined ? ['/p2p-circuit', '/webrtc'] : []),
    bootstrap: discovery.filter((d) => d.part === 'bootstrap').flatMap((d) => d.options.list ?? []).map(String),
    discovery: discovery.filter((d) => d.part === 'discovery').map((d) => ({
      topic: d.options.topics?.[0] ?? '_peer-discovery._p2p._pubsub',
      interval: d.options.interval ?? 0,
      listenOnly: d.options.listenOnly === true
    })),
    rtcConfiguration: transports?.find((t) => t.part === 'webrtc')?.options.rtcConfiguration ?? { iceServers: DEFAULT_ICE_SERVERS },
    limits: limitNumbers(options.connectionManager),
    pubsub: pubsubNumbers(pubsub?.options)
  }
}

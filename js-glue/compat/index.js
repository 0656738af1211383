/**
 * For applications that were written for js-libp2p: every name that they import from its modules, so that their specifiers
 * can be mapped to this one. docs/from-js-libp2p.md has the map.
 */
export {
  Circuit, DNS, DNS4, DNS6, DNSADDR, HTTP, HTTPS, IP, IP4, IP6, IP_OR_DOMAIN, Libp2p, P2P, PEER_ID, PeerletError, QUIC,
  QUIC_V1, QUIC_V1 as QUICV1, StreamCloseEvent, StreamMessageEvent, StrictNoSign, StrictSign, TCP, TopicValidatorResult, UDP, Unix, WebRTC,
  WebRTCDirect, WebSockets, WebSocketsSecure, WebTransport, disable, dns, dnsJsonOverHttps, enable, generateKeyPair,
  isLibp2p, isMultiaddr, isPeerId, multiaddr, peerIdFromString, privateKeyFromProtobuf, privateKeyFromRaw,
  privateKeyToProtobuf, publicKeyFromProtobuf, publicKeyFromRaw, publicKeyToProtobuf
} from '../index.js'
export { Emitter as TypedEventEmitter } from '../events.js'
export * from './errors.js'
export * from './factories.js'
export * from './interface.js'
export * from './keys.js'
export * from './logger.js'
export * from './modules.js'
export * from './multiaddr.js'
export { createLibp2p } from './node.js'
export { check as checkOptions } from './options.js'

/**
 * @typedef {import('../index.js').Connection} Connection
 * @typedef {import('../index.js').Stream} Stream
 * @typedef {import('../index.js').Multiaddr} Multiaddr
 * @typedef {import('../index.js').PeerId} PeerId
 * @typedef {import('../index.js').PubSub} PubSub
 * @typedef {import('../index.js').Message} Message
 * @typedef {import('../index.js').Peer} Peer
 * @typedef {import('../index.js').IdentifyResult} IdentifyResult
 */

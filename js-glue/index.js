/**
 * Peerlet: a libp2p node small enough to ship in a web page. Everything has the name it has in js-libp2p.
 */
export { createLibp2p, generateKeyPair, isLibp2p } from './create-libp2p.js'
export { Libp2p } from './libp2p.js'
export {
  bootstrap, circuitRelayTransport, gossipsub, identify, identifyPush, noise, ping, pubsubPeerDiscovery,
  webRTC, webRTCDirect, webSockets, webTransport, yamux
} from './options.js'
export { StrictNoSign, StrictSign, TopicValidatorResult } from './pubsub.js'
export { dns, dnsJsonOverHttps } from './dns.js'
export { isMultiaddr, multiaddr } from './multiaddr.js'
export * from './matchers.js'
export { isPeerId, peerIdFromMultihash, peerIdFromString } from './peer-id.js'
export {
  privateKeyFromProtobuf, privateKeyFromRaw, privateKeyToProtobuf, publicKeyFromProtobuf, publicKeyFromRaw,
  publicKeyToProtobuf
} from './keys.js'
export { disable, enable, logger } from './logger.js'
export { PeerletError } from './errors.js'
export { StreamCloseEvent, StreamMessageEvent } from './events.js'
export { setCoreSource } from './core.js'

/**
 * @typedef {import('./connection.js').Connection} Connection
 * @typedef {import('./stream.js').Stream} Stream
 * @typedef {import('./multiaddr.js').Multiaddr} Multiaddr
 * @typedef {import('./peer-id.js').PeerId} PeerId
 * @typedef {import('./pubsub.js').PubSub} PubSub
 * @typedef {import('./pubsub.js').Message} Message
 * @typedef {import('./peer-store.js').Peer} Peer
 * @typedef {import('./identify.js').IdentifyResult} IdentifyResult
 * @typedef {import('./options.js').Libp2pOptions} Libp2pOptions
 */

/**
 * Peerlet: a libp2p node small enough to ship in a web page. The names are js-libp2p's.
 */
export { createLibp2p, generateKeyPair, Libp2p } from './libp2p.js'
export { multiaddr, isMultiaddr, Multiaddr, WebSockets, WebSocketsSecure, WebTransport, WebRTCDirect, WebRTC, Circuit, P2P } from './multiaddr.js'
export { peerIdFromString, isPeerId, PeerId } from './peer-id.js'
export {
  webSockets, webRTC, circuitRelayTransport, webTransport, webRTCDirect, noise, yamux, identify,
  identifyPush, ping, gossipsub, bootstrap, pubsubPeerDiscovery
} from './options.js'
export { PeerletError } from './errors.js'
export { Stream } from './stream.js'
export { Connection } from './connection.js'
export { setCoreSource } from './core.js'

/** js-libp2p's debug logging is switched on by names; here `createLibp2p({ log })` is told every line. */
export const enable = () => {}
export const disable = () => {}

import * as peerlet from '../index.js'
import { all } from './modules.js'
import { check, refuse } from './options.js'
import { optionsOfNode } from './pubsub-messages.js'

/**
 * The factories of js-libp2p's modules, which refuse what cannot be had. What they make is made by those of the node, so
 * that createLibp2p of either takes it.
 */

/** @typedef {(options?: Record<string, any>) => any} Factory */

/** @param {string} name @param {Factory} factory @returns {Factory} */
const checked = (name, factory) => (options) => {
  check(name, options)
  return factory(options)
}

/** @type {Factory} */
export const webSockets = ({ filter, ...options } = {}) => {
  if (filter !== undefined && filter !== all) refuse('webSockets', 'filter')
  check('webSockets', options)
  return peerlet.webSockets()
}

export const webTransport = checked('webTransport', peerlet.webTransport)
export const webRTC = checked('webRTC', peerlet.webRTC)
export const webRTCDirect = checked('webRTCDirect', peerlet.webRTCDirect)
export const circuitRelayTransport = checked('circuitRelayTransport', peerlet.circuitRelayTransport)
export const noise = checked('noise', peerlet.noise)
export const yamux = checked('yamux', peerlet.yamux)
export const identify = checked('identify', peerlet.identify)
export const identifyPush = checked('identifyPush', peerlet.identifyPush)
export const ping = checked('ping', peerlet.ping)
export const bootstrap = checked('bootstrap', peerlet.bootstrap)
/** @type {Factory} */
export const gossipsub = (options = {}) => {
  check('gossipsub', options)
  return Object.freeze({ ...peerlet.gossipsub(optionsOfNode(options)), asked: options })
}
export const pubsubPeerDiscovery = checked('pubsubPeerDiscovery', peerlet.pubsubPeerDiscovery)

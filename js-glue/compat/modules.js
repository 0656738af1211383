/**
 * What js-libp2p's modules export beside their factories.
 */
import { DNS, WebSockets, WebSocketsSecure } from '../index.js'
import { UnsupportedOperationError } from './errors.js'

export const PING_PROTOCOL = '/ipfs/ping/1.0.0'
export const RELAY_V2_HOP_CODEC = '/libp2p/circuit/relay/0.2.0/hop'
export const RELAY_V2_STOP_CODEC = '/libp2p/circuit/relay/0.2.0/stop'

/** Of gossipsub. */
export const multicodec = '/meshsub/1.2.0'

/** Of pubsubPeerDiscovery. */
export const TOPIC = '_peer-discovery._p2p._pubsub'

// Of gossipsub/score. gossipsub() itself fills in what is left out.
/** @param {Record<string, any>} [params] */
export const createPeerScoreParams = (params = {}) => ({ ...params, topics: { ...params.topics } })
/** @param {Record<string, any>} [params] */
export const createTopicScoreParams = (params = {}) => ({ ...params })
/** @param {Record<string, any>} [thresholds] @returns {Record<string, number>} */
export const createPeerScoreThresholds = (thresholds = {}) => ({
  gossipThreshold: -10, publishThreshold: -50, graylistThreshold: -80, acceptPXThreshold: 10, opportunisticGraftThreshold: 20, ...thresholds
})

/** Of yamux. */
export const GoAwayCode = Object.freeze(/** @type {const} */ ({
  0: 'NormalTermination', 1: 'ProtocolError', 2: 'InternalError', NormalTermination: 0, ProtocolError: 1, InternalError: 2
}))

/** Of noise, whose cryptography is libsodium's here, whichever is asked for. */
export const pureJsCrypto = Object.freeze({})

/** Of @multiformats/dns. */
export const RecordType = Object.freeze(/** @type {const} */ ({ 1: 'A', 5: 'CNAME', 16: 'TXT', 28: 'AAAA', A: 1, CNAME: 5, TXT: 16, AAAA: 28 }))
export const MAX_RECURSIVE_DEPTH = 32

/** Stands in connectionManager.resolvers, and means what happens anyway: `/dnsaddr` names are looked up. */
export const dnsaddrResolver = Object.freeze({ canResolve: (/** @type {any} */ address) => /\/dnsaddr\//.test(String(address)) })

// ---- @libp2p/websockets/filters of js-libp2p 2

/** @param {any} ma */
const isSecure = (ma) => WebSocketsSecure.exactMatch(ma)
/** @param {any} ma */
const isAny = (ma) => isSecure(ma) || WebSockets.exactMatch(ma)

/** @param {any[]} multiaddrs */
export const all = (multiaddrs) => multiaddrs.filter(isAny)
/** @param {any[]} multiaddrs */
export const wss = (multiaddrs) => multiaddrs.filter(isSecure)
/** @param {any[]} multiaddrs */
export const dnsWss = (multiaddrs) => multiaddrs.filter((ma) => DNS.matches(ma) && isSecure(ma))
/** @param {any[]} multiaddrs */
export const dnsWsOrWss = (multiaddrs) => multiaddrs.filter((ma) => DNS.matches(ma) && isAny(ma))

// ---- what a page cannot do

/** @param {string} what @param {string} instead @returns {(...any: any[]) => never} */
const not = (what, instead) => () => { throw new UnsupportedOperationError(`Peerlet has no ${what}: ${instead}`) }

export const circuitRelayServer = not('circuitRelayServer', 'a page has no ports that others could call. Run a relay beside it, docs/relays.md says how')
export const dnsOverHttps = not('dnsOverHttps', 'use dnsJsonOverHttps, which Cloudflare and Google answer as well')
export const keyStretcher = not('keyStretcher', 'it was for secio, which is gone')
export const generateEphemeralKeyPair = not('generateEphemeralKeyPair', 'use crypto.subtle.generateKey with ECDH')

/** Of pubsubPeerDiscovery and gossipsub: classes that applications name, and never make. */
export class PubSubPeerDiscovery {
  static TOPIC = TOPIC
  constructor () { throw new UnsupportedOperationError('PubSubPeerDiscovery: use pubsubPeerDiscovery()') }
}
export class GossipSub {
  static multicodec = multicodec
  constructor () { throw new UnsupportedOperationError('GossipSub: use gossipsub()') }
}

const memory = /^\/memory\/[^/]+(\/p2p\/[^/]+)?(\/|$)/

/** Of @multiformats/multiaddr-matcher. Nothing that a page can dial. */
export const Memory = Object.freeze({
  matches: (/** @type {any} */ ma) => memory.test(String(ma)),
  exactMatch: (/** @type {any} */ ma) => String(ma).replace(memory, '') === '' && String(ma) !== ''
})

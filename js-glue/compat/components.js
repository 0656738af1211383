import { peerIdFromString } from '../index.js'
import { UnsupportedOperationError } from './errors.js'
import { serviceCapabilities, serviceDependencies } from './interface.js'

/**
 * What services written as `(components) => service` get to see of the node.
 *
 * @typedef {import('../index.js').Libp2p} Libp2p
 */

/** What may be asked for and not be there. */
const OPTIONAL = ['metrics', 'connectionProtector', 'dns', 'then']

/** @param {string} name @param {string} message */
const namedError = (name, message) => Object.assign(new Error(message), { name })

/** By Peer ID, which are compared by what they say. */
class PeerMap {
  /** @type {Map<string, any>} */
  #map = new Map()
  get size () { return this.#map.size }
  /** @param {any} peer */
  get (peer) { return this.#map.get(String(peer)) }
  /** @param {any} peer */
  has (peer) { return this.#map.has(String(peer)) }
  /** @param {any} peer @param {any} value */
  set (peer, value) { this.#map.set(String(peer), value) }
  /** @param {any} peer */
  delete (peer) { return this.#map.delete(String(peer)) }
  clear () { this.#map.clear() }
  values () { return this.#map.values() }
  /** @returns {IterableIterator<any>} */
  * keys () { for (const id of this.#map.keys()) yield peerIdFromString(id) }
  /** @returns {IterableIterator<[any, any]>} */
  * entries () { for (const [id, value] of this.#map) yield [peerIdFromString(id), value] }
  [Symbol.iterator] () { return this.entries() }
  /** @param {(value: any, peer: any) => void} visit */
  forEach (visit) { for (const [peer, value] of this.entries()) visit(value, peer) }
}

/** @param {Libp2p} node @param {any} core connectionManager as the node has it @param {number} maxConnections */
const connectionManager = (node, core, maxConnections) => ({
  ...core,
  getConnectionsMap () {
    const all = new PeerMap()
    for (const connection of node.getConnections()) all.set(connection.remotePeer, [...all.get(connection.remotePeer) ?? [], connection])
    return all
  },
  getMaxConnections: () => maxConnections,
  setMaxConnections () { throw new UnsupportedOperationError('setMaxConnections: give connectionManager.maxConnections to createLibp2p') },
  acceptIncomingConnection: () => true,
  afterUpgradeInbound () {}
})

/** A page has the addresses that relays gave it, and no others. @param {Libp2p} node @param {any[]} listen */
function addressManager (node, listen) {
  const not = (/** @type {string} */ name) => () => { throw new UnsupportedOperationError(`addressManager.${name}: a page has no address of its own`) }
  const never = ['confirmObservedAddr', 'removeObservedAddr', 'addObservedAddr', 'addDNSMapping', 'removeDNSMapping', 'addPublicAddressMapping', 'removePublicAddressMapping']
  return {
    ...Object.fromEntries(never.map((name) => [name, not(name)])),
    getListenAddrs: () => [...listen],
    getAnnounceAddrs: () => [],
    getObservedAddrs: () => [],
    getAddresses: () => node.getMultiaddrs(),
    getAddressesWithMetadata: () => node.getMultiaddrs().map((multiaddr) => ({ multiaddr, verified: true, expires: Infinity, type: 'transport' }))
  }
}

/**
 * @param {any} core what the node gives to a service
 * @param {any} registrar
 * @param {{ logger: any, options: Record<string, any>, listen: any[] }} settings
 * @returns {any}
 */
export function makeComponents (core, registrar, { logger, options, listen }) {
  const { peerId, privateKey, peerStore, peerRouting, contentRouting, events: node, names, errorOf } = core
  const { name = 'peerlet', version = '0.0.0', userAgent = `${name}/${version}` } = options.nodeInfo ?? {}
  /** @type {Record<string, any>} */
  const own = {
    peerId, privateKey, peerStore, peerRouting, contentRouting, events: node, names, errorOf, registrar, logger,
    connectionManager: connectionManager(node, core.connectionManager, options.connectionManager?.maxConnections ?? 100),
    addressManager: addressManager(node, listen),
    transportManager: {
      getAddrs: () => node.getMultiaddrs(),
      dial: (/** @type {any} */ multiaddr, /** @type {any} */ how) => node.dial(multiaddr, { ...how, force: true })
    },
    connectionGater: options.connectionGater ?? {},
    nodeInfo: { name, version, userAgent },
    dns: options.dns
  }
  return new Proxy(own, {
    get (_, property) {
      if (typeof property !== 'string' || property in own || OPTIONAL.includes(property)) return Reflect.get(own, property)
      const service = node.services[property]
      if (service == null) throw namedError('MissingServiceError', `${property} not set`)
      return service
    }
  })
}

/** What the node's own parts can do for services, and what they need. @type {Record<string, [capabilities: string, needs?: string]>} */
const PARTS = {
  webSockets: ['transport'],
  webTransport: ['transport'],
  webRTCDirect: ['transport'],
  webRTC: ['transport', 'identify circuit-relay-v2-transport'],
  circuitRelayTransport: ['transport circuit-relay-v2-transport'],
  bootstrap: ['peer-discovery'],
  pubsubPeerDiscovery: ['peer-discovery', 'pubsub'],
  identify: ['identify'],
  identifyPush: ['identify-push'],
  ping: ['ping'],
  gossipsub: ['pubsub', 'identify']
}

/** @param {string} [names] */
const prefixed = (names = '') => names.split(' ').filter(Boolean).map((name) => `@libp2p/${name}`)

/**
 * @param {string[]} parts of the node, that are switched on
 * @param {any[]} services and what else was made of the application's functions
 * @throws UnmetServiceDependenciesError
 */
export function checkDependencies (parts, services) {
  const builtIn = [...prefixed('connection-encryption noise stream-multiplexing connection-monitor'), '@chainsafe/libp2p-noise', '@chainsafe/libp2p-yamux']
  const available = new Set([...builtIn, ...parts.flatMap((part) => prefixed(PARTS[part]?.[0])), ...services.flatMap((one) => one?.[serviceCapabilities] ?? [])])
  const needs = [
    ...parts.flatMap((part) => prefixed(PARTS[part]?.[1]).map((need) => [part, need])),
    ...services.flatMap((one) => [...one?.[serviceDependencies] ?? []].map((need) => [one[Symbol.toStringTag] ?? String(one), need]))
  ]
  const unmet = needs.find(([, need]) => !available.has(need))
  if (unmet === undefined) return
  throw namedError('UnmetServiceDependenciesError', `Service "${unmet[0]}" required capability "${unmet[1]}" but it was not provided by any component, you may need to add additional configuration when creating your node.`)
}

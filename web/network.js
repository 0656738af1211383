// What the page knows about its connections, gathered from the node's events.
import { DIRECT_PROTOCOL } from './direct.js'
import { kindOf } from './words.js'

const PING_EVERY_MS = 3000

const BEST_FIRST = /** @type {const} */ (['direct', 'relayed', 'socket', 'session', 'server'])

const EVENTS = ['connection:open', 'connection:close', 'peer:connect', 'peer:disconnect', 'self:peer:update', 'relay:state']

/**
 * @typedef {object} Peer
 * @property {string} id
 * @property {import('./words.js').Kind[]} kinds of its connections, the best first
 * @property {boolean} isRelay
 * @property {boolean} isServer reached without a relay, and nobody to write to
 * @property {boolean} takesMessages meant for them alone
 * @property {number} [rtt] milliseconds
 */

/** Fires `change` whenever something to be shown is different. */
export class Network extends EventTarget {
  #node
  #relay
  #wasRelayed = false
  /** @type {string | undefined} */
  #refusal
  /** @type {Map<string, number>} */
  #rtt = new Map()
  /** Who speaks the protocol of direct messages. @type {Set<string>} */
  #takers = new Set()

  /** @param {import('peerlet').Libp2p} node @param {string | undefined} relay the multiaddr of our relay */
  constructor (node, relay) {
    super()
    this.#node = node
    this.#relay = relay?.split('/p2p/').pop()
    for (const name of EVENTS) node.addEventListener(name, () => this.#changed())
    for (const name of ['online', 'offline']) window.addEventListener(name, () => this.#changed())
    node.register(DIRECT_PROTOCOL, {
      notifyOnLimitedConnection: true,
      onConnect: (peer) => { this.#takers.add(String(peer)); this.#changed() },
      onDisconnect: (peer) => { this.#takers.delete(String(peer)) }
    })
    document.addEventListener('visibilitychange', () => this.#measure())
    setInterval(() => this.#measure(), PING_EVERY_MS)
  }

  /** @returns {string[]} */
  get addresses () {
    return this.#node.getMultiaddrs().map(String)
  }

  /** Everybody we are connected to: people first, then servers. @returns {Peer[]} */
  get peers () {
    /** @type {Map<string, Set<import('./words.js').Kind>>} */
    const kinds = new Map()
    for (const connection of this.#node.getConnections()) {
      const id = String(connection.remotePeer)
      if (!kinds.has(id)) kinds.set(id, new Set())
      kinds.get(id)?.add(kindOf(connection))
    }
    return [...kinds].map(([id, set]) => ({
      id,
      kinds: BEST_FIRST.filter((kind) => set.has(kind)),
      isRelay: id === this.#relay,
      takesMessages: this.#takers.has(id),
      isServer: !this.#takers.has(id) && (set.has('socket') || set.has('session') || set.has('server')),
      rtt: this.#rtt.get(id)
    })).sort((a, b) => Number(a.isServer) - Number(b.isServer) || (a.id < b.id ? -1 : 1))
  }

  /** @returns {import('./words.js').State} */
  get state () {
    const peers = this.peers
    return {
      online: navigator.onLine,
      hasRelay: this.#relay !== undefined,
      wasRelayed: this.#wasRelayed,
      relayOpen: peers.some((peer) => peer.isRelay),
      reachable: this.addresses.some((text) => text.includes('/p2p-circuit')),
      refusal: this.#refusal,
      direct: peers.filter((peer) => !peer.isServer && peer.kinds.some((kind) => kind !== 'relayed')).length,
      relayed: peers.filter((peer) => peer.kinds.every((kind) => kind === 'relayed')).length
    }
  }

  #changed () {
    const peers = this.peers
    const relay = this.#node.relays.get(this.#relay ?? '')
    // the words stay while it is tried again
    if (relay?.state === 'waiting') this.#refusal = relay.detail
    if (relay?.state === 'reserved') this.#refusal = undefined
    this.#wasRelayed ||= peers.some((peer) => peer.isRelay)
    for (const id of this.#rtt.keys()) if (!peers.some((peer) => peer.id === id)) this.#rtt.delete(id)
    for (const peer of peers) if (peer.rtt === undefined) this.#ping(peer.id)
    this.dispatchEvent(new Event('change'))
  }

  #measure () {
    if (document.visibilityState === 'visible') for (const { id } of this.peers) this.#ping(id)
  }

  /** @param {string} id */
  async #ping (id) {
    const peer = this.#node.getPeers().find((other) => String(other) === id)
    if (peer === undefined) return
    try {
      this.#rtt.set(id, await this.#node.services.ping.ping(peer, { signal: AbortSignal.timeout(PING_EVERY_MS) }))
      this.dispatchEvent(new Event('rtt'))
    } catch {
      // the connection's own supervision decides what a lost ping means
    }
  }
}

import * as k from '../build/gen/numbers.js'
import { componentsOf } from './components.js'
import { Connection } from './connection.js'
import { Dialling } from './dialling.js'
import { lookUp } from './dns.js'
import { makeError, orAbort } from './errors.js'
import { Emitter, Waiting } from './events.js'
import { identifyResult } from './identify.js'
import { watchPage } from './life-cycle.js'
import { logger } from './logger.js'
import { fromList, isMultiaddr, multiaddr, readable, toList } from './multiaddr.js'
import { PeerId } from './peer-id.js'
import { PeerStore, addressesOf } from './peer-store.js'
import { PubSub } from './pubsub.js'
import { makeRouting } from './routing.js'
import { Streams } from './streams.js'

/**
 * @typedef {import('./memory.js').Output} Output
 * @typedef {import('./multiaddr.js').Multiaddr} Multiaddr
 * @typedef {import('./identity.js').Identity} Identity
 * @typedef {import('./connection.js').NewStreamOptions} NewStreamOptions
 * @typedef {import('./dialling.js').DialOptions} DialOptions
 * @typedef {import('./dialling.js').DialTarget} DialTarget
 * @typedef {import('./identify.js').IdentifyResult} IdentifyResult
 * @typedef {import('./peer-store.js').Peer} Peer
 * @typedef {import('./stream.js').Stream} Stream
 * @typedef {import('./streams.js').StreamHandler} StreamHandler
 * @typedef {import('./streams.js').StreamHandlerOptions} StreamHandlerOptions
 * @typedef {{ signal?: AbortSignal }} AbortOptions
 */

/**
 * Is told of the peers that speak a protocol.
 *
 * @typedef {object} Topology
 * @property {(peer: PeerId, connection: Connection) => void} [onConnect]
 * @property {(peer: PeerId) => void} [onDisconnect]
 * @property {boolean} [notifyOnLimitedConnection]
 */

/**
 * The events of a node.
 *
 * @typedef {Record<'start' | 'stop', CustomEvent<Libp2p>> &
 *   Record<'peer:connect' | 'peer:disconnect', CustomEvent<PeerId>> &
 *   Record<'peer:update' | 'self:peer:update', CustomEvent<{ peer: Peer, previous?: Peer }>> &
 *   Record<'connection:open' | 'connection:close', CustomEvent<Connection>> &
 *   Record<'peer:discovery', CustomEvent<{ id: PeerId, multiaddrs: Multiaddr[] }>> &
 *   Record<'peer:identify', CustomEvent<IdentifyResult>> &
 *   Record<'relay:state', CustomEvent<{ relay: PeerId, state: string, detail: string, error: Error | undefined }>> &
 *   Record<'network', CustomEvent<{ online: boolean }>>} NodeEvents
 */

/** A running number for registrations. */
let registrations = 0

/** Peers that are remembered for who begins to listen to peer:discovery. */
const UNHEARD = 64

/**
 * A libp2p node. Its events are CustomEvents with js-libp2p's details:
 *
 * | event | detail |
 * | --- | --- |
 * | `start`, `stop` | the node |
 * | `peer:discovery` | `{ id, multiaddrs }`; the first who listens hears of those before, too |
 * | `peer:connect`, `peer:disconnect` | PeerId: first connection opened, last one closed |
 * | `peer:identify` | IdentifyResult |
 * | `peer:update`, `self:peer:update` | `{ peer, previous }` |
 * | `connection:open`, `connection:close` | Connection |
 * | `dial` | `{ id, peerId, multiaddrs, status, text, connection, error }`, Peerlet's own: of a dial of the application's the beginning (`active`), each address that failed (`active`, and why as `text`), the end (`success` or `error`) |
 * | `relay:state` | `{ relay, state, detail, error }`, Peerlet's own; `relay` may be a `/dnsaddr` name |
 * | `network` | `{ online }`, Peerlet's own |
 *
 * @template {Record<string, any>} [Services=Record<string, any>]
 */
export class Libp2p extends Emitter {
  #core
  #settings
  /** @type {Identity | undefined} */
  #identity
  #dialling
  #topologies = new Map()
  /** @type {Map<number, Connection>} */
  #connections = new Map()
  #streams
  /** @type {Waiting<number>} */
  #pings = new Waiting()
  /** @type {WeakMap<Connection, IdentifyResult>} */
  #identified = new WeakMap()
  /** @type {Multiaddr[]} */
  #addresses = []
  /** @type {string[]} */
  #protocols = []
  #pageWatch = new AbortController()
  /** Peers discovered before anybody listened. @type {any[]} */
  #unheard = []
  /** Whether the console was told that a relay fails: once, for those who do not listen to `relay:state`. */
  #isWarned = false

  /** @type {'stopped' | 'starting' | 'started' | 'stopping'} */
  status = 'stopped'
  /** By the names they were given in the options. */
  services = /** @type {Services} */ ({})
  /** The state of each relay by its Peer ID. @type {Map<string, { relay: PeerId, state: string, detail: string, error: Error | undefined }>} */
  relays = new Map()
  logger = { forComponent: logger }

  /**
   * @param {import('./core.js').Core} core with its node made
   * @param {ReturnType<typeof import('./options.js').readOptions>} settings
   * @param {Identity} [identity]
   */
  constructor (core, settings, identity) {
    super()
    this.#core = core
    this.#settings = settings
    this.#identity = identity
    this.peerId = new PeerId(core.text(core.calls.ask_peer_id()))
    this.peerStore = new PeerStore(core, this)
    this.peerRouting = makeRouting('Peer', this.peerStore)
    this.contentRouting = makeRouting('Content', this.peerStore)
    this.#dialling = new Dialling(core, this, settings.gater)
    this.#streams = new Streams(core, (number) => this.#connections.get(number))
    core.listen({ ...this.#listeners, ...this.#dialling.listeners, ...this.#streams.listeners })
    core.onTrap = (err) => this.#onTrap(err)
    for (const [name, service] of settings.services) this.#route(/** @type {any} */ (this.services)[name] = this.#makeService(service))
  }

  // ---- life

  async start () {
    if (this.status !== 'stopped') return
    this.status = 'starting'
    try {
      await this.#begin()
    } catch (err) {
      await this.#end()
      throw err
    }
    this.status = 'started'
    this.tell('start', this)
  }

  async #begin () {
    const { calls } = this.#core
    const { listen, bootstrap, discovery } = this.#settings
    this.#pageWatch = new AbortController()
    watchPage((event) => calls.page_event(event), this.#pageWatch.signal)
    this.#core.run(calls.app_start)
    for (const address of listen) this.#runFor(address, calls.app_listen)
    for (const address of bootstrap) this.#runFor(address, calls.app_bootstrap)
    for (const { topic, interval, listenOnly } of discovery) this.#core.run(calls.app_discover, [topic], interval, Number(listenOnly))
    calls.app_flush()
    await this.#startServices()
  }

  /** What goes wrong names the address, which the core has no text of. @param {Multiaddr} address @param {(...args: number[]) => number} command */
  #runFor (address, command) {
    try {
      this.#core.run(command, [address.bytes])
    } catch (/** @type {any} */ err) {
      err.message = `${address}: ${err.message}`
      throw err
    }
  }

  async #startServices () {
    const services = Object.values(this.services)
    for (const step of ['beforeStart', 'start', 'afterStart']) {
      for (const service of services) await service?.[step]?.()
    }
  }

  /** Closes everything. The node may be started again. */
  async stop () {
    if (this.status !== 'started') return
    this.status = 'stopping'
    for (const step of ['beforeStop', 'stop', 'afterStop']) {
      for (const service of Object.values(this.services)) await service?.[step]?.()
    }
    await this.#end()
    this.tell('stop', this)
  }

  async #end () {
    this.#pageWatch.abort()
    this.#core.run(this.#core.calls.app_stop)
    // A turn of the event loop: what closes is told before `stop` is.
    await new Promise((resolve) => setTimeout(resolve))
    this.#identity?.release()
    this.status = 'stopped'
  }

  async [Symbol.asyncDispose] () { await this.stop() }

  /** @param {Error} err */
  #onTrap (err) {
    this.#pageWatch.abort()
    this.#identity?.release()
    for (const waiting of [this.#dialling.waiting, this.#streams, this.#pings]) waiting.rejectAll(err)
    for (const connection of this.#connections.values()) connection.onClosed(err)
    this.#connections.clear()
    this.status = 'stopped'
    this.tell('stop', this)
    queueMicrotask(() => { throw err })
  }

  #needStarted () {
    if (this.status !== 'started' && this.status !== 'starting') throw makeError('NotStartedError', 'the node is not started: call start() first', 'NOT_STARTED')
  }

  /**
   * @template {keyof NodeEvents} K
   * @overload
   * @param {K} type
   * @param {(event: NodeEvents[K]) => void} listener
   * @param {AddEventListenerOptions | boolean} [options]
   * @returns {void}
   */
  /**
   * @overload
   * @param {string} type
   * @param {((event: any) => void) | EventListenerObject | null} listener
   * @param {AddEventListenerOptions | boolean} [options]
   * @returns {void}
   */
  /** @param {string} type @param {((event: any) => void) | EventListenerObject | null} listener @param {AddEventListenerOptions | boolean} [options] */
  addEventListener (type, listener, options) {
    super.addEventListener(type, listener, options)
    if (type === 'peer:discovery') queueMicrotask(() => { for (const detail of this.#unheard.splice(0)) this.tell(type, detail) })
  }

  /** @param {any} detail */
  #discover (detail) {
    if (this.listenerCount('peer:discovery') > 0) this.tell('peer:discovery', detail)
    else if (this.#unheard.length < UNHEARD) this.#unheard.push(detail)
  }

  // ---- services

  /** @param {import('./options.js').Description | ((components: any) => any)} service */
  #makeService (service) {
    if (typeof service === 'function') return service(componentsOf(this.#core, this))
    switch (service.part) {
      case 'gossipsub': return new PubSub(this.#core, (number) => this.#connections.get(number)?.remotePeer, service.options)
      case 'ping': return { ping: (/** @type {DialTarget} */ target, /** @type {DialOptions} */ options) => this.#ping(target, options) }
      case 'identify': return { identify: (/** @type {Connection} */ connection, /** @type {AbortOptions} */ options) => this.#whenIdentified(connection, options) }
      // Pushed by itself, whenever there is something new.
      default: return { push: async () => {} }
    }
  }

  /** Takes a service as what it says it is: a router, somebody who discovers peers. @param {any} service */
  #route (service) {
    const as = (/** @type {string} */ kind) => [service?.[Symbol.for(`@libp2p/${kind}`)] ?? []].flat()
    this.peerRouting.routers.push(...as('peer-routing'))
    this.contentRouting.routers.push(...as('content-routing'))
    for (const found of as('peer-discovery')) {
      found.addEventListener('peer', (/** @type {any} */ { detail }) => {
        this.peerStore.merge(detail.id, detail)
        this.#discover(detail)
      })
    }
  }

  /**
   * The time a message takes there and back, in ms. Connects first where need be.
   *
   * @param {DialTarget} target
   * @param {DialOptions} [options]
   */
  async #ping (target, options) {
    const connection = await this.dial(target, options)
    const began = performance.now()
    const job = this.#core.run(this.#core.calls.app_ping, [], connection.number)
    await orAbort(this.#pings.add(job), options?.signal)
    return (connection.rtt = performance.now() - began)
  }

  /**
   * What the peer said of itself: it is asked once, when the connection opens.
   *
   * @param {Connection} connection
   * @param {AbortOptions} [options]
   * @returns {Promise<IdentifyResult>}
   */
  async #whenIdentified (connection, options) {
    const known = this.#identified.get(connection)
    if (known !== undefined) return known
    const off = new AbortController()
    try {
      return await orAbort(new Promise((resolve, reject) => {
        this.addEventListener('peer:identify', ({ detail }) => { if (detail.connection === connection) resolve(detail) }, { signal: off.signal })
        connection.addEventListener('close', ({ error }) => reject(error ?? makeError('ConnectionClosedError', 'the connection closed before the peer said who it is')), { signal: off.signal })
      }), options?.signal)
    } finally {
      off.abort()
    }
  }

  // ---- dialling

  /**
   * Connects to a peer, or returns a connection there is.
   *
   * @param {DialTarget} target a Peer ID, or multiaddrs of one peer
   * @param {DialOptions} [options]
   * @returns {Promise<Connection>}
   * @throws DialError, DialDeniedError, NoValidAddressesError, TimeoutError, AbortError, and others
   */
  async dial (target, options) {
    this.#needStarted()
    return await this.#dialling.dial(target, options)
  }

  /**
   * Connects to a peer and opens a stream.
   *
   * @param {DialTarget} target
   * @param {string | string[]} protocols the first one that the peer speaks is used
   * @param {DialOptions & NewStreamOptions} [options]
   * @returns {Promise<Stream>}
   */
  async dialProtocol (target, protocols, options) {
    if (protocols == null || protocols.length === 0) throw makeError('InvalidParametersError', 'no protocol was given to open a stream for', 'BAD_ARGUMENT')
    const connection = await this.dial(target, options)
    return await connection.newStream(protocols, options)
  }

  /** Closes all connections to a peer. @param {PeerId | Multiaddr | string} peer @param {AbortOptions} [options] */
  async hangUp (peer, options) {
    const id = isMultiaddr(peer) ? peer.getPeerId() : peer
    await Promise.all(this.getConnections(id).map((connection) => connection.close(options)))
  }

  /** Whether one of the addresses could be dialled from this page. @param {Multiaddr | Multiaddr[] | string} addresses */
  async isDialable (addresses) {
    return [addresses].flat().some((address) => {
      try {
        this.#core.run(this.#core.calls.app_is_dialable, [multiaddr(address).bytes])
        return true
      } catch {
        return false
      }
    })
  }

  /** The dials under way. */
  getDialQueue () { return this.#dialling.queue() }

  // ---- protocols

  /**
   * Answers streams that peers open for a protocol.
   *
   * @param {string | string[]} protocols
   * @param {StreamHandler} handler
   * @param {StreamHandlerOptions} [options]
   */
  async handle (protocols, handler, options) { this.#streams.handle(protocols, handler, options) }

  /** @param {string | string[]} protocols */
  async unhandle (protocols) { this.#streams.unhandle(protocols) }

  /**
   * Tells of the peers that speak a protocol, those that are connected already too.
   *
   * @param {string} protocol
   * @param {Topology} topology
   * @returns {Promise<string>} for `unregister`
   */
  async register (protocol, topology) {
    const id = String(++registrations)
    this.#topologies.set(id, { protocol, topology, peers: new Set() })
    for (const connection of this.getConnections()) {
      this.#tellTopologies(connection, this.#core.listAbout(this.#core.calls.ask_peer_protocols, String(connection.remotePeer)))
    }
    return id
  }

  /** @param {string} id */
  unregister (id) { this.#topologies.delete(id) }

  /** @param {Connection} connection @param {string[]} protocols */
  #tellTopologies (connection, protocols) {
    const peer = String(connection.remotePeer)
    for (const { protocol, topology, peers } of this.#topologies.values()) {
      const isAllowed = connection.limits === undefined || topology.notifyOnLimitedConnection === true
      if (!isAllowed || peers.has(peer) || !protocols.includes(protocol)) continue
      peers.add(peer)
      topology.onConnect?.(connection.remotePeer, connection)
    }
  }

  // ---- questions

  /** The addresses others can reach us at. @returns {Multiaddr[]} */
  getMultiaddrs () { return [...this.#addresses] }

  /** The protocols we answer. @returns {string[]} */
  getProtocols () { return this.#core.listAbout(this.#core.calls.ask_peer_protocols, '') }

  /** @param {PeerId | string | null} [peer] of this peer only @returns {Connection[]} */
  getConnections (peer) {
    const all = [...this.#connections.values()]
    return peer === undefined ? all : all.filter(({ remotePeer }) => remotePeer.equals(peer))
  }

  /** Who is connected. @returns {PeerId[]} */
  getPeers () {
    return [...new Map(this.getConnections().map(({ remotePeer }) => [String(remotePeer), remotePeer])).values()]
  }

  /** Bytes of memory: what the node has `used`, and what the module has taken of the page. */
  getMemory () { return this.#core.memory }

  /** @param {PeerId} peer */
  async getPublicKey (peer) {
    if (peer.publicKey !== undefined) return peer.publicKey
    throw makeError('NotFoundError', `the key of ${peer} is not in its name and is not kept`, 'NOT_FOUND')
  }

  // ---- what the core tells

  /** @type {Record<number, (event: Output) => void>} */
  #listeners = {
    [k.SELF_UPDATED]: ({ data }) => {
      const previous = this.#self()
      this.#addresses = fromList(data)
      this.#protocols = this.getProtocols()
      this.tell('self:peer:update', { peer: this.#self(), previous })
    },
    [k.PEER_DISCOVERED]: ({ peer, data }) => {
      this.peerStore.update(peer)
      this.#discover({ id: new PeerId(peer), multiaddrs: addressesOf(data, peer) })
    },
    [k.PEER_IDENTIFIED]: (event) => this.#onIdentified(event),
    [k.PEER_CONNECTED]: ({ peer }) => {
      this.peerStore.note(peer)
      this.tell('peer:connect', new PeerId(peer))
    },
    [k.PEER_DISCONNECTED]: ({ peer }) => {
      const id = new PeerId(peer)
      for (const { topology, peers } of this.#topologies.values()) if (peers.delete(peer)) topology.onDisconnect?.(id)
      this.tell('peer:disconnect', id)
    },

    [k.LOOKUP]: (event) => this.#lookUp(event),
    [k.CONN_OPENED]: (event) => this.#onConnection(event),
    [k.CONN_CLOSED]: ({ id, code, text }) => {
      const connection = this.#connections.get(id)
      if (connection === undefined) return
      this.#connections.delete(id)
      connection.onClosed(code === 0 ? undefined : this.#core.error(code, text))
      this.tell('connection:close', connection)
    },
    [k.CONN_RTT]: ({ id, value }) => {
      const connection = this.#connections.get(id)
      if (connection !== undefined) connection.rtt = value
    },

    [k.PINGED]: ({ id, code, value }) => {
      if (code === 0) this.#pings.resolve(id, value)
      else this.#pings.reject(id, this.#core.error(code))
    },

    [k.RELAY]: ({ peer, text, data, value, code }) => {
      const state = RELAY_STATES[value] ?? ''
      const detail = { relay: new PeerId(peer), state, detail: data.length > 0 ? String(multiaddr(data)) : text, error: code === 0 ? undefined : this.#core.error(code, text) }
      if (detail.error !== undefined && !this.#isWarned && this.status !== 'stopping') {
        this.#isWarned = true
        console.warn('Peerlet', peer, text)
      }
      if (state === 'gone') this.relays.delete(peer)
      else this.relays.set(peer, detail)
      this.tell('relay:state', detail)
    },
    [k.NETWORK]: ({ value }) => this.tell('network', { online: value === 1 })
  }

  #self () {
    return {
      id: this.peerId,
      addresses: this.#addresses.map((multiaddr) => ({ multiaddr, isCertified: true })),
      protocols: this.#protocols,
      metadata: new Map(),
      tags: new Map()
    }
  }

  /** Answers LOOKUP. @param {Output} event */
  async #lookUp ({ id, text }) {
    const { signal } = this.#pageWatch
    const { found, why } = await lookUp(this.#settings.dns, text, signal)
    if (!signal.aborted) this.#core.run(this.#core.calls.app_found, [toList(found), why], id)
  }

  /** @param {Output} event CONN_OPENED */
  #onConnection ({ id, peer, data, value, limitSeconds, limitBytes }) {
    const is = (/** @type {number} */ flag) => (value & flag) !== 0
    const connection = new Connection(this.#core, this.#streams, {
      number: id,
      remotePeer: new PeerId(peer),
      remoteAddr: readable(data)[0] ?? multiaddr(),
      direction: is(k.CONN_INBOUND) ? 'inbound' : 'outbound',
      direct: !is(k.CONN_RELAYED),
      multiplexer: is(k.CONN_WEBRTC) ? '/webrtc' : is(k.CONN_WEBTRANSPORT) ? '/webtransport' : '/yamux/1.0.0',
      limits: is(k.CONN_LIMITED) ? { seconds: limitSeconds, bytes: BigInt(limitBytes) } : undefined
    })
    this.#connections.set(id, connection)
    this.tell('connection:open', connection)
  }

  /** @param {Output} event PEER_IDENTIFIED */
  #onIdentified (event) {
    const connection = this.#connections.get(event.id)
    const result = identifyResult(event, connection)
    if (connection !== undefined) this.#identified.set(connection, result)
    this.peerStore.update(event.peer)
    this.tell('peer:identify', result)
    if (connection !== undefined) this.#tellTopologies(connection, result.protocols)
  }
}

/** @type {Record<number, string>} */
const RELAY_STATES = {
  [k.RELAY_CONNECTING]: 'connecting',
  [k.RELAY_RESERVING]: 'reserving',
  [k.RELAY_RESERVED]: 'reserved',
  [k.RELAY_WAITING]: 'waiting',
  [k.RELAY_GONE]: 'gone'
}

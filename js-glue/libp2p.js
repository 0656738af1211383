import { Connection } from './connection.js'
import { newCore } from './core.js'
import { PeerletError, errorOf, readTable, run } from './errors.js'
import { keptIdentity } from './identity-store.js'
import { bytesOf, decode, lines, listOf, put, textOf } from './memory.js'
import { Multiaddr, isMultiaddr, multiaddr, setCodec } from './multiaddr.js'
import { readOptions } from './options.js'
import { PeerId, isPeerId, peerIdFromString } from './peer-id.js'
import { PeerStore } from './peer-store.js'
import { PubSub } from './pubsub.js'
import { Stream, orAbort } from './stream.js'

const RELAY_STATES = /** @type {const} */ ({ RELAY_CONNECTING: 'connecting', RELAY_RESERVING: 'reserving', RELAY_RESERVED: 'reserved', RELAY_WAITING: 'waiting', RELAY_GONE: 'gone' })
const LISTENER = 1

/** @template T */
class Waiting {
  /** @type {(value: T) => void} */
  resolve = () => {}
  /** @type {(err: Error) => void} */
  reject = () => {}
  promise = new Promise((/** @type {(value: T) => void} */ resolve, reject) => {
    this.resolve = resolve
    this.reject = reject
  })
}

/** Where the page was loaded from. @param {Record<string, number>} N @param {any} gater */
function pageFlags (N, gater) {
  const { protocol, hostname } = globalThis.location ?? {}
  let flags = protocol === 'https:' ? N.PAGE_SECURE : 0
  const isLocal = hostname === undefined || hostname === '' || /^(localhost|.*\.localhost|.*\.local|127\..*|10\..*|192\.168\..*|169\.254\..*|172\.(1[6-9]|2\d|3[01])\..*|\[(::1|f[cde].*)\])$/.test(hostname)
  if (isLocal) flags |= N.PAGE_PRIVATE
  if (typeof gater?.denyDialMultiaddr === 'function') flags |= N.PAGE_ANY
  if (globalThis.navigator?.onLine === false) flags |= N.PAGE_OFFLINE
  return flags
}

/** @param {any} key of generateKeyPair, a js-libp2p private key, or protobuf bytes */
function keyBytes (key) {
  if (key === undefined) return undefined
  if (key instanceof Uint8Array) return key
  if (key.protobuf instanceof Uint8Array) return key.protobuf
  if (key.raw instanceof Uint8Array && key.raw.length === 64) return Uint8Array.of(8, 1, 18, 64, ...key.raw)
  throw new PeerletError('InvalidPrivateKeyError', 'privateKey is neither of generateKeyPair nor an Ed25519 key', 'BAD_PRIVATE_KEY')
}

/** A libp2p node: js-libp2p's Libp2p. */
export class Libp2p extends EventTarget {
  /** @type {any} the wasm module */
  core
  /** @type {import('./errors.js').ErrorTable} */
  errors = new Map()
  /** The core's numbers by name. @type {Record<string, number>} */
  numbers = {}
  /** @type {'stopped' | 'starting' | 'started' | 'stopping'} */
  status = 'stopped'
  /** @type {Record<string, any>} */
  services = {}
  /** State of each relay by Peer ID: connecting, reserving, reserved, waiting, gone. @type {Map<string, { state: string, detail: string }>} */
  relays = new Map()

  /** @type {Map<number, Connection>} */
  #connections = new Map()
  /** @type {Map<number, Stream>} */
  #streams = new Map()
  /** @type {Map<number, Waiting<Stream>>} */
  #opening = new Map()
  /** @type {Map<number, Waiting<Connection> & { targets: string }>} */
  #dials = new Map()
  /** @type {Map<number, Waiting<number>>} */
  #pings = new Map()
  /** @type {Map<string, { handler: Function, options: any }>} */
  #handlers = new Map()
  /** @type {Map<string, any>} */
  #topologies = new Map()
  #addresses = /** @type {string[]} */ ([])
  #protocols = /** @type {string[]} */ ([])
  /** Event names by the core's numbers. @type {Map<number, string>} */
  #names
  #flushing = false
  #settings
  /** @type {AbortController | undefined} */
  #pageListeners

  /**
   * @param {any} core
   * @param {ReturnType<typeof readOptions>} settings
   */
  constructor (core, settings) {
    super()
    this.core = core
    this.#settings = settings
    Object.assign(this, readTable(core))
    this.#names = new Map(Object.keys(this.#told).map((name) => [this.numbers[name], name]))
    this.peerId = new PeerId('')
    this.peerStore = new PeerStore(this)
  }

  /** After the core has its identity. */
  onCreated () {
    const { core } = this
    this.peerId = new PeerId(textOf(core, core._ask_peer_id()))
    setCodec({
      toBytes: (text) => {
        const view = core._ask_multiaddr_bytes(put(core, text)[0])
        if (view === 0) throw new PeerletError('InvalidMultiaddrError', textOf(core, core._ask_reason()), 'BAD_MULTIADDR')
        return bytesOf(core, view)
      },
      toText: (bytes) => {
        const view = core._ask_multiaddr_text(put(core, bytes)[0])
        if (view === 0) throw new PeerletError('InvalidMultiaddrError', textOf(core, core._ask_reason()), 'BAD_MULTIADDR')
        return textOf(core, view)
      }
    })
    for (const [name, part] of Object.entries(this.#settings.serviceNames)) {
      this.services[name] = part === 'pubsub'
        ? new PubSub(this)
        : part === 'ping'
          ? { ping: (/** @type {any} */ peer, /** @type {any} */ options) => this.#ping(peer, options) }
          : {}
    }
  }

  // ---- life

  async start () {
    if (this.status !== 'stopped') return
    this.status = 'starting'
    const { listen, bootstrap, discovery } = this.#settings
    this.core._app_start()
    this.flushSoon()
    for (const addr of listen) run(this, (len) => this.core._app_listen(len), addr)
    for (const addr of bootstrap) run(this, (len) => this.core._app_bootstrap(len), addr)
    for (const d of discovery) run(this, (len) => this.core._app_discover(len, d.interval, d.listenOnly ? 1 : 0), d.topic)
    this.#listenToPage()
    this.status = 'started'
    this.#tell('start', this)
  }

  async stop () {
    if (this.status !== 'started') return
    this.status = 'stopping'
    this.#pageListeners?.abort()
    this.core._app_stop()
    this.flushSoon()
    await new Promise((resolve) => setTimeout(resolve, 0))
    this.status = 'stopped'
    this.#tell('stop', this)
  }

  #listenToPage () {
    if (typeof globalThis.addEventListener !== 'function') return
    this.#pageListeners = new AbortController()
    const { signal } = this.#pageListeners
    const N = this.numbers
    const on = (/** @type {any} */ target, /** @type {string} */ type, /** @type {() => number} */ event) =>
      target?.addEventListener(type, () => this.core._page_event(event()), { signal })
    on(globalThis, 'online', () => N.ONLINE)
    on(globalThis, 'offline', () => N.OFFLINE)
    on(globalThis, 'pagehide', () => N.PAGE_HIDE)
    on(globalThis, 'pageshow', () => N.PAGE_SHOW)
    const { document } = globalThis
    on(document, 'visibilitychange', () => document.hidden ? N.HIDDEN : N.VISIBLE)
    on(document, 'freeze', () => N.FROZEN)
    on(document, 'resume', () => N.RESUMED)
  }

  async [Symbol.asyncDispose] () { await this.stop() }

  /** Sends what was written, once for all writes of this task. */
  flushSoon = () => {
    if (this.#flushing) return
    this.#flushing = true
    queueMicrotask(() => {
      this.#flushing = false
      this.core._app_flush()
    })
  }

  // ---- dialling

  /** @param {any} target a PeerId, a Multiaddr, several, or their text */
  #targets (target) {
    const list = [target].flat()
    if (list.length === 0) throw new PeerletError('NoValidAddressesError', 'no address was given', 'NO_ADDRESS')
    return list.map((t) => typeof t === 'string' || isPeerId(t) || isMultiaddr(t) ? String(t) : String(multiaddr(t))).join('\n')
  }

  /**
   * Connects to a peer: by its Peer ID, if addresses of it are known, or by one or more multiaddrs.
   *
   * @param {any} target
   * @param {{ signal?: AbortSignal, force?: boolean }} [options]
   * @returns {Promise<Connection>}
   */
  async dial (target, options = {}) {
    options.signal?.throwIfAborted()
    const targets = this.#targets(target)
    const number = run(this, (len) => this.core._app_dial(len, options.force === true ? this.numbers.DIAL_FORCE : 0), targets)
    const waiting = Object.assign(new Waiting(), { targets })
    this.#dials.set(number, /** @type {any} */ (waiting))
    try {
      return /** @type {Connection} */ (await orAbort(waiting.promise, options.signal))
    } catch (err) {
      this.core._app_dial_cancel(number)
      this.flushSoon()
      throw err
    }
  }

  /**
   * @param {any} target
   * @param {string | string[]} protocols
   * @param {any} [options]
   * @returns {Promise<Stream>}
   */
  async dialProtocol (target, protocols, options = {}) {
    const connection = await this.dial(target, options)
    return await connection.newStream(protocols, options)
  }

  /** Closes all connections to a peer. @param {any} peer @param {{ signal?: AbortSignal }} [options] */
  async hangUp (peer, options) {
    const id = isMultiaddr(peer) ? peer.getPeerId() : String(peer)
    const open = this.getConnections().filter((c) => c.remotePeer.equals(id))
    await Promise.all(open.map((c) => c.close(options)))
  }

  /** Whether an address could be dialled from this page. @param {any} addr */
  async isDialable (addr) {
    return [addr].flat().every((a) => this.core._app_is_dialable(put(this.core, String(a))[0]) === 0)
  }

  getDialQueue () {
    return [...this.#dials].map(([id, { targets }]) => ({
      id: String(id),
      status: 'active',
      multiaddrs: targets.split('\n').filter((t) => t[0] === '/').map((t) => multiaddr(t))
    }))
  }

  // ---- protocols

  /**
   * Answers a protocol. The handler gets `(stream, connection)`, or v2's `({ stream, connection })`.
   *
   * @param {string | string[]} protocols
   * @param {(stream: any, connection: Connection) => any} handler
   * @param {{ maxInboundStreams?: number, maxOutboundStreams?: number, runOnLimitedConnection?: boolean, force?: boolean }} [options]
   */
  async handle (protocols, handler, options = {}) {
    for (const protocol of [protocols].flat()) {
      if (options.force === true && this.#handlers.has(protocol)) await this.unhandle(protocol)
      run(this, (len) => this.core._app_handle(len, options.runOnLimitedConnection === true ? this.numbers.ON_LIMITED : 0,
        options.maxInboundStreams ?? 0, options.maxOutboundStreams ?? 0), protocol)
      this.#handlers.set(protocol, { handler, options })
    }
  }

  /** @param {string | string[]} protocols */
  async unhandle (protocols) {
    for (const protocol of [protocols].flat()) {
      if (!this.#handlers.delete(protocol)) continue
      run(this, (len) => this.core._app_unhandle(len), protocol)
    }
  }

  /**
   * Tells `topology.onConnect(peerId, connection)` of each peer that speaks the protocol.
   *
   * @param {string} protocol
   * @param {any} topology
   * @returns {Promise<string>} for `unregister`
   */
  async register (protocol, topology) {
    const id = `topology-${this.#topologies.size}-${Date.now()}`
    this.#topologies.set(id, { protocol, topology, peers: new Set() })
    for (const c of this.getConnections()) {
      this.#tellTopologies(c, listOf(this.core, this.core._ask_peer_protocols(put(this.core, c.remotePeer.toString())[0])))
    }
    return id
  }

  /** @param {string} id */
  unregister (id) { this.#topologies.delete(id) }

  /** @param {Connection} connection @param {string[]} protocols */
  #tellTopologies (connection, protocols) {
    const peer = connection.remotePeer.toString()
    for (const { protocol, topology, peers } of this.#topologies.values()) {
      if (peers.has(peer) || !protocols.includes(protocol)) continue
      if (connection.limits !== undefined && topology.notifyOnLimitedConnection !== true) continue
      peers.add(peer)
      topology.onConnect?.(connection.remotePeer, connection)
    }
  }

  /**
   * @param {Connection} connection
   * @param {string} protocols
   * @param {boolean} onLimited
   */
  openStream (connection, protocols, onLimited) {
    const number = run(this, (len) => this.core._app_stream_open(connection.number, len, onLimited ? this.numbers.ON_LIMITED : 0), protocols)
    const waiting = /** @type {Waiting<Stream>} */ (new Waiting())
    this.#opening.set(number, waiting)
    return { number, opened: waiting.promise }
  }

  // ---- questions

  getMultiaddrs () { return this.#addresses.map((a) => multiaddr(a)) }
  getProtocols () { return [...this.#protocols] }

  /** @param {any} [peer] */
  getConnections (peer) {
    const all = [...this.#connections.values()]
    return peer === undefined ? all : all.filter((c) => c.remotePeer.equals(peer))
  }

  getPeers () {
    const ids = new Set(this.getConnections().map((c) => c.remotePeer.toString()))
    return [...ids].map((id) => new PeerId(id))
  }

  /** @param {any} peer @param {{ signal?: AbortSignal }} [options] */
  async #ping (peer, options) {
    const connection = isPeerId(peer)
      ? this.getConnections(peer).sort((a, b) => Number(b.direct) - Number(a.direct))[0] ?? await this.dial(peer, options)
      : await this.dial(peer, options)
    const waiting = /** @type {Waiting<number>} */ (new Waiting())
    const began = performance.now()
    this.#pings.set(run(this, () => this.core._app_ping(connection.number)), waiting)
    await orAbort(waiting.promise, options?.signal)
    connection.rtt = performance.now() - began
    return connection.rtt
  }

  // ---- what the core tells

  /** @param {string} type @param {any} detail */
  #tell (type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })) }

  /** @param {any[]} events */
  onEvents (events) {
    for (const e of events) {
      const name = this.#names.get(e.type)
      if (name !== undefined) this.#told[name](e)
    }
  }

  /** @type {Record<string, (e: any) => void>} */
  #told = {
    SELF_UPDATED: (e) => {
      this.#addresses = lines(e.text)
      this.#protocols = lines(decode(e.extra))
      this.#tell('self:peer:update', { peer: { id: this.peerId, addresses: this.getMultiaddrs().map((m) => ({ multiaddr: m, isCertified: true })), protocols: this.getProtocols() } })
    },
    PEER_DISCOVERED: (e) => this.#tell('peer:discovery', { id: new PeerId(e.peer), multiaddrs: lines(e.text).map((a) => new Multiaddr(a)) }),
    PEER_IDENTIFIED: (e) => {
      const connection = this.#connections.get(e.id)
      const protocols = lines(decode(e.extra))
      const listenAddrs = lines(e.text).map((a) => new Multiaddr(a))
      const [agentVersion, protocolVersion, observed] = decode(e.more).split('\n')
      const peerId = new PeerId(e.peer)
      this.#tell('peer:identify', {
        peerId,
        connection,
        protocols,
        listenAddrs,
        agentVersion,
        protocolVersion,
        observedAddr: observed ? new Multiaddr(observed) : undefined,
        signedPeerRecord: e.value === 1 ? { addresses: listenAddrs } : undefined
      })
      this.#tell('peer:update', { peer: { id: peerId, protocols, addresses: listenAddrs.map((m) => ({ multiaddr: m, isCertified: e.value === 1 })) } })
      if (connection !== undefined) this.#tellTopologies(connection, protocols)
    },
    PEER_CONNECTED: (e) => this.#tell('peer:connect', new PeerId(e.peer)),
    PEER_DISCONNECTED: (e) => {
      const id = new PeerId(e.peer)
      for (const { topology, peers } of this.#topologies.values()) {
        if (peers.delete(e.peer)) topology.onDisconnect?.(id)
      }
      this.#tell('peer:disconnect', id)
    },
    CONN_OPENED: (e) => {
      const connection = new Connection(this, e.id, new PeerId(e.peer), new Multiaddr(e.text), e.value, e.limits)
      this.#connections.set(e.id, connection)
      this.#tell('connection:open', connection)
    },
    CONN_CLOSED: (e) => {
      const connection = this.#connections.get(e.id)
      this.#connections.delete(e.id)
      if (connection === undefined) return
      connection.onClosed(e.code === 0 ? undefined : errorOf(this.errors, e.code, e.text))
      this.#tell('connection:close', connection)
    },
    CONN_RTT: (e) => {
      const connection = this.#connections.get(e.id)
      if (connection !== undefined) connection.rtt = e.value
    },
    DIALED: (e) => {
      const connection = this.#connections.get(e.other)
      if (connection !== undefined) this.#settleDial(e.id)?.resolve(connection)
      else this.#settleDial(e.id)?.reject(errorOf(this.errors, -1, 'the connection closed as soon as it was open'))
    },
    DIAL_FAILED: (e) => this.#settleDial(e.id)?.reject(errorOf(this.errors, e.code, e.text)),
    STREAM_OPENED: (e) => this.#onStream(e),
    STREAM_DATA: (e) => this.#streams.get(e.id)?.onData(e.data),
    STREAM_ENDED: (e) => this.#streams.get(e.id)?.onEnded(),
    STREAM_ROOM: (e) => this.#streams.get(e.id)?.onRoom(),
    STREAM_CLOSED: (e) => {
      this.#opening.get(e.id)?.reject(errorOf(this.errors, e.code))
      this.#opening.delete(e.id)
      const stream = this.#streams.get(e.id)
      this.#streams.delete(e.id)
      stream?.onClosed(e.code)
    },
    PINGED: (e) => {
      const waiting = this.#pings.get(e.id)
      this.#pings.delete(e.id)
      if (e.code === 0) waiting?.resolve(e.value)
      else waiting?.reject(errorOf(this.errors, e.code))
    },
    MESSAGE: (e) => this.#pubsub?.onMessage(e),
    SUBSCRIPTION: (e) => this.#pubsub?.onSubscription(e),
    RELAY: (e) => {
      const state = Object.entries(RELAY_STATES).find(([name]) => this.numbers[name] === e.value)?.[1] ?? 'gone'
      const detail = { relay: e.peer, state, detail: e.text }
      if (detail.state === 'gone') this.relays.delete(e.peer)
      else this.relays.set(e.peer, detail)
      this.#tell('relay:state', detail)
    },
    NETWORK: (e) => this.#tell('network', { online: e.value === 1 })
  }

  get #pubsub () { return Object.values(this.services).find((s) => s instanceof PubSub) }

  /** @param {number} number */
  #settleDial (number) {
    const waiting = this.#dials.get(number)
    this.#dials.delete(number)
    return waiting
  }

  /** @param {any} e a PEERLET_STREAM_OPENED */
  #onStream (e) {
    const connection = this.#connections.get(e.other)
    if (connection === undefined) return
    const isInbound = e.value === LISTENER
    const stream = new Stream(this, e.id, connection, isInbound ? 'inbound' : 'outbound', e.text)
    this.#streams.set(e.id, stream)
    connection.streams.push(stream)
    if (!isInbound) {
      this.#opening.get(e.id)?.resolve(stream)
      this.#opening.delete(e.id)
      return
    }
    const handler = this.#handlers.get(e.text)?.handler
    Promise.resolve()
      .then(() => handler?.(stream, connection))
      .catch((err) => stream.abort(err))
  }
}

/**
 * Makes a node and, unless `start` is false, starts it. With no options everything is on.
 *
 * @param {import('./options.js').Libp2pOptions} [options]
 * @returns {Promise<Libp2p>}
 */
export async function createLibp2p (options = {}) {
  const settings = readOptions(options)
  /** @type {Libp2p | undefined} */
  let node
  const given = keyBytes(options.privateKey)
  const kept = given === undefined ? await keptIdentity() : undefined
  const core = await newCore({
    onEvents: (/** @type {any[]} */ events) => node?.onEvents(events),
    onLog: options.log,
    rtcConfiguration: settings.rtcConfiguration
  })
  node = new Libp2p(core, settings)
  const agent = options.nodeInfo?.userAgent ?? ''
  const numbers = Uint32Array.of(settings.on, pageFlags(node.numbers, options.connectionGater), options.autoDial === false ? 1 : 0,
    options.log === undefined ? 0 : 4, ...settings.limits, ...settings.pubsub)
  const key = given ?? kept?.key ?? new Uint8Array(0)
  const rc = core._app_new(...put(core, new Uint8Array(numbers.buffer), key, agent).slice(1))
  if (rc < 0) throw errorOf(node.errors, rc)
  node.onCreated()
  if (kept !== undefined && kept.key.length === 0) await kept.save(bytesOf(core, core._ask_private_key()))
  if (options.start !== false) await node.start()
  return node
}

/**
 * A new key, or the one of a 32-byte seed. It is for `createLibp2p({ privateKey })`.
 *
 * @param {'Ed25519'} [type]
 */
export async function generateKeyPair (type = 'Ed25519') {
  if (type !== 'Ed25519') throw new PeerletError('UnsupportedKeyTypeError', `a node has an Ed25519 key; ${type} is not made here`, 'UNSUPPORTED')
  const node = await createLibp2p({ start: false, privateKey: new Uint8Array(0) })
  const protobuf = bytesOf(node.core, node.core._ask_private_key())
  const pair = { type, protobuf, raw: protobuf.slice(4), publicKey: node.peerId.publicKey }
  node.core._app_delete()
  return pair
}

export { peerIdFromString }

import { logger } from '../index.js'

/**
 * `components.registrar`, by which services answer protocols and hear of the peers that speak them; and what
 * `node.handle`, `register` and `use` are over js-libp2p: topologies hear of every connection that is identified from
 * now on, streams go through middleware.
 *
 * @typedef {import('../index.js').Libp2p} Libp2p
 * @typedef {(stream: any, connection: any, next: (stream: any, connection: any) => void) => any} Middleware
 * @typedef {{ filter?: { has: (peer: any) => boolean, add: (peer: any) => void, remove: (peer: any) => void },
 *   notifyOnLimitedConnection?: boolean, onConnect?: (peer: any, connection: any) => any, onDisconnect?: (peer: any) => any }} Topology
 */

const log = logger('libp2p:registrar')

const STREAMS = { maxInboundStreams: 32, maxOutboundStreams: 64 }

let registrations = 0

/** @param {string} name @param {string} message */
const namedError = (name, message) => Object.assign(new Error(message), { name })

/** One after another, each as soon as the one before has called `next`. @param {any} stream @param {any} connection @param {Middleware[]} chain */
export async function runMiddleware (stream, connection, chain) {
  for (const middleware of chain) {
    await new Promise((resolve, reject) => {
      const next = (/** @type {any} */ itsStream, /** @type {any} */ itsConnection) => {
        stream = itsStream
        connection = itsConnection
        resolve(undefined)
      }
      Promise.resolve(middleware(stream, connection, next)).catch(reject)
    })
  }
  return stream
}

export class Registrar {
  #node
  #base
  /** @type {Map<string, { handler: any, options: Record<string, any> }>} */
  #records = new Map()
  /** @type {Map<string, { protocol: string, topology: Topology }>} */
  #topologies = new Map()
  /** @type {Map<string, Middleware[]>} */
  #middleware = new Map()

  /** @param {Libp2p} node whose methods it takes over */
  constructor (node) {
    this.#node = node
    this.#base = { handle: node.handle.bind(node), unhandle: node.unhandle.bind(node), getProtocols: node.getProtocols.bind(node) }
    for (const name of /** @type {const} */ (['handle', 'unhandle', 'getProtocols', 'register', 'unregister', 'use', 'unuse'])) {
      Object.defineProperty(node, name, { value: this[name].bind(this), configurable: true, writable: true })
    }
    node.addEventListener('peer:identify', ({ detail }) => this.#onIdentified(detail))
    node.addEventListener('peer:disconnect', ({ detail }) => this.#onDisconnected(detail))
  }

  get [Symbol.toStringTag] () { return '@libp2p/registrar' }

  getProtocols () { return this.#base.getProtocols().sort() }

  /** @param {string} protocol */
  getHandler (protocol) {
    const record = this.#records.get(protocol)
    if (record === undefined) throw namedError('UnhandledProtocolError', `No handler registered for protocol ${protocol}`)
    return record
  }

  /** @param {string | string[]} protocols @param {any} handler @param {Record<string, any>} [options] */
  async handle (protocols, handler, options = {}) {
    options.signal?.throwIfAborted()
    for (const protocol of [protocols].flat()) {
      const answer = async (/** @type {any} */ stream, /** @type {any} */ connection) => {
        const chain = [...options.middleware ?? [], ...this.getMiddleware(protocol)]
        if (chain.length === 0) return await handler(stream, connection)
        const through = await runMiddleware(stream, connection, chain)
        return await handler(through, connection)
      }
      await this.#base.handle(protocol, answer, options)
      this.#records.set(protocol, { handler, options: { ...STREAMS, ...options } })
    }
  }

  /** @param {string | string[]} protocols @param {{ signal?: AbortSignal }} [options] */
  async unhandle (protocols, options) {
    options?.signal?.throwIfAborted()
    for (const protocol of [protocols].flat()) this.#records.delete(protocol)
    await this.#base.unhandle(protocols)
  }

  /** @param {string} protocol @param {Topology} topology @param {{ signal?: AbortSignal }} [options] */
  async register (protocol, topology, options) {
    options?.signal?.throwIfAborted()
    if (topology == null) throw namedError('InvalidParametersError', 'invalid topology')
    const id = String(++registrations)
    this.#topologies.set(id, { protocol, topology })
    return id
  }

  /** @param {string} id */
  unregister (id) { this.#topologies.delete(id) }

  /** @param {string} protocol */
  getTopologies (protocol) { return this.#of([protocol]) }

  /** @param {string} protocol @param {Middleware | Middleware[]} middleware */
  use (protocol, middleware) { this.#middleware.set(protocol, [middleware].flat()) }

  /** @param {string} protocol */
  unuse (protocol) { this.#middleware.delete(protocol) }

  /** @param {string} protocol @returns {Middleware[]} */
  getMiddleware (protocol) { return [...this.#middleware.get(protocol) ?? []] }

  /** @param {string[]} protocols */
  #of (protocols) { return [...this.#topologies.values()].filter((one) => protocols.includes(one.protocol)).map(({ topology }) => topology) }

  /** What is wrong with one is no affair of the others. @param {Topology[]} topologies @param {(topology: Topology) => any} tell */
  async #tell (topologies, tell) {
    for (const topology of topologies) {
      try {
        await tell(topology)
      } catch (err) {
        log.error('a topology failed', err)
      }
    }
  }

  /** @param {any} result */
  #onIdentified ({ protocols, connection, peerId }) {
    if (connection === undefined) return
    this.#tell(this.#of(protocols), async ({ filter, notifyOnLimitedConnection, onConnect }) => {
      if (connection.limits !== undefined && notifyOnLimitedConnection !== true) return
      if (filter?.has(peerId)) return
      filter?.add(peerId)
      await onConnect?.(peerId, connection)
    })
  }

  /** @param {any} peerId */
  async #onDisconnected (peerId) {
    const { protocols } = await this.#node.peerStore.get(peerId).catch(() => ({ protocols: [] }))
    await this.#tell(this.#of(protocols), async ({ filter, onDisconnect }) => {
      if (filter !== undefined && !filter.has(peerId)) return
      filter?.remove(peerId)
      await onDisconnect?.(peerId)
    })
  }
}

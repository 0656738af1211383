import * as k from '../../build/gen/service_numbers.js'
import { abortReason, makeError } from '../errors.js'
import { runJob } from './job.js'
import { Module } from './module.js'

/**
 * @typedef {object} KadDHTInit
 * @property {string} [protocol] '/ipfs/kad/1.0.0', the public network's
 * @property {number} [kBucketSize] peers that have to have answered, 20
 * @property {number} [alpha] peers asked at once, 10
 * @property {true} [clientMode] a page never answers
 * @property {(peer: PeerInfo) => PeerInfo} [peerInfoMapper] sees every peer before it is dialled or told
 *
 * @typedef {{ id: any, multiaddrs: any[] }} PeerInfo
 * @typedef {{ signal?: AbortSignal, useCache?: boolean, useNetwork?: boolean }} RoutingOptions
 *
 * What happens during a query, as in js-libp2p: SEND_QUERY `to`, PEER_RESPONSE `from`, QUERY_ERROR `from`
 * and `error`, FINAL_PEER `peer`, PROVIDER `providers`.
 *
 * @typedef {{ name: string, type: number, to?: any, from?: any, error?: Error, peer?: PeerInfo, providers?: PeerInfo[] }} QueryEvent
 */

const NAMES = ['SEND_QUERY', 'PEER_RESPONSE', 'FINAL_PEER', 'QUERY_ERROR', 'PROVIDER']

/** @param {string} name @param {object} about @returns {QueryEvent} */
const event = (name, about) => ({ name, type: NAMES.indexOf(name), ...about })

/** `services.dht`: a Kademlia network, asked and never answered. As @libp2p/kad-dht in client mode. */
export class KadDHT {
  #components
  #protocol
  #map
  /** Connected peers that answer, by their text. @type {Map<string, any>} */
  #servers = new Map()
  /** @type {string | undefined} */
  #registration

  /** @param {import('./module.js').Components} components @param {KadDHTInit} init */
  constructor (components, { protocol = '/ipfs/kad/1.0.0', kBucketSize = 20, alpha = 10, peerInfoMapper = (peer) => peer }) {
    this.#components = components
    this.#protocol = protocol
    this.#map = peerInfoMapper
    this.k = kBucketSize
    this.a = alpha
  }

  get [Symbol.toStringTag] () { return '@libp2p/kad-dht' }

  get [Symbol.for('@libp2p/peer-routing')] () {
    return {
      findPeer: async (/** @type {any} */ id, /** @type {RoutingOptions} */ options) => {
        for await (const { peer } of this.findPeer(id, options)) if (peer !== undefined) return peer
      },
      getClosestPeers: (/** @type {Uint8Array} */ key, /** @type {RoutingOptions} */ options) => this.#peers(this.getClosestPeers(key, options))
    }
  }

  get [Symbol.for('@libp2p/content-routing')] () {
    return {
      findProviders: (/** @type {any} */ cid, /** @type {RoutingOptions} */ options) => this.#peers(this.findProviders(cid, options)),
      provide: async (/** @type {any} */ cid, /** @type {RoutingOptions} */ options) => { for await (const _ of this.provide(cid, options)); }
    }
  }

  /** @param {AsyncIterable<QueryEvent>} events @returns {AsyncGenerator<any>} */
  async * #peers (events) {
    for await (const { peer, providers = [] } of events) {
      if (peer !== undefined) yield peer
      for (const provider of providers) yield { ...provider, routing: 'kad-dht' }
    }
  }

  async start () {
    this.#registration = await this.#components.registrar.register(this.#protocol, {
      onConnect: (/** @type {any} */ peer) => this.#servers.set(String(peer), peer),
      onDisconnect: (/** @type {any} */ peer) => this.#servers.delete(String(peer))
    })
  }

  async stop () {
    await this.#components.registrar.unregister(this.#registration)
    this.#servers.clear()
  }

  /** A page cannot be reached by those that would ask it. @returns {'client' | 'server'} */
  getMode () { return 'client' }

  /** @param {'client' | 'server'} mode */
  async setMode (mode) {
    if (mode !== 'client') throw makeError('InvalidParametersError', 'a Peerlet node asks a Kademlia network and does not answer: leave it in client mode', 'UNSUPPORTED')
  }

  /** Peers to begin with: those connected now. */
  get routingTable () { return { size: this.#servers.size } }

  /**
   * @param {any} id
   * @param {RoutingOptions} [options]
   * @returns {AsyncGenerator<QueryEvent>}
   * @throws NotFoundError
   */
  async * findPeer (id, options = {}) {
    const known = options.useCache === false ? undefined : await this.#components.peerStore.getInfo(id).catch(() => undefined)
    if (known?.multiaddrs.length > 0) return yield event('FINAL_PEER', { from: this.#components.peerId, peer: known })
    if (options.useNetwork !== false) {
      for await (const one of this.#lookUp(k.LOOKUP_PEER, id.toMultihash().bytes, options)) {
        yield one
        if (one.peer !== undefined) return
      }
    }
    throw makeError('NotFoundError', `nobody who was asked knows where ${id} is`, 'NOT_FOUND')
  }

  /** @param {Uint8Array} key a Peer ID's bytes, or any @param {RoutingOptions} [options] */
  getClosestPeers (key, options = {}) { return this.#lookUp(k.LOOKUP_CLOSEST, key, options) }

  /** @param {any} cid @param {RoutingOptions} [options] @returns {AsyncGenerator<QueryEvent>} */
  async * findProviders (cid, options = {}) {
    for await (const { peer, ...one } of this.#lookUp(k.LOOKUP_PROVIDERS, cid.multihash.bytes, options)) {
      yield peer === undefined ? one : event('PROVIDER', { from: one.from, providers: [peer] })
    }
  }

  /** Tells the peers nearest to a CID that it can be had here. @param {any} cid @param {RoutingOptions} [options] @returns {AsyncGenerator<QueryEvent>} */
  async * provide (cid, options = {}) {
    const { connectionManager, peerId, addressManager, names } = this.#components
    const module = await Module.load(this.#components)
    const key = cid.multihash.bytes
    for await (const { peer, ...one } of this.#lookUp(k.LOOKUP_CLOSEST, key, options)) {
      if (peer === undefined) {
        yield one
        continue
      }
      yield event('SEND_QUERY', { to: peer.id })
      try {
        const stream = await connectionManager.openStream(peer.id, this.#protocol, options)
        const job = module.run('kad_provide', [performance.now()], [key, peerId.toMultihash().bytes, names.toList(addressManager.getAddresses())])
        await runJob(module, job, stream, options)
        yield event('PEER_RESPONSE', { from: peer.id, closer: [], providers: [] })
      } catch (/** @type {any} */ error) {
        yield event('QUERY_ERROR', { from: peer.id, error })
      }
    }
  }

  /**
   * Does what the lookup orders: who is asked when is decided there.
   *
   * @param {number} goal of enum lookup_goal
   * @param {Uint8Array} key
   * @param {RoutingOptions} options
   * @returns {AsyncGenerator<QueryEvent>}
   */
  async * #lookUp (goal, key, { signal }) {
    const module = await Module.load(this.#components)
    const { peerId, names } = this.#components
    const lookup = module.run('lookup_open', [performance.now(), goal, this.k, this.a], [key, peerId.toMultihash().bytes])
    /** @type {Map<string, AbortController>} */
    const asked = new Map()
    /** @type {QueryEvent[]} */
    const told = []
    let wake = () => {}
    try {
      for (const peer of this.#servers.values()) module.run('lookup_seed', [lookup], [peer.toMultihash().bytes])
      for (;;) {
        if (signal?.aborted) throw abortReason(signal)
        const what = module.run('lookup_step', [lookup, performance.now()])
        const { data, more } = module.told()
        yield * told.splice(0)
        if (what === k.LOOKUP_DONE) return
        if (what === 0) {
          if (told.length > 0) continue
          await new Promise((resolve) => {
            const timer = setTimeout(resolve, module.ask('lookup_wait', lookup))
            const done = () => { clearTimeout(timer); signal?.removeEventListener('abort', wake); resolve(undefined) }
            wake = done
            signal?.addEventListener('abort', done, { once: true })
          })
          wake = () => {}
          continue
        }
        const peer = this.#map({ id: names.peerIdFromMultihash(data), multiaddrs: names.fromList(more) })
        const name = String(peer.id)
        if (what === k.LOOKUP_FORGET) asked.get(name)?.abort()
        else if (what === k.LOOKUP_FOUND) yield event('FINAL_PEER', { from: peerId, peer })
        else {
          const giveUp = new AbortController()
          asked.set(name, giveUp)
          yield event('SEND_QUERY', { to: peer.id })
          this.#ask(module, lookup, peer, giveUp.signal).then((one) => {
            asked.delete(name)
            told.push(one)
            wake()
          })
        }
      }
    } finally {
      for (const giveUp of asked.values()) giveUp.abort()
      module.run('lookup_close', [lookup])
    }
  }

  /** One question to one peer, whose answer the lookup gets. @param {Module} module @param {number} lookup @param {PeerInfo} peer @param {AbortSignal} signal */
  async #ask (module, lookup, { id, multiaddrs }, signal) {
    const bytes = id.toMultihash().bytes
    try {
      const at = multiaddrs.map((address) => address.encapsulate(`/p2p/${id}`))
      const stream = await this.#components.connectionManager.openStream(at.length > 0 ? at : id, this.#protocol, { signal })
      await runJob(module, module.run('kad_ask', [performance.now(), lookup], [bytes]), stream, { signal })
      return event('PEER_RESPONSE', { from: id, closer: [], providers: [] })
    } catch (/** @type {any} */ error) {
      module.run('lookup_fail', [lookup], [bytes])
      return event('QUERY_ERROR', { from: id, error })
    }
  }
}

/** @param {KadDHTInit} [init] @returns {(components: any) => KadDHT} */
export const kadDHT = (init = {}) => (components) => new KadDHT(components, init)

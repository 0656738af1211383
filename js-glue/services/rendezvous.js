import * as k from '../../build/gen/service_numbers.js'
import { makeError } from '../errors.js'
import { runJob } from './job.js'
import { Module } from './module.js'

/**
 * @typedef {object} RendezvousInit
 * @property {any[]} points multiaddrs or Peer IDs of the meeting points
 *
 * @typedef {{ id: any, multiaddrs: any[], ns: string, ttl: number }} Registration
 */

/** An Ed25519 key as PKCS #8 has it, up to the seed. */
const PKCS8 = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20]
/** An Ed25519 PublicKey protobuf, up to the key. */
const PUBLIC_KEY = [8, 1, 0x12, 0x20]

const decoder = new TextDecoder()

/** @param {any} key a PrivateKey @param {Uint8Array} bytes */
async function sign (key, bytes) {
  const seed = Uint8Array.of(...PKCS8, ...key.raw.subarray(0, 32))
  const { subtle } = globalThis.crypto
  const imported = await subtle.importKey('pkcs8', seed, 'Ed25519', false, ['sign']).catch((err) => {
    throw makeError('UnsupportedOperationError', `to register, WebCrypto has to know Ed25519, as all browsers do since 2025 (${err.message})`, 'UNSUPPORTED')
  })
  return new Uint8Array(await subtle.sign('Ed25519', imported, /** @type {BufferSource} */ (bytes)))
}

/**
 * `services.rendezvous`: who is there under a name, asked at meeting points. What is found is also told
 * as discovered.
 */
export class Rendezvous extends EventTarget {
  #components
  #points
  /** By point and namespace. @type {Map<string, Uint8Array>} */
  #cookies = new Map()
  /** What renews each registration. @type {Map<string, ReturnType<typeof setTimeout>>} */
  #renewals = new Map()
  /** Of the last record signed: each has a greater one. */
  #seq = 0

  /** @param {import('./module.js').Components} components @param {RendezvousInit} init */
  constructor (components, { points }) {
    super()
    this.#components = components
    this.#points = points
    this.protocol = '/rendezvous/1.0.0'
  }

  get [Symbol.toStringTag] () { return 'peerlet/rendezvous' }
  get [Symbol.for('@libp2p/peer-discovery')] () { return this }

  async start () {}

  async stop () {
    for (const timer of this.#renewals.values()) clearTimeout(timer)
    this.#renewals.clear()
  }

  /**
   * Lists us at every point, again and again until `unregister` or the end of the node.
   *
   * @param {string} ns the namespace
   * @param {{ ttl?: number, signal?: AbortSignal }} [options] `ttl` in seconds, 7200
   * @returns {Promise<number>} for how many seconds, the shortest
   * @throws the last point's error where no point took us in; NoValidAddressesError where nobody could reach us
   */
  async register (ns, options = {}) {
    if (this.#components.addressManager.getAddresses().length === 0) {
      throw makeError('NoValidAddressesError', 'this node has no address that others can dial: wait until a relay has reserved a place for it', 'NO_ADDRESS')
    }
    const ttl = Math.min(...await this.#each((point) => this.#registerAt(point, ns, options)))
    clearTimeout(this.#renewals.get(ns))
    this.#renewals.set(ns, setTimeout(() => this.register(ns, { ttl: options.ttl }).catch(() => {}), Math.min(ttl * 500, 2 ** 31 - 1)))
    return ttl
  }

  /** @param {string} ns @param {{ signal?: AbortSignal }} [options] */
  async unregister (ns, options = {}) {
    clearTimeout(this.#renewals.get(ns))
    this.#renewals.delete(ns)
    const module = await Module.load(this.#components)
    await this.#each((point) => this.#exchange(module, point, () => module.run('rendezvous_unregister', [performance.now()], [ns]), options))
  }

  /**
   * Who is registered, at any point. Addresses are hints: whoever answers there proves who it is.
   *
   * @param {string} [ns] all namespaces where it is left out
   * @param {{ limit?: number, onlyNew?: boolean, signal?: AbortSignal }} [options] `onlyNew`: since the last time
   * @returns {AsyncGenerator<Registration>}
   */
  async * discover (ns = '', options = {}) {
    const seen = new Set([String(this.#components.peerId)])
    for (const found of await this.#each((point) => this.#discoverAt(point, ns, options))) {
      for (const one of found) {
        if (seen.has(String(one.id))) continue
        seen.add(String(one.id))
        this.dispatchEvent(new CustomEvent('peer', { detail: one }))
        yield one
      }
    }
  }

  /** What all points answered, those that fail left out if one does not. @template T @param {(point: any) => Promise<T>} ask @returns {Promise<T[]>} */
  async #each (ask) {
    const results = await Promise.allSettled(this.#points.map(ask))
    const answers = results.flatMap((result) => result.status === 'fulfilled' ? [result.value] : [])
    if (answers.length > 0) return answers
    const last = results.pop()
    throw last?.status === 'rejected' ? last.reason : makeError('InvalidParametersError', 'rendezvous: no points were given', 'BAD_ARGUMENT')
  }

  /**
   * @param {Module} module
   * @param {any} point
   * @param {() => number} begin
   * @param {{ signal?: AbortSignal }} options
   * @param {(told: import('./module.js').Told, job: number) => void} [onAnswer]
   */
  async #exchange (module, point, begin, options, onAnswer) {
    const stream = await this.#components.connectionManager.openStream(point, this.protocol, options)
    const job = begin()
    await runJob(module, job, stream, {
      signal: options.signal,
      onEvent: (event, told) => {
        if (event === k.RENDEZVOUS_REFUSED) throw makeError('RendezvousRefusedError', `${decoder.decode(told.data)} (status ${told.status}) ${decoder.decode(told.more)}`.trim(), 'REFUSED')
        onAnswer?.(told, job)
      }
    })
  }

  /** @param {any} point @param {string} ns @param {{ ttl?: number, signal?: AbortSignal }} options */
  async #registerAt (point, ns, options) {
    const { peerId, privateKey, addressManager, names } = this.#components
    const module = await Module.load(this.#components)
    const key = Uint8Array.of(...PUBLIC_KEY, ...privateKey.raw.subarray(32))
    const about = [peerId.toMultihash().bytes, names.toList(addressManager.getAddresses())]
    /** @type {unknown} */
    let problem
    const attempts = module.run('register_attempts', [])
    for (let attempt = 0; attempt < attempts; attempt++) {
      const seq = this.#seq = Math.max(Date.now(), this.#seq + 1)
      let ttl = 0
      module.run('record_to_sign', [attempt, seq], about)
      const signature = await sign(privateKey, module.told().data)
      try {
        await this.#exchange(module, point, () => {
          module.run('record_to_sign', [attempt, seq], about) // others may have had their turn since
          return module.run('rendezvous_register', [performance.now(), attempt, options.ttl ?? 0], [key, signature, ns])
        }, options, ({ number }) => { ttl = number })
        return ttl
      } catch (err) {
        problem ??= err
      }
    }
    throw problem
  }

  /** @param {any} point @param {string} ns @param {{ limit?: number, onlyNew?: boolean, signal?: AbortSignal }} options */
  async #discoverAt (point, ns, options) {
    const { names } = this.#components
    const module = await Module.load(this.#components)
    const at = `${point} ${ns}`
    const cookie = options.onlyNew && this.#cookies.get(at) || new Uint8Array(0)
    /** @type {Registration[]} */
    const found = []
    await this.#exchange(module, point, () => module.run('rendezvous_discover', [performance.now(), options.limit ?? 0], [ns, cookie]), options, (told, job) => {
      this.#cookies.set(at, told.data)
      while (module.run('rendezvous_next', [job]) > 0) {
        const { data, more, extra, number } = module.told()
        found.push({ id: names.peerIdFromMultihash(data), multiaddrs: names.fromList(more), ns: decoder.decode(extra), ttl: number })
      }
    })
    return found
  }
}

/** @param {RendezvousInit} init @returns {(components: any) => Rendezvous} */
export const rendezvous = (init) => (components) => new Rendezvous(components, init)

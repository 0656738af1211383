import * as k from '../../build/gen/service_numbers.js'
import { makeError } from '../errors.js'
import { runJob } from './job.js'
import { Module } from './module.js'

const decoder = new TextDecoder()

/** @typedef {(key: Uint8Array) => Promise<Uint8Array | undefined> | Uint8Array | undefined} LookupFunction */

/**
 * @typedef {object} FetchInit
 * @property {string} [protocolPrefix] 'libp2p'
 * @property {number} [maxInboundStreams]
 * @property {number} [maxOutboundStreams]
 */

/** `services.fetch`: a value for a key, asked of a peer. As @libp2p/fetch. */
export class Fetch {
  #components
  #init
  /** @type {Map<string, LookupFunction>} by the prefix of the keys they know */
  #lookups = new Map()

  /** @param {import('./module.js').Components} components @param {FetchInit} init */
  constructor (components, init) {
    this.#components = components
    this.#init = init
    this.protocol = `/${init.protocolPrefix ?? 'libp2p'}/fetch/0.0.1`
  }

  get [Symbol.toStringTag] () { return '@libp2p/fetch' }

  async start () { await this.#components.registrar.handle(this.protocol, (/** @type {any} */ stream) => this.#answer(stream), this.#init) }
  async stop () { await this.#components.registrar.unhandle(this.protocol) }

  /**
   * @param {any} peer a Peer ID or multiaddr
   * @param {string | Uint8Array} key
   * @param {{ signal?: AbortSignal }} [options]
   * @returns {Promise<Uint8Array | undefined>} nothing where the peer has no value for the key
   * @throws ProtocolError when the peer says it failed, TimeoutError
   */
  async fetch (peer, key, options = {}) {
    const module = await Module.load(this.#components)
    const stream = await this.#components.connectionManager.openStream(peer, this.protocol, options)
    /** @type {import('./module.js').Told | undefined} */
    let answer
    await runJob(module, module.run('fetch_ask', [performance.now()], [key]), stream, {
      signal: options.signal,
      onEvent: (_, told) => { answer = told }
    })
    if (answer?.status === k.FETCH_OK) return answer.data
    if (answer?.status === k.FETCH_NOT_FOUND) return undefined
    if (answer?.status === k.FETCH_ERROR) throw makeError('ProtocolError', `the peer could not look the key up: ${decoder.decode(answer.data)}`, 'FETCH_ERROR')
    throw makeError('InvalidMessageError', 'the peer answered with a status that is not known here', 'BAD_MESSAGE')
  }

  /** @param {any} stream */
  async #answer (stream) {
    const module = await Module.load(this.#components)
    const job = module.run('fetch_listen', [performance.now()])
    await runJob(module, job, stream, {
      onEvent: async (_, { data: key }) => {
        const [status, value] = await this.#lookUp(key)
        module.run('fetch_give', [job, status], [value])
      }
    })
  }

  /** @param {Uint8Array} key @returns {Promise<[status: number, value: string | Uint8Array]>} */
  async #lookUp (key) {
    const text = decoder.decode(key)
    const prefix = [...this.#lookups.keys()].find((one) => text.startsWith(one))
    if (prefix === undefined) return [k.FETCH_ERROR, 'No lookup function registered for key']
    try {
      const value = await this.#lookups.get(prefix)?.(key)
      return value == null ? [k.FETCH_NOT_FOUND, ''] : [k.FETCH_OK, value]
    } catch (/** @type {any} */ err) {
      return [k.FETCH_ERROR, String(err.message)]
    }
  }

  /** Answers peers that ask for keys with this prefix. @param {string} prefix @param {LookupFunction} lookup */
  registerLookupFunction (prefix, lookup) {
    if (this.#lookups.has(prefix)) throw makeError('InvalidParametersError', `keys that begin with "${prefix}" have a lookup function already`, 'DUPLICATE')
    this.#lookups.set(prefix, lookup)
  }

  /** @param {string} prefix @param {LookupFunction} [lookup] only if it is this one */
  unregisterLookupFunction (prefix, lookup) {
    if (lookup === undefined || this.#lookups.get(prefix) === lookup) this.#lookups.delete(prefix)
  }
}

/** @param {FetchInit} [init] @returns {(components: any) => Fetch} */
export const fetch = (init = {}) => (components) => new Fetch(components, init)

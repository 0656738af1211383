import * as k from '../build/gen/numbers.js'
import { abortReason, makeError, orAbort } from './errors.js'
import { Waiting } from './events.js'
import { isMultiaddr, multiaddr, toList } from './multiaddr.js'
import { isPeerId, peerIdFromString } from './peer-id.js'

/**
 * @typedef {import('./memory.js').Output} Output
 * @typedef {import('./multiaddr.js').Multiaddr} Multiaddr
 * @typedef {import('./peer-id.js').PeerId} PeerId
 * @typedef {PeerId | Multiaddr | Multiaddr[] | string} DialTarget a peer whose addresses are known, or where it is
 *
 * @typedef {object} DialOptions
 * @property {AbortSignal} [signal]
 * @property {boolean} [force] a new connection even where there is one
 * @property {(event: CustomEvent) => void} [onProgress] hears why an address failed, while others are tried
 */

/** The dials under way. */
export class Dialling {
  #core
  #node
  #gater
  /** @type {Map<number, { id: string, status: string, peerId: PeerId | undefined, multiaddrs: Multiaddr[], onProgress?: (event: CustomEvent) => void }>} */
  #queue = new Map()
  /** @type {Waiting<import('./connection.js').Connection>} */
  waiting = new Waiting()

  /**
   * @param {import('./core.js').Core} core
   * @param {import('./libp2p.js').Libp2p} node
   * @param {((multiaddr: any) => boolean | Promise<boolean>) | undefined} gater the application's denyDialMultiaddr
   */
  constructor (core, node, gater) {
    this.#core = core
    this.#node = node
    this.#gater = gater
  }

  /** @param {DialTarget} target @param {DialOptions} [options] @returns {Promise<import('./connection.js').Connection>} */
  async dial (target, { signal, force = false, onProgress } = {}) {
    if (signal?.aborted) throw abortReason(signal)
    const targets = await this.#admit([target].flat().map((one) => isPeerId(one) ? one : typeof one === 'string' && !one.startsWith('/') ? peerIdFromString(one) : multiaddr(one)))
    const { calls } = this.#core
    const addresses = targets.filter(isMultiaddr)
    const peer = targets.find(isPeerId) ?? addresses[0]?.getPeerId()
    if (addresses.length === 0) await this.#locate(peer, signal)
    const number = this.#core.run(calls.app_dial, [addresses.length > 0 ? '' : String(peer), toList(addresses)], force ? k.DIAL_FORCE : 0)
    this.#queue.set(number, { id: String(number), status: 'active', peerId: peer ? peerIdFromString(String(peer)) : undefined, multiaddrs: addresses, onProgress })
    this.#tell(number)
    return await orAbort(this.waiting.add(number), signal, () => this.#core.run(calls.app_dial_cancel, [], number))
  }

  /** What the application's gater lets through. @param {Array<PeerId | Multiaddr>} targets */
  async #admit (targets) {
    const gater = this.#gater
    if (targets.length === 0) throw makeError('NoValidAddressesError', 'dial was given no address', 'NO_ADDRESS')
    if (gater === undefined) return targets
    const denied = await Promise.all(targets.map((target) => isMultiaddr(target) && gater(target)))
    const admitted = targets.filter((_, i) => !denied[i])
    if (admitted.length === 0) throw makeError('DialDeniedError', 'connectionGater.denyDialMultiaddr denied every address', 'DENIED')
    return admitted
  }

  /** Asks the routers where a peer is that is not connected and has no address. @param {any} peer @param {AbortSignal} [signal] */
  async #locate (peer, signal) {
    const { peerRouting, peerStore } = this.#node
    if (this.#node.getConnections(peer).length > 0 || peerStore.peek(String(peer)).addresses.length > 0) return
    await peerRouting.findPeer(peer, { signal }).catch(() => {}) // where nobody knows, the dial says so
  }

  /** @param {number} number @param {object} [more] */
  #tell (number, more) { this.#node.tell('dial', { ...this.#queue.get(number), ...more }) }

  /** @param {number} number @param {import('./connection.js').Connection | undefined} connection @param {Error} error where there is none */
  #end (number, connection, error) {
    this.#tell(number, connection ? { status: 'success', connection } : { status: 'error', error })
    this.#queue.delete(number)
    if (connection) this.waiting.resolve(number, connection)
    else this.waiting.reject(number, error)
  }

  queue () { return Array.from(this.#queue.values(), ({ onProgress, ...dial }) => dial) }

  /** What the core tells. @type {Record<number, (event: Output) => void>} */
  listeners = {
    [k.DIALED]: ({ id, channel }) => {
      const connection = this.#node.getConnections().find(({ number }) => number === channel)
      this.#end(id, connection, makeError('ConnectionClosedError', 'the connection closed as soon as it was open: dial again', 'CLOSED'))
    },
    [k.DIAL_FAILED]: ({ id, code, text }) => this.#end(id, undefined, this.#core.error(code, text)),
    [k.DIAL_PROGRESS]: ({ id, text }) => {
      this.#queue.get(id)?.onProgress?.(new CustomEvent('dial:progress', { detail: text }))
      this.#tell(id, { text })
    }
  }
}

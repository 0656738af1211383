import { abortReason, makeError, orAbort } from './errors.js'
import { Emitter, StreamCloseEvent } from './events.js'

/**
 * A connection to a peer: secure, and carrying any number of streams. It is `direct` or goes through a
 * relay; a relayed one has `limits` on what it will carry. `close` is its one event.
 */
export class Connection extends Emitter {
  #core
  #number
  #streams

  /** @type {import('./stream.js').Stream[]} */
  streams = []
  /** @type {'open' | 'closing' | 'closed' | 'aborted'} */
  status = 'open'
  /** @type {{ open: number, upgraded: number, close?: number }} */
  timeline = { open: Date.now(), upgraded: Date.now() }
  /** Milliseconds of the last round trip that was measured. @type {number | undefined} */
  rtt = undefined
  /** @type {string[]} */
  tags = []

  /**
   * @param {import('./core.js').Core} core
   * @param {import('./streams.js').Streams} streams
   * @param {object} init
   * @param {number} init.number
   * @param {import('./peer-id.js').PeerId} init.remotePeer
   * @param {import('./multiaddr.js').Multiaddr} init.remoteAddr
   * @param {'inbound' | 'outbound'} init.direction
   * @param {boolean} init.direct
   * @param {string} init.multiplexer the transport's own name where it is secure and has streams of its own
   * @param {{ seconds: number, bytes: bigint }} [init.limits]
   */
  constructor (core, streams, { number, remotePeer, remoteAddr, direction, direct, multiplexer, limits }) {
    super()
    this.#core = core
    this.#number = number
    this.#streams = streams
    this.id = String(number)
    this.remotePeer = remotePeer
    this.remoteAddr = remoteAddr
    this.direction = direction
    this.direct = direct
    this.limits = limits
    this.multiplexer = multiplexer
    this.encryption = multiplexer === '/yamux/1.0.0' ? '/noise' : undefined
  }

  /** js-libp2p 1's name of "has limits". */
  get transient () { return this.limits !== undefined }

  /** The core's number of it. */
  get number () { return this.#number }

  /**
   * Opens a stream for the first of the protocols that the peer speaks.
   *
   * @typedef {object} NewStreamOptions
   * @property {AbortSignal} [signal]
   * @property {boolean} [runOnLimitedConnection] whether it may use up the limits of a relayed connection
   *
   * @param {string | string[]} protocols
   * @param {NewStreamOptions} [options]
   * @returns {Promise<import('./stream.js').Stream>}
   */
  async newStream (protocols, options = {}) {
    if (this.status !== 'open') throw makeError('ConnectionClosedError', `the connection to ${this.remotePeer} is ${this.status}: dial the peer again`, 'CLOSED')
    return await this.#streams.open(this, [protocols].flat(), options)
  }

  /** @param {import('./stream.js').Stream} stream */
  forget (stream) { this.streams = this.streams.filter((other) => other !== stream) }

  /**
   * Closes it when everything sent has left.
   *
   * @param {{ signal?: AbortSignal }} [options]
   */
  async close (options) {
    if (this.status !== 'open') return
    this.status = 'closing'
    const closed = new Promise((resolve) => this.addEventListener('close', resolve, { once: true }))
    this.#core.run(this.#core.calls.app_conn_close, [], this.#number, 0)
    await orAbort(closed, options?.signal)
  }

  /** Closes it at once. @param {Error} [err] what `close` tells */
  abort (err = abortReason()) {
    if (this.status === 'closed' || this.status === 'aborted') return
    this.#core.run(this.#core.calls.app_conn_close, [], this.#number, 1)
    this.#end('aborted', err, true)
  }

  /** The core is done with it. @param {Error} [error] */
  onClosed (error) {
    if (this.status === 'open' || this.status === 'closing') this.#end('closed', error, this.status === 'closing')
  }

  /** @param {'closed' | 'aborted'} status @param {Error | undefined} error @param {boolean} local */
  #end (status, error, local) {
    this.status = status
    this.timeline.close = Date.now()
    this.dispatchEvent(new StreamCloseEvent(error && local, error))
  }

  async [Symbol.asyncDispose] () { await this.close() }
}

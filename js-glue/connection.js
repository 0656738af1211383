import { PeerletError, abortError } from './errors.js'
import { orAbort } from './stream.js'

/** A connection to a peer: js-libp2p's Connection. */
export class Connection extends EventTarget {
  #node

  /**
   * @param {import('./libp2p.js').Libp2p} node
   * @param {number} number
   * @param {import('./peer-id.js').PeerId} remotePeer
   * @param {import('./multiaddr.js').Multiaddr} remoteAddr
   * @param {number} flags
   * @param {{ seconds: number, bytes: bigint }} [limits] of a relayed connection
   */
  constructor (node, number, remotePeer, remoteAddr, flags, limits) {
    super()
    this.#node = node
    this.number = number
    this.id = String(number)
    this.remotePeer = remotePeer
    this.remoteAddr = remoteAddr
    /** @type {'inbound' | 'outbound'} */
    this.direction = flags & node.numbers.CONN_INBOUND ? 'inbound' : 'outbound'
    this.direct = (flags & node.numbers.CONN_RELAYED) === 0
    this.limits = limits
    /** @type {import('./stream.js').Stream[]} */
    this.streams = []
    /** @type {'open' | 'closing' | 'closed'} */
    this.status = 'open'
    this.timeline = /** @type {{ open: number, close?: number }} */ ({ open: Date.now() })
    this.tags = /** @type {string[]} */ ([])
    /** Milliseconds of the last round trip measured. @type {number | undefined} */
    this.rtt = undefined
    this.multiplexer = '/yamux/1.0.0'
    this.encryption = '/noise'
  }

  get transient () { return this.limits !== undefined }

  /**
   * Opens a stream for the first of the protocols that the peer speaks.
   *
   * @param {string | string[]} protocols
   * @param {{ signal?: AbortSignal, runOnLimitedConnection?: boolean }} [options]
   * @returns {Promise<import('./stream.js').Stream>}
   */
  async newStream (protocols, options = {}) {
    options.signal?.throwIfAborted()
    if (this.status !== 'open') throw new PeerletError('ConnectionClosedError', `the connection to ${this.remotePeer} is ${this.status}; dial the peer again`, 'CLOSED')
    const list = [protocols].flat().join('\n')
    const { number, opened } = this.#node.openStream(this, list, options.runOnLimitedConnection === true)
    try {
      return await orAbort(opened, options.signal)
    } catch (err) {
      this.#node.core._app_stream_reset(number)
      this.#node.flushSoon()
      throw err
    }
  }

  /** @param {import('./stream.js').Stream} stream */
  forget (stream) {
    const at = this.streams.indexOf(stream)
    if (at >= 0) this.streams.splice(at, 1)
  }

  /** Closes it when everything sent has left. @param {{ signal?: AbortSignal }} [options] */
  async close (options) {
    if (this.status !== 'open') return
    this.status = 'closing'
    const closed = new Promise((resolve) => this.addEventListener('close', resolve, { once: true }))
    this.#node.core._app_conn_close(this.number, 0)
    this.#node.flushSoon()
    await orAbort(closed, options?.signal)
  }

  /** Closes it now. @param {Error} [err] */
  abort (err = abortError('the connection was aborted')) {
    if (this.status === 'closed') return
    this.#node.core._app_conn_close(this.number, 1)
    this.#node.flushSoon()
  }

  /** The core is done with it. @param {Error} [error] */
  onClosed (error) {
    this.status = 'closed'
    this.timeline.close = Date.now()
    this.dispatchEvent(Object.assign(new Event('close'), { error }))
  }

  async [Symbol.asyncDispose] () { await this.close() }
}

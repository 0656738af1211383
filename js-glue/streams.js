import * as k from '../build/gen/numbers.js'
import { PeerletError, abortReason, makeError, orAbort } from './errors.js'
import { Waiting } from './events.js'
import { Stream } from './stream.js'

/**
 * @typedef {import('./connection.js').Connection} Connection
 * @typedef {import('./memory.js').Output} Output
 */

/**
 * Answers a protocol: called as `(stream, connection)`, or, as in js-libp2p 2, `({ stream, connection })`.
 *
 * @typedef {(stream: Stream, connection: Connection) => any} StreamHandler
 */

/**
 * @typedef {object} StreamHandlerOptions
 * @property {number} [maxInboundStreams] per connection
 * @property {number} [maxOutboundStreams]
 * @property {boolean} [runOnLimitedConnection] whether relayed connections may use up their limits for it
 * @property {boolean} [force] replaces a handler that is there already
 */

/** The streams of a node, and who answers those that peers open. */
export class Streams {
  #core
  #connectionOf
  /** @type {Map<number, Stream>} */
  #streams = new Map()
  /** @type {Map<string, StreamHandler>} */
  #handlers = new Map()
  /** @type {Waiting<Stream>} */
  #openings = new Waiting()

  /** @param {import('./core.js').Core} core @param {(number: number) => Connection | undefined} connectionOf */
  constructor (core, connectionOf) {
    this.#core = core
    this.#connectionOf = connectionOf
  }

  /** @param {string | string[]} protocols @param {StreamHandler} handler @param {StreamHandlerOptions} [options] */
  handle (protocols, handler, { maxInboundStreams = 0, maxOutboundStreams = 0, runOnLimitedConnection = false, force = false } = {}) {
    for (const protocol of [protocols].flat()) {
      if (force) this.unhandle(protocol)
      this.#core.run(this.#core.calls.app_handle, [protocol], runOnLimitedConnection ? k.ON_LIMITED : 0, maxInboundStreams, maxOutboundStreams)
      this.#handlers.set(protocol, handler)
    }
  }

  /** @param {string | string[]} protocols */
  unhandle (protocols) {
    for (const protocol of [protocols].flat()) {
      if (this.#handlers.delete(protocol)) this.#core.run(this.#core.calls.app_unhandle, [protocol])
    }
  }

  /**
   * @param {Connection} connection
   * @param {string[]} protocols
   * @param {import('./connection.js').NewStreamOptions} options
   */
  async open (connection, protocols, { signal, runOnLimitedConnection = false }) {
    if (signal?.aborted) throw abortReason(signal)
    const { calls } = this.#core
    const number = this.#core.run(calls.app_stream_open, [protocols.join('\n')], connection.number, runOnLimitedConnection ? k.ON_LIMITED : 0)
    return await orAbort(this.#openings.add(number), signal, () => this.#core.run(calls.app_stream_reset, [], number))
  }

  /** @param {Error} err */
  rejectAll (err) {
    this.#openings.rejectAll(err)
    for (const stream of this.#streams.values()) stream.onClosed(err)
    this.#streams.clear()
  }

  /** What the core tells. @type {Record<number, (event: Output) => void>} */
  listeners = {
    [k.STREAM_OPENED]: ({ id, channel, value, text }) => {
      const connection = this.#connectionOf(channel)
      if (connection === undefined) return
      const isInbound = value === k.LISTENER
      const stream = new Stream(this.#core, id, connection, isInbound ? 'inbound' : 'outbound', text)
      this.#streams.set(id, stream)
      connection.streams.push(stream)
      if (isInbound) this.#answer(stream, connection)
      else if (!this.#openings.resolve(id, stream)) stream.abort()
    },
    [k.STREAM_DATA]: ({ id, data }) => this.#streams.get(id)?.onData(data),
    [k.STREAM_ENDED]: ({ id }) => this.#streams.get(id)?.onEnded(),
    [k.STREAM_ROOM]: ({ id }) => this.#streams.get(id)?.onRoom(),
    [k.STREAM_CLOSED]: ({ id, code }) => {
      const error = code === 0 ? undefined : this.#core.error(code)
      this.#openings.reject(id, error ?? makeError('StreamClosedError', 'the stream closed before it was open'))
      this.#streams.get(id)?.onClosed(error, error?.name === 'StreamResetError')
      this.#streams.delete(id)
    }
  }

  /** @param {Stream} stream @param {Connection} connection */
  async #answer (stream, connection) {
    try {
      await this.#handlers.get(stream.protocol)?.(stream, connection)
    } catch (/** @type {any} */ err) {
      stream.abort(err)
      // that a peer or the network ends a stream is no news
      if (!(err instanceof PeerletError)) console.error(stream.protocol, err)
    }
  }
}

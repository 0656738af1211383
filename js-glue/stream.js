import { PeerletError, abortError, errorOf } from './errors.js'
import { write } from './memory.js'

/** Bytes kept of a stream that is not read before the peer is told to wait. */
const MAX_READ_BUFFER = 4 << 20

/** @param {any} data a Uint8Array, or a list of them with `subarray` */
const flat = (data) => data instanceof Uint8Array ? data : data.subarray()

/** Waits for a promise or an abort, whichever is first. @template T @param {Promise<T>} promise @param {AbortSignal} [signal] @returns {Promise<T>} */
export function orAbort (promise, signal) {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason instanceof Error ? signal.reason : abortError())
    if (signal.aborted) return stop()
    signal.addEventListener('abort', stop, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}

/** A `message`, `close` or `drain` of a stream. */
export class StreamEvent extends Event {
  /** @param {string} type @param {object} [fields] */
  constructor (type, fields) {
    super(type)
    Object.assign(this, fields)
  }
}

/**
 * A byte channel to a peer: js-libp2p's Stream. Data comes as `message` events or by iterating;
 * `send` returns false when the other side is slow, and `drain` says when to go on.
 */
export class Stream extends EventTarget {
  #node
  /** Received and not yet taken. @type {Uint8Array[]} */
  #inbound = []
  /** Sent and not yet taken by the core. @type {Uint8Array[]} */
  #outbound = []
  #listens = false
  #paused = false
  /** @type {Array<() => void>} */
  #drainWaits = []
  /** @type {(() => void) | undefined} */
  #wakeReader
  #closing = false

  /**
   * @param {import('./libp2p.js').Libp2p} node
   * @param {number} number
   * @param {import('./connection.js').Connection} connection
   * @param {'inbound' | 'outbound'} direction
   * @param {string} protocol
   */
  constructor (node, number, connection, direction, protocol) {
    super()
    this.#node = node
    this.number = number
    this.id = String(number)
    this.connection = connection
    this.direction = direction
    this.protocol = protocol
    this.metadata = {}
    this.timeline = /** @type {{ open: number, close?: number }} */ ({ open: Date.now() })
    /** @type {'open' | 'closing' | 'closed' | 'aborted' | 'reset'} */
    this.status = 'open'
    /** @type {'readable' | 'paused' | 'closing' | 'closed'} */
    this.readStatus = 'readable'
    /** @type {'writable' | 'closing' | 'closed'} */
    this.writeStatus = 'writable'
    /** @type {'writable' | 'closed'} */
    this.remoteWriteStatus = 'writable'
    /** @type {'readable' | 'closed'} */
    this.remoteReadStatus = 'readable'
    this.maxReadBufferLength = MAX_READ_BUFFER
    /** @type {Error | undefined} */
    this.error = undefined
  }

  /** The stream itself: handlers written as `({ stream, connection }) => …` get what they expect. */
  get stream () { return this }
  get writableNeedsDrain () { return this.#outbound.length > 0 }
  get writeBufferLength () { return this.#outbound.reduce((sum, b) => sum + b.length, 0) }
  get readBufferLength () { return this.#inbound.reduce((sum, b) => sum + b.length, 0) }

  // ---- writing

  /**
   * Sends bytes; what the peer does not take yet is kept.
   *
   * @param {Uint8Array | { subarray: () => Uint8Array }} data
   * @returns {boolean} false: wait for `drain` before the next one
   */
  send (data) {
    if (this.writeStatus !== 'writable') throw new PeerletError('StreamStateError', `cannot send: the stream is ${this.status}`, 'STREAM_STATE')
    const bytes = flat(data)
    let done = 0
    if (this.#outbound.length === 0) {
      done = write(this.#node.core, this.number, bytes)
      this.#node.flushSoon()
    }
    if (done < bytes.length) this.#outbound.push(bytes.slice(done))
    return this.#outbound.length === 0
  }

  /** The core has room again. */
  onRoom () {
    while (this.#outbound.length > 0) {
      const bytes = this.#outbound[0]
      const done = write(this.#node.core, this.number, bytes)
      if (done > 0) this.#node.flushSoon()
      if (done < bytes.length) {
        this.#outbound[0] = bytes.subarray(done)
        return
      }
      this.#outbound.shift()
    }
    this.#settleDrain()
    this.dispatchEvent(new StreamEvent('drain'))
    this.#finishClose()
  }

  #settleDrain () {
    for (const resolve of this.#drainWaits.splice(0)) resolve()
  }

  /** @param {{ signal?: AbortSignal }} [options] */
  async onDrain (options) {
    if (!this.writableNeedsDrain || this.status !== 'open') return
    await orAbort(new Promise((resolve) => this.#drainWaits.push(() => resolve(undefined))), options?.signal)
  }

  #finishClose () {
    if (!this.#closing || this.#outbound.length > 0 || this.writeStatus === 'closed') return
    this.writeStatus = 'closed'
    this.#node.core._app_stream_close_write(this.number)
    this.#node.flushSoon()
  }

  /**
   * Closes our half; what was sent still arrives, and the peer may go on sending.
   *
   * @param {{ signal?: AbortSignal }} [options]
   */
  async close (options) {
    if (this.writeStatus !== 'writable') return
    this.writeStatus = 'closing'
    this.#closing = true
    if (this.#outbound.length > 0) {
      await orAbort(new Promise((resolve) => this.#drainWaits.push(() => resolve(undefined))), options?.signal)
    }
    this.#finishClose()
  }

  closeWrite (/** @type {{ signal?: AbortSignal } | undefined} */ options) { return this.close(options) }

  /** Reads no more: what still comes is dropped. */
  async closeRead () {
    if (this.readStatus === 'closed') return
    this.readStatus = 'closed'
    this.#inbound = []
    this.#node.core._app_stream_close_read(this.number)
    this.#node.flushSoon()
    this.#wakeReader?.()
  }

  /** Ends both halves at once. @param {Error} [err] */
  abort (err = abortError('the stream was aborted')) {
    if (this.status !== 'open' && this.status !== 'closing') return
    this.error = err
    this.#end('aborted', err)
    this.#node.core._app_stream_reset(this.number)
    this.#node.flushSoon()
  }

  // ---- reading

  /** @param {Uint8Array} bytes */
  onData (bytes) {
    if (this.readStatus === 'closed') return this.#took(bytes.length)
    this.#inbound.push(bytes)
    if (this.#wakeReader) this.#wakeReader()
    else this.#deliver()
  }

  /** @param {number} len */
  #took (len) {
    this.#node.core._app_stream_took(this.number, len)
    this.#node.flushSoon()
  }

  #deliver () {
    while (this.#listens && !this.#paused && this.#inbound.length > 0) {
      const data = /** @type {Uint8Array} */ (this.#inbound.shift())
      this.#took(data.length)
      this.dispatchEvent(new StreamEvent('message', { data }))
    }
    if (this.#inbound.length === 0 && this.remoteWriteStatus === 'closed') this.#tellRemoteClose()
  }

  /** @param {any[]} args */
  addEventListener (...args) {
    super.addEventListener(.../** @type {[string, any, any]} */ (args))
    if (args[0] !== 'message' || this.#listens) return
    this.#listens = true
    queueMicrotask(() => this.#deliver())
  }

  pause () {
    this.#paused = true
    if (this.readStatus === 'readable') this.readStatus = 'paused'
  }

  resume () {
    this.#paused = false
    if (this.readStatus === 'paused') this.readStatus = 'readable'
    this.#deliver()
  }

  /** Puts bytes back in front of what is to be read. @param {Uint8Array | { subarray: () => Uint8Array }} data */
  unshift (data) { this.#inbound.unshift(flat(data)) }

  /** @param {Uint8Array | { subarray: () => Uint8Array }} data */
  push (data) { this.onData(flat(data)) }

  async * [Symbol.asyncIterator] () {
    for (;;) {
      while (this.#inbound.length > 0) {
        const data = /** @type {Uint8Array} */ (this.#inbound.shift())
        this.#took(data.length)
        yield data
      }
      if (this.error !== undefined) throw this.error
      if (this.remoteWriteStatus === 'closed' || this.readStatus === 'closed' || this.status === 'closed') return
      await new Promise((resolve) => { this.#wakeReader = () => resolve(undefined) })
      this.#wakeReader = undefined
    }
  }

  #remoteCloseTold = false

  #tellRemoteClose () {
    if (this.#remoteCloseTold) return
    this.#remoteCloseTold = true
    this.dispatchEvent(new StreamEvent('remoteCloseWrite'))
  }

  /** The peer closed its half. */
  onEnded () {
    this.remoteWriteStatus = 'closed'
    this.#wakeReader?.()
    if (this.#inbound.length === 0) this.#tellRemoteClose()
  }

  // ---- the end

  /** @param {typeof this.status} status @param {Error} [error] */
  #end (status, error) {
    this.status = status
    this.writeStatus = 'closed'
    this.remoteWriteStatus = 'closed'
    this.remoteReadStatus = 'closed'
    this.timeline.close = Date.now()
    this.#outbound = []
    this.#settleDrain()
    this.#wakeReader?.()
    this.#deliver()
    this.connection.forget(this)
    this.dispatchEvent(new StreamEvent('close', { error, local: status === 'aborted' }))
  }

  /** The core is done with it. @param {number} code 0, or the error that ended it */
  onClosed (code) {
    if (this.status !== 'open' && this.status !== 'closing') return
    if (code !== 0) this.error = errorOf(this.#node.errors, code)
    this.#end(code === 0 ? 'closed' : 'reset', this.error)
  }

  async [Symbol.asyncDispose] () { await this.close() }

  // ---- other shapes

  /** js-libp2p v2: what to read from. */
  get source () { return this[Symbol.asyncIterator]() }

  /** js-libp2p v2: what to write with. */
  get sink () {
    return async (/** @type {AsyncIterable<any> | Iterable<any>} */ source) => {
      for await (const data of source) {
        if (!this.send(data)) await this.onDrain()
      }
      await this.close()
    }
  }

  /** The received bytes as a Web Stream. @returns {ReadableStream<Uint8Array>} */
  get readable () {
    const iterator = this[Symbol.asyncIterator]()
    return new ReadableStream({
      pull: async (controller) => {
        const { done, value } = await iterator.next()
        if (done === true) controller.close()
        else controller.enqueue(value)
      },
      cancel: () => this.closeRead()
    })
  }

  /** A Web Stream that sends. @returns {WritableStream<Uint8Array>} */
  get writable () {
    return new WritableStream({
      write: async (chunk) => { if (!this.send(chunk)) await this.onDrain() },
      close: () => this.close(),
      abort: (reason) => this.abort(reason)
    })
  }
}

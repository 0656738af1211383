import { abortReason, makeError, orAbort } from './errors.js'
import { Emitter, StreamCloseEvent, StreamMessageEvent } from './events.js'

/** @typedef {Uint8Array | { subarray: () => Uint8Array }} Bytes bytes, or a list of them as uint8arraylist has it */

/** @param {Bytes} data */
function flat (data) {
  if (!data?.subarray) throw makeError('InvalidParametersError', 'send takes a Uint8Array: new TextEncoder().encode(text)', 'BAD_ARGUMENT')
  return data instanceof Uint8Array ? data : data.subarray()
}

/** @param {string} message */
const overflow = (message) => makeError('StreamBufferError', message)

/**
 * A byte channel to a peer, with the events of js-libp2p 3:
 *
 * - `message` (`event.data`): bytes arrived. They wait here until there is a listener or an iterator, and
 *   the peer is told to wait when much is waiting.
 * - `remoteCloseWrite`: the peer will send no more; `end`: and everything it sent was read.
 * - `drain`: after `send` returned false, it may be called again; `idle`: nothing waits to be sent.
 * - `close` (`event.error`, `event.local`): both halves are closed.
 *
 * The shapes of js-libp2p 2 (`source`, `sink`, handlers that take `{ stream, connection }`) and Web Streams
 * (`readable`, `writable`) work on the same object.
 */
export class Stream extends Emitter {
  #core
  #number
  /** Received, not yet read: from #readAt on. @type {Uint8Array[]} */
  #received = []
  #readAt = 0
  /** Sent, not yet taken by the core. @type {Uint8Array[]} */
  #unsent = []
  /** What the application put back, for which the peer has had its credit. @type {WeakSet<Uint8Array>} */
  #returned = new WeakSet()
  #isEnded = false
  /** @type {Error | undefined} */
  #error
  /** Wakes who waits for bytes or the end. @type {() => void} */
  #wake = () => {}

  /** @type {'open' | 'closing' | 'closed' | 'aborted' | 'reset'} */
  status = 'open'
  /** @type {'readable' | 'paused' | 'closing' | 'closed'} */
  readStatus = 'readable'
  /** @type {'writable' | 'closing' | 'closed'} */
  writeStatus = 'writable'
  /** @type {'readable' | 'closed'} */
  remoteReadStatus = 'readable'
  /** @type {'writable' | 'closed'} */
  remoteWriteStatus = 'writable'
  /** @type {{ open: number, close?: number }} */
  timeline = { open: Date.now() }
  /** Past this many unsent bytes the stream is aborted. */
  maxWriteBufferLength = Infinity
  /** And past this many unread ones: the peer sends no more than a window of them unasked. */
  maxReadBufferLength = Infinity
  /** What js-libp2p 2 lets applications keep with a stream. @type {Record<string, any>} */
  metadata = {}

  /**
   * @param {import('./core.js').Core} core
   * @param {number} number
   * @param {import('./connection.js').Connection} connection
   * @param {'inbound' | 'outbound'} direction
   * @param {string} protocol
   */
  constructor (core, number, connection, direction, protocol) {
    super()
    this.#core = core
    this.#number = number
    this.id = String(number)
    this.connection = connection
    this.direction = direction
    this.protocol = protocol
  }

  /** The stream itself, for handlers written as `({ stream, connection }) => …`. */
  get stream () { return this }

  get #isAlive () { return this.status === 'open' || this.status === 'closing' }

  // ---- writing

  get writableNeedsDrain () { return this.#unsent.length > 0 }
  get writeBufferLength () { return this.#unsent.reduce((sum, bytes) => sum + bytes.length, 0) }

  /**
   * Sends bytes. They are copied: the array may be used again at once.
   *
   * @param {Bytes} data
   * @returns {boolean} false: no more fits for now, wait for `drain`. What is sent nevertheless is kept here
   * @throws StreamStateError once our half is closed
   */
  send (data) {
    if (this.writeStatus !== 'writable') {
      throw makeError('StreamStateError', `cannot send on a stream that is ${this.#isAlive ? 'closed for writing' : this.status}; open a new one`, 'STREAM_STATE')
    }
    const bytes = flat(data)
    const done = this.#unsent.length > 0 ? 0 : this.#core.write(this.#number, bytes)
    if (done < bytes.length) {
      this.#unsent.push(bytes.slice(done))
      if (this.writeBufferLength > this.maxWriteBufferLength) this.abort(overflow(`${this.writeBufferLength} bytes wait to be sent, more than maxWriteBufferLength: wait for "drain" when send() returns false`))
    }
    return this.#unsent.length === 0
  }

  /** The core takes more again. */
  onRoom () {
    if (this.#unsent.length === 0) return
    for (let bytes; (bytes = this.#unsent[0]) !== undefined;) {
      const done = this.#core.write(this.#number, bytes)
      if (done < bytes.length) {
        this.#unsent[0] = bytes.subarray(done)
        return
      }
      this.#unsent.shift()
    }
    this.dispatchEvent(new Event('drain'))
    this.dispatchEvent(new Event('idle'))
  }

  /** Resolves with the next event of this type, rejects when the stream closes before. @param {string} type */
  #next (type) {
    return new Promise((resolve, reject) => {
      const settle = (/** @type {any} */ event) => {
        this.removeEventListener(type, settle)
        this.removeEventListener('close', settle)
        if (event.type === type) resolve(event)
        else reject(event.error ?? makeError('StreamClosedError', 'the stream closed'))
      }
      this.addEventListener(type, settle)
      this.addEventListener('close', settle)
    })
  }

  /**
   * Resolves when `send` may be called again.
   *
   * @param {{ signal?: AbortSignal }} [options]
   */
  async onDrain (options) {
    if (this.writableNeedsDrain) await orAbort(this.#next('drain'), options?.signal)
  }

  /**
   * Closes our half once everything sent has left. The peer may go on sending.
   *
   * @param {{ signal?: AbortSignal }} [options]
   */
  async close (options) {
    if (this.writeStatus !== 'writable') return
    this.writeStatus = 'closing'
    if (this.writableNeedsDrain) await orAbort(this.#next('drain'), options?.signal)
    if (!this.#isAlive) return
    this.writeStatus = 'closed'
    this.#core.run(this.#core.calls.app_stream_close_write, [], this.#number)
  }

  /** js-libp2p 2's name of `close`. @param {{ signal?: AbortSignal }} [options] */
  async closeWrite (options) { await this.close(options) }

  // ---- reading

  get readBufferLength () { return this.#received.slice(this.#readAt).reduce((sum, bytes) => sum + bytes.length, 0) }

  /** Whether everything was read that will ever come. */
  get readableEnded () { return this.#isEnded }

  get #isReadable () { return this.readStatus === 'readable' || this.readStatus === 'paused' }

  /** The next bytes, for which the peer gets credit. */
  #read () {
    const bytes = this.#received[this.#readAt]
    if (bytes === undefined) return undefined
    if (++this.#readAt === this.#received.length) {
      this.#received = []
      this.#readAt = 0
    }
    if (!this.#returned.delete(bytes)) this.#took(bytes.length)
    return bytes
  }

  /** @param {number} length */
  #took (length) {
    if (!this.#isAlive) return
    this.#core.calls.app_stream_took(this.#number, length)
    this.#core.flushSoon()
  }

  /** Hands what has arrived to the listeners, and tells the end when there is nothing behind it. */
  #deliver () {
    while (this.readStatus === 'readable' && this.listenerCount('message') > 0) {
      const bytes = this.#read()
      if (bytes === undefined) break
      this.dispatchEvent(new StreamMessageEvent(bytes))
    }
    this.#wake()
    const isOver = this.remoteWriteStatus === 'closed' || this.readStatus === 'closed'
    if (isOver && this.#received.length === 0 && !this.#isEnded) {
      this.#isEnded = true
      this.readStatus = 'closed'
      this.dispatchEvent(new Event('end'))
    }
  }

  /** Bytes arrived. @param {Uint8Array} bytes */
  onData (bytes) {
    if (!this.#isReadable) return this.#took(bytes.length)
    this.#received.push(bytes)
    this.#deliver()
    if (this.maxReadBufferLength < Infinity && this.readBufferLength > this.maxReadBufferLength) this.abort(overflow(`${this.readBufferLength} bytes wait to be read, more than maxReadBufferLength`))
  }

  /** The peer will send no more. */
  onEnded () {
    this.remoteWriteStatus = 'closed'
    this.dispatchEvent(new Event('remoteCloseWrite'))
    this.#deliver()
  }

  /**
   * @param {string} type
   * @param {((event: any) => void) | EventListenerObject | null} listener
   * @param {AddEventListenerOptions | boolean} [options]
   */
  addEventListener (type, listener, options) {
    super.addEventListener(type, listener, options)
    if (type === 'message' && this.#received.length > 0) queueMicrotask(() => this.#deliver())
  }

  /** No more `message` events: what arrives waits, and then the peer does. */
  pause () {
    if (!this.#isReadable) throw makeError('StreamStateError', 'cannot pause a stream that is closed for reading', 'STREAM_STATE')
    this.readStatus = 'paused'
  }

  resume () {
    if (!this.#isReadable) throw makeError('StreamStateError', 'cannot resume a stream that is closed for reading', 'STREAM_STATE')
    this.readStatus = 'readable'
    this.#deliver()
  }

  /**
   * Puts bytes behind what has arrived, or in front of it: for who has read too far.
   *
   * @param {Bytes} data
   */
  push (data) { this.#insert(this.#received.length, flat(data)) }

  /** @param {Bytes} data */
  unshift (data) { this.#insert(this.#readAt, flat(data)) }

  /** @param {number} at @param {Uint8Array} bytes */
  #insert (at, bytes) {
    if (bytes.length === 0) return
    const copy = bytes.slice()
    this.#received.splice(at, 0, copy)
    this.#returned.add(copy)
    queueMicrotask(() => this.#deliver())
  }

  /** Reads no more: what waits and what still comes is dropped. */
  async closeRead () {
    if (!this.#isReadable) return
    this.readStatus = 'closed'
    while (this.#read() !== undefined);
    if (this.#isAlive) this.#core.run(this.#core.calls.app_stream_close_read, [], this.#number)
    this.#deliver()
  }

  /** Everything the peer sends, until it closes its half. Throws when the stream is aborted or reset. */
  async * [Symbol.asyncIterator] () {
    for (;;) {
      const bytes = this.#read()
      if (bytes !== undefined) {
        yield bytes
        continue
      }
      if (this.#error !== undefined) throw this.#error
      if (this.#isEnded || !this.#isAlive || this.remoteWriteStatus === 'closed') return this.#deliver()
      await new Promise((resolve) => { this.#wake = () => resolve(undefined) })
    }
  }

  // ---- the end

  /**
   * Ends both halves at once; what is unsent or unread is dropped.
   *
   * @param {Error} [err] what `close` tells
   */
  abort (err = abortReason()) {
    if (!this.#isAlive) return
    while (this.#read() !== undefined);
    this.#core.run(this.#core.calls.app_stream_reset, [], this.#number)
    this.#end('aborted', err, true)
  }

  /** The core is done with it. @param {Error} [error] @param {boolean} [isReset] by the peer */
  onClosed (error, isReset = false) {
    if (this.#isAlive) this.#end(error === undefined ? 'closed' : isReset ? 'reset' : 'aborted', error, false)
  }

  /** @param {'closed' | 'aborted' | 'reset'} status @param {Error | undefined} error @param {boolean} local */
  #end (status, error, local) {
    this.status = status
    this.#error = error
    this.writeStatus = this.remoteWriteStatus = this.remoteReadStatus = 'closed'
    this.timeline.close = Date.now()
    this.#unsent = []
    this.connection.forget(this)
    this.#deliver()
    this.dispatchEvent(new StreamCloseEvent(error && local, error))
  }

  async [Symbol.asyncDispose] () { await this.close() }

  // ---- other shapes of the same

  /** What js-libp2p 2 reads from. */
  get source () { return this[Symbol.asyncIterator]() }

  /** What js-libp2p 2 writes with: sends all of it, then closes our half. */
  get sink () {
    return async (/** @type {AsyncIterable<Bytes> | Iterable<Bytes>} */ source) => {
      for await (const data of source) if (!this.send(data)) await this.onDrain()
      await this.close()
    }
  }

  /** What the peer sends, as a Web Stream. @returns {ReadableStream<Uint8Array>} */
  get readable () {
    const iterator = this[Symbol.asyncIterator]()
    return new ReadableStream({
      pull: async (controller) => {
        const { done, value } = await iterator.next()
        if (done === true) controller.close()
        else controller.enqueue(value)
      },
      cancel: () => this.closeRead()
    }, { highWaterMark: 0 })
  }

  /** What we send, as a Web Stream. @returns {WritableStream<Bytes>} */
  get writable () {
    return new WritableStream({
      write: async (data) => { if (!this.send(data)) await this.onDrain() },
      close: () => this.close(),
      abort: (reason) => this.abort(reason)
    })
  }
}

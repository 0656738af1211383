// Our yamux as js-libp2p's StreamMuxerFactory: moves bytes between its connections and src/wire/yamux.h.
import { MuxerClosedError } from '@libp2p/interface'
import { AbstractStream, AbstractStreamMuxer } from '@libp2p/utils'
import {
  DIALER, LISTENER, YAMUX_DATA, YAMUX_FIN, YAMUX_INTERNAL_ERROR, YAMUX_NORMAL, YAMUX_OPENED, YAMUX_RESET, YAMUX_ROOM
} from '../../../build/gen/wire_numbers.js'
import { Machine } from './machines.mjs'

/** @import { AbortOptions, MessageStream, StreamMuxerFactory } from '@libp2p/interface' */
/** @import { AbstractStreamInit } from '@libp2p/utils' */

const PROTOCOL = '/yamux/1.0.0'

class MuxedStream extends AbstractStream {
  #muxer
  /** Bytes that were not granted back. */
  #unread = 0

  /** @param {AbstractStreamInit} init @param {PeerletMuxer} muxer @param {number} handle of C */
  constructor (init, muxer, handle) {
    super(init)
    this.#muxer = muxer
    this.handle = handle
  }

  /** @type {AbstractStream['sendData']} */
  sendData (data) { return this.#muxer.write(this, data.subarray()) }

  sendReset () { this.#muxer.order('stream_reset', this, 0) }

  async sendCloseWrite () { this.#muxer.order('stream_close_write', this) }

  async sendCloseRead () { this.#muxer.order('stream_close_read', this) }

  /** A paused reader takes nothing, so nothing is granted back. */
  sendPause () {}

  sendResume () {}

  /** @param {Uint8Array} data */
  onData (data) {
    this.#unread += data.length
    super.onData(data)
  }

  /** @protected */
  dispatchReadBuffer () {
    super.dispatchReadBuffer()
    const taken = this.#unread - this.readBufferLength
    if (taken <= 0) return
    this.#unread -= taken
    this.#muxer.order('stream_grant', this, taken, performance.now())
  }
}

/** @extends {AbstractStreamMuxer<MuxedStream>} */
class PeerletMuxer extends AbstractStreamMuxer {
  #machine = new Machine()
  /** @type {Map<number, MuxedStream>} those that C has */
  #living = new Map()
  #isOver = false

  /** @param {MessageStream} link */
  constructor (link) {
    super(link, { protocol: PROTOCOL, name: 'peerlet:yamux' })
    this.#machine.run('mux_open', [link.direction === 'outbound' ? DIALER : LISTENER, performance.now()])
    this.#flush()
  }

  /** @type {AbstractStreamMuxer['onData']} */
  onData (data) {
    let bytes = data.subarray()
    try {
      while (!this.#isOver) {
        const event = this.#machine.run('mux_feed', [performance.now()], [bytes])
        if (event === 0) return
        this.#happened(event - 1)
        bytes = new Uint8Array(0)
      }
    } finally {
      this.#flush()
    }
  }

  /** @param {number} event */
  #happened (event) {
    const { stream: handle, data } = this.#machine.told()
    if (event === YAMUX_OPENED) return this.onRemoteStream(this.#add(handle, 'inbound'))
    const stream = this.#living.get(handle)
    if (event === YAMUX_DATA) stream?.onData(data)
    else if (event === YAMUX_FIN) stream?.onRemoteCloseWrite()
    else if (event === YAMUX_RESET) stream?.onRemoteReset()
    else if (event === YAMUX_ROOM) stream?.onMuxerDrain()
  }

  /** @param {number} handle @param {'inbound' | 'outbound'} direction */
  #add (handle, direction) {
    const stream = new MuxedStream({ ...this.streamOptions, id: `${handle}`, direction, log: this.log.newScope(`${direction}:${handle}`) }, this, handle)
    this.#living.set(handle, stream)
    stream.addEventListener('close', () => {
      this.order('stream_release', stream)
      this.#living.delete(handle)
    })
    return stream
  }

  onCreateStream () {
    try {
      this.#machine.run('stream_open', [])
    } catch (/** @type {any} */ error) {
      throw error.name === 'ConnectionClosedError' ? new MuxerClosedError(error.message) : error
    }
    const stream = this.#add(this.#machine.told().stream, 'outbound')
    this.#flush()
    return stream
  }

  /**
   * A command about a stream, unless C has it no more.
   *
   * @param {string} name
   * @param {MuxedStream} stream
   * @param {...number} numbers
   */
  order (name, stream, ...numbers) {
    if (this.#living.get(stream.handle) !== stream) return
    this.#machine.run(name, [stream.handle, ...numbers])
    this.#flush()
  }

  /** @param {MuxedStream} stream @param {Uint8Array} data */
  write (stream, data) {
    const sentBytes = this.#machine.run('stream_write', [stream.handle], [data])
    return { sentBytes, canSendMore: this.#flush() && sentBytes === data.length }
  }

  /** @returns {boolean} whether the link takes more */
  #flush () {
    if (this.#isOver) return false
    this.#machine.run('mux_drain', [performance.now()])
    const { data } = this.#machine.told()
    if (this.maConn.status !== 'open') return false
    return data.length === 0 || this.send(data)
  }

  /** @param {number} code */
  #goAway (code) {
    if (this.#isOver) return
    this.#machine.run('mux_goaway', [code])
    this.#flush()
  }

  /** @param {AbortOptions} [options] */
  async close (options) {
    if (this.status !== 'open') return
    await super.close(options)
    this.#goAway(YAMUX_NORMAL)
  }

  /** @param {Error} error */
  abort (error) {
    if (this.status !== 'open') return
    super.abort(error)
    this.#goAway(YAMUX_INTERNAL_ERROR)
  }

  /** @param {Error} [error] */
  onTransportClosed (error) {
    super.onTransportClosed(error)
    if (this.#isOver) return
    this.#isOver = true
    this.#living.clear()
    this.#machine.run('mux_close', [])
  }
}

/** @implements {StreamMuxerFactory} */
export class PeerletYamux {
  protocol = PROTOCOL

  /** @param {MessageStream} link */
  createStreamMuxer (link) { return new PeerletMuxer(link) }
}

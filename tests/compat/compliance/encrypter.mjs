// Our Noise as js-libp2p's ConnectionEncrypter: moves bytes between its connections and src/wire/noise.h.
import { setImmediate } from 'node:timers/promises'
import { peerIdFromString } from '@libp2p/peer-id'
import { AbstractMessageStream } from '@libp2p/utils'
import { DIALER, LISTENER, NOISE_READY } from '../../../build/gen/wire_numbers.js'
import { abortReason, makeError, orAbort } from '../../../js-glue/errors.js'
import { Machine } from './machines.mjs'

/** @import { Told } from './machines.mjs' */
/** @import { AbortOptions, ConnectionEncrypter, MessageStream, PrivateKey, SecureConnectionOptions, StreamMuxerFactory } from '@libp2p/interface' */

const encoder = new TextEncoder()

class SecuredStream extends AbstractMessageStream {
  #machine = new Machine()
  #link
  /** @type {(told: Told) => void} */
  #succeed = () => {}
  /** @type {(error: any) => void} */
  #fail = () => {}
  /** What NOISE_READY tells. @type {Promise<Told>} */
  handshake = new Promise((resolve, reject) => {
    this.#succeed = resolve
    this.#fail = reject
  })

  /** @param {MessageStream} link @param {number} role @param {Uint8Array[]} pieces as secure_open takes them */
  constructor (link, role, pieces) {
    super({ log: link.log.newScope('peerlet:noise'), direction: link.direction })
    this.#link = link
    this.addEventListener('close', () => this.#machine.run('secure_close', []))
    link.addEventListener('message', ({ data }) => this.#orAbort(() => this.#hear(data.subarray())))
    link.addEventListener('drain', () => this.onMuxerDrain())
    link.addEventListener('remoteCloseWrite', () => this.onRemoteCloseWrite())
    link.addEventListener('close', ({ error, local }) => {
      this.#fail(error ?? makeError('ConnectionClosedError', 'closed during the handshake'))
      if (error === undefined) this.onTransportClosed()
      else if (local === true) this.abort(error)
      else this.onRemoteReset()
    })
    this.#orAbort(() => {
      this.#machine.run('secure_open', [role], pieces)
      this.#flush()
    })
  }

  /** @param {() => void} act */
  #orAbort (act) {
    try {
      act()
    } catch (error) {
      this.#fail(error)
      this.abort(/** @type {Error} */ (error))
    }
  }

  /** @param {Uint8Array} bytes of the link */
  #hear (bytes) {
    while (this.status === 'open') {
      const event = this.#machine.run('secure_feed', [], [bytes])
      const told = this.#machine.told()
      this.#flush()
      if (event === 0) return
      if (event === 1 + NOISE_READY) this.#succeed(told)
      else this.onData(told.data)
      bytes = new Uint8Array(0)
    }
  }

  /** @returns {boolean} whether the link takes more */
  #flush () {
    this.#machine.run('secure_drain', [])
    const { data } = this.#machine.told()
    return data.length === 0 || this.#link.send(data)
  }

  /** @type {AbstractMessageStream['sendData']} */
  sendData (data) {
    this.#machine.run('secure_write', [], [data.subarray()])
    return { sentBytes: data.byteLength, canSendMore: this.#flush() }
  }

  /** @param {Error} error */
  sendReset (error) { this.#link.abort(error) }

  sendPause () { this.#link.pause() }

  sendResume () { this.#link.resume() }

  /** @param {AbortOptions} [options] */
  async close (options) {
    if (this.status !== 'open') return
    this.writeStatus = 'closing'
    const isIdle = new Promise((resolve) => this.addEventListener('idle', resolve, { once: true }))
    if (this.writeBufferLength > 0) await orAbort(isIdle, options?.signal)
    await this.#link.close(options)
  }
}

/** @implements {ConnectionEncrypter} */
export class PeerletNoise {
  protocol = '/noise'
  #seed
  #muxer

  /** @param {{ privateKey: PrivateKey, streamMuxer?: StreamMuxerFactory }} parts an Ed25519 key; what to name as our muxer */
  constructor ({ privateKey, streamMuxer }) {
    this.#seed = privateKey.raw.subarray(0, 32)
    this.#muxer = streamMuxer
  }

  /** @param {MessageStream} connection @param {SecureConnectionOptions} [options] */
  secureOutbound (connection, options) { return this.#secure(DIALER, connection, options) }

  /** @param {MessageStream} connection @param {SecureConnectionOptions} [options] */
  secureInbound (connection, options) { return this.#secure(LISTENER, connection, options) }

  /** @param {number} role @param {MessageStream} link @param {SecureConnectionOptions} [options] */
  async #secure (role, link, { remotePeer, skipStreamMuxerNegotiation, signal } = {}) {
    const connection = new SecuredStream(link, role, [
      this.#seed,
      crypto.getRandomValues(new Uint8Array(64)),
      encoder.encode(remotePeer?.toString()),
      encoder.encode(skipStreamMuxerNegotiation === true ? '' : this.#muxer?.protocol)
    ])
    const { code, data } = await orAbort(connection.handshake, signal, () => connection.abort(abortReason(signal)))
    // as with js-libp2p's, our last message has left by now. The tests' link drops what comes to an end that is
    // closing, and their echo is whole only if what they send fills the link once more with its last piece
    await setImmediate()
    return {
      connection,
      remotePeer: peerIdFromString(new TextDecoder().decode(data)),
      streamMuxer: code === 1 ? this.#muxer : undefined
    }
  }
}

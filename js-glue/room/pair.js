import { makeError } from '../errors.js'
import { concat, framesOf, prefixed } from './codec.js'

/** For everything up to being in the room with each other. */
const HELLO_MS = 15_000
/** Bytes that may wait for a peer who does not read; then it is done with. */
const WAITING_LIMIT = 4 * 1024 * 1024

const encoder = new TextEncoder()

/**
 * @typedef {object} PairContext of the room
 * @property {string} self our Peer ID
 * @property {Uint8Array} session
 * @property {import('./secret.js').Secret | undefined} secret
 * @property {(pair: Pair) => void} onReady both are in the room
 * @property {(pair: Pair, frame: Record<string, any>) => void} onFrame
 */

/** The stream between two members of a room. */
export class Pair {
  #stream
  #context
  #nonce = crypto.getRandomValues(new Uint8Array(16))

  /** Theirs. @type {Uint8Array} */
  session = new Uint8Array(8)

  /**
   * @param {any} stream
   * @param {string} peer
   * @param {boolean} isLimited whether it goes through a relay that sets limits
   * @param {PairContext} context
   */
  constructor (stream, peer, isLimited, context) {
    this.#stream = stream
    this.#context = context
    this.peer = peer
    this.isLimited = isLimited
    stream.maxWriteBufferLength = WAITING_LIMIT
  }

  /**
   * Says hello and goes on until the stream ends: well, or by an error.
   *
   * @param {AsyncGenerator<Record<string, any>, void, void>} [begun] frames of a stream that the peer opened, behind
   * @param {Record<string, any>} [hello] its first one
   */
  async run (begun, hello) {
    const late = setTimeout(() => this.abort(makeError('TimeoutError', `${this.peer} opened a stream of the room and said no hello`, 'TIMEOUT')), HELLO_MS)
    try {
      const isOpener = begun === undefined
      const frames = begun ?? framesOf(this.#stream)
      this.send('hello', { session: this.#context.session, nonce: this.#nonce })
      const theirs = hello ?? await this.#next(frames, 'hello')
      this.session = theirs.session
      await this.#prove(frames, theirs.nonce, isOpener)
      clearTimeout(late)
      for await (const frame of frames) this.#context.onFrame(this, frame)
    } catch (/** @type {any} */ err) {
      this.abort(err)
      throw err
    } finally {
      clearTimeout(late)
    }
  }

  /** @param {AsyncGenerator<Record<string, any>, void, void>} frames @param {string} kind */
  async #next (frames, kind) {
    const { value: frame } = await frames.next()
    if (frame?.kind === kind) return frame
    throw makeError('RoomProtocolError', `${this.peer} did not say ${kind} where it had to`, 'ROOM_FRAME')
  }

  /** The other side is ready before the opener is. @param {AsyncGenerator<Record<string, any>, void, void>} frames @param {Uint8Array} nonce theirs @param {boolean} isOpener */
  async #prove (frames, nonce, isOpener) {
    const { secret, self, session } = this.#context
    if (secret !== undefined) {
      const ours = { proof: await secret.prove(concat(encoder.encode(`${self}\n${this.peer}\n`), nonce, this.#nonce, session)) }
      if (isOpener) this.send('proof', ours)
      const { proof } = await this.#next(frames, 'proof')
      const isProven = await secret.check(proof, concat(encoder.encode(`${this.peer}\n${self}\n`), this.#nonce, nonce, this.session))
      if (!isProven) throw makeError('RoomProtocolError', `${this.peer} is at the room's door and has another password`, 'ROOM_PROOF')
      this.#context.onReady(this)
      if (!isOpener) this.send('proof', ours)
    } else {
      this.#context.onReady(this)
    }
  }

  /** @param {string} kind @param {Record<string, any>} fields */
  send (kind, fields) {
    try {
      this.#stream.send(prefixed(kind, fields))
    } catch {
      // It is over: `run` tells.
    }
  }

  /** What is waiting because the peer does not read. */
  get waiting () { return this.#stream.writeBufferLength ?? 0 }

  /** Ends our half; what the peer has sent is still read. */
  close () { this.#stream.close().catch(() => {}) }

  /** @param {Error} err */
  abort (err) { this.#stream.abort(err) }
}

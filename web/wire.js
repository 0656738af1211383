// What strangers send on streams: length-prefixed messages, and as much protobuf as direct messages
// need. Every length meets its limit before a byte is kept for it.

/** What arrived is not what the protocol says; its message says so to a person. */
export class WireError extends Error {
  name = 'WireError'
}

/** The largest uvarint has ten bytes; seven bits of each count. */
const UVARINT_MAX_BYTES = 10

const LEAVE_MS = 3000

/** @param {number} value a whole number up to 2^53 */
export function uvarint (value) {
  const bytes = []
  for (; value > 127; value = Math.floor(value / 128)) bytes.push(value % 128 | 128)
  return [...bytes, value]
}

/**
 * One length-prefixed message: fed with what arrives, in whatever parts, until it is whole. Memory
 * grows with what has come, not with what was promised.
 */
export class Frame {
  #limit
  #prefixed = 0
  #promised = 0
  #isPrefixed = false
  #bytes = new Uint8Array(0)
  #received = 0

  /** @param {number} limit in bytes, of the message without its prefix */
  constructor (limit) { this.#limit = limit }

  /** How much of it is here, 0 to 1. */
  get progress () { return this.#promised === 0 ? 0 : this.#received / this.#promised }

  /** The message, valid once `feed` has returned true. */
  get bytes () { return this.#bytes.subarray(0, this.#received) }

  /**
   * @param {Uint8Array} part what is behind the end of the message is left alone
   * @returns {boolean} whether the message is whole
   * @throws WireError
   */
  feed (part) {
    let at = 0
    while (!this.#isPrefixed) {
      if (at === part.length) return false
      this.#feedPrefix(part[at++])
    }
    const more = part.subarray(at, at + this.#promised - this.#received)
    this.#reserve(this.#received + more.length)
    this.#bytes.set(more, this.#received)
    this.#received += more.length
    return this.#received === this.#promised
  }

  /** @param {number} byte */
  #feedPrefix (byte) {
    this.#promised += (byte & 127) * 2 ** (7 * this.#prefixed++)
    if (this.#promised > this.#limit) throw new WireError(`it is longer than the limit of ${fileSize(this.#limit)}`)
    this.#isPrefixed = byte < 128
    if (this.#isPrefixed ? byte === 0 && this.#prefixed > 1 : this.#prefixed === UVARINT_MAX_BYTES) {
      throw new WireError('its length makes no sense')
    }
  }

  /** @param {number} length */
  #reserve (length) {
    if (length <= this.#bytes.length) return
    const larger = new Uint8Array(Math.min(this.#promised, Math.max(length, 2 * this.#bytes.length)))
    larger.set(this.#bytes)
    this.#bytes = larger
  }
}

/**
 * Reads one message. The caller ends the stream, also when this throws.
 *
 * @param {import('peerlet').Stream} stream
 * @param {number} limit in bytes
 * @param {(progress: number) => void} [onPart] told of each part, 0 to 1
 * @returns {Promise<Uint8Array>}
 */
export async function readFrame (stream, limit, onPart = () => {}) {
  const frame = new Frame(limit)
  for await (const part of stream) {
    if (frame.feed(part)) return frame.bytes
    onPart(frame.progress)
  }
  throw new WireError('it ended in the middle')
}

/**
 * Writes one message at the pace of whoever reads it.
 *
 * @param {import('peerlet').Stream} stream
 * @param {Uint8Array} message
 */
export async function writeFrame (stream, message) {
  stream.send(Uint8Array.from(uvarint(message.length)))
  for (let at = 0; at < message.length; at += 65536) {
    if (!stream.send(message.subarray(at, at + 65536))) await stream.onDrain()
  }
}

/**
 * A stream that is reset when its time is over, so that no peer can keep one open for nothing.
 *
 * @template T
 * @param {import('peerlet').Stream} stream
 * @param {number} ms
 * @param {(again: () => void) => Promise<T>} work is given a function that starts the time anew
 * @returns {Promise<T>}
 */
export async function within (stream, ms, work) {
  const late = () => stream.abort(Object.assign(new Error('took too long'), { name: 'TimeoutError' }))
  let timer = setTimeout(late, ms)
  try {
    return await work(() => {
      clearTimeout(timer)
      timer = setTimeout(late, ms)
    })
  } catch (/** @type {any} */ err) {
    stream.abort(err)
    throw err
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Reads no more from a stream, and resets it where the other side does not end it soon.
 *
 * @param {import('peerlet').Stream} stream
 */
export async function leave (stream) {
  const timer = setTimeout(() => stream.abort(), LEAVE_MS)
  stream.addEventListener('close', () => clearTimeout(timer))
  await stream.closeRead()
}

/** @param {number} bytes */
export function fileSize (bytes) {
  if (bytes < 1024) return bytes === 1 ? '1 byte' : `${bytes} bytes`
  const isSmall = bytes < 1024 * 1024
  const value = bytes / (isSmall ? 1024 : 1024 * 1024)
  return `${value.toFixed(value < 10 && value % 1 !== 0 ? 1 : 0)} ${isSmall ? 'KiB' : 'MiB'}`
}

// ---- protobuf

const VARINT = 0
const FIXED64 = 1
const BYTES = 2
const FIXED32 = 5

/** A field of a message, left out when it is empty, as proto3 has it. @param {number} number @param {number | string | number[]} value */
export function field (number, value) {
  if (typeof value === 'number') return value === 0 ? [] : [...uvarint(number << 3 | VARINT), ...uvarint(value)]
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value
  return bytes.length === 0 ? [] : [...uvarint(number << 3 | BYTES), ...uvarint(bytes.length), ...bytes]
}

/**
 * The varints and the byte strings of a message by their field numbers, the last of each.
 *
 * @param {Uint8Array} message
 * @returns {Map<number, bigint | Uint8Array>}
 * @throws WireError
 */
export function parseFields (message) {
  let at = 0
  const fail = () => new WireError('it is not a message of this protocol')
  const take = (/** @type {bigint} */ length) => {
    if (length > message.length - at) throw fail()
    return message.subarray(at, at += Number(length))
  }
  const takeVarint = () => {
    let value = 0n
    for (let i = 0n; i < UVARINT_MAX_BYTES; i++) {
      const [byte] = take(1n)
      value |= BigInt(byte & 127) << 7n * i
      if (byte > 127) continue
      if (value >= 1n << 64n) throw fail()
      return value
    }
    throw fail()
  }
  const fields = new Map()
  while (at < message.length) {
    const key = takeVarint()
    const number = Number(key >> 3n)
    if (number === 0 || number >= 2 ** 29) throw fail()
    switch (Number(key & 7n)) {
      case VARINT: fields.set(number, takeVarint()); break
      case BYTES: fields.set(number, take(takeVarint())); break
      case FIXED64: take(8n); break
      case FIXED32: take(4n); break
      default: throw fail()
    }
  }
  return fields
}

/** @param {Uint8Array} bytes @throws WireError */
export function textOf (bytes) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new WireError('it is not UTF-8 text')
  }
}

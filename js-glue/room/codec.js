/**
 * What the members of a room say to each other, version 1.
 *
 * A room has one name on the wire, of its pubsub topic and of its stream protocol alike:
 *
 *     /peerlet/room/1/<name>       the room's name, with %XX as in URLs: open to everybody
 *     /peerlet/room/1/:<tag>       with a password, see secret.js: 16 bytes as base64url
 *
 * A frame is a byte for its kind and what the table below says. Numbers are uvarints, text is UTF-8 behind
 * its length, ids are bytes of a fixed length; a payload is all that is left: a byte (0 nothing, 1 JSON,
 * 2 bytes) and the rest. Frames of a kind that is not known are passed over, those that do not fit the
 * table end the stream they came on.
 *
 * On the topic: the session (8 bytes, the time somebody joined, in ms, and two random bytes) and one `say`,
 * `offer` or `withdraw`. In a room with a password that is sealed: 12 random bytes, then AES-GCM over it, whose
 * additional data are the topic, a line feed, and the author's Peer ID. Numbers count up within a session,
 * and a session is not older than the one before: a message said once is heard once, whoever repeats it.
 *
 * On streams: frames, each behind its length as uvarint. A stream begins with one of
 *
 *     hello    its opener is in the room. The other side answers with its own. With a password the opener
 *              proves that it has it, then the other side does. The member whose Peer ID is less as text
 *              is the one who opens, and the stream stays for whatever the two say to each other alone:
 *              `say`, `offer`, `withdraw`; `ask`, answered by `answer` or `fault`, given up by `cancel`;
 *              `seen`, the numbers of messages that were heard. Who closes it leaves the room.
 *     fetch    asks for a file from some byte on. The answer is `giving` with the size of the whole and
 *              then the bytes up to the end, or `refusal`. Whoever has all of it closes its half.
 */
import { makeError } from '../errors.js'

/** Bytes of a payload: what a message of pubsub has room for. */
export const PAYLOAD_LIMIT = 56 * 1024
/** Bytes of a frame with anything in it. */
export const FRAME_LIMIT = PAYLOAD_LIMIT + 2048
export const ACTION_LIMIT = 64
/** Numbers in one `seen`. */
export const SEEN_LIMIT = 512

const UVARINT_BYTES = 8 // that of 2^53 has so many

const NOTHING = 0
const JSON_TEXT = 1
const BYTES = 2

const encoder = new TextEncoder()
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** @param {string} what */
const malformed = (what) => makeError('RoomProtocolError', `a peer sent what is no frame of a room: ${what}`, 'ROOM_FRAME')

/** @param {number} value a whole number up to 2^53 */
export function uvarint (value) {
  const bytes = []
  for (; value > 127; value = Math.floor(value / 128)) bytes.push(value % 128 | 128)
  return [...bytes, value]
}

/** @param {...(Uint8Array | number[])} parts @returns {Uint8Array<ArrayBuffer>} */
export function concat (...parts) {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  parts.reduce((at, part) => {
    all.set(part, at)
    return at + part.length
  }, 0)
  return all
}

/** @param {Uint8Array} bytes */
export const hexOf = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/** A time that somebody is in a room: when it began, in ms, and two random bytes. */
export function newSession () {
  const session = crypto.getRandomValues(new Uint8Array(8))
  new DataView(session.buffer).setUint32(0, Math.floor(Date.now() / 65536))
  new DataView(session.buffer).setUint16(4, Date.now() % 65536)
  return session
}

/** A place in bytes that are read from their beginning. */
class Cursor {
  #bytes
  #at = 0

  /** @param {Uint8Array} bytes */
  constructor (bytes) { this.#bytes = bytes }

  get left () { return this.#bytes.length - this.#at }

  /** @param {number} length */
  take (length) {
    if (length > this.left) throw malformed('it ends in the middle')
    return this.#bytes.subarray(this.#at, this.#at += length)
  }

  number () {
    let value = 0
    for (let i = 0; i < UVARINT_BYTES; i++) {
      const [byte] = this.take(1)
      value += (byte & 127) * 2 ** (7 * i)
      if (value > Number.MAX_SAFE_INTEGER || (byte === 0 && i > 0)) break
      if (byte < 128) return value
    }
    throw malformed('a number makes no sense')
  }
}

/** @param {Uint8Array} bytes */
function textOf (bytes) {
  try {
    return strict.decode(bytes)
  } catch {
    throw malformed('its text is not UTF-8')
  }
}

/** How a field is written and read. @typedef {{ write: (value: any) => Uint8Array | number[], read: (from: Cursor) => any }} Type */

/** @type {Type} */
const number = { write: uvarint, read: (from) => from.number() }

/** @param {number} length @returns {Type} */
const id = (length) => ({ write: (bytes) => bytes, read: (from) => from.take(length).slice() })

/** @param {number} limit in bytes @returns {Type} */
const text = (limit) => ({
  write: (value) => {
    const bytes = encoder.encode(value)
    return concat(uvarint(bytes.length), bytes)
  },
  read: (from) => {
    const length = from.number()
    if (length > limit) throw malformed('a text is too long')
    return textOf(from.take(length))
  }
})

/** @type {Type} */
const payload = {
  write: (/** @type {Uint8Array} */ written) => written,
  read: (from) => {
    const [kind] = from.take(1)
    const bytes = from.take(from.left)
    if (kind === BYTES) return bytes.slice()
    if (kind === NOTHING && bytes.length === 0) return undefined
    if (kind !== JSON_TEXT) throw malformed('its payload is of no kind')
    try {
      return JSON.parse(textOf(bytes))
    } catch {
      throw malformed('its payload is not JSON')
    }
  }
}

/** @type {Type} */
const numbers = {
  write: (/** @type {number[]} */ all) => all.flatMap(uvarint),
  read: (from) => {
    const all = []
    while (from.left > 0) {
      if (all.push(from.number()) > SEEN_LIMIT) throw malformed('it tells of too much')
    }
    return all
  }
}

/** Kinds of frames, by the byte each begins with. @type {Array<[kind: string, fields: Record<string, Type>]>} */
const KINDS = [
  ['hello', { session: id(8), nonce: id(16) }],
  ['proof', { proof: id(32) }],
  ['say', { number, action: text(ACTION_LIMIT), payload }],
  ['ask', { number, action: text(ACTION_LIMIT), payload }],
  ['answer', { number, payload }],
  ['fault', { number, code: number, message: text(500) }],
  ['cancel', { number }],
  ['seen', { numbers }],
  ['offer', { number, file: id(16), size: number, name: text(255), type: text(100), payload }],
  ['withdraw', { number, file: id(16) }],
  ['fetch', { file: id(16), from: number }],
  ['giving', { size: number }],
  ['refusal', { code: number }]
]

/**
 * A frame as it is sent, without its length.
 *
 * @param {string} kind
 * @param {Record<string, any>} fields with a payload that `writePayload` has made
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function writeFrame (kind, fields) {
  const at = KINDS.findIndex(([name]) => name === kind)
  return concat([at], ...Object.entries(KINDS[at][1]).map(([name, { write }]) => write(fields[name])))
}

/**
 * @param {Uint8Array} bytes of one frame
 * @returns {Record<string, any> | undefined} its fields and `kind`; undefined for a kind that is not known
 * @throws RoomProtocolError
 */
export function readFrame (bytes) {
  const from = new Cursor(bytes)
  const [known] = from.take(1)
  if (known >= KINDS.length) return undefined
  const [kind, fields] = KINDS[known]
  /** @type {Record<string, any>} */
  const frame = { kind }
  for (const [name, { read }] of Object.entries(fields)) frame[name] = read(from)
  if (from.left > 0) throw malformed('there is more than belongs there')
  return frame
}

/**
 * What an application says, as bytes: bytes as they are, nothing as nothing, everything else as JSON.
 *
 * @param {any} value
 * @returns {Uint8Array<ArrayBuffer>}
 * @throws MessageTooBigError, TypeError for what JSON does not know
 */
export function writePayload (value) {
  const [kind, bytes] = value === undefined ? [NOTHING, new Uint8Array(0)]
    : value instanceof Uint8Array ? [BYTES, value]
      : value instanceof ArrayBuffer ? [BYTES, new Uint8Array(value)]
        : [JSON_TEXT, encoder.encode(jsonOf(value))]
  if (bytes.length > PAYLOAD_LIMIT) {
    throw makeError('MessageTooBigError', `a message has ${PAYLOAD_LIMIT} bytes at most, and this has ${bytes.length}: send it as a file, with room.offer(new Blob([data]))`, 'TOO_BIG')
  }
  return concat([kind], bytes)
}

/** @param {any} value */
function jsonOf (value) {
  if (value instanceof Blob) throw new TypeError('a file is no message: offer it with room.offer(file)')
  const json = JSON.stringify(value)
  if (json === undefined) throw new TypeError(`a ${typeof value} cannot be sent: send what JSON knows, or a Uint8Array`)
  return json
}

/**
 * One frame behind its length: fed with what arrives, in whatever parts, until it is whole. Memory grows
 * with what has come, not with what was promised.
 */
export class FrameReader {
  #prefixed = 0
  #promised = 0
  #isPrefixed = false
  #bytes = new Uint8Array(0)
  #received = 0

  /**
   * @param {Uint8Array} part
   * @returns {Uint8Array | undefined} what is behind the frame, once that is whole; `take` has to follow
   * @throws RoomProtocolError
   */
  feed (part) {
    let at = 0
    while (!this.#isPrefixed) {
      if (at === part.length) return undefined
      this.#feedPrefix(part[at++])
    }
    const end = at + this.#promised - this.#received
    this.#append(part.subarray(at, end))
    return this.#received === this.#promised ? part.subarray(end) : undefined
  }

  /** The frame, and the reader is ready for another. */
  take () {
    const frame = this.#bytes.subarray(0, this.#received)
    this.#bytes = new Uint8Array(0)
    this.#prefixed = this.#promised = this.#received = 0
    this.#isPrefixed = false
    return frame
  }

  /** @param {number} byte */
  #feedPrefix (byte) {
    this.#promised += (byte & 127) * 2 ** (7 * this.#prefixed++)
    if (this.#promised > FRAME_LIMIT || (byte === 0 && this.#prefixed > 1) || this.#prefixed > UVARINT_BYTES) throw malformed('it is too long')
    this.#isPrefixed = byte < 128
  }

  /** @param {Uint8Array} more */
  #append (more) {
    const length = this.#received + more.length
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.min(this.#promised, Math.max(length, 2 * this.#bytes.length)))
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    this.#bytes.set(more, this.#received)
    this.#received = length
  }
}

/** A frame behind its length, as streams carry it. @param {string} kind @param {Record<string, any>} fields */
export function prefixed (kind, fields) {
  const frame = writeFrame(kind, fields)
  return concat(uvarint(frame.length), frame)
}

/**
 * The frames of a stream.
 *
 * @param {AsyncIterable<any>} stream
 * @returns {AsyncGenerator<Record<string, any>, void, void>}
 */
export async function * framesOf (stream) {
  const reader = new FrameReader()
  for await (const part of stream) {
    let rest = part instanceof Uint8Array ? part : /** @type {Uint8Array} */ (part.subarray())
    for (let behind; (behind = reader.feed(rest)) !== undefined; rest = behind) {
      const frame = readFrame(reader.take())
      if (frame !== undefined) yield frame
    }
  }
}

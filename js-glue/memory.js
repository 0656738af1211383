/**
 * The only file that touches the heap of the wasm module (the imports in library_*.js aside). Any call
 * into the module may grow its memory and so kill every view: views are fetched after the call, never
 * stored, and what outlives a function is copied.
 */

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const EMPTY = new Uint8Array(0)

/** From this many bytes on, memory that is new to the process costs more than the copying. */
const LARGE = 16384

/** struct peerlet_output as 32-bit numbers; exports.c asserts that it is laid out so. */
const OUTPUT = { type: 0, id: 1, channel: 2, value: 3, code: 4, limitSeconds: 5, limitBytes: 6, peer: 8, text: 10, data: 12, extra: 14, more: 16, key: 18, numbers: 20 }

/**
 * What the core tells; see enum peerlet_output_type for what each field holds in which event.
 *
 * @typedef {object} Output
 * @property {number} type
 * @property {number} id
 * @property {number} channel
 * @property {number} value
 * @property {number} code
 * @property {number} limitSeconds
 * @property {number} limitBytes
 * @property {string} peer
 * @property {string} text
 * @property {Uint8Array} data
 * @property {Uint8Array} extra
 * @property {Uint8Array} more
 * @property {Uint8Array} key
 */

/** @param {any} m @param {number} ptr @param {number} count @returns {Uint32Array} */
const numbersAt = (m, ptr, count) => new Uint32Array(m.HEAPU8.buffer, ptr, count)

/**
 * Large bytes of a WebSocket message go where the message itself was, which is used once.
 *
 * @param {any} m the module
 * @param {number} ptr
 * @param {number} length
 */
function copyLarge (m, ptr, length) {
  const { spare } = m
  m.spare = 0
  if (!(spare?.byteLength >= length && spare instanceof ArrayBuffer)) return m.HEAPU8.slice(ptr, ptr + length)
  const bytes = new Uint8Array(spare, 0, length)
  bytes.set(m.HEAPU8.subarray(ptr, ptr + length))
  return bytes
}

/**
 * A struct peerlet_output, copied out.
 *
 * @param {any} m the module
 * @param {number} ptr
 * @returns {Output}
 */
export function readOutput (m, ptr) {
  const n = numbersAt(m, ptr, OUTPUT.numbers)
  const bytes = (/** @type {number} */ at) => n[at + 1] === 0 ? EMPTY : n[at + 1] < LARGE ? m.HEAPU8.slice(n[at], n[at] + n[at + 1]) : copyLarge(m, n[at], n[at + 1])
  const text = (/** @type {number} */ at) => n[at + 1] === 0 ? '' : decoder.decode(m.HEAPU8.subarray(n[at], n[at] + n[at + 1]))
  return {
    type: n[OUTPUT.type],
    id: n[OUTPUT.id],
    channel: n[OUTPUT.channel],
    value: n[OUTPUT.value],
    code: n[OUTPUT.code] | 0,
    limitSeconds: n[OUTPUT.limitSeconds],
    limitBytes: n[OUTPUT.limitBytes] + n[OUTPUT.limitBytes + 1] * 2 ** 32,
    peer: text(OUTPUT.peer),
    text: text(OUTPUT.text),
    data: bytes(OUTPUT.data),
    extra: bytes(OUTPUT.extra),
    more: bytes(OUTPUT.more),
    key: bytes(OUTPUT.key)
  }
}

/**
 * Writes pieces one behind the other into the inbox, where the next command finds them.
 *
 * @param {any} m the module
 * @param {(len: number) => number} inbox
 * @param {Array<string | Uint8Array>} pieces
 * @returns {number[]} the length of each in bytes; nothing when it is too much for the inbox
 */
export function copyIn (m, inbox, pieces) {
  const parts = pieces.map((piece) => typeof piece === 'string' ? encoder.encode(piece) : piece)
  let ptr = inbox(parts.reduce((sum, part) => sum + part.length, 0))
  if (ptr === 0) return []
  for (const part of parts) {
    m.HEAPU8.set(part, ptr)
    ptr += part.length
  }
  return parts.map((part) => part.length)
}

/**
 * The bytes of a struct view, copied out.
 *
 * @param {any} m the module
 * @param {number} view
 * @returns {Uint8Array}
 */
export function copyOut (m, view) {
  const [ptr, length] = numbersAt(m, view, 2)
  return m.HEAPU8.slice(ptr, ptr + length)
}

/**
 * @param {any} m the module
 * @param {Uint8Array} bytes
 * @param {number} ptr
 */
export const copyTo = (m, bytes, ptr) => m.HEAPU8.set(bytes, ptr)

/** @param {Uint8Array} bytes UTF-8 */
export const textOf = (bytes) => decoder.decode(bytes)

/** A list as the core writes them. @param {string} text @returns {string[]} */
export const lines = (text) => text === '' ? [] : text.split('\n')

/**
 * The only file that touches the heap of the wasm module. Any call into it may grow its memory and so
 * kill every view: views are fetched after the call and never stored.
 *
 * @typedef {object} Core The emscripten module: its exports with `_` in front, and its heap.
 * @property {Uint8Array} HEAPU8
 * @property {(len: number) => number} _inbox
 */

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/**
 * Puts parts one behind the other into the inbox, where the next command looks for them.
 *
 * @param {any} m the core
 * @param {...(string | Uint8Array)} parts
 * @returns {number[]} the length of each in bytes
 */
export function put (m, ...parts) {
  const bytes = parts.map((p) => typeof p === 'string' ? encoder.encode(p) : p)
  let ptr = m._inbox(bytes.reduce((sum, b) => sum + b.length, 0))
  if (ptr === 0) throw new RangeError('out of memory for a command of this size')
  for (const b of bytes) {
    m.HEAPU8.set(b, ptr)
    ptr += b.length
  }
  return bytes.map((b) => b.length)
}

/**
 * Copies the bytes of an answer out.
 *
 * @param {any} m the core
 * @param {number} view address of a pointer and a length
 * @returns {Uint8Array}
 */
export function bytesOf (m, view) {
  const [ptr, len] = new Uint32Array(m.HEAPU8.buffer, view, 2)
  return m.HEAPU8.slice(ptr, ptr + len)
}

/**
 * @param {any} m the core
 * @param {number} view
 * @returns {string}
 */
export const textOf = (m, view) => decoder.decode(bytesOf(m, view))

/**
 * @param {any} m the core
 * @param {number} view
 * @returns {string[]}
 */
export const listOf = (m, view) => lines(textOf(m, view))

/** @param {string} text */
export const lines = (text) => text === '' ? [] : text.split('\n')

/** @param {Uint8Array} bytes */
export const decode = (bytes) => decoder.decode(bytes)

/**
 * Copies as much of `data` as a stream takes now to where it is encrypted.
 *
 * @param {any} m the core
 * @param {number} stream
 * @param {Uint8Array} data
 * @returns {number} bytes taken
 */
export function write (m, stream, data) {
  let done = 0
  while (done < data.length) {
    const ptr = m._app_stream_reserve(stream, data.length - done)
    const room = m._app_stream_given()
    if (ptr === 0 || room === 0) break
    m.HEAPU8.set(done === 0 && room === data.length ? data : data.subarray(done, done + room), ptr)
    m._app_stream_commit(stream, room)
    done += room
  }
  return done
}

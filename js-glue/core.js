import { makeError, report } from './errors.js'
import { output } from './logger.js'
import { verifySecp256k1 } from './secp256k1.js'
import { copyIn, copyOut, copyTo, lines, readOutput, textOf } from './memory.js'

/** @typedef {import('./memory.js').Output} Output */

/**
 * Where the module comes from, which is the packaging's business: the one-file build unpacks it from
 * itself, the slim one compiles `peerlet.wasm` while it arrives, tests hand the bytes over.
 *
 * @typedef {object} CoreSource
 * @property {(module: object) => Promise<any>} factory what emcc made
 * @property {() => Promise<Uint8Array | WebAssembly.Module>} wasm
 */

/** @type {CoreSource | undefined} */
let source

/** Compiled once, instantiated for each node. @type {Promise<WebAssembly.Module> | undefined} */
let compiled

const log = output('peerlet')

/** @param {CoreSource} from the last one counts */
export function setCoreSource (from) {
  source = from
  compiled = undefined
}

/** @param {string} message */
const cannotStart = (message) => makeError('WebAssemblyError', `Peerlet cannot start: ${message}`, 'UNSUPPORTED')

/** What a page must have, asked before anything is tried. */
function checkPage () {
  if (typeof WebAssembly !== 'object') throw cannotStart('this browser has no WebAssembly, or it is switched off. Any browser since 2023 will do')
  if (typeof globalThis.crypto?.getRandomValues !== 'function') throw cannotStart('crypto.getRandomValues is missing')
}

/** @param {any} err */
function explain (err) {
  const text = String(err?.message ?? err)
  if (/unsafe-eval|content.security.policy|\bCSP\b/i.test(text)) {
    return cannotStart(`the page's Content-Security-Policy forbids WebAssembly. Add 'wasm-unsafe-eval' to its script-src`)
  }
  if (err instanceof WebAssembly.CompileError) {
    return cannotStart(`this browser does not understand the module, which uses SIMD. Any browser since 2023 does (${text})`)
  }
  return cannotStart(text)
}

/** @param {CoreSource['wasm']} wasm */
async function compile (wasm) {
  const given = await wasm()
  if (given instanceof WebAssembly.Module) return given
  const bytes = /** @type {BufferSource} */ (given)
  try {
    // takes less than to wait for another thread; but Chromium before 115 refuses
    return new WebAssembly.Module(bytes)
  } catch {
    return await WebAssembly.compile(bytes)
  }
}

/** A new instance of the module. @param {object} hooks of library_page.js and library_webrtc.js */
async function instantiate (hooks) {
  if (source === undefined) throw cannotStart('no WebAssembly module was given. Import "peerlet", not one of its parts')
  return await source.factory({ ...hooks, verifySecp256k1, wasm: await (compiled ??= compile(source.wasm)) })
}

/**
 * One instance of the module with one node in it.
 *
 * Commands change the node; what comes of them leaves with one flush per turn of the event loop. Events
 * are told in a microtask, never while C waits for an import. A trap ends this instance and no other.
 */
export class Core {
  #m
  /** @type {Error | undefined} */
  #trap
  #isFlushing = false
  /** @type {Output[]} */
  #events = []
  /** @type {Record<number, (event: Output) => void>} */
  #listeners = {}
  /** @type {(number: number) => number} */
  #askError

  /** The functions of exports.h. @type {Record<string, (...args: number[]) => number>} */
  calls = {}

  /** Called once, with what every call throws from now on. @type {(err: Error) => void} */
  onTrap = () => {}

  /**
   * @param {object} hooks
   * @param {RTCConfiguration | (() => RTCConfiguration | Promise<RTCConfiguration>)} [hooks.rtcConfiguration]
   * @param {object} [hooks.recorder] see debug/index.js
   * @returns {Promise<Core>}
   */
  static async create (hooks) {
    checkPage()
    try {
      return new Core(await instantiate(hooks))
    } catch (/** @type {any} */ err) {
      throw err?.name === 'WebAssemblyError' ? err : explain(err)
    }
  }

  /** @param {any} m */
  constructor (m) {
    this.#m = m
    m.onEvent = (/** @type {number} */ ptr) => this.#take(ptr)
    m.onTrap = (/** @type {any} */ err) => this.#die(err)
    m.onLog = (/** @type {number} */ level, /** @type {string} */ text) => log(level, text)
    const exports = m.calls()
    this.#askError = exports.ask_error
    for (const [name, call] of Object.entries(exports)) this.calls[name] = this.#guard(call)
  }

  /** @param {(...args: number[]) => number} call @returns {(...args: number[]) => number} */
  #guard (call) {
    return (...args) => {
      if (this.#trap !== undefined) throw this.#trap
      try {
        return call(...args)
      } catch (err) {
        this.#m.die(err)
        throw this.#trap
      }
    }
  }

  /** @param {any} err */
  #die (err) {
    this.#trap = makeError('WebAssemblyError', `the node stopped because of a fault in it (${err?.message ?? err}). Its connections are closed; createLibp2p makes a new one`, 'TRAP')
    this.onTrap(this.#trap)
  }

  // ---- commands

  /**
   * Calls a command with the lengths of its pieces, then its numbers.
   *
   * @param {(...args: number[]) => number} command
   * @param {Array<string | Uint8Array>} [pieces]
   * @param {...number} numbers
   * @returns {number} never negative: an error is thrown
   */
  run (command, pieces = [], ...numbers) {
    const result = command(...this.#put(pieces), ...numbers)
    if (result < 0) throw this.error(result, this.text(this.calls.ask_reason()))
    this.flushSoon()
    return result
  }

  /** @param {Array<string | Uint8Array>} pieces */
  #put (pieces) {
    for (const piece of pieces) if (piece?.length === undefined) throw makeError('InvalidParametersError', `${piece} is neither text nor a Uint8Array: see what the function takes`, 'BAD_ARGUMENT')
    const lengths = copyIn(this.#m, this.calls.inbox, pieces)
    if (lengths.length === pieces.length) return lengths
    throw makeError('InvalidDataLengthError', 'these are more bytes than the node takes at once', 'TOO_BIG')
  }

  /** Sends what was written, once for all writes of this task. */
  flushSoon () {
    if (this.#isFlushing) return
    this.#isFlushing = true
    queueMicrotask(() => {
      this.#isFlushing = false
      if (this.#trap === undefined) this.calls.app_flush()
    })
  }

  /**
   * Copies as much of `data` as the stream takes now to where it is encrypted.
   *
   * @param {number} stream
   * @param {Uint8Array} data
   * @returns {number} how many bytes that were
   */
  write (stream, data) {
    const { app_stream_reserve: reserve, app_stream_given: given, app_stream_commit: commit } = this.calls
    let done = 0
    while (done < data.length) {
      const ptr = reserve(stream, data.length - done)
      if (ptr === 0) break
      const room = given()
      copyTo(this.#m, data.subarray(done, done + room), ptr)
      commit(stream, room)
      done += room
    }
    if (done > 0) this.flushSoon()
    return done
  }

  // ---- questions: `view` is what an ask_ function returned

  /** @param {number} view */
  bytes (view) { return copyOut(this.#m, view) }

  /** @param {number} view */
  text (view) { return textOf(this.bytes(view)) }

  /** @param {number} view */
  list (view) { return lines(this.text(view)) }

  /** @param {(...numbers: number[]) => number} question @param {string} about @param {number} [number] */
  ask (question, about, number) { return question(...this.#put([about]), /** @type {number} */ (number)) }

  /** @param {(...lengths: number[]) => number} question @param {string} about */
  bytesAbout (question, about) { return this.bytes(this.ask(question, about)) }

  /** @param {(...numbers: number[]) => number} question @param {string} about @param {number} [number] */
  listAbout (question, about, number) { return this.list(this.ask(question, about, number)) }

  /**
   * @param {number} number a negative result
   * @param {string} [reason] what the core says of this case
   */
  error (number, reason = '') {
    const [code, name, ...text] = this.text(this.#askError(number)).split(' ')
    return makeError(name, reason || text.join(' '), code)
  }

  get memory () { return { used: this.calls.ask_memory(), heap: this.#m.HEAPU8.length } }

  // ---- events

  /** @param {Record<number, (event: Output) => void>} listeners by enum peerlet_output_type */
  listen (listeners) { Object.assign(this.#listeners, listeners) }

  /** @param {number} ptr */
  #take (ptr) {
    if (this.#events.push(readOutput(this.#m, ptr)) === 1) queueMicrotask(() => this.#tell())
  }

  #tell () {
    const events = this.#events
    this.#events = []
    for (const event of events) {
      try {
        this.#listeners[event.type]?.(event)
      } catch (err) {
        // A listener's fault is the page's to know of, and must not cost it the events behind.
        report(err)
      }
    }
  }
}

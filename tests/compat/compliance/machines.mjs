// One end of a connection in C: an instance of build/wasm/compliance.wasm, called as machines.h says.
import { readFile } from 'node:fs/promises'
import { makeError } from '../../../js-glue/errors.js'

/** @typedef {{ stream: number, code: number, data: Uint8Array }} Told */

const module = await WebAssembly.compile(await readFile(new URL('../../../build/wasm/compliance.wasm', import.meta.url)))

export class Machine {
  /** @type {Record<string, any>} */
  #calls

  constructor () {
    // memory is looked at anew after each call, so nobody has to be told that it grew
    const { exports } = new WebAssembly.Instance(module, { env: { emscripten_notify_memory_growth () {} } })
    this.#calls = exports
    this.#calls._initialize()
  }

  /**
   * Calls a function with its numbers, then the lengths of its pieces.
   *
   * @param {string} name
   * @param {number[]} numbers
   * @param {Uint8Array[]} [pieces]
   * @returns {number} never negative: an error is thrown
   */
  run (name, numbers, pieces = []) {
    let at = this.#calls.inbox(pieces.reduce((sum, { length }) => sum + length, 0))
    for (const piece of pieces) {
      new Uint8Array(this.#calls.memory.buffer, at).set(piece)
      at += piece.length
    }
    const result = this.#calls[name](...numbers, ...pieces.map(({ length }) => length))
    if (result < 0) throw makeError(this.#text('error_name', result), this.#text('error_text', result))
    return result
  }

  /** What the last call told, copied out. @returns {Told} */
  told () {
    const [stream, code, at, length] = new Uint32Array(this.#calls.memory.buffer, this.#calls.told(), 4)
    return { stream, code, data: new Uint8Array(this.#calls.memory.buffer, at, length).slice() }
  }

  /** @param {string} name @param {number} code */
  #text (name, code) {
    this.#calls[name](code)
    return new TextDecoder().decode(this.told().data)
  }
}

/**
 * The second module, src/browser/services.h: protocol machines for what a page loads only if it wants it.
 * Compiled when first needed, and one instance serves all nodes of a page.
 *
 * @typedef {() => Promise<Uint8Array | WebAssembly.Module>} ServicesSource
 *
 * What a service gets to see of its node, as js-libp2p's components; `names` and `errorOf` are ours.
 *
 * @typedef {any} Components
 *
 * @typedef {{ number: number, status: number, data: Uint8Array, more: Uint8Array, extra: Uint8Array }} Told
 */

/** @type {ServicesSource | undefined} */
let source

/** @type {Promise<Record<string, any>> | undefined} */
let instance

const encoder = new TextEncoder()

/** Where the module comes from, which is the packaging's business. @param {ServicesSource} from */
export function setServicesSource (from) {
  source = from
  instance = undefined
}

async function instantiate () {
  if (source === undefined) throw new Error('no WebAssembly module was given. Import "peerlet/services", not one of its parts')
  const given = await source()
  const module = given instanceof WebAssembly.Module ? given : await WebAssembly.compile(/** @type {BufferSource} */ (given))
  // memory is looked at anew after each call, so nobody has to be told that it grew
  const { exports } = await WebAssembly.instantiate(module, { env: { emscripten_notify_memory_growth () {} } })
  const calls = /** @type {Record<string, any>} */ (exports)
  calls._initialize?.()
  calls.services_init()
  return calls
}

/** The module as one service uses it. */
export class Module {
  #calls
  #components

  /** @param {Record<string, any>} calls @param {Components} components */
  constructor (calls, components) {
    this.#calls = calls
    this.#components = components
  }

  /** @param {Components} components */
  static async load (components) { return new Module(await (instance ??= instantiate()), components) }

  /**
   * Calls a function with its numbers, then the lengths of its pieces.
   *
   * @param {string} name
   * @param {number[]} numbers
   * @param {Array<string | Uint8Array>} [pieces]
   * @returns {number} never negative: an error is thrown
   */
  run (name, numbers, pieces = []) {
    const parts = pieces.map((piece) => typeof piece === 'string' ? encoder.encode(piece) : piece)
    let at = this.#calls.inbox(parts.reduce((sum, { length }) => sum + length, 0))
    for (const part of parts) {
      new Uint8Array(this.#calls.memory.buffer, at).set(part)
      at += part.length
    }
    const result = this.#calls[name](...numbers, ...parts.map(({ length }) => length))
    if (result < 0) throw this.#components.errorOf(result)
    return result
  }

  /** A duration, negative where there is none. @param {string} name @param {number} job */
  ask (name, job) { return this.#calls[name](job, performance.now()) }

  /** What the last call told, copied out. @returns {Told} */
  told () {
    const [number, status, ...views] = new Uint32Array(this.#calls.memory.buffer, this.#calls.told(), 8)
    const bytes = (/** @type {number} */ i) => new Uint8Array(this.#calls.memory.buffer, views[i], views[i + 1]).slice()
    return { number, status, data: bytes(0), more: bytes(2), extra: bytes(4) }
  }
}

/**
 * The same node in a module that can be looked into: with the names of its functions, DWARF, asserts that
 * are on, and a recorder. Slower and larger; everything else is as in "peerlet". docs/recording.md.
 */
import { makeError } from '../errors.js'
import { createLibp2p as create, generateKeyPair, setCoreSource } from '../index.js'

export * from '../index.js'

/** @typedef {import('../options.js').Libp2pOptions} Libp2pOptions */
/** @typedef {import('../libp2p.js').Libp2p} Libp2p */
/** @typedef {import('../core.js').CoreSource} CoreSource */

/** The most that is kept of a recording: then it ends, and is good up to there. */
const BYTES_MAX = 256 << 20
const CHUNK = 1 << 16

/** As the module wants it: enum recording_key, plus 1. */
const MADE_KEY = 1
const OWN_KEY = 2

/** What one module is told, as it writes it down. */
class Recorder {
  /** @type {Uint8Array<ArrayBuffer>[]} */
  #chunks = []
  #last = new Uint8Array(0)
  #used = 0
  #bytes = 0
  /** Asks the module to say what it has not said yet. */
  seal = () => {}

  /** @param {number} kind */
  constructor (kind) { this.kind = kind }

  /** @param {Uint8Array} bytes of the heap: one record */
  add (bytes) {
    if (this.#bytes + bytes.length > BYTES_MAX) this.#bytes = Infinity
    this.#bytes += bytes.length
    if (this.#bytes === Infinity) return
    if (bytes.length > this.#last.length - this.#used) {
      this.#chunks.push(this.#last.slice(0, this.#used))
      this.#last = new Uint8Array(Math.max(CHUNK, bytes.length))
      this.#used = 0
    }
    this.#last.set(bytes, this.#used)
    this.#used += bytes.length
  }

  blob () {
    this.seal()
    return new Blob([...this.#chunks, this.#last.slice(0, this.#used)], { type: 'application/octet-stream' })
  }
}

/**
 * Makes a node that may be recorded.
 *
 * A recording has in it all that was said on the node's connections, and whoever has it can read that.
 * With `record: true` it has no secret that outlives the node: the node gets a key, and so a Peer ID, that
 * is made for it and thrown away. `record: { secrets: true }` records the node with the identity it has
 * otherwise, private key included.
 *
 * @param {Omit<Libp2pOptions, 'record'> & { record?: boolean | { secrets?: boolean } }} [options]
 * @returns {Promise<Libp2p & { recording: () => Blob }>} `recording()`: all that the node was told so far,
 *   for `build/native/replay`; also after a fault has stopped it
 */
export async function createLibp2p ({ record = false, ...options } = {}) {
  const hasSecrets = typeof record === 'object' && record.secrets === true
  if (record && !hasSecrets) {
    if (options.privateKey !== undefined) {
      throw makeError('InvalidParametersError', 'record: a recording holds the private key of its node. Leave privateKey out, and a key is made for the recording, or say record: { secrets: true }', 'BAD_ARGUMENT')
    }
    options.privateKey = await generateKeyPair()
  }
  const recorder = record ? new Recorder(hasSecrets ? OWN_KEY : MADE_KEY) : undefined
  const node = await create(Object.assign(options, { recorder }))
  return Object.assign(node, {
    recording () {
      if (recorder === undefined) throw makeError('InvalidParametersError', 'this node is not recorded: make it with createLibp2p({ record: true })', 'BAD_ARGUMENT')
      return recorder.blob()
    }
  })
}

/** Where the module is. @param {CoreSource} source */
export function setDebugSource ({ factory, wasm }) {
  setCoreSource({
    wasm,
    factory: async (/** @type {any} */ hooks) => {
      const module = await factory(hooks)
      if (hooks.recorder !== undefined) hooks.recorder.seal = () => module.seal()
      return module
    }
  })
}

/**
 * Starting the wasm module. Where its bytes come from is the packaging's business: the one-file build
 * inlines them, the slim one fetches `peerlet.wasm`, tests hand them over.
 */
import { PeerletError } from './errors.js'

/**
 * @typedef {object} CoreSource
 * @property {(options: object) => Promise<any>} factory what emcc made
 * @property {() => Promise<Uint8Array | undefined>} wasm the module's bytes; undefined: emcc's own way
 */

/** @type {CoreSource | undefined} */
let source

/** Tells where the module is; the last caller wins. @param {CoreSource} from */
export const setCoreSource = (from) => { source = from }

/** @param {string} what */
const cannotStart = (what) => new PeerletError('WebAssemblyError', what, 'UNSUPPORTED')

/** What a page must have; said in words before anything is tried. */
function checkPage () {
  if (typeof WebAssembly !== 'object') {
    throw cannotStart('this browser has no WebAssembly; Peerlet needs one from 2023 or later')
  }
  if (typeof globalThis.crypto?.getRandomValues !== 'function') {
    throw cannotStart('crypto.getRandomValues is missing; without it no key is safe, so the node does not start')
  }
}

/** @param {any} err why the module did not compile */
function explain (err) {
  const text = String(err?.message ?? err)
  if (/unsafe-eval|Content Security Policy|CSP/i.test(text)) {
    return cannotStart(`the page's Content-Security-Policy forbids WebAssembly; add 'wasm-unsafe-eval' to its script-src (${text})`)
  }
  if (/simd|invalid opcode|CompileError/i.test(text)) {
    return cannotStart(`this browser cannot run the module, which uses SIMD; every browser since 2023 can (${text})`)
  }
  return cannotStart(`the WebAssembly module could not be started: ${text}`)
}

/**
 * A new module instance: one per node, so that a fault in one tears down no other.
 *
 * @param {object} hooks what the imports call: onEvents, onLog, rtcConfiguration
 */
export async function newCore (hooks) {
  checkPage()
  if (source === undefined) throw cannotStart('no wasm module is bundled; import "peerlet" instead of its parts')
  try {
    const wasmBinary = await source.wasm()
    return await source.factory({ ...hooks, ...(wasmBinary && { wasmBinary }) })
  } catch (err) {
    throw explain(err)
  }
}

/**
 * peerlet/slim: the module is a file of its own, compiled while it arrives. Where it is, is said by `init`,
 * or is beside the script.
 */
import { setCoreSource } from './core.js'
import { makeError } from './errors.js'

/**
 * Where the module comes from: one of these, or nothing for the file beside the script.
 *
 * @typedef {object} ModuleSource
 * @property {string | URL} [url] of `peerlet.wasm`
 * @property {WebAssembly.Module} [module] compiled already, as edge runtimes import it
 * @property {BufferSource} [bytes]
 * @property {Response | PromiseLike<Response>} [response] compiled while it arrives where it is `application/wasm`
 */

/** @type {(module: object) => Promise<any>} */
let factory

/** @type {() => URL} */
let beside

/** @type {ModuleSource} */
let current

/** The packaging's. @param {typeof factory} made what emcc made @param {typeof beside} url may throw, where scripts have none */
export function setSlimSource (made, url) {
  factory = made
  beside = url
  use({})
}

/** @param {string} what @param {any} err */
const cannotLoad = (what, err) => makeError('WebAssemblyError', `Peerlet cannot start: ${what} (${err?.message ?? err}). ` +
  `Put peerlet.wasm beside the script, or say where it is before the first node: await init({ url }). With Vite the url ` +
  `is had by: import url from 'peerlet/peerlet.wasm?url'. Or import "peerlet", which has it inside`, 'UNSUPPORTED')

/** @param {ModuleSource} from @returns {Promise<any>} a module, or its bytes */
async function load ({ url, module, bytes, response }) {
  if (module !== undefined || bytes !== undefined) return module ?? bytes
  let where = 'peerlet.wasm'
  try {
    const answer = await (response ?? fetch(where = String(url ?? beside())))
    where = answer.url || where
    if (!answer.ok) throw new Error(`the server says ${answer.status}`)
    if (answer.headers.get('content-type') === 'application/wasm') return WebAssembly.compileStreaming(answer)
    const body = await answer.arrayBuffer()
    // many a server answers what it does not have with a page
    if (body.byteLength < 8 || new DataView(body).getUint32(0) !== 0x0061736d) throw new Error('what is there is not WebAssembly')
    return body
  } catch (err) {
    throw cannotLoad(`${where} cannot be had`, err)
  }
}

/** What has failed is tried again by the next node. @param {ModuleSource} from */
function use (from) {
  /** @type {Promise<any> | undefined} */
  let loading
  const wasm = () => loading ??= load(from).catch((err) => {
    if (current === from) use(from)
    throw err
  })
  current = from
  setCoreSource({ factory, wasm })
  return wasm
}

/**
 * Says where the module is, and gets it. Nodes that are made from now on wait for it, so this need not be
 * awaited; without it the first of them gets the file beside the script.
 *
 * @param {ModuleSource} [from]
 * @returns {Promise<void>} when it has arrived
 */
export async function init (from = {}) {
  const { url, module, bytes, response, ...rest } = from
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) throw makeError('InvalidParametersError', `init() does not know "${unknown}": it takes { url }, { module }, { bytes } or { response }`, 'BAD_ARGUMENT')
  await use({ url, module, bytes, response })()
}

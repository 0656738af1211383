import { put, textOf } from './memory.js'

/**
 * An error of the node. `name` is the one js-libp2p uses for it, `code` the core's own name
 * ("NO_RESERVATION"), and the message says what happened, why, and what to do.
 */
export class PeerletError extends Error {
  /**
   * @param {string} name
   * @param {string} message
   * @param {string} [code]
   */
  constructor (name, message, code = '') {
    super(message)
    this.name = name
    this.code = code
  }
}

/** @typedef {Map<number, { code: string, name: string, text: string }>} ErrorTable */

/**
 * Reads the core's table of numbers and of errors: they are written down in C only. A row is
 * "NAME number", or for an error "NAME number JsName text".
 *
 * @param {any} m the core
 * @returns {{ numbers: Record<string, number>, errors: ErrorTable }}
 */
export function readTable (m) {
  /** @type {Record<string, number>} */
  const numbers = {}
  const errors = new Map()
  for (let i = 0; ; i++) {
    const [code, number, name, ...text] = textOf(m, m._table_row(i)).split(' ')
    if (code === '') return { numbers, errors }
    if (name === undefined) numbers[code] = Number(number)
    else errors.set(Number(number), { code, name, text: text.join(' ') })
  }
}

/**
 * @param {ErrorTable} table
 * @param {number} number a negative result of the core
 * @param {string} [reason] what the core says of this case
 */
export function errorOf (table, number, reason = '') {
  const row = table.get(number) ?? { code: 'UNKNOWN', name: 'Error', text: `error ${number}` }
  const message = reason === '' || reason === row.text ? row.text : reason
  return new PeerletError(row.name, message, row.code)
}

/**
 * Calls a command and throws what it complains about.
 *
 * @param {{ core: any, errors: ErrorTable, flushSoon: () => void }} node
 * @param {(...lengths: number[]) => number} command gets the lengths of the parts
 * @param {...(string | Uint8Array)} parts
 */
export function run ({ core, errors, flushSoon }, command, ...parts) {
  const result = command(...put(core, ...parts))
  flushSoon()
  if (result < 0) throw errorOf(errors, result, textOf(core, core._ask_reason()))
  return result
}

/** @param {string} [what] */
export const abortError = (what = 'the operation was aborted') => new PeerletError('AbortError', what, 'ABORTED')

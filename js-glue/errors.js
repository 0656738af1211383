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
 * Reads the core's list of errors: numbers are written down in C only.
 *
 * @param {any} m the core
 * @returns {ErrorTable}
 */
export function errorTable (m) {
  const table = new Map()
  for (const line of textOf(m, m._answer_errors()).trim().split('\n')) {
    const [number, code, name, text] = line.split('\t')
    table.set(Number(number), { code, name, text })
  }
  return table
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
 * @param {{ core: any, errors: ErrorTable }} node
 * @param {(...lengths: number[]) => number} command gets the lengths of the parts
 * @param {...(string | Uint8Array)} parts
 */
export function run ({ core, errors }, command, ...parts) {
  const result = command(...put(core, ...parts))
  if (result < 0) throw errorOf(errors, result, textOf(core, core._answer_reason()))
  return result
}

/** @param {string} [what] */
export const abortError = (what = 'the operation was aborted') => new PeerletError('AbortError', what, 'ABORTED')

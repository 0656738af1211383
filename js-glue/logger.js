/** Debug output, switched on and off as in @libp2p/logger. */

/** @type {RegExp | undefined} */
let enabled

/** What enum log_level calls its levels. */
const LEVELS = /** @type {const} */ (['error', 'warn', 'info', 'debug'])

/** Whether anything is switched on: a node made meanwhile is asked to tell all. */
export const isLogging = () => enabled !== undefined

/**
 * Shows what is logged under these names. A node made before is not asked for more than it tells.
 *
 * @param {string} names with commas between and `*` for anything: 'peerlet,libp2p:*'
 */
export function enable (names) {
  const patterns = names.split(/[\s,]+/).map((name) => name.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*'))
  enabled = new RegExp(`^(${patterns.join('|')})$`)
}

export function disable () {
  enabled = undefined
}

/**
 * @param {string} name
 * @returns {(level: number, ...what: any[]) => void} by enum log_level
 */
export const output = (name) => (level, ...what) => {
  if (enabled?.test(name)) console[LEVELS[level] ?? 'debug'](name, ...what)
}

/**
 * What is logged under a name, in the shape of @libp2p/logger.
 *
 * @param {string} name
 * @returns {any}
 */
export function logger (name) {
  const log = output(name)
  const debug = log.bind(undefined, 3)
  return Object.assign(debug.bind(undefined), {
    error: log.bind(undefined, 0),
    trace: debug,
    enabled: enabled?.test(name) === true,
    newScope: (/** @type {string} */ scope) => logger(`${name}:${scope}`)
  })
}

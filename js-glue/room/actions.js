import { makeError } from '../errors.js'
import { ACTION_LIMIT } from './codec.js'

/** @param {string} action */
export function checkAction (action) {
  if (typeof action === 'string' && action !== '' && new TextEncoder().encode(action).length <= ACTION_LIMIT) return
  throw makeError('InvalidParametersError', `the name of an action is text of 1 to ${ACTION_LIMIT} bytes`, 'BAD_ARGUMENT')
}

/**
 * Who hears or answers an action: one each.
 *
 * @template T
 * @param {Map<string, T>} map
 * @param {string} action
 * @param {T} handler
 * @returns {() => void} ends it
 */
export function register (map, action, handler) {
  checkAction(action)
  if (map.has(action)) throw makeError('InvalidParametersError', `"${action}" has somebody who listens already: end that with the function it was given`, 'DUPLICATE')
  map.set(action, handler)
  return () => { if (map.get(action) === handler) map.delete(action) }
}

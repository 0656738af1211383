/**
 * Errors are matched by `name`, as in js-libp2p: `TimeoutError`, `DialError`, `LimitedConnectionError`.
 * `code` is the core's own name of what went wrong ("NO_RESERVATION"), and the message says what
 * happened, why, and what to do about it.
 */
export class PeerletError extends Error {
  /**
   * @param {string} message
   * @param {string} [code]
   */
  constructor (message, code = '') {
    super(message)
    this.name = new.target.name
    this.code = code
  }
}

/** @type {Map<string, typeof PeerletError>} */
const classes = new Map()

/**
 * An error of the class with this name, which is made when it is first needed.
 *
 * @param {string} name
 * @param {string} message
 * @param {string} [code]
 */
export function makeError (name, message, code) {
  let Class = classes.get(name)
  if (Class === undefined) {
    Class = class extends PeerletError {}
    Object.defineProperty(Class, 'name', { value: name })
    classes.set(name, Class)
  }
  return new Class(message, code)
}

/**
 * What a promise that was given up rejects with: the signal's own reason where it is an error.
 *
 * @param {AbortSignal} [signal]
 */
export function abortReason (signal) {
  const reason = signal?.reason
  return reason instanceof Error ? reason : makeError('AbortError', 'given up by the caller', 'ABORTED')
}

/**
 * The promise, or a rejection as soon as the signal aborts.
 *
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal} [signal]
 * @param {() => void} [giveUp] called on abort
 * @returns {Promise<T>}
 */
export function orAbort (promise, signal, giveUp = () => {}) {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const stop = () => {
      reject(abortReason(signal))
      giveUp()
    }
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}

/** A listener's fault: an exception of the page's own, which is the page's to know of. @param {any} err */
export function report (err) {
  if (globalThis.reportError !== undefined) globalThis.reportError(err)
  else queueMicrotask(() => { throw err })
}

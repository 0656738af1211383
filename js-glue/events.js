/**
 * An EventTarget that knows whether anybody listens.
 *
 * @template {Record<string, any>} [Events=Record<string, any>] by type
 */
export class Emitter extends EventTarget {
  /** @type {Map<string, Map<any, boolean>>} by type: each listener, and whether it is for one event only */
  #listeners = new Map()

  /**
   * @template {keyof Events & string} K
   * @overload
   * @param {K} type
   * @param {(event: Events[K]) => void} listener
   * @param {AddEventListenerOptions | boolean} [options]
   * @returns {void}
   */
  /**
   * @overload
   * @param {string} type
   * @param {((event: any) => void) | EventListenerObject | null} listener
   * @param {AddEventListenerOptions | boolean} [options]
   * @returns {void}
   */
  /**
   * @param {string} type
   * @param {((event: any) => void) | EventListenerObject | null} listener
   * @param {AddEventListenerOptions | boolean} [options]
   */
  addEventListener (type, listener, options) {
    super.addEventListener(type, listener, options)
    if (listener === null) return
    const { once = false, signal } = typeof options === 'object' ? options : {}
    if (signal?.aborted) return
    const known = this.#listeners.get(type) ?? new Map()
    this.#listeners.set(type, known.set(listener, once))
    signal?.addEventListener('abort', () => known.delete(listener), { once: true })
  }

  /**
   * @param {string} type
   * @param {((event: any) => void) | EventListenerObject | null} listener
   * @param {EventListenerOptions | boolean} [options]
   */
  removeEventListener (type, listener, options) {
    super.removeEventListener(type, listener, options)
    this.#listeners.get(type)?.delete(listener)
  }

  /** @param {Event} event */
  dispatchEvent (event) {
    const known = this.#listeners.get(event.type)
    const more = super.dispatchEvent(event)
    for (const [listener, once] of known ?? []) if (once) known?.delete(listener)
    return more
  }

  /** @param {string} type */
  listenerCount (type) { return this.#listeners.get(type)?.size ?? 0 }

  /** @param {string} type @param {any} [detail] */
  safeDispatchEvent (type, detail) { return this.dispatchEvent(new CustomEvent(type, detail)) }

  /** @param {string} type @param {any} detail */
  tell (type, detail) { return this.dispatchEvent(new CustomEvent(type, { detail })) }
}

/** Bytes of a stream: `event.data`. */
export class StreamMessageEvent extends Event {
  /** @param {Uint8Array} data */
  constructor (data) {
    super('message')
    this.data = data
  }
}

/** The end of a stream or connection: `event.error` where it was not a good one, `event.local` whose it was. */
export class StreamCloseEvent extends Event {
  /** @param {boolean} [local] @param {Error} [error] */
  constructor (local, error) {
    super('close')
    this.local = local
    this.error = error
  }
}

/**
 * Promises of what the core will answer, by the number it will answer about.
 *
 * @template T
 */
export class Waiting {
  /** @type {Map<number, { resolve: (value: T) => void, reject: (err: Error) => void }>} */
  #waiting = new Map()

  /** @param {number} number @returns {Promise<T>} */
  add (number) {
    return new Promise((resolve, reject) => this.#waiting.set(number, { resolve, reject }))
  }

  /** @param {number} number */
  #take (number) {
    const one = this.#waiting.get(number)
    this.#waiting.delete(number)
    return one
  }

  /** @param {number} number @param {T} value @returns {boolean} whether anybody waited */
  resolve (number, value) {
    const one = this.#take(number)
    one?.resolve(value)
    return one !== undefined
  }

  /** @param {number} number @param {Error} err */
  reject (number, err) { this.#take(number)?.reject(err) }

  /** @param {Error} err */
  rejectAll (err) {
    for (const number of this.#waiting.keys()) this.reject(number, err)
  }
}

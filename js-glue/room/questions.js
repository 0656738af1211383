import { abortReason, makeError, orAbort } from '../errors.js'
import { checkAction, register } from './actions.js'
import { writePayload } from './codec.js'

/** Questions of one peer that are being answered. */
const ASKED = 32
/** Questions of ours that wait for an answer. */
const ASKING = 1024
const ASK_MS = 10_000

/** What a `fault` says. */
const FAULTS = ['RemoteError', 'NoHandlerError', 'BusyError']

/** @typedef {import('./pair.js').Pair} Pair */

/** What members of a room ask each other. */
export class Questions {
  #pairOf
  #number
  /** @type {Map<string, (data: any, about: import('./room.js').AskAbout) => any>} */
  #answerers = new Map()
  /** Of ours. @type {Map<number, { peer: string, resolve: (value: any) => void, reject: (err: Error) => void }>} */
  #asking = new Map()
  /** Of theirs, by peer. @type {Map<string, Map<number, AbortController>>} */
  #asked = new Map()

  /** @param {(peer: string) => Pair | undefined} pairOf @param {() => number} number of what we say, each another */
  constructor (pairOf, number) {
    this.#pairOf = pairOf
    this.#number = number
  }

  /**
   * @param {Pair} pair with who is asked
   * @param {string} action
   * @param {any} data
   * @param {{ signal?: AbortSignal, timeout?: number }} options
   * @returns {Promise<any>}
   */
  async ask (pair, action, data, { signal, timeout = ASK_MS }) {
    checkAction(action)
    if (signal?.aborted) throw abortReason(signal)
    if (this.#asking.size >= ASKING) throw makeError('QueueFullError', `${ASKING} questions wait for their answers already`, 'FULL')
    const { peer } = pair
    const number = this.#number()
    pair.send('ask', { number, action, payload: writePayload(data) })
    const cancel = (/** @type {Error} */ err) => {
      this.#pairOf(peer)?.send('cancel', { number })
      this.#settle(peer, number)?.reject(err)
    }
    const timer = setTimeout(() => cancel(makeError('TimeoutError', `${peer} does not answer "${action}" within ${timeout} ms`, 'TIMEOUT')), timeout)
    const answered = new Promise((resolve, reject) => this.#asking.set(number, { peer, resolve, reject }))
    return await orAbort(answered.finally(() => clearTimeout(timer)), signal, () => cancel(abortReason(signal)))
  }

  /** @param {string} action @param {(data: any, about: import('./room.js').AskAbout) => any} answerer */
  answer (action, answerer) { return register(this.#answerers, action, answerer) }

  /** @param {string} peer @param {number} number */
  #settle (peer, number) {
    const one = this.#asking.get(number)
    if (one?.peer !== peer) return undefined
    this.#asking.delete(number)
    return one
  }

  /** @param {string} peer @param {Record<string, any>} frame `ask`, `answer`, `fault` or `cancel` */
  onFrame (peer, frame) {
    switch (frame.kind) {
      case 'ask': this.#onAsk(peer, frame); break
      case 'answer': this.#settle(peer, frame.number)?.resolve(frame.payload); break
      case 'fault': this.#settle(peer, frame.number)?.reject(makeError(FAULTS[frame.code] ?? FAULTS[0], `${peer} answers: ${frame.message}`, 'FAULT')); break
      case 'cancel': this.#asked.get(peer)?.get(frame.number)?.abort(makeError('AbortError', `${peer} wants no answer any more`, 'ABORTED'))
    }
  }

  /** @param {string} peer @param {Record<string, any>} ask */
  async #onAsk (peer, { number, action, payload }) {
    const fault = (/** @type {string} */ name, /** @type {string} */ message) => this.#pairOf(peer)?.send('fault', { number, code: FAULTS.indexOf(name), message })
    const answerer = this.#answerers.get(action)
    if (answerer === undefined) return fault('NoHandlerError', `nobody answers "${action}" here`)
    const asked = this.#asked.get(peer) ?? new Map()
    if (asked.size >= ASKED || asked.has(number)) return fault('BusyError', 'too many questions at once')
    const asker = new AbortController()
    this.#asked.set(peer, asked.set(number, asker))
    try {
      const answer = writePayload(await answerer(payload, { from: peer, signal: asker.signal }))
      if (!asker.signal.aborted) this.#pairOf(peer)?.send('answer', { number, payload: answer })
    } catch (/** @type {any} */ err) {
      if (!asker.signal.aborted) fault('RemoteError', String(err?.message ?? err).slice(0, 120))
    } finally {
      asked.delete(number)
    }
  }

  /** Nothing more is heard of the peer. @param {string} peer @param {Error} err */
  gone (peer, err) {
    for (const [number, { peer: asked, reject }] of this.#asking) if (asked === peer && this.#asking.delete(number)) reject(err)
    for (const asker of this.#asked.get(peer)?.values() ?? []) asker.abort(err)
    this.#asked.delete(peer)
  }
}

import { abortReason, makeError } from '../errors.js'

/** Messages that wait for somebody to come, and their bytes. */
const QUEUED = 256
const QUEUED_BYTES = 4 * 1024 * 1024
/** Messages whose fate is told; those before are forgotten. */
const TRACKED = 1024

/** For so long, and so many, what was said is kept for those who had been cut off from us. */
const RECENT_MS = 60_000
const RECENT = 256
const RECENT_BYTES = 4 * 1024 * 1024

/** @typedef {import('./sent.js').Sent} Sent */

/** @typedef {{ sent: Sent, kind: string, fields: Record<string, any>, to: string[], at: number }} Said `to`: who was here */

/**
 * What was said lately. A connection may have been lost for seconds before anybody notices: what was said
 * into it is said again to who comes back.
 */
export class Recent {
  /** @type {Said[]} */
  #all = []
  #bytes = 0

  /** @param {Said} said */
  add (said) {
    this.#all.push(said)
    this.#bytes += sizeOf(said)
    while (this.#all.length > RECENT || this.#bytes > RECENT_BYTES || this.#all[0].at < said.at - RECENT_MS) {
      this.#bytes -= sizeOf(/** @type {Said} */ (this.#all.shift()))
    }
  }

  /** @param {string} peer @param {number} now @returns {Said[]} what was for the peer, who has not said that it has it */
  missedBy (peer, now) {
    return this.#all.filter(({ sent, to, at }) => to.includes(peer) && !sent.seenBy.has(peer) && at >= now - RECENT_MS)
  }
}

/** @param {Said} said */
const sizeOf = ({ fields }) => fields.payload?.length ?? 0

/** What is said to all: it leaves in its order, or waits for the first who comes. */
export class Outbox {
  #publish
  #onChange
  /** Nobody is there, and it waits. @type {Array<{ sent: Sent, frame: Uint8Array<ArrayBuffer> }>} */
  #queue = []
  /** @type {Map<number, Sent>} */
  #tracked = new Map()
  /** What is published, in its order. @type {Promise<void>} */
  #leaving = Promise.resolve()

  /**
   * @param {(frame: Uint8Array<ArrayBuffer>) => Promise<boolean>} publish whether anybody was there to get it
   * @param {(sent: Sent) => void} onChange
   */
  constructor (publish, onChange) {
    this.#publish = publish
    this.#onChange = onChange
  }

  /** Tells from now on what becomes of it. @param {Sent} sent */
  track (sent) {
    this.#tracked.set(sent.id, sent)
    if (this.#tracked.size > TRACKED) this.#tracked.delete(/** @type {number} */ (this.#tracked.keys().next().value))
    sent.addEventListener('change', () => this.#onChange(sent))
  }

  /** @param {string} peer @param {number[]} numbers */
  onSeen (peer, numbers) { for (const number of numbers) this.#tracked.get(number)?.onSeen(peer) }

  /** @param {Sent} sent @param {Uint8Array<ArrayBuffer>} frame @param {AbortSignal} [signal] takes it back @throws QueueFullError */
  wait (sent, frame, signal) {
    if (this.#queue.length >= QUEUED || this.#queue.reduce((sum, one) => sum + one.frame.length, frame.length) > QUEUED_BYTES) {
      throw makeError('QueueFullError', `nobody is in the room, and ${this.#queue.length} messages wait for somebody already: wait for the event "join"`, 'FULL')
    }
    this.#queue.push({ sent, frame })
    signal?.addEventListener('abort', () => {
      const at = this.#queue.findIndex((one) => one.sent === sent)
      if (at >= 0) this.#fail(this.#queue.splice(at, 1)[0].sent, abortReason(signal))
    }, { once: true })
  }

  /** @param {Sent} sent @param {Uint8Array<ArrayBuffer>} frame */
  send (sent, frame) {
    this.#leaving = this.#leaving.then(async () => {
      try {
        if (await this.#publish(frame)) sent.onSent()
        else this.#queue.push({ sent, frame })
      } catch (/** @type {any} */ err) {
        this.#fail(sent, err)
      }
    })
  }

  /** Somebody has come. */
  flush () { for (const { sent, frame } of this.#queue.splice(0)) this.send(sent, frame) }

  /** Resolves when all that was to leave has left. */
  async empty () { await this.#leaving }

  /** What waits is said to nobody. @param {Error} err */
  failAll (err) { for (const { sent } of this.#queue.splice(0)) this.#fail(sent, err) }

  /** @param {Sent} sent @param {any} err */
  #fail (sent, err) {
    this.#tracked.delete(sent.id)
    sent.onFailed(err)
  }
}

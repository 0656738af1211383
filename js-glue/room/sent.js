/**
 * A message on its way. `state` is `queued` while nobody is there, `sent` once it has left, `seen` when
 * somebody's page has taken it, `failed` when it never will; `change` is told each time, and for each who
 * has seen it.
 */
export class Sent extends EventTarget {
  /** @type {'queued' | 'sent' | 'seen' | 'failed'} */
  state = 'queued'
  /** Peer IDs of those whose page has taken it. @type {Set<string>} */
  seenBy = new Set()
  /** Why it failed. @type {Error | undefined} */
  error = undefined

  /** @type {() => void} */
  #resolve = () => {}
  /** @type {(err: Error) => void} */
  #reject = () => {}

  /** @param {number} number @param {string} action @param {string | undefined} to */
  constructor (number, action, to) {
    super()
    this.id = number
    this.action = action
    this.to = to
    /** Resolves once it is sent, rejects when it failed. @type {Promise<void>} */
    this.sent = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.sent.catch(() => {}) // nobody has to look at it
  }

  /** By how many. */
  get seen () { return this.seenBy.size }

  /** It has left. */
  onSent () {
    if (this.state !== 'queued') return
    this.state = 'sent'
    this.#resolve()
    this.#changed()
  }

  /** @param {string} peer */
  onSeen (peer) {
    if (this.state === 'failed' || this.seenBy.has(peer)) return
    this.onSent()
    this.seenBy.add(peer)
    this.state = 'seen'
    this.#changed()
  }

  /** @param {Error} error */
  onFailed (error) {
    if (this.state !== 'queued') return
    this.state = 'failed'
    this.error = error
    this.#reject(error)
    this.#changed()
  }

  #changed () { this.dispatchEvent(new Event('change')) }
}

/** Events that are kept, the latest. */
const KEPT = 500
/** Dials that are kept. */
const DIALS = 20

/** Those of a node that say something about its connections. */
const EVENTS = ['start', 'stop', 'peer:discovery', 'peer:connect', 'peer:disconnect', 'peer:identify', 'connection:open', 'connection:close', 'self:peer:update', 'relay:state', 'network']

/** @param {any} peer */
export const shortName = (peer) => String(peer).slice(-6)

/** What an event tells, in words. @param {string} type @param {any} detail */
function wordsOf (type, detail) {
  switch (type) {
    case 'peer:discovery': return `${shortName(detail.id)}, at ${detail.multiaddrs.length} addresses`
    case 'peer:connect':
    case 'peer:disconnect': return shortName(detail)
    case 'peer:identify': return `${shortName(detail.peerId)} is ${detail.agentVersion ?? 'somebody'}`
    case 'connection:open':
    case 'connection:close': return `${shortName(detail.remotePeer)}, ${detail.direction}, ${detail.remoteAddr}`
    case 'self:peer:update': return detail.peer.addresses.map((/** @type {any} */ { multiaddr }) => String(multiaddr)).join(' ') || 'no address'
    case 'relay:state': return `${shortName(detail.relay)} ${detail.state}${detail.detail === '' ? '' : `: ${detail.detail}`}`
    case 'network': return detail.online ? 'online' : 'offline'
    default: return ''
  }
}

/**
 * @typedef {object} Recorded
 * @property {number} at ms since 1970
 * @property {string} type
 * @property {string} text
 *
 * @typedef {object} RecordedDial
 * @property {string} target
 * @property {number} at
 * @property {'running' | 'connected' | 'failed'} state
 * @property {Array<{ ms: number, text: string }>} steps since its beginning
 */

/** Writes down what a node tells, while it is asked to; fires `change`. */
export class Recorder extends EventTarget {
  #node
  #off = new AbortController()
  /** @type {Recorded[]} */
  events = []
  /** @type {RecordedDial[]} */
  dials = []
  /** The dials of others that are under way. @type {Map<string, RecordedDial>} */
  #running = new Map()

  /** @param {any} node */
  constructor (node) {
    super()
    this.#node = node
  }

  start () {
    this.#off.abort()
    this.#off = new AbortController()
    const { signal } = this.#off
    const note = (/** @type {string} */ type, /** @type {string} */ text) => {
      this.events.push({ at: Date.now(), type, text })
      if (this.events.length > KEPT) this.events.shift()
      this.#changed()
    }
    for (const type of EVENTS) this.#node.addEventListener(type, (/** @type {any} */ { detail }) => note(type, wordsOf(type, detail)), { signal })
    for (const pubsub of pubsubsOf(this.#node)) {
      pubsub.addEventListener('subscription-change', (/** @type {any} */ { detail }) => {
        for (const { topic, subscribe } of detail.subscriptions) note('subscription-change', `${shortName(detail.peerId)} ${subscribe ? 'is in' : 'left'} ${topic}`)
      }, { signal })
    }
  }

  stop () {
    this.#off.abort()
    this.#running.clear()
  }

  #changed () { this.dispatchEvent(new Event('change')) }

  /** @param {string} target @returns {RecordedDial} */
  #add (target) {
    /** @type {RecordedDial} */
    const dial = { target, at: Date.now(), state: 'running', steps: [] }
    this.dials.unshift(dial)
    this.dials.length = Math.min(this.dials.length, DIALS)
    return dial
  }

  /** Looks at the dials that the application has under way. */
  look () {
    /** @type {any[]} */
    const queue = this.#node.getDialQueue()
    const known = new Set(queue.map(({ id }) => id))
    for (const { id, peerId, multiaddrs } of queue) {
      if (!this.#running.has(id) && !this.#own.has(id)) this.#running.set(id, this.#add(String(multiaddrs[0] ?? peerId)))
    }
    for (const [id, dial] of this.#running) {
      if (known.has(id)) continue
      this.#running.delete(id)
      dial.state = this.#node.getConnections().some((/** @type {any} */ { remotePeer }) => dial.target.includes(String(remotePeer))) ? 'connected' : 'failed'
      dial.steps.push({ ms: Date.now() - dial.at, text: `${dial.state}, seen within a second` })
    }
  }

  /** Ids of dials that `dial` tells of itself. */
  #own = new Set()

  /** Dials, and tells of each step when it was. @param {string} target */
  async dial (target) {
    const dial = this.#add(target)
    const step = (/** @type {string} */ text) => {
      dial.steps.push({ ms: Date.now() - dial.at, text })
      this.#changed()
    }
    const before = new Set(this.#node.getDialQueue().map((/** @type {any} */ { id }) => id))
    try {
      const dialling = this.#node.dial(target, { onProgress: (/** @type {any} */ { detail }) => step(String(detail)) })
      await Promise.race([dialling, null])
      for (const { id } of this.#node.getDialQueue()) if (!before.has(id)) this.#own.add(id)
      const connection = await dialling
      dial.state = 'connected'
      step(`connected by ${connection.remoteAddr}`)
      const { identify, ping } = this.#node.services
      if (identify?.identify !== undefined) {
        const { agentVersion } = await identify.identify(connection)
        step(`it is ${agentVersion ?? 'somebody'}`)
      }
      if (ping?.ping !== undefined) {
        await ping.ping(connection.remotePeer)
        step('it answered a ping')
      }
    } catch (/** @type {any} */ err) {
      if (dial.state === 'running') dial.state = 'failed'
      step(`${err.name}: ${err.message}`)
    } finally {
      this.#own.clear()
    }
  }
}

/** The services of a node that are pubsub. @param {any} node @returns {any[]} */
export const pubsubsOf = (node) => Object.values(node.services).filter((/** @type {any} */ service) => typeof service?.getSubscribers === 'function')

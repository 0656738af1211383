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
    case 'peer:discovery': return `${shortName(detail.id)}, at ${detail.multiaddrs.length} ${detail.multiaddrs.length === 1 ? 'address' : 'addresses'}`
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
  /** Those under way, by the node's id of them. @type {Map<string, RecordedDial>} */
  #running = new Map()
  /** Those that ended, by the connection or the error. @type {WeakMap<object, RecordedDial>} */
  #ended = new WeakMap()

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
    this.#node.addEventListener('dial', (/** @type {any} */ { detail }) => this.#onDial(detail), { signal })
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

  /** @param {RecordedDial} dial @param {string} text */
  #step (dial, text) {
    dial.steps.push({ ms: Date.now() - dial.at, text })
    this.#changed()
  }

  /** A step of a dial, whoever asked for it. @param {any} detail */
  #onDial ({ id, status, peerId, multiaddrs, text, connection, error }) {
    const dial = this.#running.get(id) ?? this.#add(multiaddrs.length > 0 ? multiaddrs.join(' ') : String(peerId))
    this.#running.set(id, dial)
    if (text !== undefined) this.#step(dial, text)
    if (status === 'active') return
    this.#running.delete(id)
    this.#ended.set(connection ?? error, dial)
    dial.state = connection === undefined ? 'failed' : 'connected'
    this.#step(dial, connection === undefined ? `${error.name}: ${error.message}` : `connected by ${connection.remoteAddr}`)
  }

  /** The record of a dial of ours; a node of js-libp2p's tells nothing of it. @param {string} target @param {any} end the connection or the error */
  #recordOf (target, end) {
    const known = this.#ended.get(end)
    if (known !== undefined) return known
    const dial = this.#add(target)
    dial.state = end instanceof Error ? 'failed' : 'connected'
    this.#step(dial, end instanceof Error ? `${end.name}: ${end.message}` : `connected by ${end.remoteAddr}`)
    return dial
  }

  /** Dials, asks who is there, and pings. @param {string} target */
  async dial (target) {
    const connection = await this.#node.dial(target).catch((/** @type {any} */ err) => { this.#recordOf(target, err) })
    if (connection === undefined) return
    const dial = this.#recordOf(target, connection)
    try {
      const { identify, ping } = this.#node.services
      if (identify?.identify !== undefined) {
        const { agentVersion } = await identify.identify(connection)
        this.#step(dial, `it is ${agentVersion ?? 'somebody'}`)
      }
      if (ping?.ping !== undefined) {
        await ping.ping(connection.remotePeer)
        this.#step(dial, 'it answered a ping')
      }
    } catch (/** @type {any} */ err) {
      this.#step(dial, `${err.name}: ${err.message}`)
    }
  }
}

/** The services of a node that are pubsub. @param {any} node @returns {any[]} */
export const pubsubsOf = (node) => Object.values(node.services).filter((/** @type {any} */ service) => typeof service?.getSubscribers === 'function')

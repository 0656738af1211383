// Rooms and what is said in them: one pubsub topic per room, plain UTF-8 text.
import { shortName } from './words.js'

const DEFAULT_ROOM = 'lobby'
const KEPT = 500 // lines a room remembers

/** @param {string} room */
const topicOf = (room) => `peerlet/room/${room}`

/** The room named by a URL's hash; whatever is typed becomes a name. @param {string} hash */
export function roomFromHash (hash) {
  let text = hash.replace(/^#/, '')
  try {
    text = decodeURIComponent(text)
  } catch {
    // a stray % is part of the name
  }
  return text.normalize('NFC').trim().toLowerCase().replace(/\s+/g, '-').slice(0, 60) || DEFAULT_ROOM
}

/** @param {string} room */
export const hashOfRoom = (room) => `#${encodeURIComponent(room)}`

/**
 * @typedef {object} Line
 * @property {'message' | 'event'} type
 * @property {string} [from] Peer ID of the sender; undefined for an event
 * @property {boolean} [mine]
 * @property {string} text
 * @property {string} [aside] a remark below the message
 * @property {Date} at
 */

/** Fires `line` with a Line, `room` when it changed, `people` when somebody came or went. */
export class Chat extends EventTarget {
  /** @type {Map<string, Line[]>} */
  #lines = new Map()
  #node
  #pubsub

  /** @param {import('peerlet').Libp2p} node @param {string} room */
  constructor (node, room) {
    super()
    this.#node = node
    this.#pubsub = node.services.pubsub
    this.#pubsub.addEventListener('message', (/** @type {any} */ event) => this.#receive(event.detail))
    this.#pubsub.addEventListener('subscription-change', (/** @type {any} */ event) => this.#noticePeople(event.detail))
    this.room = room
    this.#pubsub.subscribe(topicOf(room))
  }

  get lines () {
    return this.#linesOf(this.room)
  }

  get people () {
    return /** @type {string[]} */ (this.#pubsub.getSubscribers(topicOf(this.room)).map(String))
  }

  /** @param {string} room */
  enter (room) {
    if (room === this.room) return
    this.#pubsub.unsubscribe(topicOf(this.room))
    this.room = room
    this.#pubsub.subscribe(topicOf(room))
    this.dispatchEvent(new Event('room'))
    this.dispatchEvent(new Event('people'))
  }

  /** Rejects when it could not be sent; being alone is no failure. @param {string} text */
  async send (text) {
    const room = this.room
    const { recipients } = await this.#pubsub.publish(topicOf(room), new TextEncoder().encode(text))
    const aside = recipients.length === 0 ? 'nobody was here to hear it' : undefined
    this.#add(room, { type: 'message', from: String(this.#node.peerId), mine: true, text, aside, at: new Date() })
  }

  /** @param {any} message */
  #receive ({ topic, data, from }) {
    if (topic !== topicOf(this.room) || from === undefined || from.equals(this.#node.peerId)) return
    const text = new TextDecoder().decode(data).trim().slice(0, 4000)
    if (text !== '') this.#add(this.room, { type: 'message', from: String(from), text, at: new Date() })
  }

  /** @param {{ peerId: unknown, subscriptions: Array<{ topic: string, subscribe: boolean }> }} change */
  #noticePeople ({ peerId, subscriptions }) {
    const change = subscriptions.find(({ topic }) => topic === topicOf(this.room))
    if (change === undefined) return
    const text = `${shortName(peerId)} ${change.subscribe ? 'came in' : 'left'}`
    this.#add(this.room, { type: 'event', text, at: new Date() })
    this.dispatchEvent(new Event('people'))
  }

  /** @param {string} room */
  #linesOf (room) {
    const lines = this.#lines.get(room) ?? []
    this.#lines.set(room, lines)
    return lines
  }

  /** @param {string} room @param {Line} line */
  #add (room, line) {
    const lines = this.#linesOf(room)
    lines.push(line)
    if (lines.length > KEPT) lines.shift()
    if (room === this.room) this.dispatchEvent(new CustomEvent('line', { detail: line }))
  }
}

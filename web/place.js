// Where one is: a room of our own, by `joinRoom`, or that of the universal-connectivity application. Both
// have `people`, `send`, `share` and `leave`, and fire `text`, `file` and `person`.
import { joinRoom } from 'peerlet/room'
import { Universal } from './universal.js'
import { stateOf, takenBy, UNIVERSAL } from './words.js'

/** A room of our own. */
class Place extends EventTarget {
  #room

  /** @param {import('peerlet/room').Room} room */
  constructor (room) {
    super()
    this.#room = room
    room.on('text', (text, { from }) => {
      if (typeof text === 'string' && text.trim() !== '') this.#tell('text', { from, text: text.trim() })
    })
    room.addEventListener('join', (/** @type {any} */ { detail: id }) => this.#tell('person', { id, isHere: true }))
    room.addEventListener('leave', (/** @type {any} */ { detail: id }) => this.#tell('person', { id, isHere: false }))
    room.addEventListener('file', (/** @type {any} */ { detail: offered }) => {
      const { id, from, name, size } = offered
      const fetch = (/** @type {(progress: number) => void} */ onProgress, /** @type {AbortSignal} */ signal) =>
        offered.fetch({ signal, onProgress: (/** @type {number} */ received) => onProgress(received / size) })
      this.#tell('file', { from, file: { id, name, size, fetch } })
    })
  }

  get people () { return this.#room.peers }

  /** It does so by itself. */
  hide () {}
  show () {}

  async leave () { await this.#room.leave() }

  /** @param {string} text @param {(aside: string | undefined) => void} onState told now and again what has become of it */
  async send (text, onState) { this.#follow(this.#room.send('text', text), onState) }

  /** @param {File} given @param {(aside: string | undefined) => void} onState */
  async share (given, onState) {
    const offer = this.#room.offer(given)
    this.#follow(offer.sent, onState)
    const takers = new Set()
    offer.addEventListener('done', (/** @type {any} */ { detail: { peer } }) => onState(takenBy(takers.add(peer).size)))
    return { id: offer.id, name: given.name, size: given.size }
  }

  /** @param {import('peerlet/room').Sent} sent @param {(aside: string | undefined) => void} onState */
  #follow (sent, onState) {
    const tell = () => onState(stateOf(sent, this.people.length))
    sent.addEventListener('change', tell)
    tell()
  }

  /** @param {string} type @param {object} detail */
  #tell (type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })) }
}

/**
 * @param {import('peerlet').Libp2p} node
 * @param {string} room
 * @param {import('./files.js').Files} files
 */
export async function openPlace (node, room, files) {
  return room === UNIVERSAL ? new Universal(node, files) : new Place(await joinRoom(room, { node }))
}

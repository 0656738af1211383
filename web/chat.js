// Rooms and what is said in them: pubsub topics, one for plain UTF-8 text and one for the ids of files;
// and what is said to one person alone.
import { nameOfFile, readFileId } from './files.js'
import { shortName, UNIVERSAL } from './words.js'

export const KEPT_LINES = 500 // of a room
const DEFAULT_ROOM = 'lobby'
const KEPT_BYTES = 64 * 1024 * 1024 // of files that were fetched
const TEXT_LIMIT = 4000 // characters

/** @param {string} room */
const topicsOf = (room) => room === UNIVERSAL
  ? { text: UNIVERSAL, files: `${UNIVERSAL}-file` }
  : { text: `peerlet/room/${room}`, files: `peerlet/file/${room}` }

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
 * @property {string} [to] the one person, we or another, it is for
 * @property {string} text
 * @property {SharedFile} [file]
 * @property {string} [aside] a remark below the message
 * @property {boolean} [failed] the remark is that it did not work
 * @property {Date} at
 */

/**
 * @typedef {object} SharedFile
 * @property {string} id what its sender knows it by
 * @property {string} name
 * @property {number} [size] once it is known
 * @property {number} [progress] 0 to 1, while it is fetched
 * @property {string} [url] once it is here
 */

/**
 * Fires `line` with a Line, `change` with one that is different now, `room` when it changed, `people`
 * when somebody came or went.
 */
export class Chat extends EventTarget {
  /** @type {Map<string, Line[]>} */
  #lines = new Map()
  /** Those whose file is here, the oldest first. @type {Set<Line>} */
  #fetched = new Set()
  /** Who else is in the room. @type {Set<string>} */
  #present = new Set()
  #self
  #pubsub
  #files
  #direct

  /**
   * @param {import('peerlet').Libp2p} node
   * @param {string} room
   * @param {import('./files.js').Files} files
   * @param {import('./direct.js').Direct} direct
   */
  constructor (node, room, files, direct) {
    super()
    this.#self = String(node.peerId)
    this.#pubsub = node.services.pubsub
    this.#files = files
    this.#direct = direct
    this.#pubsub.addEventListener('message', (/** @type {any} */ event) => this.#receive(event.detail))
    this.#pubsub.addEventListener('subscription-change', (/** @type {any} */ event) => this.#noticePeople(event.detail))
    node.addEventListener('peer:disconnect', (/** @type {any} */ event) => this.#noticePerson(String(event.detail), false))
    direct.addEventListener('message', (/** @type {any} */ { detail: { from, text } }) => this.#add(this.room, { from, to: this.#self, text }))
    this.room = room
    this.join()
  }

  get lines () {
    return this.#linesOf(this.room)
  }

  /** The Peer IDs of the others in the room. */
  get people () {
    return [...this.#present]
  }

  /** @param {string} room */
  enter (room) {
    if (room === this.room) return
    this.leave()
    this.room = room
    this.join()
    this.dispatchEvent(new Event('room'))
    this.dispatchEvent(new Event('people'))
  }

  /** Others in the room are told that we are in it, */
  join () {
    const topics = topicsOf(this.room)
    for (const topic of Object.values(topics)) this.#pubsub.subscribe(topic)
    this.#present = new Set(this.#pubsub.getSubscribers(topics.text).map(String))
  }

  /** and that we are no more. */
  leave () {
    for (const topic of Object.values(topicsOf(this.room))) this.#pubsub.unsubscribe(topic)
  }

  /** Rejects when it could not be sent; being alone is no failure. @param {string} text */
  async send (text) {
    await this.#publish('text', text, { text })
  }

  /** Offers a file to the room. Rejects when it could not be. @param {File} given */
  async share (given) {
    const id = await this.#files.offer(given)
    await this.#publish('files', id, { text: '', file: { id, name: nameOfFile(id), size: given.size } })
  }

  /** @param {'text' | 'files'} topic @param {string} said @param {Pick<Line, 'text' | 'file'>} line */
  async #publish (topic, said, line) {
    const room = this.room
    const { recipients } = await this.#pubsub.publish(topicsOf(room)[topic], new TextEncoder().encode(said))
    const aside = recipients.length === 0 ? 'nobody was here to hear it' : undefined
    this.#add(room, { from: this.#self, ...line, aside })
  }

  /** To one person alone: the line says how it went. Rejects when it did not arrive. @param {string} to @param {string} text */
  async sendTo (to, text) {
    const line = this.#add(this.room, { from: this.#self, to, text, aside: 'on its way…' })
    try {
      await this.#direct.send(to, text)
      this.#change(line, { aside: 'arrived' })
    } catch (err) {
      this.#change(line, { aside: 'did not arrive', failed: true })
      throw err
    }
  }

  /** Fetches what a line offers. Rejects when it cannot be had. @param {Line} line */
  async fetch (line) {
    const { file, from = '' } = line
    if (file === undefined || file.progress !== undefined || file.url !== undefined) return
    const change = (/** @type {Partial<SharedFile>} */ now) => this.#change(line, { file: Object.assign(file, now), failed: false, aside: undefined })
    change({ progress: 0 })
    try {
      const bytes = /** @type {Uint8Array<ArrayBuffer>} */ (await this.#files.fetch(from, file.id, (progress) => {
        const hundredth = Math.floor(progress * 100) / 100
        if (hundredth !== file.progress) change({ progress: hundredth })
      }))
      // of no type that a browser would show, whatever is in it
      const url = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }))
      change({ progress: undefined, size: bytes.length, url })
      this.#keep(line)
    } catch (err) {
      change({ progress: undefined })
      throw err
    }
  }

  /** Files of this line's are here now, and the oldest ones gone where that is too much. @param {Line} line */
  #keep (line) {
    this.#fetched.add(line)
    let sum = [...this.#fetched].reduce((all, { file }) => all + (file?.size ?? 0), 0)
    for (const oldest of this.#fetched) {
      if (sum <= KEPT_BYTES) break
      sum -= oldest.file?.size ?? 0
      this.#forget(oldest)
    }
  }

  /** @param {Line} line */
  #forget (line) {
    if (!this.#fetched.delete(line) || line.file?.url === undefined) return
    URL.revokeObjectURL(line.file.url)
    this.#change(line, { file: Object.assign(line.file, { url: undefined }) })
  }

  /** @param {any} message */
  #receive ({ topic, data, from }) {
    if (from === undefined || from.equals(this.#self)) return
    const topics = topicsOf(this.room)
    if (topic === topics.text) {
      const text = new TextDecoder().decode(data).trim()
      if (text !== '') this.#add(this.room, { from: String(from), text })
    } else if (topic === topics.files) {
      const id = readFileId(data)
      if (id !== undefined) this.#add(this.room, { from: String(from), text: '', file: { id, name: nameOfFile(id) } })
    }
  }

  /** @param {{ peerId: unknown, subscriptions: Array<{ topic: string, subscribe: boolean }> }} change */
  #noticePeople ({ peerId, subscriptions }) {
    for (const { topic, subscribe } of subscriptions) {
      if (topic === topicsOf(this.room).text) this.#noticePerson(String(peerId), subscribe)
    }
  }

  /** Whoever is disconnected has left, too, though they did not say so. @param {string} id @param {boolean} isHere */
  #noticePerson (id, isHere) {
    if (this.#present.has(id) === isHere) return
    if (isHere) this.#present.add(id)
    else this.#present.delete(id)
    this.#add(this.room, { type: 'event', text: `${shortName(id)} ${isHere ? 'came in' : 'left'}` })
    this.dispatchEvent(new Event('people'))
  }

  /** @param {string} room */
  #linesOf (room) {
    const lines = this.#lines.get(room) ?? []
    this.#lines.set(room, lines)
    return lines
  }

  /** @param {string} room @param {Partial<Line>} said @returns {Line} */
  #add (room, said) {
    const line = { type: /** @type {const} */ ('message'), text: '', mine: said.from === this.#self, at: new Date(), ...said }
    line.text = line.text.slice(0, TEXT_LIMIT)
    const lines = this.#linesOf(room)
    lines.push(line)
    if (lines.length > KEPT_LINES) this.#forget(/** @type {Line} */ (lines.shift()))
    if (room === this.room) this.dispatchEvent(new CustomEvent('line', { detail: line }))
    return line
  }

  /** @param {Line} line @param {Partial<Line>} now */
  #change (line, now) {
    Object.assign(line, now)
    this.dispatchEvent(new CustomEvent('change', { detail: line }))
  }
}

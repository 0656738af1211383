// What is said in the room one is in, and to one person alone.
import { openPlace } from './place.js'
import { shortName } from './words.js'

export const KEPT_LINES = 500 // of a room
const DEFAULT_ROOM = 'lobby'
const KEPT_BYTES = 256 * 1024 * 1024 // of files that were fetched, and the last one, whatever it has
const NAME_LIMIT = 200 // of a room, as part of a URL
const TEXT_LIMIT = 4000 // characters

/** The room named by a URL's hash; whatever is typed becomes a name. @param {string} hash */
export function roomFromHash (hash) {
  let text = hash.replace(/^#/, '')
  try {
    text = decodeURIComponent(text)
  } catch {
    // a stray % is part of the name
  }
  const chars = Array.from(text.normalize('NFC').trim().toLowerCase().replace(/\s+/g, '-').replace(/\p{Cs}/gu, '')).slice(0, 60)
  while (encodeURIComponent(chars.join('')).length > NAME_LIMIT) chars.pop()
  return chars.join('') || DEFAULT_ROOM
}

/** @param {string} text @throws an Error for a person */
function checkLength ({ length }) {
  if (length > TEXT_LIMIT) throw new Error(`a message has at most ${TEXT_LIMIT} characters, and this one ${length}`)
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
 * @property {boolean} [seen] the remark says who has seen it, until another line does
 * @property {Date} at
 */

/**
 * @typedef {object} SharedFile
 * @property {string} id what its sender knows it by
 * @property {string} name
 * @property {number} [size] once it is known
 * @property {number} [progress] 0 to 1, while it is fetched
 * @property {string} [url] once it is here
 * @property {(onProgress: (progress: number) => void, signal: AbortSignal) => Promise<Blob>} [fetch] brings it here
 * @property {AbortController} [fetching] what that may be given up with
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
  #node
  #self
  #files
  #direct
  /** @type {Awaited<ReturnType<typeof openPlace>> | undefined} */
  #place
  /** Our own line that says how many have seen it. @type {Line | undefined} */
  #last

  /**
   * @param {import('peerlet').Libp2p} node
   * @param {string} room
   * @param {import('./files.js').Files} files
   * @param {import('./direct.js').Direct} direct
   */
  constructor (node, room, files, direct) {
    super()
    this.#node = node
    this.#self = String(node.peerId)
    this.#files = files
    this.#direct = direct
    direct.addEventListener('message', (/** @type {any} */ { detail: { from, text } }) => this.#add(this.room, { from, to: this.#self, text }))
    this.room = room
  }

  get lines () {
    return this.#linesOf(this.room)
  }

  /** The Peer IDs of the others in the room. */
  get people () {
    return this.#place?.people ?? []
  }

  /** @param {string} room */
  async enter (room) {
    if (room === this.room && this.#place !== undefined) return
    const before = this.#place
    this.#place = undefined
    this.room = room
    this.#last = undefined
    this.dispatchEvent(new Event('room'))
    this.dispatchEvent(new Event('people'))
    await before?.leave()
    const place = await openPlace(this.#node, room, this.#files)
    if (room !== this.room || this.#place !== undefined) return await place.leave()
    this.#place = place
    place.addEventListener('text', (/** @type {any} */ { detail: { from, text } }) => this.#add(room, { from, text }))
    place.addEventListener('file', (/** @type {any} */ { detail: { from, file } }) => this.#add(room, { from, text: '', file }))
    place.addEventListener('person', (/** @type {any} */ { detail: { id, isHere } }) => {
      if (room !== this.room) return
      this.#add(room, { type: 'event', text: `${shortName(id)} ${isHere ? 'came in' : 'left'}` })
      this.dispatchEvent(new Event('people'))
    })
    this.dispatchEvent(new Event('people'))
  }

  /** The page is left, and may be come back to. */
  hide () { this.#place?.hide() }
  show () { this.#place?.show() }

  get #here () {
    if (this.#place === undefined) throw new Error('the room is not open yet: try again')
    return this.#place
  }

  /** Rejects when it could not be sent; being alone is no failure. @param {string} text */
  async send (text) {
    checkLength(text)
    const { room } = this
    const { told, follow } = this.#follower()
    await this.#here.send(text, told)
    follow(this.#add(room, { from: this.#self, text }))
  }

  /** Offers a file to the room. Rejects when it could not be. @param {File} given */
  async share (given) {
    const { room } = this
    const { told, follow } = this.#follower()
    const file = await this.#here.share(given, told)
    follow(this.#add(room, { from: this.#self, text: '', file }))
  }

  /** What becomes of a line, from before it is there. */
  #follower () {
    /** @type {Line | undefined} */
    let line
    /** @type {string | undefined} */
    let aside
    return {
      told: (/** @type {string | undefined} */ now) => {
        aside = now
        if (line !== undefined && (line === this.#last || line.file !== undefined)) this.#change(line, { aside })
      },
      follow: (/** @type {Line} */ added) => {
        line = added
        // how many have seen it is said of the last one only
        if (this.#last?.aside !== undefined && this.#last.file === undefined && this.#last.seen) this.#change(this.#last, { aside: undefined })
        this.#last = added
        added.seen = true
        if (aside !== undefined) this.#change(added, { aside })
      }
    }
  }

  /** To one person alone: the line says how it went. Rejects when it did not arrive. @param {string} to @param {string} text */
  async sendTo (to, text) {
    checkLength(text)
    const line = this.#add(this.room, { from: this.#self, to, text, aside: 'on its way…' })
    try {
      await this.#direct.send(to, text)
      this.#change(line, { aside: 'arrived' })
    } catch (err) {
      this.#change(line, { aside: 'did not arrive', failed: true })
      throw err
    }
  }

  /** Fetches what a line offers, or gives up doing so. Rejects when it cannot be had. @param {Line} line */
  async fetch (line) {
    const { file } = line
    if (file?.fetch === undefined || file.url !== undefined) return
    if (file.progress !== undefined) return file.fetching?.abort()
    const change = (/** @type {Partial<SharedFile>} */ now) => this.#change(line, { file: Object.assign(file, now), failed: false, aside: undefined })
    const fetching = new AbortController()
    change({ progress: 0, fetching })
    try {
      const blob = await file.fetch((progress) => {
        const hundredth = Math.floor(progress * 100) / 100
        if (hundredth !== file.progress) change({ progress: hundredth })
      }, fetching.signal)
      change({ progress: undefined, size: blob.size, url: URL.createObjectURL(blob) })
      this.#keep(line)
    } catch (err) {
      change({ progress: undefined })
      if (!fetching.signal.aborted) throw err
    }
  }

  /** Files of this line's are here now, and the oldest ones gone where that is too much. @param {Line} line */
  #keep (line) {
    this.#fetched.add(line)
    let sum = [...this.#fetched].reduce((all, { file }) => all + (file?.size ?? 0), 0)
    for (const oldest of this.#fetched) {
      if (sum <= KEPT_BYTES || oldest === line) break
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

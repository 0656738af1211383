// The room of libp2p's example application: a pubsub topic of plain UTF-8 text, and one of the ids of files.
import { nameOfFile, readFileId } from './files.js'
import { UNIVERSAL } from './words.js'

const TEXT = UNIVERSAL
const FILES = `${UNIVERSAL}-file`

/** Has the events and methods that place.js describes. */
export class Universal extends EventTarget {
  /** @type {Set<string>} */
  #present = new Set()
  #node
  #self
  #pubsub
  #files
  #off = new AbortController()

  /** @param {import('peerlet').Libp2p} node @param {import('./files.js').Files} files */
  constructor (node, files) {
    super()
    this.#node = node
    this.#self = String(node.peerId)
    this.#pubsub = node.services.pubsub
    this.#files = files
    this.show()
  }

  get people () { return [...this.#present] }

  /** Others are told that we are in the room, */
  show () {
    const { signal } = this.#off = new AbortController()
    this.#pubsub.addEventListener('message', (/** @type {any} */ { detail }) => this.#receive(detail), { signal })
    this.#pubsub.addEventListener('subscription-change', (/** @type {any} */ { detail }) => this.#noticePeople(detail), { signal })
    this.#node.addEventListener('peer:disconnect', (/** @type {any} */ { detail }) => this.#noticePerson(String(detail), false), { signal })
    for (const topic of [TEXT, FILES]) this.#pubsub.subscribe(topic)
    this.#present = new Set(this.#pubsub.getSubscribers(TEXT).map(String))
  }

  /** and that we are no more. */
  hide () {
    this.#off.abort()
    for (const topic of [TEXT, FILES]) this.#pubsub.unsubscribe(topic)
  }

  async leave () { this.hide() }

  /** @param {string} text @param {(aside: string) => void} onState */
  async send (text, onState) { await this.#publish(TEXT, text, onState) }

  /** @param {File} given @param {(aside: string) => void} onState */
  async share (given, onState) {
    const id = await this.#files.offer(given)
    await this.#publish(FILES, id, onState)
    return { id, name: nameOfFile(id), size: given.size }
  }

  /** @param {string} topic @param {string} said @param {(aside: string) => void} onState */
  async #publish (topic, said, onState) {
    const { recipients } = await this.#pubsub.publish(topic, new TextEncoder().encode(said))
    if (recipients.length === 0) onState('nobody was here to hear it')
  }

  /** @param {any} message */
  #receive ({ topic, data, from }) {
    if (from === undefined || from.equals(this.#self)) return
    if (topic === TEXT) {
      const text = new TextDecoder().decode(data).trim()
      if (text !== '') this.#tell('text', { from: String(from), text })
    } else if (topic === FILES) {
      const id = readFileId(data)
      if (id === undefined) return
      const fetch = async (/** @type {(progress: number) => void} */ onProgress) => {
        const bytes = /** @type {Uint8Array<ArrayBuffer>} */ (await this.#files.fetch(String(from), id, onProgress))
        return new Blob([bytes], { type: 'application/octet-stream' }) // which no browser shows, whatever is in it
      }
      this.#tell('file', { from: String(from), file: { id, name: nameOfFile(id), fetch } })
    }
  }

  /** @param {{ peerId: unknown, subscriptions: Array<{ topic: string, subscribe: boolean }> }} change */
  #noticePeople ({ peerId, subscriptions }) {
    for (const { topic, subscribe } of subscriptions) if (topic === TEXT) this.#noticePerson(String(peerId), subscribe)
  }

  /** Whoever is disconnected has left, too, though they did not say so. @param {string} id @param {boolean} isHere */
  #noticePerson (id, isHere) {
    if (this.#present.has(id) === isHere) return
    if (isHere) this.#present.add(id)
    else this.#present.delete(id)
    this.#tell('person', { id, isHere })
  }

  /** @param {string} type @param {object} detail */
  #tell (type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })) }
}

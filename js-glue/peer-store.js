import { makeError } from './errors.js'
import { fromList, multiaddr, toList } from './multiaddr.js'
import { PeerId } from './peer-id.js'

/** @typedef {import('./multiaddr.js').Multiaddr} Multiaddr */

/**
 * What is known of a peer.
 *
 * @typedef {object} Peer
 * @property {PeerId} id
 * @property {Array<{ multiaddr: Multiaddr, isCertified: boolean }>} addresses
 * @property {string[]} protocols
 * @property {Map<string, Uint8Array>} metadata
 * @property {Map<string, { value: number }>} tags
 */

/**
 * What to remember of a peer. A tag or metadata that is undefined is forgotten.
 *
 * @typedef {object} PeerData
 * @property {Array<Multiaddr | string>} [multiaddrs]
 * @property {Array<{ multiaddr: Multiaddr | string }>} [addresses]
 * @property {Map<string, Uint8Array | undefined> | Record<string, Uint8Array | undefined>} [metadata]
 * @property {Map<string, { value?: number } | undefined> | Record<string, { value?: number } | undefined>} [tags]
 */

/** @typedef {{ filters?: Array<(peer: Peer) => boolean>, orders?: Array<(a: Peer, b: Peer) => number>, offset?: number, limit?: number }} PeerQuery */

/** As many as the core's own book keeps; the longest unmentioned goes first. */
const PEERS = 1024

/** @template T @param {Map<string, T> | Record<string, T> | undefined} values @returns {Iterable<[string, T]>} */
const entries = (values) => values instanceof Map ? values : Object.entries(values ?? {})

/** The addresses of a peer as they are kept: whom they lead to goes without saying. @param {Uint8Array} list @param {string} id */
export const addressesOf = (list, id) => fromList(list).flatMap((address) => {
  const [text] = String(address).split(new RegExp(`/p2p/${id}$`))
  return text === '' ? [] : [multiaddr(text)]
})

/** `node.peerStore`: a view of the core's address book, with tags and metadata beside it. */
export class PeerStore {
  #core
  #node
  /** @type {Map<string, { metadata: Map<string, Uint8Array>, tags: Map<string, { value: number }>, told?: Peer }>} */
  #notes = new Map()

  /** @param {import('./core.js').Core} core @param {import('./events.js').Emitter} node */
  constructor (core, node) {
    this.#core = core
    this.#node = node
  }

  /** The peer was heard of. @param {string} id */
  note (id) {
    /** @type {{ metadata: Map<string, Uint8Array>, tags: Map<string, { value: number }>, told?: Peer }} */
    const notes = this.#notes.get(id) ?? { metadata: new Map(), tags: new Map() }
    this.#notes.delete(id)
    this.#notes.set(id, notes)
    if (this.#notes.size > PEERS) this.#notes.delete(/** @type {string} */ (this.#notes.keys().next().value))
    return notes
  }

  /** There is news of the peer. @param {string} id */
  update (id) {
    const notes = this.note(id)
    if (this.#node.listenerCount('peer:update') > 0) {
      const previous = notes.told
      this.#node.tell('peer:update', { peer: notes.told = this.peek(id), previous })
    }
  }

  /** @param {string} id @returns {Peer} */
  peek (id) {
    const { calls } = this.#core
    const { metadata = new Map(), tags = new Map() } = this.#notes.get(id) ?? {}
    const addresses = addressesOf(this.#core.bytesAbout(calls.ask_peer_addresses, id), id)
    return {
      id: new PeerId(id),
      addresses: addresses.map((multiaddr) => ({ multiaddr, isCertified: false })),
      protocols: this.#core.listAbout(calls.ask_peer_protocols, id),
      metadata: new Map(metadata),
      tags: new Map(tags)
    }
  }

  /** @param {PeerId} id */
  async has (id) { return this.#notes.has(String(id)) }

  /** @param {PeerId} id @returns {Promise<Peer>} @throws NotFoundError */
  async get (id) {
    if (!this.#notes.has(String(id))) throw makeError('NotFoundError', `nothing is known of ${id}`, 'NOT_FOUND')
    return this.peek(String(id))
  }

  /** @param {PeerId} id */
  async getInfo (id) {
    const { addresses } = await this.get(id)
    return { id, multiaddrs: addresses.map(({ multiaddr }) => multiaddr) }
  }

  /** @param {PeerQuery} [query] @returns {Promise<Peer[]>} */
  async all ({ filters = [], orders = [], offset = 0, limit = Infinity } = {}) {
    let peers = Array.from(this.#notes.keys(), (id) => this.peek(id)).filter((peer) => filters.every((fits) => fits(peer)))
    for (const order of orders) peers = peers.sort(order)
    return peers.slice(offset, offset + limit)
  }

  /** @param {(peer: Peer) => void} visit @param {PeerQuery} [query] */
  async forEach (visit, query) { (await this.all(query)).forEach((peer) => visit(peer)) }

  /** Adds to what is known. @param {PeerId} id @param {PeerData} data @returns {Promise<Peer>} */
  async merge (id, data) {
    const { metadata, tags } = this.note(String(id))
    for (const [name, value] of entries(data.metadata)) value === undefined ? metadata.delete(name) : metadata.set(name, value)
    for (const [name, tag] of entries(data.tags)) tag === undefined ? tags.delete(name) : tags.set(name, { value: tag.value ?? 0 })
    const addresses = [...data.multiaddrs ?? [], ...(data.addresses ?? []).map(({ multiaddr }) => multiaddr)]
    if (addresses.length > 0) this.#core.run(this.#core.calls.app_add_addresses, [String(id), toList(addresses.map(multiaddr))])
    this.update(String(id))
    return this.peek(String(id))
  }

  /** Replaces what is given of tags and metadata; addresses are added. @param {PeerId} id @param {PeerData} data @returns {Promise<Peer>} */
  async patch (id, data) {
    const notes = this.note(String(id))
    if (data.metadata !== undefined) notes.metadata.clear()
    if (data.tags !== undefined) notes.tags.clear()
    return await this.merge(id, data)
  }

  /** Replaces tags and metadata; addresses are added. @param {PeerId} id @param {PeerData} data @returns {Promise<Peer>} */
  async save (id, data) {
    this.#notes.delete(String(id))
    return await this.merge(id, data)
  }

  /** Forgets the notes; addresses go by themselves when they are old. @param {PeerId} id */
  async delete (id) { this.#notes.delete(String(id)) }
}

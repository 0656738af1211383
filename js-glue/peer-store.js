import { run } from './errors.js'
import { listOf, put } from './memory.js'
import { multiaddr } from './multiaddr.js'
import { PeerId } from './peer-id.js'

/**
 * What is known of a peer, as js-libp2p shapes it.
 *
 * @typedef {object} Peer
 * @property {PeerId} id
 * @property {Array<{ multiaddr: import('./multiaddr.js').Multiaddr, isCertified: boolean }>} addresses
 * @property {string[]} protocols
 * @property {Map<string, Uint8Array>} metadata
 * @property {Map<string, { value: number }>} tags
 */

/** `node.peerStore`: a view of the core's address book, with tags and metadata kept here. */
export class PeerStore {
  #node
  /** @type {Map<string, { tags: Map<string, { value: number }>, metadata: Map<string, Uint8Array> }>} */
  #notes = new Map()

  /** @param {import('./libp2p.js').Libp2p} node */
  constructor (node) {
    this.#node = node
  }

  /** @param {any} id @returns {Promise<Peer>} */
  async get (id) {
    const { core } = this.#node
    const text = String(id)
    const notes = this.#notes.get(text)
    return {
      id: new PeerId(text),
      addresses: listOf(core, core._ask_peer_addresses(put(core, text)[0])).map((a) => ({ multiaddr: multiaddr(a), isCertified: false })),
      protocols: listOf(core, core._ask_peer_protocols(put(core, text)[0])),
      metadata: notes?.metadata ?? new Map(),
      tags: notes?.tags ?? new Map()
    }
  }

  /** @param {any} id */
  async has (id) {
    const peer = await this.get(id)
    return peer.addresses.length > 0 || peer.protocols.length > 0 || this.#notes.has(String(id))
  }

  /** @returns {Promise<Peer[]>} the peers that are connected or were noted here */
  async all () {
    const ids = new Set([...this.#node.getPeers().map(String), ...this.#notes.keys()])
    return await Promise.all([...ids].map((id) => this.get(id)))
  }

  /**
   * Adds to what is known.
   *
   * @param {any} id
   * @param {{ multiaddrs?: any[], tags?: Record<string, { value: number } | undefined>, metadata?: Record<string, Uint8Array> }} data
   */
  async merge (id, data) {
    const text = String(id)
    const notes = this.#notes.get(text) ?? { tags: new Map(), metadata: new Map() }
    this.#notes.set(text, notes)
    for (const [name, tag] of Object.entries(data.tags ?? {})) {
      if (tag === undefined) notes.tags.delete(name)
      else notes.tags.set(name, tag)
    }
    for (const [name, value] of Object.entries(data.metadata ?? {})) notes.metadata.set(name, value)
    const addrs = (data.multiaddrs ?? []).map(String).join('\n')
    if (addrs !== '') run(this.#node, (p, a) => this.#node.core._app_add_addresses(p, a), text, addrs)
    return await this.get(id)
  }

  /** @param {any} id @param {any} data */
  async patch (id, data) { return await this.merge(id, data) }

  /** @param {any} id @param {any} data */
  async save (id, data) {
    this.#notes.delete(String(id))
    return await this.merge(id, data)
  }

  /** @param {any} id */
  async delete (id) { this.#notes.delete(String(id)) }
}

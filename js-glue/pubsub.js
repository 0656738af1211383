import { abortError, run } from './errors.js'
import { listOf, put } from './memory.js'
import { PeerId } from './peer-id.js'

/** A pubsub message as js-libp2p shapes it. */
/**
 * @typedef {object} Message
 * @property {'signed' | 'unsigned'} type
 * @property {string} topic
 * @property {Uint8Array} data
 * @property {PeerId} [from]
 * @property {bigint} [sequenceNumber]
 * @property {Uint8Array} [signature]
 * @property {any} [key]
 */

/** `services.pubsub`: GossipSub. Events: `message`, `subscription-change`. */
export class PubSub extends EventTarget {
  #node

  /** @param {import('./libp2p.js').Libp2p} node */
  constructor (node) {
    super()
    this.#node = node
  }

  get core () { return this.#node.core }

  /** @param {string} topic */
  subscribe (topic) { run(this.#node, (len) => this.core._app_subscribe(len), topic) }

  /** @param {string} topic */
  unsubscribe (topic) { run(this.#node, (len) => this.core._app_unsubscribe(len), topic) }

  /**
   * Sends a message to everybody subscribed to the topic. Waits while the queues are full; throws
   * `PublishError.NoPeersSubscribedToTopic` when nobody is there.
   *
   * @param {string} topic
   * @param {Uint8Array} data
   * @param {{ signal?: AbortSignal }} [options]
   * @returns {Promise<{ recipients: PeerId[] }>}
   */
  async publish (topic, data, options) {
    for (;;) {
      if (options?.signal?.aborted === true) throw abortError()
      try {
        run(this.#node, (t, d) => this.core._app_publish(t, d), topic, data)
        break
      } catch (/** @type {any} */ err) {
        if (err.code !== 'FULL') throw err
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    }
    const recipients = this.#peers(this.core._ask_recipients())
    this.#node.flushSoon()
    return { recipients }
  }

  /** @param {number} view */
  #peers (view) { return listOf(this.core, view).map((id) => new PeerId(id)) }

  getTopics () { return listOf(this.core, this.core._ask_topics()) }
  getPeers () { return this.#peers(this.core._ask_pubsub_peers()) }

  /** @param {string} topic */
  getSubscribers (topic) { return this.#peers(this.core._ask_subscribers(put(this.core, topic)[0])) }

  /** @param {string} topic */
  getMeshPeers (topic) { return listOf(this.core, this.core._ask_mesh_peers(put(this.core, topic)[0])) }

  /** @param {any} e a PEERLET_MESSAGE */
  onMessage (e) {
    const isSigned = e.peer !== ''
    /** @type {Message} */
    const detail = isSigned
      ? {
          type: 'signed',
          topic: e.text,
          data: e.data,
          from: new PeerId(e.peer),
          sequenceNumber: new DataView(e.extra.buffer).getBigUint64(0),
          signature: e.more,
          key: e.key.length > 0 ? e.key : new PeerId(e.peer).publicKey
        }
      : { type: 'unsigned', topic: e.text, data: e.data }
    this.dispatchEvent(new CustomEvent('message', { detail }))
    this.dispatchEvent(new CustomEvent('gossipsub:message', { detail: { msg: detail, propagationSource: detail.from } }))
  }

  /** @param {any} e a PEERLET_SUBSCRIPTION */
  onSubscription (e) {
    const detail = { peerId: new PeerId(e.peer), subscriptions: [{ topic: e.text, subscribe: e.value === 1 }] }
    this.dispatchEvent(new CustomEvent('subscription-change', { detail }))
  }
}

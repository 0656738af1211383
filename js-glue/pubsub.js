import * as k from '../build/gen/numbers.js'
import { abortReason } from './errors.js'
import { Emitter } from './events.js'
import { PublicKey } from './keys.js'
import { toList } from './multiaddr.js'
import { PeerId } from './peer-id.js'

/** @typedef {import('./memory.js').Output} Output */

export const StrictSign = 'StrictSign'
export const StrictNoSign = 'StrictNoSign'

/** What a topic's validator says of a message. */
export const TopicValidatorResult = Object.freeze(/** @type {const} */ ({ Accept: 'accept', Ignore: 'ignore', Reject: 'reject' }))

/** As enum peerlet_verdict counts them. */
const VERDICTS = Object.values(TopicValidatorResult)

/**
 * @typedef {object} SignedMessage
 * @property {'signed'} type
 * @property {string} topic
 * @property {Uint8Array} data
 * @property {PeerId} from who published it, whose signature has been verified
 * @property {bigint} sequenceNumber
 * @property {Uint8Array} signature
 * @property {PublicKey} key
 *
 * @typedef {{ type: 'unsigned', topic: string, data: Uint8Array, from?: undefined }} UnsignedMessage
 * @typedef {SignedMessage | UnsignedMessage} Message
 */

/** @typedef {{ message: CustomEvent<Message>, 'subscription-change': CustomEvent<{ peerId: PeerId, subscriptions: Array<{ topic: string, subscribe: boolean }> }> }} PubSubEvents */

/** js-libp2p's names for struct score_params. */
const SCORES = 'topicScoreCap appSpecificWeight IPColocationFactorWeight IPColocationFactorThreshold behaviourPenaltyWeight behaviourPenaltyThreshold behaviourPenaltyDecay decayInterval decayToZero retainScore gossipThreshold publishThreshold graylistThreshold acceptPXThreshold opportunisticGraftThreshold'

/** And for struct score_topic_params. */
const TOPIC_SCORES = 'topicWeight timeInMeshWeight timeInMeshQuantum timeInMeshCap firstMessageDeliveriesWeight meshMessageDeliveriesWeight meshFailurePenaltyWeight invalidMessageDeliveriesWeight firstMessageDeliveriesDecay meshMessageDeliveriesDecay meshFailurePenaltyDecay invalidMessageDeliveriesDecay firstMessageDeliveriesCap meshMessageDeliveriesCap meshMessageDeliveriesThreshold meshMessageDeliveriesWindow meshMessageDeliveriesActivation'

/** How long a publish waits for room when every queue is full. */
const FULL_WAIT_MS = 5

/**
 * `services.pubsub`: GossipSub. Events: `message` (a Message), `subscription-change`
 * (`{ peerId, subscriptions: [{ topic, subscribe }] }`).
 *
 * @extends {Emitter<PubSubEvents>}
 */
export class PubSub extends Emitter {
  #core
  #connectionPeer
  #options

  /** @type {Map<string, (peer: PeerId, message: Message) => any> | undefined} */
  #validators

  /**
   * @param {import('./core.js').Core} core
   * @param {(connection: number) => PeerId | undefined} connectionPeer
   * @param {Record<string, any>} options
   */
  constructor (core, connectionPeer, options) {
    super()
    this.#core = core
    this.#connectionPeer = connectionPeer
    this.#options = options
    const { calls } = core
    const { scoreParams, scoreThresholds, directPeers = [], allowedTopics = [] } = options
    /** @param {string} topic @param {string} names @param {Record<string, any>} given */
    const tune = (topic, names, given) => core.run(calls.app_tune, [topic, new Uint8Array(Float32Array.from(names.split(' '), (name) => given[name]).buffer)])
    tune('', SCORES, { ...scoreParams, ...scoreThresholds })
    for (const [topic, given] of Object.entries(scoreParams?.topics ?? {})) tune(topic, TOPIC_SCORES, given)
    for (const topic of allowedTopics) core.run(calls.app_tune, [topic, ''])
    for (const { id, addrs } of directPeers) core.run(calls.app_add_addresses, [String(id), toList(addrs)], 1)
    core.listen(this.#listeners)
  }

  get globalSignaturePolicy () { return this.#options.globalSignaturePolicy ?? StrictSign }

  /**
   * Functions that decide, by topic, which messages the application gets to see and others are sent. A
   * message waits for the verdict for a minute at most, and a thousand of them at most, then it is ignored.
   */
  get topicValidators () {
    if (this.#validators === undefined) this.#core.calls.app_judge(0, 0)
    return (this.#validators ??= new Map())
  }

  /** Of gossipsub, that we speak. */
  get protocols () { return this.#core.listAbout(this.#core.calls.ask_peer_protocols, '').filter((one) => /^.(mesh|flood)sub/.test(one)) }

  /** @param {string} topic */
  subscribe (topic) { this.#core.run(this.#core.calls.app_subscribe, [topic]) }

  /** @param {string} topic */
  unsubscribe (topic) { this.#core.run(this.#core.calls.app_unsubscribe, [topic]) }

  /**
   * Sends a message to everybody who is subscribed to the topic, and waits while the queues are full.
   *
   * @param {string} topic
   * @param {Uint8Array} [data]
   * @param {{ signal?: AbortSignal, allowPublishToZeroTopicPeers?: boolean, ignoreDuplicatePublishError?: boolean, floodPublish?: boolean }} [options]
   * @returns {Promise<{ recipients: PeerId[] }>} the peers it was sent to directly
   * @throws PublishError.NoPeersSubscribedToTopic unless allowPublishToZeroTopicPeers
   */
  async publish (topic, data = new Uint8Array(0), options) {
    const { calls } = this.#core
    const { signal, ignoreDuplicatePublishError, allowPublishToZeroTopicPeers, floodPublish } = { ...this.#options, ...options }
    for (;;) {
      if (signal?.aborted) throw abortReason(signal)
      try {
        this.#core.run(calls.app_publish, [topic, data], Number(floodPublish === false))
        return { recipients: this.#peers(this.#core.list(calls.ask_recipients())) }
      } catch (/** @type {any} */ err) {
        if (err.code === 'PUBLISHED' ? ignoreDuplicatePublishError : err.code === 'NO_PEERS' && allowPublishToZeroTopicPeers) return { recipients: [] }
        if (err.code !== 'FULL') throw err
        await new Promise((resolve) => setTimeout(resolve, FULL_WAIT_MS))
      }
    }
  }

  /** @param {string[]} ids */
  #peers (ids) { return ids.map((id) => new PeerId(id)) }

  /** The topics we are subscribed to. */
  getTopics () { return this.#core.list(this.#core.calls.ask_topics()) }

  /** @param {string} topic @param {number} set */
  #peersOf (topic, set) { return this.#core.listAbout(this.#core.calls.ask_pubsub_peers, topic, set) }

  /** Who speaks pubsub with us. */
  getPeers () { return this.#peers(this.#peersOf('', k.PUBSUB_ALL)) }

  /** Who of them is subscribed to the topic. @param {string} topic */
  getSubscribers (topic) { return this.#peers(this.#peersOf(topic, k.PUBSUB_SUBSCRIBERS)) }

  /** To whom messages of the topic go at once. @param {string} topic */
  getMeshPeers (topic) { return this.#peersOf(topic, k.PUBSUB_MESH) }

  /** @param {string} peer @param {number} rating @returns {number} */
  #rate (peer, rating) { return this.#core.ask(this.#core.calls.app_rate, peer, rating) }

  /** The score of a peer, 0 where none is known. @param {string | PeerId} peer @returns {number} */
  getScore (peer) { return this.#rate(String(peer), NaN) }

  /** What the core tells. @type {Record<number, (event: Output) => void>} */
  #listeners = {
    [k.NAME]: async (event) => {
      let id
      try {
        id = await this.#options.msgIdFn(toMessage(event))
      } catch {}
      this.#core.run(this.#core.calls.app_name, [id ?? ''], event.value)
    },
    [k.MESSAGE]: (event) => this.#onMessage(event),
    [k.SUBSCRIPTION]: ({ peer, text, value }) => {
      this.tell('subscription-change', { peerId: new PeerId(peer), subscriptions: [{ topic: text, subscribe: value === 1 }] })
    },
    [k.MESH]: ({ peer, text, value }) => {
      this.tell(`gossipsub:${value & 1 ? 'prune' : 'graft'}`, { peerId: peer, topic: text, direction: value > 1 ? 'outbound' : 'inbound' })
    },
    [k.HEARTBEAT]: () => {
      const rate = this.#options.scoreParams?.appSpecificScore
      if (rate) for (const id of this.#peersOf('', k.PUBSUB_ALL)) this.#rate(id, rate(id))
      this.tell('gossipsub:heartbeat', undefined)
    }
  }

  /** @param {Output} event MESSAGE */
  async #onMessage (event) {
    const message = toMessage(event)
    const from = this.#connectionPeer(event.id) ?? (message.type === 'signed' ? message.from : undefined)
    const validate = event.id > 0 ? this.#validators?.get(message.topic) : undefined // our own is never judged
    let verdict = 0
    if (validate !== undefined && from !== undefined) {
      try {
        verdict = VERDICTS.indexOf(await validate(from, message))
      } catch {
        verdict = 1
      }
    }
    if (event.value > 0) {
      if (!this.#core.calls.app_judge(event.value, Math.max(verdict, 0))) return // it has waited too long
      this.#core.flushSoon()
    }
    if (verdict > 0) return
    this.tell('message', message)
    if (this.listenerCount('gossipsub:message') > 0) this.tell('gossipsub:message', { propagationSource: from, msg: message })
  }
}

/** @param {Output} event MESSAGE @returns {Message} */
function toMessage ({ peer, text, data, extra, more, key }) {
  if (peer === '') return { type: 'unsigned', topic: text, data }
  const from = new PeerId(peer)
  return {
    type: 'signed',
    topic: text,
    data,
    from,
    sequenceNumber: new DataView(extra.buffer).getBigUint64(0),
    signature: more,
    // Most authors are named by their key, and it is rarely looked at.
    get key () { return key.length > 0 ? PublicKey.fromProtobuf(key) : /** @type {PublicKey} */ (from.publicKey) }
  }
}

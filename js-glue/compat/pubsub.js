import { StrictNoSign, publicKeyToProtobuf } from '../index.js'
import { UnsupportedOperationError } from './errors.js'
import { serviceCapabilities, serviceDependencies } from './interface.js'
import { check, refuse } from './options.js'

/** What js-libp2p's router has besides, and why it is not here. @type {Record<string, string>} */
export const NOT_HERE = {
  control: 'what is owed to a peer is told by gossipsub:graft and gossipsub:prune when it is sent',
  dumpPeerScoreStats: 'getScore tells what they come to',
  fanout: 'publish returns whom a message was sent to',
  gossip: 'what is owed to a peer is told by gossipsub:graft and gossipsub:prune when it is sent',
  gossipTracer: 'promises that are not kept are in getScore',
  handleReceivedRpc: 'RPCs are read by the core',
  heartbeat: 'it comes by itself',
  piggybackControl: 'RPCs are written by the core',
  reportMessageValidationResult: 'functions in topicValidators may be asynchronous',
  streamsInbound: 'streams of pubsub are the core\'s',
  streamsOutbound: 'streams of pubsub are the core\'s'
}

/** @param {bigint} number */
function bigEndian (number) {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, number)
  return bytes
}

const text = (/** @type {any} */ what) => new TextEncoder().encode(String(what))

const digest = async (/** @type {any} */ bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))

/** The ids that the core knows messages by. @type {Record<string, (message: any) => Uint8Array | Promise<Uint8Array>>} */
const IDS = {
  js: ({ from, key, sequenceNumber }) => Uint8Array.of(...publicKeyToProtobuf(from.publicKey ?? key), ...bigEndian(sequenceNumber)),
  rust: ({ from, sequenceNumber }) => text(`${from}${sequenceNumber}`),
  seqno: ({ sequenceNumber }) => digest(text(sequenceNumber)),
  sha256: ({ data }) => digest(data),
  spec: ({ from, sequenceNumber }) => Uint8Array.of(...from.toMultihash().bytes, ...bigEndian(sequenceNumber))
}

const base64 = (/** @type {Uint8Array} */ bytes) => btoa(String.fromCharCode(...bytes)).replace(/=+$/, '')

/** @param {any} pubsub @param {Record<string, any>} options */
function nameMessages (pubsub, { messageId, msgIdFn, globalSignaturePolicy }) {
  const idOf = msgIdFn ?? IDS[messageId ?? (globalSignaturePolicy === StrictNoSign ? 'sha256' : 'js')]
  const dispatch = pubsub.dispatchEvent.bind(pubsub)
  /** @param {any} detail @param {Uint8Array} id */
  const tell = (detail, id) => dispatch(new CustomEvent('gossipsub:message', { detail: { ...detail, msgId: base64(id) } }))
  pubsub.dispatchEvent = (/** @type {any} */ event) => {
    if (event.type !== 'gossipsub:message' || event.detail.msgId !== undefined) return dispatch(event)
    const id = idOf(event.detail.msg)
    if (id instanceof Uint8Array) return tell(event.detail, id)
    id.then((/** @type {Uint8Array} */ bytes) => tell(event.detail, bytes), () => {}) // it was named before, or would not be here
    return true
  }
}

/**
 * `services.pubsub` gets what js-libp2p's has besides. Its errors of publish are what their message says, and we ourselves
 * are among those it was sent to.
 *
 * @param {any} pubsub
 * @param {any} node
 * @param {Record<string, any>} options
 */
export function dressPubSub (pubsub, node, options) {
  const { emitSelf = false, directPeers = [], scoreThresholds } = options
  const publish = pubsub.publish.bind(pubsub)
  pubsub.publish = async (/** @type {string} */ topic, /** @type {Uint8Array | undefined} */ data, /** @type {Record<string, any>} */ rest = {}) => {
    check('publish', rest)
    if (rest.allowPublishToZeroTopicPeers === false && options.allowPublishToZeroTopicPeers) refuse('publish', 'allowPublishToZeroTopicPeers')
    try {
      const { recipients } = await publish(topic, data, rest)
      return { recipients: emitSelf && pubsub.getTopics().includes(topic) ? [...recipients, node.peerId] : recipients }
    } catch (/** @type {any} */ err) {
      throw err.name.startsWith('PublishError.') ? new Error(err.name, { cause: err }) : err
    }
  }
  nameMessages(pubsub, options)

  const direct = new Set(directPeers.map((/** @type {any} */ { id }) => String(id)))
  const isStarted = () => node.status === 'started'
  /** @param {string} what @param {string} instead @returns {never} */
  const refused = (what, instead) => { throw new UnsupportedOperationError(`Peerlet has no pubsub.${what}: ${instead}`) }
  /** @type {PropertyDescriptorMap} */
  const members = {
    acceptFrom: { value: (/** @type {string} */ id) => direct.has(id) || pubsub.getScore(id) >= (scoreThresholds?.graylistThreshold ?? -80) },
    direct: { value: direct },
    isStarted: { value: isStarted },
    mesh: { get: () => new Map(pubsub.getTopics().map((/** @type {string} */ topic) => [topic, new Set(pubsub.getMeshPeers(topic))])) },
    opts: { value: options },
    peers: { get: () => new Map(pubsub.getPeers().map((/** @type {any} */ id) => [String(id), id])) },
    score: { value: { score: (/** @type {string} */ id) => pubsub.getScore(id) } },
    start: { value: async () => { if (node.status === 'stopped') refused('start', 'it starts with the node') } },
    started: { get: isStarted },
    stop: { value: async () => { if (isStarted()) refused('stop', 'it stops with the node; unsubscribe ends a topic') } },
    [Symbol.toStringTag]: { value: '@libp2p/gossipsub' },
    [serviceCapabilities]: { value: ['@libp2p/pubsub'] },
    [serviceDependencies]: { value: ['@libp2p/identify'] }
  }
  for (const [name, why] of Object.entries(NOT_HERE)) members[name] = { get: () => refused(name, why) }
  Object.defineProperties(pubsub, members)
}

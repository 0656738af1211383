import { UnsupportedOperationError } from './errors.js'
import { serviceCapabilities, serviceDependencies } from './interface.js'
import { createPeerScoreParams, createPeerScoreThresholds } from './modules.js'
import { check, refuse } from './options.js'
import { passMessages } from './pubsub-messages.js'
import { tellMetrics } from './pubsub-metrics.js'

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
  streamsInbound: 'streams of pubsub are the core\'s',
  streamsOutbound: 'streams of pubsub are the core\'s'
}

/** js-libp2p's, for who looks into `opts`. */
const DEFAULTS = {
  fallbackToFloodsub: true, floodPublish: true, batchPublish: false, tagMeshPeers: true, doPX: false, directPeers: [],
  D: 6, Dlo: 4, Dhi: 12, Dscore: 4, Dout: 2, Dlazy: 6, heartbeatInterval: 1000, fanoutTTL: 60_000, mcacheLength: 5, mcacheGossip: 3, seenTTL: 120_000,
  gossipsubIWantFollowupMs: 3000, prunePeers: 16, pruneBackoff: 60_000, unsubcribeBackoff: 10_000, graftFloodThreshold: 10_000,
  opportunisticGraftPeers: 2, opportunisticGraftTicks: 60, directConnectTicks: 300, gossipFactor: 0.25, idontwantMinDataSize: 512, idontwantMaxMessages: 512
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
  const { emitSelf = false, directPeers = [], dataTransform } = options
  const scoreThresholds = createPeerScoreThresholds(options.scoreThresholds)
  const publish = pubsub.publish.bind(pubsub)
  const transform = dataTransform?.outboundTransform ?? ((/** @type {string} */ topic, /** @type {Uint8Array | undefined} */ data) => data)
  pubsub.publish = async (/** @type {string} */ topic, /** @type {Uint8Array | undefined} */ data, /** @type {Record<string, any>} */ rest = {}) => {
    check('publish', rest)
    if (rest.allowPublishToZeroTopicPeers === false && options.allowPublishToZeroTopicPeers) refuse('publish', 'allowPublishToZeroTopicPeers')
    try {
      const [began, bytes] = [performance.now(), transform(topic, data)]
      const { recipients } = await publish(topic, bytes, rest)
      tellPublished?.(topic, recipients.length, bytes?.length ?? 0, (performance.now() - began) / 1000)
      return { recipients: emitSelf && pubsub.getTopics().includes(topic) ? [...recipients, node.peerId] : recipients }
    } catch (/** @type {any} */ err) {
      throw err.name.startsWith('PublishError.') ? new Error(err.name, { cause: err }) : err
    }
  }
  passMessages(pubsub, options)

  const direct = new Set(directPeers.map((/** @type {any} */ { id }) => String(id)))
  const isStarted = () => node.status === 'started'
  /** @param {string} what @param {string} instead @returns {never} */
  const refused = (what, instead) => { throw new UnsupportedOperationError(`Peerlet has no pubsub.${what}: ${instead}`) }
  /** @type {PropertyDescriptorMap} */
  const members = {
    acceptFrom: { value: (/** @type {string} */ id) => direct.has(id) || pubsub.getScore(id) >= scoreThresholds.graylistThreshold },
    direct: { value: direct },
    isStarted: { value: isStarted },
    mesh: { get: () => new Map(pubsub.getTopics().map((/** @type {string} */ topic) => [topic, new Set(pubsub.getMeshPeers(topic))])) },
    multicodecs: { get: () => pubsub.protocols }, // of version 2
    opts: { value: { ...DEFAULTS, ...options, scoreParams: createPeerScoreParams(options.scoreParams), scoreThresholds } },
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
  const tellPublished = options.metricsRegister == null ? undefined : tellMetrics(pubsub, options, scoreThresholds)
}

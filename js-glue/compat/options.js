import { InvalidParametersError } from './errors.js'

/**
 * What becomes of each option that js-libp2p has: it works, or leaving it out would change nothing that an
 * application can rely on, and HARMLESS says why; or else giving it is an error. What stands in no list is refused, and
 * so is what nobody knows. A value that js-libp2p takes for its default is always fine.
 */

/** @type {Record<string, string>} */
export const WORKS = {
  createLibp2p: 'addresses autoDial connectionEncrypters connectionEncryption connectionGater connectionManager connectionMonitor contentRouters dns logger nodeInfo peerDiscovery peerRouters privateKey services start streamMuxers transportManager transports',
  addresses: 'listen',
  connectionGater: 'denyDialMultiaddr',
  connectionManager: 'addressDialTimeout dialTimeout inboundUpgradeTimeout maxConnections maxParallelDials maxParallelReconnects maxPeerAddrsToDial reconnectBackoffFactor reconnectRetries reconnectRetryInterval',
  nodeInfo: 'name userAgent version',
  gossipsub: 'D Dhi Dlazy Dlo Dout Dscore allowPublishToZeroPeers allowPublishToZeroTopicPeers allowedTopics asyncValidation dataTransform directConnectTicks directPeers doPX emitSelf fallbackToFloodsub fanoutTTL floodPublish globalSignaturePolicy gossipFactor gossipsubIWantFollowupMs graftFloodThreshold heartbeatInterval idontwantMinDataSize ignoreDuplicatePublishError maxInboundDataLength mcacheGossip mcacheLength messageId metricsRegister metricsTopicStrToLabel msgIdFn msgIdToStrFn opportunisticGraftPeers opportunisticGraftTicks pruneBackoff prunePeers runOnLimitedConnection scoreParams scoreThresholds seenTTL unsubcribeBackoff',
  publish: 'allowPublishToZeroTopicPeers floodPublish ignoreDuplicatePublishError signal',
  bootstrap: 'list tagName tagTTL tagValue',
  identify: 'agentVersion timeout',
  ping: 'timeout',
  pubsubPeerDiscovery: 'interval listenOnly topics',
  webRTC: 'rtcConfiguration',
  webRTCDirect: 'rtcConfiguration'
}

const BOUNDED = 'the node has its own bound, for all peers and protocols together'
const PATIENCE = 'the node has its own patience for it, and tries again by itself'
const ALIVE = 'any byte received is a sign of life; whoever is silent is pinged, and two misses end the connection'
const ORDERLY = 'RPCs, and the messages in them, are worked through one after the other'
const BATCH = 'a message is written once, however many it is sent to'
const LIMITS = 'the router has limits of its own for what one peer may send and ask for'
const CREDIT = 'what may be under way is measured on each connection'

/** @type {Record<string, Record<string, string>>} */
export const HARMLESS = {
  addresses: {
    addressVerificationRetry: 'a page has no address of its own to verify',
    addressVerificationTTL: 'a page has no address of its own to verify',
    maxObservedAddresses: 'a page has no address of its own that others could observe'
  },
  connectionManager: {
    connectionCloseTimeout: PATIENCE,
    inboundConnectionThreshold: BOUNDED,
    inboundStreamProtocolNegotiationTimeout: PATIENCE,
    maxDialQueueLength: 'dials beyond maxParallelDials wait, however many',
    maxIncomingPendingConnections: BOUNDED,
    outboundStreamProtocolNegotiationTimeout: PATIENCE,
    outboundUpgradeTimeout: 'part of dialTimeout',
    protocolNegotiationTimeout: PATIENCE
  },
  connectionMonitor: {
    abortConnectionOnPingFailure: ALIVE,
    enabled: ALIVE,
    pingInterval: ALIVE,
    pingTimeout: ALIVE
  },
  transportManager: { faultTolerance: 'start() does not fail because a relay is down: it is tried until it is there' },
  circuitRelayTransport: {
    maxInboundStopStreams: BOUNDED,
    maxOutboundStopStreams: BOUNDED,
    maxReservationQueueLength: BOUNDED,
    reservationCompletionTimeout: PATIENCE,
    reservationConcurrency: BOUNDED,
    stopTimeout: PATIENCE
  },
  gossipsub: {
    awaitRpcHandler: ORDERLY,
    awaitRpcMessageHandler: ORDERLY,
    batchPublish: BATCH,
    canRelayMessage: 'js-libp2p declares it and never looks at it',
    debugName: 'lines of the log have names of their own',
    decodeRpcLimits: LIMITS,
    fastMsgIdFn: 'what comes twice is known by a hash that costs less',
    idontwantMaxMessages: LIMITS,
    maxInboundStreams: 'each peer has one stream for pubsub, each way',
    maxOutboundBufferSize: LIMITS,
    maxOutboundStreams: 'each peer has one stream for pubsub, each way',
    maxTopicBytesPerPeer: LIMITS,
    messageProcessingConcurrency: ORDERLY,
    protocols: 'js-libp2p declares it and never looks at it',
    tagMeshPeers: 'no connection is ended for want of a tag'
  },
  publish: { batchPublish: BATCH },
  bootstrap: { timeout: 'peers are announced and dialled at once' },
  identify: {
    maxInboundStreams: BOUNDED,
    maxMessageSize: BOUNDED,
    maxObservedAddresses: 'a page has no address of its own that others could observe',
    maxOutboundStreams: BOUNDED
  },
  identifyPush: {
    concurrency: BOUNDED,
    debounce: 'pushes have their own least time between them',
    maxInboundStreams: BOUNDED,
    maxMessageSize: BOUNDED,
    maxObservedAddresses: 'a page has no address of its own that others could observe',
    maxOutboundStreams: BOUNDED,
    timeout: PATIENCE
  },
  noise: { crypto: 'the cryptography is libsodium, compiled in' },
  ping: { maxInboundStreams: BOUNDED, maxOutboundStreams: BOUNDED },
  webRTC: { dataChannel: 'how channels are filled and closed is measured on each connection', maxEarlyStreams: BOUNDED },
  webRTCDirect: { dataChannel: 'how channels are filled and closed is measured on each connection', maxEarlyStreams: BOUNDED },
  webSockets: {
    bufferedAmountPollInterval: CREDIT,
    inboundConnectionUpgradeTimeout: 'nobody calls a page by WebSocket',
    maxBufferedAmount: CREDIT
  },
  yamux: {
    enableKeepAlive: ALIVE,
    initialStreamWindowSize: CREDIT,
    keepAliveInterval: ALIVE,
    maxEarlyStreams: BOUNDED,
    maxInboundStreams: BOUNDED,
    maxMessageSize: 'frames are as long as is good for both sides',
    maxOutboundStreams: BOUNDED,
    maxStreamWindowSize: CREDIT
  }
}

/** What js-libp2p does where nothing else is said, and Peerlet does always. @type {Record<string, Record<string, any>>} */
export const DEFAULTS = {
  connectionMonitor: { protocolPrefix: 'ipfs' },
  identify: { protocolPrefix: 'ipfs', runOnConnectionOpen: true, runOnLimitedConnection: true },
  identifyPush: { protocolPrefix: 'ipfs', runOnConnectionOpen: true, runOnLimitedConnection: true, runOnSelfUpdate: true },
  ping: { protocolPrefix: 'ipfs', runOnLimitedConnection: true }
}

/** What to do instead, where there is something. @type {Record<string, string>} */
const INSTEAD = {
  'circuitRelayTransport.discoverRelays': 'Listen on /p2p-circuit: any relay the node meets is used',
  'connectionGater.denyDialPeer': 'denyDialMultiaddr is asked for every address that the application dials',
  'connectionManager.autoDial': 'createLibp2p has autoDial',
  'connectionManager.resolvers': 'Names are looked up by createLibp2p({ dns })',
  'createLibp2p.datastore': 'The identity is kept in IndexedDB; give privateKey where another is wanted',
  'createLibp2p.peerId': 'Give privateKey, from which the Peer ID follows',
  'gossipsub.messageCache': 'How long messages are kept and told of is what mcacheLength and mcacheGossip say',
  'publish.allowPublishToZeroTopicPeers': 'Where gossipsub() has it, it is for every message',
  'createLibp2p.pubsub': 'Give services: { pubsub: gossipsub() }',
  'webSockets.filter': 'connectionGater.denyDialMultiaddr says what may be dialled; only filters.all, which forbids nothing, may stand here'
}

/** @param {any} value */
const isGiven = (value) => value != null && !(Array.isArray(value) && value.length === 0)

/**
 * @param {string} where a factory, createLibp2p, or one of its options
 * @param {Record<string, any>} [options]
 * @throws InvalidParametersError with the `option` that cannot be had
 */
export function check (where, options = {}) {
  const works = (WORKS[where] ?? '').split(' ')
  for (const [name, value] of Object.entries(options)) {
    if (!isGiven(value) || works.includes(name) || HARMLESS[where]?.[name] !== undefined || DEFAULTS[where]?.[name] === value) continue
    refuse(where, name)
  }
}

/** @param {string} where @param {string} name @returns {never} */
export function refuse (where, name) {
  const isChoice = DEFAULTS[where]?.[name] !== undefined
  const instead = INSTEAD[`${where}.${name}`] ?? 'Leave it out if the application can do without it'
  const what = isChoice ? `of the option "${name}" only ${JSON.stringify(DEFAULTS[where][name])}` : `no option "${name}"`
  throw Object.assign(new InvalidParametersError(`${where}: Peerlet has ${what}. ${instead}`), { option: name, code: 'BAD_ARGUMENT' })
}

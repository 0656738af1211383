import { pubsubsOf } from './recorder.js'

/** How a connection runs: the last transport of its address. @param {string} address */
function transportOf (address) {
  if (address.includes('/webrtc-direct')) return 'WebRTC Direct'
  if (address.includes('/webrtc')) return 'WebRTC'
  if (address.includes('/p2p-circuit')) return 'relay'
  if (address.includes('/webtransport')) return 'WebTransport'
  return /\/(wss|tls\/ws)/.test(address) ? 'secure WebSocket' : 'WebSocket'
}

/** @param {any} stream */
const streamOf = ({ id, protocol, direction, status, writeBufferLength, readBufferLength }) =>
  ({ id, protocol, direction, status, unsent: writeBufferLength ?? 0, unread: readBufferLength ?? 0 })

/** @param {any} connection */
function connectionOf ({ id, remotePeer, remoteAddr, direction, limits, rtt, timeline, streams, multiplexer }) {
  const address = String(remoteAddr)
  return {
    id,
    peer: String(remotePeer),
    address,
    transport: transportOf(address),
    isRelayed: transportOf(address) === 'relay',
    direction,
    multiplexer,
    limits: limits === undefined ? undefined : { seconds: limits.seconds, bytes: limits.bytes === undefined ? undefined : Number(limits.bytes) },
    rtt,
    openedAt: timeline.open,
    streams: streams.map(streamOf)
  }
}

/** @param {any} pubsub */
const topicsOf = (pubsub) => pubsub.getTopics().map((/** @type {string} */ topic) => ({
  topic,
  subscribers: pubsub.getSubscribers(topic).map(String),
  mesh: pubsub.getMeshPeers?.(topic).map(String) ?? []
}))

/**
 * All that a node tells of itself now, as plain data; with a recorder, what it told before, too.
 *
 * @param {any} node
 * @param {import('./recorder.js').Recorder} [recorder]
 */
export function takeTrace (node, recorder) {
  return {
    version: 1,
    at: Date.now(),
    page: globalThis.location?.origin,
    agent: globalThis.navigator?.userAgent,
    self: String(node.peerId),
    status: node.status,
    addresses: node.getMultiaddrs().map(String),
    protocols: node.getProtocols(),
    connections: node.getConnections().map(connectionOf),
    relays: [...node.relays?.values() ?? []].map(({ relay, state, detail, error }) => ({ relay: String(relay), state, detail, error: error?.message })),
    topics: pubsubsOf(node).flatMap(topicsOf),
    memory: node.getMemory?.(),
    dials: recorder?.dials ?? [],
    events: recorder?.events ?? []
  }
}

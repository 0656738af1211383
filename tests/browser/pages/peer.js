// A page with one node, written for js-libp2p. It is built twice: as it stands, and with every
// import mapped to Peerlet. The tests drive it through `window.peer`.
import { bootstrap } from '@libp2p/bootstrap'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { gossipsub } from '@libp2p/gossipsub'
import { identify, identifyPush } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { peerIdFromString } from '@libp2p/peer-id'
import { ping } from '@libp2p/ping'
import { pubsubPeerDiscovery } from '@libp2p/pubsub-peer-discovery'
import { webRTC, webRTCDirect } from '@libp2p/webrtc'
import { webSockets } from '@libp2p/websockets'
import { webTransport } from '@libp2p/webtransport'
import { yamux } from '@libp2p/yamux'
import { dns } from '@multiformats/dns'
import { dnsJsonOverHttps } from '@multiformats/dns/resolvers'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'

const ECHO = '/echo/1.0.0'
const EVENTS = ['peer:discovery', 'peer:connect', 'peer:disconnect', 'peer:identify', 'connection:open',
  'connection:close', 'self:peer:update', 'relay:state']

let node
const messages = []
const progress = []
const agents = new Map()
const waiting = new Set()

// Conditions are looked at again whenever the node tells of something.
function happened () {
  for (const look of waiting) look()
}

function until (condition, what, ms) {
  return new Promise((resolve, reject) => {
    const look = () => {
      const value = condition()
      if (!value) return
      waiting.delete(look)
      clearTimeout(timer)
      resolve(value)
    }
    const timer = setTimeout(() => {
      waiting.delete(look)
      reject(new Error(`${ms} ms passed without: ${what}; connections: ${JSON.stringify(connections())}`))
    }, ms)
    waiting.add(look)
    look()
  })
}

const connections = () => node.getConnections().map((c) => ({
  peer: c.remotePeer.toString(),
  addr: c.remoteAddr.toString(),
  direction: c.direction,
  limited: c.limits !== undefined
}))

const isDirect = (c) => c.addr.includes('/webrtc') && !c.limited

const digest = async (bytes) => {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

async function collect (stream) {
  const parts = []
  for await (const part of stream) parts.push(part instanceof Uint8Array ? part : part.subarray())
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  parts.reduce((at, part) => { all.set(part, at); return at + part.length }, 0)
  return all
}

async function echo (stream) {
  for await (const bytes of stream) {
    if (!stream.send(bytes)) await stream.onDrain()
  }
  await stream.close()
}

/** Every peer connection there was. */
const peerConnections = []
globalThis.RTCPeerConnection = class extends RTCPeerConnection {
  constructor (configuration) {
    super(configuration)
    peerConnections.push(this)
  }
}

const peer = {
  /** `relay`: one address or several; `interval`: between two announcements, in ms; `dohs`: URLs of resolvers; `rtc`: the rtcConfiguration, which `isRtcLate` makes an async function return; `record` is for the debug build. */
  async start ({ relay, dohs, topics, discovery, interval = 10_000, rtc = { iceServers: [] }, isRtcLate = false, record }) {
    const rtcConfiguration = isRtcLate ? async () => rtc : rtc
    node = await createLibp2p({
      ...(record === undefined ? {} : { record }),
      addresses: { listen: ['/p2p-circuit', '/webrtc'] },
      transports: [
        webSockets(), webTransport(), circuitRelayTransport(),
        webRTC({ rtcConfiguration }), webRTCDirect({ rtcConfiguration })
      ],
      dns: dohs === undefined ? undefined : dns({ resolvers: { '.': dohs.map((url) => dnsJsonOverHttps(url)) } }),
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionGater: { denyDialMultiaddr: async () => false },
      // several browsers on a small machine take their time
      connectionManager: { dialTimeout: 30_000, addressDialTimeout: 30_000, inboundUpgradeTimeout: 30_000 },
      peerDiscovery: [
        ...(relay === undefined ? [] : [bootstrap({ list: [relay].flat(), timeout: 0 })]),
        ...(discovery === undefined ? [] : [pubsubPeerDiscovery({ interval, topics: [discovery] })])
      ],
      services: { identify: identify(), identifyPush: identifyPush(), ping: ping(), pubsub: gossipsub() }
    })
    globalThis.node = node
    for (const name of EVENTS) node.addEventListener(name, happened)
    node.addEventListener('peer:identify', ({ detail }) => { agents.set(detail.peerId.toString(), detail.agentVersion); happened() })
    node.services.pubsub.addEventListener('subscription-change', happened)
    node.services.pubsub.addEventListener('message', ({ detail }) => {
      const text = new TextDecoder().decode(detail.data)
      messages.push({ topic: detail.topic, from: String(detail.from), type: detail.type, text })
      happened()
    })
    for (const topic of topics) node.services.pubsub.subscribe(topic)
    await node.handle(ECHO, (stream) => { echo(stream).catch((err) => stream.abort(err)) }, { maxInboundStreams: 64 })
    return node.peerId.toString()
  },
  connections,
  addresses: () => node.getMultiaddrs().map(String),
  /** `text`: an address, or several of one peer, a line each. */
  dial: async (text) => (await node.dial(text.split('\n').map((one) => multiaddr(one)), { onProgress: ({ detail }) => progress.push(detail) })).remotePeer.toString(),
  /** What dials said before they were over. */
  progress: () => progress,

  /** What a server shows of itself: ms to dial and to ping, its agent, whether a mebibyte came back. */
  async measure (text) {
    const started = performance.now()
    const { remotePeer } = await node.dial(multiaddr(text))
    const dialMs = performance.now() - started
    const id = remotePeer.toString()
    const agent = await until(() => agents.get(id), `the agent of ${id}`, 60_000)
    return { dialMs, agent, pingMs: await node.services.ping.ping(remotePeer), echo: await peer.echo(id, 1 << 20) }
  },

  /** The kinds of candidate, here and there, by which bytes go, for each open peer connection. */
  async ways () {
    const open = peerConnections.filter((pc) => pc.connectionState === 'connected')
    return await Promise.all(open.map(async (pc) => {
      const stats = await pc.getStats()
      const transport = [...stats.values()].find(({ type }) => type === 'transport')
      const pair = stats.get(transport.selectedCandidatePairId)
      return [pair.localCandidateId, pair.remoteCandidateId].map((id) => stats.get(id).candidateType)
    }))
  },

  whenReserved: (ms) => until(() => peer.addresses().find((text) => text.includes('/p2p-circuit/webrtc')), 'a /webrtc address', ms),
  whenReservedAt: (id, ms) => until(() => peer.addresses().some((text) => text.includes(`/p2p/${id}/p2p-circuit`)), `an address at ${id}`, ms),
  /** What Peerlet says of a relay, once it says that. */
  whenRelay: (id, state, ms) => until(() => node.relays.get(id)?.state === state && node.relays.get(id), `relay ${id} ${state}`, ms),
  whenUnreachable: (ms) => until(() => peer.addresses().every((text) => !text.includes('/p2p-circuit')), 'an end of the relayed addresses', ms),
  whenDirect: (id, ms) => until(() => connections().find((c) => c.peer === id && isDirect(c)), `a direct connection to ${id}`, ms),
  whenGone: (id, ms) => until(() => connections().every((c) => c.peer !== id), `an end of the connections to ${id}`, ms),
  whenConnected: (id, ms) => until(() => connections().find((c) => c.peer === id), `a connection to ${id}`, ms),
  whenSubscribed: (id, topic, ms) => until(() => node.services.pubsub.getSubscribers(topic).map(String).includes(id), `${id} in ${topic}`, ms),
  whenHeard: (text, ms) => until(() => messages.find((m) => m.text === text), `the message "${text}"`, ms),

  publish: async (topic, text) => {
    const { recipients } = await node.services.pubsub.publish(topic, new TextEncoder().encode(text))
    return recipients.length
  },

  /** What was recorded so far, in base64. */
  recording: async () => btoa(Array.from(new Uint8Array(await node.recording().arrayBuffer()), (byte) => String.fromCharCode(byte)).join('')),

  ping: (id) => node.services.ping.ping(peerIdFromString(id)),
  hangUp: (id) => node.hangUp(peerIdFromString(id)),

  /** Sends bytes over the direct connection, gets them back, and compares hashes. */
  async echo (id, length) {
    const connection = node.getConnections().find((c) => c.remotePeer.toString() === id && c.limits === undefined)
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536))
    const stream = await connection.newStream(ECHO)
    const back = collect(stream)
    for (let at = 0; at < length; at += 16384) {
      if (!stream.send(bytes.subarray(at, at + 16384))) await stream.onDrain()
    }
    await stream.close()
    return await digest(await back) === await digest(bytes)
  }
}
globalThis.peer = peer

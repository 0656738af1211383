// The universal-connectivity chat in a page on js-libp2p, driven through `window.peer`.
import { bootstrap } from '@libp2p/bootstrap'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { gossipsub } from '@libp2p/gossipsub'
import { identify, identifyPush } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { pubsubPeerDiscovery } from '@libp2p/pubsub-peer-discovery'
import { webRTC } from '@libp2p/webrtc'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { DISCOVERY_TOPIC, gossip, TOPIC, universal } from '../../interop/universal.js'

const heard = []
let node, app

const sha256 = async (bytes) => Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('')

globalThis.peer = {
  async start ({ relay }) {
    node = await createLibp2p({
      addresses: { listen: ['/p2p-circuit', '/webrtc'] },
      transports: [webSockets(), circuitRelayTransport(), webRTC({ rtcConfiguration: { iceServers: [] } })],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionGater: { denyDialMultiaddr: async () => false },
      connectionManager: { dialTimeout: 30_000, addressDialTimeout: 30_000, inboundUpgradeTimeout: 30_000 },
      peerDiscovery: [bootstrap({ list: [relay], timeout: 0 }), pubsubPeerDiscovery({ interval: 2000, topics: [DISCOVERY_TOPIC] })],
      services: { identify: identify(), identifyPush: identifyPush(), ping: ping(), pubsub: gossipsub(gossip) }
    })
    app = await universal(node, async ({ bytes, ...message }) => {
      heard.push(bytes === undefined ? message : { ...message, length: bytes.length, sha256: await sha256(bytes) })
    })
    return node.peerId.toString()
  },
  say: async (text) => { await app.say(text) },
  tell: (to, text) => app.tell(to, text),
  /** Random bytes. */
  async share (name, length) {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536))
    await app.share(name, bytes)
    return sha256(bytes)
  },
  heard: () => heard,
  subscribers: () => node.services.pubsub.getSubscribers(TOPIC).map(String)
}

// The page of the public WebRTC tutorial at its last step (PubSub peer discovery), its createLibp2p and
// its listener word for word; only gossipsub has the name it has since js-libp2p 3:
// https://docs.libp2p.io/guides/getting-started/webrtc/
import { bootstrap } from '@libp2p/bootstrap'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { pubsubPeerDiscovery } from '@libp2p/pubsub-peer-discovery'
import { webRTC } from '@libp2p/webrtc'
import { webSockets } from '@libp2p/websockets'
import { webTransport } from '@libp2p/webtransport'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { PUBSUB_PEER_DISCOVERY, RELAY } from './constants.js'
import { getAddresses, getConnectionTypes, getPeerDetails, update } from './helpers.js'

const libp2p = await createLibp2p({
  addresses: {
    listen: [
      // 👇 Required to create circuit relay reservations in order to respond to incoming WebRTC connections
      '/p2p-circuit',
      // 👇 Listen for webRTC connections
      '/webrtc'
    ]
  },
  transports: [
    webSockets(),
    webTransport(),
    webRTC(),
    circuitRelayTransport()
  ],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  connectionGater: {
    // Allow private addresses for local testing
    denyDialMultiaddr: async () => false
  },
  peerDiscovery: [
    bootstrap({
      list: [RELAY]
    }),
    pubsubPeerDiscovery({
      // Every 10 seconds publish our multiaddrs
      interval: 10_000,
      // The topic that the relay is also subscribed to
      topics: [PUBSUB_PEER_DISCOVERY]
    })
  ],
  services: {
    pubsub: gossipsub(),
    identify: identify()
  }
})

globalThis.libp2p = libp2p

libp2p.addEventListener('peer:discovery', async (evt) => {
  // Encapsulate the peer ID to ensure dialing succeeds
  const maddrs = evt.detail.multiaddrs.map((ma) => ma.encapsulate(`/p2p/${evt.detail.id.toString()}`))
  console.log(`Discovered new peer (${evt.detail.id.toString()}). Dialling:`, maddrs.map((ma) => ma.toString()))
  try {
    await libp2p.dial(maddrs)
  } catch (err) {
    console.error(`Failed to dial peer (${evt.detail.id.toString()}):`, err)
  }
})

const show = (id, lines) => update(document.getElementById(id), lines)

show('peer-id', libp2p.peerId.toString())
setInterval(() => {
  show('peer-count', String(libp2p.getConnections().length))
  show('connection-types', getConnectionTypes(libp2p))
  show('addresses', getAddresses(libp2p))
  show('peers', getPeerDetails(libp2p))
}, 1000)

document.getElementById('connect').onsubmit = async (event) => {
  event.preventDefault()
  try {
    await libp2p.dial(multiaddr(document.getElementById('multiaddr').value))
  } catch (err) {
    console.error(err)
  }
}

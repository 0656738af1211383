// The node that is measured: js-libp2p as in the last step of the public tutorial, with ping. It is
// bundled twice, the second time with every import mapped to Peerlet.
import { createLibp2p } from 'libp2p'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { yamux } from '@libp2p/yamux'
import { ping } from '@libp2p/ping'
import { gossipsub } from '@libp2p/gossipsub'
import { webSockets } from '@libp2p/websockets'
import { webRTC } from '@libp2p/webrtc'
import { pubsubPeerDiscovery } from '@libp2p/pubsub-peer-discovery'
import { bootstrap } from '@libp2p/bootstrap'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { multiaddr } from '@multiformats/multiaddr'
import { WebRTC, Circuit } from '@multiformats/multiaddr-matcher'
import { wrapStream } from './stream.js'

const kindOf = (ma) => WebRTC.exactMatch(ma) ? 'webrtc' : Circuit.exactMatch(ma) ? 'relayed' : 'direct'
const isCircuit = (s) => s.includes('/p2p-circuit')

export default {
  async create (opts, mark) {
    /** @type {any} either node: what only one of them has is asked for too */
    const node = await createLibp2p({
      start: false,
      addresses: opts.listen ? { listen: ['/p2p-circuit', '/webrtc'] } : {},
      transports: [
        webSockets(),
        webRTC(opts.iceServers === undefined ? {} : { rtcConfiguration: { iceServers: opts.iceServers } }),
        circuitRelayTransport()
      ],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionGater: { denyDialMultiaddr: async () => false },
      peerDiscovery: [
        ...(opts.bootstrap ? [bootstrap({ list: [opts.bootstrap] })] : []),
        ...(opts.discovery ? [pubsubPeerDiscovery({ interval: opts.discovery.interval, topics: [opts.discovery.topic] })] : [])
      ],
      services: { pubsub: gossipsub(), identify: identify(), ping: ping() }
    })
    node.addEventListener('connection:open', (e) => mark(`open:${kindOf(e.detail.remoteAddr)}`))
    node.addEventListener('peer:identify', () => mark('identify'))
    node.addEventListener('self:peer:update', () => {
      if (node.getMultiaddrs().some((m) => isCircuit(m.toString()))) mark('reserved')
    })
    node.addEventListener('peer:discovery', async (e) => {
      const viaRelay = e.detail.multiaddrs.some((m) => isCircuit(m.toString()))
      mark(viaRelay ? 'discovered' : 'bootstrap')
      if (!viaRelay) return
      // as in the tutorial
      const addrs = e.detail.multiaddrs.map((m) => {
        const s = m.toString()
        return multiaddr(s.endsWith(`/p2p/${e.detail.id}`) ? s : `${s}/p2p/${e.detail.id}`)
      })
      await node.dial(addrs).catch((err) => mark(`dial-failed:${err.name}`))
    })
    await node.start()

    const conns = new Map()
    const wrapConn = (c) => {
      conns.set(c.id, c)
      return { id: c.id, peer: c.remotePeer.toString(), addr: c.remoteAddr.toString(), kind: kindOf(c.remoteAddr) }
    }
    const find = (t) => conns.get(t) ?? node.getConnections().find((c) => c.id === t || c.remotePeer.toString() === t)

    return {
      peerId: node.peerId.toString(),
      node,
      addrs: () => node.getMultiaddrs().map((m) => m.toString()),
      connections: () => node.getConnections().map(wrapConn),
      dial: async (addr, o) => wrapConn(await node.dial(multiaddr(addr), o)),
      closeConn: async (id) => { const c = find(id); conns.delete(id); await c.close() },
      openStream: async (t, proto) => wrapStream(await find(t).newStream(proto)),
      handle: (proto, cb) => node.handle(proto, (s) => { cb(wrapStream(s)) }, { maxInboundStreams: 4096, maxOutboundStreams: 4096 }),
      ping: async (t) => { await node.services.ping.ping(find(t).remotePeer) },
      onIdentify: (cb) => {
        const f = (e) => cb(e.detail.connection?.id)
        node.addEventListener('peer:identify', f)
        return () => node.removeEventListener('peer:identify', f)
      },
      subscribe: (topic, cb) => {
        node.services.pubsub.addEventListener('message', (e) => { if (e.detail.topic === topic) cb(e.detail.data) })
        node.services.pubsub.subscribe(topic)
      },
      subscribers: (topic) => node.services.pubsub.getSubscribers(topic).map(String),
      meshSize: (topic) => node.services.pubsub.getMeshPeers(topic).length,
      publish: (topic, data) => node.services.pubsub.publish(topic, data),
      // memory outside the JavaScript heap: Peerlet's wasm
      extraBytes: () => node.getMemory?.().heap ?? 0,
      stop: () => node.stop()
    }
  }
}

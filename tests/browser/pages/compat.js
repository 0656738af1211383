// An application written for js-libp2p 3, after its public API, in a page: two of them meet over a relay and are connected by
// WebRTC. It says what it sees; compat.test.mjs lays that of js-libp2p and that of Peerlet side by side.
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { gossipsub } from '@libp2p/gossipsub'
import { identify, identifyPush } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { peerIdFromString } from '@libp2p/peer-id'
import { ping } from '@libp2p/ping'
import { webRTC } from '@libp2p/webrtc'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { WebRTC } from '@multiformats/multiaddr-matcher'
import { createLibp2p } from 'libp2p'

const CHAT = '/compat/chat/1'
let node
const seen = []

const read = async (stream) => {
  let text = ''
  for await (const part of stream) text += new TextDecoder().decode(part.subarray())
  return text
}

async function until (isSo) {
  for (let i = 0; i < 600; i++) {
    if (isSo()) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`it did not come to ${isSo}`)
}

globalThis.peer = {
  async start ({ relay }) {
    node = await createLibp2p({
      addresses: { listen: ['/p2p-circuit', '/webrtc'] },
      transports: [webSockets(), webRTC({ rtcConfiguration: { iceServers: [] } }), circuitRelayTransport()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionGater: { denyDialMultiaddr: () => false },
      services: { identify: identify(), identifyPush: identifyPush(), ping: ping(), pubsub: gossipsub() }
    })
    await node.handle(CHAT, async (stream, connection) => {
      const text = await read(stream)
      seen.push(['asked', text, WebRTC.matches(connection.remoteAddr), connection.direct, connection.limits === undefined, stream.direction])
      stream.send(new TextEncoder().encode(`${text}, back`))
      await stream.close()
    })
    node.services.pubsub.addEventListener('message', ({ detail: { topic, data } }) => { if (topic === 'compat') seen.push(['heard', new TextDecoder().decode(data)]) })
    node.services.pubsub.subscribe('compat')
    await node.dial(multiaddr(relay))
    return node.peerId.toString()
  },

  /** Where others reach this page by WebRTC. */
  async address () {
    const find = () => node.getMultiaddrs().find((ma) => WebRTC.exactMatch(ma))
    await until(find)
    return find().toString()
  },

  /** Everything, with the other page. */
  async visit (address) {
    const id = peerIdFromString(address.split('/p2p/').at(-1))
    const isDirect = (one) => WebRTC.matches(one.remoteAddr)
    await node.dial(multiaddr(address))
    await until(() => node.getConnections(id).some(isDirect))
    const connection = node.getConnections(id).find(isDirect)
    const said = [['connection', connection.direction, connection.status, connection.direct, connection.limits === undefined, connection.multiplexer, connection.remotePeer.equals(id)]]
    said.push(['ping', typeof await node.services.ping.ping(id)])
    const stream = await node.dialProtocol(id, CHAT)
    stream.send(new TextEncoder().encode('hello'))
    const answer = read(stream)
    await stream.close()
    said.push(['answer', await answer, stream.protocol])
    const { pubsub } = node.services
    await until(() => pubsub.getSubscribers('compat').some((one) => one.equals(id)))
    await new Promise((resolve) => setTimeout(resolve, 1500)) // the other side has to know it, too
    await pubsub.publish('compat', new TextEncoder().encode('to all'))
    await connection.newStream('/compat/nobody/1').then(() => said.push(['nobody answers']), ({ name }) => said.push(['nobody', name]))
    return said
  },

  async seen (count) {
    await until(() => seen.length >= count)
    return seen
  },

  async leave (address) {
    const id = peerIdFromString(address.split('/p2p/').at(-1))
    await node.hangUp(id)
    await until(() => node.getConnections(id).length === 0)
    await node.stop()
    return node.status
  }
}

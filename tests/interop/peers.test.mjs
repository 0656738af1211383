// Peerlet's wasm in Node against peers that are programs: go-libp2p and rust-libp2p.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { MIB, TOPIC, echoThrough, once, startPeerlet, when } from './nodes.mjs'
import { bootstrap } from './peerlet.mjs'
import { ECHO } from './relay.mjs'
import { missing, startPeerFor } from './start-peer.mjs'

const AGENTS = { go: /^go-libp2p/, rust: /^rust-libp2p/ }
const UNLIMITED = { RELAY_TOPICS: TOPIC, RELAY_LIMITS: '{ "applyDefaultLimit": false }' }

for (const kind of ['go', 'rust']) {
  const about = (text) => `${kind}-libp2p: ${text}`
  const options = { skip: missing(kind) ?? false, timeout: 300_000 }

  test(about('identify, ping, echo, a protocol nobody speaks'), options, async (t) => {
    const theirs = await startPeerFor(t, kind)
    const ours = await startPeerlet(t)
    const identified = once(ours, 'peer:identify')
    const connection = await ours.dial(theirs.addr)
    const them = await identified
    assert.equal(them.peerId.toString(), theirs.peerId)
    assert.match(them.agentVersion, AGENTS[kind])
    for (const protocol of ['/ipfs/ping/1.0.0', '/libp2p/circuit/relay/0.2.0/hop', ECHO]) {
      assert.ok(them.protocols.includes(protocol), `${protocol} is missing`)
    }
    const ms = await ours.services.ping.ping(theirs.peerId)
    assert.ok(ms >= 0, `${ms} ms`)
    await echoThrough(connection, 4 * MIB)
    // rust's libp2p-stream drops a stream that its acceptor is not waiting for
    const atOnce = kind === 'rust' ? 1 : 20
    for (let i = 0; i < 20; i += atOnce) {
      await Promise.all(Array.from({ length: atOnce }, (_, n) => echoThrough(connection, 100_000 + i + n)))
    }
    await assert.rejects(connection.newStream('/nobody/1'), { name: 'UnsupportedProtocolError' })
    assert.equal(connection.status, 'open')
  })

  test(about('gossip both ways, signed and verified'), options, async (t) => {
    const theirs = await startPeerFor(t, kind, { RELAY_TOPICS: TOPIC })
    const ours = await startPeerlet(t)
    const { pubsub } = ours.services
    await ours.dial(theirs.addr)
    pubsub.subscribe(TOPIC)
    // it may have told us before we can tell it anything
    const meshes = () => pubsub.getMeshPeers(TOPIC).includes(theirs.peerId)
    await when(meshes, pubsub, ['gossipsub:graft', 'gossipsub:heartbeat'])

    for (let i = 0; i < 3; i++) {
      const text = randomBytes(500).toString('hex')
      const heardThere = theirs.heard((message) => message.text === text)
      await pubsub.publish(TOPIC, Buffer.from(text))
      assert.equal((await heardThere).from, ours.peerId.toString())

      const back = randomBytes(500).toString('hex')
      const heardHere = once(pubsub, 'message')
      await theirs.ask('publish', { topic: TOPIC, text: back })
      const message = await heardHere
      assert.equal(message.type, 'signed')
      assert.equal(message.from.toString(), theirs.peerId)
      assert.equal(Buffer.from(message.data).toString(), back)
    }
  })

  test(about('reservation; two of ours meet through it'), options, async (t) => {
    const relay = await startPeerFor(t, kind, UNLIMITED)
    const [listener, dialer] = await Promise.all([
      startPeerlet(t, { addresses: { listen: ['/p2p-circuit'] }, peerDiscovery: [bootstrap({ list: [relay.addr] })] }),
      startPeerlet(t)
    ])
    const address = `${relay.addr}/p2p-circuit/p2p/${listener.peerId}`
    await when(() => listener.getMultiaddrs().map(String).includes(address), listener, ['self:peer:update'])
    const connection = await dialer.dial(address)
    assert.equal(connection.remotePeer.toString(), listener.peerId.toString())
    await echoThrough(connection, 2 * MIB)
  })

  test(about('they are dialled and dial us through another relay'), options, async (t) => {
    const relay = await startPeerFor(t, 'js', UNLIMITED)
    const theirs = await startPeerFor(t, kind)
    const ours = await startPeerlet(t, { addresses: { listen: ['/p2p-circuit'] }, peerDiscovery: [bootstrap({ list: [relay.addr] })] })
    await when(() => ours.getMultiaddrs().length > 0, ours, ['self:peer:update'])
    const address = ours.getMultiaddrs().map(String).find((text) => !text.includes('/webrtc'))
    const visit = await theirs.ask('visit', { addr: address, bytes: MIB })
    assert.equal(visit.peerId, ours.peerId.toString())
    assert.match(visit.agent, /^peerlet\//)
    assert.equal(visit.echoed, MIB)
    await Promise.all(ours.getConnections().filter(({ remotePeer }) => remotePeer.toString() === theirs.peerId).map((c) => c.close()))

    await theirs.ask('reserve', { addr: relay.addr })
    const connection = await ours.dial(`${relay.addr}/p2p-circuit/p2p/${theirs.peerId}`)
    assert.equal(connection.remotePeer.toString(), theirs.peerId)
    await echoThrough(connection, MIB)
  })
}

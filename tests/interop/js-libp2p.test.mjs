// Peerlet's wasm against js-libp2p over real sockets.
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { gossipsub } from '@libp2p/gossipsub'
import { identifyPush } from '@libp2p/identify'
import { webSockets } from '@libp2p/websockets'
import { multiaddr } from '@multiformats/multiaddr'
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { MIB, TOPIC, echoThrough, once, startJs, startPeerlet, when } from './nodes.mjs'
import * as peerlet from './peerlet.mjs'
import { startPeerFor } from './start-peer.mjs'
import { ECHO, echo } from './relay.mjs'

/**
 * @param {import('node:test').TestContext} t
 * @param {{ privateKey?: any, listen?: string[] }} [options]
 */
async function startTheirs (t, { privateKey, listen = ['/ip4/127.0.0.1/tcp/0/ws'] } = {}) {
  const node = await startJs(t, { identifyPush: identifyPush(), pubsub: gossipsub() }, {
    privateKey,
    addresses: { listen },
    transports: [webSockets(), circuitRelayTransport()]
  })
  await node.handle(ECHO, echo, { runOnLimitedConnection: true })
  return node
}

/** Both nodes with a connection that `ours` dialled. */
async function connected (t) {
  const js = await startTheirs(t)
  const ours = await startPeerlet(t)
  const identified = once(ours, 'peer:identify')
  const connection = await ours.dial(js.getMultiaddrs()[0].toString())
  return { js, ours, connection, identified: await identified }
}

test('identify, both ways', { timeout: 300_000 }, async (t) => {
  const js = await startTheirs(t)
  const ours = await startPeerlet(t)
  const [theirView, ourView] = [once(js, 'peer:identify'), once(ours, 'peer:identify')]
  const updated = once(ours, 'peer:update', ({ peer }) => peer.id.equals(js.peerId) && peer.protocols.includes(ECHO))
  await ours.dial(js.getMultiaddrs()[0].toString())

  const them = await ourView
  assert.equal(them.peerId.toString(), js.peerId.toString())
  assert.match(them.agentVersion, /^js-libp2p\//)
  assert.ok(them.protocols.includes(ECHO))
  assert.ok(them.protocols.includes('/meshsub/1.2.0'))

  await updated

  const us = await theirView
  assert.equal(us.peerId.toString(), ours.peerId.toString())
  assert.match(us.agentVersion, /^peerlet\/\d/)
  for (const protocol of ['/ipfs/id/1.0.0', '/ipfs/id/push/1.0.0', '/ipfs/ping/1.0.0', '/meshsub/1.2.0', ECHO]) {
    assert.ok(us.protocols.includes(protocol), `${protocol} is missing`)
  }
  assert.notEqual(us.signedPeerRecord, undefined, 'no signed peer record')

  // a protocol that comes later is pushed
  const pushed = once(js, 'peer:update', ({ peer }) => peer.id.equals(us.peerId) && peer.protocols.includes('/late/1'))
  await ours.handle('/late/1', () => {})
  await pushed
})

test('ping, both ways', { timeout: 300_000 }, async (t) => {
  const { js, ours } = await connected(t)
  for (const ping of [() => ours.services.ping.ping(js.peerId.toString()), () => js.services.ping.ping(js.getPeers()[0])]) {
    const began = performance.now()
    const ms = await ping()
    const most = Math.ceil(performance.now() - began) + 1 // clocks of whole milliseconds
    assert.ok(ms >= 0 && ms <= most, `${ms} ms, in ${most}`)
  }
})

test('echo of 10 MiB, both ways', { timeout: 300_000 }, async (t) => {
  const { js, connection } = await connected(t)
  await echoThrough(connection, 10 * MIB)
  await echoThrough(js.getConnections()[0], 10 * MIB)
  assert.equal(connection.status, 'open')
})

test('many streams at once', { timeout: 300_000 }, async (t) => {
  const { js, connection } = await connected(t)
  await Promise.all(Array.from({ length: 20 }, (_, i) => echoThrough(i % 2 ? connection : js.getConnections()[0], 100_000 + i)))
})

test('a hundred pings in a row', { timeout: 300_000 }, async (t) => {
  const { js, ours, connection } = await connected(t)
  for (let i = 0; i < 100; i++) await ours.services.ping.ping(js.peerId.toString())
  assert.equal(connection.status, 'open')
})

test('a burst of 2000 messages arrives whole', { timeout: 300_000 }, async (t) => {
  const { js, ours, connection } = await connected(t)
  js.services.pubsub.subscribe(TOPIC)
  const sees = () => ours.services.pubsub.getSubscribers(TOPIC).length > 0
  await when(sees, ours.services.pubsub, ['subscription-change'])
  const missing = new Set(Array.from({ length: 2000 }, (_, i) => i))
  const all = new Promise((resolve) => js.services.pubsub.addEventListener('message', ({ detail: { data } }) => {
    missing.delete(new DataView(data.buffer, data.byteOffset).getUint32(0))
    if (missing.size === 0) resolve(undefined)
  }))
  for (const i of missing) {
    const data = new Uint8Array(1024)
    new DataView(data.buffer).setUint32(0, i)
    await ours.services.pubsub.publish(TOPIC, data)
  }
  await all
  assert.equal(connection.status, 'open')
})

test('gossip both ways, signed and verified', { timeout: 300_000 }, async (t) => {
  const { js, ours } = await connected(t)
  for (const node of [js, ours]) node.services.pubsub.subscribe(TOPIC)
  for (const [node, other] of [[js, ours], [ours, js]]) {
    const sees = () => node.services.pubsub.getSubscribers(TOPIC).some((id) => id.toString() === other.peerId.toString())
    await when(sees, node.services.pubsub, ['subscription-change'])
  }
  for (const [from, to] of [[ours, js], [js, ours], [ours, js]]) {
    const data = randomBytes(1000)
    const heard = once(to.services.pubsub, 'message')
    await from.services.pubsub.publish(TOPIC, data)
    const message = await heard
    assert.equal(message.type, 'signed')
    assert.equal(message.topic, TOPIC)
    assert.equal(message.from.toString(), from.peerId.toString())
    assert.deepEqual(Buffer.from(message.data), data)
    assert.equal(message.signature.length, 64)
    assert.equal(typeof message.sequenceNumber, 'bigint')
  }
})

test('a protocol nobody speaks', { timeout: 300_000 }, async (t) => {
  const { js, connection } = await connected(t)
  await assert.rejects(connection.newStream('/nobody/1'), { name: 'UnsupportedProtocolError' })
  await assert.rejects(js.getConnections()[0].newStream('/nobody/1'), { name: 'UnsupportedProtocolError' })
  const stream = await connection.newStream(['/nobody/1', ECHO])
  assert.equal(stream.protocol, ECHO)
})

test('hanging up, from either side', { timeout: 300_000 }, async (t) => {
  for (const who of ['ours', 'js']) {
    const nodes = await connected(t)
    const [here, there] = who === 'ours' ? [nodes.ours, nodes.js] : [nodes.js, nodes.ours]
    const gone = once(there, 'peer:disconnect')
    await here.hangUp(/** @type {any} */ (here.getConnections()[0].remotePeer))
    assert.equal((await gone).toString(), here.peerId.toString())
    assert.equal(there.getConnections().length, 0)
  }
})

// ECDSA, which js-libp2p has no peers of: gossipsub.test.mjs
for (const [type, bits] of /** @type {const} */ ([['Ed25519'], ['RSA', 2048], ['secp256k1']])) {
  test(`a peer whose key is ${type}`, { timeout: 300_000 }, async (t) => {
    const js = await startTheirs(t, { privateKey: await generateKeyPair(/** @type {any} */ (type), bits) })
    const ours = await startPeerlet(t)
    const connection = await ours.dial(js.getMultiaddrs()[0].toString())
    assert.equal(connection.remotePeer.toString(), js.peerId.toString())
    await echoThrough(connection, 1000)
  })
}

test('reservation, kept and announced', { timeout: 300_000 }, async (t) => {
  const relay = await startPeerFor(t, 'js')
  const ours = await startPeerlet(t, { addresses: { listen: ['/p2p-circuit'] }, peerDiscovery: [peerlet.bootstrap({ list: [relay.addr] })] })
  const reserved = () => ours.getMultiaddrs().map(String).includes(`${relay.addr}/p2p-circuit/p2p/${ours.peerId}`)
  await when(reserved, ours, ['self:peer:update'])
})

test('a relay that refuses says so with its status', { timeout: 300_000 }, async (t) => {
  const relay = await startPeerFor(t, 'js', { RELAY_LIMITS: '{ "maxReservations": 0 }' })
  const ours = await startPeerlet(t, { addresses: { listen: ['/p2p-circuit'] }, start: false, peerDiscovery: [peerlet.bootstrap({ list: [relay.addr] })] })
  const refused = once(ours, 'relay:state', ({ state }) => state === 'waiting')
  await ours.start()
  const { detail, error } = await refused
  assert.match(detail, /RESERVATION_REFUSED|reservation/i)
  assert.equal(error.name, 'RelayRefusedError')
})

test('a relay that does not connect says so with its status', { timeout: 300_000 }, async (t) => {
  const relay = await startPeerFor(t, 'js')
  const js = await startTheirs(t, { listen: [`${relay.addr}/p2p-circuit`] })
  const ours = await startPeerlet(t)
  await when(() => js.getMultiaddrs().length > 0, js, ['self:peer:update'])
  const there = js.getMultiaddrs()[0].toString()
  const nobody = '12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq'
  await assert.rejects(ours.dial(`${relay.addr}/p2p-circuit/p2p/${nobody}`), { name: 'ConnectionFailedError', code: 'NO_RESERVATION', message: /NO_RESERVATION/ })
  await js.unhandle('/libp2p/circuit/relay/0.2.0/stop')
  await assert.rejects(ours.dial(there), { name: 'RelayRefusedError', message: /MALFORMED_MESSAGE|CONNECTION_FAILED/ })
})

// An unlimited relay lets anything through; the stock limits allow 128 KiB and two minutes.
for (const [name, RELAY_LIMITS, length] of /** @type {[string, string, number][]} */ ([['limited', '{}', 16_384], ['unlimited', '{ "applyDefaultLimit": false }', 2 * MIB]])) {
  test(`${name} relayed connection: we dial`, { timeout: 300_000 }, async (t) => {
    const relay = await startPeerFor(t, 'js', { RELAY_LIMITS })
    const js = await startTheirs(t, { listen: [`${relay.addr}/p2p-circuit`] })
    const ours = await startPeerlet(t)
    const reserved = () => js.getMultiaddrs().length > 0
    await when(reserved, js, ['self:peer:update'])
    const connection = await ours.dial(js.getMultiaddrs()[0].toString())
    assert.equal(connection.remotePeer.toString(), js.peerId.toString())
    assert.match(connection.remoteAddr.toString(), /\/p2p-circuit/)
    assert.equal(connection.direct, false)
    assert.equal(connection.limits !== undefined, name === 'limited')
    if (name === 'limited') await assert.rejects(connection.newStream('/app/1'), { name: 'LimitedConnectionError' })
    await echoThrough(connection, length)
  })

  test(`${name} relayed connection: we are dialled`, { timeout: 300_000 }, async (t) => {
    const relay = await startPeerFor(t, 'js', { RELAY_LIMITS })
    const ours = await startPeerlet(t, { addresses: { listen: ['/p2p-circuit'] }, peerDiscovery: [peerlet.bootstrap({ list: [relay.addr] })] })
    const js = await startTheirs(t)
    const reserved = () => ours.getMultiaddrs().length > 0
    await when(reserved, ours, ['self:peer:update'])
    const opened = once(ours, 'connection:open', ({ remotePeer }) => remotePeer.toString() === js.peerId.toString())
    const connection = await js.dial(multiaddr(ours.getMultiaddrs()[0].toString()))
    assert.equal(connection.remotePeer.toString(), ours.peerId.toString())
    const here = await opened
    assert.equal(here.direction, 'inbound')
    assert.equal(here.limits !== undefined, name === 'limited')
    await echoThrough(connection, length)
    await echoThrough(here, length)
  })
}

test('the relay dies and comes back: reserved again', { timeout: 300_000 }, async (t) => {
  const relay = await startPeerFor(t, 'js')
  const ours = await startPeerlet(t, { addresses: { listen: ['/p2p-circuit'] }, peerDiscovery: [peerlet.bootstrap({ list: [relay.addr] })] })
  const reserved = () => ours.getMultiaddrs().length > 0
  await when(reserved, ours, ['self:peer:update'])
  await relay.kill()
  await when(() => !reserved(), ours, ['self:peer:update'])
  await relay.restart()
  await when(reserved, ours, ['self:peer:update'])
})

test('a node without pubsub needs no option to do without discovery', { timeout: 300_000 }, async (t) => {
  const js = await startTheirs(t)
  const ours = await peerlet.createLibp2p({ services: { ping: peerlet.ping() } })
  t.after(() => ours.stop())
  assert.ok(await ours.services.ping.ping(js.getMultiaddrs()[0].toString()) > 0)
})

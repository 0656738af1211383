// Fetch, perf, echo, Kademlia and rendezvous against js-, go- and rust-libp2p.
import { echo as jsEcho } from '@libp2p/echo'
import { fetch as jsFetch } from '@libp2p/fetch'
import { kadDHT as jsKadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { multiaddr } from '@multiformats/multiaddr'
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { MIB, once, startJs, startPeerlet, when } from './nodes.mjs'
import * as peerlet from './peerlet.mjs'
import { echo, fetch, kadDHT, perf, rendezvous } from './services.mjs'
import { missing, startPeerFor } from './start-peer.mjs'

const KAD = '/peerlet-test/kad/1.0.0'
const options = { timeout: 300_000 }

/** Ours, connected to theirs. @param {import('node:test').TestContext} t @param {Record<string, any>} services @param {string} address */
async function startOurs (t, services, address) {
  const ours = await startPeerlet(t, { services: { identify: peerlet.identify(), identifyPush: peerlet.identifyPush(), ping: peerlet.ping(), ...services } })
  const identified = once(ours, 'peer:identify')
  await ours.dial(address)
  await identified
  return ours
}

/** The multihash of some content, as a CID has it. @param {string} text */
function cidOf (text) {
  const digest = createHash('sha256').update(text).digest()
  const bytes = Uint8Array.of(0x12, 32, ...digest)
  return { version: 1, code: 0x55, multihash: { code: 0x12, size: 32, digest, bytes }, bytes: Uint8Array.of(1, 0x55, ...bytes), toString: () => 'b' }
}

test('fetch: values, none, an error, no lookup function, both ways', options, async (t) => {
  const js = await startJs(t, { fetch: jsFetch() })
  const ours = await startOurs(t, { fetch: fetch() }, js.getMultiaddrs()[0].toString())
  const big = new Uint8Array(randomBytes(100_000))
  const lookup = async (key) => {
    const name = new TextDecoder().decode(key)
    if (name.endsWith('bad')) throw new Error('out of order')
    return name.endsWith('big') ? big : name.endsWith('empty') ? new Uint8Array(0) : name.endsWith('none') ? undefined : key
  }
  for (const [from, to] of [[ours, js], [js, ours]]) {
    const [asked, answering] = [from.services.fetch, to.services.fetch]
    answering.registerLookupFunction('/a/', lookup)
    const peer = from.getPeers()[0]
    assert.deepEqual(await asked.fetch(peer, '/a/key'), new Uint8Array(Buffer.from('/a/key')))
    assert.deepEqual(await asked.fetch(peer, new Uint8Array(Buffer.from('/a/big'))), big)
    assert.equal((await asked.fetch(peer, '/a/empty')).length, 0)
    assert.equal(await asked.fetch(peer, '/a/none'), undefined)
    await assert.rejects(asked.fetch(peer, '/a/bad'), { name: 'ProtocolError', message: /out of order/ })
    await assert.rejects(asked.fetch(peer, '/b/key'), { name: 'ProtocolError', message: /No lookup function/ })
    answering.unregisterLookupFunction('/a/')
  }
  assert.equal(ours.getConnections()[0].status, 'open')
})

test('fetch: a peer that says nothing is given up', options, async (t) => {
  const js = await startJs(t)
  const ours = await startOurs(t, { fetch: fetch() }, js.getMultiaddrs()[0].toString())
  await js.handle('/libp2p/fetch/0.0.1', () => {})
  await assert.rejects(ours.services.fetch.fetch(js.getPeers === undefined ? '' : ours.getPeers()[0], 'key', { signal: AbortSignal.timeout(200) }), { name: 'TimeoutError' })
  await assert.rejects(ours.services.fetch.fetch(ours.getPeers()[0], 'k'.repeat(20_000)), { name: 'InvalidDataLengthError' })
})

test('echo, both ways', options, async (t) => {
  const js = await startJs(t, { echo: jsEcho() })
  const ours = await startOurs(t, {}, js.getMultiaddrs()[0].toString())
  await ours.unhandle('/echo/1.0.0')
  const service = echo()({ registrar: ours, connectionManager: { openStream: ours.dialProtocol.bind(ours) } })
  await service.start()
  const bytes = new Uint8Array(randomBytes(MIB))
  assert.deepEqual(Buffer.from(await service.echo(ours.getPeers()[0], bytes)), Buffer.from(bytes))
  const back = await js.services.echo.echo(js.getPeers()[0], bytes)
  assert.deepEqual(Buffer.from(back.subarray()), Buffer.from(bytes))
})

/** Both halves of a measurement, whoever makes it. */
async function measure (service, target, up, down) {
  const outputs = []
  for await (const output of service.measurePerformance(target, up, down, { reuseExistingConnection: true })) outputs.push(output)
  return outputs
}

test('perf with js-libp2p, both ways', options, async (t) => {
  const js = await startJs(t)
  // js-libp2p's own perf is a service of the same few lines
  await js.handle('/perf/1.0.0', async (stream) => {
    let head = Buffer.alloc(0)
    for await (const part of stream) if (head.length < 8) head = Buffer.concat([head, part.subarray()])
    for (let left = Number(head.readBigUInt64BE(0)); left > 0; left -= 65536) {
      if (!stream.send(new Uint8Array(Math.min(left, 65536)))) await stream.onDrain()
    }
    await stream.close()
  })
  const ours = await startOurs(t, { perf: perf() }, js.getMultiaddrs()[0].toString())
  for (const [up, down] of [[0, 0], [1, 0], [0, 1], [3 * MIB + 1, 2 * MIB + 7]]) {
    const outputs = await measure(ours.services.perf, js.getMultiaddrs()[0].toString(), up, down)
    const { type, uploadBytes, downloadBytes, timeSeconds } = outputs.at(-1)
    assert.deepEqual({ type, uploadBytes, downloadBytes }, { type: 'final', uploadBytes: up, downloadBytes: down })
    assert.ok(timeSeconds > 0)
  }
  const stream = await js.getConnections()[0].newStream('/perf/1.0.0')
  const head = Buffer.alloc(8)
  head.writeBigUInt64BE(BigInt(MIB))
  stream.send(head)
  stream.send(new Uint8Array(100_000))
  let length = 0
  const reading = (async () => { for await (const part of stream) length += part.byteLength })()
  await stream.close()
  await reading
  assert.equal(length, MIB)
})

for (const kind of ['go', 'rust']) {
  const skip = missing(kind) ?? false

  test(`perf with ${kind}-libp2p`, { ...options, skip }, async (t) => {
    const theirs = await startPeerFor(t, kind)
    const ours = await startOurs(t, { perf: perf() }, theirs.addr)
    const outputs = await measure(ours.services.perf, theirs.addr, 3 * MIB + 1, 2 * MIB + 7)
    assert.equal(outputs.at(-1).downloadBytes, 2 * MIB + 7)
  })
}

const NOT_FOR_BROWSERS = ['/libp2p/autonat/1.0.0', '/libp2p/autonat/2/dial-request', '/libp2p/autonat/2/dial-back', '/libp2p/dcutr']

/** Ours with an address that others can dial. @param {import('node:test').TestContext} t @param {object} services */
async function startReachable (t, services) {
  const relay = await startPeerFor(t, 'js', { RELAY_LIMITS: '{ "applyDefaultLimit": false }' })
  const ours = await startPeerlet(t, {
    addresses: { listen: [`${relay.addr}/p2p-circuit`] },
    services: { identify: peerlet.identify(), identifyPush: peerlet.identifyPush(), ping: peerlet.ping(), ...services }
  })
  await when(() => ours.getMultiaddrs().length > 0, ours, ['self:peer:update'])
  return { ours, address: ours.getMultiaddrs()[0].toString() }
}

test('go-libp2p measures us, and is refused what browsers cannot do', { ...options, skip: missing('go') ?? false }, async (t) => {
  const theirs = await startPeerFor(t, 'go')
  const { ours, address } = await startReachable(t, { perf: perf() })
  assert.equal((await theirs.ask('perf', { addr: address, bytes: MIB + 1 })).perf, MIB + 1)
  for (const text of NOT_FOR_BROWSERS) await theirs.ask('try', { addr: address, text })
  await assert.rejects(theirs.ask('try', { addr: address, text: '/perf/1.0.0' }), /accepted/)
  const connection = ours.getConnections().find(({ remotePeer }) => remotePeer.equals(theirs.peerId))
  assert.equal(connection?.status, 'open')
  // who came through a relay is asked to punch holes: that does the connection no harm
  const back = await theirs.ask('visit', { addr: address, bytes: 1000 })
  assert.equal(back.echoed, 1000)
})

test('js-libp2p is refused what browsers cannot do', options, async (t) => {
  const js = await startJs(t)
  const ours = await startOurs(t, {}, js.getMultiaddrs()[0].toString())
  const [connection] = js.getConnections()
  for (const protocol of NOT_FOR_BROWSERS) await assert.rejects(connection.newStream(protocol), { name: 'UnsupportedProtocolError' })
  assert.equal(NOT_FOR_BROWSERS.some((protocol) => ours.getProtocols().includes(protocol)), false)
  assert.equal(connection.status, 'open')
})

test('a rendezvous point and Kademlia server of rust-libp2p', { timeout: 300_000, skip: missing('rust') ?? false }, async (t) => {
  const theirs = await startPeerFor(t, 'rust')
  const relay = await startPeerFor(t, 'js')
  const start = (/** @type {object} */ more) => startOurs(t, { rendezvous: rendezvous({ points: [theirs.addr] }), ...more }, theirs.addr)
  const [seeker, stranger] = await Promise.all([start({ dht: kadDHT({ protocol: KAD }) }), start({})])

  // who cannot be reached is not listed
  await assert.rejects(stranger.services.rendezvous.register('room'), { name: 'NoValidAddressesError' })
  const listed = await startPeerlet(t, {
    addresses: { listen: [`${relay.addr}/p2p-circuit`] },
    services: { identify: peerlet.identify(), identifyPush: peerlet.identifyPush(), rendezvous: rendezvous({ points: [theirs.addr] }) }
  })
  await when(() => listed.getMultiaddrs().length > 0, listed, ['self:peer:update'])
  assert.equal(await listed.services.rendezvous.register('room', { ttl: 7200 }), 7200)
  await assert.rejects(listed.services.rendezvous.register('room', { ttl: 1 }), { name: 'RendezvousRefusedError', message: /102/ })

  const discovered = once(seeker, 'peer:discovery', ({ id }) => id.equals(listed.peerId))
  const found = []
  for await (const one of seeker.services.rendezvous.discover('room')) found.push(one)
  assert.deepEqual(found.map(({ id, ns }) => [String(id), ns]), [[String(listed.peerId), 'room']])
  assert.ok(found[0].ttl > 7000 && found[0].ttl <= 7200)
  await discovered
  const connection = await seeker.dial(listed.peerId)
  assert.equal(String(connection.remotePeer), String(listed.peerId))
  for await (const _ of seeker.services.rendezvous.discover('room', { onlyNew: true })) assert.fail('nobody is new')
  for await (const _ of seeker.services.rendezvous.discover('another room')) assert.fail('nobody is there')

  await listed.services.rendezvous.unregister('room')
  for await (const _ of seeker.services.rendezvous.discover('room')) assert.fail('nobody is there any more')

  // and the same peer knows of a js-libp2p server that came to it
  const [js] = await startKad(t, 1)
  await js.dial(multiaddr(theirs.addr))
  await when(() => js.services.dht.routingTable.size > 0, js.services.dht.routingTable, ['peer:add'])
  const id = peerlet.peerIdFromString(js.peerId.toString())
  const find = () => seeker.peerRouting.findPeer(id).catch((/** @type {any} */ err) => { if (err.name !== 'NotFoundError') throw err })
  for (let found = await find(); found === undefined; found = await find()) await new Promise((resolve) => setTimeout(resolve, 100)) // it may still be asking who that is
})

/** A network of Kademlia servers of js-libp2p, in a row: each knows the next. @param {import('node:test').TestContext} t */
async function startKad (t, count) {
  const dht = jsKadDHT({ protocol: KAD, clientMode: false, peerInfoMapper: passthroughMapper, allowQueryWithZeroPeers: true, initialQuerySelfInterval: 1e9, querySelfInterval: 1e9 })
  const nodes = await Promise.all(Array.from({ length: count }, () => startJs(t, { dht })))
  for (const node of nodes) await node.services.dht.setMode('server')
  for (let i = 1; i < count; i++) {
    const know = [nodes[i - 1], nodes[i]].map((node) => when(() => node.services.dht.routingTable.size > (node === nodes[i] ? 0 : Math.min(i - 1, 1)), node.services.dht.routingTable, ['peer:add']))
    await nodes[i].dial(nodes[i - 1].getMultiaddrs()[0])
    await Promise.all(know)
  }
  return nodes
}

test('Kademlia: a peer five hops away is found and dialled', { timeout: 300_000 }, async (t) => {
  const nodes = await startKad(t, 6)
  const [first, last] = [nodes[0], nodes[5]]
  const ours = await startOurs(t, { dht: kadDHT({ protocol: KAD }) }, first.getMultiaddrs()[0].toString())
  assert.equal(ours.getProtocols().includes(KAD), false, 'a client lists the protocol')
  assert.equal(ours.services.dht.routingTable.size, 1)

  const found = await ours.peerRouting.findPeer(peerlet.peerIdFromString(last.peerId.toString()))
  assert.equal(String(found.id), last.peerId.toString())
  assert.ok(found.multiaddrs.map(String).some((text) => last.getMultiaddrs()[0].toString().startsWith(text)))

  const fresh = await startOurs(t, { dht: kadDHT({ protocol: KAD, alpha: 1 }) }, first.getMultiaddrs()[0].toString())
  const connection = await fresh.dial(peerlet.peerIdFromString(last.peerId.toString()))
  assert.equal(String(connection.remotePeer), last.peerId.toString())

  const closest = []
  for await (const peer of ours.peerRouting.getClosestPeers(last.peerId.toMultihash().bytes)) closest.push(String(peer.id))
  assert.deepEqual(closest.toSorted(), nodes.map((node) => node.peerId.toString()).toSorted())
  assert.equal(closest[0], last.peerId.toString())

  await assert.rejects(ours.peerRouting.findPeer(ours.peerId), { name: 'NotFoundError' })
  for (const node of nodes) assert.equal(node.services.dht.routingTable.size < 6, true)
})

test('Kademlia: who has what is found, and told', { timeout: 300_000 }, async (t) => {
  const nodes = await startKad(t, 4)
  const ours = await startOurs(t, { dht: kadDHT({ protocol: KAD }) }, nodes[0].getMultiaddrs()[0].toString())
  const theirs = cidOf('theirs')
  for await (const _ of nodes[3].services.dht.provide(/** @type {any} */ (theirs)));
  const providers = []
  for await (const provider of ours.contentRouting.findProviders(theirs)) providers.push(provider)
  assert.deepEqual(providers.map(({ id }) => String(id)), [nodes[3].peerId.toString()])
  assert.equal(providers[0].routing, 'kad-dht')

  // js-libp2p takes no provider without an address
  const mine = cidOf('mine')
  const relay = await startPeerFor(t, 'js')
  const relayed = await startPeerlet(t, {
    addresses: { listen: [`${relay.addr}/p2p-circuit`] },
    services: { identify: peerlet.identify(), identifyPush: peerlet.identifyPush(), dht: kadDHT({ protocol: KAD }) }
  })
  await when(() => relayed.getMultiaddrs().length > 0, relayed, ['self:peer:update'])
  const identified = once(relayed, 'peer:identify', ({ protocols }) => protocols.includes(KAD))
  await relayed.dial(nodes[0].getMultiaddrs()[0].toString())
  await identified
  await relayed.contentRouting.provide(mine)
  const seen = []
  for await (const event of nodes[2].services.dht.findProviders(/** @type {any} */ (mine))) {
    if (event.name === 'PROVIDER') seen.push(...event.providers.map(({ id }) => id.toString()))
  }
  assert.ok(seen.includes(relayed.peerId.toString()))
})

test('Kademlia: nobody answers, an abort, nobody to ask', { timeout: 300_000 }, async (t) => {
  const js = await startJs(t)
  await js.handle(KAD, () => {})
  const ours = await startOurs(t, { dht: kadDHT({ protocol: KAD }) }, js.getMultiaddrs()[0].toString())
  const stranger = peerlet.peerIdFromString('12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5')
  assert.equal(ours.services.dht.routingTable.size, 1)
  const aborted = ours.services.dht.findPeer(stranger, { signal: AbortSignal.timeout(300) })
  await assert.rejects((async () => { for await (const _ of aborted); })(), { name: 'TimeoutError' })
  const gone = once(ours, 'peer:disconnect')
  await js.stop()
  await gone
  assert.equal(ours.services.dht.routingTable.size, 0)
  await assert.rejects(ours.peerRouting.findPeer(stranger), { name: 'NotFoundError' })
  await assert.rejects(ours.dial(stranger), { name: 'NoValidAddressesError' })
})

test('no router, no route', options, async (t) => {
  const ours = await startPeerlet(t)
  const stranger = peerlet.peerIdFromString('12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5')
  await assert.rejects(ours.peerRouting.findPeer(stranger), { name: 'NoPeerRoutersError' })
  await assert.rejects(async () => { for await (const _ of ours.contentRouting.findProviders(cidOf('x'))); }, { name: 'NoContentRoutersError' })
  await assert.rejects(ours.contentRouting.provide(cidOf('x')), { name: 'NoContentRoutersError' })
  await assert.rejects(ours.dial(stranger), { name: 'NoValidAddressesError' })
})

// /dnsaddr names: a resolver of the tests in front of real relays, and js-libp2p's own resolver in ours.
import { dns as theirDns } from '@multiformats/dns'
import { dnsJsonOverHttps as theirs } from '@multiformats/dns/resolvers'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDoh } from './doh.mjs'
import { echoThrough, once, startPeerlet, when } from './nodes.mjs'
import * as peerlet from './peerlet.mjs'
import { startPeerFor } from './start-peer.mjs'

const NOBODY = '12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq'

const dnsAt = (/** @type {string[]} */ ...urls) => peerlet.dns({ resolvers: { '.': urls.map(peerlet.dnsJsonOverHttps) } })
const listening = (/** @type {any} */ node, /** @type {string} */ peerId) => () => node.getMultiaddrs().some((addr) => String(addr).includes(`/p2p/${peerId}/p2p-circuit`))

test('a page bootstraps from a name: relays behind it, one dead, and one behind a name of its own', { timeout: 300_000 }, async (t) => {
  const [dead, one, two] = await Promise.all([1, 2, 3].map(() => startPeerFor(t, 'js')))
  await dead.kill()
  const zone = {
    '_dnsaddr.relays.example': [`dnsaddr=${dead.addr}`, `dnsaddr=${one.addr}`, 'dnsaddr=/dnsaddr/eu.relays.example', 'v=spf1 -all', 'dnsaddr=/rubbish', 'dnsaddr=/ip4/127.0.0.1/tcp/4001'],
    '_dnsaddr.eu.relays.example': [`dnsaddr=${two.addr}`]
  }
  const { url, asked } = await startDoh(t, zone)
  const ours = await startPeerlet(t, { dns: dnsAt(url), addresses: { listen: ['/p2p-circuit'] }, peerDiscovery: [peerlet.bootstrap({ list: ['/dnsaddr/relays.example'] })] })
  for (const { peerId } of [one, two]) await when(listening(ours, peerId), ours, ['self:peer:update'])
  assert.equal(ours.relays.get(dead.peerId)?.state === 'reserved', false)
  assert.deepEqual([...new Set(asked)].sort(), Object.keys(zone).map((name) => `application/dns-json TXT ${name}`).sort())
  const before = asked.length
  await dead.restart()
  await when(listening(ours, dead.peerId), ours, ['self:peer:update'])
  assert.ok(asked.length <= before + 1, 'an answer holds for a minute')
})

test('a listen address with a name', { timeout: 300_000 }, async (t) => {
  const relay = await startPeerFor(t, 'js')
  const { url } = await startDoh(t, { '_dnsaddr.relays.example': [`dnsaddr=${relay.addr}`] })
  const ours = await startPeerlet(t, { dns: dnsAt(url), addresses: { listen: ['/dnsaddr/relays.example/p2p-circuit'] } })
  await when(listening(ours, relay.peerId), ours, ['self:peer:update'])
})

test('dial of a name, with and without a Peer ID, by our resolver and by theirs', { timeout: 300_000 }, async (t) => {
  const relay = await startPeerFor(t, 'js')
  const far = `/dns4/${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.example/tcp/443/tls/ws/p2p/${relay.peerId}`
  const { url } = await startDoh(t, { '_dnsaddr.relays.example': [`dnsaddr=${far}`, `dnsaddr=${relay.addr}`] })
  for (const dns of [dnsAt(url), theirDns({ resolvers: { '.': theirs(url) } })]) {
    const ours = await startPeerlet(t, { dns })
    for (const name of [`/dnsaddr/relays.example/p2p/${relay.peerId}`, '/dnsaddr/relays.example']) {
      const connection = await ours.dial(name)
      assert.equal(String(connection.remoteAddr), relay.addr)
      await echoThrough(connection, 1000)
      await connection.close()
    }
  }
})

test('a resolver that is silent or broken gives way to the next', { timeout: 300_000 }, async (t) => {
  const relay = await startPeerFor(t, 'js')
  const zone = { '_dnsaddr.relays.example': [`dnsaddr=${relay.addr}`] }
  const [silent, broken, good] = await Promise.all([startDoh(t, zone), startDoh(t, zone), startDoh(t, zone)])
  silent.answer = () => undefined
  broken.answer = () => null
  const ours = await startPeerlet(t, { dns: dnsAt(broken.url, silent.url, good.url) })
  assert.equal(String((await ours.dial('/dnsaddr/relays.example')).remotePeer), relay.peerId)
  assert.deepEqual([silent, broken, good].map(({ asked }) => asked.length), [1, 1, 1])
})

test('what went wrong with a name is said, with a type', { timeout: 300_000 }, async (t) => {
  const relay = await startPeerFor(t, 'js')
  const doh = await startDoh(t, {
    '_dnsaddr.tcp.example': ['dnsaddr=/ip4/127.0.0.1/tcp/1'],
    '_dnsaddr.other.example': [`dnsaddr=${relay.addr.replace(relay.peerId, NOBODY)}`]
  })
  const ours = await startPeerlet(t, { dns: dnsAt(doh.url) })
  await assert.rejects(ours.dial('/dnsaddr/nowhere.example'), { name: 'NoValidAddressesError', message: /no TXT record dnsaddr=/ })
  await assert.rejects(ours.dial('/dnsaddr/tcp.example'), { name: 'NoValidAddressesError', message: /a browser needs/ })
  await assert.rejects(ours.dial(`/dnsaddr/other.example/p2p/${relay.peerId}`), { name: 'NoValidAddressesError', message: /leads there/ })
  await assert.rejects(ours.dial('/dnsaddr/other.example'), { name: 'DialError', message: new RegExp(`the one who answers there is ${relay.peerId}`) })
  doh.answer = () => null
  await assert.rejects(ours.dial('/dnsaddr/more.example'), { name: 'DNSQueryFailedError', message: /answered 500/ })
})

test('a name that cannot be looked up is told, and looked up until it can', { timeout: 300_000 }, async (t) => {
  const relay = await startPeerFor(t, 'js')
  const doh = await startDoh(t, { '_dnsaddr.relays.example': [`dnsaddr=${relay.addr}`] })
  const { answer } = doh
  doh.answer = () => null
  const ours = await startPeerlet(t, { start: false, dns: dnsAt(doh.url), peerDiscovery: [peerlet.bootstrap({ list: ['/dnsaddr/relays.example'] })] })
  const failed = once(ours, 'relay:state', ({ state }) => state === 'waiting')
  const connected = once(ours, 'peer:connect')
  await ours.start()
  const { relay: name, error } = await failed
  assert.equal(String(name), '/dnsaddr/relays.example')
  assert.equal(error.name, 'DNSQueryFailedError')
  doh.answer = answer
  assert.equal(String(await connected), relay.peerId)
})

test('a node that is stopped asks no more', { timeout: 300_000 }, async (t) => {
  const doh = await startDoh(t, {})
  doh.answer = () => undefined
  const ours = await startPeerlet(t, { dns: dnsAt(doh.url), peerDiscovery: [peerlet.bootstrap({ list: ['/dnsaddr/relays.example'] })] })
  const dialled = assert.rejects(ours.dial('/dnsaddr/other.example'), { name: 'AbortError' })
  await ours.stop()
  await dialled
})

// Multiaddrs in JavaScript: against the vectors of other implementations and the packages of js-libp2p.
import * as theirs from '@multiformats/multiaddr-matcher'
import { multiaddr as theirMultiaddr } from '@multiformats/multiaddr'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import * as matchers from '../../js-glue/matchers.js'
import { fromList, isMultiaddr, multiaddr, toList } from '../../js-glue/multiaddr.js'

const vectors = JSON.parse(readFileSync(new URL('../vectors/multiaddr.json', import.meta.url), 'utf8'))
const hex = (/** @type {Uint8Array} */ bytes) => Buffer.from(bytes).toString('hex')
const bytes = (/** @type {string} */ text) => new Uint8Array(Buffer.from(text, 'hex'))
const ID = '12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq'
const HASH = 'uEiDDq4_xNyDorZBH3TlGazyJdOWSwvo4PUo5YHFMrvDE8g'

/** What is not for pages: I2P, the process's own memory, and paths of sockets that are not percent-encoded. */
const isUnknown = (/** @type {string} */ text) => /garlic|\/memory|\/unix\/.*\//.test(text)
const flat = (/** @type {any} */ groups) => /** @type {any[]} */ (Object.values(groups).flat())

test('text to bytes and back', () => {
  let count = 0
  for (const { text, hex: expected } of flat(vectors.text_to_bytes)) {
    // js writes the path with a slash in front, go and this file do not (protocol digest 2.5).
    if (isUnknown(text) || text.includes('http-path')) continue
    assert.equal(hex(multiaddr(text).bytes), expected, text)
    assert.equal(hex(multiaddr(bytes(expected)).bytes), expected, text)
    count++
  }
  assert.ok(count > 40)
})

test('what go accepts is accepted', () => {
  for (const text of vectors.valid_text_go) {
    if (isUnknown(text)) continue
    assert.equal(String(multiaddr(multiaddr(text).bytes)), String(multiaddr(text)), text)
  }
})

test('what no implementation accepts is refused', () => {
  for (const text of flat(vectors.invalid_text)) {
    if (text === '' || text === '/') continue // js: the empty address
    assert.throws(() => multiaddr(text), { name: 'InvalidMultiaddrError' }, text)
  }
  for (const text of flat(vectors.invalid_bytes)) {
    assert.throws(() => multiaddr(bytes(text)), { name: 'InvalidMultiaddrError' }, text)
  }
})

const FAULTS = [
  ['ip4', 0, 'at character 1: an address begins with a slash'],
  ['//tcp/80', 1, 'a protocol name is missing'],
  ['/tcp/80//', 8, 'a protocol name is missing'],
  ['/ip5/1.2.3.4', 1, '"ip5" is not a known protocol'],
  ['/IP4/1.2.3.4', 1, '"IP4" is not a known protocol'],
  ['/ip4/1.2.3.4/tcp', 13, '"tcp" must be followed by a port (0..65535)'],
  ['/ip4//tcp/80', 1, '"ip4" must be followed by an IPv4 address (192.0.2.1)'],
  ['/ip4/1.2.3/tcp/80', 5, '"1.2.3" is not an IPv4 address'],
  ['/ip4/1.2.3.4/tcp/99999', 17, '"99999" is not a port'],
  ['/ip6/::g/tcp/80', 5, '"::g" is not an IPv6 address'],
  ['/ip6/1:2:3:4:5:6:7:8:9', 5, 'IPv6'],
  ['/ip6/1::2::3', 5, 'IPv6'],
  ['/dns4/a b/tcp/80', 6, '"a b" is not a host name'],
  ['/http-path/%2', 11, '"%2" is not a percent-encoded path'],
  ['/p2p/hello', 5, '"hello" is not a Peer ID'],
  [`/p2p/${ID}x`, 5, 'is not a Peer ID'],
  ['/certhash/uEi', 10, '"uEi" is not a hash in multibase'],
  ['/onion3/abc:1', 8, 'onion'],
  ['/ws/x', 4, '"x" is not a known protocol']
]

test('a fault is named with its position', () => {
  for (const [text, position, words] of FAULTS) {
    assert.throws(() => multiaddr(/** @type {string} */ (text)), (/** @type {any} */ err) => {
      assert.equal(err.name, 'InvalidMultiaddrError')
      assert.equal(err.position, position, `${text}: ${err.message}`)
      assert.ok(err.message.includes(`at character ${Number(position) + 1}: `) && err.message.includes(words), err.message)
      return true
    })
  }
})

test('IPv6 is written as RFC 5952 has it', () => {
  const rows = [
    ['2001:DB8::0:1', '2001:db8::1'], ['0:0:0:0:0:0:0:0', '::'], ['1:0:0:2:0:0:0:3', '1:0:0:2::3'], ['0:0:1:0:0:1:0:0', '::1:0:0:1:0:0'],
    ['1:2:3:4:5:6:7:0', '1:2:3:4:5:6:7:0'], ['10:0:0:1:2:3:4:5', '10::1:2:3:4:5'], ['1::', '1::'], ['::ffff:1.2.3.4', '::ffff:102:304']
  ]
  for (const [text, expected] of rows) assert.equal(String(multiaddr(`/ip6/${text}`)), `/ip6/${expected}`)
})

test('values are kept in one form', () => {
  assert.equal(String(multiaddr('/ip4/1.2.3.4/tcp/0080/')), '/ip4/1.2.3.4/tcp/80')
  assert.equal(String(multiaddr(`/ipfs/${ID}`)), `/p2p/${ID}`)
  assert.equal(String(multiaddr('/p2p/k51qzi5uqu5dgy8qsq67hbz73jqkw87l3fgf4a91qb0d9b5173tir7n4vxk1oe')), `/p2p/${ID}`)
  assert.equal(String(multiaddr('/certhash/zQmbWTwYGcmdyK9CYfNBcfs9nhZs17a6FQ4Y8oea278xx41')).slice(0, 14), '/certhash/uEiD')
})

test('putting together and taking apart', () => {
  const relay = multiaddr(`/ip4/1.2.3.4/tcp/1/ws/p2p/${ID}`)
  assert.equal(String(relay.encapsulate('/p2p-circuit')), `${relay}/p2p-circuit`)
  assert.equal(String(relay.encapsulate(multiaddr('/webrtc'))), `${relay}/webrtc`)
  assert.equal(String(relay.decapsulate('/ws')), '/ip4/1.2.3.4/tcp/1')
  assert.equal(String(relay.decapsulate(relay)), '/')
  assert.throws(() => relay.decapsulate('/wss'), { name: 'InvalidParametersError' })
  assert.equal(String(relay.decapsulateCode(421)), '/ip4/1.2.3.4/tcp/1/ws')
  assert.equal(relay.decapsulateCode(290), relay)
  assert.ok(relay.equals(multiaddr(relay.bytes)) && !relay.equals(multiaddr('/webrtc')) && !relay.equals(String(relay)))
  assert.deepEqual(multiaddr(relay.getComponents()).getComponents(), relay.getComponents())
  assert.equal(multiaddr(relay), relay)
  assert.equal(JSON.stringify({ relay }), `{"relay":"${relay}"}`)
  assert.ok(isMultiaddr(relay) && isMultiaddr(theirMultiaddr('/webrtc')) && !isMultiaddr('/webrtc') && !isMultiaddr(null))
  assert.equal(String(multiaddr(theirMultiaddr(`${relay}`))), String(relay))
})

test('a list of addresses, as the core has them', () => {
  const list = toList([multiaddr('/webrtc'), multiaddr('/dns4/a.example/tcp/1/ws')])
  assert.equal(hex(list), '029902' + '10' + '3609612e6578616d706c65' + '060001' + 'dd03')
  assert.deepEqual(fromList(list).map(String), ['/webrtc', '/dns4/a.example/tcp/1/ws'])
  assert.deepEqual(fromList(bytes('')), [])
  // the middle one is of a protocol from the future, the last of a name that is no UTF-8
  assert.deepEqual(fromList(bytes('029902' + '03ffff03' + '02dd03' + '043602ffff')).map(String), ['/webrtc', '/ws'])
})

test('the shapes of older versions', () => {
  const ma = multiaddr(`/dns6/example.org/tcp/443/tls/ws/p2p/${ID}`)
  assert.deepEqual(ma.protoNames(), ['dns6', 'tcp', 'tls', 'ws', 'p2p'])
  assert.deepEqual(ma.protoCodes(), [55, 6, 448, 477, 421])
  assert.deepEqual(ma.protos()[1], { code: 6, name: 'tcp', size: 16 })
  assert.deepEqual(ma.stringTuples()[2], [448])
  assert.equal(ma.getPeerId(), ID)
  assert.equal(multiaddr('/ws').getPeerId(), null)
  assert.deepEqual(ma.nodeAddress(), { family: 6, address: 'example.org', port: 443 })
  assert.deepEqual(multiaddr('/ip4/1.2.3.4/udp/9').toOptions(), { family: 4, host: '1.2.3.4', transport: 'udp', port: 9 })
  assert.throws(() => multiaddr('/webrtc').nodeAddress(), { name: 'InvalidParametersError' })
  assert.equal(multiaddr('/unix/a%2Fb').getPath(), 'a/b')
})

test('the matchers say what those of js-libp2p say', () => {
  const heads = ['', '/ip4/1.2.3.4', '/ip6/::1', '/dns/a.b', '/dnsaddr/x.y', '/ip6zone/eth0/ip6/fe80::1', '/ip4/10.0.0.0/ipcidr/8', '/unix/a']
  const middles = [
    '', '/tcp/80', '/tcp/443', '/tcp/9/ws', '/tcp/9/wss', '/tcp/443/tls/ws', '/tcp/443/tls/sni/x.y/ws', '/ws', '/udp/1', '/udp/1/quic',
    '/udp/1/quic-v1', '/udp/1/quic-v1/webtransport', `/udp/1/quic-v1/webtransport/certhash/${HASH}`, `/udp/1/webrtc-direct/certhash/${HASH}`,
    '/tls/http', '/http', '/tcp/443/https'
  ]
  const tails = [
    '', `/p2p/${ID}`, '/p2p-circuit', `/p2p/${ID}/p2p-circuit`, `/p2p/${ID}/p2p-circuit/p2p/${ID}`, `/p2p/${ID}/p2p-circuit/webrtc`,
    `/p2p/${ID}/p2p-circuit/webrtc/p2p/${ID}`, `/webrtc/p2p/${ID}`, `/p2p/${ID}/webrtc`, '/tcp/1', '/p2p-circuit/webrtc/ws'
  ]
  for (const text of heads.flatMap((head) => middles.flatMap((middle) => tails.map((tail) => head + middle + tail)))) {
    const [ma, their] = [multiaddr(text), theirMultiaddr(text)]
    for (const name of /** @type {Array<keyof typeof matchers>} */ (Object.keys(matchers))) {
      assert.equal(matchers[name].matches(ma), theirs[name].matches(their), `${name}.matches(${text})`)
      assert.equal(matchers[name].exactMatch(ma), theirs[name].exactMatch(their), `${name}.exactMatch(${text})`)
    }
  }
  assert.equal(matchers.WebRTC.matches(undefined), false)
})

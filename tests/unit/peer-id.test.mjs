// Peer IDs and keys in JavaScript, against the vectors of the specification and of go-libp2p.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { peerIdFromString as theirs } from '@libp2p/peer-id'
import { decodeBase, encodeBase } from '../../js-glue/bases.js'
import {
  privateKeyFromProtobuf, privateKeyFromRaw, privateKeyToProtobuf, publicKeyFromProtobuf, publicKeyFromRaw, publicKeyToProtobuf
} from '../../js-glue/keys.js'
import { isPeerId, peerIdFromMultihash, peerIdFromString } from '../../js-glue/peer-id.js'

const read = (/** @type {string} */ name) => readFileSync(new URL(`../vectors/${name}`, import.meta.url), 'utf8')
const keys = JSON.parse(read('peer_ids.json'))
const hex = (/** @type {Uint8Array} */ bytes) => Buffer.from(bytes).toString('hex')
const bytes = (/** @type {string} */ text) => new Uint8Array(Buffer.from(text, 'hex'))

// Base58, CIDv1 in base32 and in base36 of one peer each; multihash; type of the key.
const PEERS = [
  ['12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq', 'bafzaajaiaejcahwr5d5ofrfbis4l5d6uwr57hu5tjodrypfm6yaq6dsc2r2pzyt6', 'k51qzi5uqu5dgy8qsq67hbz73jqkw87l3fgf4a91qb0d9b5173tir7n4vxk1oe', '0024080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e', 'Ed25519'],
  ['QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N', 'bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe', 'k2k4r8ncs1yoluq95unsd7x2vfhgve0ncjoggwqx9vyh3vl8warrcp15', '12209dff3b17d74cf4d38a50d8b6383e92d181a10395a5e73a726dcccbd21bf6f0b9', 'RSA'],
  ['16Uiu2HAmLhLvBoYaoZfaMUKuibM6ac163GwKY74c5kiSLg5KvLpY', undefined, 'kzwfwjn5ji4put13uvtwtc7azzwk42cq2o8ctfnxa6q8n90e72o3pjqbrp3lpcp', '002508021221037777e994e452c21604f91de093ce415f5432f701dd8cd1a7a6fea0e630bfca99', 'secp256k1']
]

test('a peer has one name in many spellings', () => {
  for (const [base58, base32, base36, multihash, type] of PEERS) {
    for (const text of [base58, base32, base36]) {
      if (text === undefined) continue
      const id = peerIdFromString(text)
      assert.equal(String(id), base58)
      assert.equal(hex(id.toMultihash().bytes), multihash)
      assert.equal(id.type, type)
      assert.ok(id.equals(base58) && id.equals(bytes(/** @type {string} */ (multihash))) && id.equals(theirs(/** @type {string} */ (base58))))
    }
    if (base32 !== undefined) assert.equal(String(peerIdFromString(/** @type {string} */ (base58)).toCID()), base32)
    assert.equal(String(peerIdFromMultihash(bytes(/** @type {string} */ (multihash)))), base58)
  }
  const [one, other] = PEERS.map(([text]) => peerIdFromString(/** @type {string} */ (text)))
  assert.ok(!one.equals(other) && !one.equals(undefined) && !one.equals(null))
  assert.ok(isPeerId(one) && isPeerId(theirs(String(one))) && !isPeerId(String(one)) && !isPeerId(undefined))
})

test('what is no Peer ID is refused', () => {
  const [[good]] = PEERS
  const bad = ['', 'x', '1', 'Qm', `${good}1`, `${good}`.slice(0, -1), `${good}`.replace('K', '0'), 'bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi', `1${'z'.repeat(5000)}`, '/p2p/x']
  for (const text of bad) assert.throws(() => peerIdFromString(text), { name: 'InvalidPeerIdError' }, text.slice(0, 80))
  assert.throws(() => peerIdFromMultihash(bytes('0024080112')), { name: 'InvalidPeerIdError' })
  assert.throws(() => peerIdFromMultihash(new Uint8Array(0)), { name: 'InvalidPeerIdError' })
})

test('keys', () => {
  const spec = keys.spec_peer_ids_md
  const key = privateKeyFromProtobuf(bytes(spec['ED25519 private key']))
  assert.equal(hex(publicKeyToProtobuf(key.publicKey)), spec['ED25519 public key'])
  assert.equal(hex(privateKeyToProtobuf(key)), spec['ED25519 private key'])
  assert.ok(privateKeyFromRaw(key.raw).equals(key) && publicKeyFromRaw(key.publicKey.raw).equals(key.publicKey))
  assert.ok(!key.equals(undefined) && !key.publicKey.equals(publicKeyFromRaw(new Uint8Array(32))))
  for (const name of Object.keys(spec).filter((name) => name.endsWith('public key'))) {
    assert.equal(hex(publicKeyToProtobuf(publicKeyFromProtobuf(bytes(spec[name])))), spec[name], name)
  }
  const old = keys.go_signatures_ed25519_via_js.redundantPubKey
  assert.equal(hex(publicKeyToProtobuf(privateKeyFromProtobuf(bytes(old.privateKey)).publicKey)), old.publicKey)
  assert.throws(() => privateKeyFromProtobuf(bytes(spec['secp256k1 private key'])), { name: 'InvalidPrivateKeyError', message: /secp256k1.*generateKeyPair/ })
  assert.throws(() => privateKeyFromProtobuf(new Uint8Array(3)), { name: 'InvalidPrivateKeyError' })
  assert.throws(() => privateKeyFromRaw(new Uint8Array(32)), { name: 'InvalidPrivateKeyError' })
  assert.throws(() => publicKeyFromProtobuf(bytes('0801122000')), { name: 'InvalidPublicKeyError' })
})

test('bases', () => {
  const names = { base16: 'f', base32: 'b', base36: 'k', base58btc: 'z', base64: 'm', base64url: 'u' }
  let count = 0
  for (const file of ['multibase_basic.csv', 'multibase_leading_zero.csv', 'multibase_two_leading_zeros.csv']) {
    const [[, plain], ...rows] = read(file).trim().split('\n').map((line) => line.split(/, */).map((cell) => cell.trim().replace(/^"|"$/g, '')))
    const expected = new TextEncoder().encode(plain.replace(/\\x00/g, '\0'))
    for (const [name, text] of rows) {
      const base = /** @type {Record<string, string>} */ (names)[name]
      if (base === undefined) continue
      assert.equal(text[0], base)
      assert.deepEqual(decodeBase(base, text.slice(1)), expected, `${file} ${name}`)
      assert.equal(encodeBase(base, expected), text.slice(1), `${file} ${name}`)
      count++
    }
  }
  assert.equal(count, 18)
  assert.equal(decodeBase('b', 'ab1'), undefined)
  assert.equal(decodeBase('b', 'ac'), undefined, 'bits left over must be zero')
  assert.equal(decodeBase('x', 'ab'), undefined)
})

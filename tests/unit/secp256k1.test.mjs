// Which signatures secp256k1.js takes: those of go-libp2p and OpenSSL, and nothing that is like them.
import assert from 'node:assert/strict'
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify as verifyByOpenSsl } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { verifySecp256k1 } from '../../js-glue/secp256k1.js'

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

/** @param {Uint8Array} key @param {Uint8Array} message @param {Uint8Array} signature */
const verify = (key, message, signature) => verifySecp256k1(key, createHash('sha256').update(message).digest(), signature)

const bytesOf = (/** @type {string} */ hex) => new Uint8Array(Buffer.from(hex, 'hex'))
const number = (/** @type {Uint8Array} */ bytes) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
const digits = (/** @type {bigint} */ n) => bytesOf(n.toString(16).padStart(64, '0'))
const pair = (/** @type {bigint} */ r, /** @type {bigint} */ s) => new Uint8Array([...digits(r), ...digits(s)])

/** A key of OpenSSL's, what it signs, and how. @param {string} text */
function signed (text) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const message = new Uint8Array(Buffer.from(text))
  const sign1 = new Uint8Array(sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' }))
  const isOdd = Number(number(Buffer.from(y, 'base64url')) & 1n)
  return { message, key: new Uint8Array([2 + isOdd, ...Buffer.from(x, 'base64url')]), signature: sign1, r: number(sign1.subarray(0, 32)), s: number(sign1.subarray(32)) }
}

test('what go-libp2p signed', () => {
  const { go_signatures_secp256k1_via_js: go } = JSON.parse(readFileSync(new URL('../vectors/peer_ids.json', import.meta.url), 'utf8'))
  const der = bytesOf(go.signature) // of two numbers of 32 bytes
  const signature = new Uint8Array([...der.subarray(4, 36), ...der.subarray(38)])
  const [key, message] = [bytesOf(go.publicKey).subarray(4), bytesOf(go.message)]
  assert.equal(verify(key, message, signature), true)
  assert.equal(verify(key, message.subarray(1), signature), false)
})

test('what OpenSSL signed, by either of the two signatures that are right', () => {
  for (let i = 0; i < 20; i++) {
    const { key, message, signature, r, s } = signed(`message ${i}`)
    assert.equal(verify(key, message, signature), true)
    assert.equal(verify(key, message, pair(r, ORDER - s)), true)
  }
})

// One in 2^128 signatures: r is what is left of an x that is not below the order.
test('a point whose x is above the order', () => {
  const [x, y] = ['4a8f6be29b13b060ebc88adfde3a9359f481f46e308c3d57249fa7c5e41a1b5b', '9821ccb7f1f88d093cab3022a59d750759e073292962f925f09becfc3db533bf']
  const message = new Uint8Array(Buffer.from('x of R is above the order'))
  const signature = pair(2n, 0x1234567890abcdefn)
  const jwk = { kty: 'EC', crv: 'secp256k1', x: Buffer.from(x, 'hex').toString('base64url'), y: Buffer.from(y, 'hex').toString('base64url') }
  assert.ok(verifyByOpenSsl('sha256', message, { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' }, signature))
  assert.equal(verify(bytesOf(`03${x}`), message, signature), true)
  assert.equal(verify(bytesOf(`03${x}`), message, pair(3n, 0x1234567890abcdefn)), false)
})

// Where sums meet: the key is the generator, its negative, or its double.
test('keys that are close to the generator', () => {
  for (const secret of [1n, 2n, 3n, ORDER - 1n, ORDER - 2n]) {
    const message = new Uint8Array(Buffer.from(`signed by ${secret}`))
    const sec1 = Buffer.concat([Buffer.from('302e0201010420', 'hex'), digits(secret), Buffer.from('a00706052b8104000a', 'hex')])
    const privateKey = createPrivateKey({ key: sec1, format: 'der', type: 'sec1' })
    const { x = '', y = '' } = createPublicKey(privateKey).export({ format: 'jwk' })
    const key = new Uint8Array([2 + (Buffer.from(y, 'base64url')[31] & 1), ...Buffer.from(x, 'base64url')])
    const signature = new Uint8Array(sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' }))
    assert.equal(verify(key, message, signature), true, String(secret))
    assert.equal(verify(key, message.subarray(1), signature), false)
  }
})

test('nothing that is nearly right', () => {
  const { key, message, signature, r, s } = signed('a message')
  const other = signed('a message')
  const flipped = (/** @type {Uint8Array} */ bytes, /** @type {number} */ at) => bytes.map((byte, i) => i === at ? byte ^ 1 : byte)
  for (const wrong of [
    flipped(signature, 31), flipped(signature, 63), other.signature, pair(s, r),
    pair(0n, s), pair(r, 0n), pair(0n, 0n), pair(ORDER, s), pair(r, ORDER), pair(r, 2n ** 256n - 1n),
    signature.subarray(1), new Uint8Array([...signature, 0]), new Uint8Array(0)
  ]) assert.equal(verify(key, message, wrong), false)
  assert.equal(verify(key, flipped(message, 0), signature), false)
  for (const wrong of [
    other.key, flipped(key, 0), key.subarray(1), new Uint8Array([...key, 0]), new Uint8Array(33), new Uint8Array(0),
    new Uint8Array([4, ...key.subarray(1)]), new Uint8Array([2, ...digits(2n ** 256n - 1n)])
  ]) assert.equal(verify(wrong, message, signature), false)
})

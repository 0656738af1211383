// Wycheproof's vectors and the keys of other implementations, as C tables of hex.
import {
  createCipheriv, createECDH, createHash, createPrivateKey, createPublicKey, sign, verify
} from 'node:crypto'
import { readFileSync } from 'node:fs'

const read = name => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'))
const bytes = hex => Buffer.from(hex, 'hex')

// Every test of a file, with the fields of its group.
function tests (name) {
  const { testGroups } = read(`wycheproof_${name}.json`)
  return testGroups.flatMap(group => group.tests.map(test => ({ ...group, ...test })))
}

function table (name, fields, rows) {
  const type = name.toLowerCase()
  console.log(`struct ${type} { const char *name, *${fields.join(', *')}; bool valid; };`)
  console.log(`static const struct ${type} ${name}[] = {`)
  for (const row of rows) {
    const strings = ['name', ...fields].map(field => JSON.stringify(row[field]))
    console.log(`    {${strings.join(', ')}, ${row.valid}},`)
  }
  console.log('};')
}

const named = test => ({
  ...test,
  name: `${test.tcId} ${test.comment || test.flags[0]}`,
  valid: test.result !== 'invalid'
})

console.log('#include <stdbool.h>')

// A nonce of another length cannot be passed to our function.
table('AEAD_VECTORS', ['key', 'iv', 'aad', 'msg', 'ct', 'tag'],
  tests('chacha20_poly1305').filter(test => test.ivSize === 96).map(named))

// "acceptable" are points of low order and the like; what gives all zeros must be refused.
table('X25519_VECTORS', ['private', 'public', 'shared'], tests('x25519').map(test => ({
  ...named(test), valid: /[1-9a-f]/.test(test.shared)
})))

table('ED25519_VECTORS', ['key', 'msg', 'sig'],
  tests('ed25519').map(test => named({ ...test, key: test.publicKey.pk })))

table('HMAC_VECTORS', ['key', 'msg', 'tag'], tests('hmac_sha256').map(named))

// Noise's HKDF is RFC 5869's with a salt of 32 bytes, an empty info and 64 bytes of output.
table('HKDF_VECTORS', ['salt', 'ikm', 'okm'], tests('hkdf_sha256').filter(test =>
  test.info === '' && test.size <= 64 && test.salt.length <= 2 * 32).map(named))

// r || s of fixed width, by a reader of our own whose result Node confirms.
function fixedWidth (test) {
  const sig = bytes(test.sig)
  const half = at => sig.subarray(at + 2, at + 2 + sig[at + 1])
  const pad = digits => bytes(digits.toString('hex').replace(/^(00)+/, '').padStart(64, '0'))
  const r = half(2)
  const fixed = Buffer.concat([pad(r), pad(half(4 + r.length))])
  const key = createPublicKey({ key: bytes(test.publicKeyDer), format: 'der', type: 'spki' })
  if (!verify('sha256', bytes(test.msg), { key, dsaEncoding: 'ieee-p1363' }, fixed)) {
    throw new Error(`Node does not take the signature of test ${test.tcId}`)
  }
  return fixed.toString('hex')
}

table('ECDSA_VECTORS', ['spki', 'sig', 'fixed'],
  tests('ecdsa_secp256r1_sha256').map(test => named({
    ...test,
    spki: test.publicKeyDer,
    fixed: test.result === 'valid' ? fixedWidth(test) : ''
  })))

table('RSA_VECTORS', ['spki', 'sig'],
  tests('rsa_signature_2048_sha256').map(test => named({ ...test, spki: test.publicKeyDer })))

// The public key protobuf that belongs to a private one, made by Node.
function publicOf (hex) {
  const protobuf = bytes(hex)
  const type = protobuf[1]
  const data = protobuf.subarray(protobuf[3] < 0x80 ? 4 : 5)
  const spki = key => createPublicKey(createPrivateKey(key)).export({ format: 'der', type: 'spki' })
  const curve = () => {
    const ecdh = createECDH('secp256k1')
    ecdh.setPrivateKey(data)
    return ecdh.getPublicKey(null, 'compressed')
  }
  const key = [
    () => spki({ key: data, format: 'der', type: 'pkcs1' }),
    () => data.subarray(32),
    curve,
    () => spki({ key: data, format: 'der', type: 'sec1' })
  ][type]()
  const len = key.length < 0x80 ? [key.length] : [key.length & 0x7f | 0x80, key.length >> 7]
  return Buffer.concat([Buffer.from([8, type, 0x12, ...len]), key]).toString('hex')
}

const ids = read('peer_ids.json')
table('KEY_VECTORS', ['private', 'public', 'peer_id'],
  ids.go_vectors_via_nim_libp2p.map((key, i) => ({
    name: `go key ${i}`,
    private: key.private_key_protobuf,
    public: publicOf(key.private_key_protobuf),
    peer_id: key.peer_id,
    valid: key.private_key_protobuf.startsWith('0801')
  })))

const { redundantPubKey, verify: plain } = ids.go_signatures_ed25519_via_js
table('SIGNATURE_VECTORS', ['private', 'public', 'data', 'signature'],
  [['96 bytes', redundantPubKey], ['64 bytes', plain]].map(([name, row]) => ({
    name, private: row.privateKey, public: row.publicKey, valid: true, ...row
  })))

// What goes through SIMD and through the computed table is compared with OpenSSL, in bulk: one hash
// over everything that comes out.
const constant = (name, hex) => console.log(`#define ${name} "${hex}"`)

// test_aead.c seals the same messages.
const sealed = createHash('sha256')
for (const len of [...Array(1401).keys(), 65536]) {
  const aad = Buffer.alloc(len % 21, len)
  const cipher = createCipheriv('chacha20-poly1305', Buffer.alloc(32, len), Buffer.alloc(12, ~len),
    { authTagLength: 16 })
  cipher.setAAD(aad, { plaintextLength: len })
  sealed.update(cipher.update(Buffer.from(Array.from({ length: len }, (_, i) => i * 7 + len))))
  sealed.update(cipher.final())
  sealed.update(cipher.getAuthTag())
}
constant('AEAD_ALL_LENGTHS', sealed.digest('hex'))

// test_identity.c makes the same keys and signatures, each from a hash of the last, of messages of every
// length: so many that each way to fill SHA-2's last block is among them.
const PKCS8 = bytes('302e020100300506032b657004220420')
let seed = Buffer.alloc(32)
for (let i = 0; i < 300; i++) {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  const publicKey = spki.subarray(spki.length - 32)
  const message = Buffer.alloc(i, i)
  const hash = createHash('sha256').update(publicKey).update(message).update(sign(null, message, key))
  seed = hash.digest()
}
constant('ED25519_CHAIN', seed.toString('hex'))

import {
  peerIdFromMultihash as peerIdFromBytes, privateKeyFromRaw, publicKeyFromProtobuf, publicKeyFromRaw, publicKeyToProtobuf
} from '../index.js'
import { verifySecp256k1 } from '../secp256k1.js'
import { InvalidCIDError, UnsupportedKeyTypeError, UnsupportedOperationError } from './errors.js'

/**
 * The rest of @libp2p/crypto/keys and @libp2p/peer-id: keys that sign and verify for the application, by the
 * browser's own cryptography.
 */

const { subtle } = globalThis.crypto ?? {}

const IDENTITY = 0x00
const INLINED_MAX = 42
const SEED_LENGTH = 32
const LIBP2P_KEY = 0x72

/** What stands in front of an Ed25519 seed in PKCS #8. */
const PKCS8 = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20]

/** @typedef {{ type: string, raw: Uint8Array }} Key */

/** @param {Uint8Array} bytes @returns {any} */
const asSource = (bytes) => bytes

/** @returns {SubtleCrypto} */
function needSubtle () {
  if (subtle === undefined) throw new UnsupportedOperationError('crypto.subtle is missing: browsers give it to pages on https and on localhost')
  return subtle
}

/** @param {Uint8Array | { subarray: () => Uint8Array }} bytes or a list of them */
const flat = (bytes) => bytes instanceof Uint8Array ? bytes : bytes.subarray()

/** @param {Uint8Array} seed @param {boolean} [extractable] */
const importSeed = (seed, extractable = false) => needSubtle().importKey('pkcs8', Uint8Array.of(...PKCS8, ...seed), 'Ed25519', extractable, ['sign'])

/** DER's two integers, each to 32 bytes. @param {Uint8Array} der */
function ecdsaRaw (der) {
  const rLength = der[3]
  const parts = [der.subarray(4, 4 + rLength), der.subarray(6 + rLength)]
  return Uint8Array.from(parts.flatMap((part) => [...new Uint8Array(32), ...part].slice(-32)))
}

/** How a type of key is imported, and how its signatures are checked. @type {Record<string, { format: any, algorithm: any, how: any, raw?: (signature: Uint8Array) => Uint8Array }>} */
const VERIFY = {
  Ed25519: { format: 'raw', algorithm: 'Ed25519', how: 'Ed25519' },
  RSA: { format: 'spki', algorithm: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, how: 'RSASSA-PKCS1-v1_5' },
  ECDSA: { format: 'spki', algorithm: { name: 'ECDSA', namedCurve: 'P-256' }, how: { name: 'ECDSA', hash: 'SHA-256' }, raw: ecdsaRaw }
}

/** @param {Key} key @param {Uint8Array} data @param {Uint8Array} signature */
async function verifyByBrowser ({ type, raw }, data, signature) {
  const kind = VERIFY[type]
  const key = await needSubtle().importKey(kind.format, asSource(raw), kind.algorithm, false, ['verify'])
  return await needSubtle().verify(kind.how, key, asSource(kind.raw?.(signature) ?? signature), asSource(data))
}

/** @param {Key} key @param {Uint8Array} data @param {Uint8Array} signature */
async function verifyByNumbers ({ raw }, data, signature) {
  return verifySecp256k1(raw, new Uint8Array(await needSubtle().digest('SHA-256', asSource(data))), ecdsaRaw(signature))
}

/** What the classes of the node have beside its own needs: given to them when this file is loaded. */
const publicMethods = {
  /** @this {Key} */
  toMultihash () {
    const digest = publicKeyToProtobuf(/** @type {any} */ (this))
    if (digest.length > INLINED_MAX) throw new UnsupportedKeyTypeError(`the Peer ID of an ${this.type} key is its SHA-256, which is not computed here: take it from where the key came from`)
    return { code: IDENTITY, size: digest.length, digest, bytes: Uint8Array.of(IDENTITY, digest.length, ...digest) }
  },

  /** @this {any} */
  toCID () { return peerIdFromPublicKey(this).toCID() },

  /** @this {any} */
  toString () { return String(peerIdFromPublicKey(this)) },

  /**
   * @this {Key}
   * @param {Uint8Array | { subarray: () => Uint8Array }} data
   * @param {Uint8Array} signature
   * @param {{ signal?: AbortSignal }} [options]
   */
  async verify (data, signature, options) {
    options?.signal?.throwIfAborted()
    const isRight = await (this.type === 'secp256k1' ? verifyByNumbers : verifyByBrowser)(this, flat(data), signature)
    options?.signal?.throwIfAborted()
    return isRight
  }
}

const privateMethods = {
  /**
   * @this {Key}
   * @param {Uint8Array | { subarray: () => Uint8Array }} data
   * @param {{ signal?: AbortSignal }} [options]
   */
  async sign (data, options) {
    options?.signal?.throwIfAborted()
    const signature = await needSubtle().sign('Ed25519', await importSeed(this.raw.subarray(0, SEED_LENGTH)), asSource(flat(data)))
    options?.signal?.throwIfAborted()
    return new Uint8Array(signature)
  }
}

Object.assign(publicKeyFromRaw(new Uint8Array(SEED_LENGTH)).constructor.prototype, publicMethods)
Object.assign(privateKeyFromRaw(new Uint8Array(2 * SEED_LENGTH)).constructor.prototype, privateMethods)

/** @param {string} type @param {Uint8Array} seed @returns {Promise<any>} */
export async function generateKeyPairFromSeed (type, seed) {
  if (type !== 'Ed25519') throw new UnsupportedKeyTypeError(`a Peerlet node has an Ed25519 key, not ${type}`)
  const { x = '' } = await needSubtle().exportKey('jwk', await importSeed(seed, true))
  const publicKey = Uint8Array.from(atob(x.replace(/-/g, '+').replace(/_/g, '/')), (char) => char.charCodeAt(0))
  return privateKeyFromRaw(Uint8Array.of(...seed, ...publicKey))
}

/** @param {{ bytes: Uint8Array }} multihash @returns {any} */
export const publicKeyFromMultihash = ({ bytes }) => publicKeyFromProtobuf(bytes.subarray(2))

/** @param {Key} key */
export async function privateKeyToCryptoKeyPair (key) {
  if (key.type !== 'Ed25519') throw new UnsupportedKeyTypeError(`a Peerlet node has an Ed25519 key, not ${key.type}`)
  return {
    privateKey: await importSeed(key.raw.subarray(0, SEED_LENGTH), true),
    publicKey: await needSubtle().importKey('raw', asSource(key.raw.slice(SEED_LENGTH)), 'Ed25519', true, ['verify'])
  }
}

/** @param {{ privateKey: CryptoKey }} pair @returns {Promise<any>} */
export async function privateKeyFromCryptoKeyPair ({ privateKey }) {
  const { name } = privateKey.algorithm
  if (name !== 'Ed25519') throw new UnsupportedKeyTypeError(`a Peerlet node has an Ed25519 key, not ${name}`)
  return await generateKeyPairFromSeed(name, new Uint8Array(await needSubtle().exportKey('pkcs8', privateKey)).slice(PKCS8.length))
}

// ---- @libp2p/peer-id

/** @param {{ bytes: Uint8Array } | Uint8Array} multihash */
export const peerIdFromMultihash = (multihash) => peerIdFromBytes(multihash instanceof Uint8Array ? multihash : multihash.bytes)

/** @param {any} key */
export const peerIdFromPublicKey = (key) => peerIdFromMultihash(key.toMultihash())


/** @param {{ publicKey: any }} key */
export const peerIdFromPrivateKey = (key) => peerIdFromPublicKey(key.publicKey)

/** @param {any} cid */
export function peerIdFromCID (cid) {
  if (cid?.multihash?.bytes === undefined || cid.version == null || (cid.version === 1 && cid.code !== LIBP2P_KEY)) {
    throw new InvalidCIDError('Supplied PeerID CID is invalid')
  }
  return peerIdFromMultihash(cid.multihash)
}

import { encodeBase } from './bases.js'
import { makeError } from './errors.js'

/** By their numbers in the key protobufs. */
const TYPES = ['RSA', 'Ed25519', 'secp256k1', 'ECDSA']

/** Ed25519 is what a node signs with; a protobuf of its private key begins so. */
const ED25519 = 'Ed25519'
const PRIVATE_PREFIX = [0x08, 0x01, 0x12, 0x40]
const PRIVATE_LENGTH = 64

/**
 * A key protobuf: field 1 the type, field 2 the bytes, nothing else.
 *
 * @param {Uint8Array} bytes
 */
function takeApart (bytes) {
  const type = TYPES[bytes[1]]
  const isLong = bytes[3] >= 0x80
  const length = isLong ? (bytes[3] & 0x7f) | bytes[4] << 7 : bytes[3]
  const raw = bytes.slice(isLong ? 5 : 4)
  return bytes[0] === 0x08 && bytes[2] === 0x12 && type !== undefined && raw.length === length ? { type, raw } : undefined
}

/** @param {string} type @param {Uint8Array} raw */
function putTogether (type, raw) {
  const length = raw.length < 0x80 ? [raw.length] : [raw.length & 0x7f | 0x80, raw.length >> 7]
  return Uint8Array.of(0x08, TYPES.indexOf(type), 0x12, ...length, ...raw)
}

/** @param {{ type: string, raw: Uint8Array }} key @param {any} other */
const isSame = (key, other) => other?.type === key.type && String(other.raw) === String(key.raw)

/** A peer's public key. */
export class PublicKey {
  /**
   * @param {string} type
   * @param {Uint8Array} raw as the protobuf has it: 32 bytes of Ed25519, DER of RSA
   */
  constructor (type, raw) {
    this.type = type
    this.raw = raw
  }

  /** @param {Uint8Array} bytes */
  static fromProtobuf (bytes) {
    const key = takeApart(bytes)
    if (key === undefined) throw makeError('InvalidPublicKeyError', 'these bytes are not a PublicKey protobuf', 'BAD_KEY')
    return new PublicKey(key.type, key.raw)
  }

  /** @param {any} other */
  equals (other) { return isSame(this, other) }
  toString () { return encodeBase('z', this.raw) }
}

/** A node's private key: Ed25519, the seed and the public key behind it. */
export class PrivateKey {
  /** @param {Uint8Array} raw */
  constructor (raw) {
    if (raw.length !== PRIVATE_LENGTH) throw makeError('InvalidPrivateKeyError', `an Ed25519 private key has ${PRIVATE_LENGTH} bytes, not ${raw.length}`, 'BAD_PRIVATE_KEY')
    this.type = ED25519
    this.raw = raw
    this.publicKey = new PublicKey(ED25519, raw.slice(PRIVATE_LENGTH / 2))
  }

  /** @param {any} other */
  equals (other) { return isSame(this, other) }
}

/** @param {PublicKey} key */
export const publicKeyToProtobuf = (key) => putTogether(key.type, key.raw)

/** @param {Uint8Array} bytes */
export const publicKeyFromProtobuf = (bytes) => PublicKey.fromProtobuf(bytes)

/** @param {Uint8Array} raw 32 bytes of Ed25519 */
export const publicKeyFromRaw = (raw) => new PublicKey(ED25519, raw)

/** @param {{ raw: Uint8Array }} key */
export const privateKeyToProtobuf = (key) => Uint8Array.of(...PRIVATE_PREFIX, ...key.raw)

/** @param {Uint8Array} raw 64 bytes of Ed25519 */
export const privateKeyFromRaw = (raw) => new PrivateKey(raw)

/** @param {Uint8Array} bytes */
export function privateKeyFromProtobuf (bytes) {
  const key = takeApart(bytes)
  if (key?.type !== ED25519) {
    throw makeError('InvalidPrivateKeyError', `only Ed25519 private keys are supported, this is ${key?.type ?? 'no key protobuf'}: make one with generateKeyPair('Ed25519')`, 'BAD_PRIVATE_KEY')
  }
  // Old keys repeat the public key at the end.
  const isOld = key.raw.length === 96 && String(key.raw.slice(32, 64)) === String(key.raw.slice(64))
  return new PrivateKey(isOld ? key.raw.slice(0, PRIVATE_LENGTH) : key.raw)
}

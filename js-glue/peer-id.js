import { PeerletError } from './errors.js'

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const IS_PEER_ID = Symbol.for('@libp2p/peer-id')

/** @param {string} text */
function decodeBase58 (text) {
  let value = 0n
  for (const letter of text) {
    const digit = ALPHABET.indexOf(letter)
    if (digit < 0) throw new PeerletError('InvalidPeerIdError', `"${text}" is not a Peer ID: "${letter}" is no base58 letter`, 'BAD_PEER_ID')
    value = value * 58n + BigInt(digit)
  }
  const bytes = []
  for (; value > 0n; value >>= 8n) bytes.unshift(Number(value & 255n))
  for (let i = 0; text[i] === '1'; i++) bytes.unshift(0)
  return Uint8Array.from(bytes)
}

/** @param {Uint8Array} bytes */
export function encodeBase58 (bytes) {
  let value = bytes.reduce((sum, b) => sum * 256n + BigInt(b), 0n)
  let text = ''
  for (; value > 0n; value /= 58n) text = ALPHABET[Number(value % 58n)] + text
  for (let i = 0; i < bytes.length && bytes[i] === 0; i++) text = '1' + text
  return text
}

/** The name of a peer. Compare with `equals`, print with `toString` (base58). */
export class PeerId {
  #text
  /** @type {Uint8Array | undefined} */
  #bytes

  /** @param {string} text base58 */
  constructor (text) {
    this.#text = text
  }

  get [IS_PEER_ID] () { return true }
  get [Symbol.toStringTag] () { return `PeerId(${this.#text})` }

  /** The multihash: identity of an Ed25519 key, or SHA-256 of a longer one. */
  get #multihash () {
    this.#bytes ??= decodeBase58(this.#text)
    return this.#bytes
  }

  get type () {
    const b = this.#multihash
    return b[0] !== 0 ? 'RSA' : b[3] === 1 ? 'Ed25519' : 'secp256k1'
  }

  /** The public key, for the types whose Peer ID holds it. */
  get publicKey () {
    const b = this.#multihash
    if (b[0] !== 0) return undefined
    const raw = b.slice(6)
    return { type: this.type, raw, toString: () => encodeBase58(raw), equals: (/** @type {any} */ k) => String(k) === encodeBase58(raw) }
  }

  toString () { return this.#text }
  toJSON () { return this.#text }

  toMultihash () {
    const bytes = this.#multihash
    return { code: bytes[0], size: bytes[1], digest: bytes.subarray(2), bytes }
  }

  /** @param {any} other a PeerId, its text or its bytes */
  equals (other) {
    if (other instanceof Uint8Array) return encodeBase58(other) === this.#text
    return other != null && String(other) === this.#text
  }
}

/**
 * @param {string} text base58 (`12D3Koo…`, `Qm…`)
 * @returns {PeerId}
 */
export function peerIdFromString (text) {
  const bytes = decodeBase58(text)
  const fits = bytes[1] === bytes.length - 2 && ((bytes[0] === 0 && bytes.length <= 44) || (bytes[0] === 0x12 && bytes.length === 34))
  if (!fits) throw new PeerletError('InvalidPeerIdError', `"${text}" is not a Peer ID`, 'BAD_PEER_ID')
  return new PeerId(text)
}

/** @param {any} value */
export const isPeerId = (value) => value?.[IS_PEER_ID] === true

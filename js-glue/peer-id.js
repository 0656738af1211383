import { decodeBase, encodeBase } from './bases.js'
import { makeError } from './errors.js'
import { PublicKey } from './keys.js'

const PEER_ID = Symbol.for('@libp2p/peer-id')

const IDENTITY = 0x00
const SHA2_256 = 0x12
const CID_V1 = 0x01
const LIBP2P_KEY = 0x72

/** The name of a peer. Compared with `equals`, printed with `toString` (base58), never with `===`. */
export class PeerId {
  #text
  /** @type {Uint8Array | undefined} */
  #bytes

  /** @param {string} text base58, known to be right; others go through peerIdFromString @param {Uint8Array} [bytes] the same */
  constructor (text, bytes) {
    this.#text = text
    this.#bytes = bytes
  }

  get [PEER_ID] () { return true }
  get [Symbol.toStringTag] () { return `PeerId(${this.#text})` }

  get #multihash () { return this.#bytes ??= /** @type {Uint8Array} */ (decodeBase('z', this.#text)) }

  /** 'Ed25519' and 'secp256k1' keys stand in the name itself; anything longer is hashed: 'RSA'. */
  get type () { return this.publicKey?.type ?? 'RSA' }

  /** The public key, where the name holds it. */
  get publicKey () {
    const bytes = this.#multihash
    return bytes[0] === IDENTITY ? PublicKey.fromProtobuf(bytes.subarray(2)) : undefined
  }

  toString () { return this.#text }
  toJSON () { return this.#text }

  /** @returns {{ code: number, size: number, digest: Uint8Array, bytes: Uint8Array }} */
  toMultihash () {
    const bytes = this.#multihash.slice()
    return { code: bytes[0], size: bytes[1], digest: bytes.subarray(2), bytes }
  }

  /** The name as CIDv1, `bafzaa…` in text. */
  toCID () {
    const multihash = this.toMultihash()
    const bytes = Uint8Array.of(CID_V1, LIBP2P_KEY, ...multihash.bytes)
    return { version: 1, code: LIBP2P_KEY, multihash, bytes, toString: () => 'b' + encodeBase('b', bytes) }
  }

  /** @param {any} other a PeerId, its text, or its bytes */
  equals (other) {
    return (other instanceof Uint8Array ? encodeBase('z', other) : String(other)) === this.#text
  }
}

/**
 * @param {Uint8Array} bytes a multihash
 * @returns {boolean} whether it names a peer: an inlined key or a SHA-256
 */
function isPeerMultihash (bytes) {
  if (bytes[1] !== bytes.length - 2) return false
  return bytes[0] === SHA2_256 ? bytes[1] === 32 : bytes[0] === IDENTITY && bytes[1] <= 42
}

/** @param {string} text */
const isBase58 = (text) => /^(1|Qm)/.test(text)

/** @param {string} text @returns {Uint8Array | undefined} a multihash, if all is well */
function parse (text) {
  if (isBase58(text)) return decodeBase('z', text)
  const cid = decodeBase(text[0], text.slice(1))
  return cid?.[0] === CID_V1 && cid[1] === LIBP2P_KEY ? cid.subarray(2) : undefined
}

/** @param {Uint8Array} bytes a multihash */
export const peerIdFromMultihash = (bytes) => {
  if (!isPeerMultihash(bytes)) throw makeError('InvalidPeerIdError', 'these bytes are not the multihash of a Peer ID', 'BAD_PEER_ID')
  return new PeerId(encodeBase('z', bytes))
}

/**
 * @param {string} text base58 (`12D3Koo…`, `Qm…`) or a CID (`bafz…`, `k51…`)
 * @returns {PeerId}
 */
export function peerIdFromString (text) {
  const bytes = parse(text)
  if (bytes === undefined || !isPeerMultihash(bytes)) {
    throw makeError('InvalidPeerIdError', `"${text}" is not a Peer ID, which looks like 12D3KooW…, nor a multiaddr, which begins with a slash`, 'BAD_PEER_ID')
  }
  return new PeerId(isBase58(text) ? text : encodeBase('z', bytes), bytes)
}

/** @param {any} value @returns {value is PeerId} */
export const isPeerId = (value) => value?.[PEER_ID] === true

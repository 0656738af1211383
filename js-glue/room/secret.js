/**
 * What a password gives: the name a room has on the wire, the key that seals what is said in it, and the
 * proof of having it.
 *
 * PBKDF2 makes 32 bytes of the password, with the room's name as salt, and HKDF makes of these, each under
 * a name of its own, the tag (16 bytes), the key of AES-GCM and that of HMAC. The relay, and whoever else
 * hears which topics there are, sees the tag: it tells neither name nor password, and to try a password
 * costs as much as to join with it.
 */
import { makeError } from '../errors.js'
import { concat } from './codec.js'

const ROUNDS = 600_000
const NONCE = 12

const encoder = new TextEncoder()
/** @param {string} text */
const utf8 = (text) => encoder.encode(text.normalize('NFC'))

/** @param {Uint8Array} bytes */
const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '')

/**
 * @typedef {object} Secret
 * @property {string} tag
 * @property {(bytes: Uint8Array, about: string) => Promise<Uint8Array>} seal
 * @property {(bytes: Uint8Array, about: string) => Promise<Uint8Array>} open rejects where the key is another
 * @property {(about: Uint8Array) => Promise<Uint8Array>} prove
 * @property {(proof: Uint8Array, about: Uint8Array) => Promise<boolean>} check
 */

/** @param {string} room @param {string} password @returns {Promise<Secret>} @throws InsecureContextError */
export async function openSecret (room, password) {
  const subtle = globalThis.crypto?.subtle
  if (subtle === undefined) {
    throw makeError('InsecureContextError', 'a room with a password needs WebCrypto, which browsers give only to pages on https and on localhost: serve the page by https, or leave the password out', 'INSECURE')
  }
  const given = await subtle.importKey('raw', utf8(password), 'PBKDF2', false, ['deriveBits'])
  const master = await subtle.importKey('raw',
    await subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: utf8(`peerlet room ${room}`), iterations: ROUNDS }, given, 256),
    'HKDF', false, ['deriveBits', 'deriveKey'])
  const as = (/** @type {string} */ name) => ({ name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: utf8(name) })
  const tag = new Uint8Array(await subtle.deriveBits(as('tag'), master, 128))
  const sealing = await subtle.deriveKey(as('seal'), master, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
  const proving = await subtle.deriveKey(as('proof'), master, { name: 'HMAC', hash: 'SHA-256', length: 256 }, false, ['sign', 'verify'])
  const cipher = (/** @type {Uint8Array} */ iv, /** @type {string} */ about) => ({ name: 'AES-GCM', iv: /** @type {BufferSource} */ (iv), additionalData: utf8(about) })
  return {
    tag: base64url(tag),
    async seal (bytes, about) {
      const nonce = crypto.getRandomValues(new Uint8Array(NONCE))
      return concat(nonce, new Uint8Array(await subtle.encrypt(cipher(nonce, about), sealing, /** @type {BufferSource} */ (bytes))))
    },
    async open (bytes, about) {
      return new Uint8Array(await subtle.decrypt(cipher(bytes.subarray(0, NONCE), about), sealing, /** @type {BufferSource} */ (bytes.subarray(NONCE))))
    },
    prove: async (about) => new Uint8Array(await subtle.sign('HMAC', proving, /** @type {BufferSource} */ (about))),
    check: (proof, about) => subtle.verify('HMAC', proving, /** @type {BufferSource} */ (proof), /** @type {BufferSource} */ (about))
  }
}

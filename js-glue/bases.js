/** Letters of the multibases that Peer IDs and certificate hashes are written in. */
const DIGITS = '0123456789'
const LOWER = 'abcdefghijklmnopqrstuvwxyz'
const UPPER = LOWER.toUpperCase()

/** @type {Record<string, string>} */
const ALPHABETS = {
  f: DIGITS + 'abcdef',
  b: LOWER + '234567',
  k: DIGITS + LOWER,
  z: DIGITS.slice(1) + UPPER.replace(/[IO]/g, '') + LOWER.replace('l', ''),
  m: UPPER + LOWER + DIGITS + '+/',
  u: UPPER + LOWER + DIGITS + '-_'
}

/** How many bits a letter holds; undefined where bytes are one big number instead. @param {string} base */
const bitsOf = (base) => /** @type {Record<string, number>} */ ({ f: 4, b: 5, m: 6, u: 6 })[base]

/** Far more than a Peer ID or a hash takes: a big number costs time by the square of its length. */
const TEXT_MAX = 256

/**
 * Regroups numbers of `from` bits into numbers of `to` bits.
 *
 * @param {Iterable<number>} numbers
 * @param {number} from
 * @param {number} to
 * @param {boolean} pad whether what is left over becomes a last number, filled up with zeros
 */
function regroup (numbers, from, to, pad) {
  const out = []
  let held = 0
  let bits = 0
  for (const n of numbers) {
    held = held << from | n
    for (bits += from; bits >= to;) {
      bits -= to
      out.push(held >> bits & (1 << to) - 1)
    }
    held &= (1 << bits) - 1
  }
  if (pad && bits > 0) out.push(held << to - bits)
  return pad || held === 0 ? out : undefined
}

/**
 * Digits of one big number in another base; leading zeros are kept one for one.
 *
 * @param {ArrayLike<number>} digits
 * @param {number} from
 * @param {number} to
 */
function convert (digits, from, to) {
  let value = 0n
  const out = []
  for (let i = 0; i < digits.length; i++) value = value * BigInt(from) + BigInt(digits[i])
  for (; value > 0n; value /= BigInt(to)) out.unshift(Number(value % BigInt(to)))
  for (let i = 0; i < digits.length && digits[i] === 0; i++) out.unshift(0)
  return out
}

/**
 * @param {string} base the multibase prefix: f, b, k, z, m or u
 * @param {string} text without the prefix
 * @returns {Uint8Array | undefined} nothing when the text is not of this base
 */
export function decodeBase (base, text) {
  const letters = ALPHABETS[base]
  if (letters === undefined || text.length > TEXT_MAX) return undefined
  const digits = Array.from(text, (letter) => letters.indexOf(letter))
  if (digits.includes(-1)) return undefined
  const bits = bitsOf(base)
  const bytes = bits === undefined ? convert(digits, letters.length, 256) : regroup(digits, bits, 8, false)
  return bytes && Uint8Array.from(bytes)
}

/**
 * @param {string} base
 * @param {Uint8Array} bytes
 */
export function encodeBase (base, bytes) {
  const letters = ALPHABETS[base]
  const bits = bitsOf(base)
  const digits = bits === undefined ? convert(bytes, 256, letters.length) : regroup(bytes, 8, bits, true)
  return /** @type {number[]} */ (digits).map((digit) => letters[digit]).join('')
}

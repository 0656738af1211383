/**
 * ECDSA over the curve secp256k1, which WebCrypto does not know. SEC 1, section 4.1.4.
 *
 * Everything here is public, so nothing has to take the same time whatever the numbers are. A point is
 * [X, Y, Z] for x = X / Z, y = Y / Z; at infinity Z is 0.
 */

/** @typedef {[bigint, bigint, bigint]} Point */

const P = 2n ** 256n - 0x1000003d1n
const ORDER = 2n ** 256n - 0x14551231950b75fc4402da1732fc9bebfn
const GENERATOR_X = 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n

/** @param {bigint} a */
const mod = (a) => (a %= P) < 0n ? a + P : a

/**
 * The sum of any two, the same one twice among them: Renes, Costello and Batina, "Complete addition formulas for prime
 * order elliptic curves", for a = 0 and b = 7.
 *
 * @param {Point} p
 * @param {Point} q
 * @returns {Point}
 */
function add ([x, y, z], [u, v, w]) {
  const a = 3n * x * u
  const b = y * v
  const c = 21n * z * w
  const d = (x * v + y * u) % P
  const e = (y * w + z * v) % P
  const f = 21n * (x * w + z * u) % P
  return [mod(d * (b - c) - e * f), mod((b - c) * (b + c) + a * f), mod((b + c) * e + a * d)]
}

/**
 * The same `count` times: a power by multiplication, a multiple by addition.
 *
 * @template T
 * @param {(a: T, b: T) => T} combine
 * @param {T} sum of none
 * @param {T} one
 * @param {bigint} count
 */
function repeat (combine, sum, one, count) {
  for (; count > 0n; count >>= 1n, one = combine(one, one)) if (count & 1n) sum = combine(sum, one)
  return sum
}

/** @param {Point} point @param {bigint} count */
const multiple = (point, count) => repeat(add, /** @type {Point} */ ([0n, 1n, 0n]), point, count)

/** The point with that x whose y is odd, or is not; undefined where the curve has none. @param {bigint} x @param {number} odd @returns {Point | undefined} */
function lift (x, odd) {
  const square = (x ** 3n + 7n) % P
  const y = repeat((a, b) => a * b % P, 1n, square, (P + 1n) / 4n)
  return y * y % P === square ? [x, Number(y & 1n) === odd ? y : P - y, 1n] : undefined
}

/** @param {Uint8Array} bytes big endian */
const number = (bytes) => bytes.reduce((sum, byte) => sum << 8n | BigInt(byte), 0n)

/**
 * @param {Uint8Array} key 33 bytes: a point, compressed
 * @param {Uint8Array} hash SHA-256 of the message
 * @param {Uint8Array} signature 64 bytes: r || s
 */
export function verifySecp256k1 (key, hash, signature) {
  const x = number(key.subarray(1))
  const point = x < P && key[0] >> 1 === 1 ? lift(x, key[0] & 1) : undefined
  const r = number(signature.subarray(0, 32))
  const s = number(signature.subarray(32))
  if (point === undefined || r >= ORDER || s >= ORDER) return false // and 0 gives no point
  const inverse = repeat((a, b) => a * b % ORDER, 1n, s, ORDER - 2n)
  const [sum, , z] = add(
    multiple(/** @type {Point} */ (lift(GENERATOR_X, 0)), number(hash) * inverse % ORDER),
    multiple(point, r * inverse % ORDER)
  )
  const isX = (/** @type {bigint} */ n) => n < P && n * z % P === sum
  return z > 0n && (isX(r) || isX(r + ORDER))
}

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

/** @param {bigint} base @param {bigint} exponent @param {bigint} modulus */
function power (base, exponent, modulus) {
  let product = 1n
  for (; exponent > 0n; exponent >>= 1n, base = base * base % modulus) if (exponent & 1n) product = product * base % modulus
  return product
}

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

/** The point with that x whose y is odd, or is not; undefined where the curve has none. @param {bigint} x @param {bigint} odd @returns {Point | undefined} */
function lift (x, odd) {
  const square = (x ** 3n + 7n) % P
  const y = power(square, (P + 1n) / 4n, P)
  return y * y % P === square ? [x, (y & 1n) === odd ? y : P - y, 1n] : undefined
}

/** @param {Uint8Array} bytes big endian */
const number = (bytes) => bytes.reduce((sum, byte) => sum << 8n | BigInt(byte), 0n)

/** @param {bigint} n */
const isScalar = (n) => n > 0n && n < ORDER

/**
 * @param {Uint8Array} key 33 bytes: a point, compressed
 * @param {Uint8Array} hash SHA-256 of the message
 * @param {Uint8Array} signature 64 bytes: r || s
 */
export function verifySecp256k1 (key, hash, signature) {
  const x = number(key.subarray(1))
  const point = x < P && key[0] >> 1 === 1 ? lift(x, BigInt(key[0] & 1)) : undefined
  const r = number(signature.subarray(0, 32))
  const s = number(signature.subarray(32))
  if (point === undefined || !isScalar(r) || !isScalar(s)) return false
  const inverse = power(s, ORDER - 2n, ORDER)
  const ofGenerator = number(hash) * inverse % ORDER
  const ofKey = r * inverse % ORDER
  const generator = /** @type {Point} */ (lift(GENERATOR_X, 0n))
  const both = add(generator, point)
  /** @type {Point} */
  let sum = [0n, 1n, 0n]
  for (let bit = 255n; bit >= 0n; bit--) {
    sum = add(sum, sum)
    const [one, other] = [ofGenerator >> bit & 1n, ofKey >> bit & 1n]
    if (one || other) sum = add(sum, one ? other ? both : generator : point)
  }
  const isX = (/** @type {bigint} */ n) => n < P && n * sum[2] % P === sum[0]
  return sum[2] !== 0n && (isX(r) || isX(r + ORDER))
}

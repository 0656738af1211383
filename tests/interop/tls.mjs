// Certificates for tests, and a server with one that passes everything on to a port without.
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createServer } from 'node:tls'

const DAY_MS = 86_400_000

/** A DER value. @param {number} tag @param {...Uint8Array} parts */
function der (tag, ...parts) {
  const body = Buffer.concat(parts)
  const size = body.length
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255]
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}
const sequence = (/** @type {Uint8Array[]} */ ...parts) => der(0x30, ...parts)
const time = (/** @type {number} */ ms) => der(0x17, Buffer.from(new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14) + 'Z'))
const ECDSA_SHA256 = sequence(der(6, Buffer.from('2a8648ce3d040302', 'hex')))
const ALT_NAMES = der(6, Buffer.from('551d11', 'hex'))
const COMMON_NAME = der(6, Buffer.from('550403', 'hex'))

/**
 * A certificate that is its own authority, for localhost, 127.0.0.1 and these names.
 *
 * @param {{ names?: string[], ends?: number }} [about] `ends`: in ms from now
 */
export function makeCertificate ({ names = [], ends = DAY_MS } = {}) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const who = sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from('a test of Peerlet')))))
  const alternatives = ['localhost', ...names].map((name) => der(0x82, Buffer.from(name)))
  const signed = sequence(
    der(0xa0, der(2, Buffer.from([2]))), der(2, Buffer.from([1])), ECDSA_SHA256, who,
    sequence(time(Date.now() + ends - 2 * DAY_MS), time(Date.now() + ends)), who, spki,
    der(0xa3, sequence(sequence(ALT_NAMES, der(4, sequence(...alternatives, der(0x87, Buffer.from([127, 0, 0, 1]))))))))
  const bits = (/** @type {Uint8Array} */ bytes) => der(3, Buffer.from([0]), bytes)
  const whole = sequence(signed, ECDSA_SHA256, bits(sign('sha256', signed, privateKey)))
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${whole.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    /** For Chromium's --ignore-certificate-errors-spki-list. */
    spkiHash: createHash('sha256').update(spki).digest('base64')
  }
}

/**
 * As a web server in front of a relay does it.
 *
 * @param {import('node:test').TestContext} t
 * @param {{ cert: string, key: string | Buffer }} certificate
 * @param {number} to a port of this machine
 * @returns the port, and of each connection the name it asked for and its first line
 */
export async function startTls (t, { cert, key }, to) {
  /** @type {Array<{ name: string | false | null, line: string }>} */
  const seen = []
  const server = createServer({ cert, key }, (socket) => {
    const behind = connect(to, '127.0.0.1')
    socket.once('data', (bytes) => seen.push({ name: /** @type {any} */ (socket).servername, line: String(bytes).split('\r\n')[0] }))
    socket.pipe(behind).pipe(socket)
    for (const [one, other] of [[socket, behind], [behind, socket]]) {
      one.on('error', () => {})
      one.on('close', () => other.destroy())
    }
    t.after(() => socket.destroy())
  })
  server.on('tlsClientError', () => {}) // whom it does not please goes away
  server.listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  return { port: /** @type {import('node:net').AddressInfo} */ (server.address()).port, seen }
}

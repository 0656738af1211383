import { isMultiaddr, multiaddr } from '../index.js'
import { InvalidParametersError, UnsupportedOperationError } from './errors.js'

/** The rest of @multiformats/multiaddr, most of it from before version 13. */

export const CODE_IP4 = 4
export const CODE_TCP = 6
export const CODE_UDP = 273
export const CODE_DCCP = 33
export const CODE_IP6 = 41
export const CODE_IP6ZONE = 42
export const CODE_IPCIDR = 43
export const CODE_DNS = 53
export const CODE_DNS4 = 54
export const CODE_DNS6 = 55
export const CODE_DNSADDR = 56
export const CODE_SCTP = 132
export const CODE_UDT = 301
export const CODE_UTP = 302
export const CODE_UNIX = 400
export const CODE_P2P = 421
export const CODE_ONION = 444
export const CODE_ONION3 = 445
export const CODE_GARLIC64 = 446
export const CODE_GARLIC32 = 447
export const CODE_TLS = 448
export const CODE_SNI = 449
export const CODE_NOISE = 454
export const CODE_QUIC = 460
export const CODE_QUIC_V1 = 461
export const CODE_WEBTRANSPORT = 465
export const CODE_CERTHASH = 466
export const CODE_HTTP = 480
export const CODE_HTTP_PATH = 481
export const CODE_HTTPS = 443
export const CODE_WS = 477
export const CODE_WSS = 478
export const CODE_P2P_WEBSOCKET_STAR = 479
export const CODE_P2P_STARDUST = 277
export const CODE_P2P_WEBRTC_STAR = 275
export const CODE_P2P_WEBRTC_DIRECT = 276
export const CODE_WEBRTC_DIRECT = 280
export const CODE_WEBRTC = 281
export const CODE_P2P_CIRCUIT = 290
export const CODE_MEMORY = 777

/** The length of a value that says its length itself. */
export const V = -1

/** Names whose meaning is looked up. */
const RESOLVABLE = ['dns', 'dns4', 'dns6', 'dnsaddr']

/** Of protocols that one cannot make an address with alone, a value that they take. */
const VALUES = ['/192.0.2.1', '/::1', '/1', '/a', '/12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf', '/uEiAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', '/aaaaaaaaaaaaaaaa:1', `/${'a'.repeat(56)}:1`]

/** By name: what multiaddr() knows of a protocol. @param {string} name */
function lookUp (name) {
  for (const value of ['', ...VALUES]) {
    try {
      return multiaddr(`/${name}${value}`).protos()[0]
    } catch {}
  }
  throw new InvalidParametersError(`"${name}" is not a protocol that Peerlet knows`)
}

/** The code's name, from the constants above. @param {number} code */
function nameOf (code) {
  const known = NAMES.find(([, number]) => number === code)
  if (known === undefined) throw new InvalidParametersError(`${code} is not a protocol that Peerlet knows`)
  return known[0]
}

/** @type {Array<[string, number]>} */
const NAMES = [
  ['ip4', CODE_IP4], ['tcp', CODE_TCP], ['udp', CODE_UDP], ['dccp', CODE_DCCP], ['ip6', CODE_IP6], ['ip6zone', CODE_IP6ZONE],
  ['ipcidr', CODE_IPCIDR], ['dns', CODE_DNS], ['dns4', CODE_DNS4], ['dns6', CODE_DNS6], ['dnsaddr', CODE_DNSADDR],
  ['sctp', CODE_SCTP], ['udt', CODE_UDT], ['utp', CODE_UTP], ['unix', CODE_UNIX], ['p2p', CODE_P2P], ['onion', CODE_ONION],
  ['onion3', CODE_ONION3], ['tls', CODE_TLS], ['sni', CODE_SNI], ['noise', CODE_NOISE], ['quic', CODE_QUIC],
  ['quic-v1', CODE_QUIC_V1], ['webtransport', CODE_WEBTRANSPORT], ['certhash', CODE_CERTHASH], ['http', CODE_HTTP],
  ['http-path', CODE_HTTP_PATH], ['https', CODE_HTTPS], ['ws', CODE_WS], ['wss', CODE_WSS],
  ['p2p-websocket-star', CODE_P2P_WEBSOCKET_STAR], ['p2p-stardust', CODE_P2P_STARDUST],
  ['p2p-webrtc-star', CODE_P2P_WEBRTC_STAR], ['p2p-webrtc-direct', CODE_P2P_WEBRTC_DIRECT],
  ['webrtc-direct', CODE_WEBRTC_DIRECT], ['webrtc', CODE_WEBRTC], ['p2p-circuit', CODE_P2P_CIRCUIT]
]

/** @param {string | number} protocol its name or its code */
export function protocols (protocol) {
  const { code, name, size } = lookUp(typeof protocol === 'number' ? nameOf(protocol) : protocol)
  return { code, name, size: Math.max(size, V), resolvable: RESOLVABLE.includes(name), path: name === 'unix' }
}

const fixed = () => { throw new UnsupportedOperationError('Peerlet knows a fixed set of multiaddr protocols') }

export const registry = Object.freeze({ getProtocol: protocols, addProtocol: fixed, removeProtocol: fixed })

/** Names are looked up by the node: see createLibp2p's option `dns`. @type {Map<string, any>} */
export const resolvers = new Map()

/** @param {any} value */
export const isName = (value) => isMultiaddr(value) && value.protoNames().some((name) => RESOLVABLE.includes(name))

/** @param {Array<[number, string?]>} tuples */
export const fromStringTuples = (tuples) => multiaddr(tuples.map(([code, value]) => ({ code, name: nameOf(code), value })))

/** @param {{ family: 4 | 6, address: string, port: number | string }} address @param {string} transport 'tcp' or 'udp' */
export function fromNodeAddress (address, transport) {
  if (address == null || transport == null) throw new InvalidParametersError(address == null ? 'requires node address object' : 'requires transport protocol')
  const [host, zone] = address.address.split('%')
  return multiaddr(`${zone === undefined ? '' : `/ip6zone/${zone}`}/ip${address.family}/${host}/${transport}/${address.port}`)
}

/** @param {number} n @returns {number[]} */
const varint = (n) => n < 0x80 ? [n] : [n & 0x7f | 0x80, ...varint(n >> 7)]

/** @param {Array<[number, Uint8Array?]>} tuples */
export const fromTuples = (tuples) => multiaddr(Uint8Array.from(tuples.flatMap(([code, value = new Uint8Array(0)]) => {
  return [...varint(code), ...protocols(code).size === V ? varint(value.length) : [], ...value]
})))

export class MultiaddrFilter {
  constructor () { throw new UnsupportedOperationError('Peerlet has no MultiaddrFilter: compare with Multiaddr.nodeAddress()') }
}

/** What Multiaddr has beside the node's own needs: given to it when this file is loaded. */
const methods = {
  /** @this {import('../index.js').Multiaddr} @returns {Array<[number, Uint8Array?]>} */
  tuples () {
    return this.getComponents().map((component) => {
      const { code, value } = component
      const { size } = protocols(code)
      if (value === undefined) return [code]
      const { bytes } = multiaddr([component])
      return [code, bytes.subarray(varint(code).length + (size === V ? varint(bytes.length).length : 0))]
    })
  },

  /** Whether it is an IP address and a port, and nothing else. @this {import('../index.js').Multiaddr} */
  isThinWaistAddress () {
    const [host, port, more] = this.protoNames()
    return /^ip[46]$/.test(host) && /^(tcp|udp)$/.test(port) && more === undefined
  },

  /** The node looks names up when it dials them. @this {import('../index.js').Multiaddr} */
  async resolve () { return [this] }
}

Object.assign(multiaddr('/ip4/192.0.2.1').constructor.prototype, methods)

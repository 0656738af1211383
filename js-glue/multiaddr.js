import { PeerletError } from './errors.js'
import { PeerId } from './peer-id.js'

/** Name to code; a name in NO_VALUE has no value behind it. multiformats/multiaddr, protocols.csv. */
const CODES = {
  ip4: 4, tcp: 6, dccp: 33, ip6: 41, ip6zone: 42, ipcidr: 43, dns: 53, dns4: 54, dns6: 55, dnsaddr: 56, sctp: 132, udp: 273, 'p2p-webrtc-star': 275, 'p2p-webrtc-direct': 276, 'p2p-stardust': 277, 'webrtc-direct': 280, webrtc: 281, 'p2p-circuit': 290, udt: 301, utp: 302, unix: 400, p2p: 421, ipfs: 421, https: 443, onion: 444, onion3: 445, garlic64: 446, garlic32: 447, tls: 448, sni: 449, noise: 454, quic: 460, 'quic-v1': 461, webtransport: 465, certhash: 466, ws: 477, wss: 478, 'p2p-websocket-star': 479, http: 480, 'http-path': 481
}
const NO_VALUE = new Set('p2p-webrtc-star p2p-webrtc-direct p2p-stardust webrtc-direct webrtc p2p-circuit udt utp https tls noise quic quic-v1 webtransport ws wss p2p-websocket-star http'.split(' '))

const IS_MULTIADDR = Symbol.for('@multiformats/multiaddr')

/** @typedef {{ code: number, name: string, value?: string }} Component */

/** @param {string} text @param {number} at @param {string} what */
const fault = (text, at, what) => new PeerletError('InvalidMultiaddrError', `"${text}" is not a multiaddr: at character ${at + 1}: ${what}`, 'BAD_MULTIADDR')

/**
 * Takes a multiaddr's text apart. The values themselves are checked by the core when it is used.
 *
 * @param {string} text
 * @returns {Component[]}
 */
function parse (text) {
  if (text[0] !== '/') throw fault(text, 0, 'it does not begin with a slash')
  const components = []
  const words = text.replace(/\/+$/, '').split('/')
  for (let i = 1, at = 1; i < words.length; i++) {
    const name = words[i] === 'ipfs' ? 'p2p' : words[i]
    const code = /** @type {Record<string, number>} */ (CODES)[name]
    if (code === undefined) throw fault(text, at, name === '' ? 'a protocol name is missing' : `"${name}" is not a known protocol`)
    at += words[i].length + 1
    if (NO_VALUE.has(name)) {
      components.push({ code, name })
      continue
    }
    const value = words[++i]
    if (value === undefined || value === '') throw fault(text, Math.min(at, text.length), `"${name}" wants a value behind it`)
    const isPort = name === 'tcp' || name === 'udp'
    if (isPort && !(/^\d+$/.test(value) && Number(value) < 65536)) throw fault(text, at, `"${value}" is not a port (0..65535)`)
    at += value.length + 1
    components.push({ code, name, value })
  }
  return components
}

/** @param {Component[]} components */
const format = (components) => components.map(({ name, value }) => value === undefined ? `/${name}` : `/${name}/${value}`).join('')

/** The core that turns text into bytes and back; there is one once a node was made. */
let codec = /** @type {{ toBytes: (text: string) => Uint8Array, toText: (bytes: Uint8Array) => string } | undefined} */ (undefined)

/** @param {NonNullable<typeof codec>} c */
export const setCodec = (c) => { codec = c }

function needCodec () {
  if (codec === undefined) throw new PeerletError('NotStartedError', 'the binary form of a multiaddr needs a node; call createLibp2p first')
  return codec
}

/** An address that says how to get there: `/ip4/192.0.2.1/tcp/443/tls/ws/p2p/12D3Koo…`. */
export class Multiaddr {
  #components
  #text

  /** @param {string} text */
  constructor (text) {
    this.#components = parse(text)
    this.#text = format(this.#components)
  }

  get [IS_MULTIADDR] () { return true }
  get [Symbol.toStringTag] () { return `Multiaddr(${this.#text})` }
  get bytes () { return needCodec().toBytes(this.#text) }

  toString () { return this.#text }
  toJSON () { return this.#text }
  getComponents () { return this.#components.map((c) => ({ ...c })) }
  protos () { return this.#components.map(({ code, name, value }) => ({ code, name, size: value === undefined ? 0 : -1 })) }
  protoNames () { return this.#components.map((c) => c.name) }
  protoCodes () { return this.#components.map((c) => c.code) }
  stringTuples () { return this.#components.map(({ code, value }) => value === undefined ? [code] : [code, value]) }

  /** The Peer ID at the end of the address, as text. */
  getPeerId () { return this.#components.findLast((c) => c.name === 'p2p')?.value ?? null }
  getPath () { return this.#components.find((c) => c.name === 'unix')?.value ?? null }

  nodeAddress () {
    const { family, host, port } = this.toOptions()
    return { family, address: host, port }
  }

  toOptions () {
    const host = this.#components.find((c) => /^(ip4|ip6|dns.*)$/.test(c.name))
    const transport = this.#components.find((c) => c.name === 'tcp' || c.name === 'udp')
    if (host === undefined) throw new PeerletError('InvalidMultiaddrError', `"${this.#text}" names no host`)
    return { family: /6/.test(host.name) ? 6 : 4, host: String(host.value), transport: transport?.name ?? 'tcp', port: Number(transport?.value ?? 443) }
  }

  /** @param {string | Multiaddr} other put behind this one */
  encapsulate (other) { return new Multiaddr(this.#text + String(other)) }

  /** @param {string | Multiaddr} other cut off, with all behind its last occurrence */
  decapsulate (other) {
    const at = this.#text.lastIndexOf(String(other))
    if (at < 0) throw new PeerletError('InvalidParametersError', `${this.#text} does not contain ${other}`)
    return new Multiaddr(this.#text.slice(0, at))
  }

  /** @param {number} code cut off, with all behind its last occurrence */
  decapsulateCode (code) {
    const at = this.#components.findLastIndex((c) => c.code === code)
    return at < 0 ? this : new Multiaddr(format(this.#components.slice(0, at)))
  }

  /** @param {any} other */
  equals (other) { return String(other) === this.#text }
}

/**
 * @param {string | Multiaddr | Uint8Array} addr
 * @returns {Multiaddr}
 */
export function multiaddr (addr) {
  if (addr instanceof Multiaddr) return addr
  if (addr instanceof Uint8Array) return new Multiaddr(needCodec().toText(addr))
  return new Multiaddr(String(addr))
}

/** @param {any} value */
export const isMultiaddr = (value) => value?.[IS_MULTIADDR] === true

/** The id in an address, if there is one. @param {Multiaddr} ma */
export const peerOf = (ma) => {
  const id = ma.getPeerId()
  return id === null ? undefined : new PeerId(id)
}

const HOST = '/(ip4|ip6|dns|dns4|dns6)/[^/]+'
const PEER = '(/p2p/[^/]+)?'
const CERTHASHES = '(/certhash/[^/]+){1,2}'

/** @param {string} pattern */
const matcher = (pattern) => {
  const exact = new RegExp(`^${pattern}${PEER}$`)
  const prefix = new RegExp(`^${pattern}${PEER}(/|$)`)
  return {
    /** @param {any} ma */
    matches: (ma) => ma != null && prefix.test(String(ma)),
    /** @param {any} ma */
    exactMatch: (ma) => ma != null && exact.test(String(ma))
  }
}

export const WebSockets = matcher(`${HOST}(/tcp/\\d+)?/(ws|wss|tls(/sni/[^/]+)?/ws)`)
export const WebSocketsSecure = matcher(`${HOST}(/tcp/\\d+)?/(wss|tls(/sni/[^/]+)?/ws)`)
export const WebTransport = matcher(`${HOST}/udp/\\d+/quic-v1/webtransport${CERTHASHES}`)
export const WebRTCDirect = matcher(`${HOST}/udp/\\d+/webrtc-direct${CERTHASHES}`)
export const WebRTC = matcher('(/.+)?/webrtc')
export const Circuit = matcher('(/.+)?/p2p-circuit')
export const P2P = matcher('(/.+)?')

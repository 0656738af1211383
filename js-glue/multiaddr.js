import { decodeBase, encodeBase } from './bases.js'
import { makeError } from './errors.js'
import { peerIdFromMultihash, peerIdFromString } from './peer-id.js'

const MULTIADDR = Symbol.for('@multiformats/multiaddr')

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * How the values of one kind of protocol are written. `size` is the number of bytes, or VARIABLE where
 * a length stands in front; `bytes` returns nothing when the text is not such a value.
 *
 * @typedef {object} Kind
 * @property {number} size
 * @property {string} is in words, for who wrote something else; the core says it in the same ones
 * @property {(text: string) => ArrayLike<number> | undefined} bytes
 * @property {(bytes: Uint8Array) => string | undefined} text
 */

const VARIABLE = -1

/** @param {string} text a decimal @param {number} max */
const number = (text, max) => /^\d{1,5}$/.test(text) && Number(text) <= max ? Number(text) : undefined

/** @param {string} text */
function ip4Bytes (text) {
  const parts = text.split('.').map((part) => number(part, 255))
  return parts.length === 4 && !parts.includes(undefined) ? /** @type {number[]} */ (parts) : undefined
}

/** As RFC 5952 has it, which is how URLs have it. @param {string} text @returns {string | undefined} */
const ip6 = (text) => /^[\da-f:.]+$/i.test(text) ? attempt(() => new URL(`http://[${text}]`).hostname.slice(1, -1)) : undefined

/** @param {string} text */
function ip6Bytes (text) {
  const halves = ip6(text)?.split('::').map((half) => half.split(':').filter(Boolean))
  if (halves === undefined) return undefined
  const [head, tail = []] = halves
  const groups = [...head, ...Array(8 - head.length - tail.length).fill('0'), ...tail]
  return groups.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 255])
}

/** @param {Uint8Array} bytes */
const ip6Text = (bytes) => ip6(Array.from({ length: 8 }, (_, i) => (bytes[2 * i] << 8 | bytes[2 * i + 1]).toString(16)).join(':'))

/** @param {string} text @param {number} length of the onion's own part */
function onionBytes (text, length) {
  const [name, port] = text.split(':')
  const host = decodeBase('b', name)
  const p = number(port ?? '', 65535)
  return host?.length === length && p !== undefined && p > 0 ? [...host, p >> 8, p & 255] : undefined
}

/** @param {number} length @returns {Kind} */
const onion = (length) => ({
  size: length + 2,
  is: 'an onion address (base32:port)',
  bytes: (text) => onionBytes(text, length),
  text: (bytes) => `${encodeBase('b', bytes.subarray(0, length))}:${bytes[length] << 8 | bytes[length + 1]}`
})

/** @param {string} text a multihash in any base */
function hashBytes (text) {
  const bytes = decodeBase(text[0], text.slice(1))
  const at = (bytes?.findIndex((byte) => byte < 0x80) ?? -1) + 1
  return bytes !== undefined && at > 0 && bytes[at] === bytes.length - at - 1 ? bytes : undefined
}

/** @param {() => any} f @returns {any} nothing where it throws */
function attempt (f) {
  try {
    return f()
  } catch {
    return undefined
  }
}

/** @type {Record<string, Kind>} */
const KINDS = {
  none: { size: 0, is: '', bytes: () => [], text: () => undefined },
  ip4: { size: 4, is: 'an IPv4 address (192.0.2.1)', bytes: ip4Bytes, text: (bytes) => bytes.join('.') },
  ip6: { size: 16, is: 'an IPv6 address (2001:db8::1)', bytes: ip6Bytes, text: ip6Text },
  port: {
    size: 2,
    is: 'a port (0..65535)',
    bytes: (text) => { const n = number(text, 65535); return n === undefined ? n : [n >> 8, n & 255] },
    text: (bytes) => String(bytes[0] << 8 | bytes[1])
  },
  mask: {
    size: 1,
    is: 'a number of bits (0..128)',
    bytes: (text) => { const n = number(text, 128); return n === undefined ? n : [n] },
    text: (bytes) => String(bytes[0])
  },
  host: { size: VARIABLE, is: 'a host name', bytes: (text) => /[\s:@]/.test(text) ? undefined : encoder.encode(text), text: (bytes) => attempt(() => decoder.decode(bytes)) },
  path: {
    size: VARIABLE,
    is: 'a percent-encoded path',
    bytes: (text) => attempt(() => encoder.encode(decodeURIComponent(text))),
    text: (bytes) => attempt(() => encodeURIComponent(decoder.decode(bytes)))
  },
  peer: {
    size: VARIABLE,
    is: 'a Peer ID (12D3Koo...)',
    bytes: (text) => attempt(() => peerIdFromString(text).toMultihash().bytes),
    text: (bytes) => attempt(() => peerIdFromMultihash(bytes).toString())
  },
  hash: {
    size: VARIABLE,
    is: 'a hash in multibase (uEi...)',
    bytes: hashBytes,
    text: (bytes) => 'u' + encodeBase('u', bytes)
  },
  onion: onion(10),
  onion3: onion(35)
}

/** multiformats/multiaddr, protocols.csv: kind, then names with their codes. */
const PROTOCOLS = `
  none  p2p-webrtc-star 275 p2p-webrtc-direct 276 p2p-stardust 277 webrtc-direct 280 webrtc 281 p2p-circuit 290 udt 301
  none  utp 302 https 443 tls 448 noise 454 quic 460 quic-v1 461 webtransport 465 ws 477 wss 478 p2p-websocket-star 479 http 480
  ip4   ip4 4
  ip6   ip6 41
  mask  ipcidr 43
  port  tcp 6 dccp 33 sctp 132 udp 273
  host  ip6zone 42 dns 53 dns4 54 dns6 55 dnsaddr 56 sni 449
  path  unix 400 http-path 481
  peer  p2p 421 ipfs 421
  hash  certhash 466
  onion onion 444
  onion3 onion3 445`

/** @typedef {{ code: number, name: string, kind: Kind }} Protocol */

/** @type {Map<string, Protocol>} */
const byName = new Map()
/** @type {Map<number, Protocol>} */
const byCode = new Map()
for (const line of PROTOCOLS.trim().split('\n')) {
  const [kind, ...rest] = line.trim().split(/ +/)
  for (let i = 0; i < rest.length; i += 2) {
    const code = Number(rest[i + 1])
    // `ipfs` is the old name of `p2p`: read, never written.
    const protocol = byCode.get(code) ?? { code, name: rest[i], kind: KINDS[kind] }
    byCode.set(code, protocol)
    byName.set(rest[i], protocol)
  }
}

/**
 * One step of an address: `/tcp/443` is `{ code: 6, name: 'tcp', value: '443' }`.
 *
 * @typedef {{ code: number, name: string, value?: string }} Component
 */

/** @param {string} message */
const invalid = (message) => makeError('InvalidMultiaddrError', message, 'BAD_MULTIADDR')

/** @param {string} text @returns {Component[]} @throws InvalidMultiaddrError, with the `position` in the text */
function parseText (text) {
  /** @param {number} position @param {string} what */
  const fault = (position, what) => Object.assign(invalid(`"${text}" is not a multiaddr: at character ${position + 1}: ${what}`), { position })

  if (text[0] !== '/') throw fault(0, 'an address begins with a slash, as /dns4/example.com/tcp/443/wss')
  const words = text.replace(/\/$/, '').split('/').slice(1)
  const components = []
  for (let i = 0, at = 1; i < words.length; i++) {
    const word = words[i]
    const protocol = byName.get(word)
    if (protocol === undefined) throw fault(at, word === '' ? 'a protocol name is missing' : `"${word}" is not a known protocol`)
    const { code, name, kind } = protocol
    if (kind.size === 0) {
      components.push({ code, name })
      at += word.length + 1
      continue
    }
    const value = words[++i] ?? ''
    if (value === '') throw fault(at, `"${word}" must be followed by ${kind.is}`)
    at += word.length + 1
    const bytes = kind.bytes(value)
    if (bytes === undefined) throw fault(at, `"${value}" is not ${kind.is}`)
    components.push({ code, name, value: kind.text(Uint8Array.from(bytes)) })
    at += value.length + 1
  }
  return components
}

/** @param {Uint8Array} bytes @param {number} at @returns {[value: number, at: number]} and what is behind it */
function varintAt (bytes, at) {
  let value = 0
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = bytes[at++] ?? 0x80
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) return [value, at]
  }
  throw invalid('these bytes are not a multiaddr: a number in them does not end')
}

/** @param {Uint8Array} bytes @returns {Component[]} */
function parseBytes (bytes) {
  const components = []
  for (let at = 0, code, length; at < bytes.length;) {
    [code, at] = varintAt(bytes, at)
    const protocol = byCode.get(code)
    if (protocol === undefined) throw invalid(`these bytes are not a multiaddr: ${code} is not a known protocol`)
    const { name, kind } = protocol
    if (kind.size === 0) {
      components.push({ code, name })
      continue
    }
    length = kind.size
    if (length === VARIABLE) [length, at] = varintAt(bytes, at)
    const isThere = length > 0 && at + length <= bytes.length
    const value = isThere ? kind.text(bytes.subarray(at, at + length)) : undefined
    if (value === undefined) throw invalid(`these bytes are not a multiaddr: what follows "${name}" is not ${kind.is}`)
    components.push({ code, name, value })
    at += length
  }
  return components
}

/** @param {number} n */
function varint (n) {
  const bytes = []
  for (; n >= 0x80; n >>= 7) bytes.push(n & 0x7f | 0x80)
  return [...bytes, n]
}

/** @param {Component} component */
function componentBytes ({ code, value = '' }) {
  const { kind } = /** @type {Protocol} */ (byCode.get(code))
  const bytes = /** @type {ArrayLike<number>} */ (kind.bytes(value))
  return [...varint(code), ...(kind.size === VARIABLE ? varint(bytes.length) : []), ...Array.from(bytes)]
}

/** @param {Component[]} components */
const format = (components) => components.map(({ name, value }) => value === undefined ? `/${name}` : `/${name}/${value}`).join('')

/** @typedef {string | Uint8Array | Component[] | { toString: () => string } | null} MultiaddrInput */

/** @param {MultiaddrInput} input @returns {Component[]} */
function componentsOf (input) {
  if (input instanceof Uint8Array) return parseBytes(input)
  if (Array.isArray(input)) return parseText(format(input))
  const text = String(input ?? '')
  return text === '' || text === '/' ? [] : parseText(text)
}

/** An address that says how to get there: `/ip4/192.0.2.1/tcp/443/tls/ws/p2p/12D3Koo…`. Immutable. */
export class Multiaddr {
  #components
  #text

  /** @param {Component[]} components in canonical form; others go through multiaddr() */
  constructor (components) {
    this.#components = components
    this.#text = format(components)
  }

  get [MULTIADDR] () { return true }
  get [Symbol.toStringTag] () { return `Multiaddr(${this.#text})` }

  /** The binary form. */
  get bytes () { return Uint8Array.from(this.#components.flatMap(componentBytes)) }

  toString () { return this.#text || '/' }
  toJSON () { return this.toString() }

  /** @returns {Component[]} */
  getComponents () { return this.#components.map((component) => ({ ...component })) }

  /** This address, then that one. @param {MultiaddrInput} other */
  encapsulate (other) { return new Multiaddr([...this.#components, ...componentsOf(other)]) }

  /** What stands in front of the last occurrence of `other`. @param {Multiaddr | string} other */
  decapsulate (other) {
    const at = this.#text.lastIndexOf(String(other))
    if (at < 0) throw makeError('InvalidParametersError', `${this} does not contain ${other}`)
    return multiaddr(this.#text.slice(0, at))
  }

  /** What stands in front of the last component with this code. @param {number} code */
  decapsulateCode (code) {
    const at = this.#components.map((component) => component.code).lastIndexOf(code)
    return at < 0 ? this : new Multiaddr(this.#components.slice(0, at))
  }

  /** @param {any} other */
  equals (other) { return isMultiaddr(other) && String(other) === String(this) }

  // The shapes of @multiformats/multiaddr before version 13.

  protos () {
    return this.#components.map(({ code, name }) => {
      const { size } = /** @type {Protocol} */ (byCode.get(code)).kind
      return { code, name, size: Math.max(size * 8, VARIABLE) }
    })
  }

  protoNames () { return this.#components.map(({ name }) => name) }
  protoCodes () { return this.#components.map(({ code }) => code) }

  /** @returns {Array<[number, string?]>} */
  stringTuples () { return this.#components.map(({ code, value }) => value === undefined ? [code] : [code, value]) }

  /** The last Peer ID in it, which is whom it leads to. */
  getPeerId () { return this.#components.filter(({ name }) => name === 'p2p').pop()?.value ?? null }

  getPath () {
    const path = this.#components.find(({ name }) => name === 'unix')?.value
    return path === undefined ? null : decodeURIComponent(path)
  }

  /** Host and port in the manner of Node's `net`. */
  nodeAddress () {
    const { family, host: address, port } = this.toOptions()
    return { family, address, port }
  }

  toOptions () {
    const [host, transport] = this.#components
    if (!/^(ip4|ip6|dns.*)$/.test(host?.name ?? '')) throw makeError('InvalidParametersError', `${this} does not begin with an IP address or a name`)
    const isPort = transport?.name === 'tcp' || transport?.name === 'udp'
    return {
      family: /** @type {4 | 6} */ (host.name.endsWith('6') ? 6 : 4),
      host: String(host.value),
      transport: isPort ? transport.name : 'tcp',
      port: isPort ? Number(transport.value) : 443
    }
  }

  get [Symbol.for('nodejs.util.inspect.custom')] () { return () => `Multiaddr(${this})` }
}

/**
 * @param {MultiaddrInput} [input] text, bytes, components, or another Multiaddr
 * @returns {Multiaddr}
 */
export const multiaddr = (input = null) => input instanceof Multiaddr ? input : new Multiaddr(componentsOf(input))

/** @param {any} value @returns {value is Multiaddr} */
export const isMultiaddr = (value) => value?.[MULTIADDR] === true

/**
 * A list as the core writes and takes them: each address behind its length. What is not known here is
 * left out: a peer may say anything.
 *
 * @param {Uint8Array} list
 * @returns {Multiaddr[]}
 */
export function fromList (list) {
  const addresses = []
  for (let at = 0, length; at < list.length; at += length) {
    [length, at] = varintAt(list, at)
    addresses.push(...readable(list.subarray(at, at + length)))
  }
  return addresses
}

/** The address, if it is one. @param {MultiaddrInput} input @returns {Multiaddr[]} */
export const readable = (input) => attempt(() => [multiaddr(input)]) ?? []

/** @param {Multiaddr[]} addresses */
export const toList = (addresses) => Uint8Array.from(addresses.flatMap(({ bytes }) => [...varint(bytes.length), ...bytes]))

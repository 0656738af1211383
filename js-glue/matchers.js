/**
 * What kind of address a multiaddr is, as @multiformats/multiaddr-matcher has it: `exactMatch` wants
 * the whole address to be of the kind, `matches` its beginning.
 *
 * @typedef {{ matches: (ma?: any) => boolean, exactMatch: (ma?: any) => boolean }} MultiaddrMatcher
 */

/** @param {string} pattern @returns {MultiaddrMatcher} */
function matcher (pattern) {
  /** @param {string} end */
  const test = (end) => {
    const expression = new RegExp(`^(${pattern})${end}`)
    return (/** @type {any} */ ma) => ma != null && expression.test(String(ma))
  }
  return { matches: test('(?=/|$)'), exactMatch: test('$') }
}

const VALUE = '/[^/]+'
const peer = `(/p2p${VALUE})?`
const cidr = `(/ipcidr${VALUE})?`
const ip4 = `/ip4${VALUE}${cidr}`
const ip6 = `(/ip6zone${VALUE})?/ip6${VALUE}${cidr}`
const dns = `/dns(4|6|addr)?${VALUE}`
const host = `(${ip4}|${ip6}|${dns})`
const tcp = `${host}/tcp${VALUE}`
const udp = `${host}/udp${VALUE}`
const quic = `${udp}/quic${peer}`
const quicV1 = `${udp}/quic-v1${peer}`
const web = `(${quicV1}|${quic}|${udp}|${tcp}|${host})`
const ws = `${web}/ws${peer}`
const wss = `${web}(/wss|/tls(/sni${VALUE})?/ws)${peer}`
const hashes = `(/certhash${VALUE}){0,2}${peer}`
const webRTCDirect = `${udp}/webrtc-direct${hashes}`
const webTransport = `${quicV1}/webtransport${hashes}`
const p2p = `(${ws}|${wss}|${webTransport}|${webRTCDirect}|${quicV1}|${quic}|${tcp}${peer}|${host}${peer}|/p2p${VALUE})`

export const PEER_ID = matcher(`/p2p${VALUE}`)
export const DNS4 = matcher(`/dns4${VALUE}${peer}`)
export const DNS6 = matcher(`/dns6${VALUE}${peer}`)
export const DNSADDR = matcher(`/dnsaddr${VALUE}${peer}`)
export const DNS = matcher(`${dns}${peer}`)
export const IP4 = matcher(ip4)
export const IP6 = matcher(ip6)
export const IP = matcher(`${ip4}|${ip6}`)
export const IP_OR_DOMAIN = matcher(`${ip4}|${ip6}|${dns}${peer}`)
export const TCP = matcher(`${tcp}${peer}`)
export const UDP = matcher(udp)
export const QUIC = matcher(quic)
export const QUIC_V1 = matcher(quicV1)
export const WebSockets = matcher(ws)
export const WebSocketsSecure = matcher(wss)
export const WebRTCDirect = matcher(webRTCDirect)
export const WebTransport = matcher(webTransport)
export const P2P = matcher(p2p)
export const Circuit = matcher(`(${p2p})?/p2p-circuit(?!/webrtc(/|$))${peer}`)
export const WebRTC = matcher(`(${p2p}(/p2p-circuit)?)?/webrtc${peer}`)
export const HTTP = matcher(`${host}(/tcp/80|/tcp${VALUE}/http|/http)(/http-path${VALUE})?${peer}`)
export const HTTPS = matcher(`${host}(/tcp/443(/http)?|/tcp${VALUE}(/https|/tls/http)|/tls(/http)?|/https)(/http-path${VALUE})?${peer}`)
export const Unix = matcher(`/unix${VALUE}${peer}`)

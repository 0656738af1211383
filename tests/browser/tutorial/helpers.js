// What the tutorial's page shows: our addresses, the kinds of our connections, and our peers.
import { Circuit, WebRTC, WebSockets, WebSocketsSecure, WebTransport } from '@multiformats/multiaddr-matcher'

const KINDS = [
  ['WebRTC', WebRTC],
  ['WebSockets', WebSockets],
  ['WebSockets (secure)', WebSocketsSecure],
  ['WebTransport', WebTransport],
  ['Circuit Relay', Circuit]
]

export const getAddresses = (libp2p) => libp2p.getMultiaddrs().map((ma) => ma.toString())

export function getConnectionTypes (libp2p) {
  const counts = new Map([...KINDS.map(([name]) => [name, 0]), ['Other', 0]])
  for (const { remoteAddr } of libp2p.getConnections()) {
    const [name] = KINDS.find(([, matcher]) => matcher.exactMatch(remoteAddr)) ?? ['Other']
    counts.set(name, counts.get(name) + 1)
  }
  return [...counts].map(([name, count]) => `${name}: ${count}`)
}

export function getPeerDetails (libp2p) {
  const relays = libp2p.getMultiaddrs()
    .filter((ma) => Circuit.exactMatch(ma))
    .map((ma) => ma.getComponents().find(({ name }) => name === 'p2p')?.value)
  return libp2p.getPeers().map((peer) => {
    const addrs = libp2p.getConnections(peer).map((conn) => conn.remoteAddr.toString())
    return `${peer.toString()}${relays.includes(peer.toString()) ? ' (relay)' : ''} ${addrs.join(' ')}`
  })
}

export function update (element, lines) {
  if (!Array.isArray(lines)) {
    element.textContent = lines
    return
  }
  element.replaceChildren(...lines.map((line) => {
    const item = document.createElement('li')
    item.textContent = line
    return item
  }))
}

// What the page says: every sentence about peers, connections and failures.
import { Circuit, WebRTC } from 'peerlet'

const plural = (n, one, many) => n === 1 ? `1 ${one}` : `${n} ${many}`

/** The end of a Peer ID: all of them begin alike. */
export const shortName = (id) => String(id).slice(-6)

/** A hue that stays with a Peer ID. */
export function hueOf (id) {
  let hash = 0
  for (const char of String(id)) hash = (hash * 31 + char.charCodeAt(0)) % 360
  return hash
}

/** @returns {'direct' | 'relayed' | 'socket'} */
export function kindOf (connection) {
  if (WebRTC.exactMatch(connection.remoteAddr)) return 'direct'
  if (Circuit.exactMatch(connection.remoteAddr)) return 'relayed'
  return 'socket'
}

export const KIND_NAMES = { direct: 'direct WebRTC', relayed: 'relayed', socket: 'WebSocket' }

export const roundTrip = (ms) => ms === undefined ? '' : ms < 1 ? '< 1 ms' : `${Math.round(ms)} ms`

export const peopleInRoom = (n) => n === 0 ? 'only you' : `you and ${plural(n, 'other', 'others')}`

/**
 * The line that says how we are connected.
 *
 * @param {{ online: boolean, hasRelay: boolean, wasRelayed: boolean, relayOpen: boolean,
 *   reachable: boolean, refusal: string | undefined, direct: number, relayed: number }} state
 * @returns {{ mood: 'good' | 'warn' | 'bad' | 'busy', text: string }}
 */
export function statusOf ({ online, hasRelay, wasRelayed, relayOpen, reachable, refusal, direct, relayed }) {
  const directly = `connected directly to ${plural(direct, 'person', 'people')}`
  if (!online) {
    return direct > 0
      ? { mood: 'warn', text: `Offline, but still ${directly}.` }
      : { mood: 'bad', text: 'Offline. Waiting for the network to come back.' }
  }
  if (!relayOpen && hasRelay) {
    if (direct > 0) return { mood: 'warn', text: `Reconnecting to the relay; still ${directly}.` }
    return { mood: 'busy', text: wasRelayed ? 'Reconnecting to the relay…' : 'Connecting to the relay…' }
  }
  if (direct === 0 && relayed > 0) {
    return { mood: 'warn', text: `Only relayed to ${plural(relayed, 'person', 'people')}; looking for a direct path.` }
  }
  if (direct > 0) {
    const others = relayed > 0 ? `, to ${relayed} more through the relay` : ''
    return { mood: 'good', text: `Connected directly to ${plural(direct, 'person', 'people')}${others}.` }
  }
  if (!hasRelay) return { mood: 'bad', text: 'No relay, so nobody can find you. Give one under “Relay”.' }
  if (!reachable && refusal !== undefined) return { mood: 'warn', text: `The relay gives us no address: ${explain(refusal)}` }
  if (!reachable) return { mood: 'busy', text: 'Asking the relay for an address…' }
  return { mood: 'good', text: 'Ready. Waiting for somebody else to open this page.' }
}

/** A failure for a person: the node's own sentence, without what only a program needs. */
export function explain (err) {
  const text = String(err?.message ?? err).trim()
  if (text === '') return 'It did not work, and no reason was given.'
  const sentence = text[0].toUpperCase() + text.slice(1)
  return /[.!?…]$/.test(sentence) ? sentence : `${sentence}.`
}

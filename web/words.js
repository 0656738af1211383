// What the page says: every sentence about peers, connections and failures.
import { Circuit, WebRTC, WebRTCDirect, WebTransport } from 'peerlet'
import { fileSize } from './wire.js'

/** The room of libp2p's own example application. */
export const UNIVERSAL = 'universal-connectivity'

/** @param {number} n @param {string} one @param {string} many */
const plural = (n, one, many) => n === 1 ? `1 ${one}` : `${n} ${many}`

/** The end of a Peer ID: all of them begin alike. @param {unknown} id */
export const shortName = (id) => String(id).slice(-6)

/** A hue that stays with a Peer ID. @param {unknown} id */
export function hueOf (id) {
  let hash = 0
  for (const char of String(id)) hash = (hash * 31 + char.charCodeAt(0)) % 360
  return hash
}

/** @typedef {'direct' | 'relayed' | 'socket' | 'session' | 'server'} Kind how a connection runs; the last three to servers */

/** @param {import('peerlet').Connection} connection @returns {Kind} */
export function kindOf (connection) {
  if (WebRTC.exactMatch(connection.remoteAddr)) return 'direct'
  if (Circuit.exactMatch(connection.remoteAddr)) return 'relayed'
  if (WebTransport.exactMatch(connection.remoteAddr)) return 'session'
  return WebRTCDirect.exactMatch(connection.remoteAddr) ? 'server' : 'socket'
}

export const KIND_NAMES = { direct: 'direct WebRTC', relayed: 'relayed', socket: 'WebSocket', session: 'WebTransport', server: 'WebRTC' }

/** @param {number | undefined} ms */
export const roundTrip = (ms) => ms === undefined ? '' : ms < 1 ? '< 1 ms' : `${Math.round(ms)} ms`

/** Which way an address of ours leads here. @param {string} address */
export const wayOf = (address) => address.includes('/webrtc') ? 'Direct, by WebRTC' : 'Through the relay'

/**
 * What stands in a room where nothing was said.
 *
 * @param {string} room
 * @param {number} others in the room
 * @param {boolean} hasRelay
 * @param {boolean} isLocal whether the page's address means this computer only
 */
export function emptyRoom (room, others, hasRelay, isLocal) {
  if (others > 0) {
    return { title: 'Say hello', text: `${plural(others, 'other person is', 'other people are')} here, and nothing has been said since you came.` }
  }
  if (!hasRelay) return { title: 'Nobody can find you yet', text: 'A relay introduces people to each other: give the address of one under “Relay”.' }
  if (room === UNIVERSAL) {
    return { title: 'Nobody else is here yet', text: 'People of the universal-connectivity application come in here when they meet the same relay, and so does whoever opens this link.' }
  }
  const text = 'Open this page a second time, or send somebody the link. You find each other by yourselves.'
  const local = ' The link works on this computer only; make demo HOST=0.0.0.0 lets the network in.'
  return { title: 'Nobody else is here yet', text: isLocal ? text + local : text }
}

/** @param {string} to the one person that a message is for @param {boolean} mine */
export const whoHears = (to, mine) => mine ? `only to ${shortName(to)}` : 'only to you'

/** What the control of a file says, and what it says to who does not see the rest. @param {import('./chat.js').SharedFile} file @param {boolean} mine */
export function fileLabel ({ name, size, progress, url }, mine) {
  const known = size === undefined ? '' : ` ${fileSize(size)}`
  if (mine) return { label: known.trim(), hint: '' }
  if (progress !== undefined) return { label: `${Math.round(progress * 100)} %`, hint: `Stop fetching ${name}` }
  if (url !== undefined) return { label: `Save${known && ` · ${known.trim()}`}`, hint: `Save ${name},${known}` }
  return { label: `Fetch${known && ` · ${known.trim()}`}`, hint: `Fetch ${name}${known && `,${known}`}` }
}

/** What has become of a message. @param {import('peerlet/room').Sent} sent @param {number} others who are here */
export function stateOf ({ state, seen }, others) {
  if (state === 'queued') return 'waits for somebody to come'
  if (state === 'failed') return 'was not sent'
  if (state === 'sent') return undefined
  return seen >= others ? 'seen' : `seen by ${seen} of ${others}`
}

/** Who has fetched a file of ours. @param {number} n */
export const takenBy = (n) => `fetched by ${plural(n, 'person', 'people')}`

/** @param {number} n of others */
export const peopleInRoom = (n) => n === 0 ? 'only you' : `you and ${plural(n, 'other', 'others')}`

/**
 * @typedef {object} State of our connections
 * @property {boolean} online
 * @property {boolean} hasRelay the page was given one
 * @property {boolean} wasRelayed we were connected to it before
 * @property {boolean} relayOpen we are connected to it now
 * @property {boolean} reachable we have an address through a relay
 * @property {string | undefined} refusal why the relay gives us none, or cannot be reached
 * @property {number} direct how many people we are connected to directly
 * @property {number} relayed and how many only through a relay
 */

/** @typedef {{ mood: 'good' | 'warn' | 'bad' | 'busy', text: string }} Status */

/** The line that says how we are connected. @param {State} state @returns {Status} */
export function statusOf ({ online, hasRelay, wasRelayed, relayOpen, reachable, refusal, direct, relayed }) {
  const directly = `connected directly to ${plural(direct, 'person', 'people')}`
  if (!online) {
    return direct > 0
      ? { mood: 'warn', text: `Offline, but still ${directly}.` }
      : { mood: 'bad', text: 'Offline. Waiting for the network to come back.' }
  }
  if (!relayOpen && hasRelay) {
    if (direct > 0) return { mood: 'warn', text: `Reconnecting to the relay; still ${directly}.` }
    if (wasRelayed) return { mood: 'busy', text: 'Reconnecting to the relay…' }
    if (refusal === undefined) return { mood: 'busy', text: 'Connecting to the relay…' }
    return { mood: 'bad', text: `The relay cannot be reached: ${uncapitalized(explain(refusal))} Trying again…` }
  }
  if (direct === 0 && relayed > 0) {
    return { mood: 'warn', text: `Only relayed to ${plural(relayed, 'person', 'people')}; looking for a direct path.` }
  }
  if (direct > 0) {
    const others = relayed > 0 ? `, to ${relayed} more through the relay` : ''
    return { mood: 'good', text: `Connected directly to ${plural(direct, 'person', 'people')}${others}.` }
  }
  if (!hasRelay) return { mood: 'bad', text: 'No relay, so nobody can find you. Give one under “Relay”.' }
  if (!reachable && refusal !== undefined) return { mood: 'warn', text: `The relay gives us no address: ${uncapitalized(explain(refusal))}` }
  if (!reachable) return { mood: 'busy', text: 'Asking the relay for an address…' }
  return { mood: 'good', text: 'Ready. Waiting for somebody else.' }
}

/** @param {string} sentence */
const uncapitalized = (sentence) => sentence[0].toLowerCase() + sentence.slice(1)

/**
 * Why somebody did not get a message, or did not give a file.
 *
 * @param {any} err
 * @param {string} id whose Peer ID
 */
export function explainPeer (err, id) {
  const who = shortName(id)
  switch (err.name) {
    case 'UnsupportedProtocolError': return `The program of ${who} cannot do that.`
    case 'LimitedConnectionError': return `Only a relay connects you to ${who}, and that is for short messages.`
    case 'TimeoutError': return `${who} does not answer.`
    case 'StreamResetError': return `${who} refused it.`
    case 'RefusedError': return `${who} refused it: ${explain(uncapitalized(err.message))}`
    case 'WireError': return `${who} sent something else: ${err.message}.`
    case 'FileGoneError': return `${who} does not offer it any more.`
    case 'FileLostError':
    case 'PeerLeftError':
    case 'DialError':
    case 'NotFoundError':
    case 'NoValidAddressesError':
    case 'ConnectionFailedError':
    case 'ConnectionClosedError': return `${who} is not here any more.`
    default: return explain(err)
  }
}

/** A failure for a person: the node's own words as a sentence. @param {any} err */
export function explain (err) {
  const text = String(err?.message ?? err).trim()
  if (text === '') return 'It did not work, and no reason was given.'
  const sentence = text[0].toUpperCase() + text.slice(1)
  return /[.!?…]$/.test(sentence) ? sentence : `${sentence}.`
}

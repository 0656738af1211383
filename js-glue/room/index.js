/**
 * Rooms: the shortest way from a page to many people in it.
 *
 *     const room = await joinRoom('tea', { relays: ['/dns4/relay.example/tcp/443/wss/p2p/12D3Koo…'] })
 *     room.on('chat', (text, { from }) => console.log(from, text))
 *     room.send('chat', 'hello')
 *
 * The format on the wire is described in codec.js.
 */
import { abortReason, makeError, orAbort } from '../errors.js'
import { Room } from './room.js'
import { openSecret } from './secret.js'

export { Room } from './room.js'
export { Offer, RemoteFile, tidyName } from './files.js'
export { Sent } from './sent.js'

const PROTOCOL = '/peerlet/room/1/'
/** What the name of a room has as part of a topic, in characters. */
const NAME_LIMIT = 200

/**
 * @typedef {object} RoomOptions
 * @property {any} [node] a node there is already, with pubsub: it goes on when the room is left
 * @property {string[]} [relays] or else multiaddrs of relays, and a node is made that keeps them
 * @property {import('../options.js').Libp2pOptions} [libp2p] what that node has otherwise
 * @property {string} [password] whoever does not have it sees an empty room, and neither who is in this one
 *   nor what is said. Make it long: it can be guessed by who hears the room's topic, at the price of 600000
 *   rounds of PBKDF2 a guess
 * @property {number} [maxFileSize] bytes; larger files of others are not told of. 1 GiB
 * @property {AbortSignal} [signal] gives up joining, and leaves the room later
 */

/** @param {string} name */
function checkName (name) {
  try {
    const part = encodeURIComponent(name.normalize('NFC'))
    if (part.length > 0 && part.length <= NAME_LIMIT) return part
  } catch {
    // no text, or half a character
  }
  throw makeError('InvalidParametersError', `a room's name is text of 1 to ${NAME_LIMIT} characters, those counted as three and more that URLs have to escape`, 'BAD_ARGUMENT')
}

/** @param {string[] | undefined} relays @param {any} options */
async function makeNode (relays, options) {
  if (relays === undefined && options?.peerDiscovery === undefined) {
    throw makeError('InvalidParametersError', 'joinRoom needs a way to the others: give it relays: [a multiaddr], or the node of your page as node', 'BAD_ARGUMENT')
  }
  const { bootstrap, createLibp2p, pubsubPeerDiscovery } = await import('../index.js')
  return await createLibp2p({ peerDiscovery: [bootstrap({ list: relays ?? [] }), pubsubPeerDiscovery()], ...options })
}

/**
 * Joins a room: from then on the others are told that we are here, and we who they are.
 *
 * @template {Record<string, any>} [Actions=Record<string, any>]
 * @param {string} name
 * @param {RoomOptions} [options]
 * @returns {Promise<Room<Actions>>}
 * @throws InvalidParametersError, InsecureContextError, AbortError, and what createLibp2p throws
 */
export async function joinRoom (name, { node, relays, libp2p, password, maxFileSize, signal } = {}) {
  if (signal?.aborted) throw abortReason(signal)
  const open = checkName(name)
  if (node !== undefined && typeof node.services?.pubsub?.subscribe !== 'function') {
    throw makeError('InvalidParametersError', 'a room needs a node with pubsub: give createLibp2p services: { pubsub: gossipsub({ runOnLimitedConnection: true }), … }', 'BAD_ARGUMENT')
  }
  if (password === '') throw makeError('InvalidParametersError', 'the password is empty: leave it out where everybody may come in', 'BAD_ARGUMENT')
  const secret = password === undefined ? undefined : await orAbort(openSecret(name.normalize('NFC'), password), signal)
  const own = node ?? await makeNode(relays, libp2p)
  /** @type {Room<Actions>} */
  const room = new Room(own, name, { topic: PROTOCOL + (secret === undefined ? open : `:${secret.tag}`), secret, ownsNode: node === undefined, maxFileSize })
  try {
    await room.begin()
    if (signal?.aborted) throw abortReason(signal)
  } catch (err) {
    await room.leave()
    throw err
  }
  signal?.addEventListener('abort', () => { room.leave() }, { once: true })
  return room
}

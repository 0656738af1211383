import { fromList, readable } from './multiaddr.js'
import { lines, textOf } from './memory.js'
import { PeerId } from './peer-id.js'

/**
 * @typedef {import('./connection.js').Connection} Connection
 * @typedef {import('./memory.js').Output} Output
 * @typedef {import('./multiaddr.js').Multiaddr} Multiaddr
 */

/**
 * What peer:identify tells.
 *
 * @typedef {object} IdentifyResult
 * @property {PeerId} peerId
 * @property {Connection | undefined} connection
 * @property {Multiaddr[]} listenAddrs
 * @property {string[]} protocols
 * @property {string | undefined} agentVersion
 * @property {string | undefined} protocolVersion
 * @property {Multiaddr | undefined} observedAddr
 * @property {Uint8Array} publicKey protobuf
 * @property {{ addresses: Multiaddr[] } | undefined} signedPeerRecord where it signed its addresses
 */

/** @param {Output} event PEER_IDENTIFIED @param {Connection | undefined} connection @returns {IdentifyResult} */
export function identifyResult ({ peer, text, value, data, extra, more, key }, connection) {
  const listenAddrs = fromList(data)
  const [agentVersion, protocolVersion] = textOf(more).split('\n')
  return {
    peerId: new PeerId(peer),
    connection,
    listenAddrs,
    protocols: lines(text),
    agentVersion: agentVersion || undefined,
    protocolVersion: protocolVersion || undefined,
    observedAddr: extra.length > 0 ? readable(extra)[0] : undefined,
    publicKey: key,
    signedPeerRecord: value === 1 ? { addresses: listenAddrs } : undefined
  }
}

import { privateKeyFromProtobuf } from './keys.js'
import { fromList, multiaddr, toList } from './multiaddr.js'
import { peerIdFromMultihash, peerIdFromString } from './peer-id.js'

/**
 * What a service that is a function gets to see of the node.
 *
 * @param {import('./core.js').Core} core
 * @param {import('./libp2p.js').Libp2p} node
 */
export const componentsOf = (core, node) => ({
  peerId: node.peerId,
  privateKey: privateKeyFromProtobuf(core.bytes(core.calls.ask_private_key())),
  peerStore: node.peerStore,
  peerRouting: node.peerRouting,
  contentRouting: node.contentRouting,
  events: node,
  logger: node.logger,
  registrar: node,
  connectionManager: {
    openConnection: node.dial.bind(node),
    openStream: node.dialProtocol.bind(node),
    closeConnections: node.hangUp.bind(node),
    getConnections: node.getConnections.bind(node),
    getDialQueue: node.getDialQueue.bind(node),
    isDialable: node.isDialable.bind(node)
  },
  addressManager: { getAddresses: () => node.getMultiaddrs() },
  names: { fromList, multiaddr, peerIdFromMultihash, peerIdFromString, toList },
  errorOf: core.error.bind(core),
  ...node.services
})

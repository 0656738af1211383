// All of it: one module, and the services, which have a module of their own.
import { createLibp2p } from 'peerlet'
import { fetch } from 'peerlet/services'
import { hello, relayOf, show } from './hello.js'

async function main () {
  const node = await createLibp2p({ services: { fetch: fetch() }, peerDiscovery: [] })
  node.services.fetch.registerLookupFunction('/', async () => undefined)
  await node.dial(relayOf(location))
  // the relay has no such protocol, which is found out with the second module
  const refused = await node.services.fetch.fetch(node.getPeers()[0], '/key').catch((err) => err.name)
  if (refused !== 'UnsupportedProtocolError') throw new Error(`fetch: ${refused}`)
  return await hello(node, relayOf(location))
}

show(main())

// The module that can be looked into, and that writes down what the node was told.
import { createLibp2p } from 'peerlet/debug'
import { hello, relayOf, show } from './hello.js'

async function main () {
  const node = await createLibp2p({ record: true })
  const heard = await hello(node, relayOf(location))
  if (node.recording().size < 1000) throw new Error('a handshake alone is longer than this recording')
  return heard
}

show(main())

// node node.mjs RELAY
import { createLibp2p } from 'peerlet'
import { hello } from './hello.js'

console.log(await createLibp2p().then((node) => hello(node, process.argv[2])).catch((err) => `${err.name}: ${err.message}`))
process.exit()

// The module beside the script, which nobody says anything of.
import { createLibp2p } from 'peerlet/slim'
import { hello, relayOf, show } from './hello.js'

show(createLibp2p().then((node) => hello(node, relayOf(location))))

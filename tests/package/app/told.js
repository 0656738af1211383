// The module where Vite says that it is.
import { createLibp2p, init } from 'peerlet/slim'
import url from 'peerlet/peerlet.wasm?url'
import { hello, relayOf, show } from './hello.js'

init({ url })
show(createLibp2p().then((node) => hello(node, relayOf(location))))

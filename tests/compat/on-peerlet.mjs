// node --import on-peerlet.mjs: what an application of this folder imports from js-libp2p comes from Peerlet, by the map
// that bundlers are given.
import { registerHooks } from 'node:module'
import { aliases } from '../../js-glue/aliases/index.js'
import '../interop/peerlet.mjs'
import '../interop/services.mjs'

const TARGETS = {
  'peerlet/compat': new URL('../../js-glue/compat/index.js', import.meta.url).href,
  'peerlet/services': new URL('../../js-glue/services/index.js', import.meta.url).href
}

registerHooks({
  resolve (specifier, context, next) {
    const target = aliases[specifier]
    return target === undefined ? next(specifier, context) : { url: TARGETS[target], shortCircuit: true }
  }
})

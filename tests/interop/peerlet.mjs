// Peerlet in Node: js-glue as it is, over the module that pages load.
import { readFile } from 'node:fs/promises'
import factory from '../../build/wasm/peerlet.mjs'
import { setCoreSource } from '../../js-glue/index.js'

setCoreSource({ factory, wasm: () => readFile(new URL('../../build/wasm/peerlet.wasm', import.meta.url)) })

export * from '../../js-glue/index.js'

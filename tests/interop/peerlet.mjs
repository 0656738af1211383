// Peerlet in Node: js-glue as it is, over the module that pages load.
import { readFile } from 'node:fs/promises'
import { setCoreSource } from '../../js-glue/index.js'

const wasm = new URL('../../build/wasm/', import.meta.url)
const { default: factory } = await import(`${wasm}peerlet.mjs`)
setCoreSource({ factory, wasm: () => readFile(new URL('peerlet.wasm', wasm)) })

export * from '../../js-glue/index.js'

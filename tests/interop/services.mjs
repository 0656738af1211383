// Peerlet's services in Node: js-glue/services as it is, over the module that pages load.
import { readFile } from 'node:fs/promises'
import { setServicesSource } from '../../js-glue/services/index.js'

setServicesSource(() => readFile(new URL('../../build/wasm/services.wasm', import.meta.url)))

export * from '../../js-glue/services/index.js'

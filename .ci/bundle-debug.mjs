// Makes build/web/debug.mjs, which can be read, and peerlet.debug.wasm beside it, as emcc wrote it.
import { build } from 'esbuild'
import { copyFile } from 'node:fs/promises'

const entry = `
  import factory from './build/debug/peerlet.mjs'
  import { setDebugSource } from './js-glue/debug/index.js'
  setDebugSource({
    factory,
    wasm: async () => {
      const response = await fetch(new URL('peerlet.debug.wasm', import.meta.url))
      if (!response.ok) throw new Error(response.url + ' cannot be had: ' + response.status)
      return new Uint8Array(await response.arrayBuffer())
    }
  })
  export * from './js-glue/debug/index.js'`

await build({
  stdin: { contents: entry, resolveDir: process.cwd() },
  outfile: 'build/web/debug.mjs',
  bundle: true,
  sourcemap: true,
  format: 'esm',
  target: 'es2022',
  logLevel: 'warning'
})
await copyFile('build/debug/peerlet.wasm', 'build/web/peerlet.debug.wasm')

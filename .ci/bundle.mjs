// Makes what a page loads, in build/web: `peerlet.mjs`, one file with the wasm inside (deflated,
// base64, unpacked by the browser), and `slim.mjs` beside a `peerlet.wasm` that is compiled as it
// streams in.
import { build } from 'esbuild'
import { copyFile, readFile } from 'node:fs/promises'
import { constants, deflateRawSync } from 'node:zlib'

const WASM = 'build/wasm/peerlet.wasm'

const inlined = `
  import packed from 'packed-wasm'
  const unpack = async () => {
    const bytes = Uint8Array.from(atob(packed), c => c.charCodeAt(0))
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'))
    return new Uint8Array(await new Response(stream).arrayBuffer())
  }`
const separate = 'const unpack = async () => undefined'

/** The glue, told where the wasm is. @param {string} wasm */
const entry = wasm => `
  import factory from './build/wasm/peerlet.mjs'
  import { setCoreSource } from './js-glue/index.js'
  ${wasm}
  setCoreSource({ factory, wasm: unpack })
  export * from './js-glue/index.js'`

/** @type {import('esbuild').Plugin} */
const packedWasm = {
  name: 'packed-wasm',
  setup (build) {
    build.onResolve({ filter: /^packed-wasm$/ }, () => ({ path: WASM, namespace: 'packed-wasm' }))
    build.onLoad({ filter: /.*/, namespace: 'packed-wasm' }, async () => ({
      contents: deflateRawSync(await readFile(WASM), { level: 9, memLevel: constants.Z_MAX_MEMLEVEL }).toString('base64'),
      loader: 'text'
    }))
  }
}

/** @param {string} outfile @param {string} wasm */
const bundle = (outfile, wasm) => build({
  stdin: { contents: entry(wasm), resolveDir: process.cwd() },
  outfile,
  bundle: true,
  minify: true,
  sourcemap: true,
  sourcesContent: false,
  format: 'esm',
  target: 'es2022',
  legalComments: 'none',
  logLevel: 'warning',
  plugins: [packedWasm]
})

await Promise.all([
  bundle('build/web/peerlet.mjs', inlined),
  bundle('build/web/slim.mjs', separate),
  copyFile(WASM, 'build/web/peerlet.wasm')
])

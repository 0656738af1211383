// Bundles the bench page over js-libp2p, over Peerlet and over what else there is, and measures what each weighs.
import { build } from 'esbuild'
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { RIVALS, fetchRivals, pageOf } from './rivals.mjs'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const ROOT = path.join(HERE, '../..')
const OUT = path.join(ROOT, 'build/bench')
const PEERLET = path.join(ROOT, 'build/web/peerlet.mjs')

const common = /** @type {const} */ ({
  bundle: true,
  format: 'esm',
  minify: true,
  target: 'es2022',
  platform: 'browser',
  write: false,
  define: { global: 'globalThis' },
  legalComments: 'none',
  logLevel: 'warning'
})

const toPeerlet = {
  name: 'libp2p to peerlet',
  setup (builder) {
    builder.onResolve({ filter: /^(libp2p|@libp2p\/.*|@multiformats\/.*)$/ }, () => ({ path: PEERLET }))
  }
}

// All that an application of the tutorial's last step imports, and ping.
const TUTORIAL = `
  export { createLibp2p } from 'libp2p'
  export { bootstrap } from '@libp2p/bootstrap'
  export { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
  export { gossipsub } from '@libp2p/gossipsub'
  export { identify } from '@libp2p/identify'
  export { noise } from '@libp2p/noise'
  export { ping } from '@libp2p/ping'
  export { pubsubPeerDiscovery } from '@libp2p/pubsub-peer-discovery'
  export { webRTC } from '@libp2p/webrtc'
  export { webSockets } from '@libp2p/websockets'
  export { yamux } from '@libp2p/yamux'
  export { multiaddr } from '@multiformats/multiaddr'`

const weigh = (bytes) => ({
  raw: bytes.length,
  gzip: gzipSync(bytes, { level: 9 }).length,
  brotli: brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }).length
})

/** @returns {Promise<Record<string, { raw: number, gzip: number, brotli: number }>>} */
export async function buildBench () {
  await mkdir(OUT, { recursive: true })
  await copyFile(path.join(HERE, 'page.html'), path.join(OUT, 'page.html'))
  for (const [name, plugins] of /** @type {const} */ ([['js-libp2p', []], ['peerlet', [toPeerlet]]])) {
    const { outputFiles: [page] } = await build({
      ...common,
      plugins: [...plugins],
      stdin: { contents: "import adapter from './impl/libp2p.js'\nimport { makeBench } from './driver.js'\nmakeBench(adapter)", resolveDir: HERE },
      banner: { js: 'globalThis.__bundleStart = performance.now();' }
    })
    await writeFile(path.join(OUT, `${name}.js`), page.contents)
  }
  const { outputFiles: [tutorial] } = await build({ ...common, stdin: { contents: TUTORIAL, resolveDir: HERE } })
  return { 'js-libp2p': weigh(Buffer.from(tutorial.contents)), peerlet: weigh(await readFile(PEERLET)) }
}

/** The same of those that have no relay and no streams of bytes to compare, but weight and a start. */
export async function buildRivals () {
  const nodePaths = [await fetchRivals(ROOT)]
  /** @type {Record<string, { raw: number, gzip: number, brotli: number }>} */
  const sizes = {}
  for (const [name, { use, start }] of Object.entries(RIVALS)) {
    const bundle = async (/** @type {string} */ contents, banner = '') => {
      const { outputFiles: [file] } = await build({ ...common, nodePaths, stdin: { contents, resolveDir: HERE }, banner: { js: banner } })
      return Buffer.from(file.contents)
    }
    await writeFile(path.join(OUT, `${name}.js`), await bundle(pageOf(start), 'globalThis.__bundleStart = performance.now();'))
    sizes[name] = weigh(await bundle(use))
  }
  return sizes
}

// Makes dist/, what npm publishes, of what is in build/web: whatever parts there are, each with its types,
// its source map and its place in `exports`; and beside it the tarball, build/peerlet-VERSION.tgz.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFile, cp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import path from 'node:path'

const DIST = 'dist'
const WEB = 'build/web'

const root = JSON.parse(await readFile('package.json', 'utf8'))
const files = (await readdir(WEB)).filter((name) => /^[\w.]+\.(mjs|wasm|min\.js)$/.test(name)).sort()
const entries = files.filter((name) => name.endsWith('.mjs')).map((name) => path.basename(name, '.mjs'))
const subpaths = entries.filter((name) => name !== 'peerlet' && name !== 'node')

/** @param {string} name @param {string} text */
const write = (name, text) => writeFile(path.join(DIST, name), text)
/** @param {unknown} value */
const json = (value) => `${JSON.stringify(value, null, 2)}\n`

/** With the sources inside, as they are not in the package. @param {string} name */
async function copyMap (name) {
  const map = JSON.parse(await readFile(path.join(WEB, name), 'utf8'))
  map.sources = map.sources.map((/** @type {string} */ source) => path.join(WEB, source))
  map.sourcesContent = await Promise.all(map.sources.map((/** @type {string} */ source) =>
    source.endsWith('<stdin>') ? '// what .ci/bundle.mjs begins with' : readFile(source, 'utf8')))
  await write(name, JSON.stringify(map))
}

/** What a caller sees of an entry: what is in its folder, or, of those that have none, of the whole. @param {string} name */
async function typesOf (name) {
  const own = existsSync(path.join(DIST, 'types', name)) ? `${name}/index.js` : 'index.js'
  return `/// <reference lib="esnext.disposable" />\nexport * from './types/${own}'\n` + (name === 'slim' ? "export { init } from './types/slim.js'\n" : '')
}

const CLASSIC_TYPES = `import * as peerlet from './peerlet.mjs'

declare global {
  /** What \`<script src="peerlet.min.js">\` leaves behind. */
  const Peerlet: typeof peerlet
}
`

// What edge runtimes make of it, and `init` takes.
const WASM_TYPES = `declare const module: WebAssembly.Module
export default module
`

/** The licences of those whose code is in the wasm. */
async function licences () {
  const sodium = (await readFile('build/deps/libsodium/LICENSE', 'utf8')).replace(/^ *\/?\*+\/? ?/gm, '').trim()
  const nanopb = (await readFile('build/deps/nanopb/LICENSE.txt', 'utf8')).replace(/[ \r]+$/gm, '').trim()
  return `${(await readFile('LICENSE', 'utf8')).trim()}

------------------------------------------------------------------------------
The WebAssembly modules contain parts of libsodium:

${sodium}

------------------------------------------------------------------------------
and of nanopb:

${nanopb}

------------------------------------------------------------------------------
and, under the terms of the MIT License as they stand above, of Emscripten (Copyright (c) 2010-2014
Emscripten authors) and of the C library musl (Copyright (c) 2005-2020 Rich Felker, et al.). Of Emscripten
is also some of the JavaScript around them.
`
}

const manifest = {
  name: root.name,
  version: root.version,
  description: root.description,
  keywords: ['libp2p', 'p2p', 'peer-to-peer', 'webrtc', 'gossipsub', 'pubsub', 'webassembly', 'wasm', 'browser', 'chat'],
  license: root.license,
  type: 'module',
  sideEffects: false,
  exports: {
    '.': { types: './peerlet.d.mts', node: './node.mjs', default: './peerlet.mjs' },
    ...Object.fromEntries(subpaths.map((name) => [`./${name}`, { types: `./${name}.d.mts`, default: `./${name}.mjs` }])),
    './peerlet.min.js': { types: './peerlet.min.d.ts', default: './peerlet.min.js' },
    ...Object.fromEntries(files.filter((name) => name.endsWith('.wasm')).map((name) => [`./${name}`, { types: './wasm.d.mts', default: `./${name}` }])),
    './integrity.json': './integrity.json',
    './package.json': './package.json'
  },
  types: './peerlet.d.mts',
  unpkg: './peerlet.min.js',
  jsdelivr: './peerlet.min.js',
  engines: { node: '>=20' },
  peerDependencies: { ws: '>=8' },
  peerDependenciesMeta: { ws: { optional: true } }
}

await rm(DIST, { recursive: true, force: true })
await mkdir(DIST)
await Promise.all(files.map((name) => copyFile(path.join(WEB, name), path.join(DIST, name))))
await Promise.all(files.filter((name) => !name.endsWith('.wasm')).map((name) => copyMap(`${name}.map`)))
execFileSync('node_modules/.bin/tsc', ['--project', '.', '--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--outDir', 'build/types'], { stdio: 'inherit' })
await cp('build/types/js-glue', path.join(DIST, 'types'), { recursive: true })
for (const name of entries) await write(`${name}.d.mts`, await typesOf(name))
await write('peerlet.min.d.ts', CLASSIC_TYPES)
await write('wasm.d.mts', WASM_TYPES)
await write('package.json', json(manifest))
await write('LICENSE', await licences())
await Promise.all(['README.md', 'CHANGELOG.md'].map((name) => copyFile(name, path.join(DIST, name))))
await cp('docs', path.join(DIST, 'docs'), { recursive: true })

const hash = async (/** @type {string} */ name) =>
  `sha384-${createHash('sha384').update(await readFile(path.join(DIST, name))).digest('base64')}`
await write('integrity.json', json(Object.fromEntries(await Promise.all(files.map(async (name) => [name, await hash(name)])))))

execFileSync('npm', ['pack', `./${DIST}`, '--pack-destination', 'build', '--ignore-scripts', '--loglevel=error'], { stdio: ['ignore', 'inherit', 'inherit'] })

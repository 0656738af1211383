// The tarball, installed and put to use in each of the ways an application may have: a message goes to a
// relay and comes back, from real Chromium under a strict policy, and from Node.
import { build as esbuild } from 'esbuild'
import assert from 'node:assert/strict'
import { copyFile, readFile, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { openShop, run, tool } from './project.mjs'

const shop = openShop()
const LIMIT = { timeout: 300_000 }

/** @param {string} name @param {string} head */
const page = (name, head) => writeFile(shop.at(name), `<!DOCTYPE html><head>${head}</head><body></body>`)
const moduleTag = (/** @type {string} */ src) => `<script type="module" src="${src}"></script>`

/** Pages for the two that a bundler made in a folder, and what these come to hear. @param {import('node:test').TestContext} t */
async function twoOf (t, folder) {
  for (const name of ['whole', 'slim']) {
    await page(`${folder}/${name}.html`, moduleTag(`./${name}.js`))
    await t.test(`${name}`, async (t) => assert.equal(await shop.heard(t, `/${folder}/${name}.html`), 'hello'))
  }
}

test('a script tag, in a page of another encoding, with the hash that the package says', LIMIT, async (t) => {
  const integrity = JSON.parse(await readFile(shop.at('node_modules/peerlet/integrity.json'), 'utf8'))
  await page('classic.html', `<meta charset="windows-1252">
    <script src="node_modules/peerlet/peerlet.min.js" integrity="${integrity['peerlet.min.js']}"></script><script defer src="classic.js"></script>`)
  assert.equal(await shop.heard(t, '/classic.html'), 'hello')
})

test('an import map', LIMIT, async (t) => {
  const imports = Object.fromEntries(['', '/slim', '/services', '/debug'].map((name) =>
    [`peerlet${name}`, `./node_modules/peerlet/${name.slice(1) || 'peerlet'}.mjs`]))
  for (const name of ['whole', 'slim', 'debug']) {
    await page(`loose-${name}.html`, `<script type="importmap">${JSON.stringify({ imports })}</script>${moduleTag(`./${name}.js`)}`)
    await t.test(name, async (t) => assert.equal(await shop.heard(t, `/loose-${name}.html`), 'hello'))
  }
})

test('Vite, its server, which bundles dependencies first', LIMIT, async (t) => {
  const { createServer } = await tool('vite')
  for (const name of ['whole', 'slim', 'told', 'debug']) await page(`${name}.html`, moduleTag(`./${name}.js`))
  const server = await createServer({ root: shop.at(), configFile: false, logLevel: 'error', server: { port: 0, host: '127.0.0.1' } })
  t.after(() => server.close())
  await server.listen()
  const { port } = /** @type {any} */ (server).httpServer.address()
  for (const name of ['whole', 'told', 'slim', 'debug']) {
    await t.test(name, async (t) => assert.equal(await shop.heard(t, `http://127.0.0.1:${port}/${name}.html`), 'hello'))
  }
})

test('Vite, its build', LIMIT, async (t) => {
  const { build } = await tool('vite')
  const input = ['whole', 'slim', 'told', 'debug'].map((name) => shop.at(`${name}.html`))
  await Promise.all(['whole', 'slim', 'told', 'debug'].map((name) => page(`${name}.html`, moduleTag(`./${name}.js`))))
  await build({ root: shop.at(), configFile: false, logLevel: 'error', base: './', build: { outDir: 'vite', modulePreload: false, rolldownOptions: { input } } })
  for (const name of ['whole', 'slim', 'told', 'debug']) {
    await t.test(name, async (t) => assert.equal(await shop.heard(t, `/vite/${name}.html`), 'hello'))
  }
})

test('webpack', LIMIT, async (t) => {
  const { default: webpack } = await tool('webpack')
  const stats = await new Promise((resolve, reject) => webpack({
    mode: 'production',
    context: shop.at(),
    entry: { whole: './whole.js', slim: './slim.js' },
    output: { path: shop.at('webpack') },
    performance: { hints: false }
  }, (err, stats) => err != null ? reject(err) : resolve(stats)))
  assert.deepEqual(stats.toJson({ all: false, errors: true, warnings: true }), { errors: [], warnings: [] })
  await twoOf(t, 'webpack')
})

test('esbuild, where the module is put beside', LIMIT, async (t) => {
  const { warnings } = await esbuild({
    absWorkingDir: shop.at(), entryPoints: ['whole.js', 'slim.js'], outdir: 'esbuild', bundle: true, minify: true, format: 'esm', logLevel: 'silent'
  })
  assert.deepEqual(warnings, [])
  await page('esbuild/slim.html', moduleTag('./slim.js'))
  const missing = await shop.heard(t, '/esbuild/slim.html')
  assert.match(missing ?? '', /^WebAssemblyError: .*esbuild\/peerlet\.wasm cannot be had .*404.*init\(\{ url \}\)/)
  await copyFile(shop.at('node_modules/peerlet/peerlet.wasm'), shop.at('esbuild/peerlet.wasm'))
  await twoOf(t, 'esbuild')
})

test('Rollup, where the module is put beside', LIMIT, async (t) => {
  const [{ rollup }, { default: resolve }] = await Promise.all(['rollup', '@rollup/plugin-node-resolve'].map(tool))
  for (const name of ['whole', 'slim']) {
    const bundle = await rollup({ input: shop.at(`${name}.js`), plugins: [resolve({ browser: true })], onwarn: (warning) => { throw new Error(warning.message) } })
    await bundle.write({ file: shop.at(`rollup/${name}.js`), format: 'es' })
  }
  await copyFile(shop.at('node_modules/peerlet/peerlet.wasm'), shop.at('rollup/peerlet.wasm'))
  await twoOf(t, 'rollup')
})

test('a page that a server renders and the browser takes over', LIMIT, async (t) => {
  const { stdout } = await run(process.execPath, ['server.mjs', shop.relay], { cwd: shop.at() })
  assert.equal(stdout.trim(), '<p id="heard">nothing yet</p>')
  await esbuild({
    absWorkingDir: shop.at(), entryPoints: ['hydrate.js'], outdir: 'rendered', bundle: true, minify: true, format: 'esm',
    define: { 'process.env.NODE_ENV': '"production"' }
  })
  await writeFile(shop.at('rendered/page.html'), `<!DOCTYPE html><body><div id="root">${stdout.trim()}</div>${moduleTag('./hydrate.js')}`)
  const tab = await shop.open(t, '/rendered/page.html')
  await tab.locator('#heard', { hasText: 'hello' }).waitFor()
  assert.deepEqual(await tab.evaluate('globalThis.complaints'), [])
})

test('Node', LIMIT, async (t) => {
  const node = async (...flags) => (await run(process.execPath, [...flags, 'node.mjs', shop.relay], { cwd: shop.at() })).stdout.trim()
  assert.equal(await node(), 'hello')
  const old = '--no-experimental-websocket' // as before Node 22
  await t.test('without a WebSocket', async () => assert.match(await node(old), /^PeerletError: Node .* has no WebSocket.*ws/))
  await t.test('with that of ws', async () => {
    await symlink(createRequire(import.meta.url).resolve('ws/package.json').replace(/.package.json$/, ''), shop.at('node_modules/ws'))
    assert.equal(await node(old), 'hello')
  })
})

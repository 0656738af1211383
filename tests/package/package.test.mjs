// What is in the package: as others expect packages to be, the same for everybody who builds it, and
// nothing that a server or a compiler of TypeScript could trip over.
import { build } from 'esbuild'
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cp, mkdir, mkdtemp, readFile, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { DIST, ROOT, TARBALL, TOOLS, openFolder, run } from './project.mjs'

const folder = openFolder()
const file = (/** @type {string} */ name) => readFile(path.join(DIST, name))
const entries = (await readdir(DIST)).filter((name) => name.endsWith('.mjs'))
const tsc = path.join(ROOT, 'node_modules/.bin/tsc')

/** What a program says, and its output as the message where it fails. @param {string[]} command */
const say = ([program, ...args], options = {}) => run(process.execPath, [program, ...args], options)
  .then(({ stdout }) => stdout, ({ stdout, stderr }) => { throw new Error(stdout + stderr) })

/** A test that passes when the program does. @param {string} name @param {string[]} command @param {() => object} [options] */
const check = (name, command, options) => test(name, async () => void await say(command, options?.()))

check('publint has nothing to say', [path.join(TOOLS, 'publint/src/cli.js'), 'run', TARBALL, '--strict'])

// There is no CommonJS in it, and what resolves as compilers did before `exports` finds the main entry only.
check('its types are right, says attw', [path.join(TOOLS, '@arethetypeswrong/cli/dist/index.js'), TARBALL, '--profile', 'esm-only', '--no-color'])

for (const [module, resolution] of [['nodenext', 'nodenext'], ['esnext', 'bundler']]) {
  check(`an application in TypeScript, moduleResolution ${resolution}`, [tsc, '--noEmit', '--strict', '--target', 'es2022',
    '--lib', 'es2022,dom,dom.iterable', '--types', '', '--module', module, '--moduleResolution', resolution, 'types.ts'], () => ({ cwd: folder.path }))
}

// What an import may look for, and does without: the base of an element's class; keys for who has them.
const LOOKS_FOR = { 'devtools.mjs': ['HTMLElement'], 'compat.mjs': ['crypto'] }

for (const name of entries) {
  test(`importing ${name} works where nothing is that only a page has`, async () => {
    assert.deepEqual(JSON.parse(await say(['no-browser.mjs', path.join(DIST, name)], { cwd: folder.path })), LOOKS_FOR[name] ?? [])
  })
}

test('no file depends on another package, and every entry has its types and its source map with the sources', async () => {
  const { dependencies, exports } = JSON.parse(String(await file('package.json')))
  assert.equal(dependencies, undefined)
  for (const name of entries) {
    const { metafile } = await build({ entryPoints: [path.join(DIST, name)], write: false, bundle: true, format: 'esm', external: ['*'], metafile: true })
    for (const { imports } of Object.values(metafile.inputs)) assert.deepEqual(imports.filter((to) => !to.path.startsWith('./')), [], name)
    await file(name.replace(/mjs$/, 'd.mts'))
    const { sources, sourcesContent } = JSON.parse(String(await file(`${name}.map`)))
    assert.ok(sources.length > 0)
    for (const [i, source] of sources.entries()) assert.equal(typeof sourcesContent[i], 'string', source)
  }
  for (const [path, { types }] of Object.entries(exports).filter(([, target]) => typeof target === 'object')) {
    assert.equal(Object.keys(exports[path])[0], 'types')
    await file(types)
  }
})

test('integrity.json has the hash of each script and module', async () => {
  const known = JSON.parse(String(await file('integrity.json')))
  const names = (await readdir(DIST)).filter((name) => /\.(mjs|js|wasm)$/.test(name)).sort()
  assert.deepEqual(Object.keys(known), names)
  for (const name of names) assert.equal(known[name], `sha384-${createHash('sha384').update(await file(name)).digest('base64')}`)
})

test('the licences of those whose code is inside come with it', async () => {
  assert.match(String(await file('LICENSE')), /MIT License[^]*libsodium:[^]*ISC[^]*nanopb:[^]*Petteri Aimonen/)
})

test('bundled in another folder it is the same, byte for byte', { timeout: 300_000 }, async (t) => {
  const elsewhere = await mkdtemp(path.join(tmpdir(), 'peerlet-elsewhere-'))
  t.after(() => rm(elsewhere, { recursive: true }))
  for (const name of ['.ci', 'js-glue', 'build/wasm', 'build/debug', 'build/gen']) {
    const filter = (/** @type {string} */ from) => !/\.(o|d|a)$/.test(from)
    await cp(path.join(ROOT, name), path.join(elsewhere, name), { recursive: true, filter })
  }
  await Promise.all([symlink(path.join(ROOT, 'node_modules'), path.join(elsewhere, 'node_modules')), mkdir(path.join(elsewhere, 'build/web'))])
  await say(['.ci/bundle.mjs'], { cwd: elsewhere })
  await say(['.ci/bundle.mjs', 'services'], { cwd: elsewhere })
  await say(['.ci/bundle-debug.mjs'], { cwd: elsewhere })
  for (const name of ['peerlet.mjs', 'peerlet.mjs.map', 'slim.mjs', 'slim.mjs.map', 'peerlet.wasm', 'services.mjs', 'services.mjs.map', 'debug.mjs', 'debug.mjs.map']) {
    assert.ok((await readFile(path.join(elsewhere, 'build/web', name))).equals(await readFile(path.join(ROOT, 'build/web', name))), name)
  }
})

// What docs/from-js-libp2p.md says of the map, in Chromium: an application written for js-libp2p, as it is, and mapped to
// Peerlet by a bundler or by an import map, does the same. Two tabs of each are connected by WebRTC.
import assert from 'node:assert/strict'
import { build } from 'esbuild'
import { readFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { aliases, importMap } from '../../js-glue/aliases/index.js'
import { openWorld, PAGE } from './harness.mjs'

const world = openWorld()
const file = (/** @type {string} */ name) => fileURLToPath(new URL(`../../${name}`, import.meta.url))
const APP = file('tests/browser/pages/compat.js')
const LOCATION = /<script type="importmap">\n *(.*?)\n<\/script>/s
const doc = readFileSync(file('docs/from-js-libp2p.md'), 'utf8')
const blocks = [...doc.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map(([, language, code]) => ({ language, code }))

/** The page, over what it was built or mapped to. @type {Record<string, (t: any) => Promise<import('playwright-core').Page>>} */
const PAGES = {
  'js-libp2p': async (t) => {
    const { outputFiles: [{ text }] } = await build({ entryPoints: [APP], bundle: true, format: 'esm', write: false, define: { global: 'globalThis' } })
    return await open(t, text)
  },
  'a bundler': async (t) => {
    const { outputFiles: [{ text }] } = await build({ entryPoints: [APP], bundle: true, format: 'esm', write: false, alias: aliases, external: ['peerlet/*'] })
    assert.doesNotMatch(text, /from "(@libp2p|libp2p)/)
    return await open(t, text, { imports: { 'peerlet/compat': '/build/web/compat.mjs' } })
  },
  'an import map': async (t) => await open(t, await readFile(APP, 'utf8'), importMap('/build/web/'))
}

async function open (t, script, map = { imports: {} }) {
  await mkdir(path.dirname(PAGE), { recursive: true })
  await writeFile(PAGE, `<!DOCTYPE html><script type="importmap">${JSON.stringify(map)}</script><script type="module">${script.replaceAll('</script', '<\\/script')}</script>`)
  const page = await world.tab(t, '/build/web/page.html')
  await page.waitForFunction('globalThis.peer')
  return page
}

/** What two pages say of each other. */
async function transcript (t, how) {
  const relay = await world.relay(t)
  const [a, b] = [await PAGES[how](t), await PAGES[how](t)]
  const call = (page, name, ...args) => page.evaluate(([name, args]) => globalThis.peer[name](...args), [name, args])
  for (const page of [a, b]) await call(page, 'start', { relay: relay.addr })
  // listening on any relay that is met
  const address = await call(b, 'address')
  const said = await call(a, 'visit', address)
  const seen = await call(b, 'seen', 2)
  return { said, seen, end: await call(a, 'leave', address) }
}

test('an application of js-libp2p does the same over it and over Peerlet, mapped by a bundler or an import map', { timeout: 300_000 }, async (t) => {
  // js-libp2p's dialer may wait in vain for a channel that its listener has closed, and gives up after ten seconds
  /** @type {any} */
  let theirs
  for (let tries = 1; theirs === undefined; tries++) theirs = await transcript(t, 'js-libp2p').catch((err) => { if (tries === 10) throw err })
  assert.equal(theirs.said.length, 4)
  for (const how of ['a bundler', 'an import map']) assert.deepEqual(await transcript(t, how), theirs, how)
})

test('the blocks of the document do what they say', async () => {
  const evaluated = []
  for (const { language, code } of blocks) {
    if (language === 'html') {
      const { imports } = JSON.parse(/** @type {RegExpExecArray} */ (LOCATION.exec(code))[1])
      for (const [specifier, target] of Object.entries(imports)) assert.equal(importMap('/lib/').imports[specifier], target)
      continue
    }
    const from = new URL('../../js-glue/aliases/index.js', import.meta.url).href
    const script = code.replace("'peerlet/aliases'", `'${from}'`).replace(/^await build\((.*)\)$/m, 'export default { esbuild: $1 }')
    evaluated.push((await import(`data:text/javascript,${encodeURIComponent(script)}`)).default)
  }
  const [{ esbuild }, vite, webpack] = evaluated
  assert.equal(esbuild.alias.libp2p, 'peerlet/compat')
  assert.equal(vite.resolve.alias.find(({ find }) => find.test('@libp2p/fetch')).replacement, 'peerlet/services')
  assert.equal(webpack.resolve.alias['@libp2p/identify$'], 'peerlet/compat')
})

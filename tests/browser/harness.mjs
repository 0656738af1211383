// Real Chromium, a relay and a web server for the tests of this folder.
//
// Everything started here is ended when the test ends, by its own handle. CHROMIUM names the
// browser where it is not on PATH, HEADFUL=1 shows it, VERBOSE=1 prints the consoles of the pages.
import { build } from 'esbuild'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { after, before } from 'node:test'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import puppeteer from 'puppeteer-core'
import { createPageServer, listen } from '../../web/serve.mjs'
import { PATIENCE_MS, startPeerFor } from '../interop/start-peer.mjs'

export { PATIENCE_MS }

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const HERE = path.join(ROOT, 'tests/browser')
const BUILT = path.join(ROOT, 'build/tests/browser')

/** Where a test puts a page of its own, which tabs find beside the module as /build/web/page.html. */
export const PAGE = path.join(BUILT, 'page.html')

/** What the module a page loads is called, as seen from a page. */
const PEERLET = '/build/web/peerlet.mjs'
const DEBUG = '/build/web/debug.mjs'

// What an application imports from js-libp2p, all of it answered by Peerlet's one module.
const LIBP2P = /^(libp2p|@libp2p\/.*|@chainsafe\/libp2p-.*|@multiformats\/(multiaddr(-matcher)?|dns(\/resolvers)?))$/

/** @param {string} module */
const libp2pTo = (module) => ({
  name: `libp2p to ${module}`,
  setup (builder) {
    builder.onResolve({ filter: LIBP2P }, () => ({ path: module, external: true }))
  }
})

/** How Chromium is started for pages that meet on one machine. */
export const FLAGS = [
  '--no-first-run', '--disable-gpu', '--disable-sync', '--disable-component-update', '--disable-background-networking',
  // a tab that is not in front must not fall asleep
  '--disable-background-timer-throttling', '--disable-renderer-backgrounding', '--disable-backgrounding-occluded-windows',
  // nothing may leave this machine
  '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost',
  // WebRTC over loopback: media permission lifts the default-route rule and the mDNS names
  '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', '--allow-loopback-in-peer-connection'
]

const FIREFOX_PREFERENCES = {
  // WebRTC over loopback, and no mDNS names
  'media.peerconnection.ice.loopback': true,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'app.update.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false
}

/** @param {string[]} names */
function onPath (...names) {
  const dirs = (process.env.PATH ?? '').split(path.delimiter)
  return names.flatMap((name) => dirs.map((dir) => path.join(dir, name))).find((file) => existsSync(file))
}

export function chromiumPath () {
  const found = process.env.CHROMIUM ?? onPath('chromium', 'chromium-browser', 'google-chrome')
  if (found === undefined) throw new Error('no Chromium on PATH: install it, or name it with CHROMIUM=')
  return found
}

const firefoxPath = () => process.env.FIREFOX ?? onPath('firefox-esr', 'firefox')

/** Why Firefox cannot take part here, for node:test's `skip`. */
export function firefoxMissing () {
  if (firefoxPath() === undefined) return 'no Firefox on PATH'
  if (process.env.LOOPBACK_ONLY === undefined) return 'Firefox needs loopback as its default route: .ci/loopback-only'
}

/** Builds the test pages over js-libp2p, over Peerlet and over its debug build. */
async function buildPages () {
  const entryPoints = { peer: path.join(HERE, 'pages/peer.js'), tutorial: path.join(HERE, 'tutorial/index.js') }
  const common = { entryPoints, bundle: true, format: /** @type {const} */ ('esm'), target: 'es2022', logLevel: /** @type {const} */ ('warning') }
  await build({ ...common, outdir: path.join(BUILT, 'peerlet'), plugins: [libp2pTo(PEERLET)] })
  await build({ ...common, outdir: path.join(BUILT, 'debug'), plugins: [libp2pTo(DEBUG)] })
  const universal = path.join(HERE, 'pages/universal.js')
  await build({ ...common, entryPoints: { ...entryPoints, universal }, outdir: path.join(BUILT, 'js-libp2p'), define: { global: 'globalThis' } })
}

// Path of a file of the tests on disk, or undefined.
function testFile (name) {
  if (name === '/peer.html') return path.join(HERE, 'pages/peer.html')
  if (name === '/build/web/page.html') return PAGE
  if (name === '/tutorial.html') return path.join(HERE, 'tutorial/index.html')
  if (/^\/pages\/[\w-]+\.(html|js)$/.test(name)) return path.join(HERE, name)
  if (/^\/(peerlet|js-libp2p|debug)\/\w+\.js$/.test(name)) return path.join(BUILT, name)
  // another build of the module may be tried in place of ours
  if (name === PEERLET && process.env.PEERLET_MODULE !== undefined) return process.env.PEERLET_MODULE
}

/**
 * One browser and one web server for all tests of a file; call it at its top.
 *
 * The tests get `world.relay()`, `world.tab()` and `world.peer()`; what these start ends with the
 * test `t` they are given.
 *
 * @param {{ flags?: string[] }} [settings] flags of this Chromium besides ours
 */
export function openWorld ({ flags = [] } = {}) {
  let browser, firefox, server, origin, pageHeaders
  const relays = { current: /** @type {{ addr: string } | undefined} */ (undefined) }

  before(async () => {
    if (!existsSync(testFile(PEERLET) ?? path.join(ROOT, PEERLET))) throw new Error(`${PEERLET} is not built: run \`make web\``)
    await buildPages()
    server = createPageServer({ relayFor: () => relays.current?.addr, files: testFile, extraHeaders: (name) => /^\/(build\/web\/page.html)?$/.test(name) ? pageHeaders ?? {} : {} })
    origin = `http://127.0.0.1:${await listen(server, 0, '127.0.0.1')}`
    browser = await chromium.launch({
      executablePath: chromiumPath(),
      headless: process.env.HEADFUL === undefined,
      chromiumSandbox: process.getuid?.() !== 0,
      args: [...FLAGS, ...flags]
    })
  })
  after(async () => {
    await Promise.all([browser?.close(), firefox?.then((it) => it.close())])
    server?.closeAllConnections()
    server?.close()
  })

  const world = {
    get origin () { return origin },

    /** A relay, killed and brought back by the test that asked for it: 'js', 'go' or 'rust'. */
    async relay (t, env, kind = 'js') {
      const relay = await startPeerFor(t, kind, env)
      relays.current = relay
      t.after(() => { relays.current = undefined })
      return relay
    },

    /** A browser profile: pages of one share their storage, as tabs of one person do. */
    async profile (t, options = {}) {
      const context = await browser.newContext(options)
      context.setDefaultTimeout(PATIENCE_MS)
      t.after(() => context.close())
      return context
    },

    /**
     * A page at `url`, in a profile of its own unless one is given. `script` runs before those of
     * the page, `headers` come with the document.
     *
     * @param {import('node:test').TestContext} t
     * @param {string} url
     * @param {{ profile?: import('playwright-core').BrowserContext, script?: string, headers?: Record<string, string> }} [options]
     */
    async tab (t, url, { profile, script, headers } = {}) {
      const page = await (profile ?? await world.profile(t)).newPage()
      pageHeaders = headers
      if (process.env.VERBOSE !== undefined) {
        page.on('console', (message) => console.error(`${url}: ${message.text()}`))
        page.on('pageerror', (err) => console.error(`${url}: ${err.stack}`))
      }
      if (script !== undefined) await page.addInitScript(script)
      await page.goto(new URL(url, origin).href)
      return page
    },

    /** The same in Firefox, which is started when it is first asked for. */
    async firefoxTab (t, url) {
      firefox ??= puppeteer.launch({
        browser: 'firefox', executablePath: firefoxPath(), headless: process.env.HEADFUL === undefined, extraPrefsFirefox: FIREFOX_PREFERENCES,
        acceptInsecureCerts: true, // those of the tests
        timeout: PATIENCE_MS
      })
      const context = await (await firefox).createBrowserContext()
      t.after(() => context.close())
      const page = await context.newPage()
      page.setDefaultTimeout(PATIENCE_MS)
      if (process.env.VERBOSE !== undefined) {
        page.on('console', (message) => console.error(`firefox ${url}: ${message.text()}`))
        page.on('pageerror', (err) => console.error(`firefox ${url}: ${err.stack}`))
      }
      await page.goto(new URL(url, origin).href)
      return page
    },

    /**
     * A node in a tab of its own, over 'peerlet', its 'debug' build or 'js-libp2p', in Chromium unless `where` is 'firefox'.
     * `script` is another of the pages.
     */
    async peer (t, impl, options, where = 'chromium', script = 'peer') {
      const open = where === 'firefox' ? world.firefoxTab : world.tab
      const page = await open(t, `/peer.html?impl=${impl}&page=${script}`)
      await page.waitForFunction('globalThis.peer')
      /** Calls window.peer[name](...args) in the page. */
      const call = (name, ...args) => page.evaluate(([name, args]) => globalThis.peer[name](...args), [name, args])
      const id = await call('start', options)
      return { id, impl, page, call }
    }
  }
  return world
}

/**
 * Publishes from a page, or what has the face of one. js-libp2p forgets who is subscribed for a moment, while a
 * relayed connection gives way to the direct one, and is asked again.
 *
 * @param {{ impl?: string, call: (name: string, ...args: any[]) => any }} from
 * @param {string} topic
 * @param {string} text
 */
export async function say (from, topic, text) {
  for (const end = Date.now() + PATIENCE_MS; ;) {
    try {
      return await from.call('publish', topic, text)
    } catch (/** @type {any} */ err) {
      if (from.impl === 'peerlet' || Date.now() > end || !/NoPeersSubscribed/.test(err.message)) throw err
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

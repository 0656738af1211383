// A folder outside of this repository, where the package is installed from its tarball and applications are
// built with it; and the tools that do that, which `make package-tools` puts in build/package.
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { chromium } from 'playwright-core'
import { listen } from '../../web/serve.mjs'
import { FLAGS, PATIENCE_MS, chromiumPath } from '../browser/harness.mjs'
import { startPeer } from '../interop/start-peer.mjs'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const { version } = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8'))
export const TARBALL = path.join(ROOT, `build/peerlet-${version}.tgz`)
export const DIST = path.join(ROOT, 'dist')
export const TOOLS = path.join(ROOT, 'build/package/node_modules')
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' }

/** What a careful page allows, and what Peerlet needs. */
export const STRICT = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src ws: wss: http: https:"

export const run = promisify(execFile)

/** One of the tools. @param {string} name */
export const tool = (name) => import(createRequire(path.join(TOOLS, 'any.js')).resolve(name))

/** The folder, with what is in `app`; call it at the top of a test. */
export function openFolder () {
  const folder = { path: '' }
  before(async () => {
    folder.path = await mkdtemp(path.join(tmpdir(), 'peerlet-'))
    await cp(new URL('app', import.meta.url), folder.path, { recursive: true })
    await writeFile(path.join(folder.path, 'package.json'), '{ "type": "module", "private": true }')
    await run('npm', ['install', TARBALL, '--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--omit=optional'], { cwd: folder.path })
    for (const name of ['react', 'react-dom', 'scheduler']) await symlink(path.join(TOOLS, name), path.join(folder.path, 'node_modules', name))
  })
  after(() => rm(folder.path, { recursive: true }))
  return folder
}

/** The same with a relay, a server for its files, and a browser. */
export function openShop () {
  const folder = openFolder()
  const shop = {
    at: (/** @type {string[]} */ ...names) => path.join(folder.path, ...names),
    relay: '',
    origin: '',
    /** @type {import('playwright-core').Browser} */
    browser: /** @type {any} */ (undefined),

    /**
     * What a page comes to hear.
     *
     * @param {import('node:test').TestContext} t
     * @param {string} url
     */
    async heard (t, url) {
      const page = await shop.open(t, url)
      await page.waitForSelector('[data-heard]', { state: 'attached' })
      return await page.getAttribute('body', 'data-heard')
    },

    /** @param {import('node:test').TestContext} t @param {string} url */
    async open (t, url) {
      const page = await shop.browser.newPage()
      page.setDefaultTimeout(PATIENCE_MS)
      t.after(() => page.close())
      page.on('console', (message) => t.diagnostic(message.text()))
      page.on('pageerror', (err) => t.diagnostic(String(err)))
      const at = new URL(url, shop.origin)
      at.searchParams.set('relay', shop.relay)
      await page.goto(at.href)
      return page
    }
  }
  // says nothing of how its scripts are encoded, and holds pages to the policy unless they are called `loose`
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    try {
      const body = await readFile(shop.at(pathname))
      const policy = pathname.includes('loose') ? {} : { 'content-security-policy': STRICT }
      response.writeHead(200, { 'content-type': TYPES[path.extname(pathname)] ?? 'text/plain', ...policy })
      response.end(body)
    } catch {
      response.writeHead(404).end()
    }
  })
  /** @type {Awaited<ReturnType<typeof startPeer>>} */
  let relay
  before(async () => {
    relay = await startPeer('js')
    shop.relay = relay.addr
    shop.origin = `http://127.0.0.1:${await listen(server, 0, '127.0.0.1')}`
    shop.browser = await chromium.launch({ executablePath: chromiumPath(), chromiumSandbox: process.getuid?.() !== 0, args: FLAGS })
  })
  after(async () => {
    await shop.browser?.close()
    server.closeAllConnections()
    server.close()
    await relay?.stop()
  })
  return shop
}

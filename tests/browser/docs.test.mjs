// Runs every code block of README.md and docs/, as it stands. What a fence says behind its language:
//
//   html shows="TEXT"   a whole page: opened in two tabs and clicked until both show TEXT; `html alone …`: in one
//   js                  a module of its own in a page; `js goes on`: together with the block before it
//   sh                  commands: their make targets and scripts must be there
//   http                headers that the page of README.md must work under
//   X not run: WHY      printed
//
// In front of what a block of js does without saying so come its imports, `relay` and a `node`. A comment
// `// SomeError: text` behind an await is what it must throw. Addresses of relays become a real one's.
// A page of docs/ that another test names is that test's.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { TOPICS } from '../../web/serve.mjs'
import { PAGE, PATIENCE_MS, openWorld } from './harness.mjs'

const world = openWorld()
const ROOT = new URL('../../', import.meta.url)
const read = (/** @type {string} */ name) => readFileSync(new URL(name, ROOT), 'utf8')
const RELAY = /(['"])\/(ip4|dns4)\/[^'"\s]*\/p2p\/12D3[^'"\s]*…\1/g

/** Blocks of a text: language, the rest of the info string, code. @param {string} file */
const blocksOf = (file) => [...read(file).matchAll(/^( *)```(\w+) ?(.*)\n([^]*?)^ *```$/gm)]
  .map(([, indent, language, info, code]) => ({ language, info, code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), '') }))

const others = ['browser', 'interop', 'package', 'unit'].flatMap((folder) => !existsSync(new URL(`tests/${folder}`, ROOT)) ? [] : readdirSync(new URL(`tests/${folder}`, ROOT))
  .filter((name) => name.endsWith('.test.mjs') && name !== 'docs.test.mjs').map((name) => `tests/${folder}/${name}`))
const isElsewhere = (/** @type {string} */ file) => others.find((name) => read(name).includes(`docs/${file.slice('docs/'.length)}`))

/** @param {string} code @param {string} relay */
const fillIn = (code, relay) => code
  .replaceAll(RELAY, `'${relay}'`)
  .replaceAll(/(['"])(?:\.\/|peerlet\/?)(peerlet|services|room|compat|devtools|debug|)(?:\.mjs)?\1/g, (_, quote, part) => `${quote}/build/web/${part || 'peerlet'}.mjs${quote}`)

/** @param {import('node:test').TestContext} t @param {string} body @param {Record<string, string>} [headers] */
async function open (t, body, headers) {
  await mkdir(dirname(PAGE), { recursive: true })
  await writeFile(PAGE, body)
  const page = await world.tab(t, '/build/web/page.html', { headers })
  return { page, close: () => page.context().close() }
}

/** @param {import('node:test').TestContext} t @param {string} html @param {string} info @param {Record<string, string>} [headers] */
async function runPage (t, html, info, headers) {
  const text = /shows="(.*?)"/.exec(info)?.[1]
  assert.ok(text, 'a page says what it shows: html shows="…"')
  const tabs = [await open(t, html, headers)]
  if (!info.startsWith('alone ')) tabs.push(await open(t, html, headers))
  const shown = Promise.all(tabs.map(({ page }) => page.getByText(text).first().waitFor({ timeout: PATIENCE_MS })))
  const clicking = setInterval(() => tabs.forEach(({ page }) => page.click('html').catch(() => {})), 300)
  await shown.finally(() => clearInterval(clicking))
  await Promise.all(tabs.map(({ close }) => close()))
}

const EXPECTED = /^( *)(await .*)\n *\/\/ ([\w.]*Error[\w.]*): (.*)$/gm

/** @param {import('node:test').TestContext} t @param {string} code @param {string} relay */
async function runModule (t, code, relay) {
  /** @type {string[]} */
  const names = Object.keys(await import('../../js-glue/index.js')).filter((name) => name !== 'logger')
  const imports = [...code.match(/^import [^]*?from .*$/gm) ?? []]
  let rest = code.replaceAll(/^import [^]*?from .*$/gm, '')
  const isMissing = (/** @type {string} */ name) => new RegExp(`(^|[^\\w.'"/])${name}\\b`).test(rest) && !new RegExp(`\\b(const|let|function) \\{?[^=\n(]*\\b${name}\\b`).test(rest) && !imports.some((line) => new RegExp(`\\b${name}\\b`).test(line))
  if (isMissing('node')) rest = 'const node = await createLibp2p({ peerDiscovery: [bootstrap({ list: [relay] })] })\nglobalThis.made = node\n' + rest
  if (isMissing('relay')) rest = `const relay = '${relay}'\n` + rest
  const missing = names.filter(isMissing)
  if (missing.length > 0) imports.push(`import { ${missing.join(', ')} } from 'peerlet'`)
  rest = rest.replaceAll(EXPECTED, (_, indent, statement, name, message) =>
    `${indent}{ let said; try { ${statement} } catch (err) { said = err.name + ': ' + err.message }; if (said !== ${JSON.stringify(`${name}: ${message}`)}) throw new Error('said: ' + said) }`)
  const script = fillIn(`${imports.join('\n')}\ntry {\n${rest}\nglobalThis.over = 'well' } catch (err) { globalThis.over = String(err.stack) }`, relay)
  const { page, close } = await open(t, `<!DOCTYPE html><p id="out"><script>onerror = (what) => { globalThis.over = what }</script><script type="module">${script}</script>`)
  await page.waitForFunction('globalThis.over', undefined, { timeout: PATIENCE_MS }).catch(() => assert.fail(`it does not end:\n${script}`))
  assert.equal(await page.evaluate('globalThis.over'), 'well', script)
  await close()
}

/** @param {string} code */
function checkCommands (code) {
  for (const line of code.split('\n')) {
    const [program, ...args] = line.replace(/ *#.*/, '').trim().split(/\s+/)
    if (program === 'make') for (const target of args.filter((arg) => !arg.includes('='))) assert.match(read('Makefile'), new RegExp(`^${target}:`, 'm'), line)
    else if (program === 'node') assert.ok(existsSync(new URL(args[0], ROOT)), line)
    else assert.ok(['', 'cp', 'mkdir', 'cd'].includes(program), `how is this checked? ${line}`)
  }
}

const files = ['README.md', ...readdirSync(new URL('docs', ROOT)).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)]
for (const file of files) {
  const elsewhere = isElsewhere(file)
  const blocks = blocksOf(file)
  if (blocks.length === 0) continue
  test(file, { timeout: 300_000 }, async (t) => {
    if (elsewhere !== undefined) return t.diagnostic(`run by ${elsewhere}`)
    const relay = await world.relay(t, { RELAY_TOPICS: TOPICS }) // as `make demo` starts it
    let module = ''
    for (const [i, { language, info, code }] of blocks.entries()) {
      const what = `${file}, block ${i + 1}, ${language}`
      if (info.startsWith('not run: ')) t.diagnostic(`${what} is ${info}`)
      else if (language === 'html') await runPage(t, fillIn(code, relay.addr), info)
      else if (language === 'http') await runPage(t, ...await external(code, relay.addr))
      else if (language === 'js' || language === 'javascript') {
        module = info === 'goes on' ? module + code : code
        if (!blocks[i + 1]?.info.startsWith('goes on')) await runModule(t, module, relay.addr)
      } else if (language === 'sh') checkCommands(code)
      else assert.fail(`${what}: how is this run? Say "not run: why" behind the language`)
    }
  })
}

/** The page of README.md with its script in a file, as a policy wants it, and the headers. @param {string} code @param {string} relay @returns {Promise<[string, string, Record<string, string>]>} */
async function external (code, relay) {
  const { code: html, info } = /** @type {{ code: string, info: string }} */ (blocksOf('README.md').find(({ language }) => language === 'html'))
  const filled = fillIn(html, relay)
  const script = filled.match(/<script type="module">([^]*?)<\/script>/)?.[1] ?? ''
  const hash = Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(script))).toString('base64')
  const headers = Object.fromEntries(code.trim().split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2)))
  headers['Content-Security-Policy'] = headers['Content-Security-Policy'].replace("script-src 'self'", `script-src 'self' 'sha256-${hash}'`)
  return [filled, info, headers]
}

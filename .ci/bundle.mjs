// Makes what a page loads, in build/web: `peerlet.mjs`, one file with the wasm inside, and `slim.mjs`
// beside a `peerlet.wasm` that is compiled as it streams in; or, called with the name of a folder of
// js-glue, the file of that name: `services.mjs`, which has the second module inside, and those that
// have none and import `peerlet.mjs` from beside them; or, called with `min`, `peerlet.min.js`, the one
// file as a classic script.
//
// Inside the one file the wasm is text, a character per byte, so that the compression of the transport
// sees its bytes as they are, and taken apart (pack.mjs), so that they compress well: 20 % smaller over
// the wire than deflated base64. A module is always read as UTF-8. NUL changes places with DEL, because
// some tools end text there, and CR with ^: the code is full of it, and text wants it escaped.
import { build } from 'esbuild'
import { readFile, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { minify } from 'terser'
import { pack } from './pack.mjs'
import { joinSegments } from './segments.mjs'

const UNPACK = 'build/wasm/unpack.wasm'
const [,, part] = process.argv
const isServices = part === 'services'
const isNode = part === undefined || part === 'min'
const isPlain = !isNode && !isServices
const module = isPlain ? new Uint8Array(0) : joinSegments(await readFile(`build/wasm/${isServices ? part : 'peerlet'}.wasm`))

const inlined = `async () => {
  const swap = (text) => new Uint8Array(text.length).map((_, i) => { const byte = text.charCodeAt(i); return byte === 0 || byte === 127 ? byte ^ 127 : byte === 13 || byte === 94 ? byte ^ 83 : byte })
  const { memory, _initialize: unpack } = new WebAssembly.Instance(new WebAssembly.Module(swap(peerletUnpack))).exports
  const at = 65536
  const { written } = new TextEncoder().encodeInto(peerletWasm, new Uint8Array(memory.buffer, at))
  return new Uint8Array(memory.buffer, at + written, unpack(at, written))
}`

/** The glue, told where the wasm is: inside, or in a file of its own. */
const within = isServices ? `
  import { setServicesSource } from './js-glue/services/index.js'
  setServicesSource(${inlined})
  export * from './js-glue/services/index.js'` : `
  import factory from './build/wasm/peerlet.mjs'
  import { setCoreSource } from './js-glue/index.js'
  setCoreSource({ factory, wasm: ${inlined} })
  export * from './js-glue/index.js'`
const beside = `
  import factory from './build/wasm/peerlet.mjs'
  import { setSlimSource } from './js-glue/slim.js'
  setSlimSource(factory, () => new URL('./peerlet.wasm', import.meta.url))
  export * from './js-glue/index.js'
  export { init } from './js-glue/slim.js'`

// Names of the glue's own, which no page sees and no browser defines: given short ones.
const OWN = new RegExp('^((app|ask|page)_.*|inbox|calls|flushSoon|listAbout|limitSeconds|limitBytes|rejectAll' +
  '|onTrap|onEvent|onLog|onClosed|onEnded|onRoom|onData|onSubscription|peek|isDead|gater|socketEvent|sockets|steps|channels|onended|alarm|bytesAbout|getSocket)$')

// Its promise of a module stays open for ever where there is no memory for one; that of the browser does not.
const PROMISE = /\bvar readyPromiseResolve,readyPromiseReject;Module\["ready"\]=new Promise\(.*?\}\);(.*?)\bfunction ready\(\)\{readyPromiseResolve\(Module\)\}(.*?)\bWebAssembly\.instantiate\((.*)\bready\(\)\}\);\s*return Module\.ready\b/s

// What emcc wrote, made smaller where it is as 3.1.6 writes it. Its loops from text to UTF-8 are from before
// browsers had them, what a WebSocket brings is bytes in either case, it is opened
// without subprotocols and closed without a reason, and of the heap it has more views than anybody looks at.
const emcc = (!isNode ? '' : await readFile('build/wasm/peerlet.mjs', 'utf8'))
  .replace(/\bfunction stringToUTF8Array\(.*?\breturn outIdx-startIdx\}/s, `function stringToUTF8Array(text, heap, at, room) {
    heap[at + new TextEncoder().encodeInto(text, heap.subarray(at, at + room - 1)).written] = 0 }`)
  .replace(/\bif\(typeof e\.data=="string"\)\{.*?=1\}else\{.*?=0\}/s, `var data = new Uint8Array(typeof e.data === "string" ? new TextEncoder().encode(e.data) : e.data)
    var len = data.length
    var buf = _malloc(len)
    HEAPU8.set(data, buf)
    HEAPU32[WS.socketEvent + 12 >> 2] = 0;`)
  .replace(/\bvar reasonStr=.*?\bsocket\.close\(\);/s, 'socket.close(code);')
  .replace(/\bif\(!createAttributes\)\{return-5\}/, '')
  .replace(/\bprotocols\?new WebSocket\(url,[^:]*:/, '')
  .replace(PROMISE, '$1$2return WebAssembly.instantiate($3return Module})')
  .replace(/\b(HEAP\w+)=new \w+\(b\);?/g, (view, name, at, all) => all.match(new RegExp(`\\b${name}\\b`, 'g')).length > 2 ? view : '')

// It gives the module's exports short names, takes them over one by one, and library_page.js makes a list
// of them: here the glue calls them by those names itself.
const LIST = /\bfunction calls\(\)\{return\{([^}]*)\}\}/
const direct = emcc
  .replace(LIST, 'var exported;function calls(){return exported}')
  .replace(/\bvar asm=(?=[^;]*\.exports;)/, '$&exported=')
const isDirect = /\bvar exported;.*\bvar asm=exported=/s.test(direct)
const names = [...emcc.matchAll(/\b_(\w+)=asm\["([\w$]+)"\]/g)].map(([, name, short]) => [name, short]).filter(([name]) => isDirect && OWN.test(name))
for (const [name] of LIST.exec(emcc)?.[1].matchAll(/\w+(?=:)/g) ?? []) {
  if (!OWN.test(name)) throw new Error(`${name} is called by the glue, but is not among the names it has for itself`)
  if (isDirect && !names.some(([own]) => own === name)) throw new Error(`${name} is called by the glue, and emcc exports nothing of that name`)
}

/** @type {import('esbuild').Plugin} */
const fromEmcc = {
  name: 'from emcc',
  setup: (build) => build.onLoad({ filter: /wasm.peerlet\.mjs$/ }, () => ({ contents: isDirect ? direct : emcc }))
}

/** One node for the page, whoever of its files wants it. @type {import('esbuild').Plugin} */
const besides = {
  name: 'beside it',
  setup: (build) => build.onResolve({ filter: /^\.\.\/index\.js$/ }, () => ({ path: './peerlet.mjs', external: true }))
}

/** A template literal that evaluates to the bytes. @param {Uint8Array} bytes */
const literal = bytes => '`' + Buffer.from(bytes).toString('latin1')
  .replace(/[\0\x7f]/g, char => char === '\0' ? '\x7f' : '\0')
  .replace(/[\r^]/g, char => char === '\r' ? '^' : '\r')
  .replace(/[\\`]|\$(?=\{)/g, '\\$&')
  .replace(/\r/g, '\\r') + '`'

/** A classic script is read as its page is encoded: nothing but ASCII, without what changes what follows. @param {string} text */
const ascii = text => text.replace(/[\x1b\x80-\xff]/g, char => `\\x${char.charCodeAt(0).toString(16)}`)

// One global, and the wasm is handed in from behind.
const CLASSIC = {
  format: /** @type {const} */ ('iife'),
  globalName: 'Peerlet',
  banner: { js: 'var Peerlet=((peerletUnpack,peerletWasm)=>{' },
  footer: { js: 'return Peerlet})(peerletHere,peerletHere);' }
}

/**
 * esbuild puts it together, and terser makes it a kilobyte smaller than esbuild would.
 *
 * @param {string} outfile
 * @param {string} [contents]
 * @param {import('esbuild').BuildOptions} [options]
 */
async function bundle (outfile, contents = within, options = { format: 'esm' }) {
  // a part is its own entry: from there esbuild hands on an \`export *\` of what is beside it
  const entry = isPlain ? { entryPoints: [`js-glue/${part}/index.js`] } : { stdin: { contents, resolveDir: process.cwd() } }
  const { outputFiles = [] } = await build({
    ...entry,
    outfile,
    write: false,
    bundle: true,
    minify: true,
    ...isNode ? { mangleProps: OWN, mangleCache: Object.fromEntries(names), plugins: [fromEmcc] } : { plugins: [besides] },
    sourcemap: 'external',
    sourcesContent: false,
    target: 'es2022',
    legalComments: 'none',
    logLevel: 'warning',
    ...options
  })
  const [{ text: content }, { text: code }] = outputFiles
  const url = `${basename(outfile)}.map`
  const small = await minify(code, { module: options.format === 'esm', ecma: 2020, compress: { passes: 3, pure_getters: true }, sourceMap: { content, url } })
  await writeFile(outfile, `${small.code}\n`)
  await writeFile(`${outfile}.map`, String(small.map))
}

/**
 * Puts the wasm at the end, where it moves nothing that the source map speaks of.
 *
 * @param {string} file
 * @param {(script: string, unpack: string, packed: string) => string} put
 */
async function inline (file, put) {
  const unpack = literal(await readFile(UNPACK))
  const packed = literal(pack(module))
  const unpacked = await eval(`var peerletUnpack=${unpack},peerletWasm=${packed};(${inlined})()`)
  if (Buffer.compare(unpacked, module) !== 0) throw new Error('the packed module does not come out as it was')
  if (!WebAssembly.validate(/** @type {BufferSource} */ (module))) throw new Error('what came of the linker\'s module is no module')
  await writeFile(file, put(await readFile(file, 'utf8'), unpack, packed))
}

/** @param {string} file */
async function inOne (file) {
  await bundle(file)
  await inline(file, (script, unpack, packed) => {
    const at = script.lastIndexOf('//# sourceMappingURL')
    return `${script.slice(0, at)}var peerletUnpack=${unpack}\nvar peerletWasm=${packed}\n${script.slice(at)}`
  })
}

/** @param {string} file */
async function classic (file) {
  await bundle(file, within, CLASSIC)
  await inline(file, (script, unpack, packed) => {
    const [head, tail, ...more] = script.split('(peerletHere,peerletHere)')
    if (tail === undefined || more.length > 0) throw new Error('the place for the wasm is not where it was')
    return `${head}(${ascii(unpack)},${ascii(packed)})${tail}`
  })
}

if (part === 'min') await classic('build/web/peerlet.min.js')
else if (isServices) await inOne('build/web/services.mjs')
else if (isPlain) await bundle(`build/web/${part}.mjs`)
else {
  await Promise.all([
    inOne('build/web/peerlet.mjs'),
    bundle('build/web/slim.mjs', beside),
    writeFile('build/web/peerlet.wasm', module)
  ])
}

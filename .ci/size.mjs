// What a page loads, in bytes: fails above the limit, says where the budget stands. The limit is for the emcc that Debian
// has: another one brings a longer runtime, and that is no fault of who builds with it.
import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const FILE = 'peerlet.mjs'
const LIMIT = 80 * 1024
const EMCC = process.argv[2]
const BUDGET = 64 * 1024

const brotli = bytes => brotliCompressSync(bytes, {
  params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length }
})
const row = cells => console.log('  ' + cells.map((cell, i) => i === 0 ? cell.padEnd(20) : String(cell).padStart(9)).join(''))

row(['file', 'raw', 'gzip -9', 'brotli'])
const sizes = new Map()
for (const name of readdirSync('build/web').filter(name => !/\.map$|debug/.test(name)).sort()) {
  const bytes = readFileSync(`build/web/${name}`)
  sizes.set(name, brotli(bytes).length)
  row([name, bytes.length, gzipSync(bytes, { level: 9 }).length, sizes.get(name)])
}
const total = sizes.get(FILE)
console.log(`  ${FILE} is the whole of it: ${(100 * total / BUDGET).toFixed(0)} % of the budget of ${BUDGET} bytes brotli`)
const compiler = execFileSync('emcc', ['--version'], { encoding: 'utf8' }).split('\n')[0]
const isOther = !compiler.includes(` ${EMCC} `)
if (isOther) console.log(`skipped: the limit of ${LIMIT} bytes is for emcc ${EMCC}, and this is ${compiler}`)
const isOver = !isOther && total > LIMIT
if (isOver) console.error(`  too big: the limit is ${LIMIT}`)
console.log(isOther ? '0 passed, 0 failed, 1 skipped' : isOver ? '0 passed, 1 failed' : '1 passed, 0 failed')
process.exitCode = Number(isOver)

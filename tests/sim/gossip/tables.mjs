// The figures of the plans in the documents, and in build/sim/table.md, which `make sim-all` leaves.
//
//     node tests/sim/gossip/tables.mjs     puts the table, and what README shows of it, into the documents, whose order stays
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
export const WHOLE = 'docs/gossipsub.md'
export const SHORT = 'README.md'

/** A table of such rows, with its head. */
const WHOLE_TABLE = /^\| `make sim SCENARIO=` \|.*\n(\|.*\n)+/m
const SHORT_TABLE = /^\| `SCENARIO=` \|.*\n(\|.*\n)+/m

/** @param {string} file */
const read = (file) => readFileSync(`${ROOT}${file}`, 'utf8')

/** The cells of each row, by its scenario. @param {string | undefined} table */
function rowsOf (table) {
  const lines = (table ?? '').trimEnd().split('\n').slice(2)
  return new Map(lines.map((line) => line.slice(2, -2).split(' | ')).map((cells) => [cells[0], cells]))
}

export const wholeTable = () => WHOLE_TABLE.exec(read(WHOLE))?.[0] ?? ''
export const shortTable = () => SHORT_TABLE.exec(read(SHORT))?.[0] ?? ''
export { rowsOf }

/** What README shows of the whole table. @param {string} table */
export function shorten (table) {
  const rows = [...rowsOf(table).values()].map(([name, what, nodes, delivered, times, , , mesh]) =>
    `| ${[name, what, nodes, delivered, times, /; (.*)/.exec(mesh)?.[1] ?? '-'].join(' | ')} |`)
  return ['| `SCENARIO=` | what happens | nodes | delivered | p50 / p99 ms | sybils in meshes |', '| --- | --- | --- | --- | --- | --- |', ...rows, ''].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const made = read('build/sim/table.md')
  const lines = new Map([...rowsOf(made).entries()].map(([name, cells]) => [name, `| ${cells.join(' | ')} |`]))
  const order = new Set([...rowsOf(wholeTable()).keys(), ...lines.keys()].filter((name) => lines.has(name)))
  const table = [...made.split('\n').slice(0, 2), ...Array.from(order, (name) => lines.get(name)), ''].join('\n')
  for (const [file, old, now] of [[WHOLE, WHOLE_TABLE, table], [SHORT, SHORT_TABLE, shorten(table)]]) {
    writeFileSync(`${ROOT}${file}`, read(/** @type {string} */ (file)).replace(/** @type {RegExp} */ (old), () => /** @type {string} */ (now)))
  }
}

// Every plan of this folder is met: in small, with the same trace whichever compiler built the crowd
// and however many threads carry it; or, without SMALL, as large as it is written, and then
// build/sim/table.md has the figures.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const BUILD = fileURLToPath(new URL('../../../build/', import.meta.url))
const isAttack = (/** @type {string} */ plan) => plan.startsWith('attack-')
/** @param {string} plan */
const inSmall = (plan) => isAttack(plan) ? ['nodes=50', 'sybils=200'] : ['messages=60', ...plan === 'pages.plan' ? ['nodes=40', 'relays=4'] : ['nodes=100']]

/** @param {string} compiler @param {string} plan @param {string[]} settings */
async function run (compiler, plan, ...settings) {
  const { stdout } = await promisify(execFile)(`${BUILD}${compiler}/gossip`, [`${HERE}${plan}`, ...settings]).catch((err) => err)
  return { stdout, trace: /^trace +(\w+)/m.exec(stdout)?.[1] }
}

const table = [
  '| `make sim SCENARIO=` | what happens | nodes | delivered | p50 / p99 ms | p99: without it / first minute / later | copies | mesh; sybils | CPU; memory |',
  '| --- | --- | --- | --- | --- | --- | --- | --- | --- |'
]

/** A line of the table. @param {string} plan @param {string} stdout */
function row (plan, stdout) {
  const find = (/** @type {RegExp} */ pattern, none = '') => pattern.exec(stdout)?.slice(1).join(' / ') ?? none
  const text = readFileSync(`${HERE}${plan}`, 'utf8')
  const attackers = /^sybils (\d+)/m.exec(text)?.[1]
  const share = find(/^sybils +([\d.]+) %/m)
  return `| ${[
    plan.replace('.plan', ''), /^# (.*)\.$/m.exec(text)?.[1], find(/^(?:nodes|pages) +(\d+)/m) + (attackers ? ` + ${attackers}` : ''),
    `${find(/^delivered +([\d.]+)/m)} %`,
    find(/p50 (\d+) ms, p99 (\d+)/, '-'),
    find(/p99 (\d+) ms without it, (\d+) ms in its first \d+ s, (\d+) ms later/, '-'), find(/^duplicates +([\d.]+)/m, '-'),
    find(/^mesh degree +([\d.]+)/m, '-') + (share && `; ${share} %`),
    `${find(/([\d.]+) s of processors/)} s; ${find(/([\d.]+) GB in all/)} GB`
  ].join(' | ')} |`
}

for (const plan of readdirSync(HERE).filter((name) => name.endsWith('.plan'))) {
  test(plan, { timeout: 1_800_000 }, async (t) => {
    if (process.env.SMALL === undefined) {
      const { stdout } = await run('sim', plan, `svg=${BUILD}sim/${plan.replace('.plan', '.svg')}`)
      t.diagnostic(stdout)
      assert.match(stdout, /^trace/m)
      table.push(row(plan, stdout))
      return assert.doesNotMatch(stdout, /FAILED/)
    }
    const small = inSmall(plan)
    const { stdout, trace } = await run('sim', plan, ...small, 'threads=1')
    assert.doesNotMatch(stdout, /FAILED/)
    assert.ok(trace, stdout)
    if (isAttack(plan)) return // the same code, and there are twelve of them
    assert.equal((await run('gcc', plan, ...small, 'threads=1')).trace, trace)
    if (plan !== 'calm.plan') return
    assert.equal((await run('sim', plan, ...small, 'threads=2')).trace, trace)
    assert.notEqual((await run('sim', plan, ...small, 'threads=1', 'seed=2')).trace, trace)
  })
}

after(() => {
  if (process.env.SMALL === undefined) writeFileSync(`${BUILD}sim/table.md`, `${table.join('\n')}\n`)
})

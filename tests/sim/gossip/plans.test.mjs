// Every plan of this folder is met: in small, with the same trace whichever compiler built the crowd
// and however many threads carry it; or, without SMALL, as large as it is written, and then
// build/sim/table.md has the figures. PLANS=calm,pages runs these, and leaves the other rows as they are.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { rowsOf, shortTable, shorten, wholeTable } from './tables.mjs'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const BUILD = fileURLToPath(new URL('../../../build/', import.meta.url))
const isAttack = (/** @type {string} */ plan) => plan.startsWith('attack-')
const isSmall = process.env.SMALL !== undefined

/**
 * A twentieth of an attack, with the sybils, the targets and those who publish in proportion. But the one
 * who is censored needs others beside it, and five who publish among fifty hear most of each other.
 *
 * @param {string} plan
 */
function inSmall (plan) {
  if (plan === 'attack-eclipse-publishers.plan') return ['nodes=100']
  if (plan === 'attack-censor.plan') return ['nodes=50', 'publishers=10']
  return isAttack(plan) ? ['nodes=50'] : ['messages=60', `nodes=${plan === 'pages.plan' ? 40 : 100}`]
}

/**
 * @param {string} compiler
 * @param {string} plan
 * @param {string[]} settings
 * @returns {Promise<{ stdout: string, stderr: string, status: number | string, trace?: string }>}
 */
async function run (compiler, plan, ...settings) {
  const { stdout, stderr, code = 0, signal } = await promisify(execFile)(`${BUILD}${compiler}/gossip`, [`${HERE}${plan}`, ...settings]).catch((err) => err)
  return { stdout, stderr, status: signal ?? code, trace: /^trace +(\w+)/m.exec(stdout)?.[1] }
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
    `${Number(find(/^delivered +([\d.]+)/m))} %`,
    find(/p50 (\d+) ms, p99 (\d+)/, '-'),
    find(/p99 (\d+) ms without it, (\d+) ms in its first \d+ s, (\d+) ms later/, '-'), find(/^duplicates +([\d.]+)/m, '-'),
    find(/^mesh degree +([\d.]+)/m, '-') + (share && `; ${share} %`),
    `${find(/([\d.]+) s of processors/)} s; ${find(/([\d.]+) GB in all/)} GB`
  ].join(' | ')} |`
}

const plans = readdirSync(HERE).filter((name) => name.endsWith('.plan'))
const chosen = process.env.PLANS?.split(',').map((name) => `${name}.plan`) ?? plans
const rows = new Map()
/** Of what ran in small. */
const traces = new Map()

for (const plan of chosen) {
  test(plan, { timeout: 3_600_000 }, async (t) => {
    if (!isSmall) {
      const { stdout, stderr, status } = await run('sim', plan, `svg=${BUILD}sim/${plan.replace('.plan', '.svg')}`)
      t.diagnostic(stdout)
      if (/^trace/m.test(stdout)) rows.set(plan, row(plan, stdout))
      return assert.equal(status, 0, stdout + stderr)
    }
    const small = [...inSmall(plan), 'threads=1']
    const [ours, other] = await Promise.all([run('sim', plan, ...small), run('gcc', plan, ...small)])
    assert.equal(ours.status, 0, ours.stdout + ours.stderr)
    assert.equal(other.status, 0, other.stdout + other.stderr)
    assert.ok(ours.trace, ours.stdout)
    assert.equal(other.trace, ours.trace)
    traces.set(plan, ours.trace)
    if (plan !== 'calm.plan') return
    assert.equal((await run('sim', plan, ...inSmall(plan), 'threads=2')).trace, ours.trace)
    assert.notEqual((await run('sim', plan, ...small, 'seed=2')).trace, ours.trace)
  })
}

if (isSmall) {
  test('no two plans are the same in small', () => {
    assert.equal(traces.size, chosen.length)
    assert.equal(new Set(traces.values()).size, chosen.length)
  })

  test('what a level does not use is refused by name', async () => {
    for (const [plan, setting, name] of [
      ['pages.plan', 'regions', 'regions'], ['pages.plan', 'degree=5', 'degree'], ['pages.plan', 'sybils=5', 'sybils'],
      ['calm.plan', 'bridges=2', 'bridges'], ['calm.plan', 'direct=2', 'direct']
    ]) {
      const { status, stderr } = await run('sim', plan, setting)
      assert.equal(status, 2)
      assert.match(stderr, new RegExp(`^${name} means nothing to `))
    }
  })

  test('pages take what their level has: each setting changes the trace', async () => {
    const small = [...inSmall('pages.plan'), 'delivery=0', 'p99=0', 'direct=0', 'nodes=20', 'relays=2', 'seconds=20', 'messages=20']
    const seen = new Set()
    for (const setting of ['seed=1', 'uplink=1', 'latency=25 10', 'loss=5', 'churn=60 5']) {
      const { status, trace, stdout } = await run('sim', 'pages.plan', ...small, setting)
      assert.equal(status, 0, stdout)
      assert.match(stdout, /^latency +p50 \d+ ms, p99 \d+ ms/m)
      seen.add(trace)
    }
    assert.equal(seen.size, 5)
  })

  test('what is not met ends with 1, and says what', async () => {
    for (const [setting, why] of [['p99=1', 'ms are p99'], ['direct=1', 's two pages at one relay are not connected directly'], ['wall=1', 's went by'], ['memory=1', 'MiB are in use']]) {
      const { status, stdout } = await run('sim', 'pages.plan', ...inSmall('pages.plan'), setting)
      assert.equal(status, 1)
      assert.match(stdout, new RegExp(`^FAILED: [\\d.]+ ${why}`, 'm'))
    }
  })

  test('a cut that is not given time to be mended is late', async () => {
    const { status, stdout } = await run('sim', 'partition.plan', 'nodes=100', 'loss=90')
    assert.equal(status, 1)
    assert.match(stdout, /FAILED: .* s after a cut messages are still late/)
  })

  test('the documents have a row of each plan, with the same figures', () => {
    const rows = rowsOf(wholeTable())
    const texts = plans.map((plan) => [plan.replace('.plan', ''), /^# (.*)\.$/m.exec(readFileSync(`${HERE}${plan}`, 'utf8'))?.[1]])
    assert.deepEqual([...rows.values()].map(([name, what]) => [name, what]).sort(), texts.sort())
    assert.equal(shortTable(), shorten(wholeTable()))
  })

  test('pages are drawn', async () => {
    const svg = `${BUILD}sim/small.svg`
    rmSync(svg, { force: true })
    assert.equal((await run('sim', 'pages.plan', ...inSmall('pages.plan'), `svg=${svg}`)).status, 0)
    assert.match(readFileSync(svg, 'utf8'), /pages: 40 pages, 60 messages .*Percent of deliveries.*Mesh degree/s)
  })
}

/** The row of a plan that did not run now, of the table that is there. @param {string} plan */
function rowBefore (plan) {
  const table = `${BUILD}sim/table.md`
  return !existsSync(table) ? [] : readFileSync(table, 'utf8').split('\n').filter((line) => line.startsWith(`| ${plan.replace('.plan', '')} |`))
}

after(() => {
  if (isSmall) return
  for (const plan of plans) table.push(...rows.has(plan) ? [rows.get(plan)] : rowBefore(plan))
  writeFileSync(`${BUILD}sim/table.md`, `${table.join('\n')}\n`)
})

// Every plan of this folder is met: in small, with the same trace whichever compiler built the crowd
// and however many threads carry it; or, without SMALL, as large as it is written.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const built = (/** @type {string} */ compiler) => fileURLToPath(new URL(`../../../build/${compiler}/gossip`, import.meta.url))
const isAttack = (/** @type {string} */ plan) => plan.startsWith('attack-')
/** @param {string} plan */
const inSmall = (plan) => [
  'messages=60', 'nodes=100', ...isAttack(plan) ? ['messages=1800', 'nodes=30', 'sybils=120'] : [], ...plan === 'pages.plan' ? ['nodes=40', 'relays=4'] : []
]

/** @param {string} compiler @param {string} plan @param {string[]} settings */
async function run (compiler, plan, ...settings) {
  const { stdout } = await promisify(execFile)(built(compiler), [`${HERE}${plan}`, ...settings]).catch((err) => err)
  return { stdout, trace: /^trace +(\w+)/m.exec(stdout)?.[1] }
}

for (const plan of readdirSync(HERE).filter((name) => name.endsWith('.plan'))) {
  test(plan, { timeout: 600_000 }, async (t) => {
    if (process.env.SMALL === undefined) {
      const svg = fileURLToPath(new URL(`../../../build/sim/${plan.replace('.plan', '.svg')}`, import.meta.url))
      const { stdout } = await run('sim', plan, `svg=${svg}`)
      t.diagnostic(stdout)
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

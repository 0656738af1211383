// Runs tests and counts their cases; the last line it writes is `N passed, N failed`, and
// `, N skipped` where some could not run.
//
//     node tests/run.mjs PROGRAM...     each speaks TAP: cmocka programs, their wasm builds (.js),
//                                       node:test files (.test.mjs), fuzzers (their corpus)
//     node tests/run.mjs --make TARGET...   each a suite: a target of the Makefile, whose own last
//                                       line is taken, or whose exit status counts as one case
//
// A case that cannot run here is listed with its reason. Exits with 1 when a case failed, or none
// ran; a program that runs none has failed.
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { basename } from 'node:path'
import { existsSync, mkdirSync } from 'node:fs'

const TIMEOUT_MS = 1_800_000 // of a program that hangs; tests have limits of their own
const JOBS = availableParallelism()
const FUZZ_SECONDS = process.env.FUZZ_SECONDS ?? '3'

/** @typedef {{ passed: number, failed: number, skipped: string[] }} Counts */

/**
 * @param {string[]} command
 * @param {{ echo?: boolean, timeout?: number }} [options]
 * @returns {Promise<{ ok: boolean, output: string, ms: number }>}
 */
function run ([program, ...args], { echo = false, timeout } = {}) {
  const started = Date.now()
  return new Promise(resolve => {
    const env = { ...process.env, CMOCKA_MESSAGE_OUTPUT: 'TAP' }
    const child = spawn(program, args, { env, timeout, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const take = (/** @type {Buffer} */ chunk) => {
      output += chunk
      if (echo) process.stdout.write(chunk)
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    const end = (/** @type {boolean} */ ok) => resolve({ ok, output, ms: Date.now() - started })
    child.on('error', error => { output += `${error.message}\n`; end(false) })
    child.on('close', (code, signal) => {
      if (signal != null) output += `ended by ${signal}\n`
      end(code === 0)
    })
  })
}

/**
 * The leaves of a TAP report: a line that its own indented block of subtests precedes is their sum.
 *
 * @param {string} output
 * @returns {Counts}
 */
function countTap (output) {
  const counts = { passed: 0, failed: 0, skipped: /** @type {string[]} */ ([]) }
  let depth = 0
  for (const line of output.split('\n')) {
    const match = /^( *)(not )?ok \d+ - (.*?)(?: # (?:SKIP|TODO) ?(.*))?$/.exec(line)
    if (match == null) continue
    const [, indent, not, name, reason] = match
    const isSum = indent.length < depth
    depth = indent.length
    if (isSum && not == null) continue
    if (reason != null) counts.skipped.push(`${name}: ${reason}`)
    else if (not == null) counts.passed++
    else if (!isSum || counts.failed === 0) counts.failed++
  }
  return counts
}

/** A report without the cases that passed. @param {string} output */
function complaints (output) {
  let isGood = false // within what a case that passed says of itself
  return output.split('\n').filter(line => {
    if (/^ *(not )?ok \d+/.test(line)) isGood = !/^ *not/.test(line)
    else if (!/^ *(---|\.\.\.|\w+: .*)$/.test(line)) isGood = false
    return !isGood && !/^ *(# (Subtest|tests|suites|pass|cancelled|skipped|todo|duration_ms)\b.*|\d+\.\.\d+|TAP version .*)$/.test(line)
  }).join('\n')
}

/** @param {string} program */
function commandFor (program) {
  if (program.endsWith('.test.mjs')) {
    const alone = /firefox|closing|table/.test(basename(program)) ? ['.ci/loopback-only'] : []
    return [...alone, process.execPath, '--test', '--test-reporter=tap', program]
  }
  if (program.endsWith('.js')) return [process.execPath, program]
  const fuzzer = /fuzz_(\w+)$/.exec(program)
  if (fuzzer == null) return [program]
  const found = `build/fuzz/corpus/${fuzzer[1]}`
  const seeds = `tests/fuzz/corpus/${fuzzer[1]}`
  mkdirSync(found, { recursive: true })
  return [program, `-max_total_time=${FUZZ_SECONDS}`, '-timeout=5', '-verbosity=0',
    `-artifact_prefix=${found}-`, found, ...existsSync(seeds) ? [seeds] : []]
}

/**
 * @param {string} program
 * @returns {Promise<Counts>}
 */
async function runProgram (program) {
  const { ok, output, ms } = await run(commandFor(program), { timeout: TIMEOUT_MS })
  const counts = countTap(output)
  const isSilent = counts.passed + counts.failed + counts.skipped.length === 0
  if (isSilent && ok && program.includes('/fuzz_')) counts.passed = 1
  else if ((isSilent || !ok) && counts.failed === 0) counts.failed = 1
  const verdict = counts.failed > 0 ? 'FAILED' : 'ok'
  console.log(`  ${verdict.padEnd(7)}${basename(program).padEnd(34)}${summary(counts)}  ${ms} ms`)
  if (counts.failed > 0) console.log(complaints(output))
  return counts
}

/** A line for each suite that has run. */
const suites = /** @type {string[]} */ ([])

/**
 * @param {string} target
 * @returns {Promise<Counts>}
 */
async function runSuite (target) {
  console.log(`\n${target}`)
  const make = ['make', '--no-print-directory', '-s', '-k', `-j${JOBS}`, target]
  const { ok, output, ms } = await run(make, { echo: true })
  const last = output.trimEnd().split('\n').findLast(line => /^\d+ passed, \d+ failed(, \d+ skipped)?$/.test(line))
  const [passed, failed] = last?.match(/\d+/g)?.map(Number) ?? [ok ? 1 : 0, 0] // the skipped are named
  const skipped = [...output.matchAll(/^skipped: (.*)$/gm)].map(match => match[1])
  const counts = { passed, failed: ok ? failed : Math.max(failed, 1), skipped }
  suites.push(`  ${target.padEnd(14)}${String(Math.round(ms / 1000)).padStart(4)} s  ${summary(counts)}`)
  console.log(suites[suites.length - 1])
  return counts
}

/** @param {Counts} counts */
const summary = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed` +
  (skipped.length > 0 ? `, ${skipped.length} skipped` : '')

/**
 * @param {string[]} names
 * @param {(name: string) => Promise<Counts>} runOne
 * @param {number} jobs how many run at a time
 */
async function runAll (names, runOne, jobs) {
  const total = { passed: 0, failed: 0, skipped: /** @type {string[]} */ ([]) }
  const waiting = [...names]
  const worker = async () => {
    for (let name = waiting.shift(); name != null; name = waiting.shift()) {
      const counts = await runOne(name)
      total.passed += counts.passed
      total.failed += counts.failed
      total.skipped.push(...counts.skipped)
    }
  }
  await Promise.all(Array.from({ length: jobs }, worker))
  return total
}

const args = process.argv.slice(2)
const isTop = args[0] === '--make'
const oneByOne = isTop || args.some(arg => arg.endsWith('.test.mjs'))
const total = await runAll(isTop ? args.slice(1) : args, isTop ? runSuite : runProgram, oneByOne ? 1 : JOBS)

if (isTop) console.log(['', ...suites, ''].join('\n'))
for (const skip of total.skipped) console.log(`skipped: ${skip}`)
console.log(summary(total))
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0

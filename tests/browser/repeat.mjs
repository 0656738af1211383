// Runs the tests of this folder many times in a row, to find what fails once in a while.
//
//   node tests/browser/repeat.mjs [times = 10] [file …]
//
// Prints one line for each run, and what a failed one said; ends with 1 if any failed.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const [times = '10', ...named] = process.argv.slice(2)
const files = named.length > 0 ? named : readdirSync(HERE).filter((name) => name.endsWith('.test.mjs')).map((name) => path.join(HERE, name))

const HANGS_MS = 1_200_000 // a run that does not end has failed

let failedRuns = 0
for (let run = 1; run <= Number(times); run++) {
  const began = Date.now()
  const { status, stdout, stderr } = spawnSync(process.execPath,
    ['--test', '--test-concurrency=1', '--test-reporter=tap', ...files], { encoding: 'utf8', maxBuffer: 64 << 20, timeout: HANGS_MS })
  const failures = stdout.split('\n').filter((line) => /^\s*not ok/.test(line))
  if (status !== 0) failedRuns++
  console.log(`run ${run} of ${times}: ${status === 0 ? 'passed' : 'FAILED'} in ${Math.round((Date.now() - began) / 1000)} s`)
  if (status !== 0) console.log(failures.join('\n') + '\n' + stdout + stderr)
}
process.exit(failedRuns === 0 ? 0 : 1)

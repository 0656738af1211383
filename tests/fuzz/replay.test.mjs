// The corpus of every fuzz entry, played to the native build and to the wasm: both must come to the
// same end, and be told the same. The native one, with ASan and UBSan, decides.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'

const CORPUS = 'tests/fuzz/corpus'
const entries = readdirSync('tests/fuzz').flatMap(name => /^fuzz_(\w+)\.c$/.exec(name)?.[1] ?? [])

/** What the program prints: a line for each file. @param {string[]} command @param {string[]} files */
function play ([program, ...args], files) {
  const { stdout, stderr, status } = spawnSync(program, [...args, ...files], { encoding: 'utf8', maxBuffer: 1 << 26 })
  assert.equal(status, 0, `${program} after ${stdout.trimEnd().split('\n').at(-1)}:\n${stderr}`)
  return stdout.split('\n')
}

for (const entry of entries) {
  test(entry, () => {
    const files = readdirSync(`${CORPUS}/${entry}`).sort().map(name => `${CORPUS}/${entry}/${name}`)
    const native = play(['build/asan/tests/fuzz/replay'], files)
    assert.equal(native.length, files.length + 1)
    assert.deepEqual(play([process.execPath, 'build/node/tests/fuzz/replay.js'], files), native)
  })
}

// docs/api.md is what the sources say of themselves.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

test('docs/api.md is current', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['.ci/api.mjs', '--check'], { cwd: fileURLToPath(new URL('../..', import.meta.url)), encoding: 'utf8' })
  assert.equal(status, 0, stdout + stderr)
})

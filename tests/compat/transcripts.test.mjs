// Two applications written for js-libp2p, one for version 3 and one for version 2, each run on js-libp2p and on Peerlet
// against the same kind of peer: what they say is the same, line by line.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { nodeBinary, startPeerFor } from '../interop/start-peer.mjs'

const here = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url))

/** Where they differ on purpose, which docs/from-js-libp2p.md tells: js-libp2p's line, then Peerlet's. @type {Array<[RegExp, RegExp]>} */
const ON_PURPOSE = [
  // typed, where js-libp2p throws what it stumbled over
  [/^(not an id): throws \w*Error$/, /throws InvalidPeerIdError$/],
  [/^(bad key): throws \w*Error$/, /throws InvalidPrivateKeyError$/],
  [/^(address .*): throws (UnknownProtocol|Validation|InvalidParameters)?Error$/, /throws InvalidMultiaddrError$/],
  [/^(no address): throws Error$/, /throws InvalidParametersError$/],
  [/^(address \/p2p\/xyz): "\/p2p\/xyz"$/, /throws InvalidMultiaddrError$/],
  [/^(dial a closed port): throws (undefined|\w+Error)$/, /throws DialError$/],
  [/^(dial somebody else there): throws EncryptionFailedError$/, /throws UnexpectedPeerError$/],
  [/^(dial myself): throws \w+Error$/, /throws DialError$/],
  [/^(dial then): throws (TimeoutError|\w+Error)$/, /throws NotStartedError$/],
  // what was reset is not taken for the whole
  [/^(read what was reset): ""$/, /throws StreamResetError$/]
]

/** @param {string} theirs @param {string} ours */
const isOnPurpose = (theirs, ours) => ON_PURPOSE.some(([from, to]) => {
  const [, label] = from.exec(theirs) ?? []
  return label !== undefined && ours.startsWith(`${label}: `) && to.test(ours)
})

/** @param {import('node:test').TestContext} t @param {string} app @param {string[]} flags @returns {Promise<string[]>} */
async function run (t, app, flags) {
  const { peerId, addr, guest } = await startPeerFor(t, here('peer.mjs'))
  const child = spawn(nodeBinary(), [...flags, here(`${app}/main.mjs`)], { env: { ...process.env, PEER: JSON.stringify({ peerId, addr, guest }) }, timeout: 180_000 })
  let said = ''
  let complaint = ''
  child.stdout.on('data', (bytes) => { said += bytes })
  child.stderr.on('data', (bytes) => { complaint += bytes })
  const code = await new Promise((resolve) => child.on('exit', resolve))
  assert.equal(code, 0, `${app} ended early, after "${said.trimEnd().split('\n').at(-1)}": ${complaint}`)
  return said.trimEnd().split('\n')
}

for (const [app, lines] of /** @type {const} */ ([['v3', 150], ['v2', 45]])) {
  const skip = app === 'v2' && !existsSync(here('v2/node_modules')) && 'js-libp2p 2 is not installed: `make compat` does'
  test(`an application for js-libp2p ${app}`, { timeout: 420_000, skip }, async (t) => {
    const theirs = await run(t, app, [])
    const ours = await run(t, app, ['--import', here('on-peerlet.mjs')])
    assert.ok(theirs.length > lines)
    assert.deepEqual(ours.map((line, i) => isOnPurpose(theirs[i], line) ? theirs[i] : line), theirs)
  })
}

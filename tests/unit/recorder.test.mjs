// What tells a node something is recorded: a call that is added to peerlet.h needs a row in
// src/record/input.h, and a stand-in in src/record/recorder.c.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

const source = (/** @type {string} */ name) => readFileSync(new URL(`../../src/${name}`, import.meta.url), 'utf8')

/** What changes nothing of what a node does: they answer. */
const QUESTIONS = /^peerlet_(deadline|reason|memory|peer_id|private_key|addresses|recipients|topics|pubsub_peers|peer_addresses|peer_protocols)$/

test('no call of peerlet.h goes unrecorded', () => {
  const header = source('peerlet.h').replace(/\/\*[\s\S]*?\*\//g, '')
  const calls = [...header.matchAll(/\b(peerlet_\w+)\(/g)].map(([, name]) => name).filter((name) => !QUESTIONS.test(name))
  assert.ok(calls.length > 40)
  const recorder = source('record/recorder.c')
  for (const name of calls) {
    assert.match(recorder, new RegExp(`(__wrap_|^CALL\\(|^ASK\\(\\w+, )${name}\\b`, 'm'), `${name} is not in src/record/recorder.c, nor among the questions here`)
  }
})

// What becomes of a message between the core and the application, and of the options of one publish.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as k from '../../build/gen/numbers.js'
import { PubSub, TopicValidatorResult } from '../../js-glue/pubsub.js'
import { PeerId } from '../../js-glue/peer-id.js'

const PEER = '12D3KooWLbTBv97L6jvaLkdSRpqhCX3w7PyPDWU7kwJsKJyztAUN'

/** A router over a core that only remembers. @param {object} [options] @param {(job: number, verdict: number) => number} [judge] */
function make (options = {}, judge = () => 1) {
  /** @type {any[][]} */
  const ran = []
  /** @type {any} */
  const core = {
    calls: { app_judge: (/** @type {number} */ job, /** @type {number} */ verdict) => { ran.push(['judge', job, verdict]); return judge(job, verdict) }, app_publish: 'publish', ask_recipients: () => 0 },
    run: (/** @type {string} */ name, /** @type {any} */ _, /** @type {number[]} */ ...numbers) => { if (name) ran.push([name, ...numbers]) },
    list: () => [],
    listen: (/** @type {any} */ listeners) => { core.listeners = listeners },
    flushSoon () {}
  }
  const pubsub = new PubSub(core, (id) => id > 0 ? new PeerId(PEER) : undefined, options)
  /** @type {string[]} */
  const heard = []
  pubsub.addEventListener('message', (/** @type {any} */ { detail }) => heard.push(detail.topic))
  const tell = (/** @type {number} */ id, /** @type {number} */ value) => core.listeners[k.MESSAGE]({ id, value, peer: '', text: 't', data: new Uint8Array(1) })
  return { pubsub, ran, heard, tell }
}

test('a message of our own is not judged', async () => {
  const { pubsub, heard, tell, ran } = make({ emitSelf: true })
  pubsub.topicValidators.set('t', () => TopicValidatorResult.Reject)
  await tell(0, 0)
  assert.deepEqual(heard, ['t'])
  await tell(7, 5)
  assert.deepEqual(heard, ['t'])
  assert.deepEqual(ran, [['judge', 0, 0], ['judge', 5, 2]])
})

test('what is accepted when the core has given it up is not heard', async () => {
  const { pubsub, heard, tell } = make({}, (job) => Number(job === 5))
  pubsub.topicValidators.set('t', () => TopicValidatorResult.Accept)
  await tell(7, 4)
  assert.deepEqual(heard, [])
  await tell(7, 5)
  assert.deepEqual(heard, ['t'])
})

test('floodPublish of one message goes before that of all', async () => {
  const rows = /** @type {Array<[object, object | undefined, number]>} */ ([
    [{}, undefined, k.TO_ALL],
    [{}, { floodPublish: false }, k.TO_MESH],
    [{ floodPublish: false }, undefined, k.TO_MESH],
    [{ floodPublish: false }, { floodPublish: true }, k.TO_ALL]
  ])
  for (const [all, one, reach] of rows) {
    const { pubsub, ran } = make(all)
    await pubsub.publish('t', new Uint8Array(1), one)
    assert.deepEqual(ran, [['publish', reach]])
  }
})

// What the validator of sequence numbers accepts, where there is no IndexedDB; with it: tests/browser/replay.test.mjs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seqnoValidator } from '../../js-glue/services/seqno-validator.js'

const node = { peerId: 'ours' }

/** @param {string} from @param {bigint} sequenceNumber */
const signed = (from, sequenceNumber) => ({ type: 'signed', topic: 't', data: new Uint8Array(0), from, sequenceNumber })

test('only what is higher than the last of its author', async () => {
  const validate = seqnoValidator(node)
  const verdicts = []
  for (const [author, number] of /** @type {Array<[string, bigint]>} */ ([
    ['a', 5n], ['a', 5n], ['a', 4n], ['a', 6n], ['b', 1n], ['b', 0n], ['c', 0n], ['a', 2n ** 64n - 1n], ['a', 7n]
  ])) verdicts.push(await validate('via', signed(author, number)))
  assert.deepEqual(verdicts, ['accept', 'ignore', 'ignore', 'accept', 'accept', 'ignore', 'ignore', 'accept', 'ignore'])
})

test('of the same number that comes twice at once one', async () => {
  const validate = seqnoValidator(node)
  assert.deepEqual((await Promise.all([1n, 1n, 1n].map((number) => validate('via', signed('a', number))))).sort(), ['accept', 'ignore', 'ignore'])
})

test('who does not say how-manieth it is, is ignored', async () => {
  assert.equal(await seqnoValidator(node)('via', { type: 'unsigned', topic: 't', data: new Uint8Array(0) }), 'ignore')
})

test('of more authors than that the one silent longest is forgotten', async () => {
  const validate = seqnoValidator(node, { maxAuthors: 2 })
  for (const [author, number] of /** @type {Array<[string, bigint]>} */ ([['a', 1n], ['b', 2n], ['a', 3n], ['c', 4n]])) {
    assert.equal(await validate('via', signed(author, number)), 'accept')
  }
  assert.equal(await validate('via', signed('a', 1n)), 'ignore')
  assert.equal(await validate('via', signed('b', 1n)), 'accept')
})

test('a database that fails accepts nothing', async (t) => {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'indexedDB')
  Object.defineProperty(globalThis, 'indexedDB', { configurable: true, value: { open () { throw new Error('not here') } } })
  t.after(() => before ? Object.defineProperty(globalThis, 'indexedDB', before) : Reflect.deleteProperty(globalThis, 'indexedDB'))
  await assert.rejects(seqnoValidator(node)('via', signed('a', 1n)), /not here/)
})

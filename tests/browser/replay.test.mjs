// Messages that somebody kept and plays to a page again, on its next visit.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { startJs, when } from '../interop/nodes.mjs'
import { openWorld } from './harness.mjs'

const world = openWorld()
const PROTOCOL = '/meshsub/1.1.0'

/** By one author on `test-topic`, with the numbers …01 and …02. */
const { signed_valid: [first, second] } = JSON.parse(await readFile(new URL('../vectors/pubsub_messages_js.json', import.meta.url), 'utf8'))

/** Knows nothing of pubsub but how it is written. @param {import('node:test').TestContext} t */
async function startPlayer (t) {
  const node = await startJs(t)
  await node.handle(PROTOCOL, () => {})
  /** @param {any[]} messages */
  const play = async (messages) => {
    await when(() => node.getConnections().length > 0, node, ['connection:open'])
    const stream = await node.getConnections()[0].newStream(PROTOCOL)
    for (const { rpc } of messages) {
      const bytes = Buffer.from(rpc, 'hex')
      stream.send(Buffer.concat([Buffer.of(bytes.length & 127 | 128, bytes.length >> 7), bytes]))
    }
  }
  return { address: String(node.getMultiaddrs()[0]), play }
}

/** Plays the messages to a page, which tells what is thought of each and what comes through. */
async function visit (t, page, messages, isStrict = true) {
  const { address, play } = await startPlayer(t)
  await page.evaluate(async ([address, isStrict]) => {
    const { createLibp2p } = await import('/build/web/peerlet.mjs')
    const { seqnoValidator } = await import('/build/web/services.mjs')
    const node = await createLibp2p()
    const { pubsub } = node.services
    const told = globalThis.told = { peerId: String(node.peerId), verdicts: /** @type {string[]} */ ([]), heard: /** @type {number[]} */ ([]) }
    const number = (/** @type {any} */ { sequenceNumber }) => Number(sequenceNumber & 255n)
    const validate = isStrict ? seqnoValidator(node) : () => 'accept'
    pubsub.topicValidators.set('test-topic', async (peer, message) => {
      const verdict = await validate(peer, message)
      told.verdicts.push(`${number(message)} ${verdict}`)
      return verdict
    })
    pubsub.addEventListener('message', ({ detail }) => told.heard.push(number(detail)))
    pubsub.subscribe('test-topic')
    await node.dial(address)
  }, [address, isStrict])
  await play(messages)
  await page.waitForFunction((count) => globalThis.told.verdicts.length === count, messages.length)
  return page.evaluate(() => globalThis.told)
}

test('what was heard on an earlier visit is not heard again', { timeout: 300_000 }, async (t) => {
  const page = await world.tab(t, '/peer.html?impl=peerlet')
  const before = await visit(t, page, [first])
  assert.deepEqual([before.verdicts, before.heard], [['1 accept'], [1]])

  await page.reload()
  const again = await visit(t, page, [first, second])
  assert.equal(again.peerId, before.peerId)
  assert.deepEqual([again.verdicts, again.heard], [['1 ignore', '2 accept'], [2]])

  await page.reload()
  const lax = await visit(t, page, [first, second], false)
  assert.deepEqual(lax.heard, [1, 2], 'without it they are')
})

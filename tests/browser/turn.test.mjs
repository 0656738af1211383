// Two pages that reach each other through a TURN server only.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTurn } from '../interop/turn.mjs'
import { PATIENCE_MS, openWorld } from './harness.mjs'

const TOPIC = 'chat'
const world = openWorld()

/** Two pages, the second dialled by the first. */
async function pair (t, ...settings) {
  const relay = await world.relay(t, { RELAY_TOPICS: TOPIC })
  const [a, b] = await Promise.all(settings.map((one) => world.peer(t, 'peerlet', { relay: relay.addr, topics: [TOPIC], ...one })))
  await a.call('dial', await b.call('whenReserved', PATIENCE_MS))
  return [a, b]
}

test('with iceTransportPolicy relay all bytes go through TURN', { timeout: 300_000 }, async (t) => {
  const rtc = { iceServers: [await startTurn(t)], iceTransportPolicy: 'relay' }
  const [a, b] = await pair(t, { rtc }, { rtc, isRtcLate: true })
  for (const [from, to] of [[a, b], [b, a]]) {
    await from.call('whenDirect', to.id, PATIENCE_MS)
    assert.deepEqual(await from.call('ways'), [['relay', 'relay']])
    await from.call('whenSubscribed', to.id, TOPIC, PATIENCE_MS)
  }
  assert.ok(await a.call('echo', b.id, 1 << 20), 'a megabyte came back changed')
  assert.ok(await b.call('echo', a.id, 1 << 20), 'a megabyte came back changed')
})

/** @type {Array<[string, (turn: any) => any[], RegExp]>} */
const USELESS = [
  ['refuses', (turn) => [{ ...turn, credential: 'wrong' }], /TURN server turn:127\.0\.0\.1:\d+\S* is of no use: 401 Unauthorized/],
  ['needs a password that is not given', ({ urls }) => [{ urls }], /username and credential are required .* "turn"/]
]

for (const [name, iceServers, words] of USELESS) {
  test(`a TURN server that ${name}: the pages stay relayed, and it is said why`, { timeout: 300_000 }, async (t) => {
    const rtc = { iceServers: iceServers(await startTurn(t)), iceTransportPolicy: 'relay' }
    const [a, b] = await pair(t, { rtc }, { rtc })
    assert.match((await a.call('progress')).join(), words)
    const connection = (await a.call('connections')).find(({ peer }) => peer === b.id)
    assert.match(connection.addr, /\/p2p-circuit/)
    assert.equal(connection.limited, true)
    assert.ok(await a.call('ping', b.id) >= 0)
  })
}

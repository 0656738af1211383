// Two pages meet through a relay, talk directly, and outlive the relay.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { missing } from './start-peer.mjs'
import { PATIENCE_MS, openWorld, say } from '../browser/harness.mjs'

const TOPIC = 'chat'
const world = openWorld()

/** Both say something and both hear it. */
async function talk (a, b, about) {
  for (const [from, to] of [[a, b], [b, a]]) {
    const text = `${about}, says ${from.id}`
    await say(from, TOPIC, text)
    const heard = await to.call('whenHeard', text, PATIENCE_MS)
    assert.equal(heard.from, from.id)
    assert.equal(heard.type, 'signed')
  }
}

async function bothDirect (a, b) {
  for (const [from, to] of [[a, b], [b, a]]) {
    const connection = await from.call('whenDirect', to.id, PATIENCE_MS)
    assert.match(connection.addr, /\/webrtc/)
    assert.equal(connection.limited, false)
  }
}

async function meet (a, b) {
  for (const [from, to] of [[a, b], [b, a]]) await from.call('whenSubscribed', to.id, TOPIC, PATIENCE_MS)
}

// Who dials, who listens, whose relay. js-libp2p with itself is not among them: its dialer waits for its init
// channel to open, for ever if its listener was quicker to close it, once in four or five dials.
const PAIRS = [
  ['peerlet', 'peerlet', 'js'], ['peerlet', 'js-libp2p', 'js'], ['js-libp2p', 'peerlet', 'js'],
  ['peerlet', 'peerlet', 'go'], ['peerlet', 'peerlet', 'rust']
]
/** @param {string} kind */
const options = (kind) => ({ timeout: 300_000, skip: missing(kind) ?? false })

for (const [dialer, listener, kind] of PAIRS) {
  test(`${dialer} dials ${listener} through ${kind}-libp2p: direct, and the relay may die and return`, options(kind), async (t) => {
    const relay = await world.relay(t, { RELAY_TOPICS: TOPIC }, kind)
    const b = await world.peer(t, listener, { relay: relay.addr, topics: [TOPIC] })
    const a = await world.peer(t, dialer, { relay: relay.addr, topics: [TOPIC] })
    const address = await b.call('whenReserved', PATIENCE_MS)
    await a.call('whenReserved', PATIENCE_MS)

    assert.equal(await a.call('dial', address), b.id)
    await bothDirect(a, b)
    await meet(a, b)
    await talk(a, b, 'with the relay')
    assert.ok(await a.call('echo', b.id, 1 << 20), 'a megabyte came back changed')
    assert.ok(await b.call('echo', a.id, 1 << 20), 'a megabyte came back changed')

    await relay.kill()
    for (const peer of [a, b]) await peer.call('whenGone', relay.peerId, PATIENCE_MS)
    await bothDirect(a, b)
    await talk(a, b, 'without the relay')

    await relay.restart()
    const ours = [a, b].filter((peer) => peer.impl === 'peerlet')
    await Promise.all(ours.map((peer) => peer.call('whenReserved', PATIENCE_MS)))
    await talk(a, b, 'with the relay again')
  })
}

// A fresh association may lose much of its first megabytes and be seconds about sending it again.
test('four megabytes each way at once, three times, each over a connection just made', { timeout: 300_000 }, async (t) => {
  const relay = await world.relay(t)
  for (let i = 0; i < 3; i++) {
    const a = await world.peer(t, 'peerlet', { relay: relay.addr, topics: [] })
    const b = await world.peer(t, 'peerlet', { relay: relay.addr, topics: [] })
    assert.equal(await a.call('dial', await b.call('whenReserved', PATIENCE_MS)), b.id)
    await bothDirect(a, b)
    const same = await Promise.all([a.call('echo', b.id, 4_000_000), b.call('echo', a.id, 4_000_000)])
    assert.deepEqual(same, [true, true])
  }
})

for (const kind of ['js', 'go', 'rust']) {
  test(`pages find each other by discovery alone, through ${kind}-libp2p`, options(kind), async (t) => {
    const relay = await world.relay(t, {}, kind)
    const settings = { relay: relay.addr, topics: [TOPIC], discovery: 'browser-peer-discovery' }
    const a = await world.peer(t, 'peerlet', settings)
    const b = await world.peer(t, 'peerlet', settings)
    await bothDirect(a, b)
    await meet(a, b)
    await talk(a, b, 'found')
  })
}

test('the address of a killed relay is withdrawn, and dialling it says so', { timeout: 300_000 }, async (t) => {
  const relay = await world.relay(t, { RELAY_TOPICS: TOPIC })
  const b = await world.peer(t, 'peerlet', { relay: relay.addr, topics: [TOPIC] })
  const a = await world.peer(t, 'peerlet', { relay: relay.addr, topics: [TOPIC] })
  const address = await b.call('whenReserved', PATIENCE_MS)
  await relay.kill()
  await b.call('whenUnreachable', PATIENCE_MS)
  await assert.rejects(a.call('dial', address), /Error/)
})

// Firefox dials and is dialled: by itself, by Chromium, and by js-libp2p.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PATIENCE_MS, firefoxMissing, openWorld, say } from './harness.mjs'

const TOPIC = 'chat'
const world = openWorld()
// the browser starts within the first of them
const options = { timeout: 300_000, skip: firefoxMissing() ?? false }

/** @typedef {[impl: string, browser: string]} Side */
/** @type {[Side, Side][]} */
const PAIRS = [
  [['peerlet', 'firefox'], ['peerlet', 'firefox']],
  [['peerlet', 'firefox'], ['peerlet', 'chromium']],
  [['peerlet', 'chromium'], ['peerlet', 'firefox']],
  [['peerlet', 'firefox'], ['js-libp2p', 'chromium']],
  [['js-libp2p', 'chromium'], ['peerlet', 'firefox']]
]

for (const [dialer, listener] of PAIRS) {
  test(`${dialer.join(' in ')} dials ${listener.join(' in ')}`, options, async (t) => {
    const relay = await world.relay(t, { RELAY_TOPICS: TOPIC })
    const settings = { relay: relay.addr, topics: [TOPIC] }
    const b = await world.peer(t, listener[0], settings, listener[1])
    const a = await world.peer(t, dialer[0], settings, dialer[1])
    const address = await b.call('whenReserved', PATIENCE_MS)
    assert.equal(await a.call('dial', address), b.id)
    for (const [from, to] of [[a, b], [b, a]]) {
      const connection = await from.call('whenDirect', to.id, PATIENCE_MS)
      assert.match(connection.addr, /\/webrtc/)
      await from.call('whenSubscribed', to.id, TOPIC, PATIENCE_MS)
    }
    assert.ok(await a.call('echo', b.id, 1 << 20), 'a megabyte came back changed')
    assert.ok(await b.call('echo', a.id, 1 << 20), 'a megabyte came back changed')

    // what is said now has no other way than the direct connection
    await relay.kill()
    for (const peer of [a, b]) await peer.call('whenGone', relay.peerId, PATIENCE_MS)
    for (const [from, to] of [[a, b], [b, a]]) {
      await say(from, TOPIC, `says ${from.id}`)
      assert.equal((await to.call('whenHeard', `says ${from.id}`, PATIENCE_MS)).type, 'signed')
    }
  })
}

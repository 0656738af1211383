// The page of the public tutorial: as it is over js-libp2p, and with its imports mapped to Peerlet.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PATIENCE_MS, openWorld } from './harness.mjs'

const world = openWorld()

async function openTutorial (t, impl, relay) {
  const page = await world.tab(t, `/tutorial.html?impl=${impl}&relay=${encodeURIComponent(relay.addr)}`)
  await page.waitForFunction(() => document.getElementById('peer-id')?.textContent !== '')
  return { page, id: await page.textContent('#peer-id') }
}

const isDirect = (id) => globalThis.libp2p.getConnections().some((c) =>
  c.remotePeer.toString() === id && c.remoteAddr.toString().includes('/webrtc') && c.limits === undefined)

for (const [first, second] of [['peerlet', 'peerlet'], ['js-libp2p', 'peerlet'], ['peerlet', 'js-libp2p']]) {
  test(`a tab on ${first}, then one on ${second}`, { timeout: 300_000 }, async (t) => {
    const relay = await world.relay(t)
    const a = await openTutorial(t, first, relay)
    const b = await openTutorial(t, second, relay)
    await Promise.all([
      a.page.waitForFunction(isDirect, b.id, { polling: 50, timeout: PATIENCE_MS }),
      b.page.waitForFunction(isDirect, a.id, { polling: 50, timeout: PATIENCE_MS })
    ])
    // and what the page itself shows
    for (const [here, there] of [[a, b], [b, a]]) {
      await here.page.getByText('WebRTC: 1').waitFor()
      await here.page.getByText(/^WebSockets: 1$/).waitFor()
      await here.page.locator('#addresses').getByText(`/p2p-circuit/webrtc/p2p/${here.id}`).first().waitFor()
      await here.page.locator('#peers').getByText(there.id).waitFor()
      await here.page.locator('#peers').getByText(`${relay.peerId} (relay)`).waitFor()
      assert.equal(await here.page.textContent('#peer-id'), here.id)
    }
  })
}

// A page in Chromium reaches servers without a relay: go-libp2p and rust-libp2p, over each transport that
// a browser has for them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { missing, startPeerFor } from './start-peer.mjs'
import { openWorld } from '../browser/harness.mjs'

const world = openWorld()
const oldWorld = openWorld({ flags: ['--force-fieldtrials=WebRTC-NoSdpMangleUfrag/Enabled/'] })

const NOBODY = '12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq'

const TRANSPORTS = {
  go: ['/ws', '/webtransport', '/webrtc-direct'],
  rust: ['/ws', '/webrtc-direct']
}

/** The peer's address with this in it. @param {{ addrs: string[] }} peer @param {string} part */
const addressOf = (peer, part) => peer.addrs.find((text) => text.includes(part)) ?? assert.fail(`no ${part} among ${peer.addrs}`)

/** A page with a node that speaks every transport; what its peer connections are told is in `told`. */
async function pageFor (t, { from = world, addressDialTimeout = 30_000 } = {}) {
  const page = await from.tab(t, '/peer.html', {
    script: `
      globalThis.told = []
      const set = RTCPeerConnection.prototype.setRemoteDescription
      RTCPeerConnection.prototype.setRemoteDescription = function (d) { told.push(d.sdp); return set.call(this, d) }`
  })
  await page.evaluate(async (addressDialTimeout) => {
    const L = await import('/build/web/peerlet.mjs')
    const node = await L.createLibp2p({
      transports: [L.webSockets(), L.webTransport(), L.webRTCDirect({ rtcConfiguration: { iceServers: [] } })],
      connectionGater: { denyDialMultiaddr: () => false },
      connectionManager: { dialTimeout: 2 * addressDialTimeout, addressDialTimeout },
      services: { identify: L.identify(), ping: L.ping() }
    })
    const identified = new Promise((resolve) => node.addEventListener('peer:identify', (e) => resolve(e.detail.agentVersion)))
    const digest = async (bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)).join()
    globalThis.reach = {
      async dial (text) {
        const targets = text.split('\n').map((one) => L.multiaddr(one))
        try {
          const connection = await node.dial(targets)
          return { peer: connection.remotePeer.toString(), addr: connection.remoteAddr.toString(), muxer: connection.multiplexer }
        } catch (/** @type {any} */ err) {
          return { name: err.name, message: err.message }
        }
      },
      identified: () => identified,
      ping: (id) => node.services.ping.ping(L.peerIdFromString(id)),
      /** Whether what came back is what was sent. */
      async echo (length) {
        const [connection] = node.getConnections()
        const bytes = new Uint8Array(length)
        for (let at = 0; at < length; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536))
        const stream = await connection.newStream('/echo/1.0.0')
        const back = (async () => {
          const all = new Uint8Array(length)
          let at = 0
          for await (const part of stream) {
            all.set(part.subarray(), at)
            at += part.length
          }
          return all.subarray(0, at)
        })()
        for (let at = 0; at < length; at += 50_000) {
          if (!stream.send(bytes.subarray(at, at + 50_000))) await stream.onDrain()
        }
        await stream.close()
        return await digest(await back) === await digest(bytes)
      },
      async refused () {
        return await node.getConnections()[0].newStream('/nobody/1').catch((err) => err.name)
      },
      /** A reader that pauses: what it holds is bounded, and all of it comes. */
      async slowly (length) {
        const stream = await node.getConnections()[0].newStream('/echo/1.0.0')
        const writing = (async () => {
          for (let at = 0; at < length; at += 65536) if (!stream.send(new Uint8Array(65536))) await stream.onDrain()
          await stream.close()
        })()
        let got = 0
        for await (const part of stream) {
          got += part.length
          if (got % (1 << 20) < part.length) await new Promise((resolve) => setTimeout(resolve, 50))
        }
        await writing
        return got
      },
      streams: () => node.getConnections().flatMap((c) => c.streams).length,
      async close () { await node.getConnections()[0].close(); return node.getConnections().length }
    }
  }, addressDialTimeout)
  /** @param {string} name @param {any[]} args @returns {Promise<any>} */
  return Object.assign((name, ...args) => page.evaluate(([name, args]) => globalThis.reach[name](...args), [name, args]), { page })
}

for (const [kind, transports] of Object.entries(TRANSPORTS)) {
  const options = { skip: missing(kind) ?? false, timeout: 300_000 }

  for (const transport of transports) {
    test(`${kind}-libp2p over ${transport}: identify, ping, echo of 1 MiB, many streams, a slow reader`, options, async (t) => {
      const peer = await startPeerFor(t, kind)
      const ask = await pageFor(t)
      const dialled = await ask('dial', addressOf(peer, transport))
      assert.equal(dialled.peer, peer.peerId, dialled.message)
      assert.ok(dialled.addr.includes(transport), dialled.addr)
      assert.match(await ask('identified'), new RegExp(kind))
      assert.ok(await ask('ping', peer.peerId) >= 0)
      assert.ok(await ask('echo', 1 << 20))
      // rust's libp2p-stream drops a stream that its acceptor is not waiting for
      const atOnce = kind === 'rust' ? 1 : 5
      for (let i = 0; i < 20; i += atOnce) {
        const same = await Promise.all(Array.from({ length: atOnce }, (_, n) => ask('echo', 10_000 * (i + n) + 1)))
        assert.deepEqual(same, Array(atOnce).fill(true))
      }
      // what a server says late of a stream that is over belongs to no later one
      for (let i = 0; i < 10; i++) {
        assert.equal(await ask('refused'), 'UnsupportedProtocolError')
        assert.ok(await ask('echo', 1000))
      }
      assert.equal(await ask('slowly', 4 << 20), 4 << 20)
      assert.equal(await ask('close'), 0)
    })

    test(`${kind}-libp2p over ${transport}: the one who answers is another`, options, async (t) => {
      const peer = await startPeerFor(t, kind)
      const ask = await pageFor(t)
      const { name, message } = await ask('dial', addressOf(peer, transport).replace(peer.peerId, NOBODY))
      assert.equal(name, 'UnexpectedPeerError', message)
      assert.match(message, new RegExp(peer.peerId))
    })

    if (transport === '/ws') continue

    test(`${kind}-libp2p over ${transport}: a certificate that is another, a host where nobody is`, options, async (t) => {
      const peer = await startPeerFor(t, kind)
      const address = addressOf(peer, transport)
      const wrong = address.replaceAll(/(\/certhash\/uEi.)[\w-]{8}/g, '$1AAAAAAAA')
      // in a page of its own: after a failure a host is given a rest
      const dialFresh = async (/** @type {string} */ text) => await (await pageFor(t, { addressDialTimeout: 10_000 }))('dial', text)
      let stale = await dialFresh(wrong)
      // DTLS waits so long for datagrams that were lost that the dial's time is up before it has seen the certificate
      while (stale.name === 'TimeoutError') stale = await dialFresh(wrong)
      assert.equal(stale.name, 'DialError', stale.message)
      assert.match(stale.message, /cert/)
      await peer.kill()
      const gone = await dialFresh(address)
      assert.match(gone.name, /^(Dial|Timeout)Error$/, gone.message)
      assert.ok(gone.message.length > 20, gone.message)
    })
  }
}

test('a browser that keeps its ICE name reaches go-libp2p over version 2 of WebRTC Direct', { skip: missing('go') ?? false, timeout: 300_000 }, async (t) => {
  const peer = await startPeerFor(t, 'go')
  for (const [from, version] of /** @type {const} */ ([[world, 'v1'], [oldWorld, 'v2']])) {
    const ask = await pageFor(t, { from })
    assert.equal((await ask('dial', addressOf(peer, '/webrtc-direct'))).peer, peer.peerId)
    assert.ok(await ask('echo', 100_000))
    const [answer] = await ask.page.evaluate(() => globalThis.told)
    assert.match(answer, new RegExp(`a=ice-ufrag:libp2p\\+webrtc\\+${version}/`))
  }
})

test('of several addresses the one that works is found', { skip: missing('go') ?? false, timeout: 300_000 }, async (t) => {
  const peer = await startPeerFor(t, 'go')
  const ask = await pageFor(t)
  const dead = addressOf(peer, '/webtransport').replace(/\/udp\/\d+/, '/udp/20009')
  const good = addressOf(peer, '/webrtc-direct')
  const dialled = await ask('dial', [dead, dead.replace('/udp/20009/', '/udp/20007/'), good].join('\n'))
  assert.ok(dialled.addr?.includes('/webrtc-direct'), dialled.message)
})

// Every call that waits takes a signal: one that is over already, and one that ends the waiting. And streams,
// connections and nodes end with the block that has them.
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import '../interop/peerlet.mjs'
import * as compat from '../../js-glue/compat/index.js'
import { startPeerFor } from '../interop/start-peer.mjs'

const PEER = fileURLToPath(new URL('peer.mjs', import.meta.url))
const ECHO = '/echo/1.0.0'

/** A node connected to a peer. @returns {Promise<{ peer: any, node: any, connection: any }>} */
async function connected (t) {
  const peer = await startPeerFor(t, PEER)
  const node = await compat.createLibp2p({
    transports: [compat.webSockets(), compat.circuitRelayTransport()],
    connectionGater: { denyDialMultiaddr: () => false },
    services: { identify: compat.identify(), ping: compat.ping(), pubsub: compat.gossipsub({ allowPublishToZeroTopicPeers: true }) }
  })
  t.after(() => node.stop())
  const connection = await node.dial(peer.addr)
  await node.services.identify.identify(connection)
  return { peer, node, connection }
}

/** A host that takes connections and says nothing. */
async function deafHost (t) {
  const sockets = new Set()
  const server = createServer((socket) => sockets.add(socket.on('error', () => {})))
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `/ip4/127.0.0.1/tcp/${/** @type {any} */ (server.address()).port}/ws`
}

/** Sent until no more is taken. */
function fill (stream) {
  const some = new Uint8Array(65536)
  for (let i = 0; i < 1000 && stream.send(some); i++);
  assert.ok(stream.writableNeedsDrain)
}

/** @type {Record<string, (there: any, signal: AbortSignal) => Promise<any>>} */
const WAITING = {
  'dial, of a host': ({ node, deaf }, signal) => node.dial(deaf, { signal }),
  'dial, with force': ({ node, peer }, signal) => node.dial(peer.addr, { signal, force: true }),
  'dialProtocol, of a host': ({ node, deaf }, signal) => node.dialProtocol(deaf, ECHO, { signal }),
  'dialProtocol, of a peer': ({ node, connection }, signal) => node.dialProtocol(connection.remotePeer, ECHO, { signal }),
  'connection.newStream': ({ connection }, signal) => connection.newStream(ECHO, { signal }),
  'services.ping.ping': ({ node, connection }, signal) => node.services.ping.ping(connection.remotePeer, { signal }),
  'stream.onDrain': ({ stream }, signal) => stream.onDrain({ signal }),
  'stream.close': ({ stream }, signal) => stream.close({ signal })
}

test('calls that wait', { timeout: 120_000 }, async (t) => {
  const there = { ...await connected(t), deaf: await deafHost(t), stream: /** @type {any} */ (undefined) }
  for (const [name, call] of Object.entries(WAITING)) {
    await t.test(`${name} takes a signal`, async () => {
      there.stream = await there.connection.newStream('/compat/silent/1')
      there.peer.freeze() // which a signal to end would not wake
      try {
        fill(there.stream)
        if (name !== 'stream.close') await assert.rejects(call(there, AbortSignal.abort()), { name: 'AbortError' })
        const reason = new Error('no more')
        const controller = new AbortController()
        const waiting = call(there, controller.signal)
        setTimeout(() => controller.abort(reason), 50)
        await assert.rejects(waiting, (err) => err === reason)
      } finally {
        there.peer.thaw()
        there.stream.abort(new Error('done'))
      }
    })
  }
})

test('what waits for nothing looks at its signal, too', { timeout: 90_000 }, async (t) => {
  const { node } = await connected(t)
  const signal = AbortSignal.abort()
  const topology = { onConnect () {} }
  for (const call of [
    () => node.handle('/a', () => {}, /** @type {any} */ ({ signal })), () => node.unhandle('/a', { signal }), () => node.register('/a', topology, { signal }),
    () => node.services.pubsub.publish('a', new Uint8Array(1), { signal }), () => node.dial('/ip4/127.0.0.1/tcp/1/ws', { signal }),
    () => node.peerStore.merge(node.peerId, {}, { signal }), () => node.dial(node.peerId, { signal })
  ]) await assert.rejects(/** @type {any} */ (call)(), { name: 'AbortError' })
})

test('a close that is given up ends nevertheless', { timeout: 90_000 }, async (t) => {
  const { connection } = await connected(t)
  const closed = new Promise((resolve) => connection.addEventListener('close', resolve))
  await assert.rejects(connection.close({ signal: AbortSignal.abort() }), { name: 'AbortError' })
  await closed
  assert.equal(connection.status, 'closed')
})

test('a hangUp takes a signal', { timeout: 90_000 }, async (t) => {
  const { node, connection } = await connected(t)
  await assert.rejects(node.hangUp(connection.remotePeer, { signal: AbortSignal.abort() }), { name: 'AbortError' })
})

test('what `await using` calls: of a stream, a connection, a node', { timeout: 90_000 }, async (t) => {
  const { node, connection } = await connected(t)
  const stream = await connection.newStream(ECHO)
  await stream[Symbol.asyncDispose]()
  assert.deepEqual([stream.writeStatus, connection.status], ['closed', 'open'])
  await connection[Symbol.asyncDispose]()
  assert.deepEqual([connection.status, node.status], ['closed', 'started'])
  await node[Symbol.asyncDispose]()
  assert.equal(node.status, 'stopped')
})

test('Web Streams: readable and writable, there and back', { timeout: 90_000 }, async (t) => {
  const { connection } = await connected(t)
  const stream = await connection.newStream(ECHO)
  const parts = ['one ', 'two ', 'three']
  const text = /** @type {any} */ (ReadableStream).from(parts).pipeThrough(new TextEncoderStream())
  const sending = text.pipeTo(stream.writable)
  const back = await new Response(stream.readable).text()
  await sending
  assert.equal(back, parts.join(''))

  const aborted = await connection.newStream(ECHO)
  const writer = aborted.writable.getWriter()
  await writer.abort(new Error('enough'))
  assert.equal(aborted.status, 'aborted')
  const cancelled = await connection.newStream(ECHO)
  await cancelled.readable.cancel()
  assert.equal(cancelled.readStatus, 'closed')
  const reset = await connection.newStream('/compat/reset/1')
  reset.send(new Uint8Array(1))
  await assert.rejects(reset.readable.getReader().read(), { name: 'StreamResetError' })
})

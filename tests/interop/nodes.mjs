// What the tests against other implementations share.
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import * as peerlet from './peerlet.mjs'
import { ECHO, echo } from './relay.mjs'
import { PATIENCE_MS } from './start-peer.mjs'

export const TOPIC = 'interop'
export const MIB = 1 << 20

/**
 * Resolves with the detail of the first event that fits; rejects after `ms`.
 *
 * @param {any} target
 * @param {string} name
 * @param {(detail: any) => boolean} [fits]
 */
export function once (target, name, fits = () => true, ms = PATIENCE_MS) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      target.removeEventListener(name, listen)
      reject(new Error(`${ms} ms passed without ${name}`))
    }, ms)
    const listen = (event) => {
      if (!fits(event.detail)) return
      clearTimeout(timer)
      target.removeEventListener(name, listen)
      resolve(event.detail)
    }
    target.addEventListener(name, listen)
  })
}

/** The same for a state that may be there already. */
export async function when (condition, target, names, ms = PATIENCE_MS) {
  if (condition()) return
  await new Promise((resolve, reject) => {
    const end = (settle, why) => {
      clearTimeout(timer)
      for (const name of names) target.removeEventListener(name, look)
      settle(why)
    }
    const timer = setTimeout(() => end(reject, new Error(`${ms} ms passed without ${condition}`)), ms)
    const look = () => { if (condition()) end(resolve) }
    for (const name of names) target.addEventListener(name, look)
  })
}

/** Ours, ended with the test. @param {import('node:test').TestContext} t */
export async function startPeerlet (t, options = {}) {
  /** @type {peerlet.Libp2p} whose services `options` may name */
  const node = await peerlet.createLibp2p({
    transports: [peerlet.webSockets(), peerlet.circuitRelayTransport()],
    connectionGater: { denyDialMultiaddr: async () => false },
    services: {
      identify: peerlet.identify(), identifyPush: peerlet.identifyPush(), ping: peerlet.ping(), pubsub: peerlet.gossipsub()
    },
    ...options
  })
  t.after(() => node.stop())
  await node.handle(ECHO, (stream) => echo(stream), { runOnLimitedConnection: true })
  return node
}

/**
 * One of js-libp2p's, which listens on a WebSocket, ended with the test.
 *
 * @param {import('node:test').TestContext} t
 * @param {Record<string, any>} [services] besides identify and ping
 * @param {Record<string, any>} [options]
 * @returns {Promise<any>}
 */
export async function startJs (t, services = {}, options = {}) {
  const node = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws'] },
    transports: [webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: async () => false },
    services: { identify: identify(), ping: ping(), ...services },
    ...options
  })
  t.after(() => node.stop())
  return node
}

/** Random bytes there and back, compared by their hash. */
export async function echoThrough (connection, length) {
  const bytes = randomBytes(length)
  const stream = await connection.newStream(ECHO, { runOnLimitedConnection: true })
  const back = createHash('sha256')
  let received = 0
  const reading = (async () => {
    for await (const part of stream) {
      const flat = part instanceof Uint8Array ? part : part.subarray()
      received += flat.length
      back.update(flat)
    }
  })()
  for (let at = 0; at < length; at += 65536) {
    if (!stream.send(bytes.subarray(at, at + 65536))) await stream.onDrain()
  }
  await stream.close()
  await reading
  assert.equal(received, length)
  assert.equal(back.digest('hex'), createHash('sha256').update(bytes).digest('hex'))
}

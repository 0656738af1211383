/**
 * `peerlet` in Node: the same node, which dials WebSockets and relays. What Node lacks before version 22 is
 * a WebSocket; that of the package `ws` is taken where it is installed.
 */
import { createLibp2p as create, PeerletError } from '../index.js'

export * from '../index.js'

function haveWebSocket () {
  if (globalThis.WebSocket !== undefined) return
  try {
    // not by import: no bundler shall look for it
    const require = process.getBuiltinModule('module').createRequire(import.meta.url)
    globalThis.WebSocket = require('ws')
  } catch (/** @type {any} */ err) {
    const unsupported = new PeerletError(`Node ${process.versions.node} has no WebSocket. Use Node 22 or later, start this one ` +
      `with --experimental-websocket, or install the package ws (${err.message.split('\n')[0]})`, 'UNSUPPORTED')
    throw Object.assign(unsupported, { name: 'PeerletError' })
  }
}

/** @type {typeof create} */
export async function createLibp2p (options) {
  haveWebSocket()
  return await create(options)
}

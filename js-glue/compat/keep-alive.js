import { KEEP_ALIVE } from './interface.js'

/**
 * Peers with a tag that begins with KEEP_ALIVE are dialled when the node starts and again when they are gone, a few times,
 * each time after a longer pause.
 *
 * @typedef {{ reconnectRetries?: number, reconnectRetryInterval?: number, reconnectBackoffFactor?: number, maxParallelReconnects?: number }} Reconnecting
 */

/** @param {any} peer @returns {string[]} */
const keepAliveTags = (peer) => [...peer.tags.keys()].filter((name) => name.startsWith(KEEP_ALIVE))

/** @param {import('../index.js').Libp2p} node @param {Reconnecting} options */
export function keepAlive (node, { reconnectRetries = 5, reconnectRetryInterval = 1000, reconnectBackoffFactor = 2, maxParallelReconnects = 5 }) {
  const busy = new Set()
  /** @type {Array<() => void>} */
  const waiting = []
  let stopped = new AbortController()

  /** @param {number} ms */
  const pause = (ms) => new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    stopped.signal.addEventListener('abort', () => { clearTimeout(timer); resolve(undefined) }, { once: true })
  })

  /** @param {any} id */
  async function tryAgain (id) {
    for (let attempt = 0; ; attempt++) {
      const { signal } = stopped
      try {
        if (!signal.aborted) await node.dial(id, { signal })
        return
      } catch (err) {
        if (signal.aborted) return
        if (attempt === reconnectRetries) throw err
      }
      await pause(reconnectRetryInterval * reconnectBackoffFactor ** attempt)
    }
  }

  /** @param {any} id */
  async function reconnect (id) {
    const peer = await node.peerStore.get(id).catch(() => undefined)
    if (peer === undefined || keepAliveTags(peer).length === 0 || busy.has(String(id)) || stopped.signal.aborted) return
    busy.add(String(id))
    if (busy.size > maxParallelReconnects) await new Promise((resolve) => waiting.push(() => resolve(undefined)))
    try {
      await tryAgain(id)
    } catch {
      await node.peerStore.merge(id, { tags: Object.fromEntries(keepAliveTags(peer).map((name) => [name, undefined])) })
      node.dispatchEvent(new CustomEvent('peer:reconnect-failure', { detail: id }))
    } finally {
      busy.delete(String(id))
      waiting.shift()?.()
    }
  }

  node.addEventListener('peer:disconnect', ({ detail }) => reconnect(detail))
  node.addEventListener('stop', () => stopped.abort())
  node.addEventListener('start', async () => {
    if (stopped.signal.aborted) stopped = new AbortController()
    const peers = await node.peerStore.all({ filters: [(peer) => keepAliveTags(peer).length > 0] })
    for (const { id } of peers) node.dial(id).catch(() => {}) // gone ones are tried again when they were here once
  })
}

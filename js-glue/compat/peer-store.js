/**
 * What js-libp2p's peer store has besides: tags that expire.
 */
import { UnsupportedOperationError } from './errors.js'

/** The longest that a timer can be set to. */
const TIMER_MAX = 2 ** 31 - 1

/** @param {any} peerStore of the node, whose methods are taken over */
export function expireTags (peerStore) {
  /** @type {Map<string, any>} */
  const timers = new Map()
  const merge = peerStore.merge.bind(peerStore)

  /** @param {any} id @param {any} tags */
  function watch (id, tags) {
    for (const [name, tag] of tags instanceof Map ? tags : Object.entries(tags ?? {})) {
      const key = `${id} ${name}`
      clearTimeout(timers.get(key))
      timers.delete(key)
      if (!(tag?.ttl <= TIMER_MAX)) continue
      /** @type {any} */
      const timer = setTimeout(() => {
        timers.delete(key)
        merge(id, { tags: { [name]: undefined } })
      }, tag.ttl)
      timer.unref?.() // Node's, which would not end for it
      timers.set(key, timer)
    }
  }
  for (const method of ['merge', 'patch', 'save']) {
    const call = peerStore[method].bind(peerStore)
    peerStore[method] = async (/** @type {any} */ id, /** @type {any} */ data, /** @type {any} */ options) => {
      options?.signal?.throwIfAborted()
      watch(id, data.tags)
      return await call(id, data)
    }
  }
  peerStore.consumePeerRecord = async () => { throw new UnsupportedOperationError('consumePeerRecord: signed records are read by identify, which keeps what they say') }
}

import * as k from '../build/gen/numbers.js'

/** Which events of the page the core is told of, as enum peerlet_page_event. */
const WINDOW = { online: k.ONLINE, offline: k.OFFLINE, pagehide: k.PAGE_HIDE, pageshow: k.PAGE_SHOW }
const DOCUMENT = { freeze: k.FROZEN, resume: k.RESUMED }

/**
 * Tells that the page is offline, and what becomes of it until the signal aborts.
 *
 * @param {(event: number) => void} tell gets an enum peerlet_page_event
 * @param {AbortSignal} signal
 */
export function watchPage (tell, signal) {
  const { document } = globalThis
  if (document === undefined) return
  if (!navigator.onLine) tell(k.OFFLINE)
  for (const [type, event] of Object.entries(WINDOW)) addEventListener(type, () => tell(event), { signal })
  for (const [type, event] of Object.entries(DOCUMENT)) document.addEventListener(type, () => tell(event), { signal })
  document.addEventListener('visibilitychange', () => tell(document.hidden ? k.HIDDEN : k.VISIBLE), { signal })
}

const LOOPBACK = /^(localhost|.*\.localhost|127\..*|\[::1\])$/
const LAN = /^(10\..*|192\.168\..*|169\.254\..*|172\.(1[6-9]|2\d|3[01])\..*|\[f[cde].*\]|.*\.local|[^.:]*)$/

/** Where the page was loaded from, as enum peerlet_page. */
export function describePage () {
  const { protocol, hostname = '' } = globalThis.location ?? {}
  return (protocol === 'https:' ? k.PAGE_SECURE : 0) |
    (LOOPBACK.test(hostname) || LAN.test(hostname) ? k.PAGE_PRIVATE : 0)
}

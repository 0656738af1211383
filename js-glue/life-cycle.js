/** Which events of the page the core is told of, by what peerlet.h calls them. */
const WINDOW = { online: 'ONLINE', offline: 'OFFLINE', pagehide: 'PAGE_HIDE', pageshow: 'PAGE_SHOW' }
const DOCUMENT = { freeze: 'FROZEN', resume: 'RESUMED' }

/**
 * Tells what becomes of the page, until the signal aborts.
 *
 * @param {(event: string) => void} tell gets a name of enum peerlet_page_event
 * @param {AbortSignal} signal
 */
export function watchPage (tell, signal) {
  const { document } = globalThis
  if (document === undefined) return
  for (const [type, event] of Object.entries(WINDOW)) addEventListener(type, () => tell(event), { signal })
  for (const [type, event] of Object.entries(DOCUMENT)) document.addEventListener(type, () => tell(event), { signal })
  document.addEventListener('visibilitychange', () => tell(document.hidden ? 'HIDDEN' : 'VISIBLE'), { signal })
}

const LOOPBACK = /^(localhost|.*\.localhost|127\..*|\[::1\])$/
const LAN = /^(10\..*|192\.168\..*|169\.254\..*|172\.(1[6-9]|2\d|3[01])\..*|\[f[cde].*\]|.*\.local|[^.:]*)$/

/** Where the page was loaded from, by the names of enum peerlet_page. @returns {string[]} */
export function describePage () {
  const { protocol, hostname = '' } = globalThis.location ?? {}
  return [
    ...(protocol === 'https:' ? ['PAGE_SECURE'] : []),
    ...(LOOPBACK.test(hostname) || LAN.test(hostname) ? ['PAGE_PRIVATE'] : []),
    ...(globalThis.navigator?.onLine === false ? ['PAGE_OFFLINE'] : [])
  ]
}

/**
 * `transport:listening` and `transport:close`: a page listens where a relay keeps a place for it, and with `/webrtc` as long
 * as it is started. What listens is told as js-libp2p's listeners are, with the addresses that others may dial.
 *
 * There is no `connection:prune`: a node that has as many connections as it may refuses the next one, and closes none.
 *
 * @param {import('../index.js').Libp2p} node
 * @param {any[]} listen multiaddrs
 */
export function tellListeners (node, listen) {
  /** By relay, or `/webrtc`. @type {Map<string, EventTarget>} */
  const listening = new Map()

  /** @param {string} key @param {boolean} isOpen @param {(address: string) => boolean} fits */
  const set = (key, isOpen, fits) => {
    if (listening.has(key) === isOpen) return
    const listener = listening.get(key) ?? Object.assign(new EventTarget(), {
      getAddrs: () => node.getMultiaddrs().filter((address) => fits(String(address))).map((address) => address.decapsulate(`/p2p/${node.peerId}`)),
      updateAnnounceAddrs () {},
      listen: async () => {},
      close: async () => {}
    })
    if (isOpen) listening.set(key, listener)
    else listening.delete(key)
    listener.dispatchEvent(new Event(isOpen ? 'listening' : 'close'))
    node.dispatchEvent(new CustomEvent(isOpen ? 'transport:listening' : 'transport:close', { detail: listener }))
  }
  const isWebRTC = (/** @type {string} */ address) => /\/webrtc(\/|$)/.test(address)

  node.addEventListener('start', () => { if (listen.some((address) => isWebRTC(String(address)))) set('/webrtc', true, isWebRTC) })
  node.addEventListener('relay:state', ({ detail: { relay, state } }) => {
    set(String(relay), state === 'reserved', (address) => address.includes(String(relay)) && !isWebRTC(address))
  })
  node.addEventListener('stop', () => { for (const key of [...listening.keys()]) set(key, false, () => false) })
}

/**
 * A look into a node, for any page: `document.body.append(devtools(node))`, or `<peerlet-devtools>` after
 * `defineDevtools()`, whose `node` is set by a script. It uses what every application can ask a node, and
 * nothing of it runs while it is closed.
 */
import { PeerletDevtools } from './element.js'

export { PeerletDevtools } from './element.js'
export { takeTrace } from './trace.js'

const NAME = 'peerlet-devtools'

/** Makes `<peerlet-devtools>` known to the page. */
export function defineDevtools () {
  if (customElements.get(NAME) === undefined) customElements.define(NAME, PeerletDevtools)
}

/**
 * The element, open.
 *
 * @param {any} node
 * @param {{ open?: boolean, floating?: boolean }} [options] `floating`: over the page, at its lower edge
 * @returns {PeerletDevtools}
 */
export function devtools (node, { open = true, floating = false } = {}) {
  defineDevtools()
  const element = /** @type {PeerletDevtools} */ (document.createElement(NAME))
  element.toggleAttribute('floating', floating)
  element.node = node
  element.open = open
  return element
}

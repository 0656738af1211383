// A page under the strictest policy there is for WebAssembly, with a room and a look into its node.
import { defineDevtools, devtools } from '/build/web/devtools.mjs'
import { joinRoom } from '/build/web/room.mjs'

/** @type {string[]} */
const violations = []
document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) => violations.push(`${effectiveDirective} ${blockedURI}`))

const { relay } = await (await fetch('/relay.json')).json()
const room = await joinRoom('tea', { relays: [relay] })
Object.assign(globalThis, { room, node: room.node, violations, defineDevtools, devtools })

/**
 * What a page loads only if it wants it: routing over HTTP, Kademlia and rendezvous; fetch, perf and echo.
 * Each factory goes into `services` of createLibp2p and has the name and shape it has in js-libp2p. And
 * `seqnoValidator`, for a topic of pubsub.
 */
export { delegatedRoutingV1HttpApiClient } from './delegated-routing.js'
export { echo } from './echo.js'
export { fetch } from './fetch.js'
export { kadDHT } from './kad-dht.js'
export { perf } from './perf.js'
export { rendezvous } from './rendezvous.js'
export { seqnoValidator } from './seqno-validator.js'
export { setServicesSource } from './module.js'

/**
 * @typedef {import('./delegated-routing.js').DelegatedRouting} DelegatedRouting
 * @typedef {import('./echo.js').Echo} Echo
 * @typedef {import('./fetch.js').Fetch} Fetch
 * @typedef {import('./kad-dht.js').KadDHT} KadDHT
 * @typedef {import('./perf.js').Perf} Perf
 * @typedef {import('./rendezvous.js').Rendezvous} Rendezvous
 * @typedef {import('./seqno-validator.js').SeqnoValidatorInit} SeqnoValidatorInit
 */

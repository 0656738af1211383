/**
 * What an application imports from js-libp2p, and what answers it here: data for bundlers and import maps. Nothing of it
 * is loaded by a page. docs/from-js-libp2p.md shows where it goes.
 */

const COMPAT = `
  libp2p @libp2p/identify @libp2p/identify/push @libp2p/ping @libp2p/websockets @libp2p/websockets/filters
  @libp2p/webtransport @libp2p/webrtc @libp2p/circuit-relay-v2 @libp2p/bootstrap @libp2p/pubsub-peer-discovery
  @libp2p/gossipsub @libp2p/gossipsub/score @chainsafe/libp2p-gossipsub @chainsafe/libp2p-gossipsub/score @libp2p/noise @chainsafe/libp2p-noise @libp2p/yamux
  @chainsafe/libp2p-yamux @libp2p/peer-id @libp2p/crypto/keys @libp2p/logger @libp2p/interface
  @multiformats/multiaddr @multiformats/multiaddr/resolvers @multiformats/multiaddr-matcher @multiformats/dns @multiformats/dns/resolvers`

const SERVICES = '@libp2p/kad-dht @libp2p/fetch @libp2p/perf @libp2p/echo @helia/delegated-routing-v1-http-api-client'

/** @param {string} list @param {string} target @returns {Array<[specifier: string, target: string]>} */
const all = (list, target) => list.trim().split(/\s+/).map((specifier) => [specifier, target])

/** Longer ones first: some bundlers take what begins as an entry for the entry. */
const ENTRIES = [...all(COMPAT, 'peerlet/compat'), ...all(SERVICES, 'peerlet/services')].sort(([a], [b]) => b.length - a.length)

/** By specifier: for esbuild's `alias`. @type {Readonly<Record<string, string>>} */
export const aliases = Object.freeze(Object.fromEntries(ENTRIES))
export default aliases

/** For `resolve.alias` of Vite and the alias plugin of Rollup: whole specifiers only. */
export const viteAliases = ENTRIES.map(([specifier, replacement]) => ({ find: new RegExp(`^${specifier}$`), replacement }))

/** For webpack's `resolve.alias`: `$` is the end. @type {Readonly<Record<string, string>>} */
export const webpackAliases = Object.freeze(Object.fromEntries(ENTRIES.map(([specifier, target]) => [`${specifier}$`, target])))

/**
 * An import map, for pages without a bundler.
 *
 * @param {string} [folder] where `peerlet.mjs`, `compat.mjs` and `services.mjs` are
 * @returns {{ imports: Record<string, string> }}
 */
export const importMap = (folder = './') => ({
  imports: Object.fromEntries(ENTRIES.map(([specifier, target]) => [specifier, `${folder}${target.split('/')[1]}.mjs`]))
})

import * as k from '../build/gen/numbers.js'
import { Core } from './core.js'
import { makeError } from './errors.js'
import { takeIdentity } from './identity.js'
import { privateKeyFromProtobuf } from './keys.js'
import { Libp2p } from './libp2p.js'
import { describePage } from './life-cycle.js'
import { isLogging } from './logger.js'
import { readOptions } from './options.js'

/**
 * @typedef {import('./options.js').Libp2pOptions} Libp2pOptions
 * @typedef {import('./options.js').DefaultServices} DefaultServices
 */

/**
 * @template T
 * @typedef {import('./options.js').ServicesOf<T>} ServicesOf
 */

/** Makes the node of a core. @param {Core} core @param {ReturnType<typeof readOptions>} settings @param {Uint8Array} key */
function makeNode (core, settings, key) {
  const block = new Uint32Array(k.APP_NUMBERS)
  const given = {
    ...settings.numbers,
    [k.APP_PAGE]: describePage() | (settings.gater === undefined ? 0 : k.PAGE_ANY),
    [k.APP_VERBOSITY]: isLogging() ? 4 : 0
  }
  for (const [at, value] of Object.entries(given)) block[Number(at)] = Number(value ?? 0)
  core.run((_, keyLength, agentLength) => core.calls.app_new(keyLength, agentLength), [new Uint8Array(block.buffer), key, settings.agent])
}

/**
 * Makes a node and, unless `start` is false, starts it. With no options everything is on.
 *
 * @template {Record<string, any>} [Services=DefaultServices]
 * @param {Libp2pOptions & ServicesOf<Services>} [options]
 * @returns {Promise<Libp2p<Services>>}
 */
export async function createLibp2p (options = {}) {
  const settings = readOptions(options)
  const { key, rtcConfiguration } = settings
  // the browser looks for the key while the module is unpacked
  const [identity, core] = await Promise.all([key === undefined ? takeIdentity() : undefined, Core.create({ rtcConfiguration, recorder: /** @type {any} */ (options).recorder })])
  makeNode(core, settings, key ?? identity?.key ?? new Uint8Array(0))
  // whoever is shown the Peer ID finds it again at the next visit
  const saving = identity?.key.length === 0 ? identity.save(core.bytes(core.calls.ask_private_key())) : undefined
  const node = /** @type {Libp2p<Services>} */ (new Libp2p(core, settings, identity))
  if (options.start !== false) await node.start()
  await saving
  return node
}

/** @param {any} value @returns {value is Libp2p} */
export const isLibp2p = (value) => value instanceof Libp2p

/**
 * A new key, for `createLibp2p({ privateKey })` where the browser should not keep one.
 *
 * @param {string} [type] 'Ed25519', which is what nodes have
 */
export async function generateKeyPair (type = 'Ed25519') {
  if (type !== 'Ed25519') throw makeError('UnsupportedKeyTypeError', `a Peerlet node has an Ed25519 key, not ${type}`, 'UNSUPPORTED')
  const core = await Core.create({})
  makeNode(core, readOptions({ transports: [] }), new Uint8Array(0))
  const key = privateKeyFromProtobuf(core.bytes(core.calls.ask_private_key()))
  core.calls.app_delete()
  return key
}

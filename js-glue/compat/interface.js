import { StreamCloseEvent } from '../index.js'

/** The values of @libp2p/interface that are neither errors nor events of the node's own. */

export const connectionSymbol = Symbol.for('@libp2p/connection')
export const contentRoutingSymbol = Symbol.for('@libp2p/content-routing')
export const peerDiscoverySymbol = Symbol.for('@libp2p/peer-discovery')
export const peerIdSymbol = Symbol.for('@libp2p/peer-id')
export const peerRoutingSymbol = Symbol.for('@libp2p/peer-routing')
export const pubSubSymbol = Symbol.for('@libp2p/pubsub')
export const serviceCapabilities = Symbol.for('@libp2p/service-capabilities')
export const serviceDependencies = Symbol.for('@libp2p/service-dependencies')
export const transportSymbol = Symbol.for('@libp2p/transport')

/** A peer with a tag that begins so is dialled again when it is gone. */
export const KEEP_ALIVE = 'keep-alive'

export const FaultTolerance = Object.freeze(/** @type {const} */ ({ 0: 'FATAL_ALL', 1: 'NO_FATAL', FATAL_ALL: 0, NO_FATAL: 1 }))

/** @param {symbol} symbol */
const has = (symbol) => (/** @type {any} */ value) => Boolean(value?.[symbol])

export const isConnection = has(connectionSymbol)
export const isTransport = has(transportSymbol)
export const isPubSub = has(pubSubSymbol)

const KEY_TYPES = ['RSA', 'Ed25519', 'secp256k1', 'ECDSA']

/** @param {any} key */
const isKey = (key) => KEY_TYPES.includes(key?.type) && key.raw instanceof Uint8Array && typeof key.equals === 'function'

/** @param {any} key */
export const isPrivateKey = (key) => isKey(key) && isKey(key.publicKey) && typeof key.sign === 'function'

/** @param {any} key */
export const isPublicKey = (key) => isKey(key) && typeof key.verify === 'function' && typeof key.toMultihash === 'function'

/** @param {any} value */
export const isStartable = (value) => typeof value?.start === 'function' && typeof value.stop === 'function'

/** @param {any[]} values @param {string[]} steps each for all of them, before the next */
async function take (values, steps) {
  const startable = values.filter(isStartable)
  for (const step of steps) await Promise.all(startable.map((one) => one[step]?.()))
}

/** Starts what can be started. @param {any[]} values */
export const start = (...values) => take(values, ['beforeStart', 'start', 'afterStart'])

/** @param {any[]} values */
export const stop = (...values) => take(values, ['beforeStop', 'stop', 'afterStop'])

/** A limit of Node's that browsers do not have. @param {number} [_limit] @param {EventTarget[]} _targets */
export const setMaxListeners = (_limit, ..._targets) => {}

export class StreamAbortEvent extends StreamCloseEvent {
  /** @param {Error} error */
  constructor (error) { super(true, error) }
}

export class StreamResetEvent extends StreamCloseEvent {
  /** @param {Error} error */
  constructor (error) { super(false, error) }
}

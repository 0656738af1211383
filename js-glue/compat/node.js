import * as peerlet from '../index.js'
import { checkDependencies, makeComponents } from './components.js'
import { connectionSymbol, peerDiscoverySymbol } from './interface.js'
import { keepAlive } from './keep-alive.js'
import { tellListeners } from './listeners.js'
import { defaultLogger } from './logger.js'
import { dnsaddrResolver } from './modules.js'
import { check } from './options.js'
import { expireTags } from './peer-store.js'
import { excuseHosts } from './pubsub-score.js'
import { dressPubSub } from './pubsub.js'
import { Registrar, runMiddleware } from './registrar.js'

/** @typedef {import('../index.js').Libp2p} Libp2p */

/** @param {any} given */
const isFactory = (given) => typeof given === 'function'

/** @param {Record<string, any>} options @throws InvalidParametersError */
function checkAll (options) {
  check('createLibp2p', options)
  const { resolvers, ...connectionManager } = options.connectionManager ?? {}
  if (Object.values(resolvers ?? {}).some((resolver) => resolver !== dnsaddrResolver)) check('connectionManager', { resolvers })
  check('connectionManager', connectionManager)
  for (const name of ['addresses', 'connectionGater', 'connectionMonitor', 'nodeInfo', 'transportManager']) check(name, options[name])
}

/** Of the modules that are not functions. @param {Record<string, any>} options @returns {any[]} */
const descriptions = ({ transports = [], peerDiscovery = [], services = {} }) => [...transports, ...peerDiscovery, ...Object.values(services)].filter((given) => given?.part !== undefined)

/** What the node itself takes. @param {Record<string, any>} options @param {any[]} parts */
function nodeOptions (options, parts) {
  const { connectionManager: { resolvers, ...connectionManager } = /** @type {any} */ ({}), ...rest } = options
  const agent = parts.find(({ part }) => part === 'identify')?.options.agentVersion
  return {
    ...rest,
    connectionManager,
    ...agent === undefined || options.nodeInfo?.userAgent !== undefined ? {} : { nodeInfo: { ...options.nodeInfo, userAgent: agent } },
    ...options.peerDiscovery === undefined ? {} : { peerDiscovery: options.peerDiscovery.filter((/** @type {any} */ given) => !isFactory(given)) },
    contentRouters: undefined,
    peerRouters: undefined,
    start: false
  }
}

/** The streams and connections of the node get what js-libp2p's have besides. @param {Libp2p} node @param {Registrar} registrar @param {any} logger */
function dressConnections (node, registrar, logger) {
  /** @param {object} object @param {string} name */
  const giveLog = (object, name) => {
    const prototype = Object.getPrototypeOf(object)
    if ('log' in object) return
    const log = logger.forComponent(name)
    Object.defineProperty(prototype, 'log', { get: () => log, configurable: true })
  }
  node.addEventListener('connection:open', ({ detail: connection }) => {
    giveLog(connection, 'libp2p:connection')
    Object.getPrototypeOf(connection)[connectionSymbol] = true
    const { newStream } = connection
    connection.newStream = async (/** @type {string | string[]} */ protocols, /** @type {any} */ options = {}) => {
      options.onProgress?.(new CustomEvent('connection:open-stream', { detail: { connection, protocols: [protocols].flat() } }))
      const opened = await newStream.call(connection, protocols, options)
      giveLog(opened, 'libp2p:stream')
      const stream = await runMiddleware(opened, connection, registrar.getMiddleware(opened.protocol))
      options.onProgress?.(new CustomEvent('connection:opened-stream', { detail: { connection, stream } }))
      return stream
    }
  })
}

/** A default for calls that are given no signal. @param {any} service @param {string} method @param {number} ms */
function limitTime (service, method, ms) {
  const call = service[method]
  service[method] = (/** @type {any} */ target, /** @type {any} */ options = {}) => call(target, { ...options, signal: options.signal ?? AbortSignal.timeout(ms) })
}

/** What stands in the options of the node's own services and is done here. @param {Libp2p} node @param {Record<string, any>} services */
function dressServices (node, services) {
  for (const [name, given] of Object.entries(services)) {
    if (given.part === 'gossipsub') dressPubSub(node.services[name], node, given.asked ?? given.options)
    if (given.options?.timeout !== undefined && (given.part === 'ping' || given.part === 'identify')) limitTime(node.services[name], given.part, given.options.timeout)
  }
}

/** Bootstrap peers have a tag. @param {Libp2p} node @param {any[]} parts */
function tagBootstrap (node, parts) {
  for (const { options: { list = [], tagName = 'bootstrap', tagValue = 50, tagTTL = 120_000 } } of parts.filter(({ part }) => part === 'bootstrap')) {
    const peers = list.flatMap((/** @type {any} */ address) => peerlet.multiaddr(address).getPeerId() ?? [])
    node.addEventListener('start', () => {
      for (const id of peers) node.peerStore.merge(peerlet.peerIdFromString(id), { tags: { [tagName]: /** @type {any} */ ({ value: tagValue, ttl: tagTTL }) } })
    })
  }
}

/**
 * createLibp2p for an application that was written for js-libp2p: what it gives and Peerlet cannot do is an error that
 * names it, and what it makes of functions sees the components it expects.
 *
 * @param {Record<string, any>} [options] those of js-libp2p 3 and 2
 * @returns {Promise<Libp2p>}
 */
export async function createLibp2p (options = {}) {
  checkAll(options)
  const parts = descriptions(options)
  const isAll = options.transports === undefined
  const listen = (options.addresses?.listen ?? (isAll ? ['/p2p-circuit', '/webrtc'] : [])).map((/** @type {any} */ address) => peerlet.multiaddr(address))
  const logger = options.logger ?? defaultLogger()
  /** @type {Registrar | undefined} */
  let registrar
  /** @type {any} */
  let components

  /** The node is there, and services may be made. @param {any} core */
  const adopt = (core) => {
    const node = core.events
    node.logger = logger
    registrar = new Registrar(node)
    components = makeComponents(core, registrar, { logger, options, listen })
    dressConnections(node, registrar, logger)
    expireTags(node.peerStore)
  }
  /** @type {any[]} */
  const made = []
  /** @param {(components: any) => any} factory */
  const make = (factory) => (/** @type {any} */ core) => {
    if (components === undefined) adopt(core)
    made.push(factory(components))
    return made.at(-1)
  }
  /** @type {Record<string, any>} */
  const services = Object.fromEntries(Object.entries(options.services ?? {}).map(([name, given]) => [name, isFactory(given) ? make(given) : excuseHosts(given, () => node)]))
  // those that are found by what they say they are; first of all one that has the node adopted
  const discovery = (options.peerDiscovery ?? []).filter(isFactory).map((/** @type {any} */ factory) => (/** @type {any} */ own) => {
    const found = factory(own)
    if (found[peerDiscoverySymbol] === undefined) found[peerDiscoverySymbol] = found
    return found
  })
  const hidden = Object.fromEntries([() => undefined, ...discovery].map((factory, i) => [`${HIDDEN}${i}`, make(factory)]))
  const node = await peerlet.createLibp2p({
    ...nodeOptions(options, parts),
    services: { ...hidden, ...options.services === undefined && isAll ? everything() : services }
  })
  for (const [name, service] of Object.entries(node.services)) if (service == null) delete node.services[name]
  node.peerRouting.routers.push(...(options.peerRouters ?? []).map((/** @type {any} */ factory) => factory(components)))
  node.contentRouting.routers.push(...(options.contentRouters ?? []).map((/** @type {any} */ factory) => factory(components)))
  if (!isAll) checkDependencies(parts.map(({ part }) => part), made)
  dressServices(node, options.services ?? {})
  tagBootstrap(node, parts)
  tellListeners(node, listen)
  keepAlive(node, options.connectionManager ?? {})
  if (options.start !== false) await node.start()
  return node
}

/** Names of what has no name with js-libp2p. */
const HIDDEN = 'peer-discovery-'

/** As the node has it where nothing is said. */
const everything = () => ({
  identify: peerlet.identify(), identifyPush: peerlet.identifyPush(), ping: peerlet.ping(), pubsub: peerlet.gossipsub({ runOnLimitedConnection: true })
})

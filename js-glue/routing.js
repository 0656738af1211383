import { makeError } from './errors.js'

/**
 * @typedef {{ id: any, multiaddrs: any[] }} PeerInfo
 * @typedef {ReturnType<typeof makeRouting>} Routing
 */

/**
 * Routers of one kind, asked as one: `node.peerRouting` and `node.contentRouting`, with js-libp2p's methods.
 * Peers they find go into the peer store.
 *
 * @param {string} kind Peer or Content
 * @param {import('./peer-store.js').PeerStore} peerStore
 */
export function makeRouting (kind, peerStore) {
  /** @type {any[]} */
  const routers = []

  /** Asks those that can. @param {string} method @param {any[]} args */
  const ask = (method, args) => {
    if (routers.length === 0) throw makeError(`No${kind}RoutersError`, 'no service of this node is a router')
    return routers.flatMap((router) => router[method]?.(...args) ?? [])
  }

  /** @param {PeerInfo} peer */
  const keep = async (peer) => {
    await peerStore.merge(peer.id, peer)
    return peer
  }

  /** @param {AsyncIterator<PeerInfo>} source @returns {Promise<any>} */
  const next = (source) => source.next().then((result) => ({ ...result, source }), (error) => ({ done: true, error, source }))

  /** What any of them yields, as it comes. One that fails is forgotten unless nothing comes at all. @param {string} method @param {any[]} args @returns {AsyncGenerator<PeerInfo>} */
  async function * merge (method, args) {
    const waiting = new Map(ask(method, args).map((iterable) => iterable[Symbol.asyncIterator]()).map((source) => [source, next(source)]))
    const seen = new Set()
    let problem
    try {
      while (waiting.size > 0) {
        const { done, value, source, error } = await Promise.race(waiting.values())
        if (done) {
          problem ??= error
          waiting.delete(source)
          continue
        }
        waiting.set(source, next(source))
        const name = String(value.id)
        if (!seen.has(name)) yield await keep(value)
        seen.add(name)
      }
      if (problem && seen.size === 0) throw problem
    } finally {
      for (const source of waiting.keys()) source.return?.()
    }
  }

  /** What the first of them finds. @param {string} method @param {any[]} args */
  const first = async (method, args) => await Promise.any(ask(method, args)).catch(({ errors }) => {
    throw makeError('NotFoundError', `no router found it: ${errors}`)
  })

  /** @param {string} method */
  const all = (method) => async (/** @type {any[]} */ ...args) => { await Promise.all(ask(method, args)) }

  return {
    routers,
    /** Rejects with NotFoundError, NoPeerRoutersError. @param {any[]} args a Peer ID, options @returns {Promise<PeerInfo>} */
    findPeer: async (...args) => await keep(await first('findPeer', args)),
    /** @param {any[]} args a key, options */
    getClosestPeers: (...args) => merge('getClosestPeers', args),
    /** @param {any[]} args a CID, options */
    findProviders: (...args) => merge('findProviders', args),
    provide: all('provide'),
    cancelReprovide: all('cancelReprovide'),
    put: all('put'),
    /** @param {any[]} args a key, options @returns {Promise<Uint8Array>} */
    get: (...args) => first('get', args)
  }
}

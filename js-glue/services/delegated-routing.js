import { makeError } from '../errors.js'

/**
 * @typedef {object} DelegatedRoutingInit
 * @property {string | URL} url of the server, "https://delegated-ipfs.dev"
 * @property {string[]} [filterAddrs] 'wss', 'webtransport', '!p2p-circuit', 'unknown', …
 * @property {string[]} [filterProtocols]
 * @property {number} [concurrentRequests] 4
 * @property {number} [timeout] ms of one request, 30000
 *
 * @typedef {{ signal?: AbortSignal, filterAddrs?: string[], filterProtocols?: string[] }} RequestOptions
 *
 * @typedef {{ Schema: 'peer', ID: any, Addrs: any[], Protocols: string[] }} PeerRecord ID is a CID
 */

// What a server may answer with: the specification has 100 records, one of which is a few KB.
const RECORDS_MAX = 1000
const LINE_MAX = 64 * 1024
const BODY_MAX = 4 * 1024 * 1024
/** Of the addresses of one record. */
const ADDRESSES_MAX = 64
/** The longest that a server may make us wait, s. */
const RETRY_AFTER_MAX = 3600

/** @param {string} message @param {object} [about] */
const badResponse = (message, about) => Object.assign(makeError('BadResponseError', message, 'BAD_RESPONSE'), about)

/**
 * The text of a body as it comes, cut at line ends.
 *
 * @param {ReadableStream<Uint8Array>} body
 * @param {number} lineMax
 */
async function * linesOf (body, lineMax) {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  let length = 0
  try {
    for (;;) {
      const { done, value } = await reader.read()
      length += value?.length ?? 0
      const lines = (rest + decoder.decode(value, { stream: !done })).split('\n')
      rest = done ? '' : /** @type {string} */ (lines.pop())
      if (length > BODY_MAX || Math.max(rest.length, ...lines.map((line) => line.length)) > lineMax) throw badResponse('the server answered with more than any answer needs')
      yield * lines
      if (done) return
    }
  } finally {
    reader.cancel().catch(() => {}) // what is not read is not wanted
  }
}

/** @param {string} text @returns {any} nothing where it is not JSON */
function parse (text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** @param {Response} response @returns {AsyncGenerator<any>} records as they stand there */
async function * recordsOf (response) {
  const type = (response.headers.get('content-type') ?? '').split(';')[0].trim().toLowerCase()
  if (response.body === null) return
  if (type === 'application/x-ndjson') {
    for await (const line of linesOf(response.body, LINE_MAX)) yield parse(line)
  } else if (type === 'application/json') {
    let text = ''
    for await (const line of linesOf(response.body, BODY_MAX)) text += line
    const answer = parse(text)
    if (answer === null || typeof answer !== 'object') throw badResponse('the server said it was JSON, and it is not')
    const list = answer.Providers ?? answer.Peers
    if (Array.isArray(list)) yield * list
  } else {
    throw badResponse(`the server answered with "${type}", not with JSON: is there a routing server at ${new URL(response.url).origin}?`)
  }
}

/** `services.delegatedRouting`: a server is asked over HTTP. As @helia/delegated-routing-v1-http-api-client. */
export class DelegatedRouting {
  #names
  #init
  #base
  #running = 0
  /** @type {Array<() => void>} */
  #waiting = []
  #notBefore = 0
  #stopped = new AbortController()

  /** @param {import('./module.js').Components} components @param {DelegatedRoutingInit} init */
  constructor (components, init) {
    this.#names = components.names
    this.#init = init
    this.url = new URL(init.url)
    this.#base = String(this.url).replace(/\/?$/, '/routing/v1/')
  }

  get [Symbol.toStringTag] () { return 'peerlet/delegated-routing' }

  get [Symbol.for('@libp2p/peer-routing')] () {
    return {
      findPeer: async (/** @type {any} */ id, /** @type {RequestOptions} */ options) => {
        for await (const record of this.getPeers(id.toCID(), options)) {
          const peer = this.#peerInfo(record)
          if (peer.id.equals(id) && peer.multiaddrs.length > 0) return peer
        }
        throw makeError('NotFoundError', `${this.url.host} does not know where ${id} is`, 'NOT_FOUND')
      },
      getClosestPeers: (/** @type {Uint8Array} */ key, /** @type {RequestOptions} */ options) => this.#infos(this.getClosestPeers(this.#names.peerIdFromMultihash(key).toCID(), options))
    }
  }

  get [Symbol.for('@libp2p/content-routing')] () {
    return {
      findProviders: (/** @type {any} */ cid, /** @type {RequestOptions} */ options) => this.#infos(this.getProviders(cid, options)),
      // a server finds out by itself
      provide: async () => {},
      cancelReprovide: async () => {}
    }
  }

  /** @param {PeerRecord} record */
  #peerInfo ({ ID, Addrs }) { return { id: this.#names.peerIdFromMultihash(ID.multihash.bytes), multiaddrs: Addrs, routing: 'delegated-http-routing-v1' } }

  /** @param {AsyncIterable<PeerRecord>} records */
  async * #infos (records) { for await (const record of records) yield this.#peerInfo(record) }

  async start () { if (this.#stopped.signal.aborted) this.#stopped = new AbortController() }
  async stop () { this.#stopped.abort() }

  /** Who has the content. @param {any} cid @param {RequestOptions} [options] @returns {AsyncGenerator<PeerRecord>} */
  getProviders (cid, options = {}) { return this.#get(`providers/${cid}`, options) }

  /** Where a peer is. @param {any} cid of a Peer ID @param {RequestOptions} [options] @returns {AsyncGenerator<PeerRecord>} */
  getPeers (cid, options = {}) { return this.#get(`peers/${cid}`, options) }

  /** @param {any} cid @param {RequestOptions} [options] @returns {AsyncGenerator<PeerRecord>} */
  getClosestPeers (cid, options = {}) { return this.#get(`dht/closest/peers/${cid}`, options) }

  /** @param {string} path @param {RequestOptions} options @returns {AsyncGenerator<PeerRecord>} */
  async * #get (path, options) {
    const giveUp = new AbortController()
    const signals = [giveUp.signal, this.#stopped.signal, AbortSignal.timeout(this.#init.timeout ?? 30_000), ...options.signal === undefined ? [] : [options.signal]]
    const signal = AbortSignal.any(signals)
    await this.#turn(signal)
    try {
      const response = await this.#request(path, options, signal)
      if (response === undefined) return
      let count = 0
      for await (const record of recordsOf(response)) {
        if (++count > RECORDS_MAX) return
        yield * this.#read(record)
      }
    } catch (/** @type {any} */ err) {
      if (err?.name === 'TimeoutError') throw makeError('TimeoutError', `${this.url.host} took too long`, 'TIMEOUT')
      if (!(err instanceof TypeError)) throw err
      throw makeError('ConnectionFailedError', `${this.url.host} cannot be reached, or does not allow this page to ask (${err.message})`, 'TRANSPORT')
    } finally {
      giveUp.abort()
      this.#running--
      this.#waiting.shift()?.()
    }
  }

  /** Waits until fewer requests run than may. @param {AbortSignal} signal */
  async #turn (signal) {
    while (this.#running >= (this.#init.concurrentRequests ?? 4)) {
      await new Promise((resolve, reject) => {
        const go = () => resolve(undefined)
        this.#waiting.push(go)
        signal.addEventListener('abort', () => {
          this.#waiting = this.#waiting.filter((other) => other !== go)
          reject(signal.reason)
        }, { once: true })
      })
    }
    this.#running++
  }

  /** @param {string} path @param {RequestOptions} options @param {AbortSignal} signal @returns {Promise<Response | undefined>} nothing where nothing was found */
  async #request (path, options, signal) {
    const wait = this.#notBefore - Date.now()
    if (wait > 0) throw badResponse(`${this.url.host} asked to be left alone for ${Math.ceil(wait / 1000)} s more`, { retryAfter: wait / 1000 })
    const url = new URL(this.#base + path)
    for (const [name, values] of [['filter-addrs', options.filterAddrs ?? this.#init.filterAddrs], ['filter-protocols', options.filterProtocols ?? this.#init.filterProtocols]]) {
      if (values !== undefined && values.length > 0) url.searchParams.set(String(name), String(values))
    }
    const response = await fetch(url, { signal, headers: { accept: 'application/x-ndjson, application/json;q=0.8' } })
    if (response.ok) return response
    if (response.status === 404) return undefined
    if (response.status === 422) throw makeError('InvalidRequestError', `${this.url.host} does not understand ${path}`, 'BAD_REQUEST')
    const after = response.headers.get('retry-after')
    const seconds = Math.min(Number(after ?? 0) || (Date.parse(after ?? '') - Date.now()) / 1000 || 0, RETRY_AFTER_MAX)
    if (response.status === 429 || response.status === 503) this.#notBefore = Date.now() + seconds * 1000
    throw badResponse(`${this.url.host} answered with status ${response.status}${seconds > 0 ? `: try again in ${Math.ceil(seconds)} s` : ''}`, { status: response.status, retryAfter: seconds })
  }

  /** What is not about a peer, or not right, is passed over. @param {any} record @returns {PeerRecord[]} */
  #read (record) {
    if (record?.Schema !== 'peer' && record?.Schema !== 'bitswap') return []
    try {
      const id = this.#names.peerIdFromString(String(record.ID))
      const Addrs = [record.Addrs ?? []].flat().slice(0, ADDRESSES_MAX).flatMap((/** @type {any} */ address) => {
        try {
          return [this.#names.multiaddr(String(address))]
        } catch {
          return []
        }
      })
      return [{ Schema: 'peer', ID: id.toCID(), Addrs, Protocols: [record.Protocols ?? [], record.Protocol ?? []].flat().map(String) }]
    } catch {
      return []
    }
  }
}

/** @param {DelegatedRoutingInit | string | URL} init @returns {(components: any) => DelegatedRouting} */
export const delegatedRoutingV1HttpApiClient = (init) => (components) => {
  return new DelegatedRouting(components, typeof init === 'string' || init instanceof URL ? { url: init } : init)
}

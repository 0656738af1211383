import { makeError } from '../errors.js'

/**
 * @typedef {object} EchoInit
 * @property {string} [protocolPrefix]
 * @property {number} [maxInboundStreams]
 * @property {number} [maxOutboundStreams]
 * @property {boolean} [runOnLimitedConnection]
 * @property {number} [timeout] ms that a peer may take, 20000
 */

/** `services.echo`: everything comes back. As @libp2p/echo. There is nothing in it for C to do. */
export class Echo {
  #components
  #init

  /** @param {import('./module.js').Components} components @param {EchoInit} init */
  constructor (components, init) {
    this.#components = components
    this.#init = init
    this.protocol = `/${[init.protocolPrefix, 'echo', '1.0.0'].filter(Boolean).join('/')}`
  }

  get [Symbol.toStringTag] () { return '@libp2p/echo' }

  async start () { await this.#components.registrar.handle(this.protocol, (/** @type {any} */ stream) => this.#answer(stream), this.#init) }
  async stop () { await this.#components.registrar.unhandle(this.protocol) }

  /** @param {any} stream */
  async #answer (stream) {
    const timer = setTimeout(() => stream.abort(makeError('TimeoutError', 'the peer took too long', 'TIMEOUT')), this.#init.timeout ?? 20_000)
    try {
      for await (const bytes of stream) if (!stream.send(bytes)) await stream.onDrain()
      await stream.close()
    } finally {
      clearTimeout(timer)
    }
  }

  /**
   * Sends bytes and returns what came back, which is as much.
   *
   * @param {any} peer a Peer ID or multiaddr
   * @param {Uint8Array | { subarray: () => Uint8Array }} data
   * @param {{ signal?: AbortSignal }} [options]
   * @returns {Promise<Uint8Array>}
   * @throws ProtocolError when more or less came back
   */
  async echo (peer, data, options = {}) {
    const bytes = data.subarray()
    const stream = await this.#components.connectionManager.openStream(peer, this.protocol, { ...this.#init, ...options })
    const giveUp = () => stream.abort(options.signal?.reason)
    options.signal?.addEventListener('abort', giveUp)
    try {
      const back = new Uint8Array(bytes.length)
      let length = 0
      const reading = (async () => {
        for await (const part of stream) {
          if (length + part.length <= back.length) back.set(part.subarray(), length)
          length += part.length
        }
      })()
      stream.send(bytes)
      await Promise.all([stream.close(options), reading])
      if (length !== bytes.length) throw makeError('ProtocolError', `${length} bytes came back of ${bytes.length}`, 'PROTOCOL')
      return back
    } finally {
      options.signal?.removeEventListener('abort', giveUp)
    }
  }
}

/** @param {EchoInit} [init] @returns {(components: any) => Echo} */
export const echo = (init = {}) => (components) => new Echo(components, init)

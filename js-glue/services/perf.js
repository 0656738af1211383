import { runJob } from './job.js'
import { Module } from './module.js'

/**
 * @typedef {object} PerfInit
 * @property {string} [protocolName] '/perf/1.0.0'
 * @property {number} [maxInboundStreams] 1
 * @property {number} [maxOutboundStreams] 1
 * @property {boolean} [runOnLimitedConnection]
 */

/**
 * How far a measurement is: `intermediary` once a second, with what moved in that second, and `final`,
 * with all of it.
 *
 * @typedef {object} PerfOutput
 * @property {'connection' | 'stream' | 'intermediary' | 'final'} type
 * @property {number} timeSeconds
 * @property {number} uploadBytes
 * @property {number} downloadBytes
 */

const SECOND = 1000

/** `services.perf`: the speed of a connection, both ways. As @libp2p/perf. */
export class Perf {
  #components
  #init

  /** @param {import('./module.js').Components} components @param {PerfInit} init */
  constructor (components, init) {
    this.#components = components
    this.#init = init
    this.protocol = init.protocolName ?? '/perf/1.0.0'
  }

  get [Symbol.toStringTag] () { return '@libp2p/perf' }

  async start () {
    await this.#components.registrar.handle(this.protocol, (/** @type {any} */ stream) => this.#answer(stream), { maxInboundStreams: 1, maxOutboundStreams: 1, ...this.#init })
  }

  async stop () { await this.#components.registrar.unhandle(this.protocol) }

  /** @param {any} stream */
  async #answer (stream) {
    const module = await Module.load(this.#components)
    await runJob(module, module.run('perf_listen', [performance.now()]), stream)
  }

  /**
   * @param {any} target a multiaddr or Peer ID
   * @param {number} sendBytes
   * @param {number} receiveBytes
   * @param {{ signal?: AbortSignal, reuseExistingConnection?: boolean }} [options]
   * @returns {AsyncGenerator<PerfOutput>}
   */
  async * measurePerformance (target, sendBytes, receiveBytes, options = {}) {
    const { connectionManager } = this.#components
    const module = await Module.load(this.#components)
    let mark = performance.now()
    const began = mark
    const since = (/** @type {number} */ when) => (performance.now() - when) / 1000
    const connection = await connectionManager.openConnection(target, { ...options, force: options.reuseExistingConnection !== true })
    yield { type: 'connection', timeSeconds: since(mark), uploadBytes: 0, downloadBytes: 0 }
    mark = performance.now()
    const stream = await connection.newStream(this.protocol, { ...this.#init, ...options })
    yield { type: 'stream', timeSeconds: since(mark), uploadBytes: 0, downloadBytes: 0 }

    const job = module.run('perf_dial', [sendBytes, receiveBytes])
    const moved = { uploadBytes: 0, downloadBytes: 0 }
    const running = runJob(module, job, stream, {
      signal: options.signal,
      onProgress: () => {
        moved.uploadBytes = module.run('perf_sent', [job])
        moved.downloadBytes = module.run('perf_received', [job])
      }
    })
    let isOver = false
    const over = running.finally(() => { isOver = true })
    over.catch(() => {}) // told below, if anybody still asks
    let last = { ...moved }
    try {
      for (mark = performance.now(); !isOver; mark = performance.now()) {
        await Promise.race([over, new Promise((resolve) => setTimeout(resolve, SECOND))])
        const now = { ...moved }
        if (!isOver) yield { type: 'intermediary', timeSeconds: since(mark), uploadBytes: now.uploadBytes - last.uploadBytes, downloadBytes: now.downloadBytes - last.downloadBytes }
        last = now
      }
      await over
    } finally {
      if (!isOver) stream.abort()
    }
    yield { type: 'final', timeSeconds: since(began), uploadBytes: sendBytes, downloadBytes: receiveBytes }
  }
}

/** @param {PerfInit} [init] @returns {(components: any) => Perf} */
export const perf = (init = {}) => (components) => new Perf(components, init)

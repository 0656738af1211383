// js-libp2p's own compliance tests on our yamux and our Noise: the machines of src/wire, which
// compliance/ bridges to js-libp2p's interfaces. And on js-libp2p's own, to see that the tests run as they are meant.
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import encrypterTests from '@libp2p/interface-compliance-tests/connection-encryption'
import muxerTests from '@libp2p/interface-compliance-tests/stream-muxer'
import { defaultLogger } from '@libp2p/logger'
import { noise } from '@libp2p/noise'
import { yamux } from '@libp2p/yamux'
import { PeerletNoise } from './compliance/encrypter.mjs'
import { PeerletYamux } from './compliance/muxer.mjs'

const LIMITS = { timeout: 120_000 }

// what the tests expect of their runner, mocha: a `this` in which they may ask for more time
const mocha = { timeout () {} }
const leftOut = new Set()
Object.assign(globalThis, {
  after: (body) => after(body, LIMITS),
  afterEach: (body) => afterEach(body, LIMITS),
  before: (body) => before(body, LIMITS),
  beforeEach: (body) => beforeEach(body, LIMITS),
  describe: (name, body) => leftOut.has(name) || describe(name, () => body.call(mocha)),
  it: (name, body) => it(name, LIMITS, () => body.call(mocha))
})

/** @param {(parts: any) => any} setup */
const using = (setup) => ({ setup: async (/** @type {any} */ parts) => setup(parts), teardown: async () => {} })

describe('Peerlet', () => {
  muxerTests(using(() => new PeerletYamux()))
  encrypterTests(using((parts) => new PeerletNoise({ ...parts, streamMuxer: new PeerletYamux() })))
})

describe('js-libp2p', () => {
  leftOut.add('stress test') // takes long, and says nothing more about how the tests are run
  muxerTests(using(() => yamux()()))
  encrypterTests(using((parts) => noise()({ ...parts, logger: defaultLogger(), upgrader: { getStreamMuxers: () => new Map() } })))
})

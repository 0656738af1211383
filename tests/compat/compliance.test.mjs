// js-libp2p's own compliance tests on our yamux and our Noise: the machines of src/wire, which
// compliance/ bridges to js-libp2p's interfaces. Of muxers each is an end of the other's, too; and all is run
// on js-libp2p's own, to see that the tests run as they are meant.
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

/** What the tests are run on: the dialer's and the listener's, in turn. @param {...(parts: any) => any} makers */
function using (...makers) {
  let made = 0
  return { setup: async (/** @type {any} */ parts) => makers[made++ % makers.length](parts), teardown: async () => {} }
}

const ourMuxer = () => new PeerletYamux()
const theirMuxer = () => yamux()()
const ourEncrypter = (parts) => new PeerletNoise({ ...parts, streamMuxer: ourMuxer() })
const theirEncrypter = (parts) => noise()({ ...parts, logger: defaultLogger(), upgrader: { getStreamMuxers: () => new Map() } })

describe('Peerlet', () => {
  muxerTests(using(ourMuxer))
  encrypterTests(using(ourEncrypter))
})

// what follows goes without the stress test, which takes long and says nothing more
leftOut.add('stress test')

describe('Peerlet dials js-libp2p', () => muxerTests(using(ourMuxer, theirMuxer)))
describe('js-libp2p dials Peerlet', () => muxerTests(using(theirMuxer, ourMuxer)))

describe('js-libp2p', () => {
  muxerTests(using(theirMuxer))
  encrypterTests(using(theirEncrypter))
})

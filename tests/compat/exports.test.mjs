// Every name that js-libp2p's modules export is exported by what their specifiers are mapped to.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as real from '@libp2p/interface'
import '../interop/peerlet.mjs'
import { aliases, importMap, viteAliases, webpackAliases } from '../../js-glue/aliases/index.js'
import * as compat from '../../js-glue/compat/index.js'
import * as services from '../../js-glue/services/index.js'

/** What is not there, with what docs/from-js-libp2p.md says of it. */
const SCORE = ['PeerScore', 'defaultPeerScoreParams', 'defaultPeerScoreThresholds', 'defaultTopicScoreParams', 'validatePeerScoreParams', 'validatePeerScoreThresholds', 'validateTopicScoreParams']
const MISSING = {
  '@libp2p/gossipsub/score': SCORE,
  '@chainsafe/libp2p-gossipsub/score': SCORE,
  '@libp2p/kad-dht': ['EventTypes', 'MessageType', 'Record', 'passthroughMapper', 'removePrivateAddressesMapper', 'removePublicAddressesMapper']
}

const TARGETS = { 'peerlet/compat': compat, 'peerlet/services': services }

/** Of packages that are not installed here, or were others in js-libp2p 2. */
const EXPORTS = {
  '@libp2p/identify/push': ['identifyPush'],
  '@libp2p/websockets/filters': ['all', 'dnsWsOrWss', 'dnsWss', 'wss'],
  '@libp2p/perf': ['perf'],
  '@helia/delegated-routing-v1-http-api-client': ['delegatedRoutingV1HttpApiClient'],
  '@chainsafe/libp2p-gossipsub': ['GossipSub', 'gossipsub', 'multicodec'],
  '@chainsafe/libp2p-gossipsub/score': ['createPeerScoreParams', 'createPeerScoreThresholds', 'createTopicScoreParams'],
  '@multiformats/multiaddr/resolvers': ['dnsaddrResolver'],
  '@chainsafe/libp2p-noise': ['noise', 'pureJsCrypto'],
  '@chainsafe/libp2p-yamux': ['GoAwayCode', 'yamux'],
  '@multiformats/multiaddr': ['MultiaddrFilter', 'fromNodeAddress', 'fromStringTuples', 'fromTuples', 'isName', 'protocols', 'resolvers'],
  '@multiformats/multiaddr-matcher': ['QUICV1'],
  '@libp2p/interface': ['StrictNoSign', 'StrictSign', 'TopicValidatorResult', 'isPubSub', 'pubSubSymbol']
}

for (const [specifier, target] of Object.entries(aliases)) {
  test(`${specifier} is ${target}`, async () => {
    const module = await import(specifier).catch((err) => {
      if (EXPORTS[specifier] === undefined) throw err
      return {}
    })
    const names = [...Object.keys(module), ...EXPORTS[specifier] ?? []].filter((name) => !MISSING[specifier]?.includes(name))
    assert.deepEqual(names.filter((name) => TARGETS[target][name] === undefined), [])
    for (const name of names.filter((name) => module[name] !== undefined)) assert.equal(typeof TARGETS[target][name], typeof module[name], name)
  })
}

test('symbols and constants are those of js-libp2p', () => {
  for (const [name, value] of Object.entries(real)) {
    if (typeof value === 'symbol' || typeof value === 'string') assert.equal(compat[name], value, name)
  }
  assert.equal(compat.FaultTolerance.NO_FATAL, real.FaultTolerance.NO_FATAL)
})

test('numbers of multiaddr protocols are those of @multiformats/multiaddr', async () => {
  for (const [name, value] of Object.entries(await import('@multiformats/multiaddr'))) {
    if (typeof value === 'number') assert.equal(compat[name], value, name)
  }
})

test('errors have js-libp2p\'s names and texts, and belong to their classes by name', async () => {
  const classes = Object.entries(real).filter(([name]) => name.endsWith('Error'))
  assert.ok(classes.length > 30)
  for (const [name, Class] of classes) {
    const [ours, theirs] = [new compat[name](), new /** @type {any} */ (Class)()]
    assert.deepEqual([ours.name, ours.message, ours.constructor.name], [theirs.name, theirs.message, theirs.constructor.name])
    assert.ok(ours instanceof compat[name] && ours instanceof Error)
  }
  const thrown = await compat.createLibp2p({ transports: [] }).then((node) => node.dial('/ip4/127.0.0.1/tcp/1/ws')).catch((err) => err)
  assert.ok(!(thrown instanceof compat.TimeoutError))
  assert.throws(() => compat.multiaddr('/nonsense'), (err) => err instanceof compat.InvalidMultiaddrError && !(err instanceof compat.TimeoutError))
  class Own extends compat.TimeoutError {}
  assert.ok(new Own() instanceof compat.TimeoutError && !(new compat.TimeoutError() instanceof Own))
})

test('the map for Vite, webpack and pages without a bundler', () => {
  const specifiers = Object.keys(aliases)
  assert.equal(viteAliases.length, specifiers.length)
  assert.deepEqual(viteAliases.filter(({ find }) => find.test('@libp2p/identify/push')).map(({ replacement }) => replacement), ['peerlet/compat'])
  assert.equal(webpackAliases['libp2p$'], 'peerlet/compat')
  assert.equal(importMap('/lib/').imports['@libp2p/fetch'], '/lib/services.mjs')
})

test('what makes scores makes what gossipsub takes', async () => {
  const { createPeerScoreParams, createPeerScoreThresholds, createTopicScoreParams, gossipsub } = compat
  const scoreParams = createPeerScoreParams({ decayInterval: 500, topics: { tea: createTopicScoreParams({ topicWeight: 0.25 }) } })
  assert.deepEqual(scoreParams, { decayInterval: 500, topics: { tea: { topicWeight: 0.25 } } })
  assert.deepEqual(createPeerScoreParams().topics, {})
  const pubsub = gossipsub({ scoreParams, scoreThresholds: createPeerScoreThresholds({ gossipThreshold: -5 }) })
  const node = await compat.createLibp2p({ start: false, transports: [], services: { identify: compat.identify(), pubsub } })
  assert.deepEqual(node.services.pubsub.getTopics(), [])
})

// What goes wrong at the first try, done as a newcomer would, and what is said about it: the name to match, and
// words that lead on.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FLAGS, openWorld } from './harness.mjs'

// lan.test is this machine, as a page on http in a LAN finds it: not a secure context
const LAN = FLAGS.find((flag) => flag.startsWith('--host-resolver-rules'))?.replace('=', '=MAP lan.test 127.0.0.1 , ')
const world = openWorld({ flags: [String(LAN)] })
const ID = '12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5'
const NOWHERE = `/ip4/127.0.0.1/tcp/9/ws/p2p/${ID}`

/** A page's code: a node with these options, then `rest`, whose value or error is what is looked at. */
const node = (options = '{}', rest = '') => `const node = await createLibp2p(${options}); nodes.push(node); ${rest}`
const relays = (list, rest = 'return new Promise((resolve) => node.addEventListener("relay:state", ({ detail }) => { if (detail.error) resolve(detail.error) }))') =>
  node(`{ peerDiscovery: [bootstrap({ list: [${list.map((address) => JSON.stringify(address))}] })] }`, rest)
const dial = (target) => node('{}', `await node.dial(${target})`)

/** @type {(relay: string) => Array<[string, string, RegExp]>} what is done, how, and what is said */
const cases = (relay) => [
  ['a relay as the option that joinRoom has', node(`{ relays: ['${NOWHERE}'] }`), /^InvalidParametersError: .*no option "relays". Say peerDiscovery: \[bootstrap/],
  ['a relay given to bootstrap itself', node(`{ peerDiscovery: [bootstrap('${NOWHERE}')] }`), /^InvalidParametersError: bootstrap takes \{ list: /],
  ['a relay from a setting that is not set', node('{ peerDiscovery: [bootstrap({ list: [undefined] })] }'), /^InvalidParametersError: bootstrap takes \{ list: /],
  ['a relay among what discovers', node(`{ peerDiscovery: ['${NOWHERE}'] }`), /^InvalidParametersError: peerDiscovery: .*Import what goes there/],
  ['bootstrap without the list around it', node(`{ peerDiscovery: bootstrap({ list: ['${NOWHERE}'] }) }`, 'await node.dial([])'), /^NoValidAddressesError: dial was given no address/],
  ['a factory that is not called', node('{ transports: [webSockets] }'), /^InvalidParametersError: transports: .*and call it$/],
  ['a relay as host and port', relays(['localhost:9001']), /^InvalidMultiaddrError: "localhost:9001" .*begins with a slash/],
  ['a relay as URL', relays(['ws://127.0.0.1:9001']), /^InvalidMultiaddrError: .*begins with a slash, as \/dns4\/example.com\//],
  ['a relay with the Peer ID of an example', relays(['/ip4/127.0.0.1/tcp/9001/ws/p2p/12D3Koo…']), /^InvalidMultiaddrError: .*at character 32: "12D3Koo…" is not a Peer ID/],
  ['a relay without Peer ID', relays(['/ip4/127.0.0.1/tcp/9001/ws']), /^InvalidParametersError: .*does not end in the Peer ID of a relay/],
  ['a relay over TCP', relays([`/ip4/127.0.0.1/tcp/9001/p2p/${ID}`]), /^NoValidAddressesError: .*a browser needs .*\/ws/],
  ['no relay there', relays([NOWHERE]), /^DialError: no WebSocket answers at ws:\/\/127\.0\.0\.1:9\//],
  ['another relay there', relays([relay.replace(/[^/]+$/, ID)]), /^UnexpectedPeerError: the one who answers there is 12D3KooW\w+; is the Peer ID/],
  ['a web server there', relays([`${world.origin.replace('http://127.0.0.1:', '/ip4/127.0.0.1/tcp/')}/ws/p2p/${ID}`]), /^DialError: no WebSocket answers/],
  ['a full relay', relays([relay], `await reserved(node)
    const other = await createLibp2p({ peerDiscovery: [bootstrap({ list: ['${relay}'] })] })
    nodes.push(other)
    return new Promise((resolve) => other.addEventListener('relay:state', ({ detail }) => { if (detail.error) resolve(detail.error) }))`), /^RelayRefusedError: .*is it full\?/],
  ['dial of host and port', dial('"localhost:9001"'), /^InvalidPeerIdError: .*a multiaddr, which begins with a slash/],
  ['dial of half a Peer ID', dial('"12D3Koo"'), /^InvalidPeerIdError: "12D3Koo" is not a Peer ID, which looks like 12D3KooW…/],
  ['dial of a Peer ID nobody knows', dial(`"${ID}"`), /^NoValidAddressesError: no address of this peer is known; dial a multiaddr/],
  ['dial of ourselves', dial('node.peerId'), /^DialError: that is this node's own Peer ID/],
  ['dial of TCP', dial('"/ip4/127.0.0.1/tcp/1"'), /^NoValidAddressesError: .*a browser needs .*\/ws/],
  ['dial by wss of what has no good certificate', dial('"/ip4/127.0.0.1/tcp/9/tls/ws"'), /^DialError: .*its certificate is not good: open it as https/],
  ['dial of IPv6 only', dial('"/dns6/ipv6.test/tcp/443/tls/ws"'), /^DialError: no WebSocket answers at wss:\/\/ipv6\.test\//],
  ['dial of a page that is gone', relays([relay], `await node.dial('${relay}/p2p-circuit/webrtc/p2p/${ID}')`), /^ConnectionFailedError: .*that peer is not connected to this relay right now/],
  ['dial, not started', node('{ start: false }', `await node.dial("${NOWHERE}")`), /^NotStartedError: .*call start\(\) first/],
  ['dial, stopped', node('{}', `await node.stop(); await node.dial("${NOWHERE}")`), /^NotStartedError: /],
  ['await forgotten', 'createLibp2p().then((node) => nodes.push(node)).dial()', /^TypeError: .*dial is not a function/],
  ['publish, nobody there', node('{}', 'await node.services.pubsub.publish("chat", new Uint8Array(1))'), /^PublishError\.NoPeersSubscribedToTopic: .*nobody is subscribed to the topic yet/],
  ['discovery by pubsub without it', node('{ services: {}, peerDiscovery: [pubsubPeerDiscovery()] }'), /^InvalidParametersError: services has no gossipsub\(\)/],
  ['a protocol without slash', node('{}', 'await node.handle("chat", () => {})'), /^InvalidParametersError: a protocol id begins with a slash/],
  ['a second handler', node('{}', 'await node.handle("/chat", () => {}); await node.handle("/chat", () => {})'), /^DuplicateProtocolHandlerError: .*call unhandle first/],
  ['a protocol that the peer does not speak', node('{}', `await node.dialProtocol('${relay}', '/chat')`), /^UnsupportedProtocolError: the peer does not handle this protocol/],
  ['text sent on a stream', node('{}', `(await node.dialProtocol('${relay}', '/echo/1.0.0')).send('hello')`), /^InvalidParametersError: send takes a Uint8Array: new TextEncoder/],
  ['sent on a closed stream', node('{}', `const stream = await node.dialProtocol('${relay}', '/echo/1.0.0'); await stream.close(); stream.send(new Uint8Array(1))`), /^StreamStateError: .*open a new one/],
  ['a module of js-libp2p', node('{ transports: [() => ({ dial () {} })] }'), /^InvalidParametersError: .*Import what goes there from "peerlet"/],
  ['an option that is not here', node('{ datastore: {} }'), /^InvalidParametersError: createLibp2p: Peerlet has no option "datastore"/],
  ['a page that listens as a server does', node('{ addresses: { listen: ["/ip4/0.0.0.0/tcp/0/ws"] } }'), /^NoValidAddressesError: .*a page listens on \/p2p-circuit and \/webrtc/],
  ['an RSA key', 'await generateKeyPair("RSA")', /^UnsupportedKeyTypeError: .*Ed25519/]
]

const SETUP = `const { bootstrap, createLibp2p, generateKeyPair, pubsubPeerDiscovery, webSockets } = await import('/build/web/peerlet.mjs')
  const nodes = []
  const reserved = (node) => new Promise((resolve) => node.addEventListener('relay:state', ({ detail: { state } }) => { if (state === 'reserved') resolve() }))
  const say = (err) => err?.name + ': ' + err?.message`

/** @param {import('playwright-core').Page} page @param {string} code */
const run = (page, code) => page.evaluate(`(async () => { ${SETUP}; try { return say(await (async () => { ${code} })()) } catch (err) { return say(err) } finally { for (const node of nodes) await node.stop() } })()`)

test('what goes wrong at the first try is explained', { timeout: 300_000 }, async (t) => {
  const relay = await world.relay(t, { RELAY_LIMITS: '{"maxReservations":1}' })
  const page = await world.tab(t, '/peer.html?impl=none')
  for (const [what, code, said] of cases(relay.addr)) assert.match(await run(page, code), said, what)
})

test('what nobody waits for is in the console', { timeout: 300_000 }, async (t) => {
  const relay = await world.relay(t)
  const page = await world.tab(t, '/peer.html?impl=none')
  /** @type {string[]} */
  const console = []
  page.on('console', (message) => console.push(message.text()))
  await run(page, relays([relay.addr.replace(/[^/]+$/, ID)], 'while (![...node.relays.values()].some(({ error }) => error)) await new Promise((resolve) => setTimeout(resolve, 20))'))
  assert.ok(console.some((text) => text.startsWith(`Peerlet ${ID} the one who answers there is`)), `a relay that fails: ${console}`)

  await run(page, `const [a, b] = await Promise.all([1, 2].map(() => createLibp2p({ connectionGater: { denyDialMultiaddr: () => false } }))); nodes.push(a, b)
    await a.dial('${relay.addr}'); await b.dial('${relay.addr}')
    await a.handle('/greet', (stream) => { undefined.greet() }, { runOnLimitedConnection: true })
    while (!a.getMultiaddrs().some((address) => String(address).includes('/p2p-circuit'))) await new Promise((resolve) => setTimeout(resolve, 20))
    const stream = await b.dialProtocol(a.getMultiaddrs().find((address) => String(address).includes('/p2p-circuit')), '/greet', { runOnLimitedConnection: true })
    if (stream.status === 'open') await new Promise((resolve) => stream.addEventListener('close', resolve))`)
  assert.ok(console.some((text) => /^\/greet TypeError: Cannot read properties of undefined/.test(text)), `a handler that throws: ${console}`)
})

test('a page on http in a LAN runs, and says what it lacks', { timeout: 300_000 }, async (t) => {
  const page = await world.tab(t, `${world.origin.replace('127.0.0.1', 'lan.test')}/peer.html?impl=none`)
  /** @type {string[]} */
  const console = []
  page.on('console', (message) => console.push(message.text()))
  assert.equal(await page.evaluate('isSecureContext'), false)
  assert.match(await run(page, dial(`'${NOWHERE}'`)), /^DialDeniedError: a private network is dialled only from a page of that network; set connectionGater/)
  assert.ok(console.some((text) => /for this visit only, because there are no Web Locks here, which need https or localhost/.test(text)), String(console))
})

test('a page without WebRTC says so when it is needed', { timeout: 300_000 }, async (t) => {
  const page = await world.tab(t, '/peer.html?impl=none', { script: 'delete globalThis.RTCPeerConnection' })
  const address = `/ip4/127.0.0.1/udp/9/webrtc-direct/certhash/uEiAbhhQxJeJ6nAWdpB6NdSV4UPaTwEcy9eA76p22SoKyvg/p2p/${ID}`
  assert.match(await run(page, dial(`'${address}'`)), /^DialError: no WebRTC here: the browser has none, or a setting or an extension forbids it/)
})

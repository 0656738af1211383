// Routing over HTTP, against a server that answers as the specification has it, and as it has not.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { startPeerlet } from './nodes.mjs'
import * as peerlet from './peerlet.mjs'
import { startPeerFor } from './start-peer.mjs'
import { delegatedRoutingV1HttpApiClient } from './services.mjs'

const options = { timeout: 300_000 }
const SOMEBODY = '12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5'
const ELSE = '12D3KooWKRyzVWW6ChFjQjK4miCty85Niy48tpPV95XdKu1BcvMA'
const ADDRESS = '/ip4/127.0.0.1/tcp/4001/ws'
const NDJSON = 'application/x-ndjson'
const CID = { toString: () => 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy' }

/**
 * A server with these answers by path, and what was asked of it.
 *
 * @param {import('node:test').TestContext} t
 * @param {Record<string, { status?: number, type?: string, headers?: object, body?: string | ((response: import('node:http').ServerResponse) => void) }>} answers
 */
async function startServer (t, answers) {
  /** @type {Array<{ url: URL, accept: string | undefined }>} */
  const asked = []
  const server = createServer((request, response) => {
    const url = new URL(String(request.url), 'http://localhost')
    asked.push({ url, accept: request.headers.accept })
    const { status = 200, type = 'application/json', headers = {}, body = '' } = answers[url.pathname.replace('/routing/v1/', '')] ?? { status: 404 }
    response.writeHead(status, { 'content-type': type, ...headers })
    if (typeof body === 'function') body(response)
    else response.end(body)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  t.after(() => { server.closeAllConnections(); server.close() })
  return { url: `http://127.0.0.1:${/** @type {any} */ (server.address()).port}`, asked }
}

/** @param {import('node:test').TestContext} t @param {string} url @param {object} [init] */
const startOurs = (t, url, init) => startPeerlet(t, { services: { identify: peerlet.identify(), delegated: delegatedRoutingV1HttpApiClient({ url, ...init }) } })

/** @param {AsyncIterable<any>} source */
async function collect (source) {
  const all = []
  for await (const one of source) all.push(one)
  return all
}

const peer = (/** @type {object} */ about) => ({ Schema: 'peer', ID: SOMEBODY, Addrs: [ADDRESS], Protocols: ['transport-bitswap'], ...about })
const somebody = peerlet.peerIdFromString(SOMEBODY)

for (const [name, type, body] of [
  ['JSON', 'application/json; charset=utf-8', JSON.stringify({ Peers: [peer({ ID: ELSE }), peer({})] })],
  ['ndjson', NDJSON, [peer({ ID: ELSE }), peer({})].map((one) => JSON.stringify(one)).join('\n')]
]) {
  test(`a peer is found in ${name}, by either form of its name`, options, async (t) => {
    const { url, asked } = await startServer(t, { [`peers/${somebody.toCID()}`]: { type, body } })
    const ours = await startOurs(t, `${url}/`, { filterAddrs: ['wss', '!p2p-circuit'] })
    const found = await ours.peerRouting.findPeer(somebody)
    assert.equal(String(found.id), SOMEBODY)
    assert.deepEqual(found.multiaddrs.map(String), [ADDRESS])
    assert.equal(asked[0].url.searchParams.get('filter-addrs'), 'wss,!p2p-circuit')
    assert.match(String(asked[0].accept), /ndjson.*json/)
    assert.deepEqual((await ours.peerStore.get(somebody)).addresses.map(({ multiaddr }) => String(multiaddr)), [ADDRESS])
  })
}

test('a dial of a mere name asks the server', options, async (t) => {
  const relay = await startPeerFor(t, 'js')
  const id = peerlet.peerIdFromString(relay.peerId)
  const at = relay.addr.replace(/\/p2p\/.*/, '')
  const { url } = await startServer(t, { [`peers/${id.toCID()}`]: { type: NDJSON, body: `${JSON.stringify({ Schema: 'peer', ID: relay.peerId, Addrs: [at] })}\n` } })
  const ours = await startOurs(t, url)
  const connection = await ours.dial(id)
  assert.equal(String(connection.remotePeer), relay.peerId)
})

test('providers: what is unknown or wrong is passed over, and the old form read', options, async (t) => {
  const lines = [
    peer({ Addrs: ['/unheard/of', ADDRESS, 7] }),
    { Schema: 'unknown', ID: ELSE },
    'garbage', null, 5, [], { Schema: 'peer' }, peer({ ID: 'nobody' }), peer({ ID: 5 }),
    { Schema: 'bitswap', ID: ELSE, Protocol: 'transport-bitswap', Addrs: [ADDRESS] },
    peer({ ID: '12D3KooWLbTBv97L6jvaLkdSRpqhCX3w7PyPDWU7kwJsKJyztAUN', Addrs: undefined, Protocols: undefined })
  ]
  const body = lines.map((line) => JSON.stringify(line)).join('\n') + '\n{"cut'
  const { url } = await startServer(t, { [`providers/${CID}`]: { type: NDJSON, body } })
  const ours = await startOurs(t, url)
  const records = await collect(ours.services.delegated.getProviders(CID))
  assert.deepEqual(records.map(({ ID, Addrs, Protocols }) => [Addrs.map(String), Protocols, String(ID)].flat()).map(([first]) => first), [ADDRESS, ADDRESS, records[2].ID.toString()])
  assert.deepEqual(records[1].Protocols, ['transport-bitswap'])
  const providers = await collect(ours.contentRouting.findProviders(CID))
  assert.equal(providers.length, 3)
  assert.equal(providers[0].routing, 'delegated-http-routing-v1')
})

test('nothing found: 404, an empty list, null', options, async (t) => {
  const { url } = await startServer(t, { [`providers/${CID}`]: { body: '{"Providers":null}' }, [`peers/${somebody.toCID()}`]: { body: '{"Peers":[]}' } })
  const ours = await startOurs(t, url)
  assert.deepEqual(await collect(ours.contentRouting.findProviders(CID)), [])
  await assert.rejects(ours.peerRouting.findPeer(somebody), { name: 'NotFoundError' })
  assert.deepEqual(await collect(ours.contentRouting.findProviders({ toString: () => 'not-there' })), [])
})

test('a server that wants to be left alone is', options, async (t) => {
  const { url, asked } = await startServer(t, { [`providers/${CID}`]: { status: 429, headers: { 'retry-after': '60' } } })
  const ours = await startOurs(t, url)
  await assert.rejects(collect(ours.services.delegated.getProviders(CID)), { name: 'BadResponseError', message: /429.*60 s/, retryAfter: 60 })
  await assert.rejects(collect(ours.services.delegated.getProviders(CID)), { name: 'BadResponseError', message: /left alone/ })
  assert.equal(asked.length, 1)
})

for (const [what, answer, error] of /** @type {[string, any, object][]} */ ([
  ['500', { status: 500 }, { name: 'BadResponseError', message: /500/ }],
  ['422', { status: 422 }, { name: 'InvalidRequestError' }],
  ['a web page', { type: 'text/html', body: '<html>' }, { name: 'BadResponseError', message: /text\/html/ }],
  ['JSON that is none', { body: '{"Providers":[' }, { name: 'BadResponseError', message: /is not/ }],
  ['a line without end', { type: NDJSON, body: 'x'.repeat(100_000) }, { name: 'BadResponseError', message: /more than/ }],
  ['JSON without end', { body: (response) => { const more = () => { if (response.write('x'.repeat(65_536))) setImmediate(more); else response.once('drain', more) }; more() } }, { name: 'BadResponseError', message: /more than/ }]
])) {
  test(`a server that answers with ${what}`, options, async (t) => {
    const { url } = await startServer(t, { [`providers/${CID}`]: answer })
    const ours = await startOurs(t, url)
    await assert.rejects(collect(ours.services.delegated.getProviders(CID)), error)
  })
}

test('records without end: a thousand are read, and the server is let go', options, async (t) => {
  let isOver = /** @type {(value?: any) => void} */ (() => {})
  const over = new Promise((resolve) => { isOver = resolve })
  const endless = (/** @type {import('node:http').ServerResponse} */ response) => {
    const line = `${JSON.stringify(peer({}))}\n`
    const more = () => { if (response.write(line.repeat(50))) setImmediate(more); else response.once('drain', more) }
    response.once('close', isOver)
    more()
  }
  const { url } = await startServer(t, { [`providers/${CID}`]: { type: NDJSON, body: endless } })
  const ours = await startOurs(t, url)
  assert.equal((await collect(ours.services.delegated.getProviders(CID))).length, 1000)
  await over
  for await (const record of ours.services.delegated.getProviders(CID)) {
    assert.equal(record.Schema, 'peer')
    break // whoever has enough leaves, and the request ends
  }
})

test('a silent server: timeout, abort, the end of the node, and no more than two requests at once', options, async (t) => {
  const silent = () => startServer(t, { [`providers/${CID}`]: { body: () => {} } })
  const hasty = await startOurs(t, (await silent()).url, { timeout: 100 })
  await assert.rejects(collect(hasty.services.delegated.getProviders(CID)), { name: 'TimeoutError', message: /too long/ })
  const { url, asked } = await silent()
  const ours = await startOurs(t, url, { concurrentRequests: 2 })
  const reached = async (/** @type {number} */ count) => { while (asked.length < count) await new Promise((resolve) => setTimeout(resolve, 5)) }
  const given = new AbortController()
  const all = Promise.allSettled([1, 2, 3].map(() => collect(ours.services.delegated.getProviders(CID, { signal: given.signal }))))
  await reached(2)
  given.abort(new Error('enough'))
  assert.deepEqual((await all).map((one) => one.status === 'rejected' && one.reason.message), ['enough', 'enough', 'enough'])
  assert.equal(asked.length, 2)
  const last = assert.rejects(collect(ours.services.delegated.getProviders(CID)), { name: 'AbortError' })
  await reached(3)
  await ours.stop()
  await last
})

test('no server there', options, async (t) => {
  const ours = await startOurs(t, 'http://127.0.0.1:9')
  await assert.rejects(collect(ours.services.delegated.getProviders(CID)), { name: 'ConnectionFailedError' })
})

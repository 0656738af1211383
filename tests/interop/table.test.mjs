// Each of our hosts with each other implementation over each transport, in both roles: measured, and
// written to build/interop.md with the reasons of the cells that cannot be.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { setDefaultCACertificates } from 'node:tls'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { MIB, TOPIC, echoThrough, once, startPeerlet, when } from './nodes.mjs'
import * as peerlet from './peerlet.mjs'
import { missing, startPeer, startPeerFor } from './start-peer.mjs'
import { makeCertificate, startTls } from './tls.mjs'
import { firefoxMissing, openWorld, PATIENCE_MS, say } from '../browser/harness.mjs'

const certificate = makeCertificate()
setDefaultCACertificates?.([certificate.cert])
const world = openWorld({ flags: [`--ignore-certificate-errors-spki-list=${certificate.spkiHash}`] })

const HOSTS = ['Node', 'Chromium', 'Firefox']
const RELAYED = '/p2p-circuit'
const WEBRTC = '/p2p-circuit/webrtc'
const SERVED = ['/ws', '/tls/ws', '/webtransport', '/webrtc-direct']
/** Over what each can be dialled; those that are programs, and a page. */
const THEIRS = {
  'js-libp2p in Node': { kind: 'js', speaks: ['/ws', '/tls/ws', RELAYED] },
  'go-libp2p': { kind: 'go', speaks: [...SERVED, RELAYED] },
  'rust-libp2p': { kind: 'rust', speaks: ['/ws', '/tls/ws', '/webrtc-direct', RELAYED] },
  'js-libp2p in Chromium': { kind: undefined, speaks: [WEBRTC] }
}
/** One for all cells that need one, without limits, so that pubsub runs over what it relays. */
let relay
before(async () => { relay = await startPeer('js', { RELAY_TOPICS: '-', RELAY_LIMITS: '{ "applyDefaultLimit": false }' }) })
after(() => relay.stop())
const rows = []
/** By reason, what its cells have in each column. @type {Map<string, Set<string>[]>} */
const never = new Map()
function cannotBe (reason, cell) {
  const columns = never.get(reason) ?? cell.map(() => new Set())
  never.set(reason, columns)
  cell.forEach((text, i) => columns[i].add(text))
}

/** Why a cell cannot be here or anywhere. */
function reasonOf (host, theirs, transport, role) {
  const { kind, speaks } = THEIRS[theirs]
  if (role === 'listens' && SERVED.includes(transport)) return { never: 'nobody can call a page but through a relay, and in Node Peerlet is as in a page' }
  if (transport === WEBRTC && kind === 'js') return { never: 'js-libp2p has WebRTC in Node only with a native module' }
  if (transport === WEBRTC && kind !== undefined) return { never: `${theirs} has no WebRTC between browsers` }
  if (kind === undefined && transport !== WEBRTC) return { never: 'the same code as js-libp2p in Node, which see' }
  if (!speaks.includes(transport)) return { never: `${theirs} has no such listener` }
  if (host === 'Node' && !['/ws', '/tls/ws', RELAYED].includes(transport)) return { never: 'Node has no such transport without further packages' }
  const reason = (kind && missing(kind)) ?? (host === 'Firefox' ? firefoxMissing() : undefined)
  return reason === undefined ? undefined : { now: reason }
}

/** Ours in Node, with the face of the page's. */
async function nodeHost (t, isRelayed) {
  const node = await startPeerlet(t, isRelayed
    ? { addresses: { listen: ['/p2p-circuit'] }, peerDiscovery: [peerlet.bootstrap({ list: [relay.addr] })] }
    : {})
  const { pubsub, ping } = node.services
  pubsub.subscribe(TOPIC)
  const calls = {
    addresses: () => node.getMultiaddrs().map(String),
    async measure (addr) {
      const named = /[^/]+$/.exec(addr)?.[0]
      const identified = once(node, 'peer:identify', ({ peerId }) => String(peerId) === named)
      const began = performance.now()
      const connection = await node.dial(addr)
      const dialMs = performance.now() - began
      const { agentVersion: agent } = await identified
      const pingMs = await ping.ping(connection.remotePeer.toString())
      await echoThrough(connection, MIB)
      return { dialMs, agent, pingMs, echo: true }
    },
    whenReservedAt: (id, ms) => when(() => calls.addresses().some((text) => text.includes(`/p2p/${id}/p2p-circuit`)), node, ['self:peer:update'], ms),
    whenSubscribed: (id, topic, ms) => when(() => pubsub.getSubscribers(topic).map(String).includes(id), pubsub, ['subscription-change'], ms),
    whenHeard: async (text, ms) => {
      const { type, from } = await once(pubsub, 'message', ({ data }) => Buffer.from(data).toString() === text, ms)
      return { type, from: String(from) }
    },
    publish: (topic, text) => pubsub.publish(topic, Buffer.from(text))
  }
  return { id: node.peerId.toString(), call: (name, ...args) => calls[name](...args) }
}

/** One of ours, with a reservation where the relay is needed. */
async function startOurs (t, host, isRelayed) {
  const ours = host === 'Node' ? await nodeHost(t, isRelayed)
    : await world.peer(t, 'peerlet', { relay: isRelayed ? relay.addr : undefined, topics: [TOPIC] }, host.toLowerCase())
  if (isRelayed) await ours.call('whenReservedAt', relay.peerId, PATIENCE_MS)
  return ours
}

/** A program of theirs, with the face of a page: its address over this transport, and what it can be asked. */
async function startProgram (t, kind, transport) {
  const [cert, key] = ['cert', 'key'].map((name) => fileURLToPath(new URL(`../../build/interop-${name}.pem`, import.meta.url)))
  /** @type {Record<string, string>} */
  const env = { RELAY_TOPICS: TOPIC }
  if (kind === 'go' && transport === '/tls/ws') {
    writeFileSync(cert, certificate.cert)
    writeFileSync(key, certificate.key)
    Object.assign(env, { RELAY_CERT: cert, RELAY_KEY: key })
  }
  const peer = await startPeerFor(t, kind, env)
  const calls = {
    async address () {
      if (transport === RELAYED) {
        await peer.ask('reserve', { addr: relay.addr })
        return `${relay.addr}/p2p-circuit/p2p/${peer.peerId}`
      }
      if (transport === '/tls/ws' && kind !== 'go') { // a web server stands before it
        const { port } = await startTls(t, certificate, Number(/\/tcp\/(\d+)\/ws/.exec(peer.addr)?.[1]))
        return `/ip4/127.0.0.1/tcp/${port}/tls/ws/p2p/${peer.peerId}`
      }
      return peer.addrs.find((text) => text.includes(transport)) ?? assert.fail(`no ${transport} among ${peer.addrs}`)
    },
    measure: async (addr) => {
      const { echoed, ...rest } = await peer.ask('visit', { addr, bytes: MIB })
      return { ...rest, echo: echoed === MIB }
    },
    publish: (topic, text) => peer.ask('publish', { topic, text }),
    whenHeard: async (text, ms) => ({ type: 'signed', ...await peer.heard((message) => message.text === text, ms) }),
    whenSubscribed: () => {} // it is not told, but knows before we do
  }
  return { id: peer.peerId, call: (name, ...args) => calls[name](...args) }
}

/** A page of theirs. */
async function startPage (t) {
  const page = await world.peer(t, 'js-libp2p', { relay: relay.addr, topics: [TOPIC] })
  const call = (name, ...args) => name === 'address' ? page.call('whenReserved', PATIENCE_MS) : page.call(name, ...args)
  return { id: page.id, call }
}

/** Both hear what the other says. */
async function gossip (ours, theirs) {
  await ours.call('whenSubscribed', theirs.id, TOPIC, PATIENCE_MS)
  await theirs.call('whenSubscribed', ours.id, TOPIC, PATIENCE_MS)
  for (const [from, to] of [[theirs, ours], [ours, theirs]]) {
    const text = `says ${from.id}`
    const heard = to.call('whenHeard', text, PATIENCE_MS)
    await say(from, TOPIC, text)
    const message = await heard
    assert.deepEqual([message.type, message.from], ['signed', from.id])
  }
}

for (const host of HOSTS) {
  for (const [name, { kind }] of Object.entries(THEIRS)) {
    for (const role of ['dials', 'listens']) {
      for (const transport of [...SERVED, RELAYED, WEBRTC]) {
        const reason = reasonOf(host, name, transport, role)
        const title = role === 'dials' ? `${host} dials ${name} over ${transport}` : `${name} dials ${host} over ${transport}`
        if (reason?.never !== undefined) {
          cannotBe(reason.never, [host, name, transport, role])
          continue
        }
        const row = { host, name, transport, role, text: reason?.now ?? 'failed' }
        rows.push(row)

        test(title, { timeout: 300_000, skip: reason?.now ?? false }, async (t) => {
          const theirs = kind === undefined ? await startPage(t) : await startProgram(t, kind, transport)
          const ours = await startOurs(t, host, !SERVED.includes(transport))
          const [dialer, listener, agent] = role === 'dials' ? [ours, theirs, /^(js|go|rust)-libp2p/] : [theirs, ours, /^peerlet\//]
          const address = listener === theirs ? await theirs.call('address')
            : (await ours.call('addresses')).find((text) => text.includes(transport) && text.includes('/webrtc') === (transport === WEBRTC))
          const seen = await dialer.call('measure', address)
          assert.match(seen.agent, agent)
          assert.ok(seen.echo, 'a mebibyte came back changed')
          await gossip(ours, theirs)
          row.text = `dial ${seen.dialMs.toFixed(0)} ms, ping ${seen.pingMs.toFixed(0)} ms, identify, 1 MiB echo, gossip both ways`
        })
      }
    }
  }
}

after(() => {
  const line = (cells) => `| ${cells.join(' | ')} |`
  const head = ['our host', 'their implementation', 'transport', 'we']
  const rule = '|---|---|---|---|---|'
  const table = [
    line([...head, 'result']), rule,
    ...rows.map(({ host, name, transport, role, text }) => line([host, name, transport, role, text])),
    '', 'What cannot be:', '',
    line([...head, 'why']), rule,
    ...[...never].map(([reason, columns]) => line([...columns.map((set) => [...set].join(', ')), reason])), ''
  ]
  mkdirSync('build', { recursive: true })
  writeFileSync('build/interop.md', table.join('\n'))
})

// Each server over each transport from each of our hosts: measured, and written to build/interop.md
// with the reasons of the cells that cannot be.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { MIB, TOPIC, echoThrough, once, startPeerlet, when } from './nodes.mjs'
import { missing, startPeer } from './start-peer.mjs'
import { firefoxMissing, openWorld } from '../browser/harness.mjs'

const world = openWorld()
const HOSTS = ['Node', 'Chromium', 'Firefox']
const TRANSPORTS = ['/ws', '/webtransport', '/webrtc-direct']
const SERVERS = { js: ['/ws'], go: TRANSPORTS, rust: ['/ws', '/webrtc-direct'] }
const rows = []
/** What is known not to work yet: run all the same, listed, and no failure. */
const OPEN = {
  'Firefox go /webtransport': 'the session comes up, then no stream is answered',
  'Chromium rust /webrtc-direct': 'more often than not no answer comes',
  'Firefox rust /webrtc-direct': 'more often than not no answer comes'
}

/** Why a cell cannot be here or anywhere. */
function reasonOf (host, kind, transport) {
  if (!SERVERS[kind].includes(transport)) return { never: `${kind}-libp2p has no such listener outside a browser` }
  if (host === 'Node' && transport !== '/ws') return { never: 'Node has no such transport without further packages' }
  const reason = missing(kind) ?? (host === 'Firefox' ? firefoxMissing() : undefined)
  return reason === undefined ? undefined : { now: reason }
}

/** Ours in Node, with the face of the page's. */
async function nodeHost (t) {
  const node = await startPeerlet(t)
  const { pubsub, ping } = node.services
  pubsub.subscribe(TOPIC)
  const calls = {
    async measure (addr) {
      const identified = once(node, 'peer:identify')
      const started = performance.now()
      const connection = await node.dial(addr)
      const dialMs = performance.now() - started
      const { agentVersion: agent } = await identified
      const pingMs = await ping.ping(connection.remotePeer.toString())
      await echoThrough(connection, MIB)
      return { dialMs, agent, pingMs, echo: true }
    },
    whenSubscribed: (id, topic) => when(() => pubsub.getSubscribers(topic).map(String).includes(id), pubsub, ['subscription-change']),
    whenHeard: async (text, ms) => ({ type: (await once(pubsub, 'message', ({ data }) => Buffer.from(data).toString() === text, ms)).type }),
    publish: (topic, text) => pubsub.publish(topic, Buffer.from(text))
  }
  return { id: node.peerId.toString(), call: (name, ...args) => calls[name](...args) }
}

const start = {
  Node: nodeHost,
  Chromium: (t) => world.peer(t, 'peerlet', { topics: [TOPIC] }),
  Firefox: (t) => world.peer(t, 'peerlet', { topics: [TOPIC] }, 'firefox')
}

for (const host of HOSTS) {
  for (const kind of Object.keys(SERVERS)) {
    for (const transport of TRANSPORTS) {
      const reason = reasonOf(host, kind, transport)
      const open = OPEN[`${host} ${kind} ${transport}`]
      const row = { host, kind, transport, text: reason?.never ?? reason?.now ?? (open === undefined ? 'failed' : `open: ${open}`) }
      rows.push(row)
      if (reason?.never !== undefined) continue

      test(`${host} dials ${kind}-libp2p over ${transport}`, { timeout: 120_000, skip: reason?.now ?? false, todo: open ?? false }, async (t) => {
        const theirs = await startPeer(kind, { RELAY_TOPICS: TOPIC })
        t.after(() => theirs.stop())
        const ours = await start[host](t)
        const addr = theirs.addrs.find((text) => text.includes(transport)) ?? assert.fail(`no ${transport} among ${theirs.addrs}`)
        const { dialMs, agent, pingMs, echo } = await ours.call('measure', addr)
        assert.match(agent, new RegExp(`^${kind}-libp2p`))
        assert.ok(echo, 'a mebibyte came back changed')

        await ours.call('whenSubscribed', theirs.peerId, TOPIC, 10_000)
        const heardHere = ours.call('whenHeard', 'from them', 10_000)
        await theirs.ask('publish', { topic: TOPIC, text: 'from them' })
        assert.equal((await heardHere).type, 'signed')
        const heardThere = theirs.heard(({ text }) => text === 'from us', 10_000)
        await ours.call('publish', TOPIC, 'from us')
        assert.equal((await heardThere).from, ours.id)
        row.text = `dial ${dialMs.toFixed(0)} ms, ping ${pingMs.toFixed(0)} ms, identify, 1 MiB echo, gossip both ways`
      })
    }
  }
}

after(() => {
  const lines = rows.map(({ host, kind, transport, text }) => `| ${host} | ${kind}-libp2p | ${transport} | dials | ${text} |`)
  const table = ['| our host | their implementation | transport | we | result |', '|---|---|---|---|---|', ...lines, ''].join('\n')
  mkdirSync('build', { recursive: true })
  writeFileSync('build/interop.md', table)
})

// What one relay carries: reservations, circuits, and what each browser costs it in bytes, memory and CPU.
//
//   node tests/bench/relay-load.mjs [--relay go] [--nodes 200] [--seconds 60]
//
// The relay is one of tests/interop: js, go or rust. Peerlet's nodes run in this process and reach it
// through a server that counts; the relay's memory and CPU are the kernel's word. Then two pages in
// Chromium find each other and become direct, for what that costs the relay. Needs Node 22 or newer,
// Linux, Chromium, and `make web`.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { startPeer } from '../interop/start-peer.mjs'
import * as peerlet from '../interop/peerlet.mjs'
import { ECHO, echo } from '../interop/relay.mjs'
import { buildBench } from './build.mjs'
import { cpuOf, launchChromium } from './chromium.mjs'

const ECHO_BYTES = 16_384
const DISCOVERY = 'browser-peer-discovery'

function argument (name, standard) {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? standard : process.argv[at + 1]
}

const kind = argument('relay', 'go')
const count = Number(argument('nodes', '200'))
const seconds = Number(argument('seconds', '60'))
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** Stands before a port and counts what goes through, by direction. */
async function startCounter (to) {
  const counted = { up: 0, down: 0, port: 0 }
  const server = createServer((near) => {
    const far = connect(to, '127.0.0.1')
    near.on('data', (bytes) => { counted.up += bytes.length })
    far.on('data', (bytes) => { counted.down += bytes.length })
    near.pipe(far).pipe(near)
    for (const [one, other] of [[near, far], [far, near]]) one.on('error', () => {}).on('close', () => other.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  counted.port = /** @type {import('node:net').AddressInfo} */ (server.address()).port
  return counted
}

const relay = await startPeer(kind, { RELAY_LIMITS: '{ "maxReservations": 10000 }' })
const counter = await startCounter(Number(/\/tcp\/(\d+)/.exec(relay.addr)?.[1]))
const addr = relay.addr.replace(/\/tcp\/\d+/, `/tcp/${counter.port}`)
const memory = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${relay.pid}/status`, 'utf8'))?.[1]) // KiB

/** What `work` cost the relay, as a row of so many. */
async function cost (what, many, work, minutes = 0) {
  const before = { ...counter, memory: memory(), cpu: cpuOf(relay.pid), at: performance.now() }
  await work()
  const per = (value, digits = 1) => (value / many / (minutes || 1)).toFixed(digits)
  console.log(`| ${what} | ${per((counter.up - before.up) / 1000)} | ${per((counter.down - before.down) / 1000)} | ` +
    `${minutes === 0 ? per(memory() - before.memory, 0) : '-'} | ${per(cpuOf(relay.pid) - before.cpu, 2)} |`)
}

/** A node with a reservation. `announces`: it tells everybody of itself each ten seconds, as pages do. */
async function start (announces = false) {
  const node = await peerlet.createLibp2p({
    transports: [peerlet.webSockets(), peerlet.circuitRelayTransport()],
    addresses: { listen: ['/p2p-circuit'] },
    connectionGater: { denyDialMultiaddr: async () => false },
    autoDial: false,
    peerDiscovery: [peerlet.bootstrap({ list: [addr] }), ...announces ? [peerlet.pubsubPeerDiscovery({ topics: [DISCOVERY] })] : []],
    services: {
      identify: peerlet.identify(), identifyPush: peerlet.identifyPush(), ping: peerlet.ping(), ...announces ? { pubsub: peerlet.gossipsub() } : {}
    }
  })
  await node.handle(ECHO, (stream) => echo(stream), { runOnLimitedConnection: true })
  while (node.getMultiaddrs().length === 0) await once(node, 'self:peer:update')
  return node
}

/** Does something so many times, ten at a time. */
async function times (many, work) {
  const all = []
  for (let i = 0; i < many; i += 10) all.push(...await Promise.all(Array.from({ length: Math.min(10, many - i) }, (_, n) => work(i + n))))
  return all
}

/** Bytes there and back through the relay, from a node to another. */
async function echoTo (from, to) {
  const connection = await from.dial(to.getMultiaddrs()[0])
  const stream = await connection.newStream(ECHO, { runOnLimitedConnection: true })
  stream.send(new Uint8Array(ECHO_BYTES))
  let back = 0
  for await (const part of stream) if ((back += part.length) === ECHO_BYTES) break
}

/** The bytes of two pages, from the first's opening until they are direct, and of the minute after. */
async function pages () {
  await buildBench()
  const web = await startPeer(new URL('relay.mjs', import.meta.url).pathname) // serves the pages
  const browser = await launchChromium()
  const options = { listen: true, bootstrap: addr, iceServers: [], discovery: { interval: 10_000, topic: DISCOVERY } }
  const url = `${web.http}/page.html?impl=peerlet&auto=${encodeURIComponent(JSON.stringify(options))}`
  const openPage = async (mark) => {
    const page = await browser.page(url)
    await page.waitForFunction((name) => globalThis.bench?.marks()[name] !== undefined, { timeout: 60_000 }, mark)
  }
  await cost('a page that opens and finds nobody', 1, () => openPage('reserved'))
  await cost('a second that finds the first, both until direct', 1, async () => {
    await openPage('open:webrtc')
    await sleep(2000) // what is still said
  })
  await minute('each of two that are direct, for a minute', 2)
  await browser.close()
  await web.stop()
}

console.log(`\n${kind}-libp2p, ${count} nodes, ${new Date().toISOString().slice(0, 10)}\n`)
console.log('| each | KB to the relay | KB from it | KiB of its memory | ms of its CPU |\n| --- | --- | --- | --- | --- |')
const minute = (what, many) => cost(what, many, () => sleep(1000 * seconds), seconds / 60)
let nodes = []
const open = async (many, announces) => {
  nodes = await times(many, () => start(announces))
  await sleep(2000)
}
await cost('the first browser', 1, () => start())
await cost(`a browser that reserves, of ${count}`, count, () => open(count, false))
await minute('a browser that is idle, for a minute', count)
await cost(`a circuit with ${ECHO_BYTES / 1024} KiB there and back, of ${count / 2}`, count / 2, () => times(count / 2, (i) => echoTo(nodes[i], nodes[i + count / 2])))
console.log(`| the relay in all | | | ${memory()} | |`)
await Promise.all(nodes.map((node) => node.stop()))
const talkers = Math.min(count, 200) // more than that this one process does not listen to
await open(talkers, true)
await minute(`a browser that announces itself to ${talkers}, for a minute`, talkers)
await Promise.all(nodes.map((node) => node.stop()))
await pages()
await relay.stop()
process.exit()

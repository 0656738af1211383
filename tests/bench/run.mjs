// Measures Peerlet beside js-libp2p and the bare browser APIs, all in one run, and prints tables.
//
//   node tests/bench/run.mjs [--only size,startup,…] [--impl peerlet,js-libp2p] [--reps 2] [--opens 20]
//     [--peer go] [--warm 2]
//
// Trystero and PeerJS take part where weight and start are measured.
//
// The implementations take turns within each repetition, and the bare APIs run beside them, so that
// ratios hold on a busy machine too. With --peer go both talk to go-libp2p, which is no ceiling as the
// js-libp2p relay is, whose own Noise and yamux are the slower half of a transfer. Before each transfer
// over a WebSocket as many MB as --warm says go the same way: after 200 the browser has compiled all for
// speed. Every number is the median of the repetitions, with (least–most). MB is 1,000,000 bytes. Needs
// Node 22 or newer, Chromium, and `make web`.
import { fileURLToPath } from 'node:url'
import { startPeer } from '../interop/start-peer.mjs'
import { buildBench, buildRivals } from './build.mjs'
import { launchChromium, pageCpu, pageHeap } from './chromium.mjs'

const SCENARIOS = 'size,startup,opening,ws,webrtc,setup,gossip,burst,memory'
const MB = 1e6
const BARE = 'bare API'
const RELAY = fileURLToPath(new URL('relay.mjs', import.meta.url))
const TRANSFERS = [[65536, 32 * MB], [1024, 8 * MB]] // bytes of one write, bytes in all
const WITH_RIVALS = ['size', 'startup']
const ONCE = ['size', 'gossip', 'burst'] // long, or always the same
const RUN_MS = 120_000 // js-libp2p does not always come back from a burst
const LONG_RUN_SHARE = 4 // bare sockets are several times faster: give them more to do

function argument (name, standard) {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? standard : process.argv[at + 1]
}

const only = argument('only', SCENARIOS).split(',')
const impls = argument('impl', 'peerlet,js-libp2p').split(',')
const reps = Number(argument('reps', '2'))
const opens = Number(argument('opens', '20'))
const warm = Number(argument('warm', '2'))

/** @type {any} */
let bench // of the page: what is given to `evaluate` runs there

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const sorted = (values) => [...values].sort((a, b) => a - b)
/** Nearest rank: of twenty values the 19th is the 95th percentile. */
const quantile = (values, q) => sorted(values)[Math.max(0, Math.ceil(q * values.length) - 1)]
const median = (values) => {
  const s = sorted(values)
  return s.length % 2 ? s[s.length >> 1] : (s[s.length / 2 - 1] + s[s.length / 2]) / 2
}

/** results[scenario][metric][implementation] = [value, …] */
const results = {}
function put (scenario, metric, impl, ...values) {
  results[scenario] ??= {}
  results[scenario][metric] ??= {}
  results[scenario][metric][impl] ??= []
  results[scenario][metric][impl].push(...values)
}

const hasRivals = only.some((scenario) => WITH_RIVALS.includes(scenario))
const sizes = { ...await buildBench(), ...hasRivals ? await buildRivals() : {} }
const rivals = Object.keys(sizes).filter((name) => !['peerlet', 'js-libp2p'].includes(name))
const relay = await startPeer(RELAY) // and web server, and bare WebSocket
const peer = argument('peer', 'js') === 'js' ? relay : await startPeer(argument('peer', 'js'), { RELAY_TOPICS: 'bench,browser-peer-discovery' })
const stats = async () => (await fetch(`${relay.http}/stats`)).json()
const pageUrl = (impl) => `${relay.http}/page.html?impl=${impl}`
const autoUrl = (impl, options) => `${pageUrl(impl)}&auto=${encodeURIComponent(JSON.stringify(options))}`
const listening = () => ({ listen: true, bootstrap: peer.addr, iceServers: [] })

async function until (page, expression, ms = 20_000) {
  const end = Date.now() + ms
  for (;;) {
    const value = await page.evaluate(expression)
    if (value) return value
    if (Date.now() > end) throw new Error(`${ms} ms passed without ${expression}`)
    await sleep(20)
  }
}

async function open (browser, impl, options = { iceServers: [] }) {
  const page = await browser.page(pageUrl(impl))
  await page.waitForFunction('globalThis.bench')
  await page.evaluate((o) => bench.start(o), options)
  return page
}

/** CPU of these pages' processes while `work` runs: others of the browser are still starting. */
async function withCpu (pages, work) {
  const cpu = async () => (await Promise.all(pages.map(pageCpu))).reduce((sum, ms) => sum + ms, 0)
  const before = await cpu()
  const value = await work()
  return { value, pages: await cpu() - before }
}

// What happens in a tab from its opening on, in milliseconds since then, and the marks of driver.js. Only
// who was there before discovers and dials, so for the second tab these may be missing.
const STAGES = [
  ['script evaluated', 'evalEnd'],
  ['node started', 'created'],
  ['relay connected', 'open:direct'],
  ['relay identified', 'identify'],
  ['reserved', 'reserved'],
  ['other discovered', 'discovered'],
  ['relayed connection', 'open:relayed'],
  ['direct connection', 'open:webrtc']
]

const kib = (bytes) => `${bytes / 1024} KiB writes`

const scenarios = {
  async size (_, impl) {
    for (const [kind, bytes] of Object.entries(sizes[impl])) put('size', `${kind}, KB`, impl, bytes / 1000)
  },

  async startup (browser, impl) {
    const page = await browser.page(autoUrl(impl, { listen: true, iceServers: [] }))
    await until(page, 'globalThis.bench?.marks().created')
    const marks = await page.evaluate('bench.marks()')
    put('startup', 'evaluation of the script, ms', impl, marks.evalEnd - marks.evalStart)
    put('startup', 'evaluation to started node, ms', impl, marks.created - marks.evalStart)
    await sleep(500)
    const extra = await page.evaluate('bench.extraBytes()')
    const empty = await browser.page(pageUrl('nothing'))
    put('startup', 'memory of an idle node, MB', impl, (await pageHeap(page) - await pageHeap(empty) + extra) / MB)
  },

  // A tab is there; another opens, and they find each other by discovery.
  async opening (browser, impl) {
    const options = { ...listening(), discovery: { interval: 10_000, topic: 'browser-peer-discovery' } }
    for (let i = 0; i < Math.ceil(opens / reps); i++) {
      const first = await browser.page(autoUrl(impl, options))
      await until(first, 'globalThis.bench?.marks().reserved')
      const second = await browser.page(autoUrl(impl, options))
      await until(second, 'globalThis.bench?.marks()["open:webrtc"]', 60_000)
      const marks = await second.evaluate('bench.marks()')
      for (const [stage, mark] of STAGES) if (marks[mark] !== undefined) put('opening', `${stage}, ms`, impl, marks[mark])
      await first.done()
      await second.done()
    }
    const a = await open(browser, impl, listening())
    const b = await open(browser, impl, listening())
    const address = await until(a, 'bench.addrs().find((a) => a.includes("/webrtc"))')
    await until(b, 'bench.addrs().find((a) => a.includes("/webrtc"))')
    put('opening', 'dial of a known /webrtc address, ms', impl, (await b.evaluate((to) => bench.dial(to), address)).ms)
  },

  async ws (browser, impl) {
    const page = await open(browser, impl)
    const { id } = await page.evaluate((to) => bench.dial(to), peer.addr)
    for (const [chunk, total] of TRANSFERS) {
      for (const way of ['upload', 'download']) {
        const run = (bytes) => page.evaluate((...a) => bench[a[0]](...a.slice(1)), way, id, bytes, chunk)
        await run(warm * MB)
        const ours = await withCpu([page], () => run(total))
        put('ws', `${way}, ${kib(chunk)}, MB/s`, impl, ours.value)
        put('ws', `${way}, ${kib(chunk)}, page CPU ms/MB`, impl, ours.pages / (total / MB))
        const raw = way === 'upload' ? 'rawWsUpload' : 'rawWsDownload'
        const bare = await withCpu([page], () => page.evaluate((...a) => bench[a[0]](...a.slice(1)), raw, relay.ws, total * LONG_RUN_SHARE, chunk))
        put('ws', `${way}, ${kib(chunk)}, MB/s`, BARE, bare.value)
        put('ws', `${way}, ${kib(chunk)}, page CPU ms/MB`, BARE, bare.pages / (total * LONG_RUN_SHARE / MB))
      }
    }
    await page.evaluate((to) => bench.rtt(to, 100), id)
    put('ws', 'round trip on an open stream, ms', impl, median(await page.evaluate((to) => bench.rtt(to, 300), id)))
    put('ws', 'round trip on an open stream, ms', BARE, median(await page.evaluate((url) => bench.rawWsRtt(url, 300), relay.ws)))
    put('ws', 'ping service, ms', impl, median(await page.evaluate((to) => bench.ping(to, 50), id)))
  },

  async webrtc (browser, impl) {
    const a = await open(browser, impl, listening())
    const b = await open(browser, impl, listening())
    const { id, kind } = await b.evaluate((to) => bench.dial(to), await until(a, 'bench.addrs().find((a) => a.includes("/webrtc"))'))
    if (kind !== 'webrtc') throw new Error(`the connection is ${kind}`)
    const offer = await b.evaluate('bench.rawRtcOffer([])')
    await b.evaluate((sdp) => bench.rawRtcAccept(sdp), await a.evaluate((sdp) => bench.rawRtcAnswer(sdp, []), offer))
    if (!(await b.evaluate('bench.rawRtcReady()')).ok) throw new Error('the bare data channel did not open')
    const raw = { upload: 'rawRtcUpload', download: 'rawRtcDownload' }
    const run = (...args) => b.evaluate((...a) => bench[a[0]](...a.slice(1)), ...args)
    // the first megabytes of a fresh association can stall for seconds
    for (const way of ['upload', 'download']) {
      await run(raw[way], 4 * MB, 1024)
      await run(way, id, 4 * MB, 1024)
    }
    for (const [chunk, total] of TRANSFERS) {
      for (const way of ['upload', 'download']) {
        const ours = await withCpu([a, b], () => run(way, id, total, chunk))
        put('webrtc', `${way}, ${kib(chunk)}, MB/s`, impl, ours.value)
        put('webrtc', `${way}, ${kib(chunk)}, both pages' CPU ms/MB`, impl, ours.pages / (total / MB))
        const bare = await withCpu([a, b], () => run(raw[way], total, Math.min(chunk, 16384)))
        put('webrtc', `${way}, ${kib(chunk)}, MB/s`, BARE, bare.value)
        put('webrtc', `${way}, ${kib(chunk)}, both pages' CPU ms/MB`, BARE, bare.pages / (total / MB))
      }
    }
    await run('rtt', id, 100)
    put('webrtc', 'round trip on an open stream, ms', impl, median(await run('rtt', id, 300)))
    put('webrtc', 'round trip on an open stream, ms', BARE, median(await run('rawRtcRtt', 300)))
  },

  async setup (browser, impl) {
    const page = await open(browser, impl)
    await page.evaluate((to) => bench.dialMany(to, 20), peer.addr)
    const { value, pages } = await withCpu([page], () => page.evaluate((to) => bench.dialMany(to, 100), peer.addr))
    put('setup', 'dial to open, ms', impl, median(value.open))
    put('setup', 'dial to identified, ms', impl, median(value.ident))
    put('setup', 'page CPU per connection, ms', impl, pages / 100)
    put('setup', 'dial to open, ms', BARE, median(await page.evaluate((url) => bench.rawWsOpen(url, 50), relay.ws)))
  },

  // 1 KiB signed messages from tab to relay to tab.
  async gossip (browser, impl) {
    const [a, b] = await gossipPair(browser, impl)
    for (const rate of [500, 0]) {
      const count = rate === 0 ? 3000 : rate * 3
      await b.evaluate('bench.gossipReset()')
      const cpu = [await pageCpu(a), await pageCpu(b)]
      const sent = await a.evaluate((...args) => bench.gossipPublish('bench', ...args), count, 1024, rate)
      const got = await settled(b, count)
      const at = rate === 0 ? 'flat out' : `${rate}/s`
      put('gossip', `${at}: delivered, %`, impl, 100 * got.n / count)
      put('gossip', `${at}: delivered, messages/s`, impl, got.n * 1000 / (got.last - sent.first))
      put('gossip', `${at}: latency p50, ms`, impl, quantile(got.lat, 0.5))
      put('gossip', `${at}: latency p99, ms`, impl, quantile(got.lat, 0.99))
      put('gossip', `${at}: publisher CPU, ms/message`, impl, (await pageCpu(a) - cpu[0]) / count)
      put('gossip', `${at}: subscriber CPU, ms/message`, impl, (await pageCpu(b) - cpu[1]) / count)
      await sleep(2000)
    }
  },

  async burst (browser, impl) {
    const [a, b] = await gossipPair(browser, impl)
    await b.evaluate('bench.gossipReset()')
    await a.evaluate((...args) => bench.gossipPublish('bench', ...args), 8000, 1024, 0)
    const got = await settled(b, 8000, 15_000)
    put('burst', '8000 x 1 KiB: delivered, %', impl, got.n / 80)
    put('burst', '8000 x 1 KiB: worst latency, ms', impl, Math.max(...got.lat))
    await sleep(8000)
    put('burst', 'connections kept, of 2', impl, await connectionsOf(a) + await connectionsOf(b))
    await b.evaluate('bench.gossipReset()')
    await a.evaluate((...args) => bench.gossipPublish('bench', ...args), 100, 1024, 50).catch(() => {})
    put('burst', 'delivered afterwards at 50/s, %', impl, (await settled(b, 100)).n)
  },

  async memory (browser, impl) {
    const page = await open(browser, impl)
    const heap = async () => {
      await sleep(300)
      return await pageHeap(page) + await page.evaluate('bench.extraBytes()')
    }
    const { id } = await page.evaluate((to) => bench.dial(to), peer.addr)
    await page.evaluate((to) => bench.idleStreams(to, 20), id)
    await page.evaluate('bench.closeStreams()')
    const empty = await heap()
    await page.evaluate((to) => bench.idleStreams(to, 500), id)
    put('memory', 'idle stream, KB', impl, (await heap() - empty) / 500 / 1000)
    await page.evaluate('bench.closeStreams()')
    const before = await heap()
    const counted = (await page.evaluate('bench.conns()')).length
    await page.evaluate((to) => bench.idleConns(to, 50), peer.addr)
    await sleep(1500)
    const more = (await page.evaluate('bench.conns()')).length - counted
    put('memory', 'idle connection, KB', impl, (await heap() - before) / more / 1000)
  }
}

const connectionsOf = async (page) => Math.min(1, (await page.evaluate('bench.conns()')).length)

async function gossipPair (browser, impl) {
  const pages = [await open(browser, impl), await open(browser, impl)]
  for (const page of pages) {
    await page.evaluate((to) => bench.dial(to), peer.addr)
    await page.evaluate('bench.gossipListen("bench")')
  }
  for (const page of pages) await until(page, 'bench.gossipMesh("bench").mesh >= 1')
  const end = Date.now() + 10_000
  while (peer === relay && (await stats()).mesh < 2 && Date.now() < end) await sleep(50)
  if (peer !== relay) await sleep(2000) // two heartbeats: it does not tell of its mesh
  await pages[0].evaluate((...args) => bench.gossipPublish('bench', ...args), 200, 1024, 200)
  await settled(pages[1], 200)
  return pages
}

/** What arrived, once all is there or nothing new came for `pause` ms. */
async function settled (page, count, pause = 5000) {
  let seen = -1
  for (let quiet = 0; quiet < pause; quiet += 200) {
    const { n } = await page.evaluate('({ n: bench.gossipGot().n })')
    if (n >= count) break
    if (n !== seen) quiet = 0
    seen = n
    await sleep(200)
  }
  return page.evaluate('bench.gossipGot()')
}

function number (value) {
  if (value === undefined || Number.isNaN(value)) return '–'
  if (value >= 100) return value.toFixed(0)
  if (value >= 10) return value.toFixed(1)
  return value.toFixed(value >= 1 ? 2 : 3)
}

function cell (values) {
  if (values === undefined) return '–'
  const spread = values.length > 1 ? ` (${number(Math.min(...values))}–${number(Math.max(...values))})` : ''
  return number(median(values)) + spread
}

function ratio (values, others) {
  if (values === undefined || others === undefined) return '–'
  return `${number(median(values) / median(others))}x`
}

/** @param {string} scenario */
const takePart = (scenario) => [...impls, ...WITH_RIVALS.includes(scenario) ? rivals : []]

function table (scenario) {
  const impls = takePart(scenario)
  const lines = [`\n### ${scenario}\n`, `| | ${impls.join(' | ')} | ${BARE} | ${impls.map((impl, i) => i === 0 ? `${impl} / ${BARE}` : `${impls[0]} / ${impl}`).join(' | ')} |`]
  lines.push(`|${' --- |'.repeat(impls.length * 2 + 2)}`)
  for (const [metric, by] of Object.entries(results[scenario] ?? {})) {
    const ratios = impls.map((impl, i) => i === 0 ? ratio(by[impl], by[BARE]) : ratio(by[impls[0]], by[impl]))
    lines.push(`| ${metric} | ${impls.map((impl) => cell(by[impl])).join(' | ')} | ${cell(by[BARE])} | ${ratios.join(' | ')} |`)
  }
  return lines.join('\n')
}

/**
 * The rows README shows: [text, scenario, metric, how the values become one].
 *
 * @type {Array<[string, string, string, ((values: number[]) => number)?]>}
 */
const SUMMARY = [
  ['one file, brotli, KB', 'size', 'brotli, KB'],
  ['script evaluation to started node, ms', 'startup', 'evaluation to started node, ms'],
  ['second tab opened to direct WebRTC connection, ms, median', 'opening', 'direct connection, ms'],
  ['the same, 95th percentile', 'opening', 'direct connection, ms', (values) => quantile(values, 0.95)],
  ['dial of a known `/webrtc` address, ms', 'opening', 'dial of a known /webrtc address, ms'],
  ...['upload', 'download'].flatMap((way) => TRANSFERS.map(([chunk]) => /** @type {[string, string, string]} */ ([`WebSocket stream, ${way}, ${kib(chunk)}, MB/s`, 'ws', `${way}, ${kib(chunk)}, MB/s`]))),
  ['WebSocket stream, round trip, ms', 'ws', 'round trip on an open stream, ms'],
  ['dial to identified, ms', 'setup', 'dial to identified, ms'],
  ['page CPU per connection, ms', 'setup', 'page CPU per connection, ms'],
  ...['upload', 'download'].map((way) => /** @type {[string, string, string]} */ ([`WebRTC stream, ${way}, ${kib(65536)}, MB/s`, 'webrtc', `${way}, ${kib(65536)}, MB/s`])),
  ['gossip, 1 KiB signed: subscriber CPU at 500/s, ms per message', 'gossip', '500/s: subscriber CPU, ms/message'],
  ['gossip, flat out: delivered per second', 'gossip', 'flat out: delivered, messages/s'],
  ['burst of 8000 x 1 KiB: delivered, %', 'burst', '8000 x 1 KiB: delivered, %'],
  ['burst: connections kept, of 2', 'burst', 'connections kept, of 2'],
  ['memory of an idle node, MB', 'startup', 'memory of an idle node, MB'],
  ['memory per idle connection, KB', 'memory', 'idle connection, KB'],
  ['memory per idle stream, KB', 'memory', 'idle stream, KB']
]

function summary () {
  const columns = [...impls, ...rivals, BARE]
  const lines = ['\n### summary\n', `| | ${columns.join(' | ')} |`, `|${' --- |'.repeat(columns.length + 1)}`]
  for (const [text, scenario, metric, of = median] of SUMMARY) {
    const by = results[scenario]?.[metric]
    if (by === undefined) continue
    lines.push(`| ${text} | ${columns.map((name) => by[name] === undefined ? '–' : number(of(by[name]))).join(' | ')} |`)
  }
  return lines.join('\n')
}

/** @param {Promise<void>} run */
async function inTime (run) {
  run.catch(() => {}) // it ends with its browser
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not over after ${RUN_MS / 1000} s`)), RUN_MS)
  })
  await Promise.race([run, late]).finally(() => clearTimeout(timer))
}

const died = []
try {
  for (const scenario of only) {
    for (let rep = 0; rep < (ONCE.includes(scenario) ? 1 : reps); rep++) {
      for (const impl of rep % 2 ? takePart(scenario).reverse() : takePart(scenario)) {
        const browser = await launchChromium()
        try {
          await inTime(scenarios[scenario](browser, impl))
        } catch (err) {
          died.push(`${scenario} ${impl} #${rep + 1}: ${String(err).split('\n')[0]}`)
        } finally {
          await browser.close()
        }
      }
    }
    console.log(table(scenario))
  }
  console.log(summary())
} finally {
  if (died.length > 0) console.log(`\nRuns that did not reach their end; what they had measured counts:\n\n${died.map((line) => `- ${line}`).join('\n')}`)
  await Promise.all([relay.stop(), peer.stop()])
}

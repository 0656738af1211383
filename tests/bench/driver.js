// Puts window.bench in the page; run.mjs calls it. Everything goes in and comes out as JSON.
import { ECHO, SINK, SOURCE, closed, download, handlers, rtt, upload } from './protocols.js'
import { rawBench } from './raw.js'

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

export function makeBench (adapter) {
  const evalStart = globalThis.__bundleStart ?? 0
  const evalEnd = performance.now()
  const marks = {} // first time seen of each
  const mark = (name) => { marks[name] ??= performance.now() }
  let node
  let stopGossip
  const got = { n: 0, first: 0, last: 0, lat: /** @type {number[]} */ ([]) }

  const bench = {
    marks: () => ({ evalStart, evalEnd, ...marks }),
    async start (opts = {}) {
      const t0 = performance.now()
      mark('start')
      node = await adapter.create(opts, mark)
      mark('created')
      const ms = performance.now() - t0
      for (const [proto, h] of Object.entries(handlers)) await node.handle(proto, h)
      globalThis.node = node
      return { peerId: node.peerId, ms }
    },
    stop: () => node.stop(),
    addrs: () => node.addrs(),
    conns: () => node.connections(),
    extraBytes: () => node?.extraBytes() ?? 0,
    async dial (addr, opts) {
      const t = performance.now()
      const c = await node.dial(addr, opts)
      return { ...c, ms: performance.now() - t }
    },
    closeConn: (id) => node.closeConn(id),
    // sequential dial + close; open[]: until dial() resolves, ident[]: until identify is done
    async dialMany (addr, n) {
      const open = []
      const ident = []
      const t0 = performance.now()
      for (let i = 0; i < n; i++) {
        const t = performance.now()
        let off
        const identified = new Promise((resolve) => { off = node.onIdentify(resolve) })
        const c = await node.dial(addr, { force: true })
        open.push(performance.now() - t)
        await Promise.race([identified, sleep(5000)])
        off()
        ident.push(performance.now() - t)
        await node.closeConn(c.id)
      }
      return { open, ident, wall: performance.now() - t0 }
    },
    // one stream each; MB/s = 1e6 bytes per second
    async upload (target, total, chunk) {
      return total / 1000 / await upload(await node.openStream(target, SINK), total, chunk)
    },
    async download (target, total, chunk) {
      return total / 1000 / await download(await node.openStream(target, SOURCE), total, chunk)
    },
    async rtt (target, n, size = 32) { return rtt(await node.openStream(target, ECHO), n, size) },
    async ping (target, n) {
      const out = []
      for (let i = 0; i < n; i++) { const t = performance.now(); await node.ping(target); out.push(performance.now() - t) }
      return out
    },
    async idleStreams (target, n) {
      globalThis.__streams = []
      for (let i = 0; i < n; i++) {
        const s = await node.openStream(target, ECHO)
        const p = new Promise((resolve) => s.onData(resolve))
        s.send(new Uint8Array(1)); await p
        globalThis.__streams.push(s)
      }
      return globalThis.__streams.length
    },
    async closeStreams () { for (const s of globalThis.__streams) closed(s.closeWrite()); globalThis.__streams = []; await sleep(500) },
    async idleConns (addr, n) {
      const ids = []
      for (let i = 0; i < n; i++) ids.push((await node.dial(addr, { force: true })).id)
      return ids
    },

    // gossip: the first 8 bytes of a message are the sender's wall clock (ms, float64)
    gossipListen (topic) {
      got.n = 0; got.lat = []; got.first = 0; got.last = 0
      if (!stopGossip) {
        stopGossip = true
        node.subscribe(topic, (d) => {
          const now = performance.timeOrigin + performance.now()
          got.n++
          got.last = now
          got.first ||= now
          got.lat.push(now - new DataView(d.buffer, d.byteOffset).getFloat64(0))
        })
      }
    },
    gossipMesh: (topic) => ({ mesh: node.meshSize(topic), subs: node.subscribers(topic).length }),
    gossipGot: () => ({ ...got, lat: got.lat }),
    gossipReset () { got.n = 0; got.lat = []; got.first = 0; got.last = 0 },
    // rate 0: as fast as publish() allows
    async gossipPublish (topic, n, size, rate) {
      const t0 = performance.now()
      let failed = 0
      for (let i = 0; i < n; i++) {
        if (rate > 0) {
          const due = t0 + i * 1000 / rate
          const wait = due - performance.now()
          if (wait > 1) await sleep(wait)
        }
        const m = new Uint8Array(size)
        crypto.getRandomValues(m.subarray(8, 16))
        new DataView(m.buffer).setFloat64(0, performance.timeOrigin + performance.now())
        await Promise.resolve(node.publish(topic, m)).catch(() => { failed++ })
        // let the event loop turn, as a real page's would
        if (rate === 0 && i % 16 === 15) await new Promise((resolve) => { const c = new MessageChannel(); c.port1.onmessage = resolve; c.port2.postMessage(0) })
      }
      return { ms: performance.now() - t0, failed, first: performance.timeOrigin + t0 }
    },

    ...rawBench
  }
  globalThis.bench = bench

  const auto = new URLSearchParams(location.search).get('auto')
  if (auto) bench.start(JSON.parse(auto))
  return bench
}

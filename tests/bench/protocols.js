// The protocols that are measured, written once for all implementations and for the relay.
//   /bench/sink/1    reads to EOF, then answers with the byte count (8 bytes BE)
//   /bench/source/1  reads 12 bytes (total 8 BE, chunk 4 BE), sends total bytes
//   /bench/echo/1    sends back what it reads

export const SINK = '/bench/sink/1'
export const SOURCE = '/bench/source/1'
export const ECHO = '/bench/echo/1'

export const flat = (d) => d instanceof Uint8Array ? d : d.subarray()
export const u64 = (n) => { const b = new Uint8Array(8); new DataView(b.buffer).setBigUint64(0, BigInt(n)); return b }
export const readU64 = (b, o = 0) => Number(new DataView(b.buffer, b.byteOffset).getBigUint64(o))

export async function pump (s, total, chunk) {
  const buf = new Uint8Array(chunk)
  for (let i = 0; i < chunk; i++) buf[i] = i
  let left = total
  while (left > 0) {
    const n = Math.min(left, chunk)
    left -= n
    if (s.send(n === chunk ? buf : buf.subarray(0, n)) === false) await s.drained()
  }
}

export const closed = (p) => Promise.resolve(p).catch(() => {})

const head = (s, want, onHead, onMore) => {
  let h = new Uint8Array(0)
  let done = false
  s.onData((d) => {
    if (done) return onMore?.(d.byteLength)
    const f = flat(d)
    const n = new Uint8Array(h.length + f.length)
    n.set(h); n.set(f, h.length); h = n
    if (h.length >= want) { done = true; onHead(h); if (h.length > want) onMore?.(h.length - want) }
  })
}

export const handlers = {
  [SINK]: (s) => {
    let n = 0
    s.onData((d) => { n += d.byteLength })
    s.onEnd(() => { try { s.send(u64(n)) } catch {} closed(s.closeWrite()) })
  },
  [SOURCE]: (s) => head(s, 12, async (h) => {
    const total = readU64(h)
    const chunk = new DataView(h.buffer).getUint32(8)
    await pump(s, total, chunk).catch(() => {})
    closed(s.closeWrite())
  }),
  [ECHO]: (s) => {
    s.onData((d) => { s.send(d) })
    s.onEnd(() => { closed(s.closeWrite()) })
  }
}

// client side -------------------------------------------------------------
export async function upload (s, total, chunk) {
  const t0 = performance.now()
  const ack = new Promise((resolve) => {
    let got = []
    s.onData((d) => { got.push(...flat(d)); if (got.length >= 8) resolve(readU64(Uint8Array.from(got))) })
    s.onEnd(() => setTimeout(() => resolve(-1), 50))
  })
  await pump(s, total, chunk)
  closed(s.closeWrite())
  const n = await ack
  if (n !== total) throw new Error(`sink counted ${n} of ${total}`)
  return performance.now() - t0
}

export async function download (s, total, chunk) {
  const t0 = performance.now()
  const done = new Promise((resolve, reject) => {
    let n = 0
    s.onData((d) => { n += d.byteLength; if (n >= total) resolve(undefined) })
    s.onEnd(() => setTimeout(() => n < total && reject(new Error(`got ${n} of ${total}`)), 200))
  })
  const h = new Uint8Array(12)
  h.set(u64(total)); new DataView(h.buffer).setUint32(8, chunk)
  s.send(h)
  await done
  const ms = performance.now() - t0
  closed(s.closeWrite())
  return ms
}

export async function rtt (s, n, size) {
  const msg = new Uint8Array(size)
  const out = []
  let got = 0
  let next
  s.onData((d) => { got += d.byteLength; if (got >= size) { got = 0; next() } })
  for (let i = 0; i < n; i++) {
    const t = performance.now()
    const p = new Promise((resolve) => { next = resolve })
    s.send(msg)
    await p
    out.push(performance.now() - t)
  }
  closed(s.closeWrite())
  return out
}

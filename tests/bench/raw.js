// The limits: the same transfers over a bare WebSocket and a bare RTCDataChannel, with no libp2p.
// The other end of the WebSocket is in relay.mjs.

const WINDOW = 4 << 20
const pattern = (n) => { const b = new Uint8Array(n); for (let i = 0; i < n; i++) b[i] = i; return b }

function openWs (url) {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(url)
    ws.binaryType = 'arraybuffer'
    ws.onopen = () => resolve(ws)
    ws.onerror = () => reject(new Error('ws failed'))
  })
}

let pc, dc
const dcWait = () => new Promise((resolve) => { dc.onbufferedamountlow = resolve })

async function dcPump (total, chunk) {
  const buf = pattern(chunk)
  dc.bufferedAmountLowThreshold = 256 << 10
  for (let left = total; left > 0;) {
    const n = Math.min(left, chunk)
    left -= n
    dc.send(n === chunk ? buf : buf.subarray(0, n))
    if (dc.bufferedAmount > 1 << 20) await dcWait()
  }
}

function serveDc () {
  let mode = null
  let n = 0
  let want = 0
  dc.binaryType = 'arraybuffer'
  dc.onmessage = (e) => {
    if (typeof e.data === 'string') {
      const m = JSON.parse(e.data)
      mode = m.mode; n = 0; want = m.total
      if (mode === 'source') dcPump(m.total, m.chunk)
      return
    }
    if (mode === 'echo') return dc.send(e.data)
    if (mode === 'sink') { n += e.data.byteLength; if (n >= want) dc.send(String(n)) }
  }
}

export const rawBench = {
  async rawWsUpload (url, total, chunk) {
    const ws = await openWs(url + '/sink')
    const buf = pattern(chunk)
    let acked = 0
    let wake = () => {}
    ws.onmessage = (e) => { acked = Number(e.data); wake() }
    const t = performance.now()
    let sent = 0
    while (sent < total) {
      const n = Math.min(total - sent, chunk)
      ws.send(n === chunk ? buf : buf.subarray(0, n))
      sent += n
      while (sent - acked > WINDOW) await /** @type {Promise<void>} */ (new Promise((resolve) => { wake = resolve }))
    }
    ws.send('eof')
    while (acked < total) await /** @type {Promise<void>} */ (new Promise((resolve) => { wake = resolve }))
    const ms = performance.now() - t
    ws.close()
    return total / 1000 / ms
  },
  async rawWsDownload (url, total, chunk) {
    const ws = await openWs(url + `/source?total=${total}&chunk=${chunk}`)
    let n = 0
    const t = performance.now()
    await new Promise((resolve) => {
      ws.onmessage = (e) => { n += e.data.byteLength; if (n >= total) resolve(n) }
      ws.send('go')
    })
    const ms = performance.now() - t
    ws.close()
    return total / 1000 / ms
  },
  async rawWsRtt (url, n, size = 32) {
    const ws = await openWs(url + '/echo')
    const msg = new Uint8Array(size)
    const out = []
    for (let i = 0; i < n; i++) {
      const t = performance.now()
      await new Promise((resolve) => { ws.onmessage = resolve; ws.send(msg) })
      out.push(performance.now() - t)
    }
    ws.close()
    return out
  },
  async rawWsOpen (url, n) {
    const out = []
    for (let i = 0; i < n; i++) {
      const t = performance.now()
      const ws = await openWs(url + '/echo')
      out.push(performance.now() - t)
      const gone = new Promise((resolve) => { ws.onclose = resolve })
      ws.close()
      await gone
    }
    return out
  },

  // RTCDataChannel: run.mjs carries the offer and the answer between the tabs
  async rawRtcOffer (iceServers = []) {
    pc = new RTCPeerConnection({ iceServers })
    dc = pc.createDataChannel('raw')
    serveDc()
    await pc.setLocalDescription(await pc.createOffer())
    await gathered()
    return pc.localDescription.sdp
  },
  async rawRtcAnswer (sdp, iceServers = []) {
    pc = new RTCPeerConnection({ iceServers })
    pc.ondatachannel = (e) => { dc = e.channel; serveDc() }
    await pc.setRemoteDescription({ type: 'offer', sdp })
    await pc.setLocalDescription(await pc.createAnswer())
    await gathered()
    return pc.localDescription.sdp
  },
  rawRtcAccept: (sdp) => pc.setRemoteDescription({ type: 'answer', sdp }),
  rawRtcReady: async (ms = 8000) => {
    const t0 = performance.now()
    while (dc?.readyState !== 'open') {
      if (performance.now() - t0 > ms) return { ok: false, ice: pc.iceConnectionState, state: pc.connectionState }
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    return { ok: true, ms: performance.now() - t0 }
  },
  rawRtcClose: () => { pc?.close(); pc = dc = null },
  async rawRtcUpload (total, chunk) {
    dc.send(JSON.stringify({ mode: 'sink', total }))
    const done = new Promise((resolve) => { dc.onmessage = (e) => resolve(Number(e.data)) })
    const t = performance.now()
    await dcPump(total, chunk)
    await done
    const ms = performance.now() - t
    serveDc()
    return total / 1000 / ms
  },
  async rawRtcDownload (total, chunk) {
    let n = 0
    const done = new Promise((resolve) => { dc.onmessage = (e) => { n += e.data.byteLength; if (n >= total) resolve(n) } })
    const t = performance.now()
    dc.send(JSON.stringify({ mode: 'source', total, chunk }))
    await done
    const ms = performance.now() - t
    serveDc()
    return total / 1000 / ms
  },
  async rawRtcRtt (n, size = 32) {
    dc.send(JSON.stringify({ mode: 'echo' }))
    const msg = new Uint8Array(size)
    const out = []
    for (let i = 0; i < n; i++) {
      const t = performance.now()
      await new Promise((resolve) => { dc.onmessage = resolve; dc.send(msg) })
      out.push(performance.now() - t)
    }
    serveDc()
    return out
  }
}

function gathered () {
  return new Promise((resolve) => {
    const check = () => pc.iceGatheringState === 'complete' && resolve(pc)
    pc.onicegatheringstatechange = check
    check()
    setTimeout(resolve, 3000)
  })
}

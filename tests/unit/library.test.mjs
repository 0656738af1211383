// The imports of library_*.js, over browser objects that do as they are told.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** The imports, and what they told C. */
function openLibrary () {
  /** @type {any[]} */
  const told = []
  const heap = new Uint8Array(4096)
  const inbox = (/** @type {number} */ len) => new TextDecoder().decode(heap.slice(2048, 2048 + len))
  let channels = 100
  const exports = {
    inbox: () => 2048,
    app_flush: () => told.push('flush'),
    page_ring: () => told.push('ring'),
    page_verified: (/** @type {number[]} */ ...a) => told.push(['verified', ...a]),
    rtc_opened: (/** @type {number[]} */ ...a) => told.push(['opened', ...a]),
    rtc_room: (/** @type {number[]} */ ...a) => told.push(['room', ...a]),
    rtc_message: (/** @type {number} */ l, /** @type {number} */ c, /** @type {number} */ len) => told.push(['message', l, c, inbox(len)]),
    rtc_closed: (/** @type {number} */ l, /** @type {number} */ c, /** @type {number} */ len) => told.push(['closed', l, c, inbox(len)]),
    rtc_description: (/** @type {number} */ l, /** @type {number} */ len) => told.push(['description', l, inbox(len)]),
    rtc_candidate: (/** @type {number} */ l, /** @type {number} */ len) => told.push(['candidate', l, inbox(len)]),
    rtc_ended: (/** @type {number[]} */ ...a) => told.push(['ended', ...a]),
    rtc_state: (/** @type {number[]} */ ...a) => told.push(['state', ...a]),
    rtc_incoming: (/** @type {number} */ l, /** @type {number} */ len) => { told.push(['incoming', l, inbox(len)]); return inbox(len) === 'refuse' ? 0 : channels++ }
  }
  /** @type {any[]} */
  const made = []
  class FakeChannel {
    readyState = 'connecting'
    bufferedAmount = 0
    /** @type {any[]} */
    sent = []
    isClosed = false
    onmessage = (/** @type {any} */ _) => {}
    /** @param {string} label */
    constructor (label) { this.label = label }
    send (/** @type {Uint8Array} */ bytes) { if (this.isFull) throw new Error('full'); this.sent.push(new TextDecoder().decode(bytes)); this.bufferedAmount += bytes.length }
    close () { this.isClosed = true }
    isFull = false
  }
  class FakeConnection {
    connectionState = 'new'
    /** @type {string[]} */
    did = []
    /** @type {any[]} */
    channels = []
    isClosed = false
    /** @param {any} configuration */
    constructor (configuration) { this.configuration = configuration; made.push(this) }
    createDataChannel (/** @type {string} */ label, /** @type {any} */ options) { const channel = Object.assign(new FakeChannel(label), { options }); this.channels.push(channel); return channel }
    /** What of a description this browser changes, or throws. @type {(sdp: string) => string} */
    mangle = (sdp) => sdp
    offer = 'offer'
    async createOffer () { return { type: 'offer', sdp: this.offer } }
    async createAnswer () { return { type: 'answer', sdp: 'answer' } }
    async setLocalDescription (/** @type {any} */ d) { this.localDescription = { type: d.type, sdp: this.mangle(d.sdp) }; this.did.push(`local ${d.sdp}`) }
    async setRemoteDescription (/** @type {any} */ d) { await turn(); if (d.sdp === 'bad') throw new Error('bad SDP'); this.did.push(`remote ${d.type} ${d.sdp}`) }
    async addIceCandidate (/** @type {any} */ c) { if (c.candidate === 'bad') throw new Error('no'); this.did.push(`candidate ${c.candidate}`) }
    close () { this.isClosed = true }
  }
  class FakeSession {
    ready = new Promise((resolve, reject) => { this.open = resolve; this.refuse = reject })
    closed = new Promise((resolve, reject) => { this.end = resolve; this.fail = reject })
    /** @type {any[]} */
    streams = []
    isClosed = false
    /** @param {string} url @param {any} options */
    constructor (url, options) {
      if (url === 'bad') throw new Error('bad URL')
      Object.assign(this, { url, options })
      this.incomingBidirectionalStreams = new ReadableStream({ start: (c) => { this.incoming = c } })
      made.push(this)
    }
    async createBidirectionalStream () { const stream = fakeStream(); this.streams.push(stream); return stream }
    close () { this.isClosed = true }
  }
  const Module = { rtcConfiguration: /** @type {any} */ ({ iceServers: [] }), onTrap: (/** @type {any} */ err) => told.push(['trap', err.message]) }
  /** @type {Record<string, any>} */
  const library = {}
  const names = ['library_page.js', 'library_webrtc.js', 'library_webtransport.js']
  const sources = names.map((name) => readFileSync(new URL(`../../js-glue/${name}`, import.meta.url), 'utf8'))
  new Function('mergeInto', 'LibraryManager', sources.join('\n'))((/** @type {any} */ into, /** @type {any} */ from) => Object.assign(into, from), { library })
  // What emcc makes of a library: `$name` becomes a variable, a string its initial value.
  const helpers = Object.keys(library).filter((name) => name[0] === '$' && !name.includes('__'))
  const body = helpers.map((name) => `var ${name.slice(1)} = ${typeof library[name] === 'string' ? library[name] : library[name].toString()};`).join('\n')
  const imports = Object.keys(library).filter((name) => name.startsWith('js_') && !name.includes('__'))
  const scope = { Module, HEAPU8: heap, RTCPeerConnection: FakeConnection, WebTransport: FakeSession, ...Object.fromEntries(Object.entries(exports).map(([name, f]) => [`_${name}`, f])) }
  const js = new Function(...Object.keys(scope), `${body}\nreturn { die, page, ${imports.map((name) => `${name}: ${library[name].toString()}`).join(',\n')} }`)(...Object.values(scope))
  const put = (/** @type {string} */ text, at = 16) => { const bytes = new TextEncoder().encode(text); heap.set(bytes, at); return /** @type {const} */ ([at, bytes.length]) }
  return { js, told, made, Module, exports, put, FakeChannel, take: () => told.splice(0) }
}

/** A stream of QUIC: what the page does to it is in `did`, and `writes` wait until they are let go. */
function fakeStream () {
  /** @type {any} */
  const stream = { did: [], writes: [] }
  stream.readable = new ReadableStream({
    start (c) { stream.inbound = c },
    cancel () { stream.did.push('stop') }
  }, { highWaterMark: 0 })
  stream.writable = new WritableStream({
    start (c) { stream.outbound = c },
    write (bytes) { stream.did.push(new TextDecoder().decode(bytes)); return new Promise((resolve) => stream.writes.push(resolve)) },
    close () { stream.did.push('fin') },
    abort () { stream.did.push('reset') }
  })
  return stream
}

test('WebRTC Direct: an agreed channel, and a name of ours where the browser takes it', async () => {
  const { js, made, put, take } = openLibrary()
  const sdp = 'v=0\r\na=ice-ufrag:own\r\na=ice-pwd:secret\r\na=mid:0\r\n'
  const ours = 'v=0\r\na=ice-ufrag:name/+\r\na=ice-pwd:name/+\r\na=mid:0\r\n'
  const browsers = [
    { mangle: (/** @type {string} */ text) => text, said: ours },
    { mangle: (/** @type {string} */ text) => text.replaceAll('name/+', 'kept'), said: ours.replaceAll('name/+', 'kept') },
    { mangle: (/** @type {string} */ text) => { if (text !== sdp) throw new Error('InvalidModificationError'); return text }, said: sdp }
  ]
  for (const [i, { mangle, said }] of browsers.entries()) {
    js.js_rtc_open(i, 10, 100)
    js.js_rtc_channel(i, 1, ...put(''), 1)
    await turn()
    Object.assign(made[i], { mangle, offer: sdp })
    js.js_rtc_offer(i, ...put('name/+'))
    await turn()
    await turn()
    assert.deepEqual(made[i].channels[0].options, { negotiated: true, id: 0 })
    assert.deepEqual(take(), [['description', i, said]])
  }
})

test('WebTransport: a session, a stream each way, and how each half ends', async () => {
  const { js, made, put, take } = openLibrary()
  js.js_session_open(7, ...put('https://host/'), ...put('a'.repeat(32) + 'b'.repeat(32), 100), 10, 100)
  const [session] = made
  assert.equal(session.url, 'https://host/')
  assert.deepEqual(session.options.serverCertificateHashes.map((/** @type {any} */ h) => [h.algorithm, new TextDecoder().decode(h.value)]),
    [['sha-256', 'a'.repeat(32)], ['sha-256', 'b'.repeat(32)]])
  session.open()
  await turn()
  js.js_rtc_channel(7, 1, ...put(''), 0)
  await turn()
  assert.deepEqual(take(), [['opened', 7, 0, 0], ['opened', 7, 1, 100]])
  const [stream] = session.streams

  js.js_rtc_send(7, 1, ...put('x'.repeat(60)))
  put('y'.repeat(60))
  await turn()
  assert.deepEqual(stream.did.splice(0), ['x'.repeat(60)])
  assert.deepEqual(take(), [])
  stream.writes[0]()
  await turn()
  assert.deepEqual(take(), [['room', 7, 1, 100]])

  stream.inbound.enqueue(new TextEncoder().encode('one'))
  await turn()
  assert.deepEqual(take(), [['message', 7, 1, 'one']])
  js.js_session_pause(7, 1, 1)
  for (const text of ['two', 'three', 'four']) stream.inbound.enqueue(new TextEncoder().encode(text))
  await turn()
  assert.deepEqual(take(), [['message', 7, 1, 'two']], 'the read that was under way')
  js.js_session_pause(7, 1, 0)
  js.js_session_pause(7, 1, 0)
  await turn()
  assert.deepEqual(take(), [['message', 7, 1, 'three'], ['message', 7, 1, 'four']])

  js.js_session_end(7, 1, 2)
  stream.inbound.close()
  await turn()
  assert.deepEqual(stream.did.splice(0), ['fin'])
  assert.deepEqual(take(), [['ended', 7, 1, 2]])
  js.js_rtc_close_channel(7, 1)

  const theirs = fakeStream()
  session.incoming.enqueue(theirs)
  await turn()
  assert.deepEqual(take(), [['incoming', 7, ''], 'flush'])
  theirs.outbound.error(new Error('STOP_SENDING'))
  await turn()
  assert.deepEqual(take(), [['ended', 7, 100, 3]])
  js.js_session_end(7, 100, 3)
  await turn()
  assert.deepEqual(theirs.did.splice(0), ['stop'])
  assert.deepEqual(take(), [['ended', 7, 100, 2]])

  js.js_rtc_channel(7, 2, ...put(''), 0)
  await turn()
  js.js_session_end(7, 2, 1)
  await turn()
  assert.deepEqual(session.streams[1].did.splice(0).sort(), ['reset', 'stop'])
  js.js_rtc_channel(7, 3, ...put(''), 0)
  await turn()
  take()
  session.streams[2].inbound.error(new Error('RESET_STREAM'))
  await turn()
  assert.deepEqual(take(), [['closed', 7, 3, '']])

  session.fail(new Error('gone'))
  await turn()
  assert.deepEqual(take(), [['closed', 7, 0, 'gone']])
  assert.ok(session.isClosed)
})

test('WebTransport: a session that does not come about', async () => {
  const { js, made, put, take } = openLibrary()
  js.js_session_open(1, ...put('bad'), ...put('', 100), 10, 100)
  await turn()
  assert.deepEqual(take(), [['closed', 1, 0, 'bad URL']])
  js.js_session_open(2, ...put('https://host/'), ...put('', 100), 10, 100)
  made[0].fail(new Error('handshake'))
  made[0].refuse(new Error('handshake'))
  await turn()
  assert.deepEqual(take(), [['closed', 2, 0, 'handshake']])
  js.js_session_open(3, ...put('https://host/'), ...put('', 100), 10, 100)
  js.js_rtc_close(3)
  made[1].open()
  await turn()
  assert.ok(made[1].isClosed)
  assert.deepEqual(take(), [])
})

test('WebRTC, dialling: channel, offer, answer, candidates, in that order', async () => {
  const { js, made, put, take } = openLibrary()
  js.js_rtc_open(5, 10, 100)
  js.js_rtc_channel(5, 1, ...put('init'))
  js.js_rtc_offer(5, ...put(''))
  js.js_rtc_remote(5, 1, ...put('their answer'))
  js.js_rtc_candidate(5, ...put('{"candidate":"c1"}'))
  js.js_rtc_candidate(5, ...put('{"candidate":"bad"}'))
  js.js_rtc_candidate(5, ...put('not json'))
  js.js_rtc_candidate(5, ...put('{"candidate":"c2"}'))
  await turn()
  await turn()
  const [pc] = made
  assert.deepEqual(pc.configuration, { iceServers: [] })
  assert.deepEqual(pc.did, ['local offer', 'remote answer their answer', 'candidate c1', 'candidate c2'])
  assert.deepEqual(take(), [['description', 5, 'offer']])
  const [channel] = pc.channels
  assert.deepEqual([channel.label, channel.binaryType, channel.bufferedAmountLowThreshold], ['init', 'arraybuffer', 10])

  pc.onicecandidate({ candidate: { candidate: 'mine' } })
  pc.onicecandidate({ candidate: null })
  pc.connectionState = 'connected'
  pc.onconnectionstatechange()
  channel.onopen()
  channel.onmessage({ data: new TextEncoder().encode('hello').buffer })
  assert.deepEqual(take(), [['candidate', 5, '{"candidate":"mine"}'], ['candidate', 5, ''], ['state', 5, 0], ['opened', 5, 1, 100], ['message', 5, 1, 'hello']])
})

test('WebRTC, listening: answer before candidates, channels of the peer, one that is refused', async () => {
  const { js, made, put, take, Module, FakeChannel } = openLibrary()
  Module.rtcConfiguration = async () => ({ iceServers: ['later'] })
  js.js_rtc_open(6, 10, 100)
  js.js_rtc_remote(6, 0, ...put('their offer'))
  js.js_rtc_candidate(6, ...put('{"candidate":"early"}'))
  await turn()
  await turn()
  const [pc] = made
  assert.deepEqual(pc.configuration, { iceServers: ['later'] })
  assert.deepEqual(pc.did, ['remote offer their offer', 'local answer', 'candidate early'])
  assert.deepEqual(take(), [['description', 6, 'answer']])
  const channel = new FakeChannel('')
  pc.ondatachannel({ channel })
  const refused = new FakeChannel('refuse')
  pc.ondatachannel({ channel: refused })
  assert.deepEqual(take(), [['incoming', 6, ''], 'flush', ['incoming', 6, 'refuse'], 'flush'])
  assert.ok(refused.isClosed && !channel.isClosed)
  channel.onmessage({ data: new Uint8Array([104]).buffer })
  assert.deepEqual(take(), [['message', 6, 100, 'h']])
})

test('WebRTC: an end of the peer that the browser leaves without an answer is answered', async () => {
  const { js, made, put, take, FakeChannel } = openLibrary()
  js.js_rtc_open(6, 10, 100)
  js.js_rtc_channel(6, 1, ...put('ours'))
  await turn()
  const [pc] = made
  const [ours] = pc.channels
  const [told, untold] = [3, 1].map((id) => Object.assign(new FakeChannel(''), { id, onclosing () {}, onclose () {} }))
  for (const channel of [told, untold]) pc.ondatachannel({ channel })
  told.onclosing()
  take()
  for (const channel of [ours, told, untold]) channel.onclose()
  assert.deepEqual(pc.channels.map((/** @type {any} */ channel) => [channel.options, channel.isClosed]), [[{}, true], [{ negotiated: true, id: 1 }, true]])
  assert.equal(take().length, 3)
})

test('WebRTC: room is told when a channel drains, and where it never filled', async () => {
  const { js, made, put, take } = openLibrary()
  js.js_rtc_open(5, 10, 100)
  js.js_rtc_channel(5, 1, ...put(''))
  await turn()
  const [channel] = made[0].channels
  js.js_rtc_send(5, 1, ...put('x'.repeat(60)))
  await turn()
  assert.deepEqual(take(), [])
  channel.bufferedAmount = 8
  channel.onbufferedamountlow()
  assert.deepEqual(take(), [['room', 5, 1, 92]])
  for (let i = 0; i < 6; i++) {
    channel.bufferedAmount = 0
    js.js_rtc_send(5, 1, ...put('x'.repeat(10)))
  }
  await turn()
  assert.deepEqual(take(), [['room', 5, 1, 90]])
})

test('WebRTC: what fails is told later, as a close', async () => {
  const { js, made, put, take } = openLibrary()
  js.js_rtc_open(5, 10, 100)
  js.js_rtc_channel(5, 1, ...put(''))
  await turn()
  const [channel] = made[0].channels
  channel.isFull = true
  js.js_rtc_send(5, 1, ...put('x'))
  assert.deepEqual(take(), [])
  await turn()
  assert.deepEqual(take(), [['closed', 5, 1, '']])
  assert.ok(channel.isClosed)
  js.js_rtc_remote(5, 1, ...put('bad'))
  await turn()
  await turn()
  assert.deepEqual(take(), [['closed', 5, 0, 'bad SDP']])
  assert.ok(made[0].isClosed)
})

test('WebRTC: a TURN server that refuses is told of where there is no other way', async () => {
  const { js, made, take } = openLibrary()
  for (const link of [5, 6, 7]) js.js_rtc_open(link, 10, 100)
  await turn()
  for (const pc of made) pc.onicecandidateerror({ url: 'stun:a', errorCode: 701, errorText: 'timeout' })
  for (const pc of made.slice(0, 2)) pc.onicecandidateerror({ url: 'turn:b', errorCode: 401, errorText: 'Unauthorized' })
  made[1].onicecandidate({ candidate: { candidate: 'mine' } })
  for (const pc of made) pc.onicecandidate({ candidate: null })
  const why = 'the TURN server turn:b is of no use: 401 Unauthorized'
  assert.deepEqual(take(), [['candidate', 6, '{"candidate":"mine"}'], ['candidate', 5, ''], ['closed', 5, 0, why], ['candidate', 6, ''], ['candidate', 7, '']])
  for (const pc of made) {
    pc.connectionState = 'failed'
    pc.onconnectionstatechange()
  }
  assert.deepEqual(take(), [['closed', 6, 0, why], ['state', 7, 2]])
})

test('WebRTC: nothing is told of what was closed', async () => {
  const { js, made, put, take } = openLibrary()
  js.js_rtc_open(5, 10, 100)
  js.js_rtc_channel(5, 1, ...put(''))
  js.js_rtc_channel(5, 2, ...put(''))
  await turn()
  const [pc] = made
  const [one, two] = pc.channels
  js.js_rtc_close_channel(5, 1)
  one.onclose()
  one.onmessage({ data: new ArrayBuffer(1) })
  js.js_rtc_offer(5, ...put(''))
  js.js_rtc_close(5)
  two.onclose()
  pc.onicecandidate({ candidate: null })
  pc.connectionState = 'closed'
  pc.onconnectionstatechange()
  js.js_rtc_send(5, 2, ...put('x'))
  js.js_rtc_close(5)
  await turn()
  assert.deepEqual(take(), [])
  assert.ok(pc.isClosed && one.isClosed)
})

test('a trap closes what was open and calls nothing again', async () => {
  const { js, made, put, take, exports } = openLibrary()
  js.js_rtc_open(5, 10, 100)
  js.js_rtc_channel(5, 1, ...put(''))
  await turn()
  const [channel] = made[0].channels
  js.die(new Error('fault'))
  js.die(new Error('another'))
  channel.onmessage({ data: new ArrayBuffer(1) })
  js.js_alarm(0)
  await new Promise((resolve) => setTimeout(resolve, 5))
  assert.deepEqual(take(), [['trap', 'fault']])
  assert.ok(made[0].isClosed && exports)
})

test('the alarm is one, and random bytes are many', async () => {
  const { js, take } = openLibrary()
  js.js_alarm(100000)
  js.js_alarm(0)
  await new Promise((resolve) => setTimeout(resolve, 5))
  assert.deepEqual(take(), ['ring'])
  js.js_random(0, 4096)
})

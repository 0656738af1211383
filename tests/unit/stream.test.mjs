// Streams in JavaScript over a core that does as it is told.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Stream } from '../../js-glue/stream.js'

const turn = () => new Promise((resolve) => setImmediate(resolve))
const bytesOf = (/** @type {string} */ text) => new TextEncoder().encode(text)
const textOf = (/** @type {Uint8Array} */ bytes) => new TextDecoder().decode(bytes)

/** A stream, what the core was asked (`did`), and how many bytes it takes (`core.room`). */
function makeStream () {
  /** @type {string[]} */
  const did = []
  const sent = { text: '' }
  const call = (/** @type {string} */ name) => (/** @type {number[]} */ ...args) => { did.push([name, ...args.slice(1)].join(' ')); return 0 }
  const core = {
    room: Infinity,
    calls: Object.fromEntries(['took', 'close_write', 'close_read', 'reset'].map((name) => [`app_stream_${name}`, call(name)])),
    run: (/** @type {(...args: number[]) => number} */ command, /** @type {string[]} */ _ = [], /** @type {number[]} */ ...numbers) => command(...numbers),
    flushSoon: () => {},
    write (/** @type {number} */ _, /** @type {Uint8Array} */ data) {
      const taken = data.subarray(0, Math.min(core.room, data.length))
      core.room -= taken.length
      sent.text += textOf(taken)
      return taken.length
    }
  }
  /** @type {any} */
  const connection = { streams: [], forget: (/** @type {any} */ stream) => { did.push('forget'); connection.streams = connection.streams.filter((/** @type {any} */ other) => other !== stream) } }
  const stream = new Stream(/** @type {any} */ (core), 7, connection, 'outbound', '/test/1')
  /** @type {string[]} */
  const events = []
  for (const type of ['drain', 'idle', 'remoteCloseWrite', 'end', 'close']) {
    stream.addEventListener(type, (event) => events.push(event.error ? `${type} ${event.error.message} ${event.local}` : type))
  }
  return { stream, core, did, sent, events, connection }
}

test('send takes what fits, keeps the rest, and says when to go on', async () => {
  const { stream, core, sent, events } = makeStream()
  assert.equal(stream.send(bytesOf('ab')), true)
  core.room = 1
  const reused = bytesOf('cdef')
  assert.equal(stream.send(reused), false)
  reused.fill(0)
  assert.equal(stream.send(bytesOf('g')), false)
  assert.ok(stream.writableNeedsDrain)
  assert.equal(stream.writeBufferLength, 4)
  const drained = stream.onDrain()
  core.room = 2
  stream.onRoom()
  assert.equal(sent.text, 'abcde')
  assert.deepEqual(events, [])
  core.room = Infinity
  stream.onRoom()
  await drained
  assert.equal(sent.text, 'abcdefg')
  assert.deepEqual(events, ['drain', 'idle'])
  assert.equal(stream.send(/** @type {any} */ ({ subarray: () => bytesOf('!') })), true, 'a list of bytes')
  await stream.onDrain()
})

test('close waits for what is unsent; then nothing can be sent', async () => {
  const { stream, core, did, events } = makeStream()
  core.room = 0
  stream.send(bytesOf('a'))
  const closed = stream.close()
  assert.equal(stream.writeStatus, 'closing')
  assert.throws(() => stream.send(bytesOf('b')), { name: 'StreamStateError' })
  await turn()
  assert.deepEqual(did, [])
  core.room = 1
  stream.onRoom()
  await closed
  await stream.close()
  assert.deepEqual(did, ['close_write'])
  assert.equal(stream.status, 'open', 'the peer may still send')
  stream.onData(bytesOf('x'))
  stream.onEnded()
  stream.onClosed()
  assert.equal(stream.status, 'closed')
  assert.deepEqual(events, ['drain', 'idle', 'remoteCloseWrite', 'close'], 'unread bytes put off the end')
  assert.equal(textOf((await stream[Symbol.asyncIterator]().next()).value ?? new Uint8Array(0)), 'x')
})

test('what was unsent when the stream ends is told to who waits', async () => {
  for (const end of ['abort', 'onClosed']) {
    const { stream, core } = makeStream()
    core.room = 0
    stream.send(bytesOf('a'))
    const waits = [assert.rejects(stream.close(), /gone/), assert.rejects(stream.onDrain(), /gone/)]
    stream[/** @type {'abort'} */ (end)](new Error('gone'))
    await Promise.all(waits)
    assert.equal(stream.writeBufferLength, 0)
  }
})

test('bytes wait for a listener, and credit is given when they are read', async () => {
  const { stream, did, events } = makeStream()
  stream.onData(bytesOf('ab'))
  stream.onData(bytesOf('cde'))
  await turn()
  assert.equal(stream.readBufferLength, 5)
  assert.deepEqual(did, [])
  /** @type {string[]} */
  const heard = []
  stream.addEventListener('message', (event) => heard.push(textOf(event.data)))
  await turn()
  assert.deepEqual(heard, ['ab', 'cde'])
  assert.deepEqual(did, ['took 2', 'took 3'])
  stream.pause()
  stream.onData(bytesOf('f'))
  assert.equal(stream.readStatus, 'paused')
  assert.equal(heard.length, 2)
  stream.onEnded()
  assert.deepEqual(events, ['remoteCloseWrite'])
  stream.resume()
  assert.deepEqual(heard, ['ab', 'cde', 'f'])
  assert.deepEqual(events, ['remoteCloseWrite', 'end'])
  assert.ok(stream.readableEnded)
  assert.throws(() => stream.pause(), { name: 'StreamStateError' })
})

test('bytes put back come again, without credit a second time', async () => {
  const { stream, did } = makeStream()
  const reader = stream[Symbol.asyncIterator]()
  stream.onData(bytesOf('abc'))
  stream.onData(bytesOf('d'))
  await reader.next()
  stream.unshift(bytesOf('bc'))
  stream.push(bytesOf('e'))
  const read = []
  for (let i = 0; i < 3; i++) read.push(textOf((await reader.next()).value ?? new Uint8Array(0)))
  assert.deepEqual(read, ['bc', 'd', 'e'])
  assert.deepEqual(did, ['took 3', 'took 1'])
})

test('iterating ends with the peer\'s half, and throws what ended the stream', async () => {
  const { stream } = makeStream()
  const read = (async () => {
    let all = ''
    for await (const bytes of stream) all += textOf(bytes)
    return all
  })()
  stream.onData(bytesOf('one '))
  await turn()
  stream.onData(bytesOf('two'))
  stream.onEnded()
  assert.equal(await read, 'one two')

  const other = makeStream().stream
  const failed = assert.rejects(async () => { for await (const _ of other); }, /reset/)
  await turn()
  other.onClosed(new Error('reset'), true)
  await failed
  assert.equal(other.status, 'reset')
})

test('closeRead drops what waits and what comes', async () => {
  const { stream, did, events } = makeStream()
  stream.onData(bytesOf('ab'))
  await stream.closeRead()
  stream.onData(bytesOf('c'))
  assert.deepEqual(did, ['took 2', 'close_read', 'took 1'])
  assert.equal(stream.readStatus, 'closed')
  assert.deepEqual(events, ['end'])
  for await (const _ of stream) assert.fail('nothing is to be read')
})

test('abort ends both halves at once, once', () => {
  const { stream, did, events, connection } = makeStream()
  connection.streams.push(stream)
  stream.onData(bytesOf('unread'))
  stream.abort(new Error('enough'))
  stream.abort(new Error('again'))
  stream.onClosed()
  assert.deepEqual(did, ['took 6', 'reset', 'forget'])
  assert.deepEqual(events, ['end', 'close enough true'])
  assert.equal(stream.status, 'aborted')
  assert.equal(connection.streams.length, 0)
  assert.ok(Number(stream.timeline.close) >= stream.timeline.open)
})

test('past maxWriteBufferLength the stream is aborted', () => {
  const { stream, core, events } = makeStream()
  core.room = 0
  stream.maxWriteBufferLength = 3
  stream.send(bytesOf('abc'))
  stream.send(bytesOf('d'))
  assert.match(events.join(), /close 4 bytes wait/)
})

test('signals end the waiting, not the stream', async () => {
  const { stream, core } = makeStream()
  core.room = 0
  stream.send(bytesOf('a'))
  await assert.rejects(stream.onDrain({ signal: AbortSignal.abort() }), { name: 'AbortError' })
  const keepsNodeAwake = setTimeout(() => {}, 1000)
  await assert.rejects(stream.onDrain({ signal: AbortSignal.timeout(5) }), { name: 'TimeoutError' })
  clearTimeout(keepsNodeAwake)
  assert.equal(stream.status, 'open')
})

test('the shapes of version 2, and Web Streams', async () => {
  const { stream, did, sent, connection } = makeStream()
  const handler = (/** @type {any} */ { stream: s, connection: c }) => s === stream && c === connection
  assert.ok(handler(stream))
  await stream.sink([bytesOf('a'), bytesOf('b')])
  assert.equal(sent.text, 'ab')
  assert.deepEqual(did, ['close_write'])
  stream.onData(bytesOf('c'))
  stream.onEnded()
  let read = ''
  for await (const bytes of stream.source) read += textOf(bytes.subarray())
  assert.equal(read, 'c')

  const other = makeStream()
  const writer = other.stream.writable.getWriter()
  await writer.write(bytesOf('x'))
  await writer.close()
  other.stream.onData(bytesOf('y'))
  other.stream.onEnded()
  assert.equal(await new Response(other.stream.readable).text(), 'y')
  assert.equal(other.sent.text, 'x')
})

test('listeners for one event, and for as long as a signal', async () => {
  const { stream, did } = makeStream()
  const off = new AbortController()
  stream.addEventListener('message', () => {}, { once: true })
  stream.onData(bytesOf('a'))
  assert.equal(stream.listenerCount('message'), 0)
  stream.onData(bytesOf('b'))
  assert.deepEqual(did, ['took 1'])
  stream.addEventListener('message', () => {}, { signal: off.signal })
  await turn()
  off.abort()
  assert.equal(stream.listenerCount('message'), 0)
  assert.deepEqual(did, ['took 1', 'took 1'])
})

test('more than may wait to be read ends the stream', async () => {
  const { stream, did, events } = makeStream()
  stream.maxReadBufferLength = 5
  stream.onData(bytesOf('three'))
  assert.equal(stream.status, 'open')
  stream.onData(bytesOf('!'))
  assert.equal(stream.status, 'aborted')
  assert.match(events.join(), /close 6 bytes wait to be read, more than maxReadBufferLength true/)
  assert.ok(did.includes('reset'))
})

// What the demo reads from strangers: lengths, protobuf, direct messages, names of files.
import assert from 'node:assert/strict'
import { registerHooks } from 'node:module'
import { test } from 'node:test'
import { Request, Response } from '../interop/universal.js'
import { checkResponse, parseRequest, requestOf, responseOf } from '../../web/direct.js'
import { fileSize, Frame, parseFields, textOf, uvarint } from '../../web/wire.js'

// as the page's import map has it
const ROOM = new URL('../../js-glue/room/index.js', import.meta.url).href
registerHooks({ resolve: (specifier, context, next) => specifier === 'peerlet/room' ? { url: ROOM, shortCircuit: true } : next(specifier, context) })
const { nameOfFile, readFileId } = await import('../../web/files.js')

const hex = (text) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const utf8 = (text) => new TextEncoder().encode(text)

/** Whole, byte by byte, and with a tail: the bytes of a frame. @param {Uint8Array} sent @param {number} limit */
function threeWays (sent, limit) {
  const whole = new Frame(limit)
  assert.ok(whole.feed(sent))
  const slow = new Frame(limit)
  sent.forEach((byte, i) => assert.equal(slow.feed(Uint8Array.of(byte)), i === sent.length - 1))
  const tailed = new Frame(limit)
  assert.ok(tailed.feed(Uint8Array.of(...sent, 1, 2, 3)))
  assert.deepEqual(slow.bytes, whole.bytes)
  assert.deepEqual(tailed.bytes, whole.bytes)
  return whole.bytes
}

test('a frame comes in any parts', () => {
  assert.deepEqual(threeWays(hex('00'), 10), hex(''))
  assert.deepEqual(threeWays(hex('03 010203'), 3), hex('010203'))
  const long = new Uint8Array(300).fill(7)
  assert.deepEqual(threeWays(Uint8Array.of(0xac, 0x02, ...long), 300), long)
})

/** @type {Array<[string, string, number, RegExp]>} */
const BAD_FRAMES = [
  ['one byte too long', '04', 3, /limit of 3 bytes/],
  ['2^63 bytes', 'ffffffffffffffff7f', 4 << 20, /limit of 4 MiB/],
  ['a length that never ends', '80808080808080808080', 4 << 20, /length makes no sense/],
  ['a length that is longer than it need be', '8000', 4 << 20, /length makes no sense/]
]
for (const [name, sent, limit, words] of BAD_FRAMES) {
  test(`no frame: ${name}`, () => {
    assert.throws(() => new Frame(limit).feed(hex(sent)), { name: 'WireError', message: words })
    const slow = new Frame(limit)
    assert.throws(() => hex(sent).forEach((byte) => slow.feed(Uint8Array.of(byte))), { name: 'WireError', message: words })
  })
}

test('a length that was promised takes no memory', () => {
  const frame = new Frame(4 << 20)
  frame.feed(Uint8Array.of(...uvarint(4 << 20), 1, 2, 3))
  assert.ok(frame.bytes.buffer.byteLength < 100)
})

test('uvarints', () => {
  assert.deepEqual(uvarint(0), [0])
  assert.deepEqual(uvarint(127), [127])
  assert.deepEqual(uvarint(300), [0xac, 0x02])
  assert.deepEqual(uvarint(2 ** 35), [0x80, 0x80, 0x80, 0x80, 0x80, 0x01])
})

/** @type {Array<[string, string]>} */
const NO_MESSAGES = [
  ['a field that ends in the middle', '0a05 6162'],
  ['a length of 2^64 - 1', '0a ffffffffffffffffff01 61'],
  ['a varint of eleven bytes', '08 8080808080808080808001'],
  ['a varint above 2^64', '08 ffffffffffffffffff02'],
  ['a key and no value', '08'],
  ['field number 0', '0000'],
  ['a field number above 2^29', '80 80 80 80 80 01 00'],
  ['a group', '0b 0c'],
  ['a wire type that does not exist', '0f'],
  ['a fixed64 of four bytes', '09 01020304']
]
for (const [name, bytes] of NO_MESSAGES) {
  test(`no protobuf: ${name}`, () => assert.throws(() => parseFields(hex(bytes)), { name: 'WireError' }))
}

test('unknown fields are passed over, and the last of a field counts', () => {
  const fields = parseFields(hex('0a0161 7d01020304 39 0102030405060708 0a0162 10c801'))
  assert.deepEqual([...fields], [[1, hex('62')], [2, 200n]])
})

test('no garbage does more than throw', () => {
  let state = 1
  const random = () => (state = (state * 48271) % 0x7fffffff) & 255
  for (let i = 0; i < 20_000; i++) {
    const bytes = Uint8Array.from({ length: random() % 40 }, random)
    for (const parse of [parseFields, parseRequest, checkResponse]) {
      try {
        parse(bytes)
      } catch (/** @type {any} */ err) {
        if (!['WireError', 'RefusedError'].includes(err.name)) throw err
      }
    }
  }
})

test('a direct message is what js-libp2p writes and reads', () => {
  const request = Request.decode(requestOf('grüezi'))
  assert.equal(request.content, 'grüezi')
  assert.equal(request.type, 'text/plain')
  assert.ok(request.metadata.clientVersion.length > 0)
  assert.ok(Math.abs(Number(request.metadata.timestamp) - Date.now()) < 60_000)
  assert.equal(parseRequest(Request.encode({ ...request, content: ' hello ' })), 'hello')

  const response = Response.decode(responseOf(500, 'no'))
  assert.equal(response.status, 500)
  assert.equal(response.statusText, 'no')
  assert.ok(response.metadata.timestamp > 0n)
  checkResponse(Response.encode({ metadata: response.metadata, status: 200 }))
  assert.throws(() => checkResponse(Response.encode({ status: 500, statusText: 'busy' })), { name: 'RefusedError', message: 'busy' })
  assert.throws(() => checkResponse(new Uint8Array(0)), { name: 'RefusedError' })
})

/** @type {Array<[string, object, RegExp]>} */
const BAD_REQUESTS = [
  ['another type', { content: '<b>hi</b>', type: 'text/html' }, /only text\/plain/],
  ['no type', { content: 'hi' }, /only text\/plain/],
  ['no text', { type: 'text/plain' }, /no text/],
  ['only spaces', { content: ' \n', type: 'text/plain' }, /no text/]
]
for (const [name, request, words] of BAD_REQUESTS) {
  test(`no direct message: ${name}`, () => assert.throws(() => parseRequest(Request.encode(request)), { name: 'WireError', message: words }))
}

test('text is UTF-8 or none', () => {
  assert.equal(textOf(utf8('\ufeffé')), '\ufeffé')
  assert.throws(() => textOf(hex('ff')), { name: 'WireError' })
  assert.throws(() => parseRequest(hex('1202fffe 1a0a746578742f706c61696e')), { name: 'WireError', message: /UTF-8/ })
  assert.throws(() => parseRequest(hex('1001 1a0a746578742f706c61696e')), { name: 'WireError' }, 'a number where text belongs')
})

const RANDOM = '0123456789abcdef0123456789abcdef'

/** @type {Array<[string, string]>} */
const NAMES = [
  [`${RANDOM}-holiday.jpg`, 'holiday.jpg'],
  [`${RANDOM}-a-b.txt`, 'a-b.txt'],
  [`${RANDOM}-../../etc/passwd`, '_.._etc_passwd'],
  [`${RANDOM}-C:\\x`, 'C_x'],
  [`${RANDOM}-.bashrc`, 'bashrc'],
  [`${RANDOM}-photo\u202egpj.exe`, 'photo_gpj.exe'],
  [`${RANDOM}-<b>.txt`, '_b_.txt'],
  [`${RANDOM}-${'x'.repeat(300)}`, 'x'.repeat(80)],
  [`${RANDOM}-\n`, '_'],
  ['7f3c1b1e-5f62-4a27-9d0a-0d8a6f1f2b11', 'file-7f3c1b1e'],
  ['...', 'file-unnamed']
]
for (const [id, name] of NAMES) test(`a file is called ${name}`, () => assert.equal(nameOfFile(id), name))

test('the id of a file is text of a bounded length', () => {
  assert.equal(readFileId(utf8('abc')), 'abc')
  assert.equal(readFileId(new Uint8Array(0)), undefined)
  assert.equal(readFileId(new Uint8Array(1001).fill(97)), undefined)
  assert.equal(readFileId(hex('ff')), undefined)
})

test('sizes', () => {
  assert.deepEqual([0, 1, 1023, 1024, 1536, 4 << 20, 5.25 * 1024 * 1024].map(fileSize),
    ['0 bytes', '1 byte', '1023 bytes', '1 KiB', '1.5 KiB', '4 MiB', '5.3 MiB'])
})

// What members of a room read from strangers: frames whole, in pieces and with more behind, and what is none.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concat, FRAME_LIMIT, FrameReader, framesOf, PAYLOAD_LIMIT, prefixed, readFrame, SEEN_LIMIT, uvarint, writeFrame, writePayload } from '../../js-glue/room/codec.js'
import { tidyName } from '../../js-glue/room/files.js'
import { Heard } from '../../js-glue/room/heard.js'
import { joinRoom } from '../../js-glue/room/index.js'
import { Recent } from '../../js-glue/room/outbox.js'
import { openSecret } from '../../js-glue/room/secret.js'
import { Sent } from '../../js-glue/room/sent.js'

const hex = (/** @type {string} */ text) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const eight = hex('0102030405060708')
const sixteen = new Uint8Array(16).fill(9)

/** Name, fields, bytes; a payload is given as it is said. @type {Array<[string, Record<string, any>, string]>} */
const FRAMES = [
  ['hello', { session: eight, nonce: sixteen }, '00 0102030405060708 09090909090909090909090909090909'],
  ['say', { number: 300, action: 'é', payload: { a: 1 } }, '02 ac02 02c3a9 01 7b2261223a317d'],
  ['say', { number: 1, action: 'x', payload: undefined }, '02 01 0178 00'],
  ['ask', { number: 1, action: 'x', payload: Uint8Array.of(1, 2) }, '03 01 0178 02 0102'],
  ['answer', { number: 2, payload: null }, '04 02 01 6e756c6c'],
  ['fault', { number: 2, code: 1, message: 'no' }, '05 02 01 02 6e6f'],
  ['cancel', { number: 127 }, '06 7f'],
  ['seen', { numbers: [1, 128] }, '07 01 8001'],
  ['offer', { number: 1, file: sixteen, size: 2 ** 40, name: 'a', type: '', payload: undefined }, '08 01 09090909090909090909090909090909 808080808020 0161 00 00'],
  ['withdraw', { number: 1, file: sixteen }, '09 01 09090909090909090909090909090909'],
  ['fetch', { file: sixteen, from: 0 }, '0a 09090909090909090909090909090909 00'],
  ['giving', { size: 5 }, '0b 05'],
  ['refusal', { code: 1 }, '0c 01']
]

for (const [kind, fields, bytes] of FRAMES) {
  test(`${kind} ${JSON.stringify(fields)} is written and read`, () => {
    const written = writeFrame(kind, 'payload' in fields ? { ...fields, payload: writePayload(fields.payload) } : fields)
    assert.deepEqual(written, hex(bytes))
    assert.deepEqual(readFrame(written), { kind, ...fields })
  })
}

/** Whole, byte by byte, and with a tail. @param {Uint8Array} sent */
function threeWays (sent) {
  const whole = new FrameReader()
  assert.deepEqual(whole.feed(sent), new Uint8Array(0))
  const frame = whole.take().slice()
  const slow = new FrameReader()
  sent.forEach((byte, i) => assert.equal(slow.feed(Uint8Array.of(byte)) !== undefined, i === sent.length - 1))
  assert.deepEqual(slow.take(), frame)
  const tailed = new FrameReader()
  assert.deepEqual(tailed.feed(concat(sent, [1, 2, 3])), Uint8Array.of(1, 2, 3))
  assert.deepEqual(tailed.take(), frame)
  return frame
}

test('a frame comes in any parts', () => {
  assert.deepEqual(threeWays(hex('03 010203')), hex('010203'))
  const long = new Uint8Array(300).fill(7)
  assert.deepEqual(threeWays(concat(uvarint(300), long)), long)
})

test('frames of a stream come one by one, however it is cut, and unknown kinds are passed over', async () => {
  const sent = concat(prefixed('cancel', { number: 1 }), [2, 200, 0], prefixed('giving', { size: 300 }))
  for (const step of [1, 2, 5, 100]) {
    const stream = (async function * () { for (let at = 0; at < sent.length; at += step) yield sent.subarray(at, at + step) })()
    const frames = []
    for await (const frame of framesOf(stream)) frames.push(frame)
    assert.deepEqual(frames, [{ kind: 'cancel', number: 1 }, { kind: 'giving', size: 300 }])
  }
})

test('a length that was promised takes no memory', () => {
  const reader = new FrameReader()
  reader.feed(concat(uvarint(FRAME_LIMIT), [1, 2, 3]))
  assert.ok(reader.take().buffer.byteLength < 100)
})

/** @type {Array<[string, string]>} */
const NO_PREFIXES = [
  ['one more than the limit', Buffer.from(uvarint(FRAME_LIMIT + 1)).toString('hex')],
  ['2^49', 'ffffffffffffff01'],
  ['that never ends', '80808080808080808080'],
  ['longer than it need be', '8000']
]
for (const [name, bytes] of NO_PREFIXES) {
  test(`no length: ${name}`, () => {
    assert.throws(() => new FrameReader().feed(hex(bytes)), { name: 'RoomProtocolError' })
    const slow = new FrameReader()
    assert.throws(() => hex(bytes).forEach((byte) => slow.feed(Uint8Array.of(byte))), { name: 'RoomProtocolError' })
  })
}

/** @type {Array<[string, string]>} */
const NO_FRAMES = [
  ['nothing', ''],
  ['a hello that ends in the middle', '00 0102'],
  ['more than belongs there', '06 01 01'],
  ['a number above 2^53', '06 ffffffffffffff7f'],
  ['a number longer than it need be', '06 8000'],
  ['a number that does not end', '06 80'],
  ['an action that is too long', `02 01 41 ${'78'.repeat(65)} 00`],
  ['an action that is not UTF-8', '02 01 01ff 00'],
  ['no payload', '02 01 0178'],
  ['a payload of no kind', '02 01 0178 03'],
  ['nothing with something in it', '02 01 0178 00 01'],
  ['JSON that is none', '02 01 0178 01 7b'],
  ['JSON that is no UTF-8', '02 01 0178 01 22ff22'],
  ['too many numbers', `07 ${'01'.repeat(SEEN_LIMIT + 1)}`]
]
for (const [name, bytes] of NO_FRAMES) {
  test(`no frame: ${name}`, () => assert.throws(() => readFrame(hex(bytes)), { name: 'RoomProtocolError' }))
}

test('no garbage does more than throw', () => {
  let state = 1
  const random = () => (state = (state * 48271) % 0x7fffffff) & 255
  for (let i = 0; i < 20_000; i++) {
    const bytes = Uint8Array.from({ length: random() % 40 }, random)
    bytes[0] %= 14
    try {
      readFrame(bytes)
    } catch (/** @type {any} */ err) {
      if (err.name !== 'RoomProtocolError') throw err
    }
  }
})

test('JSON deeper than any stack is no frame, or one', () => {
  const deep = concat(hex('02 01 0178 01'), new TextEncoder().encode('['.repeat(28_000) + ']'.repeat(28_000)))
  try {
    assert.equal(readFrame(deep)?.kind, 'say')
  } catch (/** @type {any} */ err) {
    assert.equal(err.name, 'RoomProtocolError')
  }
})

test('what is too big or unknown to JSON is refused when it is said', () => {
  assert.throws(() => writePayload(new Uint8Array(PAYLOAD_LIMIT + 1)), { name: 'MessageTooBigError', message: /room\.offer/ })
  assert.throws(() => writePayload(() => {}), TypeError)
  assert.throws(() => writePayload(10n), TypeError)
  assert.throws(() => writePayload(new Blob([])), { name: 'TypeError', message: /room\.offer\(file\)/ })
  assert.equal(writePayload(new Uint8Array(PAYLOAD_LIMIT)).length, PAYLOAD_LIMIT + 1)
})

test('what was said once is heard once', () => {
  const heard = new Heard()
  const [old, now] = [hex('0000000000000001'), hex('0000000000000002')]
  assert.deepEqual([1, 3, 2, 3, 1].map((number) => heard.isNew('a', now, number, false)), [true, true, true, false, false])
  assert.ok(heard.isNew('b', now, 1, false), 'another author')
  assert.ok(!heard.isNew('a', old, 9, false), 'a session of before')
  assert.ok(heard.isNew('a', old, 9, true), 'unless its author is here and says so')
  assert.ok(heard.isNew('c', now, 1000, false))
  assert.ok(!heard.isNew('c', now, 700, false), 'too late')
  for (let number = 1001; number < 5000; number++) assert.ok(heard.isNew('c', now, number, false))
  assert.ok(!heard.isNew('c', now, 4900, false))
})

test('what was said lately is kept for who was there and has not seen it', () => {
  const recent = new Recent()
  const say = (/** @type {number} */ number, /** @type {number} */ at, to = ['a', 'b'], length = 1) => {
    const sent = new Sent(number, 'chat', undefined)
    recent.add({ sent, kind: 'say', fields: { number, payload: new Uint8Array(length) }, to, at })
    return sent
  }
  const missed = (/** @type {string} */ peer, /** @type {number} */ now) => recent.missedBy(peer, now).map(({ fields }) => fields.number)
  say(1, 0).onSeen('a')
  say(2, 10, ['a'])
  assert.deepEqual([missed('a', 20), missed('b', 20), missed('c', 20)], [[2], [1], []])
  assert.deepEqual(missed('b', 60_001), [], 'a minute later')
  for (let number = 3; number < 300; number++) say(number, 30)
  assert.deepEqual([missed('b', 30).length, missed('b', 30)[0]], [256, 44], 'and not too many')
  for (let number = 300; number < 400; number++) say(number, 30, ['b'], PAYLOAD_LIMIT)
  assert.equal(missed('b', 30).length, Math.floor(4 * 1024 * 1024 / PAYLOAD_LIMIT), 'nor too much')
})

test('a secret seals, opens and proves, for those who have it', async () => {
  const [ours, theirs, others, elsewhere] = await Promise.all([['tea', 'pässword'], ['tea', 'pa\u0308ssword'], ['tea', 'other'], ['coffee', 'pässword']].map(([room, password]) => openSecret(room, password)))
  assert.equal(ours.tag, theirs.tag)
  assert.match(ours.tag, /^[\w-]{22}$/)
  assert.equal(new Set([ours, others, elsewhere].map(({ tag }) => tag)).size, 3)
  const sealed = await ours.seal(eight, 'about')
  assert.deepEqual(await theirs.open(sealed, 'about'), eight)
  await assert.rejects(theirs.open(sealed, 'another'))
  await assert.rejects(others.open(sealed, 'about'))
  await assert.rejects(theirs.open(sealed.subarray(0, 5), 'about'))
  const proof = await ours.prove(sixteen)
  assert.deepEqual([await theirs.check(proof, sixteen), await theirs.check(proof, eight), await others.check(proof, sixteen)], [true, false, false])
})

/** @type {Array<[string, string]>} */
const NAMES = [
  ['holiday.jpg', 'holiday.jpg'], ['../../etc/passwd', '_.._etc_passwd'], ['C:\\x', 'C_x'], ['.bashrc', 'bashrc'],
  ['photo\u202egpj.exe', 'photo_gpj.exe'], ['<b>.txt', '_b_.txt'], ['x'.repeat(300), 'x'.repeat(80)], ['', 'unnamed'], ['...', 'unnamed']
]
for (const [given, name] of NAMES) test(`a file is called ${name}`, () => assert.equal(tidyName(given), name))

/** @type {Array<[any, RegExp]>} */
const NO_ROOMS = [['', /1 to 200/], ['x'.repeat(201), /1 to 200/], ['\ud800', /1 to 200/], [7, /1 to 200/]]
for (const [name, words] of NO_ROOMS) {
  test(`no room: ${JSON.stringify(name)}`, () => assert.rejects(joinRoom(name, { relays: [] }), { name: 'InvalidParametersError', message: words }))
}

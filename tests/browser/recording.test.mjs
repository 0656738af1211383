// What a page in Chromium recorded is lived through again by the native build, with ASan and UBSan.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { missing, startPeerFor } from '../interop/start-peer.mjs'
import { PATIENCE_MS, openWorld } from './harness.mjs'

const world = openWorld()
const TOPIC = 'chat'
const DISCOVERY = 'meeting'
const REPLAY = 'build/asan/replay'

const folder = mkdtempSync(path.join(tmpdir(), 'peerlet-recording-'))
after(() => rmSync(folder, { recursive: true }))

/** @param {Uint8Array} bytes */
function replay (bytes, ...flags) {
  const file = path.join(folder, 'session')
  writeFileSync(file, bytes)
  const { status, stdout, stderr } = spawnSync(REPLAY, [...flags, file], { encoding: 'utf8', maxBuffer: 1 << 28 })
  return { status, stdout, stderr }
}

const recordingOf = async (peer) => Buffer.from(await peer.call('recording'), 'base64')

/** A session with all that a page does: a relay, another page, messages both ways, streams, verdicts. */
async function session (t, record) {
  const relay = await world.relay(t, { RELAY_TOPICS: `${TOPIC},${DISCOVERY}` })
  const options = { relay: relay.addr, topics: [TOPIC], discovery: DISCOVERY }
  const a = await world.peer(t, 'debug', { ...options, record })
  const b = await world.peer(t, 'peerlet', options)
  await a.page.evaluate((topic) => { globalThis.node.services.pubsub.topicValidators.set(topic, () => 'accept') }, TOPIC)
  await a.call('whenDirect', b.id, PATIENCE_MS)
  await b.call('whenDirect', a.id, PATIENCE_MS)
  await Promise.all([a.call('whenSubscribed', b.id, TOPIC, PATIENCE_MS), b.call('whenSubscribed', a.id, TOPIC, PATIENCE_MS)])
  assert.ok(await a.call('publish', TOPIC, 'hello') > 0)
  await b.call('whenHeard', 'hello', PATIENCE_MS)
  await b.call('publish', TOPIC, 'hello, you')
  await a.call('whenHeard', 'hello, you', PATIENCE_MS)
  await a.call('ping', b.id)
  assert.ok(await a.call('echo', b.id, 200_000))
  assert.ok(await b.call('echo', a.id, 200_000))
  return { a, b }
}

test('a chat over a relay and WebRTC is the same again; with another byte it is not', { timeout: 300_000 }, async (t) => {
  const { a, b } = await session(t, true)
  await b.page.close()
  await a.call('whenGone', b.id, PATIENCE_MS)
  await a.page.evaluate(() => globalThis.node.stop())
  const recording = await recordingOf(a)

  const same = replay(recording)
  assert.equal(same.status, 0, same.stdout + same.stderr)
  assert.match(same.stdout, /: the same\n$/)
  assert.match(same.stdout, new RegExp(`^${a.id}: its key was made for this recording`))

  const { stdout } = replay(recording, '-v')
  for (const part of ['> LINK_BYTES', '> RTC_DESCRIPTION', '> CHANNEL_INCOMING', '> STREAM_PUT', '> PUBLISH', '> JUDGE', '> TUNE', '< OPEN_RTC', '< MESSAGE', '> STOP']) {
    assert.ok(stdout.includes(part), `no ${part}`)
  }

  const text = recording.indexOf('hello, you') < 0 ? recording.indexOf('hello') : recording.indexOf('hello, you')
  assert.ok(text > 0)
  recording[text] ^= 1
  const other = replay(recording)
  assert.equal(other.status, 1, other.stdout + other.stderr)
  assert.match(other.stdout, /said something else/)
})

test('a recording without secrets has a key of its own, one with them that of the page', { timeout: 300_000 }, async (t) => {
  const profile = await world.profile(t)
  const page = await world.tab(t, '/peer.html?impl=debug', { profile })
  /** @param {any} record @param {any} [options] */
  const record = (record, options = {}) => page.evaluate(async ({ record, options }) => {
    const url = '/build/web/debug.mjs'
    const { createLibp2p } = await import(url)
    const node = await createLibp2p({ ...options, record })
    const id = String(node.peerId)
    await node.stop()
    const bytes = [...new Uint8Array(await node.recording().arrayBuffer())]
    return { id, bytes }
  }, { record, options })
  const own = await page.evaluate(async () => {
    const url = '/build/web/peerlet.mjs'
    const { createLibp2p } = await import(url)
    const node = await createLibp2p()
    await node.stop()
    return String(node.peerId)
  })
  const without = await record(true)
  assert.notEqual(without.id, own)
  const first = replay(Uint8Array.from(without.bytes))
  assert.equal(first.status, 0, first.stdout + first.stderr)
  assert.match(first.stdout, /key was made for this recording/)

  const kept = await record({ secrets: true })
  assert.equal(kept.id, own)
  const second = replay(Uint8Array.from(kept.bytes))
  assert.equal(second.status, 0, second.stdout + second.stderr)
  assert.match(second.stdout, new RegExp(`^${own}: this file holds its PRIVATE KEY`))

  await assert.rejects(record(true, { privateKey: {} }), /InvalidParametersError: record: .*secrets: true/)
  await assert.rejects(page.evaluate(async () => {
    const url = '/build/web/peerlet.mjs'
    await (await import(url)).createLibp2p({ record: true })
  }), /InvalidParametersError: createLibp2p: .*"record".*"peerlet\/debug"/)
})

test('a session over WebTransport and WebRTC Direct is the same again', { timeout: 300_000, skip: missing('go') }, async (t) => {
  const peer = await startPeerFor(t, 'go')
  const a = await world.peer(t, 'debug', { topics: [TOPIC], record: true })
  for (const part of ['/webtransport', '/webrtc-direct']) {
    const address = peer.addrs.find((text) => text.includes(part))
    assert.ok(address !== undefined, `no ${part} among ${peer.addrs}`)
    assert.ok((await a.call('measure', address)).echo)
    await a.call('hangUp', peer.peerId)
  }
  const recording = await recordingOf(a)
  const { status, stdout, stderr } = replay(recording, '-v')
  assert.equal(status, 0, stdout.slice(-2000) + stderr)
  for (const part of ['< OPEN_SESSION', '> CHANNEL_ENDED', '< RTC_OFFER']) assert.ok(stdout.includes(part), `no ${part}`)
})

test('what a fault stopped is recorded up to the fault', { timeout: 300_000 }, async (t) => {
  const page = await world.tab(t, '/peer.html?impl=debug')
  const bytes = await page.evaluate(async () => {
    const url = '/build/web/debug.mjs'
    const { createLibp2p } = await import(url)
    const node = await createLibp2p({ record: true, start: false })
    const stopped = new Promise((resolve) => node.addEventListener('stop', resolve))
    crypto.getRandomValues = () => { throw new Error('no randomness') }
    addEventListener('error', (event) => event.preventDefault())
    await node.start().catch(() => {})
    await stopped
    return [...new Uint8Array(await node.recording().arrayBuffer())]
  })
  const { stdout } = replay(Uint8Array.from(bytes), '-v')
  assert.match(stdout, /> START/)
})

// A page in a room, driven through `window.here`: what happened is kept, and can be waited for.
import { joinRoom } from '/build/web/room.mjs'

/** @type {any[]} */
const happened = []
/** @type {Set<() => void>} */
const looking = new Set()
const note = (/** @type {object} */ what) => {
  happened.push(what)
  for (const look of looking) look()
}

const sum = async (/** @type {Blob} */ blob) => {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()))
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Bytes that are the same for the same length. @param {number} length */
function pattern (length) {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = (i * 2654435761) >>> 24
  return new Blob([bytes])
}

const failure = (/** @type {any} */ { name, message }) => ({ name, message })
const plain = (/** @type {any} */ data) => data instanceof Uint8Array ? { bytes: [...data] } : data

/** @type {import('../../../js-glue/room/room.js').Room} */
let room
/** @type {import('../../../js-glue/room/files.js').RemoteFile[]} */
const files = []
/** @type {import('../../../js-glue/room/files.js').Offer[]} */
const offers = []
/** @type {AbortController | undefined} */
let fetching

const here = {
  async join (/** @type {string} */ name, /** @type {object} */ options) {
    room = await joinRoom(name, options)
    Object.assign(globalThis, { room })
    for (const type of ['join', 'leave']) room.addEventListener(type, (/** @type {any} */ { detail }) => note({ [type]: detail }))
    room.addEventListener('sent', (/** @type {any} */ { detail: { action, state, seen } }) => note({ sent: action, state, seen }))
    room.addEventListener('file', (/** @type {any} */ { detail: file }) => {
      files.push(file)
      file.addEventListener('gone', () => note({ gone: file.name }))
      note({ file: file.name, size: file.size, data: file.data, from: file.from })
    })
    room.on('chat', (data, { from }) => note({ heard: plain(data), from }))
    room.answer('double', (number) => 2 * number)
    room.answer('throw', () => { throw new Error('no such thing') })
    room.answer('sleep', (_, { signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => {
      note({ woken: signal.reason.name })
      reject(signal.reason)
    })))
    return room.self
  },
  peers: () => room.peers,
  happened: () => happened,
  leave: () => room.leave(),

  /** The first thing that happened, or will, with all these values. @param {Record<string, any>} wanted */
  when: (wanted) => new Promise((resolve) => {
    const look = () => {
      const found = happened.find((one) => Object.entries(wanted).every(([name, value]) => JSON.stringify(one[name]) === JSON.stringify(value)))
      if (found === undefined) return
      looking.delete(look)
      resolve(found)
    }
    looking.add(look)
    look()
  }),
  say: (/** @type {any} */ data, /** @type {object} */ options) => {
    try {
      return room.send('chat', data?.bytes ? Uint8Array.from(data.bytes) : data, options).state
    } catch (err) {
      return failure(err)
    }
  },
  ask: (/** @type {string} */ peer, /** @type {string} */ action, /** @type {any} */ data, /** @type {any} */ options) => room.ask(peer, action, data, options).catch(failure),
  /** Asks, and wants no answer any more. @param {string} peer @param {string} action */
  askInVain: (peer, action) => {
    const giveUp = new AbortController()
    setTimeout(() => giveUp.abort(), 100)
    return room.ask(peer, action, undefined, { signal: giveUp.signal }).catch(failure)
  },

  async offer (/** @type {string} */ name, /** @type {number} */ length, /** @type {any} */ data) {
    const offer = room.offer(pattern(length), { name, data })
    offers.push(offer)
    offer.addEventListener('done', (/** @type {any} */ { detail }) => note({ done: name, peer: detail.peer }))
    offer.addEventListener('cancel', (/** @type {any} */ { detail }) => note({ cancelled: name, peer: detail.peer }))
    offer.addEventListener('progress', (/** @type {any} */ { detail }) => { if (detail.sent === detail.size) note({ allSent: name }) })
    return await sum(offer.blob)
  },
  withdraw: () => { for (const offer of offers) offer.withdraw() },

  /** `stopAt`: gives up once so much is here; `slowly`: waits so many ms before each part is taken. */
  async fetch (/** @type {string} */ name, /** @type {{ stopAt?: number, slowly?: number, timeout?: number }} */ { stopAt = Infinity, slowly, timeout } = {}) {
    const file = files.findLast((one) => one.name === name)
    if (file === undefined) throw new Error(`no file ${name}`)
    fetching = new AbortController()
    let steps = 0
    /** @type {BlobPart[]} */
    const taken = []
    const to = slowly === undefined ? undefined : new WritableStream({
      async write (bytes) {
        taken.push(bytes)
        await new Promise((resolve) => setTimeout(resolve, slowly))
      }
    })
    try {
      const blob = await file.fetch({
        to, timeout, signal: fetching.signal,
        onProgress: (received) => {
          if (steps++ === 0) note({ began: name })
          if (received >= stopAt) fetching?.abort()
        }
      })
      return { sum: await sum(blob ?? new Blob(taken)), steps, type: blob?.type }
    } catch (err) {
      return failure(err)
    }
  }
}
Object.assign(globalThis, { here })

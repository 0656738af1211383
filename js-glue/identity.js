/**
 * The node's key, which the browser keeps from visit to visit. Every tab has one of its own: they are
 * numbered, and a Web Lock says which are in use. Without IndexedDB or Web Locks a node has a key for
 * this visit only.
 */
const NAME = 'peerlet'
const STORE = 'identities'

/** Tabs beyond these have a key for the visit only. */
const SLOTS = 32

/** How long IndexedDB may take: it may wait for ever behind another tab. */
const DATABASE_MS = 1000

/** How long a reloaded tab waits for its former self to give its key back. */
const RELOAD_MS = 500

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result)
  request.onerror = () => reject(request.error)
  setTimeout(() => reject(new Error('it does not answer')), DATABASE_MS)
})

/** @returns {Promise<IDBDatabase>} */
async function openDatabase () {
  const request = indexedDB.open(NAME, 1)
  request.onupgradeneeded = () => request.result.createObjectStore(STORE)
  return done(request)
}

/**
 * Takes a slot's lock for as long as the page lives or until it is released.
 *
 * @param {number} slot
 * @param {LockOptions} options
 * @returns {Promise<(() => void) | undefined>} releases it; nothing when it is not to be had
 */
const lock = (slot, options) => new Promise((resolve) => {
  navigator.locks.request(`${NAME}:identity:${slot}`, options, (held) => {
    if (held === null) return resolve(undefined)
    return new Promise((release) => resolve(() => release(undefined)))
  }).catch(() => resolve(undefined))
})

/** The slot this tab had before it was reloaded. @returns {number} -1: none */
function formerSlot () {
  try {
    return Number(sessionStorage.getItem(NAME) ?? -1)
  } catch {
    return -1
  }
}

/** @param {number} slot */
function rememberSlot (slot) {
  try {
    sessionStorage.setItem(NAME, String(slot))
  } catch {
    // Storage is forbidden: then a reload may find another key.
  }
}

async function takeSlot () {
  const former = formerSlot()
  if (former >= 0) {
    const release = await lock(former, { signal: AbortSignal.timeout(RELOAD_MS) })
    if (release !== undefined) return { slot: former, release }
  }
  for (let slot = 0; slot < SLOTS; slot++) {
    const release = await lock(slot, { ifAvailable: true })
    if (release !== undefined) return { slot, release }
  }
  return undefined
}

/**
 * @typedef {object} Identity
 * @property {Uint8Array} key a PrivateKey protobuf; empty: there is none yet
 * @property {(key: Uint8Array) => Promise<void>} save
 * @property {() => void} release lets another node have it
 */

/** @param {string} why @returns {Identity} */
function forThisVisit (why) {
  if (globalThis.document !== undefined) console.warn(`Peerlet: the Peer ID is for this visit only, because ${why}`)
  return { key: new Uint8Array(0), save: async () => {}, release: () => {} }
}

/** This tab's key. @returns {Promise<Identity>} */
export async function takeIdentity () {
  if (globalThis.indexedDB === undefined) return forThisVisit('there is no IndexedDB here')
  if (globalThis.navigator?.locks === undefined) return forThisVisit('there are no Web Locks here, which need https or localhost')
  const opening = openDatabase()
  opening.catch(() => {}) // told below, when there is a slot
  const taken = await takeSlot()
  if (taken === undefined) return forThisVisit(`${SLOTS} tabs have one already`)
  const { slot, release } = taken
  try {
    const database = await opening
    const store = (/** @type {IDBTransactionMode} */ mode) => database.transaction(STORE, mode).objectStore(STORE)
    const kept = await done(store('readonly').get(slot))
    rememberSlot(slot)
    return {
      key: kept instanceof Uint8Array ? kept : new Uint8Array(0),
      save: async (key) => { await done(store('readwrite').put(key, slot)).catch(() => {}) },
      release
    }
  } catch (/** @type {any} */ err) {
    release()
    return forThisVisit(`IndexedDB cannot be used (${err?.message})`)
  }
}

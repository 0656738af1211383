/**
 * The node's key, which the browser keeps from visit to visit. Every tab has one of its own: they are
 * numbered, and a Web Lock says which are in use. Without IndexedDB or Web Locks a node has a key for
 * this visit only.
 *
 * The first visit does not wait for them: localStorage, which answers at once, says whether anybody was
 * here before. sessionStorage has the new key until IndexedDB has it, for the next page of this tab if this
 * one is left meanwhile, and from then on the tab's number. No other tab sees it, so none can take the key
 * of one that lives.
 */
const NAME = 'peerlet'
const STORE = 'identities'

/** Tabs beyond these have a key for the visit only. */
const SLOTS = 32

/**
 * How long IndexedDB may take: it may wait for ever behind another tab, but who gives up too soon is a
 * stranger to everybody for this visit.
 */
const DATABASE_MS = 4000

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

/** @param {'localStorage' | 'sessionStorage'} storage @returns {string | null | undefined} undefined: it is not there, or forbidden */
function read (storage) {
  try {
    return globalThis[storage].getItem(NAME)
  } catch {}
}

/** @param {'localStorage' | 'sessionStorage'} storage @param {string} text */
function write (storage, text) {
  try {
    globalThis[storage].setItem(NAME, text)
  } catch {}
}

/** @param {string | number} former the slot this tab had before it was reloaded; -1: none */
async function takeSlot (former) {
  const slot = Number(former)
  if (slot >= 0) {
    const release = await lock(slot, { signal: AbortSignal.timeout(RELOAD_MS) })
    if (release !== undefined) return { slot, release }
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
 * @property {(key: Uint8Array) => Promise<void> | void} save
 * @property {() => void} release lets another node have it
 */

/** @param {Error} why @returns {Identity} */
function forThisVisit (why) {
  if (globalThis.document !== undefined) console.warn(`Peerlet: the Peer ID is for this visit only, because ${why.message}`)
  return { key: new Uint8Array(0), save: () => {}, release: () => {} }
}

/** @param {string | null} [before] what sessionStorage has @returns {Promise<Identity>} */
async function find (before) {
  const early = before?.includes(',') ? before : undefined
  const opening = openDatabase()
  opening.catch(() => {}) // told below, when there is a slot
  const taken = await takeSlot(early ? 0 : before ?? -1)
  if (taken === undefined) throw new Error(`${SLOTS} tabs have one already`)
  const { slot, release } = taken
  try {
    const database = await opening
    const store = (/** @type {IDBTransactionMode} */ mode) => database.transaction(STORE, mode).objectStore(STORE)
    const save = (/** @type {Uint8Array} */ key) => done(store('readwrite').put(key, slot)).then(() => write('sessionStorage', String(slot)), () => {})
    let key = await done(store('readonly').get(slot))
    if (key !== undefined) write('sessionStorage', String(slot))
    else if (early && slot === 0) await save(key = Uint8Array.from(early.split(','), Number))
    return { key: key instanceof Uint8Array ? key : new Uint8Array(0), save, release }
  } catch (/** @type {any} */ err) {
    release()
    throw new Error(`IndexedDB cannot be used (${err?.message})`)
  }
}

/**
 * This tab's key. Whoever is shown the Peer ID finds it again at the next visit, once `save` is through.
 *
 * @returns {Promise<Identity>}
 */
export async function takeIdentity () {
  if (globalThis.indexedDB === undefined) return forThisVisit(Error('there is no IndexedDB here'))
  if (globalThis.navigator?.locks === undefined) return forThisVisit(Error('there are no Web Locks here, which need https or localhost'))
  if (read('localStorage') !== null) return find(read('sessionStorage')).catch(forThisVisit)
  const finding = Promise.resolve(null).then(find) // when the module is unpacked
  return {
    key: new Uint8Array(0),
    save: (key) => {
      write('localStorage', '')
      write('sessionStorage', String(key))
      // where another script cleared localStorage, the older key stays
      finding.then(({ key: kept, save }) => save(kept.length === 0 ? key : kept)).catch(forThisVisit)
    },
    release: () => { finding.then(({ release }) => release(), () => {}) }
  }
}

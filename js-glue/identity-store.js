/**
 * The node's key, kept by the browser from visit to visit. Each open tab has a key of its own: the
 * first tab the first one, and so on; a Web Lock says which are in use.
 */
const DATABASE = 'peerlet'
const STORE = 'identities'
/** More tabs than this share no key: theirs is for the visit only. */
const SLOTS = 32

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const result = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result)
  request.onerror = () => reject(request.error)
})

/** @returns {Promise<IDBDatabase>} */
function open () {
  const request = indexedDB.open(DATABASE, 1)
  request.onupgradeneeded = () => request.result.createObjectStore(STORE)
  return result(request)
}

/** Takes the first free slot and holds it as long as the page lives. @returns {Promise<number>} */
async function takeSlot () {
  if (globalThis.navigator?.locks === undefined) return 0
  for (let slot = 0; slot < SLOTS; slot++) {
    const taken = await new Promise((resolve) => {
      navigator.locks.request(`${DATABASE}-${slot}`, { ifAvailable: true }, (lock) => {
        resolve(lock !== null)
        return lock === null ? undefined : new Promise(() => {})
      }).catch(() => resolve(false))
    })
    if (taken) return slot
  }
  return -1
}

/**
 * @typedef {object} KeptIdentity
 * @property {Uint8Array} key PrivateKey protobuf; empty: there is none yet
 * @property {(key: Uint8Array) => Promise<void>} save
 */

/** The key of this tab. Without IndexedDB there is none, and `save` does nothing. @returns {Promise<KeptIdentity>} */
export async function keptIdentity () {
  const none = { key: new Uint8Array(0), save: async () => {} }
  if (typeof indexedDB === 'undefined') return none
  try {
    const slot = await takeSlot()
    if (slot < 0) return none
    const db = await open()
    const key = await result(db.transaction(STORE).objectStore(STORE).get(slot))
    return {
      key: key instanceof Uint8Array ? key : none.key,
      save: async (bytes) => {
        await result(db.transaction(STORE, 'readwrite').objectStore(STORE).put(bytes, slot)).catch(() => {})
      }
    }
  } catch {
    return none
  }
}

/**
 * Replayed messages, known by their sequence numbers: go-libp2p-pubsub's BasicSeqnoValidator.
 *
 * The router forgets an id after `seenTTL`, and all of them with the page. Here the highest number of each
 * author is kept, and a message is accepted only when that is where the next visit finds it.
 */

/**
 * @typedef {object} SeqnoValidatorInit
 * @property {number} [maxAuthors] 10000; of more, who has been silent longest is forgotten
 */

const NAME = 'peerlet-seqno'
const STORE = 'authors'

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result)
  request.onerror = () => reject(request.error)
})

/** @param {IDBTransaction} transaction @returns {Promise<void>} */
const over = (transaction) => new Promise((resolve, reject) => {
  transaction.oncomplete = () => resolve()
  transaction.onabort = () => reject(transaction.error)
})

/** One database for all pages of an origin, in it what each node knows. @returns {Promise<IDBDatabase>} */
async function openDatabase () {
  const request = indexedDB.open(NAME, 1)
  request.onupgradeneeded = () => request.result.createObjectStore(STORE)
  return done(request)
}

class SeqnoValidator {
  /** The highest number of each author, whoever was silent longest first. @type {Map<string, bigint>} */
  #highest = new Map()

  /** Authors whose number has changed since it was last written, or who are forgotten. @type {Set<string>} */
  #changed = new Set()

  /** @type {IDBDatabase | undefined} */
  #database

  /** @type {Promise<void> | undefined} */
  #opening

  /** The writing under way. */
  #writing = Promise.resolve()

  /** The one behind it, which has what is changed meanwhile. @type {Promise<void> | undefined} */
  #next

  #node
  #maxAuthors

  /** @param {{ peerId: any }} node @param {SeqnoValidatorInit} init */
  constructor (node, { maxAuthors = 10_000 }) {
    this.#node = node
    this.#maxAuthors = maxAuthors
  }

  /** What earlier visits wrote, in the order of their keys, which is as good as any. */
  async #open () {
    if (globalThis.indexedDB === undefined) return
    const self = String(this.#node.peerId)
    const database = this.#database = await openDatabase()
    database.onversionchange = () => database.close()
    const store = database.transaction(STORE).objectStore(STORE)
    const mine = IDBKeyRange.bound([self], [self, []])
    const [keys, numbers] = await Promise.all([done(store.getAllKeys(mine)), done(store.getAll(mine))])
    keys.forEach((key, i) => this.#highest.set(/** @type {string[]} */ (key)[1], numbers[i]))
  }

  /** Everything that has changed, in one go. */
  async #write () {
    this.#next = undefined
    if (this.#database === undefined) return this.#changed.clear()
    const transaction = this.#database.transaction(STORE, 'readwrite')
    const store = transaction.objectStore(STORE)
    for (const author of this.#changed) {
      const key = [String(this.#node.peerId), author]
      const number = this.#highest.get(author)
      if (number === undefined) store.delete(key)
      else store.put(number, key)
    }
    this.#changed.clear()
    await over(transaction)
  }

  /** @param {string} author @param {bigint} number @returns {Promise<void>} until it is written */
  #remember (author, number) {
    this.#highest.delete(author)
    this.#highest.set(author, number)
    this.#changed.add(author)
    for (const [oldest] of this.#highest) {
      if (this.#highest.size <= this.#maxAuthors) break
      this.#highest.delete(oldest)
      this.#changed.add(oldest)
    }
    const write = () => this.#write()
    return (this.#next ??= this.#writing = this.#writing.then(write, write))
  }

  /** @param {any} message @returns {Promise<'accept' | 'ignore'>} */
  async validate (message) {
    await (this.#opening ??= this.#open())
    if (message.type !== 'signed') return 'ignore'
    const author = String(message.from)
    if (message.sequenceNumber <= (this.#highest.get(author) ?? 0n)) return 'ignore'
    await this.#remember(author, message.sequenceNumber)
    return 'accept'
  }
}

/**
 * A validator for `services.pubsub.topicValidators` that ignores a message whose sequence number is not
 * higher than that of its author's last one, also where that came on an earlier visit. One may serve several
 * topics. What it knows is the node's own, by its Peer ID, and is kept in IndexedDB; where there is none, in
 * memory. Where IndexedDB fails nothing is accepted, as the validator throws.
 *
 * Not for networks with peers whose numbers do not grow, as those of js-libp2p's gossipsub up to 14.
 *
 * @param {{ peerId: any }} node
 * @param {SeqnoValidatorInit} [init]
 * @returns {(peer: any, message: any) => Promise<'accept' | 'ignore'>}
 */
export function seqnoValidator (node, init = {}) {
  const validator = new SeqnoValidator(node, init)
  return (_, message) => validator.validate(message)
}

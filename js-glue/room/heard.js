import { hexOf } from './codec.js'

/** Authors who are remembered; the longest silent is forgotten. */
const AUTHORS = 1024
/** How far behind the last number a late one may come. */
const WINDOW = 256

/** What was heard of whom: a message that comes again, however long after, is not told twice. */
export class Heard {
  /** @type {Map<string, { session: string, last: number, numbers: Set<number> }>} */
  #authors = new Map()

  /**
   * @param {string} author
   * @param {Uint8Array} session
   * @param {number} number
   * @param {boolean} isPresent the author is here, and said that this is its session: of who is not, the latest counts
   */
  isNew (author, session, number, isPresent) {
    const text = hexOf(session)
    let known = this.#authors.get(author)
    if (known?.session !== text) {
      if (known !== undefined && text < known.session && !isPresent) return false
      known = { session: text, last: 0, numbers: new Set() }
    }
    this.#authors.delete(author)
    this.#authors.set(author, known)
    if (this.#authors.size > AUTHORS) this.#authors.delete(/** @type {string} */ (this.#authors.keys().next().value))
    if (number <= known.last - WINDOW || known.numbers.has(number)) return false
    known.numbers.add(number)
    known.last = Math.max(known.last, number)
    if (known.numbers.size > 2 * WINDOW) for (const old of known.numbers) if (old <= known.last - WINDOW) known.numbers.delete(old)
    return true
  }
}

// Files, as the universal-connectivity application has them: a room is told an id, and who wants the
// file asks its sender for it. Nothing is fetched that nobody asked for.
import { tidyName } from 'peerlet/room'
import { fileSize, leave, readFrame, textOf, WireError, within, writeFrame } from './wire.js'

export const FILE_PROTOCOL = '/universal-connectivity-file/1'

/** What js-libp2p reads as one message, in bytes. */
export const FILE_LIMIT = 4 * 1024 * 1024
const OFFERED_LIMIT = 16 * FILE_LIMIT // bytes kept for others; past it the oldest are forgotten
const ID_LIMIT = 1000 // bytes: what rust-libp2p's peer reads
const CONNECT_MS = 10_000
const SILENCE_MS = 10_000 // without a byte, and it is over
const TRANSFER_MS = 300_000 // for all of a file
const REQUEST_MS = 5000

// The id is what others know a file by, so that of ours ends in its name; others' may be anything.
const NAMED = /^[0-9a-f]{32}-(.+)$/s

/** What to call a file. @param {string} id */
export const nameOfFile = (id) => tidyName(NAMED.exec(id)?.[1] ?? '', `file-${tidyName(id).slice(0, 8)}`)

/** The id in an announcement, undefined where there is none. @param {Uint8Array} data */
export function readFileId (data) {
  if (data.length === 0 || data.length > ID_LIMIT) return undefined
  try {
    return textOf(data)
  } catch {
    return undefined
  }
}

/** @param {string} name */
function newId (name) {
  const random = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0'))
  return `${random.join('')}-${tidyName(name)}`
}

export class Files {
  #node
  /** What can be asked of us, the oldest first. @type {Map<string, Uint8Array>} */
  #offered = new Map()

  /** @param {import('peerlet').Libp2p} node */
  constructor (node) { this.#node = node }

  /** From now on files are given to who asks. Not through a relay, whose limits they would use up. */
  async start () {
    await this.#node.handle(FILE_PROTOCOL, (stream) => this.#serve(stream), { maxInboundStreams: 8 })
  }

  /**
   * Keeps a file for others.
   *
   * @param {File} file
   * @returns {Promise<string>} its id
   * @throws an Error for a person when it is too large or cannot be read
   */
  async offer (file) {
    if (file.size > FILE_LIMIT) throw new Error(`${file.name} has ${fileSize(file.size)}, and a file may have ${fileSize(FILE_LIMIT)}`)
    const bytes = await file.arrayBuffer().catch(() => { throw new Error(`${file.name} cannot be read`) })
    const id = newId(file.name)
    this.#offered.set(id, new Uint8Array(bytes))
    let sum = [...this.#offered.values()].reduce((all, { length }) => all + length, 0)
    for (const [oldest, { length }] of this.#offered) {
      if (sum <= OFFERED_LIMIT) break
      this.#offered.delete(oldest)
      sum -= length
    }
    return id
  }

  /**
   * @param {string} from Peer ID of who offered it
   * @param {string} id
   * @param {(progress: number) => void} onProgress 0 to 1
   */
  async fetch (from, id, onProgress) {
    const stream = await this.#node.dialProtocol(from, FILE_PROTOCOL, { signal: AbortSignal.timeout(CONNECT_MS) })
    return await within(stream, TRANSFER_MS, () => within(stream, SILENCE_MS, async (again) => {
      await writeFrame(stream, new TextEncoder().encode(id))
      await stream.close()
      const bytes = await readFrame(stream, FILE_LIMIT, (progress) => {
        again()
        onProgress(progress)
      })
      await leave(stream)
      return bytes
    }))
  }

  /** @param {import('peerlet').Stream} stream */
  async #serve (stream) {
    const id = await within(stream, REQUEST_MS, async () => textOf(await readFrame(stream, ID_LIMIT)))
    const bytes = this.#offered.get(id)
    if (bytes === undefined) return stream.abort(new WireError('no such file is here'))
    await within(stream, TRANSFER_MS, async () => {
      await writeFrame(stream, bytes)
      await stream.close()
      await leave(stream)
    })
  }
}

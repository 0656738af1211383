import { abortReason, makeError, orAbort } from '../errors.js'
import { FrameReader, hexOf, prefixed, readFrame } from './codec.js'

const CHUNK = 64 * 1024
/** What is fetched goes out of the page's own memory in parts of so many bytes. */
const PART = 4 * 1024 * 1024
/** Offers of ours, and of others', that are remembered; past it the oldest are forgotten. */
const OFFERS = 256
const KNOWN = 1024
/** Transfers to others at a time. */
const SERVED = 16
/** Without a byte taken, and a transfer to somebody is over. */
const SILENCE_MS = 30_000
const RETRY_MS = 500
const RESUME_MS = 30_000 // a direct connection that was lost may take half of it to come back

/** What a `refusal` says. */
const GONE = 1
const BUSY = 2

const unfit = /[\p{C}/\\:*?"<>|]+/gu // also what would turn the direction of writing round

/**
 * A name that does no harm wherever the file is saved.
 *
 * @param {string} name
 * @param {string} [otherwise] where nothing is left of it
 */
export const tidyName = (name, otherwise = 'unnamed') => Array.from(name.normalize('NFC').replace(unfit, '_').replace(/^[.\s]+/, '').trim()).slice(0, 80).join('') || otherwise

/** Resolves after a while, or when the signal aborts. @param {number} ms @param {AbortSignal} [signal] */
const wait = (ms, signal) => new Promise((resolve) => {
  const timer = setTimeout(resolve, ms)
  signal?.addEventListener('abort', () => { clearTimeout(timer); resolve(undefined) }, { once: true })
})

/** @param {any} stream @param {string} kind @param {Record<string, any>} fields */
const answer = (stream, kind, fields) => stream.send(prefixed(kind, fields))

/**
 * A file that we offer. Nothing of it leaves before somebody fetches it, and then it is read as it goes.
 * Events: `progress` (`{ peer, sent, size }`), `done` (`{ peer }`), `cancel` (`{ peer, error }`: somebody
 * gave up, or the connection went, after which the peer may ask again from where it was).
 */
export class Offer extends EventTarget {
  /** @type {Set<any>} streams on which it goes out */
  #streams = new Set()
  #withdrawn

  /** @param {Uint8Array} id @param {Blob} blob @param {string} name @param {() => void} withdrawn */
  constructor (id, blob, name, withdrawn) {
    super()
    this.id = hexOf(id)
    this.blob = blob
    this.name = name
    this.size = blob.size
    this.#withdrawn = withdrawn
    this.isOpen = true
  }

  /** Nobody gets it any more, those neither who are in the middle of it. */
  withdraw () {
    if (!this.isOpen) return
    this.isOpen = false
    this.#withdrawn()
    for (const stream of this.#streams) stream.abort(makeError('FileGoneError', `${this.name} was withdrawn`, 'FILE_GONE'))
  }

  /** @param {any} stream @param {string} peer @param {number} from */
  async serve (stream, peer, from) {
    const tell = (/** @type {string} */ type, /** @type {object} */ more = {}) => this.dispatchEvent(new CustomEvent(type, { detail: { peer, ...more } }))
    this.#streams.add(stream)
    const ended = new Promise((resolve, reject) => {
      stream.addEventListener('remoteCloseWrite', resolve, { once: true })
      stream.addEventListener('close', (/** @type {any} */ { error }) => error === undefined ? resolve(undefined) : reject(error), { once: true })
    })
    ended.catch(() => {})
    try {
      answer(stream, 'giving', { size: this.size })
      for (let at = from; at < this.size; at += CHUNK) {
        const bytes = new Uint8Array(await this.blob.slice(at, at + CHUNK).arrayBuffer())
        if (!stream.send(bytes)) await stream.onDrain({ signal: AbortSignal.timeout(SILENCE_MS) })
        tell('progress', { sent: Math.min(at + CHUNK, this.size), size: this.size })
      }
      await stream.close({ signal: AbortSignal.timeout(SILENCE_MS) })
      await orAbort(ended, AbortSignal.timeout(SILENCE_MS))
      tell('done')
    } catch (/** @type {any} */ error) {
      stream.abort(error)
      tell('cancel', { error })
    } finally {
      this.#streams.delete(stream)
    }
  }
}

/**
 * A file that somebody offers. `name` is fit for saving, `type` and `data` are what they say. Event: `gone`,
 * when it was withdrawn.
 */
export class RemoteFile extends EventTarget {
  #files
  #id

  /** @param {Files} files @param {string} from @param {Record<string, any>} offer */
  constructor (files, from, { file, size, name, type, payload }) {
    super()
    this.#files = files
    this.#id = file
    this.id = hexOf(file)
    this.from = from
    this.name = tidyName(name)
    this.size = size
    this.type = type
    this.data = payload
    this.isGone = false
  }

  /**
   * Brings it here, over a direct connection. Where the connection goes it is taken up again from where it
   * was, for `timeout` ms without a byte.
   *
   * @param {object} [options]
   * @param {AbortSignal} [options.signal] gives up, which the other side is told
   * @param {(received: number, size: number) => void} [options.onProgress]
   * @param {WritableStream<Uint8Array>} [options.to] where the bytes go as they come; without it they make a Blob
   * @param {number} [options.timeout] 30000
   * @returns {Promise<Blob | undefined>} of no type that a browser would show, whatever is in it
   * @throws FileGoneError, FileLostError, LimitedConnectionError where only a relay leads there, AbortError, and
   *   what `to` throws
   */
  async fetch ({ signal, onProgress = () => {}, to, timeout = RESUME_MS } = {}) {
    const sink = to === undefined ? new Parts() : to.getWriter()
    let received = 0
    let heardAt = performance.now()
    let isFull = false
    const onBytes = async (/** @type {Uint8Array} */ bytes) => {
      heardAt = performance.now()
      received += bytes.length
      await sink.write(bytes).catch((/** @type {any} */ err) => {
        isFull = true
        throw err
      })
      onProgress(received, this.size)
    }
    try {
      for (;;) {
        try {
          if (signal?.aborted) throw abortReason(signal)
          if (this.isGone) throw makeError('FileGoneError', `${this.name} was withdrawn`, 'FILE_GONE')
          await this.#files.take(this.from, this.#id, received, this.size, onBytes, signal, timeout)
          break
        } catch (/** @type {any} */ err) {
          if (signal?.aborted || isFull || err.name === 'FileGoneError' || err.name === 'RoomProtocolError') throw err
          if (performance.now() - heardAt > timeout) throw lost(this, received, err)
          await wait(RETRY_MS, signal)
        }
      }
      await sink.close()
      return sink instanceof Parts ? sink.blob : undefined
    } catch (err) {
      await sink.abort(err).catch(() => {})
      throw err
    }
  }
}

/** @param {RemoteFile} file @param {number} received @param {any} err */
function lost ({ from, name, size }, received, err) {
  if (err.name === 'LimitedConnectionError') {
    return makeError('LimitedConnectionError', `only a relay leads to ${from}, and that is for short messages: a file needs a direct connection, which has not come about`, 'LIMITED')
  }
  return Object.assign(makeError('FileLostError', `${name} is not all here (${received} of ${size} bytes): the connection to ${from} has gone and did not come back (${err.message}). Fetch it again when they are in the room`, 'FILE_LOST'), { cause: err })
}

/** Bytes that become a Blob, which browsers keep where there is room. */
class Parts {
  /** @type {Blob[]} */
  #blobs = []
  /** @type {BlobPart[]} */
  #some = []
  #length = 0

  /** @param {Uint8Array} bytes */
  async write (bytes) {
    this.#some.push(/** @type {BlobPart} */ (bytes))
    this.#length += bytes.length
    if (this.#length >= PART) this.#pack()
  }

  #pack () {
    this.#blobs.push(new Blob(this.#some))
    this.#some = []
    this.#length = 0
  }

  async close () { this.#pack() }
  async abort () { this.#blobs = this.#some = [] }
  get blob () { return new Blob(this.#blobs, { type: 'application/octet-stream' }) }
}

/** The files of a room. */
export class Files {
  #node
  #protocol
  #limit
  /** Ours, the oldest first. @type {Map<string, Offer>} */
  #offers = new Map()
  /** Others', for when they are withdrawn. @type {Map<string, RemoteFile>} */
  #known = new Map()
  #served = 0

  /** @param {any} node @param {string} protocol @param {number} limit bytes of a file that others offer */
  constructor (node, protocol, limit) {
    this.#node = node
    this.#protocol = protocol
    this.#limit = limit
  }

  /**
   * @param {Blob} blob
   * @param {string} name
   * @param {(id: Uint8Array) => void} withdrawn
   */
  add (blob, name, withdrawn) {
    const id = crypto.getRandomValues(new Uint8Array(16))
    const offer = new Offer(id, blob, name, () => {
      this.#offers.delete(offer.id)
      withdrawn(id)
    })
    this.#offers.set(offer.id, offer)
    if (this.#offers.size > OFFERS) [...this.#offers.values()][0].withdraw()
    return { id, offer }
  }

  withdrawAll () { for (const offer of this.#offers.values()) offer.withdraw() }

  /** @param {string} from @param {Record<string, any>} frame an `offer` @returns {RemoteFile | undefined} */
  hear (from, frame) {
    if (frame.size > this.#limit) return undefined
    const file = new RemoteFile(this, from, frame)
    this.#known.set(`${from} ${file.id}`, file)
    if (this.#known.size > KNOWN) this.#known.delete(/** @type {string} */ (this.#known.keys().next().value))
    return file
  }

  /** @param {string} from @param {Uint8Array} id */
  withdrawn (from, id) {
    const file = this.#known.get(`${from} ${hexOf(id)}`)
    if (file === undefined) return
    file.isGone = true
    file.dispatchEvent(new Event('gone'))
  }

  /** Answers a `fetch`. @param {any} stream @param {string} peer @param {Record<string, any>} frame @param {boolean} isLimited */
  async serve (stream, peer, { file, from }, isLimited) {
    const offer = this.#offers.get(hexOf(file))
    const code = offer === undefined || from > offer.size ? GONE : this.#served >= SERVED || isLimited ? BUSY : 0
    if (offer === undefined || code !== 0) {
      answer(stream, 'refusal', { code })
      return await stream.close()
    }
    this.#served++
    try {
      await offer.serve(stream, peer, from)
    } finally {
      this.#served--
    }
  }

  /** A connection that is not a relay's. @param {string} peer @param {AbortSignal} signal */
  async #connect (peer, signal) {
    const direct = () => this.#node.getConnections().find((/** @type {any} */ { remotePeer, limits }) => limits === undefined && String(remotePeer) === peer)
    const known = this.#node.getPeers().find((/** @type {any} */ id) => String(id) === peer)
    return direct() ?? await this.#node.dial(known ?? peer, { signal })
  }

  /**
   * Fetches all of a file from a byte on.
   *
   * @param {string} peer
   * @param {Uint8Array} id
   * @param {number} from
   * @param {number} size as it was offered
   * @param {(bytes: Uint8Array) => Promise<void>} onBytes
   * @param {AbortSignal | undefined} signal
   * @param {number} timeout ms without a byte
   */
  async take (peer, id, from, size, onBytes, signal, timeout) {
    const silence = AbortSignal.timeout(timeout)
    const connection = await orAbort(this.#connect(peer, silence), signal)
    const stream = await orAbort(connection.newStream(this.#protocol, { signal: silence }), signal)
    const stop = () => stream.abort(abortReason(signal))
    let timer = setTimeout(() => stream.abort(makeError('TimeoutError', `${peer} sends no more`, 'TIMEOUT')), timeout)
    if (signal?.aborted) stop()
    signal?.addEventListener('abort', stop)
    try {
      answer(stream, 'fetch', { file: id, from })
      const reader = new FrameReader()
      let isGiving = false
      for await (const part of stream) {
        let bytes = part instanceof Uint8Array ? part : part.subarray()
        clearTimeout(timer)
        timer = setTimeout(() => stream.abort(makeError('TimeoutError', `${peer} sends no more`, 'TIMEOUT')), timeout)
        if (!isGiving) {
          const rest = reader.feed(bytes)
          if (rest === undefined) continue
          this.#check(readFrame(reader.take()), size)
          isGiving = true
          bytes = rest
        }
        if (bytes.length > size - from) throw makeError('RoomProtocolError', `${peer} sends more than the file has`, 'ROOM_FRAME')
        from += bytes.length
        if (bytes.length > 0) await onBytes(bytes)
        if (from === size) break
      }
      if (from < size || !isGiving) throw makeError('StreamClosedError', 'the stream ended in the middle of the file', 'CLOSED')
      await stream.close()
    } catch (/** @type {any} */ err) {
      stream.abort(err)
      throw err
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
    }
  }

  /** @param {Record<string, any> | undefined} frame @param {number} size */
  #check (frame, size) {
    if (frame?.kind === 'giving' && frame.size === size) return
    if (frame?.kind === 'refusal' && frame.code === GONE) throw makeError('FileGoneError', 'the file is not offered any more', 'FILE_GONE')
    if (frame?.kind === 'refusal') throw makeError('BusyError', 'the peer gives files to many others just now', 'BUSY')
    throw makeError('RoomProtocolError', 'the peer sends another file than it offered', 'ROOM_FRAME')
  }
}

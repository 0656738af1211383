// Direct messages, to one person and nobody else, as the universal-connectivity application has them:
// a stream for each, with one request and one response.
import { field, leave, parseFields, readFrame, textOf, WireError, within, writeFrame } from './wire.js'

export const DIRECT_PROTOCOL = '/universal-connectivity/dm/1.0.0'

const REQUEST_LIMIT = 32 * 1024 // bytes: more than our own longest message
const RESPONSE_LIMIT = 4 * 1024
const TIMEOUT_MS = 5000 // for an answer, and for a question that was begun
const OK = 200
const ERROR = 500
const PLAIN_TEXT = 'text/plain'

// Request: 1 metadata, 2 content, 3 type. Response: 1 metadata, 2 status, 3 what is wrong.
// Metadata: 1 version of the client, 2 ms since 1970; js-libp2p's peers insist on there being some.
const metadata = () => field(1, [...field(1, 'peerlet'), ...field(2, Date.now())])

/** @param {string} text */
export const requestOf = (text) => Uint8Array.from([...metadata(), ...field(2, text), ...field(3, PLAIN_TEXT)])

/** @param {number} status @param {string} why */
export const responseOf = (status, why = '') => Uint8Array.from([...metadata(), ...field(2, status), ...field(3, why)])

/** @param {Map<number, bigint | Uint8Array>} fields @param {number} number */
function textIn (fields, number) {
  const value = fields.get(number) ?? new Uint8Array(0)
  if (typeof value === 'bigint') throw new WireError('it is not a message of this protocol')
  return textOf(value)
}

/** @param {Uint8Array} request @returns {string} the text @throws WireError */
export function parseRequest (request) {
  const fields = parseFields(request)
  const type = textIn(fields, 3)
  if (type !== PLAIN_TEXT) throw new WireError(`only ${PLAIN_TEXT} is read here`)
  const text = textIn(fields, 2).trim()
  if (text === '') throw new WireError('it has no text')
  return text
}

/** @param {Uint8Array} response @throws WireError, and RefusedError unless it says that the message has arrived */
export function checkResponse (response) {
  const fields = parseFields(response)
  if (fields.get(2) === BigInt(OK)) return
  throw Object.assign(new Error(textIn(fields, 3).slice(0, 200) || 'no reason was given'), { name: 'RefusedError' })
}

/** Fires `message`: who it is `from`, and its `text`. */
export class Direct extends EventTarget {
  #node

  /** @param {import('peerlet').Libp2p} node */
  constructor (node) {
    super()
    this.#node = node
  }

  /** From now on messages are taken. */
  async start () {
    await this.#node.handle(DIRECT_PROTOCOL, (stream, { remotePeer }) => this.#receive(stream, String(remotePeer)), { runOnLimitedConnection: true, maxInboundStreams: 4 })
  }

  /** Resolves when the other side says that it has the message. @param {string} to Peer ID @param {string} text */
  async send (to, text) {
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const stream = await this.#node.dialProtocol(to, DIRECT_PROTOCOL, { signal, runOnLimitedConnection: true })
    await within(stream, TIMEOUT_MS, async () => {
      await writeFrame(stream, requestOf(text))
      const response = await readFrame(stream, RESPONSE_LIMIT)
      await stream.close()
      await leave(stream)
      checkResponse(response)
    })
  }

  /** @param {import('peerlet').Stream} stream @param {string} from */
  async #receive (stream, from) {
    await within(stream, TIMEOUT_MS, async () => {
      try {
        const text = parseRequest(await readFrame(stream, REQUEST_LIMIT))
        await writeFrame(stream, responseOf(OK))
        this.dispatchEvent(new CustomEvent('message', { detail: { from, text } }))
      } catch (err) {
        if (!(err instanceof WireError)) throw err
        await writeFrame(stream, responseOf(ERROR, err.message))
      }
      await stream.close()
      await leave(stream)
    })
  }
}

// The universal-connectivity application without its face: what it says and answers, on any js-libp2p
// node, in Node or in a page.
import { lpStream, pbStream } from '@libp2p/utils'
import { peerIdFromString } from '@libp2p/peer-id'
import { decodeMessage, encodeMessage, message } from 'protons-runtime'

export const TOPIC = 'universal-connectivity'
export const FILE_TOPIC = 'universal-connectivity-file'
export const DISCOVERY_TOPIC = 'universal-connectivity-browser-peer-discovery'
export const FILE_PROTOCOL = '/universal-connectivity-file/1'
export const DIRECT_PROTOCOL = '/universal-connectivity/dm/1.0.0'

const TIMEOUT_MS = 5000

/** Its message ids know the sequence number only. @param {any} message */
export async function messageId ({ sequenceNumber }) {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(String(sequenceNumber))))
}

/** @param {Array<[number, string, any]>} fields number, name, and 'string', 'int64', 'int32' or another codec */
function proto (fields) {
  const codec = message((object, writer, { lengthDelimited = true } = {}) => {
    if (lengthDelimited) writer.fork()
    for (const [number, name, type] of fields) {
      if (!object[name]) continue
      const isText = typeof type !== 'string' || type === 'string'
      writer.uint32(number << 3 | (isText ? 2 : 0))
      if (typeof type === 'string') writer[type](object[name])
      else type.codec.encode(object[name], writer)
    }
    if (lengthDelimited) writer.ldelim()
  }, (reader, length) => {
    const object = {}
    const end = length === undefined ? reader.len : reader.pos + length
    while (reader.pos < end) {
      const tag = reader.uint32()
      const [, name, type] = fields.find(([number]) => number === tag >>> 3) ?? []
      if (name === undefined) reader.skipType(tag & 7)
      else object[name] = typeof type === 'string' ? reader[type]() : type.codec.decode(reader, reader.uint32())
    }
    return object
  }, function * () {})
  return { codec, encode: (object) => encodeMessage(object, codec), decode: (bytes) => decodeMessage(bytes, codec) }
}

const Metadata = proto([[1, 'clientVersion', 'string'], [2, 'timestamp', 'int64']])
export const Request = proto([[1, 'metadata', Metadata], [2, 'content', 'string'], [3, 'type', 'string']])
export const Response = proto([[1, 'metadata', Metadata], [2, 'status', 'int32'], [3, 'statusText', 'string']])

const metadata = () => ({ clientVersion: '0.0.1', timestamp: BigInt(Date.now()) })

export const gossip = { allowPublishToZeroTopicPeers: true, msgIdFn: messageId, ignoreDuplicatePublishError: true }

/**
 * @param {any} node
 * @param {(heard: { topic: string, from: string, text: string, bytes?: Uint8Array }) => void} onHeard a
 *   message, a file that was announced and then fetched, or a message to us alone
 */
export async function universal (node, onHeard) {
  const { pubsub } = node.services
  /** @type {Map<string, Uint8Array>} */
  const files = new Map()

  async function fetchFile (from, id) {
    const stream = await node.dialProtocol(peerIdFromString(from), FILE_PROTOCOL)
    const messages = lpStream(stream)
    await messages.write(new TextEncoder().encode(id))
    const bytes = (await messages.read()).slice()
    await stream.close()
    return bytes
  }

  await node.handle(FILE_PROTOCOL, async (stream) => {
    const messages = lpStream(stream)
    const bytes = files.get(new TextDecoder().decode((await messages.read()).subarray()))
    if (bytes === undefined) return stream.abort(new Error('no such file'))
    await messages.write(bytes)
    await stream.close()
  })
  await node.handle(DIRECT_PROTOCOL, async (stream, connection) => {
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const messages = pbStream(stream)
    const { content } = await messages.read(Request, { signal })
    await messages.write({ metadata: metadata(), status: 200 }, Response, { signal })
    onHeard({ topic: DIRECT_PROTOCOL, from: String(connection.remotePeer), text: content })
    await stream.close()
  })
  pubsub.addEventListener('message', async ({ detail: { topic, from, data, type } }) => {
    if (type !== 'signed' || ![TOPIC, FILE_TOPIC].includes(topic)) return
    const heard = { topic, from: String(from), text: new TextDecoder().decode(data) }
    if (topic === TOPIC) return onHeard(heard)
    await fetchFile(heard.from, heard.text).then((bytes) => onHeard({ ...heard, bytes }), (err) => onHeard({ ...heard, text: String(err) }))
  })
  pubsub.subscribe(TOPIC)
  pubsub.subscribe(FILE_TOPIC)

  return {
    /** @param {string} text */
    say: (text) => pubsub.publish(TOPIC, new TextEncoder().encode(text)),

    /** @param {string} id @param {Uint8Array} bytes */
    async share (id, bytes) {
      files.set(id, bytes)
      await pubsub.publish(FILE_TOPIC, new TextEncoder().encode(id))
    },

    /** To one person, who says that it arrived. @param {string} to @param {string} text */
    async tell (to, text) {
      const signal = AbortSignal.timeout(TIMEOUT_MS)
      const stream = await node.dialProtocol(peerIdFromString(to), DIRECT_PROTOCOL, { signal })
      const messages = pbStream(stream)
      await messages.write({ metadata: metadata(), content: text, type: 'text/plain' }, Request, { signal })
      const { metadata: theirs, status } = await messages.read(Response, { signal })
      await stream.close()
      if (theirs === undefined || status !== 200) throw new Error(`status ${status}`)
    }
  }
}

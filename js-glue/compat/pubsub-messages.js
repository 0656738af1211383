import { StrictNoSign, publicKeyToProtobuf } from '../index.js'

/**
 * What js-libp2p's router does with a message between the network and the application: it names it, transforms its data,
 * and, with asyncValidation, gives it out before it is judged.
 */

/** So many messages wait for reportMessageValidationResult, as in the core; the next one is in place of the first. */
const WAITING_MAX = 1000

/** @param {bigint} number */
function bigEndian (number) {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, number)
  return bytes
}

const text = (/** @type {any} */ what) => new TextEncoder().encode(String(what))

const digest = async (/** @type {any} */ bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))

/** The ids that the core knows messages by. @type {Record<string, (message: any) => Uint8Array | Promise<Uint8Array>>} */
const IDS = {
  js: ({ from, key, sequenceNumber }) => Uint8Array.of(...publicKeyToProtobuf(from.publicKey ?? key), ...bigEndian(sequenceNumber)),
  rust: ({ from, sequenceNumber }) => text(`${from}${sequenceNumber}`),
  sha256: ({ data }) => digest(data),
  spec: ({ from, sequenceNumber }) => Uint8Array.of(...from.toMultihash().bytes, ...bigEndian(sequenceNumber))
}
IDS.go = IDS.spec

const base64 = (/** @type {Uint8Array} */ bytes) => btoa(String.fromCharCode(...bytes)).replace(/=+$/, '')

/** @param {Record<string, any>} options of gossipsub() */
const idsOf = ({ messageId, msgIdFn, globalSignaturePolicy }) => msgIdFn ?? IDS[messageId ?? (globalSignaturePolicy === StrictNoSign ? 'sha256' : 'js')]

/** The same message with its data as the application knows it. @param {any} message @param {Uint8Array} data */
const withData = (message, data) => Object.defineProperties({}, { ...Object.getOwnPropertyDescriptors(message), data: { value: data, enumerable: true } })

/**
 * The options that the node is given. The ids of messages whose data is transformed are those of what it was before.
 *
 * @param {Record<string, any>} options
 */
export function optionsOfNode ({ asyncValidation, dataTransform, msgIdToStrFn, fastMsgIdFn, metricsRegister, ...options }) {
  if (options.scoreParams !== undefined) options.scoreParams = { ...options.scoreParams, IPColocationFactorWhitelist: undefined }
  const idOf = idsOf(options)
  if (dataTransform === undefined || (idOf !== options.msgIdFn && idOf !== IDS.sha256)) return options
  const msgIdFn = (/** @type {any} */ message) => {
    let data
    try {
      data = dataTransform.inboundTransform(message.topic, message.data)
    } catch {
      return digest(message.data) // some id it must have, to be rejected
    }
    return idOf(withData(message, data))
  }
  return { ...options, msgIdFn }
}

/**
 * @param {any} pubsub
 * @param {Record<string, any>} options of gossipsub()
 */
export function passMessages (pubsub, options) {
  const { asyncValidation = false, dataTransform, msgIdToStrFn = base64 } = options
  const idOf = idsOf(options)
  const dispatch = pubsub.dispatchEvent.bind(pubsub)
  /** As the application sees it, made once. @type {WeakMap<object, any>} */
  const seen = new WeakMap()
  /** Given out before they were judged. */
  const told = new WeakSet()
  /** @type {Map<string, (verdict: string) => void>} */
  const waiting = new Map()

  /** @param {any} message @throws what inboundTransform throws */
  function see (message) {
    if (dataTransform === undefined) return message
    if (!seen.has(message)) seen.set(message, withData(message, dataTransform.inboundTransform(message.topic, message.data)))
    return seen.get(message)
  }

  /** @param {string} type @param {any} detail */
  const tell = (type, detail) => dispatch(new CustomEvent(type, { detail }))

  /** @param {any} propagationSource @param {any} msg @param {Uint8Array} id */
  const tellNamed = (propagationSource, msg, id) => tell('gossipsub:message', { propagationSource, msgId: msgIdToStrFn(id), msg })

  pubsub.dispatchEvent = (/** @type {any} */ event) => {
    const { type, detail } = event
    if (type === 'message') return told.has(detail) || tell(type, see(detail))
    if (type !== 'gossipsub:message' || detail.msgId !== undefined) return dispatch(event)
    if (told.has(detail.msg)) return true
    const msg = see(detail.msg)
    const id = idOf(msg)
    if (id instanceof Uint8Array) return tellNamed(detail.propagationSource, msg, id)
    id.then((/** @type {Uint8Array} */ bytes) => tellNamed(detail.propagationSource, msg, bytes), () => {}) // it was named before, or would not be here
    return true
  }

  /** js-libp2p's: a message that was given out goes on, or its sender is blamed. */
  const report = (/** @type {string} */ msgId, /** @type {any} */ propagationSource, /** @type {string} */ acceptance) => {
    waiting.get(msgId)?.(acceptance)
    waiting.delete(msgId)
  }
  Object.defineProperty(pubsub, 'reportMessageValidationResult', { value: report })
  if (!asyncValidation && dataTransform === undefined) return

  /** @param {any} peer @param {any} message @param {any} msg */
  async function giveOut (peer, message, msg) {
    const id = await idOf(msg)
    const msgId = msgIdToStrFn(id)
    const verdict = new Promise((resolve) => waiting.set(msgId, resolve))
    if (waiting.size > WAITING_MAX) report([...waiting.keys()][0], undefined, 'ignore')
    told.add(message)
    tellNamed(peer, msg, id)
    tell('message', msg)
    return await verdict
  }

  // The application's validators, and before and after them what it asked for in options: for every topic.
  const validators = new Map()
  pubsub.topicValidators.get = (/** @type {string} */ topic) => async (/** @type {any} */ peer, /** @type {any} */ message) => {
    let msg
    try {
      msg = see(message)
    } catch {
      return 'reject'
    }
    const verdict = await validators.get(topic)?.(peer, msg) ?? 'accept'
    return verdict === 'accept' && asyncValidation ? await giveOut(peer, message, msg) : verdict
  }
  Object.defineProperty(pubsub, 'topicValidators', { value: validators })
}

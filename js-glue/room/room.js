import { abortReason, makeError, report } from '../errors.js'
import { checkAction, register } from './actions.js'
import { concat, framesOf, newSession, readFrame, SEEN_LIMIT, writeFrame, writePayload } from './codec.js'
import { Files } from './files.js'
import { Heard } from './heard.js'
import { Outbox, Recent } from './outbox.js'
import { Pair } from './pair.js'
import { Questions } from './questions.js'
import { Sent } from './sent.js'

/** Members that we have a stream with. What others in a larger room say arrives by pubsub nevertheless. */
const PEERS = 256
/** Messages of the topic that wait to be opened. */
const UNOPENED = 1024
const SEEN_MS = 50
/** A member whose stream went is away for so long before it has left, while it is connected. */
const AWAY_MS = 5000
const CONNECT_MS = 15_000
const RETRY_MS = [250, 1000, 4000, 16_000]
/** So long after pubsub reached nobody, though somebody is here, it is tried again. */
const UNREACHED_MS = 1000
/** Unread bytes at a peer from which on nothing more is said to it. */
const SLOW = 1024 * 1024
/** What a file of others may have, in bytes. */
const FILE_LIMIT = 1024 * 1024 * 1024

const encoder = new TextEncoder()

/**
 * What came with a message: `from` is the Peer ID of its author, which is proven.
 *
 * @typedef {{ from: string }} About
 * @typedef {About & { signal: AbortSignal }} AskAbout `signal` aborts when the asker has given up or left
 */

/**
 * A room: who else is in it, and what they say. `joinRoom` makes it. Events are CustomEvents:
 *
 * | event | detail |
 * | --- | --- |
 * | `join`, `leave` | the Peer ID of who came or went, as text |
 * | `file` | a RemoteFile that somebody offers |
 * | `sent` | a Sent whose state has changed |
 *
 * @template {Record<string, any>} [Actions=Record<string, any>] what each action carries
 */
export class Room extends EventTarget {
  #node
  #secret
  #ownsNode
  #files
  /** Of this time that we are in the room. */
  #session = newSession()
  #number = 0
  #heard = new Heard()

  /** Who is subscribed to the topic and connected. @type {Map<string, any>} */
  #subscribed = new Map()
  /** @type {Map<string, Pair>} */
  #pairs = new Map()
  /** @type {Set<string>} */
  #peers = new Set()
  /** Peers to whom a stream is being opened, or opened again. @type {Set<string>} */
  #connecting = new Set()
  /** @type {Map<string, ReturnType<typeof setTimeout>>} */
  #away = new Map()

  /** @type {Map<string, (data: any, about: About) => any>} */
  #listeners = new Map()
  #questions = new Questions((peer) => this.#pairs.get(peer), () => ++this.#number)

  #recent = new Recent()
  #outbox = new Outbox((frame) => this.#publish(frame), (sent) => this.#tell('sent', sent))
  /** What others are to be told that we have seen. @type {Map<string, number[]>} */
  #seen = new Map()
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #seenTimer
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #unreachedTimer
  /** @type {Promise<void>} what is opened, in its order */
  #inbox = Promise.resolve()
  #unopened = 0
  #isIn = false
  /** Ends with our stay: its listeners, and what waits. */
  #stay = new AbortController()

  /**
   * @param {any} node
   * @param {string} name
   * @param {object} settings
   * @param {string} settings.topic
   * @param {import('./secret.js').Secret} [settings.secret]
   * @param {boolean} settings.ownsNode
   * @param {number} [settings.maxFileSize]
   */
  constructor (node, name, { topic, secret, ownsNode, maxFileSize = FILE_LIMIT }) {
    super()
    this.#node = node
    this.#secret = secret
    this.#ownsNode = ownsNode
    this.#files = new Files(node, topic, maxFileSize)
    this.name = name
    /** Of pubsub, and the name of the stream protocol. */
    this.topic = topic
    /** Our own Peer ID. */
    this.self = String(node.peerId)
    this.isEncrypted = secret !== undefined
    /** @type {'joined' | 'left'} */
    this.status = 'joined'
  }

  /** The node that carries it, with everything else that a node can do. @returns {import('../index.js').Libp2p} */
  get node () { return this.#node }

  /** The Peer IDs of the others who are here. */
  get peers () { return [...this.#peers] }

  // ---- coming and going

  /** For `joinRoom`. */
  async begin () {
    await this.#enter()
    if (typeof document === 'undefined') return
    // Others see at once that we left, and not only when we have been silent for too long.
    const { signal } = this.#stay
    globalThis.addEventListener('pagehide', () => this.#exit(), { signal })
    globalThis.addEventListener('pageshow', ({ persisted }) => { if (persisted) this.#enter().catch(report) }, { signal })
  }

  async #enter () {
    const { pubsub } = this.#node.services
    if (this.#isIn) return
    try {
      await this.#node.handle(this.topic, (/** @type {any} */ stream, /** @type {any} */ connection) => this.#onStream(stream, connection), { runOnLimitedConnection: true, maxInboundStreams: 32, maxOutboundStreams: 32 })
    } catch (/** @type {any} */ err) {
      if (err.name !== 'DuplicateProtocolHandlerError') throw err
      throw makeError('AlreadyJoinedError', `this node is in the room "${this.name}" already: use the room that joinRoom gave, or leave it first`, 'DUPLICATE')
    }
    this.#isIn = true
    for (const [target, type, listener] of this.#watch) target(this.#node).addEventListener(type, listener)
    pubsub.subscribe(this.topic)
    this.#look()
  }

  #exit () {
    if (!this.#isIn) return
    this.#isIn = false
    for (const [target, type, listener] of this.#watch) target(this.#node).removeEventListener(type, listener)
    this.#node.services.pubsub.unsubscribe(this.topic)
    this.#node.unhandle(this.topic)
    for (const peer of this.peers) this.#gone(peer)
    for (const pair of this.#pairs.values()) pair.close()
    this.#pairs.clear()
    this.#subscribed.clear()
    // What is heard after this is of another stay.
    this.#session = newSession()
    this.#recent = new Recent()
  }

  /** @type {Array<[(node: any) => any, string, (event: any) => void]>} */
  #watch = [
    [(node) => node.services.pubsub, 'message', ({ detail }) => this.#onMessage(detail)],
    [(node) => node.services.pubsub, 'subscription-change', ({ detail }) => {
      for (const { topic, subscribe } of detail.subscriptions) {
        if (topic === this.topic) this.#notice(detail.peerId, subscribe)
      }
    }],
    [(node) => node, 'peer:disconnect', ({ detail }) => this.#notice(detail, false)],
    [(node) => node, 'connection:open', ({ detail }) => {
      if (detail.limits === undefined) this.#improve(String(detail.remotePeer))
    }]
  ]

  /** Those who were there before us, or for whom there was no room. */
  #look () {
    for (const peer of this.#node.services.pubsub.getSubscribers(this.topic)) this.#notice(peer, true)
  }

  /** @param {any} id @param {boolean} isThere */
  #notice (id, isThere) {
    const peer = String(id)
    if (isThere) {
      if (this.#subscribed.has(peer) || this.#subscribed.size >= PEERS) return
      this.#subscribed.set(peer, id)
      this.#connect(peer)
      this.#check(peer)
    } else if (this.#subscribed.delete(peer)) {
      this.#pairs.get(peer)?.close()
      this.#pairs.delete(peer)
      this.#gone(peer)
      if (this.#subscribed.size === PEERS - 1) this.#look()
    }
  }

  /** Whoever has both said hello and is heard by pubsub is in the room. @param {string} peer */
  #check (peer) {
    if (!this.#pairs.has(peer) || !this.#subscribed.has(peer)) return
    clearTimeout(this.#away.get(peer))
    this.#away.delete(peer)
    if (this.#peers.has(peer)) return
    this.#peers.add(peer)
    this.#tell('join', peer)
    this.#outbox.flush()
  }

  /** @param {string} peer */
  #gone (peer) {
    clearTimeout(this.#away.get(peer))
    this.#away.delete(peer)
    this.#seen.delete(peer)
    this.#questions.gone(peer, left(peer))
    if (this.#peers.delete(peer)) this.#tell('leave', peer)
  }

  /** @param {string} type @param {any} detail */
  #tell (type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })) }

  /**
   * Leaves the room. A node that `joinRoom` made stops, one that it was given goes on.
   */
  async leave () {
    if (this.status === 'left') return
    this.status = 'left'
    this.#stay.abort(makeError('RoomLeftError', 'we have left the room', 'LEFT'))
    this.#files.withdrawAll()
    await this.#outbox.empty()
    this.#exit()
    this.#outbox.failAll(abortReason(this.#stay.signal))
    if (this.#ownsNode) await this.#node.stop()
  }

  async [Symbol.asyncDispose] () { await this.leave() }

  #needHere () {
    if (this.status === 'left') throw makeError('RoomLeftError', 'we have left the room: join it again with joinRoom', 'LEFT')
  }

  // ---- streams with each of the others

  get #context () {
    return {
      self: this.self,
      session: this.#session,
      secret: this.#secret,
      onReady: (/** @type {Pair} */ pair) => this.#onReady(pair),
      onFrame: (/** @type {Pair} */ pair, /** @type {Record<string, any>} */ frame) => this.#onFrame(pair, frame)
    }
  }

  /** Opens the stream, and again as often as it is lost; only one of the two does. @param {string} peer */
  async #connect (peer) {
    if (this.self > peer || this.#connecting.has(peer)) return
    this.#connecting.add(peer)
    const isWanted = () => this.#subscribed.has(peer) && this.status === 'joined'
    for (let tries = 0; isWanted(); tries++) {
      try {
        const signal = AbortSignal.timeout(CONNECT_MS)
        const connection = await this.#node.dial(this.#subscribed.get(peer), { signal })
        const stream = await connection.newStream(this.topic, { signal, runOnLimitedConnection: true })
        const pair = new Pair(stream, peer, connection.limits !== undefined, this.#context)
        // What follows goes on by itself; when it ends, it is for #onEnd to begin anew.
        this.#run(pair, () => pair.run())
        break
      } catch {
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]))
      }
    }
    this.#connecting.delete(peer)
  }

  /** From a relay to the direct connection, where there is one now. @param {string} peer */
  #improve (peer) {
    if (this.#pairs.get(peer)?.isLimited && this.#isDirect(peer)) this.#connect(peer)
  }

  /** @param {string} peer */
  #isDirect (peer) {
    return this.#node.getConnections().some((/** @type {any} */ { limits, remotePeer }) => limits === undefined && String(remotePeer) === peer)
  }

  /** @param {any} stream @param {any} connection */
  async #onStream (stream, connection) {
    const peer = String(connection.remotePeer)
    const isLimited = connection.limits !== undefined
    const late = setTimeout(() => stream.abort(makeError('TimeoutError', `${peer} opened a stream of the room and says nothing`, 'TIMEOUT')), CONNECT_MS)
    const frames = framesOf(stream)
    const { value: first } = await frames.next().finally(() => clearTimeout(late))
    if (first?.kind === 'fetch') return await this.#files.serve(stream, peer, first, isLimited)
    if (first?.kind !== 'hello' || (this.#pairs.size >= PEERS && !this.#pairs.has(peer))) return stream.abort(makeError('RoomProtocolError', 'this is not how a stream of a room begins', 'ROOM_FRAME'))
    const pair = new Pair(stream, peer, isLimited, this.#context)
    await this.#run(pair, () => pair.run(frames, first))
  }

  /** @param {Pair} pair @param {() => Promise<void>} work */
  async #run (pair, work) {
    const began = performance.now()
    const hasEnded = await work().then(() => true, () => false)
    if (hasEnded) pair.close()
    const isCurrent = this.#pairs.get(pair.peer) === pair
    if (hasEnded && !isCurrent) return
    if (isCurrent) {
      this.#pairs.delete(pair.peer)
      clearTimeout(this.#away.get(pair.peer))
      // the end of one by a relay may come before the beginning of the direct one that takes its place
      if (hasEnded && !(pair.isLimited && this.#isDirect(pair.peer))) this.#gone(pair.peer)
      else this.#away.set(pair.peer, setTimeout(() => this.#gone(pair.peer), AWAY_MS))
    }
    // Whoever lets no stream live is tried at leisure.
    const wait = performance.now() - began < CONNECT_MS ? 1000 : 0
    if (this.#subscribed.has(pair.peer) && !this.#pairs.has(pair.peer)) setTimeout(() => this.#connect(pair.peer), wait)
  }

  /** @param {Pair} pair */
  #onReady (pair) {
    const before = this.#pairs.get(pair.peer)
    this.#pairs.set(pair.peer, pair)
    before?.close()
    this.#check(pair.peer)
    for (const { kind, fields } of this.#recent.missedBy(pair.peer, performance.now())) pair.send(kind, fields)
    this.#improve(pair.peer)
    if (this.#seen.has(pair.peer)) this.#tellSeen()
  }

  /** @param {Pair} pair @param {Record<string, any>} frame */
  #onFrame (pair, frame) {
    const { peer } = pair
    switch (frame.kind) {
      case 'say':
      case 'offer':
      case 'withdraw':
        if (this.#heard.isNew(peer, pair.session, frame.number, true)) this.#hear(peer, frame)
        break
      case 'seen': this.#outbox.onSeen(peer, frame.numbers); break
      default: this.#questions.onFrame(peer, frame)
    }
  }

  // ---- what is said to all

  /** @param {{ topic: string, data: Uint8Array, from?: any }} message */
  #onMessage ({ topic, data, from }) {
    if (topic !== this.topic || from === undefined) return
    const author = String(from)
    if (author === this.self) return
    if (this.#secret === undefined) return this.#take(author, data)
    if (this.#unopened >= UNOPENED) return
    this.#unopened++
    const { open } = this.#secret
    this.#inbox = this.#inbox.then(() => open(data, `${topic}\n${author}`)).then((bytes) => this.#take(author, bytes), () => {}) // of nobody who has the password
      .finally(() => { this.#unopened-- })
  }

  /** @param {string} author @param {Uint8Array} bytes */
  #take (author, bytes) {
    if (this.status === 'left') return
    let frame
    try {
      frame = readFrame(bytes.subarray(8))
    } catch {
      return
    }
    if (frame === undefined || !['say', 'offer', 'withdraw'].includes(frame.kind)) return
    const session = bytes.slice(0, 8)
    const present = this.#pairs.get(author)?.session
    if (present !== undefined && !present.every((byte, i) => byte === session[i])) return
    if (this.#heard.isNew(author, session, frame.number, present !== undefined)) this.#hear(author, frame)
  }

  /** @param {string} from @param {Record<string, any>} frame */
  #hear (from, frame) {
    try {
      if (frame.kind === 'say') {
        const listener = this.#listeners.get(frame.action)
        if (listener === undefined) return
        this.#sawOf(from, frame.number)
        listener(frame.payload, { from })
      } else if (frame.kind === 'offer') {
        const file = this.#files.hear(from, frame)
        if (file === undefined) return
        this.#sawOf(from, frame.number)
        this.#tell('file', file)
      } else {
        this.#files.withdrawn(from, frame.file)
      }
    } catch (err) {
      report(err)
    }
  }

  /** Tells the author, with others of the moment. @param {string} from @param {number} number */
  #sawOf (from, number) {
    // What comes by pubsub may be faster than the stream.
    if (!this.#subscribed.has(from)) return
    const numbers = this.#seen.get(from) ?? []
    if (numbers.length < SEEN_LIMIT) numbers.push(number)
    this.#seen.set(from, numbers)
    this.#seenTimer ??= setTimeout(() => this.#tellSeen(), SEEN_MS)
  }

  #tellSeen () {
    this.#seenTimer = undefined
    for (const [peer, numbers] of this.#seen) {
      const pair = this.#pairs.get(peer)
      if (pair === undefined) continue
      if (pair.waiting < SLOW) pair.send('seen', { numbers })
      this.#seen.delete(peer)
    }
  }

  /**
   * Says something to everybody, or to one. What is said while nobody is here waits for the first who comes;
   * who comes later is not told what was said before.
   *
   * @template {keyof Actions & string} Name
   * @param {Name} action what the others listen for with `on`
   * @param {Actions[Name]} [data] what JSON knows, or bytes; 56 KiB
   * @param {{ to?: string, signal?: AbortSignal }} [options] `to`: the Peer ID of the only one to hear it; `signal` takes back what still waits
   * @returns {Sent}
   * @throws MessageTooBigError, InvalidParametersError, RoomLeftError, PeerLeftError, SlowPeerError, QueueFullError
   */
  send (action, data, { to, signal } = {}) {
    this.#needHere()
    checkAction(action)
    return this.#send('say', { action, payload: writePayload(data) }, action, to, signal)
  }

  /** @param {string} kind @param {Record<string, any>} fields @param {string} action @param {string} [to] @param {AbortSignal} [signal] */
  #send (kind, fields, action, to, signal) {
    if (signal?.aborted) throw abortReason(signal)
    const pair = to === undefined ? undefined : this.#pairWith(to)
    const number = ++this.#number
    const sent = new Sent(number, action, to)
    this.#recent.add({ sent, kind, fields: { number, ...fields }, to: to === undefined ? this.peers : [to], at: performance.now() })
    if (pair !== undefined) {
      pair.send(kind, { number, ...fields })
      this.#outbox.track(sent)
      sent.onSent()
      return sent
    }
    const frame = concat(this.#session, writeFrame(kind, { number, ...fields }))
    if (kind !== 'withdraw') this.#outbox.track(sent)
    if (this.#peers.size > 0) this.#outbox.send(sent, frame)
    else this.#outbox.wait(sent, frame, signal)
    return sent
  }

  /** @param {Uint8Array<ArrayBuffer>} frame @returns {Promise<boolean>} false: it waits, for whoever comes or for pubsub to reach who is here */
  async #publish (frame) {
    const isOut = await this.#publishOnce(frame)
    if (!isOut && this.#peers.size > 0) {
      this.#unreachedTimer ??= setTimeout(() => {
        this.#unreachedTimer = undefined
        this.#outbox.flush()
      }, UNREACHED_MS)
    }
    return isOut
  }

  /** @param {Uint8Array<ArrayBuffer>} frame */
  async #publishOnce (frame) {
    try {
      const data = this.#secret === undefined ? frame : await this.#secret.seal(frame, `${this.topic}\n${this.self}`)
      const { recipients } = await this.#node.services.pubsub.publish(this.topic, data)
      return recipients.length > 0
    } catch (/** @type {any} */ err) {
      if (/NoPeersSubscribedToTopic/.test(`${err.name} ${err.code} ${err.message}`) || this.#peers.size === 0) return false
      throw err
    }
  }

  /**
   * Listens for an action. There is one listener for each; what nobody listens for is passed over.
   *
   * @template {keyof Actions & string} Name
   * @param {Name} action
   * @param {(data: Actions[Name], about: About) => any} listener `data` is what a stranger says: check it
   * @returns {() => void} ends it
   */
  on (action, listener) {
    return register(this.#listeners, action, listener)
  }

  // ---- questions

  /**
   * Asks one of the others, and resolves with what its `answer` returns.
   *
   * @template {keyof Actions & string} Name
   * @param {string} peer
   * @param {Name} action
   * @param {Actions[Name]} [data]
   * @param {{ signal?: AbortSignal, timeout?: number }} [options] `timeout`: 10000 ms
   * @returns {Promise<any>}
   * @throws PeerLeftError, TimeoutError, NoHandlerError, BusyError, RemoteError where the other side threw, AbortError
   */
  async ask (peer, action, data, options = {}) {
    this.#needHere()
    return await this.#questions.ask(this.#pairWith(peer), action, data, options)
  }

  /**
   * Answers what others `ask`. There is one answerer for each action.
   *
   * @template {keyof Actions & string} Name
   * @param {Name} action
   * @param {(data: Actions[Name], about: AskAbout) => any} answerer what it returns, or the promise of it, is
   *   the answer; the message of what it throws is told to who asked
   * @returns {() => void} ends it
   */
  answer (action, answerer) {
    return this.#questions.answer(action, answerer)
  }

  /** @param {string} peer @returns {Pair} */
  #pairWith (peer) {
    const pair = this.#pairs.get(peer)
    if (pair === undefined || !this.#peers.has(peer)) throw left(peer)
    if (pair.waiting > SLOW) throw makeError('SlowPeerError', `${peer} does not read what it was sent: wait, and try again`, 'SLOW')
    return pair
  }

  // ---- files

  /**
   * Offers a file: the others get an event `file`, and fetch it if they want to. It stays where it is, and
   * is read when somebody fetches it. Nobody is told who comes later: offer it again on `join` to those.
   *
   * @param {Blob} blob a File, or any Blob
   * @param {{ name?: string, data?: any, to?: string }} [options] `name`: unless it is a File's; `data`: goes with it; `to`: the only one to hear of it
   * @returns {import('./files.js').Offer & { sent: Sent }}
   * @throws as `send`
   */
  offer (blob, { name = /** @type {any} */ (blob).name ?? 'unnamed', data, to } = {}) {
    this.#needHere()
    const payload = writePayload(data)
    const { id, offer } = this.#files.add(blob, name, (file) => {
      try {
        if (this.#peers.size > 0) this.#send('withdraw', { file }, '', to)
      } catch {
        // Nobody is there to be told.
      }
    })
    try {
      const fields = { file: id, size: blob.size, name: cut(name, 255), type: cut(blob.type, 100), payload }
      return Object.assign(offer, { sent: this.#send('offer', fields, '', to) })
    } catch (err) {
      offer.withdraw()
      throw err
    }
  }
}

/** @param {string} peer */
const left = (peer) => makeError('PeerLeftError', `${peer} is not in the room: room.peers tells who is`, 'PEER_LEFT')

/** As much of a text as a field of so many bytes has room for. @param {string} text @param {number} limit */
const cut = (text, limit) => new TextDecoder().decode(encoder.encode(text).subarray(0, limit)).replace(/\ufffd+$/, '')

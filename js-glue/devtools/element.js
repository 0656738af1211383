import { Recorder, shortName } from './recorder.js'
import { CSS } from './style.js'
import { takeTrace } from './trace.js'

/** How often what changes by itself is looked at: ages, round trips, memory. */
const LOOK_MS = 1000

/** @typedef {ReturnType<typeof takeTrace>} Trace */

/** There is none where a page is rendered on a server. */
const Base = globalThis.HTMLElement ?? class {}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown>} properties
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
function element (tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties)
  made.append(...children)
  return made
}

/** @param {number} bytes */
const sizeOf = (bytes) => bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(0)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`

/** @param {number} ms */
function ageOf (ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`
}

/** @param {string} peer */
const nameOf = (peer) => element('b', { className: 'name', title: peer }, shortName(peer))

/** @param {string} text @param {string} kind */
const badge = (text, kind = '') => element('span', { className: `badge ${kind}` }, text)

/** @param {string} text */
const code = (text) => element('code', { title: text, translate: false }, text)

/** @param {Trace['connections'][number]} connection @param {number} now */
function connectionRow ({ peer, address, transport, isRelayed, direction, limits, rtt, openedAt, streams }, now) {
  const limit = limits === undefined ? [] : [badge(`limit ${limits.bytes === undefined ? '' : sizeOf(limits.bytes)}${limits.seconds === undefined ? '' : ` ${limits.seconds} s`}`, 'warn')]
  const list = streams.map((/** @type {any} */ { protocol, direction, unsent, unread, status }) => element('li', {}, code(protocol || 'being negotiated'),
    element('span', { className: 'quiet' }, [direction, status === 'open' ? '' : status, unsent > 0 ? `${sizeOf(unsent)} unsent` : '', unread > 0 ? `${sizeOf(unread)} unread` : ''].filter(Boolean).join(', '))))
  return element('li', { className: 'row' },
    element('div', { className: 'line' }, nameOf(peer), badge(isRelayed ? 'relayed' : transport, isRelayed ? 'warn' : 'good'), ...limit,
      element('span', { className: 'quiet' }, [direction, rtt === undefined ? '' : `${rtt < 1 ? '< 1' : Math.round(rtt)} ms`, ageOf(now - openedAt)].filter(Boolean).join(' · '))),
    code(address),
    ...list.length > 0 ? [element('ul', { className: 'streams' }, ...list)] : [])
}

/** @param {Trace['relays'][number]} relay */
const relayRow = ({ relay, state, detail }) => element('li', { className: 'row' },
  element('div', { className: 'line' }, nameOf(relay), badge(state, state === 'reserved' ? 'good' : state === 'waiting' ? 'bad' : 'warn')),
  ...detail === '' ? [] : [code(detail)])

/** @param {Trace['topics'][number]} topic */
const topicRow = ({ topic, subscribers, mesh }) => element('li', { className: 'row' },
  code(topic),
  element('div', { className: 'line quiet' }, `${subscribers.length} subscribed, ${mesh.length === 0 ? 'nobody' : mesh.length} in our mesh`, ...mesh.map(nameOf)))

/** @param {import('./recorder.js').RecordedDial} dial */
const dialRow = ({ target, state, steps }) => element('li', { className: 'row' },
  element('div', { className: 'line' }, badge(state, state === 'connected' ? 'good' : state === 'failed' ? 'bad' : 'warn'), code(target)),
  element('ol', { className: 'steps' }, ...steps.map(({ ms, text }) => element('li', {}, element('span', { className: 'ms' }, `${ms} ms`), element('span', {}, text)))))

const clock = (/** @type {number} */ at) => new Date(at).toTimeString().slice(0, 8)

/** @param {import('./recorder.js').Recorded} event */
const eventRow = ({ at, type, text }) => element('li', { className: 'event' },
  element('span', { className: 'ms' }, clock(at)), element('span', { className: 'type' }, type), element('span', { className: 'words' }, text))

/**
 * `<peerlet-devtools>`: shows the `node` it is given while it is `open`. Attributes: `open`, `floating`.
 */
export class PeerletDevtools extends Base {
  static observedAttributes = ['open']

  /** @type {any} */
  #node
  /** @type {Recorder | undefined} */
  #recorder
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer
  #isDrawing = false
  /** Where each part is drawn. @type {Record<string, HTMLElement>} */
  #parts = {}
  #off = new AbortController()

  constructor () {
    super()
    const root = this.attachShadow({ mode: 'open' })
    const sheet = new CSSStyleSheet() // which no Content-Security-Policy forbids
    sheet.replaceSync(CSS)
    root.adoptedStyleSheets = [sheet]
  }

  get node () { return this.#node }
  set node (node) {
    this.#close()
    this.#node = node
    this.#recorder = node === undefined ? undefined : new Recorder(node)
    if (this.isConnected && this.open) this.#begin()
  }

  get open () { return this.hasAttribute('open') }
  set open (open) { this.toggleAttribute('open', open) }

  /** What it shows, and what it has recorded while it was open, as plain data. @returns {Trace | undefined} */
  trace () { return this.#node === undefined ? undefined : takeTrace(this.#node, this.#recorder) }

  connectedCallback () {
    this.#frame()
    if (this.open) this.#begin()
  }

  disconnectedCallback () { this.#close() }

  /** @param {string} _ @param {string | null} before @param {string | null} now */
  attributeChangedCallback (_, before, now) {
    if ((before === null) === (now === null) || !this.isConnected) return
    this.#frame()
    if (now === null) this.#close()
    else this.#begin()
  }

  #begin () {
    if (this.#recorder === undefined) return
    this.#close()
    this.#off = new AbortController()
    this.#recorder.start()
    this.#recorder.addEventListener('change', () => this.#drawSoon(), { signal: this.#off.signal })
    this.#timer = setInterval(() => {
      if (!document.hidden) this.#draw()
    }, LOOK_MS)
    this.#draw()
  }

  #close () {
    this.#off.abort()
    this.#recorder?.stop()
    clearInterval(this.#timer)
  }

  #drawSoon () {
    if (this.#isDrawing) return
    this.#isDrawing = true
    requestAnimationFrame(() => {
      this.#isDrawing = false
      if (this.open && this.isConnected) this.#draw()
    })
  }

  /** What stays while its contents change. */
  #frame () {
    const { open } = this
    const toggle = element('button', { type: 'button', className: 'toggle' }, open ? 'Close' : 'Peerlet')
    toggle.ariaLabel = open ? 'Close the devtools of Peerlet' : 'Open the devtools of Peerlet'
    toggle.addEventListener('click', () => { this.open = !open })
    if (!open) return this.shadowRoot?.replaceChildren(toggle)
    const save = element('button', { type: 'button', className: 'save' }, 'Save trace')
    save.addEventListener('click', () => this.#save())
    const part = (/** @type {string} */ name, /** @type {string} */ title, /** @type {Node[]} */ ...more) => {
      const list = element('ul', {})
      const count = element('span', { className: 'count' })
      this.#parts[name] = list
      this.#parts[`${name}Count`] = count
      return element('section', { className: name, ariaLabel: title }, element('h3', {}, title, ' ', count), ...more, list)
    }
    const input = element('input', { placeholder: '/ip4/…/p2p/12D3…', ariaLabel: 'A multiaddr or Peer ID to dial', autocomplete: 'off', spellcheck: false })
    const form = element('form', {}, input, element('button', { type: 'submit' }, 'Dial'))
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      if (input.value.trim() !== '') this.#recorder?.dial(input.value.trim())
    })
    this.#parts.self = element('span', { className: 'self' })
    this.#parts.memory = element('span', { className: 'quiet memory' })
    const events = part('events', 'What happened')
    events.querySelector('ul')?.setAttribute('tabindex', '0')
    this.shadowRoot?.replaceChildren(
      element('header', {}, element('h2', {}, 'Peerlet'), this.#parts.self, this.#parts.memory, save, toggle),
      element('div', { className: 'columns' },
        element('div', {}, part('connections', 'Connections'), part('relays', 'Relays'), part('addresses', 'Our addresses')),
        element('div', {}, part('topics', 'Pubsub'), part('dials', 'Dials', form), events)))
  }

  #draw () {
    const trace = this.trace()
    if (trace === undefined) return
    const fill = (/** @type {string} */ name, /** @type {Node[]} */ rows, /** @type {string} */ none) => {
      const list = this.#parts[name]
      const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 20
      list.replaceChildren(...rows.length > 0 ? rows : [element('li', { className: 'quiet' }, none)])
      this.#parts[`${name}Count`].textContent = rows.length > 0 ? String(rows.length) : ''
      if (name === 'events' && isAtEnd) list.scrollTop = list.scrollHeight
    }
    this.#parts.self.replaceChildren(nameOf(trace.self), badge(trace.status, trace.status === 'started' ? 'good' : 'warn'))
    this.#parts.memory.textContent = trace.memory === undefined ? '' : `wasm ${sizeOf(trace.memory.used)} of ${sizeOf(trace.memory.heap)}`
    fill('connections', trace.connections.map((/** @type {any} */ one) => connectionRow(one, trace.at)), 'None.')
    fill('relays', trace.relays.map(relayRow), 'None.')
    fill('addresses', trace.addresses.map((/** @type {string} */ address) => element('li', { className: 'row' }, code(address))), 'None: no relay has a place for us yet.')
    fill('topics', trace.topics.map(topicRow), 'No topic is subscribed to.')
    fill('dials', trace.dials.map(dialRow), 'None since this is open.')
    // drawing is done when there is something new: a selection in it lives on
    const last = trace.events.at(-1)
    if (this.#parts.events.dataset.last !== `${last?.at} ${trace.events.length}`) {
      this.#parts.events.dataset.last = `${last?.at} ${trace.events.length}`
      fill('events', trace.events.slice(-200).map(eventRow), 'Nothing since this is open.')
    }
  }

  #save () {
    const url = URL.createObjectURL(new Blob([JSON.stringify(this.trace(), null, 2)], { type: 'application/json' }))
    element('a', { href: url, download: `peerlet-trace-${Date.now()}.json` }).click()
    setTimeout(() => URL.revokeObjectURL(url), 10_000)
  }
}

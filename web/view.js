// The document: finds its elements, fills them in, and knows nothing of libp2p.
import { emptyRoom, hueOf, KIND_NAMES, peopleInRoom, roundTrip, shortName, wayOf } from './words.js'

/** @param {string} id @returns {any} the element of index.html with this id */
export const $ = (id) => document.getElementById(id)

/**
 * element('p', { className: 'x' }, 'text', child)
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, unknown>} properties
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element (tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties)
  node.append(...children)
  return node
}

/** Says on the button itself whether it worked. @param {any} button @param {string} text */
export async function copy (button, text) {
  const label = button.dataset.label ??= button.textContent
  button.textContent = await toClipboard(text) ? 'Copied' : 'Not allowed'
  clearTimeout(button.timer)
  button.timer = setTimeout(() => { button.textContent = label }, 1500)
}

// The clipboard API exists only on https and localhost; the older way works everywhere.
/** @param {string} text */
async function toClipboard (text) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const area = element('textarea', { value: text, className: 'hidden', readOnly: true })
    const focused = document.activeElement
    document.body.append(area)
    area.select()
    const done = document.execCommand('copy')
    area.remove()
    if (focused instanceof HTMLElement) focused.focus()
    return done
  }
}

/** @param {HTMLElement} paragraph @param {string} text @param {'good' | 'bad' | ''} mood */
export function note (paragraph, text, mood = '') {
  paragraph.textContent = text
  paragraph.dataset.mood = mood
}

/** @param {import('./words.js').Status} status */
export function showStatus ({ mood, text }) {
  if ($('status').dataset.mood !== mood) $('status').dataset.mood = mood
  if ($('status-text').textContent !== text) $('status-text').textContent = text
}

/** The element shows a Peer ID by its name, in its colour. @param {HTMLElement} shown @param {unknown} id */
export function showName (shown, id) {
  shown.textContent = shortName(id)
  shown.title = String(id)
  shown.style.setProperty('--hue', String(hueOf(id)))
}

/** The name of somebody who can be written to, who is then chosen by a click. @param {string} id */
export function personButton (id) {
  const button = element('button', { type: 'button', className: 'name', ariaLabel: `Write to ${shortName(id)} alone` })
  showName(button, id)
  button.title = `Write to ${id} alone`
  button.dataset.person = id
  return button
}

/** @param {string} id */
export function showSelf (id) {
  showName($('you-name'), id)
  $('peer-id').textContent = id
}

/** @typedef {import('./network.js').Peer} Peer */

/** @param {Peer[]} peers */
export function showPeers (peers) {
  $('peer-count').textContent = peers.length || ''
  $('peers-empty').hidden = peers.length > 0
  $('peers-hint').hidden = !peers.some((peer) => peer.takesMessages)
  const people = peers.filter((peer) => !peer.isServer).length
  $('panel-toggle').textContent = people > 0 ? `Network · ${people}` : 'Network'
  const focused = document.activeElement?.closest('[data-peer] [data-person]')
  $('peers').replaceChildren(...peers.map(peerRow))
  if (focused instanceof HTMLElement) $('peers').querySelector(`[data-person="${CSS.escape(focused.dataset.person ?? '')}"]`)?.focus()
}

/** @param {Peer} peer */
function peerRow ({ id, kinds, isRelay, isServer, takesMessages, rtt }) {
  const name = takesMessages ? personButton(id) : element('span', { className: 'name' })
  if (!takesMessages) showName(name, id)
  if (isRelay) name.textContent = 'Relay'
  const badges = kinds.map((kind) => {
    const badge = element('span', { className: 'badge' }, KIND_NAMES[kind])
    badge.dataset.kind = kind
    return badge
  })
  const row = element('li', { className: isServer ? 'server' : 'person' }, name,
    element('span', { className: 'rtt', title: 'round trip' }, roundTrip(rtt)),
    element('span', { className: 'badges' }, ...badges))
  row.dataset.peer = id
  return row
}

/** Only the numbers: a selection or a screen reader in the list is not disturbed. @param {Peer[]} peers */
export function showRoundTrips (peers) {
  for (const { id, rtt } of peers) {
    const cell = $('peers').querySelector(`[data-peer="${CSS.escape(id)}"] .rtt`)
    if (cell !== null) cell.textContent = roundTrip(rtt)
  }
}

/** @param {string[]} addresses */
export function showAddresses (addresses) {
  $('addresses-empty').hidden = addresses.length > 0
  const shown = [...$('addresses').querySelectorAll('code')].map((code) => code.textContent)
  if (shown.join() === addresses.join()) return
  $('addresses').replaceChildren(...addresses.map((text) => {
    const button = element('button', { type: 'button', ariaLabel: 'Copy this address' }, 'Copy')
    button.addEventListener('click', () => copy(button, text))
    const way = element('span', { className: 'quiet' }, wayOf(text))
    const code = element('code', { className: 'id', translate: false, title: text }, text)
    return element('li', { className: 'copyable' }, element('div', {}, way, code), button)
  }))
}

const isLocal = /^(localhost|127\..*|\[::1\])$/.test(location.hostname)

/** @param {string} room @param {number} others how many are in it @param {boolean} hasRelay */
export function showPeople (room, others, hasRelay) {
  $('room-people').textContent = peopleInRoom(others)
  const { title, text } = emptyRoom(room, others, hasRelay, isLocal)
  $('empty-title').textContent = title
  $('empty-text').textContent = text
  $('invitation').hidden = others > 0 || !hasRelay
}

/**
 * To whom the composer's message goes: the room, or one person alone.
 *
 * @param {string} room
 * @param {string | undefined} person Peer ID
 */
export function showAddressee (room, person) {
  $('to').hidden = person === undefined
  $('composer').classList.toggle('direct', person !== undefined)
  $('attach').disabled = person !== undefined
  $('attach').title = person === undefined ? `Send a file to everybody in #${room}` : 'Files go to a whole room'
  $('message').placeholder = person === undefined ? 'Message' : `Message to ${shortName(person)}`
  $('message').ariaLabel = person === undefined ? null : `Message to ${shortName(person)} alone`
  if (person !== undefined) showName($('to-name'), person)
}

/** Nothing else can be done on this page. @param {string} text */
export function showFatal (text) {
  showStatus({ mood: 'bad', text: 'Not running.' })
  $('panel-toggle').hidden = true
  document.querySelector('main')?.replaceWith(element('main', { className: 'fatal', role: 'alert' },
    element('h2', {}, 'Peerlet cannot start'), element('p', {}, text)))
}

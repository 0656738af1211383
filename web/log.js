// What was said in a room, as rows: text stays text, whatever is in it.
import { KEPT_LINES } from './chat.js'
import { $, element, personButton, showName } from './view.js'
import { fileLabel, whoHears } from './words.js'

/** @typedef {import('./chat.js').Line} Line */

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })

/** @type {WeakMap<Line, HTMLElement>} */
const rows = new WeakMap()

/** Told of a click on the file of a line. @type {(line: Line) => void} */
let onFile = () => {}

/** @param {(line: Line) => void} listener */
export function whenFileWanted (listener) { onFile = listener }

/** Replaces the log by the lines of a room. @param {Line[]} lines */
export function showLines (lines) {
  $('log').replaceChildren()
  $('log-empty').hidden = lines.some(({ type }) => type === 'message')
  $('newer').hidden = true
  lines.forEach((line, i) => $('log').append(lineRow(line, lines[i - 1])))
  scrollDown()
}

// Who reads the end goes on doing so, whatever comes and however much room there is.
let isAtEnd = true
const scrollDown = () => { $('log-frame').scrollTop = $('log-empty').hidden ? $('log-frame').scrollHeight : 0 }
new ResizeObserver(() => { if (isAtEnd) scrollDown() }).observe($('log-frame'))
$('newer').addEventListener('click', () => {
  $('message').focus()
  scrollDown()
})
$('log-frame').addEventListener('scroll', () => {
  const { scrollHeight, scrollTop, clientHeight } = $('log-frame')
  isAtEnd = scrollHeight - scrollTop - clientHeight < 60
  if (isAtEnd) $('newer').hidden = true
})

/** @param {Line} line @param {Line | undefined} previous */
export function addLine (line, previous) {
  if (line.type === 'message') $('log-empty').hidden = true
  $('log').append(lineRow(line, previous))
  if ($('log').childElementCount > KEPT_LINES) $('log').firstElementChild.remove()
  if (isAtEnd || line.mine) scrollDown()
  else if (line.type === 'message') $('newer').hidden = false
}

/** @param {Line} line that looks different now */
export function changeLine (line) {
  const row = rows.get(line)
  if (row === undefined) return
  const hadFocus = row.contains(document.activeElement)
  const button = row.querySelector('.file button')
  // a button that is exchanged while it is pressed is not clicked
  if (button !== null && line.file !== undefined && line.file.url === undefined) labelButton(button, line.file)
  else row.querySelector('.file')?.replaceWith(fileBox(line))
  showAside(row, line)
  if (hadFocus) /** @type {HTMLElement | null} */ (row.querySelector('.file a, .file button'))?.focus()
  if (isAtEnd) scrollDown()
}

/** As a click on its link does. @param {Line} line whose file is here */
export function saveFile (line) {
  /** @type {HTMLAnchorElement | null | undefined} */ (rows.get(line)?.querySelector('.file a'))?.click()
}

/** @param {Line} line @param {Line | undefined} previous */
function lineRow (line, previous) {
  if (line.type === 'event') return element('li', { className: 'event' }, line.text)
  const continues = previous !== undefined && previous.from === line.from && previous.to === line.to &&
    line.at.getTime() - previous.at.getTime() < 60_000
  const row = element('li', { className: 'message' },
    element('div', { className: 'head' }, ...senderOf(line), element('time', { dateTime: line.at.toISOString() }, clock.format(line.at))),
    line.file === undefined ? element('p', { className: 'text', title: clock.format(line.at) }, line.text) : fileBox(line))
  row.classList.toggle('mine', line.mine === true)
  row.classList.toggle('direct', line.to !== undefined)
  row.classList.toggle('first', !continues)
  showAside(row, line)
  rows.set(line, row)
  return row
}

/** @param {Line} line @returns {HTMLElement[]} */
function senderOf ({ from = '', mine, to }) {
  const name = mine ? element('span', { className: 'name' }) : personButton(from)
  if (mine) {
    showName(name, from)
    name.textContent = 'You'
  }
  return to === undefined ? [name] : [name, element('span', { className: 'only' }, whoHears(to, mine === true))]
}

/** @param {HTMLElement} row @param {Line} line */
function showAside (row, { aside, failed }) {
  row.querySelector('.aside')?.remove()
  if (aside !== undefined) row.append(element('span', { className: failed ? 'aside bad' : 'aside' }, aside))
}

/** @param {Element} button @param {import('./chat.js').SharedFile} file of somebody else */
function labelButton (button, file) {
  const { label, hint } = fileLabel(file, false)
  button.textContent = label
  button.setAttribute('aria-label', hint)
  button.setAttribute('aria-busy', String(file.progress !== undefined))
}

/** A file that can be had: by a button until it is here, then by a link that saves it. @param {Line} line */
function fileBox (line) {
  const file = /** @type {import('./chat.js').SharedFile} */ (line.file)
  const { label, hint } = fileLabel(file, line.mine === true)
  const box = element('p', { className: 'file' }, element('span', { className: 'file-name' }, file.name))
  if (line.mine) {
    box.append(element('span', { className: 'quiet' }, label))
  } else if (file.url !== undefined) {
    box.append(element('a', { className: 'button', href: file.url, download: file.name, ariaLabel: hint }, label))
  } else {
    const button = element('button', { type: 'button' })
    button.addEventListener('click', () => onFile(line))
    labelButton(button, file)
    box.append(button)
  }
  return box
}

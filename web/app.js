// The demo: starts a node, and lets chat, network and view talk to each other.
import { bootstrap, createLibp2p, gossipsub, identify, identifyPush, multiaddr, ping, pubsubPeerDiscovery } from 'peerlet'
import { Chat, hashOfRoom, roomFromHash } from './chat.js'
import { Direct } from './direct.js'
import { Files } from './files.js'
import { addLine, changeLine, saveFile, showLines, whenFileWanted } from './log.js'
import { Network } from './network.js'
import {
  $, copy, note, showAddressee, showAddresses, showFatal, showPeers, showPeople, showRoundTrips, showSelf, showStatus
} from './view.js'
import { explain, explainPeer, shortName, statusOf, UNIVERSAL } from './words.js'

// Where pages like this one find each other, and where those of the universal-connectivity application do.
const DISCOVERY_TOPICS = ['browser-peer-discovery', 'universal-connectivity-browser-peer-discovery']

/** From `?relay=`, else from the server; undefined when neither names one. */
async function findRelay () {
  const named = new URLSearchParams(location.search).get('relay')
  if (named !== null) return named
  try {
    const answer = await fetch('relay.json')
    return answer.ok ? (await answer.json()).relay : undefined
  } catch {
    return undefined // served as plain files: the page asks for a relay
  }
}

/** @param {string | undefined} relay */
const start = (relay) => createLibp2p({
  addresses: { listen: ['/p2p-circuit', '/webrtc'] },
  peerDiscovery: [
    ...(relay === undefined ? [] : [bootstrap({ list: [relay] })]),
    pubsubPeerDiscovery({ interval: 10_000, topics: DISCOVERY_TOPICS })
  ],
  services: {
    identify: identify(),
    identifyPush: identifyPush(),
    ping: ping(),
    pubsub: gossipsub({ allowPublishToZeroTopicPeers: true, runOnLimitedConnection: true })
  }
})

/** An address that is none is no reason not to start: the page asks for another. @param {string | undefined} relay */
async function startWith (relay) {
  try {
    return { node: await start(relay), relay, fault: undefined }
  } catch (/** @type {any} */ err) {
    if (relay === undefined || err.name === 'WebAssemblyError') throw err
    return { node: await start(undefined), relay: undefined, fault: err }
  }
}

/** @param {Network} network @param {import('peerlet').Libp2p} node */
function wireNetwork (network, node) {
  const show = () => {
    showStatus(statusOf(network.state))
    showPeers(network.peers)
    showAddresses(network.addresses)
  }
  network.addEventListener('change', show)
  network.addEventListener('rtt', () => showRoundTrips(network.peers))
  showSelf(String(node.peerId))
  $('copy-peer-id').addEventListener('click', () => copy($('copy-peer-id'), String(node.peerId)))
  show()
}

/** @param {Chat} chat @param {boolean} hasRelay */
function wireRooms (chat, hasRelay) {
  const link = () => new URL(hashOfRoom(chat.room), location.href).href
  let unread = 0
  const showTitle = () => { document.title = `${unread > 0 ? `(${unread}) ` : ''}#${chat.room} · Peerlet` }
  const show = () => {
    $('room-name').textContent = chat.room
    $('second-tab').href = link()
    document.body.classList.toggle('in-universal', chat.room === UNIVERSAL)
    showPanel(false)
    showTitle()
    showLines(chat.lines)
  }
  const people = () => showPeople(chat.room, chat.people.length, hasRelay)
  chat.addEventListener('room', show)
  chat.addEventListener('people', people)
  chat.addEventListener('line', (/** @type {any} */ { detail }) => {
    addLine(detail, chat.lines.at(-2))
    if (document.hidden && detail.type === 'message') unread++
    showTitle()
  })
  chat.addEventListener('change', (/** @type {any} */ { detail }) => changeLine(detail))
  document.addEventListener('visibilitychange', () => {
    unread = 0
    showTitle()
  })
  const enter = () => chat.enter(roomFromHash(location.hash)).catch((err) => note($('composer-note'), explain(err), 'bad'))
  window.addEventListener('hashchange', enter)
  $('room-form').addEventListener('submit', (/** @type {SubmitEvent} */ event) => {
    event.preventDefault()
    location.hash = hashOfRoom(roomFromHash($('room-input').value))
    $('room-input').value = ''
    $('message').focus()
  })
  $('copy-link').addEventListener('click', () => copy($('copy-link'), link()))
  show()
  people()
  enter()
}

/** @param {Chat} chat @returns {() => boolean} whether what is written now goes to one person alone */
function wireComposer (chat) {
  /** @type {string | undefined} the one person to write to, instead of the room */
  let person
  const address = (/** @type {string | undefined} */ to) => {
    person = to
    showAddressee(chat.room, person)
    note($('composer-note'), '')
  }
  $('composer').addEventListener('submit', async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault()
    const text = $('message').value.trim()
    if (text === '') return
    $('message').value = ''
    const to = person
    try {
      await (to === undefined ? chat.send(text) : chat.sendTo(to, text))
      note($('composer-note'), '')
    } catch (err) {
      if ($('message').value === '' && person === to) $('message').value = text
      note($('composer-note'), `Not sent: ${to === undefined ? explain(err) : explainPeer(err, to)}`, 'bad')
    }
  })
  $('message').addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
    if (event.key === 'Escape') address(undefined)
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    $('composer').requestSubmit()
  })
  document.addEventListener('click', ({ target }) => {
    const button = target instanceof Element ? /** @type {HTMLElement | null} */ (target.closest('[data-person]')) : null
    if (button === null) return
    address(button.dataset.person)
    showPanel(false)
    $('message').focus()
  })
  $('to-all').addEventListener('click', () => {
    address(undefined)
    $('message').focus()
  })
  chat.addEventListener('room', () => address(undefined))
  address(undefined)
  // where it would not raise a keyboard over the page
  if (matchMedia('(pointer: fine)').matches) $('message').focus()
  return () => person !== undefined
}

/** @param {Chat} chat @param {() => boolean} isDirect */
function wireFiles (chat, isDirect) {
  const share = async (/** @type {File[]} */ files) => {
    if (isDirect()) return note($('composer-note'), 'Not sent: a file goes to everybody in the room, and you are writing to one person.', 'bad')
    for (const file of files) {
      try {
        note($('composer-note'), '')
        await chat.share(file)
      } catch (err) {
        return note($('composer-note'), `Not sent: ${explain(err)}`, 'bad')
      }
    }
  }
  $('attach').addEventListener('click', () => $('file-input').click())
  $('file-input').addEventListener('change', async () => {
    await share([...$('file-input').files])
    $('file-input').value = '' // the same one may be chosen again
  })
  $('message').addEventListener('paste', (/** @type {ClipboardEvent} */ event) => {
    const files = [...event.clipboardData?.files ?? []]
    if (files.length === 0) return
    event.preventDefault()
    share(files)
  })
  // Where a file is let go matters not: elsewhere the browser would leave the page for it.
  const mark = (/** @type {DragEvent} */ event) => {
    const isFile = event.dataTransfer?.types.includes('Files') === true
    const isLeaving = event.type === 'drop' || event.type === 'dragleave' && event.relatedTarget === null
    document.body.classList.toggle('dropping', isFile && !isLeaving)
    if (isFile) event.preventDefault()
  }
  for (const type of /** @type {const} */ (['dragenter', 'dragover', 'dragleave', 'drop'])) document.addEventListener(type, mark)
  document.addEventListener('drop', ({ dataTransfer }) => {
    if ((dataTransfer?.files.length ?? 0) > 0) share([.../** @type {DataTransfer} */ (dataTransfer).files])
  })
  whenFileWanted(async (line) => {
    try {
      await chat.fetch(line)
      note($('composer-note'), '')
      saveFile(line)
    } catch (err) {
      note($('composer-note'), `${line.file?.name} was not fetched: ${explainPeer(err, line.from ?? '')}`, 'bad')
    }
  })
}

/** Puts the cursor where a multiaddr stopped making sense. @param {HTMLInputElement} input @param {any} err */
function pointAt (input, err) {
  const nth = /at character (\d+)/.exec(err.message)?.[1]
  if (nth === undefined) return
  input.focus()
  input.setSelectionRange(Number(nth) - 1, input.value.length)
}

/** @param {import('peerlet').Libp2p} node */
function wireDial (node) {
  $('dial-form').addEventListener('submit', async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault()
    const text = $('dial-input').value.trim()
    $('dial-input').value = text
    $('dial-button').disabled = true
    note($('dial-note'), 'Dialling…')
    try {
      const connection = await node.dial(multiaddr(text))
      note($('dial-note'), `Connected to ${shortName(connection.remotePeer)}.`, 'good')
      $('dial-input').value = ''
    } catch (err) {
      note($('dial-note'), explain(err), 'bad')
      pointAt($('dial-input'), err)
    } finally {
      $('dial-button').disabled = false
    }
  })
}

/** On a narrow screen, the panel instead of the chat. @param {boolean} isOpen */
function showPanel (isOpen) {
  document.body.classList.toggle('panel-open', isOpen)
  $('panel-toggle').setAttribute('aria-expanded', String(isOpen))
}

/**
 * A relay is chosen for the life of a page: it becomes part of the URL, which can be shared.
 *
 * @param {string | undefined} text what was named as one
 * @param {any} fault and why it is none
 */
function wireRelay (text = '', fault) {
  showPanel(true)
  $('relay-section').hidden = false
  const refuse = (/** @type {any} */ err) => {
    note($('relay-note'), explain(err), 'bad')
    pointAt($('relay-input'), err)
  }
  $('relay-input').value = text
  if (fault !== undefined) refuse(fault)
  $('relay-form').addEventListener('submit', (/** @type {SubmitEvent} */ event) => {
    event.preventDefault()
    try {
      const relay = String(multiaddr($('relay-input').value.trim()))
      const url = new URL(location.href)
      url.searchParams.set('relay', relay)
      location.href = url.href
    } catch (err) {
      refuse(err)
    }
  })
}

/** A look into the node, at the foot of the page; its code is loaded when it is wanted. @param {import('peerlet').Libp2p} node */
function wireDevtools (node) {
  /** @type {HTMLElement | undefined} */
  let shown
  const toggle = async () => {
    if (shown?.isConnected) return shown.remove()
    const { devtools } = await import('peerlet/devtools')
    document.body.append(shown = devtools(node))
    // its own button closes it, and then nothing of it stays
    new MutationObserver((_, watch) => {
      if (shown?.hasAttribute('open')) return
      watch.disconnect()
      shown?.remove()
    }).observe(shown, { attributes: true })
  }
  $('devtools').addEventListener('click', toggle)
  if (new URLSearchParams(location.search).has('devtools')) toggle()
}

async function main () {
  $('panel-toggle').addEventListener('click', () => showPanel(!document.body.classList.contains('panel-open')))
  const named = await findRelay()
  const { node, relay, fault } = await startWith(named)
  const files = new Files(node)
  const direct = new Direct(node)
  await Promise.all([files.start(), direct.start()])
  const chat = new Chat(node, roomFromHash(location.hash), files, direct)
  wireNetwork(new Network(node, relay), node)
  wireRooms(chat, relay !== undefined)
  wireFiles(chat, wireComposer(chat))
  wireDial(node)
  wireDevtools(node)
  if (relay === undefined) wireRelay(named, fault)
  // others see at once that we left, and not only when we have been silent for too long
  window.addEventListener('pagehide', () => chat.hide())
  window.addEventListener('pageshow', ({ persisted }) => { if (persisted) chat.show() })
}

main().catch((err) => {
  showFatal(explain(err.message.replace('Peerlet cannot start: ', '')))
  throw err
})

// The demo: starts a node, and lets chat, network and view talk to each other.
import { bootstrap, createLibp2p, gossipsub, identify, identifyPush, multiaddr, ping, pubsubPeerDiscovery } from 'peerlet'
import { Chat, hashOfRoom, roomFromHash } from './chat.js'
import { Network } from './network.js'
import { $, addLine, copy, note, showAddresses, showFatal, showLines, showPeers, showRoundTrips, showStatus } from './view.js'
import { explain, peopleInRoom, shortName, statusOf } from './words.js'

const DISCOVERY_TOPIC = 'browser-peer-discovery'

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
    pubsubPeerDiscovery({ interval: 10_000, topics: [DISCOVERY_TOPIC] })
  ],
  services: {
    identify: identify(),
    identifyPush: identifyPush(),
    ping: ping(),
    pubsub: gossipsub({ allowPublishToZeroTopicPeers: true })
  }
})

/** @param {Network} network @param {import('peerlet').Libp2p} node */
function wireNetwork (network, node) {
  const show = () => {
    showStatus(statusOf(network.state))
    showPeers(network.peers)
    showAddresses(network.addresses)
  }
  network.addEventListener('change', show)
  network.addEventListener('rtt', () => showRoundTrips(network.peers))
  $('peer-id').textContent = String(node.peerId)
  $('copy-peer-id').addEventListener('click', () => copy($('copy-peer-id'), String(node.peerId)))
  show()
}

/** @param {Chat} chat */
function wireRooms (chat) {
  const show = () => {
    $('room-name').textContent = chat.room
    document.title = `#${chat.room} · Peerlet`
    showLines(chat.lines)
  }
  const showPeople = () => { $('room-people').textContent = peopleInRoom(chat.people.length) }
  chat.addEventListener('room', show)
  chat.addEventListener('people', showPeople)
  chat.addEventListener('line', (/** @type {any} */ { detail }) => addLine(detail, chat.lines.at(-2)))
  window.addEventListener('hashchange', () => chat.enter(roomFromHash(location.hash)))
  $('room-form').addEventListener('submit', (/** @type {SubmitEvent} */ event) => {
    event.preventDefault()
    location.hash = hashOfRoom(roomFromHash($('room-input').value))
    $('room-input').value = ''
    $('message').focus()
  })
  $('copy-link').addEventListener('click', () => {
    copy($('copy-link'), new URL(hashOfRoom(chat.room), location.href).href)
  })
  show()
  showPeople()
}

/** @param {Chat} chat */
function wireComposer (chat) {
  $('composer').addEventListener('submit', async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault()
    const text = $('message').value.trim()
    if (text === '') return
    $('message').value = ''
    try {
      await chat.send(text)
      note($('composer-note'), '')
    } catch (err) {
      if ($('message').value === '') $('message').value = text
      note($('composer-note'), `Not sent: ${explain(err)}`, 'bad')
    }
  })
  $('message').addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    $('composer').requestSubmit()
  })
  $('message').focus()
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

function wirePanel () {
  $('panel-toggle').addEventListener('click', () => {
    const isOpen = document.body.classList.toggle('panel-open')
    $('panel-toggle').setAttribute('aria-expanded', String(isOpen))
  })
}

/** A relay is chosen for the life of a page: it becomes part of the URL, which can be shared. */
function wireRelay () {
  $('relay-section').hidden = false
  $('relay-form').addEventListener('submit', (/** @type {SubmitEvent} */ event) => {
    event.preventDefault()
    try {
      const relay = String(multiaddr($('relay-input').value.trim()))
      const url = new URL(location.href)
      url.searchParams.set('relay', relay)
      location.href = url.href
    } catch (err) {
      note($('relay-note'), explain(err), 'bad')
      pointAt($('relay-input'), err)
    }
  })
}

async function main () {
  wirePanel()
  const relay = await findRelay()
  const node = await start(relay)
  const chat = new Chat(node, roomFromHash(location.hash))
  wireNetwork(new Network(node, relay), node)
  wireRooms(chat)
  wireComposer(chat)
  wireDial(node)
  if (relay === undefined) wireRelay()
}

main().catch((err) => {
  showFatal(explain(err))
  throw err
})

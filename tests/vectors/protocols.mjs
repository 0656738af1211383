// What js-libp2p says in the small protocols, as C: its records and messages as strings of hex, its
// signalling messages and the streams of a recorded run as tables.
import { readFileSync } from 'node:fs'

const read = name => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'))
const text = string => JSON.stringify(string)

function define (prefix, values) {
  for (const [name, value] of Object.entries(values)) {
    const full = `${prefix}_${name}`.toUpperCase()
    if (typeof value === 'string') console.log(`#define ${full} ${text(value)}`)
    else if (typeof value === 'object' && !Array.isArray(value)) define(full, value)
  }
}

function table (type, name, rows) {
  console.log(`static const struct ${type} ${name}[] = {`)
  for (const row of rows) console.log(`    {${row.join(', ')}},`)
  console.log('};')
}

const records = read('records_identify_relay_js.json')
define('JS', records)

const { messages } = read('signaling_messages.json')
console.log('struct signaling_vector { const char *name, *data, *message; };')
table('signaling_vector', 'SIGNALING_VECTORS', messages.map(m =>
  [text(`${m.name} ${m.note}`), text(m.data), text(m.hex_length_prefixed)]))

// A stream's bytes one way, without the two lines of multistream-select in front.
function payload (events, way) {
  let bytes = Buffer.from(events.filter(e => e[0] === way).map(e => e[1]).join(''), 'hex')
  for (let line = 0; line < 2; line++) bytes = bytes.subarray(1 + bytes[0])
  return bytes.toString('hex')
}

const SPOKEN = /\/(ipfs\/(?:id|ping)[^\n]*|libp2p\/circuit\/[^\n]*)\n/

const { taps } = read('js_relay_identify_ping_gossipsub.json')
const streams = taps.filter(tap => tap.layer === 'stream bytes').flatMap(tap => {
  const first = tap.events.find(e => e[0] === (tap.dir === 'outbound' ? 'tx' : 'rx'))
  const spoken = SPOKEN.exec(Buffer.from(first[1], 'hex').toString('latin1'))
  return spoken === null ? [] : [{ ...tap, protocol: `/${spoken[1]}` }]
})
console.log('struct stream_vector { const char *name, *protocol, *node, *dir, *rx, *tx; };')
table('stream_vector', 'STREAM_VECTORS', streams.map(s =>
  [`${s.node} ${s.id} ${s.dir} ${s.protocol}`, s.protocol, s.node, s.dir,
    payload(s.events, 'rx'), payload(s.events, 'tx')].map(text)))

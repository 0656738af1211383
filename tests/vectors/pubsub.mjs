// Gossipsub as js-libp2p writes it: signed messages valid and not, control, hostile RPCs, and the
// streams of a recorded run.
import { readFileSync } from 'node:fs'

const read = name => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'))
const text = (string = '') => JSON.stringify(string)

function table (fields, name, rows) {
  const type = name.toLowerCase()
  console.log(`struct ${type} { const char *${fields.join(', *')}; };`)
  console.log(`static const struct ${type} ${name}[] = {`)
  for (const row of rows) console.log(`    {${row.map(text).join(', ')}},`)
  console.log('};')
}

const utf8ToHex = string => Buffer.from(string).toString('hex')

const vectors = read('pubsub_messages_js.json')
table(['name', 'private_key', 'from', 'seqno', 'topic', 'data', 'signed_bytes', 'signature',
  'message', 'rpc', 'id_spec', 'id_js'], 'PUBSUB_VALID',
vectors.signed_valid.map(v => [v.name, v.private_key_protobuf, v.from, v.seqno, utf8ToHex(v.topic),
  v.data, v.signed_bytes, v.signature, v.message, v.rpc, v.msgid_spec_default_from_seqno,
  v.msgid_js_default]))
table(['name', 'message', 'rpc'], 'PUBSUB_INVALID',
  vectors.signed_invalid.map(v => [v.name, v.message, v.rpc]))
table(['name', 'rpc'], 'PUBSUB_CONTROL', vectors.control.map(v => [v.name, v.rpc]))

// Two are recipes instead of bytes: the tests make those themselves.
table(['name', 'rpc'], 'PUBSUB_HOSTILE',
  vectors.hostile.filter(v => v.rpc !== undefined).map(v => [v.name, v.rpc]))

// What the opener of a stream wrote, behind the two lines of multistream-select.
function written ({ dir, events }) {
  const way = dir === 'outbound' ? 'tx' : 'rx'
  return Buffer.from(events.filter(e => e[0] === way).map(e => e[1]).join(''), 'hex')
}

const LINES = /^.\/multistream\/1\.0\.0\n.\/meshsub\/[0-9.]+\n/

const { taps } = read('js_relay_identify_ping_gossipsub.json')
table(['name', 'rpcs'], 'PUBSUB_STREAMS', taps.filter(t => t.layer === 'stream bytes').flatMap(tap => {
  const bytes = written(tap)
  const lines = LINES.exec(bytes.toString('latin1'))
  return lines === null
    ? []
    : [[`${tap.node} ${tap.id} ${tap.dir}`, bytes.subarray(lines[0].length).toString('hex')]]
}))

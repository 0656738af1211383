// Lines of multistream-select, data channel frames, yamux headers and recorded yamux sessions.
import { readFileSync } from 'node:fs'

const read = name => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'))
const text = string => JSON.stringify(string)

function table (fields, name, rows) {
  const type = name.toLowerCase()
  console.log(`struct ${type} { ${fields} };`)
  console.log(`static const struct ${type} ${name}[] = {`)
  for (const row of rows) console.log(`    {${row.join(', ')}},`)
  console.log('};')
}

const multistream = read('multistream_messages.json')
table('const char *name, *bytes;', 'MULTISTREAM_LINES',
  multistream.messages.map(m => [m.text, m.hex].map(text)))
table('const char *name, *bytes;', 'MULTISTREAM_HOSTILE',
  multistream.hostile.map(m => [m.name, m.hex].map(text)))

const frames = read('webrtc_stream_frames.json')
table('const char *name, *bytes;', 'DATACHANNEL_FRAMES',
  [...frames.valid, ...frames.edge].filter(f => f.hex !== undefined).map(f =>
    [f.name, f.hex].map(text)))

table('const char *name, *bytes;', 'YAMUX_HEADERS',
  read('yamux_headers_nim.json').map(h => [h.name, h.hex].map(text)))

// Sessions as the node that dialled saw them: what it received 'r' and sent 's', piece by piece, and
// what each of its streams did. A stream's tap has a higher number than that of its session.
const { taps } = read('js_relay_identify_ping_gossipsub.json')
const session = tap => tap.layer.startsWith('yamux')
const owner = tap => taps.filter(t => session(t) && t.node === tap.node && t.id < tap.id).at(-1)
const bytes = (tap, way) => text(tap.events.filter(e => e[0] === way).map(e => e[1]).join(''))

table('const char *name, *pieces[256]; ' +
  'struct { uint32_t id; const char *received, *sent; } streams[16];', 'YAMUX_SESSIONS',
taps.filter(tap => session(tap) && tap.direction === 'outbound').map(tap => [
  text(`${tap.node} ${tap.id}`),
  `{${tap.events.map(([way, hex]) => text((way === 'rx' ? 'r' : 's') + hex)).join(', ')}}`,
  `{${taps.filter(t => !session(t) && owner(t) === tap).map(t =>
    `{${t.stream}, ${bytes(t, 'rx')}, ${bytes(t, 'tx')}}`).join(', ')}}`
]))

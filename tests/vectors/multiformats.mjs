// Texts, hashes, addresses and records of other implementations, as C tables.
import { readFileSync } from 'node:fs'

const load = name => readFileSync(new URL(name, import.meta.url), 'utf8')
const read = name => JSON.parse(load(name))
const text = value => JSON.stringify(value)

function table (type, name, rows) {
  console.log(`static const struct ${type} ${name}[] = {`)
  for (const row of rows) console.log(`    {${row.join(', ')}},`)
  console.log('};')
}

console.log('#include <stdbool.h>\n#include <stdint.h>')

// ---- multibase: a file is what was encoded, then lines of encoding and text ----

const KNOWN = ['base16', 'base32', 'base36', 'base58btc', 'base64', 'base64url']
const multibase = ['basic', 'case_insensitivity', 'leading_zero', 'two_leading_zeros'].flatMap(file => {
  const [header, ...lines] = load(`multibase_${file}.csv`).trimEnd().split('\n')
    .map(line => /^(.*?), *"(.*)"/.exec(line)?.slice(1) ?? [])
  const bytes = Buffer.from(header[1].replace(/\\x00/g, '\0'))
  return lines.map(([encoding, encoded]) => ({
    name: `${file} ${encoding}`,
    encoded,
    hex: bytes.toString('hex'),
    known: KNOWN.includes(encoding),
    canonical: file !== 'case_insensitivity'
  }))
})
console.log('struct multibase_vector { const char *name, *text, *bytes; bool canonical; };')
table('multibase_vector', 'MULTIBASE_VECTORS', multibase.filter(row => row.known)
  .map(row => [text(row.name), text(row.encoded), text(row.hex), row.canonical]))
console.log('struct named_text { const char *name, *text; };')
table('named_text', 'MULTIBASE_OTHERS', multibase.filter(row => !row.known)
  .map(row => [text(row.name), text(row.encoded)]))

// ---- multihash ----

const FULL = { sha1: 160, 'sha2-256': 256, 'sha2-512': 512 }
function varint (bytes) {
  const len = bytes.findIndex(byte => byte < 0x80) + 1
  const value = bytes.subarray(0, len).reduceRight((sum, byte) => sum * 0x80 + byte % 0x80, 0)
  return [value, bytes.subarray(len)]
}
console.log('struct multihash_vector {\n' +
  '    const char *name, *input, *bytes, *digest; uint64_t code; bool valid;\n};')
table('multihash_vector', 'MULTIHASH_VECTORS',
  load('multihash_test_cases.csv').trim().split('\n').slice(1).map(line => {
    const [algorithm, bits, input, hash] = line.split(',')
    const [code, rest] = varint(Buffer.from(hash, 'hex'))
    return [text(`${algorithm} ${bits}`), text(input), text(hash),
      text(varint(rest)[1].toString('hex')), code, !(algorithm in FULL) || FULL[algorithm] === +bits]
  }))

// ---- multiaddr ----

// Where we do not follow the one who wrote the case, and why.
const SKIPPED = [
  /^\/(.*\/)?memory\//, // go and js disagree on its bytes; nobody in a browser dials it
  /\/unix\/[^/]+\//, // go takes all that follows for the path; others percent-encode
  /qzwassw$/ // its base32 has bits left over, which go drops
]
const kept = address => !SKIPPED.some(pattern => pattern.test(address))
const addresses = read('multiaddr.json')
const each = (groups, f) => Object.entries(groups).flatMap(([source, rows]) =>
  rows.map(row => f(source, row)))

console.log('struct multiaddr_vector { const char *name, *text, *bytes; };')
table('multiaddr_vector', 'MULTIADDR_BYTES',
  each(addresses.text_to_bytes, (source, row) => ({ source, ...row })).filter(row => kept(row.text))
    .map(row => [text(`${row.source} ${row.text}`), text(row.text), text(row.hex)]))
table('named_text', 'MULTIADDR_VALID',
  addresses.valid_text_go.filter(kept).map(address => [text(address), text(address)]))
table('named_text', 'MULTIADDR_INVALID', each(addresses.invalid_text, (source, address) =>
  [text(`${source} ${address}`), text(address)]))
table('named_text', 'MULTIADDR_BAD_BYTES', each(addresses.invalid_bytes, (source, hex) =>
  [text(`${source} ${hex}`), text(hex.toLowerCase())]))

// ---- records ----

function define (prefix, values) {
  for (const [name, value] of Object.entries(values)) {
    const full = `${prefix}_${name}`.toUpperCase()
    if (typeof value === 'string') console.log(`#define ${full} ${text(value)}`)
    else if (!Array.isArray(value)) define(full, value)
  }
}
const go = read('go_signed_records.json')
define('GO_RECORD', go.go_signed_peer_record_via_js)
define('GO_ENVELOPE', go.go_envelope_via_nim)
const { keys, peer_record: record } = read('records_identify_relay_js.json')
define('JS_KEYS', keys)
define('JS_RECORD', record)

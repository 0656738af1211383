// Noise XX as three other implementations do it, and libp2p's handshakes as js-libp2p does them.
import { readFileSync } from 'node:fs'

const read = name => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'))
const text = string => JSON.stringify(string)

function table (type, name, rows) {
  console.log(`static const struct ${type} ${name}[] = {`)
  for (const row of rows) console.log(`    {${row.join(', ')}},`)
  console.log('};')
}

// flynn's have one field per message, the others a list.
function messages (vector) {
  if (vector.messages !== undefined) return vector.messages
  return [0, 1, 2, 3, 4].map(i => ({
    payload: vector[`msg_${i}_payload`], ciphertext: vector[`msg_${i}_ciphertext`]
  }))
}

console.log(`struct noise_xx_vector {
    const char *name, *prologue;
    const char *dialer_s, *dialer_e, *listener_s, *listener_e;
    const char *hash; /* of the handshake, null where not told */
    enum role first;  /* to send a frame */
    size_t count;
    struct { const char *payload, *ciphertext; } messages[8];
};`)
table('noise_xx_vector', 'NOISE_XX_VECTORS', Object.entries(read('noise_xx.json')).flatMap(
  ([source, vectors]) => vectors.map((v, i) => [
    ...[
      `${source} ${i}`, v.init_prologue ?? v.prologue ?? '', v.init_static,
      v.init_ephemeral ?? v.gen_init_ephemeral, v.resp_static,
      v.resp_ephemeral ?? v.gen_resp_ephemeral
    ].map(text),
    v.handshake_hash === undefined ? 'NULL' : text(v.handshake_hash),
    source === 'flynn_noise' ? 'DIALER' : 'LISTENER',
    messages(v).length,
    `{${messages(v).map(m => `{${text(m.payload)}, ${text(m.ciphertext)}}`).join(', ')}}`
  ])))

// What our machine can be told to say: an Ed25519 identity, and one muxer or no extensions.
function side (s) {
  const isEd25519 = s.identity_private_key_protobuf.startsWith('0801')
  const muxers = s.extensions?.stream_muxers ?? []
  const certhashes = s.extensions?.webtransport_certhashes ?? []
  const canPlay = isEd25519 && muxers.length <= 1 && certhashes.length === 0
  return `{${canPlay}, ${text(s.identity_private_key_protobuf)}, ` +
    `${text(s.identity_public_key_protobuf)}, ${text(s.peer_id)}, ${text(s.static_private)}, ` +
    `${text(s.ephemeral_private)}, ${text(muxers[0] ?? '')}, ${text(certhashes.join(''))}}`
}

const from = name => name === 'initiator' ? 'DIALER' : 'LISTENER'

console.log(`struct noise_side_vector {
    bool can_play;
    const char *identity, *public_key, *peer_id, *s, *e, *muxer, *certhashes;
};
struct noise_libp2p_vector {
    const char *name, *prologue;
    struct noise_side_vector side[2]; /* dialer, listener */
    const char *handshake[3];
    struct { enum role from; const char *plain, *body; } frames[8];
    const char *longest; /* SHA-256 of the dialer's next body, 65519 times a5 inside */
};`)
table('noise_libp2p_vector', 'NOISE_LIBP2P_VECTORS',
  read('noise_libp2p_js.json').handshakes.map(h => [
    text(h.name), text(h.prologue), `{${side(h.initiator)}, ${side(h.responder)}}`,
    `{${h.handshake_messages_without_length_prefix.map(m => text(m.data)).join(', ')}}`,
    `{${h.transport.map(t =>
      `{${from(t.from)}, ${text(t.plaintext)}, ${text(t.ciphertext)}}`).join(', ')}}`,
    text(h.max_size_message.ciphertext_sha256)
  ]))

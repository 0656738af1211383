#include "wire/noise_handshake.h"

#include "base/protobuf.h"
#include "crypto/crypto.h"
#include "noise.pb.h"
#include "wire/noise_symmetric.h"

#include <assert.h>

#define SIGNED_PREFIX "noise-libp2p-static-key:"
#define SIGNED_LEN (sizeof SIGNED_PREFIX - 1 + X25519_KEY_LEN)
#define MUXERS_MAX 100
#define MUXER_NAME_MAX 64
/* Longest payload of ours: key, signature, one muxer. */
#define PAYLOAD_MAX 256

enum token { E, S, EE, ES, SE, END };

/* Noise specification, 7.5: XX. The dialer writes rows 0 and 2, the listener row 1. */
static const enum token PATTERN[3][5] = {
    {E, END},
    {E, EE, S, ES, END},
    {S, SE, END},
};

struct keys {
    uint8_t secret[X25519_KEY_LEN];
    uint8_t public_key[X25519_KEY_LEN];
};

struct noise_handshake {
    struct noise_symmetric symmetric;
    struct keys s, e;
    uint8_t remote_s[X25519_KEY_LEN], remote_e[X25519_KEY_LEN];
    const struct identity *identity;
    struct peer_id expected;
    char muxer[MUXER_NAME_MAX];
    size_t message;          /* row of the pattern that is next */
    bool write_owed;
    /* what the peer's payload said, kept for NOISE_READY */
    struct buf payload;
    struct peer_id peer;
    uint8_t signed_bytes[SIGNED_LEN];
    struct view signature, public_key;
    bool peer_names_muxers, muxer_agreed;
    struct view certhashes[NOISE_CERTHASHES_MAX];
    size_t certhash_count;
};

static void make_keys(struct keys *k, const struct rng *rng)
{
    rng_fill(rng, k->secret, sizeof k->secret);
    x25519_public_key(k->secret, k->public_key);
}

int handshake_init(struct noise *n, const struct noise_config *config)
{
    if (config->muxer.len >= MUXER_NAME_MAX)
        return ERR_BAD_ARGUMENT;
    struct noise_handshake *h = mem_alloc(n->mem, sizeof *h);
    if (h == NULL)
        return ERR_NOMEM;
    n->handshake = h;
    symmetric_init(&h->symmetric, config->prologue);
    make_keys(&h->s, config->rng);
    make_keys(&h->e, config->rng);
    h->identity = config->identity;
    if (config->expected != NULL)
        h->expected = *config->expected;
    if (config->muxer.len > 0)
        memcpy(h->muxer, config->muxer.data, config->muxer.len);
    buf_init(&h->payload, n->mem, NOISE_MAX_FRAME);
    h->write_owed = config->role == DIALER;
    return 0;
}

void handshake_free(struct noise *n)
{
    if (n->handshake == NULL)
        return;
    buf_free(&n->handshake->payload);
    mem_free_secret(n->mem, n->handshake);
    n->handshake = NULL;
}

static int mix_dh(struct noise_handshake *h, const struct keys *ours, const uint8_t *theirs)
{
    uint8_t secret[X25519_KEY_LEN];
    int rc = x25519_shared_secret(ours->secret, theirs, secret);
    if (rc == 0)
        symmetric_mix_key(&h->symmetric, secret);
    crypto_wipe(secret, sizeof secret);
    return rc;
}

/* es and se name the dialer's key first, so that each side mixes the one it has. */
static int mix_token(struct noise *n, enum token t)
{
    struct noise_handshake *h = n->handshake;
    bool static_is_ours = (t == SE) == (n->role == DIALER);
    if (t == EE)
        return mix_dh(h, &h->e, h->remote_e);
    return static_is_ours ? mix_dh(h, &h->s, h->remote_e) : mix_dh(h, &h->e, h->remote_s);
}

/* ---- writing ------------------------------------------------------------------------------------- */

static int put_payload(struct noise_handshake *h, struct writer *w)
{
    uint8_t signed_bytes[SIGNED_LEN], signature[ED25519_SIGNATURE_LEN];
    uint8_t public_key[IDENTITY_PUBLIC_LEN];
    struct writer m = writer_of(signed_bytes, sizeof signed_bytes);
    put_text(&m, SIGNED_PREFIX);
    put(&m, view_of(h->s.public_key, X25519_KEY_LEN));
    identity_sign(h->identity, writer_view(&m), signature);
    identity_public(h->identity, public_key);
    struct view key = view_of(public_key, sizeof public_key);
    struct view sig = view_of(signature, sizeof signature);
    struct view muxer = view_of_text(h->muxer);
    struct views muxers = {.at = &muxer, .count = 1};
    peerlet_noise_Payload payload = peerlet_noise_Payload_init_zero;
    payload.identity_key = lend_view(&key);
    payload.identity_sig = lend_view(&sig);
    payload.has_extensions = muxer.len > 0;
    payload.extensions.stream_muxers = lend_views(&muxers);
    protobuf_put(w, peerlet_noise_Payload_fields, &payload);
    return w->failed ? ERR_TOO_BIG : 0;
}

static int write_sealed(struct noise_handshake *h, struct writer *w, size_t len)
{
    size_t total;
    int rc = symmetric_seal(&h->symmetric, w->data + w->len, len, &total);
    w->len += total;
    return rc;
}

static int write_token(struct noise *n, enum token t, struct writer *w)
{
    struct noise_handshake *h = n->handshake;
    if (t != E && t != S)
        return mix_token(n, t);
    const struct keys *k = t == E ? &h->e : &h->s;
    memcpy(w->data + w->len, k->public_key, X25519_KEY_LEN);
    if (t == S)
        return write_sealed(h, w, X25519_KEY_LEN);
    symmetric_mix_hash(&h->symmetric, view_of(k->public_key, X25519_KEY_LEN));
    w->len += X25519_KEY_LEN;
    return 0;
}

static int write_message(struct noise *n, struct writer *w)
{
    struct noise_handshake *h = n->handshake;
    const enum token *t = PATTERN[h->message];
    int rc = 0;
    for (; rc == 0 && *t != END; t++)
        rc = write_token(n, *t, w);
    if (rc != 0)
        return rc;
    struct writer payload = writer_of(w->data + w->len, PAYLOAD_MAX);
    if (h->message > 0)
        rc = put_payload(h, &payload);
    h->message++;
    return rc == 0 ? write_sealed(h, w, payload.len) : rc;
}

static int become_open(struct noise *n)
{
    if (n->role == DIALER)
        symmetric_split(&n->handshake->symmetric, &n->sending, &n->receiving);
    else
        symmetric_split(&n->handshake->symmetric, &n->receiving, &n->sending);
    n->state = NOISE_OPEN;
    return 0;
}

int handshake_write(struct noise *n, struct buf *out)
{
    struct noise_handshake *h = n->handshake;
    if (h == NULL || !h->write_owed)
        return 0;
    size_t most = 2 + 2 * (X25519_KEY_LEN + AEAD_TAG_LEN) + PAYLOAD_MAX + AEAD_TAG_LEN;
    uint8_t *at = buf_reserve(out, most);
    if (at == NULL)
        return buf_room(out) < most ? ERR_FULL : ERR_NOMEM;
    struct writer w = writer_of(at + 2, most - 2);
    int rc = write_message(n, &w);
    if (rc != 0)
        return rc;
    struct writer len = writer_of(at, 2);
    put_u16be(&len, (uint16_t)w.len);
    buf_commit(out, 2 + w.len);
    h->write_owed = false;
    if (n->state == NOISE_OPEN)
        handshake_free(n);
    return 0;
}

/* ---- reading --------------------------------------------------------------------------------------- */

static int read_token(struct noise *n, enum token t, struct span *in)
{
    struct noise_handshake *h = n->handshake;
    if (t != E && t != S)
        return mix_token(n, t);
    struct span key = span_take(in, X25519_KEY_LEN + (t == S ? AEAD_TAG_LEN : 0));
    if (key.len != X25519_KEY_LEN + (t == S ? (size_t)AEAD_TAG_LEN : 0))
        return ERR_PROTOCOL;
    uint8_t *into = t == E ? h->remote_e : h->remote_s;
    const uint8_t *ours = t == E ? h->e.public_key : h->s.public_key;
    if (t == E)
        symmetric_mix_hash(&h->symmetric, view_of_span(key));
    else {
        size_t plain;
        int rc = symmetric_open(&h->symmetric, key.data, key.len, &plain);
        if (rc != 0)
            return rc;
    }
    memcpy(into, key.data, X25519_KEY_LEN);
    /* Our own key coming back is a reflection, never a peer. */
    return crypto_equal(into, ours, X25519_KEY_LEN) ? ERR_CRYPTO : 0;
}

static void choose_muxer(struct noise_handshake *h, const struct views *muxers)
{
    h->peer_names_muxers = muxers->count > 0 && muxers->over == 0;
    for (size_t i = 0; i < muxers->count; i++)
        if (view_equals_text(muxers->at[i], h->muxer))
            h->muxer_agreed = true;
}

static int parse_payload(struct noise_handshake *h, struct view in)
{
    struct view muxer_views[8];
    struct views muxers = {.at = muxer_views, .room = ARRAY_LEN(muxer_views)};
    struct views certhashes = {.at = h->certhashes, .room = NOISE_CERTHASHES_MAX};
    peerlet_noise_Payload payload = peerlet_noise_Payload_init_zero;
    h->public_key = h->signature = view_of(NULL, 0);
    payload.identity_key = borrow_view(&h->public_key);
    payload.identity_sig = borrow_view(&h->signature);
    payload.extensions.stream_muxers = borrow_views(&muxers);
    payload.extensions.webtransport_certhashes = borrow_views(&certhashes);
    int rc = protobuf_decode(in, NOISE_MAX_FRAME, peerlet_noise_Payload_fields, &payload);
    if (rc != 0)
        return rc;
    if (muxers.count + muxers.over > MUXERS_MAX)
        muxers.count = 0;
    h->certhash_count = certhashes.count;
    if (h->muxer[0] != '\0')
        choose_muxer(h, &muxers);
    return h->public_key.len > 0 && h->signature.len > 0 ? 0 : ERR_PROTOCOL;
}

/* Whether the key told may be the peer's at all, before its signature is looked at. */
static int check_peer(struct noise_handshake *h, struct public_key *key)
{
    int rc = public_key_parse(h->public_key, key);
    if (rc != 0)
        return rc;
    h->peer = peer_id_of_public_key(key);
    struct peer_id self = peer_id_of_identity(h->identity);
    if (peer_id_equal(&h->peer, &self))
        return ERR_SELF_DIAL;
    if (h->expected.len > 0 && !peer_id_equal(&h->peer, &h->expected))
        return ERR_WRONG_PEER;
    if (h->peer_names_muxers && !h->muxer_agreed)
        return ERR_UNSUPPORTED;
    return key->type == KEY_SECP256K1 ? ERR_UNSUPPORTED : 0;
}

static int ready(struct noise *n, struct noise_event *ev)
{
    struct noise_handshake *h = n->handshake;
    *ev = (struct noise_event){
        .type = NOISE_READY,
        .peer = h->peer,
        .public_key = h->public_key,
        .muxer_agreed = h->muxer_agreed,
        .certhash_count = h->certhash_count,
    };
    memcpy(ev->certhashes, h->certhashes, sizeof ev->certhashes);
    if (n->role == DIALER) {
        /* Message 3 is written and counted before the keys are split. */
        h->write_owed = true;
        n->state = NOISE_VERIFIED;
        return 1;
    }
    become_open(n);
    return 1;
}

static int verify(struct noise *n, struct noise_event *ev)
{
    struct noise_handshake *h = n->handshake;
    struct public_key key;
    int rc = check_peer(h, &key);
    if (rc != 0)
        return rc;
    struct writer w = writer_of(h->signed_bytes, sizeof h->signed_bytes);
    put_text(&w, SIGNED_PREFIX);
    put(&w, view_of(h->remote_s, X25519_KEY_LEN));
    rc = public_key_verify(&key, writer_view(&w), h->signature);
    if (rc == 0)
        return ready(n, ev);
    if (rc != ERR_UNSUPPORTED)
        return ERR_BAD_SIGNATURE;
    n->state = NOISE_WAIT_VERDICT;
    *ev = (struct noise_event){.type = NOISE_VERIFY,
                               .key = key,
                               .message = writer_view(&w),
                               .signature = h->signature};
    return 1;
}

int handshake_resume(struct noise *n, struct noise_event *ev)
{
    return ready(n, ev);
}

int handshake_read(struct noise *n, struct span message, struct noise_event *ev)
{
    struct noise_handshake *h = n->handshake;
    const enum token *t = PATTERN[h->message];
    int rc = 0;
    for (; rc == 0 && *t != END; t++)
        rc = read_token(n, *t, &message);
    size_t plain = 0;
    if (rc == 0)
        rc = symmetric_open(&h->symmetric, message.data, message.len, &plain);
    if (rc != 0)
        return rc;
    if (h->message++ == 0) {
        /* A payload in message 1 is not authenticated: nobody looks at it. */
        h->write_owed = true;
        n->state = NOISE_WAIT_S;
        return 0;
    }
    rc = buf_append(&h->payload, view_of(message.data, plain));
    if (rc == 0)
        rc = parse_payload(h, buf_view(&h->payload));
    return rc == 0 ? verify(n, ev) : rc;
}

/* ---- the dialer's last step -------------------------------------------------------------------------- */

int noise_drain(struct noise *n, struct buf *out)
{
    if (n->state == NOISE_FAILED || n->handshake == NULL)
        return 0;
    int rc = handshake_write(n, out);
    if (rc == 0 && n->role == DIALER && n->state == NOISE_VERIFIED) {
        become_open(n);
        handshake_free(n);
    }
    return rc;
}

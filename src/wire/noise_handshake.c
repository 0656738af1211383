#include "wire/noise_handshake.h"

#include "base/protobuf.h"
#include "crypto/crypto.h"
#include "noise.pb.h"
#include "wire/noise_symmetric.h"

#include <assert.h>

#define SIGNED_PREFIX "noise-libp2p-static-key:"
#define SIGNED_LEN (sizeof SIGNED_PREFIX - 1 + X25519_KEY_LEN)
#define MUXER_NAME_MAX 64
/* Names of the peer's that are looked at. */
#define MUXERS_MAX 8
/* Longest payload of ours: key, signature and one muxer, each with at most three bytes in front. */
#define PAYLOAD_MAX (IDENTITY_PUBLIC_LEN + ED25519_SIGNATURE_LEN + MUXER_NAME_MAX + 4 * 3)
#define MESSAGE_MAX (2 * (X25519_KEY_LEN + AEAD_TAG_LEN) + PAYLOAD_MAX + AEAD_TAG_LEN)

enum token { E, S, EE, ES, SE, END };

/* Noise specification, 7.5. Even rows are the dialer's. */
static const enum token XX[][5] = {
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
    struct peer_id expected; /* len 0: whoever it is */
    char muxer[MUXER_NAME_MAX];
    size_t row; /* of XX, the next to be written or read */

    /* what the peer's payload says, for as long as its events are looked at */
    struct buf payload;
    uint8_t signed_bytes[SIGNED_LEN];
    struct peer_id peer;
    struct view public_key, signature;
    bool names_muxers, muxer_agreed;
    struct view certhashes[NOISE_CERTHASHES_MAX];
    size_t certhash_count;
};

static void make_keys(struct keys *k, const struct rng *rng)
{
    rng_fill(rng, k->secret, sizeof k->secret);
    x25519_public_key(k->secret, k->public_key);
}

int noise_handshake_init(struct noise *n, const struct noise_config *config)
{
    if (config->muxer.len >= MUXER_NAME_MAX)
        return ERR_BAD_ARGUMENT;
    struct noise_handshake *h = mem_alloc(n->mem, sizeof *h);
    if (h == NULL)
        return ERR_NOMEM;
    n->handshake = h;
    n->state = n->role == DIALER ? NOISE_WAIT_DRAIN : NOISE_WAIT_MESSAGE;
    noise_symmetric_init(&h->symmetric, config->prologue);
    make_keys(&h->s, config->rng);
    make_keys(&h->e, config->rng);
    h->identity = config->identity;
    if (config->expected != NULL)
        h->expected = *config->expected;
    if (config->muxer.len > 0)
        memcpy(h->muxer, config->muxer.data, config->muxer.len);
    buf_init(&h->payload, n->mem, NOISE_MAX_FRAME);
    return 0;
}

void noise_handshake_free(struct noise *n)
{
    if (n->handshake == NULL)
        return;
    buf_free(&n->handshake->payload);
    mem_free_secret(n->mem, n->handshake);
    n->handshake = NULL;
}

static int mix_dh(struct noise_handshake *h, const struct keys *ours,
                  const uint8_t theirs[X25519_KEY_LEN])
{
    uint8_t secret[X25519_KEY_LEN];
    int rc = x25519_shared_secret(ours->secret, theirs, secret);
    if (rc == 0)
        noise_symmetric_mix_key(&h->symmetric, secret);
    crypto_wipe(secret, sizeof secret);
    return rc;
}

/* The first letter is the dialer's key, the second the listener's. */
static int mix_token(const struct noise *n, enum token t)
{
    struct noise_handshake *h = n->handshake;
    if (t == EE)
        return mix_dh(h, &h->e, h->remote_e);
    bool static_is_ours = (t == SE) == (n->role == DIALER);
    return static_is_ours ? mix_dh(h, &h->s, h->remote_e) : mix_dh(h, &h->e, h->remote_s);
}

/* What an identity signs: that this static key is its own. */
static struct view signed_by(const uint8_t static_key[X25519_KEY_LEN], uint8_t out[SIGNED_LEN])
{
    struct writer w = writer_of(out, SIGNED_LEN);
    put_text(&w, SIGNED_PREFIX);
    put(&w, view_of(static_key, X25519_KEY_LEN));
    return writer_view(&w);
}

/* Both ends have said all: frames from here on. */
static void become_open(struct noise *n)
{
    bool dials = n->role == DIALER;
    noise_symmetric_split(&n->handshake->symmetric, dials ? &n->sending : &n->receiving,
                          dials ? &n->receiving : &n->sending);
    n->state = NOISE_OPEN;
}

/* ---- writing ------------------------------------------------------------------------------- */

static void put_payload(const struct noise_handshake *h, struct writer *w)
{
    uint8_t signed_bytes[SIGNED_LEN], signature[ED25519_SIGNATURE_LEN];
    uint8_t public_key[IDENTITY_PUBLIC_LEN];
    identity_sign(h->identity, signed_by(h->s.public_key, signed_bytes), signature);
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
}

/* Encrypts what was written from `start` on. */
static int seal_from(struct noise_handshake *h, struct writer *w, size_t start)
{
    size_t len = w->len - start;
    assert(!w->failed && w->room - w->len >= AEAD_TAG_LEN);
    int rc = noise_symmetric_seal(&h->symmetric, w->data + start, &len);
    w->len = start + len;
    return rc;
}

static int write_token(const struct noise *n, enum token t, struct writer *w)
{
    struct noise_handshake *h = n->handshake;
    if (t != E && t != S)
        return mix_token(n, t);
    size_t start = w->len;
    struct view key = view_of(t == E ? h->e.public_key : h->s.public_key, X25519_KEY_LEN);
    put(w, key);
    if (t == S)
        return seal_from(h, w, start);
    noise_symmetric_mix_hash(&h->symmetric, key);
    return 0;
}

/* Message 1 has an empty payload, which nothing could protect. */
static int write_message(const struct noise *n, struct writer *w)
{
    struct noise_handshake *h = n->handshake;
    for (const enum token *t = XX[h->row]; *t != END; t++) {
        int rc = write_token(n, *t, w);
        if (rc != 0)
            return rc;
    }
    size_t start = w->len;
    if (h->row > 0)
        put_payload(h, w);
    return seal_from(h, w, start);
}

int noise_drain(struct noise *n, struct buf *out)
{
    if (n->state != NOISE_WAIT_DRAIN)
        return 0;
    uint8_t *at = buf_reserve(out, 2 + MESSAGE_MAX);
    if (at == NULL)
        return buf_room(out) < 2 + MESSAGE_MAX ? ERR_FULL : ERR_NOMEM;
    struct writer message = writer_of(at + 2, MESSAGE_MAX);
    int rc = write_message(n, &message);
    if (rc != 0) {
        n->state = NOISE_FAILED;
        return rc;
    }
    struct writer len = writer_of(at, 2);
    put_u16be(&len, (uint16_t)message.len);
    buf_commit(out, 2 + message.len);
    n->state = NOISE_WAIT_MESSAGE;
    if (++n->handshake->row == ARRAY_LEN(XX)) {
        become_open(n);
        noise_handshake_free(n);
    }
    return 0;
}

/* ---- reading ------------------------------------------------------------------------------- */

static int read_token(const struct noise *n, enum token t, struct span *message)
{
    struct noise_handshake *h = n->handshake;
    if (t != E && t != S)
        return mix_token(n, t);
    size_t len = X25519_KEY_LEN + (t == S ? AEAD_TAG_LEN : 0);
    if (message->len < len)
        return ERR_PROTOCOL;
    struct span key = span_take(message, len);
    if (t == E)
        noise_symmetric_mix_hash(&h->symmetric, view_of_span(key));
    int rc = t == S ? noise_symmetric_open(&h->symmetric, key.data, &key.len) : 0;
    if (rc != 0)
        return rc;
    memcpy(t == E ? h->remote_e : h->remote_s, key.data, X25519_KEY_LEN);
    /* Our own key coming back is a reflection, not a peer. */
    const struct keys *ours = t == E ? &h->e : &h->s;
    return crypto_equal(key.data, ours->public_key, X25519_KEY_LEN) ? ERR_CRYPTO : 0;
}

static int parse_payload(struct noise_handshake *h)
{
    struct view names[MUXERS_MAX];
    struct views muxers = {.at = names, .room = MUXERS_MAX};
    struct views certhashes = {.at = h->certhashes, .room = NOISE_CERTHASHES_MAX};
    peerlet_noise_Payload payload = peerlet_noise_Payload_init_zero;
    payload.identity_key = borrow_view(&h->public_key);
    payload.identity_sig = borrow_view(&h->signature);
    payload.extensions.stream_muxers = borrow_views(&muxers);
    payload.extensions.webtransport_certhashes = borrow_views(&certhashes);
    int rc = protobuf_decode(buf_view(&h->payload), NOISE_MAX_FRAME, peerlet_noise_Payload_fields,
                             &payload);
    if (rc != 0)
        return rc;
    h->certhash_count = certhashes.count;
    h->names_muxers = muxers.count > 0;
    for (size_t i = 0; i < muxers.count; i++)
        if (view_equals_text(names[i], h->muxer))
            h->muxer_agreed = true;
    return h->public_key.len > 0 && h->signature.len > 0 ? 0 : ERR_PROTOCOL;
}

/* Whether the peer may be who it says, before its signature is looked at. */
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
    return 0;
}

/* The peer is who it says. Its wishes count from here on, not before. */
static int become_ready(struct noise *n, struct noise_event *ev)
{
    struct noise_handshake *h = n->handshake;
    bool names_ours = h->muxer[0] != '\0';
    if (names_ours && h->names_muxers && !h->muxer_agreed)
        return ERR_UNSUPPORTED;
    *ev = (struct noise_event){
        .type = NOISE_READY,
        .peer = h->peer,
        .public_key = h->public_key,
        .muxer_agreed = names_ours && h->muxer_agreed,
        .certhash_count = h->certhash_count,
    };
    memcpy(ev->certhashes, h->certhashes, sizeof ev->certhashes);
    if (h->row == ARRAY_LEN(XX))
        become_open(n);
    else
        n->state = NOISE_WAIT_DRAIN;
    return 1;
}

static int verify(struct noise *n, struct noise_event *ev)
{
    struct noise_handshake *h = n->handshake;
    struct public_key key;
    int rc = check_peer(h, &key);
    if (rc != 0)
        return rc;
    struct view message = signed_by(h->remote_s, h->signed_bytes);
    rc = public_key_verify(&key, message, h->signature);
    if (rc != ERR_UNSUPPORTED)
        return rc == 0 ? become_ready(n, ev) : rc;
    n->state = NOISE_WAIT_VERDICT;
    *ev = (struct noise_event){
        .type = NOISE_VERIFY,
        .key = key,
        .message = message,
        .signature = h->signature,
    };
    return 1;
}

int noise_handshake_read(struct noise *n, struct span message, struct noise_event *ev)
{
    struct noise_handshake *h = n->handshake;
    int rc = 0;
    for (const enum token *t = XX[h->row]; rc == 0 && *t != END; t++)
        rc = read_token(n, *t, &message);
    if (rc == 0)
        rc = noise_symmetric_open(&h->symmetric, message.data, &message.len);
    if (rc != 0)
        return rc;
    if (h->row++ == 0) {
        /* A payload of message 1 is nobody's word. */
        n->state = NOISE_WAIT_DRAIN;
        return 0;
    }
    rc = buf_append(&h->payload, view_of_span(message));
    if (rc == 0)
        rc = parse_payload(h);
    return rc == 0 ? verify(n, ev) : rc;
}

int noise_handshake_resume(struct noise *n, struct noise_event *ev)
{
    return become_ready(n, ev);
}

int noise_verified(struct noise *n, bool is_valid)
{
    if (n->state != NOISE_WAIT_VERDICT)
        return ERR_BAD_ARGUMENT;
    n->state = is_valid ? NOISE_WAIT_FEED : NOISE_FAILED;
    return is_valid ? 0 : ERR_BAD_SIGNATURE;
}

const struct peer_id *noise_claimed_peer(const struct noise *n)
{
    bool is_known = n->handshake != NULL && n->handshake->peer.len > 0;
    return is_known ? &n->handshake->peer : NULL;
}

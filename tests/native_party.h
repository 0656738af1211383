/*
 * The server's end of Noise on the first channel of a WebTransport session or of a WebRTC Direct
 * connection, by hand over noise_party.h: it may leave out what an honest server says.
 *
 *     native_party_init(&n, LINK_SESSION, &identity, certhash, &mem);
 *     native_party_begin(&n, prologue, &rng, &out);    WebRTC Direct: the server speaks first
 *     native_party_feed(&n, bytes, &out);            1: both ends are known
 *
 * What goes out and comes in is what the channel carries: bare bytes, or frames.
 */
#ifndef TESTS_NATIVE_PARTY_H
#define TESTS_NATIVE_PARTY_H

#include "base/protobuf.h"
#include "crypto/identity.h"
#include "net/link.h"
#include "noise.pb.h"
#include "noise_party.h"
#include "wire/datachannel.h"

#include <assert.h>

struct native_party {
    enum link_kind kind;
    const struct identity *identity;
    struct view certhash; /* empty: says none */
    struct view key;      /* empty: the identity's own */
    struct noise_party noise;
    int row; /* of the pattern, the next */
    struct buf in;
    struct datachannel frames;
};

static inline void native_party_init(struct native_party *n, enum link_kind kind,
                                     const struct identity *identity, struct view certhash,
                                     struct mem *mem)
{
    *n = (struct native_party){.kind = kind, .identity = identity, .certhash = certhash};
    buf_init(&n->in, mem, 1u << 17);
    datachannel_init(&n->frames, mem, &PEERLET_LIMITS);
}

static inline void native_party_free(struct native_party *n)
{
    buf_free(&n->in);
    datachannel_free(&n->frames);
}

static inline void native_party_put(struct native_party *n, struct view bytes, struct buf *out)
{
    size_t room = bytes.len;
    uint8_t *at = n->kind == LINK_SESSION ? buf_reserve(out, room)
                                          : datachannel_reserve(&n->frames, out, &room);
    assert(at != NULL && room == bytes.len);
    memcpy(at, bytes.data, bytes.len);
    if (n->kind == LINK_SESSION)
        buf_commit(out, room);
    else
        datachannel_commit(&n->frames, out, room);
}

/* Message `row` with its length; from the second on it says who speaks. */
static inline void native_party_say(struct native_party *n, struct buf *out)
{
    uint8_t bytes[512], payload[256], public_key[IDENTITY_PUBLIC_LEN];
    uint8_t signature[ED25519_SIGNATURE_LEN], signed_bytes[64];
    struct writer s = writer_of(signed_bytes, sizeof signed_bytes);
    put_text(&s, "noise-libp2p-static-key:");
    put(&s, view_of(n->noise.s.public_key, X25519_KEY_LEN));
    identity_sign(n->identity, writer_view(&s), signature);
    identity_public(n->identity, public_key);
    struct view key = n->key.len > 0 ? n->key : view_of(public_key, sizeof public_key);
    struct view sig = view_of(signature, sizeof signature);
    struct views certhashes = {.at = &n->certhash, .count = 1};
    peerlet_noise_Payload message = peerlet_noise_Payload_init_zero;
    message.identity_key = lend_view(&key);
    message.identity_sig = lend_view(&sig);
    message.has_extensions = n->certhash.len > 0;
    message.extensions.webtransport_certhashes = lend_views(&certhashes);
    struct writer p = writer_of(payload, sizeof payload), w = writer_of(bytes + 2, 500);
    if (n->row > 0)
        protobuf_put(&p, peerlet_noise_Payload_fields, &message);
    int rc = noise_party_write(&n->noise, n->row++, writer_view(&p), &w);
    assert(rc == 0 && !w.failed && !p.failed);
    (void)rc;
    bytes[0] = (uint8_t)(w.len >> 8);
    bytes[1] = (uint8_t)w.len;
    native_party_put(n, view_of(bytes, 2 + w.len), out);
}

static inline void native_party_begin(struct native_party *n, struct view prologue, struct rng *rng,
                                      struct buf *out)
{
    uint8_t keys[2 * X25519_KEY_LEN];
    enum role role = n->kind == LINK_SESSION ? LISTENER : DIALER;
    rng_fill(rng, keys, sizeof keys);
    noise_party_init(&n->noise, role, prologue, keys, keys + X25519_KEY_LEN);
    if (role == DIALER)
        native_party_say(n, out);
}

/* One message of the node's, without its length. */
static inline int native_party_hear(struct native_party *n, struct span message, struct buf *out)
{
    struct span payload;
    int rc = noise_party_read(&n->noise, n->row, message, &payload);
    if (rc != 0)
        return rc;
    if (++n->row < 3)
        native_party_say(n, out);
    return n->row == 3;
}

static inline int native_party_unframe(struct native_party *n, struct span bytes)
{
    struct datachannel_event ev;
    int rc = 0;
    if (n->kind == LINK_SESSION)
        return buf_append(&n->in, view_of_span(bytes));
    while (rc == 0 && (rc = datachannel_feed(&n->frames, &bytes, &ev)) == 1)
        rc = ev.type == DATACHANNEL_DATA ? buf_append(&n->in, view_of_span(ev.data)) : 0;
    return rc;
}

/* 1 when the handshake is over, 0, negative when it cannot go on. */
static inline int native_party_feed(struct native_party *n, struct span bytes, struct buf *out)
{
    int rc = native_party_unframe(n, bytes);
    while (rc == 0 && n->row < 3 && n->in.len >= 2) {
        struct span in = buf_span(&n->in);
        size_t len = (size_t)in.data[0] << 8 | in.data[1];
        if (in.len < 2 + len)
            break;
        rc = native_party_hear(n, span_of(in.data + 2, len), out);
        buf_take(&n->in, 2 + len);
    }
    return rc;
}

#endif

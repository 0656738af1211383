/*
 * Noise_XX_25519_ChaChaPoly_SHA256 as libp2p uses it: who is at the other end, and secrecy.
 *
 *     frame       u16be(n) || n bytes                         n at most 65535
 *     dialer      -> e                                        listener
 *                 <- e, ee, s, es, payload
 *                 -> s, se, payload                           then frames of ciphertext || tag
 *
 * A payload carries the identity key and its signature over the static key of the handshake. Two
 * peers that name the same muxer in their payloads start it at once. specs/noise.
 *
 * Bytes climb: noise_feed decrypts a frame where it lies when it is whole in the bytes fed, and
 * gathers only one that is split. Bytes go down: plaintext is written where it will be encrypted, at
 * the tail of the link's buffer, in a frame that stays open until noise_seal:
 *
 *     out   [ sealed frames, may leave | u16 | plaintext so far | room kept for the tag ]
 */
#ifndef WIRE_NOISE_H
#define WIRE_NOISE_H

#include "base/buf.h"
#include "base/rng.h"
#include "base/role.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/x25519.h"
#include "multiformats/peer_id.h"

#define NOISE_MAX_FRAME 65535
#define NOISE_MAX_PLAINTEXT (NOISE_MAX_FRAME - AEAD_TAG_LEN)
/* What a sealed frame is longer than its plaintext. */
#define NOISE_OVERHEAD (2 + AEAD_TAG_LEN)
/* Of one key; js has a counter of 32 bits. */
#define NOISE_MESSAGES_MAX UINT32_MAX
#define NOISE_CERTHASHES_MAX 8

enum noise_state {
    NOISE_WAIT_DRAIN,   /* a handshake message of ours has to leave */
    NOISE_WAIT_MESSAGE, /* a handshake message of the peer's */
    NOISE_WAIT_VERDICT, /* noise_verified */
    NOISE_WAIT_FEED,    /* the verdict was good, NOISE_READY was not told yet */
    NOISE_OPEN,
    NOISE_FAILED,
};

struct noise_cipher {
    uint8_t key[AEAD_KEY_LEN];
    uint32_t counter; /* messages so far */
};

struct noise_handshake;

struct noise {
    enum noise_state state;
    enum role role;
    struct mem *mem;
    struct noise_handshake *handshake; /* until NOISE_OPEN and a call after that */
    struct noise_cipher sending, receiving;
    struct buf partial; /* a frame split over several feeds */
    size_t given;       /* bytes of `partial` lent by the last feed */
    bool is_frame_open;
    size_t frame_len; /* plaintext in the open frame */
};

struct noise_config {
    enum role role;
    const struct identity *identity; /* must outlive the handshake */
    struct view prologue;            /* WebRTC Direct's; else empty */
    const struct peer_id *expected;  /* null: whoever it is */
    struct view muxer;               /* the one we name; empty: send no extensions */
    const struct rng *rng;
    struct mem *mem;
};

enum noise_event_type {
    NOISE_VERIFY, /* key, message, signature: have it checked and call noise_verified */
    NOISE_READY,  /* peer, public_key, muxer_agreed, certhashes */
    NOISE_DATA,   /* plain */
};

/* What is borrowed is valid until the next call on the machine. */
struct noise_event {
    enum noise_event_type type;
    struct public_key key;
    struct view message, signature;
    struct peer_id peer;
    struct view public_key;                       /* protobuf */
    bool muxer_agreed;                            /* start it now; else negotiate one inside */
    struct view certhashes[NOISE_CERTHASHES_MAX]; /* WebTransport's, as multihashes */
    size_t certhash_count;
    struct span plain;
};

/* Draws a fresh static and ephemeral key. ERR_NOMEM; ERR_BAD_ARGUMENT for too long a muxer name. */
MUST_USE int noise_init(struct noise *n, const struct noise_config *config);

/* Wipes the keys. A no-op on a zeroed one. */
void noise_free(struct noise *n);

/*
 * Takes bytes of the link: 1 with an event, 0 when `in` is used up or a verdict is awaited. An error
 * ends the connection, silently, and only noise_free may follow:
 *
 *     ERR_PROTOCOL       not a message, or one before ours has left
 *     ERR_CRYPTO         a tag is wrong, a point is of low order, our own key came back
 *     ERR_BAD_KEY        the identity key is none (also ERR_TOO_BIG)
 *     ERR_BAD_SIGNATURE  it is not the identity key's over the static key
 *     ERR_SELF_DIAL      the peer has our own identity
 *     ERR_WRONG_PEER     it is not the one expected
 *     ERR_UNSUPPORTED    muxers without ours
 *     ERR_CLOSED         2^32 messages are near
 *     ERR_NOMEM
 */
MUST_USE int noise_feed(struct noise *n, struct span *in, struct noise_event *ev);

/*
 * The answer to NOISE_VERIFY: NOISE_READY comes from the next feed, which may be an empty one.
 * ERR_BAD_SIGNATURE when it was bad; ERR_BAD_ARGUMENT when none was asked for.
 */
MUST_USE int noise_verified(struct noise *n, bool is_valid);

/*
 * Appends the handshake message owed: after noise_init and after every feed, before the next one.
 * ERR_FULL when it does not fit yet; else as noise_feed.
 */
MUST_USE int noise_drain(struct noise *n, struct buf *out);

/* Who the peer says it is, before anything of that was checked; null until it has said so. */
const struct peer_id *noise_claimed_peer(const struct noise *n);

/* Plaintext bytes that still fit in the open frame, or in a new one. */
size_t noise_frame_room(const struct noise *n);

/*
 * Opens a frame if none is, and returns where to write `len` bytes of plaintext, at most
 * noise_frame_room, at the tail of `out`. Null when they and the tag do not fit under its limit, or
 * without memory.
 */
uint8_t *noise_reserve(struct noise *n, struct buf *out, size_t len);

/* The first `len` of the bytes reserved were written. */
void noise_commit(struct noise *n, struct buf *out, size_t len);

/* Encrypts the open frame, if there is one; an empty one is taken back. ERR_CLOSED, ERR_NOMEM. */
MUST_USE int noise_seal(struct noise *n, struct buf *out);

/* Bytes at the front of `out` that may leave: all but the open frame. */
size_t noise_sealed(const struct noise *n, const struct buf *out);

#endif

/*
 * Noise_XX_25519_ChaChaPoly_SHA256 as libp2p uses it: who is at the other end, and secrecy.
 *
 *     frame       u16be(n) || n bytes                         n at most 65535
 *     dialer      -> e                                        listener
 *                 <- e, ee, s, es, payload
 *                 -> s, se, payload                           then frames of AEAD(plaintext)
 *
 * The payload carries the identity key and its signature over the static key. specs/noise.
 *
 * Bytes climb: noise_feed decrypts a frame where it lies when it is whole in the bytes fed. Bytes go
 * down: plaintext is written straight to where it will be encrypted, at the tail of the link's
 * buffer, in a frame that stays open until noise_seal.
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
#define NOISE_CERTHASHES_MAX 8

enum noise_state {
    NOISE_WAIT_E,        /* listener: message 1 */
    NOISE_WAIT_E_S,      /* dialer: message 2 */
    NOISE_WAIT_S,        /* listener: message 3 */
    NOISE_WAIT_VERDICT,  /* the signature is being checked outside */
    NOISE_VERIFIED,      /* it was good; the handshake goes on at the next feed */
    NOISE_OPEN,
    NOISE_FAILED,
};

/* A key and its message counter. */
struct noise_cipher {
    uint8_t key[AEAD_KEY_LEN];
    uint64_t counter;
};

struct noise_handshake;

struct noise {
    enum noise_state state;
    enum role role;
    struct mem *mem;
    struct noise_handshake *handshake;  /* until NOISE_OPEN */
    struct noise_cipher sending, receiving;
    struct buf partial;                 /* a frame split over several feeds */
    size_t given;                       /* bytes of `partial` lent by the last feed */
    bool resume_owed;                   /* a good verdict waits for the next feed */
    bool is_frame_open;
    size_t frame_len;                   /* plaintext in the open frame */
};

/* Everything but the role and the prologue must outlive the handshake. */
struct noise_config {
    enum role role;
    const struct identity *identity;
    struct view prologue;               /* WebRTC Direct's; else empty. Used at once */
    const struct peer_id *expected;     /* null: whoever it is */
    struct view muxer;                  /* early muxer negotiation; empty: send no extensions */
    const struct rng *rng;
    struct mem *mem;
};

enum noise_event_type {
    NOISE_VERIFY,  /* key, message, signature: answer by noise_verified */
    NOISE_READY,   /* peer, public_key, muxer_agreed, certhashes */
    NOISE_DATA,    /* plain */
};

/* Views are valid until the next call on the machine that gave them. */
struct noise_event {
    enum noise_event_type type;
    struct public_key key;
    struct view message, signature;
    struct peer_id peer;
    struct view public_key;             /* protobuf */
    bool muxer_agreed;                  /* both named the same muxer: start it at once */
    struct view certhashes[NOISE_CERTHASHES_MAX];  /* WebTransport's, multihashes */
    size_t certhash_count;
    struct span plain;
};

/* ERR_NOMEM. The dialer owes message 1. */
MUST_USE int noise_init(struct noise *n, const struct noise_config *config);

/* Wipes the keys. A no-op on a zeroed one. */
void noise_free(struct noise *n);

/*
 * Takes bytes of the link: 1 with an event, 0 when `in` is used up or a verdict is awaited. Errors
 * end the connection: CRYPTO, BAD_SIGNATURE, BAD_KEY, WRONG_PEER, SELF_DIAL, UNSUPPORTED (secp256k1,
 * or no common muxer), PROTOCOL, TOO_BIG, NOMEM.
 */
MUST_USE int noise_feed(struct noise *n, struct span *in, struct noise_event *ev);

/* The answer to NOISE_VERIFY; NOISE_READY comes from the next feed, which may be empty. */
MUST_USE int noise_verified(struct noise *n, bool is_valid);

/* Appends the handshake message owed. ERR_FULL, ERR_NOMEM. */
MUST_USE int noise_drain(struct noise *n, struct buf *out);

/* Plaintext bytes that still fit in the frame being filled, or in a new one. */
size_t noise_frame_room(const struct noise *n);

/*
 * Where to write at most `len` (at most noise_frame_room) bytes of plaintext at the tail of `out`;
 * null when they and the tag do not fit there.
 */
uint8_t *noise_reserve(struct noise *n, struct buf *out, size_t len);

/* `len` of the reserved bytes were written. */
void noise_commit(struct noise *n, struct buf *out, size_t len);

/* Encrypts the frame being filled; nothing to do without one. CLOSED after 2^32 frames. */
MUST_USE int noise_seal(struct noise *n, struct buf *out);

/* Bytes at the front of `out` that may leave: all but the frame being filled. */
size_t noise_sealed(const struct noise *n, const struct buf *out);

#endif

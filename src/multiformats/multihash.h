/*
 * A digest that says how it was made:
 *
 *     uvarint(code) || uvarint(length) || digest
 *
 * multiformats/multihash, "Format".
 */
#ifndef MULTIFORMATS_MULTIHASH_H
#define MULTIFORMATS_MULTIHASH_H

#include "base/cursor.h"
#include "base/err.h"
#include "base/span.h"

/* Longest digest that is looked at: SHA-512. */
#define MULTIHASH_MAX_DIGEST 64

enum multihash_code {
    MULTIHASH_IDENTITY = 0x00, /* the digest is the data itself */
    MULTIHASH_SHA1 = 0x11,     /* SDP fingerprints only */
    MULTIHASH_SHA2_256 = 0x12,
    MULTIHASH_SHA2_512 = 0x13,
};

struct multihash {
    uint64_t code; /* one of the above, or unknown to us */
    struct view digest;
};

/*
 * Reads `in` to its end; the digest is borrowed from it. ERR_TOO_BIG for a digest over
 * MULTIHASH_MAX_DIGEST, ERR_PROTOCOL when the length does not match what is there or does not fit
 * the code.
 */
MUST_USE int multihash_parse(struct view in, struct multihash *out);

void multihash_put(struct writer *w, enum multihash_code code, struct view digest);

#endif

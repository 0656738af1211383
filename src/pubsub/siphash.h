/*
 * SipHash-2-4: a 64-bit hash under a secret key.
 *
 * Message ids and topics are chosen by strangers. Under a key that they do not know nobody can make
 * two of them collide, so tables keep the hash in place of the bytes. Aumasson and Bernstein,
 * "SipHash: a fast short-input PRF".
 */
#ifndef PUBSUB_SIPHASH_H
#define PUBSUB_SIPHASH_H

#include "base/rng.h"
#include "base/span.h"

struct siphash_key {
    uint64_t words[2];
};

void siphash_init(struct siphash_key *key, const struct rng *rng);

uint64_t siphash(const struct siphash_key *key, struct view bytes);

#endif

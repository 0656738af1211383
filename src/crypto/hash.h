/* SHA-256, HMAC-SHA-256 and HKDF-SHA-256. None of them can fail. */
#ifndef CRYPTO_HASH_H
#define CRYPTO_HASH_H

#include "base/err.h"
#include "base/span.h"

#define SHA256_LEN 32

void sha256(struct view in, uint8_t out[SHA256_LEN]);

/* The hash of `count` views put one after the other; `out` may lie inside one of them. */
void sha256_parts(const struct view *parts, size_t count, uint8_t out[SHA256_LEN]);

/* RFC 2104; the key may have any length. */
void hmac_sha256(struct view key, struct view message, uint8_t out[SHA256_LEN]);

/*
 * HKDF with two outputs, as the Noise spec defines it: the chaining key is the salt, info is empty.
 * `out1` or `out2` may be `ck`, and `ikm` may be empty.
 */
void hkdf_sha256(const uint8_t ck[SHA256_LEN], struct view ikm, uint8_t out1[SHA256_LEN],
                 uint8_t out2[SHA256_LEN]);

#endif

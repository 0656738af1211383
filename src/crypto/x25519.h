/* Key agreement of RFC 7748. A secret is any 32 random bytes. */
#ifndef CRYPTO_X25519_H
#define CRYPTO_X25519_H

#include "base/err.h"

#include <stdint.h>

#define X25519_KEY_LEN 32

/* The public key that belongs to a secret. */
void x25519_public_key(const uint8_t secret[X25519_KEY_LEN], uint8_t out[X25519_KEY_LEN]);

/* ERR_CRYPTO when `theirs` is a point of low order, which would make the result all zero. */
MUST_USE int x25519_shared_secret(const uint8_t secret[X25519_KEY_LEN],
                                  const uint8_t theirs[X25519_KEY_LEN],
                                  uint8_t out[X25519_KEY_LEN]);

#endif

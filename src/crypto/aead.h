/*
 * ChaCha20-Poly1305 of RFC 8439, in place.
 *
 * This is where the bytes of every connection pass, so the wasm build has its own ChaCha20 in SIMD
 * (chacha20_simd.c).
 */
#ifndef CRYPTO_AEAD_H
#define CRYPTO_AEAD_H

#include "base/err.h"
#include "base/span.h"

#define AEAD_KEY_LEN 32
#define AEAD_NONCE_LEN 12
#define AEAD_TAG_LEN 16

/* Encrypts `len` bytes at `data` where they stand and writes the tag, which may follow them. */
void aead_seal(const uint8_t key[AEAD_KEY_LEN], const uint8_t nonce[AEAD_NONCE_LEN], struct view ad,
               uint8_t *data, size_t len, uint8_t tag[AEAD_TAG_LEN]);

/*
 * Checks the tag, then decrypts `len` bytes at `data` where they stand. ERR_CRYPTO when the tag is
 * wrong; `data` is unchanged then.
 */
MUST_USE int aead_open(const uint8_t key[AEAD_KEY_LEN], const uint8_t nonce[AEAD_NONCE_LEN],
                       struct view ad, uint8_t *data, size_t len, const uint8_t tag[AEAD_TAG_LEN]);

#endif

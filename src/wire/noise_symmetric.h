/*
 * CipherState and SymmetricState of the Noise specification, 5.1 and 5.2, for
 * Noise_XX_25519_ChaChaPoly_SHA256. All encryption is in place.
 */
#ifndef WIRE_NOISE_SYMMETRIC_H
#define WIRE_NOISE_SYMMETRIC_H

#include "wire/noise.h"

struct noise_symmetric {
    uint8_t chaining_key[SHA256_LEN];
    uint8_t hash[SHA256_LEN];
    struct noise_cipher cipher;
    bool has_key;
};

/* Encrypts `len` bytes and writes the tag. ERR_CLOSED when the key has been used up. */
MUST_USE int noise_cipher_seal(struct noise_cipher *c, struct view ad, uint8_t *data, size_t len,
                               uint8_t tag[AEAD_TAG_LEN]);

/* The reverse. ERR_CRYPTO, ERR_CLOSED. */
MUST_USE int noise_cipher_open(struct noise_cipher *c, struct view ad, uint8_t *data, size_t len,
                               const uint8_t tag[AEAD_TAG_LEN]);

void noise_symmetric_init(struct noise_symmetric *s, struct view prologue);
void noise_symmetric_mix_hash(struct noise_symmetric *s, struct view data);
void noise_symmetric_mix_key(struct noise_symmetric *s, const uint8_t secret[X25519_KEY_LEN]);

/*
 * EncryptAndHash: `*len` bytes, behind which there is room for a tag; `*len` grows by the tag, once
 * there is a key. ERR_CLOSED.
 */
MUST_USE int noise_symmetric_seal(struct noise_symmetric *s, uint8_t *data, size_t *len);

/* DecryptAndHash: `*len` loses the tag. ERR_PROTOCOL when there is none, ERR_CRYPTO, ERR_CLOSED. */
MUST_USE int noise_symmetric_open(struct noise_symmetric *s, uint8_t *data, size_t *len);

/* The keys of the frames that the dialer and the listener send. */
void noise_symmetric_split(const struct noise_symmetric *s, struct noise_cipher *dialer,
                           struct noise_cipher *listener);

#endif

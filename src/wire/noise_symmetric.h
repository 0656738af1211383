/* CipherState and SymmetricState of the Noise specification, sections 5.1 and 5.2. */
#ifndef WIRE_NOISE_SYMMETRIC_H
#define WIRE_NOISE_SYMMETRIC_H

#include "wire/noise.h"

struct noise_symmetric {
    uint8_t chaining_key[SHA256_LEN];
    uint8_t hash[SHA256_LEN];
    struct noise_cipher cipher;
    bool has_key;
};

/* In place; the tag goes to `tag`, behind the data in all our uses. ERR_CLOSED past 2^32. */
MUST_USE int cipher_seal(struct noise_cipher *c, struct view ad, uint8_t *data, size_t len,
                         uint8_t tag[AEAD_TAG_LEN]);
MUST_USE int cipher_open(struct noise_cipher *c, struct view ad, uint8_t *data, size_t len,
                         const uint8_t tag[AEAD_TAG_LEN]);

void symmetric_init(struct noise_symmetric *s, struct view prologue);
void symmetric_mix_hash(struct noise_symmetric *s, struct view data);
void symmetric_mix_key(struct noise_symmetric *s, const uint8_t secret[X25519_KEY_LEN]);

/* Encrypts `len` bytes in place, with the tag behind them; without a key only hashes. */
MUST_USE int symmetric_seal(struct noise_symmetric *s, uint8_t *data, size_t len, size_t *total);

/* The reverse: `len` counts the tag, `*plain` does not. ERR_CRYPTO. */
MUST_USE int symmetric_open(struct noise_symmetric *s, uint8_t *data, size_t len, size_t *plain);

/* Keys for the dialer's and the listener's frames. */
void symmetric_split(const struct noise_symmetric *s, struct noise_cipher *dialer,
                     struct noise_cipher *listener);

#endif

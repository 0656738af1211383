#include "wire/noise_symmetric.h"

#include "crypto/crypto.h"

#define PROTOCOL_NAME "Noise_XX_25519_ChaChaPoly_SHA256"

_Static_assert(sizeof PROTOCOL_NAME - 1 == SHA256_LEN, "the name is its own hash");

/* Four zero bytes and a little-endian counter, whose upper half is never reached. */
static int next_nonce(struct noise_cipher *c, uint8_t nonce[AEAD_NONCE_LEN])
{
    if (c->counter == NOISE_MESSAGES_MAX)
        return ERR_CLOSED;
    memset(nonce, 0, AEAD_NONCE_LEN);
    for (size_t i = 0; i < sizeof c->counter; i++)
        nonce[4 + i] = (uint8_t)(c->counter >> (8 * i));
    c->counter++;
    return 0;
}

int noise_cipher_seal(struct noise_cipher *c, struct view ad, uint8_t *data, size_t len,
                      uint8_t tag[AEAD_TAG_LEN])
{
    uint8_t nonce[AEAD_NONCE_LEN];
    int rc = next_nonce(c, nonce);
    if (rc == 0)
        aead_seal(c->key, nonce, ad, data, len, tag);
    return rc;
}

int noise_cipher_open(struct noise_cipher *c, struct view ad, uint8_t *data, size_t len,
                      const uint8_t tag[AEAD_TAG_LEN])
{
    uint8_t nonce[AEAD_NONCE_LEN];
    int rc = next_nonce(c, nonce);
    return rc == 0 ? aead_open(c->key, nonce, ad, data, len, tag) : rc;
}

void noise_symmetric_init(struct noise_symmetric *s, struct view prologue)
{
    *s = (struct noise_symmetric){0};
    memcpy(s->hash, PROTOCOL_NAME, SHA256_LEN);
    memcpy(s->chaining_key, PROTOCOL_NAME, SHA256_LEN);
    noise_symmetric_mix_hash(s, prologue);
}

void noise_symmetric_mix_hash(struct noise_symmetric *s, struct view data)
{
    const struct view parts[] = {view_of(s->hash, SHA256_LEN), data};
    sha256_parts(parts, ARRAY_LEN(parts), s->hash);
}

void noise_symmetric_mix_key(struct noise_symmetric *s, const uint8_t secret[X25519_KEY_LEN])
{
    hkdf_sha256(s->chaining_key, view_of(secret, X25519_KEY_LEN), s->chaining_key, s->cipher.key);
    s->cipher.counter = 0;
    s->has_key = true;
}

int noise_symmetric_seal(struct noise_symmetric *s, uint8_t *data, size_t *len)
{
    if (s->has_key) {
        struct view ad = view_of(s->hash, SHA256_LEN);
        int rc = noise_cipher_seal(&s->cipher, ad, data, *len, data + *len);
        if (rc != 0)
            return rc;
        *len += AEAD_TAG_LEN;
    }
    noise_symmetric_mix_hash(s, view_of(data, *len));
    return 0;
}

int noise_symmetric_open(struct noise_symmetric *s, uint8_t *data, size_t *len)
{
    /* The ciphertext is hashed before it is gone; the hash of before is the associated data. */
    uint8_t ad[SHA256_LEN];
    memcpy(ad, s->hash, SHA256_LEN);
    noise_symmetric_mix_hash(s, view_of(data, *len));
    if (!s->has_key)
        return 0;
    if (*len < AEAD_TAG_LEN)
        return ERR_PROTOCOL;
    *len -= AEAD_TAG_LEN;
    return noise_cipher_open(&s->cipher, view_of(ad, SHA256_LEN), data, *len, data + *len);
}

void noise_symmetric_split(const struct noise_symmetric *s, struct noise_cipher *dialer,
                           struct noise_cipher *listener)
{
    hkdf_sha256(s->chaining_key, view_of(NULL, 0), dialer->key, listener->key);
    dialer->counter = listener->counter = 0;
}

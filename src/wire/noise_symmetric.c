#include "wire/noise_symmetric.h"

#include "crypto/crypto.h"

#define PROTOCOL_NAME "Noise_XX_25519_ChaChaPoly_SHA256"
#define MESSAGES_MAX (UINT64_C(1) << 32)

_Static_assert(sizeof PROTOCOL_NAME - 1 == SHA256_LEN, "the name is its own hash");

static int next_nonce(struct noise_cipher *c, uint8_t nonce[AEAD_NONCE_LEN])
{
    if (c->counter >= MESSAGES_MAX)
        return ERR_CLOSED;
    memset(nonce, 0, AEAD_NONCE_LEN);
    for (size_t i = 0; i < 8; i++)
        nonce[4 + i] = (uint8_t)(c->counter >> (8 * i));
    c->counter++;
    return 0;
}

int cipher_seal(struct noise_cipher *c, struct view ad, uint8_t *data, size_t len,
                uint8_t tag[AEAD_TAG_LEN])
{
    uint8_t nonce[AEAD_NONCE_LEN];
    int rc = next_nonce(c, nonce);
    if (rc == 0)
        aead_seal(c->key, nonce, ad, data, len, tag);
    return rc;
}

int cipher_open(struct noise_cipher *c, struct view ad, uint8_t *data, size_t len,
                const uint8_t tag[AEAD_TAG_LEN])
{
    uint8_t nonce[AEAD_NONCE_LEN];
    int rc = next_nonce(c, nonce);
    return rc == 0 ? aead_open(c->key, nonce, ad, data, len, tag) : rc;
}

void symmetric_init(struct noise_symmetric *s, struct view prologue)
{
    *s = (struct noise_symmetric){0};
    memcpy(s->hash, PROTOCOL_NAME, SHA256_LEN);
    memcpy(s->chaining_key, PROTOCOL_NAME, SHA256_LEN);
    symmetric_mix_hash(s, prologue);
}

void symmetric_mix_hash(struct noise_symmetric *s, struct view data)
{
    struct view parts[] = {view_of(s->hash, SHA256_LEN), data};
    sha256_parts(parts, ARRAY_LEN(parts), s->hash);
}

void symmetric_mix_key(struct noise_symmetric *s, const uint8_t secret[X25519_KEY_LEN])
{
    uint8_t chaining_key[SHA256_LEN];
    hkdf_sha256(s->chaining_key, view_of(secret, X25519_KEY_LEN), chaining_key, s->cipher.key);
    memcpy(s->chaining_key, chaining_key, SHA256_LEN);
    crypto_wipe(chaining_key, sizeof chaining_key);
    s->cipher.counter = 0;
    s->has_key = true;
}

int symmetric_seal(struct noise_symmetric *s, uint8_t *data, size_t len, size_t *total)
{
    *total = len;
    if (s->has_key) {
        int rc = cipher_seal(&s->cipher, view_of(s->hash, SHA256_LEN), data, len, data + len);
        if (rc != 0)
            return rc;
        *total += AEAD_TAG_LEN;
    }
    symmetric_mix_hash(s, view_of(data, *total));
    return 0;
}

int symmetric_open(struct noise_symmetric *s, uint8_t *data, size_t len, size_t *plain)
{
    struct noise_symmetric before = *s;
    symmetric_mix_hash(s, view_of(data, len));
    *plain = len;
    if (!s->has_key)
        return 0;
    if (len < AEAD_TAG_LEN)
        return ERR_PROTOCOL;
    *plain = len - AEAD_TAG_LEN;
    int rc = cipher_open(&s->cipher, view_of(before.hash, SHA256_LEN), data, *plain, data + *plain);
    crypto_wipe(&before, sizeof before);
    return rc;
}

void symmetric_split(const struct noise_symmetric *s, struct noise_cipher *dialer,
                     struct noise_cipher *listener)
{
    hkdf_sha256(s->chaining_key, view_of(NULL, 0), dialer->key, listener->key);
    dialer->counter = listener->counter = 0;
}

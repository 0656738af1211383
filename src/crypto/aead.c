#include "crypto/aead.h"

#include <sodium/crypto_onetimeauth_poly1305.h>
#include <sodium/crypto_stream_chacha20.h>

#include "crypto/chacha20.h"
#include "crypto/crypto.h"

/* Block 0 is the key of Poly1305, the rest of its batch is for the first bytes of the data. */
#define FIRST_LEN ((CHACHA20_BATCH - 1) * CHACHA20_BLOCK_LEN)

struct keystream {
    uint8_t batch[CHACHA20_BATCH * CHACHA20_BLOCK_LEN];
};

#ifndef __wasm_simd128__
void chacha20_xor(const uint8_t key[AEAD_KEY_LEN], const uint8_t nonce[AEAD_NONCE_LEN],
                  uint32_t counter, uint8_t *data, size_t len)
{
    crypto_stream_chacha20_ietf_xor_ic(data, data, len, nonce, counter, key);
}
#endif

static void keystream_init(struct keystream *k, const uint8_t key[AEAD_KEY_LEN],
                           const uint8_t nonce[AEAD_NONCE_LEN])
{
    memset(k->batch, 0, sizeof k->batch);
    chacha20_xor(key, nonce, 0, k->batch, sizeof k->batch);
}

/* A short message needs no other batch than the one its Poly1305 key came from. */
static void keystream_xor(const struct keystream *k, const uint8_t key[AEAD_KEY_LEN],
                          const uint8_t nonce[AEAD_NONCE_LEN], uint8_t *data, size_t len)
{
    size_t first = MIN(len, FIRST_LEN);
    for (size_t i = 0; i < first; i++)
        data[i] ^= k->batch[CHACHA20_BLOCK_LEN + i];
    if (len > first)
        chacha20_xor(key, nonce, CHACHA20_BATCH, data + first, len - first);
}

static void put_u64le(uint8_t *out, uint64_t value)
{
    for (size_t i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

static void make_tag(const struct keystream *k, struct view ad, struct view text,
                     uint8_t tag[AEAD_TAG_LEN])
{
    static const uint8_t ZEROES[15];
    uint8_t lengths[16];
    put_u64le(lengths, ad.len);
    put_u64le(lengths + 8, text.len);

    crypto_onetimeauth_poly1305_state state;
    crypto_onetimeauth_poly1305_init(&state, k->batch);
    crypto_onetimeauth_poly1305_update(&state, ad.data, ad.len);
    crypto_onetimeauth_poly1305_update(&state, ZEROES, -ad.len % 16);
    crypto_onetimeauth_poly1305_update(&state, text.data, text.len);
    crypto_onetimeauth_poly1305_update(&state, ZEROES, -text.len % 16);
    crypto_onetimeauth_poly1305_update(&state, lengths, sizeof lengths);
    crypto_onetimeauth_poly1305_final(&state, tag);
}

void aead_seal(const uint8_t key[AEAD_KEY_LEN], const uint8_t nonce[AEAD_NONCE_LEN], struct view ad,
               uint8_t *data, size_t len, uint8_t tag[AEAD_TAG_LEN])
{
    struct keystream k;
    keystream_init(&k, key, nonce);
    keystream_xor(&k, key, nonce, data, len);
    make_tag(&k, ad, view_of(data, len), tag);
    crypto_wipe(&k, sizeof k);
}

int aead_open(const uint8_t key[AEAD_KEY_LEN], const uint8_t nonce[AEAD_NONCE_LEN], struct view ad,
              uint8_t *data, size_t len, const uint8_t tag[AEAD_TAG_LEN])
{
    struct keystream k;
    uint8_t expected[AEAD_TAG_LEN];
    keystream_init(&k, key, nonce);
    make_tag(&k, ad, view_of(data, len), expected);
    bool genuine = crypto_equal(expected, tag, AEAD_TAG_LEN);
    if (genuine)
        keystream_xor(&k, key, nonce, data, len);
    crypto_wipe(&k, sizeof k);
    return genuine ? 0 : ERR_CRYPTO;
}

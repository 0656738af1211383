#include "crypto/hash.h"

#include <sodium/crypto_auth_hmacsha256.h>
#include <sodium/crypto_hash_sha256.h>

#include "crypto/crypto.h"

void sha256(struct view in, uint8_t out[SHA256_LEN])
{
    crypto_hash_sha256(out, in.data, in.len);
}

void sha256_parts(const struct view *parts, size_t count, uint8_t out[SHA256_LEN])
{
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    for (size_t i = 0; i < count; i++)
        crypto_hash_sha256_update(&state, parts[i].data, parts[i].len);
    crypto_hash_sha256_final(&state, out);
}

static void hmac_parts(struct view key, struct view a, struct view b, uint8_t out[SHA256_LEN])
{
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key.data, key.len);
    crypto_auth_hmacsha256_update(&state, a.data, a.len);
    crypto_auth_hmacsha256_update(&state, b.data, b.len);
    crypto_auth_hmacsha256_final(&state, out);
    crypto_wipe(&state, sizeof state);
}

void hmac_sha256(struct view key, struct view message, uint8_t out[SHA256_LEN])
{
    hmac_parts(key, message, view_of(NULL, 0), out);
}

void hkdf_sha256(const uint8_t ck[SHA256_LEN], struct view ikm, uint8_t out1[SHA256_LEN],
                 uint8_t out2[SHA256_LEN])
{
    static const uint8_t ONE[1] = {1}, TWO[1] = {2};
    uint8_t temp_key[SHA256_LEN], first[SHA256_LEN];
    struct view key = view_of(temp_key, sizeof temp_key);
    hmac_sha256(view_of(ck, SHA256_LEN), ikm, temp_key);
    hmac_sha256(key, view_of(ONE, 1), first);
    hmac_parts(key, view_of(first, sizeof first), view_of(TWO, 1), out2);
    memcpy(out1, first, sizeof first);
    crypto_wipe(temp_key, sizeof temp_key);
    crypto_wipe(first, sizeof first);
}

#include "crypto/x25519.h"

#include <sodium/crypto_scalarmult_curve25519.h>

void x25519_public_key(const uint8_t secret[X25519_KEY_LEN], uint8_t out[X25519_KEY_LEN])
{
    crypto_scalarmult_curve25519_base(out, secret);
}

int x25519_shared_secret(const uint8_t secret[X25519_KEY_LEN], const uint8_t theirs[X25519_KEY_LEN],
                         uint8_t out[X25519_KEY_LEN])
{
    return crypto_scalarmult_curve25519(out, secret, theirs) == 0 ? 0 : ERR_CRYPTO;
}

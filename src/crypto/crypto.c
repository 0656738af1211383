#include "crypto/crypto.h"

#include <assert.h>

#include <sodium/core.h>
#include <sodium/utils.h>

void crypto_init(void)
{
    int rc = sodium_init();
    assert(rc >= 0);
    (void)rc;
}

void crypto_wipe(void *memory, size_t len)
{
    sodium_memzero(memory, len);
}

bool crypto_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
    return sodium_memcmp(a, b, len) == 0;
}

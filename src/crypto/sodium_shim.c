/*
 * What the wasm build has in place of libsodium's core, runtime and randombytes: one processor, no
 * threads, and no randomness but the one injected. The functions of libsodium that would draw
 * randomness are not linked.
 */
#ifdef __wasm__

#include <sodium/core.h>

#include "crypto/ed25519_field.h"
#include "crypto/ed25519_table.h"
#include "crypto/sha2_constants.h"

int sodium_init(void)
{
    ed25519_field_init();
    int rc = ed25519_table_init();
    if (rc == 0)
        sha2_constants_init();
    return rc;
}

void sodium_misuse(void)
{
    __builtin_trap();
}

#endif

typedef int sodium_shim_is_for_wasm;

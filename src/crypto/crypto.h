/*
 * What every user of cryptography needs once: the start, and care for secrets.
 *
 * The files of this folder are the only ones that name libsodium.
 */
#ifndef CRYPTO_CRYPTO_H
#define CRYPTO_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Makes ready what the other functions of this folder rely on; call it before any of them. Calling
 * it again costs nothing. The wasm build computes Ed25519's table of base multiples here, in about
 * a millisecond, because shipping it would cost more bytes than all the rest of the cryptography.
 */
void crypto_init(void);

/* Zeroes memory in a way the compiler does not optimise out. */
void crypto_wipe(void *memory, size_t len);

/* Compares in a time that depends on `len` only. */
bool crypto_equal(const uint8_t *a, const uint8_t *b, size_t len);

#endif

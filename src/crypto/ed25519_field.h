/*
 * Arithmetic modulo 2^255 - 19 that is done a few times for each point, in loops: libsodium's own is
 * unrolled limb by limb, as wasm many times the size, to save a microsecond of a signature. What is
 * done thousands of times, products and squares, stays libsodium's. All in constant time. Wasm build
 * only; sodium_ed25519.sed makes room for these under libsodium's names.
 */
#ifndef CRYPTO_ED25519_FIELD_H
#define CRYPTO_ED25519_FIELD_H

#include <private/ed25519_ref10.h>

/* Of the curve: -121665 / 121666, twice that, and a root of -1. Written once, by ed25519_field_init. */
extern fe25519 ed25519_d, ed25519_d2, ed25519_sqrtm1;

void ed25519_field_init(void);

/* z to the power of 2^252 - 3, of which inverses and roots are made. */
void fe25519_pow22523(fe25519 out, const fe25519 z);

#endif

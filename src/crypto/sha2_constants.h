/*
 * The constants of SHA-2, computed instead of stored: they are the first bits of the fractions of the
 * roots of the first primes (FIPS 180-4, sections 4.2 and 5.3), 1 KB that no compressor can shrink.
 * Wasm build only.
 */
#ifndef CRYPTO_SHA2_CONSTANTS_H
#define CRYPTO_SHA2_CONSTANTS_H

#include <stdint.h>

/* Written once, by sha2_constants_init, before anything is hashed. */
extern uint64_t sha512_k[80], sha512_start[8];
extern uint32_t sha256_k[64], sha256_start[8];

void sha2_constants_init(void);

/* The first 64 bits of the fraction of the square (2) or cube (3) root of a prime up to 409. */
uint64_t sha2_root(uint32_t prime, unsigned degree);

#endif

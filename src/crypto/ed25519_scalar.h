/*
 * Arithmetic of Ed25519's scalars, modulo the order of the base point,
 * L = 2^252 + 27742317777372353535851937790883648493 (RFC 8032, section 5.1). All in constant time.
 *
 * libsodium's own is unrolled, digit by digit: as wasm many times the size of a loop, to save ten
 * microseconds of a signature and two of a verification. The wasm build links these under libsodium's
 * names (sodium_ed25519.sed).
 */
#ifndef CRYPTO_ED25519_SCALAR_H
#define CRYPTO_ED25519_SCALAR_H

#include <stdint.h>

#define ED25519_SCALAR_LEN 32

#ifdef __wasm__
#define ed25519_scalar_reduce sc25519_reduce
#define ed25519_scalar_muladd sc25519_muladd
#endif

/* The first 32 bytes of `s`, a little-endian number like all of these, become what it is modulo L. */
void ed25519_scalar_reduce(uint8_t s[2 * ED25519_SCALAR_LEN]);

/* `out` = a * b + c modulo L, whatever the three are; it may be one of them. */
void ed25519_scalar_muladd(uint8_t out[ED25519_SCALAR_LEN], const uint8_t a[ED25519_SCALAR_LEN],
                           const uint8_t b[ED25519_SCALAR_LEN],
                           const uint8_t c[ED25519_SCALAR_LEN]);

#endif

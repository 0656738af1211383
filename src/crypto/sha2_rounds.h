/*
 * The rounds of SHA-2 as loops: libsodium writes sixteen of them and of the schedule out, as wasm twice
 * the size, to be a third faster with SHA-256.
 * sodium_sha2.sed edits libsodium's SHA-2 so that it calls these. Wasm build only.
 */
#ifndef CRYPTO_SHA2_ROUNDS_H
#define CRYPTO_SHA2_ROUNDS_H

#include <stdint.h>

/* Takes a block into the state; `w` is room to work in, which the caller wipes. */
void sha256_rounds(uint32_t state[8], const uint8_t *block, uint32_t w[64]);
void sha512_rounds(uint64_t state[8], const uint8_t *block, uint64_t w[80]);

#endif

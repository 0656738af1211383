/*
 * The ChaCha20 key stream of RFC 8439, for aead.c alone. The wasm build has it in SIMD, the native
 * one from libsodium.
 */
#ifndef CRYPTO_CHACHA20_H
#define CRYPTO_CHACHA20_H

#include <stddef.h>
#include <stdint.h>

#define CHACHA20_BLOCK_LEN 64
#define CHACHA20_BATCH 4 /* blocks made at once: one per lane of a SIMD register */

/* Mixes the key stream from block `counter` on into `len` bytes at `data`. */
void chacha20_xor(const uint8_t key[32], const uint8_t nonce[12], uint32_t counter, uint8_t *data,
                  size_t len);

#endif

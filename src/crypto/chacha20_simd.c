#ifdef __wasm_simd128__

#include "crypto/chacha20.h"

#include <string.h>

#include <wasm_simd128.h>

#include "crypto/crypto.h"

/* Whole bytes are moved by a shuffle, which is one instruction where a rotation would be three. */
static inline v128_t rotate16(v128_t x)
{
    return wasm_i8x16_shuffle(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
}

static inline v128_t rotate8(v128_t x)
{
    return wasm_i8x16_shuffle(x, x, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14);
}

static inline v128_t rotate(v128_t x, uint32_t bits)
{
    return wasm_v128_or(wasm_i32x4_shl(x, bits), wasm_u32x4_shr(x, 32 - bits));
}

#define QUARTER_ROUND(a, b, c, d)                                                                  \
    a = wasm_i32x4_add(a, b), d = rotate16(wasm_v128_xor(d, a));                                   \
    c = wasm_i32x4_add(c, d), b = rotate(wasm_v128_xor(b, c), 12);                                 \
    a = wasm_i32x4_add(a, b), d = rotate8(wasm_v128_xor(d, a));                                    \
    c = wasm_i32x4_add(c, d), b = rotate(wasm_v128_xor(b, c), 7)

/* Lane i of word w is word w of block i; the rows that come out are 16 bytes of one block each. */
static inline void xor_words(uint8_t *data, v128_t a, v128_t b, v128_t c, v128_t d)
{
    v128_t ab_low = wasm_i32x4_shuffle(a, b, 0, 4, 1, 5);
    v128_t ab_high = wasm_i32x4_shuffle(a, b, 2, 6, 3, 7);
    v128_t cd_low = wasm_i32x4_shuffle(c, d, 0, 4, 1, 5);
    v128_t cd_high = wasm_i32x4_shuffle(c, d, 2, 6, 3, 7);
    v128_t rows[CHACHA20_BATCH] = {
        wasm_i64x2_shuffle(ab_low, cd_low, 0, 2), wasm_i64x2_shuffle(ab_low, cd_low, 1, 3),
        wasm_i64x2_shuffle(ab_high, cd_high, 0, 2), wasm_i64x2_shuffle(ab_high, cd_high, 1, 3)};
    for (size_t i = 0; i < CHACHA20_BATCH; i++) {
        uint8_t *at = data + i * CHACHA20_BLOCK_LEN;
        wasm_v128_store(at, wasm_v128_xor(wasm_v128_load(at), rows[i]));
    }
}

/* Four blocks; the rounds run on all of them at once, word by word. */
static void xor_batch(const v128_t start[16], uint8_t *data)
{
    v128_t x[16];
    memcpy(x, start, sizeof x);
    for (int rounds = 0; rounds < 20; rounds += 2) {
        QUARTER_ROUND(x[0], x[4], x[8], x[12]);
        QUARTER_ROUND(x[1], x[5], x[9], x[13]);
        QUARTER_ROUND(x[2], x[6], x[10], x[14]);
        QUARTER_ROUND(x[3], x[7], x[11], x[15]);
        QUARTER_ROUND(x[0], x[5], x[10], x[15]);
        QUARTER_ROUND(x[1], x[6], x[11], x[12]);
        QUARTER_ROUND(x[2], x[7], x[8], x[13]);
        QUARTER_ROUND(x[3], x[4], x[9], x[14]);
    }
    for (size_t w = 0; w < 16; w++)
        x[w] = wasm_i32x4_add(x[w], start[w]);
    for (size_t w = 0; w < 16; w += 4)
        xor_words(data + 4 * w, x[w], x[w + 1], x[w + 2], x[w + 3]);
}

void chacha20_xor(const uint8_t key[32], const uint8_t nonce[12], uint32_t counter, uint8_t *data,
                  size_t len)
{
    static const char CONSTANT[] = "expand 32-byte k";
    v128_t state[16];
    for (size_t w = 0; w < 4; w++)
        state[w] = wasm_v128_load32_splat(CONSTANT + 4 * w);
    for (size_t w = 0; w < 8; w++)
        state[4 + w] = wasm_v128_load32_splat(key + 4 * w);
    state[12] = wasm_i32x4_add(wasm_u32x4_splat(counter), wasm_u32x4_const(0, 1, 2, 3));
    for (size_t w = 0; w < 3; w++)
        state[13 + w] = wasm_v128_load32_splat(nonce + 4 * w);

    const size_t batch_len = CHACHA20_BATCH * CHACHA20_BLOCK_LEN;
    for (; len >= batch_len; data += batch_len, len -= batch_len) {
        xor_batch(state, data);
        state[12] = wasm_i32x4_add(state[12], wasm_u32x4_const_splat(CHACHA20_BATCH));
    }
    if (len > 0) {
        uint8_t last[CHACHA20_BATCH * CHACHA20_BLOCK_LEN] = {0};
        memcpy(last, data, len);
        xor_batch(state, last);
        memcpy(data, last, len);
        crypto_wipe(last, sizeof last);
    }
    crypto_wipe(state, sizeof state);
}

#endif

typedef int chacha20_simd_is_for_wasm;

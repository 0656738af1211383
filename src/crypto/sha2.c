/*
 * SHA-256 and SHA-512 (FIPS 180-4) under libsodium's names and in its structs, whose own are three
 * times the size as wasm: it writes sixteen rounds out, and all else once for each. Wasm build only.
 */
#ifdef __wasm__

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <sodium/crypto_hash_sha256.h>
#include <sodium/crypto_hash_sha512.h>

#include "base/span.h"
#include "crypto/crypto.h"
#include "crypto/sha2_constants.h"

#define TURN(word, by) ((word) >> (by) | (word) << (8 * sizeof(word) - (by)))

/* What differs but for the width: how far bits are turned, or shifted where it says so. */
#define BIG_0(word, r) (TURN(word, r(2, 28)) ^ TURN(word, r(13, 34)) ^ TURN(word, r(22, 39)))
#define BIG_1(word, r) (TURN(word, r(6, 14)) ^ TURN(word, r(11, 18)) ^ TURN(word, r(25, 41)))
#define SMALL_0(word, r) (TURN(word, r(7, 1)) ^ TURN(word, r(18, 8)) ^ (word) >> r(3, 7))
#define SMALL_1(word, r) (TURN(word, r(17, 19)) ^ TURN(word, r(19, 61)) ^ (word) >> r(10, 6))
#define OF_256(a, b) (a)
#define OF_512(a, b) (b)

/* After eight rounds each letter is back in its place, so that none need move. */
#define DEFINE_ROUNDS(name, word, of, rounds, k, big_endian)                                       \
    static void name(void *to, const uint8_t *block, void *room)                                   \
    {                                                                                              \
        word *state = to, *w = room;                                                               \
        memcpy(w, block, 16 * sizeof *w);                                                          \
        for (size_t i = 0; i < 16; i++)                                                            \
            w[i] = big_endian(w[i]);                                                               \
        for (size_t i = 16; i < (rounds); i++)                                                     \
            w[i] = w[i - 16] + SMALL_0(w[i - 15], of) + w[i - 7] + SMALL_1(w[i - 2], of);          \
        word a = state[0], b = state[1], c = state[2], d = state[3];                               \
        word e = state[4], f = state[5], g = state[6], h = state[7];                               \
        _Pragma("clang loop unroll_count(8)") for (size_t i = 0; i < (rounds); i++)                \
        {                                                                                          \
            word more = h + BIG_1(e, of) + ((e & (f ^ g)) ^ g) + (k)[i] + w[i];                    \
            h = g, g = f, f = e, e = d + more;                                                     \
            more += BIG_0(a, of) + ((a & (b | c)) | (b & c));                                      \
            d = c, c = b, b = a, a = more;                                                         \
        }                                                                                          \
        state[0] += a, state[1] += b, state[2] += c, state[3] += d;                                \
        state[4] += e, state[5] += f, state[6] += g, state[7] += h;                                \
    }

DEFINE_ROUNDS(rounds_256, uint32_t, OF_256, 64, sha256_k, __builtin_bswap32)
DEFINE_ROUNDS(rounds_512, uint64_t, OF_512, 80, sha512_k, __builtin_bswap64)

/*
 * The structs are alike: eight words of state, a count, which is of bytes here and of which SHA-512 has
 * two, and a block. `wide` is 1 for SHA-512.
 */
#define COUNT(s, wide) ((uint64_t *)(s) + (4 << (wide)))
#define BLOCK(s, wide) ((uint8_t *)(COUNT(s, wide) + 1 + (wide)))
#define BLOCK_LEN(wide) ((size_t)64 << (wide))
_Static_assert(offsetof(crypto_hash_sha256_state, count) == 32, "count is where COUNT looks");
_Static_assert(offsetof(crypto_hash_sha256_state, buf) == 40, "buf is where BLOCK looks");
_Static_assert(offsetof(crypto_hash_sha512_state, count) == 64, "count is where COUNT looks");
_Static_assert(offsetof(crypto_hash_sha512_state, buf) == 80, "buf is where BLOCK looks");

static void update(void *s, int wide, const uint8_t *in, size_t len)
{
    uint64_t room[80];
    while (len > 0) {
        size_t at = *COUNT(s, wide) % BLOCK_LEN(wide);
        size_t part = MIN(len, BLOCK_LEN(wide) - at);
        memcpy(BLOCK(s, wide) + at, in, part);
        *COUNT(s, wide) += part;
        in += part;
        len -= part;
        if (at + part == BLOCK_LEN(wide))
            (wide ? rounds_512 : rounds_256)(s, BLOCK(s, wide), room);
    }
    crypto_wipe(room, sizeof room);
}

/* Leaves the last block's rounds done, and the state to be read. */
static void finish(void *s, int wide)
{
    static const uint8_t PADDING[128] = {0x80};
    uint64_t bits = __builtin_bswap64(*COUNT(s, wide) * 8);
    /* Up to the number of bits, which has 64 more of them than a message can use when it is wide. */
    size_t end = BLOCK_LEN(wide) - sizeof bits - (size_t)(8 * wide);
    size_t at = *COUNT(s, wide) % BLOCK_LEN(wide);
    update(s, wide, PADDING, (at < end ? end : end + BLOCK_LEN(wide)) - at);
    update(s, wide, PADDING + 1, (size_t)(8 * wide));
    update(s, wide, (const uint8_t *)&bits, sizeof bits);
}

int crypto_hash_sha256_init(crypto_hash_sha256_state *s)
{
    memcpy(s->state, sha256_start, sizeof s->state);
    s->count = 0;
    return 0;
}

int crypto_hash_sha256_update(crypto_hash_sha256_state *s, const unsigned char *in,
                              unsigned long long len)
{
    update(s, 0, in, (size_t)len);
    return 0;
}

int crypto_hash_sha256_final(crypto_hash_sha256_state *s, unsigned char *out)
{
    finish(s, 0);
    for (size_t i = 0; i < 8; i++) {
        uint32_t word = __builtin_bswap32(s->state[i]);
        memcpy(out + i * sizeof word, &word, sizeof word);
    }
    crypto_wipe(s, sizeof *s);
    return 0;
}

int crypto_hash_sha256(unsigned char *out, const unsigned char *in, unsigned long long len)
{
    crypto_hash_sha256_state s;
    crypto_hash_sha256_init(&s);
    crypto_hash_sha256_update(&s, in, len);
    return crypto_hash_sha256_final(&s, out);
}

int crypto_hash_sha512_init(crypto_hash_sha512_state *s)
{
    memcpy(s->state, sha512_start, sizeof s->state);
    s->count[0] = 0;
    return 0;
}

int crypto_hash_sha512_update(crypto_hash_sha512_state *s, const unsigned char *in,
                              unsigned long long len)
{
    update(s, 1, in, (size_t)len);
    return 0;
}

int crypto_hash_sha512_final(crypto_hash_sha512_state *s, unsigned char *out)
{
    finish(s, 1);
    for (size_t i = 0; i < 8; i++) {
        uint64_t word = __builtin_bswap64(s->state[i]);
        memcpy(out + i * sizeof word, &word, sizeof word);
    }
    crypto_wipe(s, sizeof *s);
    return 0;
}

int crypto_hash_sha512(unsigned char *out, const unsigned char *in, unsigned long long len)
{
    crypto_hash_sha512_state s;
    crypto_hash_sha512_init(&s);
    crypto_hash_sha512_update(&s, in, len);
    return crypto_hash_sha512_final(&s, out);
}

#endif

typedef int sha2_is_for_wasm;

#ifdef __wasm__

#include "crypto/sha2_rounds.h"

#include <stddef.h>
#include <string.h>

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
    void name(word state[8], const uint8_t *block, word w[rounds])                                 \
    {                                                                                              \
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

/* FIPS 180-4, sections 4.1 and 6 */
DEFINE_ROUNDS(sha256_rounds, uint32_t, OF_256, 64, sha256_k, __builtin_bswap32)
DEFINE_ROUNDS(sha512_rounds, uint64_t, OF_512, 80, sha512_k, __builtin_bswap64)

#endif

typedef int sha2_rounds_are_for_wasm;

#include "crypto/ed25519_scalar.h"

#include <stddef.h>
#include <string.h>

#include "crypto/crypto.h"

/* Digits of a number to base 256, kept wide: they may leave 0..255, and be negative, for a while. */
#define DIGITS ED25519_SCALAR_LEN

/* L - 2^252 */
static const uint8_t C[16] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                              0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14};

/* Since 2^252 is -C modulo L, `times` of it are added to the number at `x` by this. */
static void fold(int64_t *x, int64_t times)
{
    for (size_t i = 0; i < sizeof C; i++)
        x[i] -= times * C[i];
}

/* Brings all digits but the last into 0..255. */
static void carry(int64_t *x)
{
    for (size_t i = 0; i < DIGITS - 1; i++) {
        x[i + 1] += x[i] >> 8;
        x[i] &= 255;
    }
}

/* Wipes `x`. */
static void reduce(uint8_t out[ED25519_SCALAR_LEN], int64_t x[2 * DIGITS])
{
    /*
     * 256^32 is 16 * 2^252. No digit outgrows its 64 bits: each begins below 2^21, and what is folded
     * from the upper half has been folded into at most once, which leaves less than 2^37 there and 2^53
     * below.
     */
    for (size_t top = DIGITS; top-- > 0;)
        fold(x + top, x[top + DIGITS] * 16);
    carry(x);
    /*
     * Folding what is over 2^252 leaves a little more than that or a little less than 0, folding once
     * more leaves something in [-C, L); and what is negative then wants one L.
     */
    static const uint8_t BITS[] = {4, 4, 8};
    for (size_t i = 0; i < sizeof BITS; i++) {
        int64_t times = x[DIGITS - 1] >> BITS[i];
        x[DIGITS - 1] -= times * 16;
        fold(x, times);
        carry(x);
    }
    for (size_t i = 0; i < DIGITS; i++)
        out[i] = (uint8_t)x[i];
    crypto_wipe(x, 2 * DIGITS * sizeof *x);
}

void ed25519_scalar_reduce(uint8_t s[2 * ED25519_SCALAR_LEN])
{
    int64_t x[2 * DIGITS];
    for (size_t i = 0; i < 2 * DIGITS; i++)
        x[i] = s[i];
    reduce(s, x);
}

void ed25519_scalar_muladd(uint8_t out[ED25519_SCALAR_LEN], const uint8_t a[ED25519_SCALAR_LEN],
                           const uint8_t b[ED25519_SCALAR_LEN], const uint8_t c[ED25519_SCALAR_LEN])
{
    int64_t x[2 * DIGITS] = {0};
    for (size_t i = 0; i < DIGITS; i++) {
        x[i] += c[i];
        for (size_t j = 0; j < DIGITS; j++)
            x[i + j] += a[i] * b[j];
    }
    reduce(out, x);
}

#ifdef __wasm__

#include "crypto/ed25519_field.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LIMBS 10

/* A limb has 26 bits, or 25 where its number is odd, and begins at this one. */
#define BITS(limb) (26 - (limb) % 2)
#define FIRST_BIT(limb) ((51 * (limb) + 1) / 2)

fe25519 ed25519_d, ed25519_d2, ed25519_sqrtm1;

/* As in ed25519_table.c: libsodium's would be inlined at each use. */
__attribute__((noinline)) static void multiply(fe25519 out, const fe25519 a, const fe25519 b)
{
    fe25519_mul(out, a, b);
}

/* `out` becomes `a` squared `times` times over, times `b`. */
static void square_multiply(fe25519 out, const fe25519 a, int times, const fe25519 b)
{
    fe25519 x;
    fe25519_copy(x, a);
    while (times-- > 0)
        fe25519_sq(x, x);
    multiply(out, x, b);
}

void fe25519_pow22523(fe25519 out, const fe25519 z)
{
    /* x has the exponent 2^ones - 1; ones grows to 250, whose bits are read from the second on. */
    fe25519 x;
    fe25519_copy(x, z);
    int ones = 1;
    for (int bit = 6; bit >= 0; bit--) {
        square_multiply(x, x, ones, x);
        ones *= 2;
        if (250 >> bit & 1) {
            square_multiply(x, x, 1, z);
            ones++;
        }
    }
    square_multiply(out, x, 2, z);
}

void fe25519_invert(fe25519 out, const fe25519 z)
{
    /* p - 2 = 8 (2^252 - 3) + 3 */
    fe25519 x, cube;
    square_multiply(cube, z, 1, z);
    fe25519_pow22523(x, z);
    square_multiply(out, x, 3, cube);
}

/* The top bit is ignored. */
void fe25519_frombytes(fe25519 h, const unsigned char *s)
{
    for (int i = 0; i < LIMBS; i++) {
        uint32_t word; /* the wasm build is little-endian, and no limb needs more */
        memcpy(&word, s + FIRST_BIT(i) / 8, sizeof word);
        h[i] = (int32_t)(word >> FIRST_BIT(i) % 8 & ((1u << BITS(i)) - 1));
    }
    static const fe25519 ONE = {1};
    multiply(h, h, ONE); /* limbs nearer to zero, as the sums to come expect them */
}

/* Where |h| is below 2p, as all that libsodium hands over is. */
void fe25519_tobytes(unsigned char *s, const fe25519 h)
{
    /* How many p there are too many: -1, 0 or 1; it is what h + 19 / 2^255 h + 1 / 2 has over 2^255. */
    int32_t times = (19 * h[LIMBS - 1] + (1 << 24)) >> 25;
    for (int i = 0; i < LIMBS; i++)
        times = (h[i] + times) >> BITS(i);
    memset(s, 0, 32);
    int32_t carry = 19 * times;
    for (int i = 0; i < LIMBS; i++) {
        int32_t limb = h[i] + carry;
        carry = limb >> BITS(i);
        limb &= (1 << BITS(i)) - 1; /* from the last one this takes the 2^255 of each p */
        uint32_t word;
        memcpy(&word, s + FIRST_BIT(i) / 8, sizeof word);
        word |= (uint32_t)limb << FIRST_BIT(i) % 8;
        memcpy(s + FIRST_BIT(i) / 8, &word, sizeof word);
    }
}

void ed25519_field_init(void)
{
    fe25519 x = {121666};
    const fe25519 numerator = {-121665}, two = {2};
    fe25519_invert(x, x);
    multiply(ed25519_d, x, numerator);
    multiply(ed25519_d2, ed25519_d, two);
    /* 2 is no square, so 2 to the power of (p - 1) / 4 = 2 (2^252 - 3) + 1 is a root of -1. */
    fe25519_pow22523(x, two);
    square_multiply(ed25519_sqrtm1, x, 1, two);
}

int ge25519_has_small_order(const unsigned char s[32])
{
    /*
     * A point (x, y) of order 1 or 2 has x = 0 and y^2 = 1, one of order 4 y = 0, and twice a point of
     * order 8 has order 4: x^2 + y^2 = 0, where the curve says that d y^4 + 2 y^2 = 1.
     */
    fe25519 y, y2, one, product, sum;
    fe25519_frombytes(y, s);
    fe25519_1(one);
    fe25519_sq(y2, y);
    multiply(sum, y2, ed25519_d);
    fe25519_add(sum, sum, one);
    fe25519_add(sum, sum, one);
    multiply(sum, sum, y2);
    fe25519_sub(sum, sum, one);
    fe25519_sub(y2, y2, one);
    multiply(product, y, y2);
    multiply(product, product, sum);
    return fe25519_iszero(product);
}

#endif

typedef int ed25519_field_is_for_wasm;

#include "crypto/sha2_constants.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define LIMBS 7

/* By how much what a double makes of a root may be wrong: it has 52 bits in all, we want 64 and more. */
#define ERROR_BITS 17

uint64_t sha512_k[80], sha512_start[8];
uint32_t sha256_k[64], sha256_start[8];

/* `a` becomes a * b. Numbers have 32 bits in each limb, the lowest first. */
static void multiply(uint32_t a[LIMBS], const uint32_t b[3])
{
    uint32_t product[LIMBS] = {0};
    for (size_t i = 0; i < LIMBS; i++) {
        uint64_t carry = 0;
        for (size_t j = 0; i + j < LIMBS; j++) {
            carry += product[i + j];
            if (j < 3)
                carry += (uint64_t)a[i] * b[j];
            product[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
    }
    memcpy(a, product, sizeof product);
}

/* Whether (whole + fraction / 2^64)^degree is above the prime. */
static bool is_above(uint32_t prime, unsigned degree, uint32_t whole, uint64_t fraction)
{
    const uint32_t root[3] = {(uint32_t)fraction, (uint32_t)(fraction >> 32), whole};
    uint32_t power[LIMBS] = {1};
    for (unsigned i = 0; i < degree; i++)
        multiply(power, root);
    return power[2 * (size_t)degree] >= prime;
}

uint64_t sha2_root(uint32_t prime, unsigned degree)
{
    double root = prime;
    for (int i = 0; i < 40; i++) /* Newton's method */
        root += (prime / (degree == 3 ? root * root : root) - root) / degree;
    uint32_t whole = (uint32_t)root;
    uint64_t fraction = (uint64_t)((root - whole) * 0x1p64) - (1u << (ERROR_BITS - 1));
    for (unsigned bit = ERROR_BITS; bit-- > 0;) {
        uint64_t more = fraction + (1u << bit);
        if (!is_above(prime, degree, whole, more))
            fraction = more;
    }
    return fraction;
}

static bool is_prime(uint32_t n)
{
    for (uint32_t i = 2; i < n; i++)
        if (n % i == 0)
            return false;
    return true;
}

void sha2_constants_init(void)
{
    size_t count = 0;
    for (uint32_t n = 2; count < 80; n++) {
        if (!is_prime(n))
            continue;
        sha512_k[count] = sha2_root(n, 3);
        if (count < 64)
            sha256_k[count] = (uint32_t)(sha512_k[count] >> 32);
        if (count < 8) {
            sha512_start[count] = sha2_root(n, 2);
            sha256_start[count] = (uint32_t)(sha512_start[count] >> 32);
        }
        count++;
    }
}

#ifdef __wasm__

#include "crypto/ed25519_table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

ge25519_precomp ed25519_table[ED25519_ROWS][ED25519_ROW_LEN];

/* fe25519_mul would be inlined at each use, at 1 KB of wasm a time. */
__attribute__((noinline)) static void multiply(fe25519 out, const fe25519 a, const fe25519 b)
{
    fe25519_mul(out, a, b);
}

/* The formulas are complete, so this also doubles. */
static void add(ge25519_p3 *sum, const ge25519_p3 *p, const ge25519_p3 *q)
{
    ge25519_cached cached;
    ge25519_p1p1 completed;
    ge25519_p3_to_cached(&cached, q);
    ge25519_add(&completed, p, &cached);
    ge25519_p1p1_to_p3(sum, &completed);
}

/*
 * Fills a row with p + step, p + 2 step, … and leaves the last of them in `*p`. The points are
 * still to be divided by their z.
 */
static void fill_row(ge25519_precomp row[ED25519_ROW_LEN], fe25519 z[ED25519_ROW_LEN],
                     ge25519_p3 *p, const ge25519_p3 *step)
{
    for (size_t i = 0; i < ED25519_ROW_LEN; i++) {
        ge25519_cached point;
        add(p, p, step);
        ge25519_p3_to_cached(&point, p);
        fe25519_copy(row[i].yplusx, point.YplusX);
        fe25519_copy(row[i].yminusx, point.YminusX);
        fe25519_copy(row[i].xy2d, point.T2d);
        fe25519_copy(z[i], point.Z);
    }
}

/*
 * Divides every point of the table by its z with one inversion (Montgomery's trick): before[i] is
 * the product of the z in front of i; going back, `inverse` is one over the product up to and with
 * z[i].
 */
static void divide_all(fe25519 z[ED25519_ROWS * ED25519_ROW_LEN])
{
    fe25519 before[ED25519_ROWS * ED25519_ROW_LEN], product, inverse, one_over_z;
    fe25519_1(product);
    for (size_t i = 0; i < ED25519_ROWS * ED25519_ROW_LEN; i++) {
        fe25519_copy(before[i], product);
        multiply(product, product, z[i]);
    }
    fe25519_invert(inverse, product);
    for (size_t i = ED25519_ROWS * ED25519_ROW_LEN; i-- > 0;) {
        ge25519_precomp *point = &ed25519_table[i / ED25519_ROW_LEN][i % ED25519_ROW_LEN];
        multiply(one_over_z, inverse, before[i]);
        multiply(inverse, inverse, z[i]);
        multiply(point->yplusx, point->yplusx, one_over_z);
        multiply(point->yminusx, point->yminusx, one_over_z);
        multiply(point->xy2d, point->xy2d, one_over_z);
    }
}

int ed25519_table_init(void)
{
    static bool filled;
    if (filled)
        return 1;

    /* B has y = 4/5 and x even. Encoded with x odd it reads as -B, which is negated. */
    uint8_t encoded[32];
    memset(encoded, 0x66, sizeof encoded);
    encoded[0] = 0x58;
    encoded[31] |= 0x80;
    ge25519_p3 base, p, step;
    if (ge25519_frombytes_negate_vartime(&base, encoded) != 0)
        return -1;

    /* 10 KB on the stack here and again in divide_all: against the rule, but only while starting. */
    fe25519 z[ED25519_ROWS * ED25519_ROW_LEN];
    step = base;
    for (size_t i = 0; i < ED25519_ODD_ROW; i++) {
        memset(&p, 0, sizeof p);
        p.Y[0] = p.Z[0] = 1;
        fill_row(ed25519_table[i], z + i * ED25519_ROW_LEN, &p, &step);
        step = p; /* 8 times what it was; five doublings make it 256 times */
        for (int doublings = 0; doublings < 5; doublings++)
            add(&step, &step, &step);
    }
    p = base;
    fe25519_neg(p.X, p.X);
    fe25519_neg(p.T, p.T);
    add(&step, &base, &base);
    fill_row(ed25519_table[ED25519_ODD_ROW], z + ED25519_ODD_ROW * ED25519_ROW_LEN, &p, &step);
    divide_all(z);
    filled = true;
    return 0;
}

#endif

typedef int ed25519_table_is_for_wasm;

#include "crypto/ed25519_scalar.h"

#ifndef __wasm__
#include <sodium/crypto_core_ed25519.h>
#endif

#include "crypto/crypto.h"
#include "test.h"

/* What the number is modulo the order, little-endian, worked out by a language with long integers. */
static const struct {
    const char *name, *number, *rest;
} REDUCE_CASES[] = {
    {"zero",
     "0000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000",
     "0000000000000000000000000000000000000000000000000000000000000000"},
    {"order - 1",
     "ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"
     "0000000000000000000000000000000000000000000000000000000000000000",
     "ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"},
    {"order",
     "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"
     "0000000000000000000000000000000000000000000000000000000000000000",
     "0000000000000000000000000000000000000000000000000000000000000000"},
    {"order + 1",
     "eed3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"
     "0000000000000000000000000000000000000000000000000000000000000000",
     "0100000000000000000000000000000000000000000000000000000000000000"},
    {"2^252",
     "0000000000000000000000000000000000000000000000000000000000000010"
     "0000000000000000000000000000000000000000000000000000000000000000",
     "0000000000000000000000000000000000000000000000000000000000000010"},
    {"2^252 - 1",
     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff0f"
     "0000000000000000000000000000000000000000000000000000000000000000",
     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff0f"},
    {"just under 2 * order",
     "d9a7ebb934c624b0ac39ef45bdf3bd2900000000000000000000000000000020"
     "0000000000000000000000000000000000000000000000000000000000000000",
     "ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"},
    {"16 * order",
     "d03e5dcfa531268165cd792fea9def4d01000000000000000000000000000000"
     "0100000000000000000000000000000000000000000000000000000000000000",
     "0000000000000000000000000000000000000000000000000000000000000000"},
    {"2^256 - 1",
     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
     "0000000000000000000000000000000000000000000000000000000000000000",
     "1c95988d7431ecd670cf7d73f45befc6feffffffffffffffffffffffffffff0f"},
    {"2^256 * order - 1",
     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
     "ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
     "ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"},
    {"2^512 - 1",
     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "000f9c44e31106a447938568a71b0ed065bef517d273ecce3d9a307c1b419903"},
};

static void test_reduce(void **state)
{
    (void)state;
    EACH_ROW(i, REDUCE_CASES) {
        uint8_t s[2 * ED25519_SCALAR_LEN];
        memcpy(s, hex(REDUCE_CASES[i].number).data, sizeof s);
        ed25519_scalar_reduce(s);
        assert_view_hex(view_of(s, ED25519_SCALAR_LEN), REDUCE_CASES[i].rest);
    }
}

static const struct {
    const char *name, *a, *b, *c, *sum;
} MULADD_CASES[] = {
    {"nothing", "0000000000000000000000000000000000000000000000000000000000000000",
     "0000000000000000000000000000000000000000000000000000000000000000",
     "0000000000000000000000000000000000000000000000000000000000000000",
     "0000000000000000000000000000000000000000000000000000000000000000"},
    {"what is added is reduced", "0000000000000000000000000000000000000000000000000000000000000000",
     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
     "0000000000000000000000000000000000000000000000000000000000000000"},
    {"largest of all", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "d14df91389432c25ad60ff9791b9fd1d67bef517d273ecce3d9a307c1b419903"},
    {"order - 1 squared is 1", "ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
     "ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
     "0000000000000000000000000000000000000000000000000000000000000000",
     "0100000000000000000000000000000000000000000000000000000000000000"},
    {"minus one and one", "ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
     "0100000000000000000000000000000000000000000000000000000000000000",
     "0100000000000000000000000000000000000000000000000000000000000000",
     "0000000000000000000000000000000000000000000000000000000000000000"},
    {"between 2^252 and the order",
     "0100000000000000000000000000000000000000000000000000000000000000",
     "0000000000000000000000000000000000000000000000000000000000000010",
     "ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000000",
     "ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"},
};

static void test_muladd(void **state)
{
    (void)state;
    EACH_ROW(i, MULADD_CASES) {
        uint8_t out[ED25519_SCALAR_LEN];
        struct view a = hex(MULADD_CASES[i].a), b = hex(MULADD_CASES[i].b),
                    c = hex(MULADD_CASES[i].c);
        ed25519_scalar_muladd(out, a.data, b.data, c.data);
        assert_view_hex(view_of(out, sizeof out), MULADD_CASES[i].sum);
    }
}

#ifndef __wasm__

/* Under these names only the machine's own library has it. */
static void test_is_what_libsodium_makes_of_it(void **state)
{
    (void)state;
    uint64_t seed = 1;
    struct rng rng = test_rng(&seed);
    for (int i = 0; i < 5000; i++) {
        uint8_t s[2 * ED25519_SCALAR_LEN], c[ED25519_SCALAR_LEN];
        uint8_t out[ED25519_SCALAR_LEN], theirs[ED25519_SCALAR_LEN];
        rng_fill(&rng, s, sizeof s);
        rng_fill(&rng, c, sizeof c);
        c[ED25519_SCALAR_LEN - 1] &= 127; /* their sum must not overflow 256 bits */
        ed25519_scalar_muladd(out, s, s + ED25519_SCALAR_LEN, c);
        crypto_core_ed25519_scalar_mul(theirs, s, s + ED25519_SCALAR_LEN);
        crypto_core_ed25519_scalar_add(theirs, theirs, c);
        assert_view_equal(view_of(out, sizeof out), view_of(theirs, sizeof theirs));
        crypto_core_ed25519_scalar_reduce(theirs, s);
        ed25519_scalar_reduce(s);
        assert_view_equal(view_of(s, ED25519_SCALAR_LEN), view_of(theirs, sizeof theirs));
    }
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reduce),
        cmocka_unit_test(test_muladd),
#ifndef __wasm__
        cmocka_unit_test(test_is_what_libsodium_makes_of_it),
#endif
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

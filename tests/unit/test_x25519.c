#include "crypto/x25519.h"

#include "base/span.h"
#include "crypto/crypto.h"
#include "test.h"
#include "vectors_crypto.h"

static void test_vectors(void **state)
{
    (void)state;
    EACH_ROW(i, X25519_VECTORS) {
        uint8_t out[X25519_KEY_LEN];
        struct view secret = hex(X25519_VECTORS[i].private), theirs = hex(X25519_VECTORS[i].public);
        int rc = x25519_shared_secret(secret.data, theirs.data, out);
        assert_code(rc, X25519_VECTORS[i].valid ? 0 : ERR_CRYPTO);
        if (rc == 0)
            assert_view_hex(view_of(out, sizeof out), X25519_VECTORS[i].shared);
    }
}

/* RFC 7748, section 5.2: k and u take the result and the old k, a thousand times. */
static void test_a_thousand_times(void **state)
{
    (void)state;
    uint8_t k[X25519_KEY_LEN] = {9}, u[X25519_KEY_LEN] = {9}, out[X25519_KEY_LEN];
    for (int i = 0; i < 1000; i++) {
        assert_ok(x25519_shared_secret(k, u, out));
        memcpy(u, k, sizeof u);
        memcpy(k, out, sizeof k);
    }
    assert_view_hex(view_of(k, sizeof k),
                    "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

/* The one takes the table of Ed25519, the other the ladder. */
static void test_public_key_is_the_product_with_the_base_point(void **state)
{
    (void)state;
    uint64_t seed = 1;
    struct rng rng = test_rng(&seed);
    uint8_t base[X25519_KEY_LEN] = {9};
    for (int i = 0; i < 200; i++) {
        uint8_t secret[X25519_KEY_LEN], fast[X25519_KEY_LEN], slow[X25519_KEY_LEN];
        rng_fill(&rng, secret, sizeof secret);
        x25519_public_key(secret, fast);
        assert_ok(x25519_shared_secret(secret, base, slow));
        assert_view_equal(view_of(fast, sizeof fast), view_of(slow, sizeof slow));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_a_thousand_times),
        cmocka_unit_test(test_public_key_is_the_product_with_the_base_point),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "crypto/hash.h"

#include "crypto/crypto.h"
#include "crypto/sha2_constants.h"
#include "test.h"
#include "vectors_crypto.h"

/* FIPS 180-2, appendix B. */
static const struct {
    const char *name, *text, *digest;
} SHA256_CASES[] = {
    {"nothing", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"one block", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"two blocks", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void test_sha256(void **state)
{
    (void)state;
    uint8_t out[SHA256_LEN];
    EACH_ROW(i, SHA256_CASES) {
        sha256(view_of_text(SHA256_CASES[i].text), out);
        assert_view_hex(view_of(out, sizeof out), SHA256_CASES[i].digest);
    }
}

static void test_sha256_parts_is_sha256_of_the_whole(void **state)
{
    (void)state;
    uint8_t bytes[200], whole[SHA256_LEN], out[SHA256_LEN];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    sha256(view_of(bytes, sizeof bytes), whole);
    for (size_t cut = 0; cut <= sizeof bytes; cut++) {
        struct view parts[] = {view_of(bytes, cut), view_of(NULL, 0),
                               view_of(bytes + cut, sizeof bytes - cut)};
        sha256_parts(parts, ARRAY_LEN(parts), out);
        assert_view_equal(view_of(out, sizeof out), view_of(whole, sizeof whole));
    }
}

/* Noise replaces a hash by the hash of itself and more. */
static void test_sha256_parts_may_overwrite_a_part(void **state)
{
    (void)state;
    uint8_t hash[SHA256_LEN] = {1, 2, 3}, apart[SHA256_LEN];
    struct view parts[] = {view_of(hash, sizeof hash), view_of_text("more")};
    sha256_parts(parts, ARRAY_LEN(parts), apart);
    sha256_parts(parts, ARRAY_LEN(parts), hash);
    assert_view_equal(view_of(hash, sizeof hash), view_of(apart, sizeof apart));
}

static void test_hmac(void **state)
{
    (void)state;
    uint8_t out[SHA256_LEN];
    EACH_ROW(i, HMAC_VECTORS) {
        struct view tag = hex(HMAC_VECTORS[i].tag);
        hmac_sha256(hex(HMAC_VECTORS[i].key), hex(HMAC_VECTORS[i].msg), out);
        assert_in_range(tag.len, 16, sizeof out);
        assert_int_equal(view_equal(view_of(out, tag.len), tag), HMAC_VECTORS[i].valid);
    }
}

static void test_hkdf(void **state)
{
    (void)state;
    EACH_ROW(i, HKDF_VECTORS) {
        uint8_t ck[SHA256_LEN] = {0}, out[2 * SHA256_LEN];
        struct view salt = hex(HKDF_VECTORS[i].salt), okm = hex(HKDF_VECTORS[i].okm);
        assert_in_range(salt.len, 0, sizeof ck); /* HMAC pads a short key with zeros */
        if (salt.len > 0)
            memcpy(ck, salt.data, salt.len);
        hkdf_sha256(ck, hex(HKDF_VECTORS[i].ikm), out, out + SHA256_LEN);
        assert_view_equal(view_of(out, okm.len), okm);
    }
}

static void test_hkdf_may_overwrite_the_chaining_key(void **state)
{
    (void)state;
    uint8_t ck[SHA256_LEN] = {7}, first[SHA256_LEN], second[SHA256_LEN], other[SHA256_LEN];
    struct view ikm = view_of_text("key material");
    hkdf_sha256(ck, ikm, first, second);
    hkdf_sha256(ck, ikm, ck, other);
    assert_view_equal(view_of(ck, sizeof ck), view_of(first, sizeof first));
    assert_view_equal(view_of(other, sizeof other), view_of(second, sizeof second));
    memset(ck, 0, sizeof ck);
    ck[0] = 7;
    hkdf_sha256(ck, ikm, other, ck);
    assert_view_equal(view_of(ck, sizeof ck), view_of(second, sizeof second));
}

/* FIPS 180-4: the first and last constants of SHA-512 and of where it starts. */
static void test_constants_are_roots_of_primes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t prime;
        unsigned degree;
        uint64_t fraction;
    } ROOTS[] = {
        {"cube root of 2", 2, 3, UINT64_C(0x428a2f98d728ae22)},
        {"cube root of 47", 47, 3, UINT64_C(0x9bdc06a725c71235)},
        {"cube root of 127, just above 5", 127, 3, UINT64_C(0x06ca6351e003826f)},
        {"cube root of 409", 409, 3, UINT64_C(0x6c44198c4a475817)},
        {"square root of 2", 2, 2, UINT64_C(0x6a09e667f3bcc908)},
        {"square root of 19", 19, 2, UINT64_C(0x5be0cd19137e2179)},
    };
    EACH_ROW(i, ROOTS)
        assert_true(sha2_root(ROOTS[i].prime, ROOTS[i].degree) == ROOTS[i].fraction);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_constants_are_roots_of_primes),
        cmocka_unit_test(test_sha256),
        cmocka_unit_test(test_sha256_parts_is_sha256_of_the_whole),
        cmocka_unit_test(test_sha256_parts_may_overwrite_a_part),
        cmocka_unit_test(test_hmac),
        cmocka_unit_test(test_hkdf),
        cmocka_unit_test(test_hkdf_may_overwrite_the_chaining_key),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "multiformats/multihash.h"

#include "crypto/crypto.h"
#include "crypto/hash.h"
#include "test.h"
#include "vectors_multiformats.h"

static void test_vectors(void **state)
{
    (void)state;
    EACH_ROW(i, MULTIHASH_VECTORS) {
        uint8_t bytes[128], digest[SHA256_LEN];
        struct writer w = writer_of(bytes, sizeof bytes);
        struct multihash mh;
        int rc = multihash_parse(hex(MULTIHASH_VECTORS[i].bytes), &mh);
        assert_code(rc, MULTIHASH_VECTORS[i].valid ? 0 : ERR_PROTOCOL);
        if (rc != 0)
            continue;
        assert_int_equal(mh.code, MULTIHASH_VECTORS[i].code);
        assert_view_hex(mh.digest, MULTIHASH_VECTORS[i].digest);
        multihash_put(&w, (enum multihash_code)mh.code, mh.digest);
        assert_view_hex(writer_view(&w), MULTIHASH_VECTORS[i].bytes);
        if (mh.code == MULTIHASH_SHA2_256) {
            sha256(view_of_text(MULTIHASH_VECTORS[i].input),
                   digest); /* the digits, not the bytes */
            assert_view_equal(mh.digest, view_of(digest, sizeof digest));
        }
    }
}

#define DIGEST "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const struct {
    const char *name, *bytes;
    int code;
} CASES[] = {
    {"identity of nothing", "0000", 0},
    {"identity of 64 bytes", "0040" DIGEST DIGEST, 0},
    {"identity of 65 bytes", "0041" DIGEST DIGEST "00", ERR_TOO_BIG},
    {"a length of 2^63 - 1", "00ffffffffffffffff7f", ERR_TOO_BIG},
    {"sha2-256", "1220" DIGEST, 0},
    {"sha2-256 with a byte behind it", "1220" DIGEST "00", ERR_PROTOCOL},
    {"sha2-256 of 31 bytes", "121f00112233445566778899aabbccddeeff00112233445566778899aabbccddee",
     ERR_PROTOCOL},
    {"an unknown hash", "8080011e00112233445566778899aabbccddeeff00112233445566778899aabbccdd", 0},
    {"nothing", "", ERR_PROTOCOL},
    {"a padded code",
     "9200"
     "20" DIGEST,
     ERR_PROTOCOL},
    {"a padded length", "12a000" DIGEST, ERR_PROTOCOL},
};

static void test_cases(void **state)
{
    (void)state;
    EACH_ROW(i, CASES) {
        struct multihash mh;
        assert_code(multihash_parse(hex(CASES[i].bytes), &mh), CASES[i].code);
    }
}

static void test_cut_anywhere(void **state)
{
    (void)state;
    struct view whole = hex("1220" DIGEST);
    struct multihash mh;
    for (size_t len = 0; len < whole.len; len++)
        assert_code(multihash_parse(view_of(whole.data, len), &mh), ERR_PROTOCOL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_cut_anywhere),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

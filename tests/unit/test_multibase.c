#include "multiformats/multibase.h"

#include "test.h"
#include "vectors_multiformats.h"

static const enum multibase ALL[] = {MULTIBASE_BASE16, MULTIBASE_BASE32, MULTIBASE_BASE36,
                                     MULTIBASE_BASE58, MULTIBASE_BASE64, MULTIBASE_BASE64URL};

static void test_vectors(void **state)
{
    (void)state;
    EACH_ROW(i, MULTIBASE_VECTORS) {
        uint8_t bytes[128], text[128];
        struct writer decoded = writer_of(bytes, sizeof bytes);
        struct writer encoded = writer_of(text, sizeof text);
        struct view given = view_of_text(MULTIBASE_VECTORS[i].text);
        assert_ok(multibase_decode(&decoded, given));
        assert_view_hex(writer_view(&decoded), MULTIBASE_VECTORS[i].bytes);
        multibase_encode(&encoded, (enum multibase)given.data[0], writer_view(&decoded));
        if (MULTIBASE_VECTORS[i].canonical)
            assert_view_equal(writer_view(&encoded), given);
    }
}

static void test_other_bases_are_refused(void **state)
{
    (void)state;
    EACH_ROW(i, MULTIBASE_OTHERS) {
        uint8_t bytes[128];
        struct writer w = writer_of(bytes, sizeof bytes);
        assert_code(multibase_decode(&w, view_of_text(MULTIBASE_OTHERS[i].text)), ERR_BAD_ARGUMENT);
    }
}

static const struct {
    const char *name, *text;
    int code;
} BAD[] = {
    {"no prefix", "", ERR_BAD_ARGUMENT},
    {"a letter that is none, base16", "f0g", ERR_BAD_ARGUMENT},
    {"half a byte, base16", "f0", ERR_BAD_ARGUMENT},
    {"the digit 1, base32", "bm1", ERR_BAD_ARGUMENT},
    {"one letter, base32", "bm", ERR_BAD_ARGUMENT},
    {"three letters, base32", "bmaa", ERR_BAD_ARGUMENT},
    {"bits left over, base32", "bmb", ERR_BAD_ARGUMENT},
    {"padding, base32", "bme======", ERR_BAD_ARGUMENT},
    {"a dash, base36", "k-", ERR_BAD_ARGUMENT},
    {"the letter l, base58", "zl", ERR_BAD_ARGUMENT},
    {"the digit 0, base58", "z0", ERR_BAD_ARGUMENT},
    {"an underscore, base64", "m__8", ERR_BAD_ARGUMENT},
    {"padding, base64", "mYQ==", ERR_BAD_ARGUMENT},
    {"a plus, base64url", "u++8", ERR_BAD_ARGUMENT},
    {"one letter, base64url", "uY", ERR_BAD_ARGUMENT},
    {"bits left over, base64url", "uYR", ERR_BAD_ARGUMENT},
    {"a byte past ASCII", "z\xc3\xa4", ERR_BAD_ARGUMENT},
};

static void test_bad_text_leaves_the_writer_alone(void **state)
{
    (void)state;
    EACH_ROW(i, BAD) {
        uint8_t bytes[16];
        struct writer w = writer_of(bytes, sizeof bytes);
        put_text(&w, "abc");
        assert_code(multibase_decode(&w, view_of_text(BAD[i].text)), BAD[i].code);
        assert_false(w.failed);
        assert_view_text(writer_view(&w), "abc");
    }
    struct view nul = view_of((const uint8_t[]){'f', '0', 0}, 3);
    uint8_t bytes[16];
    struct writer w = writer_of(bytes, sizeof bytes);
    assert_code(multibase_decode(&w, nul), ERR_BAD_ARGUMENT);
}

static void test_decode_undoes_encode(void **state)
{
    (void)state;
    uint64_t seed = 1;
    struct rng rng = test_rng(&seed);
    for (size_t len = 0; len <= MULTIBASE_NUMBER_MAX; len++) {
        uint8_t bytes[MULTIBASE_NUMBER_MAX], text[300], back[MULTIBASE_NUMBER_MAX];
        rng_fill(&rng, bytes, len);
        memset(bytes, 0, rng_below(&rng, (uint32_t)len + 1) / 2);
        for (size_t b = 0; b < ARRAY_LEN(ALL); b++) {
            struct writer encoded = writer_of(text, sizeof text);
            struct writer decoded = writer_of(back, sizeof back);
            multibase_encode(&encoded, ALL[b], view_of(bytes, len));
            assert_false(encoded.failed);
            assert_ok(multibase_decode(&decoded, writer_view(&encoded)));
            assert_view_equal(writer_view(&decoded), view_of(bytes, len));
        }
    }
}

/* The largest number is all ones: 199 letters of base 36. */
static void test_bounds_of_numbers(void **state)
{
    (void)state;
    static const enum multibase NUMBERS[] = {MULTIBASE_BASE36, MULTIBASE_BASE58};
    uint8_t ones[MULTIBASE_NUMBER_MAX + 1], text[300], back[300];
    memset(ones, 0xff, sizeof ones);
    for (size_t i = 0; i < ARRAY_LEN(NUMBERS); i++) {
        struct writer w = writer_of(text, sizeof text);
        base_encode(&w, NUMBERS[i], view_of(ones, sizeof ones));
        assert_true(w.failed);
        w = writer_of(text, sizeof text);
        base_encode(&w, NUMBERS[i], view_of(ones, sizeof ones - 1));
        assert_false(w.failed);

        struct writer decoded = writer_of(back, sizeof back);
        assert_ok(base_decode(&decoded, NUMBERS[i], writer_view(&w)));
        assert_view_equal(writer_view(&decoded), view_of(ones, sizeof ones - 1));
        memset(text, NUMBERS[i] == MULTIBASE_BASE36 ? '0' : '1', sizeof text);
        assert_ok(base_decode(&decoded, NUMBERS[i], view_of(text, MULTIBASE_NUMBER_MAX)));
        assert_code(base_decode(&decoded, NUMBERS[i], view_of(text, MULTIBASE_NUMBER_MAX + 1)),
                    ERR_TOO_BIG);
        assert_code(base_decode(&decoded, NUMBERS[i], view_of(text, sizeof text)), ERR_TOO_BIG);
    }
}

static void test_too_little_room(void **state)
{
    (void)state;
    for (size_t b = 0; b < ARRAY_LEN(ALL); b++) {
        uint8_t text[16], back[2];
        struct writer w = writer_of(text, sizeof text);
        multibase_encode(&w, ALL[b], view_of_text("abc"));
        struct writer small = writer_of(back, sizeof back);
        assert_code(multibase_decode(&small, writer_view(&w)), ERR_TOO_BIG);
        assert_int_equal(small.len, 0);
        small = writer_of(back, sizeof back);
        multibase_encode(&small, ALL[b], view_of_text("abc"));
        assert_true(small.failed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_other_bases_are_refused),
        cmocka_unit_test(test_bad_text_leaves_the_writer_alone),
        cmocka_unit_test(test_decode_undoes_encode),
        cmocka_unit_test(test_bounds_of_numbers),
        cmocka_unit_test(test_too_little_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

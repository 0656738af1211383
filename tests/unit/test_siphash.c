#include "test.h"

#include "pubsub/siphash.h"

/* The key is 00 01 … 0f, the input its first `len` bytes: vectors.h of the authors' reference code. */
static void test_known_answers(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t len;
        uint64_t hash;
    } ROWS[] = {
        {"nothing", 0, 0x726fdb47dd0e0e31},      {"one byte", 1, 0x74f839c593dc67fd},
        {"7 bytes", 7, 0xab0200f58b01d137},      {"one word", 8, 0x93f5f5799a932462},
        {"the paper's", 15, 0xa129ca6149be45e5}, {"63 bytes", 63, 0x958a324ceb064572},
    };
    uint8_t bytes[64];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    struct siphash_key key;
    memcpy(key.words, bytes, sizeof key.words);
    EACH_ROW(i, ROWS)
        assert_true(siphash(&key, view_of(bytes, ROWS[i].len)) == ROWS[i].hash);
}

static void test_key_matters(void **state)
{
    (void)state;
    uint64_t seed = 1;
    struct rng rng = test_rng(&seed);
    struct siphash_key a, b;
    siphash_init(&a, &rng);
    siphash_init(&b, &rng);
    assert_true(siphash(&a, view_of_text("topic")) == siphash(&a, view_of_text("topic")));
    assert_true(siphash(&a, view_of_text("topic")) != siphash(&b, view_of_text("topic")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_key_matters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

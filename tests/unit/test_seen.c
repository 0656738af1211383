#include "test.h"

#include "pubsub/seen.h"

#define TTL 1000

static void test_remembers_for_its_time(void **state)
{
    (void)state;
    struct mem m = {0};
    struct seen s;
    seen_init(&s, &m, TTL, 1 << 16, 0);
    assert_true(seen_add(&s, 1, 0));
    assert_false(seen_add(&s, 1, 0));
    assert_true(seen_add(&s, 2, TTL - 1));
    /* The first generation grows old at TTL and is gone at 2 TTL. */
    assert_false(seen_add(&s, 1, 2 * TTL - 1));
    assert_false(seen_add(&s, 2, 2 * TTL - 1));
    assert_true(seen_add(&s, 3, 2 * TTL - 1));
    assert_true(seen_add(&s, 2, 2 * TTL));
    assert_false(seen_add(&s, 3, 2 * TTL));
    assert_false(seen_has(&s, 1));
    seen_free(&s);
    assert_mem_empty(&m);
}

/* After a sleep of an hour nothing is left of before, however few are added. */
static void test_forgets_after_a_pause(void **state)
{
    (void)state;
    struct mem m = {0};
    struct seen s;
    seen_init(&s, &m, TTL, 1 << 16, 0);
    assert_true(seen_add(&s, 1, 10));
    assert_true(seen_add(&s, 1, 3600 * 1000));
    seen_expire(&s, 2 * 3600 * 1000);
    assert_false(seen_has(&s, 1));
    assert_mem_empty(&m);
}

static void test_zero_is_a_hash_too(void **state)
{
    (void)state;
    struct mem m = {0};
    struct seen s;
    seen_init(&s, &m, TTL, 1 << 16, 0);
    assert_false(seen_has(&s, 0));
    assert_true(seen_add(&s, 0, 0));
    assert_true(seen_has(&s, 0));
    seen_free(&s);
}

/* A flood takes the bytes allowed and no more, and the newest are remembered through it. */
static void test_flood_stays_within_bytes(void **state)
{
    (void)state;
    enum { BYTES = 1 << 16, NEWEST = BYTES / 2 / 8 / 2 };
    struct mem m = {0};
    struct seen s;
    uint64_t seed = 3, recent[NEWEST];
    seen_init(&s, &m, TTL, BYTES, 0);
    for (size_t i = 0; i < 100000; i++) {
        recent[i % NEWEST] = test_random(&seed);
        assert_true(seen_add(&s, recent[i % NEWEST], 0));
    }
    for (size_t i = 0; i < NEWEST; i++)
        assert_true(seen_has(&s, recent[i]));
    assert_true(m.used <= BYTES + 64);
    /* While a table doubles, old and new are there at once. */
    assert_true(m.peak <= BYTES + BYTES / 2 + 128);
    seen_free(&s);
    assert_mem_empty(&m);
}

static void test_without_memory(void **state)
{
    (void)state;
    struct mem m = {.fail_nth = 1};
    struct seen s;
    seen_init(&s, &m, TTL, 1 << 16, 0);
    assert_true(seen_add(&s, 1, 0));
    assert_true(seen_add(&s, 1, 0));
    assert_false(seen_add(&s, 1, 0));
    seen_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_remembers_for_its_time),
        cmocka_unit_test(test_forgets_after_a_pause),
        cmocka_unit_test(test_zero_is_a_hash_too),
        cmocka_unit_test(test_flood_stays_within_bytes),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

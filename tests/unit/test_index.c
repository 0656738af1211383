#include "test.h"

#include "pubsub/index.h"

struct thing {
    uint32_t number;
    struct index_node node;
};

#define THINGS 1000

static void test_finds_what_was_added(void **state)
{
    (void)state;
    static struct thing things[THINGS];
    struct mem m = {0};
    struct index x;
    index_init(&x, &m);
    for (uint32_t i = 0; i < THINGS; i++) {
        things[i].number = i;
        assert_ok(index_add(&x, &things[i].node, (uint64_t)i << 32));
        assert_int_equal(x.count, i + 1);
    }
    assert_true(x.capacity >= THINGS && x.capacity <= 2 * THINGS);
    for (uint32_t i = 0; i < THINGS; i += 2)
        index_remove(&x, &things[i].node);
    for (uint32_t i = 0; i < THINGS; i++) {
        struct index_node *node = index_find(&x, (uint64_t)i << 32);
        if (i % 2 == 0)
            assert_null(node);
        else
            assert_int_equal(INDEX_OWNER(node, struct thing, node)->number, i);
    }
    for (uint32_t i = 1; i < THINGS; i += 2)
        index_remove(&x, &things[i].node);
    assert_mem_empty(&m);
}

static void test_shared_keys(void **state)
{
    (void)state;
    struct thing a = {.number = 1}, b = {.number = 2};
    struct mem m = {0};
    struct index x;
    index_init(&x, &m);
    assert_ok(index_add(&x, &a.node, 7));
    assert_ok(index_add(&x, &b.node, 7));
    index_remove(&x, index_find(&x, 7));
    assert_non_null(index_find(&x, 7));
    index_remove(&x, index_find(&x, 7));
    assert_null(index_find(&x, 7));
    assert_mem_empty(&m);
}

/* Consecutive numbers, and numbers that differ in their high half only, must not share a bucket. */
static void test_spreads(void **state)
{
    (void)state;
    static struct thing things[THINGS];
    for (unsigned shift = 0; shift <= 32; shift += 32) {
        struct mem m = {0};
        struct index x;
        index_init(&x, &m);
        for (uint32_t i = 0; i < THINGS; i++)
            assert_ok(index_add(&x, &things[i].node, (uint64_t)i << shift));
        uint32_t longest = 0;
        for (uint32_t i = 0; i < x.capacity; i++) {
            uint32_t len = 0;
            for (struct index_node *node = x.buckets[i]; node != NULL; node = node->next)
                len++;
            longest = MAX(longest, len);
        }
        assert_true(longest <= 8);
        index_free(&x);
    }
}

/* Without memory for the first bucket nothing is added; without more it only gets slower. */
static void test_without_memory(void **state)
{
    (void)state;
    static struct thing things[THINGS];
    struct mem m = {.fail_nth = 1};
    struct index x;
    index_init(&x, &m);
    assert_code(index_add(&x, &things[0].node, 0), ERR_NOMEM);
    assert_int_equal(x.count, 0);
    assert_ok(index_add(&x, &things[0].node, 0));
    m.limit = m.used;
    for (uint32_t i = 1; i < THINGS; i++)
        assert_ok(index_add(&x, &things[i].node, i));
    for (uint32_t i = 0; i < THINGS; i++)
        assert_ptr_equal(index_find(&x, i), &things[i].node);
    index_free(&x);
    assert_mem_empty(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_what_was_added),
        cmocka_unit_test(test_shared_keys),
        cmocka_unit_test(test_spreads),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Memory, lists, tables, randomness, errors: the bookkeeping. */
#include "test.h"

#include "base/limits.h"
#include "base/list.h"
#include "base/table.h"
#include "base/timers.h"

static void test_mem_budget(void **state)
{
    (void)state;
    struct mem m = {.limit = 4096};
    uint8_t *a = mem_alloc(&m, 1000);
    assert_non_null(a);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(a[i], 0);
    assert_null(mem_alloc(&m, 4000));
    assert_null(mem_alloc(&m, SIZE_MAX));
    uint8_t *b = mem_resize(&m, a, 3000);
    assert_non_null(b);
    assert_null(mem_resize(&m, b, 5000));
    assert_true(m.used >= 3000 && m.used <= 4096 && m.peak == m.used);
    mem_free(&m, b);
    mem_free(&m, NULL);
    mem_free_secret(&m, mem_alloc(&m, 32));
    assert_mem_empty(&m);
}

static void test_mem_fails_the_nth(void **state)
{
    (void)state;
    struct mem m = {.fail_nth = 2};
    void *first = mem_alloc(&m, 1);
    assert_non_null(first);
    assert_null(mem_alloc(&m, 1));
    void *third = mem_alloc(&m, 1);
    assert_non_null(third);
    mem_free(&m, first);
    mem_free(&m, third);
    assert_mem_empty(&m);
}

struct item {
    int value;
    struct list in_list;
};

static void test_list(void **state)
{
    (void)state;
    struct list l;
    struct item items[4] = {{.value = 1}, {.value = 2}, {.value = 3}, {.value = 4}};
    list_init(&l);
    assert_true(list_is_empty(&l));
    for (size_t i = 0; i < ARRAY_LEN(items); i++)
        list_add(&l, &items[i].in_list);
    int sum = 0;
    LIST_EACH(node, &l) {
        struct item *item = LIST_OWNER(node, struct item, in_list);
        sum = sum * 10 + item->value;
        if (item->value % 2 == 0)
            list_remove(node);
    }
    assert_int_equal(sum, 1234);
    assert_false(list_is_linked(&items[1].in_list));
    list_remove(&items[1].in_list);
    list_remove(&items[0].in_list);
    list_remove(&items[2].in_list);
    assert_true(list_is_empty(&l));
}

/* Against the plainest thing that can hold a number: an array with a place for each. */
static void test_table_model(void **state)
{
    (void)state;
    static int model[512];
    struct mem mem = {0};
    struct table t;
    uint64_t seed = 3;
    uint32_t count = 0;
    memset(model, 0, sizeof model);
    table_init(&t, &mem);
    for (int round = 0; round < 20000; round++) {
        uint32_t id = 1 + (uint32_t)(test_random(&seed) % (ARRAY_LEN(model) - 1));
        if (model[id] == 0) {
            assert_null(table_find(&t, id));
            assert_ok(table_add(&t, id, &model[id]));
            model[id] = 1;
            count++;
        } else {
            assert_ptr_equal(table_find(&t, id), &model[id]);
            assert_ptr_equal(table_remove(&t, id), &model[id]);
            assert_null(table_remove(&t, id));
            model[id] = 0;
            count--;
        }
        assert_int_equal(t.count, count);
    }
    uint32_t at = 0, walked = 0;
    while (table_next(&t, &at) != NULL)
        walked++;
    assert_int_equal(walked, count);
    table_free(&t);
    assert_mem_empty(&mem);
}

static void fill_table(struct mem *m, void *context)
{
    struct table t;
    (void)context;
    table_init(&t, m);
    for (uint32_t id = 1; id <= 40; id++)
        if (table_add(&t, id, &t) == 0)
            assert_ptr_equal(table_find(&t, id), &t);
    table_free(&t);
}

static void test_table_without_memory(void **state)
{
    (void)state;
    assert_true(fail_each_allocation(fill_table, NULL) > 2);
}

static void test_randomness(void **state)
{
    (void)state;
    uint64_t seed = 1;
    struct rng r = test_rng(&seed);
    uint32_t counts[6] = {0};
    assert_int_equal(rng_below(&r, 0), 0);
    assert_int_equal(rng_below(&r, 1), 0);
    for (int i = 0; i < 6000; i++)
        counts[rng_below(&r, 6)]++;
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        assert_true(counts[i] > 850 && counts[i] < 1150);
    for (int i = 0; i < 1000; i++) {
        uint64_t ms = rng_jitter(&r, 1000);
        assert_true(ms >= 750 && ms <= 1250);
    }
}

static void test_time(void **state)
{
    (void)state;
    assert_true(after(5, 10) == 15);
    assert_true(after(NEVER - 1, 10) == NEVER);
    assert_true(after(5, NEVER) == NEVER);
    assert_true(is_due(5, 5) && !is_due(6, 5) && !is_due(NEVER, 5));
    assert_true(earlier(3, NEVER) == 3);
}

static void test_errors_have_words(void **state)
{
    (void)state;
    for (int code = ERR_FIRST + 1; code < ERR_END; code++) {
        assert_true(strlen(err_name(code)) > 2);
        assert_true(strlen(err_text(code)) > 5);
        assert_non_null(strstr(err_js_name(code), "Error"));
    }
    assert_string_equal(err_name(ERR_TIMEOUT), "TIMEOUT");
    assert_string_equal(err_js_name(ERR_TIMEOUT), "TimeoutError");
    assert_string_equal(err_name(0), "OK");
    assert_string_equal(err_name(-1), "UNKNOWN");
}

/* Limits that only make sense together. */
static void test_limits_agree(void **state)
{
    (void)state;
    const struct peerlet_limits *l = &PEERLET_LIMITS;
    assert_true(l->window_initial <= l->window_stream && l->window_stream <= l->window_conn);
    assert_true(l->rtc_low < l->rtc_high);
    assert_true(l->message < l->rpc_send && l->rpc_send <= l->rpc);
    assert_true(l->dial_address_ms <= l->dial_ms);
    assert_true(l->relay_retry_min_ms < l->relay_retry_max_ms);
    assert_true(l->link_out >= 2 * l->rpc_send);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mem_budget),
        cmocka_unit_test(test_mem_fails_the_nth),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_table_model),
        cmocka_unit_test(test_table_without_memory),
        cmocka_unit_test(test_randomness),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_errors_have_words),
        cmocka_unit_test(test_limits_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

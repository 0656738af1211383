/* The allocator of the module, over arrays. */
#include "test.h"

#include "base/heap.h"

#define ROOM 65536

static _Alignas(HEAP_ALIGN) uint8_t memory[2 * ROOM];

static void test_one_region(void **state)
{
    (void)state;
    static struct heap h;
    heap_init(&h);
    assert_null(heap_take(&h, 1));
    heap_add(&h, memory, HEAP_OVERHEAD);
    void *all = heap_take(&h, 1);
    assert_non_null(all);
    assert_int_equal((uintptr_t)all % HEAP_ALIGN, 0);
    assert_null(heap_take(&h, 1));
    heap_give(&h, all);
    assert_null(heap_take(&h, HEAP_ALIGN + 1));
    assert_null(heap_take(&h, SIZE_MAX));
    assert_null(heap_take(&h, SIZE_MAX / 2));
    assert_ptr_equal(heap_take(&h, 0), all);
}

/* Whatever was taken, in whatever order it is given back: then there is one block, of all of it. */
static void test_neighbours_are_joined(void **state)
{
    (void)state;
    static const uint8_t ORDERS[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                        {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (size_t i = 0; i < ARRAY_LEN(ORDERS); i++) {
        static struct heap h;
        heap_init(&h);
        heap_add(&h, memory, ROOM);
        void *blocks[3];
        for (size_t j = 0; j < 3; j++)
            blocks[j] = heap_take(&h, (size_t)1000 << j);
        for (size_t j = 0; j < 3; j++)
            heap_give(&h, blocks[ORDERS[i][j]]);
        assert_ptr_equal(heap_take(&h, ROOM - 2 * HEAP_ALIGN), blocks[0]);
    }
}

static void test_regions(void **state)
{
    (void)state;
    static struct heap h;
    heap_init(&h);
    heap_add(&h, memory, ROOM / 2);
    uint8_t *first = heap_take(&h, 100);
    assert_null(heap_take(&h, ROOM / 2));
    heap_add(&h, memory + ROOM / 2, ROOM / 2);
    uint8_t *over = heap_take(&h, ROOM / 2); /* across what was the end */
    assert_non_null(over);
    assert_true(over < memory + ROOM / 2);
    heap_add(&h, memory + ROOM + 1024, ROOM / 2); /* apart: nothing is joined */
    heap_give(&h, over);
    heap_give(&h, first);
    assert_null(heap_take(&h, ROOM));
    assert_ptr_equal(heap_take(&h, ROOM - 2 * HEAP_ALIGN), first);
    assert_non_null(heap_take(&h, ROOM / 2 - HEAP_OVERHEAD));
}

struct taken {
    uint8_t *bytes;
    size_t len;
    uint8_t mark;
};

static void check_marks(const struct taken *t)
{
    for (size_t i = 0; i < t->len; i++)
        if (t->bytes[i] != t->mark)
            fail_msg("byte %zu of a block of %zu was written by another", i, t->len);
}

/* Against a table of what is taken: nothing overlaps, nothing is lost, and what fits is given. */
static void test_model(void **state)
{
    (void)state;
    static struct taken taken[256];
    static struct heap h;
    heap_init(&h);
    heap_add(&h, memory, ROOM);
    heap_add(&h, memory + ROOM, ROOM);
    uint64_t seed = 7;
    size_t live = 0, refused = 0;
    for (int i = 0; i < 200000; i++) {
        seed = seed * 6364136223846793005 + 1442695040888963407;
        struct taken *t = &taken[seed >> 33 & 255];
        if (t->bytes) {
            check_marks(t);
            heap_give(&h, t->bytes);
            live -= t->len;
            *t = (struct taken){0};
            continue;
        }
        size_t len = (seed >> 20 & 4095) >> (seed >> 41 & 7);
        if ((seed >> 50 & 31) == 0)
            len *= 16;
        t->bytes = heap_take(&h, len);
        if (!t->bytes) {
            refused++;
            assert_true(live + len > ROOM); /* half of the memory is in use by then */
            continue;
        }
        assert_int_equal((uintptr_t)t->bytes % HEAP_ALIGN, 0);
        assert_true(t->bytes >= memory && t->bytes + len <= memory + sizeof memory);
        t->len = len;
        t->mark = (uint8_t)i;
        memset(t->bytes, t->mark, len);
        live += len;
    }
    for (size_t i = 0; i < ARRAY_LEN(taken); i++)
        if (taken[i].bytes) {
            check_marks(&taken[i]);
            heap_give(&h, taken[i].bytes);
        }
    assert_true(refused > 0);
    assert_non_null(heap_take(&h, sizeof memory - 2 * HEAP_ALIGN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_region),
        cmocka_unit_test(test_neighbours_are_joined),
        cmocka_unit_test(test_regions),
        cmocka_unit_test(test_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

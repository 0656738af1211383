/* Spans, cursors, buffers, formatting: what every parser stands on. */
#include "test.h"

#include "base/buf.h"
#include "base/cursor.h"
#include "base/log.h"

static void test_view_order(void **state)
{
    (void)state;
    static const struct {
        const char *name, *a, *b;
        int order;
    } CASES[] = {
        {"equal", "ab", "ab", 0},
        {"both empty", "", "", 0},
        {"shorter first", "ab", "abc", -1},
        {"bytes decide", "b", "abc", 1},
    };
    EACH_ROW(i, CASES) {
        int order = view_compare(view_of_text(CASES[i].a), view_of_text(CASES[i].b));
        assert_int_equal((order > 0) - (order < 0), CASES[i].order);
        assert_int_equal(view_equals_text(view_of_text(CASES[i].a), CASES[i].b),
                         CASES[i].order == 0);
    }
}

/* protocols of multiformats: minimal, nine bytes at most. */
static void test_uvarint(void **state)
{
    (void)state;
    static const struct {
        const char *name, *bytes;
        int len;
        uint64_t value;
    } CASES[] = {
        {"zero", "00", 1, 0},
        {"one", "01", 1, 1},
        {"127", "7f", 1, 127},
        {"128", "8001", 2, 128},
        {"255", "ff01", 2, 255},
        {"300", "ac02", 2, 300},
        {"16384", "808001", 3, 16384},
        {"the largest", "ffffffffffffffff7f", 9, UINT64_MAX >> 1},
        {"padded one", "8100", UVARINT_BAD, 0},
        {"padded zero", "8000", UVARINT_BAD, 0},
        {"a tenth byte", "ffffffffffffffffff01", UVARINT_BAD, 0},
        {"nothing", "", UVARINT_MORE, 0},
        {"cut", "ff", UVARINT_MORE, 0},
    };
    EACH_ROW(i, CASES) {
        uint64_t value = 0;
        struct view in = hex(CASES[i].bytes);
        assert_int_equal(uvarint_peek(in, &value), CASES[i].len);
        struct cursor c = cursor_of(in);
        assert_true(take_uvarint(&c) == (CASES[i].len > 0 ? CASES[i].value : 0));
        assert_int_equal(c.failed, CASES[i].len <= 0);
        if (CASES[i].len <= 0)
            continue;
        uint8_t out[10];
        struct writer w = writer_of(out, sizeof out);
        put_uvarint(&w, CASES[i].value);
        assert_view_equal(writer_view(&w), in);
        assert_int_equal(uvarint_len(CASES[i].value), CASES[i].len);
    }
}

static void test_cursor_is_sticky(void **state)
{
    (void)state;
    struct cursor c = cursor_of(hex("01 0203 04050607 08090a0b0c0d0e0f 03616263 00"));
    assert_int_equal(take_u8(&c), 0x01);
    assert_int_equal(take_u16be(&c), 0x0203);
    assert_int_equal(take_u32be(&c), 0x04050607);
    assert_true(take_u64be(&c) == UINT64_C(0x08090a0b0c0d0e0f));
    assert_view_text(take_delimited(&c, 3), "abc");
    assert_int_equal(take_u16be(&c), 0);
    assert_true(c.failed);
    assert_int_equal(take_u8(&c), 0);
    assert_int_equal(take(&c, 0).len, 0);
    assert_true(c.failed);
}

static void test_delimited_limit(void **state)
{
    (void)state;
    struct cursor c = cursor_of(hex("03616263"));
    assert_int_equal(take_delimited(&c, 2).len, 0);
    assert_true(c.failed);
}

static void test_writer_is_sticky(void **state)
{
    (void)state;
    uint8_t out[8];
    struct writer w = writer_of(out, sizeof out);
    put_u16be(&w, 0x0102);
    put_delimited(&w, view_of_text("abc"));
    assert_view_hex(writer_view(&w), "010203616263");
    put_u32be(&w, 1);
    assert_true(w.failed);
    put_u8(&w, 1);
    assert_int_equal(w.len, 6);
}

static void test_buf_queue(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct buf b;
    buf_init(&b, &mem, 1000);
    assert_int_equal(mem.used, 0);
    assert_ok(buf_append(&b, view_of_text("hello ")));
    assert_ok(buf_append(&b, view_of_text("world")));
    buf_take(&b, 6);
    assert_view_text(buf_view(&b), "world");
    buf_truncate(&b, 3);
    assert_view_text(buf_view(&b), "wor");
    buf_take(&b, 3);
    buf_trim(&b);
    assert_mem_empty(&mem);
}

static void test_buf_limit(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct buf b;
    uint8_t big[1001] = {0};
    buf_init(&b, &mem, 1000);
    assert_code(buf_append(&b, view_of(big, sizeof big)), ERR_FULL);
    assert_ok(buf_append(&b, view_of(big, 1000)));
    assert_code(buf_append(&b, view_of(big, 1)), ERR_FULL);
    assert_null(buf_reserve(&b, 1));
    buf_take(&b, 1);
    assert_non_null(buf_reserve(&b, 1));
    buf_free(&b);
    assert_mem_empty(&mem);
}

/* Whatever is appended and taken, what comes out is what went in, in order. */
static void test_buf_is_a_queue(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct buf b;
    uint64_t seed = 7;
    uint8_t in = 0, out = 0;
    buf_init(&b, &mem, 5000);
    for (int round = 0; round < 5000; round++) {
        size_t add = (size_t)(test_random(&seed) % 300);
        add = MIN(add, buf_room(&b));
        uint8_t *at = buf_reserve(&b, add);
        assert_true(add == 0 || at != NULL);
        for (size_t i = 0; i < add; i++)
            at[i] = in++;
        buf_commit(&b, add);
        size_t take = (size_t)(test_random(&seed) % 300);
        take = MIN(take, b.len);
        for (size_t i = 0; i < take; i++)
            assert_int_equal(b.data[b.head + i], out++);
        buf_take(&b, take);
    }
    buf_free(&b);
    assert_mem_empty(&mem);
}

/* Of a queue that stays full no more is moved than is taken from it, and its memory is bounded. */
static void test_buf_moves_little(void **state)
{
    (void)state;
    enum { LIMIT = 60000, PIECE = 100 };
    struct mem mem = {0};
    struct buf b;
    size_t taken = 0, moved = 0;
    buf_init(&b, &mem, LIMIT);
    while (buf_room(&b) > 0 && buf_reserve(&b, PIECE) != NULL)
        buf_commit(&b, PIECE);
    for (int round = 0; round < 5000; round++) {
        buf_take(&b, PIECE);
        taken += PIECE;
        size_t head = b.head;
        assert_non_null(buf_reserve(&b, PIECE));
        moved += b.head < head ? b.len : 0;
        buf_commit(&b, PIECE);
    }
    assert_true(moved > 0 && moved <= taken);
    assert_true(mem.peak <= 4 * LIMIT);
    buf_free(&b);
    assert_mem_empty(&mem);
}

static void test_format(void **state)
{
    (void)state;
    char out[64];
    struct view bytes = hex("41 00 1f 42");
    size_t len = text_format(out, sizeof out, "%s %d %u %x %U %v %%", "word", -5, 7u, 0xbeefu,
                             UINT64_MAX, &bytes);
    assert_string_equal(out, "word -5 7 beef 18446744073709551615 A..B %");
    assert_int_equal(len, strlen(out));
    assert_int_equal(text_format(out, 5, "%s", "much too long"), 4);
    assert_string_equal(out, "much");
    assert_int_equal(text_format(out, sizeof out, "%d", INT32_MIN), 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_view_order),       cmocka_unit_test(test_uvarint),
        cmocka_unit_test(test_cursor_is_sticky), cmocka_unit_test(test_delimited_limit),
        cmocka_unit_test(test_writer_is_sticky), cmocka_unit_test(test_buf_queue),
        cmocka_unit_test(test_buf_limit),        cmocka_unit_test(test_buf_is_a_queue),
        cmocka_unit_test(test_buf_moves_little), cmocka_unit_test(test_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

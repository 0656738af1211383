#include "test.h"

#include "wire/delimited.h"

#define LIMIT 300

struct machine {
    struct mem mem;
    struct delimited delimited;
};

static void begin(void *context)
{
    struct machine *m = context;
    delimited_init(&m->delimited, &m->mem, LIMIT);
}

static int feed(void *context, struct span *in, struct transcript *t)
{
    struct machine *m = context;
    struct view message;
    int rc = delimited_feed(&m->delimited, in, &message);
    if (rc == 1) {
        transcript_add(t, "%u:", (unsigned)message.len);
        transcript_add_hex(t, message);
        transcript_add(t, "\n");
    }
    return rc;
}

static void end(void *context)
{
    struct machine *m = context;
    delimited_free(&m->delimited);
    assert_mem_empty(&m->mem);
}

static const struct {
    const char *name, *bytes, *said;
} CASES[] = {
    {"nothing", "", ""},
    {"an empty message", "00", "0:\n"},
    {"one byte", "01 61", "1:61\n"},
    {"several", "01 61 00 02 6263", "1:61\n0:\n2:6263\n"},
    {"a part of a second", "01 61 02 62", "1:61\n"},
    {"a part of a length", "01 61 82", "1:61\n"},
    {"over the limit by one", "ad02", "TOO_BIG\n"},
    {"over the limit by far", "ffffffffffffffff7f", "TOO_BIG\n"},
    {"over 32 bits", "8180808010 61", "TOO_BIG\n"},
    {"a padded length", "8100 61", "PROTOCOL\n"},
    {"a length of ten bytes", "ffffffffffffffffff01", "PROTOCOL\n"},
    {"wrong behind right", "01 61 8000", "1:61\nPROTOCOL\n"},
};

static void test_cases(void **state)
{
    (void)state;
    struct machine m = {0};
    const struct fed fed = {begin, feed, end, &m};
    EACH_ROW(i, CASES)
        feed_three_ways(&fed, hex(CASES[i].bytes), CASES[i].said);
}

/* A message as long as the limit allows, in pieces of every length. */
static void test_split(void **state)
{
    (void)state;
    struct machine m = {0};
    const struct fed fed = {begin, feed, end, &m};
    uint8_t bytes[2 + LIMIT];
    struct writer w = writer_of(bytes, sizeof bytes);
    put_uvarint(&w, LIMIT);
    while (w.len < sizeof bytes)
        put_u8(&w, (uint8_t)w.len);
    static struct transcript whole, pieces;
    size_t left;
    assert_ok(test_feed_all(&fed, writer_view(&w), w.len, &whole, &left));
    for (size_t step = 1; step < w.len; step++) {
        assert_ok(test_feed_all(&fed, writer_view(&w), step, &pieces, &left));
        assert_string_equal(pieces.text, whole.text);
    }
}

static void test_lends_from_the_bytes_fed(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct delimited d;
    delimited_init(&d, &mem, LIMIT);
    struct span in = test_copy(hex("02 6162 02 6364"));
    const uint8_t *start = in.data;
    struct span message;
    assert_code(delimited_feed_span(&d, &in, &message), 1);
    assert_ptr_equal(message.data, start + 1);
    assert_code(delimited_feed_span(&d, &in, &message), 1);
    assert_ptr_equal(message.data, start + 4);
    assert_ok(delimited_feed_span(&d, &in, &message));
    assert_int_equal(mem.calls, 0);
    delimited_free(&d);
}

static void test_is_empty(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct delimited d;
    delimited_init(&d, &mem, LIMIT);
    struct view message;
    assert_true(delimited_is_empty(&d));
    struct span in = test_copy(hex("02 61"));
    assert_ok(delimited_feed(&d, &in, &message));
    assert_false(delimited_is_empty(&d));
    in = test_copy(hex("62"));
    assert_code(delimited_feed(&d, &in, &message), 1);
    assert_view_text(message, "ab");
    assert_true(delimited_is_empty(&d));
    assert_ok(delimited_feed(&d, &in, &message));
    assert_mem_empty(&mem);
    delimited_free(&d);
}

/* A long length alone costs no memory to speak of. */
static void test_memory_follows_the_bytes(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct delimited d;
    delimited_init(&d, &mem, 1 << 20);
    struct view message;
    struct span in = test_copy(hex("808040 61"));
    assert_ok(delimited_feed(&d, &in, &message));
    assert_in_range(mem.used, 1, 1024);
    delimited_free(&d);
    assert_mem_empty(&mem);
}

static void split_message(struct mem *m, void *context)
{
    (void)context;
    struct delimited d;
    delimited_init(&d, m, LIMIT);
    struct view message;
    uint8_t bytes[] = {0xac, 0x02, 1, 2, 3};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < 100; i++) {
        struct span in = span_of(bytes, i == 0 ? 5 : 3);
        rc = delimited_feed(&d, &in, &message);
    }
    assert_true(rc == ERR_NOMEM || rc == 1);
    delimited_free(&d);
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    assert_true(fail_each_allocation(split_message, NULL) > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_lends_from_the_bytes_fed),
        cmocka_unit_test(test_is_empty),
        cmocka_unit_test(test_memory_follows_the_bytes),
        cmocka_unit_test(test_each_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

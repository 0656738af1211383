/*
 * What our tests add to cmocka: bytes, table rows, seeded randomness, three ways to feed a machine.
 *
 *     static const struct { const char *name, *text, *bytes; } CASES[] = {{"empty", "", ""}, ...};
 *
 *     static void test_decode(void **state)
 *     {
 *         (void)state;
 *         EACH_ROW (i, CASES)
 *             assert_view_hex(decode(CASES[i].text), CASES[i].bytes);
 *     }
 *
 *     int main(void)
 *     {
 *         const struct CMUnitTest tests[] = {cmocka_unit_test(test_decode)};
 *         return cmocka_run_group_tests(tests, NULL, NULL);
 *     }
 */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/span.h"

/* What a test may change; one per test program. */
struct test {
    const char *row; /* of the table being walked, null outside */
    size_t arena_used;
    uint8_t arena[1 << 20]; /* bytes of hex(), until the end of the test */
};

static inline struct test *the_test(void)
{
    static struct test test;
    return &test;
}

/* ---- table rows ---------------------------------------------------------------------------- */

static inline bool test_on_row(const char *row)
{
    the_test()->row = row;
    return row != NULL;
}

/* Walks a table whose rows have a `name`; a failure tells the name. `i` is the index. */
#define EACH_ROW(i, rows)                                                                          \
    for (size_t i = 0; test_on_row(i < ARRAY_LEN(rows) ? (rows)[i].name : NULL); i++)

/* cmocka runs this after each test, failed or not; a row is left only by a failure. */
static inline int test_over(void **state)
{
    (void)state;
    struct test *t = the_test();
    if (t->row != NULL)
        print_error("           in row: %s\n", t->row);
    t->row = NULL;
    t->arena_used = 0;
    return 0;
}

#undef cmocka_unit_test
#define cmocka_unit_test(f)                                                                        \
    {                                                                                              \
#f, f, NULL, test_over, NULL                                                               \
    }

/* ---- bytes --------------------------------------------------------------------------------- */

static inline int test_hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
    return c != '\0' && at != NULL ? (int)(at - digits) : -1;
}

/* The bytes of hex digits; blanks and newlines between bytes are skipped. Valid during the test. */
static inline struct view hex(const char *text)
{
    struct test *t = the_test();
    uint8_t *start = t->arena + t->arena_used;
    size_t len = 0;
    for (const char *p = text; *p != '\0';) {
        if (strchr(" \n", *p) != NULL) {
            p++;
            continue;
        }
        int high = test_hex_digit(p[0]);
        int low = high < 0 ? -1 : test_hex_digit(p[1]);
        if (low < 0)
            fail_msg("not hex at \"%.16s\"", p);
        if (t->arena_used + len == sizeof t->arena)
            fail_msg("hex() has used up its arena of %u bytes", (unsigned)sizeof t->arena);
        start[len++] = (uint8_t)(high << 4 | low);
        p += 2;
    }
    t->arena_used += len;
    return view_of(start, len);
}

/* A copy that may be written to, for what is decrypted in place. Valid during the test. */
static inline struct span test_copy(struct view bytes)
{
    struct test *t = the_test();
    if (bytes.len > sizeof t->arena - t->arena_used)
        fail_msg("test_copy has used up its arena of %u bytes", (unsigned)sizeof t->arena);
    struct span copy = span_of(t->arena + t->arena_used, bytes.len);
    if (bytes.len > 0)
        memcpy(copy.data, bytes.data, bytes.len);
    t->arena_used += bytes.len;
    return copy;
}

static inline void test_print_bytes(const char *label, struct view v, size_t from)
{
    size_t to = MIN(v.len, from + 32);
    print_error("  %-8s %u bytes, from %u:", label, (unsigned)v.len, (unsigned)from);
    for (size_t i = from; i < to; i++)
        print_error(" %02x", v.data[i]);
    print_error(to < v.len ? " ...\n" : "\n");
}

static inline void test_views(struct view actual, struct view expected, const char *file, int line)
{
    size_t same = 0;
    while (same < actual.len && same < expected.len && actual.data[same] == expected.data[same])
        same++;
    if (same == actual.len && same == expected.len)
        return;
    print_error("bytes differ at %u\n", (unsigned)same);
    test_print_bytes("actual", actual, same);
    test_print_bytes("expected", expected, same);
    _fail(file, line);
}

#define assert_view_equal(actual, expected) test_views(actual, expected, __FILE__, __LINE__)
#define assert_view_hex(actual, digits) test_views(actual, hex(digits), __FILE__, __LINE__)
#define assert_view_text(actual, text) test_views(actual, view_of_text(text), __FILE__, __LINE__)

/* ---- results ------------------------------------------------------------------------------- */

static inline void test_code(int actual, int expected, const char *what, const char *file, int line)
{
    if (actual == expected)
        return;
    print_error("%s is %d (%s), not %d (%s)\n", what, actual, err_name(MIN(actual, 0)), expected,
                err_name(MIN(expected, 0)));
    _fail(file, line);
}

/* A code of base/err.h, 0, or a positive count; told by name. */
#define assert_code(actual, expected) test_code(actual, expected, #actual, __FILE__, __LINE__)
#define assert_ok(actual) assert_code(actual, 0)

/* ---- randomness and memory ----------------------------------------------------------------- */

/* splitmix64, by Sebastiano Vigna, public domain. */
static inline uint64_t test_random(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline void test_rng_fill(void *context, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)test_random(context);
}

/* The same bytes for the same seed, on every machine; `*seed` is the state. */
static inline struct rng test_rng(uint64_t *seed)
{
    return (struct rng){test_rng_fill, seed};
}

/* Everything allocated through `m` has been given back. */
#define assert_mem_empty(m) assert_int_equal((m)->used, 0)

/*
 * Runs `story` with its 1st allocation failing, then its 2nd, until one run needs no more. The story
 * uses only `m`, takes ERR_NOMEM as an ordinary end, and frees what it has. Returns how many
 * allocations it makes when none fails.
 */
static inline uint64_t fail_each_allocation(void (*story)(struct mem *m, void *context),
                                            void *context)
{
    for (uint64_t nth = 1;; nth++) {
        struct mem m = {.fail_nth = nth};
        story(&m, context);
        assert_mem_empty(&m);
        if (m.calls < nth)
            return m.calls;
    }
}

/* ---- transcripts --------------------------------------------------------------------------- */

/* What a machine said, as text. */
struct transcript {
    char text[16384];
    size_t len;
};

static inline void transcript_add(struct transcript *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(t->text + t->len, sizeof t->text - t->len, format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof t->text - t->len)
        fail_msg("the transcript is full");
    t->len += (size_t)len;
}

static inline void transcript_add_hex(struct transcript *t, struct view bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        transcript_add(t, "%02x", bytes.data[i]);
}

/* ---- golden transcripts ------------------------------------------------------------------------ */

static inline void test_first_difference(const char *name, const char *actual, const char *expected)
{
    int line = 1;
    while (*actual != '\0') {
        size_t len = strcspn(actual, "\n"), expected_len = strcspn(expected, "\n");
        if (len != expected_len || memcmp(actual, expected, len) != 0 || expected[len] == '\0')
            break;
        actual += len + (actual[len] == '\n');
        expected += len + 1;
        line++;
    }
    print_error("%s, line %d: \"%.*s\", not \"%.*s\"; `make golden` rewrites it\n", name, line,
                (int)strcspn(actual, "\n"), actual, (int)strcspn(expected, "\n"), expected);
}

/* `text` is what tests/golden/NAME has; with GOLDEN=write in the environment it becomes that. */
static inline void test_golden(const char *name, const char *text, const char *file, int line)
{
    char path[128];
    const char *mode = getenv("GOLDEN");
    bool is_writing = mode != NULL && strcmp(mode, "write") == 0;
    snprintf(path, sizeof path, "tests/golden/%s", name);
    FILE *f = fopen(path, is_writing ? "wb" : "rb");
    if (f == NULL)
        fail_msg("cannot open %s", path);
    size_t len = strlen(text);
    if (is_writing) {
        assert_int_equal(fwrite(text, 1, len, f), len);
        assert_int_equal(fclose(f), 0);
        return;
    }
    enum { LONGEST = 1 << 20 };
    char *expected = calloc(1, LONGEST);
    assert_non_null(expected);
    size_t read = fread(expected, 1, LONGEST - 1, f);
    fclose(f);
    bool is_same = read == len && memcmp(expected, text, len) == 0;
    if (!is_same)
        test_first_difference(path, text, expected);
    free(expected);
    if (!is_same)
        _fail(file, line);
}

#define assert_golden(name, text) test_golden(name, text, __FILE__, __LINE__)

/* ---- three ways to feed -------------------------------------------------------------------- */

enum { FED_DONE = 1000 };

/*
 * How to run one machine. `feed` calls the machine's own feed once, writes what it said to the
 * transcript and returns its code: positive, call again; 0, more is needed; negative, over. A
 * machine that ends (a handshake, one message) returns FED_DONE when it has. Payload that arrives in
 * pieces is written so that the cuts do not show.
 */
struct fed {
    void (*begin)(void *context);
    int (*feed)(void *context, struct span *in, struct transcript *t);
    void (*end)(void *context);
    void *context;
};

/* Feeds one exact heap block until the machine wants more; returns the last code, with the rest. */
static inline int test_feed_block(const struct fed *m, struct view bytes, struct transcript *t,
                                  size_t *left)
{
    uint8_t *block = malloc(bytes.len > 0 ? bytes.len : 1);
    assert_non_null(block);
    if (bytes.len > 0)
        memcpy(block, bytes.data, bytes.len);
    struct span in = span_of(block, bytes.len);
    int rc;
    do
        rc = m->feed(m->context, &in, t);
    while (rc > 0 && rc != FED_DONE);
    assert_true(in.len <= bytes.len);
    assert_ptr_equal(in.data + in.len, block + bytes.len);
    if (rc == FED_DONE && in.len > 0)
        assert_memory_equal(in.data, bytes.data + bytes.len - in.len, in.len);
    if (rc == 0)
        assert_int_equal(in.len, 0);
    *left = in.len;
    free(block);
    return rc;
}

/* Feeds `input` in blocks of `step` bytes; returns the last code. */
static inline int test_feed_all(const struct fed *m, struct view input, size_t step,
                                struct transcript *t, size_t *left)
{
    *t = (struct transcript){0};
    int rc = 0;
    size_t at = 0;
    m->begin(m->context);
    do {
        size_t len = MIN(step, input.len - at);
        rc = test_feed_block(m, view_of(input.data + at, len), t, left);
        at += len;
    } while (rc == 0 && at < input.len);
    if (rc < 0)
        transcript_add(t, "%s\n", err_name(rc));
    *left += input.len - at;
    m->end(m->context);
    return rc;
}

/*
 * Feeds a fresh machine the whole input at once; a second one byte by byte; and, if the machine
 * ends, a third with a tail behind it, which must be left alone. Every block is its own exact
 * allocation, gone after the call, so reading past it or keeping it shows under ASan. The three
 * transcripts must be the same; with `expected` not null, equal to it. A negative code is written
 * as its name on a line of its own.
 */
static inline void feed_three_ways(const struct fed *m, struct view input, const char *expected)
{
    static struct transcript whole, bytes, tail;
    static const uint8_t TAIL[] = {0x00, 0xff, 0x5a};
    size_t left, left_bytes, left_tail;
    int rc = test_feed_all(m, input, MAX(input.len, 1), &whole, &left);
    if (expected != NULL)
        assert_string_equal(whole.text, expected);

    assert_code(test_feed_all(m, input, 1, &bytes, &left_bytes), rc);
    assert_string_equal(bytes.text, whole.text);
    if (rc != FED_DONE)
        return;

    assert_int_equal(left_bytes, left);
    struct span longer = span_of(malloc(input.len + sizeof TAIL), input.len + sizeof TAIL);
    assert_non_null(longer.data);
    if (input.len > 0)
        memcpy(longer.data, input.data, input.len);
    memcpy(longer.data + input.len, TAIL, sizeof TAIL);
    rc = test_feed_all(m, view_of_span(longer), longer.len, &tail, &left_tail);
    free(longer.data);
    assert_code(rc, FED_DONE);
    assert_string_equal(tail.text, whole.text);
    assert_int_equal(left_tail, left + sizeof TAIL);
}

#endif

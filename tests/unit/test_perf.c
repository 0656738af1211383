#include "pair.h"

#include "protocols/perf.h"

static void count(struct side *side, const struct protocol_event *ev)
{
    assert_int_equal(ev->type, PERF_DONE);
    ++*(unsigned *)side->context;
}

static void test_pair(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t upload, download;
        size_t step;
    } rows[] = {
        {"nothing", 0, 0, 0},
        {"a byte up", 1, 0, 0},
        {"a byte down", 0, 1, 0},
        {"both ways", 200000, 100001, 0},
        {"in bits", 1000, 999, 3},
        {"byte by byte", 20, 30, 1},
        {"just a chunk", 65536, 65536, 0},
    };
    EACH_ROW(i, rows) {
        struct perf dialer, listener;
        unsigned done = 0;
        perf_dial_init(&dialer, rows[i].upload, rows[i].download);
        perf_listen_init(&listener, &SERVICE_LIMITS, 0);
        struct pair p = {{&PERF_OPS, &dialer, .told = count, .context = &done},
                         {&PERF_OPS, &listener, .told = NULL},
                         rows[i].step};
        pair_run(&p, 1);
        assert_int_equal(p.dialer.code, 0);
        assert_int_equal(p.listener.code, 0);
        assert_true(p.dialer.closed && p.listener.closed);
        assert_int_equal(done, 1);
        assert_int_equal(dialer.sent, rows[i].upload);
        assert_int_equal(dialer.received, rows[i].download);
        assert_int_equal(listener.received, rows[i].upload);
        assert_int_equal(listener.sent, rows[i].download);
        pair_free(&p);
    }
}

/* specs/perf: a big-endian number in front. */
static void test_head(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct buf out;
    struct perf p;
    buf_init(&out, &mem, 64);
    perf_dial_init(&p, 2, 0x0102030405060708);
    assert_code(PERF_OPS.drain(&p, &out), PROTOCOL_CLOSE_WRITE);
    assert_view_hex(buf_view(&out), "0102030405060708 0000");
    buf_free(&out);
    assert_mem_empty(&mem);
}

static void test_faults(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum role role;
        const char *bytes;
        int fed, ended;
    } rows[] = {
        {"a head that is cut", LISTENER, "00000000000000", 0, ERR_PROTOCOL},
        {"no head", LISTENER, "", 0, ERR_PROTOCOL},
        {"too little", DIALER, "0000", 0, ERR_PROTOCOL},
        {"just enough", DIALER, "000000", 0, 1},
        {"too much", DIALER, "00000000", ERR_PROTOCOL, 0},
    };
    EACH_ROW(i, rows) {
        struct mem mem = {0};
        struct buf out;
        struct perf p;
        struct protocol_event ev;
        buf_init(&out, &mem, 64);
        if (rows[i].role == LISTENER)
            perf_listen_init(&p, &SERVICE_LIMITS, 0);
        else
            perf_dial_init(&p, 0, 3);
        assert_true(PERF_OPS.drain(&p, &out) >= 0);
        struct span in = test_copy(hex(rows[i].bytes));
        assert_code(PERF_OPS.feed(&p, &in, &ev, 0), rows[i].fed);
        if (rows[i].fed == 0)
            assert_code(PERF_OPS.end(&p, &ev, 0), rows[i].ended);
        buf_free(&out);
    }
}

static void test_who_ends_before_we_have_sent(void **state)
{
    (void)state;
    struct perf p;
    struct protocol_event ev;
    perf_dial_init(&p, 100, 0);
    assert_code(PERF_OPS.end(&p, &ev, 0), ERR_PROTOCOL);
}

static void test_silence(void **state)
{
    (void)state;
    struct perf p;
    struct protocol_event ev;
    perf_listen_init(&p, &SERVICE_LIMITS, 5);
    assert_int_equal(PERF_OPS.deadline(&p), 5 + SERVICE_LIMITS.perf_ms);
    assert_code(PERF_OPS.tick(&p, 5 + SERVICE_LIMITS.perf_ms), ERR_TIMEOUT);
    struct span in = test_copy(hex("0000000000000001"));
    assert_ok(PERF_OPS.feed(&p, &in, &ev, 6));
    assert_true(PERF_OPS.deadline(&p) == NEVER);
    perf_dial_init(&p, 1, 1);
    assert_true(PERF_OPS.deadline(&p) == NEVER);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct mem mem = {.fail_nth = 1};
    struct buf out;
    struct perf p;
    buf_init(&out, &mem, 64);
    perf_dial_init(&p, 1, 1);
    assert_code(PERF_OPS.drain(&p, &out), ERR_NOMEM);
    assert_mem_empty(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pair),    cmocka_unit_test(test_head),
        cmocka_unit_test(test_faults),  cmocka_unit_test(test_who_ends_before_we_have_sent),
        cmocka_unit_test(test_silence), cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

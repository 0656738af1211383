#include "framed.h"
#include "pair.h"

#include "protocols/fetch.h"

struct machine {
    struct mem mem;
    enum role role;
    struct fetch fetch;
};

static void begin(void *context)
{
    struct machine *m = context;
    if (m->role == LISTENER)
        fetch_listen_init(&m->fetch, &m->mem, &SERVICE_LIMITS, 1000);
    else
        assert_ok(
            fetch_ask_init(&m->fetch, &m->mem, &SERVICE_LIMITS, view_of_text("/a/key"), 1000));
}

static void tell(struct transcript *t, const struct protocol_event *ev)
{
    bool is_asked = ev->type == FETCH_ASKED;
    assert_true(is_asked || ev->type == FETCH_ANSWERED);
    if (is_asked)
        transcript_add(t, "asked ");
    else
        transcript_add(t, "answered %u ", ev->fetch.status);
    transcript_add_hex(t, is_asked ? ev->fetch_asked.key : ev->fetch.data);
    transcript_add(t, "\n");
}

static int feed(void *context, struct span *in, struct transcript *t)
{
    struct machine *m = context;
    struct protocol_event ev;
    int rc = FETCH_OPS.feed(&m->fetch, in, &ev, 1001);
    if (rc <= 0)
        return rc;
    tell(t, &ev);
    return FED_DONE;
}

static void end(void *context)
{
    struct machine *m = context;
    FETCH_OPS.free(&m->fetch);
    assert_mem_empty(&m->mem);
}

/* The well-formed ones as @libp2p/fetch 4.1 writes them, and the spec's with a status of 0. */
static const struct {
    const char *name;
    enum role role;
    const char *bytes, *told;
} MESSAGES[] = {
    {"a key", LISTENER, "{0a062f612f6b6579}", "asked 2f612f6b6579\n"},
    {"an empty key", LISTENER, "{0a00}", "asked \n"},
    {"no key", LISTENER, "{}", "asked \n"},
    {"a key and unknown fields", LISTENER, "{1001 1a{61} 0a{6b}}", "asked 6b\n"},
    {"a key that is a number", LISTENER, "{0801}", "PROTOCOL\n"},
    {"a key past its end", LISTENER, "{0a096b}", "PROTOCOL\n"},
    {"a length that is none", LISTENER, "ffffffffffffffffffff", "PROTOCOL\n"},
    {"a request of 16 KiB and 33 bytes", LISTENER, "a18001", "TOO_BIG\n"},
    {"a value", DIALER, "{120576616c7565}", "answered 0 76616c7565\n"},
    {"a value with a status of 0", DIALER, "{0800 12{76616c7565}}", "answered 0 76616c7565\n"},
    {"an empty value", DIALER, "{0800 12{}}", "answered 0 \n"},
    {"not found", DIALER, "{0801}", "answered 1 \n"},
    {"an error", DIALER, "{0802 12{776879}}", "answered 2 776879\n"},
    {"a status of another time", DIALER, "{0863}", "answered 99 \n"},
    {"a status that is no number", DIALER, "{0a{00}}", "PROTOCOL\n"},
    {"5 MiB announced", DIALER, "8080c002", "TOO_BIG\n"},
};

static void test_messages(void **state)
{
    (void)state;
    EACH_ROW(i, MESSAGES) {
        struct machine m = {.role = MESSAGES[i].role};
        const struct fed fed = {begin, feed, end, &m};
        feed_three_ways(&fed, framed(MESSAGES[i].bytes), MESSAGES[i].told);
    }
}

static void test_request(void **state)
{
    (void)state;
    struct machine m = {.role = DIALER};
    struct buf out;
    begin(&m);
    buf_init(&out, &m.mem, 64);
    assert_code(FETCH_OPS.drain(&m.fetch, &out), PROTOCOL_OPEN);
    assert_view_hex(buf_view(&out), "080a062f612f6b6579");
    buf_free(&out);
    end(&m);
}

static void told(struct side *side, const struct protocol_event *ev)
{
    tell(side->context, ev);
}

/* The listener's side of test_pair: every key is its own value. */
static void answer(struct side *side, const struct protocol_event *ev)
{
    struct fetch *f = side->state;
    struct span key = test_copy(ev->fetch_asked.key);
    int rc = fetch_answer(f, &SERVICE_LIMITS, FETCH_OK, view_of_span(key));
    assert_true(rc == 0 || rc == ERR_NOMEM);
    if (rc == 0)
        assert_code(fetch_answer(f, &SERVICE_LIMITS, FETCH_OK, view_of_span(key)),
                    ERR_STREAM_STATE);
}

static void test_pair(void **state)
{
    (void)state;
    static const size_t steps[] = {0, 1, 5};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct mem mem = {0};
        struct fetch dialer, listener;
        struct transcript t = {0};
        assert_ok(fetch_ask_init(&dialer, &mem, &SERVICE_LIMITS, view_of_text("ab"), 0));
        fetch_listen_init(&listener, &mem, &SERVICE_LIMITS, 0);
        assert_code(fetch_answer(&listener, &SERVICE_LIMITS, FETCH_OK, view_of_text("")),
                    ERR_STREAM_STATE);
        struct pair p = {{&FETCH_OPS, &dialer, .told = told, .context = &t},
                         {&FETCH_OPS, &listener, .told = answer},
                         steps[i]};
        pair_run(&p, 1);
        assert_string_equal(t.text, "answered 0 6162\n");
        assert_true(p.dialer.closed && p.listener.closed);
        assert_true(FETCH_OPS.deadline(&dialer) == NEVER);
        pair_free(&p);
        assert_mem_empty(&mem);
    }
}

static void test_silence_and_ends(void **state)
{
    (void)state;
    for (int role = DIALER; role <= LISTENER; role++) {
        struct machine m = {.role = (enum role)role};
        struct protocol_event ev;
        begin(&m);
        assert_int_equal(FETCH_OPS.deadline(&m.fetch), 1000 + SERVICE_LIMITS.fetch_ms);
        assert_ok(FETCH_OPS.tick(&m.fetch, 1000 + SERVICE_LIMITS.fetch_ms - 1));
        assert_code(FETCH_OPS.tick(&m.fetch, 1000 + SERVICE_LIMITS.fetch_ms), ERR_TIMEOUT);
        assert_code(FETCH_OPS.end(&m.fetch, &ev, 1001), ERR_PROTOCOL);
        end(&m);
    }
}

static void test_limits(void **state)
{
    (void)state;
    struct service_limits limits = SERVICE_LIMITS;
    struct mem mem = {0};
    struct fetch f;
    limits.fetch_key = limits.fetch_data = 3;
    assert_code(fetch_ask_init(&f, &mem, &limits, view_of_text("abcd"), 0), ERR_TOO_BIG);
    FETCH_OPS.free(&f);
    assert_ok(fetch_ask_init(&f, &mem, &limits, view_of_text("abc"), 0));
    FETCH_OPS.free(&f);

    struct protocol_event ev;
    fetch_listen_init(&f, &mem, &limits, 0);
    struct span in = test_copy(framed("{0a{616263}}"));
    assert_code(FETCH_OPS.feed(&f, &in, &ev, 0), 1);
    assert_code(fetch_answer(&f, &limits, FETCH_OK, view_of_text("abcd")), ERR_TOO_BIG);
    assert_ok(fetch_answer(&f, &limits, FETCH_OK, view_of_text("abc")));
    FETCH_OPS.free(&f);
    assert_mem_empty(&mem);
}

static void one_fetch(struct mem *mem, void *context)
{
    (void)context;
    struct fetch dialer, listener;
    int rc = fetch_ask_init(&dialer, mem, &SERVICE_LIMITS, view_of_text("ab"), 0);
    fetch_listen_init(&listener, mem, &SERVICE_LIMITS, 0);
    struct pair p = {.dialer = {&FETCH_OPS, &dialer, .told = NULL},
                     .listener = {&FETCH_OPS, &listener, .told = answer},
                     .step = 1};
    if (rc == 0)
        pair_run(&p, 1);
    pair_free(&p);
}

static void test_allocations(void **state)
{
    (void)state;
    assert_true(fail_each_allocation(one_fetch, NULL) >= 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages), cmocka_unit_test(test_request),
        cmocka_unit_test(test_pair),     cmocka_unit_test(test_silence_and_ends),
        cmocka_unit_test(test_limits),   cmocka_unit_test(test_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

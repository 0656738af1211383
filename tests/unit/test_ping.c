#include "pair.h"

#include "protocols/ping.h"
#include "vectors_protocols.h"

static uint64_t seed = 1;

static struct view first_ping(void)
{
    static uint8_t bytes[PING_LEN];
    uint64_t same_seed = 1;
    struct rng rng = test_rng(&same_seed);
    rng_fill(&rng, bytes, PING_LEN);
    return view_of(bytes, PING_LEN);
}

/* A dialer that has written its first ping at 1000. */
static void begin_dialer(struct ping *p, struct mem *mem)
{
    static struct rng rng;
    seed = 1;
    rng = test_rng(&seed);
    ping_init(p, DIALER, mem, &PEERLET_LIMITS, &rng, 2000);
    assert_ok(ping_send(p, 1000));
    struct buf out;
    buf_init(&out, mem, 64);
    assert_code(PING_OPS.drain(p, &out), PROTOCOL_OPEN);
    assert_view_equal(buf_view(&out), first_ping());
    buf_free(&out);
}

struct machine {
    struct mem mem;
    struct ping ping;
};

static void begin(void *context)
{
    struct machine *m = context;
    begin_dialer(&m->ping, &m->mem);
}

static int feed(void *context, struct span *in, struct transcript *t)
{
    struct machine *m = context;
    struct protocol_event ev;
    int rc = PING_OPS.feed(&m->ping, in, &ev, 1042);
    if (rc > 0)
        transcript_add(t, "rtt %u\n", ev.ping.ms);
    return rc;
}

static void end(void *context)
{
    struct machine *m = context;
    PING_OPS.free(&m->ping);
    assert_mem_empty(&m->mem);
}

static void test_answer(void **state)
{
    (void)state;
    struct machine m = {0};
    const struct fed fed = {begin, feed, end, &m};
    feed_three_ways(&fed, first_ping(), "rtt 42\n");
}

static void test_wrong_answers(void **state)
{
    (void)state;
    struct machine m = {0};
    const struct fed fed = {begin, feed, end, &m};
    struct span wrong = test_copy(first_ping());
    wrong.data[PING_LEN - 1] ^= 1;
    feed_three_ways(&fed, view_of_span(wrong), "PROTOCOL\n");

    uint8_t longer[PING_LEN + 1] = {0};
    memcpy(longer, first_ping().data, PING_LEN);
    feed_three_ways(&fed, view_of(longer, sizeof longer), "rtt 42\nPROTOCOL\n");
}

static void test_unasked_answer(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct ping p;
    struct protocol_event ev;
    ping_init(&p, DIALER, &mem, &PEERLET_LIMITS, NULL, 2000);
    struct span in = test_copy(first_ping());
    assert_code(PING_OPS.feed(&p, &in, &ev, 0), ERR_PROTOCOL);
    PING_OPS.free(&p);
}

/* The streams that js-libp2p recorded, played to our listener: what it echoes is what js got. */
static void test_recorded(void **state)
{
    (void)state;
    size_t played = 0;
    EACH_ROW(i, STREAM_VECTORS) {
        if (strcmp(STREAM_VECTORS[i].protocol, PING_OPS.name) != 0)
            continue;
        bool dialed = strcmp(STREAM_VECTORS[i].dir, "outbound") == 0;
        struct mem mem = {0};
        struct ping p;
        struct protocol_event ev;
        struct buf out;
        ping_init(&p, LISTENER, &mem, &PEERLET_LIMITS, NULL, 0);
        buf_init(&out, &mem, 1024);
        struct span in = test_copy(hex(dialed ? STREAM_VECTORS[i].tx : STREAM_VECTORS[i].rx));
        assert_ok(PING_OPS.feed(&p, &in, &ev, 0));
        assert_int_equal(in.len, 0);
        assert_code(PING_OPS.drain(&p, &out), PROTOCOL_OPEN);
        assert_view_hex(buf_view(&out), dialed ? STREAM_VECTORS[i].rx : STREAM_VECTORS[i].tx);
        assert_ok(PING_OPS.end(&p, &ev, 0));
        assert_code(PING_OPS.drain(&p, &out), PROTOCOL_DONE);
        buf_free(&out);
        PING_OPS.free(&p);
        assert_mem_empty(&mem);
        played++;
    }
    assert_int_equal(played, 3);
}

static void count_rtt(struct side *side, const struct protocol_event *ev)
{
    assert_int_equal(ev->type, PING_RTT);
    ++*(unsigned *)side->context;
}

/* Ten pings on one stream, then an end by the dialer, in pieces of any size. */
static void test_pair(void **state)
{
    (void)state;
    static const size_t steps[] = {0, 1, 7, 32};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct mem mem = {0};
        struct ping dialer, listener;
        unsigned answers = 0;
        struct rng rng = test_rng(&seed);
        ping_init(&dialer, DIALER, &mem, &PEERLET_LIMITS, &rng, 2000);
        ping_init(&listener, LISTENER, &mem, &PEERLET_LIMITS, NULL, 0);
        struct pair p = {{&PING_OPS, &dialer, .told = count_rtt, .context = &answers},
                         {&PING_OPS, &listener, .told = NULL},
                         steps[i]};
        for (unsigned n = 1; n <= 10; n++) {
            assert_ok(ping_send(&dialer, n));
            assert_code(ping_send(&dialer, n), ERR_FULL);
            pair_run(&p, n);
            assert_int_equal(answers, n);
        }
        ping_close(&dialer);
        assert_code(ping_send(&dialer, 11), ERR_CLOSED);
        pair_run(&p, 11);
        assert_true(p.dialer.closed && p.listener.closed);
        pair_free(&p);
        assert_mem_empty(&mem);
    }
}

static void test_closing_waits_for_the_answer(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct ping p;
    struct buf out;
    struct protocol_event ev;
    begin_dialer(&p, &mem);
    buf_init(&out, &mem, 64);
    ping_close(&p);
    assert_code(PING_OPS.drain(&p, &out), PROTOCOL_OPEN);
    struct span in = test_copy(first_ping());
    assert_code(PING_OPS.feed(&p, &in, &ev, 1001), 1);
    assert_code(PING_OPS.drain(&p, &out), PROTOCOL_DONE);
    buf_free(&out);
    PING_OPS.free(&p);
}

static void test_silence(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct ping p;
    begin_dialer(&p, &mem);
    assert_int_equal(PING_OPS.deadline(&p), 3000);
    assert_ok(PING_OPS.tick(&p, 2999));
    assert_code(PING_OPS.tick(&p, 3000), ERR_TIMEOUT);
    PING_OPS.free(&p);

    ping_init(&p, LISTENER, &mem, &PEERLET_LIMITS, NULL, 0);
    assert_true(PING_OPS.deadline(&p) == NEVER);
    assert_ok(PING_OPS.tick(&p, UINT64_MAX - 1));
    PING_OPS.free(&p);
}

static void test_peer_leaves_before_answering(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct ping p;
    struct protocol_event ev;
    begin_dialer(&p, &mem);
    assert_code(PING_OPS.end(&p, &ev, 1001), ERR_PROTOCOL);
    PING_OPS.free(&p);
}

/* A peer that writes without reading is held to limits->ping_owed, whatever the pieces. */
static void test_flood(void **state)
{
    (void)state;
    static uint8_t flood[1 << 12];
    struct mem mem = {0};
    struct ping p;
    struct protocol_event ev;
    ping_init(&p, LISTENER, &mem, &PEERLET_LIMITS, NULL, 0);
    size_t fed = 0;
    int rc = 0;
    while (rc == 0 && fed < sizeof flood) {
        struct span in = span_of(flood + fed, 100);
        rc = PING_OPS.feed(&p, &in, &ev, 0);
        fed += rc == 0 ? 100 : 0;
    }
    assert_code(rc, ERR_FULL);
    assert_int_equal(fed, PEERLET_LIMITS.ping_owed / 100 * 100);
    assert_true(mem.peak <= 2 * PEERLET_LIMITS.ping_owed);
    PING_OPS.free(&p);
    assert_mem_empty(&mem);
}

static void one_ping(struct mem *mem, void *context)
{
    (void)context;
    struct rng rng = test_rng(&seed);
    struct ping dialer, listener;
    ping_init(&dialer, DIALER, mem, &PEERLET_LIMITS, &rng, 2000);
    ping_init(&listener, LISTENER, mem, &PEERLET_LIMITS, NULL, 0);
    struct pair p = {.dialer = {&PING_OPS, &dialer, .told = NULL},
                     .listener = {&PING_OPS, &listener, .told = NULL}};
    if (ping_send(&dialer, 0) == 0)
        pair_run(&p, 1);
    pair_free(&p);
}

static void test_allocations(void **state)
{
    (void)state;
    assert_true(fail_each_allocation(one_ping, NULL) >= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answer),         cmocka_unit_test(test_wrong_answers),
        cmocka_unit_test(test_unasked_answer), cmocka_unit_test(test_recorded),
        cmocka_unit_test(test_pair),           cmocka_unit_test(test_closing_waits_for_the_answer),
        cmocka_unit_test(test_silence),        cmocka_unit_test(test_peer_leaves_before_answering),
        cmocka_unit_test(test_flood),          cmocka_unit_test(test_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

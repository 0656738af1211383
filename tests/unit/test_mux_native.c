/* A server of WebRTC Direct whose key only the browser can check: what it says while that takes its time. */
#include "test.h"

#include "crypto/crypto.h"
#include "native_party.h"
#include "net/conn.h"
#include "vectors_crypto.h"

struct meeting {
    struct mem mem;
    uint64_t seed;
    struct rng rng;
    struct identity ours, theirs;
    uint32_t last_stream;
    struct conn_totals totals;
    struct conn *c;
    struct native_party party;
    struct buf out;
};

/* What the server says on the first channel. */
static int say(struct meeting *m, struct view bytes, struct conn_event *ev)
{
    struct span in = test_copy(bytes);
    assert_true(conn_feed_channel(m->c, m->c->first_channel));
    return conn_feed(m->c, &in, ev, 0);
}

/* Up to where the browser is asked. */
static void begin(struct meeting *m)
{
    struct view spki = hex(ECDSA_VECTORS[0].spki);
    uint8_t key[256] = {8, KEY_ECDSA, 18, (uint8_t)spki.len};
    memcpy(key + 4, spki.data, spki.len);

    *m = (struct meeting){.seed = 1};
    m->rng = test_rng(&m->seed);
    identity_generate(&m->rng, &m->ours);
    identity_generate(&m->rng, &m->theirs);
    buf_init(&m->out, &m->mem, 4096);
    m->c = conn_new(&(struct conn_config){.id = 1,
                                          .role = DIALER,
                                          .kind = LINK_DIRECT,
                                          .mem = &m->mem,
                                          .rng = &m->rng,
                                          .limits = &PEERLET_LIMITS,
                                          .identity = &m->ours,
                                          .last_stream = &m->last_stream,
                                          .totals = &m->totals},
                    0);
    assert_non_null(m->c);
    assert_ok(conn_add_first_channel(m->c));
    assert_ok(conn_secure(m->c, LISTENER, (struct view){0}));
    assert_true(conn_channel_opened(m->c, m->c->first_channel, 1 << 16));
    native_party_init(&m->party, LINK_DIRECT, &m->theirs, (struct view){0}, &m->mem);
    m->party.key = view_of(key, 4 + spki.len);
    native_party_begin(&m->party, (struct view){0}, &m->rng, &m->out);

    struct conn_event ev;
    struct conn_output o;
    assert_ok(say(m, buf_view(&m->out), &ev));
    buf_take(&m->out, m->out.len);
    while (conn_drain(m->c, &o, 0) == 1)
        if (o.type == CONN_SEND) {
            assert_code(native_party_feed(&m->party, test_copy(o.data), &m->out), 1);
            conn_sent(m->c);
        }
    assert_code(say(m, buf_view(&m->out), &ev), 1);
    assert_int_equal(ev.type, CONN_VERIFY);
}

static void end(struct meeting *m)
{
    conn_free(m->c);
    native_party_free(&m->party);
    buf_free(&m->out);
    assert_int_equal(m->mem.used, 0);
}

static void test_what_is_said_meanwhile(void **state)
{
    static const struct {
        const char *name, *frame;
        int code;
    } CASES[] = {
        {"nothing", "", 0},
        {"bytes", "03 12 01 41", 0},
        {"an end", "02 08 00", 0},
        {"a reset", "02 08 02", ERR_CLOSED},
        {"a reset behind bytes", "03 12 01 41 02 08 02", ERR_CLOSED},
        {"no frame", "02 ff ff", ERR_PROTOCOL},
    };
    (void)state;
    EACH_ROW(i, CASES) {
        struct meeting m;
        struct conn_event ev;
        struct span held;
        begin(&m);
        assert_code(say(&m, hex(CASES[i].frame), &ev), CASES[i].code);
        if (CASES[i].code == 0) {
            assert_ok(conn_verified(m.c, true, &held));
            assert_true(conn_feed_channel(m.c, m.c->first_channel));
            assert_code(conn_feed(m.c, &held, &ev, 0), 1);
            assert_int_equal(ev.type, CONN_OPENED);
            assert_true(conn_is_ready(m.c));
        }
        end(&m);
    }
}

static void test_the_channel_closes_meanwhile(void **state)
{
    struct meeting m;
    struct conn_output o;
    (void)state;
    begin(&m);
    assert_true(conn_channel_closed(m.c, m.c->first_channel));
    assert_code(conn_drain(m.c, &o, 0), ERR_CLOSED);
    end(&m);
}

/* A stream that cannot even propose its protocol leaves no channel behind. */
static void test_what_cannot_be_proposed(void **state)
{
    struct meeting m = {.seed = 1};
    struct conn_output o;
    char name[300] = "/";
    int error;
    (void)state;
    memset(name + 1, 'a', sizeof name - 1);
    m.rng = test_rng(&m.seed);
    m.c = conn_new(&(struct conn_config){.id = 1,
                                         .kind = LINK_RTC,
                                         .mem = &m.mem,
                                         .rng = &m.rng,
                                         .limits = &PEERLET_LIMITS,
                                         .identity = &m.ours,
                                         .last_stream = &m.last_stream,
                                         .totals = &m.totals},
                   0);
    assert_non_null(m.c);
    conn_ready_native(m.c, 0);
    assert_null(conn_open_stream(m.c, view_of((const uint8_t *)name, sizeof name), &error, 0));
    assert_code(error, ERR_BAD_ARGUMENT);
    assert_true(list_is_empty(&m.c->channels));
    assert_code(conn_drain(m.c, &o, 0), 0);
    conn_free(m.c);
    assert_int_equal(m.mem.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_said_meanwhile),
        cmocka_unit_test(test_the_channel_closes_meanwhile),
        cmocka_unit_test(test_what_cannot_be_proposed),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* One node among attackers that got past the handshake: what each does to it, and what is left. */
#include "test.h"

#include "attackers.h"
#include "framed.h"

#undef fail /* the node has one too */
#include "base/cursor.h"
#include "node/node.h"

/* ---- what the node was seen to do ------------------------------------------------------------ */

struct watch {
    uint32_t sends, closes; /* of links */
    uint32_t sent_at_close; /* sends when the last link was closed */
    uint32_t conns_closed;
    int code; /* of the last connection that closed */
};

static void see(struct attackers *w, const struct peerlet_output *out)
{
    struct watch *saw = w->context;
    switch ((int)out->type) {
    case PEERLET_SEND:
        saw->sends++;
        break;
    case PEERLET_CLOSE_LINK:
        saw->closes++;
        saw->sent_at_close = saw->sends;
        break;
    case PEERLET_CONN_CLOSED:
        saw->conns_closed++;
        saw->code = out->code;
        break;
    default:
        break;
    }
}

/* A node that keeps attacker 0, and is connected to it. */
static void begin(struct attackers *w, struct watch *saw)
{
    *saw = (struct watch){0};
    attackers_init(w, &PEERLET_LIMITS);
    w->told = see;
    w->context = saw;
    attackers_bootstrap(w, 0);
    attackers_begin(w);
    assert_non_null(w->at[0].conn);
    assert_true(conn_is_ready(w->at[0].conn));
    *saw = (struct watch){0};
}

static void frames(struct attackers *w, struct view bytes)
{
    assert_true(attackers_frames(w, 0, bytes));
    attackers_settle(w);
}

/* ---- GOAWAY leaves before the link closes ------------------------------------------------------ */

#define GOAWAY_1 "000300000000000000000001"
/* Streams of attacker 0, who listens: even ones. */
#define SYN_2 "000100010000000200000000"

static const struct {
    const char *name;
    const char *frames;
} BROKEN[] = {
    {"credit past 2^32 when opening", "0001000100000002 ffffffff"},
    {"credit past 2^32 on an open stream", SYN_2 "0001000000000002 ffffffff"},
    {"a body over the window when opening", "0000000100000002 00040001"},
    {"a body of 2^32 - 1 when opening", "0000000100000002 ffffffff"},
    {"a body over the window", SYN_2 "0000000000000002 00040001"},
    {"a body nobody can have credit for", "0000000000000066 00400001"},
    {"the node's own parity", "000100010000000300000000"},
    {"opened twice", SYN_2 SYN_2},
    {"bytes on the session", "000000000000000000000001"},
    {"a ping on a stream", "000200010000000200000000"},
    {"goaway on a stream", "000300000000000200000000"},
    {"another version", "010100010000000200000000"},
    {"another type", "000400000000000200000000"},
};

static void test_goaway_leaves_first(void **state)
{
    (void)state;
    EACH_ROW(i, BROKEN) {
        struct attackers w;
        struct watch saw;
        begin(&w, &saw);
        w.at[0].is_deaf = true;
        frames(&w, hex(BROKEN[i].frames));
        assert_int_equal(saw.closes, 1);
        assert_true(saw.sent_at_close > 0);
        assert_int_equal(saw.conns_closed, 1);
        assert_code(saw.code, ERR_PROTOCOL);
        struct view words = buf_view(&w.words);
        assert_true(words.len >= 12);
        assert_view_hex(view_of(words.data + words.len - 12, 12), GOAWAY_1);
        attackers_end(&w);
    }
}

/* ---- pubsub's stream is lost again and again --------------------------------------------------- */

#define RPC "/meshsub/1.2.0"

/* Identify: protocols = [RPC]. */
#define SPEAKS_RPC "{1a{2f6d6573687375622f312e322e30}}"

struct flaky {
    uint32_t opened;
    uint64_t at[16]; /* and when */
    bool is_well;
};

static void answer_identify(struct stream *s, const char *message)
{
    assert_ok(stream_accept(s, view_of_text("/ipfs/id/1.0.0")));
    attackers_say(s, framed(message));
    stream_close_write(s);
}

/* Takes the stream, and resets it at once while it is not well. */
static void be_flaky(struct attackers *w, struct attacker *a, const struct conn_event *ev)
{
    struct flaky *flaky = w->context;
    (void)a;
    if (ev->type != CONN_STREAM_PROPOSED)
        return;
    if (view_equals_text(ev->protocol, "/ipfs/id/1.0.0"))
        answer_identify(ev->stream, SPEAKS_RPC);
    if (!view_equals_text(ev->protocol, RPC))
        return;
    assert_in_range(flaky->opened, 0, ARRAY_LEN(flaky->at) - 1);
    flaky->at[flaky->opened++] = w->now;
    if (!flaky->is_well)
        stream_reset(ev->stream, ERR_RESET);
}

static void test_pubsub_is_never_given_up(void **state)
{
    (void)state;
    static const uint32_t PAUSES_S[] = {1, 4, 16, 64, 64, 64, 64};
    struct attackers w;
    struct flaky flaky = {0};
    attackers_init(&w, &PEERLET_LIMITS);
    w.heard = be_flaky;
    w.context = &flaky;
    attackers_bootstrap(&w, 0);
    attackers_begin(&w);
    for (size_t i = 0; i < ARRAY_LEN(PAUSES_S); i++) {
        assert_int_equal(flaky.opened, i + 1);
        attackers_pass(&w, PAUSES_S[i] * 1000);
        assert_int_equal(flaky.opened, i + 2);
        assert_int_equal(flaky.at[i + 1] - flaky.at[i], PAUSES_S[i] * 1000);
    }
    flaky.is_well = true;
    attackers_pass(&w, 300000);
    uint32_t opened = flaky.opened;
    struct stream *s = NULL;
    LIST_EACH(node, &w.at[0].conn->streams) {
        s = LIST_OWNER(node, struct stream, in_conn);
        if (view_equals_text(stream_protocol(s), RPC))
            break;
    }
    assert_non_null(s);
    stream_reset(s, ERR_RESET);
    attackers_settle(&w);
    attackers_pass(&w, 2000);
    assert_int_equal(flaky.opened, opened + 1);
    attackers_end(&w);
}

/* ---- floods of streams ------------------------------------------------------------------------- */

/* A frame of 12 bytes. */
static void put_frame(struct writer *w, uint32_t type, uint32_t flags, uint32_t id, uint32_t len)
{
    put_u8(w, 0);
    put_u8(w, (uint8_t)type);
    put_u8(w, (uint8_t)(flags >> 8));
    put_u8(w, (uint8_t)flags);
    put_u32be(w, id);
    put_u32be(w, len);
}

enum { DATA = 0, WINDOW = 1, SYN = 1, RST = 8 };

/* Opens streams that say nothing, `count` of them from `id` on; false when the node hung up. */
static bool open_streams(struct attackers *w, size_t n, uint32_t id, uint32_t count, uint32_t flags)
{
    uint8_t bytes[12 * 1024];
    while (count > 0) {
        struct writer f = writer_of(bytes, sizeof bytes);
        uint32_t step = MIN(count, 1024u);
        for (uint32_t i = 0; i < step; i++, id += 2)
            put_frame(&f, WINDOW, flags, id, 0);
        if (!attackers_frames(w, n, writer_view(&f)))
            return false;
        attackers_exchange(w, &w->at[n]);
        count -= step;
    }
    return w->at[n].conn != NULL;
}

static size_t memory_of(const struct attackers *w)
{
    return peerlet_memory(w->p)->used;
}

/* An echo by the ping protocol, on a stream of its own. */
static const char *const ECHO = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

static void count_echo(struct attackers *w, struct attacker *a, const struct conn_event *ev)
{
    (void)a;
    uint32_t *echoed = w->context;
    if (ev->type == CONN_STREAM_DATA &&
        view_equals_text(stream_protocol(ev->stream), "/ipfs/ping/1.0.0"))
        *echoed += (uint32_t)ev->data.len;
}

static void test_a_million_streams(void **state)
{
    (void)state;
    struct attackers w;
    struct watch saw;
    uint32_t echoed = 0;
    begin(&w, &saw);
    w.told = NULL;
    w.heard = count_echo;
    w.context = &echoed;
    struct stream *echo = attackers_open(&w, 0, "/ipfs/ping/1.0.0", hex(ECHO));
    attackers_settle(&w);
    assert_int_equal(echoed, 32);

    size_t before = memory_of(&w);
    assert_true(open_streams(&w, 0, 100, 1000000, SYN));
    assert_true(memory_of(&w) - before < 2u << 20);
    assert_in_range(w.p->totals.streams[LISTENER], 1, w.limits->streams_inbound);
    attackers_pass(&w, w.limits->negotiate_ms);
    assert_int_equal(w.p->totals.streams[LISTENER], 1);
    assert_true(memory_of(&w) - before < 16u << 10);

    attackers_say(echo, hex(ECHO));
    attackers_settle(&w);
    assert_int_equal(echoed, 64);
    attackers_end(&w);
}

static void test_streams_that_come_and_go(void **state)
{
    (void)state;
    struct attackers w;
    struct watch saw;
    begin(&w, &saw);
    w.at[0].is_deaf = true;
    uint32_t id = 100, second = 0;
    bool is_up = true;
    for (; is_up && second < 10; second++) {
        for (uint32_t i = 0; is_up && i < 100000; i += 64, id += 2 * 64)
            is_up = open_streams(&w, 0, id, 64, SYN) && open_streams(&w, 0, id, 64, RST);
        w.now += 1000;
    }
    assert_false(is_up);
    assert_int_equal(second, 1);
    assert_in_range(id, 2 * w.limits->yamux_churn_per_s, 4 * 1024);
    assert_code(saw.code, ERR_PROTOCOL);
    struct view words = buf_view(&w.words);
    assert_view_hex(view_of(words.data + words.len - 12, 12), GOAWAY_1);
    attackers_end(&w);
}

/* Four peers together get no more than the node has; its own streams are not taken from theirs. */
static void test_streams_of_all_peers(void **state)
{
    (void)state;
    struct attackers w;
    attackers_init(&w, &PEERLET_LIMITS);
    for (size_t n = 0; n < ATTACKERS; n++)
        attackers_bootstrap(&w, n);
    attackers_begin(&w);
    struct peerlet_limits fewer = PEERLET_LIMITS;
    fewer.streams_node = 600;
    w.p->limits = fewer;
    for (size_t n = 0; n < ATTACKERS; n++) {
        w.at[n].is_deaf = true;
        assert_true(open_streams(&w, n, 100, 256, SYN));
        assert_int_equal(w.p->totals.streams[LISTENER], MIN(256 * (n + 1), 600));
    }
    uint32_t stream, conn = w.at[3].link;
    assert_ok(peerlet_stream_open(w.p, conn, view_of_text("/app/1.0.0"), 0, &stream, w.now));
    attackers_end(&w);
}

/* ---- windows without a reader ------------------------------------------------------------------ */

static void test_many_streams_without_a_reader(void **state)
{
    (void)state;
    enum { STREAMS = 200, INITIAL = 16 << 10 };
    struct peerlet_limits limits = PEERLET_LIMITS;
    limits.window_initial = INITIAL;
    limits.streams_protocol_in = STREAMS;
    struct attackers w;
    attackers_init(&w, &limits);
    attackers_bootstrap(&w, 0);
    attackers_begin(&w);
    size_t before = memory_of(&w);
    struct stream *s[STREAMS];
    static uint8_t bytes[2 * INITIAL];
    for (size_t i = 0; i < STREAMS; i++) {
        s[i] = attackers_open(&w, 0, "/app/1.0.0", view_of(bytes, sizeof bytes));
        assert_non_null(s[i]);
        attackers_settle(&w);
    }
    for (size_t i = 0; i < STREAMS; i++) {
        assert_int_equal(s[i]->state, STREAM_OPEN);
        assert_true(s[i]->out.len > INITIAL - 100); /* and the rest waits there */
        assert_in_range(yamux_credit(s[i]->in_mux.yamux), 0, 100);
    }
    assert_int_equal(w.p->totals.windows, 0);
    assert_true(memory_of(&w) - before < 512u << 10);
    attackers_end(&w);
    assert_int_equal(w.totals[0].windows, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goaway_leaves_first),
        cmocka_unit_test(test_pubsub_is_never_given_up),
        cmocka_unit_test(test_a_million_streams),
        cmocka_unit_test(test_streams_that_come_and_go),
        cmocka_unit_test(test_streams_of_all_peers),
        cmocka_unit_test(test_many_streams_without_a_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

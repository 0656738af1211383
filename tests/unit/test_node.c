/* One node among attackers that got past the handshake: what each does to it, and what is left. */
#include "test.h"

#include "attackers.h"
#include "framed.h"

#include "base/cursor.h"

/* ---- what the node was seen to do ------------------------------------------------------------- */

struct seen {
    uint32_t sends, closes; /* of links */
    uint32_t sent_at_close; /* sends when the last link was closed */
    uint32_t conns_closed;
    int code; /* of the last connection that closed */
};

static void see(struct attackers *w, const struct peerlet_output *out)
{
    struct seen *seen = w->context;
    switch ((int)out->type) {
    case PEERLET_SEND:
        seen->sends++;
        break;
    case PEERLET_CLOSE_LINK:
        seen->closes++;
        seen->sent_at_close = seen->sends;
        break;
    case PEERLET_CONN_CLOSED:
        seen->conns_closed++;
        seen->code = out->code;
        break;
    default:
        break;
    }
}

/* A node that keeps attacker 0, and is connected to it. */
static void begin(struct attackers *w, struct seen *seen)
{
    *seen = (struct seen){0};
    attackers_init(w, &PEERLET_LIMITS);
    w->told = see;
    w->context = seen;
    attackers_bootstrap(w, 0);
    attackers_begin(w);
    assert_non_null(w->at[0].conn);
    assert_true(conn_is_ready(w->at[0].conn));
    *seen = (struct seen){0};
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
        struct seen seen;
        begin(&w, &seen);
        w.at[0].is_deaf = true;
        frames(&w, hex(BROKEN[i].frames));
        assert_int_equal(seen.closes, 1);
        assert_true(seen.sent_at_close > 0);
        assert_int_equal(seen.conns_closed, 1);
        assert_code(seen.code, ERR_PROTOCOL);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goaway_leaves_first),
        cmocka_unit_test(test_pubsub_is_never_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

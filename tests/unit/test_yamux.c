#include "test.h"

#include "base/role.h"
#include "vectors_wire.h"
#include "wire/yamux.h"

#define WINDOW (256u << 10)

/* Frames as hex, for the tables. */
#define SYN_1 "000100010000000100000000 "
#define SYN_2 "000100010000000200000000 "
#define ACK_1 "000100020000000100000000 "
#define ACK_2 "000100020000000200000000 "
#define FIN_1 "000100040000000100000000 "
#define FIN_2 "000100040000000200000000 "
#define RST_1 "000100080000000100000000 "
#define RST_2 "000100080000000200000000 "
#define DATA_1 "0000000000000001 "
#define DATA_2 "0000000000000002 "
#define CREDIT_1 "0001000000000001 "
#define PING "000200010000000000000000 "
#define PONG "000200020000000000000000 "
#define GOAWAY_0 "000300000000000000000000 "
#define GOAWAY_1 "000300000000000000000001 "

/* ---- one machine --------------------------------------------------------------------------- */

struct machine {
    struct mem mem;
    struct peerlet_limits limits;
    enum role role;
    struct yamux yamux;
    uint32_t data_id; /* the stream whose bytes the transcript ends with, or 0 */
    const char *owed; /* frames that must have been drained at the end */
    uint64_t now;
};

static struct machine machine_of(enum role role)
{
    return (struct machine){.limits = PEERLET_LIMITS, .role = role, .now = 1000};
}

/* All that is owed; valid during the test. */
static struct view drained(struct machine *m)
{
    static uint8_t bytes[16384];
    struct writer w = writer_of(bytes, sizeof bytes);
    assert_ok(yamux_drain(&m->yamux, &w, m->now));
    return view_of_span(test_copy(writer_view(&w)));
}

static void begin(void *context)
{
    struct machine *m = context;
    m->data_id = 0;
    yamux_init(&m->yamux, m->role, &m->mem, &m->limits, m->now);
    assert_view_hex(drained(m), PING);
}

static void end(void *context)
{
    struct machine *m = context;
    if (m->owed != NULL)
        assert_view_hex(drained(m), m->owed);
    yamux_free(&m->yamux);
    assert_mem_empty(&m->mem);
}

static void tell(struct machine *m, const struct yamux_event *ev, struct transcript *t)
{
    uint32_t id = ev->stream ? ev->stream->id : 0;
    if (ev->type != YAMUX_DATA && m->data_id != 0)
        transcript_add(t, "\n");
    switch (ev->type) {
    case YAMUX_OPENED:
        transcript_add(t, "opened %u\n", (unsigned)id);
        break;
    case YAMUX_DATA:
        if (m->data_id != 0 && m->data_id != id)
            transcript_add(t, "\n");
        if (m->data_id != id)
            transcript_add(t, "data %u ", (unsigned)id);
        transcript_add_hex(t, view_of_span(ev->data));
        break;
    case YAMUX_FIN:
        transcript_add(t, "fin %u\n", (unsigned)id);
        break;
    case YAMUX_RESET:
        transcript_add(t, "reset %u by %x\n", (unsigned)id, (unsigned)ev->code);
        yamux_release(&m->yamux, ev->stream);
        break;
    case YAMUX_ROOM:
        transcript_add(t, "room %u\n", (unsigned)id);
        break;
    case YAMUX_PONG:
        transcript_add(t, "pong %u ms\n", (unsigned)ev->rtt_ms);
        break;
    case YAMUX_GOAWAY:
        transcript_add(t, "goaway %u\n", (unsigned)ev->code);
        break;
    }
    m->data_id = ev->type == YAMUX_DATA ? id : 0;
}

static int feed(void *context, struct span *in, struct transcript *t)
{
    struct machine *m = context;
    struct yamux_event ev;
    int rc = yamux_feed(&m->yamux, in, &ev, m->now);
    if (rc == 1)
        tell(m, &ev, t);
    if (rc < 0 && m->data_id != 0)
        transcript_add(t, "\n");
    return rc;
}

static const struct {
    const char *name;
    enum role role;
    const char *input, *events, *owed;
} CASES[] = {
    {"nothing", LISTENER, "", "", ""},
    {"opened as js and go do", LISTENER, SYN_1, "opened 1\n", ACK_1},
    {"opened as rust does", LISTENER, "000000010000000100000002 6869", "opened 1\ndata 1 6869",
     ACK_1},
    {"opened by a listener", DIALER, SYN_2, "opened 2\n", ACK_2},
    {"opened and closed", LISTENER, "000100050000000100000000", "opened 1\nfin 1\n", ACK_1},
    {"opened with bytes and closed", LISTENER, "000000050000000100000001 61",
     "opened 1\ndata 1 61\nfin 1\n", ACK_1},
    {"opened and reset", LISTENER, "000100090000000100001001", "opened 1\nreset 1 by 1001\n", ""},
    {"bytes", LISTENER, SYN_1 DATA_1 "00000005 68656c6c6f" DATA_1 "00000001 21",
     "opened 1\ndata 1 68656c6c6f21", ACK_1},
    {"bytes on two streams", LISTENER,
     SYN_1 "000100010000000300000000" DATA_1 "00000001 61 0000000000000003 00000001 62",
     "opened 1\nopened 3\ndata 1 61\ndata 3 62", ACK_1 "000100020000000300000000"},
    {"no bytes", LISTENER, SYN_1 DATA_1 "00000000", "opened 1\n", ACK_1},
    {"FIN as js and go do", LISTENER, SYN_1 FIN_1, "opened 1\nfin 1\n", ACK_1},
    {"FIN as rust does", LISTENER, SYN_1 "000000040000000100000000", "opened 1\nfin 1\n", ACK_1},
    {"FIN behind bytes", LISTENER, SYN_1 "000000040000000100000001 61",
     "opened 1\ndata 1 61\nfin 1\n", ACK_1},
    {"FIN twice", LISTENER, SYN_1 FIN_1 FIN_1, "opened 1\nfin 1\n", ACK_1},
    {"bytes behind FIN", LISTENER, SYN_1 FIN_1 DATA_1 "00000001 61", "opened 1\nfin 1\n", ACK_1},
    {"reset as go does", LISTENER, SYN_1 "000100080000000100001003", "opened 1\nreset 1 by 1003\n",
     ""},
    {"reset as rust does", LISTENER, SYN_1 "000000080000000100000000", "opened 1\nreset 1 by 0\n",
     ""},
    {"reset behind bytes", LISTENER, SYN_1 "000000080000000100000001 61",
     "opened 1\ndata 1 61\nreset 1 by 0\n", ""},
    {"bytes for a stream that is gone", LISTENER, SYN_1 RST_1 DATA_1 "00000003 616263" PING,
     "opened 1\nreset 1 by 0\n", PONG},
    {"frames for a stream that never was", LISTENER,
     "0000000000000007 00000001 61 000100040000000700000000 000100080000000700000000"
     "0001000000000007 ffffffff" PING,
     "", PONG},
    {"credit", LISTENER, SYN_1 CREDIT_1 "7ffc0000", "opened 1\n", ACK_1},
    {"credit past 2^31", LISTENER, SYN_1 CREDIT_1 "7ffc0001", "opened 1\nPROTOCOL\n",
     ACK_1 GOAWAY_1},
    {"credit past 2^32", LISTENER, SYN_1 CREDIT_1 "ffffffff", "opened 1\nPROTOCOL\n",
     ACK_1 GOAWAY_1},
    {"credit past 2^32 when opening", LISTENER, "0001000100000001 ffffffff", "PROTOCOL\n",
     ACK_1 GOAWAY_1},
    {"ping", LISTENER, "000200010000000000c0ffee", "", "000200020000000000c0ffee"},
    {"pong", LISTENER, PONG, "pong 0 ms\n", ""},
    {"two pongs for one ping", LISTENER, PONG PONG, "pong 0 ms\n", ""},
    {"a pong of another value", LISTENER, "000200020000000000000001", "", ""},
    {"a ping that is neither", LISTENER, "000200000000000000000000", "", ""},
    {"goaway", LISTENER, GOAWAY_0, "goaway 0\n", ""},
    {"goaway with go's codes", LISTENER, "000300000000000000001002", "goaway 4098\n", ""},
    {"streams go on behind goaway", LISTENER, SYN_1 GOAWAY_0 DATA_1 "00000001 61",
     "opened 1\ngoaway 0\ndata 1 61", ACK_1},

    {"our own parity", LISTENER, SYN_2, "PROTOCOL\n", GOAWAY_1},
    {"our own parity, the other way", DIALER, SYN_1, "PROTOCOL\n", GOAWAY_1},
    {"opened twice", LISTENER, SYN_1 SYN_1, "opened 1\nPROTOCOL\n", ACK_1 GOAWAY_1},
    {"SYN on the session", LISTENER, "000100010000000000000000", "PROTOCOL\n", GOAWAY_1},
    {"bytes on the session", LISTENER, "000000000000000000000001", "PROTOCOL\n", GOAWAY_1},
    {"credit on the session", LISTENER, "000100000000000000000001", "PROTOCOL\n", GOAWAY_1},
    {"ping on a stream", LISTENER, "000200010000000100000000", "PROTOCOL\n", GOAWAY_1},
    {"goaway on a stream", LISTENER, "000300000000000100000000", "PROTOCOL\n", GOAWAY_1},
    {"another version", LISTENER, "010100010000000100000000", "PROTOCOL\n", GOAWAY_1},
    {"another type", LISTENER, "000400000000000100000000", "PROTOCOL\n", GOAWAY_1},
    {"more than a window when opening", LISTENER, "000000010000000100040001", "PROTOCOL\n",
     GOAWAY_1},
    {"much more when opening", LISTENER, "0000000100000001ffffffff", "PROTOCOL\n", GOAWAY_1},
    {"a whole window when opening", LISTENER, "000000010000000100040000", "opened 1\n", ACK_1},
    {"more than a window", LISTENER, SYN_1 DATA_1 "00040001", "opened 1\nPROTOCOL\n",
     ACK_1 GOAWAY_1},
    {"a body nobody can have credit for", LISTENER, "0000000000000007 00400001", "PROTOCOL\n",
     GOAWAY_1},
};

static void test_cases(void **state)
{
    (void)state;
    EACH_ROW(i, CASES) {
        struct machine m = machine_of(CASES[i].role);
        const struct fed fed = {begin, feed, end, &m};
        m.owed = CASES[i].owed;
        feed_three_ways(&fed, hex(CASES[i].input), CASES[i].events);
    }
}

/* Feeds frames and returns the last code; events are not looked at. */
static int feed_hex(struct machine *m, const char *digits)
{
    static struct transcript t;
    t.len = 0;
    struct span in = test_copy(hex(digits));
    int rc;
    do
        rc = feed(m, &in, &t);
    while (rc > 0);
    return rc;
}

/* Feeds one frame that raises one event, and returns the stream. */
static struct yamux_stream *expect(struct machine *m, const char *digits,
                                   enum yamux_event_type type)
{
    struct yamux_event ev;
    struct span in = test_copy(hex(digits));
    assert_code(yamux_feed(&m->yamux, &in, &ev, m->now), 1);
    assert_int_equal(ev.type, type);
    return ev.stream;
}

static struct yamux_stream *open_acked(struct machine *m)
{
    int error;
    struct yamux_stream *s = yamux_open(&m->yamux, &error);
    assert_non_null(s);
    assert_view_hex(drained(m), SYN_1);
    assert_ok(feed_hex(m, ACK_1));
    return s;
}

/* ---- recorded sessions --------------------------------------------------------------------- */

struct session {
    struct machine machine;
    struct {
        uint8_t bytes[8192];
        size_t len;
    } streams[16]; /* by id */
};

static void session_feed(struct session *s, struct view bytes)
{
    struct span in = test_copy(bytes);
    struct yamux_event ev;
    int rc;
    while ((rc = yamux_feed(&s->machine.yamux, &in, &ev, 0)) == 1) {
        if (ev.type == YAMUX_RESET)
            yamux_release(&s->machine.yamux, ev.stream);
        if (ev.type != YAMUX_DATA)
            continue;
        uint32_t id = ev.stream->id;
        assert_true(s->streams[id].len + ev.data.len <= sizeof s->streams[id].bytes);
        memcpy(s->streams[id].bytes + s->streams[id].len, ev.data.data, ev.data.len);
        s->streams[id].len += ev.data.len;
        yamux_grant(&s->machine.yamux, ev.stream, ev.data.len, 0);
    }
    assert_ok(rc);
}

/* What js sent is not said again; but its streams are opened here too, in the same order. */
static void session_follow(struct session *s, struct view bytes)
{
    struct yamux_header h = yamux_header_parse(bytes.data);
    enum role opener = h.id % 2 ? DIALER : LISTENER;
    if (!(h.flags & YAMUX_FLAG_SYN) || h.id == 0 || opener != s->machine.role)
        return;
    int error;
    struct yamux_stream *opened = yamux_open(&s->machine.yamux, &error);
    assert_non_null(opened);
    assert_int_equal(opened->id, h.id);
}

static void test_sessions_of_js(void **state)
{
    (void)state;
    static struct session s;
    EACH_ROW(i, YAMUX_SESSIONS) {
        for (enum role role = DIALER; role <= LISTENER; role++) {
            s = (struct session){.machine = machine_of(role)};
            begin(&s.machine);
            for (const char *const *p = YAMUX_SESSIONS[i].pieces; *p != NULL; p++) {
                struct view bytes = hex(*p + 1);
                if (((*p)[0] == 'r') == (role == DIALER))
                    session_feed(&s, bytes);
                else
                    session_follow(&s, bytes);
            }
            for (size_t k = 0; YAMUX_SESSIONS[i].streams[k].id != 0; k++) {
                uint32_t id = YAMUX_SESSIONS[i].streams[k].id;
                struct view bytes = view_of(s.streams[id].bytes, s.streams[id].len);
                struct view expected = hex(role == DIALER ? YAMUX_SESSIONS[i].streams[k].received
                                                          : YAMUX_SESSIONS[i].streams[k].sent);
                /* The recording ends with a relayed frame that js had not passed on yet. */
                if (role == LISTENER && expected.len == bytes.len + 30)
                    expected.len = bytes.len;
                assert_view_equal(bytes, expected);
            }
            end(&s.machine);
            the_test()->arena_used = 0;
        }
    }
}

/* ---- opening ------------------------------------------------------------------------------- */

static void test_open(void **state)
{
    (void)state;
    for (enum role role = DIALER; role <= LISTENER; role++) {
        struct machine m = machine_of(role);
        int error;
        begin(&m);
        m.owed =
            role == DIALER ? SYN_1 "000100010000000300000000" : SYN_2 "000100010000000400000000";
        struct yamux_stream *first = yamux_open(&m.yamux, &error);
        struct yamux_stream *second = yamux_open(&m.yamux, &error);
        assert_int_equal(first->id, role == DIALER ? 1 : 2);
        assert_int_equal(second->id, first->id + 2);
        assert_int_equal(yamux_credit(first), WINDOW);
        end(&m);
    }
}

static void test_open_waits_for_answers(void **state)
{
    (void)state;
    struct machine m = machine_of(DIALER);
    int error;
    begin(&m);
    for (uint32_t i = 0; i < m.limits.streams_unacked; i++)
        assert_non_null(yamux_open(&m.yamux, &error));
    assert_null(yamux_open(&m.yamux, &error));
    assert_code(error, ERR_FULL);
    assert_ok(feed_hex(&m, ACK_1 ACK_1));
    assert_non_null(yamux_open(&m.yamux, &error));
    assert_null(yamux_open(&m.yamux, &error));
    /* RST is an answer too, and so is a stream that we give up ourselves. */
    assert_ok(feed_hex(&m, "000100080000000300000000"));
    struct yamux_stream *last = yamux_open(&m.yamux, &error);
    assert_non_null(last);
    yamux_release(&m.yamux, last);
    assert_non_null(yamux_open(&m.yamux, &error));
    end(&m);
}

static void test_open_ends(void **state)
{
    (void)state;
    int error;
    for (int way = 0; way < 3; way++) {
        struct machine m = machine_of(DIALER);
        begin(&m);
        if (way == 0)
            yamux_goaway(&m.yamux, YAMUX_NORMAL);
        else if (way == 1)
            assert_ok(feed_hex(&m, GOAWAY_0));
        else
            m.yamux.next_id = UINT32_MAX;
        assert_null(yamux_open(&m.yamux, &error));
        assert_code(error, ERR_CLOSED);
        end(&m);
    }
}

static void test_goaway(void **state)
{
    (void)state;
    struct machine m = machine_of(LISTENER);
    begin(&m);
    yamux_goaway(&m.yamux, YAMUX_NORMAL);
    assert_true(yamux_owes(&m.yamux));
    assert_view_hex(drained(&m), GOAWAY_0);
    /* It is said once; what the peer opens behind it is refused. */
    yamux_goaway(&m.yamux, YAMUX_PROTOCOL_ERROR);
    assert_ok(feed_hex(&m, SYN_1));
    m.owed = RST_1;
    end(&m);
}

/* ---- writing ------------------------------------------------------------------------------- */

static void test_write(void **state)
{
    (void)state;
    struct machine m = machine_of(DIALER);
    uint8_t bytes[100];
    struct writer w = writer_of(bytes, sizeof bytes);
    int error;
    begin(&m);
    struct yamux_stream *s = yamux_open(&m.yamux, &error);
    assert_int_equal(yamux_write(&m.yamux, s, view_of_text("hello"), &w), 5);
    assert_int_equal(yamux_write(&m.yamux, s, view_of_text("you"), &w), 3);
    assert_int_equal(yamux_write(&m.yamux, s, view_of(NULL, 0), &w), 0);
    yamux_close_write(&m.yamux, s);
    assert_int_equal(yamux_write(&m.yamux, s, view_of_text("late"), &w), 0);
    assert_view_hex(writer_view(&w),
                    "000000010000000100000005 68656c6c6f" DATA_1 "00000003 796f75");
    assert_int_equal(yamux_credit(s), WINDOW - 8);
    m.owed = FIN_1;
    end(&m);
}

/* The answer to SYN rides on the first bytes, too. */
static void test_write_to_an_inbound_stream(void **state)
{
    (void)state;
    struct machine m = machine_of(LISTENER);
    uint8_t bytes[100];
    struct writer w = writer_of(bytes, sizeof bytes);
    begin(&m);
    struct yamux_stream *s = expect(&m, SYN_1, YAMUX_OPENED);
    assert_int_equal(yamux_write(&m.yamux, s, view_of_text("a"), &w), 1);
    assert_view_hex(writer_view(&w), "000000020000000100000001 61");
    m.owed = "";
    end(&m);
}

static void test_reserve(void **state)
{
    (void)state;
    struct machine m = machine_of(DIALER);
    static uint8_t bytes[1 << 17];
    struct writer w = writer_of(bytes, sizeof bytes);
    size_t room;
    int error;
    begin(&m);
    struct yamux_stream *s = yamux_open(&m.yamux, &error);

    assert_ptr_equal(yamux_reserve(&m.yamux, s, &w, 10, &room), bytes + YAMUX_HEADER_LEN);
    assert_int_equal(room, 10);
    assert_non_null(yamux_reserve(&m.yamux, s, &w, SIZE_MAX, &room));
    assert_int_equal(room, m.limits.yamux_frame);
    w.room = YAMUX_HEADER_LEN + 7;
    assert_non_null(yamux_reserve(&m.yamux, s, &w, 10, &room));
    assert_int_equal(room, 7);
    w.room = YAMUX_HEADER_LEN;
    assert_null(yamux_reserve(&m.yamux, s, &w, 10, &room));
    assert_int_equal(room, 0);

    /* Nothing is said of what was reserved and not written. */
    yamux_commit(&m.yamux, s, &w, 0);
    assert_int_equal(w.len, 0);
    m.owed = SYN_1;
    end(&m);
}

static void test_credit(void **state)
{
    (void)state;
    struct machine m = machine_of(DIALER);
    static uint8_t bytes[2 * WINDOW], data[WINDOW + 1];
    struct writer w = writer_of(bytes, sizeof bytes);
    size_t room, sent = 0, taken;
    begin(&m);
    struct yamux_stream *s = open_acked(&m);
    while ((taken = yamux_write(&m.yamux, s, view_of(data, sizeof data - sent), &w)) > 0)
        sent += taken;
    assert_int_equal(sent, WINDOW);
    assert_null(yamux_reserve(&m.yamux, s, &w, 1, &room));

    assert_ok(feed_hex(&m, CREDIT_1 "00000000"));
    assert_ptr_equal(expect(&m, CREDIT_1 "00000005", YAMUX_ROOM), s);
    assert_ok(feed_hex(&m, CREDIT_1 "00000001"));
    assert_non_null(yamux_reserve(&m.yamux, s, &w, 10, &room));
    assert_int_equal(room, 6);
    /* Credit may come together with the end. */
    yamux_commit(&m.yamux, s, &w, 6);
    struct transcript t = {.len = 0};
    struct span in = test_copy(hex("0001000400000001 00000001"));
    while (feed(&m, &in, &t) == 1)
        continue;
    assert_string_equal(t.text, "room 1\nfin 1\n");
    /* Nobody is told who has let go, even while the last frame is still owed. */
    assert_int_equal(yamux_write(&m.yamux, s, view_of_text("a"), &w), 1);
    yamux_release(&m.yamux, s);
    in = test_copy(hex(CREDIT_1 "00000001"));
    assert_ok(feed(&m, &in, &t));
    end(&m);
}

static void test_drain_in_small_pieces(void **state)
{
    (void)state;
    struct machine m = machine_of(LISTENER);
    begin(&m);
    assert_ok(feed_hex(&m, SYN_1 "000100010000000300000000" PING));
    yamux_ping(&m.yamux, m.now);
    yamux_goaway(&m.yamux, YAMUX_NORMAL);
    static const char *const SAID[] = {
        "000200010000000000000001", PONG, ACK_1, "000100020000000300000000", GOAWAY_0,
    };
    /* The ping of the start is still under way. */
    for (size_t i = 1; i < ARRAY_LEN(SAID); i++) {
        uint8_t bytes[2 * YAMUX_HEADER_LEN - 1];
        struct writer none = writer_of(bytes, YAMUX_HEADER_LEN - 1);
        assert_int_equal(yamux_drain(&m.yamux, &none, m.now), 1);
        assert_int_equal(none.len, 0);
        struct writer w = writer_of(bytes, sizeof bytes);
        assert_int_equal(yamux_drain(&m.yamux, &w, m.now), i + 1 < ARRAY_LEN(SAID));
        assert_view_hex(writer_view(&w), SAID[i]);
    }
    assert_false(yamux_owes(&m.yamux));
    end(&m);
}

/* ---- reading ------------------------------------------------------------------------------- */

/* Feeds `len` bytes of data on stream 1. */
static void feed_data(struct machine *m, uint32_t len)
{
    static uint8_t zeros[65536];
    uint8_t header[YAMUX_HEADER_LEN];
    struct writer w = writer_of(header, sizeof header);
    yamux_header_put(&w, &(struct yamux_header){.type = YAMUX_TYPE_DATA, .id = 1, .len = len});
    struct span in = span_of(header, sizeof header);
    struct yamux_event ev;
    assert_ok(yamux_feed(&m->yamux, &in, &ev, m->now));
    while (len > 0) {
        in = span_of(zeros, MIN(len, (uint32_t)sizeof zeros));
        int rc = yamux_feed(&m->yamux, &in, &ev, m->now);
        assert_true(rc == 0 || (rc == 1 && ev.type == YAMUX_DATA));
        len -= (uint32_t)MIN(len, sizeof zeros);
    }
}

/* The credit granted back on stream 1, which is all that is owed. */
static uint32_t granted(struct machine *m)
{
    struct view frame = drained(m);
    if (frame.len == 0)
        return 0;
    assert_int_equal(frame.len, YAMUX_HEADER_LEN);
    struct yamux_header h = yamux_header_parse(frame.data);
    assert_int_equal(h.type, YAMUX_TYPE_WINDOW);
    assert_int_equal(h.flags, 0);
    assert_int_equal(h.id, 1);
    return h.len;
}

static struct yamux_stream *opened(struct machine *m)
{
    struct yamux_stream *s = expect(m, SYN_1, YAMUX_OPENED);
    assert_view_hex(drained(m), ACK_1);
    return s;
}

static void test_grant(void **state)
{
    (void)state;
    struct machine m = machine_of(LISTENER);
    begin(&m);
    struct yamux_stream *s = opened(&m);
    feed_data(&m, WINDOW);
    assert_int_equal(granted(&m), 0);
    yamux_grant(&m.yamux, s, WINDOW / 2 - 1, m.now);
    assert_int_equal(granted(&m), 0);
    yamux_grant(&m.yamux, s, 1, m.now);
    yamux_grant(&m.yamux, s, 100, m.now);
    assert_int_equal(granted(&m), WINDOW / 2 + 100);
    /* More than was received is not taken for credit. */
    yamux_grant(&m.yamux, s, SIZE_MAX, m.now);
    assert_int_equal(granted(&m), 0);
    feed_data(&m, WINDOW / 2 + 100);
    assert_code(feed_hex(&m, DATA_1 "00000001"), ERR_PROTOCOL);
    end(&m);
}

static void test_no_credit_for_the_closed(void **state)
{
    (void)state;
    struct machine m = machine_of(LISTENER);
    begin(&m);
    struct yamux_stream *s = opened(&m);
    feed_data(&m, WINDOW);
    yamux_grant(&m.yamux, s, WINDOW, m.now);
    assert_ok(feed_hex(&m, FIN_1));
    assert_int_equal(granted(&m), 0);
    end(&m);
}

static void test_read_is_closed(void **state)
{
    (void)state;
    struct machine m = machine_of(LISTENER);
    m.limits.window_stream = WINDOW;
    begin(&m);
    yamux_close_read(&m.yamux, opened(&m));
    for (int i = 0; i < 10; i++) {
        feed_data(&m, WINDOW / 2);
        assert_int_equal(granted(&m), WINDOW / 2);
    }
    assert_ptr_equal(expect(&m, FIN_1, YAMUX_FIN)->owner, NULL);
    end(&m);
}

/* Reads half a window every `every_ms`; returns how far the window has grown. */
static uint32_t read_for_a_while(struct machine *m, struct yamux_stream *s, uint64_t every_ms)
{
    uint32_t window = s->window;
    for (int i = 0; i < 20; i++) {
        m->now += every_ms;
        uint32_t half = s->target / 2;
        feed_data(m, half);
        yamux_grant(&m->yamux, s, half, m->now);
        uint32_t more = granted(m);
        assert_true(more >= half);
        window += more - half;
        assert_int_equal(window, s->window);
    }
    return window;
}

static void test_window_grows(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t rtt_ms, every_ms;
        uint32_t most, conn, expected;
    } ROWS[] = {
        {"fast", 100, 300, 4u << 20, 16u << 20, 4u << 20},
        {"at four round trips", 100, 400, 4u << 20, 16u << 20, WINDOW},
        {"slow", 10, 300, 4u << 20, 16u << 20, WINDOW},
        {"no measurable round trip", 0, 3, 4u << 20, 16u << 20, 4u << 20},
        {"a limit between two powers", 100, 300, (1u << 20) + 1, 16u << 20, 1u << 20},
        {"the connection's limit", 100, 300, 4u << 20, 1u << 20, 1u << 20},
        {"no growth wanted", 100, 300, WINDOW, 16u << 20, WINDOW},
    };
    EACH_ROW(i, ROWS) {
        struct machine m = machine_of(LISTENER);
        m.limits.window_stream = ROWS[i].most;
        m.limits.window_conn = ROWS[i].conn;
        begin(&m);
        m.now += ROWS[i].rtt_ms;
        assert_null(expect(&m, PONG, YAMUX_PONG));
        struct yamux_stream *s = opened(&m);
        assert_int_equal(read_for_a_while(&m, s, ROWS[i].every_ms), ROWS[i].expected);
        assert_int_equal(m.yamux.grown, ROWS[i].expected - WINDOW);
        yamux_release(&m.yamux, s);
        assert_view_hex(drained(&m), RST_1);
        assert_int_equal(m.yamux.grown, 0);
        end(&m);
    }
}

/* Two sessions of one node: what one has grown by the other cannot, until it is given back. */
static void test_windows_grow_together(void **state)
{
    (void)state;
    struct machine m[2] = {machine_of(LISTENER), machine_of(LISTENER)};
    struct yamux_stream *s[2];
    uint32_t all = 0;
    for (size_t i = 0; i < 2; i++) {
        m[i].limits.window_node = 4u << 20;
        begin(&m[i]);
        m[i].yamux.all = &all;
        m[i].now += 100;
        assert_null(expect(&m[i], PONG, YAMUX_PONG));
        s[i] = opened(&m[i]);
    }
    assert_int_equal(read_for_a_while(&m[0], s[0], 300), 4u << 20);
    assert_int_equal(all, (4u << 20) - WINDOW);
    assert_int_equal(read_for_a_while(&m[1], s[1], 300), 2 * WINDOW);
    assert_int_equal(all, 4u << 20);
    yamux_release(&m[0].yamux, s[0]);
    assert_view_hex(drained(&m[0]), RST_1);
    assert_int_equal(all, WINDOW);
    assert_int_equal(read_for_a_while(&m[1], s[1], 300), 4u << 20);
    end(&m[1]);
    assert_int_equal(all, 0);
    end(&m[0]);
}

/* ---- closing ------------------------------------------------------------------------------- */

enum command { CLOSE_WRITE, RESET, RELEASE, DRAIN, FEED_FIN, FEED_RST, FEED_DATA };

/* What is done to one stream, in order; then whether it is gone, and what had to be said. */
static const struct {
    const char *name;
    enum role opener; /* DIALER: us */
    enum command commands[8];
    size_t count;
    bool is_gone;
    const char *said;
} ENDS[] = {
    {"both halves, then released",
     DIALER,
     {DRAIN, CLOSE_WRITE, FEED_FIN, RELEASE, DRAIN},
     5,
     true,
     SYN_1 FIN_1},
    {"released before FIN was said",
     DIALER,
     {DRAIN, CLOSE_WRITE, FEED_FIN, RELEASE},
     4,
     false,
     SYN_1 FIN_1},
    {"not released", DIALER, {DRAIN, CLOSE_WRITE, FEED_FIN, DRAIN}, 4, false, SYN_1 FIN_1},
    {"opened and closed at once",
     DIALER,
     {CLOSE_WRITE, DRAIN},
     2,
     false,
     "000100050000000100000000"},
    {"the peer's, closed at once",
     LISTENER,
     {CLOSE_WRITE, DRAIN},
     2,
     false,
     "000100060000000200000000"},
    {"closed twice",
     DIALER,
     {DRAIN, CLOSE_WRITE, DRAIN, CLOSE_WRITE, DRAIN},
     5,
     false,
     SYN_1 FIN_1},
    {"released half open",
     DIALER,
     {DRAIN, CLOSE_WRITE, DRAIN, RELEASE, DRAIN},
     5,
     true,
     SYN_1 FIN_1 RST_1},
    {"released while the peer still reads",
     DIALER,
     {DRAIN, FEED_FIN, RELEASE, DRAIN},
     4,
     true,
     SYN_1 RST_1},
    {"never said", DIALER, {RELEASE}, 1, true, ""},
    {"reset before it was said", DIALER, {RESET, DRAIN}, 2, false, ""},
    {"reset, then released", DIALER, {DRAIN, RESET, DRAIN, RELEASE}, 4, true, SYN_1 RST_1},
    {"released, RST not said yet", DIALER, {DRAIN, RESET, RELEASE}, 3, false, SYN_1 RST_1},
    {"reset twice", DIALER, {DRAIN, RESET, DRAIN, RESET, DRAIN}, 5, false, SYN_1 RST_1},
    {"reset behind FIN", DIALER, {DRAIN, CLOSE_WRITE, RESET, DRAIN}, 4, false, SYN_1 RST_1},
    {"reset after the end",
     DIALER,
     {DRAIN, CLOSE_WRITE, DRAIN, FEED_FIN, RESET, DRAIN},
     6,
     false,
     SYN_1 FIN_1},
    {"close after reset", DIALER, {DRAIN, RESET, CLOSE_WRITE, DRAIN}, 4, false, SYN_1 RST_1},
    {"reset by the peer", DIALER, {DRAIN, CLOSE_WRITE, FEED_RST, DRAIN}, 4, true, SYN_1},
    {"reset by the peer before ACK", LISTENER, {FEED_RST, DRAIN}, 2, true, ""},
    {"the peer's, refused", LISTENER, {RELEASE, DRAIN}, 2, true, RST_2},
    {"late frames",
     DIALER,
     {DRAIN, RELEASE, DRAIN, FEED_DATA, FEED_FIN, FEED_RST, DRAIN},
     7,
     true,
     SYN_1 RST_1},
    {"late frames, RST not said yet",
     DIALER,
     {DRAIN, RELEASE, FEED_DATA, FEED_FIN, DRAIN},
     5,
     true,
     SYN_1 RST_1},
    {"RST against RST", DIALER, {DRAIN, RESET, FEED_RST, DRAIN, RELEASE}, 5, true, SYN_1 RST_1},
};

static void command(struct machine *m, struct yamux_stream *s, enum command c, struct writer *said)
{
    bool is_first = m->yamux.next_id == 3;
    switch (c) {
    case CLOSE_WRITE:
        yamux_close_write(&m->yamux, s);
        break;
    case RESET:
        yamux_reset(&m->yamux, s, 0);
        break;
    case RELEASE:
        yamux_release(&m->yamux, s);
        break;
    case DRAIN:
        assert_ok(yamux_drain(&m->yamux, said, m->now));
        break;
    case FEED_FIN:
        assert_ok(feed_hex(m, is_first ? FIN_1 : FIN_2));
        break;
    case FEED_RST:
        assert_ok(feed_hex(m, is_first ? RST_1 : RST_2));
        break;
    case FEED_DATA:
        assert_ok(feed_hex(m, is_first ? DATA_1 "00000001 61" : DATA_2 "00000001 61"));
        break;
    }
}

static void test_ends(void **state)
{
    (void)state;
    EACH_ROW(i, ENDS) {
        struct machine m = machine_of(DIALER);
        uint8_t bytes[256];
        struct writer said = writer_of(bytes, sizeof bytes);
        int error;
        begin(&m);
        struct yamux_stream *s = ENDS[i].opener == DIALER ? yamux_open(&m.yamux, &error)
                                                          : expect(&m, SYN_2, YAMUX_OPENED);
        uint32_t id = s->id;
        for (size_t k = 0; k < ENDS[i].count; k++)
            command(&m, s, ENDS[i].commands[k], &said);
        assert_int_equal(table_find(&m.yamux.streams, id) == NULL, ENDS[i].is_gone);
        assert_ok(yamux_drain(&m.yamux, &said, m.now));
        assert_view_hex(writer_view(&said), ENDS[i].said);
        if (ENDS[i].is_gone)
            assert_int_equal(m.yamux.inbound + m.yamux.unacked, 0);
        end(&m);
    }
}

static void test_reset_says_its_code(void **state)
{
    (void)state;
    struct machine m = machine_of(DIALER);
    begin(&m);
    struct yamux_stream *s = open_acked(&m);
    yamux_reset(&m.yamux, s, 0x1003);
    m.owed = "000100080000000100001003";
    end(&m);
}

/* ---- what a peer can do to us -------------------------------------------------------------- */

static void test_too_many_streams(void **state)
{
    (void)state;
    struct machine m = machine_of(LISTENER);
    struct yamux_event ev;
    begin(&m);
    uint32_t count = 0;
    struct yamux_stream *first = opened(&m);
    size_t full = 0;
    for (uint32_t id = 3; count < 1000000; id += 2, count++) {
        uint8_t header[YAMUX_HEADER_LEN];
        struct writer w = writer_of(header, sizeof header);
        yamux_header_put(&w, &(struct yamux_header){
                                 .type = YAMUX_TYPE_WINDOW, .flags = YAMUX_FLAG_SYN, .id = id});
        struct span in = span_of(header, sizeof header);
        int rc = yamux_feed(&m.yamux, &in, &ev, m.now);
        assert_int_equal(rc, count + 1 < m.limits.streams_inbound);
        if (count == 2000)
            full = m.mem.used;
    }
    assert_int_equal(m.mem.used, full);
    assert_true(full < 200000);
    /* Those there was no room for are refused, as many as are remembered; the others go on. */
    assert_ptr_equal(expect(&m, DATA_1 "00000001 61", YAMUX_DATA), first);
    struct view said = drained(&m);
    assert_int_equal(said.len, (m.limits.yamux_refusals_owed + m.limits.streams_inbound - 1) *
                                   YAMUX_HEADER_LEN);
    assert_view_hex(view_of(said.data, YAMUX_HEADER_LEN), "000100080000020100000000");
    yamux_release(&m.yamux, first);
    assert_view_hex(drained(&m), RST_1);
    assert_non_null(expect(&m, "000100010100000100000000", YAMUX_OPENED));
    end(&m);
}

/* Opens and resets `per_s` streams a second for ten seconds. */
static int churn(struct machine *m, uint32_t per_s)
{
    int rc = 0;
    begin(m);
    for (uint32_t i = 0; rc == 0 && i < 10 * per_s; i++) {
        m->now = 1000 + (uint64_t)i * 1000 / per_s;
        rc = feed_hex(m, SYN_1 RST_1);
        the_test()->arena_used = 0;
    }
    end(m);
    return rc;
}

static void test_churn(void **state)
{
    (void)state;
    struct machine m = machine_of(LISTENER);
    m.owed = "";
    assert_ok(churn(&m, 199));
    m.owed = ACK_1 GOAWAY_1;
    assert_code(churn(&m, 100000), ERR_PROTOCOL);
    assert_in_range(m.now, 1000, 1010);
    assert_code(churn(&m, 300), ERR_PROTOCOL);
}

/* Streams that come and go properly may do so at any rate. */
static void test_many_short_streams(void **state)
{
    (void)state;
    struct machine m = machine_of(LISTENER);
    begin(&m);
    for (int i = 0; i < 10000; i++) {
        struct yamux_stream *s = expect(&m, SYN_1, YAMUX_OPENED);
        yamux_close_write(&m.yamux, s);
        expect(&m, FIN_1, YAMUX_FIN);
        yamux_release(&m.yamux, s);
        assert_view_hex(drained(&m), "000100060000000100000000");
        the_test()->arena_used = 0;
    }
    end(&m);
}

static void test_ping_flood(void **state)
{
    (void)state;
    struct machine m = machine_of(LISTENER);
    begin(&m);
    for (int i = 0; i < 1000; i++)
        assert_ok(feed_hex(&m, PING));
    assert_int_equal(drained(&m).len, m.limits.yamux_pongs_owed * YAMUX_HEADER_LEN);
    for (int second = 0; second < 5; second++) {
        m.now += 1000;
        for (int i = 0; i < 100; i++)
            assert_ok(feed_hex(&m, PING));
        assert_int_equal(drained(&m).len, m.limits.yamux_pongs_per_s * YAMUX_HEADER_LEN);
    }
    /* Not even over hours without a drain are more owed than the limit. */
    for (int i = 0; i < 1000; i++) {
        m.now += 1000;
        assert_ok(feed_hex(&m, PING));
    }
    assert_int_equal(drained(&m).len, m.limits.yamux_pongs_owed * YAMUX_HEADER_LEN);
    end(&m);
}

static void test_ping(void **state)
{
    (void)state;
    struct machine m = machine_of(DIALER);
    struct yamux_event ev;
    begin(&m);
    /* One is under way from the start. */
    yamux_ping(&m.yamux, m.now);
    assert_false(yamux_owes(&m.yamux));
    m.now += 5;
    assert_ok(feed_hex(&m, PONG));
    yamux_ping(&m.yamux, m.now);
    /* An answer to what was not said yet is none; the time that counts is that of the drain. */
    struct span in = test_copy(hex("000200020000000000000001"));
    assert_ok(yamux_feed(&m.yamux, &in, &ev, m.now));
    m.now += 100;
    assert_view_hex(drained(&m), "000200010000000000000001");
    m.now += 42;
    in = test_copy(hex("000200020000000000000001"));
    assert_code(yamux_feed(&m.yamux, &in, &ev, m.now), 1);
    assert_int_equal(ev.rtt_ms, 42);
    end(&m);
}

/* ---- memory -------------------------------------------------------------------------------- */

static void test_sizes(void **state)
{
    (void)state;
    assert_true(sizeof(struct yamux_stream) <= 128);
    assert_true(sizeof(struct yamux) <= 512);
    yamux_free(&(struct yamux){.mem = NULL});
}

/* Without memory a stream is refused, and the session goes on. */
static void scene(struct mem *mem, void *context)
{
    struct machine *m = context;
    *m = machine_of(LISTENER);
    struct yamux y;
    struct yamux_event ev;
    struct writer w;
    uint8_t bytes[1024];
    int error;
    yamux_init(&y, LISTENER, mem, &m->limits, 0);
    for (int i = 0; i < 6; i++) {
        char frame[YAMUX_HEADER_LEN * 2 + 1];
        snprintf(frame, sizeof frame, "00010001000000%02x00000000", 2 * i + 1);
        struct span in = test_copy(hex(frame));
        int rc = yamux_feed(&y, &in, &ev, 0);
        assert_true(rc == 1 || rc == 0);
        in = test_copy(hex(PING));
        assert_ok(yamux_feed(&y, &in, &ev, 0));
        struct yamux_stream *s = yamux_open(&y, &error);
        assert_true(s != NULL || error == ERR_NOMEM);
        w = writer_of(bytes, sizeof bytes);
        assert_ok(yamux_drain(&y, &w, 0));
    }
    assert_true(y.streams.count >= 11);
    yamux_free(&y);
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    struct machine m;
    assert_true(fail_each_allocation(scene, &m) > 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_sessions_of_js),
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_open_waits_for_answers),
        cmocka_unit_test(test_open_ends),
        cmocka_unit_test(test_goaway),
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_write_to_an_inbound_stream),
        cmocka_unit_test(test_reserve),
        cmocka_unit_test(test_credit),
        cmocka_unit_test(test_drain_in_small_pieces),
        cmocka_unit_test(test_grant),
        cmocka_unit_test(test_no_credit_for_the_closed),
        cmocka_unit_test(test_read_is_closed),
        cmocka_unit_test(test_window_grows),
        cmocka_unit_test(test_windows_grow_together),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_reset_says_its_code),
        cmocka_unit_test(test_too_many_streams),
        cmocka_unit_test(test_churn),
        cmocka_unit_test(test_many_short_streams),
        cmocka_unit_test(test_ping_flood),
        cmocka_unit_test(test_ping),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_each_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

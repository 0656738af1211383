/* One node among attackers that got past the handshake: what each does to it, and what is left. */
#include "test.h"

#include "attackers.h"
#include "framed.h"

#undef fail /* the node has one too */
#include "base/cursor.h"
#include "multiformats/envelope.h"
#include "multiformats/multiaddr.h"
#include "node/node.h"
#include "protocols/peer_discovery.h"
#include "pubsub/message.h"
#include "pubsub/rpc.h"

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

/* What is lost with a connection that closes is not asked for on it, again and again until it has. */
static void test_pubsub_of_a_connection_that_closes(void **state)
{
    (void)state;
    struct attackers w;
    struct flaky flaky = {.is_well = true};
    struct buf last;
    attackers_init(&w, &PEERLET_LIMITS);
    w.heard = be_flaky;
    w.context = &flaky;
    attackers_bootstrap(&w, 0);
    attackers_begin(&w);
    struct stream *s = attackers_open(&w, 0, RPC, view_of(NULL, 0));
    attackers_settle(&w);
    assert_int_equal(flaky.opened, 1);
    uint32_t link = w.at[0].link;
    attackers_tell(&w, (struct input){.type = INPUT_LINK_ROOM, .id = link, .value = 0});
    attackers_tell(&w, (struct input){.type = INPUT_CONN_CLOSE, .id = link});
    buf_init(&last, &w.mem, 65536);
    stream_close_write(s);
    assert_ok(attacker_drain(&w, &w.at[0], &last));
    attackers_tell_bytes(&w, link, 0, buf_view(&last));
    buf_free(&last);
    for (int alarms = 0; w.at[0].link == link; alarms++) {
        assert_in_range(alarms, 0, 20);
        w.now = MAX(w.now, peerlet_deadline(w.p));
        attackers_tell(&w, (struct input){.type = INPUT_TICK});
    }
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

/* ---- offers of WebRTC -------------------------------------------------------------------------- */

#define SIGNALING "/webrtc-signaling/0.0.1"

#define SDP_UFRAG "a=ice-ufrag:abcd\r\n"
#define SDP_BEGIN                                                                                  \
    "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"                                          \
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n"                     \
    "a=ice-pwd:0123456789abcdef012345\r\na=setup:actpass\r\na=mid:0\r\n"
#define SDP_PRINT                                                                                  \
    "a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:"                       \
    "10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n"

static const char *const GOOD_SDP = SDP_BEGIN SDP_UFRAG SDP_PRINT;
static const char *const BAD_SDP[] = {
    "",
    "v=0\r\n",
    SDP_BEGIN SDP_PRINT,
    SDP_BEGIN SDP_UFRAG SDP_PRINT SDP_PRINT,
    SDP_BEGIN SDP_UFRAG SDP_PRINT "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n",
    SDP_BEGIN SDP_UFRAG SDP_PRINT "a=x\ra=setup:active\r\n",
    SDP_BEGIN SDP_UFRAG "a=fingerprint:sha-1 00:01\r\n",
};

/* One message of signaling: an offer. Valid until the next call. */
static struct view offer(const char *sdp)
{
    static uint8_t bytes[2048];
    struct writer w = writer_of(bytes, sizeof bytes);
    size_t len = strlen(sdp);
    put_uvarint(&w, 2 + 1 + uvarint_len(len) + len);
    put_u8(&w, 0x08);
    put_u8(&w, 0);
    put_u8(&w, 0x12);
    put_delimited(&w, view_of_text(sdp));
    assert_false(w.failed);
    return writer_view(&w);
}

static size_t rtc_count_of(const struct attackers *w)
{
    size_t count = 0;
    LIST_EACH(node, &w->p->rtcs)
        count++;
    return count;
}

static void test_a_thousand_bad_offers(void **state)
{
    (void)state;
    struct attackers w;
    struct watch saw;
    begin(&w, &saw);
    size_t before = memory_of(&w);
    for (size_t i = 0; i < 1000; i++) {
        assert_non_null(attackers_open(&w, 0, SIGNALING, offer(BAD_SDP[i % ARRAY_LEN(BAD_SDP)])));
        attackers_settle(&w);
        assert_int_equal(rtc_count_of(&w), 0);
    }
    assert_true(memory_of(&w) - before < 16u << 10);
    assert_non_null(attackers_open(&w, 0, SIGNALING, offer(GOOD_SDP)));
    attackers_settle(&w);
    assert_int_equal(rtc_count_of(&w), 1);
    assert_int_not_equal(w.rtc, 0);
    attackers_end(&w);
}

/* Good offers that lead nowhere: one a second of each peer, and ours are begun all the same. */
static void test_a_flood_of_offers(void **state)
{
    (void)state;
    struct attackers w;
    attackers_init(&w, &PEERLET_LIMITS);
    for (size_t n = 0; n < ATTACKERS; n++)
        attackers_bootstrap(&w, n);
    attackers_begin(&w);
    uint32_t accepted = 0, most = 0;
    for (uint32_t second = 0; second < 60; second++) {
        for (size_t i = 0; i < 5 * ATTACKERS; i++) {
            size_t before = rtc_count_of(&w);
            attackers_open(&w, i % ATTACKERS, SIGNALING, offer(GOOD_SDP));
            attackers_settle(&w);
            accepted += rtc_count_of(&w) > before;
        }
        if (second == 0)
            assert_int_equal(accepted, ATTACKERS);
        most = MAX(most, (uint32_t)rtc_count_of(&w));
        attackers_pass(&w, 1000);
    }
    assert_int_equal(most, w.limits->rtc_handshakes);
    assert_in_range(accepted, 2 * most, w.limits->rtc_per_minute);
    struct conn *via = find_conn(w.p, w.at[0].link);
    assert_non_null(direct_start(w.p, via, conn_address(via)));
    attackers_settle(&w);
    attackers_end(&w);
}

static void test_a_flood_of_channels(void **state)
{
    (void)state;
    struct attackers w;
    struct watch saw;
    begin(&w, &saw);
    attackers_open(&w, 0, SIGNALING, offer(GOOD_SDP));
    attackers_settle(&w);
    uint32_t link = w.rtc, opened = 0;
    assert_int_not_equal(link, 0);
    attackers_tell(&w, (struct input){.type = INPUT_RTC_STATE, .id = link});
    for (uint32_t i = 0; i < 1000; i++)
        opened +=
            attackers_tell(
                &w, (struct input){.type = INPUT_CHANNEL_INCOMING, .id = link, .value = 65536})
                .id != 0;
    assert_in_range(opened, 200, w.limits->rtc_channels);
    assert_true(memory_of(&w) < 2u << 20);
    attackers_end(&w);
}

/* Each channel says the most of a long frame, and no more than that. */
static void test_frames_that_never_end(void **state)
{
    (void)state;
    static uint8_t most[60000] = {0xe0, 0xd4, 0x03}; /* of 60000 bytes */
    struct attackers w;
    struct watch saw;
    uint32_t channels[200], opened = 0;
    begin(&w, &saw);
    attackers_open(&w, 0, SIGNALING, offer(GOOD_SDP));
    attackers_settle(&w);
    uint32_t link = w.rtc;
    attackers_tell(&w, (struct input){.type = INPUT_RTC_STATE, .id = link});
    for (; opened < ARRAY_LEN(channels); opened++) {
        channels[opened] =
            attackers_tell(
                &w, (struct input){.type = INPUT_CHANNEL_INCOMING, .id = link, .value = 65536})
                .id;
        assert_int_not_equal(channels[opened], 0);
    }
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < ARRAY_LEN(channels); i++)
            attackers_tell_bytes(&w, link, channels[i],
                                 view_of(most, round == 0 ? sizeof most : 1));
    assert_non_null(find_conn(w.p, link));
    assert_in_range(find_conn(w.p, link)->stream_count_in, 1, 50);
    attackers_end(&w);
}

/* ---- calls through a relay --------------------------------------------------------------------- */

#define STOP "/libp2p/circuit/relay/0.2.0/stop"

/* A call from the peer with that identity, limited to 30 s and 8192 bytes. */
static struct view call_from(const struct identity *id)
{
    static uint8_t bytes[128];
    struct peer_id peer = peer_id_of_identity(id);
    struct writer w = writer_of(bytes, sizeof bytes);
    put_uvarint(&w, 2 + 4 + peer.len + 2 + 5);
    put_u8(&w, 0x08);
    put_u8(&w, 0);
    put_u8(&w, 0x12);
    put_u8(&w, (uint8_t)(2 + peer.len));
    put_u8(&w, 0x0a);
    put_delimited(&w, peer_id_view(&peer));
    put(&w, hex("1a05 081e 108040"));
    assert_false(w.failed);
    return writer_view(&w);
}

static uint32_t conns_of_kind(const struct attackers *w, enum link_kind kind)
{
    uint32_t count = 0, at = 0;
    const struct conn *c;
    while ((c = table_next(&w->p->conns, &at)) != NULL)
        count += c->link.kind == kind;
    return count;
}

static void test_a_flood_of_calls(void **state)
{
    (void)state;
    struct attackers w;
    struct watch saw;
    begin(&w, &saw);
    for (size_t i = 0; i < 200; i++) {
        struct identity caller;
        identity_generate(&w.rng, &caller);
        attackers_open(&w, 0, STOP, call_from(&caller));
        attackers_settle(&w);
        assert_in_range(conns_of_kind(&w, LINK_RELAYED), 1, w.limits->circuit_stop_pending);
    }
    assert_int_equal(conns_of_kind(&w, LINK_RELAYED), w.limits->circuit_stop_pending);
    attackers_pass(&w, w.limits->upgrade_ms);
    assert_int_equal(conns_of_kind(&w, LINK_RELAYED), 0);
    assert_int_equal(saw.conns_closed, 0);
    assert_true(conn_is_ready(w.at[0].conn));
    attackers_end(&w);
}

/* Of two connections to a relay it may take either for a call. */
static void test_a_call_on_another_connection(void **state)
{
    (void)state;
    struct attackers w;
    struct watch saw;
    begin(&w, &saw);
    struct input_result r = attackers_tell(&w, (struct input){.type = INPUT_DIAL,
                                                              .text = view_of_text(w.addresses[0]),
                                                              .flags = PEERLET_DIAL_FORCE});
    assert_ok(r.code);
    attackers_settle(&w);
    assert_true(w.at[1].conn != NULL && conn_is_ready(w.at[1].conn));
    attackers_open(&w, 1, STOP, call_from(&w.identities[2]));
    attackers_settle(&w);
    assert_int_equal(conns_of_kind(&w, LINK_RELAYED), 1);
    attackers_end(&w);
}

/* A connection of somebody through attacker 0, who is the relay. */
struct caller {
    struct attackers *w;
    uint32_t via; /* number of the stream, which may be gone */
    struct conn *conn;
    size_t answer_left; /* of the relay's own protocol */
    bool is_told_off;   /* it heard a GOAWAY */
    struct conn_totals totals;
};

static void hear_call(struct attackers *w, struct attacker *a, const struct conn_event *ev)
{
    struct caller *caller = w->context;
    struct conn_event inner;
    (void)a;
    if (ev->type != CONN_STREAM_DATA || ev->stream->id != caller->via)
        return;
    struct span in = ev->data;
    caller->answer_left -= span_take(&in, caller->answer_left).len;
    while (conn_feed(caller->conn, &in, &inner, w->now) > 0) {
        if (inner.type == CONN_STREAM_PROPOSED)
            stream_refuse(inner.stream);
        caller->is_told_off |= inner.type == CONN_GOAWAY;
    }
}

/* Carries what the caller has to say, until all is said. */
static void talk(struct caller *caller)
{
    struct attackers *w = caller->w;
    bool has_moved = true;
    while (has_moved) {
        struct conn_output o;
        has_moved = false;
        conn_room(caller->conn, 0, 65536, 0);
        while (conn_drain(caller->conn, &o, w->now) == 1 && o.type != CONN_FLUSHED) {
            if (o.type != CONN_SEND)
                continue;
            struct stream *via = attackers_stream(w, 0, caller->via);
            if (via != NULL)
                attackers_say(via, o.data);
            conn_sent(caller->conn);
            has_moved = true;
        }
        attackers_settle(w);
    }
}

static void call(struct attackers *w, struct caller *caller, const struct identity *announced,
                 const struct identity *proved)
{
    *caller = (struct caller){.w = w, .answer_left = 5}; /* STATUS 100 */
    w->heard = hear_call;
    w->context = caller;
    struct stream *via = attackers_open(w, 0, STOP, call_from(announced));
    assert_non_null(via);
    caller->via = via->id;
    caller->conn = conn_new(&(struct conn_config){.id = 1000,
                                                  .role = DIALER,
                                                  .kind = LINK_SOCKET,
                                                  .mem = &w->mem,
                                                  .rng = &w->rng,
                                                  .limits = w->limits,
                                                  .identity = proved,
                                                  .last_stream = &w->last_stream,
                                                  .totals = &caller->totals},
                            w->now);
    assert_non_null(caller->conn);
    assert_ok(conn_opened(caller->conn, 65536, w->now));
    talk(caller);
}

static bool is_connected_to(const struct attackers *w, const struct identity *id)
{
    struct peer_id peer = peer_id_of_identity(id);
    struct peer *known = addrbook_find(&w->p->peers, &peer);
    return known != NULL && best_conn(w->p, known, false) != NULL;
}

static void test_a_caller_is_who_the_relay_says(void **state)
{
    (void)state;
    for (size_t lie = 0; lie < 2; lie++) {
        struct attackers w;
        struct caller caller;
        struct watch saw;
        begin(&w, &saw);
        w.told = NULL;
        const struct identity *victim = &w.identities[1], *liar = &w.identities[2];
        call(&w, &caller, victim, lie != 0 ? liar : victim);
        assert_int_equal(is_connected_to(&w, victim), lie == 0);
        assert_false(is_connected_to(&w, liar));
        conn_free(caller.conn);
        attackers_end(&w);
    }
}

/* Frames for the muxer of the called, sealed as they are. */
static void say_frames(struct caller *caller, struct view bytes)
{
    struct conn *c = caller->conn;
    uint8_t *at = noise_reserve(&c->noise, &c->link.out, bytes.len);
    assert_non_null(at);
    memcpy(at, bytes.data, bytes.len);
    noise_commit(&c->noise, &c->link.out, bytes.len);
    talk(caller);
}

static void test_goaway_leaves_through_a_relay(void **state)
{
    (void)state;
    struct attackers w;
    struct caller caller;
    struct watch saw;
    begin(&w, &saw);
    w.told = NULL;
    call(&w, &caller, &w.identities[1], &w.identities[1]);
    assert_true(is_connected_to(&w, &w.identities[1]));
    say_frames(&caller, hex("010100000000000000000000"));
    assert_false(is_connected_to(&w, &w.identities[1]));
    assert_true(caller.is_told_off);
    conn_free(caller.conn);
    attackers_end(&w);
}

/* Callers with good names, and too many of them. */
static void test_callers_leave_room_for_our_own(void **state)
{
    (void)state;
    enum { CALLERS = 12 };
    struct attackers w;
    struct caller callers[CALLERS];
    struct peerlet_limits limits = PEERLET_LIMITS;
    limits.conns = 12;
    attackers_init(&w, &limits);
    attackers_bootstrap(&w, 0);
    attackers_begin(&w);
    for (size_t i = 0; i < CALLERS; i++) {
        struct identity identity;
        identity_generate(&w.rng, &identity);
        call(&w, &callers[i], &identity, &identity);
        assert_int_equal(is_connected_to(&w, &identity), i < 8);
        conn_free(callers[i].conn);
        w.heard = NULL;
    }
    assert_int_equal(w.p->conn_count, 9);
    struct input_result r = attackers_tell(
        &w, (struct input){.type = INPUT_DIAL, .text = view_of_text(w.addresses[1])});
    assert_ok(r.code);
    attackers_settle(&w);
    assert_true(is_connected_to(&w, &w.identities[1]));
    attackers_end(&w);
}

static void test_one_peer_has_few_connections(void **state)
{
    (void)state;
    struct attackers w;
    struct caller callers[6];
    attackers_init(&w, &PEERLET_LIMITS);
    attackers_bootstrap(&w, 0);
    attackers_begin(&w);
    for (uint32_t i = 0; i < ARRAY_LEN(callers); i++) {
        call(&w, &callers[i], &w.identities[1], &w.identities[1]);
        conn_free(callers[i].conn);
        w.heard = NULL;
        assert_int_equal(w.p->conn_count, 1 + MIN(i + 1, w.limits->conns_per_peer));
    }
    attackers_end(&w);
}

/* Whatever comes counts as well as what goes. */
static void test_a_limited_connection_is_not_overdrawn(void **state)
{
    (void)state;
    struct attackers w;
    struct caller caller;
    struct watch saw;
    begin(&w, &saw);
    w.told = NULL;
    call(&w, &caller, &w.identities[1], &w.identities[1]);
    assert_true(is_connected_to(&w, &w.identities[1]));
    for (size_t i = 0; i < 64 && is_connected_to(&w, &w.identities[1]); i++) {
        uint8_t pings[120];
        for (size_t j = 0; j < 10; j++) /* pongs nobody asked for, and a ping */
            memcpy(pings + 12 * j, hex("000200020000000000c0ffee").data, 12);
        pings[3] = 1;
        say_frames(&caller, view_of(pings, sizeof pings));
        w.now += 100;
        assert_true(i < 60);
    }
    assert_false(is_connected_to(&w, &w.identities[1]));
    conn_free(caller.conn);
    attackers_end(&w);
}

/* ---- slow ones --------------------------------------------------------------------------------- */

/* A byte a second keeps nothing alive that must be done by a deadline. */
static void test_a_handshake_byte_by_byte(void **state)
{
    (void)state;
    static const char HELLO[] = "\x13/multistream/1.0.0\n\x07/noise\n";
    struct attackers w;
    struct watch saw = {0};
    attackers_init(&w, &PEERLET_LIMITS);
    w.told = see;
    w.context = &saw;
    w.is_absent = true;
    attackers_bootstrap(&w, 0);
    attackers_begin(&w);
    uint32_t link = w.p->last_conn, second = 0;
    attackers_tell(&w,
                   (struct input){.type = INPUT_LINK_OPENED, .id = link, .value = ATTACKERS_ROOM});
    for (; saw.closes == 0 && second < sizeof HELLO - 1; second++) {
        attackers_tell_bytes(&w, link, 0, view_of((const uint8_t *)HELLO + second, 1));
        attackers_pass(&w, 1000);
    }
    assert_in_range(1000 * second, 1000, w.limits->upgrade_ms);
    assert_null(find_conn(w.p, link));
    attackers_end(&w);
}

static void test_a_negotiation_byte_by_byte(void **state)
{
    (void)state;
    struct attackers w;
    struct watch saw;
    begin(&w, &saw);
    frames(&w, hex("0001000100000064 00000000"));
    uint32_t streams = w.p->totals.streams[LISTENER], second = 0;
    for (; w.p->totals.streams[LISTENER] == streams && second < 20; second++) {
        frames(&w, hex("0000000000000064 00000001 13"));
        attackers_pass(&w, 1000);
    }
    assert_in_range(1000 * second, 1000, w.limits->negotiate_ms);
    assert_int_equal(saw.conns_closed, 0);
    attackers_end(&w);
}

/* ---- peers that nobody has --------------------------------------------------------------------- */

#define RUMOURS "rumours"

/* An RPC in which a new identity announces an address. Valid until the next call. */
static struct view rumour(struct attackers *w, uint32_t number)
{
    static uint8_t bytes[2048];
    struct identity identity;
    uint8_t key[IDENTITY_PUBLIC_LEN], addr[32];
    struct writer a = writer_of(addr, sizeof addr), rpc = writer_of(bytes, sizeof bytes);
    struct message *m;
    struct buf data;
    char text[64];
    identity_generate(&w->rng, &identity);
    identity_public(&identity, key);
    text_format(text, sizeof text, "/ip4/10.9.%u.%u/tcp/4001/ws", (unsigned)number >> 8,
                (unsigned)number & 255);
    assert_ok(multiaddr_parse_text(view_of_text(text), &a, NULL));
    struct view address = writer_view(&a);
    struct messages all = {.mem = &w->mem,
                           .limit = SIZE_MAX,
                           .signing = GOSSIPSUB_STRICT_SIGN,
                           .form = GOSSIPSUB_ID_JS};
    buf_init(&data, &w->mem, 1024);
    assert_ok(peer_discovery_append(&data, view_of(key, sizeof key),
                                    &(struct views){.at = &address, .count = 1}));
    assert_ok(message_write(&all, &identity, 1, view_of_text(RUMOURS), buf_view(&data), &m));
    size_t at = rpc_begin(&rpc);
    rpc_put_message(&rpc, m->encoded);
    rpc_end(&rpc, at);
    assert_false(rpc.failed);
    message_drop(&all, m);
    buf_free(&data);
    return writer_view(&rpc);
}

static void see_sockets(struct attackers *w, const struct peerlet_output *out)
{
    uint32_t *sockets = w->context;
    *sockets += out->type == PEERLET_OPEN_SOCKET;
}

static void test_a_flood_of_rumours(void **state)
{
    (void)state;
    enum { PEERS = 1500 };
    struct attackers w;
    uint32_t sockets = 0;
    attackers_init(&w, &PEERLET_LIMITS);
    w.told = see_sockets;
    w.context = &sockets;
    attackers_tell(&w, (struct input){.type = INPUT_DISCOVER, .text = view_of_text(RUMOURS)});
    attackers_bootstrap(&w, 0);
    attackers_begin(&w);
    w.is_absent = true;
    struct stream *s = attackers_open(&w, 0, RPC, view_of(NULL, 0));
    for (uint32_t i = 0; i < PEERS; i++) {
        attackers_say(s, rumour(&w, i));
        attackers_settle(&w);
    }
    assert_int_equal(sockets, 1 + w.limits->dials_background);
    assert_in_range(w.p->peers.count, 100, w.limits->peers);
    struct input_result r = attackers_tell(
        &w, (struct input){.type = INPUT_DIAL, .text = view_of_text(w.addresses[1])});
    assert_ok(r.code);
    assert_int_equal(sockets, 2 + w.limits->dials_background);
    attackers_pass(&w, w.limits->dial_ms);
    assert_int_equal(w.p->dialer.count, 0);
    attackers_end(&w);
}

/* A PRUNE of RUMOURS that names a peer, with a record that `signer` made. Valid until the next call. */
static struct view prune_naming(struct attackers *w, const struct peer_id *named,
                                const struct identity *signer, bool is_intact)
{
    static uint8_t bytes[2048];
    struct writer rpc = writer_of(bytes, sizeof bytes);
    struct view address = hex("040a090909 06 1f91 dd03");
    struct buf record;
    buf_init(&record, &w->mem, 1024);
    struct peer_record r = {.seq = 1, .addresses = {.at = &address, .count = 1}};
    assert_ok(peer_record_seal(signer, &r, &record));
    if (!is_intact)
        record.data[record.head + record.len - 1] ^= 1;
    size_t at = rpc_begin(&rpc), control = rpc_begin_control(&rpc);
    size_t prune = rpc_begin_prune(&rpc, view_of_text(RUMOURS), 60);
    rpc_put_peer(&rpc, &(struct rpc_peer){peer_id_view(named), buf_view(&record)});
    rpc_end(&rpc, prune);
    rpc_end(&rpc, control);
    rpc_end(&rpc, at);
    assert_false(rpc.failed);
    buf_free(&record);
    return writer_view(&rpc);
}

static void see_exchanged(struct attackers *w, const struct peerlet_output *out)
{
    uint32_t *exchanged = w->context;
    *exchanged += out->type == PEERLET_PEER_DISCOVERED && out->value == PEERLET_FROM_PX;
}

/* Whoever is named must have signed where it is. */
static void test_peers_of_a_prune(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool is_its_own, is_intact;
        float threshold;
        uint32_t exchanged;
    } ROWS[] = {
        {"its own record", true, true, 0, 1},
        {"that of another", false, true, 0, 0},
        {"a record that was changed", true, false, 0, 0},
        {"one who has not earned it", true, true, 10, 0},
    };
    EACH_ROW(i, ROWS) {
        struct attackers w;
        uint32_t exchanged = 0;
        attackers_init(&w, &PEERLET_LIMITS);
        w.told = see_exchanged;
        w.context = &exchanged;
        attackers_tell(&w, (struct input){.type = INPUT_DISCOVER, .text = view_of_text(RUMOURS)});
        attackers_bootstrap(&w, 0);
        attackers_begin(&w);
        w.p->gossip.scoring.px_threshold = ROWS[i].threshold;
        struct stream *s = attackers_open(&w, 0, RPC, view_of(NULL, 0));
        struct identity someone, another;
        identity_generate(&w.rng, &someone);
        identity_generate(&w.rng, &another);
        struct peer_id id = peer_id_of_identity(&someone);
        attackers_say(s, prune_naming(&w, &id, ROWS[i].is_its_own ? &someone : &another,
                                      ROWS[i].is_intact));
        attackers_settle(&w);
        assert_int_equal(exchanged, ROWS[i].exchanged);
        attackers_end(&w);
    }
}

/* ---- no memory for what others begin ------------------------------------------------------------ */

static void be_called(struct attackers *w)
{
    struct caller caller;
    int error;
    call(w, &caller, &w->identities[1], &w->identities[1]);
    if (conn_is_ready(caller.conn)) {
        struct stream *s =
            conn_open_stream(caller.conn, view_of_text("/ipfs/ping/1.0.0"), &error, w->now);
        if (s != NULL)
            attackers_say(s, hex(ECHO));
        talk(&caller);
    }
    conn_free(caller.conn);
    w->heard = NULL;
}

/* One message of a data channel. */
static void tell_channel(struct attackers *w, uint32_t channel, const char *words)
{
    uint8_t bytes[128];
    struct writer out = writer_of(bytes, sizeof bytes);
    put_uvarint(&out, 2 + strlen(words));
    put_u8(&out, 0x12);
    put_delimited(&out, view_of_text(words));
    attackers_tell_bytes(w, w->rtc, channel, writer_view(&out));
}

static void be_offered(struct attackers *w)
{
    attackers_open(w, 0, SIGNALING, offer(GOOD_SDP));
    attackers_settle(w);
    if (w->rtc == 0)
        return;
    attackers_tell(w, (struct input){.type = INPUT_RTC_DESCRIPTION,
                                     .id = w->rtc,
                                     .text = view_of_text(GOOD_SDP)});
    attackers_tell(w, (struct input){.type = INPUT_RTC_STATE, .id = w->rtc});
    attackers_settle(w);
    uint32_t channel =
        attackers_tell(w,
                       (struct input){.type = INPUT_CHANNEL_INCOMING, .id = w->rtc, .value = 65536})
            .id;
    if (channel == 0)
        return;
    tell_channel(w, channel, "\x13/multistream/1.0.0\n");
    tell_channel(w, channel, "\x0b/app/1.0.0\n");
    tell_channel(w, channel, "hello");
    attackers_settle(w);
}

static void be_told(struct attackers *w)
{
    uint32_t id = attackers_open(w, 0, RPC, framed("{0a{0801 12{74}}}"))->id;
    for (uint32_t i = 0; i < 3; i++) {
        attackers_settle(w);
        struct stream *s = attackers_stream(w, 0, id);
        if (s != NULL)
            attackers_say(s, rumour(w, i));
    }
    attackers_settle(w);
    struct stream *push = attackers_open(w, 0, "/ipfs/id/push/1.0.0", framed(SPEAKS_RPC));
    if (push != NULL)
        stream_close_write(push);
    attackers_settle(w);
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    static void (*const STORIES[])(struct attackers *) = {be_called, be_offered, be_told};
    for (size_t i = 0; i < ARRAY_LEN(STORIES); i++) {
        uint64_t nth = 1, calls;
        do {
            struct attackers w;
            attackers_init(&w, &PEERLET_LIMITS);
            attackers_tell(&w,
                           (struct input){.type = INPUT_DISCOVER, .text = view_of_text(RUMOURS)});
            attackers_bootstrap(&w, 0);
            attackers_begin(&w);
            calls = w.p->mem.calls;
            w.p->mem.fail_nth = calls + nth;
            STORIES[i](&w);
            attackers_pass(&w, 1000);
            calls = w.p->mem.calls - calls;
            attackers_end(&w);
        } while (nth++ <= calls);
        assert_true(nth > 20);
    }
}

static void count_sockets(struct attackers *w, const struct peerlet_output *out)
{
    *(uint32_t *)w->context += out->type == PEERLET_OPEN_SOCKET;
}

/* A browser without a network still reaches its own machine. */
static void test_a_relay_on_this_machine_is_kept_offline(void **state)
{
    static const struct {
        const char *name;
        uint32_t sockets;
    } CASES[] = {
        {"/ip4/10.0.0.1", 0}, {"/dns4/relay.example", 0}, {"/ip4/127.0.0.1", 1},
        {"/ip6/::1", 1},      {"/dns4/localhost", 1},
    };
    (void)state;
    EACH_ROW(i, CASES) {
        struct attackers w;
        uint32_t sockets = 0;
        char address[128];
        attackers_init(&w, &PEERLET_LIMITS);
        w.told = count_sockets;
        w.context = &sockets;
        attackers_tell(&w, (struct input){.type = INPUT_PAGE_EVENT, .value = PEERLET_OFFLINE});
        text_format(address, sizeof address, "%s%s", CASES[i].name,
                    w.addresses[0] + strlen("/ip4/10.0.0.1"));
        attackers_tell(&w, (struct input){.type = INPUT_BOOTSTRAP, .text = view_of_text(address)});
        attackers_begin(&w);
        assert_int_equal(sockets, CASES[i].sockets);
        attackers_end(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goaway_leaves_first),
        cmocka_unit_test(test_pubsub_is_never_given_up),
        cmocka_unit_test(test_pubsub_of_a_connection_that_closes),
        cmocka_unit_test(test_a_million_streams),
        cmocka_unit_test(test_streams_that_come_and_go),
        cmocka_unit_test(test_streams_of_all_peers),
        cmocka_unit_test(test_many_streams_without_a_reader),
        cmocka_unit_test(test_a_thousand_bad_offers),
        cmocka_unit_test(test_a_flood_of_offers),
        cmocka_unit_test(test_a_flood_of_channels),
        cmocka_unit_test(test_frames_that_never_end),
        cmocka_unit_test(test_a_flood_of_calls),
        cmocka_unit_test(test_a_call_on_another_connection),
        cmocka_unit_test(test_a_caller_is_who_the_relay_says),
        cmocka_unit_test(test_goaway_leaves_through_a_relay),
        cmocka_unit_test(test_callers_leave_room_for_our_own),
        cmocka_unit_test(test_one_peer_has_few_connections),
        cmocka_unit_test(test_a_limited_connection_is_not_overdrawn),
        cmocka_unit_test(test_a_handshake_byte_by_byte),
        cmocka_unit_test(test_a_negotiation_byte_by_byte),
        cmocka_unit_test(test_a_flood_of_rumours),
        cmocka_unit_test(test_peers_of_a_prune),
        cmocka_unit_test(test_a_relay_on_this_machine_is_kept_offline),
        cmocka_unit_test(test_each_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

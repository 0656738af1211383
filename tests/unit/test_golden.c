/*
 * One conversation of each machine, as text: tests/golden. What a change does to the wire shows there
 * as a difference; `make golden` rewrites them all.
 */
#include "framed.h"
#include "pair.h"
#include "scripted.h"

#include "crypto/crypto.h"
#include "multiformats/envelope.h"
#include "multiformats/multiaddr.h"
#include "protocols/circuit.h"
#include "protocols/identify.h"
#include "protocols/signaling.h"
#include "wire/multistream.h"
#include "wire/noise.h"
#include "wire/yamux.h"

static struct transcript t;

static void begin_story(void)
{
    crypto_init();
    t = (struct transcript){0};
}

/* ---- bytes as text ----------------------------------------------------------------------------- */

static size_t plain_len(struct view v)
{
    size_t len = 0;
    while (len < v.len && v.data[len] >= ' ' && v.data[len] <= '~' && v.data[len] != '`')
        len++;
    return len;
}

/* Hex, with words of four letters and more as they are, and lines of text on lines of their own. */
static void add_bytes(struct view v)
{
    const size_t shortest = 4, per_line = 32;
    size_t on_line = 0;
    transcript_add(&t, "   ");
    while (v.len > 0) {
        size_t len = plain_len(v);
        if (on_line >= per_line) {
            transcript_add(&t, "\n   ");
            on_line = 0;
        }
        if (len >= shortest) {
            bool is_line = v.len > len + 1 && v.data[len] == '\r' && v.data[len + 1] == '\n';
            transcript_add(&t, " `%.*s%s`", (int)len, (const char *)v.data,
                           is_line ? "\\r\\n" : "");
            len += is_line ? 2 : 0;
            on_line += is_line ? per_line : len;
        } else {
            transcript_add(&t, " %02x", v.data[0]);
            len = 1;
            on_line++;
        }
        v = view_of(v.data + len, v.len - len);
    }
    transcript_add(&t, "\n");
}

static void add_said(uint64_t now, const char *who, struct view bytes)
{
    transcript_add(&t, "%u %s says %u bytes\n", (unsigned)now, who, (unsigned)bytes.len);
    add_bytes(bytes);
}

static const char *const NAMES[] = {[DIALER] = "dialer", [LISTENER] = "listener"};

/* ---- multistream ------------------------------------------------------------------------------- */

/* The listener takes /b; the dialer knows it as its second. */
static void multistream_hears(enum role role, struct multistream *m, struct span *in)
{
    struct multistream_event ev;
    while (in->len > 0 && multistream_feed(m, in, &ev) == 1) {
        static const char *const WHAT[] = {"accepted", "refused", "proposed"};
        transcript_add(&t, "  %s: %s %.*s\n", NAMES[role], WHAT[ev.type], (int)ev.protocol.len,
                       (const char *)ev.protocol.data);
        if (ev.type == MULTISTREAM_REFUSED)
            assert_ok(multistream_propose(m, view_of_text("/b/1.0.0")));
        else if (ev.type == MULTISTREAM_PROPOSED && view_equals_text(ev.protocol, "/b/1.0.0"))
            assert_ok(multistream_accept(m));
        else if (ev.type == MULTISTREAM_PROPOSED)
            assert_ok(multistream_refuse(m));
        else
            return;
    }
}

static void test_multistream(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct multistream m[2];
    begin_story();
    for (enum role role = DIALER; role <= LISTENER; role++)
        multistream_init(&m[role], role, &mem, &PEERLET_LIMITS);
    assert_ok(multistream_propose(&m[DIALER], view_of_text("/a/1.0.0")));
    bool has_moved = true;
    while (has_moved) {
        has_moved = false;
        for (enum role role = DIALER; role <= LISTENER; role++) {
            struct buf out;
            buf_init(&out, &mem, 1024);
            assert_ok(multistream_drain(&m[role], &out));
            if (out.len > 0) {
                struct span in = buf_span(&out);
                add_said(0, NAMES[role], buf_view(&out));
                multistream_hears(role == DIALER ? LISTENER : DIALER, &m[1 - role], &in);
                has_moved = true;
            }
            buf_free(&out);
        }
    }
    multistream_free(&m[DIALER]);
    multistream_free(&m[LISTENER]);
    assert_mem_empty(&mem);
    assert_golden("multistream.txt", t.text);
}

/* ---- noise ------------------------------------------------------------------------------------- */

static void noise_hears(enum role role, struct noise *n, struct span in)
{
    struct noise_event ev;
    while (noise_feed(n, &in, &ev) == 1) {
        transcript_add(&t, "  %s: ", NAMES[role]);
        if (ev.type == NOISE_READY) {
            char id[PEER_ID_TEXT_MAX];
            peer_id_format(&ev.peer, id);
            transcript_add(&t, "ready, peer %s, muxer %s\n", id,
                           ev.muxer_agreed ? "agreed" : "open");
        } else {
            assert_int_equal(ev.type, NOISE_DATA);
            transcript_add(&t, "hears `%.*s`\n", (int)ev.plain.len, (char *)ev.plain.data);
        }
    }
}

static void noise_tells(enum role role, struct noise n[2], struct buf *out)
{
    if (out->len == 0)
        return;
    add_said(0, NAMES[role], buf_view(out));
    noise_hears(role == DIALER ? LISTENER : DIALER, &n[1 - role], buf_span(out));
    buf_take(out, out->len);
}

static void test_noise(void **state)
{
    (void)state;
    uint64_t seed = 1;
    struct rng rng = test_rng(&seed);
    struct mem mem = {0};
    struct noise n[2];
    struct identity identity[2];
    struct buf out;
    begin_story();
    buf_init(&out, &mem, 4096);
    for (enum role role = DIALER; role <= LISTENER; role++) {
        identity_generate(&rng, &identity[role]);
        assert_ok(noise_init(&n[role], &(struct noise_config){.role = role,
                                                              .identity = &identity[role],
                                                              .muxer = view_of_text("/yamux/1.0.0"),
                                                              .rng = &rng,
                                                              .mem = &mem}));
    }
    for (int message = 0; message < 3; message++) {
        enum role role = message % 2 == 0 ? DIALER : LISTENER;
        assert_ok(noise_drain(&n[role], &out));
        noise_tells(role, n, &out);
    }
    for (enum role role = DIALER; role <= LISTENER; role++) {
        static const char *const WORDS[] = {"good morning", "and to you"};
        size_t len = strlen(WORDS[role]);
        uint8_t *at = noise_reserve(&n[role], &out, len);
        assert_non_null(at);
        memcpy(at, WORDS[role], len);
        noise_commit(&n[role], &out, len);
        assert_ok(noise_seal(&n[role], &out));
        noise_tells(role, n, &out);
    }
    noise_free(&n[DIALER]);
    noise_free(&n[LISTENER]);
    buf_free(&out);
    assert_mem_empty(&mem);
    assert_golden("noise.txt", t.text);
}

/* ---- yamux ------------------------------------------------------------------------------------- */

struct session {
    struct yamux yamux[2];
    struct yamux_stream *stream[2]; /* of each side, the one that is open */
    struct writer out[2];
    uint8_t bytes[2][4096];
    uint64_t now;
};

static void tell_frames(struct session *s, enum role role, struct view bytes)
{
    static const char *const TYPES[] = {"data", "window", "ping", "goaway"};
    static const char *const FLAGS[] = {"SYN", "ACK", "FIN", "RST"};
    while (bytes.len > 0) {
        struct yamux_header h = yamux_header_parse(bytes.data);
        transcript_add(&t, "%u %s: %s", (unsigned)s->now, NAMES[role], TYPES[h.type]);
        for (unsigned i = 0; i < ARRAY_LEN(FLAGS); i++)
            if (h.flags & 1u << i)
                transcript_add(&t, " %s", FLAGS[i]);
        transcript_add(&t, " of %u, %u\n", (unsigned)h.id, (unsigned)h.len);
        size_t body = h.type == YAMUX_TYPE_DATA ? h.len : 0;
        if (body > 0)
            add_bytes(view_of(bytes.data + YAMUX_HEADER_LEN, body));
        size_t len = YAMUX_HEADER_LEN + body;
        bytes = view_of(bytes.data + len, bytes.len - len);
    }
}

static void yamux_hears(struct session *s, enum role role, struct span in)
{
    static const char *const EVENTS[] = {"opened", "data", "fin",   "reset",
                                         "room",   "pong", "goaway"};
    struct yamux_event ev;
    while (yamux_feed(&s->yamux[role], &in, &ev, s->now) == 1) {
        transcript_add(&t, "  %s: %s", NAMES[role], EVENTS[ev.type]);
        if (ev.type == YAMUX_DATA)
            transcript_add(&t, " `%.*s`", (int)ev.data.len, (char *)ev.data.data);
        transcript_add(&t, "\n");
        if (ev.type == YAMUX_OPENED)
            s->stream[role] = ev.stream;
        if (ev.type == YAMUX_RESET)
            yamux_release(&s->yamux[role], ev.stream);
    }
}

/* What each owes goes to the other, 20 ms later, until neither owes anything. */
static void yamux_settle(struct session *s)
{
    bool has_moved = true;
    while (has_moved) {
        has_moved = false;
        for (enum role role = DIALER; role <= LISTENER; role++) {
            struct writer *w = &s->out[role];
            assert_ok(yamux_drain(&s->yamux[role], w, s->now));
            if (w->len == 0)
                continue;
            tell_frames(s, role, writer_view(w));
            s->now += 20;
            yamux_hears(s, role == DIALER ? LISTENER : DIALER, span_of(w->data, w->len));
            *w = writer_of(s->bytes[role], sizeof s->bytes[role]);
            has_moved = true;
        }
    }
}

static void yamux_says(struct session *s, enum role role, const char *words)
{
    struct view v = view_of_text(words);
    assert_int_equal(yamux_write(&s->yamux[role], s->stream[role], v, &s->out[role]), v.len);
    yamux_settle(s);
}

static void test_yamux(void **state)
{
    (void)state;
    struct mem mem = {0};
    static struct session s;
    int error;
    s = (struct session){.now = 1000};
    begin_story();
    for (enum role role = DIALER; role <= LISTENER; role++) {
        yamux_init(&s.yamux[role], role, &mem, &PEERLET_LIMITS, s.now);
        s.out[role] = writer_of(s.bytes[role], sizeof s.bytes[role]);
    }
    yamux_settle(&s);
    s.stream[DIALER] = yamux_open(&s.yamux[DIALER], &error);
    yamux_says(&s, DIALER, "hello");
    yamux_says(&s, LISTENER, "hello yourself");
    for (enum role role = DIALER; role <= LISTENER; role++) {
        yamux_close_write(&s.yamux[role], s.stream[role]);
        yamux_settle(&s);
    }
    yamux_release(&s.yamux[DIALER], s.stream[DIALER]);
    yamux_release(&s.yamux[LISTENER], s.stream[LISTENER]);
    s.stream[LISTENER] = yamux_open(&s.yamux[LISTENER], &error);
    yamux_says(&s, LISTENER, "the other way");
    yamux_reset(&s.yamux[DIALER], s.stream[DIALER], 0x1002);
    yamux_settle(&s);
    yamux_release(&s.yamux[DIALER], s.stream[DIALER]);
    yamux_goaway(&s.yamux[DIALER], YAMUX_NORMAL);
    yamux_settle(&s);
    yamux_free(&s.yamux[DIALER]);
    yamux_free(&s.yamux[LISTENER]);
    assert_mem_empty(&mem);
    assert_golden("yamux.txt", t.text);
}

/* ---- protocols, one on each side of a stream --------------------------------------------------- */

/* As pair_carry, and everything is told. */
static bool carry(struct side *from, struct side *to, const char *name, uint64_t now)
{
    struct mem mem = {0};
    struct buf wire;
    buf_init(&wire, &mem, 65536);
    int rc = from->closed ? 0 : from->ops->drain(from->state, &wire);
    bool moved = wire.len > 0;
    assert_true(rc >= 0);
    if (moved) {
        add_said(now, name, buf_view(&wire));
        assert_true(side_feed(to, buf_view(&wire), now));
    }
    if (rc == PROTOCOL_CLOSE_WRITE || rc == PROTOCOL_DONE) {
        transcript_add(&t, "%u %s closes\n", (unsigned)now, name);
        from->closed = moved = true;
        side_end(to, now);
    }
    if (rc == PROTOCOL_RAW)
        transcript_add(&t, "%u %s gives the stream away\n", (unsigned)now, name);
    buf_free(&wire);
    return moved;
}

static void converse(struct pair *p, uint64_t now)
{
    bool moved;
    do {
        moved = carry(&p->dialer, &p->listener, NAMES[DIALER], now);
        moved |= carry(&p->listener, &p->dialer, NAMES[LISTENER], now);
    } while (moved);
}

static void tell_list(const char *name, const struct views *list)
{
    for (size_t i = 0; i < list->count; i++) {
        transcript_add(&t, "  %s:", name);
        add_bytes(list->at[i]);
    }
}

static void tell_identify(struct side *side, const struct protocol_event *ev)
{
    const struct identify_received *got = &ev->identify;
    (void)side;
    assert_int_equal(ev->type, IDENTIFY_RECEIVED);
    transcript_add(&t, "  identified, record %u\n", (unsigned)got->seq);
    tell_list("address", &got->addresses);
    tell_list("protocol", &got->protocols);
}

static void test_identify(void **state)
{
    (void)state;
    uint64_t seed = 2;
    struct rng rng = test_rng(&seed);
    struct mem mem = {0};
    struct identity identity;
    uint8_t key[IDENTITY_PUBLIC_LEN], addr[64];
    struct writer address = writer_of(addr, sizeof addr);
    begin_story();
    identity_generate(&rng, &identity);
    identity_public(&identity, key);
    struct peer_id peer = peer_id_of_identity(&identity);
    assert_ok(multiaddr_parse_text(view_of_text("/ip4/192.0.2.1/tcp/4001/ws"), &address, NULL));
    struct view addresses[] = {writer_view(&address)};
    struct view protocols[] = {view_of_text("/ipfs/id/1.0.0"), view_of_text("/ipfs/ping/1.0.0")};
    struct peer_record record = {.seq = 7, .addresses = {.at = addresses, .count = 1}};
    struct buf sealed;
    buf_init(&sealed, &mem, ENVELOPE_MAX_LEN);
    assert_ok(peer_record_seal(&identity, &record, &sealed));
    struct identify dialer, listener;
    struct pair p = {.dialer = {.ops = &IDENTIFY_OPS, .state = &dialer, .told = tell_identify},
                     .listener = {.ops = &IDENTIFY_OPS, .state = &listener}};
    identify_receive_init(&dialer, &mem, &PEERLET_LIMITS, &peer, 0);
    assert_ok(identify_send_init(&listener, IDENTIFY, &mem, &PEERLET_LIMITS,
                                 &(struct identify_local){
                                     .public_key = view_of(key, sizeof key),
                                     .addresses = record.addresses,
                                     .protocols = {.at = protocols, .count = 2},
                                     .agent_version = view_of_text("golden/1"),
                                     .protocol_version = view_of_text("ipfs/0.1.0"),
                                     .record = buf_view(&sealed),
                                 },
                                 0));
    converse(&p, 0);
    pair_free(&p);
    buf_free(&sealed);
    assert_mem_empty(&mem);
    assert_golden("identify.txt", t.text);
}

static void tell_signaling(struct side *side, const struct protocol_event *ev)
{
    static const char *const EVENTS[] = {"offer", "answer", "candidate", "end of candidates"};
    transcript_add(&t, "  hears %s\n", EVENTS[ev->type - SIGNALING_OFFER]);
    if (ev->type != SIGNALING_END_OF_CANDIDATES)
        add_bytes(ev->signaling.text);
    if (ev->type == SIGNALING_OFFER)
        assert_ok(signaling_answer(side->state, *(const struct view *)side->context));
}

#define SDP(setup, ufrag)                                                                          \
    "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"                      \
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n"          \
    "a=ice-ufrag:" ufrag "\r\na=ice-pwd:0123456789abcdef012345\r\n"                                \
    "a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:"                       \
    "10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\na=setup:" setup "\r\n"                     \
    "a=max-message-size:262144\r\n"

#define CANDIDATE(port)                                                                            \
    "{\"candidate\":\"candidate:1 1 udp 2113937151 192.0.2.1 " port " typ host\","                 \
    "\"sdpMid\":\"0\",\"sdpMLineIndex\":0}"

static void test_signaling(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct signaling dialer, listener;
    struct view answer = view_of_text(SDP("active", "bbbb"));
    struct pair p = {
        .dialer = {.ops = &SIGNALING_OPS, .state = &dialer, .told = tell_signaling},
        .listener = {.ops = &SIGNALING_OPS,
                     .state = &listener,
                     .told = tell_signaling,
                     .context = &answer},
    };
    begin_story();
    signaling_init(&dialer, DIALER, &mem, &PEERLET_LIMITS, 0);
    signaling_init(&listener, LISTENER, &mem, &PEERLET_LIMITS, 0);
    assert_ok(signaling_candidate(&dialer, view_of_text(CANDIDATE("50001"))));
    assert_ok(signaling_offer(&dialer, view_of_text(SDP("actpass", "aaaa"))));
    converse(&p, 0);
    assert_ok(signaling_candidate(&listener, view_of_text(CANDIDATE("50002"))));
    converse(&p, 50);
    signaling_close(&dialer);
    signaling_close(&listener);
    converse(&p, 200);
    pair_free(&p);
    assert_mem_empty(&mem);
    assert_golden("signaling.txt", t.text);
}

/* ---- circuits: the relay's half is written here ------------------------------------------------ */

static void tell_circuit(struct side *side, const struct protocol_event *ev)
{
    if (ev->type == CIRCUIT_RESERVED)
        transcript_add(&t, "  reserved until %u\n", (unsigned)ev->reserved.expire);
    else if (ev->type == CIRCUIT_CONNECTED)
        transcript_add(&t, "  connected, limited to %u s and %u bytes\n",
                       (unsigned)ev->connected.limit.duration_s,
                       (unsigned)ev->connected.limit.data);
    else if (ev->type == CIRCUIT_REFUSED)
        transcript_add(&t, "  refused: %s\n", circuit_status_text(ev->refused.status));
    else {
        char id[PEER_ID_TEXT_MAX];
        peer_id_format(&ev->stop.source, id);
        transcript_add(&t, "  called by %s\n", id);
        assert_ok(circuit_stop_answer(side->state, CIRCUIT_STATUS_OK));
    }
}

/* What is owed, then what the relay says to that. */
static void exchange(struct side *side, const char *name, const char *answer)
{
    struct mem mem = {0};
    struct buf wire;
    for (int turn = 0; turn < 2; turn++) {
        buf_init(&wire, &mem, 4096);
        int rc = side->ops->drain(side->state, &wire);
        assert_true(rc >= 0);
        if (wire.len > 0)
            add_said(0, name, buf_view(&wire));
        if (rc == PROTOCOL_RAW || rc == PROTOCOL_DONE)
            transcript_add(&t, "0 %s %s\n", name,
                           rc == PROTOCOL_RAW ? "gives the stream away" : "closes");
        buf_free(&wire);
        if (turn > 0)
            break;
        add_said(0, "relay", framed(answer));
        assert_true(side_feed(side, framed(answer), 0));
    }
    side->ops->free(side->state);
}

static void test_circuit(void **state)
{
    (void)state;
    uint64_t seed = 3;
    struct rng rng = test_rng(&seed);
    struct mem mem = {0};
    struct identity identity[2];
    begin_story();
    identity_generate(&rng, &identity[0]);
    identity_generate(&rng, &identity[1]);
    struct peer_id relay = peer_id_of_identity(&identity[0]);
    struct peer_id us = peer_id_of_identity(&identity[1]);
    struct circuit_hop hop;
    struct circuit_stop stop;
    struct side side = {.ops = &CIRCUIT_HOP_OPS, .state = &hop, .told = tell_circuit};

    assert_ok(circuit_reserve_init(&hop, &mem, &PEERLET_LIMITS, &relay, &us, 0));
    exchange(&side, "reserving node", "{0802 1a{08b960} 2864}");
    assert_ok(circuit_connect_init(&hop, &mem, &PEERLET_LIMITS, &relay, 0));
    exchange(&side, "dialling node", "{0802 22{0878 10808008} 2864}");
    assert_ok(circuit_connect_init(&hop, &mem, &PEERLET_LIMITS, &relay, 0));
    exchange(&side, "dialling node", "{0802 28cc01}");

    struct transcript call = {0};
    transcript_add(&call, "{0800 12{0a{");
    transcript_add_hex(&call, peer_id_view(&us));
    transcript_add(&call, "}} 1a{0878 10808008}}");
    side = (struct side){.ops = &CIRCUIT_STOP_OPS, .state = &stop, .told = tell_circuit};
    circuit_stop_init(&stop, &mem, &PEERLET_LIMITS, 0);
    exchange(&side, "node that is called", call.text);
    assert_mem_empty(&mem);
    assert_golden("circuit.txt", t.text);
}

/* ---- gossipsub --------------------------------------------------------------------------------- */

static void add_rpcs(struct scripted *s, uint32_t peer)
{
    static struct transcript rpcs;
    rpcs = (struct transcript){0};
    drain_parts(s, peer, 1 << 18, &rpcs, tell_part);
    for (char *line = rpcs.text; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        transcript_add(&t, "%u to %u: %.*s\n", (unsigned)(s->now - START_MS), (unsigned)peer,
                       (int)len - 2, line + 2);
        line += len + 1;
    }
}

static void hear_peer(struct scripted *s, uint32_t peer, const char *what, const char *rpc)
{
    transcript_add(&t, "%u from %u: %s\n", (unsigned)(s->now - START_MS), (unsigned)peer, what);
    say(s, peer, rpc);
    transcript_add(&t, "%s", s->heard.text);
    s->heard = (struct transcript){0};
}

/* Two peers are wanted in the mesh, at most three; four are there. */
static void test_gossipsub(void **state)
{
    (void)state;
    enum { PEERS = 4 };
    static struct scripted s;
    begin_story();
    scripted_init(&s);
    s.config.d = 2;
    s.config.d_low = 2;
    s.config.d_high = 3;
    s.config.d_score = 1;
    s.config.d_out = 0;
    scripted_begin(&s);
    assert_ok(gossipsub_subscribe(&s.g, view_of_text("t"), s.now));
    for (uint32_t i = 1; i <= PEERS; i++) {
        meet(&s, i, GOSSIPSUB_1_1, LISTENER);
        hear_peer(&s, i, "joins t", JOIN);
    }
    for (uint32_t i = 1; i <= PEERS; i++)
        add_rpcs(&s, i);
    pass(&s, 1000);
    for (uint32_t i = 1; i <= PEERS; i++)
        add_rpcs(&s, i);
    for (uint32_t i = 1; i <= PEERS; i++)
        hear_peer(&s, i, "grafts us", GRAFT);
    transcript_add(&t, "%u from 1: a message by 4\n", (unsigned)(s.now - START_MS));
    say_message(&s, 1, 4, 7, "t", "hello");
    transcript_add(&t, "%s", s.heard.text);
    s.heard = (struct transcript){0};
    for (uint32_t i = 1; i <= PEERS; i++)
        add_rpcs(&s, i);
    hear_peer(&s, 2, "has a message that is new", "{1a{0a{0a{74} 12{63306666}}}}");
    struct transcript want = {0};
    uint8_t key[IDENTITY_PUBLIC_LEN];
    identity_public(&s.identities[4], key);
    transcript_add(&want, "{1a{12{0a{");
    transcript_add_hex(&want, view_of(key, sizeof key));
    transcript_add(&want, "0000000000000007}}}}");
    hear_peer(&s, 4, "wants the message of 4", want.text);
    hear_peer(&s, 3, "prunes us for a minute", "{1a{22{0a{74} 183c}}}");
    pass(&s, 1000);
    for (uint32_t i = 1; i <= PEERS; i++)
        add_rpcs(&s, i);
    transcript_add(&t, "%u in the mesh\n", (unsigned)mesh_size(&s, "t"));
    scripted_end(&s);
    assert_golden("gossipsub.txt", t.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_multistream), cmocka_unit_test(test_noise),
        cmocka_unit_test(test_yamux),       cmocka_unit_test(test_identify),
        cmocka_unit_test(test_signaling),   cmocka_unit_test(test_circuit),
        cmocka_unit_test(test_gossipsub),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "framed.h"
#include "pair.h"

#include "crypto/crypto.h"
#include "multiformats/envelope.h"
#include "protocols/circuit.h"
#include "vectors_protocols.h"

/* The private key of the next. */
#define KEY1_PRIVATE                                                                               \
    "080112407e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d1ed1e8fae2c4a144b8be" \
    "8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"

/* KEY1 of the Peer ID specification; the peer of Ed25519 key 000102..1f; one more. */
#define KEY1 "0024080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"
#define COUNTED "002408011220000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define OTHER "002408011220eb273a8d982d9ea9d1c68501de2c7efe072a01c841debe396e3c25fb49adbc80"

/* Signed by KEY1 for COUNTED until 1700000000. */
#define VOUCHER_OF(relay, client)                                                                  \
    "0a24080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e 12020302"        \
    "1a{0a{" relay "}12{" client "}1880e2cfaa06}"
#define SIGNATURE                                                                                  \
    "2d09b271ee156b00030acf775d6558c6ee1b20027cc6766031fbee36b995001862ede8f4c4ce57736bc2869d5fb2" \
    "d3eb85cd4930a862c5d32c862fae4738f5"
#define VOUCHER VOUCHER_OF(KEY1, COUNTED) "2a{" SIGNATURE "0d}"

#define IP4 "047f00000106b485dd03" /* /ip4/127.0.0.1/tcp/46213/ws */
#define DNS "3603612e62060fa1dd03" /* /dns4/a.b/tcp/4001/ws */
#define P2P(peer) "a50326" peer
#define P2P_CIRCUIT "a202"

#define PEER_ID(name, digits)                                                                      \
    struct peer_id name;                                                                           \
    assert_ok(peer_id_parse(hex(digits), &name))

/* One line for an event of either protocol. */
static void tell(struct transcript *t, const struct protocol_event *ev)
{
    if (ev->type == CIRCUIT_REFUSED) {
        transcript_add(t, "refused %u\n", ev->refused.status);
        return;
    }
    struct circuit_limit limit;
    if (ev->type == CIRCUIT_RESERVED) {
        transcript_add(t, "until %llu", (unsigned long long)ev->reserved.expire);
        for (size_t i = 0; i < ev->reserved.addresses.count; i++) {
            transcript_add(t, " ");
            transcript_add_hex(t, ev->reserved.addresses.at[i]);
        }
        limit = ev->reserved.limit;
    } else if (ev->type == CIRCUIT_CONNECTED) {
        transcript_add(t, "connected");
        limit = ev->connected.limit;
    } else {
        assert_int_equal(ev->type, CIRCUIT_STOP);
        transcript_add(t, "asked by ");
        transcript_add_hex(t, peer_id_view(&ev->stop.source));
        limit = ev->stop.limit;
    }
    if (circuit_is_limited(limit))
        transcript_add(t, ", %u s, %llu bytes", limit.duration_s, (unsigned long long)limit.data);
    transcript_add(t, "\n");
}

enum request { RESERVE, CONNECT };

struct hop {
    struct mem mem;
    struct circuit_hop h;
    enum request request;
    struct peer_id relay, self;
};

static int hop_init(struct hop *m)
{
    if (m->request == CONNECT)
        return circuit_connect_init(&m->h, &m->mem, &PEERLET_LIMITS, &m->relay, 0);
    return circuit_reserve_init(&m->h, &m->mem, &PEERLET_LIMITS, &m->relay, &m->self, 0);
}

static void hop_begin(void *context)
{
    assert_ok(hop_init(context));
}

static int hop_feed(void *context, struct span *in, struct transcript *t)
{
    struct hop *m = context;
    struct protocol_event ev;
    int rc = CIRCUIT_HOP_OPS.feed(&m->h, in, &ev, 1);
    if (rc <= 0)
        return rc;
    tell(t, &ev);
    return FED_DONE;
}

static void hop_end(void *context)
{
    struct hop *m = context;
    CIRCUIT_HOP_OPS.free(&m->h);
    assert_mem_empty(&m->mem);
}

#define STATUS "0802"
#define OK "2864"
#define UNTIL_100 "1a{0864}"

/* What relay KEY1 answers to COUNTED, and what comes of it. */
static const struct {
    const char *name;
    enum request request;
    const char *answer, *told;
} ANSWERS[] = {
    {"reserved", RESERVE, "{" STATUS UNTIL_100 OK "}", "until 100\n"},
    {"in another order", RESERVE, "{" OK UNTIL_100 STATUS "}", "until 100\n"},
    {"unknown fields", RESERVE,
     "{" STATUS "7801 72{616263} 6d01020304 610102030405060708" UNTIL_100 OK "}", "until 100\n"},
    {"with a limit", RESERVE, "{" STATUS UNTIL_100 "22{08781080800a}" OK "}",
     "until 100, 120 s, 163840 bytes\n"},
    {"with js-libp2p's milliseconds", RESERVE, "{" STATUS UNTIL_100 "22{08c0a90710808008}" OK "}",
     "until 100, 120 s, 131072 bytes\n"},
    {"with an hour", RESERVE, "{" STATUS UNTIL_100 "22{08901c}" OK "}",
     "until 100, 3600 s, 0 bytes\n"},
    {"with more than an hour", RESERVE, "{" STATUS UNTIL_100 "22{08911c}" OK "}",
     "until 100, 120 s, 0 bytes\n"},
    {"with a limit of data only", RESERVE, "{" STATUS UNTIL_100 "22{10ffffffffffffffffff01}" OK "}",
     "until 100, 0 s, 18446744073709551615 bytes\n"},
    {"with a limit of zero", RESERVE, "{" STATUS UNTIL_100 "22{08001000}" OK "}", "until 100\n"},
    {"with an endless limit", RESERVE, "{" STATUS UNTIL_100 "22{08ffffffffffffffffff01}" OK "}",
     "until 100, 120 s, 0 bytes\n"},
    {"until the end of time", RESERVE, "{" STATUS "1a{08ffffffffffffffffff01}" OK "}",
     "until 18446744073709551615\n"},
    {"without a time", RESERVE, "{" STATUS "1a{}" OK "}", "until 0\n"},

    {"addresses", RESERVE, "{" STATUS "1a{0864 12{" IP4 "} 12{" DNS "}}" OK "}",
     "until 100 " IP4 " " DNS "\n"},
    {"addresses that name the relay", RESERVE,
     "{" STATUS "1a{0864 12{" IP4 P2P(KEY1) "} 12{" DNS P2P(KEY1) P2P(KEY1) "}}" OK "}",
     "until 100 " IP4 " " DNS "\n"},
    {"addresses that name others", RESERVE,
     "{" STATUS "1a{0864 12{" IP4 P2P(OTHER) "} 12{" IP4 P2P(OTHER) P2P(KEY1) "} 12{" DNS "}}" OK
                                                                              "}",
     "until 100 " DNS "\n"},
    {"addresses through a relay", RESERVE,
     "{" STATUS "1a{0864 12{" IP4 P2P(KEY1) P2P_CIRCUIT "} 12{" P2P_CIRCUIT "} 12{" DNS "}}" OK "}",
     "until 100 " DNS "\n"},
    {"addresses that are none", RESERVE,
     "{" STATUS "1a{0864 12{} 12{ff} 12{047f} 12{" P2P(KEY1) "} 12{" DNS "}}" OK "}",
     "until 100 " DNS "\n"},

    {"a voucher", RESERVE, "{" STATUS "1a{0864 1a{" VOUCHER "}}" OK "}", "until 100\n"},
    {"an empty voucher", RESERVE, "{" STATUS "1a{0864 1a{}}" OK "}", "until 100\n"},
    {"a voucher that is none", RESERVE, "{" STATUS "1a{0864 1a{00}}" OK "}", "BAD_SIGNATURE\n"},
    {"a voucher with one bit changed", RESERVE,
     "{" STATUS "1a{0864 1a{" VOUCHER_OF(KEY1, COUNTED) "2a{" SIGNATURE "0c}}}" OK "}",
     "BAD_SIGNATURE\n"},
    {"a voucher for another peer", RESERVE,
     "{" STATUS "1a{0864 1a{" VOUCHER_OF(KEY1, OTHER) "2a{" SIGNATURE "0d}}}" OK "}",
     "BAD_SIGNATURE\n"},
    {"another relay's voucher", RESERVE,
     "{" STATUS "1a{0864 1a{" JS_RELAY_VOUCHER_ENVELOPE "}}" OK "}", "BAD_SIGNATURE\n"},
    {"a peer record for a voucher", RESERVE,
     "{" STATUS "1a{0864 1a{" JS_PEER_RECORD_ENVELOPE "}}" OK "}", "BAD_SIGNATURE\n"},

    {"accepted without a reservation", RESERVE, "{" STATUS OK "}", "PROTOCOL\n"},
    {"a request for an answer", RESERVE, "{0800" UNTIL_100 OK "}", "PROTOCOL\n"},
    {"no type", RESERVE, "{" UNTIL_100 OK "}", "PROTOCOL\n"},
    {"no status", RESERVE, "{" STATUS UNTIL_100 "}", "refused 0\n"},
    {"an empty message", RESERVE, "{}", "PROTOCOL\n"},
    {"no protobuf", RESERVE, "{ffff}", "PROTOCOL\n"},
    {"a length past the end", RESERVE, "{1aff}", "PROTOCOL\n"},
    {"4097 bytes", RESERVE, "8120", "TOO_BIG\n"},
    {"a status of its own", RESERVE, "{" STATUS "28ffffffff0f}", "refused 4294967295\n"},

    {"connected", CONNECT, "{" JS_RELAY_HOP_STATUS_OK "}", "connected\n"},
    {"connected, limited", CONNECT, "{" JS_RELAY_CONNECT_STATUS_OK_LIMITED "}",
     "connected, 120 s, 131072 bytes\n"},
    {"connected, and a reservation nobody asked for", CONNECT,
     "{" STATUS "1a{0864 12{" IP4 "}}" OK "}", "connected\n"},
    {"status 200", CONNECT, "{" JS_RELAY_HOP_STATUS_RESERVATION_REFUSED "}", "refused 200\n"},
    {"status 201", CONNECT, "{" JS_RELAY_HOP_STATUS_RESOURCE_LIMIT_EXCEEDED "}", "refused 201\n"},
    {"status 202", CONNECT, "{" JS_RELAY_HOP_STATUS_PERMISSION_DENIED "}", "refused 202\n"},
    {"status 203", CONNECT, "{" JS_RELAY_HOP_STATUS_CONNECTION_FAILED "}", "refused 203\n"},
    {"status 204", CONNECT, "{" JS_RELAY_HOP_STATUS_NO_RESERVATION "}", "refused 204\n"},
    {"status 400", CONNECT, "{" JS_RELAY_HOP_STATUS_MALFORMED_MESSAGE "}", "refused 400\n"},
    {"status 401", CONNECT, "{" JS_RELAY_HOP_STATUS_UNEXPECTED_MESSAGE "}", "refused 401\n"},
};

static void test_answers(void **state)
{
    (void)state;
    PEER_ID(relay, KEY1);
    PEER_ID(self, COUNTED);
    EACH_ROW(i, ANSWERS) {
        struct hop m = {.request = ANSWERS[i].request, .relay = relay, .self = self};
        const struct fed fed = {hop_begin, hop_feed, hop_end, &m};
        feed_three_ways(&fed, framed(ANSWERS[i].answer), ANSWERS[i].told);
    }
}

static void test_reservation_of_js(void **state)
{
    (void)state;
    struct hop m = {.request = RESERVE};
    const struct fed fed = {hop_begin, hop_feed, hop_end, &m};
    assert_ok(peer_id_from_key(hex(JS_KEYS_RELAY_PUBLIC), &m.relay));
    assert_ok(peer_id_from_key(hex(JS_KEYS_ALICE_PUBLIC), &m.self));
    feed_three_ways(&fed, framed("{" JS_RELAY_RESERVE_STATUS_OK "}"),
                    "until 1790003600 047f000001060fa2dd03, 120 s, 131072 bytes\n");
}

/* Well signed by KEY1, which is the relay, and yet not our voucher. */
static void test_voucher_about_others(void **state)
{
    (void)state;
    static const struct {
        const char *name, *voucher, *told;
    } cases[] = {
        {"ours", "0a{" KEY1 "} 12{" COUNTED "}", "until 100\n"},
        {"of another relay", "0a{" OTHER "} 12{" COUNTED "}", "BAD_SIGNATURE\n"},
        {"for another peer", "0a{" KEY1 "} 12{" OTHER "}", "BAD_SIGNATURE\n"},
        {"without a relay", "12{" COUNTED "}", "BAD_SIGNATURE\n"},
        {"without a peer", "0a{" KEY1 "}", "BAD_SIGNATURE\n"},
        {"no protobuf", "ff", "BAD_SIGNATURE\n"},
    };
    struct hop m = {.request = RESERVE};
    const struct fed fed = {hop_begin, hop_feed, hop_end, &m};
    struct identity id;
    assert_ok(identity_parse(hex(KEY1_PRIVATE), &id));
    assert_ok(peer_id_parse(hex(KEY1), &m.relay));
    assert_ok(peer_id_parse(hex(COUNTED), &m.self));
    EACH_ROW(i, cases) {
        uint8_t bytes[512];
        struct writer w = writer_of(bytes, sizeof bytes);
        struct buf sealed;
        buf_init(&sealed, &m.mem, sizeof bytes);
        assert_ok(envelope_seal(&id, "libp2p-relay-rsvp", hex("0302"), framed(cases[i].voucher),
                                &sealed));
        put(&w, hex("0864 1a"));
        put_delimited(&w, buf_view(&sealed));
        buf_free(&sealed);
        framed_close(&w, 0);
        struct span reservation = test_copy(writer_view(&w));
        w = writer_of(bytes, sizeof bytes);
        put(&w, hex(STATUS OK "1a"));
        put(&w, view_of_span(reservation));
        framed_close(&w, 0);
        feed_three_ways(&fed, writer_view(&w), cases[i].told);
    }
}

static const struct stream_vector *recorded(const char *node, const char *protocol)
{
    const struct stream_vector *found = NULL;
    for (size_t i = 0; i < ARRAY_LEN(STREAM_VECTORS); i++)
        if (strcmp(STREAM_VECTORS[i].node, node) == 0 &&
            strcmp(STREAM_VECTORS[i].protocol, protocol) == 0)
            found = &STREAM_VECTORS[i];
    assert_non_null(found);
    return found;
}

/* Bob reserves, alice connects to him: the streams of a run of js-libp2p, raw bytes and all. */
static void test_recorded_hop(void **state)
{
    (void)state;
    static struct transcript t;
    struct hop bob = {.request = RESERVE}, alice = {.request = CONNECT};
    assert_ok(peer_id_from_key(hex(JS_KEYS_RELAY_PUBLIC), &bob.relay));
    assert_ok(peer_id_from_key(hex(JS_KEYS_BOB_PUBLIC), &bob.self));
    const struct fed reserving = {hop_begin, hop_feed, hop_end, &bob};
    feed_three_ways(&reserving, hex(recorded("bob", CIRCUIT_HOP_OPS.name)->rx),
                    "until 1795416462 047f00000106b485dd03, 120 s, 131072 bytes\n");

    alice.relay = bob.self;
    hop_begin(&alice);
    struct span in = test_copy(hex(recorded("alice", CIRCUIT_HOP_OPS.name)->rx));
    assert_code(hop_feed(&alice, &in, &t), FED_DONE);
    assert_string_equal(t.text, "connected, 120 s, 131072 bytes\n");
    assert_memory_equal(in.data, "\x13/multistream/1.0.0\n", 20);
    size_t left = in.len;
    struct protocol_event ev;
    assert_ok(CIRCUIT_HOP_OPS.feed(&alice.h, &in, &ev, 1));
    assert_int_equal(in.len, left);
    hop_end(&alice);
}

static void test_requests(void **state)
{
    (void)state;
    struct hop m = {.request = RESERVE};
    m.relay = m.self = (struct peer_id){0};
    struct buf out;
    buf_init(&out, &m.mem, 64);
    hop_begin(&m);
    assert_code(CIRCUIT_HOP_OPS.drain(&m.h, &out), PROTOCOL_OPEN);
    assert_view_hex(buf_view(&out), "020800");
    CIRCUIT_HOP_OPS.free(&m.h);

    buf_truncate(&out, 0);
    m.request = CONNECT;
    assert_ok(peer_id_parse(hex(KEY1), &m.relay));
    hop_begin(&m);
    assert_code(CIRCUIT_HOP_OPS.drain(&m.h, &out), PROTOCOL_OPEN);
    assert_view_hex(buf_view(&out), "2c080112280a26" KEY1);
    CIRCUIT_HOP_OPS.free(&m.h);
    buf_free(&out);
    assert_mem_empty(&m.mem);
}

/* What becomes of the stream: done after a reservation or a refusal, raw once connected. */
static void test_stream_after_the_answer(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum request request;
        const char *answer;
        enum protocol_stream stream;
    } cases[] = {
        {"reserved", RESERVE, "{" STATUS UNTIL_100 OK "}", PROTOCOL_DONE},
        {"refused", RESERVE, "{" STATUS "28c901}", PROTOCOL_DONE},
        {"connected", CONNECT, "{" STATUS OK "}", PROTOCOL_RAW},
        {"not connected", CONNECT, "{" STATUS "28cc01}", PROTOCOL_DONE},
    };
    EACH_ROW(i, cases) {
        struct hop m = {.request = cases[i].request};
        struct protocol_event ev;
        struct buf out;
        buf_init(&out, &m.mem, 64);
        hop_begin(&m);
        assert_code(CIRCUIT_HOP_OPS.drain(&m.h, &out), PROTOCOL_OPEN);
        struct span in = test_copy(framed(cases[i].answer));
        assert_code(CIRCUIT_HOP_OPS.feed(&m.h, &in, &ev, 1), 1);
        assert_code(CIRCUIT_HOP_OPS.drain(&m.h, &out), (int)cases[i].stream);
        assert_true(CIRCUIT_HOP_OPS.deadline(&m.h) == NEVER);
        assert_ok(CIRCUIT_HOP_OPS.end(&m.h, &ev, 2));
        buf_free(&out);
        hop_end(&m);
    }
}

static void test_stalled_relay(void **state)
{
    (void)state;
    struct hop m = {.request = RESERVE};
    struct protocol_event ev;
    hop_begin(&m);
    assert_int_equal(CIRCUIT_HOP_OPS.deadline(&m.h), PEERLET_LIMITS.circuit_ms);
    assert_ok(CIRCUIT_HOP_OPS.tick(&m.h, PEERLET_LIMITS.circuit_ms - 1));
    assert_code(CIRCUIT_HOP_OPS.tick(&m.h, PEERLET_LIMITS.circuit_ms), ERR_TIMEOUT);
    assert_code(CIRCUIT_HOP_OPS.end(&m.h, &ev, 1), ERR_PROTOCOL);
    hop_end(&m);
}

static void test_addresses_past_the_limit_are_left_out(void **state)
{
    (void)state;
    uint8_t bytes[1024];
    struct writer body = writer_of(bytes, sizeof bytes);
    for (size_t i = 0; i < PEERLET_LIMITS.addresses + 1; i++)
        put(&body, framed("12{" DNS "}"));
    assert_false(body.failed);

    uint8_t message[2048];
    struct writer w = writer_of(message, sizeof message);
    put(&w, hex("1a"));
    put_delimited(&w, writer_view(&body));
    put(&w, hex(STATUS OK));
    struct span in = span_of(message, w.len);
    framed_close(&w, 0);
    in.len = w.len;

    struct hop m = {.request = RESERVE};
    struct protocol_event ev;
    hop_begin(&m);
    assert_code(CIRCUIT_HOP_OPS.feed(&m.h, &in, &ev, 1), 1);
    assert_int_equal(ev.reserved.addresses.count, PEERLET_LIMITS.addresses);
    hop_end(&m);
}

static void test_time_to_live(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t expire, unix_s;
        uint32_t ttl_s;
    } cases[] = {
        {"an hour", 1700003600, 1700000000, 3600},
        {"over", 1699999999, 1700000000, 60},
        {"just over", 1700000000, 1700000000, 60},
        {"never said", 0, 1700000000, 60},
        {"a second", 1700000001, 1700000000, 60},
        {"a day", 1700086400, 1700000000, 86400},
        {"a day and a second", 1700086401, 1700000000, 86400},
        {"in milliseconds", 1700003600000, 1700000000, 86400},
        {"until the end of time", UINT64_MAX, 1700000000, 86400},
        {"our clock at its end", 1700003600, UINT64_MAX, 60},
    };
    EACH_ROW(i, cases)
        assert_int_equal(circuit_ttl_s(&PEERLET_LIMITS, cases[i].expire, cases[i].unix_s),
                         cases[i].ttl_s);
}

static void test_status_text(void **state)
{
    (void)state;
#define ASSERT_NAMED(name, number, text)                                                           \
    assert_string_equal(circuit_status_text(number), #name " (" #number "): " text);
    CIRCUIT_STATUS_MAP(ASSERT_NAMED)
#undef ASSERT_NAMED
    assert_string_equal(circuit_status_text(204),
                        "NO_RESERVATION (204): that peer is not connected to this relay right now");
    assert_string_equal(circuit_status_text(UINT32_MAX), circuit_status_text(999));
}

struct stop {
    struct mem mem;
    struct circuit_stop s;
    struct transcript *t;
    bool failed;
};

static void stop_begin(void *context)
{
    struct stop *m = context;
    circuit_stop_init(&m->s, &m->mem, &PEERLET_LIMITS, 0);
    m->failed = false;
}

static int stop_feed(void *context, struct span *in, struct transcript *t)
{
    struct stop *m = context;
    struct protocol_event ev;
    int rc = CIRCUIT_STOP_OPS.feed(&m->s, in, &ev, 1);
    m->t = t;
    m->failed = rc < 0;
    if (rc > 0)
        tell(t, &ev);
    return rc > 0 || m->s.state == CIRCUIT_STOP_REFUSED ? FED_DONE : rc;
}

/* Adds what the machine answered by itself, and what became of the stream. */
static void stop_end(void *context)
{
    struct stop *m = context;
    struct buf out;
    buf_init(&out, &m->mem, 64);
    if (!m->failed && CIRCUIT_STOP_OPS.drain(&m->s, &out) == PROTOCOL_DONE) {
        transcript_add(m->t, "answered ");
        transcript_add_hex(m->t, buf_view(&out));
        transcript_add(m->t, "\n");
    }
    buf_free(&out);
    CIRCUIT_STOP_OPS.free(&m->s);
    assert_mem_empty(&m->mem);
}

#define MALFORMED "answered 050801209003\n"
#define UNEXPECTED "answered 050801209103\n"

/* What a relay asks, and what comes of it. */
static const struct {
    const char *name, *asked, *told;
} CALLS[] = {
    {"a call", "{0800 12{0a{" KEY1 "}}}", "asked by " KEY1 "\n"},
    {"a limited call", "{0800 12{0a{" KEY1 "}} 1a{0878 10808008}}",
     "asked by " KEY1 ", 120 s, 131072 bytes\n"},
    {"js-libp2p's milliseconds", "{0800 12{0a{" KEY1 "}} 1a{08c0a907}}",
     "asked by " KEY1 ", 120 s, 0 bytes\n"},
    {"with addresses", "{0800 12{0a{" KEY1 "} 12{" IP4 "}}}", "asked by " KEY1 "\n"},
    {"no type", "{12{0a{" KEY1 "}}}", MALFORMED},
    {"no peer", "{0800}", MALFORMED},
    {"no peer id", "{0800 12{}}", MALFORMED},
    {"a peer id that is none", "{0800 12{0a{00}}}", MALFORMED},
    {"no protobuf", "{ffff}", MALFORMED},
    {"an empty message", "{}", MALFORMED},
    {"a status nobody waits for", "{0801 2064}", UNEXPECTED},
    {"an unknown type", "{0802 12{0a{" KEY1 "}}}", UNEXPECTED},
    {"4097 bytes", "8120", "TOO_BIG\n"},
};

static void test_calls(void **state)
{
    (void)state;
    struct stop m = {0};
    const struct fed fed = {stop_begin, stop_feed, stop_end, &m};
    EACH_ROW(i, CALLS)
        feed_three_ways(&fed, framed(CALLS[i].asked), CALLS[i].told);
}

/* Alice calls bob in a run of js-libp2p: we answer as he did and leave what follows alone. */
static void test_recorded_stop(void **state)
{
    (void)state;
    static struct transcript t;
    const struct stream_vector *call = recorded("bob", CIRCUIT_STOP_OPS.name);
    struct stop m = {0};
    struct buf out;
    buf_init(&out, &m.mem, 64);
    stop_begin(&m);
    struct span in = test_copy(hex(call->rx));
    assert_code(stop_feed(&m, &in, &t), FED_DONE);
    assert_string_equal(t.text, "asked by 0024" JS_KEYS_ALICE_PUBLIC ", 120 s, 131072 bytes\n");
    assert_memory_equal(in.data, "\x13/multistream/1.0.0\n", 20);
    assert_code(CIRCUIT_STOP_OPS.drain(&m.s, &out), PROTOCOL_OPEN);
    assert_ok(circuit_stop_answer(&m.s, CIRCUIT_STATUS_OK));
    assert_code(CIRCUIT_STOP_OPS.drain(&m.s, &out), PROTOCOL_RAW);
    assert_view_hex(buf_view(&out), "0408012064");
    assert_memory_equal(out.data, hex(call->tx).data, out.len);
    assert_true(CIRCUIT_STOP_OPS.deadline(&m.s) == NEVER);
    buf_free(&out);
    stop_end(&m);
}

static void test_refusing(void **state)
{
    (void)state;
    struct stop m = {0};
    struct protocol_event ev;
    struct buf out;
    buf_init(&out, &m.mem, 64);
    stop_begin(&m);
    assert_code(circuit_stop_answer(&m.s, CIRCUIT_STATUS_OK), ERR_STREAM_STATE);
    struct span in = test_copy(framed(CALLS[0].asked));
    assert_code(CIRCUIT_STOP_OPS.feed(&m.s, &in, &ev, 1), 1);
    assert_ok(circuit_stop_answer(&m.s, CIRCUIT_STATUS_PERMISSION_DENIED));
    assert_code(circuit_stop_answer(&m.s, CIRCUIT_STATUS_OK), ERR_STREAM_STATE);
    assert_code(CIRCUIT_STOP_OPS.drain(&m.s, &out), PROTOCOL_DONE);
    assert_view_hex(buf_view(&out), "05080120ca01");
    buf_free(&out);
    CIRCUIT_STOP_OPS.free(&m.s);
    assert_mem_empty(&m.mem);
}

static void test_stalled_call(void **state)
{
    (void)state;
    struct stop m = {0};
    struct protocol_event ev;
    stop_begin(&m);
    assert_int_equal(CIRCUIT_STOP_OPS.deadline(&m.s), PEERLET_LIMITS.circuit_ms);
    assert_code(CIRCUIT_STOP_OPS.tick(&m.s, PEERLET_LIMITS.circuit_ms), ERR_TIMEOUT);
    assert_code(CIRCUIT_STOP_OPS.end(&m.s, &ev, 1), ERR_PROTOCOL);
    CIRCUIT_STOP_OPS.free(&m.s);
    assert_mem_empty(&m.mem);
}

/* A reservation with a voucher, and a call, byte by byte. */
static void one_of_each(struct mem *mem, void *context)
{
    const struct view *input = context;
    struct circuit_hop h;
    struct circuit_stop s;
    struct protocol_event ev;
    struct peer_id relay, self;
    assert_ok(peer_id_parse(hex(KEY1), &relay));
    assert_ok(peer_id_parse(hex(COUNTED), &self));
    int rc = circuit_reserve_init(&h, mem, &PEERLET_LIMITS, &relay, &self, 0);
    for (size_t i = 0; rc == 0 && i < input[0].len; i++) {
        struct span in = test_copy(view_of(input[0].data + i, 1));
        rc = CIRCUIT_HOP_OPS.feed(&h, &in, &ev, 1);
    }
    assert_true(rc == 1 || rc == ERR_NOMEM);
    CIRCUIT_HOP_OPS.free(&h);

    circuit_stop_init(&s, mem, &PEERLET_LIMITS, 0);
    rc = 0;
    for (size_t i = 0; rc == 0 && i < input[1].len; i++) {
        struct span in = test_copy(view_of(input[1].data + i, 1));
        rc = CIRCUIT_STOP_OPS.feed(&s, &in, &ev, 1);
    }
    if (rc == 1)
        rc = circuit_stop_answer(&s, CIRCUIT_STATUS_OK);
    assert_true(rc == 0 || rc == ERR_NOMEM);
    CIRCUIT_STOP_OPS.free(&s);
}

static void test_allocations(void **state)
{
    (void)state;
    struct view input[] = {
        framed("{" STATUS "1a{0864 1a{" VOUCHER "}}" OK "}"),
        framed(CALLS[0].asked),
    };
    assert_true(fail_each_allocation(one_of_each, input) >= 5);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_reservation_of_js),
        cmocka_unit_test(test_voucher_about_others),
        cmocka_unit_test(test_recorded_hop),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_stream_after_the_answer),
        cmocka_unit_test(test_stalled_relay),
        cmocka_unit_test(test_addresses_past_the_limit_are_left_out),
        cmocka_unit_test(test_time_to_live),
        cmocka_unit_test(test_status_text),
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_recorded_stop),
        cmocka_unit_test(test_refusing),
        cmocka_unit_test(test_stalled_call),
        cmocka_unit_test(test_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

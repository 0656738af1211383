#include "framed.h"
#include "pair.h"

#include "crypto/crypto.h"
#include "multiformats/envelope.h"
#include "protocols/identify.h"
#include "vectors_protocols.h"

#define ALICE JS_KEYS_ALICE_PUBLIC
#define BOB JS_KEYS_BOB_PUBLIC
#define RELAY JS_KEYS_RELAY_PUBLIC

/* KEY1 of the Peer ID specification. */
#define KEY1_PRIVATE                                                                               \
    "080112407e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d1ed1e8fae2c4a144b8be" \
    "8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"
#define KEY1 "080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"

#define LOCAL "047f000001062328dd03" /* /ip4/127.0.0.1/tcp/9000/ws */
#define REMOTE "0401020304060bb8"    /* /ip4/1.2.3.4/tcp/3000 */
#define PING "2f697066732f70696e672f312e302e30"

static struct peer_id peer_of(const char *public_key)
{
    struct peer_id id;
    assert_ok(peer_id_from_key(hex(public_key), &id));
    return id;
}

static void tell_text(struct transcript *t, const char *label, struct view text)
{
    if (text.data != NULL)
        transcript_add(t, "%s %.*s\n", label, (int)text.len, (const char *)text.data);
}

static void tell_hex(struct transcript *t, const char *label, struct view bytes)
{
    if (bytes.data == NULL)
        return;
    transcript_add(t, "%s ", label);
    transcript_add_hex(t, bytes);
    transcript_add(t, "\n");
}

/* Everything but the record itself, one line each. */
static void tell(struct transcript *t, const struct protocol_event *ev)
{
    const struct identify_received *told = &ev->identify;
    assert_int_equal(ev->type, IDENTIFY_RECEIVED);
    tell_hex(t, "key", told->public_key);
    for (size_t i = 0; i < told->addresses.count; i++)
        tell_hex(t, "address", told->addresses.at[i]);
    for (size_t i = 0; i < told->protocols.count; i++)
        tell_text(t, "protocol", told->protocols.at[i]);
    tell_hex(t, "observed", told->observed);
    tell_text(t, "agent", told->agent_version);
    tell_text(t, "version", told->protocol_version);
    if (told->record.data != NULL)
        transcript_add(t, "seq %llu\n", (unsigned long long)told->seq);
    transcript_add(t, "over\n");
}

struct listener {
    struct mem mem;
    struct identify i;
    struct peer_id peer;
    struct transcript *t;
    bool failed;
};

static void begin(void *context)
{
    struct listener *m = context;
    identify_receive_init(&m->i, &m->mem, &PEERLET_LIMITS, &m->peer, 0);
}

static int feed(void *context, struct span *in, struct transcript *t)
{
    struct listener *m = context;
    struct protocol_event ev;
    int rc = IDENTIFY_OPS.feed(&m->i, in, &ev, 1);
    m->t = t;
    m->failed = rc < 0;
    assert_true(rc <= 0);
    return rc;
}

/* The peer closes its half: the event comes now. */
static void end(void *context)
{
    struct listener *m = context;
    struct protocol_event ev;
    int rc = m->failed ? 0 : IDENTIFY_OPS.end(&m->i, &ev, 1);
    if (rc < 0)
        transcript_add(m->t, "%s\n", err_name(rc));
    else if (!m->failed)
        tell(m->t, &ev);
    IDENTIFY_OPS.free(&m->i);
    assert_mem_empty(&m->mem);
}

#define EMPTY16 "{}{}{}{}{}{}{}{}{}{}"

/* What alice says, and what comes up. */
static const struct {
    const char *name, *said, *told;
} SAID[] = {
    {"a message of js-libp2p", "{" JS_IDENTIFY_MESSAGE "}",
     "key " ALICE "\n"
     "address 047f000001060fa1\n"
     "address 04010203040601bbc003dd03a2029902\n"
     "address "
     "2920010db800000000000000000000000191020fa1cd03d103d203221220c3ab8ff13720e8ad9047dd3946"
     "6b3c8974e592c2fa383d4a3960714caef0c4f2\n"
     "protocol /ipfs/id/1.0.0\n"
     "protocol /ipfs/ping/1.0.0\n"
     "protocol /meshsub/1.2.0\n"
     "protocol /webrtc-signaling/0.0.1\n"
     "observed 04090807060615b3\n"
     "agent vector/1.0\n"
     "version ipfs/0.1.0\n"
     "seq 1790000000000\n"
     "over\n"},
    {"nothing but a frame", "{}", "over\n"},
    {"a key", "{0a{" ALICE "}}", "key " ALICE "\nover\n"},
    {"unknown fields", "{3801 7a{0102} 8d0101020304 890101020304050607 08 32{61}}",
     "agent a\nover\n"},

    {"two messages: lists grow, the last scalar wins",
     "{12{" LOCAL "} 1a{" PING "} 32{61} 2a{62}} {12{" REMOTE "} 1a{63} 32{64}}",
     "address " LOCAL "\naddress " REMOTE "\nprotocol /ipfs/ping/1.0.0\nprotocol c\n"
     "agent d\nversion b\nover\n"},
    {"the record by itself, as go sends a long one",
     "{12{" LOCAL "}} {42{" JS_PEER_RECORD_ENVELOPE "}}",
     "address 047f000001060fa1\n"
     "address 04010203040601bbc003dd03a2029902\n"
     "address "
     "2920010db800000000000000000000000191020fa1cd03d103d203221220c3ab8ff13720e8ad9047dd3946"
     "6b3c8974e592c2fa383d4a3960714caef0c4f2\n"
     "seq 1790000000000\nover\n"},
    {"ten messages", EMPTY16, "over\n"},
    {"eleven messages", EMPTY16 "{}", "TOO_BIG\n"},

    {"another's key", "{0a{" BOB "}}", "WRONG_PEER\n"},
    {"a key that is none", "{0a{0801}}", "BAD_KEY\n"},
    {"an empty key", "{0a{}}", "BAD_KEY\n"},
    {"a record that is none", "{12{" LOCAL "} 42{00}}", "address " LOCAL "\nover\n"},
    {"a voucher for a record", "{12{" LOCAL "} 42{" JS_RELAY_VOUCHER_ENVELOPE "}}",
     "address " LOCAL "\nover\n"},

    {"addresses that are none",
     "{12{} 12{ff} 12{047f} 12{" LOCAL "} 12{" LOCAL "00} 22{" LOCAL "ff}}",
     "address " LOCAL "\nover\n"},
    {"observed, then not", "{22{" LOCAL "}} {22{}}", "over\n"},
    {"a protocol without a name", "{1a{} 1a{61}}", "protocol a\nover\n"},
    {"text that is not UTF-8 is not ours to judge", "{32{c3}}", "agent \xc3\nover\n"},

    {"not a word", "", "PROTOCOL\n"},
    {"half a length", "80", "PROTOCOL\n"},
    {"half a message", "{}0432", "PROTOCOL\n"},
    {"no protobuf", "{ffff}", "PROTOCOL\n"},
    {"a field past the end", "{32ff}", "PROTOCOL\n"},
    {"8193 bytes", "8140", "TOO_BIG\n"},
    {"a length that is none", "ffffffffffffffffffff", "PROTOCOL\n"},
};

static void test_said(void **state)
{
    (void)state;
    struct listener m = {.peer = peer_of(ALICE)};
    const struct fed fed = {begin, feed, end, &m};
    EACH_ROW(i, SAID)
        feed_three_ways(&fed, framed(SAID[i].said), SAID[i].told);
}

/* Alice's record is no use from bob: his unsigned addresses stand. */
static void test_record_of_another(void **state)
{
    (void)state;
    struct listener m = {.peer = peer_of(BOB)};
    const struct fed fed = {begin, feed, end, &m};
    feed_three_ways(&fed, framed("{12{" LOCAL "} 42{" JS_PEER_RECORD_ENVELOPE "}}"),
                    "address " LOCAL "\nover\n");
}

/* rust-libp2p once signed its records under another domain. */
static void test_record_of_old_rust(void **state)
{
    (void)state;
    struct listener m = {.peer = peer_of(KEY1)};
    const struct fed fed = {begin, feed, end, &m};
    struct identity id;
    struct buf envelope;
    assert_ok(identity_parse(hex(KEY1_PRIVATE), &id));
    buf_init(&envelope, &m.mem, 1024);
    assert_ok(envelope_seal(&id, "libp2p-routing-state",
                            view_of_text("/libp2p/routing-state-record"),
                            framed("0a{0024" KEY1 "} 1005 1a{0a{" REMOTE "}}"), &envelope));
    uint8_t message[1024];
    struct writer w = writer_of(message, sizeof message);
    put(&w, framed("12{" LOCAL "} 42"));
    put_delimited(&w, buf_view(&envelope));
    framed_close(&w, 0);
    buf_free(&envelope);
    feed_three_ways(&fed, writer_view(&w), "address " REMOTE "\nseq 5\nover\n");
}

/* Each stream of a run of js-libp2p is understood by us as by the peer it was meant for. */
static void test_recorded(void **state)
{
    (void)state;
    static const struct {
        const char *node, *peer, *key;
    } speakers[] = {
        {"alice", ALICE, "key " ALICE}, {"bob", BOB, "key " BOB}, {"relay", RELAY, "key " RELAY}};
    static struct transcript t;
    size_t told = 0;
    EACH_ROW(i, STREAM_VECTORS) {
        const struct stream_vector *v = &STREAM_VECTORS[i];
        bool push = strcmp(v->protocol, IDENTIFY_PUSH_OPS.name) == 0;
        if (!push && strcmp(v->protocol, IDENTIFY_OPS.name) != 0)
            continue;
        bool said_here = push == (strcmp(v->dir, "outbound") == 0);
        struct span in = test_copy(hex(said_here ? v->tx : v->rx));
        size_t understood = 0;
        for (size_t s = 0; s < ARRAY_LEN(speakers); s++) {
            struct listener m = {.peer = peer_of(speakers[s].peer)};
            struct span copy = test_copy(view_of_span(in));
            t = (struct transcript){0};
            begin(&m);
            assert_ok(feed(&m, &copy, &t));
            end(&m);
            bool agreed = strstr(t.text, "over\n") != NULL;
            if (agreed) {
                assert_non_null(strstr(t.text, "protocol /ipfs/ping/1.0.0\n"));
                assert_non_null(strstr(t.text, "agent js-libp2p/3.3.11 node/24.21.0\n"));
                assert_int_equal(push, strstr(t.text, speakers[s].key) == NULL);
            } else {
                assert_string_equal(t.text, "WRONG_PEER\n");
            }
            understood += agreed;
        }
        assert_int_equal(understood, push ? ARRAY_LEN(speakers) : 1);
        told++;
    }
    assert_int_equal(told, 12);
}

/* Many addresses and protocols: those of the limits are kept, in memory that does not grow. */
static void test_bomb(void **state)
{
    (void)state;
    static uint8_t bytes[8192];
    struct listener m = {.peer = peer_of(ALICE)};
    struct protocol_event ev;
    begin(&m);
    for (uint32_t n = 0; n < PEERLET_LIMITS.identify_messages; n++) {
        struct writer w = writer_of(bytes, sizeof bytes);
        while (w.len < 8000)
            put(&w, hex("120104 1208" REMOTE "1a0161"));
        framed_close(&w, 0);
        struct span in = span_of(bytes, w.len);
        assert_ok(IDENTIFY_OPS.feed(&m.i, &in, &ev, 1));
    }
    assert_code(IDENTIFY_OPS.end(&m.i, &ev, 1), 1);
    assert_true(ev.identify.addresses.count <= PEERLET_LIMITS.identify_addresses);
    assert_int_equal(ev.identify.addresses.count, PEERLET_LIMITS.identify_addresses / 2);
    assert_int_equal(ev.identify.protocols.count, PEERLET_LIMITS.identify_protocols);
    assert_true(m.mem.peak <= 3 * 80000);
    IDENTIFY_OPS.free(&m.i);
    assert_mem_empty(&m.mem);
}

static void test_long_protocol_name(void **state)
{
    (void)state;
    uint8_t bytes[1024], name[300];
    memset(name, 'x', sizeof name);
    struct writer w = writer_of(bytes, sizeof bytes);
    for (size_t len = PEERLET_LIMITS.protocol_name; len <= PEERLET_LIMITS.protocol_name + 1;
         len++) {
        put(&w, hex("1a"));
        put_delimited(&w, view_of(name, len));
    }
    framed_close(&w, 0);
    struct listener m = {.peer = peer_of(ALICE)};
    struct protocol_event ev;
    struct span in = span_of(bytes, w.len);
    begin(&m);
    assert_ok(IDENTIFY_OPS.feed(&m.i, &in, &ev, 1));
    assert_code(IDENTIFY_OPS.end(&m.i, &ev, 1), 1);
    assert_int_equal(ev.identify.protocols.count, 1);
    assert_int_equal(ev.identify.protocols.at[0].len, PEERLET_LIMITS.protocol_name);
    IDENTIFY_OPS.free(&m.i);
}

/* Lists of what KEY1 says of itself. */
struct local {
    struct view addresses[40], protocols[1];
    struct identify_local told;
};

static void local_init(struct local *l, size_t addresses)
{
    *l = (struct local){0};
    for (size_t i = 0; i < addresses; i++)
        l->addresses[i] = hex(LOCAL);
    l->protocols[0] = view_of_text("/ipfs/ping/1.0.0");
    l->told = (struct identify_local){
        .public_key = hex(KEY1),
        .addresses = {l->addresses, addresses, 0, 0},
        .protocols = {l->protocols, 1, 0, 0},
        .agent_version = view_of_text("c-libp2p/0.1"),
        .protocol_version = view_of_text("ipfs/0.1.0"),
    };
}

/* Drains the one message into static memory, its length stripped. */
static struct view message_of(struct identify *i)
{
    static uint8_t bytes[8192];
    struct mem mem = {0};
    struct buf out;
    buf_init(&out, &mem, sizeof bytes);
    assert_code(IDENTIFY_OPS.drain(i, &out), PROTOCOL_CLOSE_WRITE);
    assert_true(out.len <= sizeof bytes);
    memcpy(bytes, buf_view(&out).data, out.len);
    struct cursor c = cursor_of(view_of(bytes, out.len));
    buf_free(&out);
    struct view message = take_delimited(&c, sizeof bytes);
    assert_true(!c.failed && c.rest.len == 0);
    return message;
}

#define KEY_FIELD "0a{" KEY1 "}"
#define ADDRESS_FIELD "12{" LOCAL "}"
#define PROTOCOL_FIELD "1a{" PING "}"
#define OBSERVED_FIELD "22{" REMOTE "}"
#define VERSION_FIELDS "2a{697066732f302e312e30} 32{632d6c69627032702f302e31}"

static void test_message(void **state)
{
    (void)state;
    static struct local l;
    struct mem mem = {0};
    struct identify i;
    local_init(&l, 1);
    assert_ok(identify_send_init(&i, IDENTIFY, &mem, &PEERLET_LIMITS, &l.told, 0));
    assert_view_equal(message_of(&i),
                      framed(KEY_FIELD ADDRESS_FIELD PROTOCOL_FIELD VERSION_FIELDS));
    IDENTIFY_OPS.free(&i);

    l.told.observed = hex(REMOTE);
    l.told.record = hex("0102");
    assert_ok(identify_send_init(&i, IDENTIFY, &mem, &PEERLET_LIMITS, &l.told, 0));
    assert_view_equal(
        message_of(&i),
        framed(KEY_FIELD ADDRESS_FIELD PROTOCOL_FIELD OBSERVED_FIELD VERSION_FIELDS "42{0102}"));
    IDENTIFY_OPS.free(&i);

    assert_ok(identify_send_init(&i, IDENTIFY_PUSH, &mem, &PEERLET_LIMITS, &l.told, 0));
    assert_view_equal(message_of(&i),
                      framed(ADDRESS_FIELD PROTOCOL_FIELD VERSION_FIELDS "42{0102}"));
    IDENTIFY_OPS.free(&i);
    assert_mem_empty(&mem);
}

/* Forty addresses, a record, and ever less room. */
static void test_trimming(void **state)
{
    (void)state;
    static struct local l;
    static uint8_t record[100];
    static const struct {
        const char *name;
        size_t room, record_len;
        int code;
        size_t addresses;
        bool has_record;
    } cases[] = {
        {"all fits", 4096, 100, 0, 40, true},
        {"exactly", 2 + 82 + 102 + 40 * 12, 100, 0, 40, true},
        {"one byte less", 2 + 82 + 102 + 40 * 12 - 1, 100, 0, 39, true},
        {"no address", 2 + 82 + 102, 100, 0, 0, true},
        {"the record does not fit", 2 + 82 + 101, 100, 0, 8, false},
        {"without a record", 2 + 82 + 40 * 12 - 1, 0, 0, 39, false},
        {"nothing but the rest", 1 + 82, 0, 0, 0, false},
        {"not even that", 82, 0, ERR_TOO_BIG, 0, false},
        {"not even that, with a record", 82, 100, ERR_TOO_BIG, 0, false},
    };
    EACH_ROW(n, cases) {
        struct mem mem = {0};
        struct identify i;
        struct peerlet_limits limits = PEERLET_LIMITS;
        limits.identify_send = cases[n].room;
        local_init(&l, 40);
        if (cases[n].record_len > 0)
            l.told.record = view_of(record, cases[n].record_len);
        int rc = identify_send_init(&i, IDENTIFY, &mem, &limits, &l.told, 0);
        assert_code(rc, cases[n].code);
        if (rc == 0)
            assert_int_equal(message_of(&i).len,
                             82 + 12 * cases[n].addresses + (cases[n].has_record ? 102 : 0));
        IDENTIFY_OPS.free(&i);
        assert_mem_empty(&mem);
    }
}

static void hear(struct side *side, const struct protocol_event *ev)
{
    tell(side->context, ev);
}

/* KEY1 tells a peer of itself; the codes are those of the two sides. */
static int tell_peer(struct mem *mem, enum identify_kind kind, size_t step, struct transcript *t,
                     struct pair *p, struct identify *speaker, struct identify *listener)
{
    static struct local l;
    bool asked = kind == IDENTIFY;
    const struct protocol_ops *ops = asked ? &IDENTIFY_OPS : &IDENTIFY_PUSH_OPS;
    struct side speaks = {.ops = ops, .state = speaker};
    struct side hears = {.ops = ops, .state = listener, .told = hear, .context = t};
    struct peer_id peer = peer_of(KEY1);
    local_init(&l, 1);
    *p = (struct pair){asked ? hears : speaks, asked ? speaks : hears, step};
    *t = (struct transcript){0};
    identify_receive_init(listener, mem, &PEERLET_LIMITS, &peer, 0);
    int rc = identify_send_init(speaker, kind, mem, &PEERLET_LIMITS, &l.told, 0);
    if (rc == 0)
        pair_run(p, 1);
    pair_free(p);
    return rc;
}

static void test_pair(void **state)
{
    (void)state;
    static const size_t steps[] = {0, 1, 50};
    static struct transcript t;
    for (size_t n = 0; n < 2 * ARRAY_LEN(steps); n++) {
        enum identify_kind kind = n % 2 == 0 ? IDENTIFY : IDENTIFY_PUSH;
        struct mem mem = {0};
        struct pair p;
        struct identify speaker, listener;
        assert_ok(tell_peer(&mem, kind, steps[n / 2], &t, &p, &speaker, &listener));
        assert_true(p.dialer.closed && p.listener.closed);
        assert_int_equal(p.dialer.code, 0);
        assert_int_equal(p.listener.code, 0);
        assert_string_equal(t.text, kind == IDENTIFY ? "key " KEY1 "\n"
                                                       "address " LOCAL "\n"
                                                       "protocol /ipfs/ping/1.0.0\n"
                                                       "agent c-libp2p/0.1\n"
                                                       "version ipfs/0.1.0\n"
                                                       "over\n"
                                                     : "address " LOCAL "\n"
                                                       "protocol /ipfs/ping/1.0.0\n"
                                                       "agent c-libp2p/0.1\n"
                                                       "version ipfs/0.1.0\n"
                                                       "over\n");
        assert_mem_empty(&mem);
    }
}

static void test_speaker_hears_nothing(void **state)
{
    (void)state;
    static struct local l;
    struct mem mem = {0};
    struct identify i;
    struct protocol_event ev;
    local_init(&l, 1);
    assert_ok(identify_send_init(&i, IDENTIFY, &mem, &PEERLET_LIMITS, &l.told, 0));
    struct span in = test_copy(framed("{32{61}}"));
    assert_ok(IDENTIFY_OPS.feed(&i, &in, &ev, 1));
    assert_int_equal(in.len, 0);
    assert_ok(IDENTIFY_OPS.end(&i, &ev, 1));
    IDENTIFY_OPS.free(&i);
    assert_mem_empty(&mem);
}

static void test_time(void **state)
{
    (void)state;
    static struct local l;
    struct mem mem = {0};
    struct identify speaker;
    struct listener m = {.peer = peer_of(ALICE)};
    begin(&m);
    assert_int_equal(IDENTIFY_OPS.deadline(&m.i), PEERLET_LIMITS.identify_ms);
    assert_ok(IDENTIFY_OPS.tick(&m.i, PEERLET_LIMITS.identify_ms - 1));
    assert_code(IDENTIFY_OPS.tick(&m.i, PEERLET_LIMITS.identify_ms), ERR_TIMEOUT);
    IDENTIFY_OPS.free(&m.i);

    local_init(&l, 1);
    assert_ok(identify_send_init(&speaker, IDENTIFY, &mem, &PEERLET_LIMITS, &l.told, 7));
    assert_int_equal(IDENTIFY_OPS.deadline(&speaker), 7 + PEERLET_LIMITS.identify_ms);
    IDENTIFY_OPS.free(&speaker);
}

static void one_exchange(struct mem *mem, void *context)
{
    struct pair p;
    struct identify speaker, listener;
    int rc = tell_peer(mem, IDENTIFY, 50, context, &p, &speaker, &listener);
    assert_true(rc == 0 || rc == ERR_NOMEM);
}

static void one_record(struct mem *mem, void *context)
{
    const struct view *said = context;
    struct peer_id alice = peer_of(ALICE);
    struct identify i;
    struct protocol_event ev;
    identify_receive_init(&i, mem, &PEERLET_LIMITS, &alice, 0);
    struct span in = test_copy(*said);
    int rc = IDENTIFY_OPS.feed(&i, &in, &ev, 1);
    if (rc == 0)
        rc = IDENTIFY_OPS.end(&i, &ev, 1);
    assert_true(rc == 1 || rc == ERR_NOMEM);
    IDENTIFY_OPS.free(&i);
}

static void test_allocations(void **state)
{
    (void)state;
    static struct transcript t;
    struct view said = framed("{42{" JS_PEER_RECORD_ENVELOPE "}}");
    assert_true(fail_each_allocation(one_exchange, &t) >= 4);
    assert_true(fail_each_allocation(one_record, &said) >= 3);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_said),
        cmocka_unit_test(test_record_of_another),
        cmocka_unit_test(test_record_of_old_rust),
        cmocka_unit_test(test_recorded),
        cmocka_unit_test(test_bomb),
        cmocka_unit_test(test_long_protocol_name),
        cmocka_unit_test(test_message),
        cmocka_unit_test(test_trimming),
        cmocka_unit_test(test_pair),
        cmocka_unit_test(test_speaker_hears_nothing),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

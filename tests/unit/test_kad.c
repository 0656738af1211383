#include "framed.h"

#include "protocols/kad.h"

/* KEY1 of the Peer ID specification; the peer of Ed25519 key 000102..1f. */
#define KEY1 "0024080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"
#define COUNTED "002408011220000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define CONTENT "12201111111111111111111111111111111111111111111111111111111111111111"
#define IP4 "047f00000106b485dd03" /* /ip4/127.0.0.1/tcp/46213/ws */
#define DNS "3603612e62060fa1dd03" /* /dns4/a.b/tcp/4001/ws */
#define P2P(peer) "a50326" peer
#define P2P_CIRCUIT "a202"

static struct peer_id key1(void)
{
    struct peer_id id;
    assert_ok(peer_id_parse(hex(KEY1), &id));
    return id;
}

/* What @libp2p/kad-dht 16.4 writes for the same questions, but for lengths. */
static void test_questions(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum kad_type type;
        const char *key;
        bool with_us;
        const char *bytes;
        int stream;
    } rows[] = {
        {"FIND_NODE", KAD_FIND_NODE, KEY1, false, "{0804 12{" KEY1 "}}", PROTOCOL_OPEN},
        {"GET_PROVIDERS", KAD_GET_PROVIDERS, CONTENT, false, "{0803 12{" CONTENT "}}",
         PROTOCOL_OPEN},
        {"ADD_PROVIDER", KAD_ADD_PROVIDER, CONTENT, true,
         "{0802 12{" CONTENT "} 4a{0a{" KEY1 "}12{" IP4 "}}}", PROTOCOL_DONE},
    };
    EACH_ROW(i, rows) {
        struct mem mem = {0};
        struct kad k;
        struct buf out, us;
        struct peer_id id = key1();
        struct view at[] = {hex(IP4)};
        struct views addresses = {at, 1, 1, 0};
        buf_init(&out, &mem, 1024);
        buf_init(&us, &mem, 1024);
        if (rows[i].with_us)
            assert_ok(kad_peer_append(&us, &id, &addresses));
        assert_ok(
            kad_init(&k, &mem, &SERVICE_LIMITS, rows[i].type, hex(rows[i].key), buf_view(&us), 7));
        assert_code(KAD_OPS.drain(&k, &out), rows[i].stream);
        assert_view_equal(buf_view(&out), framed(rows[i].bytes));
        assert_true(KAD_OPS.deadline(&k) == (rows[i].with_us ? NEVER : 7 + SERVICE_LIMITS.kad_ms));
        KAD_OPS.free(&k);
        buf_free(&out);
        buf_free(&us);
        assert_mem_empty(&mem);
    }
}

struct machine {
    struct mem mem;
    enum kad_type type;
    struct kad kad;
};

static void begin(void *context)
{
    struct machine *m = context;
    assert_ok(kad_init(&m->kad, &m->mem, &SERVICE_LIMITS, m->type, hex(KEY1), view_of(NULL, 0), 0));
}

static void tell(struct transcript *t, const char *what, const struct views *peers)
{
    for (size_t i = 0; i < peers->count; i++) {
        struct view at[2];
        struct views addresses = {.at = at, .room = ARRAY_LEN(at)};
        struct peer_id id;
        int rc = kad_peer_parse(peers->at[i], &id, &addresses);
        transcript_add(t, "%s ", what);
        if (rc < 0) {
            transcript_add(t, "%s\n", err_name(rc));
            continue;
        }
        transcript_add_hex(t, view_of(id.bytes + id.len - 2, 2));
        for (size_t n = 0; n < addresses.count; n++) {
            transcript_add(t, " ");
            transcript_add_hex(t, addresses.at[n]);
        }
        transcript_add(t, "\n");
    }
    if (peers->over > 0)
        transcript_add(t, "%u more\n", (unsigned)peers->over);
}

static int feed(void *context, struct span *in, struct transcript *t)
{
    struct machine *m = context;
    struct protocol_event ev;
    int rc = KAD_OPS.feed(&m->kad, in, &ev, 1);
    if (rc <= 0)
        return rc;
    assert_int_equal(ev.type, KAD_ANSWERED);
    transcript_add(t, "answered\n");
    tell(t, "closer", &ev.kad.closer);
    tell(t, "provider", &ev.kad.providers);
    return FED_DONE;
}

static void end(void *context)
{
    struct machine *m = context;
    struct buf out;
    buf_init(&out, &m->mem, 4096);
    KAD_OPS.drain(&m->kad, &out);
    buf_free(&out);
    KAD_OPS.free(&m->kad);
    assert_mem_empty(&m->mem);
}

static const struct {
    const char *name;
    enum kad_type type;
    const char *bytes, *told;
} ANSWERS[] = {
    /* @libp2p/kad-dht 16.4 */
    {"js-libp2p's", KAD_FIND_NODE,
     "{080412260024080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e42360a"
     "26002408011220000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f120a047f0000"
     "0106b485dd0318014a280a260024080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42"
     "d474fce27e}",
     "answered\ncloser 1e1f " IP4 "\nprovider e27e\n"},
    {"nobody", KAD_FIND_NODE, "{0804}", "answered\n"},
    {"a record and the rest", KAD_FIND_NODE, "{0804 1a{0a{61}12{62}} 5001 42{0a{" KEY1 "}}}",
     "answered\ncloser e27e\n"},
    {"providers", KAD_GET_PROVIDERS, "{0803 4a{0a{" KEY1 "}12{" DNS "}} 42{0a{" COUNTED "}}}",
     "answered\ncloser 1e1f\nprovider e27e " DNS "\n"},
    {"a peer without a name", KAD_FIND_NODE, "{0804 42{12{" IP4 "}}}",
     "answered\ncloser BAD_PEER_ID\n"},
    {"a name that is none", KAD_FIND_NODE, "{0804 42{0a{00}} 42{0a{" KEY1 "}}}",
     "answered\ncloser BAD_PEER_ID\ncloser e27e\n"},
    {"a peer that is no message", KAD_FIND_NODE, "{0804 42{ff}}", "answered\ncloser PROTOCOL\n"},
    {"bad addresses", KAD_FIND_NODE, "{0804 42{0a{" KEY1 "} 12{} 12{ff}}}",
     "answered\ncloser e27e\n"},
    {"a bad and a good one", KAD_FIND_NODE, "{0804 42{0a{" KEY1 "} 12{047f} 12{" DNS "}}}",
     "answered\ncloser e27e " DNS "\n"},
    {"its own name behind the address", KAD_FIND_NODE,
     "{0804 42{0a{" KEY1 "} 12{" IP4 P2P(KEY1) "}}}", "answered\ncloser e27e " IP4 "\n"},
    {"nothing but its own name", KAD_FIND_NODE, "{0804 42{0a{" KEY1 "} 12{" P2P(KEY1) "}}}",
     "answered\ncloser e27e\n"},
    {"through a relay", KAD_FIND_NODE,
     "{0804 42{0a{" KEY1 "} 12{" IP4 P2P(COUNTED) P2P_CIRCUIT "}}}",
     "answered\ncloser e27e " IP4 P2P(COUNTED) P2P_CIRCUIT "\n"},
    {"more addresses than room", KAD_FIND_NODE,
     "{0804 42{0a{" KEY1 "} 12{" IP4 "} 12{" DNS "} 12{" IP4 "}}}",
     "answered\ncloser e27e " IP4 " " DNS "\n"},
    {"the answer to another question", KAD_FIND_NODE, "{0803}", "PROTOCOL\n"},
    {"no type", KAD_FIND_NODE, "{}", "PROTOCOL\n"},
    {"no protobuf", KAD_FIND_NODE, "{ffff}", "PROTOCOL\n"},
    {"a number for a peer", KAD_FIND_NODE, "{0804 4001}", "PROTOCOL\n"},
    {"256 KiB and one byte", KAD_FIND_NODE, "818010", "TOO_BIG\n"},
    {"a length that is none", KAD_FIND_NODE, "ffffffffffffffffffff", "PROTOCOL\n"},
};

static void test_answers(void **state)
{
    (void)state;
    EACH_ROW(i, ANSWERS) {
        struct machine m = {.type = ANSWERS[i].type};
        const struct fed fed = {begin, feed, end, &m};
        feed_three_ways(&fed, framed(ANSWERS[i].bytes), ANSWERS[i].told);
    }
}

static void test_more_peers_than_room(void **state)
{
    (void)state;
    struct service_limits limits = SERVICE_LIMITS;
    limits.kad_peers = 2;
    struct mem mem = {0};
    struct kad k;
    struct protocol_event ev;
    assert_ok(kad_init(&k, &mem, &limits, KAD_FIND_NODE, hex(KEY1), view_of(NULL, 0), 0));
    struct span in = test_copy(framed("{0804 42{} 42{} 42{} 4a{} 4a{} 4a{} 4a{}}"));
    assert_code(KAD_OPS.feed(&k, &in, &ev, 0), 1);
    assert_int_equal(ev.kad.closer.count, 2);
    assert_int_equal(ev.kad.closer.over, 1);
    assert_int_equal(ev.kad.providers.count, 2);
    assert_int_equal(ev.kad.providers.over, 2);
    KAD_OPS.free(&k);
    assert_mem_empty(&mem);
}

static void test_silence_and_ends(void **state)
{
    (void)state;
    struct machine m = {.type = KAD_FIND_NODE};
    struct protocol_event ev;
    begin(&m);
    assert_ok(KAD_OPS.tick(&m.kad, SERVICE_LIMITS.kad_ms - 1));
    assert_code(KAD_OPS.tick(&m.kad, SERVICE_LIMITS.kad_ms), ERR_TIMEOUT);
    assert_code(KAD_OPS.end(&m.kad, &ev, 1), ERR_PROTOCOL);
    struct span in = test_copy(framed("{0804}"));
    assert_code(KAD_OPS.feed(&m.kad, &in, &ev, 1), 1);
    assert_ok(KAD_OPS.tick(&m.kad, SERVICE_LIMITS.kad_ms));
    assert_ok(KAD_OPS.end(&m.kad, &ev, 1));
    end(&m);
}

static void test_a_key_too_long(void **state)
{
    (void)state;
    static const uint8_t key[KAD_KEY_MAX_LEN + 1];
    struct mem mem = {0};
    struct kad k;
    assert_code(kad_init(&k, &mem, &SERVICE_LIMITS, KAD_FIND_NODE, view_of(key, sizeof key),
                         view_of(NULL, 0), 0),
                ERR_TOO_BIG);
    KAD_OPS.free(&k);
    assert_mem_empty(&mem);
}

static void one_question(struct mem *mem, void *context)
{
    (void)context;
    struct kad k;
    struct protocol_event ev;
    int rc = kad_init(&k, mem, &SERVICE_LIMITS, KAD_FIND_NODE, hex(KEY1), view_of(NULL, 0), 0);
    struct span in = test_copy(framed("{0804 42{0a{" KEY1 "}}}"));
    for (struct span part; rc == 0 && (part = span_take(&in, 1)).len > 0;)
        rc = KAD_OPS.feed(&k, &part, &ev, 0);
    assert_true(rc == 1 || rc == ERR_NOMEM);
    KAD_OPS.free(&k);
    the_test()->arena_used = 0;
}

static void test_allocations(void **state)
{
    (void)state;
    assert_true(fail_each_allocation(one_question, NULL) >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_questions),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_more_peers_than_room),
        cmocka_unit_test(test_silence_and_ends),
        cmocka_unit_test(test_a_key_too_long),
        cmocka_unit_test(test_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

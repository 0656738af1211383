#include "framed.h"
#include "rpc_text.h"
#include "test.h"

#include "base/limits.h"
#include "pubsub/rpc.h"
#include "vectors_pubsub.h"

/* ---- feeding ----------------------------------------------------------------------------------- */

struct reading {
    struct mem mem;
    struct rpc_reader reader;
    size_t limit;
};

static void begin(void *context)
{
    struct reading *r = context;
    rpc_reader_init(&r->reader, &r->mem, r->limit);
}

static void end(void *context)
{
    struct reading *r = context;
    rpc_reader_free(&r->reader);
    assert_mem_empty(&r->mem);
}

static int feed(void *context, struct span *in, struct transcript *t)
{
    struct reading *r = context;
    struct rpc_part part;
    int rc = rpc_feed(&r->reader, in, &part);
    if (rc == 1)
        rpc_tell(t, &part);
    return rc;
}

static void read_as(struct view bytes, const char *expected)
{
    struct reading r = {.limit = PEERLET_LIMITS.rpc};
    const struct fed fed = {begin, feed, end, &r};
    feed_three_ways(&fed, bytes, expected);
}

/* ---- what is understood ------------------------------------------------------------------------ */

static const struct {
    const char *name, *rpcs, *parts;
} PARTS[] = {
    {"empty RPC", "{}", ""},
    {"two RPCs", "{0a{0801 12{74}}} {} {0a{0800 12{74}}}",
     "1 subscription topic=74 yes\n3 subscription topic=74 no\n"},
    {"subscription without a topic", "{0a{0801}}", "1 subscription yes\n"},
    {"subscription of go, with flags of partial messages", "{0a{0801 12{74} 1800 2001}}",
     "1 subscription topic=74 yes\n"},
    {"message", "{12{0a{01} 12{02} 1a{03} 22{04} 2a{05} 32{06}}}",
     "1 message from=01 data=02 seqno=03 on=04 signature=05 key=06\n"},
    {"fields in any order, the last one counts", "{12{22{04} 12{ff} 0a{01} 12{02}}}",
     "1 message from=01 data=02 on=04\n"},
    {"empty data is there", "{12{12{} 22{74}}}", "1 message data= on=74\n"},
    {"message of nothing", "{12{}}", "1 message\n"},
    {"control", "{1a{0a{0a{74} 12{01} 12{02}} 12{0a{03}} 1a{0a{74}} 22{0a{74} 183c} 2a{0a{04}}}}",
     "1 ihave topic=74 id=01 id=02\n1 iwant id=03\n1 graft topic=74\n1 prune topic=74 for 60\n"
     "1 idontwant id=04\n"},
    {"control in two pieces", "{1a{1a{0a{74}}} 0a{0801 12{74}} 1a{1a{0a{75}}}}",
     "1 graft topic=74\n1 subscription topic=74 yes\n1 graft topic=75\n"},
    {"empty control", "{1a{}}", ""},
    {"topic behind the ids", "{1a{0a{12{01} 0a{74}}}}", "1 ihave topic=74 id=01\n"},
    {"an id of no length", "{1a{12{0a{}}}}", "1 iwant id=\n"},
    {"PRUNE with peers to try", "{1a{22{0a{74} 12{0a{01} 12{02}} 180a}}}",
     "1 prune topic=74 for 10 peer=0a0101120102\n"},
    {"PRUNE of version 1.0", "{1a{22{0a{74}}}}", "1 prune topic=74 for 0\n"},
    {"a number where the message has bytes", "{12{0801 22{74}}}", "1 message on=74\n"},
    {"a number where the topic should be", "{1a{1a{0801}}}", "1 graft\n"},
    {"fields of all wire types passed over",
     "{50ff01 59 0102030405060708 5d 01020304 52{0b0c} 1a{32{5001} 38 01} 12{3801 22{74}}}",
     "1 extensions\n1 message on=74\n"},
    {"extensions of 1.3: none, and partial messages", "{1a{32{}}} {1a{32{5001}} 52{0a{74} 12{01}}}",
     "1 extensions\n2 extensions\n"},
    {"a part that is a number", "{1001 1a{0801}}", ""},
    {"padded numbers", "{0a{08 8180 00 12{74}}}", "1 subscription topic=74 yes\n"},
};

static void test_parts(void **state)
{
    (void)state;
    EACH_ROW(i, PARTS)
        read_as(framed(PARTS[i].rpcs), PARTS[i].parts);
}

/* ---- what ends the stream ---------------------------------------------------------------------- */

static const struct {
    const char *name, *rpcs, *parts;
} BROKEN[] = {
    {"length past the end of the RPC", "{12 05 00}", "PROTOCOL\n"},
    {"length of 2^32", "{12 8080808010}", "PROTOCOL\n"},
    {"length past the end of the control message", "{1a{1a 03} 0102}", "PROTOCOL\n"},
    {"what came before counts", "{0a{0801 12{74}} 12 05}",
     "1 subscription topic=74 yes\nPROTOCOL\n"},
    {"group", "{0b 0c}", "PROTOCOL\n"},
    {"field 0", "{0000}", "PROTOCOL\n"},
    {"number of 11 bytes", "{08 ffffffffffffffffffff01}", "PROTOCOL\n"},
    {"prefix that is padded", "8000", "PROTOCOL\n"},
    {"prefix of ten bytes", "80808080808080808001", "PROTOCOL\n"},
    {"longer than an RPC may be", "818040", "TOO_BIG\n"},
    {"garbage in a subscription", "{0a{ff}}", "PROTOCOL\n"},
    {"an id that ends too late", "{1a{12{0a 05 01}}}", "PROTOCOL\n"},
    {"an IHAVE whose ids end too late", "{1a{0a{0a{74} 12 05 01}}}", "PROTOCOL\n"},
};

static void test_broken(void **state)
{
    (void)state;
    EACH_ROW(i, BROKEN)
        read_as(framed(BROKEN[i].rpcs), BROKEN[i].parts);
}

/* ---- js-libp2p --------------------------------------------------------------------------------- */

static struct view with_prefix(const char *rpc)
{
    struct view bytes = hex(rpc);
    struct span whole = test_copy(view_of(bytes.data, bytes.len));
    static uint8_t prefixed[8192];
    struct writer w = writer_of(prefixed, sizeof prefixed);
    put_delimited(&w, view_of_span(whole));
    assert_false(w.failed);
    return writer_view(&w);
}

#define TEST_TOPIC "746573742d746f706963"
#define ID                                                                                         \
    "002408011220eb273a8d982d9ea9d1c68501de2c7efe072a01c841debe396e3c25fb49adbc8018d75b8423f30001"

static void test_control_of_js(void **state)
{
    (void)state;
    static const char *const PARTS_OF[] = {
        "1 subscription topic=" TEST_TOPIC " yes\n",
        "1 subscription topic=" TEST_TOPIC " no\n",
        "1 graft topic=" TEST_TOPIC "\n",
        "1 prune topic=" TEST_TOPIC " for 60 peer=0a26"
        "00240801122019a0e79b8ad0d022f4417622712b7db66a942fde5df4706c73ebfb49d6f65cef\n",
        "1 ihave topic=" TEST_TOPIC " id=" ID "\n",
        "1 iwant id=" ID "\n",
        "1 idontwant id=" ID "\n",
    };
    assert_int_equal(ARRAY_LEN(PARTS_OF), ARRAY_LEN(PUBSUB_CONTROL));
    EACH_ROW(i, PUBSUB_CONTROL)
        read_as(with_prefix(PUBSUB_CONTROL[i].rpc), PARTS_OF[i]);
}

static void test_hostile(void **state)
{
    (void)state;
    static const char *const PARTS_OF[] = {
        "1 prune topic=" TEST_TOPIC " for 18446744073709551615\n",
        "1 prune topic=" TEST_TOPIC " for 9223372036854775807\n",
        "1 prune topic=" TEST_TOPIC " for 1099511627776\n",
        "PROTOCOL\n",
        "",
        "PROTOCOL\n",
        "PROTOCOL\n",
        "PROTOCOL\n",
    };
    assert_int_equal(ARRAY_LEN(PARTS_OF), ARRAY_LEN(PUBSUB_HOSTILE));
    EACH_ROW(i, PUBSUB_HOSTILE)
        read_as(with_prefix(PUBSUB_HOSTILE[i].rpc), PARTS_OF[i]);
}

/* Each recorded stream gives whole parts only, and the subscription first. */
static void test_recorded_streams(void **state)
{
    (void)state;
    static const char FIRST[] = "1 subscription topic=" TEST_TOPIC " yes\n";
    EACH_ROW(i, PUBSUB_STREAMS) {
        struct reading r = {.limit = PEERLET_LIMITS.rpc};
        const struct fed fed = {begin, feed, end, &r};
        struct transcript t;
        size_t left;
        assert_ok(test_feed_all(&fed, hex(PUBSUB_STREAMS[i].rpcs), 100, &t, &left));
        assert_int_equal(left, 0);
        assert_memory_equal(t.text, FIRST, sizeof FIRST - 1);
        read_as(hex(PUBSUB_STREAMS[i].rpcs), t.text);
    }
}

/* ---- memory ------------------------------------------------------------------------------------ */

/* An announced length costs nothing; an RPC that is whole is not copied at all. */
static void test_memory_follows_bytes(void **state)
{
    (void)state;
    struct reading r = {.limit = 1 << 20};
    struct rpc_part part;
    uint8_t announced[] = {0x80, 0x80, 0x40, 0x12};
    struct span in = span_of(announced, sizeof announced);
    begin(&r);
    assert_ok(rpc_feed(&r.reader, &in, &part));
    assert_true(r.mem.peak <= 512);
    end(&r);

    r.mem = (struct mem){0};
    in = test_copy(framed("{0a{0801 12{74}} 12{22{74}}}"));
    begin(&r);
    assert_code(rpc_feed(&r.reader, &in, &part), 1);
    assert_code(rpc_feed(&r.reader, &in, &part), 1);
    assert_ok(rpc_feed(&r.reader, &in, &part));
    assert_int_equal(r.mem.calls, 0);
    end(&r);

    r.mem.fail_nth = 1;
    in = test_copy(hex("0500"));
    begin(&r);
    assert_code(rpc_feed(&r.reader, &in, &part), ERR_NOMEM);
    end(&r);
}

/* Bytes that are taken away in the middle of an RPC do no harm, whatever comes in their place. */
static void test_other_bytes_in_the_middle(void **state)
{
    (void)state;
    struct reading r = {.limit = PEERLET_LIMITS.rpc};
    struct rpc_part part;
    struct span in = test_copy(framed("{1a{1a{0a{74}} 1a{0a{75}}} 0a{0801 12{74}}}"));
    begin(&r);
    assert_code(rpc_feed(&r.reader, &in, &part), 1);
    in = test_copy(hex("1a"));
    assert_code(rpc_feed(&r.reader, &in, &part), ERR_PROTOCOL);
    end(&r);
}

/* ---- writing ----------------------------------------------------------------------------------- */

static void test_writes_what_it_reads(void **state)
{
    (void)state;
    uint8_t bytes[256], ids[8];
    struct writer wanted = writer_of(ids, sizeof ids);
    rpc_put_wanted_id(&wanted, hex("03"));
    struct writer w = writer_of(bytes, sizeof bytes);
    size_t rpc = rpc_begin(&w);
    rpc_put_subscription(&w, true, hex("74"));
    rpc_put_subscription(&w, false, hex("75"));
    rpc_put_message(&w, hex("220174"));
    size_t control = rpc_begin_control(&w);
    rpc_put_graft(&w, hex("74"));
    rpc_end(&w, rpc_begin_prune(&w, hex("74"), 60));
    size_t prune = rpc_begin_prune(&w, hex("75"), 0);
    rpc_put_peer(&w, &(struct rpc_peer){hex("01"), hex("0203")});
    rpc_end(&w, prune);
    assert_int_equal(rpc_put_ids(&w, RPC_IWANT, writer_view(&wanted), 1), wanted.len);
    size_t ihave = rpc_begin_ihave(&w, hex("74"));
    rpc_put_ihave_id(&w, hex("01"));
    rpc_put_ihave_id(&w, hex("0202"));
    rpc_end(&w, ihave);
    rpc_end(&w, control);
    rpc_end(&w, rpc);
    assert_false(w.failed);
    assert_view_equal(writer_view(&w),
                      framed("{0a{0801 12{74}} 0a{0800 12{75}} 12{22{74}} 1a{1a{0a{74}} "
                             "22{0a{74} 183c} 22{0a{75} 12{0a{01} 12{0203}}} 12{0a{03}} 0a{0a{74} "
                             "12{01} 12{0202}}}}"));
    read_as(writer_view(&w), "1 subscription topic=74 yes\n1 subscription topic=75 no\n"
                             "1 message on=74\n1 graft topic=74\n1 prune topic=74 for 60\n"
                             "1 prune topic=75 for 0 peer=0a010112020203\n1 iwant id=03\n1 ihave "
                             "topic=74 id=01 id=0202\n");
}

static void test_peer_info(void **state)
{
    (void)state;
    struct rpc_peer peer;
    assert_ok(rpc_peer_parse(hex("0a0101 12020203"), &peer));
    assert_view_hex(peer.id, "01");
    assert_view_hex(peer.record, "0203");
    assert_ok(rpc_peer_parse(hex("1a0101"), &peer));
    assert_true(peer.id.data == NULL && peer.record.data == NULL);
    assert_code(rpc_peer_parse(hex("0a02"), &peer), ERR_PROTOCOL);
}

/* A part takes all it needs or leaves the writer failed, at each size there is. */
static void test_little_room(void **state)
{
    (void)state;
    uint8_t bytes[64];
    for (size_t room = 0; room < sizeof bytes; room++) {
        struct writer w = writer_of(bytes, room);
        size_t rpc = rpc_begin(&w);
        size_t control = rpc_begin_control(&w);
        rpc_end(&w, rpc_begin_prune(&w, view_of_text("topic"), 60));
        size_t ihave = rpc_begin_ihave(&w, view_of_text("topic"));
        rpc_put_ihave_id(&w, view_of_text("id"));
        rpc_end(&w, ihave);
        rpc_end(&w, control);
        rpc_end(&w, rpc);
        assert_true(w.len <= room);
        assert_true(w.failed == (room < 33));
    }
}

static void test_message_fields(void **state)
{
    (void)state;
    EACH_ROW(i, PUBSUB_VALID) {
        const struct pubsub_valid *v = &PUBSUB_VALID[i];
        struct rpc_message m;
        assert_ok(rpc_message_parse(hex(v->message), &m));
        assert_view_hex(m.from, v->from);
        assert_view_hex(m.data, v->data);
        assert_view_hex(m.seqno, v->seqno);
        assert_view_hex(m.topic, v->topic);
        assert_view_hex(m.signature, v->signature);
        uint8_t bytes[4096];
        struct writer w = writer_of(bytes, sizeof bytes);
        put_text(&w, "libp2p-pubsub:");
        rpc_put_signed(&w, &m);
        assert_view_hex(writer_view(&w), v->signed_bytes);
        w = writer_of(bytes, sizeof bytes);
        rpc_put_signed(&w, &m);
        rpc_put_signature(&w, &m);
        assert_view_hex(writer_view(&w), v->message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_control_of_js),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_recorded_streams),
        cmocka_unit_test(test_memory_follows_bytes),
        cmocka_unit_test(test_other_bytes_in_the_middle),
        cmocka_unit_test(test_writes_what_it_reads),
        cmocka_unit_test(test_peer_info),
        cmocka_unit_test(test_little_room),
        cmocka_unit_test(test_message_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

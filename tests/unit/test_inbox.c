#include "scripted.h"
#include "test.h"

#include "base/log.h"
#include "vectors_pubsub.h"

#define PRUNE "{1a{22{0a{74} 183c}}}"

static struct topic *topic_t(const struct scripted *s)
{
    return topic_find(&s->g.mesh, view_of_text("t"));
}

static bool is_in_mesh(const struct scripted *s, uint32_t peer)
{
    const struct member *m = member_find(&s->g.mesh, topic_t(s), table_find(&s->g.peers, peer));
    return m != NULL && member_is_in_mesh(m);
}

/* ---- subscriptions ----------------------------------------------------------------------------- */

static void test_subscriptions(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 1);
    say(&s, 1, JOIN JOIN LEAVE LEAVE);
    assert_heard(&s, "peer 1 left 74\n");
    say(&s, 1, "{0a{0801 12{75}} 0a{0801} 0a{0801 12{}} 0a{12{74}}}");
    assert_heard(&s, "peer 1 joined 75\n");
    assert_int_equal(mesh_size(&s, "t"), 0);
    scripted_end(&s);
}

/* CVE-2026-46679: what a peer may announce is bounded in number and in length. */
static void test_subscription_flood(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 1);
    static uint8_t rpc[128 << 10];
    struct writer w = writer_of(rpc, sizeof rpc);
    size_t begun = rpc_begin(&w);
    for (uint32_t i = 0; i < 5001; i++) {
        char topic[16];
        size_t len = text_format(topic, sizeof topic, "topic %u", i);
        rpc_put_subscription(&w, true, view_of((const uint8_t *)topic, len));
    }
    static const uint8_t LONG[257];
    rpc_put_subscription(&w, true, view_of(LONG, sizeof LONG));
    rpc_end(&w, begun);
    size_t before = s.mem.used;
    assert_ok(say_bytes(&s, 1, writer_view(&w)));
    const struct neighbour *n = table_find(&s.g.peers, 1);
    assert_int_equal(n->subscription_count, s.limits.topics_per_peer);
    assert_true(s.mem.used - before < 128u << 10);
    /* Leaving makes room; what it never was told of joining is no leaving. */
    s.heard = (struct transcript){0};
    say(&s, 1, "{0a{0800 12{746f706963203530 3030}} 0a{0800 12{746f7069632031}} 0a{0801 12{7a}}}");
    assert_heard(&s, "peer 1 left 746f7069632031\npeer 1 joined 7a\n");
    gossipsub_remove_peer(&s.g, 1, s.now);
    pass(&s, 1000);
    assert_int_equal(s.g.mesh.by_name.count, 1);
    scripted_end(&s);
}

/* ---- meshes ------------------------------------------------------------------------------------ */

static void test_grafts_whoever_comes_until_there_are_enough(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 0);
    for (uint32_t i = 1; i <= 6; i++) {
        meet(&s, i, GOSSIPSUB_1_2, LISTENER);
        say(&s, i, JOIN);
        assert_int_equal(said(&s, i).parts[RPC_GRAFT], i <= s.config.d_low);
    }
    scripted_end(&s);
}

static void test_graft(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 8);
    assert_false(is_in_mesh(&s, 8));
    say(&s, 8, GRAFT GRAFT);
    assert_true(is_in_mesh(&s, 8));
    assert_said(&s, 8, "");
    /* Of no topic of ours, of a topic it has not joined: not answered. */
    say(&s, 7, LEAVE GRAFT "{1a{1a{0a{75}} 1a{}}}");
    assert_false(is_in_mesh(&s, 7));
    assert_said(&s, 7, "");
    scripted_end(&s);
}

/* A mesh at its limit takes only those we dialled. */
static void test_graft_when_full(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 12);
    for (uint32_t i = 1; i <= 12; i++)
        say(&s, i, GRAFT);
    assert_int_equal(mesh_size(&s, "t"), 12);
    meet(&s, 13, GOSSIPSUB_1_2, LISTENER);
    meet(&s, 14, GOSSIPSUB_1_2, DIALER);
    for (uint32_t i = 13; i <= 14; i++) {
        say(&s, i, JOIN);
        said(&s, i);
        say(&s, i, GRAFT);
    }
    assert_said(&s, 13, "1 prune topic=74 for 60\n");
    assert_said(&s, 14, "");
    assert_int_equal(mesh_size(&s, "t"), 13);
    scripted_end(&s);
}

static void test_prune(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 1);
    assert_true(is_in_mesh(&s, 1));
    say(&s, 1, PRUNE);
    assert_false(is_in_mesh(&s, 1));
    pass(&s, 60000);
    assert_said(&s, 1, "");
    pass(&s, 2000);
    assert_said(&s, 1, "1 graft topic=74\n");
    scripted_end(&s);
}

/* CVE-2026-33040, CVE-2026-34219: no backoff is over before its time, none lasts for ever. */
static void test_backoffs(void **state)
{
    (void)state;
    static const struct {
        const char *name, *prune;
        uint64_t backoff_s;
    } ROWS[] = {
        {"as asked", "{1a{22{0a{74} 1805}}}", 5},
        {"not said", "{1a{22{0a{74}}}}", 60},
        {"zero", "{1a{22{0a{74} 1800}}}", 60},
        {"an hour", "{1a{22{0a{74} 18901c}}}", 3600},
        {"2^40", "{1a{22{0a{74} 18808080808020}}}", 3600},
        {"2^63-1", "{1a{22{0a{74} 18ffffffffffffffff7f}}}", 3600},
        {"2^64-1", "{1a{22{0a{74} 18ffffffffffffffffff01}}}", 3600},
    };
    EACH_ROW(i, ROWS) {
        static struct scripted s;
        scripted_init(&s);
        begin(&s, 1);
        say(&s, 1, ROWS[i].prune);
        pass(&s, ROWS[i].backoff_s * 1000);
        assert_said(&s, 1, "");
        pass(&s, 2000);
        assert_said(&s, 1, "1 graft topic=74\n");
        scripted_end(&s);
    }
}

static void test_hostile_prunes_of_vectors(void **state)
{
    (void)state;
    EACH_ROW(i, PUBSUB_HOSTILE) {
        static struct scripted s;
        scripted_init(&s);
        scripted_begin(&s);
        assert_ok(gossipsub_subscribe(&s.g, view_of_text("test-topic"), s.now));
        meet(&s, 1, GOSSIPSUB_1_2, LISTENER);
        say(&s, 1, "{0a{0801 12{746573742d746f706963}}}");
        said(&s, 1);
        uint8_t rpc[256];
        struct writer w = writer_of(rpc, sizeof rpc);
        put_delimited(&w, hex(PUBSUB_HOSTILE[i].rpc));
        int rc = say_bytes(&s, 1, writer_view(&w));
        assert_true(rc == 0 || rc == ERR_PROTOCOL);
        pass(&s, 3602 * 1000);
        assert_int_equal(mesh_size(&s, "test-topic"), 1);
        scripted_end(&s);
    }
}

/* A GRAFT within the backoff is refused and lengthens it; a thousand of them are one PRUNE. */
static void test_graft_flood(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 1);
    say(&s, 1, PRUNE);
    pass(&s, 30000);
    static uint8_t rpc[16 << 10];
    struct writer w = writer_of(rpc, sizeof rpc);
    size_t begun = rpc_begin(&w), control = rpc_begin_control(&w);
    for (int i = 0; i < 1000; i++)
        rpc_put_graft(&w, view_of_text("t"));
    rpc_end(&w, control);
    rpc_end(&w, begun);
    size_t before = s.mem.used;
    assert_ok(say_bytes(&s, 1, writer_view(&w)));
    assert_int_equal(s.mem.used, before);
    assert_said(&s, 1, "1 prune topic=74 for 60\n");
    pass(&s, 59000);
    say(&s, 1, GRAFT);
    assert_said(&s, 1, "1 prune topic=74 for 60\n");
    pass(&s, 60000);
    say(&s, 1, GRAFT);
    assert_true(is_in_mesh(&s, 1));
    scripted_end(&s);
}

/* Left, pruned and come back within the backoff: it is kept though nothing else was left of it. */
/* It grafts us, and our stream to it is never open: it counts for nothing until that is. */
static void test_mute_peers_leave_the_mesh(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 0);
    assert_ok(gossipsub_add_peer(&s.g, 1, &s.ids[1], GOSSIPSUB_1_2, LISTENER, view_of(NULL, 0)));
    gossipsub_hear(&s.g, 1);
    say(&s, 1, JOIN GRAFT);
    assert_int_equal(mesh_size(&s, "t"), 1);
    pass(&s, 1000);
    assert_int_equal(mesh_size(&s, "t"), 1);
    pass(&s, 1000);
    assert_int_equal(mesh_size(&s, "t"), 0);
    say(&s, 1, GRAFT);
    assert_int_equal(mesh_size(&s, "t"), 0);
    gossipsub_greet(&s.g, 1, GOSSIPSUB_1_2, s.now);
    assert_int_equal(mesh_size(&s, "t"), 1);
    assert_said(&s, 1, "1 subscription topic=74 yes\n1 graft topic=74\n");
    pass(&s, 5000);
    assert_int_equal(mesh_size(&s, "t"), 1);
    scripted_end(&s);
}

static void test_backoff_of_one_that_left(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 1);
    say(&s, 1, "{0a{0800 12{74}} 1a{22{0a{74} 180a}}}");
    say(&s, 1, JOIN);
    assert_said(&s, 1, "");
    pass(&s, 12000);
    assert_said(&s, 1, "1 graft topic=74\n");
    scripted_end(&s);
}

/* ---- messages ---------------------------------------------------------------------------------- */

static void test_message_is_given_once_and_passed_on(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 5);
    say_message(&s, 1, 9, 1, "t", "hi");
    say_message(&s, 2, 9, 1, "t", "hi");
    say_message(&s, 1, 9, 1, "t", "hi");
    assert_heard(&s, "message hi via 1\n");
    /* 1 to 4 are the mesh; not back to the sender, not to who is outside. */
    assert_int_equal(said(&s, 1).parts[RPC_MESSAGE], 0);
    for (uint32_t i = 2; i <= 4; i++)
        assert_int_equal(said(&s, i).parts[RPC_MESSAGE], 1);
    assert_int_equal(said(&s, 5).parts[RPC_MESSAGE], 0);
    /* Not to the author either. */
    say_message(&s, 1, 2, 1, "t", "ho");
    assert_int_equal(said(&s, 2).parts[RPC_MESSAGE], 0);
    assert_int_equal(said(&s, 3).parts[RPC_MESSAGE], 1);
    scripted_end(&s);
}

static void test_messages_of_no_concern(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 2);
    say_message(&s, 1, 9, 1, "u", "not our topic");
    say_message(&s, 1, 0, 1, "t", "we did not write this");
    assert_ok(gossipsub_unsubscribe(&s.g, view_of_text("t"), s.now));
    say_message(&s, 1, 9, 2, "t", "we left");
    assert_heard(&s, "");
    assert_int_equal(said(&s, 2).parts[RPC_MESSAGE], 0);
    assert_int_equal(s.g.messages.held, 0);
    scripted_end(&s);
}

/* What js-libp2p signs is heard; RSA and secp256k1 are asked about. */
static void test_signed_by_js(void **state)
{
    (void)state;
    static const char *const HEARD[] = {
        "message hello world via 1\n",
        "message hello world via 1\n",
        "message  via 1\n",
        NULL,
        "verify 1\n",
        "verify 1\n",
    };
    assert_int_equal(ARRAY_LEN(HEARD), ARRAY_LEN(PUBSUB_VALID));
    EACH_ROW(i, PUBSUB_VALID) {
        static struct scripted s;
        scripted_init(&s);
        begin(&s, 1);
        assert_ok(gossipsub_subscribe(&s.g, hex(PUBSUB_VALID[i].topic), s.now));
        uint8_t rpc[4096];
        struct writer w = writer_of(rpc, sizeof rpc);
        put_delimited(&w, hex(PUBSUB_VALID[i].rpc));
        assert_ok(say_bytes(&s, 1, writer_view(&w)));
        if (HEARD[i] != NULL)
            assert_heard(&s, HEARD[i]);
        else
            assert_int_equal(s.heard.len, strlen("message  via 1\n") + 1024);
        scripted_end(&s);
    }
}

/* None is heard, and none keeps the right message, which has the same id, from being heard. */
static void test_forged(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 2);
    assert_ok(gossipsub_subscribe(&s.g, view_of_text("test-topic"), s.now));
    uint8_t rpc[4096];
    EACH_ROW(i, PUBSUB_INVALID) {
        struct writer w = writer_of(rpc, sizeof rpc);
        put_delimited(&w, hex(PUBSUB_INVALID[i].rpc));
        assert_ok(say_bytes(&s, 1, writer_view(&w)));
        assert_heard(&s, "");
    }
    assert_int_equal(s.g.messages.held, 0);
    for (size_t i = 0; i < 2; i++) {
        struct writer w = writer_of(rpc, sizeof rpc);
        put_delimited(&w, hex(PUBSUB_VALID[i].rpc));
        assert_ok(say_bytes(&s, 2, writer_view(&w)));
        assert_heard(&s, "message hello world via 2\n");
    }
    scripted_end(&s);
}

static void test_without_signatures(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    s.config.signing = GOSSIPSUB_STRICT_NO_SIGN;
    begin(&s, 3);
    say_message(&s, 1, 9, 1, "t", "hi");
    say_message(&s, 2, 8, 2, "t", "hi");
    assert_heard(&s, "message hi via 1\n");
    assert_said(&s, 3, "1 message data=6869 on=74\n");
    s.config.signing = GOSSIPSUB_STRICT_SIGN;
    say_message(&s, 1, 9, 1, "t", "signed");
    assert_heard(&s, "");
    scripted_end(&s);
}

/* Too long to be sent to anybody: heard, but neither passed on nor told of. */
static void test_message_too_long_to_pass_on(void **state)
{
    (void)state;
    static struct scripted s;
    static char data[70 << 10];
    memset(data, 'x', sizeof data - 1);
    scripted_init(&s);
    begin(&s, 20);
    struct messages all = {.mem = &s.elsewhere, .limit = SIZE_MAX};
    struct message *m;
    static uint8_t rpc[80 << 10];
    struct writer w = writer_of(rpc, sizeof rpc);
    assert_ok(message_write(&all, &s.identities[9], 1, view_of_text("t"), view_of_text(data), &m));
    size_t begun = rpc_begin(&w);
    rpc_put_message(&w, m->encoded);
    rpc_end(&w, begun);
    message_drop(&all, m);
    struct span in = span_of(rpc, w.len);
    struct gossipsub_event ev;
    assert_code(gossipsub_feed(&s.g, 1, &in, &ev, s.now), 1);
    assert_int_equal(ev.data.len, sizeof data - 1);
    assert_ok(gossipsub_feed(&s.g, 1, &in, &ev, s.now));
    pass(&s, 1000);
    for (uint32_t i = 1; i <= 20; i++) {
        struct tally told = said(&s, i);
        assert_int_equal(told.parts[RPC_MESSAGE] + told.parts[RPC_IHAVE], 0);
    }
    scripted_end(&s);
}

/* ---- signatures checked elsewhere -------------------------------------------------------------- */

static void say_rsa(struct scripted *s, uint32_t peer)
{
    uint8_t rpc[4096];
    struct writer w = writer_of(rpc, sizeof rpc);
    put_delimited(&w, hex(PUBSUB_VALID[4].rpc));
    assert_ok(say_bytes(s, peer, writer_view(&w)));
}

static void begin_rsa(struct scripted *s)
{
    begin(s, 0);
    assert_ok(gossipsub_subscribe(&s->g, view_of_text("test-topic"), s->now));
    for (uint32_t i = 1; i <= 3; i++) {
        meet(s, i, GOSSIPSUB_1_2, LISTENER);
        say(s, i, "{0a{0801 12{746573742d746f706963}}}");
        said(s, i);
    }
    s->heard = (struct transcript){0};
}

static void hear_next(struct scripted *s)
{
    struct gossipsub_event ev;
    while (gossipsub_next(&s->g, &ev))
        scripted_hear(s, &ev);
}

static void test_verified_elsewhere(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin_rsa(&s);
    const struct pubsub_valid *v = &PUBSUB_VALID[4];
    uint8_t rpc[4096];
    struct writer w = writer_of(rpc, sizeof rpc);
    put_delimited(&w, hex(v->rpc));
    struct span in = span_of(rpc, w.len);
    struct gossipsub_event ev;
    assert_code(gossipsub_feed(&s.g, 1, &in, &ev, s.now), 1);
    assert_int_equal(ev.type, GOSSIPSUB_VERIFY);
    assert_int_equal(ev.public_key.type, KEY_RSA);
    memset(rpc, 0, sizeof rpc);
    assert_view_hex(ev.message, v->signed_bytes);
    assert_view_hex(ev.signature, v->signature);
    assert_ok(gossipsub_feed(&s.g, 1, &in, &ev, s.now));
    assert_int_equal(said(&s, 2).parts[RPC_MESSAGE], 0);
    gossipsub_judge(&s.g, 1, GOSSIPSUB_ACCEPT, s.now);
    hear_next(&s);
    assert_heard(&s, "message rsa via 1\n");
    assert_int_equal(said(&s, 1).parts[RPC_MESSAGE], 0);
    assert_int_equal(said(&s, 2).parts[RPC_MESSAGE], 1);
    say_rsa(&s, 3);
    gossipsub_judge(&s.g, 1, GOSSIPSUB_ACCEPT, s.now);
    hear_next(&s);
    assert_heard(&s, "");
    scripted_end(&s);
}

/* A forgery neither stands in the way of the message nor is heard; copies are heard once. */
static void test_verified_in_any_order(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin_rsa(&s);
    for (uint32_t i = 1; i <= 3; i++)
        say_rsa(&s, i);
    assert_heard(&s, "verify 1\nverify 2\nverify 3\n");
    gossipsub_judge(&s.g, 2, GOSSIPSUB_REJECT, s.now);
    gossipsub_judge(&s.g, 3, GOSSIPSUB_ACCEPT, s.now);
    gossipsub_judge(&s.g, 1, GOSSIPSUB_ACCEPT, s.now);
    gossipsub_judge(&s.g, 77, GOSSIPSUB_ACCEPT, s.now);
    hear_next(&s);
    assert_heard(&s, "message rsa via 3\n");
    scripted_end(&s);
}

/* Each is a delivery, whichever was verified first. */
static void test_copies_verified_elsewhere(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin_rsa(&s);
    assert_ok(gossipsub_set_params(&s.g, view_of_text("test-topic"), SCORE_TOPIC_DEFAULTS.numbers));
    for (uint32_t i = 1; i <= 3; i++)
        say_rsa(&s, i);
    s.now += 100;
    for (uint32_t i = 3; i > 0; i--)
        gossipsub_judge(&s.g, i, GOSSIPSUB_ACCEPT, s.now += 100);
    const struct topic *t = topic_find(&s.g.mesh, view_of_text("test-topic"));
    for (uint32_t i = 1; i <= 3; i++) {
        const struct member *m = member_find(&s.g.mesh, t, table_find(&s.g.peers, i));
        assert_true(m->conduct.counters[SCORE_MESH] == 1);
        assert_true(m->conduct.counters[SCORE_FIRST] == (i == 3));
    }
    scripted_end(&s);
}

static void test_unverified_are_bounded(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    s.limits.unverified = 2;
    begin_rsa(&s);
    for (uint32_t i = 1; i <= 3; i++)
        say_rsa(&s, i);
    assert_heard(&s, "verify 1\nverify 2\n");
    assert_ok(gossipsub_unsubscribe(&s.g, view_of_text("test-topic"), s.now));
    gossipsub_judge(&s.g, 1, GOSSIPSUB_ACCEPT, s.now);
    hear_next(&s);
    assert_heard(&s, "");
    /* The second is still being checked when the router ends. */
    scripted_end(&s);
}

/* ---- bytes ------------------------------------------------------------------------------------- */

/* What peers of js-libp2p said in a recorded run, whole and byte by byte. */
static void test_recorded_streams(void **state)
{
    (void)state;
    EACH_ROW(i, PUBSUB_STREAMS) {
        static struct scripted s;
        static char whole[16384];
        struct view bytes = hex(PUBSUB_STREAMS[i].rpcs);
        for (int piecemeal = 0; piecemeal < 2; piecemeal++) {
            scripted_init(&s);
            scripted_begin(&s);
            assert_ok(gossipsub_subscribe(&s.g, view_of_text("test-topic"), s.now));
            meet(&s, 1, GOSSIPSUB_1_2, LISTENER);
            size_t step = piecemeal ? 1 : bytes.len;
            for (size_t at = 0; at < bytes.len; at += step)
                assert_ok(say_bytes(&s, 1, view_of(bytes.data + at, step)));
            assert_non_null(strstr(s.heard.text, "peer 1 joined 746573742d746f706963\n"));
            assert_non_null(strstr(s.heard.text, "message "));
            if (piecemeal)
                assert_string_equal(s.heard.text, whole);
            memcpy(whole, s.heard.text, sizeof whole);
            assert_int_equal(mesh_size(&s, "test-topic"), 1);
            scripted_end(&s);
        }
    }
}

static void test_broken_bytes(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 2);
    assert_code(say_bytes(&s, 1, framed("{0b0c}")), ERR_PROTOCOL);
    assert_code(say_bytes(&s, 2, hex("81804000")), ERR_TOO_BIG);
    /* The stream is reset and opened anew; all else is as before. */
    gossipsub_hear(&s.g, 1);
    say_message(&s, 1, 9, 1, "t", "hi");
    assert_heard(&s, "message hi via 1\n");
    scripted_end(&s);
}

/* RPCs that many begin and none ends are bounded together; short ones come in pieces all the same. */
static void test_begun_by_many(void **state)
{
    (void)state;
    static struct scripted s;
    static uint8_t piece[100 << 10] = {0x80, 0x80, 0x20}; /* of 512 KiB */
    scripted_init(&s);
    s.limits.rpcs_begun = 1 << 20;
    begin(&s, 16);
    for (uint32_t i = 1; i <= 10; i++)
        assert_ok(say_bytes(&s, i, view_of(piece, sizeof piece)));
    assert_code(say_bytes(&s, 11, view_of(piece, sizeof piece)), ERR_TOO_BIG);
    gossipsub_hear(&s.g, 11);
    assert_ok(say_bytes(&s, 12, view_of(piece, s.limits.rpc_send)));
    struct view rpc = written(&s, 9, 1, "t", "hi");
    assert_ok(say_bytes(&s, 13, view_of(rpc.data, 20)));
    assert_ok(say_bytes(&s, 13, view_of(rpc.data + 20, rpc.len - 20)));
    assert_heard(&s, "message hi via 13\n");
    /* Those who are gone make room. */
    gossipsub_remove_peer(&s.g, 1, s.now);
    gossipsub_remove_peer(&s.g, 2, s.now);
    assert_ok(say_bytes(&s, 11, view_of(piece, sizeof piece)));
    scripted_end(&s);
}

/* Each view of an event holds until the next call, though the bytes fed are gone. */
static void test_events_are_copies(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 1);
    struct view rpc = written(&s, 9, 1, "t", "hi");
    struct span in = test_copy(rpc);
    uint8_t *bytes = in.data;
    struct gossipsub_event ev;
    assert_code(gossipsub_feed(&s.g, 1, &in, &ev, s.now), 1);
    memset(bytes, 0, rpc.len);
    assert_view_text(ev.data, "hi");
    assert_view_text(ev.topic, "t");
    assert_view_equal(ev.from, peer_id_view(&s.ids[9]));
    assert_int_equal(ev.seqno.len, 8);
    assert_int_equal(ev.signature.len, 64);
    assert_int_equal(ev.id.len, IDENTITY_PUBLIC_LEN + 8);
    scripted_end(&s);
}

/* Unread by everybody: what waits for a slow peer is bounded, and what it costs is counted. */
static void test_slow_readers(void **state)
{
    (void)state;
    static struct scripted s;
    static char data[10001];
    memset(data, 'x', sizeof data - 1);
    scripted_init(&s);
    s.limits.rpc = 1 << 16;
    begin(&s, 4);
    for (uint64_t i = 0; i < 500; i++) {
        s.heard = (struct transcript){0};
        struct span in = test_copy(written(&s, 9, i, "t", data));
        struct gossipsub_event ev;
        while (gossipsub_feed(&s.g, 1, &in, &ev, s.now) == 1)
            continue;
        the_test()->arena_used = 0;
        pass(&s, 100);
    }
    for (uint32_t i = 2; i <= 4; i++) {
        const struct neighbour *n = table_find(&s.g.peers, i);
        assert_in_range(n->queue_bytes, s.limits.gossip_out - 11000, s.limits.gossip_out);
        assert_in_range(n->queue_len, 100, 110);
    }
    assert_true(s.mem.used < 3u << 20);
    scripted_end(&s);
}

/* ---- memory ------------------------------------------------------------------------------------ */

/* Everything once: peers, subscriptions, publish, receive, gossip, drain, heartbeats. */
struct told {
    struct scripted *s;
    bool to_its_end;
};

static void story(struct mem *mem, void *context)
{
    struct told *told = context;
    struct scripted *s = told->s;
    struct gossipsub g;
    struct gossipsub_event ev;
    struct buf out;
    s->now = START_MS;
    if (gossipsub_init(&g, &s->config, &s->identities[0], mem, &s->rng, &s->limits, s->now,
                       UNIX_MS) != 0)
        return;
    buf_init(&out, mem, 1 << 18);
    int rc = gossipsub_subscribe(&g, view_of_text("t"), s->now);
    for (uint32_t i = 1; i <= 6 && rc == 0; i++) {
        rc = gossipsub_add_peer(&g, i, &s->ids[i], GOSSIPSUB_1_2, LISTENER, view_of(NULL, 0));
        gossipsub_greet(&g, i, GOSSIPSUB_1_2, s->now);
        struct span in = test_copy(framed("{0a{0801 12{74}}}"));
        while (rc >= 0 && (rc = gossipsub_feed(&g, i, &in, &ev, s->now)) > 0)
            continue;
    }
    if (rc == 0)
        rc = MIN(gossipsub_publish(&g, view_of_text("t"), view_of_text("hi"), GOSSIPSUB_TO_ALL,
                                   NULL, s->now),
                 0);
    for (uint32_t i = 1; i <= 6 && rc == 0; i++) {
        struct span in = test_copy(i % 2 ? written(s, 9, i, "t", "ho")
                                         : framed("{1a{0a{0a{74} 12{01} 12{02}}}}"));
        while ((rc = gossipsub_feed(&g, i, &in, &ev, s->now)) > 0)
            continue;
        gossipsub_tick(&g, s->now += 1000);
    }
    uint32_t at = 0, handle;
    while (rc == 0 && (handle = gossipsub_owing(&g, &at)) != 0)
        rc = gossipsub_drain(&g, handle, &out);
    told->to_its_end = rc == 0 && out.len > 0;
    gossipsub_remove_peer(&g, 1, s->now);
    buf_free(&out);
    gossipsub_free(&g);
    the_test()->arena_used = 0;
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    struct told told = {&s, false};
    assert_true(fail_each_allocation(story, &told) > 30);
    assert_true(told.to_its_end);
    assert_mem_empty(&s.elsewhere);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subscriptions),
        cmocka_unit_test(test_subscription_flood),
        cmocka_unit_test(test_grafts_whoever_comes_until_there_are_enough),
        cmocka_unit_test(test_graft),
        cmocka_unit_test(test_graft_when_full),
        cmocka_unit_test(test_prune),
        cmocka_unit_test(test_backoffs),
        cmocka_unit_test(test_hostile_prunes_of_vectors),
        cmocka_unit_test(test_graft_flood),
        cmocka_unit_test(test_mute_peers_leave_the_mesh),
        cmocka_unit_test(test_backoff_of_one_that_left),
        cmocka_unit_test(test_message_is_given_once_and_passed_on),
        cmocka_unit_test(test_messages_of_no_concern),
        cmocka_unit_test(test_signed_by_js),
        cmocka_unit_test(test_forged),
        cmocka_unit_test(test_without_signatures),
        cmocka_unit_test(test_message_too_long_to_pass_on),
        cmocka_unit_test(test_verified_elsewhere),
        cmocka_unit_test(test_verified_in_any_order),
        cmocka_unit_test(test_copies_verified_elsewhere),
        cmocka_unit_test(test_unverified_are_bounded),
        cmocka_unit_test(test_recorded_streams),
        cmocka_unit_test(test_broken_bytes),
        cmocka_unit_test(test_begun_by_many),
        cmocka_unit_test(test_events_are_copies),
        cmocka_unit_test(test_slow_readers),
        cmocka_unit_test(test_each_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What an application chooses: names of messages, explicit peers, allowed topics; and what it is told. */
#include "scripted.h"
#include "test.h"

#undef fail /* the node has one too */
#include "node/node.h"

/* ---- names -------------------------------------------------------------------------------------- */

static void name(struct scripted *s, uint32_t job, const char *id)
{
    struct gossipsub_event ev;
    gossipsub_name(&s->g, job, view_of_text(id), s->now);
    while (gossipsub_next(&s->g, &ev))
        scripted_hear(s, &ev);
}

static void begin_named(struct scripted *s, uint32_t count)
{
    scripted_init(s);
    s->config.message_id = GOSSIPSUB_ID_GIVEN;
    begin(s, count);
}

/* It goes on under its name, and is known by it. */
static void test_named_message(void **state)
{
    (void)state;
    static struct scripted s;
    begin_named(&s, 6);
    say_message(&s, 1, 9, 1, "t", "hello");
    assert_heard(&s, "name 1: hello via 1\n");
    say_message(&s, 2, 9, 1, "t", "hello");
    assert_heard(&s, "");
    assert_int_equal(said(&s, 2).parts[RPC_MESSAGE], 0);
    name(&s, 1, "greeting");
    assert_heard(&s, "message hello via 1\n");
    assert_int_equal(said(&s, 2).parts[RPC_MESSAGE], 1);
    assert_int_equal(said(&s, 1).parts[RPC_MESSAGE], 0);

    say_message(&s, 3, 10, 1, "t", "hello again");
    assert_heard(&s, "name 2: hello again via 3\n");
    name(&s, 2, "greeting");
    assert_heard(&s, "");
    assert_int_equal(said(&s, 1).parts[RPC_MESSAGE], 0);

    /* peer 5 is in no mesh */
    pass(&s, 1000);
    assert_said(&s, 5, "1 ihave topic=74 id=6772656574696e67\n");
    say(&s, 5, "{1a{12{0a{6772656574696e67}}}}");
    assert_int_equal(said(&s, 5).parts[RPC_MESSAGE], 1);
    say(&s, 5, "{1a{0a{0a{74} 12{6772656574696e67} 12{6f74686572}}}}");
    assert_said(&s, 5, "1 iwant id=6f74686572\n");
    scripted_end(&s);
}

/* No name, none that is too long, none for what is not waiting for one; and none in time. */
static void test_bad_names(void **state)
{
    (void)state;
    static struct scripted s;
    static char longest[MESSAGE_ID_GIVEN_MAX + 2];
    memset(longest, 'x', MESSAGE_ID_GIVEN_MAX + 1);
    begin_named(&s, 2);
    for (uint32_t i = 1; i <= 4; i++)
        say_message(&s, 1, 9, i, "t", "hello");
    s.heard = (struct transcript){0};
    name(&s, 1, "");
    name(&s, 2, longest);
    name(&s, 1, "late");
    name(&s, 77, "nobody's");
    assert_heard(&s, "");
    longest[MESSAGE_ID_GIVEN_MAX] = '\0';
    name(&s, 3, longest);
    assert_heard(&s, "message hello via 1\n");
    said(&s, 2);
    pass(&s, s.limits.verdict_ms + 1000);
    name(&s, 4, "in vain");
    assert_heard(&s, "");
    assert_int_equal(said(&s, 2).parts[RPC_MESSAGE], 0);
    assert_int_equal(s.g.checks.count, 0);
    scripted_end(&s);
}

/* First the name, then the verdict. */
static void test_named_and_judged(void **state)
{
    (void)state;
    static struct scripted s;
    begin_named(&s, 2);
    gossipsub_judge(&s.g, 0, GOSSIPSUB_ACCEPT, s.now);
    say_message(&s, 1, 9, 1, "t", "good");
    name(&s, 1, "a");
    say_message(&s, 1, 9, 2, "t", "bad");
    name(&s, 3, "b");
    assert_heard(&s,
                 "name 1: good via 1\nmessage good via 1\nname 3: bad via 1\nmessage bad via 1\n");
    assert_int_equal(said(&s, 2).parts[RPC_MESSAGE], 0);
    gossipsub_judge(&s.g, 2, GOSSIPSUB_ACCEPT, s.now);
    gossipsub_judge(&s.g, 4, GOSSIPSUB_REJECT, s.now);
    assert_int_equal(said(&s, 2).parts[RPC_MESSAGE], 1);
    assert_true(gossipsub_score(&s.g, 1) < 0);
    say_message(&s, 2, 9, 2, "t", "bad");
    assert_true(gossipsub_score(&s.g, 2) < 0);
    scripted_end(&s);
}

/* However long that took: what goes on now is news, for those outside the mesh as well. */
static void check_late(bool is_named)
{
    static struct scripted s;
    uint32_t sent = 0, told = 0;
    if (is_named)
        begin_named(&s, 12);
    else {
        scripted_init(&s);
        begin(&s, 12);
        gossipsub_judge(&s.g, 0, GOSSIPSUB_ACCEPT, s.now);
    }
    say_message(&s, 1, 20, 1, "t", "hello");
    pass(&s, 20000);
    for (uint32_t i = 1; i <= 12; i++)
        assert_int_equal(said(&s, i).parts[RPC_MESSAGE], 0);
    if (is_named)
        name(&s, 1, "late");
    else
        gossipsub_judge(&s.g, 1, GOSSIPSUB_ACCEPT, s.now);
    for (uint32_t i = 1; i <= 12; i++)
        sent += said(&s, i).parts[RPC_MESSAGE];
    pass(&s, 1000);
    for (uint32_t i = 1; i <= 12; i++)
        told += said(&s, i).parts[RPC_IHAVE];
    assert_true(sent >= s.config.d_low - 1);
    assert_in_range(told, s.config.d_lazy - 1, s.config.d_lazy);
    scripted_end(&s);
}

static void test_judged_late(void **state)
{
    (void)state;
    check_late(false);
}

static void test_named_late(void **state)
{
    (void)state;
    check_late(true);
}

/* Our own is sent at once, and told of when it has its name. */
static void test_own_message_is_named(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    s.config.message_id = GOSSIPSUB_ID_GIVEN;
    s.config.emit_self = true;
    begin(&s, 2);
    assert_code(
        gossipsub_publish(&s.g, view_of_text("t"), view_of_text("mine"), s.reach, NULL, s.now), 2);
    assert_int_equal(said(&s, 1).parts[RPC_MESSAGE], 1);
    assert_int_equal(said(&s, 2).parts[RPC_MESSAGE], 1);
    say(&s, 1, "{}");
    assert_heard(&s, "name 1: mine via 0\n");
    name(&s, 1, "greeting");
    assert_heard(&s, "message mine via 0\n");
    assert_int_equal(said(&s, 1).parts[RPC_MESSAGE], 0);
    say(&s, 2, "{1a{12{0a{6772656574696e67}}}}");
    assert_int_equal(said(&s, 2).parts[RPC_MESSAGE], 1);
    scripted_end(&s);
}

/* Without an author a message is what it says where; its name may differ. */
static void test_named_without_signatures(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    s.config.message_id = GOSSIPSUB_ID_GIVEN;
    s.config.signing = GOSSIPSUB_STRICT_NO_SIGN;
    begin(&s, 2);
    assert_ok(gossipsub_subscribe(&s.g, view_of_text("u"), s.now));
    say_message(&s, 1, 9, 1, "t", "hello");
    say_message(&s, 1, 9, 1, "u", "hello");
    say_message(&s, 2, 9, 1, "t", "hello");
    assert_heard(&s, "name 1: hello via 1\nname 2: hello via 1\n");
    name(&s, 1, "t hello");
    name(&s, 2, "u hello");
    assert_heard(&s, "message hello via 1\nmessage hello via 1\n");
    assert_code(
        gossipsub_publish(&s.g, view_of_text("t"), view_of_text("hello"), s.reach, NULL, s.now),
        ERR_PUBLISHED);
    scripted_end(&s);
}

/* ---- explicit peers ------------------------------------------------------------------------------- */

/* It is in no mesh, and sent everything, whatever its score. */
static void test_explicit_peer(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    s.reach = GOSSIPSUB_TO_MESH;
    scripted_begin(&s);
    assert_ok(gossipsub_subscribe(&s.g, view_of_text("t"), s.now));
    meet(&s, 1, GOSSIPSUB_1_2, LISTENER);
    gossipsub_set_explicit(&s.g, 1);
    say(&s, 1, JOIN);
    meet(&s, 2, GOSSIPSUB_1_2, LISTENER);
    say(&s, 2, JOIN);
    pass(&s, 1000);
    assert_int_equal(mesh_size(&s, "t"), 1);
    assert_int_equal(said(&s, 1).parts[RPC_GRAFT], 0);
    said(&s, 2);

    say_message(&s, 2, 9, 1, "t", "forwarded");
    assert_int_equal(said(&s, 1).parts[RPC_MESSAGE], 1);
    assert_code(
        gossipsub_publish(&s.g, view_of_text("t"), view_of_text("ours"), s.reach, NULL, s.now), 2);
    assert_int_equal(said(&s, 1).parts[RPC_MESSAGE], 1);
    pass(&s, 1000);
    assert_int_equal(said(&s, 1).parts[RPC_IHAVE], 0);

    say(&s, 1, GRAFT);
    assert_int_equal(said(&s, 1).parts[RPC_PRUNE], 1);
    assert_int_equal(mesh_size(&s, "t"), 1);

    gossipsub_rate(&s.g, 1, -100);
    pass(&s, 1000);
    assert_true(gossipsub_score(&s.g, 1) < SCORE_DEFAULTS.graylist_threshold);
    s.heard = (struct transcript){0};
    say_message(&s, 1, 9, 2, "t", "still heard");
    assert_heard(&s, "message still heard via 1\n");
    assert_code(
        gossipsub_publish(&s.g, view_of_text("t"), view_of_text("more"), s.reach, NULL, s.now), 2);
    scripted_end(&s);
}

/* ---- allowed topics --------------------------------------------------------------------------------- */

static void test_allowed_topics(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    scripted_begin(&s);
    assert_ok(gossipsub_set_params(&s.g, view_of_text("t"), NULL));
    assert_code(
        gossipsub_set_params(&s.g, view_of(s.seed ? (const uint8_t *)&s : NULL, 1000), NULL),
        ERR_BAD_ARGUMENT);
    assert_ok(gossipsub_subscribe(&s.g, view_of_text("t"), s.now));
    assert_ok(gossipsub_subscribe(&s.g, view_of_text("u"), s.now));
    meet(&s, 1, GOSSIPSUB_1_2, LISTENER);
    say(&s, 1, "{0a{0801 12{74}} 0a{0801 12{75}} 0a{0801 12{76}}}");
    say_message(&s, 1, 9, 1, "t", "allowed");
    say_message(&s, 1, 9, 2, "u", "not allowed");
    assert_heard(&s, "peer 1 joined 74\nmessage allowed via 1\n");
    pass(&s, 2000);
    assert_null(topic_find(&s.g.mesh, view_of_text("v")));
    assert_non_null(topic_find(&s.g.mesh, view_of_text("t")));
    scripted_end(&s);
}

/* ---- what is told ------------------------------------------------------------------------------------ */

static void test_meshes_are_told(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    s.config.d_low = 0;
    s.hears_meshes = true;
    begin(&s, 2);
    say(&s, 1, GRAFT);
    assert_heard(&s, "peer 1 grafted\n");
    say(&s, 1, GRAFT);
    assert_heard(&s, "");
    say(&s, 1, "{1a{22{0a{74} 183c}}}");
    assert_heard(&s, "peer 1 pruned\n");
    say(&s, 1, "{0a{0800 12{74}} 1a{22{0a{74} 183c}}}");
    assert_heard(&s, "peer 1 left 74\npeer 1 pruned\n");

    say(&s, 2, GRAFT);
    assert_ok(gossipsub_unsubscribe(&s.g, view_of_text("t"), s.now));
    said(&s, 2);
    say(&s, 2, "{}");
    assert_heard(&s, "peer 2 grafted\npeer 2 pruned by us\n");
    pass(&s, 12000);
    s.g.config.d_low = 4;
    assert_ok(gossipsub_subscribe(&s.g, view_of_text("t"), s.now));
    said(&s, 2);
    say(&s, 2, "{}");
    assert_heard(&s, "peer 2 grafted by us\n");
    gossipsub_remove_peer(&s.g, 2, s.now);
    scripted_end(&s);
}

/* What is no number changes nothing. */
static void test_rating(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 1);
    gossipsub_rate(&s.g, 1, -1);
    pass(&s, 1000);
    float zero = 0;
    gossipsub_rate(&s.g, 1, zero / zero);
    pass(&s, 1000);
    assert_true(gossipsub_score(&s.g, 1) == -10);
    gossipsub_remove_peer(&s.g, 1, s.now);
    assert_true(gossipsub_score(&s.g, 1) == -10);
    assert_true(gossipsub_score(&s.g, 2) == 0);
    scripted_end(&s);
}

static struct peerlet *node_with(struct scripted *s, const struct peerlet_pubsub_config *pubsub)
{
    int error;
    scripted_init(s);
    struct peerlet_config config = {.rng = s->rng, .services = PEERLET_PUBSUB, .pubsub = *pubsub};
    struct peerlet *p = peerlet_new(&config, s->now, &error);
    assert_non_null(p);
    return p;
}

/* ---- peers without gossipsub -------------------------------------------------------------------- */

/* They are sent subscriptions, and all messages of their topics while they are worth it; and no control, nor
 * is theirs heard. */
static void test_floodsub(void **state)
{
    (void)state;
    static const enum gossipsub_reach REACHES[] = {GOSSIPSUB_TO_ALL, GOSSIPSUB_TO_MESH};
    char text[601] = {0};
    memset(text, 'x', 600);
    for (size_t i = 0; i < ARRAY_LEN(REACHES); i++) {
        static struct scripted s;
        scripted_init(&s);
        s.reach = REACHES[i];
        begin(&s, 2);
        meet(&s, 3, FLOODSUB, DIALER);
        assert_said(&s, 3, "1 subscription topic=74 yes\n");
        say(&s, 3, JOIN);
        say_message(&s, 1, 9, 1, "t", text);
        assert_int_equal(said(&s, 2).parts[RPC_IDONTWANT], 1);
        struct tally t = said(&s, 3);
        assert_int_equal(t.parts[RPC_MESSAGE], 1);
        assert_int_equal(
            gossipsub_publish(&s.g, view_of_text("t"), view_of_text("ours"), s.reach, NULL, s.now),
            3);
        say_message(&s, 3, 10, 1, "t", "flooded");
        assert_int_equal(said(&s, 1).parts[RPC_MESSAGE], 2);
        say(&s, 3, GRAFT);
        say(&s, 3, "{1a{0a{0a{74} 12{0102030405060708090a}} 22{0a{74} 183c}}}");
        pass(&s, 3000);
        t = said(&s, 3);
        struct tally ours = {.parts = {[RPC_MESSAGE] = 1}, .rpcs = t.rpcs};
        assert_memory_equal(&t, &ours, sizeof t);
        assert_int_equal(mesh_size(&s, "t"), 2);
        gossipsub_rate(&s.g, 3, -5.1f);
        pass(&s, 1000);
        say_message(&s, 1, 9, 2, "t", text);
        assert_int_equal(
            gossipsub_publish(&s.g, view_of_text("t"), view_of_text("ours"), s.reach, NULL, s.now),
            2);
        assert_said(&s, 3, "");
        scripted_end(&s);
    }
}

static void test_floodsub_is_offered(void **state)
{
    (void)state;
    static struct scripted s;
    for (uint32_t is_on = 0; is_on < 2; is_on++) {
        struct peerlet *p =
            node_with(&s, &(struct peerlet_pubsub_config){.fallback_to_floodsub = is_on});
        enum gossipsub_version version;
        struct view own = peerlet_peer_protocols(p, view_of(NULL, 0));
        assert_int_equal(is_rpc_protocol(p, view_of_text("/floodsub/1.0.0"), &version), is_on);
        assert_true(is_rpc_protocol(p, view_of_text("/meshsub/1.0.0"), &version));
        size_t len = strlen("/floodsub/1.0.0"), found = 0;
        for (size_t at = 0; at + len <= own.len; at++)
            found += memcmp(own.data + at, "/floodsub/1.0.0", len) == 0;
        assert_int_equal(found, is_on);
        peerlet_delete(p);
    }
}

/* ---- numbers ------------------------------------------------------------------------------------ */

/* What is not given is the default, and 0 is 0. */
static void test_numbers(void **state)
{
    (void)state;
    static struct scripted s;
    for (size_t i = 0; i < ARRAY_LEN(s.config.numbers); i++) {
        struct gossipsub_config expected = GOSSIPSUB_DEFAULTS;
        struct peerlet_pubsub_config given = {0};
        uint32_t *number = &given.numbers[PEERLET_PUBSUB_SWITCHES + i];
        *number = expected.numbers[i] == expected.heartbeat_ms ? 1001 : 1;
        expected.numbers[i] = *number - 1;
        if (expected.d == 0)
            expected.d_low = expected.d_out = 0;
        if (expected.mcache_length == 0)
            expected.mcache_gossip = 0;
        expected.d_high = MAX(expected.d_high, expected.d);
        struct peerlet *p = node_with(&s, &given);
        assert_memory_equal(p->gossip.config.numbers, expected.numbers, sizeof expected.numbers);
        peerlet_delete(p);
    }
}

/* What is read of others is bounded by it, and what is said, too; never by less than everybody reads. */
static void test_longest_rpc(void **state)
{
    (void)state;
    static struct scripted s;
    enum { KIB = 1024 };
    static const struct {
        uint32_t given;
        size_t rpc, rpc_long, message;
    } CASES[] = {
        {0, 1024 * KIB, 64 * KIB, 60 * KIB},
        {1, 64 * KIB, 64 * KIB, 60 * KIB},
        {100 * KIB + 1, 100 * KIB, 100 * KIB, 96 * KIB},
        {UINT32_MAX, 1024 * KIB, 252 * KIB, 248 * KIB},
    };
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        struct peerlet *p =
            node_with(&s, &(struct peerlet_pubsub_config){.longest_rpc = CASES[i].given});
        assert_int_equal(p->limits.rpc, CASES[i].rpc);
        assert_int_equal(p->limits.rpc_send, 64 * KIB);
        assert_int_equal(p->limits.rpc_long, CASES[i].rpc_long);
        assert_int_equal(p->limits.message, CASES[i].message);
        peerlet_delete(p);
    }
}

/* Explicit peers are dialled once, and no alarm is set for another time. */
static void test_never_again(void **state)
{
    (void)state;
    static struct scripted s;
    struct peerlet *p = node_with(&s, &(struct peerlet_pubsub_config){.explicit_ms = 1});
    struct peer_text id = peer_text(&s.ids[1]);
    assert_ok(peerlet_add_addresses(p, peer_text_view(&id), view_of(NULL, 0), true, s.now));
    peerlet_start(p, s.now);
    struct peerlet_output out;
    while (peerlet_next(p, &out))
        continue;
    assert_true(p->explicit_at == NEVER);
    peerlet_delete(p);
}

/* To all eight, or to the six of the mesh; and what is said of one message is not said of the next. */
static void test_reach_of_one_message(void **state)
{
    (void)state;
    static struct scripted s;
    struct peerlet *p = node_with(&s, &(struct peerlet_pubsub_config){0});
    struct view t = view_of_text("t"), hello = view_of_text("hello");
    for (uint32_t i = 1; i <= 8; i++) {
        struct gossipsub_event ev;
        struct span in = test_copy(framed(JOIN));
        assert_ok(gossipsub_add_peer(&p->gossip, i, &s.ids[i], GOSSIPSUB_1_2, LISTENER, hello));
        gossipsub_greet(&p->gossip, i, GOSSIPSUB_1_2, s.now);
        assert_code(gossipsub_feed(&p->gossip, i, &in, &ev, s.now), 1);
    }
    assert_ok(peerlet_subscribe(p, t, s.now));
    assert_code(peerlet_publish(p, t, hello, PEERLET_TO_ALL, s.now), 8);
    assert_code(peerlet_publish(p, t, hello, PEERLET_TO_MESH, s.now), 6);
    assert_code(peerlet_publish(p, t, hello, PEERLET_TO_ALL, s.now), 8);
    peerlet_delete(p);
}

static void test_no_look_for_better_peers(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    s.config.opportunistic_ms = 0;
    begin(&s, 4);
    meet(&s, 5, GOSSIPSUB_1_2, LISTENER);
    say(&s, 5, JOIN);
    gossipsub_rate(&s.g, 5, 1);
    pass(&s, 120000);
    assert_int_equal(mesh_size(&s, "t"), 4);
    scripted_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_named_message),
        cmocka_unit_test(test_bad_names),
        cmocka_unit_test(test_named_and_judged),
        cmocka_unit_test(test_judged_late),
        cmocka_unit_test(test_named_late),
        cmocka_unit_test(test_own_message_is_named),
        cmocka_unit_test(test_named_without_signatures),
        cmocka_unit_test(test_explicit_peer),
        cmocka_unit_test(test_allowed_topics),
        cmocka_unit_test(test_meshes_are_told),
        cmocka_unit_test(test_rating),
        cmocka_unit_test(test_floodsub),
        cmocka_unit_test(test_floodsub_is_offered),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_longest_rpc),
        cmocka_unit_test(test_never_again),
        cmocka_unit_test(test_reach_of_one_message),
        cmocka_unit_test(test_no_look_for_better_peers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "scripted.h"
#include "test.h"

static struct view t(void)
{
    return view_of_text("t");
}

static void subscribe(struct scripted *s, const char *topic)
{
    assert_ok(gossipsub_subscribe(&s->g, view_of_text(topic), s->now));
}

static void unsubscribe(struct scripted *s, const char *topic)
{
    assert_ok(gossipsub_unsubscribe(&s->g, view_of_text(topic), s->now));
}

static int publish(struct scripted *s, const char *topic, const char *data)
{
    return gossipsub_publish(&s->g, view_of_text(topic), view_of_text(data), s->reach, NULL,
                             s->now);
}

/* ---- subscriptions ----------------------------------------------------------------------------- */

static void test_tells_subscriptions(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    scripted_begin(&s);
    subscribe(&s, "t");
    subscribe(&s, "u");
    meet(&s, 1, GOSSIPSUB_1_2, LISTENER);
    assert_said(&s, 1, "1 subscription topic=74 yes\n1 subscription topic=75 yes\n");
    subscribe(&s, "v");
    subscribe(&s, "v");
    unsubscribe(&s, "t");
    unsubscribe(&s, "nothing");
    assert_said(&s, 1, "1 subscription topic=76 yes\n1 subscription topic=74 no\n");
    assert_said(&s, 1, "");
    scripted_end(&s);
}

/* Only how it stands in the end is told, and a new stream is not told of what was left before. */
static void test_tells_the_last_state(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    scripted_begin(&s);
    meet(&s, 1, GOSSIPSUB_1_2, LISTENER);
    for (int i = 0; i < 100; i++) {
        subscribe(&s, "t");
        unsubscribe(&s, "t");
        subscribe(&s, "u");
    }
    meet(&s, 2, GOSSIPSUB_1_2, LISTENER);
    assert_said(&s, 1, "1 subscription topic=75 yes\n1 subscription topic=74 no\n");
    assert_said(&s, 2, "1 subscription topic=75 yes\n");
    gossipsub_silence(&s.g, 1, s.now);
    assert_said(&s, 1, "");
    gossipsub_greet(&s.g, 1, GOSSIPSUB_1_2, s.now);
    assert_said(&s, 1, "1 subscription topic=75 yes\n");
    scripted_end(&s);
}

static void test_commands_check_topics(void **state)
{
    (void)state;
    static struct scripted s;
    static const uint8_t LONG[257];
    scripted_init(&s);
    s.limits.topics = 2;
    scripted_begin(&s);
    struct view bad[] = {view_of(NULL, 0), view_of(LONG, sizeof LONG)};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_code(gossipsub_subscribe(&s.g, bad[i], 0), ERR_BAD_ARGUMENT);
        assert_code(gossipsub_unsubscribe(&s.g, bad[i], 0), ERR_BAD_ARGUMENT);
        assert_code(gossipsub_publish(&s.g, bad[i], t(), s.reach, NULL, 0), ERR_BAD_ARGUMENT);
    }
    assert_ok(gossipsub_subscribe(&s.g, view_of(LONG, sizeof LONG - 1), 0));
    subscribe(&s, "u");
    assert_code(gossipsub_subscribe(&s.g, t(), 0), ERR_FULL);
    /* What was left counts until everybody knows. */
    meet(&s, 1, GOSSIPSUB_1_2, LISTENER);
    unsubscribe(&s, "u");
    subscribe(&s, "u");
    unsubscribe(&s, "u");
    pass(&s, 1000);
    assert_code(gossipsub_subscribe(&s.g, t(), 0), ERR_FULL);
    said(&s, 1);
    pass(&s, 1000);
    subscribe(&s, "t");
    scripted_end(&s);
}

static void test_questions(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    scripted_begin(&s);
    subscribe(&s, "t");
    subscribe(&s, "u");
    for (uint32_t i = 1; i <= 3; i++)
        meet(&s, i, GOSSIPSUB_1_2, LISTENER);
    say(&s, 1, JOIN);
    say(&s, 3, JOIN);
    gossipsub_remove_peer(&s.g, 2, s.now);
    say(&s, 3, "{1a{22{0a{74}}}}");

    struct view topic;
    uint32_t at = 0;
    assert_true(gossipsub_next_topic(&s.g, &at, &topic));
    assert_view_text(topic, "t");
    assert_true(gossipsub_next_topic(&s.g, &at, &topic));
    assert_view_text(topic, "u");
    assert_false(gossipsub_next_topic(&s.g, &at, &topic));

    static const struct {
        const char *name;
        enum gossipsub_set set;
        const char *topic;
        uint32_t peers[3];
    } SETS[] = {
        {"all", GOSSIPSUB_ALL, "", {1, 3, 0}},
        {"subscribers", GOSSIPSUB_SUBSCRIBERS, "t", {1, 3, 0}},
        {"mesh", GOSSIPSUB_MESH, "t", {1, 0}},
        {"nobody", GOSSIPSUB_SUBSCRIBERS, "u", {0}},
        {"no such topic", GOSSIPSUB_SUBSCRIBERS, "x", {0}},
    };
    EACH_ROW(i, SETS) {
        uint32_t found[4] = {0}, count = 0, handle;
        at = 0;
        while ((handle = gossipsub_next_peer(&s.g, SETS[i].set, view_of_text(SETS[i].topic), &at)))
            found[count++] = handle;
        assert_int_equal(found[0] + found[1], SETS[i].peers[0] + SETS[i].peers[1]);
        assert_int_equal(count, (SETS[i].peers[0] != 0) + (SETS[i].peers[1] != 0));
    }
    assert_true(peer_id_equal(gossipsub_peer_id(&s.g, 3), &s.ids[3]));
    assert_null(gossipsub_peer_id(&s.g, 2));
    scripted_end(&s);
}

/* ---- publishing -------------------------------------------------------------------------------- */

static void test_publish_to_all_subscribers(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    scripted_begin(&s);
    for (uint32_t i = 1; i <= 20; i++) {
        meet(&s, i, GOSSIPSUB_1_2, LISTENER);
        if (i <= 15)
            say(&s, i, JOIN);
    }
    struct buf recipients;
    buf_init(&recipients, &s.mem, 1024);
    assert_code(gossipsub_publish(&s.g, t(), view_of_text("hi"), s.reach, &recipients, s.now), 15);
    assert_int_equal(recipients.len, 15 * 4);
    struct cursor c = cursor_of(buf_view(&recipients));
    for (uint32_t handle; (handle = take_u32be(&c)) != 0;)
        assert_int_equal(said(&s, handle).parts[RPC_MESSAGE], 1);
    for (uint32_t i = 16; i <= 20; i++)
        assert_int_equal(said(&s, i).parts[RPC_MESSAGE], 0);
    buf_free(&recipients);
    scripted_end(&s);
}

static void test_publish_errors(void **state)
{
    (void)state;
    static struct scripted s;
    static uint8_t data[61 << 10];
    scripted_init(&s);
    scripted_begin(&s);
    assert_code(publish(&s, "t", "hi"), ERR_NO_PEERS);
    meet(&s, 1, GOSSIPSUB_1_2, LISTENER);
    say(&s, 1, JOIN);
    assert_code(
        gossipsub_publish(&s.g, t(), view_of(data, s.limits.message + 1), s.reach, NULL, s.now),
        ERR_TOO_BIG);
    assert_code(gossipsub_publish(&s.g, t(), view_of(data, s.limits.message), s.reach, NULL, s.now),
                1);
    assert_int_equal(said(&s, 1).parts[RPC_MESSAGE], 1);
    scripted_end(&s);
}

/* Our stream is lost for a moment, or not there yet: what we say waits for it, up to a bound. */
static void test_publish_before_the_stream(void **state)
{
    (void)state;
    static struct scripted s;
    static uint8_t data[60 << 10];
    scripted_init(&s);
    scripted_begin(&s);
    meet(&s, 1, GOSSIPSUB_1_2, LISTENER);
    say(&s, 1, JOIN);
    gossipsub_silence(&s.g, 1, s.now);
    uint32_t sent = 0;
    while (gossipsub_publish(&s.g, t(), view_of(data, s.limits.message), s.reach, NULL, s.now) == 1)
        sent++;
    assert_int_equal(sent, s.limits.gossip_out / (s.limits.message + 1));
    assert_code(publish(&s, "t", "hi"), 1);
    assert_said(&s, 1, "");
    gossipsub_greet(&s.g, 1, GOSSIPSUB_1_2, s.now);
    assert_int_equal(said(&s, 1).parts[RPC_MESSAGE], sent + 1);
    assert_code(publish(&s, "t", "hi"), 1);
    gossipsub_remove_peer(&s.g, 1, s.now);
    assert_code(publish(&s, "t", "hi"), ERR_NO_PEERS);
    scripted_end(&s);
}

static void test_publish_to_nobody(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    s.config.allow_no_peers = true;
    scripted_begin(&s);
    assert_ok(publish(&s, "t", "hi"));
    assert_ok(publish(&s, "t", ""));
    scripted_end(&s);
}

static void test_emit_self(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    s.config.emit_self = true;
    scripted_begin(&s);
    assert_code(publish(&s, "t", "one"), ERR_NO_PEERS);
    subscribe(&s, "t");
    assert_ok(publish(&s, "t", "two"));
    assert_ok(publish(&s, "t", "three"));
    struct gossipsub_event ev;
    while (gossipsub_next(&s.g, &ev))
        scripted_hear(&s, &ev);
    assert_heard(&s, "message two via 0\nmessage three via 0\n");
    scripted_end(&s);
}

/* Sequence numbers begin with the clock and grow; a message that failed uses none up. */
static void test_sequence_numbers(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    s.config.emit_self = true;
    scripted_begin(&s);
    subscribe(&s, "t");
    for (uint64_t i = 1; i <= 3; i++) {
        struct gossipsub_event ev;
        assert_code(publish(&s, "u", "nobody hears"), ERR_NO_PEERS);
        assert_ok(publish(&s, "t", "x"));
        assert_true(gossipsub_next(&s.g, &ev));
        struct cursor c = cursor_of(ev.seqno);
        assert_true(take_u64be(&c) == UINT64_C(1700000000000000000) + i);
        assert_int_equal(ev.via, 0);
        assert_view_equal(ev.from, peer_id_view(&s.ids[0]));
    }
    scripted_end(&s);
}

/* Where data makes the id, the same data twice is one message. */
static void test_published_already(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    s.config.message_id = GOSSIPSUB_ID_SHA256;
    scripted_begin(&s);
    meet(&s, 1, GOSSIPSUB_1_2, LISTENER);
    say(&s, 1, JOIN);
    assert_code(publish(&s, "t", "hi"), 1);
    assert_code(publish(&s, "t", "hi"), ERR_PUBLISHED);
    assert_code(publish(&s, "t", "ho"), 1);
    assert_int_equal(said(&s, 1).parts[RPC_MESSAGE], 2);
    scripted_end(&s);
}

static void test_publish_without_flooding(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    s.reach = GOSSIPSUB_TO_MESH;
    scripted_begin(&s);
    subscribe(&s, "t");
    for (uint32_t i = 1; i <= 20; i++) {
        meet(&s, i, GOSSIPSUB_1_2, LISTENER);
        say(&s, i, JOIN);
    }
    /* The mesh has four, grafted as they came; two more are told since it is thin. */
    assert_int_equal(mesh_size(&s, "t"), 4);
    assert_code(publish(&s, "t", "hi"), 6);
    for (uint32_t i = 5; i <= 12; i++)
        say(&s, i, GRAFT);
    assert_int_equal(mesh_size(&s, "t"), 12);
    assert_code(publish(&s, "t", "ho"), 12);
    scripted_end(&s);
}

/* The peers published to are the same for a minute, then others may be. */
static void test_fanout(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    s.reach = GOSSIPSUB_TO_MESH;
    scripted_begin(&s);
    for (uint32_t i = 1; i <= 40; i++) {
        meet(&s, i, GOSSIPSUB_1_2, LISTENER);
        say(&s, i, JOIN);
    }
    assert_code(publish(&s, "t", "1"), 6);
    assert_code(publish(&s, "t", "2"), 6);
    uint32_t both = 0, gone = 0;
    for (uint32_t i = 1; i <= 40; i++) {
        uint32_t count = said(&s, i).parts[RPC_MESSAGE];
        assert_true(count == 0 || count == 2);
        both += count == 2;
        if (count == 2 && gone++ == 0)
            say(&s, i, LEAVE);
    }
    assert_int_equal(both, 6);
    /* One left; another takes its place. */
    assert_code(publish(&s, "t", "3"), 6);
    pass(&s, 59000);
    assert_int_equal(topic_count(topic_find(&s.g.mesh, t()), PUBLISHABLE_INSIDE, s.now), 6);
    pass(&s, 2000);
    assert_int_equal(topic_count(topic_find(&s.g.mesh, t()), PUBLISHABLE_INSIDE, s.now), 0);
    scripted_end(&s);
}

/* Who was published to becomes the mesh when we subscribe. */
static void test_fanout_becomes_mesh(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    s.reach = GOSSIPSUB_TO_MESH;
    scripted_begin(&s);
    for (uint32_t i = 1; i <= 40; i++) {
        meet(&s, i, GOSSIPSUB_1_2, LISTENER);
        say(&s, i, JOIN);
    }
    assert_code(publish(&s, "t", "1"), 6);
    subscribe(&s, "t");
    for (uint32_t i = 1; i <= 40; i++) {
        struct tally told = said(&s, i);
        assert_int_equal(told.parts[RPC_GRAFT], told.parts[RPC_MESSAGE]);
    }
    assert_int_equal(mesh_size(&s, "t"), 6);
    scripted_end(&s);
}

/* ---- joining and leaving ----------------------------------------------------------------------- */

static void test_leave_prunes(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    scripted_begin(&s);
    subscribe(&s, "t");
    meet(&s, 1, GOSSIPSUB_1_2, LISTENER);
    meet(&s, 2, GOSSIPSUB_1_0, LISTENER);
    say(&s, 1, JOIN);
    say(&s, 2, JOIN);
    said(&s, 1);
    said(&s, 2);
    unsubscribe(&s, "t");
    assert_said(&s, 1, "1 subscription topic=74 no\n1 prune topic=74 for 10\n");
    assert_said(&s, 2, "1 subscription topic=74 no\n1 prune topic=74 for 0\n");
    /* We keep to the backoff ourselves, with a second to spare. */
    subscribe(&s, "t");
    assert_said(&s, 1, "1 subscription topic=74 yes\n");
    pass(&s, 10000);
    assert_said(&s, 1, "");
    pass(&s, 2000);
    assert_said(&s, 1, "1 graft topic=74\n");
    scripted_end(&s);
}

/* The backoff of a peer that goes and comes back within it is remembered. */
static void test_backoff_outlives_the_connection(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    scripted_begin(&s);
    subscribe(&s, "t");
    meet(&s, 1, GOSSIPSUB_1_2, LISTENER);
    say(&s, 1, JOIN);
    say(&s, 1, "{1a{22{0a{74} 183c}}}");
    gossipsub_remove_peer(&s.g, 1, s.now);
    assert_int_equal(gossipsub_next_peer(&s.g, GOSSIPSUB_ALL, t(), &(uint32_t){0}), 0);
    pass(&s, 30000);
    meet(&s, 1, GOSSIPSUB_1_2, LISTENER);
    say(&s, 1, JOIN);
    pass(&s, 30000);
    assert_int_equal(said(&s, 1).parts[RPC_GRAFT], 0);
    pass(&s, 2000);
    assert_int_equal(said(&s, 1).parts[RPC_GRAFT], 1);
    gossipsub_remove_peer(&s.g, 1, s.now);
    assert_int_equal(s.g.peers.count, 0);
    scripted_end(&s);
}

static void test_parted_are_bounded(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    s.limits.conns = 10;
    scripted_begin(&s);
    subscribe(&s, "t");
    for (uint32_t i = 1; i <= 30; i++) {
        meet(&s, i, GOSSIPSUB_1_2, LISTENER);
        say(&s, i, JOIN "{1a{22{0a{74} 1890 1c}}}");
        gossipsub_remove_peer(&s.g, i, s.now);
        assert_true(s.g.peers.count <= 10);
    }
    assert_int_equal(s.g.parted_count, 10);
    pass(&s, 3601 * 1000);
    assert_int_equal(s.g.parted_count, 0);
    assert_int_equal(s.g.peers.count, 0);
    scripted_end(&s);
}

/* ---- streams ----------------------------------------------------------------------------------- */

/* Grafted before our stream was open, or over an earlier one: told again over the new one. */
static void test_greeted_late_and_again(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    scripted_begin(&s);
    subscribe(&s, "t");
    assert_ok(gossipsub_add_peer(&s.g, 1, &s.ids[1], GOSSIPSUB_1_2, LISTENER, view_of(NULL, 0)));
    say(&s, 1, JOIN);
    assert_said(&s, 1, "");
    gossipsub_greet(&s.g, 1, GOSSIPSUB_1_2, s.now);
    assert_said(&s, 1, "1 subscription topic=74 yes\n1 graft topic=74\n");
    gossipsub_greet(&s.g, 1, GOSSIPSUB_1_2, s.now);
    assert_said(&s, 1, "1 subscription topic=74 yes\n1 graft topic=74\n");
    assert_code(publish(&s, "t", "hi"), 1);
    gossipsub_silence(&s.g, 1, s.now);
    assert_int_equal(mesh_size(&s, "t"), 0);
    assert_said(&s, 1, "");
    gossipsub_greet(&s.g, 1, GOSSIPSUB_1_2, s.now);
    struct tally again = said(&s, 1);
    assert_int_equal(again.parts[RPC_GRAFT], 1);
    assert_int_equal(again.parts[RPC_IHAVE], 1);
    scripted_end(&s);
}

/* What we may say follows from our stream; whose the connection is, from the first of them. */
static void test_version_and_role(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 0);
    meet(&s, 1, GOSSIPSUB_1_0, DIALER);
    say(&s, 1, JOIN);
    assert_ok(gossipsub_add_peer(&s.g, 1, &s.ids[1], GOSSIPSUB_1_2, LISTENER, view_of(NULL, 0)));
    said(&s, 1);
    unsubscribe(&s, "t");
    assert_said(&s, 1, "1 subscription topic=74 no\n1 prune topic=74 for 0\n");
    const struct neighbour *n = table_find(&s.g.peers, 1);
    assert_int_equal(n->role, DIALER);
    scripted_end(&s);
}

/* Half an RPC of a stream that ended says nothing to the next one. */
static void test_new_stream_starts_anew(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    scripted_begin(&s);
    meet(&s, 1, GOSSIPSUB_1_2, LISTENER);
    assert_ok(say_bytes(&s, 1, hex("070a05")));
    gossipsub_hear(&s.g, 1);
    say(&s, 1, JOIN);
    assert_heard(&s, "peer 1 joined 74\n");
    assert_ok(say_bytes(&s, 99, hex("070a05")));
    scripted_end(&s);
}

/* ---- what is owed ------------------------------------------------------------------------------ */

static void test_owing_walks_all(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    scripted_begin(&s);
    for (uint32_t i = 1; i <= 10; i++) {
        meet(&s, i, GOSSIPSUB_1_2, LISTENER);
        said(&s, i);
    }
    uint32_t at = 0;
    assert_int_equal(gossipsub_owing(&s.g, &at), 0);
    subscribe(&s, "t");
    /* Each is named once a walk, whether it is drained or not. */
    for (int round = 0; round < 3; round++) {
        bool met[11] = {false};
        uint32_t handle, count = 0;
        at = 0;
        while ((handle = gossipsub_owing(&s.g, &at)) != 0) {
            assert_false(met[handle]);
            met[handle] = true;
            count++;
            if (round == 1 && handle % 2 == 0)
                said(&s, handle);
        }
        assert_int_equal(count, round < 2 ? 10 : 5);
    }
    scripted_end(&s);
}

/* RPCs come whole whatever the room, and everything comes through what is just large enough. */
static void test_drain_by_room(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    scripted_begin(&s);
    for (char topic[] = "a"; topic[0] <= 'z'; topic[0]++)
        subscribe(&s, topic);
    meet(&s, 1, GOSSIPSUB_1_2, LISTENER);
    say(&s, 1, JOIN);
    char data[1001] = {0};
    memset(data, 'x', 1000);
    for (int i = 0; i < 200; i++)
        assert_code(publish(&s, "t", data), 1);
    for (size_t room = 0; room < 1200; room += 50) {
        struct buf out;
        buf_init(&out, &s.elsewhere, room);
        assert_ok(gossipsub_drain(&s.g, 1, &out));
        struct cursor c = cursor_of(buf_view(&out));
        while (c.rest.len > 0)
            take_delimited(&c, room);
        assert_false(c.failed);
        buf_free(&out);
    }
    struct tally t1 = {0};
    drain_parts(&s, 1, 2000, &t1, tally_part);
    assert_true(t1.parts[RPC_MESSAGE] > 190 && t1.rpcs > 100);
    uint32_t at = 0;
    assert_int_equal(gossipsub_owing(&s.g, &at), 0);
    scripted_end(&s);
}

/* Control of every kind leaves with the first RPC, however many messages wait. */
static void test_control_leaves_first(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 1);
    char data[1001] = {0};
    memset(data, 'x', 1000);
    for (int i = 0; i < 100; i++)
        assert_code(publish(&s, "t", data), 1);
    assert_ok(gossipsub_subscribe(&s.g, view_of_text("u"), s.now));
    say(&s, 1, "{0a{0801 12{75}}}"); /* and is grafted there */
    say(&s, 1, "{1a{0a{0a{74} 12{0102030405060708090a}}}}");
    assert_ok(gossipsub_unsubscribe(&s.g, view_of_text("t"), s.now));
    struct buf out;
    buf_init(&out, &s.elsewhere, 4000);
    assert_ok(gossipsub_drain(&s.g, 1, &out));
    struct rpc_reader reader;
    rpc_reader_init(&reader, &s.elsewhere, s.limits.rpc_send);
    struct span in = buf_span(&out);
    struct rpc_part part;
    struct tally first = {0};
    uint32_t rpc = 0;
    while (rpc_feed(&reader, &in, &part) == 1) {
        rpc = rpc == 0 ? part.rpc : rpc;
        if (part.rpc == rpc)
            tally_part(&first, &part);
    }
    assert_int_equal(first.parts[RPC_SUBSCRIPTION], 2);
    assert_int_equal(first.parts[RPC_GRAFT], 1);
    assert_int_equal(first.parts[RPC_PRUNE], 1);
    assert_int_equal(first.parts[RPC_IWANT], 1);
    const struct neighbour *n = table_find(&s.g.peers, 1);
    assert_true(n->queue_len > 90);
    rpc_reader_free(&reader);
    buf_free(&out);
    scripted_end(&s);
}

/* Where a network reads longer ones, a long message has an RPC to itself; short ones share RPCs as ever. */
static void test_long_rpcs(void **state)
{
    (void)state;
    static struct scripted s;
    static uint8_t data[200 << 10];
    static const size_t SIZES[] = {30 << 10, 30 << 10, 30 << 10, sizeof data, 30 << 10};
    scripted_init(&s);
    s.limits.rpc_long = s.limits.message = 240 << 10;
    scripted_begin(&s);
    meet(&s, 1, GOSSIPSUB_1_2, LISTENER);
    say(&s, 1, JOIN);
    subscribe(&s, "t");
    for (size_t i = 0; i < ARRAY_LEN(SIZES); i++)
        assert_code(gossipsub_publish(&s.g, t(), view_of(data, SIZES[i]), s.reach, NULL, s.now), 1);
    struct buf out;
    buf_init(&out, &s.elsewhere, s.limits.channel_out);
    uint32_t shared = 0, alone = 0;
    for (int rounds = 0; rounds < 4; rounds++) {
        assert_ok(gossipsub_drain(&s.g, 1, &out));
        for (struct cursor c = cursor_of(buf_view(&out)); c.rest.len > 0;) {
            size_t len = take_delimited(&c, s.limits.rpc_long).len;
            shared += len <= s.limits.rpc_send;
            alone += len > sizeof data && len < sizeof data + 300;
        }
        buf_free(&out);
    }
    assert_int_equal(alone, 1);
    assert_in_range(shared, 2, 4);
    scripted_end(&s);
}

/* Never an RPC over rpc_send (drain_parts checks), never more control in one than rpc_control. */
static void test_rpcs_are_split(void **state)
{
    (void)state;
    static struct scripted s;
    static const uint8_t ZEROS[200];
    scripted_init(&s);
    scripted_begin(&s);
    for (uint32_t i = 0; i < s.limits.topics; i++) {
        uint8_t name[200];
        memcpy(name, ZEROS, sizeof name);
        name[0] = (uint8_t)(i + 1);
        name[1] = (uint8_t)(i >> 8);
        assert_ok(gossipsub_subscribe(&s.g, view_of(name, sizeof name), s.now));
    }
    meet(&s, 1, GOSSIPSUB_1_2, LISTENER);
    struct buf out;
    buf_init(&out, &s.elsewhere, 1 << 20);
    assert_ok(gossipsub_drain(&s.g, 1, &out));
    struct cursor c = cursor_of(buf_view(&out));
    uint32_t rpcs = 0;
    for (; c.rest.len > 0 && !c.failed; rpcs++)
        take_delimited(&c, s.limits.rpc_control);
    assert_false(c.failed);
    assert_true(rpcs >= 5);
    assert_true(out.len > 200 * s.limits.topics);
    buf_free(&out);
    scripted_end(&s);
}

/* The most of each in one RPC, and all of it. */
struct most {
    uint32_t rpc, subscriptions, messages, unwanted, peers;
    struct tally one, all;
};

static void find_most(void *context, const struct rpc_part *part)
{
    struct most *m = context;
    uint32_t before = m->all.ids;
    tally_part(&m->all, part);
    if (part->rpc != m->rpc)
        m->one = (struct tally){0};
    m->rpc = part->rpc;
    m->one.parts[part->type]++;
    m->subscriptions = MAX(m->subscriptions, m->one.parts[RPC_SUBSCRIPTION]);
    m->messages = MAX(m->messages, m->one.parts[RPC_MESSAGE]);
    m->one.ids += m->all.ids - before;
    if (part->type == RPC_IDONTWANT)
        m->unwanted = MAX(m->unwanted, m->one.ids);
    if (part->type == RPC_PRUNE)
        m->peers = MAX(m->peers, m->all.ids - before);
}

static struct most most_of(struct scripted *s, uint32_t peer)
{
    struct most m = {0};
    drain_parts(s, peer, 1 << 20, &m, find_most);
    return m;
}

/* See struct peerlet_limits, "gossipsub". */
static void test_rpcs_are_what_others_read(void **state)
{
    (void)state;
    static struct scripted s;
    static char long_text[600];
    scripted_init(&s);
    s.config.signing = GOSSIPSUB_STRICT_NO_SIGN;
    s.config.message_id = GOSSIPSUB_ID_SHA256;
    s.config.exchange_peers = true;
    s.config.px_peers = 30;
    scripted_begin(&s);
    for (uint32_t i = 0; i < s.limits.topics; i++) {
        char name[8];
        snprintf(name, sizeof name, "%u", (unsigned)i);
        subscribe(&s, i > 0 ? name : "t");
    }
    for (uint32_t i = 1; i <= 40; i++) {
        meet(&s, i, GOSSIPSUB_1_2, LISTENER);
        gossipsub_set_record(&s.g, i, view_of_text("record"));
        say(&s, i, JOIN);
    }
    struct most m = most_of(&s, 1);
    assert_int_equal(m.subscriptions, 100);
    assert_int_equal(m.all.parts[RPC_SUBSCRIPTION], s.limits.topics);

    for (int i = 0; i < 1200; i++) {
        char text[8];
        snprintf(text, sizeof text, "%d", i);
        assert_code(publish(&s, "t", text), 40);
    }
    m = most_of(&s, 1);
    assert_int_equal(m.messages, 500);
    assert_int_equal(m.all.parts[RPC_MESSAGE], 1200);

    say(&s, 2, GRAFT);
    for (int i = 0; i < 25; i++) {
        snprintf(long_text, sizeof long_text, "%0599d", i);
        s.heard = (struct transcript){0};
        say_message(&s, 2, 9, 1, "t", long_text);
    }
    m = most_of(&s, 1);
    assert_int_equal(m.unwanted, 10);
    assert_int_equal(m.all.parts[RPC_IDONTWANT], 3);
    assert_int_equal(m.all.ids, 25);

    assert_ok(gossipsub_unsubscribe(&s.g, t(), s.now));
    assert_int_equal(most_of(&s, 1).peers, 16);
    scripted_end(&s);
}

static void test_drain_without_memory_loses_nothing(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    scripted_begin(&s);
    subscribe(&s, "t");
    meet(&s, 1, GOSSIPSUB_1_2, LISTENER);
    say(&s, 1, JOIN);
    assert_code(publish(&s, "t", "hi"), 1);
    struct mem none = {.fail_nth = 1};
    struct buf out;
    buf_init(&out, &none, 1 << 18);
    assert_code(gossipsub_drain(&s.g, 1, &out), ERR_NOMEM);
    struct tally told = said(&s, 1);
    assert_int_equal(told.parts[RPC_SUBSCRIPTION], 1);
    assert_int_equal(told.parts[RPC_GRAFT], 1);
    assert_int_equal(told.parts[RPC_MESSAGE], 1);
    scripted_end(&s);
}

/* ---- floods of our own ------------------------------------------------------------------------- */

enum { BURST = 8000 };

/* A page that publishes 8000 messages of 1 KiB in a loop: kept once, all leave for both peers. */
static void test_burst(void **state)
{
    (void)state;
    static struct scripted s;
    static uint8_t data[1024];
    scripted_init(&s);
    scripted_begin(&s);
    for (uint32_t i = 1; i <= 2; i++) {
        meet(&s, i, GOSSIPSUB_1_2, LISTENER);
        say(&s, i, JOIN);
    }
    for (int i = 0; i < BURST; i++)
        assert_code(gossipsub_publish(&s.g, t(), view_of(data, sizeof data), s.reach, NULL, s.now),
                    2);
    assert_true(s.mem.used < 14u << 20);
    assert_int_equal(said(&s, 1).parts[RPC_MESSAGE], BURST);
    assert_int_equal(said(&s, 2).parts[RPC_MESSAGE], BURST);
    assert_true(s.g.messages.held <= s.limits.mcache);
    pass(&s, 10000);
    assert_int_equal(s.g.messages.held, 0);
    scripted_end(&s);
}

/* FULL comes when nobody takes any more, not for one that reads slowly; then nothing has changed. */
static void test_full(void **state)
{
    (void)state;
    static struct scripted s;
    static uint8_t data[60 << 10];
    scripted_init(&s);
    scripted_begin(&s);
    for (uint32_t i = 1; i <= 2; i++) {
        meet(&s, i, GOSSIPSUB_1_2, LISTENER);
        say(&s, i, JOIN);
    }
    int rc;
    while ((rc = gossipsub_publish(&s.g, t(), view_of(data, sizeof data), s.reach, NULL, s.now)) ==
           2)
        continue;
    assert_code(rc, ERR_FULL);
    assert_in_range(s.g.messages.held, 15u << 20, s.limits.messages);
    uint64_t seqno = s.g.seqno;
    assert_code(gossipsub_publish(&s.g, t(), view_of(data, sizeof data), s.reach, NULL, s.now),
                ERR_FULL);
    assert_true(s.g.seqno == seqno);
    said(&s, 2);
    assert_code(gossipsub_publish(&s.g, t(), view_of(data, sizeof data), s.reach, NULL, s.now), 1);
    assert_int_equal(said(&s, 2).parts[RPC_MESSAGE], 1);
    assert_true(s.g.lost > 0);
    scripted_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tells_subscriptions),
        cmocka_unit_test(test_tells_the_last_state),
        cmocka_unit_test(test_commands_check_topics),
        cmocka_unit_test(test_questions),
        cmocka_unit_test(test_publish_to_all_subscribers),
        cmocka_unit_test(test_publish_errors),
        cmocka_unit_test(test_publish_before_the_stream),
        cmocka_unit_test(test_publish_to_nobody),
        cmocka_unit_test(test_emit_self),
        cmocka_unit_test(test_sequence_numbers),
        cmocka_unit_test(test_published_already),
        cmocka_unit_test(test_publish_without_flooding),
        cmocka_unit_test(test_fanout),
        cmocka_unit_test(test_fanout_becomes_mesh),
        cmocka_unit_test(test_leave_prunes),
        cmocka_unit_test(test_backoff_outlives_the_connection),
        cmocka_unit_test(test_parted_are_bounded),
        cmocka_unit_test(test_greeted_late_and_again),
        cmocka_unit_test(test_version_and_role),
        cmocka_unit_test(test_new_stream_starts_anew),
        cmocka_unit_test(test_owing_walks_all),
        cmocka_unit_test(test_drain_by_room),
        cmocka_unit_test(test_control_leaves_first),
        cmocka_unit_test(test_long_rpcs),
        cmocka_unit_test(test_rpcs_are_split),
        cmocka_unit_test(test_rpcs_are_what_others_read),
        cmocka_unit_test(test_drain_without_memory_loses_nothing),
        cmocka_unit_test(test_burst),
        cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What peers do to their score, and what their score does to them. */
#include "scripted.h"
#include "test.h"

static float score(struct scripted *s, uint32_t peer)
{
    return gossipsub_score(&s->g, peer);
}

#define assert_score(s, peer, expected) assert_true(score(s, peer) == (expected))

static bool is_in_mesh(struct scripted *s, uint32_t peer)
{
    uint32_t at = 0, handle;
    while ((handle = gossipsub_next_peer(&s->g, GOSSIPSUB_MESH, view_of_text("t"), &at)) != 0)
        if (handle == peer)
            return true;
    return false;
}

static void rate(struct scripted *s, uint32_t peer, float score)
{
    gossipsub_rate(&s->g, peer, score / SCORE_DEFAULTS.application_weight);
    pass(s, 1000);
}

/* js-libp2p's parameters for topic "t", but for those that are given. */
static void with_params(struct scripted *s, const struct score_topic_params *p)
{
    assert_ok(gossipsub_set_params(&s->g, view_of_text("t"), p->numbers));
}

/* ---- faults ------------------------------------------------------------------------------------- */

/* Its signature is not of what it says. */
static void say_forged(struct scripted *s, uint32_t peer, uint64_t seqno)
{
    struct view rpc = written(s, 9, seqno, "t", "xxxxxxxx");
    struct span copy = test_copy(rpc);
    *(uint8_t *)memchr(copy.data, 'x', copy.len) = 'y';
    assert_ok(say_bytes(s, peer, view_of_span(copy)));
}

/* A spammer leaves the mesh, then is not gossiped with, then not heard; and it passes. */
static void test_spammer(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 4);
    uint64_t seqno = 0;
    say_forged(&s, 1, ++seqno);
    assert_score(&s, 1, -0.5f);
    assert_true(is_in_mesh(&s, 1));
    pass(&s, 1000);
    assert_false(is_in_mesh(&s, 1));
    assert_int_equal(said(&s, 1).parts[RPC_PRUNE], 1);

    while (score(&s, 1) >= -80)
        say_forged(&s, 1, ++seqno);
    assert_int_equal(seqno, 14);
    say_message(&s, 1, 9, 1000, "t", "even if it is true");
    say(&s, 1, "{1a{1a{0a{74}} 12{0a{01}}}}");
    assert_heard(&s, "");
    assert_int_equal(said(&s, 1).parts[RPC_PRUNE], 0);
    say(&s, 1, "{0a{0801 12{75}}}");
    assert_heard(&s, "peer 1 joined 75\n");

    pass(&s, 6000);
    assert_score(&s, 1, 0);
    say_message(&s, 1, 9, 1000, "t", "now it is heard");
    assert_heard(&s, "message now it is heard via 1\n");
    assert_score(&s, 2, 0);
    scripted_end(&s);
}

/* What a slow peer has no room for is dropped, and that is all. */
static void test_slow_peer(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    s.limits.gossip_out = 1000;
    begin(&s, 3);
    for (uint64_t i = 0; i < 300; i++)
        say_message(&s, 1, 9, i, "t", "hi");
    assert_in_range(said(&s, 2).parts[RPC_MESSAGE], 1, 99);
    pass(&s, 1000);
    assert_score(&s, 2, 0);
    assert_true(is_in_mesh(&s, 2));
    scripted_end(&s);
}

/* Nobody has to be subscribed to be a nuisance. */
static void test_spammer_from_outside(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 1);
    meet(&s, 2, GOSSIPSUB_1_2, LISTENER);
    for (uint64_t seqno = 1; seqno <= 4; seqno++)
        say_forged(&s, 2, seqno);
    assert_score(&s, 2, -8);
    pass(&s, 10000);
    assert_score(&s, 2, 0);
    scripted_end(&s);
}

/* A GRAFT in backoff is a fault, within ten seconds two; one that crossed the PRUNE is none. */
static void test_graft_in_backoff(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t after_ms;
        float score;
    } ROWS[] = {
        {"it crossed our PRUNE", 1000, 0},
        {"at once", 5000, -40},
        {"soon", 30000, -10},
        {"after the backoff", 61000, 0},
    };
    EACH_ROW(i, ROWS) {
        static struct scripted s;
        scripted_init(&s);
        begin(&s, 1);
        rate(&s, 1, -5);
        assert_false(is_in_mesh(&s, 1));
        gossipsub_rate(&s.g, 1, 0);
        pass(&s, ROWS[i].after_ms);
        said(&s, 1);
        say(&s, 1, GRAFT);
        assert_score(&s, 1, ROWS[i].score);
        assert_int_equal(said(&s, 1).parts[RPC_PRUNE], ROWS[i].after_ms < 60000);
        scripted_end(&s);
    }
}

static void tell_of(struct scripted *s, uint32_t peer, uint64_t seqno)
{
    uint8_t bytes[256], number[MESSAGE_SEQNO_LEN];
    struct writer n = writer_of(number, sizeof number);
    put_u64be(&n, seqno);
    struct rpc_message m = {.from = peer_id_view(&s->ids[9]), .seqno = writer_view(&n)};
    struct message_id id = message_id_of(&m, GOSSIPSUB_ID_SPEC);
    struct writer w = writer_of(bytes, sizeof bytes);
    size_t rpc = rpc_begin(&w), control = rpc_begin_control(&w);
    size_t ihave = rpc_begin_ihave(&w, view_of_text("t"));
    rpc_put_ihave_id(&w, message_id_view(&id));
    rpc_end(&w, ihave);
    rpc_end(&w, control);
    rpc_end(&w, rpc);
    assert_ok(say_bytes(s, peer, writer_view(&w)));
}

/* Three in a row that nobody kept, within three seconds each, are a fault. */
static void test_broken_promises(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 2);
    for (uint64_t i = 1; i <= 3; i++) {
        assert_score(&s, 1, 0);
        tell_of(&s, 1, i);
        tell_of(&s, 2, 100 + i);
        pass(&s, 1000);
        say_message(&s, 2, 9, 100 + i, "t", "here it is");
        pass(&s, 3000);
    }
    assert_true(score(&s, 1) < 0);
    assert_score(&s, 2, 0);
    assert_false(is_in_mesh(&s, 1));
    scripted_end(&s);
}

/* Two broken ones and a kept one are luck, whoever kept it; so is any while we slept. */
static void test_excused_promises(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 2);
    for (uint64_t i = 1; i <= 9; i++) {
        tell_of(&s, 1, i);
        if (i % 3 == 0)
            say_message(&s, 2, 9, i, "t", "from another");
        pass(&s, 4000);
        assert_score(&s, 1, 0);
    }
    for (uint64_t i = 20; i < 25; i++) {
        tell_of(&s, 1, i);
        s.now += 30000;
        gossipsub_tick(&s.g, s.now);
        assert_score(&s, 1, 0);
    }
    scripted_end(&s);
}

/* An id that says nothing to us cannot be told from the message it is of. */
static void test_ids_of_other_networks(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 1);
    for (uint64_t i = 1; i <= 9; i++) {
        say(&s, 1, "{1a{0a{0a{74} 12{0102030405060708090a}}}}");
        assert_int_equal(said(&s, 1).ids, 1);
        pass(&s, 4000);
    }
    assert_score(&s, 1, 0);
    scripted_end(&s);
}

/* ---- verdicts ----------------------------------------------------------------------------------- */

/* Feeds a message of peer 1 and returns the job it waits by, 0 when it is not given. */
static uint32_t hear(struct scripted *s, uint32_t peer, uint64_t seqno)
{
    struct span in = test_copy(written(s, 9, seqno, "t", "hi"));
    struct gossipsub_event ev;
    int rc = gossipsub_feed(&s->g, peer, &in, &ev, s->now);
    assert_int_equal(rc, rc == 1);
    if (rc == 0)
        return 0;
    assert_true(ev.job != 0);
    assert_ok(gossipsub_feed(&s->g, peer, &in, &(struct gossipsub_event){0}, s->now));
    return ev.job;
}

static void begin_awaiting(struct scripted *s)
{
    scripted_init(s);
    s->limits.unverified = 3;
    begin(s, 3);
    gossipsub_judge(&s->g, 0, GOSSIPSUB_ACCEPT, s->now);
}

/* A message goes on when the application accepts it; who sent a rejected one pays, whether he was the first,
 * came while it waited, or later. */
static void test_verdicts(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum gossipsub_verdict verdict;
        uint32_t sent_on;
        float first, meanwhile, later; /* scores */
    } ROWS[] = {
        {"accepted", GOSSIPSUB_ACCEPT, 1, 0, 0, 0},
        {"ignored", GOSSIPSUB_IGNORE, 0, 0, 0, 0},
        {"rejected", GOSSIPSUB_REJECT, 0, -0.5f, -0.5f, -2},
    };
    EACH_ROW(i, ROWS) {
        static struct scripted s;
        begin_awaiting(&s);
        uint32_t job = hear(&s, 1, 7);
        assert_int_equal(said(&s, 3).parts[RPC_MESSAGE], 0);
        for (uint32_t times = 0; times < 2; times++)
            for (uint32_t peer = 1; peer <= 2; peer++)
                assert_int_equal(hear(&s, peer, 7), 0);
        pass(&s, 50000);
        assert_score(&s, 2, 0);
        assert_true(gossipsub_judge(&s.g, job, ROWS[i].verdict, s.now));
        assert_false(gossipsub_judge(&s.g, job, GOSSIPSUB_REJECT, s.now));
        assert_int_equal(said(&s, 3).parts[RPC_MESSAGE], ROWS[i].sent_on);
        assert_score(&s, 1, ROWS[i].first);
        assert_score(&s, 2, ROWS[i].meanwhile);
        assert_score(&s, 3, 0);
        assert_int_equal(hear(&s, 2, 7), 0);
        assert_score(&s, 2, ROWS[i].later);
        scripted_end(&s);
    }
}

static float delivered(struct scripted *s, uint32_t peer)
{
    const struct topic *t = topic_find(&s->g.mesh, view_of_text("t"));
    return member_find(&s->g.mesh, t, table_find(&s->g.peers, peer))->conduct.counters[SCORE_MESH];
}

/* Who brings what the application still judges or names owes no less: the window begins with the verdict. */
static void test_deliveries_while_waiting(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum gossipsub_message_id names;
        bool is_judged;
        enum gossipsub_verdict verdict;
        uint32_t counted;
    } ROWS[] = {
        {"accepted", GOSSIPSUB_ID_JS, true, GOSSIPSUB_ACCEPT, 1},
        {"ignored", GOSSIPSUB_ID_JS, true, GOSSIPSUB_IGNORE, 0},
        {"rejected", GOSSIPSUB_ID_JS, true, GOSSIPSUB_REJECT, 0},
        {"named", GOSSIPSUB_ID_GIVEN, false, GOSSIPSUB_ACCEPT, 1},
        {"named and accepted", GOSSIPSUB_ID_GIVEN, true, GOSSIPSUB_ACCEPT, 1},
        {"named and ignored", GOSSIPSUB_ID_GIVEN, true, GOSSIPSUB_IGNORE, 0},
    };
    EACH_ROW(i, ROWS) {
        static struct scripted s;
        scripted_init(&s);
        s.config.message_id = ROWS[i].names;
        begin(&s, 4);
        with_params(&s, &SCORE_TOPIC_DEFAULTS);
        if (ROWS[i].is_judged)
            gossipsub_judge(&s.g, 0, GOSSIPSUB_ACCEPT, s.now);
        for (uint32_t peer = 1; peer <= 2; peer++)
            say_message(&s, peer, 9, 1, "t", "hi");
        s.now += 500;
        if (ROWS[i].names == GOSSIPSUB_ID_GIVEN)
            gossipsub_name(&s.g, s.g.last_job, view_of_text("name"), s.now);
        if (ROWS[i].is_judged)
            gossipsub_judge(&s.g, s.g.last_job, ROWS[i].verdict, s.now);
        say_message(&s, 3, 9, 1, "t", "hi");
        s.now += 11;
        for (uint32_t peer = 1; peer <= 4; peer++)
            say_message(&s, peer, 9, 1, "t", "hi");
        for (uint32_t peer = 1; peer <= 3; peer++)
            assert_true(delivered(&s, peer) == (float)ROWS[i].counted);
        assert_true(delivered(&s, 4) == 0);
        scripted_end(&s);
    }
}

/* It is told of as what is new when it goes on, and hides nothing that came before. */
static void test_news_that_waited(void **state)
{
    (void)state;
    static struct scripted s;
    begin_awaiting(&s);
    uint32_t slow = hear(&s, 1, 1);
    pass(&s, 4500);
    gossipsub_judge(&s.g, hear(&s, 1, 2), GOSSIPSUB_ACCEPT, s.now);
    gossipsub_judge(&s.g, slow, GOSSIPSUB_ACCEPT, s.now);
    meet(&s, 4, GOSSIPSUB_1_2, LISTENER);
    say(&s, 4, JOIN);
    assert_int_equal(said(&s, 4).ids, 2);
    scripted_end(&s);
}

/* Three may wait; what finds no room may come again, and who waits too long is given up. */
static void test_verdicts_are_bounded(void **state)
{
    (void)state;
    static struct scripted s;
    begin_awaiting(&s);
    uint32_t jobs[4];
    for (uint64_t i = 0; i < 4; i++)
        jobs[i] = hear(&s, 1, i + 1);
    assert_true(jobs[2] != 0 && jobs[3] == 0);
    gossipsub_judge(&s.g, jobs[0], GOSSIPSUB_ACCEPT, s.now);
    jobs[3] = hear(&s, 2, 4);
    assert_true(jobs[3] != 0);
    pass(&s, 61000);
    assert_int_equal(s.g.checks.count, 0);
    assert_false(gossipsub_judge(&s.g, jobs[1], GOSSIPSUB_REJECT, s.now));
    assert_score(&s, 1, 0);
    scripted_end(&s);
}

/* The peer, the topic and our interest in it may be gone by then. */
static void test_late_verdicts(void **state)
{
    (void)state;
    static struct scripted s;
    begin_awaiting(&s);
    uint32_t jobs[3];
    for (uint64_t i = 0; i < 3; i++)
        jobs[i] = hear(&s, 1, i + 1);
    gossipsub_remove_peer(&s.g, 1, s.now);
    gossipsub_judge(&s.g, jobs[0], GOSSIPSUB_ACCEPT, s.now);
    assert_int_equal(said(&s, 3).parts[RPC_MESSAGE], 1);
    gossipsub_judge(&s.g, jobs[1], GOSSIPSUB_REJECT, s.now);
    assert_ok(gossipsub_unsubscribe(&s.g, view_of_text("t"), s.now));
    gossipsub_judge(&s.g, jobs[2], GOSSIPSUB_ACCEPT, s.now);
    assert_int_equal(said(&s, 3).parts[RPC_MESSAGE], 0);
    scripted_end(&s);
}

/* ---- merits ------------------------------------------------------------------------------------- */

static void test_deliveries(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 3);
    struct score_topic_params p = SCORE_TOPIC_DEFAULTS;
    p.time_weight = 0;
    p.mesh_threshold = 4;
    with_params(&s, &p);
    for (uint64_t i = 1; i <= 4; i++) {
        say_message(&s, 1, 9, i, "t", "hi");
        say_message(&s, 2, 9, i, "t", "hi");
        say_message(&s, 2, 9, i, "t", "hi");
        s.now += 11;
        say_message(&s, 3, 9, i, "t", "hi");
    }
    gossipsub_tick(&s.g, s.now + 900);
    s.now += 900;
    pass(&s, 100);
    /* P2: four first, which have decayed once or not at all. */
    assert_true(score(&s, 1) > 0);
    assert_score(&s, 2, 0);
    assert_score(&s, 3, 0);
    /* P3 in five seconds: all are short by then, and who brought more in time less so. */
    for (uint64_t i = 10; i < 80; i++) {
        say_message(&s, 1, 9, i, "t", "hi");
        say_message(&s, 2, 9, i, "t", "hi");
        pass(&s, 100);
    }
    assert_true(score(&s, 1) > 0);
    assert_score(&s, 2, 0);
    assert_true(score(&s, 3) < 0);
    assert_false(is_in_mesh(&s, 3));
    scripted_end(&s);
}

/* Whoever is told that we do not want a message cannot bring it. */
static void test_what_p3_asks_for_is_wanted(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        float weight;
        uint32_t refused;
    } ROWS[] = {{"with P3", -1, 0}, {"without", 0, 1}};
    char text[513] = {0};
    memset(text, 'x', 512);
    EACH_ROW(i, ROWS) {
        static struct scripted s;
        scripted_init(&s);
        begin(&s, 2);
        struct score_topic_params p = SCORE_TOPIC_DEFAULTS;
        p.weights[SCORE_MESH] = ROWS[i].weight;
        with_params(&s, &p);
        say_message(&s, 1, 9, 1, "t", text);
        assert_int_equal(said(&s, 2).parts[RPC_IDONTWANT], ROWS[i].refused);
        scripted_end(&s);
    }
}

/* ---- what comes of a score ---------------------------------------------------------------------- */

static void test_thresholds(void **state)
{
    (void)state;
    static const struct {
        float score;
        bool grafted, gossips, published, heard;
    } ROWS[] = {
        {0, true, true, true, true},      {-5, false, true, true, true},
        {-10, false, true, true, true},   {-11, false, false, true, true},
        {-50, false, false, true, true},  {-51, false, false, false, true},
        {-80, false, false, false, true}, {-81, false, false, false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        static struct scripted s;
        scripted_init(&s);
        s.config.allow_no_peers = true;
        scripted_begin(&s);
        meet(&s, 1, GOSSIPSUB_1_2, LISTENER);
        rate(&s, 1, ROWS[i].score);
        assert_ok(gossipsub_subscribe(&s.g, view_of_text("t"), s.now));
        say(&s, 1, JOIN);
        assert_int_equal(is_in_mesh(&s, 1), ROWS[i].grafted);
        said(&s, 1);
        tell_of(&s, 1, 1);
        assert_int_equal(said(&s, 1).parts[RPC_IWANT], ROWS[i].gossips);
        say(&s, 1, GRAFT);
        assert_int_equal(said(&s, 1).parts[RPC_PRUNE], !ROWS[i].grafted && ROWS[i].heard);
        int rc =
            gossipsub_publish(&s.g, view_of_text("t"), view_of_text("hi"), s.reach, NULL, s.now);
        assert_int_equal(rc, ROWS[i].published);
        assert_int_equal(said(&s, 1).parts[RPC_MESSAGE], ROWS[i].published);
        s.heard = (struct transcript){0};
        say_message(&s, 1, 9, 2, "t", "hi");
        assert_heard(&s, ROWS[i].heard ? "message hi via 1\n" : "");
        scripted_end(&s);
    }
}

/* Of too many, the four best stay. */
static void test_the_best_stay(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    scripted_begin(&s);
    assert_ok(gossipsub_subscribe(&s.g, view_of_text("t"), s.now));
    for (uint32_t i = 1; i <= 20; i++) {
        meet(&s, i, GOSSIPSUB_1_2, DIALER);
        say(&s, i, JOIN GRAFT);
        gossipsub_rate(&s.g, i, i % 5 == 0);
    }
    assert_int_equal(mesh_size(&s, "t"), 20);
    pass(&s, 1000);
    assert_int_equal(mesh_size(&s, "t"), s.config.d);
    for (uint32_t i = 5; i <= 20; i += 5)
        assert_true(is_in_mesh(&s, i));
    scripted_end(&s);
}

/* A mesh that has enough takes only those who are worth about as much as its members. */
static void test_graft_of_the_unproven(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 6);
    for (uint32_t i = 1; i <= 6; i++) {
        say(&s, i, GRAFT);
        rate(&s, i, 5);
    }
    assert_int_equal(mesh_size(&s, "t"), s.config.d);
    for (uint32_t i = 11; i <= 14; i++) {
        meet(&s, i, GOSSIPSUB_1_2, i == 13 ? DIALER : LISTENER);
        say(&s, i, JOIN);
    }
    rate(&s, 12, 4.5f);
    for (uint32_t i = 11; i <= 13; i++) {
        say(&s, i, GRAFT);
        assert_true(is_in_mesh(&s, i) == (i > 11));
    }
    assert_int_equal(said(&s, 11).parts[RPC_PRUNE], 1);
    for (uint32_t i = 1; i <= 3; i++)
        say(&s, i, LEAVE);
    say(&s, 14, GRAFT);
    assert_true(is_in_mesh(&s, 14));
    scripted_end(&s);
}

/* A mesh of the mediocre takes in two better ones a minute, while there are any. */
static void test_opportunistic_grafting(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 4);
    for (uint32_t i = 11; i <= 18; i++) {
        meet(&s, i, GOSSIPSUB_1_2, LISTENER);
        say(&s, i, JOIN);
        gossipsub_rate(&s.g, i, i % 2 ? 0 : 1);
    }
    assert_int_equal(mesh_size(&s, "t"), 4);
    pass(&s, 59000);
    assert_int_equal(mesh_size(&s, "t"), 4);
    pass(&s, 2000);
    assert_int_equal(mesh_size(&s, "t"), 6);
    pass(&s, 60000);
    assert_int_equal(mesh_size(&s, "t"), 8);
    pass(&s, 240000);
    assert_int_equal(mesh_size(&s, "t"), 8);
    for (uint32_t i = 12; i <= 18; i += 2)
        assert_true(is_in_mesh(&s, i));
    scripted_end(&s);
}

static void test_shared_host(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 17);
    pass(&s, 1000);
    assert_score(&s, 1, 0);
    struct score_params p = SCORE_DEFAULTS;
    p.shared_weight = -5;
    assert_ok(gossipsub_set_params(&s.g, view_of(NULL, 0), p.numbers));
    pass(&s, 1000);
    assert_score(&s, 1, -5 * 36);
    assert_score(&s, 16, 0);
    scripted_end(&s);
}

/* ---- going and coming back ---------------------------------------------------------------------- */

static void part(struct scripted *s, uint32_t peer)
{
    gossipsub_remove_peer(&s->g, peer, s->now);
}

/* A bad name is kept for an hour, a good one is not. */
static void test_a_score_is_remembered(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 2);
    for (uint64_t seqno = 1; seqno <= 6; seqno++)
        say_forged(&s, 1, seqno);
    rate(&s, 2, 50);
    assert_true(score(&s, 1) < 0 && score(&s, 2) > 0);
    float was = score(&s, 1);
    part(&s, 1);
    part(&s, 2);
    pass(&s, 3500000);
    meet(&s, 1, GOSSIPSUB_1_2, LISTENER);
    meet(&s, 2, GOSSIPSUB_1_2, LISTENER);
    assert_score(&s, 1, was);
    assert_score(&s, 2, 0);
    part(&s, 1);
    pass(&s, 3602000);
    meet(&s, 1, GOSSIPSUB_1_2, LISTENER);
    assert_score(&s, 1, 0);
    scripted_end(&s);
}

static void test_those_remembered_are_bounded(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    s.limits.conns = 10;
    begin(&s, 1);
    for (uint32_t i = 2; i < 100; i++) {
        meet(&s, i, GOSSIPSUB_1_2, LISTENER);
        say_forged(&s, i, i);
        part(&s, i);
    }
    assert_int_equal(s.g.parted_count, 10);
    assert_int_equal(s.g.peers.count, 11);
    scripted_end(&s);
}

/* ---- parameters --------------------------------------------------------------------------------- */

static void test_params(void **state)
{
    (void)state;
    static struct scripted s;
    float numbers[ARRAY_LEN(SCORE_TOPIC_DEFAULTS.numbers)];
    const float nothing = strtof("nan", NULL);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        numbers[i] = nothing;
    scripted_init(&s);
    begin(&s, 1);
    assert_ok(gossipsub_set_params(&s.g, view_of_text("new"), numbers));
    const struct topic *t = topic_find(&s.g.mesh, view_of_text("new"));
    assert_true(t->params->mesh_activation_ms == 5000);
    numbers[1] = 3;
    assert_ok(gossipsub_set_params(&s.g, view_of_text("new"), numbers));
    assert_true(t->params->time_weight == 3 && t->params->time_quantum_ms == 1);
    pass(&s, 10000);
    assert_ptr_equal(topic_find(&s.g.mesh, view_of_text("new")), t);
    numbers[0] = 100;
    numbers[1] = nothing;
    assert_ok(gossipsub_set_params(&s.g, view_of(NULL, 0), numbers));
    assert_true(s.g.scoring.topic_cap == 100 && s.g.scoring.application_weight == 10);
    static uint8_t name[300];
    assert_code(gossipsub_set_params(&s.g, view_of(name, sizeof name), numbers), ERR_BAD_ARGUMENT);
    scripted_end(&s);
}

/* ---- extensions --------------------------------------------------------------------------------- */

static void test_extensions_come_first(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 0);
    meet(&s, 1, GOSSIPSUB_1_3, LISTENER);
    assert_said(&s, 1, "1 extensions\n2 subscription topic=74 yes\n");
    gossipsub_silence(&s.g, 1, s.now);
    gossipsub_greet(&s.g, 1, GOSSIPSUB_1_3, s.now);
    assert_said(&s, 1, "1 extensions\n2 subscription topic=74 yes\n");
    meet(&s, 2, GOSSIPSUB_1_2, LISTENER);
    assert_said(&s, 2, "1 subscription topic=74 yes\n");
    scripted_end(&s);
}

/* Once on each stream. */
static void test_extensions_are_said_once(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 1);
    say(&s, 1, "{1a{32{5001}}}");
    gossipsub_hear(&s.g, 1);
    say(&s, 1, "{1a{32{}}}");
    assert_score(&s, 1, 0);
    say(&s, 1, "{1a{32{}}}");
    assert_true(score(&s, 1) < 0);
    scripted_end(&s);
}

/* ---- peer exchange ------------------------------------------------------------------------------ */

/* Peers 1 to 3 of topic "t" have told these records. */
static void begin_with_records(struct scripted *s, bool exchange_peers)
{
    scripted_init(s);
    s->config.exchange_peers = exchange_peers;
    begin(s, 4);
    for (uint8_t i = 1; i <= 3; i++)
        gossipsub_set_record(&s->g, i, view_of(&i, 1));
}

/* Whoever is pruned is told of others, by the records they have signed, unless its score is bad. */
static void test_peers_are_told(void **state)
{
    (void)state;
    static struct scripted s;
    static struct transcript one, two;
    begin_with_records(&s, true);
    rate(&s, 2, -1);
    said(&s, 2);
    assert_ok(gossipsub_unsubscribe(&s.g, view_of_text("t"), s.now));
    one = two = (struct transcript){0};
    drain_parts(&s, 1, 1 << 18, &one, tell_part);
    assert_null(strstr(one.text, "120101"));
    assert_null(strstr(one.text, "120102"));
    assert_non_null(strstr(one.text, "120103"));
    drain_parts(&s, 4, 1 << 18, &two, tell_part);
    assert_non_null(strstr(two.text, "120101"));
    assert_non_null(strstr(two.text, "120103"));
    scripted_end(&s);
}

static void test_peers_are_not_told_by_default(void **state)
{
    (void)state;
    static struct scripted s;
    static struct transcript told;
    begin_with_records(&s, false);
    assert_ok(gossipsub_unsubscribe(&s.g, view_of_text("t"), s.now));
    told = (struct transcript){0};
    drain_parts(&s, 1, 1 << 18, &told, tell_part);
    assert_null(strstr(told.text, "peer="));
    scripted_end(&s);
}

/* Sixteen at most, and no more than an RPC has room for. */
static void test_peers_told_are_bounded(void **state)
{
    (void)state;
    static const uint8_t record[1025];
    for (size_t len = 1; len <= sizeof record; len += 512) {
        static struct scripted s;
        scripted_init(&s);
        s.config.exchange_peers = true;
        begin(&s, 40);
        for (uint32_t i = 1; i <= 40; i++)
            gossipsub_set_record(&s.g, i, view_of(record, len));
        assert_ok(gossipsub_unsubscribe(&s.g, view_of_text("t"), s.now));
        uint32_t pruned = 0;
        for (uint32_t i = 1; i <= 40; i++) {
            struct tally t = said(&s, i);
            if (t.parts[RPC_PRUNE] == 0)
                continue;
            pruned++;
            /* A record that is too long was not kept. */
            assert_in_range(t.ids, len > 1024 ? 0 : 10, len > 1024 ? 0 : 16);
        }
        assert_true(pruned >= 4);
        scripted_end(&s);
    }
}

/* Of those only who has earned it is heard. */
static void test_peers_are_heard(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 2);
    rate(&s, 1, 10);
    rate(&s, 2, 9);
    say(&s, 1, "{1a{22{0a{74} 12{0a{01} 12{02}} 12{0a{03}} 180a}}}");
    say(&s, 2, "{1a{22{0a{74} 12{0a{01} 12{02}} 180a}}}");
    say(&s, 1, "{1a{22{0a{74} 180a}}}");
    assert_heard(&s, "peer 1 names 0a0101120102\npeer 1 names 0a0103\n");
    assert_int_equal(mesh_size(&s, "t"), 0);
    scripted_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spammer),
        cmocka_unit_test(test_slow_peer),
        cmocka_unit_test(test_spammer_from_outside),
        cmocka_unit_test(test_graft_in_backoff),
        cmocka_unit_test(test_broken_promises),
        cmocka_unit_test(test_excused_promises),
        cmocka_unit_test(test_ids_of_other_networks),
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_deliveries_while_waiting),
        cmocka_unit_test(test_news_that_waited),
        cmocka_unit_test(test_verdicts_are_bounded),
        cmocka_unit_test(test_late_verdicts),
        cmocka_unit_test(test_deliveries),
        cmocka_unit_test(test_what_p3_asks_for_is_wanted),
        cmocka_unit_test(test_thresholds),
        cmocka_unit_test(test_the_best_stay),
        cmocka_unit_test(test_graft_of_the_unproven),
        cmocka_unit_test(test_opportunistic_grafting),
        cmocka_unit_test(test_shared_host),
        cmocka_unit_test(test_a_score_is_remembered),
        cmocka_unit_test(test_those_remembered_are_bounded),
        cmocka_unit_test(test_params),
        cmocka_unit_test(test_extensions_come_first),
        cmocka_unit_test(test_extensions_are_said_once),
        cmocka_unit_test(test_peers_are_told),
        cmocka_unit_test(test_peers_are_not_told_by_default),
        cmocka_unit_test(test_peers_told_are_bounded),
        cmocka_unit_test(test_peers_are_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

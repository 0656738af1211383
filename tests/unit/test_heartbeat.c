#include "routers.h"
#include "scripted.h"
#include "test.h"

static struct routers net;

/* Publishes the messages `first` to `last`, each by another router, `gap_ms` apart. */
static void publish_in_turn(uint32_t first, uint32_t last, uint64_t gap_ms)
{
    for (uint32_t number = first; number <= last; number++) {
        routers_publish(&net, number % net.count, number);
        routers_run(&net, gap_ms);
    }
}

static bool have_each_other(size_t a, size_t b)
{
    const struct gossipsub *g = &net.at[a].g;
    const struct topic *t = topic_find(&g->mesh, routers_topic());
    struct neighbour *n = table_find(&g->peers, (uint32_t)b + 1);
    const struct member *m = n ? member_find(&g->mesh, t, n) : NULL;
    return m != NULL && member_is_in_mesh(m);
}

/* Each has enough and not too many in its mesh, and whoever is in mine has me in his. */
static void assert_meshes(const struct gossipsub_config *config)
{
    for (size_t a = 0; a < net.count; a++) {
        assert_in_range(routers_mesh(&net, a), config->d_low, config->d_high);
        for (size_t b = 0; b < net.count; b++)
            assert_int_equal(have_each_other(a, b), have_each_other(b, a));
    }
}

/* ---- a network --------------------------------------------------------------------------------- */

static void test_everyone_hears_everything(void **state)
{
    (void)state;
    routers_init(&net, 20, &GOSSIPSUB_DEFAULTS);
    routers_join_randomly(&net, 6);
    routers_subscribe(&net);
    routers_run(&net, 3000);
    assert_meshes(&GOSSIPSUB_DEFAULTS);
    publish_in_turn(0, 39, 100);
    routers_all_heard(&net, 0, 39);
    routers_run(&net, 30000);
    assert_meshes(&GOSSIPSUB_DEFAULTS);
    routers_all_heard(&net, 0, 39);
    routers_free(&net);
}

/* Through the mesh alone: nobody publishes to all. */
static void test_without_flood_publish(void **state)
{
    (void)state;
    struct gossipsub_config config = GOSSIPSUB_DEFAULTS;
    routers_init(&net, 30, &config);
    net.reach = GOSSIPSUB_TO_MESH;
    routers_join_randomly(&net, 5);
    routers_subscribe(&net);
    routers_run(&net, 3000);
    publish_in_turn(0, 29, 50);
    routers_all_heard(&net, 0, 29);
    routers_free(&net);
}

/* Everybody knows everybody: meshes stay small, and a message costs no more than they are wide. */
static void test_full_graph(void **state)
{
    (void)state;
    struct gossipsub_config config = GOSSIPSUB_DEFAULTS;
    routers_init(&net, 24, &config);
    net.reach = GOSSIPSUB_TO_MESH;
    for (size_t a = 0; a < net.count; a++)
        for (size_t b = a + 1; b < net.count; b++)
            routers_join(&net, a, b);
    routers_subscribe(&net);
    routers_run(&net, 5000);
    assert_meshes(&config);
    uint64_t before = net.rpcs;
    routers_publish(&net, 0, 0);
    routers_settle(&net);
    routers_all_heard(&net, 0, 0);
    assert_true(net.rpcs - before <= net.count * config.d_high);
    routers_free(&net);
}

/* A line has no choice of ways: each link is in both meshes, though they have two peers or one. */
static void test_line(void **state)
{
    (void)state;
    routers_init(&net, 12, &GOSSIPSUB_DEFAULTS);
    for (size_t i = 1; i < net.count; i++)
        routers_join(&net, i - 1, i);
    routers_subscribe(&net);
    routers_run(&net, 1);
    publish_in_turn(0, 11, 10);
    routers_all_heard(&net, 0, 11);
    routers_free(&net);
}

/* ---- heartbeats -------------------------------------------------------------------------------- */

/* A star: its centre is grafted by all at once, keeps d_high and those it dialled, prunes to d. */
static void test_too_many(void **state)
{
    (void)state;
    routers_init(&net, 30, &GOSSIPSUB_DEFAULTS);
    for (size_t i = 1; i < net.count; i++)
        routers_join(&net, i < 15 ? 0 : i, i < 15 ? i : 0);
    routers_subscribe(&net);
    routers_settle(&net);
    assert_true(routers_mesh(&net, 0) > GOSSIPSUB_DEFAULTS.d_high);
    routers_run(&net, 1500);
    assert_int_equal(routers_mesh(&net, 0), GOSSIPSUB_DEFAULTS.d);
    const struct topic *t = topic_find(&net.at[0].g.mesh, routers_topic());
    assert_true(topic_count(t, IN_MESH_DIALLED, net.now) >= GOSSIPSUB_DEFAULTS.d_out);
    /* Those pruned keep away for a minute. */
    for (int i = 0; i < 58; i++) {
        routers_run(&net, 1000);
        assert_int_equal(routers_mesh(&net, 0), GOSSIPSUB_DEFAULTS.d);
    }
    uint32_t most = 0;
    for (int i = 0; i < 20; i++) {
        routers_run(&net, 300);
        most = MAX(most, routers_mesh(&net, 0));
    }
    assert_true(most > GOSSIPSUB_DEFAULTS.d);
    routers_free(&net);
}

/* A mesh that is cut back keeps dialled ones, though they are worth less than the best. */
static void test_dialled_ones_stay(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 11);
    for (uint32_t i = 1; i <= 11; i++) {
        say(&s, i, GRAFT);
        gossipsub_rate(&s.g, i, 1);
    }
    for (uint32_t i = 12; i <= 13; i++) {
        meet(&s, i, GOSSIPSUB_1_2, DIALER);
        say(&s, i, JOIN);
        say(&s, i, GRAFT);
    }
    assert_int_equal(mesh_size(&s, "t"), 13);
    pass(&s, 1000);
    assert_int_equal(mesh_size(&s, "t"), GOSSIPSUB_DEFAULTS.d);
    const struct topic *t = topic_find(&s.g.mesh, view_of_text("t"));
    assert_int_equal(topic_count(t, IN_MESH_DIALLED, s.now), GOSSIPSUB_DEFAULTS.d_out);
    scripted_end(&s);
}

/* With enough peers but too few dialled ones in the mesh, dialled ones are added. */
static void test_dialled_quota(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    scripted_begin(&s);
    assert_ok(gossipsub_subscribe(&s.g, routers_topic(), s.now));
    for (uint32_t i = 1; i <= 16; i++) {
        meet(&s, i, GOSSIPSUB_1_2, i <= 8 ? LISTENER : DIALER);
        say(&s, i, "{0a{0801 12{74}}}");
    }
    const struct topic *t = topic_find(&s.g.mesh, routers_topic());
    assert_int_equal(topic_count(t, IN_MESH_DIALLED, s.now), 0);
    assert_int_equal(t->mesh_count, 4);
    pass(&s, 1000);
    assert_int_equal(topic_count(t, IN_MESH_DIALLED, s.now), 2);
    assert_int_equal(t->mesh_count, 6);
    pass(&s, 10000);
    assert_int_equal(t->mesh_count, 6);
    scripted_end(&s);
}

/* Below d_low it is filled up to d, with who has no backoff. */
static void test_too_few(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    scripted_begin(&s);
    assert_ok(gossipsub_subscribe(&s.g, routers_topic(), s.now));
    for (uint32_t i = 1; i <= 10; i++) {
        meet(&s, i, GOSSIPSUB_1_2, LISTENER);
        say(&s, i, "{0a{0801 12{74}}}");
    }
    pass(&s, 5000);
    assert_int_equal(mesh_size(&s, "t"), 4);
    say(&s, 1, "{1a{22{0a{74} 183c}}}");
    pass(&s, 1000);
    assert_int_equal(mesh_size(&s, "t"), 6);
    assert_int_equal(said(&s, 1).parts[RPC_GRAFT], 1);
    pass(&s, 1000);
    assert_int_equal(said(&s, 1).parts[RPC_GRAFT], 0);
    scripted_end(&s);
}

/* Parted and healed: who missed what was said in the meantime hears it by gossip, if it is fresh. */
static void test_partition_heals(void **state)
{
    (void)state;
    routers_init(&net, 20, &GOSSIPSUB_DEFAULTS);
    routers_join_randomly(&net, 6);
    routers_subscribe(&net);
    routers_run(&net, 2000);
    bool was_joined[ROUTERS_MAX][ROUTERS_MAX];
    memcpy(was_joined, net.is_joined, sizeof was_joined);
    for (size_t a = 0; a < 10; a++)
        for (size_t b = 10; b < 20; b++)
            routers_part(&net, a, b);
    routers_run(&net, 60000);
    routers_publish(&net, 3, 0);
    routers_run(&net, 1000);
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(net.at[i].heard[0], i < 10);
    for (size_t a = 0; a < 10; a++)
        for (size_t b = 10; b < 20; b++)
            if (was_joined[a][b])
                routers_join(&net, a, b);
    routers_run(&net, 5000);
    routers_all_heard(&net, 0, 0);
    publish_in_turn(1, 20, 50);
    routers_all_heard(&net, 1, 20);
    assert_meshes(&GOSSIPSUB_DEFAULTS);
    routers_free(&net);
}

static uint32_t count_missed(uint32_t messages)
{
    uint32_t missed = 0;
    for (size_t i = 0; i < net.count; i++)
        for (uint32_t number = 0; number < messages; number++)
            missed += net.at[i].heard[number] == 0;
    return missed;
}

/* In thin meshes, a quarter of what carries messages is lost: gossip brings nearly all of it. */
static void test_loss(void **state)
{
    (void)state;
    uint32_t missed[2];
    for (int with_gossip = 0; with_gossip < 2; with_gossip++) {
        struct gossipsub_config config = GOSSIPSUB_DEFAULTS;
        config.d = 3;
        config.d_low = 2;
        config.d_high = 4;
        if (!with_gossip)
            config.d_lazy = config.gossip_percent = 0;
        routers_init(&net, 24, &config);
        net.reach = GOSSIPSUB_TO_MESH;
        for (size_t a = 0; a < net.count; a++)
            for (size_t b = a + 1; b < net.count; b++)
                routers_join(&net, a, b);
        routers_subscribe(&net);
        routers_run(&net, 3000);
        net.loss_percent = 25;
        publish_in_turn(0, 39, 200);
        routers_run(&net, 8000);
        missed[with_gossip] = count_missed(40);
        routers_free(&net);
    }
    assert_true(missed[0] > 10);
    assert_true(missed[1] * 20 < missed[0]);
}

/* Routers come and go: whoever stays hears everything. */
static void test_churn(void **state)
{
    (void)state;
    routers_init(&net, 24, &GOSSIPSUB_DEFAULTS);
    routers_join_randomly(&net, 8);
    routers_subscribe(&net);
    routers_run(&net, 2000);
    for (uint32_t number = 0; number < 60; number++) {
        size_t victim = 12 + number % 12;
        for (size_t i = 0; i < net.count; i++)
            routers_part(&net, victim, i);
        routers_publish(&net, number % 12, number);
        routers_run(&net, 500);
        for (int i = 0; i < 8; i++)
            routers_join(&net, victim, rng_below(&net.rng, 12));
        routers_run(&net, 500);
    }
    routers_run(&net, 5000);
    for (size_t i = 0; i < 12; i++)
        for (uint32_t number = 0; number < 60; number++)
            assert_int_equal(net.at[i].heard[number], 1);
    routers_free(&net);
}

/* A page that was hidden for an hour: its first heartbeat finds everything as it left it. */
static void test_sleeper(void **state)
{
    (void)state;
    routers_init(&net, 12, &GOSSIPSUB_DEFAULTS);
    routers_join_randomly(&net, 4);
    routers_subscribe(&net);
    routers_run(&net, 2000);
    net.at[5].is_asleep = true;
    for (uint32_t number = 0; number < 60; number++) {
        routers_publish(&net, number % 12, number);
        routers_run(&net, 60000);
    }
    assert_true(net.at[5].mem.used < 1 << 20);
    net.at[5].is_asleep = false;
    routers_run(&net, 1000);
    assert_meshes(&GOSSIPSUB_DEFAULTS);
    routers_all_heard(&net, 0, 59);
    routers_free(&net);
}

/* Heartbeats once a minute: what came within that minute is told of all the same. */
static void test_throttled_gossip(void **state)
{
    (void)state;
    struct gossipsub_config config = GOSSIPSUB_DEFAULTS;
    config.d = config.d_low = config.d_high = 1;
    config.d_out = 0;
    routers_init(&net, 3, &config);
    /* 1 knows both; 0 is in its mesh, which is full, and 2 is not. */
    routers_join(&net, 0, 1);
    routers_subscribe(&net);
    routers_run(&net, 10);
    routers_join(&net, 2, 1);
    routers_run(&net, 10);
    assert_true(have_each_other(1, 0));
    assert_false(have_each_other(1, 2));
    net.at[1].is_asleep = net.at[2].is_asleep = true;
    routers_run(&net, 10000);
    routers_publish(&net, 0, 0);
    routers_run(&net, 40000);
    assert_int_equal(net.at[2].heard[0], 0);
    net.at[1].is_asleep = false;
    routers_run(&net, 10);
    assert_int_equal(net.at[2].heard[0], 1);
    routers_free(&net);
}

/* What was said when nobody was there, or into a connection that was dead, is told to who comes. */
static void test_news_for_newcomers(void **state)
{
    (void)state;
    struct gossipsub_config config = GOSSIPSUB_DEFAULTS;
    config.allow_no_peers = true;
    routers_init(&net, 3, &config);
    routers_subscribe(&net);
    const uint8_t data[8] = {0};
    struct view message = view_of(data, sizeof data);
    int rc = gossipsub_publish(&net.at[1].g, routers_topic(), message, net.reach, NULL, net.now);
    assert_int_equal(rc, 0);
    routers_run(&net, 500);
    routers_join(&net, 0, 1);
    routers_run(&net, 100);
    assert_int_equal(net.at[0].heard[0], 1);
    routers_run(&net, 10000);
    routers_join(&net, 2, 1);
    routers_run(&net, 5000);
    assert_int_equal(net.at[2].heard[0], 0);
    routers_free(&net);
}

/* ---- memory ------------------------------------------------------------------------------------ */

static void test_idle_node_is_small(void **state)
{
    (void)state;
    routers_init(&net, 20, &GOSSIPSUB_DEFAULTS);
    routers_join_randomly(&net, 6);
    routers_subscribe(&net);
    routers_run(&net, 1000);
    publish_in_turn(0, 99, 20);
    routers_run(&net, 300000);
    for (size_t i = 0; i < net.count; i++) {
        assert_int_equal(net.at[i].g.messages.held, 0);
        assert_true(net.at[i].mem.used < 24u << 10);
    }
    routers_free(&net);
}

/* An hour of traffic takes no more memory at its end than at its beginning. */
static void test_no_growth(void **state)
{
    (void)state;
    size_t used[2] = {0};
    routers_init(&net, 8, &GOSSIPSUB_DEFAULTS);
    routers_join_randomly(&net, 4);
    routers_subscribe(&net);
    routers_run(&net, 1000);
    for (uint32_t minute = 0; minute < 60; minute++) {
        routers_publish(&net, minute % 8, minute);
        routers_run(&net, 60000);
        for (size_t i = 0; i < 8; i++)
            used[minute / 30] = MAX(used[minute / 30], net.at[i].mem.used);
    }
    assert_true(used[1] <= used[0]);
    routers_free(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everyone_hears_everything),
        cmocka_unit_test(test_without_flood_publish),
        cmocka_unit_test(test_full_graph),
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_dialled_ones_stay),
        cmocka_unit_test(test_dialled_quota),
        cmocka_unit_test(test_too_few),
        cmocka_unit_test(test_partition_heals),
        cmocka_unit_test(test_loss),
        cmocka_unit_test(test_churn),
        cmocka_unit_test(test_sleeper),
        cmocka_unit_test(test_throttled_gossip),
        cmocka_unit_test(test_news_for_newcomers),
        cmocka_unit_test(test_idle_node_is_small),
        cmocka_unit_test(test_no_growth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

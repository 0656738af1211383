#include "test.h"

#include "pubsub/mesh.h"

#define PEERS 20
#define SLACK 1000

struct fixture {
    struct mem mem;
    struct siphash_key key;
    struct messages all;
    struct mesh mesh;
    struct neighbour peers[PEERS];
    uint64_t seed;
    struct rng rng;
};

static void begin(struct fixture *f)
{
    static const struct peer_id NOBODY;
    *f = (struct fixture){.key = {{1, 2}}, .seed = 5};
    f->all.mem = &f->mem;
    f->rng = test_rng(&f->seed);
    mesh_init(&f->mesh, &f->mem, &f->key);
    for (uint32_t i = 0; i < PEERS; i++) {
        neighbour_init(&f->peers[i], i + 1, &NOBODY, &SCORE_DEFAULTS, &f->mem, &PEERLET_LIMITS);
        f->peers[i].version = GOSSIPSUB_1_1;
        f->peers[i].is_writable = true;
        f->peers[i].role = i < PEERS / 2 ? DIALER : LISTENER;
    }
}

static void end(struct fixture *f)
{
    for (uint32_t i = 0; i < PEERS; i++) {
        LIST_EACH(node, &f->peers[i].members)
            member_free(&f->mesh, LIST_OWNER(node, struct member, in_peer));
        neighbour_free(&f->peers[i], &f->all);
    }
    mesh_free(&f->mesh);
    assert_mem_empty(&f->mem);
}

static struct member *subscribe(struct fixture *f, struct topic *t, uint32_t peer)
{
    struct member *m = member_add(&f->mesh, t, &f->peers[peer]);
    assert_non_null(m);
    member_set_subscribed(m, true);
    return m;
}

/* ---- topics ------------------------------------------------------------------------------------ */

static void test_topics_by_name(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    struct topic *a = topic_add(&f.mesh, view_of_text("a"));
    struct topic *b = topic_add(&f.mesh, view_of_text("b"));
    assert_ptr_equal(topic_add(&f.mesh, view_of_text("a")), a);
    assert_ptr_equal(topic_find(&f.mesh, view_of_text("b")), b);
    assert_null(topic_find(&f.mesh, view_of_text("c")));
    assert_view_text(topic_name(a), "a");
    end(&f);
}

static bool is_kept(struct fixture *f, const char *topic)
{
    struct topic *t = topic_find(&f->mesh, view_of_text(topic));
    if (t != NULL)
        topic_release(&f->mesh, t);
    return topic_find(&f->mesh, view_of_text(topic)) != NULL;
}

/* A topic is kept by a subscription, a fanout, a member; and goes when the last of them has gone. */
static void test_what_keeps_a_topic(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    struct topic *t = topic_add(&f.mesh, view_of_text("t"));
    struct member *m = subscribe(&f, t, 0);
    topic_set_ours(&f.mesh, t, true);
    t->fanout_until = 100;
    assert_true(is_kept(&f, "t"));
    member_set_subscribed(m, false);
    member_release(&f.mesh, m, 0);
    assert_true(is_kept(&f, "t"));
    topic_set_ours(&f.mesh, t, false);
    assert_true(is_kept(&f, "t"));
    topic_end_fanout(t);
    assert_true(is_kept(&f, "t"));
    mesh_forget_changes(&f.mesh, 2);
    assert_false(is_kept(&f, "t"));
    t = topic_add(&f.mesh, view_of_text("u"));
    t->fanout_until = 100;
    assert_true(is_kept(&f, "u"));
    topic_end_fanout(t);
    assert_false(is_kept(&f, "u"));
    end(&f);
}

/* However often topics are joined and left, they stand once in the order of their last change. */
static void test_changes(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    struct topic *a = topic_add(&f.mesh, view_of_text("a"));
    struct topic *b = topic_add(&f.mesh, view_of_text("b"));
    for (int i = 0; i < 100; i++) {
        topic_set_ours(&f.mesh, a, i % 2 == 0);
        topic_set_ours(&f.mesh, b, i % 2 == 1);
    }
    assert_int_equal(f.mesh.change_count, 2);
    assert_int_equal(f.mesh.last_change, 200);
    assert_ptr_equal(f.mesh.changes.prev, &b->in_changes);
    assert_true(!a->is_ours && b->is_ours);
    mesh_forget_changes(&f.mesh, 198);
    assert_int_equal(f.mesh.change_count, 2);
    mesh_forget_changes(&f.mesh, 200);
    assert_int_equal(f.mesh.change_count, 1);
    assert_ptr_equal(f.mesh.changes.next, &b->in_changes);
    end(&f);
}

/* ---- members ----------------------------------------------------------------------------------- */

static void test_members(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    struct topic *t = topic_add(&f.mesh, view_of_text("t"));
    struct topic *u = topic_add(&f.mesh, view_of_text("u"));
    struct member *m = subscribe(&f, t, 0);
    assert_ptr_equal(subscribe(&f, t, 0), m);
    assert_ptr_equal(member_find(&f.mesh, t, &f.peers[0]), m);
    assert_null(member_find(&f.mesh, u, &f.peers[0]));
    assert_null(member_find(&f.mesh, t, &f.peers[1]));
    assert_int_equal(f.peers[0].subscription_count, 1);
    member_set_mesh(m, true, 1);
    member_set_mesh(m, true, 1);
    assert_int_equal(t->mesh_count, 1);
    member_free(&f.mesh, m);
    assert_int_equal(t->mesh_count, 0);
    assert_int_equal(f.peers[0].subscription_count, 0);
    assert_null(member_find(&f.mesh, t, &f.peers[0]));
    end(&f);
}

static void test_backoff_only_grows(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    struct topic *t = topic_add(&f.mesh, view_of_text("t"));
    struct member *m = subscribe(&f, t, 0);
    member_back_off(m, 60000, SLACK, 10);
    assert_int_equal(m->backoff_until, 60010);
    assert_false(member_is(m, GRAFTABLE, 61009));
    assert_true(member_is(m, GRAFTABLE, 61010));
    member_back_off(m, 10000, SLACK, 20);
    assert_int_equal(m->backoff_until, 60010);
    member_back_off(m, UINT64_MAX, SLACK, 30);
    assert_false(member_is(m, GRAFTABLE, NEVER - 1));
    /* Nothing but the backoff keeps it. */
    member_set_subscribed(m, false);
    member_release(&f.mesh, m, NEVER - 1);
    assert_ptr_equal(member_find(&f.mesh, t, &f.peers[0]), m);
    end(&f);
}

static void test_owes_either_graft_or_prune(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    struct member *m = subscribe(&f, topic_add(&f.mesh, view_of_text("t")), 0);
    member_owe(m, OWES_GRAFT);
    member_owe(m, OWES_IHAVE);
    member_owe(m, OWES_PRUNE);
    assert_int_equal(m->owed, OWES_PRUNE | OWES_IHAVE);
    assert_ptr_equal(f.peers[0].owing.next, &m->in_owing);
    member_settle(m, OWES_PRUNE);
    assert_true(list_is_linked(&m->in_owing));
    member_settle(m, OWES_ANYTHING);
    assert_true(list_is_empty(&f.peers[0].owing));
    end(&f);
}

/* ---- choosing ---------------------------------------------------------------------------------- */

static void test_standings(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    struct topic *t = topic_add(&f.mesh, view_of_text("t"));
    for (uint32_t i = 0; i < PEERS; i++)
        subscribe(&f, t, i);
    member_set_mesh(subscribe(&f, t, 0), true, 1);
    member_set_mesh(subscribe(&f, t, PEERS - 1), true, 1);
    subscribe(&f, t, 1)->is_in_fanout = true;
    member_back_off(subscribe(&f, t, 2), 100, SLACK, 0);
    f.peers[3].is_writable = false;
    member_set_subscribed(subscribe(&f, t, 4), false);
    assert_int_equal(topic_count(t, IN_MESH, 0), 2);
    assert_int_equal(topic_count(t, IN_MESH_DIALLED, 0), 1);
    assert_int_equal(topic_count(t, GRAFTABLE, 0), PEERS - 5);
    assert_int_equal(topic_count(t, GRAFTABLE_DIALLED, 0), PEERS / 2 - 4);
    assert_int_equal(topic_count(t, PUBLISHABLE, 0), PEERS - 1);
    assert_int_equal(topic_count(t, PUBLISHABLE_INSIDE, 0), 3);
    assert_int_equal(topic_count(t, PUBLISHABLE_OUTSIDE, 0), PEERS - 4);
    assert_int_equal(topic_count(t, GOSSIPABLE, 0), PEERS - 5);
    end(&f);
}

/* Each choice has as many as wanted, none twice, and everybody is chosen about as often. */
static void test_choices_are_fair(void **state)
{
    (void)state;
    enum { ROUNDS = 3000, WANTED = 6 };
    struct fixture f;
    uint32_t times[PEERS + 1] = {0};
    begin(&f);
    struct topic *t = topic_add(&f.mesh, view_of_text("t"));
    for (uint32_t i = 0; i < PEERS; i++)
        subscribe(&f, t, i);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        bool is_chosen[PEERS + 1] = {false};
        uint32_t count = 0;
        struct choice c = topic_choose(t, GRAFTABLE, WANTED, &f.rng, 0);
        for (struct member *m; (m = choice_next(&c)) != NULL; count++) {
            assert_false(is_chosen[m->peer->handle]);
            is_chosen[m->peer->handle] = true;
            times[m->peer->handle]++;
        }
        assert_int_equal(count, WANTED);
    }
    for (uint32_t i = 1; i <= PEERS; i++)
        assert_in_range(times[i], ROUNDS * WANTED / PEERS * 8 / 10,
                        ROUNDS * WANTED / PEERS * 12 / 10);
    end(&f);
}

static void test_choices_of_few(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    struct topic *t = topic_add(&f.mesh, view_of_text("t"));
    struct choice c = topic_choose(t, GRAFTABLE, 6, &f.rng, 0);
    assert_null(choice_next(&c));
    subscribe(&f, t, 0);
    c = topic_choose(t, GRAFTABLE, 6, &f.rng, 0);
    assert_non_null(choice_next(&c));
    assert_null(choice_next(&c));
    c = topic_choose(t, GRAFTABLE, 0, &f.rng, 0);
    assert_null(choice_next(&c));
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_topics_by_name),
        cmocka_unit_test(test_what_keeps_a_topic),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_backoff_only_grows),
        cmocka_unit_test(test_owes_either_graft_or_prune),
        cmocka_unit_test(test_standings),
        cmocka_unit_test(test_choices_are_fair),
        cmocka_unit_test(test_choices_of_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

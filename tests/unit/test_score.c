#include "test.h"

#include "pubsub/score.h"

/* Scores are compared to a thousandth. */
#define assert_score(actual, expected) assert_int_equal(thousandths(actual), thousandths(expected))

static int thousandths(float value)
{
    return (int)(value * 1000 + (value < 0 ? -0.5f : 0.5f));
}

/* ---- the parameters of a topic ------------------------------------------------------------------ */

static void test_topic(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct score_topic did;
        uint64_t now;
        float score; /* with js-libp2p's parameters; the topic weighs a half */
    } ROWS[] = {
        {"nothing", {0}, 100000, 0},
        {"P1: a second in the mesh", {1000, {0}}, 2000, 0.5f * 1000},
        {"P1: up to its cap", {1000, {[SCORE_MESH] = 20}}, 100000, 0.5f * 3600},
        {"P2: brought seven first", {0, {7, 0, 0, 0}}, 0, 0.5f * 7},
        {"P3: three short", {1000, {[SCORE_MESH] = 17}}, 7000, 0.5f * (3600 - 9)},
        {"P3: three short, and new", {1000, {[SCORE_MESH] = 17}}, 2000, 0.5f * 1000},
        {"P3: more than enough", {1000, {[SCORE_MESH] = 27}}, 7000, 0.5f * 3600},
        {"P3b: was three short", {0, {[SCORE_FAILURES] = 9}}, 0, 0.5f * -9},
        {"P4: four invalid ones", {0, {[SCORE_INVALID] = 4}}, 0, 0.5f * -16},
    };
    EACH_ROW(i, ROWS)
        assert_score(score_of_topic(&ROWS[i].did, &SCORE_TOPIC_DEFAULTS, ROWS[i].now),
                     ROWS[i].score);
}

/* Of a topic without parameters P4 counts, nothing else. */
static void test_plain_topic(void **state)
{
    (void)state;
    struct score_topic did = {1000, {7, 1, 9, 4}};
    assert_score(score_of_topic(&did, &SCORE_TOPIC_PLAIN, 100000), -8);
}

static void test_leaving_the_mesh(void **state)
{
    (void)state;
    struct score_topic did = {1000, {[SCORE_MESH] = 16}};
    score_leave_mesh(&did, &SCORE_TOPIC_DEFAULTS, 3000);
    assert_score(did.counters[SCORE_FAILURES], 0);
    did.mesh_since = 1000;
    score_leave_mesh(&did, &SCORE_TOPIC_DEFAULTS, 7000);
    assert_score(did.counters[SCORE_FAILURES], 16);
    assert_int_equal(did.mesh_since, 0);
}

static void test_counting(void **state)
{
    (void)state;
    struct score_topic did = {0};
    for (int i = 0; i < 150; i++)
        score_count(&did, &SCORE_TOPIC_DEFAULTS, SCORE_MESH);
    assert_score(did.counters[SCORE_MESH], 100);
}

/* ---- those of the peer -------------------------------------------------------------------------- */

static void test_peer(void **state)
{
    (void)state;
    struct score_params p = SCORE_DEFAULTS;
    p.behaviour_threshold = 2;
    static const struct {
        const char *name;
        struct score_peer did;
        float topics, shared_weight, score;
    } ROWS[] = {
        {"nothing", {0}, 0, 0, 0},
        {"topics", {0}, 4, 0, 4},
        {"topics up to their cap", {0}, 400, 0, 10},
        {"topics below 0", {0}, -400, 0, -400},
        {"P5", {.application = -3}, 4, 0, 4 - 30},
        {"P6 by default", {.shared = 100}, 0, 0, 0},
        {"P6 with a weight", {.shared = 13}, 0, -5, -5 * 9},
        {"P6 up to its threshold", {.shared = 10}, 0, -5, 0},
        {"P7", {.behaviour = 5}, 20, 0, 10 - 10 * 9},
        {"P7 up to its threshold", {.behaviour = 2}, 0, 0, 0},
    };
    EACH_ROW(i, ROWS) {
        p.shared_weight = ROWS[i].shared_weight;
        assert_score(score_of_peer(&ROWS[i].did, &p, ROWS[i].topics), ROWS[i].score);
    }
}

/* A cap of 0 is none, as everywhere. */
static void test_no_cap(void **state)
{
    (void)state;
    struct score_params p = SCORE_DEFAULTS;
    p.topic_cap = 0;
    assert_score(score_of_peer(&(struct score_peer){0}, &p, 400), 400);
}

/* ---- decay -------------------------------------------------------------------------------------- */

static void test_decay(void **state)
{
    (void)state;
    float one = 3, same = 3;
    score_decay(&one, 0.5f, 0.1f, 0);
    assert_score(one, 3);
    score_decay(&one, 0.5f, 0.1f, 2);
    assert_score(one, 0.75f);
    score_decay(&one, 0.5f, 0.1f, 2);
    assert_score(one, 0.1875f);
    score_decay(&one, 0.5f, 0.1f, 1);
    assert_score(one, 0);
    score_decay(&same, 0.5f, 0.1f, UINT32_MAX);
    assert_score(same, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_topic),   cmocka_unit_test(test_plain_topic),
        cmocka_unit_test(test_leaving_the_mesh), cmocka_unit_test(test_counting),
        cmocka_unit_test(test_peer),    cmocka_unit_test(test_no_cap),
        cmocka_unit_test(test_decay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

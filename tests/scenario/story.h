/*
 * Telling stories on the simulator.
 *
 *     static void two_pages_meet(struct sim *sim)
 *     {
 *         struct relay *relay = sim_relay(sim);
 *         struct node *alice = sim_page(sim, relay), *bob = sim_page(sim, relay);
 *         assert_within(sim, 1500, nodes_are_direct(alice, bob));
 *     }
 *
 *     const struct CMUnitTest tests[] = {STORY(two_pages_meet)};
 *
 * Every story is told twice with one seed and must leave the same hash of all that happened; what
 * its nodes were told the second time is recorded and played again, and must make each say the same.
 */
#ifndef SCENARIO_STORY_H
#define SCENARIO_STORY_H

#include "sim/node.h"
#include "sim/relay.h"
#include "sim/rtc.h"
#include "test.h"

typedef void story(struct sim *sim);

/* The seed, unless the environment variable SEED names another. */
#define STORY_SEED 1

/* Lets time pass until the condition holds; fails when it does not within that many milliseconds. */
#define assert_within(sim, ms, condition)                                                          \
    do {                                                                                           \
        uint64_t until_ = (sim)->now + (ms);                                                       \
        bool holds_;                                                                               \
        while (!(holds_ = (condition)) && sim_step(sim, until_))                                   \
            ;                                                                                      \
        if (!holds_ && !(condition))                                                               \
            story_fails(sim, "not within " #ms " ms: " #condition, __FILE__, __LINE__);            \
    } while (0)

/* Lets so much time pass; fails at once when the condition does not hold at any instant of it. */
#define assert_throughout(sim, ms, condition)                                                      \
    do {                                                                                           \
        uint64_t until_ = (sim)->now + (ms);                                                       \
        bool holds_;                                                                               \
        while ((holds_ = (condition)) && sim_step(sim, until_))                                    \
            ;                                                                                      \
        if (!holds_ || !(condition))                                                               \
            story_fails(sim, "no longer: " #condition, __FILE__, __LINE__);                        \
    } while (0)

/* A row of cmocka's, in an array inside main. */
struct story_row {
    story *story;
};
#define STORY(name)                                                                                \
    {                                                                                              \
#name, story_test, NULL, test_over, &(struct story_row)                                    \
        {                                                                                          \
            name                                                                                   \
        }                                                                                          \
    }

/* Tells them all, or those the environment variable STORY names; SIM_LOUD=1 tells more. */
#define TELL(tests)                                                                                \
    (cmocka_set_test_filter(getenv("STORY")), cmocka_run_group_tests(tests, NULL, NULL))

/* Dumps every node and fails the test. */
void story_fails(struct sim *sim, const char *what, const char *file, int line);

/* The cmocka test behind a story. */
void story_test(void **state);

#endif

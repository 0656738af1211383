#include "net/flight.h"

#include "test.h"

static const struct peerlet_limits LIMITS = {
    .flight_first = 256,
    .flight_least = 64,
    .flight_most = 1024,
    .flight_late_ms = 250,
    .flight_pause_ms = 100,
};

/* Answers one after the other, and what may be on its way then. */
static const struct {
    const char *name;
    uint32_t rtt_ms;
    bool was_full;
    size_t most;
} ANSWERS[] = {
    {"the idle round trip", 40, false, 256},
    {"no later, and more was wanted", 40, true, 512},
    {"no later, and nothing more was wanted", 40, false, 512},
    {"in between", 200, true, 512},
    {"too late", 291, true, 256},
    {"far too late", 9000, true, 128},
    {"not to nothing", 9000, true, 64},
    {"not to nothing, again", 9000, true, 64},
    {"free again", 165, true, 128},
    {"a shorter way is found", 10, true, 256},
    {"which now counts", 261, true, 128},
    {"growing", 10, true, 256},
    {"growing", 10, true, 512},
    {"growing", 10, true, 1024},
    {"to the most", 10, true, 1024},
};

static void test_answers(void **state)
{
    (void)state;
    struct flight f;
    flight_init(&f, &LIMITS);
    EACH_ROW(i, ANSWERS) {
        f.was_full = ANSWERS[i].was_full;
        flight_answered(&f, ANSWERS[i].rtt_ms);
        if (f.most != ANSWERS[i].most)
            fail_msg("%s: %u", ANSWERS[i].name, (unsigned)f.most);
    }
    flight_lost(&f);
    assert_int_equal(f.most, 64);
}

static void test_probes(void **state)
{
    (void)state;
    struct flight f;
    flight_init(&f, &LIMITS);
    assert_false(flight_is_due(&f, 1000));
    f.sent = 100;
    assert_true(flight_is_due(&f, 1000));
    flight_probe(&f, 1000);
    assert_false(flight_is_due(&f, 2000));
    f.sent = 155;
    assert_false(flight_is_full(&f));
    f.sent = 156;
    assert_true(flight_is_full(&f));
    flight_answered(&f, 5);
    assert_false(flight_is_full(&f));
}

/* Probes keep a distance, as a peer answers only so many, unless something waits for one. */
static void test_pause(void **state)
{
    (void)state;
    struct flight f;
    flight_init(&f, &LIMITS);
    flight_probe(&f, 1000);
    flight_answered(&f, 1);
    f.sent = 200;
    assert_false(flight_is_due(&f, 1099));
    assert_true(flight_is_due(&f, 1100));
    f.was_full = true;
    assert_true(flight_is_due(&f, 1001));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_probes),
        cmocka_unit_test(test_pause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

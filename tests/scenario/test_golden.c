/*
 * Two pages meet and talk, as one of them orders and tells it: tests/golden/meeting.txt. What goes out
 * on links and round trips are left out, and of texts all but the first line.
 */
#include "scenario/story.h"

static struct transcript t;

static void add_line(const char *text, size_t len)
{
    const char *said = memchr(text, '<', len);
    if (said == NULL || memcmp(said, "< SEND", 6) == 0 || memcmp(said, "< CONN_RTT", 10) == 0 ||
        memchr(text, '>', (size_t)(said - text)))
        return;
    size_t first = 0;
    while (first < len && (uint8_t)text[first] >= ' ')
        first++;
    transcript_add(&t, "%.*s\n", (int)first, text);
}

static void test_two_pages_meet(void **state)
{
    (void)state;
    struct sim *sim = sim_new(STORY_SEED);
    struct replay report;
    t = (struct transcript){0};
    sim->is_recording = true;
    struct relay *relay = sim_relay(sim);
    struct node *alice = sim_page(sim, relay), *bob = sim_page(sim, relay);
    assert_within(sim, 1500, nodes_are_direct(alice, bob));
    sim_run(sim, 1000);
    assert_int_equal(node_say(alice, "hello"), 1);
    assert_within(sim, 1000, node_heard(bob, "hello") == 1);
    assert_int_equal(node_say(bob, "hello, you"), 1);
    assert_within(sim, 1000, node_heard(alice, "hello, you") == 1);
    node_leave(bob);
    assert_within(sim, 10000, !node_is_connected_to(alice, bob));
    node_end(alice);
    assert_int_equal(replay_run(buf_view(&alice->recording->bytes), &report, add_line),
                     REPLAY_SAME);
    sim_free(sim);
    assert_golden("meeting.txt", t.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_two_pages_meet)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Two pages and a relay: from WebSockets to a direct WebRTC connection. */
#include "scenario/story.h"

static void two_pages_meet(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    struct node *alice = sim_page(sim, relay), *bob = sim_page(sim, relay);

    assert_within(sim, 500, node_is_reserved(alice, relay) && node_is_reserved(bob, relay));
    assert_within(sim, 1500, nodes_are_direct(alice, bob));

    assert_within(sim, 1000, node_say(alice, "hello") > 0);
    assert_within(sim, 200, node_heard(bob, "hello") == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {STORY(two_pages_meet)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

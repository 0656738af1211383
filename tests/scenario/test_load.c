/* Much of everything: nothing is lost, nobody is dropped, and memory comes back. */
#include "scenario/story.h"

static void ping_often(struct sim *sim, struct node *n, const char *peer)
{
    uint32_t answered = n->pings;
    for (uint32_t i = 1; i <= 1000; i++) {
        assert_code(node_ping(n, peer), 0);
        assert_within(sim, 1000, n->pings == answered + i);
    }
}

/* Each is a stream of its own, and the next begins before the peer has ended the last. */
static void a_thousand_pings(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    struct node *alice = sim_page(sim, relay), *bob = sim_page(sim, relay);

    assert_within(sim, 2000, nodes_are_direct(alice, bob));
    size_t before = node_memory(alice);
    ping_often(sim, alice, relay_id(relay));
    ping_often(sim, alice, bob->id);
    sim_run(sim, 20000);
    assert_true(node_memory(alice) < before + 4096);
    assert_true(nodes_are_direct(alice, bob) && node_is_on(alice, relay));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(a_thousand_pings),
    };
    return TELL(tests);
}

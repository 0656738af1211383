/*
 * Every allocation fails once, from the making of a node over handshakes, a reservation and a direct
 * connection to streams and messages: nothing is lost or left, and the node gets there all the same.
 */
#include "scenario/story.h"

/* As long as it may take to get over one failure. */
#define PATIENCE_MS 90000

static bool is_done(struct node *alice, struct node *bob, const struct relay *relay)
{
    return node_is_reserved(alice, relay) && nodes_are_direct(alice, bob) &&
           node_say(alice, "there you are") > 0 && node_heard(bob, "there you are") > 0;
}

/* An echo of some bytes; true when it came back whole. A stream that ended is opened again. */
static bool has_echoed(struct node *alice, struct node *bob, struct node_stream **s)
{
    if (*s == NULL || ((*s)->is_closed && (*s)->received < 20000)) {
        *s = node_open(alice, bob);
        if (*s != NULL)
            node_send(alice, *s, 20000);
    }
    return *s != NULL && (*s)->received == 20000 && (*s)->is_intact;
}

/* Returns how many allocations the node has made. */
static uint64_t live(uint64_t fail_nth)
{
    struct sim *sim = sim_new(STORY_SEED);
    struct relay *relay = sim_relay(sim);
    struct node *bob = sim_page(sim, relay);
    struct node *alice =
        sim_node(sim, &(struct node_config){.relays = {relay}, .fail_nth = fail_nth});
    uint64_t calls = 0;
    if (alice != NULL) {
        struct node_stream *s = NULL;
        assert_within(sim, PATIENCE_MS, is_done(alice, bob, relay));
        assert_within(sim, PATIENCE_MS, has_echoed(alice, bob, &s));
        calls = peerlet_memory(alice->p)->calls;
    }
    sim_free(sim);
    return calls;
}

static void test_each_allocation_fails_once(void **state)
{
    (void)state;
    uint64_t calls = live(0);
    assert_true(calls > 100);
    for (uint64_t nth = 1; nth <= calls; nth++)
        live(nth);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_allocation_fails_once)};
    return TELL(tests);
}

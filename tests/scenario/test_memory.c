/*
 * Every allocation fails once, from the making of a node over handshakes, a reservation and a direct
 * connection to streams and messages, both asked for and answered: nothing is lost or left, and the
 * node gets there all the same.
 */
#include "scenario/story.h"

/* As long as it may take to get over one failure. */
#define PATIENCE_MS 90000
#define ECHO_LEN 20000

static bool can_say(struct node *from, struct node *to)
{
    return node_say(from, "there you are") > 0 && node_heard(to, "there you are") > 0;
}

/* An echo of some bytes; true when it came back whole. A stream that ended is opened again. */
static bool has_echoed(struct node *from, struct node *to, struct node_stream **s)
{
    if (*s == NULL || ((*s)->is_closed && (*s)->received < ECHO_LEN)) {
        *s = node_open(from, to);
        if (*s != NULL)
            node_send(from, *s, ECHO_LEN);
    }
    return *s != NULL && (*s)->received == ECHO_LEN && (*s)->is_intact;
}

/* Alice's allocations fail; she opens the relayed connection and the offer, or Bob does. */
static uint64_t live(enum role alices, uint64_t fail_nth)
{
    struct sim *sim = sim_new(STORY_SEED);
    struct relay *relay = sim_relay(sim);
    struct node *bob =
        sim_node(sim, &(struct node_config){.relays = {relay}, .is_loner = alices == DIALER});
    struct node *alice =
        sim_node(sim, &(struct node_config){
                          .relays = {relay}, .is_loner = alices == LISTENER, .fail_nth = fail_nth});
    uint64_t calls = 0;
    if (alice != NULL) {
        struct node_stream *there = NULL, *back = NULL;
        assert_within(sim, PATIENCE_MS,
                      node_is_reserved(alice, relay) && nodes_are_direct(alice, bob));
        if (fail_nth == 0)
            assert_non_null(
                node_conn_to(alice, bob->id,
                             PEERLET_CONN_WEBRTC | (alices == LISTENER ? PEERLET_CONN_INBOUND : 0u),
                             alices == DIALER ? PEERLET_CONN_INBOUND : 0u));
        assert_within(sim, PATIENCE_MS, can_say(alice, bob));
        assert_within(sim, PATIENCE_MS, can_say(bob, alice));
        assert_within(sim, PATIENCE_MS, has_echoed(alice, bob, &there));
        assert_within(sim, PATIENCE_MS, has_echoed(bob, alice, &back));
        calls = peerlet_memory(alice->p)->calls;
    }
    sim_free(sim);
    return calls;
}

static void each_allocation_fails(enum role alices)
{
    uint64_t calls = live(alices, 0);
    assert_true(calls > 100);
    for (uint64_t nth = 1; nth <= calls; nth++)
        live(alices, nth);
}

static void test_each_allocation_of_a_dialer_fails(void **state)
{
    (void)state;
    each_allocation_fails(DIALER);
}

static void test_each_allocation_of_a_listener_fails(void **state)
{
    (void)state;
    each_allocation_fails(LISTENER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_allocation_of_a_dialer_fails),
        cmocka_unit_test(test_each_allocation_of_a_listener_fails),
    };
    return TELL(tests);
}

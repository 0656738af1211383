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

/* Up a thin line: whoever asks meanwhile whether we are there does not wait for the end of it. */
static void a_burst_leaves_room_for_pings(struct sim *sim)
{
    enum { COUNT = 1500 };
    struct relay *relay = sim_relay(sim);
    struct node_config config = {.relays = {relay}, .is_undiscoverable = true};
    relay_join(relay, "room");
    struct node *alice = sim_node(sim, &config), *bob = sim_node(sim, &config);
    alice->host.path.bytes_per_ms = 100;

    assert_within(sim, 2000, node_is_on(alice, relay) && node_is_on(bob, relay));
    uint32_t id = node_conn_to(alice, relay_id(relay), 0, 0)->id;
    assert_within(sim, 3000, node_say_number(alice, 0, 1024) > 0);
    for (uint32_t i = 1; i < COUNT; i++)
        assert_within(sim, 60000, node_say_number(alice, i, 1024) > 0);
    sim_run(sim, 5000);
    for (uint32_t answered = alice->pings; bob->messages < COUNT; answered = alice->pings) {
        assert_code(node_ping(alice, relay_id(relay)), 0);
        assert_within(sim, 1000, alice->pings > answered);
        sim_run(sim, 100);
    }
    assert_true(bob->numbers == (uint64_t)COUNT * (COUNT - 1) / 2);
    assert_int_equal(node_conn_to(alice, relay_id(relay), 0, 0)->id, id);
}

/*
 * Up a line on which the last of it takes half a minute, to one who has nothing to say meanwhile and
 * whose answers to our questions are behind all of it.
 */
static void a_long_upload_to_a_silent_page(struct sim *sim)
{
    enum { MUCH = 4000000 };
    struct relay *relay = sim_relay(sim);
    struct node *alice = sim_page(sim, relay), *bob = sim_page(sim, relay);

    assert_within(sim, 2000, nodes_are_direct(alice, bob));
    struct node_stream *s = node_open(alice, bob);
    assert_within(sim, 1000, s->is_open && !list_is_empty(&bob->streams));
    struct node_stream *far = LIST_OWNER(bob->streams.next, struct node_stream, in_node);
    far->is_mute = true;
    alice->host.path.bytes_per_ms = 40;
    node_send(alice, s, MUCH);
    assert_within(sim, 150000, far->to_send == MUCH);
    assert_true(nodes_are_direct(alice, bob) && !s->is_closed);
    far->is_mute = false;
    node_close(alice, s);
    assert_within(sim, 20000, s->received == MUCH && s->is_closed && s->is_intact);
}

/* The same, and the path breaks: that is found out as soon as ever. */
static void a_path_breaks_under_an_upload(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    struct node *alice = sim_page(sim, relay), *bob = sim_page(sim, relay);

    assert_within(sim, 2000, nodes_are_direct(alice, bob));
    struct node_stream *s = node_open(alice, bob);
    assert_within(sim, 1000, s->is_open && !list_is_empty(&bob->streams));
    LIST_OWNER(bob->streams.next, struct node_stream, in_node)->is_mute = true;
    alice->host.path.bytes_per_ms = 40;
    node_send(alice, s, 4000000);
    sim_run(sim, 20000);
    host_block_udp(&bob->host);
    assert_within(sim, 10000, s->is_closed && !node_is_direct_to(alice, bob));
    assert_code(s->code, ERR_TIMEOUT);
}

/* Data channels have no credit: what nobody reads is kept up to a limit, of one stream and of all. */
static void a_page_that_does_not_read(struct sim *sim)
{
    enum { MUCH = 3000000, MOST = 2 * MUCH + MUCH / 2 };
    struct relay *relay = sim_relay(sim);
    struct peerlet_limits limits = PEERLET_LIMITS;
    limits.window_node = MOST;
    struct node *alice = sim_page(sim, relay);
    struct node *bob = sim_node(sim, &(struct node_config){.relays = {relay}, .limits = &limits});

    assert_within(sim, 2000, nodes_are_direct(alice, bob));
    struct node_stream *s[4];
    for (size_t i = 0; i < 3; i++) {
        s[i] = node_open(alice, bob);
        assert_within(sim, 1000, s[i]->is_open);
    }
    LIST_EACH(node, &bob->streams)
        LIST_OWNER(node, struct node_stream, in_node)->is_mute = true;
    for (size_t i = 0; i < 2; i++) {
        node_send(alice, s[i], MUCH);
        sim_run(sim, 5000);
    }
    node_send(alice, s[2], MUCH);
    assert_within(sim, 5000, s[2]->is_closed);
    assert_code(s[2]->code, ERR_RESET);
    assert_true(!s[0]->is_closed && !s[1]->is_closed);

    /* What is read makes room again; one stream alone has a limit of its own. */
    LIST_EACH(node, &bob->streams)
        LIST_OWNER(node, struct node_stream, in_node)->is_mute = false;
    node_show(bob);
    assert_within(sim, 5000, s[0]->received == MUCH && s[1]->received == MUCH);
    s[3] = node_open(alice, bob);
    assert_within(sim, 1000, s[3]->is_open);
    LIST_EACH(node, &bob->streams)
        LIST_OWNER(node, struct node_stream, in_node)->is_mute = true;
    node_send(alice, s[3], (size_t)PEERLET_LIMITS.channel_in + MUCH / 2);
    assert_within(sim, 5000, s[3]->is_closed);
    assert_code(s[3]->code, ERR_RESET);
    assert_true(nodes_are_direct(alice, bob));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(a_thousand_pings),
        STORY(a_burst_leaves_room_for_pings),
        STORY(a_long_upload_to_a_silent_page),
        STORY(a_path_breaks_under_an_upload),
        STORY(a_page_that_does_not_read),
    };
    return TELL(tests);
}

/* Pages meet: from WebSockets over a relay to a direct WebRTC connection, and what moves there. */
#include "scenario/story.h"

static void two_pages_meet(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    struct node *alice = sim_page(sim, relay), *bob = sim_page(sim, relay);

    assert_within(sim, 500, node_is_reserved(alice, relay) && node_is_reserved(bob, relay));
    assert_true(node_has_address(alice, "/p2p-circuit/webrtc"));
    assert_within(sim, 1500, nodes_are_direct(alice, bob));

    assert_within(sim, 500, node_say(alice, "hello") > 0);
    assert_within(sim, 200, node_heard(bob, "hello") == 1);
    assert_within(sim, 500, node_say(bob, "hello yourself") > 0);
    assert_within(sim, 200, node_heard(alice, "hello yourself") == 1);
}

/* The relayed connection was only a way to get here. */
static void the_relayed_connection_is_closed_when_idle(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    struct node *alice = sim_page(sim, relay), *bob = sim_page(sim, relay);

    assert_within(sim, 1500, nodes_are_direct(alice, bob));
    assert_within(sim, 10000, relay_circuits(relay) == 0);
    assert_throughout(sim, 60000, nodes_are_direct(alice, bob));
    assert_within(sim, 0, node_conn_count(alice) == 2 && node_conn_count(bob) == 2);
}

static void a_second_page_comes_later(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    struct node *alice = sim_page(sim, relay);

    sim_run(sim, 20000);
    struct node *bob = sim_page(sim, relay);
    assert_within(sim, 1500, nodes_are_direct(alice, bob));
    assert_within(sim, 500, node_say(bob, "sorry, I am late") > 0);
    assert_within(sim, 200, node_heard(alice, "sorry, I am late") == 1);
}

/*
 * Nothing waits for a timer, or for an answer that it could do without. In round trips to the relay,
 * of which a packet from page to page takes two ways: a WebSocket costs 2, Noise 1, a reservation 1.
 */
static void meeting_takes_few_round_trips(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    const struct node_config page = {.relays = {relay}, .path = {.latency_ms = 45}};
    struct node *alice = sim_node(sim, &page);
    sim_run(sim, 20000);
    struct node *bob = sim_node(sim, &page);
    const uint64_t round_trip = sim_round_trip(&bob->host, relay_host(relay));

    assert_within(sim, 3 * round_trip, node_is_on(bob, relay));
    assert_within(sim, round_trip, node_relay_state(bob, relay)->state == PEERLET_RELAY_RESERVED);
    assert_within(sim, 3 * round_trip, alice->discovered > 1);
    assert_within(sim, 5 * round_trip, node_is_relayed_to(alice, bob));
    /* Offer and answer; then ICE, DTLS and SCTP. */
    assert_within(sim, 10 * round_trip, nodes_are_direct(alice, bob));
    assert_within(sim, round_trip, node_say(bob, "hello") > 0);
    assert_within(sim, round_trip, node_heard(alice, "hello") == 1);
}

/* The relay forwards the first topic only, and they meet on it nevertheless. */
static void discovery_has_any_number_of_topics(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    struct node *alice = sim_page(sim, relay), *bob = sim_page(sim, relay);
    const struct input elsewhere = {.type = INPUT_DISCOVER, .text = view_of_text("elsewhere")};
    assert_int_equal(node_tell(alice, &elsewhere).code, 0);
    assert_int_equal(node_tell(bob, &elsewhere).code, 0);
    assert_within(sim, 5000, nodes_are_direct(alice, bob));
    assert_within(sim, 500, node_say(bob, "hello") > 0);
    assert_within(sim, 500, node_heard(alice, "hello") == 1);
}

/* Streams go where the connection is best when they are opened. */
static void streams_follow_to_the_direct_connection(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    relay_terms(relay)->limit_s = 0;
    relay_terms(relay)->limit_bytes = 0;
    struct node *alice = sim_page(sim, relay), *bob = sim_page(sim, relay);

    assert_within(sim, 1500, node_is_relayed_to(alice, bob));
    struct node_stream *early = node_open(alice, bob);
    assert_non_null(early);
    node_send(alice, early, 1000);
    assert_within(sim, 1000, early->received == 1000);
    assert_true(early->is_intact);

    assert_within(sim, 1500, nodes_are_direct(alice, bob));
    struct node_stream *late = node_open(alice, bob);
    assert_int_not_equal(late->conn, early->conn);
    node_send(alice, late, 300000);
    node_close(alice, late);
    assert_within(sim, 5000, late->is_closed);
    assert_int_equal(late->code, 0);
    assert_int_equal(late->received, 300000);
    assert_true(late->is_intact);
}

static void ten_mebibytes_go_there_and_back(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    struct node *alice = sim_page(sim, relay), *bob = sim_page(sim, relay);

    assert_within(sim, 1500, nodes_are_direct(alice, bob));
    struct node_stream *s = node_open(alice, bob);
    node_send(alice, s, 10u << 20);
    node_close(alice, s);
    assert_within(sim, 60000, s->is_closed);
    assert_int_equal(s->code, 0);
    assert_int_equal(s->received, 10u << 20);
    assert_true(s->is_intact);
    assert_true(node_memory(alice) < 4u << 20);
    assert_true(node_memory(bob) < 4u << 20);
}

static void say_goodbye(struct sim *sim, void (*end)(struct node *))
{
    struct relay *relay = sim_relay(sim);
    struct node *alice = sim_page(sim, relay), *bob = sim_page(sim, relay);

    assert_within(sim, 1500, nodes_are_direct(alice, bob));
    end(bob);
    assert_within(sim, 50, !node_is_connected_to(alice, bob));
    assert_within(sim, 1000, relay_visitors(relay) == 1);
}

static void a_page_says_goodbye(struct sim *sim)
{
    say_goodbye(sim, node_leave);
}

static void a_node_that_stops_says_goodbye(struct sim *sim)
{
    say_goodbye(sim, node_stop);
}

/* Both dial at the same instant, by address. */
static void both_dial_at_once(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    const struct node_config shy = {.relays = {relay}, .is_undiscoverable = true};
    struct node *alice = sim_node(sim, &shy), *bob = sim_node(sim, &shy);

    assert_within(sim, 1500, node_is_reserved(alice, relay) && node_is_reserved(bob, relay));
    struct node_dial *there = node_dial(alice, node_address(bob, "/p2p-circuit/webrtc"));
    struct node_dial *back = node_dial(bob, node_address(alice, "/p2p-circuit/webrtc"));
    assert_within(sim, 3000, there->is_over && back->is_over);
    assert_int_equal(there->code, 0);
    assert_int_equal(back->code, 0);
    assert_within(sim, 3000, nodes_are_direct(alice, bob));

    sim_run(sim, 30000);
    assert_true(nodes_are_direct(alice, bob));
    assert_true(node_conn_count(alice) <= 3);
    assert_within(sim, 500, node_say(alice, "still one of you?") > 0);
    assert_within(sim, 200, node_heard(bob, "still one of you?") == 1);
    sim_run(sim, 5000);
    assert_int_equal(node_heard(bob, "still one of you?"), 1);
}

static void ten_pages_meet(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    struct node *pages[10];
    for (size_t i = 0; i < ARRAY_LEN(pages); i++)
        pages[i] = sim_page(sim, relay);

    sim_run(sim, 15000);
    assert_within(sim, 500, node_say(pages[0], "hello, all of you") > 0);
    sim_run(sim, 2000);
    for (size_t i = 1; i < ARRAY_LEN(pages); i++)
        assert_int_equal(node_heard(pages[i], "hello, all of you"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(two_pages_meet),
        STORY(the_relayed_connection_is_closed_when_idle),
        STORY(a_second_page_comes_later),
        STORY(meeting_takes_few_round_trips),
        STORY(discovery_has_any_number_of_topics),
        STORY(streams_follow_to_the_direct_connection),
        STORY(ten_mebibytes_go_there_and_back),
        STORY(a_page_says_goodbye),
        STORY(a_node_that_stops_says_goodbye),
        STORY(both_dial_at_once),
        STORY(ten_pages_meet),
    };
    return TELL(tests);
}

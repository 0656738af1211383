/* Networks and pages fail: what a person sees meanwhile, and how soon it is over. */
#include "scenario/story.h"

struct pair {
    struct relay *relay;
    struct node *alice, *bob;
};

static struct pair direct_pair(struct sim *sim)
{
    struct pair p = {.relay = sim_relay(sim)};
    p.alice = sim_page(sim, p.relay);
    p.bob = sim_page(sim, p.relay);
    assert_within(sim, 2000, nodes_are_direct(p.alice, p.bob));
    sim_run(sim, 5000);
    return p;
}

static bool can_talk(struct node *from, struct node *to)
{
    return node_say(from, "can you hear me?") > 0 && node_heard(to, "can you hear me?") > 0;
}

/* ---- no direct way --------------------------------------------------------------------------- */

static void ice_fails_and_the_relay_carries(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    struct node *alice = sim_page(sim, relay), *bob = sim_page(sim, relay);
    host_block_udp(&alice->host);

    assert_within(sim, 500, node_is_relayed_to(alice, bob) && node_is_relayed_to(bob, alice));
    struct node_stream *s = node_open(alice, bob);
    assert_non_null(s);
    node_send(alice, s, 1000);
    assert_within(sim, 500, s->received == 1000);
    assert_true(s->is_intact);
    assert_throughout(sim, 60000, node_is_relayed_to(alice, bob) && !node_is_direct_to(alice, bob));
    assert_within(sim, 1, rtc_count(&alice->host) <= 1);

    host_allow_udp(&alice->host);
    assert_within(sim, 70000, nodes_are_direct(alice, bob));
}

static bool hears(struct sim *sim, struct node *from, struct node *to, uint32_t number)
{
    char text[32];
    text_format(text, sizeof text, "number %u", number);
    int rc = node_say(from, text);
    sim_run(sim, 500);
    return rc > 0 && node_heard(to, text) == 1;
}

/* Over the limited connection as long as there is no other, and without a gap when there is. */
static void pages_that_are_only_relayed_talk(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    const struct node_config page = {.relays = {relay}, .talks_relayed = true};
    struct node *alice = sim_node(sim, &page), *bob = sim_node(sim, &page);
    host_block_udp(&alice->host);

    assert_within(sim, 1000, node_say(alice, "early") > 0 && node_heard(bob, "early") > 0);
    assert_true(node_is_relayed_to(alice, bob) && !node_is_direct_to(alice, bob));
    uint32_t number = 0;
    while (number < 100) {
        if (number == 20)
            host_allow_udp(&alice->host);
        assert_true(hears(sim, alice, bob, number));
        assert_true(hears(sim, bob, alice, number));
        number++;
    }
    assert_true(nodes_are_direct(alice, bob) && !node_is_relayed_to(alice, bob));

    /* After two minutes it is over by the relay's limit, and made anew. */
    host_block_udp(&alice->host);
    sim_run(sim, 20000);
    uint32_t missed = 0;
    for (; number < 400; number++)
        missed += !hears(sim, alice, bob, number);
    assert_true(missed < 4);
    assert_true(node_is_relayed_to(alice, bob) && !node_is_direct_to(alice, bob));
}

static void an_upgrade_is_tried_again(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    struct node *alice = sim_page(sim, relay), *bob = sim_page(sim, relay);
    host_block_udp(&alice->host);

    assert_within(sim, 2000, node_is_relayed_to(alice, bob) && rtc_count(&alice->host) == 1);
    assert_within(sim, 25000, rtc_count(&alice->host) == 0);
    host_allow_udp(&alice->host);
    assert_within(sim, 15000, nodes_are_direct(alice, bob));
}

static void the_direct_way_is_lost(struct sim *sim)
{
    struct pair p = direct_pair(sim);

    host_block_udp(&p.bob->host);
    assert_within(sim, 10000,
                  node_is_relayed_to(p.alice, p.bob) && !node_is_direct_to(p.alice, p.bob));
    host_allow_udp(&p.bob->host);
    assert_within(sim, 90000, nodes_are_direct(p.alice, p.bob));
    assert_within(sim, 2000, can_talk(p.alice, p.bob));
}

/* The same for pages that only know each other's address, and whose stream has been quiet. */
static void the_direct_way_is_lost_to_a_known_address(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    const struct node_config shy = {.relays = {relay}, .is_undiscoverable = true};
    struct node *alice = sim_node(sim, &shy), *bob = sim_node(sim, &shy);

    assert_within(sim, 1000, node_is_reserved(alice, relay) && node_is_reserved(bob, relay));
    node_dial(alice, node_address(bob, "/p2p-circuit/webrtc"));
    assert_within(sim, 1000, nodes_are_direct(alice, bob));
    struct node_stream *s = node_open(alice, bob);
    node_send(alice, s, 1000);
    assert_within(sim, 1000, s->received == 1000);
    sim_run(sim, 60000);

    host_block_udp(&bob->host);
    assert_within(sim, 10000, s->is_closed && node_is_relayed_to(alice, bob));
    assert_code(s->code, ERR_TIMEOUT);
    host_allow_udp(&bob->host);
    assert_within(sim, 15000, nodes_are_direct(alice, bob));
}

/* Beside an unlimited relayed connection, which is good enough for streams. */
static void the_direct_way_is_lost_beside_the_relay(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    relay_terms(relay)->limit_s = 0;
    relay_terms(relay)->limit_bytes = 0;
    const struct node_config shy = {.relays = {relay}, .is_undiscoverable = true};
    struct node *alice = sim_node(sim, &shy), *bob = sim_node(sim, &shy);

    assert_within(sim, 1000, node_is_reserved(alice, relay) && node_is_reserved(bob, relay));
    node_dial(alice, node_address(bob, "/p2p-circuit/webrtc"));
    assert_within(sim, 1000, nodes_are_direct(alice, bob));
    sim_run(sim, 60000);
    assert_true(node_is_relayed_to(alice, bob) && node_is_direct_to(alice, bob));

    host_block_udp(&bob->host);
    assert_within(sim, 15000, !node_is_direct_to(alice, bob));
    host_allow_udp(&bob->host);
    assert_within(sim, 2000, nodes_are_direct(alice, bob));
}

/* By the application of the one or the other: what worked is there again at once. */
static void the_direct_way_is_aborted(struct sim *sim)
{
    struct pair p = direct_pair(sim);

    for (int turn = 0; turn < 2; turn++) {
        sim_run(sim, 11000);
        struct node *n = turn == 0 ? p.alice : p.bob, *other = turn == 0 ? p.bob : p.alice;
        uint32_t id = node_conn_to(n, other->id, PEERLET_CONN_WEBRTC, 0)->id;
        node_abort(n, id);
        assert_within(sim, 50, !node_is_connected_to(other, n));
        assert_within(sim, 2000, nodes_are_direct(p.alice, p.bob));
    }
    assert_within(sim, 2000, can_talk(p.alice, p.bob));
}

/* An application that takes no connection of the peer for long is not called back all the time. */
static void the_direct_way_is_aborted_again_and_again(struct sim *sim)
{
    struct pair p = direct_pair(sim);
    uint32_t aborted = 0;

    for (int second = 0; second < 300; second++) {
        const struct node_conn *c = node_conn_to(p.alice, p.bob->id, PEERLET_CONN_WEBRTC, 0);
        if (c != NULL)
            node_abort(p.alice, c->id);
        aborted += c != NULL;
        sim_run(sim, 1000);
    }
    assert_in_range(aborted, 10, 80);
}

/* For half an hour the relay is all there is. */
static void the_upgrade_is_never_given_up(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    relay_terms(relay)->limit_s = 0;
    relay_terms(relay)->limit_bytes = 0;
    struct node *alice = sim_page(sim, relay), *bob = sim_page(sim, relay);
    host_block_udp(&alice->host);

    sim_run(sim, 1800000);
    assert_true(node_is_relayed_to(alice, bob) && !node_is_direct_to(alice, bob));
    host_allow_udp(&alice->host);
    assert_within(sim, 310000, nodes_are_direct(alice, bob));
}

/* ---- pages that go --------------------------------------------------------------------------- */

static void a_page_loses_power(struct sim *sim)
{
    struct pair p = direct_pair(sim);

    node_vanish(p.bob);
    assert_within(sim, 10000, !node_is_connected_to(p.alice, p.bob));
    sim_run(sim, 120000);
    assert_true(node_is_reserved(p.alice, p.relay));
    assert_within(sim, 1, rtc_count(&p.alice->host) == 0);
}

/* Browsers keep the page as it was, but for what it closed itself. */
static void a_page_is_left_and_come_back_to(struct sim *sim)
{
    struct pair p = direct_pair(sim);

    node_turn_away(p.bob);
    assert_within(sim, 50, !node_is_connected_to(p.alice, p.bob));
    assert_within(sim, 1000, relay_visitors(p.relay) == 1);
    sim_run(sim, 60000);
    node_turn_back(p.bob);
    assert_within(sim, 1000, node_is_reserved(p.bob, p.relay));
    assert_within(sim, 3000, nodes_are_direct(p.alice, p.bob));
    assert_within(sim, 2000, can_talk(p.bob, p.alice));
}

/* One that is not frozen yet must not open what it closed. */
static void a_page_that_is_left_opens_nothing(struct sim *sim)
{
    struct pair p = direct_pair(sim);

    const struct input hide = {.type = INPUT_PAGE_EVENT, .value = PEERLET_PAGE_HIDE};
    node_tell(p.bob, &hide);
    assert_within(sim, 0, node_conn_count(p.bob) == 0);
    assert_throughout(sim, 10000, node_conn_count(p.bob) == 0);
    const struct input show = {.type = INPUT_PAGE_EVENT, .value = PEERLET_PAGE_SHOW};
    node_tell(p.bob, &show);
    assert_within(sim, 3000, nodes_are_direct(p.alice, p.bob));
}

static void a_tab_crashes_and_comes_back(struct sim *sim)
{
    struct pair p = direct_pair(sim);

    node_crash(p.bob);
    struct node *bob = sim_page(sim, p.relay);
    assert_within(sim, 2000, nodes_are_direct(p.alice, bob));
    assert_within(sim, 10000, !node_is_connected_to(p.alice, p.bob));
}

static void offline_then_online(struct sim *sim)
{
    struct pair p = direct_pair(sim);

    node_go_offline(p.alice);
    assert_within(sim, 10, !p.alice->is_online);
    sim_run(sim, 30000);
    assert_false(node_is_on(p.alice, p.relay));
    node_go_online(p.alice);
    assert_within(sim, 1000, node_is_reserved(p.alice, p.relay));
    assert_within(sim, 3000, nodes_are_direct(p.alice, p.bob));
    assert_within(sim, 2000, can_talk(p.alice, p.bob));
}

/* What becomes of the network while the node is stopped it is not told. */
static void offline_stopped_and_started_online(struct sim *sim)
{
    struct pair p = direct_pair(sim);

    node_go_offline(p.alice);
    node_stop(p.alice);
    sim_run(sim, 10000);
    host_reconnect(&p.alice->host);
    node_start(p.alice);
    assert_within(sim, 1000, node_is_reserved(p.alice, p.relay));
    assert_within(sim, 3000, nodes_are_direct(p.alice, p.bob));
}

/* Cut off and nobody says so: the wire is pulled behind the router. */
static void the_network_is_gone_for_a_minute(struct sim *sim)
{
    struct pair p = direct_pair(sim);

    host_disconnect(&p.alice->host);
    sim_run(sim, 60000);
    assert_false(node_is_on(p.alice, p.relay));
    host_reconnect(&p.alice->host);
    assert_within(sim, 6000, node_is_reserved(p.alice, p.relay));
    assert_within(sim, 12000, nodes_are_direct(p.alice, p.bob));
}

/* ---- pages that sleep -------------------------------------------------------------------------- */

static void a_hidden_tab_stays_connected(struct sim *sim)
{
    struct pair p = direct_pair(sim);

    node_hide(p.alice, 1000);
    assert_throughout(sim, 300000,
                      nodes_are_direct(p.alice, p.bob) && node_is_reserved(p.alice, p.relay));
    p.alice->host.alarm_step_ms = 60000;
    assert_throughout(sim, 1500000,
                      nodes_are_direct(p.alice, p.bob) && node_is_reserved(p.alice, p.relay));
    assert_within(sim, 2000, can_talk(p.bob, p.alice));
    node_show(p.alice);
    assert_throughout(sim, 60000, nodes_are_direct(p.alice, p.bob));
    assert_within(sim, 500, can_talk(p.alice, p.bob));
}

static void a_frozen_tab_wakes(struct sim *sim)
{
    struct pair p = direct_pair(sim);

    node_freeze(p.alice);
    sim_run(sim, 1800000);
    assert_false(node_is_connected_to(p.bob, p.alice));
    node_resume(p.alice);
    assert_within(sim, 3000, node_is_reserved(p.alice, p.relay));
    assert_within(sim, 3000, nodes_are_direct(p.alice, p.bob));
    assert_within(sim, 2000, can_talk(p.alice, p.bob));
}

static void a_laptop_sleeps_over_night(struct sim *sim)
{
    struct pair p = direct_pair(sim);

    node_sleep(p.alice);
    sim_run(sim, 8 * 3600000);
    node_wake(p.alice);
    assert_within(sim, 3000, node_is_reserved(p.alice, p.relay));
    assert_within(sim, 3000, nodes_are_direct(p.alice, p.bob));
    assert_within(sim, 2000, can_talk(p.bob, p.alice));
}

static void the_clock_is_set(struct sim *sim)
{
    static const int64_t JUMPS_S[] = {3600, -3600, 315360000, -315360000};
    struct pair p = direct_pair(sim);

    for (size_t i = 0; i < ARRAY_LEN(JUMPS_S); i++) {
        uint64_t unix_ms = sim->epoch_ms + sim->now + (uint64_t)(1000 * JUMPS_S[i]);
        node_tell(p.alice, &(struct input){.type = INPUT_CLOCK, .value = unix_ms});
        assert_throughout(sim, 60000,
                          nodes_are_direct(p.alice, p.bob) && node_is_reserved(p.alice, p.relay));
        assert_within(sim, 1000, can_talk(p.alice, p.bob));
    }
}

/* ---- bad networks ------------------------------------------------------------------------------ */

static void pages_meet_on_bad_networks(struct sim *sim)
{
    static const struct {
        const char *name;
        struct path path;
        uint64_t within_ms;
    } NETWORKS[] = {
        {"2 % loss", {.latency_ms = 20, .loss_percent = 2}, 10000},
        {"30 % loss", {.latency_ms = 20, .loss_percent = 30}, 30000},
        {"750 ms one way", {.latency_ms = 375}, 20000},
        {"jitter", {.latency_ms = 20, .jitter_ms = 200}, 10000},
        {"56 kbit/s", {.latency_ms = 60, .bytes_per_ms = 7}, 20000},
    };
    EACH_ROW(i, NETWORKS) {
        for (int pair = 0; pair < 10; pair++) {
            struct relay *relay = sim_relay(sim);
            const struct node_config config = {.relays = {relay}, .path = NETWORKS[i].path};
            struct node *alice = sim_node(sim, &config), *bob = sim_node(sim, &config);
            assert_within(sim, NETWORKS[i].within_ms, nodes_are_direct(alice, bob));
            assert_within(sim, 5000 + 10 * NETWORKS[i].path.latency_ms, can_talk(alice, bob));
            node_end(alice);
            node_end(bob);
        }
    }
}

/* Long enough that the answer to who is there is given up, and too short to end the connection. */
static void a_stall_right_at_the_beginning(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    relay_join(relay, "room");
    struct node *alice =
        sim_node(sim, &(struct node_config){.relays = {relay}, .is_undiscoverable = true});

    assert_within(sim, 1000, node_is_on(alice, relay));
    uint32_t id = node_conn_to(alice, relay_id(relay), 0, 0)->id;
    sim_cut(sim, &alice->host, relay_host(relay));
    sim_run(sim, 5300);
    sim_heal(sim, &alice->host, relay_host(relay));
    assert_within(sim, 3000, node_say(alice, "there you are") > 0);
    assert_int_equal(node_conn_to(alice, relay_id(relay), 0, 0)->id, id);
}

static void blackholes_of_five_seconds(struct sim *sim)
{
    struct pair p = direct_pair(sim);
    struct node_stream *s = node_open(p.alice, p.bob);
    p.alice->host.path.bytes_per_ms = p.bob->host.path.bytes_per_ms = 1000;
    node_send(p.alice, s, 10u << 20);
    node_close(p.alice, s);
    for (int i = 0; i < 10 && !s->is_closed; i++) {
        sim_cut(sim, &p.alice->host, &p.bob->host);
        sim_run(sim, 5000);
        sim_heal(sim, &p.alice->host, &p.bob->host);
        sim_run(sim, 2000);
    }
    assert_within(sim, 60000, s->is_closed && s->code == 0);
    assert_int_equal(s->received, 10u << 20);
    assert_true(s->is_intact);
}

/* The longest of a hundred echoes. */
static uint64_t longest_echo(struct sim *sim, struct node *n, struct node_stream *s)
{
    uint64_t longest = 0;
    for (int i = 0; i < 100; i++) {
        uint64_t began_at = sim->now;
        node_send(n, s, 1000);
        assert_within(sim, 5000, s->received == s->to_send);
        longest = MAX(longest, sim->now - began_at);
    }
    return longest;
}

/* Of five streams through a relay one is read no more: the others are as quick as before. */
static void a_slow_reader_harms_nobody_else(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    relay_terms(relay)->limit_s = 0;
    relay_terms(relay)->limit_bytes = 0;
    const struct node_config relayed = {.relays = {relay}, .services_off = PEERLET_WEBRTC};
    struct node *alice = sim_node(sim, &relayed), *bob = sim_node(sim, &relayed);
    assert_within(sim, 1500, node_is_relayed_to(alice, bob));
    sim_run(sim, 2000);
    struct node_stream *s[5];
    for (size_t i = 0; i < ARRAY_LEN(s); i++)
        s[i] = node_open(alice, bob);
    uint64_t before = longest_echo(sim, alice, s[0]);
    s[1]->is_stalled = true;
    node_send(alice, s[1], 10u << 20);
    sim_run(sim, 2000);
    size_t received = s[1]->received;
    assert_in_range(received, 100000, 1u << 20);
    for (size_t i = 2; i < ARRAY_LEN(s); i++)
        assert_in_range(longest_echo(sim, alice, s[i]), 1, before * 3 / 2);
    assert_int_equal(s[1]->received, received);
    assert_true(node_memory(alice) < 2u << 20 && node_memory(bob) < 2u << 20);
    s[1]->is_stalled = false;
    node_send(alice, s[1], 0);
    assert_within(sim, 60000, s[1]->received == 10u << 20);
    assert_true(s[1]->is_intact);
}

/* Data channels have no credit: a stream whose reader is 4 MiB behind is reset, and only that one. */
static void a_reader_far_behind_is_reset(struct sim *sim)
{
    struct pair p = direct_pair(sim);
    struct node_stream *slow = node_open(p.alice, p.bob), *other = node_open(p.alice, p.bob);
    uint64_t before = longest_echo(sim, p.alice, other);
    slow->is_stalled = true;
    node_send(p.alice, slow, 10u << 20);
    assert_within(sim, 10000, slow->is_closed);
    assert_in_range(slow->received, 3u << 20, 4u << 20);
    assert_in_range(longest_echo(sim, p.alice, other), 1, before * 3 / 2);
    assert_true(node_memory(p.alice) < 2u << 20 && node_memory(p.bob) < 2u << 20);
    assert_true(nodes_are_direct(p.alice, p.bob));
}

static void a_burst_of_messages(struct sim *sim)
{
    enum { COUNT = 8000 };
    struct pair p = direct_pair(sim);
    const struct node_conn *c = node_conn_to(p.alice, p.bob->id, PEERLET_CONN_WEBRTC, 0);
    uint32_t id = c->id;
    assert_within(sim, 3000, node_say_number(p.alice, 0, 1024) > 0);
    for (uint32_t i = 1; i < COUNT; i++)
        assert_within(sim, 60000, node_say_number(p.alice, i, 1024) > 0);
    assert_within(sim, 60000, p.bob->messages == COUNT);
    assert_true(p.bob->numbers == (uint64_t)COUNT * (COUNT - 1) / 2);
    c = node_conn_to(p.alice, p.bob->id, PEERLET_CONN_WEBRTC, 0);
    assert_non_null(c);
    assert_int_equal(c->id, id);
    assert_true(node_memory(p.alice) < 16u << 20);
    assert_true(node_memory(p.bob) < 16u << 20);
}

/* Some life every hour: messages, a stream, a page that was offline. Told once, for it is long. */
static void an_hour_passes(struct sim *sim, struct pair *p)
{
    sim_run(sim, 3500000);
    assert_true(nodes_are_direct(p->alice, p->bob));
    node_go_offline(p->alice);
    sim_run(sim, 20000);
    node_go_online(p->alice);
    sim_run(sim, 60000);
    assert_true(nodes_are_direct(p->alice, p->bob));
    struct node_stream *s = node_open(p->alice, p->bob);
    node_send(p->alice, s, 100000);
    node_close(p->alice, s);
    assert_within(sim, 10000, s->is_closed && s->received == 100000);
    assert_within(sim, 2000, can_talk(p->bob, p->alice));
    sim_run(sim, 8000);
}

static void test_a_day_does_not_grow_memory(void **state)
{
    (void)state;
    struct sim *sim = sim_new(STORY_SEED);
    struct pair p = direct_pair(sim);
    an_hour_passes(sim, &p);
    size_t alice = node_memory(p.alice), bob = node_memory(p.bob);
    for (int hour = 1; hour < 24; hour++) {
        an_hour_passes(sim, &p);
        assert_in_range(node_memory(p.alice), 1, alice + 4096);
        assert_in_range(node_memory(p.bob), 1, bob + 4096);
    }
    assert_true(peerlet_memory(p.alice->p)->peak < 2u << 20);
    sim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(ice_fails_and_the_relay_carries),
        STORY(pages_that_are_only_relayed_talk),
        STORY(an_upgrade_is_tried_again),
        STORY(the_direct_way_is_lost),
        STORY(the_direct_way_is_lost_to_a_known_address),
        STORY(the_direct_way_is_lost_beside_the_relay),
        STORY(the_direct_way_is_aborted),
        STORY(the_direct_way_is_aborted_again_and_again),
        STORY(the_upgrade_is_never_given_up),
        STORY(a_page_loses_power),
        STORY(a_page_is_left_and_come_back_to),
        STORY(a_page_that_is_left_opens_nothing),
        STORY(a_tab_crashes_and_comes_back),
        STORY(offline_then_online),
        STORY(offline_stopped_and_started_online),
        STORY(the_network_is_gone_for_a_minute),
        STORY(a_hidden_tab_stays_connected),
        STORY(a_frozen_tab_wakes),
        STORY(a_laptop_sleeps_over_night),
        STORY(the_clock_is_set),
        STORY(pages_meet_on_bad_networks),
        STORY(a_stall_right_at_the_beginning),
        STORY(blackholes_of_five_seconds),
        STORY(a_slow_reader_harms_nobody_else),
        STORY(a_reader_far_behind_is_reset),
        STORY(a_burst_of_messages),
        cmocka_unit_test(test_a_day_does_not_grow_memory),
    };
    return TELL(tests);
}

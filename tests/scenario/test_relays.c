/* Relays fail: they die, freeze, refuse and forget; the node is there again without being asked. */
#include "scenario/story.h"

#include "sim/server.h"

static struct node *reserved_page(struct sim *sim, struct relay *relay)
{
    struct node *n = sim_page(sim, relay);
    assert_within(sim, 1000, node_is_reserved(n, relay));
    return n;
}

static void a_relay_is_killed_for_three_seconds(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    struct node *alice = reserved_page(sim, relay);

    relay_kill(relay);
    assert_within(sim, 100, !node_has_address(alice, "/p2p-circuit"));
    sim_run(sim, 2900);
    relay_start(relay);
    assert_within(sim, 2000, node_is_reserved(alice, relay));
}

/* It has an address besides, at which nobody answers: waiting for that is no reason to miss it. */
static void a_relay_is_killed_that_may_be_elsewhere(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    struct server *elsewhere = sim_server(sim);
    struct node *alice = reserved_page(sim, relay);
    const char *id = strstr(relay_address(relay), "/p2p/") + strlen("/p2p/");
    const char *address = server_address(elsewhere, LINK_DIRECT);
    size_t len = (size_t)(strstr(address, "/p2p/") - address);

    server_kill(elsewhere);
    node_tell(alice, &(struct input){.type = INPUT_ADD_ADDRESSES,
                                     .bytes = span_of((uint8_t *)(uintptr_t)id, strlen(id)),
                                     .text = view_of((const uint8_t *)address, len)});
    relay_kill(relay);
    sim_run(sim, 3000);
    relay_start(relay);
    assert_within(sim, 2000, node_is_reserved(alice, relay));
}

static void a_relay_is_down_for_a_minute(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    struct node *alice = reserved_page(sim, relay);

    relay_kill(relay);
    sim_run(sim, 40000);
    uint64_t before = relay_knocks(relay);
    sim_run(sim, 20000);
    assert_in_range(relay_knocks(relay) - before, 3, 6);
    relay_start(relay);
    assert_within(sim, 5000, node_is_reserved(alice, relay));
}

/* What was learnt of a peer is forgotten after an hour; the way to a relay never is. */
static void a_relay_is_down_for_hours(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    struct node *alice = reserved_page(sim, relay);

    sim_run(sim, 3 * 3600000);
    relay_kill(relay);
    sim_run(sim, 3 * 3600000);
    relay_start(relay);
    assert_within(sim, 5000, node_is_reserved(alice, relay));
}

static void chat_goes_on_without_the_relay(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    struct node *alice = sim_page(sim, relay), *bob = sim_page(sim, relay);

    assert_within(sim, 1500, nodes_are_direct(alice, bob));
    sim_run(sim, 5000);
    relay_kill(relay);
    assert_throughout(sim, 60000, nodes_are_direct(alice, bob));
    assert_true(node_say(alice, "who needs it") > 0);
    assert_within(sim, 200, node_heard(bob, "who needs it") == 1);
    relay_start(relay);
    assert_within(sim, 5000, node_is_reserved(alice, relay) && node_is_reserved(bob, relay));
}

static void a_relay_freezes_while_idle(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    const struct node_config quiet = {
        .relays = {relay},
        .listen = "",
        .services_off = PEERLET_PUBSUB | PEERLET_WEBRTC,
    };
    struct node *alice = sim_node(sim, &quiet);

    assert_within(sim, 1000, node_is_on(alice, relay));
    sim_run(sim, 20000);
    host_freeze(relay_host(relay));
    assert_within(sim, 15000, !node_is_on(alice, relay));
}

static void a_relay_freezes_while_it_matters(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    struct node *alice = reserved_page(sim, relay);

    sim_run(sim, 20000);
    host_freeze(relay_host(relay));
    assert_within(sim, 6000 + 100, !node_is_on(alice, relay)); /* what was under way counts */
    sim_run(sim, 20000);
    host_thaw(relay_host(relay));
    assert_within(sim, 10000, node_is_reserved(alice, relay));
}

static void a_second_relay_is_in_use_already(struct sim *sim)
{
    struct relay *first = sim_relay(sim), *second = sim_relay(sim);
    const struct node_config both = {.relays = {first, second}};
    struct node *alice = sim_node(sim, &both), *bob = sim_node(sim, &both);

    assert_within(sim, 1500, node_is_reserved(alice, first) && node_is_reserved(alice, second));
    relay_kill(first);
    assert_throughout(sim, 3000, node_is_reserved(alice, second));
    assert_within(sim, 1500, nodes_are_direct(alice, bob));
}

/* Each costs nothing but itself, and is used when it is there. */
static void relays_that_are_dead_full_and_silent(struct sim *sim)
{
    struct relay *alone = sim_relay(sim), *dead = sim_relay(sim), *full = sim_relay(sim);
    struct relay *silent = sim_relay(sim), *good = sim_relay(sim);
    struct node *other = sim_page(sim, alone);
    uint64_t began = sim->now;
    assert_within(sim, 1000, node_is_reserved(other, alone));
    uint64_t usual = sim->now - began;

    relay_kill(dead);
    relay_terms(full)->reservations = 0;
    host_freeze(relay_host(silent));
    const struct node_config all = {.relays = {dead, full, silent, good}};
    struct node *alice = sim_node(sim, &all);
    assert_within(sim, usual + 50, node_is_reserved(alice, good));
    assert_throughout(sim, 60000, node_is_reserved(alice, good));
    assert_code(node_relay_state(alice, full)->code, ERR_RELAY_REFUSED);
    assert_false(node_is_reserved(alice, dead) || node_is_reserved(alice, full) ||
                 node_is_reserved(alice, silent));

    relay_start(dead);
    assert_within(sim, 6000, node_is_reserved(alice, dead));
    relay_terms(full)->reservations = 1;
    assert_within(sim, 30000, node_is_reserved(alice, full));
    host_thaw(relay_host(silent));
    assert_within(sim, 15000, node_is_reserved(alice, silent));
    assert_true(node_is_reserved(alice, good));
}

/* Two hours each at a js relay; here ten minutes, so that an hour sees several. */
static void an_hour_of_reservations(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    relay_terms(relay)->reservation_s = 600;
    struct node *alice = reserved_page(sim, relay);

    sim_run(sim, 10000);
    size_t memory = node_memory(alice);
    assert_throughout(sim, 3600000,
                      node_is_reserved(alice, relay) && relay_reservations(relay) == 1);
    assert_in_range(relay_asked_reserve(relay), 8, 13);
    assert_int_equal(relay_dialled(relay), 1);
    assert_true(node_memory(alice) <= memory + 4096);
}

/* What was granted holds until it is over, whatever the relay says to whoever would have more. */
static void a_refresh_is_refused(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    relay_terms(relay)->reservation_s = 600;
    struct node *alice = reserved_page(sim, relay), *bob = sim_page(sim, relay);

    relay_terms(relay)->refuse_reserve = 201;
    assert_throughout(sim, 590000, node_has_address(alice, "/p2p-circuit"));
    assert_true(relay_asked_reserve(relay) > 2);
    assert_true(nodes_are_direct(alice, bob));
    assert_within(sim, 11000, !node_has_address(alice, "/p2p-circuit"));
    relay_terms(relay)->refuse_reserve = 0;
    assert_within(sim, 61000, node_is_reserved(alice, relay));
}

static void every_refusal_is_told_and_outlived(struct sim *sim)
{
    static const struct {
        uint32_t status;
        const char *says;
    } REFUSALS[] = {
        {200, "RESERVATION_REFUSED"}, {201, "RESOURCE_LIMIT_EXCEEDED"}, {202, "PERMISSION_DENIED"},
        {203, "CONNECTION_FAILED"},   {204, "NO_RESERVATION"},          {400, "MALFORMED_MESSAGE"},
        {401, "UNEXPECTED_MESSAGE"},  {999, "unknown status"},
    };
    for (size_t i = 0; i < ARRAY_LEN(REFUSALS); i++) {
        struct relay *relay = sim_relay(sim);
        relay_terms(relay)->refuse_reserve = REFUSALS[i].status;
        struct node *alice = sim_page(sim, relay);
        const struct node_relay *seen;
        assert_within(sim, 1000,
                      (seen = node_relay_state(alice, relay)) != NULL &&
                          seen->state == PEERLET_RELAY_WAITING);
        assert_code(seen->code, ERR_RELAY_REFUSED);
        assert_non_null(strstr(seen->text, REFUSALS[i].says));
        sim_run(sim, 10000);
        assert_true(relay_asked_reserve(relay) <= 20);
        relay_terms(relay)->refuse_reserve = 0;
        assert_within(sim, 6000, node_is_reserved(alice, relay));
    }
}

static void a_full_relay_is_told(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    relay_terms(relay)->reservations = 1;
    struct node *alice = reserved_page(sim, relay);
    struct node *bob = sim_page(sim, relay);

    assert_within(sim, 1000,
                  node_relay_state(bob, relay) != NULL &&
                      node_relay_state(bob, relay)->code == ERR_RELAY_REFUSED);
    node_leave(alice);
    assert_within(sim, 6000, node_is_reserved(bob, relay));
}

static void a_forged_voucher_is_no_reservation(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    relay_terms(relay)->is_forging = true;
    struct node *alice = sim_page(sim, relay);

    assert_throughout(sim, 10000, !node_is_reserved(alice, relay));
    assert_true(relay_asked_reserve(relay) > 0);
    relay_terms(relay)->is_forging = false;
    assert_within(sim, 6000, node_is_reserved(alice, relay));
}

static void a_mute_relay_is_asked_again(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    relay_terms(relay)->is_mute = true;
    struct node *alice = sim_page(sim, relay);

    sim_run(sim, 15000);
    assert_false(node_is_reserved(alice, relay));
    relay_terms(relay)->is_mute = false;
    assert_within(sim, 16000, node_is_reserved(alice, relay));
}

/* A relayed connection that is cut at its limit of time or bytes ends; the node says why. */
static void the_limits_of_a_circuit(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    const struct node_config relayed = {.relays = {relay}, .services_off = PEERLET_WEBRTC};
    struct node *alice = sim_node(sim, &relayed), *bob = sim_node(sim, &relayed);

    assert_within(sim, 1500, node_is_reserved(alice, relay) && node_is_reserved(bob, relay));
    struct node_dial *d = node_dial(alice, node_address(bob, "/p2p-circuit"));
    assert_non_null(d);
    assert_within(sim, 1000, d->is_over);
    assert_code(d->code, 0);
    const struct node_conn *c = node_conn_to(alice, bob->id, PEERLET_CONN_LIMITED, 0);
    assert_non_null(c);
    uint32_t first = c->id;
    sim_run(sim, 110000);
    assert_within(sim, 15000, (c = node_conn_to(alice, bob->id, 0, 0)) == NULL || c->id != first);
}

/* Each relay behind a relay would be one more connection inside another, without end. */
static void no_relay_is_reached_through_another(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    relay_terms(relay)->limit_s = 0;
    relay_terms(relay)->limit_bytes = 0;
    const struct node_config relayed = {
        .relays = {relay}, .services_off = PEERLET_WEBRTC, .is_undiscoverable = true};
    struct node *alice = sim_node(sim, &relayed), *bob = sim_node(sim, &relayed);
    char further[NODE_TEXT_MAX];

    assert_within(sim, 1500, node_is_reserved(alice, relay) && node_is_reserved(bob, relay));
    assert_non_null(node_dial(alice, node_address(bob, "/p2p-circuit")));
    assert_within(sim, 1000,
                  node_conn_to(alice, bob->id, PEERLET_CONN_RELAYED, PEERLET_CONN_LIMITED) != NULL);
    node_tell(bob, &(struct input){.type = INPUT_HANDLE,
                                   .text = view_of_text("/libp2p/circuit/relay/0.2.0/hop")});
    sim_run(sim, 1000);
    text_format(further, sizeof further, "/p2p/%s/p2p-circuit/p2p/%s", bob->id,
                "12D3KooWRm8J3iL796zPFi2EtGGtUJn58AG67gcqzMFHZnnsTzqD");
    node_dial(alice, further);
    sim_run(sim, 1000);
    assert_true(list_is_empty(&bob->streams));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(a_relay_is_killed_for_three_seconds),
        STORY(a_relay_is_killed_that_may_be_elsewhere),
        STORY(a_relay_is_down_for_a_minute),
        STORY(a_relay_is_down_for_hours),
        STORY(chat_goes_on_without_the_relay),
        STORY(a_relay_freezes_while_idle),
        STORY(a_relay_freezes_while_it_matters),
        STORY(a_second_relay_is_in_use_already),
        STORY(relays_that_are_dead_full_and_silent),
        STORY(an_hour_of_reservations),
        STORY(a_refresh_is_refused),
        STORY(every_refusal_is_told_and_outlived),
        STORY(a_full_relay_is_told),
        STORY(a_forged_voucher_is_no_reservation),
        STORY(a_mute_relay_is_asked_again),
        STORY(the_limits_of_a_circuit),
        STORY(no_relay_is_reached_through_another),
    };
    return TELL(tests);
}

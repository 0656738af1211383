/* Dials: what works, what fails, how soon, and what the person is told. */
#include "scenario/story.h"

#define NOBODY "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq"

static struct node *loner(struct sim *sim, struct relay *relay)
{
    return sim_node(sim, &(struct node_config){.relays = {relay}, .is_undiscoverable = true});
}

static const char *text(const char *format, ...)
{
    static char line[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    return line;
}

static void fails(struct sim *sim, struct node *n, const char *targets, uint64_t within_ms,
                  int code)
{
    struct node_dial *d = node_dial(n, targets);
    assert_non_null(d);
    assert_within(sim, within_ms, d->is_over);
    assert_code(d->code, code);
    assert_true(strlen(d->text) > 10);
}

static void a_known_address_is_dialled(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    struct node *alice = loner(sim, relay), *bob = loner(sim, relay);

    assert_within(sim, 1000, node_is_reserved(bob, relay) && node_is_reserved(alice, relay));
    struct node_dial *d = node_dial(alice, node_address(bob, "/p2p-circuit/webrtc"));
    assert_within(sim, 1000, d->is_over);
    assert_code(d->code, 0);
    assert_true(node_is_direct_to(alice, bob));
    assert_string_equal(node_conn_to(alice, bob->id, PEERLET_CONN_WEBRTC, 0)->peer, bob->id);
}

static void an_identity_that_is_another(struct sim *sim)
{
    struct relay *relay = sim_relay(sim), *other = sim_relay(sim);
    struct node *alice = loner(sim, NULL);
    const char *end = strstr(relay_address(relay), "/p2p/");
    const char *wrong = text("%.*s/p2p/%s", (int)(end - relay_address(relay)), relay_address(relay),
                             relay_id(other));

    fails(sim, alice, wrong, 2000, ERR_WRONG_PEER);
    assert_int_equal(node_conn_count(alice), 0);
}

/* Refused, silence, and a relay that does not know the peer. */
static void nobody_is_there(struct sim *sim)
{
    struct relay *relay = sim_relay(sim), *down = sim_relay(sim);
    struct node *alice = loner(sim, relay);

    assert_within(sim, 1000, node_is_reserved(alice, relay));
    relay_kill(down);
    fails(sim, alice, relay_address(down), 1000, ERR_DIAL);
    fails(sim, alice, "/ip4/10.0.200.1/tcp/4001/ws/p2p/" NOBODY, 15000, ERR_TIMEOUT);
    fails(sim, alice, text("%s/p2p-circuit/p2p/%s", relay_address(relay), NOBODY), 2000,
          ERR_NO_RESERVATION);
    fails(sim, alice, text("%s/p2p-circuit/webrtc/p2p/%s", relay_address(relay), NOBODY), 2000,
          ERR_NO_RESERVATION);
}

static void a_good_address_among_bad_ones(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    struct node *alice = loner(sim, NULL);

    struct node_dial *d = node_dial(
        alice, text("/ip4/10.0.200.1/tcp/4001/ws/p2p/%s\n/ip4/10.0.200.2/tcp/4001/ws/p2p/%s\n%s",
                    relay_id(relay), relay_id(relay), relay_address(relay)));
    assert_non_null(d);
    assert_within(sim, 2000, d->is_over);
    assert_code(d->code, 0);
    assert_true(node_is_on(alice, relay));
}

/* Started 250 ms apart, whatever becomes of those before: a dead one costs that and not its timeout. */
static void addresses_are_raced(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    struct node *alice = loner(sim, NULL);
    const char *id = strstr(relay_address(relay), "/p2p/");

    for (unsigned before = 0; before < 4; before++) {
        uint64_t began = sim->now, dialled = relay_dialled(relay);
        char targets[1024] = "";
        for (unsigned i = 0; i < before; i++)
            snprintf(targets + strlen(targets), sizeof targets - strlen(targets),
                     "/ip4/10.0.200.%u/tcp/4001/ws%s\n", i + 1, id);
        snprintf(targets + strlen(targets), sizeof targets - strlen(targets), "%s",
                 relay_address(relay));
        struct node_dial *d = node_dial(alice, targets);
        assert_within(sim, 2000, relay_dialled(relay) == dialled + 1);
        assert_in_range(sim->now - began, 250 * before, 250 * before + 100);
        assert_within(sim, 200, d->is_over);
        assert_code(d->code, 0);
        node_tell(alice,
                  &(struct input){.type = INPUT_HANG_UP, .text = view_of_text(relay_id(relay))});
        sim_run(sim, 60000);
        assert_int_equal(node_conn_count(alice), 0);
    }
}

static void relays_refuse_to_connect(struct sim *sim)
{
    static const struct {
        uint32_t status;
        int code;
    } REFUSALS[] = {{200, ERR_RELAY_REFUSED}, {201, ERR_RELAY_REFUSED},  {202, ERR_RELAY_REFUSED},
                    {203, ERR_RELAY_REFUSED}, {204, ERR_NO_RESERVATION}, {400, ERR_RELAY_REFUSED},
                    {401, ERR_RELAY_REFUSED}, {999, ERR_RELAY_REFUSED}};
    struct relay *relay = sim_relay(sim);
    struct node *alice = loner(sim, relay), *bob = loner(sim, relay);

    assert_within(sim, 1000, node_is_reserved(bob, relay) && node_is_reserved(alice, relay));
    for (size_t i = 0; i < ARRAY_LEN(REFUSALS); i++) {
        relay_terms(relay)->refuse_connect = REFUSALS[i].status;
        fails(sim, alice, node_address(bob, "/p2p-circuit"), 2000, REFUSALS[i].code);
    }
    relay_terms(relay)->refuse_connect = 0;
    struct node_dial *d = node_dial(alice, node_address(bob, "/p2p-circuit"));
    assert_within(sim, 1000, d->is_over);
    assert_code(d->code, 0);
}

static void a_relay_that_never_answers(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    struct node *alice = loner(sim, relay), *bob = loner(sim, relay);

    assert_within(sim, 1000, node_is_reserved(bob, relay) && node_is_reserved(alice, relay));
    relay_terms(relay)->is_mute = true;
    fails(sim, alice, node_address(bob, "/p2p-circuit"), 31000, ERR_TIMEOUT);
}

static void what_cannot_be_dialled(struct sim *sim)
{
    static const struct {
        const char *name;
        const char *target;
        int code;
    } BAD[] = {
        {"nothing", "", ERR_BAD_PEER_ID},
        {"a word", "hello", ERR_BAD_PEER_ID},
        {"an unknown protocol", "/ip4/10.0.0.1/tcp/4001/wss2", ERR_BAD_MULTIADDR},
        {"a port that is none", "/ip4/10.0.0.1/tcp/99999/ws", ERR_BAD_MULTIADDR},
        {"plain TCP", "/ip4/10.0.0.1/tcp/4001/p2p/" NOBODY, ERR_NO_ADDRESS},
        {"a peer nothing is known of", NOBODY, ERR_NO_ADDRESS},
        {"a relay without a target", "/ip4/10.0.0.1/tcp/4001/ws/p2p/" NOBODY "/p2p-circuit/webrtc",
         0},
    };
    struct node *alice = loner(sim, NULL);
    EACH_ROW(i, BAD) {
        struct input_result r = node_tell(
            alice, &(struct input){.type = INPUT_DIAL, .text = view_of_text(BAD[i].target)});
        if (BAD[i].code == 0)
            continue;
        assert_code(r.code, BAD[i].code);
        assert_true(peerlet_reason(alice->p).len > 10);
    }
    struct input_result r =
        node_tell(alice, &(struct input){.type = INPUT_DIAL, .text = view_of_text(alice->id)});
    assert_code(r.code, ERR_SELF_DIAL);
    sim_run(sim, 40000);
    assert_int_equal(node_conn_count(alice), 0);
}

static void a_dial_is_cancelled(struct sim *sim)
{
    struct node *alice = loner(sim, NULL);
    struct node_dial *d = node_dial(alice, "/ip4/10.0.200.1/tcp/4001/ws/p2p/" NOBODY);

    sim_run(sim, 1000);
    assert_false(d->is_over);
    node_tell(alice, &(struct input){.type = INPUT_DIAL_CANCEL, .id = d->id});
    assert_true(d->is_over);
    assert_code(d->code, ERR_ABORTED);
    sim_run(sim, 60000);
}

/* The relayed address of a peer that left is of no use, and the person is told so. */
static void a_peer_that_left(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    struct node *alice = loner(sim, relay), *bob = loner(sim, relay);

    assert_within(sim, 1000, node_is_reserved(bob, relay) && node_is_reserved(alice, relay));
    const char *address = node_address(bob, "/p2p-circuit/webrtc");
    node_leave(bob);
    sim_run(sim, 2000);
    fails(sim, alice, address, 2000, ERR_NO_RESERVATION);
}

/* Who hung up is not called back, whoever it was, and with a stream open. */
static void hanging_up(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    struct node *alice = loner(sim, relay), *bob = loner(sim, relay);

    assert_within(sim, 1000, node_is_reserved(bob, relay) && node_is_reserved(alice, relay));
    for (int turn = 0; turn < 2; turn++) {
        struct node_dial *d = node_dial(alice, node_address(bob, "/p2p-circuit/webrtc"));
        assert_within(sim, 1000, d->is_over && nodes_are_direct(alice, bob));
        struct node_stream *s = node_open(alice, bob);
        node_send(alice, s, 1000);
        assert_within(sim, 1000, s->received == 1000);
        if (turn == 0)
            node_hang_up(alice, bob);
        else
            node_hang_up(bob, alice);
        assert_within(sim, 10000,
                      !node_is_connected_to(alice, bob) && !node_is_connected_to(bob, alice));
        assert_throughout(sim, 60000, !node_is_connected_to(alice, bob));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(a_known_address_is_dialled),
        STORY(an_identity_that_is_another),
        STORY(nobody_is_there),
        STORY(a_good_address_among_bad_ones),
        STORY(addresses_are_raced),
        STORY(relays_refuse_to_connect),
        STORY(a_relay_that_never_answers),
        STORY(what_cannot_be_dialled),
        STORY(a_dial_is_cancelled),
        STORY(a_peer_that_left),
        STORY(hanging_up),
    };
    return TELL(tests);
}

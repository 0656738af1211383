/* /dnsaddr names: relays behind one, and what their resolver may answer. */
#include "scenario/story.h"

#include "sim/zone.h"

#define NAME "relays.example"
#define NOBODY "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq"

static const char *text(const char *format, ...)
{
    static char lines[8][2048];
    static size_t next;
    char *line = lines[next++ % ARRAY_LEN(lines)];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof lines[0], format, args);
    va_end(args);
    return line;
}

static struct node *page(struct sim *sim, const char *bootstrap)
{
    return sim_node(sim, &(struct node_config){.bootstrap = bootstrap});
}

static struct node *loner(struct sim *sim)
{
    return sim_node(sim, &(struct node_config){.is_undiscoverable = true, .listen = ""});
}

/* What the node says of a name it keeps. */
static const struct node_relay *name_state(const struct node *n)
{
    LIST_EACH(node, &n->relays) {
        const struct node_relay *known = LIST_OWNER(node, struct node_relay, in_node);
        if (strcmp(known->peer, "/dnsaddr/" NAME) == 0)
            return known;
    }
    return NULL;
}

static void fails(struct sim *sim, struct node *n, const char *targets, uint64_t within_ms,
                  int code, const char *says)
{
    struct node_dial *d = node_dial(n, targets);
    assert_non_null(d);
    assert_within(sim, within_ms, d->is_over);
    assert_code(d->code, code);
    if (strstr(d->text, says) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", d->text, says);
}

/* Nobody waits for the dead and the full one, and each is used when it is there. */
static void relays_behind_one_name(struct sim *sim)
{
    struct relay *dead = sim_relay(sim), *full = sim_relay(sim), *good = sim_relay(sim);
    relay_kill(dead);
    relay_terms(full)->reservations = 0;
    sim_name(sim, NAME,
             text("%s\n%s\n%s", relay_address(dead), relay_address(full), relay_address(good)));
    struct node *alice = page(sim, "/dnsaddr/" NAME);

    assert_within(sim, 1000, node_is_reserved(alice, good));
    assert_true(node_is_on(alice, full));
    assert_int_equal(alice->discovered, 3);
    assert_throughout(sim, 30000, node_is_reserved(alice, good));
    assert_code(node_relay_state(alice, full)->code, ERR_RELAY_REFUSED);
    relay_terms(full)->reservations = 1;
    assert_within(sim, 30000, node_is_reserved(alice, full));
    relay_start(dead);
    assert_within(sim, 6000, node_is_reserved(alice, dead));
    assert_int_equal(alice->discovered, 3);
    assert_null(strstr(alice->addresses, "dnsaddr"));
}

static void a_listen_address_with_a_name(struct sim *sim)
{
    struct relay *one = sim_relay(sim), *two = sim_relay(sim);
    sim_name(sim, NAME, text("%s\n%s", relay_address(one), relay_address(two)));
    struct node *alice =
        sim_node(sim, &(struct node_config){.listen = "/dnsaddr/" NAME "/p2p-circuit"});

    assert_within(sim, 1000, node_is_reserved(alice, one) && node_is_reserved(alice, two));
    sim_run(sim, 600000);
    assert_int_equal(relay_dialled(one), 1);
}

/* As the public bootstrap nodes are: four lines with one name, each for one peer. */
static void a_name_with_a_peer(struct sim *sim)
{
    struct relay *one = sim_relay(sim), *two = sim_relay(sim);
    sim_name(sim, NAME,
             text("/dnsaddr/a." NAME "/p2p/%s\n/dnsaddr/b." NAME "/p2p/%s", relay_id(one),
                  relay_id(two)));
    sim_name(sim, "a." NAME, relay_address(one));
    sim_name(sim, "b." NAME, relay_address(two));
    struct node *alice = page(sim, text("/dnsaddr/" NAME "/p2p/%s", relay_id(two)));

    assert_within(sim, 1000, node_is_reserved(alice, two));
    sim_run(sim, 10000);
    assert_false(node_is_on(alice, one));
    assert_int_equal(sim_lookups(sim), 2);
}

static void names_behind_names(struct sim *sim)
{
    struct relay *one = sim_relay(sim), *two = sim_relay(sim);
    sim_name(sim, NAME, text("/dnsaddr/a." NAME "\n/dnsaddr/b." NAME "/p2p/%s", relay_id(two)));
    sim_name(sim, "a." NAME, relay_address(one));
    sim_name(sim, "b." NAME, text("%s\n%s", relay_address(one), relay_address(two)));
    struct node *alice = page(sim, "/dnsaddr/" NAME);

    assert_within(sim, 1000, node_is_reserved(alice, one) && node_is_reserved(alice, two));
}

/* Names that lead to each other come to an end, for those who keep them and for those who dial. */
static void a_circle_of_names(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    sim_name(sim, "a." NAME,
             text("/dnsaddr/b." NAME "\n/dnsaddr/a." NAME "/p2p/%s", relay_id(relay)));
    sim_name(sim, "b." NAME, text("/dnsaddr/a." NAME "\n/dnsaddr/c." NAME "\n/dnsaddr/b." NAME));
    sim_name(sim, "c." NAME, text("/dnsaddr/a." NAME "\n/dnsaddr/b." NAME));
    struct node *alice = loner(sim), *bob = page(sim, "/dnsaddr/b." NAME);

    fails(sim, alice, "/dnsaddr/b." NAME, 1000, ERR_DIAL, "");
    sim_run(sim, 600000);
    assert_true(sim_lookups(sim) < 400);
    sim_name(sim, "c." NAME, relay_address(relay));
    assert_within(sim, 16000, node_is_reserved(bob, relay));
    struct node_dial *d = node_dial(alice, "/dnsaddr/a." NAME);
    assert_within(sim, 1000, d->is_over);
    assert_code(d->code, 0);
}

static void a_thousand_records(struct sim *sim)
{
    struct relay *relay = sim_relay(sim), *hidden = sim_relay(sim);
    size_t room = 1000 * 120, len = 0;
    char *lines = sim_alloc(sim, room);
    for (unsigned i = 0; i < 1000; i++)
        len += (size_t)snprintf(lines + len, room - len, "/ip4/10.0.%u.%u/tcp/4001/ws/p2p/%s\n",
                                200 + i / 256, i % 256, i % 2 == 0 ? NOBODY : relay_id(hidden));
    snprintf(lines + len, room - len, "%s", relay_address(relay));
    sim_name(sim, NAME, lines);
    mem_free(&sim->mem, lines);
    struct node *alice = loner(sim), *bob = page(sim, "/dnsaddr/" NAME);

    struct node_dial *d = node_dial(alice, text("/dnsaddr/" NAME "/p2p/%s", relay_id(relay)));
    assert_within(sim, 1000, d->is_over);
    assert_code(d->code, 0);
    assert_within(sim, 1000, node_is_reserved(bob, relay));
    size_t memory = node_memory(bob);
    fails(sim, alice, "/dnsaddr/" NAME, 31000, ERR_DIAL, "");
    sim_run(sim, 600000);
    assert_true(node_is_reserved(bob, relay));
    assert_true(node_memory(bob) < memory + (64u << 10));
}

/* A crowd behind one name: as many are kept as help, and others where those fail. */
static void more_relays_than_are_wanted(struct sim *sim)
{
    struct relay *all[12];
    char lines[2048] = "";
    size_t reserved = 0;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        all[i] = sim_relay(sim);
        snprintf(lines + strlen(lines), sizeof lines - strlen(lines), "%s\n",
                 relay_address(all[i]));
    }
    sim_name(sim, NAME, lines);
    for (size_t i = 0; i < 6; i++)
        relay_kill(all[i]);
    struct node *alice = page(sim, "/dnsaddr/" NAME);

    sim_run(sim, 60000);
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        reserved += node_is_reserved(alice, all[i]);
    assert_in_range(reserved, 4, 6);
    for (size_t i = 0; i < 6; i++)
        relay_start(all[i]);
    sim_run(sim, 60000);
    assert_true(node_conn_count(alice) <= PEERLET_LIMITS.relays + 4);
}

/* The relay goes elsewhere, and a second one comes: the name says where. */
static void what_is_behind_a_name_changes(struct sim *sim)
{
    struct relay *old = sim_relay(sim), *new = sim_relay(sim);
    sim_name(sim, NAME, relay_address(old));
    struct node *alice = page(sim, "/dnsaddr/" NAME);

    assert_within(sim, 1000, node_is_reserved(alice, old));
    sim_run(sim, 3 * 3600000);
    assert_true(sim_lookups(sim) <= 2);
    sim_name(sim, NAME, relay_address(new));
    relay_kill(old);
    assert_within(sim, 11000, node_is_reserved(alice, new));
}

static void nobody_answers_for_names(struct sim *sim)
{
    struct relay *relay = sim_relay(sim), *plain = sim_relay(sim);
    sim_name(sim, NAME, relay_address(relay));
    sim_names_are(sim, ZONE_DOWN);
    struct node *alice =
        sim_node(sim, &(struct node_config){.relays = {plain}, .bootstrap = "/dnsaddr/" NAME});

    assert_within(sim, 1000, node_is_reserved(alice, plain));
    const struct node_relay *seen = name_state(alice);
    assert_non_null(seen);
    assert_int_equal(seen->state, PEERLET_RELAY_WAITING);
    assert_code(seen->code, ERR_NAME);
    sim_run(sim, 600000);
    uint64_t before = sim_lookups(sim);
    sim_run(sim, 600000);
    assert_in_range(sim_lookups(sim) - before, 8, 20);
    sim_names_are(sim, ZONE_SILENT);
    sim_run(sim, 600000);
    sim_names_are(sim, ZONE_WELL);
    assert_within(sim, 70000, node_is_reserved(alice, relay));
    assert_int_equal(name_state(alice)->state, PEERLET_RELAY_GONE);
}

static void names_of_a_page_that_was_offline(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    sim_name(sim, NAME, relay_address(relay));
    sim_names_are(sim, ZONE_DOWN);
    struct node *alice = page(sim, "/dnsaddr/" NAME);

    sim_run(sim, 600000);
    node_go_offline(alice);
    sim_names_are(sim, ZONE_WELL);
    sim_run(sim, 600000);
    node_go_online(alice);
    assert_within(sim, 500, node_is_reserved(alice, relay));
}

static void dials_that_fail_for_a_name(struct sim *sim)
{
    struct relay *relay = sim_relay(sim), *other = sim_relay(sim);
    struct node *alice = loner(sim);
    sim_name(sim, NAME, relay_address(relay));
    sim_name(sim, "tcp." NAME, text("/ip4/10.0.0.1/tcp/4001/p2p/%s\nrubbish", relay_id(relay)));
    const char *end = strstr(relay_address(relay), "/p2p/");
    sim_name(sim, "liar." NAME,
             text("%.*s/p2p/%s", (int)(end - relay_address(relay)), relay_address(relay),
                  relay_id(other)));

    fails(sim, alice, "/dnsaddr/nowhere." NAME, 1000, ERR_NO_ADDRESS, "no TXT record");
    fails(sim, alice, "/dnsaddr/tcp." NAME, 1000, ERR_NO_ADDRESS, "no transport");
    fails(sim, alice, text("/dnsaddr/" NAME "/p2p/%s", relay_id(other)), 1000, ERR_NO_ADDRESS,
          "no TXT record");
    fails(sim, alice, text("/dnsaddr/liar." NAME "/p2p/%s", relay_id(other)), 1000, ERR_DIAL,
          "the one who answers");
    sim_names_are(sim, ZONE_DOWN);
    fails(sim, alice, "/dnsaddr/" NAME, 1000, ERR_NAME, "no resolver is reached");
    sim_names_are(sim, ZONE_SILENT);
    fails(sim, alice, "/dnsaddr/" NAME, 11000, ERR_TIMEOUT, "in time");
    assert_int_equal(node_conn_count(alice), 0);
}

/* A resolver that is silent costs the dial nothing, and an address is dialled once. */
static void a_name_among_addresses(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    struct node *alice = loner(sim);
    const char *name = text("/dnsaddr/" NAME "/p2p/%s", relay_id(relay));
    sim_name(sim, NAME, relay_address(relay));
    sim_names_are(sim, ZONE_SILENT);
    uint64_t began = sim->now;
    struct node_dial *d = node_dial(alice, text("%s\n%s", name, relay_address(relay)));
    assert_within(sim, 1000, d->is_over);
    assert_code(d->code, 0);
    uint64_t took = sim->now - began;
    assert_true(took < PEERLET_LIMITS.dial_stagger_ms);

    sim_names_are(sim, ZONE_WELL);
    host_freeze(relay_host(relay));
    struct node *bob = loner(sim);
    d = node_dial(bob, text("%s\n%s", name, relay_address(relay)));
    sim_run(sim, 5000);
    host_thaw(relay_host(relay));
    assert_within(sim, 1000, d->is_over);
    assert_code(d->code, 0);
    assert_int_equal(relay_dialled(relay), 2);
}

/* dial() of a name alone: whoever of those behind it answers first. */
static void whoever_is_behind_a_name(struct sim *sim)
{
    struct relay *dead = sim_relay(sim), *slow = sim_relay(sim), *good = sim_relay(sim);
    struct node *alice = loner(sim);
    relay_kill(dead);
    host_freeze(relay_host(slow));
    sim_name(sim, NAME,
             text("%s\n%s\n%s", relay_address(dead), relay_address(slow), relay_address(good)));

    struct node_dial *d = node_dial(alice, "/dnsaddr/" NAME);
    assert_within(sim, 1000, d->is_over);
    assert_code(d->code, 0);
    assert_true(node_is_on(alice, good));
    assert_int_equal(node_conn_count(alice), 1);
}

/* The relay in a circuit address may be a name. */
static void a_circuit_through_a_name(struct sim *sim)
{
    struct relay *relay = sim_relay(sim);
    sim_name(sim, NAME, relay_address(relay));
    struct node *bob = page(sim, "/dnsaddr/" NAME);
    struct node *alice = loner(sim);

    assert_within(sim, 1000, node_is_reserved(bob, relay));
    struct node_dial *d =
        node_dial(alice, text("/dnsaddr/" NAME "/p2p/%s/p2p-circuit/webrtc/p2p/%s", relay_id(relay),
                              bob->id));
    assert_within(sim, 2000, d->is_over);
    assert_code(d->code, 0);
    assert_true(node_is_direct_to(alice, bob));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(relays_behind_one_name),      STORY(a_listen_address_with_a_name),
        STORY(a_name_with_a_peer),          STORY(names_behind_names),
        STORY(a_circle_of_names),           STORY(a_thousand_records),
        STORY(more_relays_than_are_wanted), STORY(what_is_behind_a_name_changes),
        STORY(nobody_answers_for_names),    STORY(names_of_a_page_that_was_offline),
        STORY(dials_that_fail_for_a_name),  STORY(a_name_among_addresses),
        STORY(whoever_is_behind_a_name),    STORY(a_circuit_through_a_name),
    };
    return TELL(tests);
}

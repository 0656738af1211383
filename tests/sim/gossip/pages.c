#include "sim/gossip/pages.h"

#include "sim/gossip/parts.h"
#include "sim/node.h"
#include "sim/relay.h"

#include <stdio.h>
#include <stdlib.h>

#define ROOM "room"
#define ARRIVE_MS 5000   /* in which they open, one after another */
#define MEET_MS 2000     /* bridges look so often whether they lead anywhere */
#define AFTER_MS 2000    /* the last message has so much time */
#define BYTES_PER_MS 125 /* of one Mbit/s */
#define NOWHERE UINT32_MAX

enum action_type { COME, LEAVE, MEET, SAY, SAMPLE };

/* A page from when it opens to when it is closed; who comes back is another one. */
struct visit {
    struct node *node;
    uint32_t place;
    uint64_t from, to; /* NEVER: it is open */
    uint32_t *heard_at;
};

/* Where a page is opened again and again. */
struct place {
    uint32_t relay, far_relay; /* who is there it knows as well; NOWHERE: nobody */
    uint32_t friend;           /* the visit there that it dialled */
    uint32_t visit;            /* of now, or NOWHERE */
    uint32_t uplink;           /* bytes a millisecond; 0: no limit */
};

struct said {
    uint64_t at;
    uint32_t by; /* a visit */
};

struct pages {
    const struct plan *plan;
    struct sim *sim;
    struct relay **relays;
    char (*topics)[32]; /* in which those at a relay announce themselves */
    struct place *places;
    struct visit *visits;
    uint32_t visit_count;
    struct said *said;
    uint32_t said_count;
    struct mem mem;
    struct queue todo; /* an action in `value`, a place in `id` */
    struct report *report;
};

static void *must(void *block)
{
    if (block == NULL)
        abort();
    return block;
}

static void intend(struct pages *p, uint64_t at, enum action_type type, uint32_t place)
{
    queue_add(&p->todo, (struct event){.at = at, .value = type, .id = place});
}

/* ---- the network ------------------------------------------------------------------------------- */

/* A packet pays at both ends: a page has the larger half of each number. */
static struct path path_of(const struct plan *plan, uint32_t more)
{
    return (struct path){.latency_ms = (plan->latency_ms + more) / 2,
                         .jitter_ms = (plan->jitter_ms + more) / 2,
                         .loss_percent = (plan->loss_percent + more) / 2};
}

static void open_relay(struct pages *p, uint32_t number)
{
    struct relay *r = sim_relay(p->sim);
    p->relays[number] = r;
    snprintf(p->topics[number], sizeof *p->topics, "at relay %u", number);
    relay_terms(r)->reservations = p->plan->nodes;
    relay_host(r)->path = path_of(p->plan, 0);
    relay_join(r, ROOM);
    relay_join(r, p->topics[number]);
}

/* The first bridge of each relay leads to the next one, so all are one network; the others anywhere. */
static void choose_place(struct pages *p, uint32_t number)
{
    const struct plan *plan = p->plan;
    uint32_t relay = number % plan->relays, nth = number / plan->relays;
    uint32_t steps = nth == 0 ? 1 : 1 + sim_below(p->sim, plan->relays - 1);
    bool is_bridge = nth < plan->bridges && plan->relays > 1;
    bool is_fast = sim_below(p->sim, 100) < plan->fast_percent;
    p->places[number] = (struct place){
        .relay = relay,
        .far_relay = is_bridge ? (relay + steps) % plan->relays : NOWHERE,
        .friend = NOWHERE,
        .visit = NOWHERE,
        .uplink = (is_fast ? plan->fast_uplink : plan->uplink) * BYTES_PER_MS,
    };
}

static struct visit *visit_of(const struct pages *p, uint32_t place)
{
    uint32_t visit = p->places[place].visit;
    return visit != NOWHERE ? &p->visits[visit] : NULL;
}

/* ---- what is done ------------------------------------------------------------------------------ */

static void come(struct pages *p, uint32_t number)
{
    struct place *place = &p->places[number];
    struct node_config config = {
        .path = path_of(p->plan, 1),
        .heard_at = must(calloc(p->plan->messages + 1, sizeof *config.heard_at)),
        .heard_room = p->plan->messages,
    };
    config.path.bytes_per_ms = place->uplink;
    config.relays[0] = p->relays[place->relay];
    config.discovery[0] = p->topics[place->relay];
    place->friend = NOWHERE;
    place->visit = p->visit_count++;
    p->visits[place->visit] = (struct visit){
        .place = number, .from = p->sim->now, .to = NEVER, .heard_at = config.heard_at};
    p->visits[place->visit].node = sim_node(p->sim, &config);
}

/* Somebody who is there, and has been long enough to be heard. */
static uint32_t anybody(struct pages *p)
{
    for (;;) {
        uint32_t number = sim_below(p->sim, p->plan->nodes);
        const struct visit *v = visit_of(p, number);
        if (v != NULL && v->from + (uint64_t)p->plan->warm_seconds * 1000 <= p->sim->now)
            return number;
    }
}

static void leave(struct pages *p)
{
    uint32_t number = anybody(p);
    struct visit *v = visit_of(p, number);
    v->to = p->sim->now;
    node_leave(v->node);
    p->places[number].visit = NOWHERE;
    intend(p, p->sim->now + (uint64_t)p->plan->away_s * 1000, COME, number);
}

/* Dials somebody at the other relay it knows, again when who that was is not there any more. */
static void meet(struct pages *p, uint32_t number)
{
    struct place *place = &p->places[number];
    const struct visit *v = visit_of(p, number);
    if (v == NULL || place->far_relay == NOWHERE ||
        (place->friend != NOWHERE && p->visits[place->friend].to == NEVER))
        return;
    uint32_t there = p->plan->nodes / p->plan->relays;
    uint32_t other = sim_below(p->sim, there) * p->plan->relays + place->far_relay;
    if (visit_of(p, other) == NULL)
        return;
    char address[256];
    place->friend = p->places[other].visit;
    snprintf(address, sizeof address, "%s/p2p-circuit/webrtc/p2p/%s",
             relay_address(p->relays[place->far_relay]), p->visits[place->friend].node->id);
    node_dial(v->node, address);
}

static bool say(struct pages *p)
{
    uint32_t by = p->places[anybody(p)].visit, number = p->said_count;
    p->said[p->said_count++] = (struct said){p->sim->now, by};
    int rc = node_say_number(p->visits[by].node, number, MAX(p->plan->size, 4));
    if (rc < 0)
        fprintf(stderr, "cannot publish: %s\n", err_text(rc));
    return rc >= 0;
}

/* ---- what is seen ------------------------------------------------------------------------------ */

static uint32_t mesh_of(const struct node *n)
{
    struct view list = peerlet_pubsub_peers(n->p, view_of_text(ROOM), PEERLET_PUBSUB_MESH);
    uint32_t count = list.len > 0;
    for (size_t i = 0; i < list.len; i++)
        count += list.data[i] == '\n';
    return count;
}

/* For how long these two should have been connected directly, and are not. */
static uint64_t apart_ms(const struct pages *p, const struct visit *a, const struct visit *b)
{
    return nodes_are_direct(a->node, b->node) ? 0 : p->sim->now - MAX(a->from, b->from);
}

static void sample(struct pages *p)
{
    struct sample sample = {0};
    for (uint32_t i = 0; i < p->plan->nodes; i++) {
        const struct visit *v = visit_of(p, i), *other;
        if (v == NULL)
            continue;
        sample_add(&sample, mesh_of(v->node));
        for (uint32_t k = 0; k < i; k++)
            if (p->places[i].relay == p->places[k].relay && (other = visit_of(p, k)) != NULL)
                p->report->direct_ms = MAX(p->report->direct_ms, apart_ms(p, v, other));
    }
    report_sample(p->report, &sample);
}

static bool was_there(const struct pages *p, const struct visit *v, const struct said *m)
{
    const struct place *from = &p->places[p->visits[m->by].place];
    return v->from + (uint64_t)p->plan->warm_seconds * 1000 <= m->at &&
           v->to >= m->at + REPORT_STAYED_MS &&
           (p->plan->bridges > 0 || from->relay == p->places[v->place].relay);
}

static void tally_visit(struct pages *p, uint32_t number)
{
    const struct visit *v = &p->visits[number];
    struct report *r = p->report;
    for (uint32_t m = 0; m < p->said_count; m++)
        if (p->said[m].by != number && was_there(p, v, &p->said[m]))
            report_deliver(r, p->plan, p->said[m].at, v->heard_at[m], false);
    r->bytes += v->node->host.sent;
    if (v->to != NEVER)
        return;
    r->memory += (double)node_memory(v->node) / p->plan->nodes;
    r->peak = MAX(r->peak, (double)peerlet_memory(v->node->p)->peak);
    LIST_EACH(node, &v->node->conns) {
        uint32_t flags = LIST_OWNER(node, struct node_conn, in_node)->flags;
        r->direct += (flags & PEERLET_CONN_WEBRTC) != 0 ? 1.0 / p->plan->nodes : 0;
    }
}

static void tally(struct pages *p, const struct tap *tap)
{
    struct report *r = p->report;
    for (uint32_t i = 0; i < p->visit_count; i++)
        tally_visit(p, i);
    r->copies = tap->copies;
    r->firsts = tap->firsts;
    r->control = tap->control;
    r->messages = p->said_count;
    r->ms = p->sim->now;
    r->trace = sim_hash(p->sim);
    report_sum_up(r, p->plan);
}

/* ---- the whole --------------------------------------------------------------------------------- */

static uint32_t churned(const struct plan *plan)
{
    return (uint32_t)((uint64_t)plan->nodes * plan->churn_percent * plan->seconds / 6000);
}

static void intend_all(struct pages *p)
{
    const struct plan *plan = p->plan;
    uint64_t begin = ARRIVE_MS + (uint64_t)plan->warm_seconds * 1000,
             ms = (uint64_t)plan->seconds * 1000;
    for (uint64_t i = 0; i < plan->nodes; i++)
        intend(p, i * ARRIVE_MS / plan->nodes, COME, (uint32_t)i);
    for (uint64_t s = 1; s * 1000 < begin + ms; s++)
        intend(p, s * 1000, SAMPLE, 0);
    for (uint64_t at = ARRIVE_MS + MEET_MS; at < begin + ms; at += MEET_MS)
        intend(p, at, MEET, 0);
    for (uint64_t i = 0; i < plan->messages; i++)
        intend(p, begin + i * ms / plan->messages, SAY, 0);
    for (uint32_t i = churned(plan); i > 0; i--)
        intend(p, begin + sim_below(p->sim, (uint32_t)ms), LEAVE, 0);
    intend(p, begin + ms + AFTER_MS, SAMPLE, 0);
}

static bool act(struct pages *p, struct event a)
{
    switch ((enum action_type)a.value) {
    case COME:
        come(p, a.id);
        break;
    case LEAVE:
        leave(p);
        break;
    case MEET:
        for (uint32_t i = 0; i < p->plan->nodes; i++)
            meet(p, i);
        break;
    case SAY:
        return say(p);
    case SAMPLE:
        sample(p);
        break;
    }
    return true;
}

static void pages_init(struct pages *p)
{
    const struct plan *plan = p->plan;
    p->relays = must(calloc(plan->relays, sizeof *p->relays));
    p->topics = must(calloc(plan->relays, sizeof *p->topics));
    p->places = must(calloc(plan->nodes, sizeof *p->places));
    p->visits = must(calloc(plan->nodes + churned(plan), sizeof *p->visits));
    p->said = must(calloc(plan->messages + 1, sizeof *p->said));
    queue_init(&p->todo, &p->mem);
    for (uint32_t i = 0; i < plan->relays; i++)
        open_relay(p, i);
    for (uint32_t i = 0; i < plan->nodes; i++)
        choose_place(p, i);
    intend_all(p);
}

static void pages_free(struct pages *p)
{
    queue_free(&p->todo);
    sim_free(p->sim);
    for (uint32_t i = 0; i < p->visit_count; i++)
        free(p->visits[i].heard_at);
    free(p->relays);
    free(p->topics);
    free(p->places);
    free(p->visits);
    free(p->said);
}

bool pages_run(const struct plan *plan, uint64_t seed, struct report *report)
{
    struct pages p = {.plan = plan, .sim = sim_new(seed), .report = report};
    struct tap tap = {.topic = ROOM, .others = &p.sim->mem};
    bool is_said = true;
    parts_tap(&tap);
    pages_init(&p);
    while (is_said && queue_first(&p.todo) != NULL) {
        struct event a = queue_take(&p.todo);
        sim_run(p.sim, a.at - p.sim->now);
        is_said = act(&p, a);
    }
    tally(&p, &tap);
    parts_tap(NULL);
    pages_free(&p);
    return is_said;
}

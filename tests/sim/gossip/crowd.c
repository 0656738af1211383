#include "sim/gossip/traffic.h"

#include "crypto/crypto.h"
#include "sim/sim.h"

#include <assert.h>
#include <stdlib.h>

#define UNIX_MS 1700000000000

/* ---- links ------------------------------------------------------------------------------------- */

/* One way between two of eight regions. */
static uint32_t region_latency(uint32_t a, uint32_t b)
{
    static const uint8_t MS[8][8] = {
        {2, 15, 35, 45, 75, 110, 120, 160},  {15, 2, 30, 40, 80, 105, 125, 170},
        {35, 30, 2, 12, 95, 125, 140, 190},  {45, 40, 12, 2, 100, 130, 150, 200},
        {75, 80, 95, 100, 2, 50, 70, 110},   {110, 105, 125, 130, 50, 2, 35, 90},
        {120, 125, 140, 150, 70, 35, 2, 60}, {160, 170, 190, 220, 110, 90, 60, 2},
    };
    return MS[MIN(a, b)][MAX(a, b)];
}

static void add_tie(struct node *n, uint32_t link, uint32_t other)
{
    if (n->tie_count == n->tie_room) {
        n->tie_room = n->tie_room ? n->tie_room * 2 : 32;
        n->ties = must(realloc(n->ties, n->tie_room * sizeof *n->ties));
    }
    n->ties[n->tie_count++] = (struct tie){link, other};
}

static void remove_tie(struct node *n, uint32_t link)
{
    for (uint32_t i = 0; i < n->tie_count; i++)
        if (n->ties[i].link == link)
            n->ties[i] = n->ties[--n->tie_count];
}

static void join_routers(struct crowd *c, uint32_t dialer, uint32_t listener)
{
    uint32_t ends[] = {dialer, listener};
    for (size_t i = 0; i < 2; i++) {
        struct gossipsub *g = &c->nodes[ends[i]].g;
        uint32_t handle = ends[!i] + 1;
        if (c->nodes[ends[i]].is_sybil)
            continue;
        if (gossipsub_add_peer(g, handle, &c->nodes[ends[!i]].id, GOSSIPSUB_1_2,
                               i == 0 ? DIALER : LISTENER, view_of(NULL, 0)) != 0)
            abort();
        gossipsub_hear(g, handle);
        gossipsub_greet(g, handle, GOSSIPSUB_1_2, c->now);
    }
}

static bool open_link(struct crowd *c, uint32_t dialer, uint32_t listener)
{
    struct node *a = &c->nodes[dialer], *b = &c->nodes[listener];
    uint32_t which;
    if (dialer == listener || !b->is_up || crowd_link(c, dialer, listener, &which) != NULL)
        return false;
    if (c->link_count == c->link_room) {
        c->link_room = c->link_room ? c->link_room * 2 : 1024;
        c->links = must(realloc(c->links, c->link_room * sizeof *c->links));
    }
    c->links[c->link_count] = (struct link){
        .ends = {dialer, listener},
        .latency_ms =
            c->plan.has_regions ? region_latency(a->region, b->region) : c->plan.latency_ms,
        .is_open = true,
    };
    add_tie(a, c->link_count, listener);
    add_tie(b, c->link_count, dialer);
    c->link_count++;
    join_routers(c, dialer, listener);
    return true;
}

static void close_link(struct crowd *c, uint32_t link)
{
    struct link *l = &c->links[link];
    l->is_open = false;
    for (size_t i = 0; i < 2; i++) {
        struct node *n = &c->nodes[l->ends[i]];
        remove_tie(n, link);
        if (!n->is_sybil)
            gossipsub_remove_peer(&n->g, l->ends[!i] + 1, c->now);
    }
}

static uint32_t count_dialled(const struct crowd *c, uint32_t number)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->nodes[number].tie_count; i++)
        count += c->links[c->nodes[number].ties[i].link].ends[0] == number;
    return count;
}

static bool is_cut_now(const struct crowd *c)
{
    uint64_t cut = (uint64_t)c->plan.cut_s * 1000, heal = (uint64_t)c->plan.heal_s * 1000;
    return cut > 0 && c->now >= cut && c->now < heal;
}

void crowd_dial(struct crowd *c, uint32_t number, uint32_t wanted)
{
    uint32_t have = count_dialled(c, number);
    for (uint32_t tries = 0; have < wanted && tries < 20 * wanted; tries++) {
        uint32_t other = crowd_below(c, c->plan.nodes);
        if (is_cut_now(c) && c->nodes[other].half != c->nodes[number].half)
            continue;
        if (!open_link(c, number, other))
            continue;
        have++;
        settle(c, NULL, other);
    }
    settle(c, NULL, number);
}

/* ---- nodes ------------------------------------------------------------------------------------- */

static struct view topic(void)
{
    return view_of_text(CROWD_TOPIC);
}

/* What the public evaluation of gossipsub 1.1 was made with. */
static struct gossipsub_config config_of(const struct plan *plan)
{
    struct gossipsub_config config = GOSSIPSUB_DEFAULTS;
    if (plan->sybils > 0) {
        config.d = 8;
        config.d_low = 6;
        config.d_high = 12;
        config.d_score = 6;
        config.d_lazy = 12;
    }
    return config;
}

#define OWED_DECAY 0.9f /* so ten seconds of messages are counted */

/* Who drops half of them is noticed only where more than he brings is asked for. */
static void ask_for_share(const struct plan *plan, struct score_topic_params *params)
{
    float counted = (float)plan->messages / (float)plan->seconds / (1 - OWED_DECAY);
    params->decays[SCORE_MESH] = OWED_DECAY;
    params->caps[SCORE_MESH] = counted * 2;
    params->mesh_threshold = counted * (float)plan->owes_percent / 100;
    params->mesh_activation_ms = (float)plan->owes_after_s * 1000;
}

/*
 * After the same, but for P3: who is in the mesh must bring one message a second within a tenth of one,
 * and is given five seconds to begin and half a minute to be forgotten.
 */
static void set_scoring(struct gossipsub *g, const struct plan *plan)
{
    struct score_params peer = SCORE_DEFAULTS;
    struct score_topic_params topic_params = SCORE_TOPIC_DEFAULTS;
    peer.topic_cap = 10000;
    peer.gossip_threshold = -4000;
    peer.publish_threshold = -5000;
    peer.graylist_threshold = -10000;
    peer.px_threshold = peer.opportunistic_threshold = 0;
    peer.decay_to_zero = 0.01f;
    peer.retain_ms = 30000;
    topic_params.weight = 0.25f;
    topic_params.time_weight = 0.0027f;
    topic_params.time_quantum_ms = 1000;
    topic_params.time_cap = 3600;
    topic_params.weights[SCORE_FIRST] = 0.664f;
    topic_params.decays[SCORE_FIRST] = 0.9916f;
    topic_params.caps[SCORE_FIRST] = 1500;
    topic_params.weights[SCORE_MESH] = topic_params.weights[SCORE_FAILURES] = -0.5f;
    topic_params.decays[SCORE_MESH] = 0.95f;
    topic_params.decays[SCORE_FAILURES] = 0.997f;
    topic_params.caps[SCORE_MESH] = 100;
    topic_params.mesh_threshold = 20;
    topic_params.mesh_window_ms = 100;
    topic_params.mesh_activation_ms = 5000;
    topic_params.weights[SCORE_INVALID] = -99;
    topic_params.decays[SCORE_INVALID] = 0.9994f;
    if (plan->owes_percent > 0)
        ask_for_share(plan, &topic_params);
    if (gossipsub_set_params(g, (struct view){0}, peer.numbers) != 0 ||
        gossipsub_set_params(g, topic(), topic_params.numbers) != 0)
        abort();
}

void crowd_join(struct crowd *c, uint32_t number)
{
    const struct gossipsub_config config = config_of(&c->plan);
    struct node *n = &c->nodes[number];
    /* Heartbeats that do not all come at once. */
    uint32_t age = crowd_below(c, GOSSIPSUB_DEFAULTS.heartbeat_ms);
    uint64_t born = c->now - MIN(c->now, age);
    if (gossipsub_init(&n->g, &config, &n->identity, &n->mem, &n->rng, &c->limits, born,
                       UNIX_MS + c->now) != 0 ||
        gossipsub_subscribe(&n->g, topic(), c->now) != 0)
        abort();
    if (c->plan.sybils > 0)
        set_scoring(&n->g, &c->plan);
    n->is_up = true;
    n->alarm_at = 0;
    memset(n->known, 0, c->plan.messages / 8 + 1);
    n->stays[n->stay_count].from = c->now;
    n->stays[n->stay_count++].to = NEVER;
}

void crowd_leave(struct crowd *c, uint32_t number)
{
    struct node *n = &c->nodes[number];
    while (n->tie_count > 0) {
        uint32_t other = n->ties[0].other;
        close_link(c, n->ties[0].link);
        settle(c, NULL, other);
    }
    gossipsub_free(&n->g);
    n->is_up = false;
    n->stays[n->stay_count - 1].to = c->now;
}

int crowd_publish(struct crowd *c, uint32_t number)
{
    struct node *n = &c->nodes[number];
    uint8_t data[1 << 17] = {0};
    struct writer w = writer_of(data, sizeof data);
    put_u32be(&w, c->told_count);
    c->told[c->told_count] = (struct message_told){c->now, number};
    int rc = gossipsub_publish(&n->g, topic(), view_of(data, MAX(c->plan.size, 4)),
                               GOSSIPSUB_TO_ALL, NULL, c->now);
    if (rc < 0)
        return rc;
    node_hears(n, c->told_count++, c->now);
    settle(c, NULL, number);
    return rc;
}

uint32_t crowd_mesh(const struct crowd *c, uint32_t number)
{
    const struct topic *t = topic_find(&c->nodes[number].g.mesh, topic());
    return t ? t->mesh_count : 0;
}

uint32_t crowd_below(struct crowd *c, uint32_t bound)
{
    return rng_below(&c->rng, bound);
}

uint32_t crowd_mesh_sybils(const struct crowd *c, uint32_t number)
{
    const struct topic *t = topic_find(&c->nodes[number].g.mesh, topic());
    uint32_t count = 0;
    if (t != NULL)
        LIST_EACH(node, &t->mesh)
            count += c->nodes[LIST_OWNER(node, struct member, in_mesh)->peer->handle - 1].is_sybil;
    return count;
}

void crowd_attack(struct crowd *c, uint32_t number)
{
    const struct plan *p = &c->plan;
    uint32_t among = p->target > 0 ? p->target : p->nodes;
    c->nodes[number].is_up = true;
    for (uint32_t tries = 0; tries < 4 * p->sybil_links; tries++) {
        uint32_t other = crowd_below(c, among);
        if (c->nodes[number].tie_count < MIN(among, p->sybil_links) && open_link(c, number, other))
            settle(c, NULL, other);
    }
}

/* ---- a cut ------------------------------------------------------------------------------------- */

static bool crosses(const struct crowd *c, const struct link *l)
{
    return l->is_open && c->nodes[l->ends[0]].half != c->nodes[l->ends[1]].half;
}

void crowd_cut(struct crowd *c)
{
    for (uint32_t i = 0; i < c->link_count; i++)
        c->links[i].is_cut = crosses(c, &c->links[i]);
}

void crowd_close_cut(struct crowd *c)
{
    for (uint32_t i = 0; i < c->link_count; i++)
        if (crosses(c, &c->links[i]))
            close_link(c, i);
    for (uint32_t i = 0; i < c->plan.nodes; i++)
        if (c->nodes[i].is_up)
            settle(c, NULL, i);
}

/* Those whose link was lost dial each other again. */
void crowd_heal(struct crowd *c)
{
    uint32_t count = c->link_count;
    for (uint32_t i = 0; i < count; i++) {
        struct link l = c->links[i];
        c->links[i].is_cut = false;
        if (l.is_cut && c->nodes[l.ends[0]].is_up && open_link(c, l.ends[0], l.ends[1])) {
            settle(c, NULL, l.ends[0]);
            settle(c, NULL, l.ends[1]);
        }
    }
}

/* ---- the whole --------------------------------------------------------------------------------- */

static void node_begin(struct crowd *c, uint32_t number)
{
    struct node *n = &c->nodes[number];
    n->dice = next_random(&c->dice);
    n->chance = next_random(&c->dice);
    n->rng = sim_rng(&n->dice);
    identity_generate(&n->rng, &n->identity);
    n->id = peer_id_of_identity(&n->identity);
    n->is_sybil = number >= c->plan.nodes;
    n->half = number % 2;
    n->region = crowd_below(c, 8);
    n->hash = 0xcbf29ce484222325;
    n->heard_at = must(calloc(c->plan.messages + 1, sizeof *n->heard_at));
    n->known = must(calloc(c->plan.messages / 8 + 1, 1));
    bool is_fast = crowd_below(c, 100) < c->plan.fast_percent;
    n->uplink = (is_fast ? c->plan.fast_uplink : c->plan.uplink) * 1000 / 8;
}

struct crowd *crowd_new(const struct plan *plan, uint64_t seed, uint32_t threads)
{
    struct crowd *c = must(calloc(1, sizeof *c));
    crypto_init();
    c->plan = *plan;
    c->limits = PEERLET_LIMITS;
    if (plan->rpc > 0) {
        c->limits.rpc_long = plan->rpc;
        c->limits.message = plan->rpc - 4096;
    }
    c->dice = seed;
    c->rng = sim_rng(&c->dice);
    c->node_count = plan->nodes + plan->sybils;
    c->nodes = must(calloc(c->node_count, sizeof *c->nodes));
    c->told = must(calloc(plan->messages + 1, sizeof *c->told));
    traffic_init(c, threads);
    for (uint32_t i = 0; i < c->node_count; i++)
        node_begin(c, i);
    return c;
}

void crowd_free(struct crowd *c)
{
    for (uint32_t i = 0; i < c->node_count; i++) {
        struct node *n = &c->nodes[i];
        if (n->is_up && !n->is_sybil)
            gossipsub_free(&n->g);
        assert(n->mem.used == 0);
        free(n->ties);
        free(n->heard_at);
        free(n->known);
    }
    traffic_free(c);
    free(c->nodes);
    free(c->links);
    free(c->told);
    free(c);
}

uint64_t crowd_hash(const struct crowd *c)
{
    uint64_t hash = 0;
    for (uint32_t i = 0; i < c->plan.nodes; i++)
        hash = (hash ^ c->nodes[i].hash) * 0x100000001b3;
    return hash;
}

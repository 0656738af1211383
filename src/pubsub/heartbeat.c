/* What each second does. Rules count by instants, so a throttled timer that comes late does no harm. */
#include "pubsub/gossipsub.h"

#define CHOSEN_MAX 64

static bool is_in_mesh(const struct member *m, uint64_t now)
{
    (void)now;
    return m->is_in_mesh;
}

static bool is_outside_mesh(const struct member *m, uint64_t now)
{
    (void)now;
    return m->is_subscribed && !m->is_in_mesh && !m->is_in_fanout && m->peer->is_greeted;
}

static bool can_be_dialled_graft(const struct member *m, uint64_t now)
{
    return m->peer->role == DIALER && member_can_graft(m, now);
}

static void graft_some(struct gossipsub *g, struct topic *t, size_t want,
                       bool (*fits)(const struct member *, uint64_t), uint64_t now)
{
    struct member *chosen[CHOSEN_MAX];
    size_t count = topic_sample(t, g->rng, MIN(want, ARRAY_LEN(chosen)), fits, now, chosen);
    for (size_t i = 0; i < count; i++)
        router_graft(g, chosen[i]);
}

static uint32_t count_dialled(const struct topic *t)
{
    uint32_t count = 0;
    LIST_EACH(node, &t->members) {
        const struct member *m = LIST_OWNER(node, struct member, in_topic);
        count += m->is_in_mesh && m->peer->role == DIALER;
    }
    return count;
}

/* Random ones go, but never so many of those we dialled that fewer than D_out are left. */
static void prune_surplus(struct gossipsub *g, struct topic *t, uint64_t now)
{
    struct member *chosen[CHOSEN_MAX];
    size_t surplus = t->mesh_count - g->config.d;
    size_t count = topic_sample(t, g->rng, MIN(surplus, ARRAY_LEN(chosen)), is_in_mesh, now, chosen);
    uint32_t dialled = count_dialled(t);
    for (size_t i = 0; i < count; i++) {
        if (chosen[i]->peer->role == DIALER) {
            if (dialled <= g->config.d_out)
                continue;
            dialled--;
        }
        router_prune(g, chosen[i], g->config.prune_backoff_s, now);
    }
}

static void keep_mesh(struct gossipsub *g, struct topic *t, uint64_t now)
{
    if (t->mesh_count < g->config.d_low)
        graft_some(g, t, g->config.d - t->mesh_count, member_can_graft, now);
    else if (t->mesh_count > g->config.d_high)
        prune_surplus(g, t, now);
    uint32_t dialled = count_dialled(t);
    if (t->mesh_count >= g->config.d_low && dialled < g->config.d_out)
        graft_some(g, t, g->config.d_out - dialled, can_be_dialled_graft, now);
}

static void keep_fanout(struct gossipsub *g, struct topic *t, uint64_t now)
{
    if (t->fanout_until == NEVER || !is_due(t->fanout_until, now))
        return;
    t->fanout_until = NEVER;
    LIST_EACH(node, &t->members)
        LIST_OWNER(node, struct member, in_topic)->is_in_fanout = false;
    (void)g;
}

/* The names of what a topic saw in the last windows, as fields of an IHAVE. */
static void gather_ids(struct gossipsub *g, const struct topic *t, uint64_t now)
{
    uint64_t span = (uint64_t)g->config.mcache_gossip * g->config.heartbeat_ms;
    buf_truncate(&g->scratch, 0);
    for (struct list *node = g->mcache.order.prev; node != &g->mcache.order; node = node->prev) {
        const struct message *m = LIST_OWNER(node, struct message, in_order);
        if (now - m->at > span || g->scratch.len > g->limits->rpc_control / 2)
            break;
        if (view_equal(m->fields.topic, topic_name(t)) &&
            rpc_append(&g->scratch, 2, message_id_view(&m->id)) != 0)
            break;
    }
}

static void gossip_about(struct gossipsub *g, struct topic *t, uint64_t now)
{
    gather_ids(g, t, now);
    if (g->scratch.len == 0)
        return;
    uint32_t outside = t->member_count - t->mesh_count;
    size_t want = MAX(g->config.d_lazy, outside * g->config.gossip_percent / 100);
    struct member *chosen[CHOSEN_MAX];
    size_t count = topic_sample(t, g->rng, MIN(want, ARRAY_LEN(chosen)), is_outside_mesh, now,
                                chosen);
    for (size_t i = 0; i < count; i++) {
        struct router_peer *p = chosen[i]->peer;
        if (rpc_append_ids(&p->gossip, CONTROL_IHAVE, topic_name(t), buf_view(&g->scratch)) == 0)
            router_owe(g, p);
    }
}

static void forget_old_members(struct gossipsub *g, struct router_peer *p, uint64_t now)
{
    p->ihaves = p->iwant_ids = 0;
    LIST_EACH(node, &p->members)
        member_prune(&g->mesh, LIST_OWNER(node, struct member, in_peer), now);
}

void router_heartbeat(struct gossipsub *g, uint64_t now)
{
    uint32_t at = 0;
    struct router_peer *p;
    while ((p = table_next(&g->peers, &at)) != NULL)
        forget_old_members(g, p, now);
    LIST_EACH(node, &g->mesh.topics) {
        struct topic *t = LIST_OWNER(node, struct topic, in_mesh);
        if (t->is_ours)
            keep_mesh(g, t, now);
        keep_fanout(g, t, now);
        gossip_about(g, t, now);
        mesh_prune_topic(&g->mesh, t);
    }
    uint64_t kept = (uint64_t)g->config.mcache_length * g->config.heartbeat_ms;
    mcache_expire(&g->mcache, now > kept ? now - kept : 0);
}

/* What each second does. A heartbeat that comes late makes up for those that were missed. */
#include "pubsub/router.h"

/* Of those that are not kept, the one with the highest score; a random one where several have it. */
static struct member *best_of(const struct gossipsub *g, const struct topic *t, uint64_t now)
{
    struct member *best = NULL;
    uint32_t equals = 0;
    LIST_EACH(node, &t->mesh) {
        struct member *m = LIST_OWNER(node, struct member, in_mesh);
        if (!member_is(m, IN_MESH, now) || (best && m->peer->score < best->peer->score))
            continue;
        equals = best && m->peer->score == best->peer->score ? equals + 1 : 1;
        if (equals == 1 || rng_below(g->rng, equals) == 0)
            best = m;
    }
    return best;
}

/* So many at random stay in, while others are chosen to go. */
static void keep(struct gossipsub *g, struct topic *t, enum standing standing, uint32_t count,
                 uint64_t now)
{
    struct choice c = topic_choose(t, standing, count, g->rng, now);
    for (struct member *m; (m = choice_next(&c)) != NULL;)
        m->is_kept = true;
}

static void prune_surplus(struct gossipsub *g, struct topic *t, uint64_t now)
{
    uint32_t dialled = 0;
    struct member *best;
    for (uint32_t i = 0; i < g->config.d_score && (best = best_of(g, t, now)) != NULL; i++) {
        best->is_kept = true;
        dialled += best->peer->role == DIALER;
    }
    if (dialled < g->config.d_out)
        keep(g, t, IN_MESH_DIALLED, g->config.d_out - dialled, now);
    struct choice c = topic_choose(t, IN_MESH, t->mesh_count - g->config.d, g->rng, now);
    for (struct member *m; (m = choice_next(&c)) != NULL;)
        router_prune(g, m, g->config.prune_backoff_s, now);
    LIST_EACH(node, &t->mesh)
        LIST_OWNER(node, struct member, in_mesh)->is_kept = false;
}

static void drop_negative(struct gossipsub *g, struct topic *t, uint64_t now)
{
    LIST_EACH(node, &t->mesh) {
        struct member *m = LIST_OWNER(node, struct member, in_mesh);
        if (m->peer->score < 0)
            router_prune(g, m, g->config.prune_backoff_s, now);
    }
}

/* A mesh that bad peers have taken over, none of them bad enough, would never be rid of them. */
static void look_for_better(struct gossipsub *g, struct topic *t, uint64_t now)
{
    if (topic_is_mostly_below(t, g->scoring.opportunistic_threshold))
        router_graft_some(g, t, GRAFTABLE_BETTER, g->config.opportunistic_peers, 0, now);
}

static void keep_mesh(struct gossipsub *g, struct topic *t, uint64_t now)
{
    const struct gossipsub_config *c = &g->config;
    drop_negative(g, t, now);
    if (t->mesh_count < c->d_low)
        router_graft_some(g, t, GRAFTABLE, c->d, t->mesh_count, now);
    else if (t->mesh_count > MAX(c->d, c->d_high))
        prune_surplus(g, t, now);
    if (t->mesh_count >= c->d_low)
        router_graft_some(g, t, GRAFTABLE_DIALLED, c->d_out, topic_count(t, IN_MESH_DIALLED, now),
                          now);
    if (c->opportunistic_ms > 0 && is_due(g->opportunistic_at, now))
        look_for_better(g, t, now);
}

/* Leavers have gone from it already; it is filled up when we publish. */
static void keep_fanout(struct topic *t, uint64_t now)
{
    if (t->fanout_until != 0 && is_due(t->fanout_until, now))
        topic_end_fanout(t);
}

static bool has_news(const struct gossipsub *g, const struct topic *t)
{
    return !list_is_empty(&t->recent) &&
           LIST_OWNER(t->recent.prev, struct message, in_topic)->at >= g->gossip_since;
}

void router_tell_of_news(struct gossipsub *g, struct member *m)
{
    if (m->peer->version == FLOODSUB || !has_news(g, m->topic) ||
        m->peer->queue_bytes > g->limits->gossip_out / 2)
        return;
    member_owe(m, OWES_IHAVE);
    router_owe(g, m->peer);
}

/* To some of those outside. */
static void tell_of_news(struct gossipsub *g, struct topic *t, uint64_t now)
{
    if (!has_news(g, t) || (!t->is_ours && t->fanout_until == 0))
        return;
    uint32_t share = topic_count(t, GOSSIPABLE, now) * g->config.gossip_percent / 100;
    struct choice c = topic_choose(t, GOSSIPABLE, MAX(g->config.d_lazy, share), g->rng, now);
    for (struct member *m; (m = choice_next(&c)) != NULL;)
        router_tell_of_news(g, m);
}

static void sweep(struct gossipsub *g, struct topic *t, uint64_t now)
{
    LIST_EACH(node, &t->members)
        member_release(&g->mesh, LIST_OWNER(node, struct member, in_topic), now);
    topic_release(&g->mesh, t);
}

/* The last change that everybody who can be written to has been told of. */
static uint32_t told_to_all(const struct gossipsub *g)
{
    uint32_t told = g->mesh.last_change, at = 0;
    const struct neighbour *n;
    while ((n = table_next(&g->peers, &at)) != NULL)
        if (n->is_writable)
            told = MIN(told, n->told);
    return told;
}

/* The beginning of the last `beats` heartbeats, and of the last one however long it took. */
static uint64_t beats_ago(const struct gossipsub *g, uint32_t beats, uint64_t now)
{
    uint64_t ms = (uint64_t)beats * g->config.heartbeat_ms;
    return MIN(now > ms ? now - ms : 0, g->beaten_at);
}

static void forget_parted(struct gossipsub *g, uint64_t now)
{
    LIST_EACH(node, &g->parted) {
        struct neighbour *n = LIST_OWNER(node, struct neighbour, in_parted);
        if (n->remembered_until != 0 ? is_due(n->remembered_until, now) : list_is_empty(&n->members))
            router_forget(g, n);
    }
}

/* Whoever grafts us and takes no stream of ours would only fill the mesh. */
static void drop_mute(struct gossipsub *g, uint64_t now)
{
    uint32_t at = 0;
    struct neighbour *n;
    while ((n = table_next(&g->peers, &at)) != NULL) {
        if (n->was_mute)
            LIST_EACH(node, &n->members)
                member_set_mesh(LIST_OWNER(node, struct member, in_peer), false, now);
        n->was_mute = !n->is_writable;
    }
}

/* Whoever is to judge them has forgotten them. */
static void give_up_checks(struct gossipsub *g, uint64_t now)
{
    uint32_t at = 0;
    const struct message *m;
    while ((m = table_next(&g->checks, &at)) != NULL)
        if (is_due(after(m->at, g->limits->verdict_ms), now))
            gossipsub_judge(g, m->job, GOSSIPSUB_IGNORE, now);
}

void router_heartbeat(struct gossipsub *g, uint64_t now)
{
    g->gossip_since = beats_ago(g, g->config.mcache_gossip, now);
    drop_mute(g, now);
    give_up_checks(g, now);
    router_score_all(g, now);
    LIST_EACH(node, &g->mesh.topics) {
        struct topic *t = LIST_OWNER(node, struct topic, in_topics);
        if (t->is_ours)
            keep_mesh(g, t, now);
        keep_fanout(t, now);
        tell_of_news(g, t, now);
    }
    if (is_due(g->opportunistic_at, now))
        g->opportunistic_at = after(now, g->config.opportunistic_ms);
    mcache_expire(&g->mcache, beats_ago(g, g->config.mcache_length, now));
    mesh_forget_changes(&g->mesh, told_to_all(g));
    LIST_EACH(node, &g->mesh.topics)
        sweep(g, LIST_OWNER(node, struct topic, in_topics), now);
    forget_parted(g, now);
    for (size_t i = 0; i < ARRAY_LEN(g->sets); i++)
        seen_expire(&g->sets[i], now);
}

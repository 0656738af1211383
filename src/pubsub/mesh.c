#include "pubsub/mesh.h"

#include <assert.h>

void mesh_init(struct mesh *m, struct mem *mem, const struct siphash_key *hash_key)
{
    *m = (struct mesh){.mem = mem, .hash_key = hash_key};
    list_init(&m->topics);
    list_init(&m->changes);
    index_init(&m->by_name, mem);
    index_init(&m->by_pair, mem);
}

static void topic_free(struct mesh *m, struct topic *t)
{
    list_remove(&t->in_topics);
    list_remove(&t->in_changes);
    index_remove(&m->by_name, &t->by_name);
    mem_free(m->mem, t->params);
    mem_free(m->mem, t);
}

void mesh_free(struct mesh *m)
{
    if (m->mem == NULL)
        return;
    LIST_EACH(node, &m->topics)
        topic_free(m, LIST_OWNER(node, struct topic, in_topics));
}

/* ---- topics ------------------------------------------------------------------------------------ */

struct topic *topic_find(const struct mesh *m, struct view name)
{
    struct index_node *node = index_find(&m->by_name, siphash(m->hash_key, name));
    return node ? INDEX_OWNER(node, struct topic, by_name) : NULL;
}

struct topic *topic_add(struct mesh *m, struct view name)
{
    struct topic *t = topic_find(m, name);
    if (t != NULL)
        return t;
    t = mem_alloc(m->mem, sizeof *t + name.len);
    if (t == NULL || index_add(&m->by_name, &t->by_name, siphash(m->hash_key, name)) != 0) {
        mem_free(m->mem, t);
        return NULL;
    }
    t->number = ++m->last_topic;
    t->len = name.len;
    memcpy(t->name, name.data, name.len);
    list_init(&t->members);
    list_init(&t->mesh);
    list_init(&t->recent);
    list_add(&m->topics, &t->in_topics);
    return t;
}

void topic_release(struct mesh *m, struct topic *t)
{
    if (!list_is_linked(&t->in_changes) && t->fanout_until == 0 && list_is_empty(&t->members) &&
        list_is_empty(&t->recent) && t->params == NULL && !t->is_allowed)
        topic_free(m, t);
}

void topic_set_ours(struct mesh *m, struct topic *t, bool is_ours)
{
    m->change_count += !list_is_linked(&t->in_changes);
    list_remove(&t->in_changes);
    list_add(&m->changes, &t->in_changes);
    t->change = ++m->last_change;
    t->is_ours = is_ours;
}

void topic_end_fanout(struct topic *t)
{
    t->fanout_until = 0;
    LIST_EACH(node, &t->members)
        LIST_OWNER(node, struct member, in_topic)->is_in_fanout = false;
}

void mesh_forget_changes(struct mesh *m, uint32_t change)
{
    LIST_EACH(node, &m->changes) {
        struct topic *t = LIST_OWNER(node, struct topic, in_changes);
        if (t->is_ours || t->change > change)
            continue;
        list_remove(node);
        m->change_count--;
    }
}

/* ---- members ----------------------------------------------------------------------------------- */

static uint64_t pair_of(const struct topic *t, const struct neighbour *n)
{
    return (uint64_t)t->number << 32 | n->handle;
}

struct member *member_find(const struct mesh *m, const struct topic *t, const struct neighbour *n)
{
    struct index_node *node = index_find(&m->by_pair, pair_of(t, n));
    return node ? INDEX_OWNER(node, struct member, by_pair) : NULL;
}

struct member *member_add(struct mesh *m, struct topic *t, struct neighbour *n)
{
    struct member *member = member_find(m, t, n);
    if (member != NULL)
        return member;
    member = mem_alloc(m->mem, sizeof *member);
    if (member == NULL || index_add(&m->by_pair, &member->by_pair, pair_of(t, n)) != 0) {
        mem_free(m->mem, member);
        return NULL;
    }
    member->topic = t;
    member->peer = n;
    list_add(&t->members, &member->in_topic);
    list_add(&n->members, &member->in_peer);
    return member;
}

void member_free(struct mesh *m, struct member *member)
{
    member_set_subscribed(member, false);
    member_set_mesh(member, false, 0);
    list_remove(&member->in_owing);
    list_remove(&member->in_news);
    list_remove(&member->in_topic);
    list_remove(&member->in_peer);
    index_remove(&m->by_pair, &member->by_pair);
    mem_free(m->mem, member);
}

void member_release(struct mesh *m, struct member *member, uint64_t now)
{
    if (!member->is_subscribed && !member_is_in_mesh(member) && !member->is_in_fanout &&
        member->owed == 0 && is_due(member->graft_from, now) &&
        member->conduct.counters[SCORE_FAILURES] == 0 &&
        member->conduct.counters[SCORE_INVALID] == 0)
        member_free(m, member);
}

void member_set_subscribed(struct member *member, bool is_subscribed)
{
    if (member->is_subscribed == is_subscribed)
        return;
    member->is_subscribed = is_subscribed;
    if (is_subscribed)
        member->peer->subscription_count++;
    else
        member->peer->subscription_count--;
}

void member_set_mesh(struct member *member, bool is_in_mesh, uint64_t now)
{
    struct topic *t = member->topic;
    if (member_is_in_mesh(member) == is_in_mesh)
        return;
    if (is_in_mesh) {
        list_add(&t->mesh, &member->in_mesh);
        t->mesh_count++;
        member->conduct.mesh_since = now;
    } else {
        list_remove(&member->in_mesh);
        t->mesh_count--;
        score_leave_mesh(&member->conduct, topic_params(t), now);
    }
}

void member_back_off(struct member *member, uint64_t ms, uint64_t slack_ms, uint64_t now)
{
    member->backoff_until = MAX(member->backoff_until, after(now, ms));
    member->graft_from = after(member->backoff_until, slack_ms);
}

void member_owe(struct member *member, enum member_owed what)
{
    if (what == OWES_GRAFT || what == OWES_PRUNE)
        member->owed &= (uint8_t) ~(OWES_GRAFT | OWES_PRUNE);
    member->owed |= (uint8_t)what;
    if (!list_is_linked(&member->in_owing))
        list_add(&member->peer->owing, &member->in_owing);
}

void member_settle(struct member *member, enum member_owed what)
{
    member->owed &= (uint8_t)~what;
    if (member->owed == 0)
        list_remove(&member->in_owing);
}

/* ---- choosing ---------------------------------------------------------------------------------- */

static bool is_inside(const struct member *member)
{
    return member_is_in_mesh(member) || member->is_in_fanout || neighbour_is_flooded(member->peer);
}

static bool is_reachable(const struct member *member)
{
    return member->is_subscribed && member->peer->is_writable;
}

static bool is_graftable(const struct member *member, uint64_t now)
{
    return is_reachable(member) && !member_is_in_mesh(member) &&
           !neighbour_is_flooded(member->peer) && member->peer->score >= 0 &&
           is_due(member->graft_from, now);
}

/* Where our stream to it is not open yet, or lost for a moment, what we say waits. */
static bool is_publishable(const struct member *member)
{
    const struct neighbour *n = member->peer;
    return member->is_subscribed && (n->is_explicit || n->score >= n->params->publish_threshold);
}

bool topic_is_mostly_below(const struct topic *t, float score)
{
    uint32_t count = 0;
    LIST_EACH(node, &t->mesh)
        count += LIST_OWNER(node, struct member, in_mesh)->peer->score < score;
    return count > t->mesh_count / 2;
}

bool member_is(const struct member *member, enum standing standing, uint64_t now)
{
    const struct neighbour *n = member->peer;
    switch (standing) {
    case IN_MESH:
        return member_is_in_mesh(member) && !member->is_kept;
    case IN_MESH_DIALLED:
        return member_is_in_mesh(member) && !member->is_kept && n->role == DIALER;
    case GRAFTABLE:
        return is_graftable(member, now);
    case GRAFTABLE_DIALLED:
        return is_graftable(member, now) && n->role == DIALER;
    case GRAFTABLE_BETTER:
        return is_graftable(member, now) && topic_is_mostly_below(member->topic, n->score);
    case PUBLISHABLE:
        return is_publishable(member);
    case PUBLISHABLE_INSIDE:
        return is_publishable(member) && is_inside(member);
    case PUBLISHABLE_OUTSIDE:
        return is_publishable(member) && !is_inside(member);
    case EXCHANGEABLE:
        return member->is_subscribed && n->score >= 0 && n->record.len > 0 &&
               n->version != FLOODSUB;
    case FLOODED:
        return is_publishable(member) && neighbour_is_flooded(n);
    case GOSSIPABLE:
        return is_reachable(member) && !is_inside(member) && neighbour_is_gossipable(n);
    }
    return false;
}

uint32_t topic_count(const struct topic *t, enum standing standing, uint64_t now)
{
    uint32_t count = 0;
    LIST_EACH(node, &t->members)
        count += member_is(LIST_OWNER(node, struct member, in_topic), standing, now);
    return count;
}

struct choice topic_choose(const struct topic *t, enum standing standing, uint32_t wanted,
                           const struct rng *rng, uint64_t now)
{
    return (struct choice){
        .topic = t,
        .rng = rng,
        .next = t->members.next,
        .standing = standing,
        .fit = topic_count(t, standing, now),
        .wanted = wanted,
        .now = now,
    };
}

/* Each is taken with the chance wanted : fit of those left; so all sets are equally likely. */
struct member *choice_next(struct choice *c)
{
    while (c->wanted > 0 && c->next != &c->topic->members) {
        struct member *member = LIST_OWNER(c->next, struct member, in_topic);
        c->next = c->next->next;
        if (!member_is(member, c->standing, c->now))
            continue;
        assert(c->fit > 0);
        if (rng_below(c->rng, c->fit--) >= c->wanted)
            continue;
        c->wanted--;
        return member;
    }
    return NULL;
}

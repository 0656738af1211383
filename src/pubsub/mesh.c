#include "pubsub/mesh.h"

void mesh_init(struct mesh *m, struct mem *mem)
{
    *m = (struct mesh){.mem = mem};
    list_init(&m->topics);
}

static void topic_free(struct mesh *m, struct topic *t)
{
    list_remove(&t->in_mesh);
    m->count--;
    mem_free(m->mem, t);
}

void mesh_free(struct mesh *m)
{
    if (m->mem == NULL)
        return;
    LIST_EACH(node, &m->topics) {
        struct topic *t = LIST_OWNER(node, struct topic, in_mesh);
        LIST_EACH(at, &t->members)
            mem_free(m->mem, LIST_OWNER(at, struct member, in_topic));
        topic_free(m, t);
    }
}

struct topic *mesh_find(const struct mesh *m, struct view name)
{
    for (struct list *node = m->topics.next; node != &m->topics; node = node->next) {
        struct topic *t = LIST_OWNER(node, struct topic, in_mesh);
        if (view_equal(topic_name(t), name))
            return t;
    }
    return NULL;
}

struct topic *mesh_topic(struct mesh *m, struct view name)
{
    struct topic *t = mesh_find(m, name);
    if (t != NULL)
        return t;
    t = mem_alloc(m->mem, sizeof *t + name.len);
    if (t == NULL)
        return NULL;
    t->number = ++m->last_number;
    t->fanout_until = NEVER;
    t->len = name.len;
    memcpy(t->name, name.data, name.len);
    list_init(&t->members);
    list_add(&m->topics, &t->in_mesh);
    m->count++;
    return t;
}

void mesh_prune_topic(struct mesh *m, struct topic *t)
{
    if (!t->is_ours && t->fanout_until == NEVER && list_is_empty(&t->members))
        topic_free(m, t);
}

struct member *member_find(const struct topic *t, const struct router_peer *peer)
{
    for (struct list *node = t->members.next; node != &t->members; node = node->next) {
        struct member *member = LIST_OWNER(node, struct member, in_topic);
        if (member->peer == peer)
            return member;
    }
    return NULL;
}

struct member *member_add(struct mesh *m, struct topic *t, struct router_peer *peer,
                          struct list *of_peer)
{
    struct member *member = member_find(t, peer);
    if (member != NULL)
        return member;
    member = mem_alloc(m->mem, sizeof *member);
    if (member == NULL)
        return NULL;
    member->topic = t;
    member->peer = peer;
    list_add(&t->members, &member->in_topic);
    list_add(of_peer, &member->in_peer);
    t->member_count++;
    return member;
}

void member_set_mesh(struct member *member, bool in_mesh)
{
    if (member->is_in_mesh == in_mesh)
        return;
    member->is_in_mesh = in_mesh;
    if (in_mesh)
        member->topic->mesh_count++;
    else
        member->topic->mesh_count--;
}

void member_free(struct mesh *m, struct member *member)
{
    struct topic *t = member->topic;
    member_set_mesh(member, false);
    list_remove(&member->in_topic);
    list_remove(&member->in_peer);
    t->member_count--;
    mem_free(m->mem, member);
    mesh_prune_topic(m, t);
}

void member_prune(struct mesh *m, struct member *member, uint64_t now)
{
    if (is_due(member->backoff_until, now))
        member->backoff_until = 0;
    if (!member->is_subscribed && !member->is_in_mesh && !member->is_in_fanout &&
        member->backoff_until == 0)
        member_free(m, member);
}

/* Reservoir sampling: each that fits has the same chance, in one pass. */
size_t topic_sample(const struct topic *t, const struct rng *rng, size_t want,
                    bool (*fits)(const struct member *, uint64_t now), uint64_t now,
                    struct member **at)
{
    size_t count = 0;
    uint32_t met = 0;
    for (struct list *node = t->members.next; node != &t->members; node = node->next) {
        struct member *member = LIST_OWNER(node, struct member, in_topic);
        if (!fits(member, now))
            continue;
        met++;
        if (count < want)
            at[count++] = member;
        else {
            uint32_t place = rng_below(rng, met);
            if (place < want)
                at[place] = member;
        }
    }
    return count;
}

/* Questions to the router: who and what there is. */
#include "pubsub/router.h"

bool gossipsub_next_topic(const struct gossipsub *g, uint32_t *at, struct view *topic)
{
    LIST_EACH(node, &g->mesh.changes) {
        const struct topic *t = LIST_OWNER(node, struct topic, in_changes);
        if (!t->is_ours || t->change <= *at)
            continue;
        *at = t->change;
        *topic = topic_name(t);
        return true;
    }
    return false;
}

static uint32_t next_of_all(const struct gossipsub *g, uint32_t *at)
{
    const struct neighbour *n;
    do
        n = table_next(&g->peers, at);
    while (n != NULL && neighbour_is_parted(n));
    return n ? n->handle : 0;
}

uint32_t gossipsub_next_peer(const struct gossipsub *g, enum gossipsub_set set, struct view topic,
                             uint32_t *at)
{
    if (set == GOSSIPSUB_ALL)
        return next_of_all(g, at);
    const struct topic *t = topic_find(&g->mesh, topic);
    uint32_t place = 0;
    if (t == NULL)
        return 0;
    LIST_EACH(node, &t->members) {
        const struct member *m = LIST_OWNER(node, struct member, in_topic);
        bool is_in = set == GOSSIPSUB_MESH ? member_is_in_mesh(m) : m->is_subscribed;
        if (place++ < *at || !is_in)
            continue;
        *at = place;
        return m->peer->handle;
    }
    return 0;
}

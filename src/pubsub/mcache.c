#include "pubsub/mcache.h"

void mcache_init(struct mcache *c, struct messages *all, size_t limit)
{
    *c = (struct mcache){.all = all, .limit = limit};
    list_init(&c->order);
    index_init(&c->by_id, all->mem);
    index_init(&c->by_origin, all->mem);
}

void mcache_free(struct mcache *c)
{
    if (c->all == NULL)
        return;
    while (mcache_forget_oldest(c))
        continue;
}

static bool has_two_names(const struct message *m)
{
    return m->hashes.id != m->hashes.origin;
}

static bool enter_names(struct mcache *c, struct message *m)
{
    if (index_add(&c->by_id, &m->by_id, m->hashes.id) != 0)
        return false;
    if (!has_two_names(m) || index_add(&c->by_origin, &m->by_origin, m->hashes.origin) == 0)
        return true;
    index_remove(&c->by_id, &m->by_id);
    return false;
}

void mcache_add(struct mcache *c, struct message *m, struct list *of_topic)
{
    if (!enter_names(c, m))
        return;
    list_add(&c->order, &message_hold(m)->in_order);
    list_add(of_topic, &m->in_topic);
    c->bytes += m->size;
    while (c->bytes > c->limit)
        mcache_forget_oldest(c);
}

struct message *mcache_find(const struct mcache *c, uint64_t hash)
{
    struct index_node *node = index_find(&c->by_id, hash);
    if (node != NULL)
        return INDEX_OWNER(node, struct message, by_id);
    node = index_find(&c->by_origin, hash);
    return node ? INDEX_OWNER(node, struct message, by_origin) : NULL;
}

static struct message *oldest(const struct mcache *c)
{
    return LIST_OWNER(c->order.next, struct message, in_order);
}

void mcache_expire(struct mcache *c, uint64_t instant)
{
    while (!list_is_empty(&c->order) && oldest(c)->at < instant)
        mcache_forget_oldest(c);
}

bool mcache_forget_oldest(struct mcache *c)
{
    if (list_is_empty(&c->order))
        return false;
    struct message *m = oldest(c);
    list_remove(&m->in_order);
    list_remove(&m->in_topic);
    index_remove(&c->by_id, &m->by_id);
    if (has_two_names(m))
        index_remove(&c->by_origin, &m->by_origin);
    c->bytes -= m->size;
    message_drop(c->all, m);
    return true;
}

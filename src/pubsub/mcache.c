#include "pubsub/mcache.h"

void mcache_init(struct mcache *c, struct mem *mem, size_t limit)
{
    *c = (struct mcache){.mem = mem, .limit = limit};
    list_init(&c->order);
    for (size_t i = 0; i < MCACHE_BUCKETS; i++)
        list_init(&c->buckets[i]);
}

static void forget_oldest(struct mcache *c)
{
    struct message *m = LIST_OWNER(c->order.next, struct message, in_order);
    list_remove(&m->in_order);
    list_remove(&m->in_bucket);
    c->bytes -= m->len + sizeof *m;
    message_drop(c->mem, m);
}

void mcache_free(struct mcache *c)
{
    if (c->mem == NULL)
        return;
    while (!list_is_empty(&c->order))
        forget_oldest(c);
}

/* Names end in a sequence number or are a hash: the last bytes spread well enough. */
static size_t bucket_of(struct view id)
{
    uint32_t hash = 2166136261u;
    for (size_t i = id.len > 8 ? id.len - 8 : 0; i < id.len; i++)
        hash = (hash ^ id.data[i]) * 16777619u;
    return hash % MCACHE_BUCKETS;
}

void mcache_add(struct mcache *c, struct message *m)
{
    m->refs++;
    c->bytes += m->len + sizeof *m;
    list_add(&c->order, &m->in_order);
    list_add(&c->buckets[bucket_of(message_id_view(&m->id))], &m->in_bucket);
    while (c->bytes > c->limit)
        forget_oldest(c);
}

struct message *mcache_find(const struct mcache *c, struct view id)
{
    struct view wanted = message_name_normal(id);
    const struct list *bucket = &c->buckets[bucket_of(id)];
    for (struct list *node = bucket->next; node != bucket; node = node->next) {
        struct message *m = LIST_OWNER(node, struct message, in_bucket);
        if (view_equal(message_name_normal(message_id_view(&m->id)), wanted))
            return m;
    }
    return NULL;
}

void mcache_expire(struct mcache *c, uint64_t instant)
{
    while (!list_is_empty(&c->order) &&
           LIST_OWNER(c->order.next, struct message, in_order)->at < instant)
        forget_oldest(c);
}

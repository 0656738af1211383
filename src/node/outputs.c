#include "node/outputs.h"

struct queued {
    struct list in_queue;
    struct peerlet_output out;
    uint8_t bytes[];
};

void outputs_init(struct outputs *o, struct mem *mem, uint32_t limit)
{
    *o = (struct outputs){.mem = mem, .limit = limit};
    list_init(&o->queue);
    list_init(&o->taken);
}

static void drop_all(struct outputs *o, struct list *l)
{
    LIST_EACH(node, l) {
        list_remove(node);
        mem_free(o->mem, LIST_OWNER(node, struct queued, in_queue));
    }
}

void outputs_free(struct outputs *o)
{
    if (o->mem == NULL)
        return;
    drop_all(o, &o->queue);
    drop_all(o, &o->taken);
    o->count = 0;
}

static void keep(struct view *v, uint8_t **at)
{
    if (v->len > 0)
        memcpy(*at, v->data, v->len);
    v->data = *at;
    *at += v->len;
}

void outputs_put(struct outputs *o, const struct peerlet_output *out)
{
    size_t total = out->peer.len + out->text.len + out->data.len + out->extra.len +
                   out->more.len + out->key.len;
    struct queued *q = NULL;
    if (o->count < o->limit)
        q = mem_alloc(o->mem, sizeof *q + total);
    if (q == NULL) {
        o->lost++;
        return;
    }
    uint8_t *at = q->bytes;
    q->out = *out;
    keep(&q->out.peer, &at);
    keep(&q->out.text, &at);
    keep(&q->out.data, &at);
    keep(&q->out.extra, &at);
    keep(&q->out.more, &at);
    keep(&q->out.key, &at);
    list_add(&o->queue, &q->in_queue);
    o->count++;
}

bool outputs_take(struct outputs *o, struct peerlet_output *out)
{
    drop_all(o, &o->taken);
    if (list_is_empty(&o->queue))
        return false;
    struct queued *q = LIST_OWNER(o->queue.next, struct queued, in_queue);
    list_remove(&q->in_queue);
    list_add(&o->taken, &q->in_queue);
    o->count--;
    *out = q->out;
    return true;
}

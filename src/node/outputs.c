#include "node/outputs.h"

/* Some thirty outputs: all that follows from the end of a busy connection. */
#define RESERVE 16384

struct queued {
    struct list in_queue;
    bool is_in_reserve;
    struct peerlet_output out;
    uint8_t bytes[];
};

int outputs_init(struct outputs *o, struct mem *mem, uint32_t limit)
{
    *o = (struct outputs){.mem = mem, .limit = limit};
    list_init(&o->queue);
    list_init(&o->taken);
    o->reserve = mem_alloc(mem, RESERVE);
    return o->reserve == NULL ? ERR_NOMEM : 0;
}

static struct queued *make(struct outputs *o, size_t len)
{
    struct queued *q = mem_alloc(o->mem, len);
    size_t aligned = (len + _Alignof(max_align_t) - 1) / _Alignof(max_align_t);
    aligned *= _Alignof(max_align_t);
    if (q != NULL || aligned > RESERVE - o->reserve_used)
        return q;
    q = (struct queued *)(void *)(o->reserve + o->reserve_used);
    q->is_in_reserve = true;
    o->reserve_used += aligned;
    o->in_reserve++;
    return q;
}

static void drop(struct outputs *o, struct queued *q)
{
    if (!q->is_in_reserve)
        mem_free(o->mem, q);
    else if (--o->in_reserve == 0)
        o->reserve_used = 0;
}

static void drop_all(struct outputs *o, struct list *l)
{
    LIST_EACH(node, l) {
        list_remove(node);
        drop(o, LIST_OWNER(node, struct queued, in_queue));
    }
}

void outputs_free(struct outputs *o)
{
    if (o->mem == NULL)
        return;
    drop_all(o, &o->queue);
    drop_all(o, &o->taken);
    mem_free(o->mem, o->reserve);
    o->reserve = NULL;
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
    size_t total = out->peer.len + out->text.len + out->data.len + out->extra.len + out->more.len +
                   out->key.len;
    struct queued *q = NULL;
    if (o->count < o->limit)
        q = make(o, sizeof *q + total);
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

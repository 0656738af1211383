#include "sim/queue.h"

#include <assert.h>

void queue_init(struct queue *q, struct mem *mem)
{
    *q = (struct queue){.mem = mem};
}

void queue_free(struct queue *q)
{
    for (size_t i = 0; i < q->count; i++)
        mem_free(q->mem, q->events[i].bytes.data);
    mem_free(q->mem, q->events);
    *q = (struct queue){0};
}

static bool is_sooner(const struct event *a, const struct event *b)
{
    return a->at != b->at ? a->at < b->at : a->sequence < b->sequence;
}

void queue_add(struct queue *q, struct event e)
{
    if (q->count == q->room) {
        q->room = q->room > 0 ? 2 * q->room : 256;
        q->events = mem_resize(q->mem, q->events, q->room * sizeof *q->events);
        assert(q->events != NULL);
    }
    e.sequence = ++q->last_sequence;
    size_t i = q->count++;
    for (; i > 0 && is_sooner(&e, &q->events[(i - 1) / 2]); i = (i - 1) / 2)
        q->events[i] = q->events[(i - 1) / 2];
    q->events[i] = e;
}

const struct event *queue_first(const struct queue *q)
{
    return q->count > 0 ? &q->events[0] : NULL;
}

struct event queue_take(struct queue *q)
{
    assert(q->count > 0);
    struct event first = q->events[0];
    struct event last = q->events[--q->count];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < q->count; i = child) {
        if (child + 1 < q->count && is_sooner(&q->events[child + 1], &q->events[child]))
            child++;
        if (!is_sooner(&q->events[child], &last))
            break;
        q->events[i] = q->events[child];
    }
    q->events[i] = last;
    return first;
}

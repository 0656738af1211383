#include "pubsub/neighbour.h"

#include <assert.h>

#define SMALLEST_QUEUE 16

/* Of an IWANT or IDONTWANT around its ids, and of the control message around that. */
#define IDS_HEADS 8

void neighbour_init(struct neighbour *n, uint32_t handle, const struct peer_id *id,
                    const struct score_params *params, struct mem *mem,
                    const struct peerlet_limits *limits)
{
    *n = (struct neighbour){.handle = handle, .id = *id, .params = params};
    list_init(&n->members);
    list_init(&n->owing);
    rpc_reader_init(&n->reader, mem, limits->rpc);
    buf_init(&n->record, mem, limits->px_record);
    buf_init(&n->wanted, mem, limits->rpc_control - IDS_HEADS);
    buf_init(&n->unwanted, mem, limits->rpc_control - IDS_HEADS);
}

void neighbour_silence(struct neighbour *n, struct messages *all)
{
    n->is_writable = false;
    list_remove(&n->in_owing);
    while (n->queue_len > 0)
        neighbour_pop(n, all);
    mem_free(all->mem, n->queue);
    n->queue = NULL;
    n->queue_head = n->queue_room = 0;
    buf_free(&n->wanted);
    buf_free(&n->unwanted);
}

void neighbour_free(struct neighbour *n, struct messages *all)
{
    assert(list_is_empty(&n->members) && list_is_empty(&n->owing));
    neighbour_silence(n, all);
    rpc_reader_free(&n->reader);
    buf_free(&n->record);
    list_remove(&n->in_parted);
}

static bool grow(struct neighbour *n, struct mem *mem)
{
    uint32_t room = n->queue_room ? n->queue_room * 2 : SMALLEST_QUEUE;
    struct message **queue = mem_alloc(mem, room * sizeof(struct message *));
    if (queue == NULL)
        return false;
    for (uint32_t i = 0; i < n->queue_len; i++)
        queue[i] = neighbour_at(n, i);
    mem_free(mem, n->queue);
    n->queue = queue;
    n->queue_head = 0;
    n->queue_room = room;
    return true;
}

bool neighbour_push(struct neighbour *n, struct message *m, size_t limit, struct messages *all)
{
    if (n->queue_bytes + m->encoded.len > limit ||
        (n->queue_len == n->queue_room && !grow(n, all->mem)))
        return false;
    n->queue[(n->queue_head + n->queue_len++) & (n->queue_room - 1)] = message_hold(m);
    n->queue_bytes += m->encoded.len;
    return true;
}

struct message *neighbour_at(const struct neighbour *n, uint32_t place)
{
    assert(place < n->queue_len);
    return n->queue[(n->queue_head + place) & (n->queue_room - 1)];
}

void neighbour_pop(struct neighbour *n, struct messages *all)
{
    struct message *m = neighbour_at(n, 0);
    n->queue_head = (n->queue_head + 1) & (n->queue_room - 1);
    n->queue_bytes -= m->encoded.len;
    n->queue_len--;
    message_drop(all, m);
}

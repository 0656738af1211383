/*
 * The bounded queue of orders and events.
 *
 * An output that is queued owns a copy of its views, in one block, so that an event may be made of
 * text on the stack; the block dies when the next output is taken. When memory is out the block
 * comes from a reserve, since an end that nobody is told of cannot be made good later. What is large
 * and borrowed, stream data and messages, does not pass through here: see peerlet_next.
 */
#ifndef NODE_OUTPUTS_H
#define NODE_OUTPUTS_H

#include "base/list.h"
#include "peerlet.h"

struct outputs {
    struct mem *mem;
    uint32_t limit;
    uint32_t count;
    uint32_t lost; /* for want of memory or over the limit */
    struct list queue;
    struct list taken; /* the one given out last */
    uint8_t *reserve;
    size_t reserve_used;
    uint32_t in_reserve; /* outputs there; it is emptied as a whole */
};

/* ERR_NOMEM. */
MUST_USE int outputs_init(struct outputs *o, struct mem *mem, uint32_t limit);
void outputs_free(struct outputs *o);

/* Queues a copy. An order or event that cannot be kept is counted as lost. */
void outputs_put(struct outputs *o, const struct peerlet_output *out);

/* Frees what was given out before and gives the next. */
bool outputs_take(struct outputs *o, struct peerlet_output *out);

#endif

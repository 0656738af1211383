/*
 * The messages of the last heartbeats, found by name: what IHAVE tells of and IWANT asks for.
 *
 * Bounded in time by the router's windows and in bytes; the oldest goes first.
 */
#ifndef PUBSUB_MCACHE_H
#define PUBSUB_MCACHE_H

#include "pubsub/message.h"

#define MCACHE_BUCKETS 512

struct mcache {
    struct mem *mem;
    size_t limit, bytes;
    struct list order;  /* struct message, oldest first */
    struct list buckets[MCACHE_BUCKETS];
};

void mcache_init(struct mcache *c, struct mem *mem, size_t limit);
void mcache_free(struct mcache *c);

/* Takes a reference of its own. */
void mcache_add(struct mcache *c, struct message *m);

/* By its name in js's or go's form, or the form it was stored under; null when it is not there. */
struct message *mcache_find(const struct mcache *c, struct view id);

/* Forgets what came before `instant`. */
void mcache_expire(struct mcache *c, uint64_t instant);

#endif

/*
 * The messages of the last heartbeats: what IHAVE tells of and IWANT asks for.
 *
 * Bounded in time by the router's windows and in bytes; the oldest goes first.
 */
#ifndef PUBSUB_MCACHE_H
#define PUBSUB_MCACHE_H

#include "pubsub/message.h"

struct mcache {
    struct messages *all;
    size_t bytes, limit;
    struct list order; /* struct message, in_order; oldest first */
    struct index by_id;
    struct index by_origin; /* those whose id is something else */
};

void mcache_init(struct mcache *c, struct messages *all, size_t limit);
void mcache_free(struct mcache *c);

/*
 * Takes a reference of its own and lists the message as the newest of its topic in `of_topic`. When
 * memory is out it is not kept, and that is all.
 */
void mcache_add(struct mcache *c, struct message *m, struct list *of_topic);

/* By the hash of an id or of an origin; null when it is not there. */
struct message *mcache_find(const struct mcache *c, uint64_t hash);

/* Forgets what came before `instant`. */
void mcache_expire(struct mcache *c, uint64_t instant);

/* Forgets the oldest to make room elsewhere; false when there is none. */
bool mcache_forget_oldest(struct mcache *c);

#endif

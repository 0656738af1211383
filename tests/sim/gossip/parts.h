/* What RPCs consist of; and of those of pages, whose streams are encrypted, what their routers say and hear. */
#ifndef SIM_GOSSIP_PARTS_H
#define SIM_GOSSIP_PARTS_H

#include "base/mem.h"
#include "base/span.h"

/* How many messages are in these RPCs; what else the sender said is added to `control`, in bytes. */
uint32_t parts_count(struct view rpcs, uint64_t *control);

struct tap {
    const char *topic;
    const struct mem *others; /* routers that live there are not counted */
    uint64_t copies, firsts;  /* messages of the topic that came, and how many were new */
    uint64_t control;         /* bytes */
};

/* Counts into `tap` from now on; null: not any more. For a world of one thread. */
void parts_tap(struct tap *tap);

#endif

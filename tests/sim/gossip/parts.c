#include "sim/gossip/parts.h"

#include "base/cursor.h"
#include "pubsub/gossipsub.h"

uint32_t parts_count(struct view rpcs, uint64_t *control)
{
    uint32_t messages = 0;
    struct cursor c = cursor_of(rpcs);
    while (c.rest.len > 0 && !c.failed) {
        struct cursor rpc = cursor_of(take_delimited(&c, SIZE_MAX));
        while (rpc.rest.len > 0 && !rpc.failed) {
            bool is_message = take_uvarint(&rpc) == (2 << 3 | 2);
            struct view part = take_delimited(&rpc, SIZE_MAX);
            messages += is_message;
            if (!is_message)
                *control += part.len + 2;
        }
    }
    return messages;
}

/* ---- the linker wraps what a router reads and writes by ------------------------------------------ */

static struct tap *current;
static bool is_counted; /* the router that reads now */

int __real_gossipsub_feed(struct gossipsub *g, uint32_t handle, struct span *in,
                          struct gossipsub_event *ev, uint64_t now);
int __wrap_gossipsub_feed(struct gossipsub *g, uint32_t handle, struct span *in,
                          struct gossipsub_event *ev, uint64_t now);
int __real_gossipsub_drain(struct gossipsub *g, uint32_t handle, struct buf *out);
int __wrap_gossipsub_drain(struct gossipsub *g, uint32_t handle, struct buf *out);
int __real_rpc_feed(struct rpc_reader *r, struct span *in, struct rpc_part *part);
int __wrap_rpc_feed(struct rpc_reader *r, struct span *in, struct rpc_part *part);

void parts_tap(struct tap *tap)
{
    current = tap;
}

int __wrap_gossipsub_feed(struct gossipsub *g, uint32_t handle, struct span *in,
                          struct gossipsub_event *ev, uint64_t now)
{
    if (current == NULL)
        return __real_gossipsub_feed(g, handle, in, ev, now);
    is_counted = g->mem != current->others;
    int rc = __real_gossipsub_feed(g, handle, in, ev, now);
    if (is_counted && rc == 1 && ev->type == GOSSIPSUB_MESSAGE)
        current->firsts += view_equals_text(ev->topic, current->topic);
    return rc;
}

int __wrap_rpc_feed(struct rpc_reader *r, struct span *in, struct rpc_part *part)
{
    int rc = __real_rpc_feed(r, in, part);
    if (current != NULL && is_counted && rc == 1 && part->type == RPC_MESSAGE)
        current->copies += view_equals_text(part->message.topic, current->topic);
    return rc;
}

int __wrap_gossipsub_drain(struct gossipsub *g, uint32_t handle, struct buf *out)
{
    size_t before = out->len;
    int rc = __real_gossipsub_drain(g, handle, out);
    if (current != NULL && g->mem != current->others) {
        struct view said = buf_view(out);
        parts_count(view_of(said.data + before, said.len - before), &current->control);
    }
    return rc;
}

#include "sim/gossip/sybil.h"

#include <stdlib.h>

#define REGRAFT_MS 60000 /* and at random so much more: */
#define REGRAFT_MORE_MS 15000

static struct link *link_with(const struct crowd *c, uint32_t sybil, uint32_t other)
{
    uint32_t which;
    return crowd_link(c, sybil, other, &which);
}

static void graft(struct crowd *c, struct shard *running, uint32_t sybil, uint32_t to,
                  bool subscribes)
{
    uint8_t bytes[128];
    struct writer w = writer_of(bytes, sizeof bytes);
    size_t rpc = rpc_begin(&w);
    if (subscribes)
        rpc_put_subscription(&w, true, view_of_text(CROWD_TOPIC));
    size_t control = rpc_begin_control(&w);
    rpc_put_graft(&w, view_of_text(CROWD_TOPIC));
    rpc_end(&w, control);
    rpc_end(&w, rpc);
    crowd_send(c, running, sybil, to, writer_view(&w));
    link_with(c, sybil, to)->is_sybil_in_mesh = true;
}

static bool is_dropped(struct crowd *c, struct node *n, const struct rpc_message *m)
{
    const struct plan *p = &c->plan;
    if (c->now < (uint64_t)p->drop_from_s * 1000)
        return false;
    if (p->is_censorship)
        return view_equal(m->from, peer_id_view(&c->nodes[0].id));
    return rng_below(&n->rng, 100) < p->drop_percent;
}

static void pass_on(struct crowd *c, struct shard *running, uint32_t sybil, uint32_t from,
                    const struct rpc_message *m)
{
    struct node *n = &c->nodes[sybil];
    static _Thread_local uint8_t message[1 << 18], bytes[1 << 18];
    struct cursor data = cursor_of(m->data);
    uint32_t number = take_u32be(&data);
    if (data.failed || number >= c->told_count || node_knows(n, number))
        return;
    node_hears(n, number, c->now);
    if (is_dropped(c, n, m))
        return;
    struct writer encoded = writer_of(message, sizeof message), w = writer_of(bytes, sizeof bytes);
    rpc_put_signed(&encoded, m);
    rpc_put_signature(&encoded, m);
    size_t rpc = rpc_begin(&w);
    rpc_put_message(&w, writer_view(&encoded));
    rpc_end(&w, rpc);
    for (uint32_t i = 0; i < n->tie_count; i++) {
        const struct link *l = &c->links[n->ties[i].link];
        if (l->is_sybil_in_mesh && l->ends[1] != from &&
            !view_equal(m->from, peer_id_view(&c->nodes[l->ends[1]].id)))
            crowd_send(c, running, sybil, l->ends[1], writer_view(&w));
    }
}

static void take_part(struct crowd *c, struct shard *running, uint32_t sybil, uint32_t from,
                      const struct rpc_part *part)
{
    struct link *l = link_with(c, sybil, from);
    if (part->type == RPC_SUBSCRIPTION && part->subscribe)
        graft(c, running, sybil, from, true);
    else if (part->type == RPC_MESSAGE)
        pass_on(c, running, sybil, from, &part->message);
    else if (part->type == RPC_GRAFT)
        l->is_sybil_in_mesh = true;
    else if (part->type == RPC_PRUNE) {
        l->is_sybil_in_mesh = false;
        l->regraft_at = c->now + REGRAFT_MS + rng_below(&c->nodes[sybil].rng, REGRAFT_MORE_MS);
        crowd_wake(c, sybil, l->regraft_at);
    }
}

void sybil_receive(struct crowd *c, struct shard *running, uint32_t sybil, uint32_t from,
                   struct span rpcs)
{
    struct rpc_reader reader = {0};
    struct rpc_part part;
    rpc_reader_init(&reader, &c->nodes[sybil].mem, SIZE_MAX);
    while (rpc_feed(&reader, &rpcs, &part) == 1)
        take_part(c, running, sybil, from, &part);
    rpc_reader_free(&reader);
}

void sybil_tick(struct crowd *c, struct shard *running, uint32_t sybil)
{
    const struct node *n = &c->nodes[sybil];
    uint64_t next = NEVER;
    for (uint32_t i = 0; i < n->tie_count; i++) {
        struct link *l = &c->links[n->ties[i].link];
        if (l->regraft_at == 0)
            continue;
        if (l->regraft_at > c->now) {
            next = MIN(next, l->regraft_at);
            continue;
        }
        l->regraft_at = 0;
        graft(c, running, sybil, l->ends[1], false);
    }
    if (next != NEVER)
        crowd_wake(c, sybil, next);
}

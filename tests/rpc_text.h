/*
 * The parts of gossipsub RPCs as text, one line each:
 *
 *     1 subscription topic=74 yes
 *     1 prune topic=74 for 60
 *
 * The number is that of the RPC; bytes are hex.
 */
#ifndef TESTS_RPC_TEXT_H
#define TESTS_RPC_TEXT_H

#include "test.h"

#include "pubsub/rpc.h"

static inline void rpc_tell_field(struct transcript *t, const char *name, struct view v)
{
    if (v.data == NULL)
        return;
    transcript_add(t, " %s=", name);
    transcript_add_hex(t, v);
}

static inline void rpc_tell(struct transcript *t, const struct rpc_part *p)
{
    static const char *const NAMES[] = {
        [RPC_SUBSCRIPTION] = "subscription",
        [RPC_MESSAGE] = "message",
        [RPC_IHAVE] = "ihave",
        [RPC_IWANT] = "iwant",
        [RPC_GRAFT] = "graft",
        [RPC_PRUNE] = "prune",
        [RPC_IDONTWANT] = "idontwant",
        [RPC_EXTENSIONS] = "extensions",
    };
    transcript_add(t, "%u %s", (unsigned)p->rpc, NAMES[p->type]);
    rpc_tell_field(t, "topic", p->topic);
    if (p->type == RPC_SUBSCRIPTION)
        transcript_add(t, p->subscribe ? " yes" : " no");
    if (p->type == RPC_PRUNE)
        transcript_add(t, " for %llu", (unsigned long long)p->backoff_s);
    rpc_tell_field(t, "from", p->message.from);
    rpc_tell_field(t, "data", p->message.data);
    rpc_tell_field(t, "seqno", p->message.seqno);
    rpc_tell_field(t, "on", p->message.topic);
    rpc_tell_field(t, "signature", p->message.signature);
    rpc_tell_field(t, "key", p->message.key);
    struct rpc_ids ids = p->ids;
    struct view id;
    while (rpc_next_id(&ids, &id))
        rpc_tell_field(t, p->type == RPC_PRUNE ? "peer" : "id", id);
    transcript_add(t, "\n");
}

#endif

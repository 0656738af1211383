/*
 * The RPC of gossipsub: one length-prefixed protobuf that carries subscriptions, messages, control.
 *
 *     RPC      1 SubOpts { 1 subscribe, 2 topic }   2 Message   3 Control
 *     Message  1 from  2 data  3 seqno  4 topic  5 signature  6 key
 *     Control  1 IHAVE { 1 topic, 2 id… }  2 IWANT { 1 id… }  3 GRAFT { 1 topic }
 *              4 PRUNE { 1 topic, 2 peers, 3 backoff }  5 IDONTWANT { 1 id… }
 *
 * It holds thousands of parts, so it is walked where it lies, not decoded into structs: rpc_next
 * gives field after field, and a nested message is walked the same way. Unknown fields are passed
 * over. specs/pubsub/gossipsub.
 */
#ifndef PUBSUB_RPC_H
#define PUBSUB_RPC_H

#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"

enum rpc_field_number { RPC_SUBSCRIPTION = 1, RPC_MESSAGE = 2, RPC_CONTROL = 3 };
enum control_field_number {
    CONTROL_IHAVE = 1,
    CONTROL_IWANT = 2,
    CONTROL_GRAFT = 3,
    CONTROL_PRUNE = 4,
    CONTROL_IDONTWANT = 5,
};

/* One field: bytes are in `bytes`, numbers in `number`. */
struct rpc_field {
    uint32_t tag;
    bool is_bytes;
    uint64_t number;
    struct view bytes;
};

/* The next field of a message: 1, 0 at its end, ERR_PROTOCOL. */
MUST_USE int rpc_next(struct view *rest, struct rpc_field *field);

struct rpc_subscription {
    bool subscribe;
    struct view topic;
};

/* All fields are borrowed; an absent one has null data, an empty one has not. */
struct rpc_message {
    struct view from, data, seqno, topic, signature, key;
    bool has_unknown;
};

struct rpc_prune {
    struct view topic;
    uint64_t backoff_s;  /* 0: not said */
};

MUST_USE int rpc_subscription_parse(struct view in, struct rpc_subscription *s);
MUST_USE int rpc_message_parse(struct view in, struct rpc_message *m);
MUST_USE int rpc_prune_parse(struct view in, struct rpc_prune *p);

/* Appends `tag` (a field of bytes), its length and bytes. ERR_FULL, ERR_NOMEM. */
MUST_USE int rpc_append(struct buf *out, uint32_t tag, struct view bytes);

/* Bytes that rpc_append adds. */
size_t rpc_field_len(size_t len);

/* Entries of a control or subscription list, ready to be put into an RPC. */
MUST_USE int rpc_append_subscription(struct buf *out, bool subscribe, struct view topic);
MUST_USE int rpc_append_graft(struct buf *out, struct view topic);
MUST_USE int rpc_append_prune(struct buf *out, struct view topic, uint32_t backoff_s);

/* IHAVE or IWANT with the ids given, each a length-prefixed field already (rpc_append, tag 2 or 1). */
MUST_USE int rpc_append_ids(struct buf *out, enum control_field_number kind, struct view topic,
                            struct view ids);

#endif

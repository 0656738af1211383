/*
 * One published message: its bytes as they travel, who signed it, what it is called.
 *
 * A message is kept once, whatever number of peers it waits for: the cache and each queue hold a
 * reference. specs/pubsub, "Message Signing"; specs/pubsub/gossipsub, "Message Identification".
 */
#ifndef PUBSUB_MESSAGE_H
#define PUBSUB_MESSAGE_H

#include "base/list.h"
#include "base/mem.h"
#include "crypto/identity.h"
#include "multiformats/peer_id.h"
#include "pubsub/rpc.h"

enum gossipsub_signing { GOSSIPSUB_STRICT_SIGN, GOSSIPSUB_STRICT_NO_SIGN };

enum gossipsub_message_id {
    GOSSIPSUB_ID_JS,      /* public key protobuf || seqno */
    GOSSIPSUB_ID_SPEC,    /* from || seqno, go's default */
    GOSSIPSUB_ID_SHA256,  /* sha2-256 of data; js's way without signatures */
};

#define MESSAGE_SEQNO_LEN 8
#define MESSAGE_ID_MAX (PEER_ID_MAX_LEN + MESSAGE_SEQNO_LEN)

struct message_id {
    uint8_t len;
    uint8_t bytes[MESSAGE_ID_MAX];
};

struct message {
    struct list in_bucket;   /* of the cache */
    struct list in_order;    /* of the cache, or of the messages whose signature is being checked */
    uint32_t refs;
    uint32_t via;            /* handle of the peer it came from; 0: our own */
    uint32_t job;            /* of the check under way */
    uint32_t served;         /* times sent for an IWANT */
    uint64_t at;             /* when it came */
    struct message_id id;
    struct rpc_message fields; /* borrowed from `bytes` */
    size_t len;
    uint8_t bytes[];         /* the Message protobuf */
};

static inline struct view message_id_view(const struct message_id *id)
{
    return view_of(id->bytes, id->len);
}

/* A copy of an encoded Message with one reference; null when memory is out or it does not parse. */
struct message *message_new(struct mem *mem, struct view encoded);
void message_drop(struct mem *mem, struct message *m);

/*
 * Whether the fields fit the policy, before any signature is checked: ERR_BAD_MESSAGE. With
 * StrictSign `*author` is from's Peer ID and `*key` the key to check with, borrowed from the fields
 * or from `author`.
 */
MUST_USE int message_check(const struct rpc_message *m, enum gossipsub_signing signing,
                           struct peer_id *author, struct public_key *key);

/* Appends what the signature is over: the prefix, then fields 1 to 4 in order. */
MUST_USE int message_signed_bytes(const struct rpc_message *m, struct buf *out);

/* The message's name in a given form. */
void message_name(const struct rpc_message *m, enum gossipsub_message_id form,
                  struct message_id *id);

/* Brings go's form of a name to js's, so that either finds the message. */
struct view message_name_normal(struct view id);

/* Appends a Message of our own, signed unless the policy forbids it. ERR_FULL, ERR_NOMEM. */
MUST_USE int message_append(struct buf *out, const struct identity *identity,
                            enum gossipsub_signing signing, uint64_t seqno, struct view topic,
                            struct view data);

#endif

/*
 * One published message: what is signed, what travels, what it is called, in one block of memory.
 *
 *     "libp2p-pubsub:" || from data seqno topic || signature key || id, or room for one
 *     └──────────── signed_bytes ─────────────┘
 *                         └───────────── encoded ────────────┘
 *
 * Fields are written anew in this order, an empty one kept and an absent one left out; so a field
 * the author signed and we do not know makes the signature wrong instead of travelling on. A message
 * is kept once, however many peers it waits for: the cache and every queue hold a reference.
 * specs/pubsub, "Message Signing".
 */
#ifndef PUBSUB_MESSAGE_H
#define PUBSUB_MESSAGE_H

#include "base/list.h"
#include "base/mem.h"
#include "crypto/identity.h"
#include "multiformats/peer_id.h"
#include "pubsub/index.h"
#include "pubsub/message_id.h"
#include "pubsub/rpc.h"

enum gossipsub_signing { GOSSIPSUB_STRICT_SIGN, GOSSIPSUB_STRICT_NO_SIGN };

/* What the messages of one router have in common, and what they take. */
struct messages {
    struct mem *mem;
    size_t held, limit; /* bytes of all that are alive */
    enum gossipsub_signing signing;
    enum gossipsub_message_id form;
    struct siphash_key hash_key;
};

struct message {
    struct list in_order; /* of the cache, oldest first */
    struct list in_topic; /* the same for one topic */
    struct list in_line;  /* of those to be given out */
    struct index_node by_id, by_origin;
    uint32_t refs;
    uint32_t via;    /* handle of the peer it came from; 0: our own */
    uint64_t at;     /* when it came, or was found valid */
    uint32_t job;    /* in the router's `checks`; 0: it is not there */
    bool is_genuine; /* its signature has been checked */
    struct message_hashes hashes;
    struct rpc_message fields; /* these and the next three are inside `bytes` */
    struct view signed_bytes, encoded, id;
    size_t size;
    uint8_t bytes[];
};

/*
 * Whether the fields are what the policy demands, before any signature is checked: ERR_BAD_MESSAGE.
 * With StrictSign `*author` is who says to have written it and `*key` what his signature is to be
 * checked with, borrowed from the fields or from `*author`.
 */
MUST_USE int message_check(const struct messages *all, const struct rpc_message *fields,
                           struct peer_id *author, struct public_key *key);

/* Gives an id to one of our own or a genuine one that has none yet. False for one that cannot be it. */
bool message_name(const struct messages *all, struct message *m, struct view id);

struct message_hashes message_hashes(const struct messages *all, const struct rpc_message *fields);

/*
 * Makes a copy with one reference of fields that message_check found right. ERR_FULL when the
 * messages alive would pass their limit, ERR_NOMEM.
 */
MUST_USE int message_new(struct messages *all, const struct rpc_message *fields,
                         struct message **made);

/* Makes one of our own with one reference, signed if the policy demands it. Errors as above. */
MUST_USE int message_write(struct messages *all, const struct identity *identity, uint64_t seqno,
                           struct view topic, struct view data, struct message **made);

struct message *message_hold(struct message *m);

/* Null is fine. */
void message_drop(struct messages *all, struct message *m);

#endif

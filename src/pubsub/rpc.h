/*
 * The RPC of gossipsub: one length-prefixed protobuf of subscriptions, messages and control.
 *
 *     uvarint(len) || subscription*  message*  control { IHAVE* IWANT* GRAFT* PRUNE* IDONTWANT*
 *                                                            extensions? }
 *
 * It may hold thousands of parts, so it is never decoded as a whole: the reader walks it where it
 * lies and gives one part at a time. A part that breaks a rule of its own (a topic of no length) is
 * given as it is; bytes that are no protobuf end the stream. Field numbers and names are those of
 * proto/rpc.proto. specs/pubsub/gossipsub, "Protobuf".
 */
#ifndef PUBSUB_RPC_H
#define PUBSUB_RPC_H

#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"

/* ---- in */

/* A published message. An absent field has null data, an empty one has not. */
struct rpc_message {
    union {
        struct {
            struct view from, data, seqno, topic, signature, key;
        };
        struct view fields[6]; /* the same, by their numbers from 1 on */
    };
};

/* Message ids inside IHAVE, IWANT or IDONTWANT, or the PeerInfos of a PRUNE, whose bounds are checked
 * already: take them with rpc_next_id. */
struct rpc_ids {
    struct view rest;
    uint32_t tag;
};

enum rpc_part_type {
    RPC_SUBSCRIPTION, /* topic, subscribe */
    RPC_MESSAGE,      /* message */
    RPC_IHAVE,        /* topic, ids */
    RPC_IWANT,        /* ids */
    RPC_GRAFT,        /* topic */
    RPC_PRUNE,        /* topic, backoff_s (0: not said), ids: peers to try */
    RPC_IDONTWANT,    /* ids */
    RPC_EXTENSIONS,
};

/* All views are borrowed from the bytes fed, or from the reader. */
struct rpc_part {
    enum rpc_part_type type;
    uint32_t rpc; /* counts the RPCs of this reader: parts of one have the same number */
    bool subscribe;
    struct view topic;
    struct rpc_message message;
    struct rpc_ids ids;
    uint64_t backoff_s;
};

/* Zero, with `limit` and `gathered` initialised, is a reader at the start of a stream. */
struct rpc_reader {
    struct buf gathered; /* an RPC that came in pieces, with its prefix until it is whole */
    size_t limit;
    size_t rest;         /* bytes of the current RPC not walked yet: in `gathered` if it is not
                             empty, else at the front of what is fed */
    size_t control_rest; /* of these, how many are inside the control message */
    uint32_t rpc;
};

void rpc_reader_init(struct rpc_reader *r, struct mem *mem, size_t limit);
void rpc_reader_free(struct rpc_reader *r);

/*
 * Takes bytes of one stream. 1 with `*part`, valid until the next call; 0 when `in` is used up; or
 * ERR_PROTOCOL, ERR_TOO_BIG for an RPC over the limit, ERR_NOMEM, after which only rpc_reader_free
 * may follow. Call until it returns 0, even when `in` is empty: an RPC gathered from pieces is
 * walked after its last byte was taken. Memory grows with the bytes received, never with a length
 * announced; an RPC that is whole in `in` is not copied.
 */
MUST_USE int rpc_feed(struct rpc_reader *r, struct span *in, struct rpc_part *part);

/* Reads one encoded Message. ERR_PROTOCOL. */
MUST_USE int rpc_message_parse(struct view in, struct rpc_message *m);

/* Reads a PeerInfo of a PRUNE; what is absent has null data. ERR_PROTOCOL. */
struct rpc_peer {
    struct view id, record; /* a signed envelope */
};
MUST_USE int rpc_peer_parse(struct view in, struct rpc_peer *peer);

/* False at the end. */
bool rpc_next_id(struct rpc_ids *ids, struct view *id);

/* ---- out: like every put, these leave the writer failed when it has too little room */

/* What a length that is not known yet is given: an RPC to be sent is under 2 MiB. */
#define RPC_PREFIX_MAX 3

/* Bytes that a part of the RPC takes whose own bytes are `len`. */
size_t rpc_field_len(size_t len);

/*
 * An RPC, the control message in it, an IHAVE or a PRUNE in that: parts are put between begin and
 * end, and what begin returned is given to end. A `backoff_s` of 0 is left out: version 1.0 knows
 * none.
 */
size_t rpc_begin(struct writer *w);
size_t rpc_begin_control(struct writer *w);
size_t rpc_begin_ihave(struct writer *w, struct view topic);
size_t rpc_begin_prune(struct writer *w, struct view topic, uint64_t backoff_s);
void rpc_end(struct writer *w, size_t begun);

/* Parts of the RPC. A message is encoded already. */
void rpc_put_subscription(struct writer *w, bool subscribe, struct view topic);
void rpc_put_message(struct writer *w, struct view encoded);

/* A whole RPC: control that names no extensions. Version 1.3 has it first on each stream. */
MUST_USE int rpc_append_extensions(struct buf *out);

/* Parts of control, and of a PRUNE. */
void rpc_put_graft(struct writer *w, struct view topic);
void rpc_put_peer(struct writer *w, const struct rpc_peer *peer);

/* An IWANT or an IDONTWANT, of ids that rpc_put_wanted_id put: so many of them at most. Returns their
 * bytes. */
size_t rpc_put_ids(struct writer *w, enum rpc_part_type type, struct view ids, uint32_t most);

/* Parts of an IHAVE, and of what becomes the ids of an IWANT or IDONTWANT. */
void rpc_put_ihave_id(struct writer *w, struct view id);
void rpc_put_wanted_id(struct writer *w, struct view id);

/* Parts of a Message, absent ones left out: what is signed, in its order; signature and key. */
void rpc_put_signed(struct writer *w, const struct rpc_message *m);
void rpc_put_signature(struct writer *w, const struct rpc_message *m);

#endif

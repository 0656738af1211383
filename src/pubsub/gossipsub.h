/*
 * The gossipsub router: who gets which message. RPCs in, RPCs out, no connections.
 *
 *     bytes of a peer's stream ─feed─▶ one event at a time: messages, subscriptions
 *     subscribe, publish       ──────▶ router ─drain─▶ RPCs for each peer that is owing
 *     time                     ─tick─▶ heartbeat: meshes kept between D_low and D_high, gossip
 *
 * Peers are named by a number the owner chooses. A message is kept once and referred to by the cache
 * and by the queue of each peer it waits for. Everything that a peer can make us hold is bounded:
 * struct peerlet_limits, "gossipsub". specs/pubsub/gossipsub, v1.0 and v1.1; peer scores enter at
 * `peer_is_acceptable`.
 */
#ifndef PUBSUB_GOSSIPSUB_H
#define PUBSUB_GOSSIPSUB_H

#include "base/limits.h"
#include "base/role.h"
#include "base/table.h"
#include "pubsub/mcache.h"
#include "pubsub/mesh.h"
#include "pubsub/message.h"
#include "pubsub/seen.h"
#include "wire/delimited.h"

enum gossipsub_version { GOSSIPSUB_1_0, GOSSIPSUB_1_1, GOSSIPSUB_1_2 };

struct gossipsub_config {
    uint32_t d, d_low, d_high, d_score, d_out, d_lazy;
    uint32_t gossip_percent;        /* of the other subscribers, at least d_lazy */
    uint32_t heartbeat_ms, fanout_ttl_ms, seen_ttl_ms;
    uint32_t mcache_length, mcache_gossip;  /* heartbeats kept, and told of */
    uint32_t prune_backoff_s, unsubscribe_backoff_s;
    uint32_t iwant_followup_ms;     /* an id asked for is asked of no other peer so long */
    bool flood_publish, emit_self, allow_no_peers;
    enum gossipsub_signing signing;
    enum gossipsub_message_id message_id;
};

extern const struct gossipsub_config GOSSIPSUB_DEFAULTS;

/* A message on its way to one peer. */
struct queued_message {
    struct message *message;
    bool is_ours;
};

struct router_peer {
    struct list in_owing;
    uint32_t handle;
    struct peer_id id;
    enum gossipsub_version version;
    enum role role;                 /* DIALER: we dialled it */
    bool is_greeted;                /* a stream of ours to it is open: it may be written to */
    struct list members;            /* struct member, in_peer */
    uint32_t topic_count;
    /* in */
    struct delimited reader;
    struct view rpc, control;       /* what is left of the RPC being read */
    uint32_t ihaves, iwant_ids;     /* since the last heartbeat */
    /* out */
    struct buf subscriptions;       /* entries, encoded */
    struct buf control_out;         /* entries, encoded: GRAFT and PRUNE */
    struct buf gossip;              /* entries, encoded: IHAVE and IWANT; dropped first */
    struct queued_message *queue;   /* a ring */
    uint32_t queue_head, queue_len, queue_room;
    size_t queue_bytes;
    uint64_t dropped;               /* messages that found the queue full */
};

struct gossipsub {
    struct gossipsub_config config;
    const struct identity *identity;
    struct peer_id self;
    struct mem *mem;
    const struct rng *rng;
    const struct peerlet_limits *limits;
    struct table peers;             /* struct router_peer by handle */
    struct list owing;              /* peers with something to write */
    struct mesh mesh;
    struct mcache mcache;
    struct seen seen;               /* messages */
    struct seen asked;              /* ids asked for by IWANT */
    struct list checking;           /* messages whose signature the browser checks */
    struct list ready;              /* messages that are to be given out by gossipsub_next */
    uint32_t checking_count;
    uint32_t last_job;
    uint64_t seqno;
    uint64_t heartbeat_at;
    struct message *given;          /* behind the last event; dropped at the next call */
    struct buf scratch;
};

enum gossipsub_event_type {
    GOSSIPSUB_MESSAGE,       /* from … id, via: new, valid, of a topic we are subscribed to */
    GOSSIPSUB_SUBSCRIPTION,  /* peer, via, topic, subscribed */
    GOSSIPSUB_VERIFY,        /* job, public_key, message, signature: gossipsub_verified */
};

/* Views are valid until the next call on the router. */
struct gossipsub_event {
    enum gossipsub_event_type type;
    struct view from, data, seqno, topic, key, signature, id;
    struct view message;            /* signed bytes, for VERIFY */
    struct public_key public_key;
    uint32_t via, job;
    struct peer_id peer;
    bool subscribed;
};

/* `unix_ms` seeds the sequence numbers, which grow over restarts. ERR_NOMEM. */
MUST_USE int gossipsub_init(struct gossipsub *g, const struct gossipsub_config *config,
                            const struct identity *identity, struct mem *mem,
                            const struct rng *rng, const struct peerlet_limits *limits,
                            uint64_t now, uint64_t unix_ms);
void gossipsub_free(struct gossipsub *g);

/* ---- peers */

/* A peer's stream to us or ours to it is there. Again for a known peer is fine. ERR_NOMEM. */
MUST_USE int gossipsub_add_peer(struct gossipsub *g, uint32_t handle, const struct peer_id *id,
                                enum gossipsub_version version, enum role role, uint64_t now);

/* Our stream to it is open, from its first byte: all our subscriptions are owed. */
void gossipsub_greet(struct gossipsub *g, uint32_t handle, enum gossipsub_version version,
                     uint64_t now);

void gossipsub_remove_peer(struct gossipsub *g, uint32_t handle, uint64_t now);

/* Null for a handle that is gone. */
const struct peer_id *gossipsub_peer_id(const struct gossipsub *g, uint32_t handle);

/* ---- in */

/*
 * Takes bytes of the stream a peer opened to us. 1 with an event, 0 when `in` is used up, or an
 * error, after which that stream is to be reset: PROTOCOL, TOO_BIG, NOMEM. What breaks a limit or a
 * rule inside an RPC is dropped, not an error.
 */
MUST_USE int gossipsub_feed(struct gossipsub *g, uint32_t handle, struct span *in,
                            struct gossipsub_event *ev, uint64_t now);

/* The answer to GOSSIPSUB_VERIFY. */
void gossipsub_verified(struct gossipsub *g, uint32_t job, bool is_valid, uint64_t now);

/* Events that do not come of bytes: verified messages, and our own with emit_self. */
bool gossipsub_next(struct gossipsub *g, struct gossipsub_event *ev);

/* ---- out */

/* The next peer with something to write, 0 at the end; start with *at = 0 and change nothing. */
uint32_t gossipsub_owing(struct gossipsub *g, uint32_t *at);

/* Appends whole RPCs as `out` has room: 0, ERR_NOMEM. */
MUST_USE int gossipsub_drain(struct gossipsub *g, uint32_t handle, struct buf *out);

/* ---- commands. Topics have 1 to limits->topic_name bytes: ERR_BAD_ARGUMENT. */

MUST_USE int gossipsub_subscribe(struct gossipsub *g, struct view topic, uint64_t now);
MUST_USE int gossipsub_unsubscribe(struct gossipsub *g, struct view topic, uint64_t now);

/*
 * Returns for how many peers it was queued; their handles are put into `recipients`, four bytes
 * each, big endian, unless it is null. NO_PEERS, TOO_BIG, FULL when every peer's queue is, NOMEM.
 */
MUST_USE int gossipsub_publish(struct gossipsub *g, struct view topic, struct view data,
                               struct buf *recipients, uint64_t now);

void gossipsub_tick(struct gossipsub *g, uint64_t now);
uint64_t gossipsub_deadline(const struct gossipsub *g);

/* ---- questions: start with *at = 0 */

enum gossipsub_set { GOSSIPSUB_ALL, GOSSIPSUB_SUBSCRIBERS, GOSSIPSUB_MESH };

/* The next of our topics. */
bool gossipsub_next_topic(const struct gossipsub *g, uint32_t *at, struct view *topic);

/* The next peer of a set, 0 at the end. */
uint32_t gossipsub_next_peer(const struct gossipsub *g, enum gossipsub_set set, struct view topic,
                             uint32_t *at);

/* ---- between gossipsub.c and heartbeat.c */

void router_owe(struct gossipsub *g, struct router_peer *p);
void router_graft(struct gossipsub *g, struct member *m);
void router_prune(struct gossipsub *g, struct member *m, uint32_t backoff_s, uint64_t now);
bool member_can_graft(const struct member *m, uint64_t now);
void router_heartbeat(struct gossipsub *g, uint64_t now);

#endif

/*
 * One peer as the router knows it: what it has said, and what waits to be said to it.
 *
 * What it can make us owe is a flag on a member, a stamp, or a few bytes of ids; only messages are
 * queued, and a queue holds references. `struct member` (mesh.h) has what it is to each topic.
 */
#ifndef PUBSUB_NEIGHBOUR_H
#define PUBSUB_NEIGHBOUR_H

#include "base/limits.h"
#include "base/role.h"
#include "pubsub/message.h"
#include "pubsub/score.h"

/* FLOODSUB is before all of them: subscriptions and messages, no control. */
enum gossipsub_version {
    FLOODSUB,
    GOSSIPSUB_1_0,
    GOSSIPSUB_1_1,
    GOSSIPSUB_1_2,
    GOSSIPSUB_1_3
};

/* What it asked of us since the budget was renewed: RPCs with an IHAVE, and ids. */
struct neighbour_budget {
    uint64_t renew_at;
    uint32_t ihaves, wants, serves, refusals;
};

struct neighbour {
    uint32_t handle;
    struct peer_id id;
    enum gossipsub_version version;
    enum role role;                 /* DIALER: we dialled it */
    bool is_explicit;               /* in no mesh, yet sent everything, and never graylisted */
    enum gossipsub_message_id form; /* of the ids it understands */
    struct list in_parted;          /* linked: it is gone, and only its backoffs are remembered */
    struct list members;            /* struct member, in_peer */
    uint32_t subscription_count;
    struct buf record; /* its signed one, empty if it has told none */

    /* its standing */
    const struct score_params *params;
    struct score_peer conduct;
    float score;               /* as of the last heartbeat, or the last fault */
    uint64_t host;             /* a hash; 0: not known */
    uint64_t remembered_until; /* after it has gone, for its score */
    uint64_t promise;          /* a hash of an id it told of and was asked for */
    uint64_t promise_until;    /* 0: none */
    uint32_t broken;           /* promises in a row */

    /* in */
    struct rpc_reader reader;
    uint32_t last_ihave; /* the RPC that had one */
    bool is_extended;    /* it has said what extensions it has, as it may once */
    struct neighbour_budget budget;

    /* out */
    bool is_writable;       /* our stream to it is open */
    bool is_new;            /* and has to begin with our extensions */
    bool was_mute;          /* and was not at the last heartbeat */
    struct list in_owing;   /* linked: there is something to write, and it is writable */
    uint32_t walk;          /* the last one over those owing that met it */
    uint32_t told;          /* it knows our subscriptions as of this change */
    uint32_t greeted;       /* the change its stream began with */
    struct list owing;      /* struct member, in_owing: GRAFT, PRUNE, IHAVE */
    struct buf wanted;      /* ids for the next IWANT, encoded */
    struct buf unwanted;    /* ids for the next IDONTWANT, the same */
    struct message **queue; /* a ring */
    uint32_t queue_head, queue_len, queue_room;
    size_t queue_bytes; /* encoded */
    bool is_picky;      /* it sent an IDONTWANT since: some may be of messages in the queue */
};

void neighbour_init(struct neighbour *n, uint32_t handle, const struct peer_id *id,
                    const struct score_params *params, struct mem *mem,
                    const struct peerlet_limits *limits);

/* Its members must be gone. */
void neighbour_free(struct neighbour *n, struct messages *all);

/* Nothing can be written to it any more: forgets what waits for it. */
void neighbour_silence(struct neighbour *n, struct messages *all);

static inline bool neighbour_is_parted(const struct neighbour *n)
{
    return list_is_linked(&n->in_parted);
}

/* It is in no mesh, and sent everything of its topics. */
static inline bool neighbour_is_flooded(const struct neighbour *n)
{
    return n->is_explicit || n->version == FLOODSUB;
}

/* Its messages and its control are not even looked at. */
static inline bool neighbour_is_graylisted(const struct neighbour *n)
{
    return n->score < n->params->graylist_threshold && !n->is_explicit;
}

/* It is not told of messages, nor believed when it tells of some. */
static inline bool neighbour_is_gossipable(const struct neighbour *n)
{
    return n->score >= n->params->gossip_threshold;
}

/* Takes a reference. False, and counted, when that would pass `limit` bytes or memory is out. */
bool neighbour_push(struct neighbour *n, struct message *m, size_t limit, struct messages *all);

/* The message in this place of the queue, 0 being the next; it must be there. */
struct message *neighbour_at(const struct neighbour *n, uint32_t place);

/* Takes the next one out and drops the reference. */
void neighbour_pop(struct neighbour *n, struct messages *all);

#endif

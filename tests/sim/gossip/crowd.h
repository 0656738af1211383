/*
 * A crowd of gossipsub routers in virtual time: the router of src/pubsub as it is, its RPCs carried
 * over links with latency, loss and limits. What is below it (Noise, yamux, sockets) is left out, and
 * a signature is checked once, not once for each router.
 *
 * Time goes in milliseconds. What arrives within one is handled node by node, in the order of who
 * sent it and when; so nodes can be shared out among threads, and the outcome depends on plan and
 * seed alone: crowd_hash is the same for any number of threads, and for any compiler.
 */
#ifndef SIM_GOSSIP_CROWD_H
#define SIM_GOSSIP_CROWD_H

#include "sim/gossip/plan.h"

#include "crypto/identity.h"
#include "pubsub/gossipsub.h"

#define CROWD_TOPIC "crowd"
#define CROWD_STAYS 8
#define CROWD_THREADS_MAX 64

/* Carries the RPCs of two nodes, both ways. */
struct link {
    uint32_t ends[2]; /* the one who dialled, the other */
    uint32_t latency_ms;
    uint64_t last_arrival[2]; /* of what each end sent: bytes do not overtake */
    bool is_open;
    bool is_cut; /* nothing comes through */
    bool is_sybil_in_mesh;
    uint64_t regraft_at; /* by the sybil at one end of it; 0: never */
};

/* One of a node's links, and who is at its other end. */
struct tie {
    uint32_t link, other;
};

struct node {
    struct mem mem;
    struct identity identity;
    struct peer_id id;
    struct gossipsub g;
    uint64_t dice, chance; /* of the router, of its network */
    struct rng rng;
    bool is_up, is_sybil; /* a sybil has no router */
    uint32_t half, region;
    struct tie *ties; /* the open links */
    uint32_t tie_count, tie_room;
    uint32_t uplink; /* bytes a millisecond; 0: no limit */
    uint64_t uplink_free_us;
    uint64_t alarm_at, room_at;
    uint64_t sent; /* parcels */
    uint64_t hash; /* of all that happened to it */

    /* when it was there, and what it heard */
    struct {
        uint64_t from, to;
    } stays[CROWD_STAYS];
    uint32_t stay_count;
    uint32_t *heard_at; /* each message for the first time, in ms; 0: never */
    uint8_t *known;     /* a bit for each, heard since it came */

    /* what it took */
    uint64_t bytes_out, control_out, messages_in, firsts;
};

struct crowd;
struct shard;

struct message_told {
    uint64_t at;
    uint32_t by;
};

struct crowd {
    struct plan plan;
    struct peerlet_limits limits;
    uint64_t now, dice;
    struct rng rng;
    struct node *nodes; /* the honest, then the sybils */
    uint32_t node_count;
    struct link *links;
    uint32_t link_count, link_room;
    struct message_told *told;
    uint32_t told_count;
    struct shard *shards;
    uint32_t shard_count;
};

struct crowd *crowd_new(const struct plan *plan, uint64_t seed, uint32_t threads);
void crowd_free(struct crowd *c);

/* Lets everything happen that happens before `until`. */
void crowd_run(struct crowd *c, uint64_t until);

/* An RPC on its way from one node to another, while `running` runs, or null. */
void crowd_send(struct crowd *c, struct shard *running, uint32_t from, uint32_t to,
                struct view rpc);

/* The open link between two, and its number; null when there is none. */
struct link *crowd_link(const struct crowd *c, uint32_t node, uint32_t other, uint32_t *which);

/* A node has its turn then, at the latest. */
void crowd_wake(struct crowd *c, uint32_t node, uint64_t at);

uint64_t crowd_hash(const struct crowd *c);

/* ---- what is done to it, while nothing runs */

/* The node begins, with no links. */
void crowd_join(struct crowd *c, uint32_t node);
void crowd_leave(struct crowd *c, uint32_t node);

/* A sybil dials so many of the honest. */
void crowd_attack(struct crowd *c, uint32_t sybil);

/* Dials until it has so many links of its own again. */
void crowd_dial(struct crowd *c, uint32_t node, uint32_t wanted);

/* What gossipsub_publish says. */
int crowd_publish(struct crowd *c, uint32_t node);

/* No packet between two halves; what is open between them is found dead later; they meet again. */
void crowd_cut(struct crowd *c);
void crowd_close_cut(struct crowd *c);
void crowd_heal(struct crowd *c);

uint32_t crowd_below(struct crowd *c, uint32_t bound);
uint32_t crowd_mesh(const struct crowd *c, uint32_t node);
uint32_t crowd_mesh_sybils(const struct crowd *c, uint32_t node);

static inline bool node_knows(const struct node *n, uint32_t message)
{
    return n->known[message / 8] >> (message % 8) & 1;
}

static inline void node_hears(struct node *n, uint32_t message, uint64_t now)
{
    n->known[message / 8] |= (uint8_t)(1 << message % 8);
    if (n->heard_at[message] == 0)
        n->heard_at[message] = (uint32_t)now;
}

#endif

/*
 * A Kademlia lookup: ask those nearest to a key who is nearer still, until the k nearest have
 * answered.
 *
 *     distance = SHA-256(key) XOR SHA-256(Peer ID)
 *
 *     lookup_add ──▶ ┌────────┐ ─▶ LOOKUP_ASK     ask this peer, then lookup_answer or lookup_failed
 *     (who is known) │ lookup │ ─▶ LOOKUP_FORGET  it took too long: its answer is not wanted any more
 *     answers ─────▶ │        │ ─▶ LOOKUP_FOUND   one of what was looked for
 *     time ────────▶ └────────┘ ─▶ LOOKUP_DONE    there will be no more
 *
 * It knows peers and their addresses, and no connections: who asks is the owner. At most `alpha`
 * peers are asked at once, and only those with an address a browser can dial, besides those that
 * were added without any because they are connected. Everything heard is a hint. specs/kad-dht,
 * "Peer routing".
 */
#ifndef ROUTING_LOOKUP_H
#define ROUTING_LOOKUP_H

#include "base/limits.h"
#include "crypto/hash.h"
#include "protocols/kad.h"

enum lookup_goal {
    LOOKUP_PEER,      /* the peer that is the key: done as soon as somebody tells its addresses */
    LOOKUP_PROVIDERS, /* everybody's providers of the key */
    LOOKUP_CLOSEST,   /* the k nearest that have answered, found at the end, nearest first */
};

struct lookup_config {
    enum lookup_goal goal;
    uint32_t k;     /* 20 in every network there is */
    uint32_t alpha; /* asked at once: 10 in js- and go-libp2p, 3 in rust-libp2p */
    struct peer_id self;
};

enum lookup_state { LOOKUP_HEARD, LOOKUP_ASKED, LOOKUP_ANSWERED, LOOKUP_FAILED };

struct lookup_peer {
    struct peer_id id;
    enum lookup_state state;
    bool is_told; /* as found */
    uint8_t distance[SHA256_LEN];
    struct buf addresses; /* each behind its length */
    uint64_t expires_at;  /* of an asked one */
};

struct lookup_peers {
    struct lookup_peer *at;
    size_t count, room;
};

struct lookup {
    struct lookup_config config;
    struct mem *mem;
    const struct service_limits *limits;
    uint8_t key[KAD_KEY_MAX_LEN];
    size_t key_len;
    uint8_t target[SHA256_LEN];
    struct lookup_peers heard; /* nearest first */
    struct lookup_peers found; /* in the order of their coming */
    struct view *addresses;    /* room to parse a peer into */
    uint64_t expires_at;
    bool is_over;
};

enum lookup_event_type { LOOKUP_ASK = 1, LOOKUP_FORGET, LOOKUP_FOUND, LOOKUP_DONE };

/* Its views stay valid until the next call. */
struct lookup_event {
    enum lookup_event_type type;
    struct peer_id peer;
    struct view addresses; /* each behind its length; none: connected, or not known */
};

/* ERR_TOO_BIG for a key past KAD_KEY_MAX_LEN, ERR_NOMEM. k and alpha are at least 1. */
MUST_USE int lookup_init(struct lookup *l, struct mem *mem, const struct service_limits *limits,
                         const struct lookup_config *config, struct view key, uint64_t now);
void lookup_free(struct lookup *l);

/* What to ask a peer. */
enum kad_type lookup_question(const struct lookup *l);

/* A connected peer to begin with, as a multihash. ERR_BAD_PEER_ID, ERR_NOMEM. */
MUST_USE int lookup_add(struct lookup *l, struct view id);

/* What came of LOOKUP_ASK; unknown and late ones are passed over. ERR_NOMEM. */
MUST_USE int lookup_answer(struct lookup *l, struct view id, const struct kad_answered *answer);
void lookup_failed(struct lookup *l, struct view id);

/* 1 with the next event, 0 when it waits for answers or time. After LOOKUP_DONE nothing comes. */
int lookup_next(struct lookup *l, struct lookup_event *ev, uint64_t now);

/* When lookup_next has to be called again, whatever comes. */
uint64_t lookup_deadline(const struct lookup *l);

#endif

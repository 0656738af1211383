/*
 * The peers this node knows: their addresses, protocols and open connections.
 *
 * A peer record lives as long as it has a connection or a dial, and after that until newer peers
 * push it out, least recently used first. Addresses are binary, normalised and without the peer's
 * own trailing /p2p; they expire, and those that failed are pushed to the back of the next dial.
 */
#ifndef NET_ADDRBOOK_H
#define NET_ADDRBOOK_H

#include "base/limits.h"
#include "base/list.h"
#include "base/timers.h"
#include "multiformats/peer_id.h"

#define ADDRBOOK_BUCKETS 64

struct address {
    struct list in_peer;
    uint64_t expires_at;
    uint64_t failed_at; /* 0: never */
    bool is_certified;  /* from a record signed by the peer */
    bool is_kept;       /* the application named it: it never expires */
    size_t len;
    uint8_t bytes[];
};

struct peer {
    struct list in_bucket;
    struct list in_use_order; /* front: longest unused */
    struct peer_id id;
    uint32_t number; /* names the peer inside this node; never reused */
    struct list addresses;
    uint32_t address_count;
    char *protocols;     /* joined by '\n', ended by NUL; null before identify */
    uint64_t record_seq; /* of the newest signed record */
    struct list conns;   /* struct conn, in_peer */
    uint32_t conn_count; /* of these, those that are ready */
    uint8_t rpc_tries;   /* our stream of pubsub to it: how often it was lost, and */
    uint64_t rpc_at;     /* when it is opened again; 0: not lost */
    uint64_t offers_at;  /* when it may offer a WebRTC connection again */
    uint32_t held;       /* who else keeps the record: dials, relays, upgrades */
    uint8_t message_ids; /* the form that its implementation has by default; 0: not known */
    bool is_announced;   /* the application heard of it as discovered */
    bool is_explicit;    /* the router has an agreement with it, and wants it connected */
};

struct addrbook {
    struct mem *mem;
    const struct peerlet_limits *limits;
    struct list buckets[ADDRBOOK_BUCKETS];
    struct list use_order;
    uint32_t count;
    uint32_t last_number;
};

void addrbook_init(struct addrbook *b, struct mem *mem, const struct peerlet_limits *limits);
void addrbook_free(struct addrbook *b);

/* Null when unknown. */
struct peer *addrbook_find(const struct addrbook *b, const struct peer_id *id);

/* Finds or makes; null when memory is out or every known peer is in use. */
struct peer *addrbook_add(struct addrbook *b, const struct peer_id *id);

/* Marks as used now: last to be pushed out. */
void addrbook_touch(struct addrbook *b, struct peer *peer);

/*
 * Remembers an address (a binary multiaddr; a trailing /p2p of the peer itself is cut). True when it
 * was not known before. Past the limit of addresses the one that expires first is dropped.
 */
bool peer_add_address(struct addrbook *b, struct peer *peer, struct view multiaddr,
                      bool is_certified, uint64_t now);

/* The same for an address that is to be remembered as long as the peer is. ERR_NOMEM. */
MUST_USE int peer_keep_address(struct addrbook *b, struct peer *peer, struct view multiaddr,
                               uint64_t now);

/* Forgets the certified addresses that are not kept: a newer signed record replaces them. */
void peer_drop_certified(struct addrbook *b, struct peer *peer);

/* Notes that a dial of this address failed or worked. */
void peer_note_dial(struct peer *peer, struct view multiaddr, bool worked, uint64_t now);

/* Replaces the protocol list; ERR_NOMEM leaves the old one. */
MUST_USE int peer_set_protocols(struct addrbook *b, struct peer *peer, const struct view *at,
                                size_t count);

/* Whether identify named the protocol. */
bool peer_speaks(const struct peer *peer, const char *protocol);

#endif

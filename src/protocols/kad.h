/*
 * One question to one peer of a Kademlia network, and its answer: /ipfs/kad/1.0.0 and, with the same
 * messages, /ipfs/lan/kad/1.0.0. Whom to ask in what order is routing/lookup.h.
 *
 *     we ──Message { 1: type, 2: key }──────────────────────────────▶ peer
 *     we ◀─Message { 1: type, 8: closer peers, 9: providers }──────── peer
 *
 * Messages are length-prefixed. A page is a client: it answers nothing, and does not list the
 * protocol, so that nobody takes it into a routing table. specs/kad-dht, "RPC messages".
 */
#ifndef PROTOCOLS_KAD_H
#define PROTOCOLS_KAD_H

#include "base/limits.h"
#include "protocols/protocol.h"
#include "wire/delimited.h"

extern const struct protocol_ops KAD_OPS;

enum kad_type {
    KAD_ADD_PROVIDER = 2,  /* the key is a CID's multihash, the provider is ourselves; no answer */
    KAD_GET_PROVIDERS = 3, /* the key is a CID's multihash, not the CID */
    KAD_FIND_NODE = 4,     /* the key is a Peer ID, or any other bytes to be near to */
};

/* Longest key: a multihash, or the bytes of an application's own key. */
#define KAD_KEY_MAX_LEN 1024

struct kad {
    enum kad_type type;
    bool is_over;
    struct mem *mem;
    const struct service_limits *limits;
    struct delimited reader;
    struct buf owed;
    struct view *peers; /* room for the two lists of the event */
    uint64_t expires_at;
};

/*
 * Asks; KAD_ANSWERED follows, but for KAD_ADD_PROVIDER, where the stream is done when the message has
 * left. `provider` is of kad_peer_append then, else empty. ERR_TOO_BIG, ERR_NOMEM.
 */
MUST_USE int kad_init(struct kad *k, struct mem *mem, const struct service_limits *limits,
                      enum kad_type type, struct view key, struct view provider, uint64_t now);

/*
 * Reads a peer of an answer. The caller sets `addresses->at` and `room`; valid addresses are put
 * there without the peer's own /p2p, as hints: nobody has signed them. ERR_PROTOCOL,
 * ERR_BAD_PEER_ID.
 */
MUST_USE int kad_peer_parse(struct view in, struct peer_id *peer, struct views *addresses);

/* Appends a peer as messages have it. ERR_FULL, ERR_NOMEM. */
MUST_USE int kad_peer_append(struct buf *out, const struct peer_id *peer,
                             const struct views *addresses);

#endif

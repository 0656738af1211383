/*
 * Who is there: /ipfs/id/1.0.0, asked by whoever opens the stream and told by whoever accepts it,
 * and /ipfs/id/push/1.0.0, told by whoever opens it. One side of such a stream only speaks, the
 * other only listens, so one struct serves both protocols and is initialised as one or the other.
 *
 *                     dialer             listener
 *     IDENTIFY        identify_receive   identify_send
 *     IDENTIFY_PUSH   identify_send      identify_receive
 *
 * The speaker writes one message and closes. The listener takes several until the end, as go splits
 * what is long: it strips the length prefixes and decodes the bodies as one message, since protobuf
 * defines concatenation as merging (last scalar wins, lists grow). specs/identify.
 */
#ifndef PROTOCOLS_IDENTIFY_H
#define PROTOCOLS_IDENTIFY_H

#include "base/limits.h"
#include "protocols/protocol.h"
#include "wire/delimited.h"

extern const struct protocol_ops IDENTIFY_OPS;
extern const struct protocol_ops IDENTIFY_PUSH_OPS;

enum identify_kind { IDENTIFY, IDENTIFY_PUSH };

/* What we say of ourselves; lent for the time of identify_send_init. Null data: left out. */
struct identify_local {
    struct view public_key; /* protobuf; left out of a push */
    struct views addresses; /* binary, best first, without our own /p2p; repeated by the record */
    struct views protocols; /* those we accept, not those we only open */
    struct view observed;   /* the peer's address as we see it; left out of a push */
    struct view agent_version;
    struct view protocol_version;
    struct view record; /* signed envelope */
};

enum identify_state {
    IDENTIFY_SENDING,   /* our message waits in `bytes` */
    IDENTIFY_LISTENING, /* the peer's messages gather in `bytes` */
    IDENTIFY_ENDED,     /* the peer has closed its half */
};

struct identify {
    enum identify_state state;
    struct mem *mem;
    const struct peerlet_limits *limits;
    struct peer_id peer; /* authenticated; what the peer says must agree with it */
    struct delimited reader;
    uint32_t messages; /* received so far */
    struct buf bytes;
    struct view *fields; /* room for the lists of the event */
    uint64_t expires_at;
};

/*
 * Writes the message. Longer than limits->identify_send, addresses are left out from the last; the
 * signed record goes when it does not fit by itself. ERR_TOO_BIG when even the rest does not fit,
 * ERR_NOMEM: nothing is held.
 */
MUST_USE int identify_send_init(struct identify *i, enum identify_kind kind, struct mem *mem,
                                const struct peerlet_limits *limits,
                                const struct identify_local *local, uint64_t now);

/*
 * Listens to `peer`. IDENTIFY_RECEIVED comes from `end`. Errors: ERR_WRONG_PEER when the key told
 * is another's, ERR_BAD_KEY, ERR_PROTOCOL, ERR_TOO_BIG, ERR_NOMEM. A bad address or record is
 * passed over.
 */
void identify_receive_init(struct identify *i, struct mem *mem, const struct peerlet_limits *limits,
                           const struct peer_id *peer, uint64_t now);

#endif

/*
 * The client's side of circuit relay v2.
 *
 *     we ──hop: RESERVE──▶ relay            keep a place where others can reach us
 *     we ──hop: CONNECT──▶ relay ──stop: CONNECT──▶ target
 *     we ◀────STATUS 100── relay ◀──STATUS 100───── target     then raw bytes from end to end
 *
 * All messages are length-prefixed protobufs of at most limits->circuit_message bytes. One struct
 * per stream; an exchange is one message each way, under limits->circuit_ms. specs/relay, "Circuit
 * Relay v2".
 */
#ifndef PROTOCOLS_CIRCUIT_H
#define PROTOCOLS_CIRCUIT_H

#include "base/limits.h"
#include "protocols/protocol.h"
#include "wire/delimited.h"

/* Name, number, what it means to a person who wanted to connect. */
#define CIRCUIT_STATUS_MAP(X)                                                                      \
    X(UNUSED, 0, "the relay gave no reason")                                                       \
    X(OK, 100, "accepted")                                                                         \
    X(RESERVATION_REFUSED, 200, "the relay takes no reservation from this node; is it full?")      \
    X(RESOURCE_LIMIT_EXCEEDED, 201, "the relay is full; try again later or use another one")       \
    X(PERMISSION_DENIED, 202, "the relay does not allow this connection")                          \
    X(CONNECTION_FAILED, 203, "the relay could not reach that peer")                               \
    X(NO_RESERVATION, 204, "that peer is not connected to this relay right now")                   \
    X(MALFORMED_MESSAGE, 400, "the request was not understood")                                    \
    X(UNEXPECTED_MESSAGE, 401, "the request was not expected at this point")

enum circuit_status {
#define CIRCUIT_STATUS_ENUM(name, number, text) CIRCUIT_STATUS_##name = number,
    CIRCUIT_STATUS_MAP(CIRCUIT_STATUS_ENUM)
#undef CIRCUIT_STATUS_ENUM
};

/* "NO_RESERVATION (204): that peer is not connected to this relay right now"; for any number. */
const char *circuit_status_text(uint32_t status);

/* A js relay says 120000 for 120 s, milliseconds in a field of seconds: the absurd means this. */
#define CIRCUIT_LIMIT_UNKNOWN_S 120

/* The limit as received, but for a duration above limits->limited_max_s. */
struct circuit_limit circuit_limit_of(const struct peerlet_limits *limits, uint64_t duration_s,
                                      uint64_t data);

/* A connection under this limit is a limited one. */
static inline bool circuit_is_limited(struct circuit_limit limit)
{
    return limit.duration_s > 0 || limit.data > 0;
}

/*
 * How long to trust a reservation: from `unix_s` to `expire`, but no less than
 * limits->reservation_min_s and no more than reservation_max_s. One that seems to be over gets the
 * minimum: the clock of a browser is wrong more often than that of a relay.
 */
uint32_t circuit_ttl_s(const struct peerlet_limits *limits, uint64_t expire, uint64_t unix_s);

/* The hop protocol, opened to a relay. */
extern const struct protocol_ops CIRCUIT_HOP_OPS;

enum circuit_hop_state {
    CIRCUIT_HOP_RESERVING,  /* waits for the answer to RESERVE */
    CIRCUIT_HOP_CONNECTING, /* waits for the answer to CONNECT */
    CIRCUIT_HOP_CONNECTED,  /* the stream belongs to the relayed connection */
    CIRCUIT_HOP_DONE,       /* reserved or refused */
};

struct circuit_hop {
    enum circuit_hop_state state;
    struct mem *mem;
    const struct peerlet_limits *limits;
    struct peer_id relay, self;
    struct delimited reader;
    struct buf owed;
    struct view *addresses; /* room for the list of the event */
    size_t address_room;
    uint64_t expires_at;
};

/*
 * Asks `relay` for a reservation of `self`: CIRCUIT_RESERVED or CIRCUIT_REFUSED, and the stream is
 * done.
 * A voucher that is present must be a valid one of this relay for us, else ERR_BAD_SIGNATURE.
 * Refreshing is the same request again. ERR_NOMEM.
 */
MUST_USE int circuit_reserve_init(struct circuit_hop *h, struct mem *mem,
                                  const struct peerlet_limits *limits, const struct peer_id *relay,
                                  const struct peer_id *self, uint64_t now);

/*
 * Asks for a connection to `target`: CIRCUIT_CONNECTED, then PROTOCOL_RAW, and every byte of `in`
 * behind the answer is left there for the relayed connection; or CIRCUIT_REFUSED, then
 * PROTOCOL_DONE. ERR_NOMEM.
 */
MUST_USE int circuit_connect_init(struct circuit_hop *h, struct mem *mem,
                                  const struct peerlet_limits *limits, const struct peer_id *target,
                                  uint64_t now);

/* The stop protocol, opened by a relay. */
extern const struct protocol_ops CIRCUIT_STOP_OPS;

enum circuit_stop_state {
    CIRCUIT_STOP_WAITING,  /* for CONNECT */
    CIRCUIT_STOP_ASKING,   /* for circuit_stop_answer */
    CIRCUIT_STOP_ACCEPTED, /* the stream is raw behind the answer */
    CIRCUIT_STOP_REFUSED,
};

struct circuit_stop {
    enum circuit_stop_state state;
    const struct peerlet_limits *limits;
    struct delimited reader;
    struct buf owed;
    uint64_t expires_at;
};

/*
 * Waits for the relay's CONNECT and raises CIRCUIT_STOP. What is not a proper CONNECT is answered
 * with status 400 or 401 here and raises nothing. Bytes behind the message stay in `in`.
 */
void circuit_stop_init(struct circuit_stop *s, struct mem *mem, const struct peerlet_limits *limits,
                       uint64_t now);

/*
 * Answers CIRCUIT_STOP: CIRCUIT_STATUS_OK, then drain returns PROTOCOL_RAW; anything else, then
 * PROTOCOL_DONE. ERR_STREAM_STATE when nothing was asked or it was answered, ERR_NOMEM.
 */
MUST_USE int circuit_stop_answer(struct circuit_stop *s, enum circuit_status status);

#endif

/*
 * /ipfs/ping/1.0.0: 32 random bytes go out, the same come back, as often as the dialer likes.
 *
 * The listener echoes whatever comes as it comes, whole pings or parts. It holds at most
 * limits->ping_owed bytes that the peer has not taken and resets the stream of one that writes on
 * without reading. It waits for ever; the dialer gives each ping its own time. specs/ping.
 */
#ifndef PROTOCOLS_PING_H
#define PROTOCOLS_PING_H

#include "base/limits.h"
#include "base/rng.h"
#include "base/role.h"
#include "protocols/protocol.h"

#define PING_LEN 32

extern const struct protocol_ops PING_OPS;

struct ping {
    enum role role;
    const struct rng *rng;
    uint32_t timeout_ms;
    struct buf owed; /* bytes to write */
    uint8_t expected[PING_LEN];
    size_t received; /* bytes of `expected` that came back; PING_LEN: none is under way */
    uint64_t sent_at;
    bool closing; /* no more pings after the one under way */
    bool ended;   /* the peer has closed its half */
};

/* `rng` and `timeout_ms` (for one answer) are the dialer's; a listener may pass null and 0. */
void ping_init(struct ping *p, enum role role, struct mem *mem, const struct peerlet_limits *limits,
               const struct rng *rng, uint32_t timeout_ms);

/*
 * Dialer: begins a ping, answered by PING_RTT. ERR_FULL while one is under way, ERR_CLOSED after
 * either side closed, ERR_NOMEM.
 */
MUST_USE int ping_send(struct ping *p, uint64_t now);

/* Dialer: the stream is done once the ping under way, if any, is answered. */
void ping_close(struct ping *p);

#endif

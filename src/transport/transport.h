/*
 * What an address means: which transport dials it, whether this page may, and by which route.
 *
 * A transport is a row of functions and one array holds them, best first; adding one is a file and
 * a line. A route says what must exist before the transport's own link can be ordered.
 */
#ifndef TRANSPORT_TRANSPORT_H
#define TRANSPORT_TRANSPORT_H

#include "base/cursor.h"
#include "multiformats/multiaddr.h"
#include "peerlet.h"

enum transport_route {
    ROUTE_SOCKET,    /* a link of its own, ordered at once */
    ROUTE_RELAY,     /* a connection to the relay, and a hop stream on it */
    ROUTE_SIGNALING, /* a connection to the peer itself, and a signaling stream on it */
};

struct transport_ops {
    const char *name;
    enum peerlet_service service; /* switched on by */
    enum transport_route route;
    bool (*matches)(struct view addr);

    /* The URL to open, for ROUTE_SOCKET; null otherwise. ERR_BAD_MULTIADDR, ERR_TOO_BIG. */
    int (*url)(struct view addr, struct writer *out);
};

extern const struct transport_ops TRANSPORT_WEBSOCKET_SECURE;
extern const struct transport_ops TRANSPORT_WEBSOCKET;
extern const struct transport_ops TRANSPORT_WEBRTC;
extern const struct transport_ops TRANSPORT_RELAYED;

/* Longest URL a transport makes. */
#define TRANSPORT_URL_MAX 512

/* The transport of an address among the services that are on, or null. `*rank`: 0 is dialled first. */
const struct transport_ops *transport_of(struct view addr, uint32_t services, unsigned *rank);

/*
 * Whether a page (enum peerlet_page, or'ed) may dial an address: 0, or ERR_NO_ADDRESS / ERR_DENIED
 * with `*why` saying what is in the way and what to do. `reachable_relay`: the relay in the address
 * is connected already, so that its own address does not matter.
 */
MUST_USE int transport_permits(struct view addr, uint32_t services, uint32_t page,
                               bool reachable_relay, const char **why);

#endif

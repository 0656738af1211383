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
    ROUTE_NAME,      /* none: what is behind a name has */
    ROUTE_SOCKET,    /* a link of its own, ordered at once: a WebSocket */
    ROUTE_SESSION,   /* the same: a WebTransport session */
    ROUTE_RTC,       /* the same: an RTCPeerConnection, its answer made out of the address */
    ROUTE_RELAY,     /* a connection to the relay, and a hop stream on it */
    ROUTE_SIGNALING, /* a connection to the peer itself, and a signaling stream on it */
};

struct transport_ops {
    const char *name;
    enum peerlet_service service; /* switched on by */
    enum transport_route route;
    bool (*matches)(struct view addr);

    /* The URL to open, for ROUTE_SOCKET and ROUTE_SESSION; null otherwise. ERR_BAD_MULTIADDR. */
    int (*url)(struct view addr, struct writer *out);
};

extern const struct transport_ops TRANSPORT_DNSADDR;
extern const struct transport_ops TRANSPORT_WEBSOCKET_SECURE;
extern const struct transport_ops TRANSPORT_WEBSOCKET;
extern const struct transport_ops TRANSPORT_WEBTRANSPORT;
extern const struct transport_ops TRANSPORT_WEBRTC_DIRECT;
extern const struct transport_ops TRANSPORT_WEBRTC;
extern const struct transport_ops TRANSPORT_RELAYED;

/* Longest URL a transport makes. */
#define TRANSPORT_URL_MAX 512

static inline bool transport_leads_itself(const struct transport_ops *t)
{
    return t->route <= ROUTE_RTC;
}

/* The transport of an address among the services that are on, or null. `*rank`: 0 is dialled first. */
const struct transport_ops *transport_of(struct view addr, uint32_t services, unsigned *rank);

/*
 * Whether a page (enum peerlet_page, or'ed) may dial an address: 0, or ERR_NO_ADDRESS / ERR_DENIED
 * with `*why` saying what is in the way and what to do. `reachable_relay`: the relay in the address
 * is connected already, so that its own address does not matter.
 */
MUST_USE int transport_permits(struct view addr, uint32_t services, uint32_t page,
                               bool reachable_relay, const char **why);

/* Of a /tcp or /udp. */
uint16_t transport_port(const struct multiaddr_part *part);

/* "host:port" of a URL, the port left out when it is `usual`. A name in /sni is the host. */
void transport_put_authority(struct writer *w, struct view addr, unsigned usual);

/*
 * The sha2-256 digests among the certhashes of an address, one behind the other; browsers take no
 * others. ERR_BAD_MULTIADDR when there is none.
 */
#define CERTHASH_LEN 32
MUST_USE int transport_certhashes(struct view addr, struct writer *out);

/*
 * WebRTC Direct, where nobody signals: the server's one candidate, as a line of its answer would
 * have it, and what both ends say before Noise; `fingerprint` is that of the dialling browser's
 * certificate. ERR_BAD_MULTIADDR. specs/webrtc-direct.
 */
MUST_USE int webrtc_direct_candidate(struct view addr, struct writer *out);
MUST_USE int webrtc_direct_prologue(struct view addr, const uint8_t fingerprint[CERTHASH_LEN],
                                    struct writer *out);

/*
 * How the two ends know each other's ICE name and password, which nobody signals. Version 1: the
 * browser is made to take a name that we drew, and it is everybody's name and password. Version 2:
 * the browser kept its own, and its password is in the server's.
 */
#define WEBRTC_DIRECT_UFRAG_V1 "libp2p+webrtc+v1/"
#define WEBRTC_DIRECT_UFRAG_V2 "libp2p+webrtc+v2/"
#define WEBRTC_DIRECT_UFRAG_LEN (17 + 32)
#define WEBRTC_DIRECT_UFRAG_MAX 256

#endif

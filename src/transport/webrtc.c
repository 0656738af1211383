#include "transport/transport.h"

/* `/webrtc/p2p/T` alone, what js calls an accepted connection, leads nowhere. */
static bool is_webrtc(struct view addr)
{
    struct multiaddr_circuit circuit;
    return multiaddr_kind(addr) == ADDR_WEBRTC && multiaddr_relay(addr, &circuit) == 0;
}

const struct transport_ops TRANSPORT_WEBRTC = {
    .name = "WebRTC",
    .service = PEERLET_WEBRTC,
    .route = ROUTE_SIGNALING,
    .matches = is_webrtc,
};

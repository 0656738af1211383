#include "transport/transport.h"

static bool is_name(struct view addr)
{
    return multiaddr_is_only(multiaddr_without_peer(addr), MULTIADDR_DNSADDR);
}

/* Whatever is behind the name, other services dial it. */
const struct transport_ops TRANSPORT_DNSADDR = {
    .name = "dnsaddr",
    .service = PEERLET_ALL,
    .route = ROUTE_NAME,
    .matches = is_name,
};

#include "transport/transport.h"

static bool is_circuit(struct view addr)
{
    return multiaddr_kind(addr) == ADDR_CIRCUIT;
}

const struct transport_ops TRANSPORT_RELAYED = {
    .name = "relay",
    .service = PEERLET_CIRCUIT,
    .route = ROUTE_RELAY,
    .matches = is_circuit,
};

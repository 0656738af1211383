#include "transport/transport.h"

static bool is_webtransport(struct view addr)
{
    return multiaddr_kind(addr) == ADDR_WEBTRANSPORT;
}

/* specs/webtransport, "WebTransport endpoint". */
static int webtransport_url(struct view addr, struct writer *out)
{
    put_text(out, "https://");
    transport_put_authority(out, addr, 443);
    put_text(out, "/.well-known/libp2p-webtransport?type=noise");
    return out->failed ? ERR_BAD_MULTIADDR : 0;
}

const struct transport_ops TRANSPORT_WEBTRANSPORT = {
    .name = "WebTransport",
    .service = PEERLET_WEBTRANSPORT,
    .route = ROUTE_SESSION,
    .matches = is_webtransport,
    .url = webtransport_url,
};

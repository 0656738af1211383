#include "transport/transport.h"

static bool is_secure(struct view addr)
{
    return multiaddr_kind(addr) == ADDR_SECURE_WEBSOCKET;
}

static bool is_plain(struct view addr)
{
    return multiaddr_kind(addr) == ADDR_WEBSOCKET;
}

/* libp2p addressing spec, "WebSockets"; js-libp2p's mapping is the one that decides. */
static int websocket_url(struct view addr, struct writer *out)
{
    bool secure = is_secure(addr);
    put_text(out, secure ? "wss://" : "ws://");
    transport_put_authority(out, addr, secure ? 443 : 80);
    put_text(out, "/");
    return out->failed ? ERR_BAD_MULTIADDR : 0;
}

const struct transport_ops TRANSPORT_WEBSOCKET_SECURE = {
    .name = "WebSocket (TLS)",
    .service = PEERLET_WEBSOCKET,
    .route = ROUTE_SOCKET,
    .matches = is_secure,
    .url = websocket_url,
};

const struct transport_ops TRANSPORT_WEBSOCKET = {
    .name = "WebSocket",
    .service = PEERLET_WEBSOCKET,
    .route = ROUTE_SOCKET,
    .matches = is_plain,
    .url = websocket_url,
};

#include "transport/transport.h"

static bool is_secure(struct view addr)
{
    return multiaddr_kind(addr) == ADDR_SECURE_WEBSOCKET;
}

static bool is_plain(struct view addr)
{
    return multiaddr_kind(addr) == ADDR_WEBSOCKET;
}

/* The path of a URL: the value is what percent signs stood for, with go without the first slash. */
static void put_path(struct writer *w, struct view addr)
{
    struct multiaddr_part part;
    put_text(w, "/");
    if (!multiaddr_find(addr, MULTIADDR_HTTP_PATH, &part))
        return;
    for (size_t i = 0; i < part.value.len; i++) {
        struct view one = view_of(part.value.data + i, 1);
        if (*one.data != '/')
            multiaddr_format_path(one, w);
        else if (i > 0)
            put_text(w, "/");
    }
}

/* libp2p addressing spec, "WebSockets"; js-libp2p's mapping is the one that decides. */
static int websocket_url(struct view addr, struct writer *out)
{
    bool secure = is_secure(addr);
    put_text(out, secure ? "wss://" : "ws://");
    transport_put_authority(out, addr, secure ? 443 : 80);
    put_path(out, addr);
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

#include "transport/transport.h"

static bool is_secure(struct view addr)
{
    return multiaddr_kind(addr) == ADDR_SECURE_WEBSOCKET;
}

static bool is_plain(struct view addr)
{
    return multiaddr_kind(addr) == ADDR_WEBSOCKET;
}

/* The text of one component's value: what stands behind the second slash. */
static void put_value_text(struct writer *w, struct view part)
{
    uint8_t text[256];
    struct writer t = writer_of(text, sizeof text);
    if (multiaddr_format(part, &t) != 0) {
        w->failed = true;
        return;
    }
    size_t at = 1;
    while (at < t.len && text[at] != '/')
        at++;
    put(w, view_of(text + MIN(at + 1, t.len), t.len - MIN(at + 1, t.len)));
}

/* A certificate is checked against the name in the URL, so an sni component comes first. */
static void put_host(struct writer *w, struct view addr)
{
    struct multiaddr_part part;
    struct view rest = addr;
    if (multiaddr_has(addr, MULTIADDR_TLS) && multiaddr_find(addr, MULTIADDR_SNI, &part)) {
        put(w, part.value);
        return;
    }
    if (multiaddr_next(&rest, &part) != 1) {
        w->failed = true;
        return;
    }
    bool is_ip6 = part.code == MULTIADDR_IP6;
    put(w, is_ip6 ? view_of_text("[") : view_of(NULL, 0));
    put_value_text(w, part.whole);
    put(w, is_ip6 ? view_of_text("]") : view_of(NULL, 0));
}

/* libp2p addressing spec, "WebSockets"; js-libp2p's mapping is the one that decides. */
static int websocket_url(struct view addr, struct writer *out)
{
    bool secure = is_secure(addr);
    struct multiaddr_part part;
    put_text(out, secure ? "wss://" : "ws://");
    put_host(out, addr);
    if (multiaddr_find(addr, MULTIADDR_TCP, &part)) {
        unsigned port = (unsigned)part.value.data[0] << 8 | part.value.data[1];
        if (port != (secure ? 443u : 80u)) {
            put_text(out, ":");
            put_value_text(out, part.whole);
        }
    }
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

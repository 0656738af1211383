#include "transport/transport.h"

#include "multiformats/ip.h"
#include "multiformats/multihash.h"

/*
 * Names hold up nobody (DIAL_NAMES). Of the others what is cheap and proven comes first. A WebTransport session opens as fast as a WebSocket, but a
 * browser has only so many to give, and a peer connection is the dearest of all.
 */
static const struct transport_ops *const TRANSPORTS[] = {
    &TRANSPORT_DNSADDR,      &TRANSPORT_WEBSOCKET_SECURE, &TRANSPORT_WEBSOCKET,
    &TRANSPORT_WEBTRANSPORT, &TRANSPORT_WEBRTC_DIRECT,    &TRANSPORT_WEBRTC,
    &TRANSPORT_RELAYED,
};

const struct transport_ops *transport_of(struct view addr, uint32_t services, unsigned *rank)
{
    for (unsigned i = 0; i < ARRAY_LEN(TRANSPORTS); i++) {
        const struct transport_ops *t = TRANSPORTS[i];
        if ((services & t->service) != 0 && t->matches(addr)) {
            *rank = i;
            return t;
        }
    }
    return NULL;
}

/* Whether the host is a name in other letters than those of URLs. */
static bool is_foreign(struct view host)
{
    struct multiaddr_part part;
    if (multiaddr_next(&host, &part) != 1 || part.code == MULTIADDR_IP4 ||
        part.code == MULTIADDR_IP6)
        return false;
    for (size_t i = 0; i < part.value.len; i++)
        if (part.value.data[i] > 127)
            return true;
    return false;
}

/* What the browser itself, or our care for the user's own network, has against a host. */
static int host_permits(struct view addr, uint32_t page, const char **why)
{
    struct multiaddr_part sni;
    bool has_sni = multiaddr_has(addr, MULTIADDR_TLS) && multiaddr_find(addr, MULTIADDR_SNI, &sni);
    struct view host = has_sni ? sni.whole : addr;
    enum multiaddr_scope scope = multiaddr_scope(host);
    if (is_foreign(host)) {
        *why = "the host name is not ASCII; write it as DNS has it, with xn--";
        return ERR_NO_ADDRESS;
    }
    if (page & PEERLET_PAGE_ANY)
        return 0;
    if ((page & PEERLET_PAGE_SECURE) && scope != SCOPE_LOOPBACK &&
        multiaddr_kind(addr) == ADDR_WEBSOCKET) {
        *why = "a page loaded over https may not open a plain ws://; use an address with /tls/ws";
        return ERR_DENIED;
    }
    if ((scope == SCOPE_LOOPBACK || scope == SCOPE_PRIVATE) && !(page & PEERLET_PAGE_PRIVATE)) {
        *why = "a private network is dialled only from a page of that network; "
               "set connectionGater.denyDialMultiaddr to allow it";
        return ERR_DENIED;
    }
    if (scope == SCOPE_NONE) {
        *why = "no host is there; a page listens on /p2p-circuit and /webrtc";
        return ERR_NO_ADDRESS;
    }
    return 0;
}

int transport_permits(struct view addr, uint32_t services, uint32_t page, bool reachable_relay,
                      const char **why)
{
    unsigned rank;
    const struct transport_ops *t = transport_of(addr, services, &rank);
    if (t == NULL) {
        *why = "no transport dials it; a browser needs /tls/ws, /ws, /webtransport, "
               "/webrtc-direct, /webrtc, /p2p-circuit or /dnsaddr";
        return ERR_NO_ADDRESS;
    }
    if (transport_leads_itself(t))
        return host_permits(addr, page, why);
    struct multiaddr_circuit circuit;
    if (multiaddr_relay(addr, &circuit) != 0 || circuit.relay_id.len == 0) {
        *why = "the address does not name the relay that leads to the peer";
        return ERR_NO_ADDRESS;
    }
    if (reachable_relay)
        return 0;
    t = transport_of(circuit.relay, services, &rank);
    if (t == NULL || !transport_leads_itself(t)) {
        *why = "the relay in the address cannot be dialled from a browser";
        return ERR_NO_ADDRESS;
    }
    return host_permits(circuit.relay, page, why);
}

uint16_t transport_port(const struct multiaddr_part *part)
{
    struct cursor c = cursor_of(part->value);
    return take_u16be(&c);
}

/* A certificate is checked against the name in the URL, so an sni component comes first. */
void transport_put_authority(struct writer *w, struct view addr, unsigned usual)
{
    struct multiaddr_part host, port, sni;
    struct view rest = addr;
    if (multiaddr_next(&rest, &host) != 1) {
        w->failed = true;
        return;
    }
    bool has_port = multiaddr_next(&rest, &port) == 1 &&
                    (port.code == MULTIADDR_TCP || port.code == MULTIADDR_UDP);
    if (multiaddr_has(addr, MULTIADDR_TLS) && multiaddr_find(addr, MULTIADDR_SNI, &sni))
        host = sni;
    bool is_ip6 = host.code == MULTIADDR_IP6;
    put_text(w, is_ip6 ? "[" : "");
    multiaddr_format_host(&host, w);
    put_text(w, is_ip6 ? "]" : "");
    if (!has_port || transport_port(&port) == usual)
        return;
    put_text(w, ":");
    port_format(w, transport_port(&port));
}

int transport_certhashes(struct view addr, struct writer *out)
{
    struct multiaddr_part part;
    struct multihash hash;
    size_t before = out->len;
    while (multiaddr_next(&addr, &part) == 1)
        if (part.code == MULTIADDR_CERTHASH && multihash_parse(part.value, &hash) == 0 &&
            hash.code == MULTIHASH_SHA2_256)
            put(out, hash.digest);
    return out->failed || out->len == before ? ERR_BAD_MULTIADDR : 0;
}

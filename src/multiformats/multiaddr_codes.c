#include "multiformats/multiaddr_codes.h"

#include "multiformats/multiaddr.h"

/* multiformats/multiaddr, protocols.csv. "ipfs" is read as p2p and never written. */
static const struct multiaddr_protocol PROTOCOLS[] = {
    {MULTIADDR_IP4, 4, VALUE_IP4, "ip4"},
    {MULTIADDR_TCP, 2, VALUE_PORT, "tcp"},
    {MULTIADDR_DCCP, 2, VALUE_PORT, "dccp"},
    {MULTIADDR_IP6, 16, VALUE_IP6, "ip6"},
    {MULTIADDR_IP6ZONE, LEN_PREFIXED, VALUE_NAME, "ip6zone"},
    {MULTIADDR_IPCIDR, 1, VALUE_NUMBER8, "ipcidr"},
    {MULTIADDR_DNS, LEN_PREFIXED, VALUE_NAME, "dns"},
    {MULTIADDR_DNS4, LEN_PREFIXED, VALUE_NAME, "dns4"},
    {MULTIADDR_DNS6, LEN_PREFIXED, VALUE_NAME, "dns6"},
    {MULTIADDR_DNSADDR, LEN_PREFIXED, VALUE_NAME, "dnsaddr"},
    {MULTIADDR_SCTP, 2, VALUE_PORT, "sctp"},
    {MULTIADDR_UDP, 2, VALUE_PORT, "udp"},
    {MULTIADDR_P2P_WEBRTC_STAR, 0, VALUE_NONE, "p2p-webrtc-star"},
    {MULTIADDR_P2P_WEBRTC_DIRECT, 0, VALUE_NONE, "p2p-webrtc-direct"},
    {MULTIADDR_P2P_STARDUST, 0, VALUE_NONE, "p2p-stardust"},
    {MULTIADDR_WEBRTC_DIRECT, 0, VALUE_NONE, "webrtc-direct"},
    {MULTIADDR_WEBRTC, 0, VALUE_NONE, "webrtc"},
    {MULTIADDR_P2P_CIRCUIT, 0, VALUE_NONE, "p2p-circuit"},
    {MULTIADDR_UDT, 0, VALUE_NONE, "udt"},
    {MULTIADDR_UTP, 0, VALUE_NONE, "utp"},
    {MULTIADDR_UNIX, LEN_PREFIXED, VALUE_PATH, "unix"},
    {MULTIADDR_P2P, LEN_PREFIXED, VALUE_PEER, "p2p"},
    {MULTIADDR_P2P, LEN_PREFIXED, VALUE_PEER, "ipfs"},
    {MULTIADDR_HTTPS, 0, VALUE_NONE, "https"},
    {MULTIADDR_ONION, 12, VALUE_ONION, "onion"},
    {MULTIADDR_ONION3, 37, VALUE_ONION, "onion3"},
    {MULTIADDR_GARLIC64, LEN_PREFIXED, VALUE_BASE64, "garlic64"},
    {MULTIADDR_GARLIC32, LEN_PREFIXED, VALUE_BASE32, "garlic32"},
    {MULTIADDR_TLS, 0, VALUE_NONE, "tls"},
    {MULTIADDR_SNI, LEN_PREFIXED, VALUE_NAME, "sni"},
    {MULTIADDR_NOISE, 0, VALUE_NONE, "noise"},
    {MULTIADDR_QUIC, 0, VALUE_NONE, "quic"},
    {MULTIADDR_QUIC_V1, 0, VALUE_NONE, "quic-v1"},
    {MULTIADDR_WEBTRANSPORT, 0, VALUE_NONE, "webtransport"},
    {MULTIADDR_CERTHASH, LEN_PREFIXED, VALUE_HASH, "certhash"},
    {MULTIADDR_WS, 0, VALUE_NONE, "ws"},
    {MULTIADDR_WSS, 0, VALUE_NONE, "wss"},
    {MULTIADDR_P2P_WEBSOCKET_STAR, 0, VALUE_NONE, "p2p-websocket-star"},
    {MULTIADDR_HTTP, 0, VALUE_NONE, "http"},
    {MULTIADDR_HTTP_PATH, LEN_PREFIXED, VALUE_PATH, "http-path"},
};

const struct multiaddr_protocol *multiaddr_protocol_by_code(uint64_t code)
{
    for (size_t i = 0; i < ARRAY_LEN(PROTOCOLS); i++)
        if (PROTOCOLS[i].code == code)
            return &PROTOCOLS[i];
    return NULL;
}

const struct multiaddr_protocol *multiaddr_protocol_by_name(struct view name)
{
    for (size_t i = 0; i < ARRAY_LEN(PROTOCOLS); i++)
        if (view_equals_text(name, PROTOCOLS[i].name))
            return &PROTOCOLS[i];
    return NULL;
}

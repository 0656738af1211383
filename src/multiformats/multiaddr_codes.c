#include "multiformats/multiaddr_codes.h"

#include "multiformats/multiaddr.h"
#include "multiformats/multihash.h"

/* I2P: a destination; a hash of one, or the longer name of an encrypted lease set. */
#define GARLIC64_MIN_LEN 386
#define GARLIC32_LEN 32
#define GARLIC32_ENCRYPTED_MIN_LEN 35

/* multiformats/multiaddr, protocols.csv, without `memory`, on whose form go and js do not agree. */
static const struct multiaddr_protocol PROTOCOLS[] = {
    {MULTIADDR_IP4, 4, VALUE_IP4},
    {MULTIADDR_TCP, 2, VALUE_PORT},
    {MULTIADDR_DCCP, 2, VALUE_PORT},
    {MULTIADDR_IP6, 16, VALUE_IP6},
    {MULTIADDR_IP6ZONE, LEN_PREFIXED, VALUE_ZONE},
    {MULTIADDR_IPCIDR, 1, VALUE_MASK},
    {MULTIADDR_DNS, LEN_PREFIXED, VALUE_HOST},
    {MULTIADDR_DNS4, LEN_PREFIXED, VALUE_HOST},
    {MULTIADDR_DNS6, LEN_PREFIXED, VALUE_HOST},
    {MULTIADDR_DNSADDR, LEN_PREFIXED, VALUE_HOST},
    {MULTIADDR_SCTP, 2, VALUE_PORT},
    {MULTIADDR_UDP, 2, VALUE_PORT},
    {MULTIADDR_P2P_WEBRTC_STAR, 0, VALUE_NONE},
    {MULTIADDR_P2P_WEBRTC_DIRECT, 0, VALUE_NONE},
    {MULTIADDR_P2P_STARDUST, 0, VALUE_NONE},
    {MULTIADDR_WEBRTC_DIRECT, 0, VALUE_NONE},
    {MULTIADDR_WEBRTC, 0, VALUE_NONE},
    {MULTIADDR_P2P_CIRCUIT, 0, VALUE_NONE},
    {MULTIADDR_UDT, 0, VALUE_NONE},
    {MULTIADDR_UTP, 0, VALUE_NONE},
    {MULTIADDR_UNIX, LEN_PREFIXED, VALUE_PATH},
    {MULTIADDR_P2P, LEN_PREFIXED, VALUE_PEER},
    {MULTIADDR_HTTPS, 0, VALUE_NONE},
    {MULTIADDR_ONION, 12, VALUE_ONION},
    {MULTIADDR_ONION3, 37, VALUE_ONION},
    {MULTIADDR_GARLIC64, LEN_PREFIXED, VALUE_GARLIC64},
    {MULTIADDR_GARLIC32, LEN_PREFIXED, VALUE_GARLIC32},
    {MULTIADDR_TLS, 0, VALUE_NONE},
    {MULTIADDR_SNI, LEN_PREFIXED, VALUE_HOST},
    {MULTIADDR_NOISE, 0, VALUE_NONE},
    {MULTIADDR_QUIC, 0, VALUE_NONE},
    {MULTIADDR_QUIC_V1, 0, VALUE_NONE},
    {MULTIADDR_WEBTRANSPORT, 0, VALUE_NONE},
    {MULTIADDR_CERTHASH, LEN_PREFIXED, VALUE_HASH},
    {MULTIADDR_WS, 0, VALUE_NONE},
    {MULTIADDR_WSS, 0, VALUE_NONE},
    {MULTIADDR_P2P_WEBSOCKET_STAR, 0, VALUE_NONE},
    {MULTIADDR_HTTP, 0, VALUE_NONE},
    {MULTIADDR_HTTP_PATH, LEN_PREFIXED, VALUE_PATH},
};

const struct multiaddr_protocol *multiaddr_protocol_by_code(uint64_t code)
{
    for (size_t i = 0; i < ARRAY_LEN(PROTOCOLS); i++)
        if (PROTOCOLS[i].code == code)
            return &PROTOCOLS[i];
    return NULL;
}

/* Nothing that has a meaning of its own in a URL; letters past ASCII are the browser's to judge. */
static bool is_host_name(struct view name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
        bool is_digit = c >= '0' && c <= '9';
        if (!is_letter && !is_digit && c != '-' && c != '.' && c != '_')
            return false;
    }
    return true;
}

static bool is_zone(struct view name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] <= ' ' || name.data[i] == '/' || name.data[i] == 0x7f)
            return false;
    return true;
}

bool multiaddr_value_is_good(const struct multiaddr_protocol *p, struct view value)
{
    struct peer_id id;
    struct multihash hash;
    if (p->len == LEN_PREFIXED ? value.len == 0 : value.len != p->len)
        return false;
    switch (p->kind) {
    case VALUE_MASK:
        return value.data[0] <= 128;
    case VALUE_HOST:
        return is_host_name(value);
    case VALUE_ZONE:
        return is_zone(value);
    case VALUE_PEER:
        return peer_id_parse(value, &id) == 0;
    case VALUE_HASH:
        return multihash_parse(value, &hash) == 0;
    case VALUE_ONION:
        return value.data[value.len - 2] != 0 || value.data[value.len - 1] != 0; /* the port */
    case VALUE_GARLIC64:
        return value.len >= GARLIC64_MIN_LEN;
    case VALUE_GARLIC32:
        return value.len == GARLIC32_LEN || value.len >= GARLIC32_ENCRYPTED_MIN_LEN;
    case VALUE_NONE:
    case VALUE_IP4:
    case VALUE_IP6:
    case VALUE_PORT:
    case VALUE_PATH:
        return true;
    }
    return false;
}

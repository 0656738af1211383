#include "multiformats/multiaddr.h"

#include "multiformats/ip.h"
#include "multiformats/multiaddr_codes.h"

int multiaddr_next(struct view *rest, struct multiaddr_part *part)
{
    if (rest->len == 0)
        return 0;
    struct cursor c = cursor_of(*rest);
    uint64_t code = take_uvarint(&c);
    const struct multiaddr_protocol *p = c.failed ? NULL : multiaddr_protocol_by_code(code);
    if (p == NULL)
        return ERR_BAD_MULTIADDR;
    struct view value =
        p->len == LEN_PREFIXED ? take_delimited(&c, MULTIADDR_MAX_LEN) : take(&c, p->len);
    if (c.failed || (p->len == LEN_PREFIXED && value.len == 0))
        return ERR_BAD_MULTIADDR;
    *part = (struct multiaddr_part){
        .code = p->code,
        .value = value,
        .whole = view_of(rest->data, rest->len - c.rest.len),
    };
    *rest = c.rest;
    return 1;
}

/* Takes the next component if it has this code. */
static bool take_code(struct view *rest, enum multiaddr_code code)
{
    struct view after = *rest;
    struct multiaddr_part part;
    if (multiaddr_next(&after, &part) != 1 || part.code != (uint32_t)code)
        return false;
    *rest = after;
    return true;
}

int multiaddr_check(struct view addr)
{
    struct multiaddr_part part;
    if (addr.len > MULTIADDR_MAX_LEN)
        return ERR_TOO_BIG;
    if (addr.len == 0)
        return ERR_BAD_MULTIADDR;
    int rc;
    while ((rc = multiaddr_next(&addr, &part)) == 1)
        if (!multiaddr_value_is_good(multiaddr_protocol_by_code(part.code), part.value))
            return ERR_BAD_MULTIADDR;
    return rc;
}

bool multiaddr_find(struct view addr, enum multiaddr_code code, struct multiaddr_part *part)
{
    while (multiaddr_next(&addr, part) == 1)
        if (part->code == (uint32_t)code)
            return true;
    return false;
}

bool multiaddr_find_last(struct view addr, enum multiaddr_code code, struct multiaddr_part *part)
{
    struct multiaddr_part each;
    bool found = false;
    while (multiaddr_next(&addr, &each) == 1)
        if (each.code == (uint32_t)code) {
            *part = each;
            found = true;
        }
    return found;
}

bool multiaddr_is_only(struct view addr, enum multiaddr_code code)
{
    return take_code(&addr, code) && addr.len == 0;
}

int multiaddr_peer(struct view addr, struct peer_id *out)
{
    struct multiaddr_part part;
    if (!multiaddr_find_last(addr, MULTIADDR_P2P, &part) || peer_id_parse(part.value, out) != 0)
        return ERR_NOT_FOUND;
    return 0;
}

static struct multiaddr_part last_part(struct view addr)
{
    struct multiaddr_part part = {0};
    while (multiaddr_next(&addr, &part) == 1)
        continue;
    return part;
}

struct view multiaddr_without_peer(struct view addr)
{
    struct multiaddr_part last = last_part(addr);
    if (last.code == MULTIADDR_P2P)
        addr.len -= last.whole.len;
    return addr;
}

int multiaddr_relay(struct view addr, struct multiaddr_circuit *out)
{
    struct multiaddr_part part;
    *out = (struct multiaddr_circuit){0};
    if (!multiaddr_find(addr, MULTIADDR_P2P_CIRCUIT, &part))
        return ERR_NOT_FOUND;
    size_t relay_len = (size_t)(part.whole.data - addr.data), taken = relay_len + part.whole.len;
    out->relay = view_of(addr.data, relay_len);
    struct peer_id id;
    if (multiaddr_peer(out->relay, &id) == 0)
        out->relay_id = id;

    struct view rest = view_of(addr.data + taken, addr.len - taken);
    out->has_webrtc = take_code(&rest, MULTIADDR_WEBRTC);
    int rc;
    while ((rc = multiaddr_next(&rest, &part)) == 1) {
        if (part.code != MULTIADDR_P2P || peer_id_parse(part.value, &id) != 0)
            return ERR_NOT_FOUND;
        /* An application may have appended the /p2p that was there. */
        if (out->target.len > 0 && !peer_id_equal(&id, &out->target))
            return ERR_NOT_FOUND;
        out->target = id;
    }
    return rc == 0 ? 0 : ERR_NOT_FOUND;
}

void multiaddr_normalize(struct view addr, struct writer *out)
{
    struct multiaddr_part part;
    while (multiaddr_next(&addr, &part) == 1) {
        if (part.code == MULTIADDR_WSS || part.code == MULTIADDR_HTTPS) {
            put_uvarint(out, MULTIADDR_TLS);
            put_uvarint(out, part.code == MULTIADDR_WSS ? MULTIADDR_WS : MULTIADDR_HTTP);
        } else {
            put(out, part.whole);
        }
    }
}

/* ---- scope --------------------------------------------------------------------------------- */

static enum multiaddr_scope ip4_scope(const uint8_t ip[IP4_LEN])
{
    if (ip[0] == 0)
        return SCOPE_NONE;
    if (ip[0] == 127)
        return SCOPE_LOOPBACK;
    bool is_private = ip[0] == 10 || (ip[0] == 172 && (ip[1] & 0xf0) == 16) ||
                      (ip[0] == 192 && ip[1] == 168) || (ip[0] == 169 && ip[1] == 254) ||
                      (ip[0] == 100 && (ip[1] & 0xc0) == 64);
    return is_private ? SCOPE_PRIVATE : SCOPE_PUBLIC;
}

static enum multiaddr_scope ip6_scope(const uint8_t ip[IP6_LEN])
{
    static const uint8_t NOWHERE[IP6_LEN];
    static const uint8_t LOOPBACK[IP6_LEN] = {[15] = 1};
    static const uint8_t MAPPED[IP6_LEN - IP4_LEN] = {[10] = 0xff, [11] = 0xff};
    if (memcmp(ip, NOWHERE, IP6_LEN) == 0)
        return SCOPE_NONE;
    if (memcmp(ip, LOOPBACK, IP6_LEN) == 0)
        return SCOPE_LOOPBACK;
    if (memcmp(ip, MAPPED, sizeof MAPPED) == 0)
        return ip4_scope(ip + sizeof MAPPED);
    bool is_private = (ip[0] & 0xfe) == 0xfc || (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80);
    return is_private ? SCOPE_PRIVATE : SCOPE_PUBLIC;
}

/* Whether the last label of a name is `label`, in any case and with or without a dot behind it. */
static bool ends_in_label(struct view name, const char *label)
{
    size_t len = strlen(label);
    if (name.len > 0 && name.data[name.len - 1] == '.')
        name.len--;
    if (name.len < len || (name.len > len && name.data[name.len - len - 1] != '.'))
        return false;
    for (size_t i = 0; i < len; i++)
        if ((name.data[name.len - len + i] | 0x20) != label[i])
            return false;
    return true;
}

/* A name that ends in a number is an IPv4 address to a browser, in whatever way it is written. */
static bool ends_in_number(struct view name)
{
    size_t at = name.len;
    if (at > 0 && name.data[at - 1] == '.')
        at--;
    while (at > 0 && name.data[at - 1] != '.')
        at--;
    return at < name.len && name.data[at] >= '0' && name.data[at] <= '9';
}

static enum multiaddr_scope name_scope(struct view name)
{
    uint8_t ip[IP4_LEN];
    if (ends_in_number(name))
        return ip4_parse(name, ip) ? ip4_scope(ip) : SCOPE_NONE;
    if (ends_in_label(name, "localhost"))
        return SCOPE_LOOPBACK;
    return ends_in_label(name, "local") ? SCOPE_PRIVATE : SCOPE_PUBLIC;
}

enum multiaddr_scope multiaddr_scope(struct view addr)
{
    struct multiaddr_part part;
    int rc = multiaddr_next(&addr, &part);
    if (rc == 1 && part.code == MULTIADDR_IP6ZONE)
        rc = multiaddr_next(&addr, &part);
    if (rc != 1)
        return SCOPE_NONE;
    switch (part.code) {
    case MULTIADDR_IP4:
        return ip4_scope(part.value.data);
    case MULTIADDR_IP6:
        return ip6_scope(part.value.data);
    case MULTIADDR_DNS:
    case MULTIADDR_DNS4:
    case MULTIADDR_DNS6:
    case MULTIADDR_DNSADDR:
    case MULTIADDR_SNI:
        return name_scope(part.value);
    default:
        return SCOPE_NONE;
    }
}

/* ---- kind ---------------------------------------------------------------------------------- */

static bool take_ip(struct view *rest)
{
    return take_code(rest, MULTIADDR_IP4) || take_code(rest, MULTIADDR_IP6);
}

static bool take_host(struct view *rest)
{
    return take_ip(rest) || take_code(rest, MULTIADDR_DNS) || take_code(rest, MULTIADDR_DNS4) ||
           take_code(rest, MULTIADDR_DNS6);
}

static bool take_certhashes(struct view *rest)
{
    bool found = take_code(rest, MULTIADDR_CERTHASH);
    take_code(rest, MULTIADDR_CERTHASH);
    return found;
}

/* Nothing follows but the name of the peer. */
static bool take_end(struct view *rest)
{
    take_code(rest, MULTIADDR_P2P);
    return rest->len == 0;
}

static enum multiaddr_kind websocket_kind(struct view rest)
{
    if (!take_host(&rest))
        return ADDR_OTHER;
    take_code(&rest, MULTIADDR_TCP);
    enum multiaddr_kind kind = ADDR_WEBSOCKET;
    if (take_code(&rest, MULTIADDR_TLS)) {
        take_code(&rest, MULTIADDR_SNI);
        kind = ADDR_SECURE_WEBSOCKET;
    }
    if (kind == ADDR_WEBSOCKET && take_code(&rest, MULTIADDR_WSS))
        kind = ADDR_SECURE_WEBSOCKET;
    else if (!take_code(&rest, MULTIADDR_WS))
        return ADDR_OTHER;
    take_code(&rest, MULTIADDR_HTTP_PATH);
    return take_end(&rest) ? kind : ADDR_OTHER;
}

static bool is_webtransport(struct view rest)
{
    return take_host(&rest) && take_code(&rest, MULTIADDR_UDP) &&
           take_code(&rest, MULTIADDR_QUIC_V1) && take_code(&rest, MULTIADDR_WEBTRANSPORT) &&
           take_certhashes(&rest) && take_end(&rest);
}

static bool is_webrtc_direct(struct view rest)
{
    return take_ip(&rest) && take_code(&rest, MULTIADDR_UDP) &&
           take_code(&rest, MULTIADDR_WEBRTC_DIRECT) && take_certhashes(&rest) && take_end(&rest);
}

static bool ends_in_webrtc(struct view addr)
{
    return last_part(multiaddr_without_peer(addr)).code == MULTIADDR_WEBRTC;
}

enum multiaddr_kind multiaddr_kind(struct view addr)
{
    struct multiaddr_circuit circuit;
    if (multiaddr_relay(addr, &circuit) == 0)
        return circuit.has_webrtc ? ADDR_WEBRTC : ADDR_CIRCUIT;
    if (is_webtransport(addr))
        return ADDR_WEBTRANSPORT;
    if (is_webrtc_direct(addr))
        return ADDR_WEBRTC_DIRECT;
    if (ends_in_webrtc(addr))
        return ADDR_WEBRTC;
    return websocket_kind(addr);
}

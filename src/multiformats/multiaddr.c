#include "multiformats/multiaddr.h"

#include "multiformats/multiaddr_codes.h"
#include "multiformats/multihash.h"

static int read_part(struct cursor *c, struct multiaddr_part *part)
{
    const uint8_t *start = c->rest.data;
    uint64_t code = take_uvarint(c);
    const struct multiaddr_protocol *p = c->failed ? NULL : multiaddr_protocol_by_code(code);
    if (p == NULL)
        return ERR_BAD_MULTIADDR;
    part->code = p->code;
    part->value = p->len == LEN_PREFIXED ? take_delimited(c, MULTIADDR_MAX_LEN) : take(c, p->len);
    if (c->failed || (p->len == LEN_PREFIXED && part->value.len == 0))
        return ERR_BAD_MULTIADDR;
    part->whole = view_of(start, (size_t)(c->rest.data - start));
    return 1;
}

int multiaddr_next(struct view *rest, struct multiaddr_part *part)
{
    if (rest->len == 0)
        return 0;
    struct cursor c = cursor_of(*rest);
    int rc = read_part(&c, part);
    if (rc == 1)
        *rest = c.rest;
    return rc;
}

/* What the value itself must be, beside its length. */
static bool value_is_good(const struct multiaddr_part *part)
{
    struct peer_id id;
    struct multihash hash;
    switch (multiaddr_protocol_by_code(part->code)->kind) {
    case VALUE_PEER:
        return peer_id_parse(part->value, &id) == 0;
    case VALUE_HASH:
        return multihash_parse(part->value, &hash) == 0;
    case VALUE_NAME:
        return memchr(part->value.data, '/', part->value.len) == NULL &&
               memchr(part->value.data, '\n', part->value.len) == NULL &&
               memchr(part->value.data, '\0', part->value.len) == NULL;
    default:
        return true;
    }
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
        if (!value_is_good(&part))
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

int multiaddr_peer(struct view addr, struct peer_id *out)
{
    struct multiaddr_part part;
    if (!multiaddr_find_last(addr, MULTIADDR_P2P, &part) || peer_id_parse(part.value, out) != 0)
        return ERR_NOT_FOUND;
    return 0;
}

struct view multiaddr_without_peer(struct view addr)
{
    struct view rest = addr;
    struct multiaddr_part part = {0};
    while (multiaddr_next(&rest, &part) == 1)
        continue;
    if (part.code == MULTIADDR_P2P && rest.len == 0)
        addr.len -= part.whole.len;
    return addr;
}

int multiaddr_relay(struct view addr, struct multiaddr_circuit *out)
{
    struct view rest = addr;
    struct multiaddr_part part;
    *out = (struct multiaddr_circuit){0};
    bool found = false;
    while (!found && multiaddr_next(&rest, &part) == 1)
        found = part.code == MULTIADDR_P2P_CIRCUIT;
    if (!found)
        return ERR_NOT_FOUND;
    out->relay = view_of(addr.data, (size_t)(part.whole.data - addr.data));
    struct peer_id id;
    if (out->relay.len > 0 && multiaddr_peer(out->relay, &id) == 0)
        out->relay_id = id;
    int rc = multiaddr_next(&rest, &part);
    if (rc == 1 && part.code == MULTIADDR_WEBRTC) {
        out->has_webrtc = true;
        rc = multiaddr_next(&rest, &part);
    }
    if (rc == 1 && part.code == MULTIADDR_P2P && peer_id_parse(part.value, &id) == 0) {
        out->target = id;
        /* An application may have appended the same /p2p once more. */
        while ((rc = multiaddr_next(&rest, &part)) == 1)
            if (part.code != MULTIADDR_P2P || !view_equal(part.value, peer_id_view(&id)))
                return ERR_NOT_FOUND;
    }
    return rc == 0 ? 0 : ERR_NOT_FOUND;
}

void multiaddr_normalize(struct view addr, struct writer *out)
{
    struct multiaddr_part part;
    while (multiaddr_next(&addr, &part) == 1) {
        bool is_old = part.code == MULTIADDR_WSS || part.code == MULTIADDR_HTTPS;
        if (is_old)
            put_uvarint(out, MULTIADDR_TLS);
        if (is_old)
            put_uvarint(out, part.code == MULTIADDR_WSS ? MULTIADDR_WS : MULTIADDR_HTTP);
        else
            put(out, part.whole);
    }
}

/* ---- scope ----------------------------------------------------------------------------------------- */

static enum multiaddr_scope ip4_scope(const uint8_t ip[4])
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

static enum multiaddr_scope ip6_scope(const uint8_t ip[16])
{
    static const uint8_t ZERO[16] = {0};
    static const uint8_t MAPPED[12] = {[10] = 0xff, [11] = 0xff};
    if (memcmp(ip, MAPPED, sizeof MAPPED) == 0)
        return ip4_scope(ip + 12);
    if (memcmp(ip, ZERO, 15) == 0)
        return ip[15] == 0 ? SCOPE_NONE : ip[15] == 1 ? SCOPE_LOOPBACK : SCOPE_PUBLIC;
    bool is_private = (ip[0] & 0xfe) == 0xfc || (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80);
    return is_private ? SCOPE_PRIVATE : SCOPE_PUBLIC;
}

static bool ends_in(struct view name, const char *suffix)
{
    size_t len = strlen(suffix);
    return name.len >= len && memcmp(name.data + name.len - len, suffix, len) == 0;
}

static enum multiaddr_scope name_scope(struct view name)
{
    if (view_equals_text(name, "localhost") || ends_in(name, ".localhost"))
        return SCOPE_LOOPBACK;
    return ends_in(name, ".local") ? SCOPE_PRIVATE : SCOPE_PUBLIC;
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
        return name_scope(part.value);
    default:
        return SCOPE_NONE;
    }
}

/* ---- kind ------------------------------------------------------------------------------------------- */

/* A walk that takes components only when they are the expected ones. */
struct walk {
    struct view rest;
};

static bool take_code(struct walk *w, enum multiaddr_code code)
{
    struct view rest = w->rest;
    struct multiaddr_part part;
    if (multiaddr_next(&rest, &part) != 1 || part.code != (uint32_t)code)
        return false;
    w->rest = rest;
    return true;
}

static bool take_host(struct walk *w, bool names_too)
{
    if (take_code(w, MULTIADDR_IP4) || take_code(w, MULTIADDR_IP6))
        return true;
    return names_too && (take_code(w, MULTIADDR_DNS) || take_code(w, MULTIADDR_DNS4) ||
                         take_code(w, MULTIADDR_DNS6));
}

static bool at_end(struct walk w)
{
    take_code(&w, MULTIADDR_P2P);
    return w.rest.len == 0;
}

static bool take_certhashes(struct walk *w)
{
    if (!take_code(w, MULTIADDR_CERTHASH))
        return false;
    take_code(w, MULTIADDR_CERTHASH);
    return true;
}

static enum multiaddr_kind socket_kind(struct walk w)
{
    if (!take_host(&w, true))
        return ADDR_OTHER;
    take_code(&w, MULTIADDR_TCP);
    bool tls = take_code(&w, MULTIADDR_TLS);
    if (tls)
        take_code(&w, MULTIADDR_SNI);
    if (!tls && take_code(&w, MULTIADDR_WSS))
        return at_end(w) ? ADDR_SECURE_WEBSOCKET : ADDR_OTHER;
    if (!take_code(&w, MULTIADDR_WS) || !at_end(w))
        return ADDR_OTHER;
    return tls ? ADDR_SECURE_WEBSOCKET : ADDR_WEBSOCKET;
}

static enum multiaddr_kind udp_kind(struct walk w)
{
    struct walk by_ip = w;
    if (!take_host(&w, true) || !take_code(&w, MULTIADDR_UDP))
        return ADDR_OTHER;
    if (take_code(&w, MULTIADDR_QUIC_V1))
        return take_code(&w, MULTIADDR_WEBTRANSPORT) && take_certhashes(&w) && at_end(w)
                   ? ADDR_WEBTRANSPORT
                   : ADDR_OTHER;
    bool is_direct = take_code(&w, MULTIADDR_WEBRTC_DIRECT) && take_certhashes(&w) && at_end(w);
    return is_direct && take_host(&by_ip, false) ? ADDR_WEBRTC_DIRECT : ADDR_OTHER;
}

enum multiaddr_kind multiaddr_kind(struct view addr)
{
    struct walk w = {addr};
    enum multiaddr_kind kind = socket_kind(w);
    if (kind == ADDR_OTHER)
        kind = udp_kind(w);
    if (kind != ADDR_OTHER)
        return kind;
    struct multiaddr_circuit circuit;
    if (multiaddr_relay(addr, &circuit) == 0)
        return circuit.has_webrtc ? ADDR_WEBRTC : ADDR_CIRCUIT;
    struct multiaddr_part part;
    struct view without = multiaddr_without_peer(addr);
    bool ends_in_webrtc = multiaddr_find_last(without, MULTIADDR_WEBRTC, &part) &&
                          part.whole.data + part.whole.len == without.data + without.len;
    return ends_in_webrtc ? ADDR_WEBRTC : ADDR_OTHER;
}

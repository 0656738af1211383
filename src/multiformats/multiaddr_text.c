#include "base/log.h"
#include "multiformats/ip.h"
#include "multiformats/multiaddr.h"
#include "multiformats/multiaddr_codes.h"
#include "multiformats/multibase.h"

#define PORT_LEN 2
#define QUOTE_MAX 40 /* characters of the text that a fault repeats */

static const char HEX[] = "0123456789ABCDEF";

/* "ipfs" stands behind "p2p": it is read and never written. */
static const struct {
    uint16_t code;
    const char *name;
} NAMES[] = {
    {MULTIADDR_IP4, "ip4"},
    {MULTIADDR_TCP, "tcp"},
    {MULTIADDR_DCCP, "dccp"},
    {MULTIADDR_IP6, "ip6"},
    {MULTIADDR_IP6ZONE, "ip6zone"},
    {MULTIADDR_IPCIDR, "ipcidr"},
    {MULTIADDR_DNS, "dns"},
    {MULTIADDR_DNS4, "dns4"},
    {MULTIADDR_DNS6, "dns6"},
    {MULTIADDR_DNSADDR, "dnsaddr"},
    {MULTIADDR_SCTP, "sctp"},
    {MULTIADDR_UDP, "udp"},
    {MULTIADDR_P2P_WEBRTC_STAR, "p2p-webrtc-star"},
    {MULTIADDR_P2P_WEBRTC_DIRECT, "p2p-webrtc-direct"},
    {MULTIADDR_P2P_STARDUST, "p2p-stardust"},
    {MULTIADDR_WEBRTC_DIRECT, "webrtc-direct"},
    {MULTIADDR_WEBRTC, "webrtc"},
    {MULTIADDR_P2P_CIRCUIT, "p2p-circuit"},
    {MULTIADDR_UDT, "udt"},
    {MULTIADDR_UTP, "utp"},
    {MULTIADDR_UNIX, "unix"},
    {MULTIADDR_P2P, "p2p"},
    {MULTIADDR_P2P, "ipfs"},
    {MULTIADDR_HTTPS, "https"},
    {MULTIADDR_ONION, "onion"},
    {MULTIADDR_ONION3, "onion3"},
    {MULTIADDR_GARLIC64, "garlic64"},
    {MULTIADDR_GARLIC32, "garlic32"},
    {MULTIADDR_TLS, "tls"},
    {MULTIADDR_SNI, "sni"},
    {MULTIADDR_NOISE, "noise"},
    {MULTIADDR_QUIC, "quic"},
    {MULTIADDR_QUIC_V1, "quic-v1"},
    {MULTIADDR_WEBTRANSPORT, "webtransport"},
    {MULTIADDR_CERTHASH, "certhash"},
    {MULTIADDR_WS, "ws"},
    {MULTIADDR_WSS, "wss"},
    {MULTIADDR_P2P_WEBSOCKET_STAR, "p2p-websocket-star"},
    {MULTIADDR_HTTP, "http"},
    {MULTIADDR_HTTP_PATH, "http-path"},
};

static const char *name_of(uint32_t code)
{
    size_t i = 0;
    while (NAMES[i].code != code)
        i++;
    return NAMES[i].name;
}

static const struct multiaddr_protocol *protocol_named(struct view name)
{
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++)
        if (view_equals_text(name, NAMES[i].name))
            return multiaddr_protocol_by_code(NAMES[i].code);
    return NULL;
}

/* ---- binary to text ------------------------------------------------------------------------ */

static bool is_unreserved(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~", c) != NULL);
}

void multiaddr_format_path(struct view path, struct writer *out)
{
    for (size_t i = 0; i < path.len; i++) {
        uint8_t c = path.data[i];
        if (is_unreserved(c)) {
            put_u8(out, c);
        } else {
            put_u8(out, '%');
            put_u8(out, (uint8_t)HEX[c >> 4]);
            put_u8(out, (uint8_t)HEX[c & 15]);
        }
    }
}

static void format_port(struct writer *w, struct view bytes)
{
    struct cursor c = cursor_of(bytes);
    port_format(w, take_u16be(&c));
}

static void format_onion(struct writer *w, struct view bytes)
{
    struct cursor c = cursor_of(bytes);
    base_encode(w, MULTIBASE_BASE32, take(&c, bytes.len - PORT_LEN));
    put_text(w, ":");
    format_port(w, c.rest);
}

/* I2P's own base64: '-' and '~' for '+' and '/', padded. */
static void format_garlic64(struct writer *w, struct view bytes)
{
    size_t start = w->len;
    base_encode(w, MULTIBASE_BASE64, bytes);
    for (size_t i = start; i < w->len; i++) {
        if (w->data[i] == '+')
            w->data[i] = '-';
        else if (w->data[i] == '/')
            w->data[i] = '~';
    }
    while (!w->failed && (w->len - start) % 4 != 0)
        put_text(w, "=");
}

static void format_value(struct writer *w, enum value_kind kind, struct view bytes)
{
    switch (kind) {
    case VALUE_NONE:
        return;
    case VALUE_IP4:
        ip4_format(w, bytes.data);
        return;
    case VALUE_IP6:
        ip6_format(w, bytes.data);
        return;
    case VALUE_MASK:
        port_format(w, bytes.data[0]);
        return;
    case VALUE_PORT:
        format_port(w, bytes);
        return;
    case VALUE_HOST:
    case VALUE_ZONE:
        put(w, bytes);
        return;
    case VALUE_PATH:
        multiaddr_format_path(bytes, w);
        return;
    case VALUE_PEER:
        base_encode(w, MULTIBASE_BASE58, bytes);
        return;
    case VALUE_HASH:
        multibase_encode(w, MULTIBASE_BASE64URL, bytes);
        return;
    case VALUE_ONION:
        format_onion(w, bytes);
        return;
    case VALUE_GARLIC64:
        format_garlic64(w, bytes);
        return;
    case VALUE_GARLIC32:
        base_encode(w, MULTIBASE_BASE32, bytes);
        return;
    }
}

void multiaddr_format_host(const struct multiaddr_part *part, struct writer *out)
{
    if (part->code == MULTIADDR_IP4)
        ip4_format(out, part->value.data);
    else if (part->code == MULTIADDR_IP6)
        ip6_format(out, part->value.data);
    else
        put(out, part->value);
}

int multiaddr_format(struct view addr, struct writer *out)
{
    struct writer w = *out;
    struct multiaddr_part part;
    int rc;
    while ((rc = multiaddr_next(&addr, &part)) == 1) {
        const struct multiaddr_protocol *p = multiaddr_protocol_by_code(part.code);
        put_text(&w, "/");
        put_text(&w, name_of(part.code));
        if (p->kind != VALUE_NONE) {
            put_text(&w, "/");
            format_value(&w, p->kind, part.value);
        }
    }
    if (rc == 0 && w.failed)
        rc = ERR_TOO_BIG;
    if (rc == 0)
        *out = w;
    return rc;
}

/* ---- text to binary ------------------------------------------------------------------------ */

/* Takes the text up to the next `separator`, which is taken too, or all of it. */
static struct view take_word(struct view *rest, uint8_t separator)
{
    const uint8_t *at = rest->len > 0 ? memchr(rest->data, separator, rest->len) : NULL;
    size_t len = at == NULL ? rest->len : (size_t)(at - rest->data);
    size_t taken = at == NULL ? len : len + 1;
    struct view word = view_of(rest->data, len);
    *rest = view_of(rest->data + taken, rest->len - taken);
    return word;
}

static int hex_value(uint8_t c)
{
    if (c >= 'a' && c <= 'f')
        c = (uint8_t)(c - 'a' + 'A');
    const char *at = memchr(HEX, c, sizeof HEX - 1);
    return at == NULL ? -1 : (int)(at - HEX);
}

static bool parse_path(struct writer *w, struct view text)
{
    struct cursor c = cursor_of(text);
    while (c.rest.len > 0) {
        uint8_t byte = take_u8(&c);
        if (byte == '%') {
            struct view digits = take(&c, 2);
            int high = digits.len == 2 ? hex_value(digits.data[0]) : -1;
            int low = digits.len == 2 ? hex_value(digits.data[1]) : -1;
            if (high < 0 || low < 0)
                return false;
            byte = (uint8_t)(high << 4 | low);
        }
        put_u8(w, byte);
    }
    return true;
}

static bool parse_port(struct writer *w, struct view text)
{
    uint16_t port;
    if (!port_parse(text, &port))
        return false;
    put_u16be(w, port);
    return true;
}

static bool parse_mask(struct writer *w, struct view text)
{
    uint16_t bits;
    if (!port_parse(text, &bits) || bits > UINT8_MAX)
        return false;
    put_u8(w, (uint8_t)bits);
    return true;
}

static bool parse_ip(struct writer *w, struct view text, enum value_kind kind)
{
    uint8_t ip[IP6_LEN];
    if (!(kind == VALUE_IP4 ? ip4_parse(text, ip) : ip6_parse(text, ip)))
        return false;
    put(w, view_of(ip, kind == VALUE_IP4 ? IP4_LEN : IP6_LEN));
    return true;
}

static bool parse_peer(struct writer *w, struct view text)
{
    struct peer_id id;
    if (peer_id_parse_text(text, &id) != 0)
        return false;
    put(w, peer_id_view(&id));
    return true;
}

static bool parse_onion(struct writer *w, struct view text)
{
    struct view host = take_word(&text, ':');
    return base_decode(w, MULTIBASE_BASE32, host) == 0 && parse_port(w, text);
}

/* Four letters are three bytes, so they can be translated and decoded by fours. */
static bool parse_garlic64(struct writer *w, struct view text)
{
    struct cursor c = cursor_of(text);
    while (c.rest.len > 0) {
        struct view four = take(&c, 4);
        uint8_t letters[4];
        size_t len = 0;
        while (len < four.len && !(c.rest.len == 0 && four.data[len] == '=')) {
            uint8_t letter = four.data[len];
            letters[len++] = letter == '-' ? '+' : letter == '~' ? '/' : letter;
        }
        if (four.len == 0 || base_decode(w, MULTIBASE_BASE64, view_of(letters, len)) != 0)
            return false;
    }
    return true;
}

/* False when the text is not of that kind; what the bytes must be is checked by the caller. */
static bool parse_value(struct writer *w, enum value_kind kind, struct view text)
{
    switch (kind) {
    case VALUE_NONE:
        return true;
    case VALUE_IP4:
    case VALUE_IP6:
        return parse_ip(w, text, kind);
    case VALUE_MASK:
        return parse_mask(w, text);
    case VALUE_PORT:
        return parse_port(w, text);
    case VALUE_HOST:
    case VALUE_ZONE:
        put(w, text);
        return true;
    case VALUE_PATH:
        return parse_path(w, text);
    case VALUE_PEER:
        return parse_peer(w, text);
    case VALUE_HASH:
        return multibase_decode(w, text) == 0;
    case VALUE_ONION:
        return parse_onion(w, text);
    case VALUE_GARLIC64:
        return parse_garlic64(w, text);
    case VALUE_GARLIC32:
        return base_decode(w, MULTIBASE_BASE32, text) == 0;
    }
    return false;
}

/* What a value should have been. */
static const char *const WANTED[] = {
    [VALUE_NONE] = "empty",
    [VALUE_IP4] = "an IPv4 address (192.0.2.1)",
    [VALUE_IP6] = "an IPv6 address (2001:db8::1)",
    [VALUE_MASK] = "a number of bits (0..128)",
    [VALUE_PORT] = "a port (0..65535)",
    [VALUE_HOST] = "a host name",
    [VALUE_ZONE] = "an interface name",
    [VALUE_PATH] = "a percent-encoded path",
    [VALUE_PEER] = "a Peer ID (12D3Koo...)",
    [VALUE_HASH] = "a hash in multibase (uEi...)",
    [VALUE_ONION] = "an onion address (base32:port)",
    [VALUE_GARLIC64] = "an I2P destination in base64",
    [VALUE_GARLIC32] = "an I2P name in base32",
};

/* Where the reading stands. */
struct reading {
    struct view whole;
    struct view rest;
    struct multiaddr_fault *fault;
};

/* `format` says what is wrong with `what`, which lies in the text, and may name `wanted`. */
static int blame(const struct reading *r, struct view what, const char *format, const char *wanted)
{
    if (r->fault == NULL)
        return ERR_BAD_MULTIADDR;
    r->fault->at = r->whole.len == 0 ? 0 : (size_t)(what.data - r->whole.data);
    what.len = MIN(what.len, QUOTE_MAX);
    char *text = r->fault->text;
    size_t room = sizeof r->fault->text;
    size_t len = text_format(text, room, "at character %u: ", (unsigned)r->fault->at + 1);
    text_format(text + len, room - len, format, &what, wanted);
    return ERR_BAD_MULTIADDR;
}

/* Reads name[/value] and the slash behind it. */
static int read_part(struct reading *r, struct writer *out)
{
    struct view name = take_word(&r->rest, '/');
    const struct multiaddr_protocol *p = protocol_named(name);
    if (name.len == 0)
        return blame(r, name, "a protocol name is missing", NULL);
    if (p == NULL)
        return blame(r, name, "\"%v\" is not a known protocol", NULL);
    put_uvarint(out, p->code);
    if (p->kind == VALUE_NONE)
        return 0;

    struct view text = take_word(&r->rest, '/');
    uint8_t bytes[MULTIADDR_MAX_LEN];
    struct writer value = writer_of(bytes, sizeof bytes);
    if (text.len == 0)
        return blame(r, name, "\"%v\" must be followed by %s", WANTED[p->kind]);
    bool good = text.len > 0 && parse_value(&value, p->kind, text);
    if (value.failed)
        return ERR_TOO_BIG;
    if (!good || !multiaddr_value_is_good(p, writer_view(&value)))
        return blame(r, text, "\"%v\" is not %s", WANTED[p->kind]);
    if (p->len == LEN_PREFIXED)
        put_uvarint(out, value.len);
    put(out, writer_view(&value));
    return 0;
}

int multiaddr_parse_text(struct view text, struct writer *out, struct multiaddr_fault *fault)
{
    struct writer w = *out;
    struct reading r = {text, text, fault};
    if (text.len == 0)
        return blame(&r, text, "the address is empty", NULL);
    if (take_word(&r.rest, '/').len > 0)
        return blame(&r, text, "an address begins with a slash", NULL);
    int rc;
    do
        rc = read_part(&r, &w);
    while (rc == 0 && r.rest.len > 0);
    if (rc == 0 && (w.failed || w.len - out->len > MULTIADDR_MAX_LEN))
        rc = ERR_TOO_BIG;
    if (rc == 0)
        *out = w;
    return rc;
}

#include "base/log.h"
#include "multiformats/multiaddr.h"
#include "multiformats/multiaddr_codes.h"
#include "multiformats/multibase.h"
#include "multiformats/multihash.h"

#define ONION_PORT_LEN 2

/* ---- values to text ---------------------------------------------------------------------------------- */

static void put_number(struct writer *w, unsigned value, unsigned base)
{
    uint8_t digits[10];
    size_t n = 0;
    do
        digits[n++] = (uint8_t)"0123456789abcdef"[value % base];
    while (value /= base);
    while (n > 0)
        put_u8(w, digits[--n]);
}

static void put_ip4(struct writer *w, const uint8_t *ip)
{
    for (int i = 0; i < 4; i++) {
        if (i > 0)
            put_u8(w, '.');
        put_number(w, ip[i], 10);
    }
}

static unsigned group(const uint8_t *ip, int i)
{
    return (unsigned)ip[2 * i] << 8 | ip[2 * i + 1];
}

/* RFC 5952: the longest run of zero groups, of two or more, becomes "::". */
static void put_ip6(struct writer *w, const uint8_t *ip)
{
    int best = -1, best_len = 1;
    for (int i = 0; i < 8; i++) {
        int len = 0;
        while (i + len < 8 && group(ip, i + len) == 0)
            len++;
        if (len > best_len) {
            best = i;
            best_len = len;
        }
    }
    for (int i = 0; i < 8; i++) {
        if (i == best) {
            put_text(w, i == 0 ? "::" : ":");
            i += best_len - 1;
            continue;
        }
        put_number(w, group(ip, i), 16);
        if (i < 7)
            put_u8(w, ':');
    }
}

static bool is_plain(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~", c) != NULL);
}

static void put_percent(struct writer *w, struct view bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (is_plain(bytes.data[i])) {
            put_u8(w, bytes.data[i]);
            continue;
        }
        put_u8(w, '%');
        put_u8(w, (uint8_t)"0123456789ABCDEF"[bytes.data[i] >> 4]);
        put_u8(w, (uint8_t)"0123456789ABCDEF"[bytes.data[i] & 15]);
    }
}

static unsigned port_of(struct view v)
{
    return (unsigned)v.data[v.len - 2] << 8 | v.data[v.len - 1];
}

static void put_value(struct writer *w, enum value_kind kind, struct view v)
{
    switch (kind) {
    case VALUE_NONE:
        return;
    case VALUE_IP4:
        put_ip4(w, v.data);
        return;
    case VALUE_IP6:
        put_ip6(w, v.data);
        return;
    case VALUE_NUMBER8:
        put_number(w, v.data[0], 10);
        return;
    case VALUE_PORT:
        put_number(w, port_of(v), 10);
        return;
    case VALUE_NAME:
        put(w, v);
        return;
    case VALUE_PATH:
        /* js keeps the leading slash in the bytes, go does not: neither writes it. */
        put_percent(w, v.data[0] == '/' ? view_of(v.data + 1, v.len - 1) : v);
        return;
    case VALUE_PEER:
        base_encode(w, MULTIBASE_BASE58, v);
        return;
    case VALUE_HASH:
        multibase_encode(w, MULTIBASE_BASE64URL, v);
        return;
    case VALUE_ONION:
        base_encode(w, MULTIBASE_BASE32, view_of(v.data, v.len - ONION_PORT_LEN));
        put_u8(w, ':');
        put_number(w, port_of(v), 10);
        return;
    case VALUE_BASE64:
        base_encode(w, MULTIBASE_BASE64, v);
        return;
    case VALUE_BASE32:
        base_encode(w, MULTIBASE_BASE32, v);
        return;
    }
}

int multiaddr_format(struct view addr, struct writer *out)
{
    size_t before = out->len;
    struct multiaddr_part part;
    int rc;
    while ((rc = multiaddr_next(&addr, &part)) == 1) {
        const struct multiaddr_protocol *p = multiaddr_protocol_by_code(part.code);
        put_u8(out, '/');
        put_text(out, p->name);
        if (p->kind != VALUE_NONE) {
            put_u8(out, '/');
            put_value(out, (enum value_kind)p->kind, part.value);
        }
    }
    if (rc == 0 && !out->failed)
        return 0;
    out->len = before;
    return rc < 0 ? ERR_BAD_MULTIADDR : ERR_TOO_BIG;
}

/* ---- text to values ------------------------------------------------------------------------------------- */

/* A decimal number without sign or padding; false past `most`. */
static bool read_number(struct view text, unsigned most, unsigned *value)
{
    *value = 0;
    if (text.len == 0 || text.len > 6 || (text.len > 1 && text.data[0] == '0'))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        *value = *value * 10 + (unsigned)(text.data[i] - '0');
    }
    return *value <= most;
}

/* The text up to `separator`, which is taken too; all of it when there is none. */
static struct view cut(struct view *text, uint8_t separator)
{
    const uint8_t *at = text->len ? memchr(text->data, separator, text->len) : NULL;
    struct view front = view_of(text->data, at ? (size_t)(at - text->data) : text->len);
    size_t skip = MIN(front.len + 1, text->len);
    *text = view_of(text->len ? text->data + skip : text->data, text->len - skip);
    return front;
}

static bool read_ip4(struct view text, uint8_t ip[4])
{
    unsigned value, dots = 0;
    for (size_t i = 0; i < text.len; i++)
        dots += text.data[i] == '.';
    for (int i = 0; i < 4; i++) {
        if (!read_number(cut(&text, '.'), 255, &value))
            return false;
        ip[i] = (uint8_t)value;
    }
    return dots == 3;
}

static bool read_group(struct view text, uint8_t out[2])
{
    unsigned value = 0;
    if (text.len == 0 || text.len > 4)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i] | 0x20;
        const char *digit = strchr("0123456789abcdef", c);
        if (digit == NULL)
            return false;
        value = value << 4 | (unsigned)(digit - "0123456789abcdef");
    }
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
    return true;
}

/* Groups between colons; the last may be an ip4. Returns how many bytes, or 17 when it is wrong. */
static size_t read_groups(struct view text, uint8_t out[16])
{
    size_t len = 0;
    if (text.len == 0)
        return 0;
    if (text.data[text.len - 1] == ':')
        return 17;
    while (text.len > 0) {
        struct view part = cut(&text, ':');
        if (text.len == 0 && memchr(part.data, '.', part.len)) {
            if (len > 12 || !read_ip4(part, out + len))
                return 17;
            return len + 4;
        }
        if (len > 14 || !read_group(part, out + len))
            return 17;
        len += 2;
    }
    return len;
}

static bool read_ip6(struct view text, uint8_t ip[16])
{
    size_t gap = text.len;
    for (size_t i = 0; i + 1 < text.len && gap == text.len; i++)
        if (text.data[i] == ':' && text.data[i + 1] == ':')
            gap = i;
    uint8_t front[16], back[16];
    size_t front_len = read_groups(view_of(text.data, gap), front);
    if (gap == text.len) {
        memcpy(ip, front, 16);
        return front_len == 16;
    }
    size_t back_len = read_groups(view_of(text.data + gap + 2, text.len - gap - 2), back);
    if (front_len > 14 || back_len > 14 || front_len + back_len > 14)
        return false;
    memset(ip, 0, 16);
    memcpy(ip, front, front_len);
    memcpy(ip + 16 - back_len, back, back_len);
    return true;
}

static int hex_value(uint8_t c)
{
    const char *at = c ? strchr("0123456789abcdef", c | 0x20) : NULL;
    return at ? (int)(at - "0123456789abcdef") : -1;
}

static bool read_percent(struct view text, struct writer *w)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != '%') {
            put_u8(w, text.data[i]);
            continue;
        }
        if (text.len - i < 3)
            return false;
        int high = hex_value(text.data[i + 1]), low = hex_value(text.data[i + 2]);
        if (high < 0 || low < 0)
            return false;
        put_u8(w, (uint8_t)(high << 4 | low));
        i += 2;
    }
    return true;
}

static bool read_onion(struct view text, const struct multiaddr_protocol *p, struct writer *w)
{
    unsigned port;
    struct view host = cut(&text, ':');
    if (base_decode(w, MULTIBASE_BASE32, host) != 0 || w->len != (size_t)p->len - ONION_PORT_LEN ||
        !read_number(text, 65535, &port) || port == 0)
        return false;
    put_u16be(w, (uint16_t)port);
    return true;
}

static bool read_hash(struct view text, struct writer *w)
{
    struct multihash hash;
    return multibase_decode(w, text) == 0 && multihash_parse(writer_view(w), &hash) == 0;
}

static bool read_peer(struct view text, struct writer *w)
{
    struct peer_id id;
    if (peer_id_parse_text(text, &id) != 0)
        return false;
    put(w, peer_id_view(&id));
    return true;
}

static bool is_name(struct view text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= ' ' || text.data[i] == 0x7f)
            return false;
    return true;
}

/* What a value of each kind is called when it is wrong. */
static const char *const WANTED[] = {
    [VALUE_NONE] = "",
    [VALUE_IP4] = "an IPv4 address (like 192.0.2.1)",
    [VALUE_IP6] = "an IPv6 address (like 2001:db8::1)",
    [VALUE_NUMBER8] = "a number (0..255)",
    [VALUE_PORT] = "a port (0..65535)",
    [VALUE_NAME] = "a name",
    [VALUE_PATH] = "a percent-encoded path",
    [VALUE_PEER] = "a Peer ID",
    [VALUE_HASH] = "a multihash in multibase",
    [VALUE_ONION] = "an onion address with a port",
    [VALUE_BASE64] = "base64",
    [VALUE_BASE32] = "base32",
};

static bool read_value(struct view text, const struct multiaddr_protocol *p, struct writer *w)
{
    uint8_t ip[16];
    unsigned number;
    switch ((enum value_kind)p->kind) {
    case VALUE_NONE:
        return true;
    case VALUE_IP4:
        put(w, view_of(ip, read_ip4(text, ip) ? 4 : 0));
        return w->len == 4;
    case VALUE_IP6:
        put(w, view_of(ip, read_ip6(text, ip) ? 16 : 0));
        return w->len == 16;
    case VALUE_NUMBER8:
        put_u8(w, read_number(text, 255, &number) ? (uint8_t)number : 0);
        return read_number(text, 255, &number);
    case VALUE_PORT:
        put_u16be(w, read_number(text, 65535, &number) ? (uint16_t)number : 0);
        return read_number(text, 65535, &number);
    case VALUE_NAME:
        put(w, text);
        return is_name(text);
    case VALUE_PATH:
        put_u8(w, '/');
        return read_percent(text, w);
    case VALUE_PEER:
        return read_peer(text, w);
    case VALUE_HASH:
        return read_hash(text, w);
    case VALUE_ONION:
        return read_onion(text, p, w);
    case VALUE_BASE64:
        return base_decode(w, MULTIBASE_BASE64, text) == 0;
    case VALUE_BASE32:
        return base_decode(w, MULTIBASE_BASE32, text) == 0;
    }
    return false;
}

static int blame(struct multiaddr_fault *fault, size_t at, const char *format, struct view what,
                 const char *wanted)
{
    if (fault == NULL)
        return ERR_BAD_MULTIADDR;
    /* Room for the rest of the sentence: what is quoted is cut. */
    what.len = MIN(what.len, (size_t)32);
    fault->at = at;
    size_t len = text_format(fault->text, sizeof fault->text, "at character %u: ",
                             (unsigned)at + 1);
    text_format(fault->text + len, sizeof fault->text - len, format, &what, wanted);
    return ERR_BAD_MULTIADDR;
}

static void put_part(struct writer *out, const struct multiaddr_protocol *p, struct view value)
{
    put_uvarint(out, p->code);
    if (p->len == LEN_PREFIXED)
        put_delimited(out, value);
    else
        put(out, value);
}

/* One /name[/value]; `text` stands behind the slash in front of the name. */
static int read_component(struct view whole, struct view *text, struct writer *out,
                          struct multiaddr_fault *fault)
{
    size_t at = (size_t)(text->data - whole.data);
    struct view name = cut(text, '/');
    const struct multiaddr_protocol *p = multiaddr_protocol_by_name(name);
    if (p == NULL)
        return name.len == 0 ? blame(fault, at, "a protocol name is missing", name, "")
                             : blame(fault, at, "\"%v\" is not a known protocol", name, "");
    uint8_t value[MULTIADDR_MAX_LEN / 2];
    struct writer w = writer_of(value, sizeof value);
    if (p->kind != VALUE_NONE) {
        at = (size_t)(text->data - whole.data);
        struct view word = cut(text, '/');
        if (word.len == 0)
            return blame(fault, MIN(at, whole.len), "\"%v\" wants a value behind it", name, "");
        if (!read_value(word, p, &w) || w.failed)
            return blame(fault, at, "\"%v\" is not %s", word, WANTED[p->kind]);
    }
    put_part(out, p, writer_view(&w));
    return 0;
}

int multiaddr_parse_text(struct view text, struct writer *out, struct multiaddr_fault *fault)
{
    struct view whole = text;
    struct writer before = *out;
    if (text.len == 0 || text.data[0] != '/')
        return blame(fault, 0, "it does not begin with a slash", text, "");
    text = view_of(text.data + 1, text.len - 1);
    int rc = text.len > 0 ? 0 : blame(fault, 0, "there is nothing behind the slash", text, "");
    while (rc == 0 && text.len > 0)
        rc = read_component(whole, &text, out, fault);
    if (rc == 0 && (out->failed || out->len - before.len > MULTIADDR_MAX_LEN))
        rc = ERR_TOO_BIG;
    if (rc != 0)
        *out = before;
    return rc;
}

#include "protocols/candidate.h"

#include "protocols/text.h"

#define PORT_LOWEST 1024
#define PORT_DISCARD 9 /* what a TCP candidate that will only connect has for a port */

static bool is_octet(struct view digits)
{
    uint64_t octet;
    return digits.len <= 3 && text_number(digits, 255, &octet);
}

static bool is_ip4(struct view address)
{
    for (int dots = 0; dots < 3; dots++)
        if (!is_octet(text_until(&address, '.')))
            return false;
    return is_octet(address);
}

/* What has a colon cannot be a host name, so the browser may judge the rest of it. */
static bool is_ip6(struct view address)
{
    return text_is_made_of(address, 2, 45, ":.") && memchr(address.data, ':', address.len) != NULL;
}

static bool is_mdns_name(struct view address)
{
    static const char suffix[] = ".local";
    size_t len = sizeof suffix - 1;
    return address.len > len && text_is_made_of(address, 0, 255, "-.") &&
           text_is_like(view_of(address.data + address.len - len, len), suffix);
}

static bool is_address(struct view address)
{
    return is_ip4(address) || is_ip6(address) || is_mdns_name(address);
}

static bool is_type(struct view type)
{
    return view_equals_text(type, "host") || view_equals_text(type, "srflx") ||
           view_equals_text(type, "prflx") || view_equals_text(type, "relay");
}

/* Printable words; quote and backslash are kept out for the sake of candidate_format. */
static bool are_extensions(struct view rest)
{
    while (rest.len > 0)
        if (!text_is_made_of(text_until(&rest, ' '), 1, 256, "!#$%&'()*+,-./:;<=>?@[]^_`{|}~"))
            return false;
    return true;
}

bool candidate_is_valid(struct view line)
{
    uint64_t component, priority, port;
    struct view rest = line;
    if (!text_skip(&rest, "candidate:"))
        return false;
    if (!text_is_made_of(text_until(&rest, ' '), 1, 32, TEXT_ICE) ||
        !text_number(text_until(&rest, ' '), 256, &component))
        return false;

    struct view transport = text_until(&rest, ' ');
    bool tcp = text_is_like(transport, "tcp");
    if (!tcp && !text_is_like(transport, "udp"))
        return false;

    if (!text_number(text_until(&rest, ' '), UINT32_MAX, &priority) ||
        !is_address(text_until(&rest, ' ')) ||
        !text_number(text_until(&rest, ' '), UINT16_MAX, &port))
        return false;
    if (port < PORT_LOWEST && !(tcp && port == PORT_DISCARD))
        return false;

    return view_equals_text(text_until(&rest, ' '), "typ") && is_type(text_until(&rest, ' ')) &&
           are_extensions(rest);
}

static void skip_space(struct cursor *c)
{
    while (!c->failed && c->rest.len > 0 && memchr(" \t\r\n", c->rest.data[0], 4) != NULL)
        take_u8(c);
}

/* What stands next behind white space; 0 at the end. */
static uint8_t peek(struct cursor *c)
{
    skip_space(c);
    return c->rest.len > 0 ? c->rest.data[0] : 0;
}

static void expect(struct cursor *c, uint8_t character)
{
    if (peek(c) != character)
        c->failed = true;
    take_u8(c);
}

/* A JSON string without its quotes, escapes left as they are: no value we let in has any. */
static struct view take_string(struct cursor *c)
{
    expect(c, '"');
    const uint8_t *from = c->rest.data;
    for (uint8_t at = take_u8(c); at != '"' && !c->failed; at = take_u8(c)) {
        if (at < ' ')
            c->failed = true;
        if (at == '\\')
            take_u8(c);
    }
    return c->failed ? view_of(NULL, 0) : view_of(from, (size_t)(c->rest.data - from) - 1);
}

/* A number or a literal; an object or list ends in failure. */
static struct view take_word(struct cursor *c)
{
    skip_space(c);
    struct view from = c->rest;
    size_t len = 0;
    while (len < from.len && text_is_made_of(view_of(from.data + len, 1), 1, 1, "+-."))
        len++;
    if (len == 0)
        c->failed = true;
    return take(c, len);
}

/* A string, or null, which leaves `*value` null. */
static void take_string_or_null(struct cursor *c, struct view *value)
{
    *value = view_of(NULL, 0);
    if (peek(c) == '"')
        *value = take_string(c);
    else if (!view_equals_text(take_word(c), "null"))
        c->failed = true;
}

static void take_index(struct cursor *c)
{
    uint64_t index;
    struct view word = take_word(c);
    if (!view_equals_text(word, "null") && !text_number(word, 0, &index))
        c->failed = true;
}

static void take_member(struct cursor *c, struct candidate *candidate)
{
    struct view name = take_string(c);
    expect(c, ':');
    if (view_equals_text(name, "candidate"))
        candidate->line = take_string(c);
    else if (view_equals_text(name, "sdpMid"))
        take_string_or_null(c, &candidate->mid);
    else if (view_equals_text(name, "sdpMLineIndex"))
        take_index(c);
    else if (view_equals_text(name, "usernameFragment"))
        take_string_or_null(c, &candidate->ufrag);
    else if (peek(c) == '"')
        take_string(c);
    else
        take_word(c);
}

static void take_object(struct cursor *c, struct candidate *candidate)
{
    expect(c, '{');
    do
        take_member(c, candidate);
    while (peek(c) == ',' && take_u8(c) == ',');
    expect(c, '}');
    if (candidate->line.data == NULL)
        c->failed = true;
    text_skip(&candidate->line, "a="); /* node-datachannel gives the whole line of the SDP */
}

/* null or "" */
static void take_nothing(struct cursor *c)
{
    struct view text;
    take_string_or_null(c, &text);
    if (text.len > 0)
        c->failed = true;
}

static bool is_valid(const struct candidate *candidate)
{
    struct view mid = candidate->mid, ufrag = candidate->ufrag;
    return candidate_is_valid(candidate->line) &&
           (mid.data == NULL || text_is_made_of(mid, 1, 32, TEXT_TOKEN)) &&
           (ufrag.data == NULL || text_is_made_of(ufrag, 4, 256, TEXT_ICE));
}

int candidate_parse(struct view json, struct candidate *candidate)
{
    *candidate = (struct candidate){0};
    struct cursor c = cursor_of(json);
    if (peek(&c) == '{')
        take_object(&c, candidate);
    else if (c.rest.len > 0)
        take_nothing(&c);
    skip_space(&c);
    if (c.failed || c.rest.len > 0)
        return ERR_BAD_MESSAGE;
    return candidate->line.len == 0 || is_valid(candidate) ? 0 : ERR_BAD_MESSAGE;
}

static void put_member(struct writer *w, const char *name, struct view value)
{
    put_text(w, name);
    put(w, value);
    put_u8(w, '"');
}

void candidate_format(const struct candidate *candidate, struct writer *w)
{
    put_member(w, "{\"candidate\":\"", candidate->line);
    if (candidate->mid.data != NULL)
        put_member(w, ",\"sdpMid\":\"", candidate->mid);
    if (candidate->ufrag.data != NULL)
        put_member(w, ",\"usernameFragment\":\"", candidate->ufrag);
    put_text(w, ",\"sdpMLineIndex\":0}");
}

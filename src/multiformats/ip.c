#include "multiformats/ip.h"

#include "base/log.h"

#define GROUP_LEN 2
#define GROUP_DIGITS 4
#define NO_GAP SIZE_MAX

/* The value of a digit, or `radix` for anything else. */
static unsigned digit_value(uint8_t digit, unsigned radix)
{
    unsigned value = radix;
    if (digit >= '0' && digit <= '9')
        value = digit - '0';
    else if (digit >= 'a' && digit <= 'f')
        value = digit - 'a' + 10;
    else if (digit >= 'A' && digit <= 'F')
        value = digit - 'A' + 10;
    return MIN(value, radix);
}

/* Takes all digits at the front; fails when there are none or they make more than `most`. */
static unsigned take_number(struct cursor *c, unsigned radix, unsigned most)
{
    const struct view start = c->rest;
    unsigned value = 0;
    while (!c->failed && c->rest.len > 0 && digit_value(c->rest.data[0], radix) < radix) {
        value = value * radix + digit_value(take_u8(c), radix);
        c->failed = value > most;
    }
    size_t digits = start.len - c->rest.len;
    if (digits == 0 || (radix == 16 && digits > GROUP_DIGITS) ||
        (radix == 10 && digits > 1 && start.data[0] == '0'))
        c->failed = true;
    return value;
}

/* Takes `letter` if it is next. */
static bool take_letter(struct cursor *c, char letter)
{
    if (c->failed || c->rest.len == 0 || c->rest.data[0] != (uint8_t)letter)
        return false;
    take_u8(c);
    return true;
}

static bool is_done(const struct cursor *c)
{
    return !c->failed && c->rest.len == 0;
}

bool port_parse(struct view text, uint16_t *out)
{
    struct cursor c = cursor_of(text);
    *out = (uint16_t)take_number(&c, 10, UINT16_MAX);
    return is_done(&c);
}

bool ip4_parse(struct view text, uint8_t out[IP4_LEN])
{
    struct cursor c = cursor_of(text);
    for (size_t i = 0; i < IP4_LEN; i++) {
        if (i > 0 && !take_letter(&c, '.'))
            return false;
        out[i] = (uint8_t)take_number(&c, 10, UINT8_MAX);
    }
    return is_done(&c);
}

bool ip6_parse(struct view text, uint8_t out[IP6_LEN])
{
    struct cursor c = cursor_of(text);
    size_t len = 0, gap = NO_GAP; /* gap: where "::" stands */
    if (take_letter(&c, ':')) {
        gap = 0;
        c.failed = !take_letter(&c, ':');
    }
    while (!c.failed && c.rest.len > 0) {
        if (len <= IP6_LEN - IP4_LEN && ip4_parse(c.rest, out + len)) {
            len += IP4_LEN;
            c.rest.len = 0;
            break;
        }
        if (len == IP6_LEN)
            return false;
        unsigned group = take_number(&c, 16, UINT16_MAX);
        out[len++] = (uint8_t)(group >> 8);
        out[len++] = (uint8_t)group;
        if (c.rest.len == 0)
            break;
        bool colon = take_letter(&c, ':'), second = take_letter(&c, ':');
        if (!colon || (second && gap != NO_GAP) || (!second && c.rest.len == 0))
            return false;
        if (second)
            gap = len;
    }
    if (!is_done(&c))
        return false;
    if (gap == NO_GAP)
        return len == IP6_LEN;
    if (len > IP6_LEN - GROUP_LEN)
        return false;
    memmove(out + IP6_LEN - (len - gap), out + gap, len - gap);
    memset(out + gap, 0, IP6_LEN - len);
    return true;
}

void port_format(struct writer *w, uint16_t port)
{
    char text[sizeof "65535"];
    text_format(text, sizeof text, "%u", (unsigned)port);
    put_text(w, text);
}

void ip4_format(struct writer *w, const uint8_t ip[IP4_LEN])
{
    char text[sizeof "255.255.255.255"];
    text_format(text, sizeof text, "%u.%u.%u.%u", (unsigned)ip[0], (unsigned)ip[1], (unsigned)ip[2],
                (unsigned)ip[3]);
    put_text(w, text);
}

static unsigned group_at(const uint8_t ip[IP6_LEN], size_t at)
{
    return (unsigned)ip[at] << 8 | ip[at + 1];
}

/* The first longest run of two or more zero groups; its length in bytes is 0 when there is none. */
static size_t longest_zeros(const uint8_t ip[IP6_LEN], size_t *start)
{
    size_t longest = 0;
    for (size_t from = 0; from < IP6_LEN; from += GROUP_LEN) {
        size_t to = from;
        while (to < IP6_LEN && group_at(ip, to) == 0)
            to += GROUP_LEN;
        if (to - from > MAX(longest, GROUP_LEN)) {
            longest = to - from;
            *start = from;
        }
    }
    return longest;
}

void ip6_format(struct writer *w, const uint8_t ip[IP6_LEN])
{
    static const uint8_t MAPPED[IP6_LEN - IP4_LEN] = {[10] = 0xff, [11] = 0xff};
    if (memcmp(ip, MAPPED, sizeof MAPPED) == 0) {
        put_text(w, "::ffff:");
        ip4_format(w, ip + sizeof MAPPED);
        return;
    }
    size_t start = IP6_LEN;
    size_t zeros = longest_zeros(ip, &start);
    for (size_t at = 0; at < IP6_LEN; at += GROUP_LEN) {
        char text[sizeof "ffff"];
        if (at == start) {
            put_text(w, "::");
            at += zeros - GROUP_LEN;
            continue;
        }
        if (at > 0 && at != start + zeros)
            put_text(w, ":");
        text_format(text, sizeof text, "%x", group_at(ip, at));
        put_text(w, text);
    }
}

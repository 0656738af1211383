#include "protocols/sdp.h"

#include "base/log.h"
#include "protocols/candidate.h"
#include "protocols/text.h"

#define SCTP_PORT 5000         /* RFC 8841: what browsers use, and nobody ever changes */
#define MAX_MESSAGE_SIZE 65536 /* RFC 8841: when nothing is said */

static bool read_ufrag(struct view value, struct sdp *sdp)
{
    sdp->ufrag = value;
    return text_is_made_of(value, 4, 256, TEXT_ICE);
}

static bool read_pwd(struct view value, struct sdp *sdp)
{
    sdp->pwd = value;
    return text_is_made_of(value, 22, 256, TEXT_ICE);
}

static bool read_mid(struct view value, struct sdp *sdp)
{
    sdp->mid = value;
    return text_is_made_of(value, 1, 32, TEXT_TOKEN);
}

static bool read_hex(struct view pair, uint8_t *byte)
{
    static const char digits[] = "0123456789abcdef";
    unsigned value = 0;
    for (size_t i = 0; i < pair.len; i++) {
        uint8_t c = pair.data[i];
        const char *at = c == '\0' ? NULL : strchr(digits, c >= 'A' && c <= 'F' ? c | 0x20 : c);
        if (at == NULL)
            return false;
        value = value << 4 | (unsigned)(at - digits);
    }
    *byte = (uint8_t)value;
    return pair.len == 2;
}

/* "sha-256 AA:BB:…", 32 bytes. */
static bool read_fingerprint(struct view value, struct sdp *sdp)
{
    if (!text_is_like(text_until(&value, ' '), "sha-256"))
        return false;
    for (size_t i = 0; i < SDP_FINGERPRINT_LEN; i++)
        if (!read_hex(text_until(&value, ':'), &sdp->fingerprint[i]))
            return false;
    return value.len == 0;
}

static const char *const setups[] = {
    [SDP_ACTPASS] = "actpass",
    [SDP_ACTIVE] = "active",
    [SDP_PASSIVE] = "passive",
};

static bool read_setup(struct view value, struct sdp *sdp)
{
    for (size_t i = 0; i < ARRAY_LEN(setups); i++) {
        if (view_equals_text(value, setups[i])) {
            sdp->setup = (enum sdp_setup)i;
            return true;
        }
    }
    return false;
}

static bool read_sctp_port(struct view value, struct sdp *sdp)
{
    uint64_t port = 0;
    bool valid = text_number(value, UINT16_MAX, &port) && port > 0;
    sdp->sctp_port = (uint16_t)port;
    return valid;
}

static bool read_max_message_size(struct view value, struct sdp *sdp)
{
    uint64_t size = 0;
    bool valid = text_number(value, UINT32_MAX, &size);
    sdp->max_message_size = (uint32_t)size;
    return valid;
}

/* What we take out of a description; each may stand there once, at either level. */
static const struct {
    const char *name;
    bool (*read)(struct view value, struct sdp *sdp);
    bool required;
} attributes[] = {
    {"ice-ufrag:", read_ufrag, true},
    {"ice-pwd:", read_pwd, true},
    {"fingerprint:", read_fingerprint, true},
    {"setup:", read_setup, true},
    {"mid:", read_mid, true},
    {"sctp-port:", read_sctp_port, false},
    {"max-message-size:", read_max_message_size, false},
};

struct parser {
    struct sdp *sdp;
    const struct peerlet_limits *limits;
    uint32_t seen;  /* attributes, one bit each */
    uint32_t media; /* m-lines */
};

static void add_candidate(struct parser *p, struct view line)
{
    struct sdp *sdp = p->sdp;
    if (sdp->candidate_count < MIN(SDP_CANDIDATES_MAX, p->limits->candidates) &&
        line.len <= p->limits->candidate && candidate_is_valid(line))
        sdp->candidates[sdp->candidate_count++] = line;
}

static bool read_attribute(struct parser *p, struct view line)
{
    struct view value = line;
    for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
        if (!text_skip(&value, attributes[i].name))
            continue;
        uint32_t bit = UINT32_C(1) << i;
        bool again = (p->seen & bit) != 0;
        p->seen |= bit;
        return !again && attributes[i].read(value, p->sdp);
    }
    if (text_skip(&value, "candidate:"))
        add_candidate(p, line);
    return true;
}

/* "application 9 UDP/DTLS/SCTP webrtc-datachannel"; port 0 would refuse the channel. */
static bool read_media(struct parser *p, struct view value)
{
    uint64_t port = 0;
    p->media++;
    return view_equals_text(text_until(&value, ' '), "application") &&
           text_number(text_until(&value, ' '), UINT16_MAX, &port) && port > 0 &&
           view_equals_text(value, "UDP/DTLS/SCTP webrtc-datachannel");
}

/* Cuts one line off; CR only as part of its end, and no other control character. */
static bool take_line(struct view *text, struct view *line)
{
    *line = text_until(text, '\n');
    if (line->len > 0 && line->data[line->len - 1] == '\r')
        line->len--;
    for (size_t i = 0; i < line->len; i++)
        if (line->data[i] < ' ' || line->data[i] == 0x7f)
            return false;
    return line->len >= 2 && line->data[1] == '=';
}

static bool read_line(struct parser *p, struct view line)
{
    struct view value = view_of(line.data + 2, line.len - 2);
    switch (line.data[0]) {
    case 'a':
        return read_attribute(p, value);
    case 'm':
        return read_media(p, value);
    default:
        return true;
    }
}

static bool is_complete(const struct parser *p)
{
    for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
        if (attributes[i].required && (p->seen & UINT32_C(1) << i) == 0)
            return false;
    return p->media == 1;
}

int sdp_parse(struct view text, enum sdp_type type, const struct peerlet_limits *limits,
              struct sdp *sdp)
{
    if (text.len > limits->sdp)
        return ERR_TOO_BIG;
    *sdp = (struct sdp){.sctp_port = SCTP_PORT, .max_message_size = MAX_MESSAGE_SIZE};
    struct parser p = {.sdp = sdp, .limits = limits};
    struct view line;
    if (!take_line(&text, &line) || !view_equals_text(line, "v=0"))
        return ERR_BAD_MESSAGE;
    while (text.len > 0)
        if (!take_line(&text, &line) || !read_line(&p, line))
            return ERR_BAD_MESSAGE;
    if (!is_complete(&p) || (type == SDP_ANSWER && sdp->setup == SDP_ACTPASS))
        return ERR_BAD_MESSAGE;
    return 0;
}

static void put_line(struct writer *w, const char *name, struct view value)
{
    put_text(w, name);
    put(w, value);
    put_text(w, "\r\n");
}

static void put_number_line(struct writer *w, const char *name, uint32_t value)
{
    char digits[11];
    size_t len = text_format(digits, sizeof digits, "%u", value);
    put_text(w, name);
    put(w, view_of((const uint8_t *)digits, len));
    put_text(w, "\r\n");
}

static void put_fingerprint(struct writer *w, const uint8_t fingerprint[SDP_FINGERPRINT_LEN])
{
    static const char digits[] = "0123456789ABCDEF";
    put_text(w, "a=fingerprint:sha-256 ");
    for (size_t i = 0; i < SDP_FINGERPRINT_LEN; i++) {
        if (i > 0)
            put_u8(w, ':');
        put_u8(w, (uint8_t)digits[fingerprint[i] >> 4]);
        put_u8(w, (uint8_t)digits[fingerprint[i] & 15]);
    }
    put_text(w, "\r\n");
}

void sdp_format(const struct sdp *sdp, struct writer *w)
{
    put_text(w, "v=0\r\n"
                "o=- 0 0 IN IP4 127.0.0.1\r\n"
                "s=-\r\n"
                "t=0 0\r\n");
    put_text(w, sdp->is_lite ? "a=ice-lite\r\n" : "");
    put_line(w, "a=group:BUNDLE ", sdp->mid);
    put_text(w, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
                "c=IN IP4 0.0.0.0\r\n");
    for (size_t i = 0; i < sdp->candidate_count; i++)
        put_line(w, "a=", sdp->candidates[i]);
    put_line(w, "a=ice-ufrag:", sdp->ufrag);
    put_line(w, "a=ice-pwd:", sdp->pwd);
    put_text(w, "a=ice-options:trickle\r\n");
    put_fingerprint(w, sdp->fingerprint);
    put_line(w, "a=setup:", view_of_text(setups[sdp->setup]));
    put_line(w, "a=mid:", sdp->mid);
    put_number_line(w, "a=sctp-port:", sdp->sctp_port);
    put_number_line(w, "a=max-message-size:", sdp->max_message_size);
}

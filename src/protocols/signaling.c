#include "protocols/signaling.h"

#include <assert.h>

#include "protocols/candidate.h"
#include "protocols/sdp.h"
#include "signaling.pb.h"

enum { MESSAGE_OFFER = 0, MESSAGE_ANSWER = 1, MESSAGE_CANDIDATE = 2 };

/* What a message has besides its data: its length, its type, and tag and length of the data. */
#define FRAMING_MAX 16

void signaling_init(struct signaling *s, enum role role, struct mem *mem,
                    const struct peerlet_limits *limits, uint64_t now)
{
    *s = (struct signaling){
        .role = role,
        .limits = limits,
        .expires_at = after(now, limits->rtc_ms),
    };
    delimited_init(&s->reader, mem, limits->sdp + FRAMING_MAX);
    buf_init(&s->description, mem, limits->sdp + FRAMING_MAX);
    buf_init(&s->candidates, mem, limits->candidates * (limits->candidate + FRAMING_MAX));
    buf_init(&s->clean, mem, limits->sdp + SDP_TEMPLATE_LEN);
}

static int append(struct buf *out, uint32_t type, struct view data)
{
    peerlet_signaling_Message message = {
        .has_type = true,
        .type = type,
        .data = lend_view(&data),
    };
    return protobuf_append_delimited(out, peerlet_signaling_Message_fields, &message);
}

static int describe(struct signaling *s, uint32_t type, struct view sdp)
{
    if (s->described || s->closing)
        return ERR_STREAM_STATE;
    if (sdp.len > s->limits->sdp)
        return ERR_TOO_BIG;
    int rc = append(&s->description, type, sdp);
    s->described = rc == 0;
    return rc;
}

int signaling_offer(struct signaling *s, struct view sdp)
{
    return s->role == DIALER ? describe(s, MESSAGE_OFFER, sdp) : ERR_STREAM_STATE;
}

int signaling_answer(struct signaling *s, struct view sdp)
{
    return s->role == LISTENER && s->heard ? describe(s, MESSAGE_ANSWER, sdp) : ERR_STREAM_STATE;
}

int signaling_candidate(struct signaling *s, struct view json)
{
    if (s->closing)
        return ERR_CLOSED;
    if (s->sent == s->limits->candidates)
        return ERR_FULL;
    if (json.len > s->limits->candidate)
        return ERR_TOO_BIG;
    int rc = append(&s->candidates, MESSAGE_CANDIDATE, json);
    if (rc == 0)
        s->sent++;
    return rc;
}

void signaling_close(struct signaling *s)
{
    s->closing = true;
}

/* Room for the text of one event; what the last one had is gone. */
static int reserve_clean(struct signaling *s, size_t len, struct writer *w)
{
    buf_truncate(&s->clean, 0);
    uint8_t *at = buf_reserve(&s->clean, len);
    *w = writer_of(at, len);
    return at == NULL ? ERR_NOMEM : 0;
}

static int give_clean(struct signaling *s, const struct writer *w, enum protocol_event_type type,
                      struct protocol_event *ev)
{
    assert(!w->failed);
    buf_commit(&s->clean, w->len);
    *ev = (struct protocol_event){.type = type, .signaling.text = buf_view(&s->clean)};
    return 1;
}

static int take_description(struct signaling *s, uint32_t type, struct view text,
                            struct protocol_event *ev)
{
    bool answer = s->role == DIALER;
    if (type != (answer ? MESSAGE_ANSWER : MESSAGE_OFFER) || (answer && !s->described))
        return ERR_PROTOCOL;

    struct sdp sdp;
    int rc = sdp_parse(text, answer ? SDP_ANSWER : SDP_OFFER, s->limits, &sdp);
    if (rc < 0)
        return rc;
    struct writer w;
    rc = reserve_clean(s, text.len + SDP_TEMPLATE_LEN, &w);
    if (rc < 0)
        return rc;
    sdp_format(&sdp, &w);
    s->heard = true;
    return give_clean(s, &w, answer ? SIGNALING_ANSWER : SIGNALING_OFFER, ev);
}

static int take_candidate(struct signaling *s, struct view json, struct protocol_event *ev)
{
    struct candidate candidate;
    if (json.len > s->limits->candidate || candidate_parse(json, &candidate) < 0)
        return 0;
    if (candidate.line.len == 0) {
        bool again = s->all_received;
        s->all_received = true;
        *ev = (struct protocol_event){.type = SIGNALING_END_OF_CANDIDATES};
        return again ? 0 : 1;
    }
    if (s->received == s->limits->candidates)
        return 0;
    s->received++;

    struct writer w;
    int rc = reserve_clean(s, json.len + CANDIDATE_TEMPLATE_LEN, &w);
    if (rc < 0)
        return rc;
    candidate_format(&candidate, &w);
    return give_clean(s, &w, SIGNALING_CANDIDATE, ev);
}

static int take_message(struct signaling *s, struct view bytes, struct protocol_event *ev)
{
    struct view data = {0};
    peerlet_signaling_Message message = {.data = borrow_view(&data)};
    int rc = protobuf_decode(bytes, s->limits->sdp + FRAMING_MAX, peerlet_signaling_Message_fields,
                             &message);
    if (rc < 0)
        return rc;
    if (!message.has_type)
        return ERR_PROTOCOL;
    if (!s->heard)
        return take_description(s, message.type, data, ev);
    return message.type == MESSAGE_CANDIDATE ? take_candidate(s, data, ev) : ERR_PROTOCOL;
}

static int signaling_feed(void *state, struct span *in, struct protocol_event *ev, uint64_t now)
{
    (void)now;
    struct signaling *s = state;
    if (s->closing) {
        span_take(in, in->len);
        return 0;
    }
    int rc;
    struct view message;
    do {
        rc = delimited_feed(&s->reader, in, &message);
        if (rc <= 0)
            return rc;
        rc = take_message(s, message, ev);
    } while (rc == 0);
    return rc;
}

/* The end before the description is failure; later the connection may still come about. */
static int signaling_end(void *state, struct protocol_event *ev, uint64_t now)
{
    (void)ev;
    (void)now;
    struct signaling *s = state;
    s->ended = true;
    return s->heard || s->closing ? 0 : ERR_PROTOCOL;
}

static int signaling_drain(void *state, struct buf *out)
{
    struct signaling *s = state;
    int rc = protocol_give(&s->description, out, PROTOCOL_OPEN);
    if (rc < 0 || s->description.len > 0)
        return rc;
    enum protocol_stream then = PROTOCOL_OPEN;
    if (s->closing)
        then = s->ended ? PROTOCOL_DONE : PROTOCOL_CLOSE_WRITE;
    return s->described ? protocol_give(&s->candidates, out, then) : (int)then;
}

static uint64_t signaling_deadline(const void *state)
{
    const struct signaling *s = state;
    return s->expires_at;
}

static int signaling_tick(void *state, uint64_t now)
{
    return protocol_tick(signaling_deadline(state), now);
}

static void signaling_free(void *state)
{
    struct signaling *s = state;
    delimited_free(&s->reader);
    buf_free(&s->description);
    buf_free(&s->candidates);
    buf_free(&s->clean);
}

const struct protocol_ops SIGNALING_OPS = {
    .name = "/webrtc-signaling/0.0.1",
    .on_limited = true,
    .max_inbound = 32,
    .max_outbound = 64,
    .feed = signaling_feed,
    .end = signaling_end,
    .drain = signaling_drain,
    .tick = signaling_tick,
    .deadline = signaling_deadline,
    .free = signaling_free,
};

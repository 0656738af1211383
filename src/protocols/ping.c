#include "protocols/ping.h"

#include <assert.h>

void ping_init(struct ping *p, enum role role, struct mem *mem, const struct peerlet_limits *limits,
               const struct rng *rng, uint32_t timeout_ms)
{
    *p = (struct ping){.role = role, .rng = rng, .timeout_ms = timeout_ms, .received = PING_LEN};
    buf_init(&p->owed, mem, limits->ping_owed);
}

static bool is_under_way(const struct ping *p)
{
    return p->received < PING_LEN;
}

int ping_send(struct ping *p, uint64_t now)
{
    assert(p->role == DIALER);
    if (p->closing || p->ended)
        return ERR_CLOSED;
    if (is_under_way(p))
        return ERR_FULL;
    rng_fill(p->rng, p->expected, PING_LEN);
    int rc = buf_append(&p->owed, view_of(p->expected, PING_LEN));
    if (rc < 0)
        return rc;
    p->received = 0;
    p->sent_at = now;
    return 0;
}

void ping_close(struct ping *p)
{
    p->closing = true;
}

static int take_answer(struct ping *p, struct span *in, struct protocol_event *ev, uint64_t now)
{
    struct span answer = span_take(in, PING_LEN - p->received);
    if (in->len > 0 && !is_under_way(p))
        return ERR_PROTOCOL;
    if (answer.len > 0 && memcmp(answer.data, p->expected + p->received, answer.len) != 0)
        return ERR_PROTOCOL;
    p->received += answer.len;
    if (answer.len == 0 || is_under_way(p))
        return 0;
    uint64_t ms = now - p->sent_at;
    *ev = (struct protocol_event){.type = PING_RTT, .ping.ms = (uint32_t)MIN(ms, UINT32_MAX)};
    return 1;
}

static int ping_feed(void *state, struct span *in, struct protocol_event *ev, uint64_t now)
{
    struct ping *p = state;
    if (p->role == DIALER)
        return take_answer(p, in, ev, now);
    return buf_append(&p->owed, view_of_span(span_take(in, in->len)));
}

static int ping_end(void *state, struct protocol_event *ev, uint64_t now)
{
    (void)ev;
    (void)now;
    struct ping *p = state;
    p->ended = true;
    return is_under_way(p) ? ERR_PROTOCOL : 0;
}

static int ping_drain(void *state, struct buf *out)
{
    struct ping *p = state;
    bool done = p->ended || (p->closing && !is_under_way(p));
    return protocol_give(&p->owed, out, done ? PROTOCOL_DONE : PROTOCOL_OPEN);
}

static uint64_t ping_deadline(const void *state)
{
    const struct ping *p = state;
    return is_under_way(p) ? after(p->sent_at, p->timeout_ms) : NEVER;
}

static int ping_tick(void *state, uint64_t now)
{
    return protocol_tick(ping_deadline(state), now);
}

static void ping_free(void *state)
{
    struct ping *p = state;
    buf_free(&p->owed);
}

const struct protocol_ops PING_OPS = {
    .name = "/ipfs/ping/1.0.0",
    .on_limited = true,
    .max_inbound = 2,
    .max_outbound = 2,
    .feed = ping_feed,
    .end = ping_end,
    .drain = ping_drain,
    .tick = ping_tick,
    .deadline = ping_deadline,
    .free = ping_free,
};

#include "wire/yamux_stream.h"

#include <assert.h>

bool yamux_stream_receive(struct yamux_stream *s, uint32_t len)
{
    if (len > s->window)
        return false;
    s->window -= len;
    s->unread += len;
    return true;
}

static uint32_t grantable(const struct yamux_stream *s)
{
    assert(s->window <= s->target && s->unread <= s->target - s->window);
    return s->target - s->window - s->unread;
}

bool yamux_stream_take(struct yamux_stream *s, size_t len)
{
    s->unread -= (uint32_t)MIN(len, s->unread);
    return grantable(s) >= s->target / 2 && !s->peer_closed && !s->is_reset;
}

uint32_t yamux_stream_tune(struct yamux_stream *s, uint32_t rtt_ms, uint32_t most, uint64_t now)
{
    uint64_t took_ms = now - s->updated_at;
    s->updated_at = now;
    if (took_ms >= 4 * (uint64_t)MAX(rtt_ms, 1u) || s->target > most / 2)
        return 0;
    uint32_t growth = s->target;
    s->target += growth;
    return growth;
}

uint32_t yamux_stream_update(struct yamux_stream *s)
{
    uint32_t granted = grantable(s);
    s->window += granted;
    return granted;
}

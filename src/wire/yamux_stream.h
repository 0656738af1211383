/*
 * One stream of a yamux session: its two windows and its two halves.
 *
 *     credit   what the peer still lets us send
 *     window   what we still let the peer send
 *     target   window + unread + what the reader took and was not granted back yet
 *
 * Credit is granted back when half the target can be. While the reader keeps up, taking that much
 * within four round trips, the target doubles. Private to yamux.c; the owner sees only `owner`.
 */
#ifndef WIRE_YAMUX_STREAM_H
#define WIRE_YAMUX_STREAM_H

#include "base/list.h"
#include "base/span.h"

struct yamux_stream {
    void *owner;
    struct list in_owing;
    uint32_t id;
    uint32_t credit;
    uint32_t window;
    uint32_t target;
    uint32_t unread;     /* received, and not yet taken by the reader */
    uint32_t code;       /* of the RST: go's error code, in the length field */
    uint64_t updated_at; /* when credit was last granted back */
    bool syn_owed, ack_owed, fin_owed, rst_owed, update_owed;
    bool is_ours;
    bool is_acked;     /* the peer answered our SYN */
    bool write_closed; /* FIN owed or sent */
    bool read_closed;  /* the reader wants no more: late data is taken and dropped */
    bool peer_closed;  /* FIN received */
    bool is_reset;     /* by either side */
    bool is_released;  /* the owner let go: freed when nothing is owed */
};

/* Counts bytes that came; false when they pass the window. */
bool yamux_stream_receive(struct yamux_stream *s, uint32_t len);

/* The reader took bytes; true when credit should be granted back now. */
bool yamux_stream_take(struct yamux_stream *s, size_t len);

/*
 * Credit is about to be granted back: doubles the target, to `most` at the most, when the last time
 * was less than four round trips ago. Returns the growth.
 */
uint32_t yamux_stream_tune(struct yamux_stream *s, uint32_t rtt_ms, uint32_t most, uint64_t now);

/* Fills the window up to the target; returns the credit that this grants. */
uint32_t yamux_stream_update(struct yamux_stream *s);

static inline bool yamux_stream_owes(const struct yamux_stream *s)
{
    return s->syn_owed || s->ack_owed || s->fin_owed || s->rst_owed || s->update_owed;
}

/* Neither half will carry anything any more. */
static inline bool yamux_stream_is_over(const struct yamux_stream *s)
{
    return s->is_reset || (s->write_closed && s->peer_closed);
}

#endif

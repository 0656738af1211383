/*
 * One stream of a yamux session: its two windows and its two halves.
 *
 *     credit   what the peer still lets us send
 *     window   what we still let the peer send; granted back as the reader takes bytes
 *
 * A receive window grows, doubling, while the reader keeps up: when a whole window was taken within
 * four round trips. Private to yamux.c; the owner sees `owner` and yamux_credit.
 */
#ifndef WIRE_YAMUX_STREAM_H
#define WIRE_YAMUX_STREAM_H

#include "base/limits.h"
#include "base/list.h"
#include "base/span.h"

struct yamux_stream {
    void *owner;             /* the owner's */
    struct list in_owing;
    uint32_t id;
    uint32_t credit;
    uint32_t window;         /* bytes the peer may still send */
    uint32_t target;         /* size the window is filled up to */
    uint32_t unread;         /* received and not yet taken by the reader */
    uint64_t updated_at;     /* when the last update was owed */
    uint32_t code;           /* RST: go's error code, sent and received in the length */
    bool syn_owed, ack_owed, fin_owed, rst_owed, update_owed;
    bool is_ours;
    bool is_acked;           /* the peer answered our SYN */
    bool write_closed;       /* FIN owed or sent */
    bool read_closed;        /* the reader wants no more: late data is taken and dropped */
    bool peer_closed;        /* FIN received */
    bool is_reset;           /* by either side */
    bool is_blocked;         /* a write was short of credit: say when it comes back */
    bool is_released;        /* the owner let go: freed when nothing is owed */
};

/* Counts bytes that came; false when they pass the window. */
bool yamux_stream_receive(struct yamux_stream *s, uint32_t len);

/* The reader took bytes. True when an update should be owed now: half the window is to be given. */
bool yamux_stream_take(struct yamux_stream *s, size_t len);

/* Doubles the target when the last window went in under four round trips; returns the growth. */
uint32_t yamux_stream_tune(struct yamux_stream *s, uint32_t rtt_ms, uint32_t most, uint64_t now);

/* Credit to put in a WINDOW_UPDATE, filling the window up to its target. */
uint32_t yamux_stream_update(struct yamux_stream *s);

static inline bool yamux_stream_owes(const struct yamux_stream *s)
{
    return s->syn_owed || s->ack_owed || s->fin_owed || s->rst_owed || s->update_owed;
}

#endif

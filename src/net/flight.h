/*
 * How much of what was written on a connection may be on its way to the peer.
 *
 *     written ──▶ [ since the probe | before the probe ] ──▶ the peer
 *                  sent               before
 *
 * A peer that reads slowly has its backlog in buffers that nobody here sees: the socket's, two
 * kernels', its own. What is urgent, such as the answer by which it knows that we are there, waits
 * behind all of it. So a probe, the muxer's ping, goes along from time to time. While its answer
 * comes as soon as on an idle connection, twice as much may be on its way; when it comes late, half.
 */
#ifndef NET_FLIGHT_H
#define NET_FLIGHT_H

#include "base/limits.h"
#include "base/span.h"
#include "base/timers.h"

struct flight {
    const struct peerlet_limits *limits;
    size_t most;         /* on its way at once */
    size_t before, sent; /* bytes on their way: before the last probe, and since */
    uint64_t probed_at;  /* when that was asked for */
    uint32_t rtt_min_ms; /* of an idle connection; UINT32_MAX: not known */
    bool was_full;       /* since the last answer: more would have been written */
};

void flight_init(struct flight *f, const struct peerlet_limits *limits);

static inline bool flight_is_full(const struct flight *f)
{
    return f->before + f->sent >= f->most;
}

/* While no probe is under way: whether enough was written for another. */
bool flight_is_due(const struct flight *f, uint64_t now);

/* One leaves behind everything written so far. */
void flight_probe(struct flight *f, uint64_t now);

/* Its answer came after so many ms. */
void flight_answered(struct flight *f, uint32_t rtt_ms);

/* No answer will come: begin again from the least. */
void flight_lost(struct flight *f);

#endif

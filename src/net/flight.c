#include "net/flight.h"

void flight_init(struct flight *f, const struct peerlet_limits *limits)
{
    *f = (struct flight){.limits = limits, .most = limits->flight_first, .rtt_min_ms = UINT32_MAX};
}

/* What waits is asked for at once; else there are few probes, as peers answer only so many. */
bool flight_is_due(const struct flight *f, uint64_t now)
{
    return f->sent >= f->most / 4 &&
           (f->was_full || is_due(after(f->probed_at, f->limits->flight_pause_ms), now));
}

void flight_probe(struct flight *f, uint64_t now)
{
    f->before += f->sent;
    f->sent = 0;
    f->probed_at = now;
}

void flight_answered(struct flight *f, uint32_t rtt_ms)
{
    f->rtt_min_ms = MIN(f->rtt_min_ms, rtt_ms);
    uint32_t late_ms = rtt_ms - f->rtt_min_ms;
    if (late_ms > f->limits->flight_late_ms)
        f->most = MAX(f->most / 2, f->limits->flight_least);
    else if (f->was_full && late_ms <= f->limits->flight_late_ms / 2)
        f->most = MIN(f->most * 2, f->limits->flight_most);
    f->was_full = false;
    f->before = 0;
}

void flight_lost(struct flight *f)
{
    f->most = f->limits->flight_least;
    f->was_full = false;
    f->before = 0;
}

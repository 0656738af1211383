/*
 * Instants. `now` is a monotonic count of milliseconds given by the driver; a deadline is such an
 * instant, NEVER when there is none. Durations are `_ms`.
 */
#ifndef BASE_TIMERS_H
#define BASE_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

#define NEVER UINT64_MAX

static inline uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* `now + ms`, and NEVER past the end of time. */
static inline uint64_t after(uint64_t now, uint64_t ms)
{
    return ms > NEVER - now ? NEVER : now + ms;
}

static inline bool is_due(uint64_t deadline, uint64_t now)
{
    return deadline <= now;
}

#endif

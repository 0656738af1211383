#include "base/rng.h"

void rng_fill(const struct rng *r, uint8_t *out, size_t len)
{
    r->fill(r->context, out, len);
}

uint32_t rng_u32(const struct rng *r)
{
    uint8_t b[4];
    rng_fill(r, b, sizeof b);
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

uint32_t rng_below(const struct rng *r, uint32_t bound)
{
    if (bound == 0)
        return 0;
    uint32_t unfair = UINT32_MAX - UINT32_MAX % bound;
    uint32_t value;
    do
        value = rng_u32(r);
    while (value >= unfair);
    return value % bound;
}

uint64_t rng_jitter(const struct rng *r, uint64_t ms)
{
    uint64_t quarter = ms / 4;
    uint32_t span = quarter >= UINT32_MAX / 2 ? UINT32_MAX : (uint32_t)(2 * quarter + 1);
    return ms - quarter + rng_below(r, span);
}

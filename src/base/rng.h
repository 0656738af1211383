/*
 * Injected randomness. The browser fills from crypto.getRandomValues, tests and the simulator from
 * a seed; the core draws from nothing else.
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
    /* Fills `len` bytes; cannot fail: a driver without randomness does not start the node. */
    void (*fill)(void *context, uint8_t *out, size_t len);
    void *context;
};

void rng_fill(const struct rng *r, uint8_t *out, size_t len);
uint32_t rng_u32(const struct rng *r);

/* Uniform in [0, bound); 0 when bound is 0. */
uint32_t rng_below(const struct rng *r, uint32_t bound);

/* A duration in [ms - ms/4, ms + ms/4], to keep many nodes from acting at once. */
uint64_t rng_jitter(const struct rng *r, uint64_t ms);

#endif

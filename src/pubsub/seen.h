/*
 * Hashes met before: a set that forgets what is old.
 *
 *     add ─▶ [ young ]──── after ttl_ms, or when it is full ────▶ [ old ]──── the same ────▶ gone
 *
 * Hashes go into the young generation and are looked for in both, so each is remembered for one to
 * two times `ttl_ms`, or for as long as the bytes allowed last. Nothing is ever moved or removed.
 */
#ifndef PUBSUB_SEEN_H
#define PUBSUB_SEEN_H

#include "base/mem.h"

#include <stdbool.h>

struct seen_generation {
    uint64_t *slots;   /* 0: free */
    uint32_t capacity; /* a power of two, or 0 */
    uint32_t count;
};

struct seen {
    struct mem *mem;
    uint32_t ttl_ms;
    uint32_t most;    /* slots of one generation, a power of two */
    uint64_t turn_at; /* when the young generation becomes the old one */
    struct seen_generation young, old;
};

/* Both generations together take `bytes` at most. */
void seen_init(struct seen *s, struct mem *mem, uint32_t ttl_ms, size_t bytes, uint64_t now);
void seen_free(struct seen *s);

bool seen_has(const struct seen *s, uint64_t hash);

/* True when it is new. Without memory it is not remembered, and that is all. */
bool seen_add(struct seen *s, uint64_t hash, uint64_t now);

/* Lets go of what is old. seen_add does so itself; for when nothing is added for long. */
void seen_expire(struct seen *s, uint64_t now);

#endif

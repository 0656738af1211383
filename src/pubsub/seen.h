/*
 * Names met before: a set of keyed 64-bit hashes that forgets what is old.
 *
 * Two generations, each a hash table: names go into the young one, are looked for in both, and the
 * old one is dropped whole when the time to live is over or the young one is full. A name is
 * remembered for one to two times `ttl_ms`. The key is drawn at random, so that nobody can make
 * names collide.
 */
#ifndef PUBSUB_SEEN_H
#define PUBSUB_SEEN_H

#include "base/mem.h"
#include "base/rng.h"
#include "base/span.h"

struct seen_generation {
    uint64_t *slots;   /* 0: free */
    uint32_t capacity; /* a power of two, or 0 */
    uint32_t count;
};

struct seen {
    struct mem *mem;
    uint64_t key[2];
    uint32_t ttl_ms;
    uint32_t most;     /* names in one generation */
    uint64_t turn_at;  /* when the young one becomes the old one */
    struct seen_generation young, old;
};

/* `bytes` is what both generations may take together. */
void seen_init(struct seen *s, struct mem *mem, const struct rng *rng, uint32_t ttl_ms,
               size_t bytes, uint64_t now);
void seen_free(struct seen *s);

bool seen_has(const struct seen *s, struct view name);

/* True when it was not there. Without memory it is not remembered, and that is all. */
bool seen_add(struct seen *s, struct view name, uint64_t now);

/* SipHash-1-3 of bytes under a key: fast, and safe against chosen names. */
uint64_t siphash(const uint64_t key[2], struct view bytes);

#endif

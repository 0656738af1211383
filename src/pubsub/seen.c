#include "pubsub/seen.h"

#include "base/timers.h"

#define SMALLEST 64

void seen_init(struct seen *s, struct mem *mem, uint32_t ttl_ms, size_t bytes, uint64_t now)
{
    *s = (struct seen){.mem = mem, .ttl_ms = ttl_ms, .turn_at = after(now, ttl_ms)};
    s->most = SMALLEST;
    while (2 * 2 * s->most * sizeof(uint64_t) <= bytes)
        s->most *= 2;
}

void seen_free(struct seen *s)
{
    mem_free(s->mem, s->young.slots);
    mem_free(s->mem, s->old.slots);
    s->young = s->old = (struct seen_generation){0};
}

static uint64_t *slot_of(const struct seen_generation *g, uint64_t hash)
{
    uint32_t i = (uint32_t)hash & (g->capacity - 1);
    while (g->slots[i] != 0 && g->slots[i] != hash)
        i = (i + 1) & (g->capacity - 1);
    return &g->slots[i];
}

static bool holds(const struct seen_generation *g, uint64_t hash)
{
    return g->count > 0 && *slot_of(g, hash) == hash;
}

/* Three quarters: open addressing needs gaps. */
static bool is_full(const struct seen_generation *g)
{
    return g->count >= g->capacity / 4 * 3;
}

static void grow(struct seen *s)
{
    struct seen_generation bigger = {
        .capacity = s->young.capacity ? s->young.capacity * 2 : SMALLEST,
        .count = s->young.count,
    };
    bigger.slots = mem_alloc(s->mem, bigger.capacity * sizeof *bigger.slots);
    if (bigger.slots == NULL)
        return;
    for (uint32_t i = 0; i < s->young.capacity; i++)
        if (s->young.slots[i] != 0)
            *slot_of(&bigger, s->young.slots[i]) = s->young.slots[i];
    mem_free(s->mem, s->young.slots);
    s->young = bigger;
}

/* The young generation becomes the old one, since `instant`. */
static void turn(struct seen *s, uint64_t instant)
{
    mem_free(s->mem, s->old.slots);
    s->old = s->young;
    s->young = (struct seen_generation){0};
    s->turn_at = after(instant, s->ttl_ms);
}

/* 0 marks a free slot. */
static uint64_t stored(uint64_t hash)
{
    return hash ? hash : 1;
}

bool seen_has(const struct seen *s, uint64_t hash)
{
    return holds(&s->young, stored(hash)) || holds(&s->old, stored(hash));
}

bool seen_add(struct seen *s, uint64_t hash, uint64_t now)
{
    seen_expire(s, now);
    if (seen_has(s, hash))
        return false;
    if (is_full(&s->young) && s->young.capacity == s->most)
        turn(s, now);
    if (is_full(&s->young))
        grow(s);
    if (is_full(&s->young))
        return true;
    *slot_of(&s->young, stored(hash)) = stored(hash);
    s->young.count++;
    return true;
}

void seen_expire(struct seen *s, uint64_t now)
{
    if (is_due(s->turn_at, now))
        turn(s, s->turn_at);
    if (is_due(s->turn_at, now))
        turn(s, now);
}

#include "pubsub/seen.h"

#define SMALLEST 64

static uint64_t rotate(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

static void round_once(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

uint64_t siphash(const uint64_t key[2], struct view bytes)
{
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du,
                     key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u};
    uint64_t word = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        word |= (uint64_t)bytes.data[i] << (8 * (i % 8));
        if (i % 8 == 7) {
            v[3] ^= word;
            round_once(v);
            v[0] ^= word;
            word = 0;
        }
    }
    word |= (uint64_t)bytes.len << 56;
    v[3] ^= word;
    round_once(v);
    v[0] ^= word;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        round_once(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void seen_init(struct seen *s, struct mem *mem, const struct rng *rng, uint32_t ttl_ms,
               size_t bytes, uint64_t now)
{
    *s = (struct seen){.mem = mem, .ttl_ms = ttl_ms, .turn_at = now + ttl_ms};
    rng_fill(rng, (uint8_t *)s->key, sizeof s->key);
    /* Two tables, each up to three quarters full. */
    s->most = (uint32_t)(bytes / 2 / sizeof(uint64_t) / 4 * 3);
}

void seen_free(struct seen *s)
{
    mem_free(s->mem, s->young.slots);
    mem_free(s->mem, s->old.slots);
    s->young = s->old = (struct seen_generation){0};
}

static uint64_t hash_of(const struct seen *s, struct view name)
{
    uint64_t hash = siphash(s->key, name);
    return hash ? hash : 1;
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

static bool grow(struct seen *s, struct seen_generation *g)
{
    struct seen_generation bigger = {.capacity = g->capacity ? g->capacity * 2 : SMALLEST};
    bigger.slots = mem_alloc(s->mem, bigger.capacity * sizeof *bigger.slots);
    if (bigger.slots == NULL)
        return false;
    for (uint32_t i = 0; i < g->capacity; i++)
        if (g->slots[i] != 0)
            *slot_of(&bigger, g->slots[i]) = g->slots[i];
    bigger.count = g->count;
    mem_free(s->mem, g->slots);
    *g = bigger;
    return true;
}

static void turn(struct seen *s, uint64_t now)
{
    mem_free(s->mem, s->old.slots);
    s->old = s->young;
    s->young = (struct seen_generation){0};
    s->turn_at = now + s->ttl_ms;
}

bool seen_has(const struct seen *s, struct view name)
{
    uint64_t hash = hash_of(s, name);
    return holds(&s->young, hash) || holds(&s->old, hash);
}

bool seen_add(struct seen *s, struct view name, uint64_t now)
{
    if (now >= s->turn_at || s->young.count >= s->most)
        turn(s, now);
    uint64_t hash = hash_of(s, name);
    if (holds(&s->young, hash) || holds(&s->old, hash))
        return false;
    if (s->young.count + s->young.count / 3 + 1 >= s->young.capacity && !grow(s, &s->young))
        return true;
    *slot_of(&s->young, hash) = hash;
    s->young.count++;
    return true;
}

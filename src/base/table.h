/*
 * From a number to a pointer, O(1): open addressing over ids that the core counts up and never
 * reuses. Id 0 is never stored. Grows by doubling; shrinks only when freed.
 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include "base/err.h"
#include "base/mem.h"

#include <stdint.h>

struct table_slot {
    uint32_t id;
    void *item;
};

struct table {
    struct mem *mem;
    struct table_slot *slots;
    uint32_t capacity; /* a power of two, or 0 */
    uint32_t count;
};

void table_init(struct table *t, struct mem *mem);
void table_free(struct table *t);

/* `id` must not be 0 nor present. ERR_NOMEM. */
MUST_USE int table_add(struct table *t, uint32_t id, void *item);

/* Null when absent. */
void *table_find(const struct table *t, uint32_t id);

/* Returns what was there, or null. */
void *table_remove(struct table *t, uint32_t id);

/*
 * Walks in slot order: start with *at = 0, stop at null. Adding or removing while walking may skip
 * or repeat items.
 */
void *table_next(const struct table *t, uint32_t *at);

#endif

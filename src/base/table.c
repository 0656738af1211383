#include "base/table.h"

#include <assert.h>

#define SMALLEST 8

void table_init(struct table *t, struct mem *mem)
{
    *t = (struct table){.mem = mem};
}

void table_free(struct table *t)
{
    mem_free(t->mem, t->slots);
    t->slots = NULL;
    t->capacity = t->count = 0;
}

static uint32_t home_of(const struct table *t, uint32_t id)
{
    return (id * 2654435769u >> 7) & (t->capacity - 1);
}

static struct table_slot *slot_of(const struct table *t, uint32_t id)
{
    uint32_t i = home_of(t, id);
    while (t->slots[i].id != 0 && t->slots[i].id != id)
        i = (i + 1) & (t->capacity - 1);
    return &t->slots[i];
}

static int grow(struct table *t)
{
    struct table old = *t;
    uint32_t capacity = old.capacity ? old.capacity * 2 : SMALLEST;
    t->slots = mem_alloc(t->mem, capacity * sizeof *t->slots);
    if (t->slots == NULL) {
        *t = old;
        return ERR_NOMEM;
    }
    t->capacity = capacity;
    for (uint32_t i = 0; i < old.capacity; i++)
        if (old.slots[i].id != 0)
            *slot_of(t, old.slots[i].id) = old.slots[i];
    mem_free(t->mem, old.slots);
    return 0;
}

int table_add(struct table *t, uint32_t id, void *item)
{
    assert(id != 0);
    if (t->count + t->count / 2 + 1 >= t->capacity && grow(t) != 0)
        return ERR_NOMEM;
    struct table_slot *slot = slot_of(t, id);
    assert(slot->id == 0);
    *slot = (struct table_slot){id, item};
    t->count++;
    return 0;
}

void *table_find(const struct table *t, uint32_t id)
{
    if (t->count == 0 || id == 0)
        return NULL;
    struct table_slot *slot = slot_of(t, id);
    return slot->id == id ? slot->item : NULL;
}

void *table_remove(struct table *t, uint32_t id)
{
    if (t->count == 0 || id == 0)
        return NULL;
    struct table_slot *slot = slot_of(t, id);
    if (slot->id != id)
        return NULL;
    void *item = slot->item;
    *slot = (struct table_slot){0};
    t->count--;
    /* Whoever was pushed past the gap moves back, so that no search stops early. */
    uint32_t mask = t->capacity - 1;
    for (uint32_t i = (uint32_t)(slot - t->slots + 1) & mask; t->slots[i].id != 0;
         i = (i + 1) & mask) {
        struct table_slot moved = t->slots[i];
        t->slots[i] = (struct table_slot){0};
        *slot_of(t, moved.id) = moved;
    }
    return item;
}

void *table_next(const struct table *t, uint32_t *at)
{
    while (*at < t->capacity) {
        struct table_slot *slot = &t->slots[(*at)++];
        if (slot->id != 0)
            return slot->item;
    }
    return NULL;
}

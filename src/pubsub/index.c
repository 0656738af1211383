#include "pubsub/index.h"

#include <assert.h>

#define SMALLEST 16

void index_init(struct index *x, struct mem *mem)
{
    *x = (struct index){.mem = mem};
}

void index_free(struct index *x)
{
    mem_free(x->mem, x->buckets);
    x->buckets = NULL;
    x->capacity = x->count = 0;
}

/* Numbers of our own differ in their low bits only; the product's high bits depend on all. */
static struct index_node **bucket_of(const struct index *x, uint64_t key)
{
    uint32_t hash = (uint32_t)(key * 0x9e3779b97f4a7c15 >> 32);
    return &x->buckets[hash & (x->capacity - 1)];
}

static void put(struct index *x, struct index_node *node)
{
    struct index_node **bucket = bucket_of(x, node->key);
    node->next = *bucket;
    *bucket = node;
}

static void grow(struct index *x)
{
    struct index old = *x;
    uint32_t capacity = old.capacity ? old.capacity * 2 : SMALLEST;
    struct index_node **buckets = mem_alloc(x->mem, capacity * sizeof(struct index_node *));
    if (buckets == NULL)
        return;
    x->buckets = buckets;
    x->capacity = capacity;
    for (uint32_t i = 0; i < old.capacity; i++)
        for (struct index_node *node = old.buckets[i], *next; node != NULL; node = next) {
            next = node->next;
            put(x, node);
        }
    mem_free(x->mem, old.buckets);
}

int index_add(struct index *x, struct index_node *node, uint64_t key)
{
    if (x->count == x->capacity)
        grow(x);
    if (x->capacity == 0)
        return ERR_NOMEM;
    node->key = key;
    put(x, node);
    x->count++;
    return 0;
}

struct index_node *index_find(const struct index *x, uint64_t key)
{
    if (x->count == 0)
        return NULL;
    struct index_node *node = *bucket_of(x, key);
    while (node != NULL && node->key != key)
        node = node->next;
    return node;
}

void index_remove(struct index *x, struct index_node *node)
{
    struct index_node **at = bucket_of(x, node->key);
    while (*at != node) {
        assert(*at != NULL);
        at = &(*at)->next;
    }
    *at = node->next;
    if (--x->count == 0)
        index_free(x);
}

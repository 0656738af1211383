/*
 * From a 64-bit key to whatever embeds a node, O(1).
 *
 *     buckets  [ ] ─▶ node ─▶ node        chained; as many buckets as nodes, doubled when they fill
 *              [ ] ─▶ node
 *
 * Several nodes may share a key. Keys are hashes already, or numbers of our own.
 */
#ifndef PUBSUB_INDEX_H
#define PUBSUB_INDEX_H

#include "base/err.h"
#include "base/mem.h"

#define INDEX_OWNER(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

struct index_node {
    struct index_node *next;
    uint64_t key;
};

struct index {
    struct mem *mem;
    struct index_node **buckets;
    uint32_t capacity; /* a power of two, or 0 */
    uint32_t count;
};

void index_init(struct index *x, struct mem *mem);

/* Frees the buckets, not what is in them. */
void index_free(struct index *x);

/* ERR_NOMEM when there is no bucket at all: an index that cannot grow only gets slower. */
MUST_USE int index_add(struct index *x, struct index_node *node, uint64_t key);

/* A node with the key, null when there is none. */
struct index_node *index_find(const struct index *x, uint64_t key);

/* The node must be in it. */
void index_remove(struct index *x, struct index_node *node);

#endif

#include "base/heap.h"

#include <assert.h>
#include <limits.h>
#include <stdint.h>

#define IS_TAKEN 1

struct block {
    size_t before; /* size of the one before it, 0: none */
    size_t size;   /* with this head; one more: taken, or the end */
    struct list in_list;
};

#define HEAD offsetof(struct block, in_list)
_Static_assert(HEAD == HEAP_ALIGN, "what follows the head is aligned as the block is");
_Static_assert(sizeof(struct block) + HEAD == HEAP_OVERHEAD, "the smallest block, and the end");

static struct block *at(struct block *b, size_t distance)
{
    return (struct block *)(void *)((unsigned char *)b + distance);
}

static struct list *list_for(struct heap *h, size_t size)
{
    unsigned log = (unsigned)(sizeof(long) * CHAR_BIT - 1) - (unsigned)__builtin_clzl(size);
    return &h->free[4 * log + (size >> (log - 2) & 3)];
}

/* Free from now on. */
static void put(struct heap *h, struct block *b, size_t size)
{
    b->size = size;
    at(b, size)->before = size;
    list_add(list_for(h, size), &b->in_list);
}

void heap_init(struct heap *h)
{
    for (size_t i = 0; i < HEAP_LISTS; i++)
        list_init(&h->free[i]);
    h->end = NULL;
}

void heap_add(struct heap *h, void *memory, size_t len)
{
    struct block *b = memory;
    assert((uintptr_t)memory % HEAP_ALIGN == 0 && len % HEAP_ALIGN == 0 && len >= HEAP_OVERHEAD);
    if (memory == h->end) {
        b = (struct block *)(void *)(h->end - HEAD); /* what was the end is the head of a block */
    } else {
        b->before = 0;
        len -= HEAD;
    }
    b->size = len | IS_TAKEN;
    at(b, len)->size = IS_TAKEN;
    h->end = (unsigned char *)at(b, len) + HEAD;
    heap_give(h, &b->in_list);
}

void *heap_take(struct heap *h, size_t len)
{
    if (len > SIZE_MAX / 2)
        return NULL;
    size_t size = (len + HEAD + HEAP_ALIGN - 1) & ~(HEAP_ALIGN - 1);
    if (size < sizeof(struct block))
        size = sizeof(struct block);
    for (struct list *l = list_for(h, size); l < h->free + HEAP_LISTS; l++)
        LIST_EACH(node, l) {
            struct block *b = LIST_OWNER(node, struct block, in_list);
            if (b->size < size)
                continue;
            list_remove(node);
            if (b->size - size >= sizeof(struct block)) {
                put(h, at(b, size), b->size - size);
                b->size = size;
            }
            at(b, b->size)->before = b->size;
            b->size |= IS_TAKEN;
            return node;
        }
    return NULL;
}

void heap_give(struct heap *h, void *bytes)
{
    struct block *b = LIST_OWNER(bytes, struct block, in_list);
    assert(b->size & IS_TAKEN);
    size_t size = b->size - IS_TAKEN;
    struct block *after = at(b, size);
    if (!(after->size & IS_TAKEN)) {
        list_remove(&after->in_list);
        size += after->size;
    }
    struct block *before = (struct block *)(void *)((unsigned char *)b - b->before);
    if (!(before->size & IS_TAKEN)) { /* where there is none it is b itself */
        list_remove(&before->in_list);
        size += before->size;
        b = before;
    }
    put(h, b, size);
}

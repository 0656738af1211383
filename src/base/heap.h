/*
 * An allocator over memory that its owner gives it: what malloc is made of where there is none. On
 * wasm that is us; natively only the tests use it.
 *
 *     region = block | block | ... | end      block = size of the one before | size | bytes
 *
 * Free blocks are in lists by size, four for each power of two; two of them never lie side by side,
 * since a block that becomes free is joined with its neighbours.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include "base/list.h"

#define HEAP_ALIGN (2 * sizeof(size_t))
#define HEAP_LISTS (4 * 8 * sizeof(size_t))

/* What a region of memory needs beside the bytes of one block, whatever their number. */
#define HEAP_OVERHEAD (3 * HEAP_ALIGN)

struct heap {
    struct list free[HEAP_LISTS];
    unsigned char *end; /* of the last region */
};

void heap_init(struct heap *h);

/*
 * More memory, both ends aligned by HEAP_ALIGN and at least HEAP_OVERHEAD long. It is one region with
 * the last one if it begins where that ends.
 */
void heap_add(struct heap *h, void *memory, size_t len);

/* `len` bytes, aligned by HEAP_ALIGN; NULL if no free block is as large. */
void *heap_take(struct heap *h, size_t len);

/* Back; `bytes` are of heap_take and not NULL. */
void heap_give(struct heap *h, void *bytes);

#endif

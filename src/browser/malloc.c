/*
 * malloc and free for base/mem.c and for emscripten's JavaScript: all memory from where the linker's
 * ends. Grown by an eighth of what there is, or by what is asked for if that is more.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/heap.h"

#define PAGE 65536

/* More than there can be: MAXIMUM_MEMORY of the Makefile. */
#define MOST ((size_t)1 << 28)

extern unsigned char __heap_base[];

/* Emscripten's: JavaScript's views of the memory are taken anew. */
void emscripten_notify_memory_growth(size_t memory);

static struct heap heap;

static int grow(size_t len)
{
    size_t pages = (len + PAGE - 1) / PAGE;
    size_t from = __builtin_wasm_memory_grow(0, pages);
    if (from == SIZE_MAX)
        return 0;
    emscripten_notify_memory_growth(0);
    heap_add(&heap, (unsigned char *)(from * PAGE), pages * PAGE);
    return 1;
}

void *malloc(size_t len)
{
    size_t size = __builtin_wasm_memory_size(0) * PAGE;
    if (!heap.end) {
        heap_init(&heap);
        heap_add(&heap, __heap_base, size - (size_t)__heap_base);
    }
    void *bytes = heap_take(&heap, len);
    size_t more = len + HEAP_OVERHEAD;
    if (bytes || len > MOST || ((more > size / 8 || !grow(size / 8)) && !grow(more)))
        return bytes;
    return heap_take(&heap, len);
}

/* For base/mem.c, whose count is 1. */
void *calloc(size_t count, size_t len)
{
    void *bytes = malloc(count * len);
    if (bytes)
        memset(bytes, 0, count * len);
    return bytes;
}

void free(void *bytes)
{
    if (bytes)
        heap_give(&heap, bytes);
}

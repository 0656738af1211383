/*
 * The only malloc of the core: a budget per node, and a switch that fails the nth allocation.
 *
 * Every block carries its size in front of it, so that giving it back credits the budget. Null is
 * returned when the budget or the machine is out of memory; the caller turns it into ERR_NOMEM.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

struct mem {
    size_t used;       /* bytes now handed out, with their headers */
    size_t peak;       /* largest `used` so far */
    size_t limit;      /* 0: no budget */
    uint64_t calls;    /* allocations asked for so far */
    uint64_t fail_nth; /* tests: the allocation with this number fails; 0: none */
};

/* `len` zeroed bytes aligned for any object, or null. */
void *mem_alloc(struct mem *m, size_t len);

/* Grows or shrinks; the old block stays valid when null is returned. New bytes are not zeroed. */
void *mem_resize(struct mem *m, void *block, size_t len);

/* Null is fine. */
void mem_free(struct mem *m, void *block);

/* Wipes the block before it is given back. */
void mem_free_secret(struct mem *m, void *block);

#endif

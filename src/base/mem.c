#include "base/mem.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/span.h"

/* In front of every block; its size keeps the block aligned as malloc's was. */
union header {
    size_t len;
    max_align_t align;
};

static bool allowed(struct mem *m, size_t more)
{
    m->calls++;
    if (m->fail_nth != 0 && m->calls == m->fail_nth)
        return false;
    return m->limit == 0 || (m->used <= m->limit && more <= m->limit - m->used);
}

static void charge(struct mem *m, size_t more)
{
    m->used += more;
    if (m->used > m->peak)
        m->peak = m->used;
}

void *mem_alloc(struct mem *m, size_t len)
{
    size_t total = len + sizeof(union header);
    if (total < len || !allowed(m, total))
        return NULL;
    union header *h = calloc(1, total);
    if (h == NULL)
        return NULL;
    h->len = total;
    charge(m, total);
    return h + 1;
}

void *mem_resize(struct mem *m, void *block, size_t len)
{
    if (block == NULL)
        return mem_alloc(m, len);
    union header *h = (union header *)block - 1;
    size_t old = h->len;
    size_t total = len + sizeof(union header);
    if (total < len || (total > old && !allowed(m, total - old)))
        return NULL;
    union header *grown = malloc(total); /* realloc is not worth its size */
    if (grown == NULL)
        return NULL;
    memcpy(grown, h, MIN(old, total));
    free(h);
    grown->len = total;
    m->used -= old;
    charge(m, total);
    return grown + 1;
}

void mem_free(struct mem *m, void *block)
{
    if (block == NULL)
        return;
    union header *h = (union header *)block - 1;
    assert(m->used >= h->len);
    m->used -= h->len;
    free(h);
}

void mem_free_secret(struct mem *m, void *block)
{
    if (block == NULL)
        return;
    union header *h = (union header *)block - 1;
    volatile uint8_t *p = block;
    for (size_t i = 0; i < h->len - sizeof *h; i++)
        p[i] = 0;
    mem_free(m, block);
}

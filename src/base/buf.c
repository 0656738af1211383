#include "base/buf.h"

#include <assert.h>

#define SMALLEST 256

void buf_init(struct buf *b, struct mem *mem, size_t limit)
{
    *b = (struct buf){.mem = mem, .limit = limit};
}

void buf_free(struct buf *b)
{
    mem_free(b->mem, b->data);
    b->data = NULL;
    b->head = b->len = b->capacity = 0;
}

static void pull_to_front(struct buf *b)
{
    if (b->head > 0 && b->len > 0)
        memmove(b->data, b->data + b->head, b->len);
    b->head = 0;
}

static bool grow(struct buf *b, size_t want)
{
    size_t capacity = MAX(b->capacity, (size_t)SMALLEST);
    while (capacity < want)
        capacity *= 2;
    uint8_t *data = mem_resize(b->mem, b->data, capacity);
    if (data == NULL)
        return false;
    b->data = data;
    b->capacity = capacity;
    return true;
}

uint8_t *buf_reserve(struct buf *b, size_t len)
{
    if (len > buf_room(b))
        return NULL;
    size_t want = b->len + len;
    if (b->head + want > b->capacity) {
        /* No more is moved than was taken since the last time, or a full queue would be for each bit. */
        if (want <= b->capacity / 2 || !grow(b, b->head + want))
            pull_to_front(b);
        if (b->head + want > b->capacity)
            return NULL;
    }
    return b->data + b->head + b->len;
}

void buf_commit(struct buf *b, size_t len)
{
    assert(b->head + b->len + len <= b->capacity && len <= buf_room(b));
    b->len += len;
}

int buf_append(struct buf *b, struct view bytes)
{
    if (bytes.len > buf_room(b))
        return ERR_FULL;
    if (bytes.len == 0)
        return 0;
    uint8_t *tail = buf_reserve(b, bytes.len);
    if (tail == NULL)
        return ERR_NOMEM;
    memcpy(tail, bytes.data, bytes.len);
    b->len += bytes.len;
    return 0;
}

void buf_take(struct buf *b, size_t len)
{
    assert(len <= b->len);
    b->head += len;
    b->len -= len;
    if (b->len == 0)
        b->head = 0;
}

void buf_truncate(struct buf *b, size_t len)
{
    assert(len <= b->len);
    b->len = len;
}

void buf_trim(struct buf *b)
{
    if (b->len == 0)
        buf_free(b);
}

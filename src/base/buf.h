/*
 * An owned queue of bytes with a hard limit.
 *
 *     data ->  [ taken | waiting (len bytes) | reserved | free ]
 *                       ^ head                ^ head + len
 *
 * Bytes are appended at the tail and taken from the head. Memory is fetched when the first byte
 * comes, grows by doubling, at most to four times `limit`, and is given back when the queue runs empty
 * and buf_trim is called. A zeroed buf with `mem` and `limit` set is valid and empty.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/err.h"
#include "base/mem.h"
#include "base/span.h"

struct buf {
    struct mem *mem;
    uint8_t *data;
    size_t head; /* offset of the first waiting byte */
    size_t len;  /* bytes waiting */
    size_t capacity;
    size_t limit; /* len never exceeds this */
};

void buf_init(struct buf *b, struct mem *mem, size_t limit);
void buf_free(struct buf *b);

/* How many more bytes fit under the limit. */
static inline size_t buf_room(const struct buf *b)
{
    return b->limit - b->len;
}

/* All waiting bytes. Valid until the next call that adds or takes. */
static inline struct span buf_span(const struct buf *b)
{
    return (struct span){b->data ? b->data + b->head : NULL, b->len};
}

static inline struct view buf_view(const struct buf *b)
{
    return view_of_span(buf_span(b));
}

/*
 * Memory for `len` bytes behind the last waiting one; null when that would pass the limit or
 * memory is out. Nothing is added until buf_commit.
 */
uint8_t *buf_reserve(struct buf *b, size_t len);

/* Adds the first `len` reserved bytes. */
void buf_commit(struct buf *b, size_t len);

/* Copies all of `bytes` in, or nothing: ERR_FULL past the limit, ERR_NOMEM. */
MUST_USE int buf_append(struct buf *b, struct view bytes);

/* Drops `len` bytes from the front; `len` is at most b->len. */
void buf_take(struct buf *b, size_t len);

/* Cuts the queue to its first `len` bytes. */
void buf_truncate(struct buf *b, size_t len);

/* Gives the memory back when nothing waits. */
void buf_trim(struct buf *b);

#endif

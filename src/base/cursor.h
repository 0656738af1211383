/*
 * Read and write positions whose failure is sticky: take or put every field, ask once.
 *
 *     struct cursor c = cursor_of(in);
 *     code = take_uvarint(&c);
 *     ...
 *     return c.failed || c.rest.len > 0 ? ERR_PROTOCOL : 0;
 *
 * After a failure every take returns zero or an empty view and every put does nothing.
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include "base/span.h"

/* Longest unsigned varint of the multiformats spec: nine bytes, 63 bits. */
#define UVARINT_MAX_LEN 9

struct cursor {
    struct view rest;
    bool failed;
};

static inline struct cursor cursor_of(struct view in)
{
    return (struct cursor){in, false};
}

uint8_t take_u8(struct cursor *c);
uint16_t take_u16be(struct cursor *c);
uint32_t take_u32be(struct cursor *c);
uint64_t take_u64be(struct cursor *c);

/* A minimal unsigned varint; fails on a tenth byte and on a padded encoding. */
uint64_t take_uvarint(struct cursor *c);

/* The next `len` bytes, borrowed. */
struct view take(struct cursor *c, size_t len);

/* A uvarint length, refused above `limit`, and that many bytes, borrowed. */
struct view take_delimited(struct cursor *c, size_t limit);

/* Writes into [data, data+room). `len` counts what was written. */
struct writer {
    uint8_t *data;
    size_t room;
    size_t len;
    bool failed;
};

static inline struct writer writer_of(uint8_t *data, size_t room)
{
    return (struct writer){data, room, 0, false};
}

void put_u8(struct writer *w, uint8_t value);
void put_u16be(struct writer *w, uint16_t value);
void put_u32be(struct writer *w, uint32_t value);
void put_u64be(struct writer *w, uint64_t value);
void put_uvarint(struct writer *w, uint64_t value);
void put(struct writer *w, struct view bytes);
void put_text(struct writer *w, const char *text);

/* uvarint(len) || bytes */
void put_delimited(struct writer *w, struct view bytes);

static inline struct view writer_view(const struct writer *w)
{
    return view_of(w->data, w->len);
}

/* Bytes that put_uvarint writes for a value: 1 to 10. */
size_t uvarint_len(uint64_t value);

/* Results of uvarint_peek besides a length. */
enum { UVARINT_MORE = 0, UVARINT_BAD = -1 };

/*
 * Reads a uvarint that may not be complete yet. Returns its length with `*value` set, UVARINT_MORE
 * when the bytes end inside it, UVARINT_BAD when no continuation can make it valid.
 */
int uvarint_peek(struct view in, uint64_t *value);

#endif

/*
 * Messages with a uvarint length in front, read from a stream of bytes under a limit.
 *
 *     uvarint(len) || message        len at most `limit`
 *
 * A message that lies whole in the bytes fed is lent from there; only one that is split is gathered,
 * in memory that grows with the bytes received and never with the length announced.
 */
#ifndef WIRE_DELIMITED_H
#define WIRE_DELIMITED_H

#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"

struct delimited {
    struct buf partial; /* what has come of a split message, with its length */
    size_t limit;
    size_t given; /* bytes of `partial` lent by the last feed */
};

void delimited_init(struct delimited *d, struct mem *mem, size_t limit);
void delimited_free(struct delimited *d);

/*
 * Takes bytes. 1 with `*message`, valid until the next call; 0 when `in` is used up; ERR_TOO_BIG for
 * a length over the limit, ERR_PROTOCOL for one that is no uvarint, ERR_NOMEM. After an error only
 * delimited_free may follow.
 */
MUST_USE int delimited_feed(struct delimited *d, struct span *in, struct view *message);

/* The same, for a layer whose own layer above may write into the message. */
MUST_USE int delimited_feed_span(struct delimited *d, struct span *in, struct span *message);

/* Whether nothing of a message has been received yet. */
static inline bool delimited_is_empty(const struct delimited *d)
{
    return d->partial.len == d->given;
}

#endif

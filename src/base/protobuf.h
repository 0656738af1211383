/*
 * nanopb, with fields lent and borrowed instead of copied.
 *
 * In the .options file such a field is `type:FT_CALLBACK`. Point the generated pb_callback_t at a
 * `struct view` (one value) or a `struct views` (repeated) with the functions below. Borrowed views
 * point into the bytes given to protobuf_decode. Enumerations whose zero means something are
 * declared `optional` in the .proto, so that the zero is written.
 */
#ifndef BASE_PROTOBUF_H
#define BASE_PROTOBUF_H

#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"

#include <pb.h>

/* A repeated field: `count` values in `at`, which has room for `room`; more are counted in `over`. */
struct views {
    struct view *at;
    size_t count;
    size_t room;
    size_t over;
};

/* Decoding: the last value wins / all values, those past `room` only counted. */
pb_callback_t borrow_view(struct view *into);
pb_callback_t borrow_views(struct views *into);

/* Encoding: absent when data is null; present and empty when data is not null and len is 0. */
pb_callback_t lend_view(const struct view *from);
pb_callback_t lend_views(const struct views *from);

/*
 * Decodes a whole message. ERR_TOO_BIG past `limit` bytes, before anything is looked at;
 * ERR_PROTOCOL when it does not parse or a borrowed field is a number. Unknown fields are skipped.
 */
MUST_USE int protobuf_decode(struct view in, size_t limit, const pb_msgdesc_t *fields, void *into);

/* Appends the message; the other appends uvarint(len) || message. ERR_FULL, ERR_NOMEM. */
MUST_USE int protobuf_append(struct buf *out, const pb_msgdesc_t *fields, const void *from);
MUST_USE int protobuf_append_delimited(struct buf *out, const pb_msgdesc_t *fields,
                                       const void *from);

/* Writes the message at the writer's position; failure is sticky there. */
void protobuf_put(struct writer *w, const pb_msgdesc_t *fields, const void *from);

#endif

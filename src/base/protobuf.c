#include "base/protobuf.h"

#include <pb_decode.h>
#include <pb_encode.h>

/*
 * With PB_BUFFER_ONLY a stream's state is its position in the bytes it was made from, and `callback`
 * is free: protobuf_decode marks its stream there, and nanopb copies the mark into each substream.
 * A number where bytes belong comes in a stream without it, over memory of nanopb's own.
 */
static bool borrow(pb_istream_t *stream, struct view *bytes)
{
    if (stream->callback == NULL)
        return false;
    *bytes = view_of(stream->state, stream->bytes_left);
    return pb_read(stream, NULL, stream->bytes_left);
}

static bool decode_view(pb_istream_t *stream, const pb_field_t *field, void **arg)
{
    (void)field;
    return borrow(stream, *arg);
}

static bool decode_views(pb_istream_t *stream, const pb_field_t *field, void **arg)
{
    (void)field;
    struct views *v = *arg;
    struct view bytes;
    if (!borrow(stream, &bytes))
        return false;
    if (v->count < v->room)
        v->at[v->count++] = bytes;
    else
        v->over++;
    return true;
}

static bool encode_one(pb_ostream_t *stream, const pb_field_t *field, struct view v)
{
    return pb_encode_tag_for_field(stream, field) && pb_encode_string(stream, v.data, v.len);
}

static bool encode_view(pb_ostream_t *stream, const pb_field_t *field, void *const *arg)
{
    const struct view *v = *arg;
    return v->data == NULL || encode_one(stream, field, *v);
}

static bool encode_views(pb_ostream_t *stream, const pb_field_t *field, void *const *arg)
{
    const struct views *v = *arg;
    for (size_t i = 0; i < v->count; i++)
        if (!encode_one(stream, field, v->at[i]))
            return false;
    return true;
}

pb_callback_t borrow_view(struct view *into)
{
    return (pb_callback_t){.funcs.decode = decode_view, .arg = into};
}

pb_callback_t borrow_views(struct views *into)
{
    return (pb_callback_t){.funcs.decode = decode_views, .arg = into};
}

/* nanopb's arg is one pointer for both directions; the encoders above only read through it. */
static void *lent(const void *from)
{
    union {
        const void *in;
        void *out;
    } pointer = {from};
    return pointer.out;
}

pb_callback_t lend_view(const struct view *from)
{
    return (pb_callback_t){.funcs.encode = encode_view, .arg = lent(from)};
}

pb_callback_t lend_views(const struct views *from)
{
    return (pb_callback_t){.funcs.encode = encode_views, .arg = lent(from)};
}

int protobuf_decode(struct view in, size_t limit, const pb_msgdesc_t *fields, void *into)
{
    if (in.len > limit)
        return ERR_TOO_BIG;
    int mark = 0;
    pb_istream_t stream = pb_istream_from_buffer(in.data, in.len);
    stream.callback = &mark;
    return pb_decode_ex(&stream, fields, into, PB_DECODE_NOINIT) ? 0 : ERR_PROTOCOL;
}

void protobuf_put(struct writer *w, const pb_msgdesc_t *fields, const void *from)
{
    if (w->failed)
        return;
    pb_ostream_t stream = pb_ostream_from_buffer(w->data + w->len, w->room - w->len);
    if (pb_encode(&stream, fields, from))
        w->len += stream.bytes_written;
    else
        w->failed = true;
}

static int append(struct buf *out, const pb_msgdesc_t *fields, const void *from, bool delimited)
{
    size_t len = 0;
    if (!pb_get_encoded_size(&len, fields, from))
        return ERR_BAD_ARGUMENT;
    size_t total = len + (delimited ? uvarint_len(len) : 0);
    if (total > buf_room(out))
        return ERR_FULL;
    uint8_t *tail = buf_reserve(out, total);
    if (tail == NULL)
        return ERR_NOMEM;
    struct writer w = writer_of(tail, total);
    if (delimited)
        put_uvarint(&w, len);
    protobuf_put(&w, fields, from);
    if (w.failed)
        return ERR_BAD_ARGUMENT;
    buf_commit(out, w.len);
    return 0;
}

int protobuf_append(struct buf *out, const pb_msgdesc_t *fields, const void *from)
{
    return append(out, fields, from, false);
}

int protobuf_append_delimited(struct buf *out, const pb_msgdesc_t *fields, const void *from)
{
    return append(out, fields, from, true);
}

#include "wire/delimited.h"

void delimited_init(struct delimited *d, struct mem *mem, size_t limit)
{
    *d = (struct delimited){.limit = limit};
    buf_init(&d->partial, mem, limit + UVARINT_MAX_LEN);
}

void delimited_free(struct delimited *d)
{
    buf_free(&d->partial);
    d->given = 0;
}

/* The length of the whole message with its prefix: 1 when known, 0 when not yet, or an error. */
static int measure(const struct delimited *d, struct view bytes, size_t *prefix, size_t *total)
{
    uint64_t len = 0;
    int rc = uvarint_peek(bytes, &len);
    if (rc == UVARINT_BAD)
        return ERR_PROTOCOL;
    if (rc == UVARINT_MORE)
        return 0;
    if (len > d->limit)
        return ERR_TOO_BIG;
    *prefix = (size_t)rc;
    *total = *prefix + (size_t)len;
    return 1;
}

static int lend(struct view whole, size_t prefix, size_t total, struct view *message)
{
    *message = view_of(whole.data + prefix, total - prefix);
    return 1;
}

/* Adds what the partial message still needs, a byte at a time while its length is not known. */
static int gather(struct delimited *d, struct span *in, struct view *message)
{
    for (;;) {
        size_t prefix = 0, total = d->partial.len + 1;
        int rc = measure(d, buf_view(&d->partial), &prefix, &total);
        if (rc < 0)
            return rc;
        if (rc == 1 && d->partial.len == total) {
            d->given = total;
            return lend(buf_view(&d->partial), prefix, total, message);
        }
        if (in->len == 0)
            return 0;
        struct span more = span_take(in, total - d->partial.len);
        rc = buf_append(&d->partial, view_of_span(more));
        if (rc != 0)
            return rc;
    }
}

int delimited_feed(struct delimited *d, struct span *in, struct view *message)
{
    if (d->given > 0) {
        buf_take(&d->partial, d->given);
        buf_trim(&d->partial);
        d->given = 0;
    }
    if (d->partial.len > 0)
        return gather(d, in, message);
    if (in->len == 0)
        return 0;
    size_t prefix = 0, total = 0;
    int rc = measure(d, view_of_span(*in), &prefix, &total);
    if (rc < 0)
        return rc;
    if (rc == 0 || in->len < total)
        return gather(d, in, message);
    return lend(view_of_span(span_take(in, total)), prefix, total, message);
}

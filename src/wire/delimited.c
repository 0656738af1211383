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

/* The lengths of the prefix and of the message: 1 when known, 0 when not yet, or an error. */
static int measure(const struct delimited *d, struct span bytes, size_t *prefix, size_t *len)
{
    uint64_t announced = 0;
    int rc = uvarint_peek(view_of_span(bytes), &announced);
    if (rc == UVARINT_BAD)
        return ERR_PROTOCOL;
    if (rc == UVARINT_MORE)
        return 0;
    if (announced > d->limit)
        return ERR_TOO_BIG;
    *prefix = (size_t)rc;
    *len = (size_t)announced;
    return 1;
}

/* Adds what the split message still needs, a byte at a time while its length is not known. */
static int gather(struct delimited *d, struct span *in, struct span *message)
{
    for (;;) {
        struct span have = buf_span(&d->partial);
        size_t prefix = have.len, len = 1;
        int rc = measure(d, have, &prefix, &len);
        if (rc < 0)
            return rc;
        if (rc == 1 && have.len == prefix + len) {
            d->given = have.len;
            *message = span_of(have.data + prefix, len);
            return 1;
        }
        if (in->len == 0)
            return 0;
        struct span more = span_take(in, prefix + len - have.len);
        rc = buf_append(&d->partial, view_of_span(more));
        if (rc != 0)
            return rc;
    }
}

int delimited_feed_span(struct delimited *d, struct span *in, struct span *message)
{
    if (d->given > 0) {
        buf_free(&d->partial);
        d->given = 0;
    }
    if (d->partial.len > 0)
        return gather(d, in, message);
    size_t prefix = 0, len = 0;
    int rc = measure(d, *in, &prefix, &len);
    if (rc < 0)
        return rc;
    if (rc == 0 || len > in->len - prefix)
        return gather(d, in, message);
    span_take(in, prefix);
    *message = span_take(in, len);
    return 1;
}

int delimited_feed(struct delimited *d, struct span *in, struct view *message)
{
    struct span lent;
    int rc = delimited_feed_span(d, in, &lent);
    if (rc == 1)
        *message = view_of_span(lent);
    return rc;
}

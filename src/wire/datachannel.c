#include "wire/datachannel.h"

#include <assert.h>

/* Protobuf tags: field 1 as varint, field 2 as bytes. */
#define TAG_FLAG 0x08
#define TAG_MESSAGE 0x12

void datachannel_init(struct datachannel *d, struct mem *mem, const struct peerlet_limits *limits)
{
    (void)limits;
    *d = (struct datachannel){.fin_until = NEVER};
    delimited_init(&d->reader, mem, DATACHANNEL_ACCEPT_MAX);
}

void datachannel_free(struct datachannel *d)
{
    delimited_free(&d->reader);
}

/* ---- in ------------------------------------------------------------------------------------------ */

/* One unknown field; its number was read. */
static void skip_field(struct cursor *c, uint64_t tag)
{
    switch (tag & 7) {
    case 0:
        take_uvarint(c);
        break;
    case 1:
        take(c, 8);
        break;
    case 2:
        take_delimited(c, c->rest.len);
        break;
    case 5:
        take(c, 4);
        break;
    default:
        c->failed = true;
    }
}

/* Message is two fields, read here by hand so that its bytes stay writable for what lies above. */
static int parse(struct datachannel *d, struct span frame, struct span *data)
{
    struct cursor c = cursor_of(view_of_span(frame));
    *data = span_of(NULL, 0);
    d->has_flag = false;
    while (c.rest.len > 0 && !c.failed) {
        uint64_t tag = take_uvarint(&c);
        if (tag == TAG_FLAG) {
            uint64_t flag = take_uvarint(&c);
            d->has_flag = flag <= DATACHANNEL_FLAG_FIN_ACK;
            d->flag = (uint32_t)flag;
        } else if (tag == TAG_MESSAGE) {
            struct view v = take_delimited(&c, frame.len);
            *data = span_of(frame.data + (v.len ? (size_t)(v.data - frame.data) : 0), v.len);
        } else
            skip_field(&c, tag);
    }
    return c.failed ? ERR_PROTOCOL : 0;
}

static int tell(struct datachannel_event *ev, enum datachannel_event_type type)
{
    ev->type = type;
    ev->data = span_of(NULL, 0);
    return 1;
}

static int on_flag(struct datachannel *d, struct datachannel_event *ev)
{
    d->has_flag = false;
    switch ((enum datachannel_flag)d->flag) {
    case DATACHANNEL_FLAG_FIN:
        d->fin_ack_owed = true;
        if (d->peer_closed)
            return 0;
        d->peer_closed = true;
        return tell(ev, DATACHANNEL_FIN);
    case DATACHANNEL_FLAG_STOP_SENDING:
        return tell(ev, DATACHANNEL_STOP_SENDING);
    case DATACHANNEL_FLAG_RESET:
        d->is_reset = true;
        d->fin_owed = d->stop_owed = d->reset_owed = d->fin_ack_owed = false;
        return tell(ev, DATACHANNEL_RESET);
    case DATACHANNEL_FLAG_FIN_ACK:
        if (d->ours != HALF_WAIT_ACK)
            return 0;
        d->ours = HALF_CLOSED;
        d->fin_until = NEVER;
        return tell(ev, DATACHANNEL_FIN_ACK);
    }
    return 0;
}

/* The frame as writable bytes: it lies in `in`, or in the reader's own memory. */
static struct span writable(const struct datachannel *d, struct span before, struct view frame)
{
    if (d->reader.given > 0)
        before = span_of(d->reader.partial.data + d->reader.partial.head, d->reader.partial.len);
    return span_of(before.data + (frame.data - before.data), frame.len);
}

int datachannel_feed(struct datachannel *d, struct span *in, struct datachannel_event *ev)
{
    for (;;) {
        if (d->has_flag) {
            int rc = on_flag(d, ev);
            if (rc != 0)
                return rc;
        }
        struct view frame;
        struct span before = *in;
        int rc = delimited_feed(&d->reader, in, &frame);
        if (rc <= 0)
            return rc;
        struct span data;
        rc = parse(d, writable(d, before, frame), &data);
        if (rc != 0)
            return rc;
        if (data.len == 0 || d->peer_closed || d->read_closed || d->is_reset)
            continue;
        ev->type = DATACHANNEL_DATA;
        ev->data = data;
        return 1;
    }
}

/* ---- out ------------------------------------------------------------------------------------------- */

/*
 * The prefix is written with a fixed width, since the length is known only at commit: three bytes
 * for the frame, one for the tag, three for the payload. A uvarint must be minimal, so a short
 * payload is moved forward; it is short.
 */
uint8_t *datachannel_reserve(struct datachannel *d, struct buf *out, size_t *room)
{
    size_t want = MIN(*room, (size_t)DATACHANNEL_PAYLOAD_MAX);
    size_t fits = buf_room(out);
    *room = 0;
    if (d->ours != HALF_OPEN || d->is_reset || want == 0 || fits < 4 * DATACHANNEL_OVERHEAD)
        return NULL;
    want = MIN(want, fits - 2 * DATACHANNEL_OVERHEAD);
    uint8_t *at = buf_reserve(out, DATACHANNEL_OVERHEAD + want);
    if (at == NULL)
        return NULL;
    *room = want;
    return at + DATACHANNEL_OVERHEAD;
}

void datachannel_commit(struct datachannel *d, struct buf *out, size_t len)
{
    (void)d;
    if (len == 0)
        return;
    uint8_t *at = buf_reserve(out, DATACHANNEL_OVERHEAD + len);
    assert(at != NULL && len <= DATACHANNEL_PAYLOAD_MAX);
    size_t inner = 1 + uvarint_len(len);
    struct writer w = writer_of(at, DATACHANNEL_OVERHEAD);
    put_uvarint(&w, inner + len);
    put_u8(&w, TAG_MESSAGE);
    put_uvarint(&w, len);
    if (w.len < DATACHANNEL_OVERHEAD)
        memmove(at + w.len, at + DATACHANNEL_OVERHEAD, len);
    buf_commit(out, w.len + len);
}

static int put_flag(struct buf *out, enum datachannel_flag flag)
{
    const uint8_t frame[] = {2, TAG_FLAG, (uint8_t)flag};
    return buf_append(out, view_of(frame, sizeof frame));
}

static int pay(bool *owed, struct buf *out, enum datachannel_flag flag)
{
    if (!*owed)
        return 0;
    int rc = put_flag(out, flag);
    *owed = rc != 0;
    return rc;
}

int datachannel_drain(struct datachannel *d, struct buf *out, uint64_t now)
{
    bool starts_wait = d->fin_owed;
    int rc = pay(&d->fin_owed, out, DATACHANNEL_FLAG_FIN);
    if (rc == 0 && starts_wait)
        d->fin_until = after(now, DATACHANNEL_FIN_ACK_MS);
    if (rc == 0)
        rc = pay(&d->fin_ack_owed, out, DATACHANNEL_FLAG_FIN_ACK);
    if (rc == 0)
        rc = pay(&d->stop_owed, out, DATACHANNEL_FLAG_STOP_SENDING);
    if (rc == 0)
        rc = pay(&d->reset_owed, out, DATACHANNEL_FLAG_RESET);
    return rc;
}

void datachannel_close_write(struct datachannel *d)
{
    if (d->ours != HALF_OPEN || d->is_reset)
        return;
    d->ours = HALF_WAIT_ACK;
    d->fin_owed = true;
}

void datachannel_close_read(struct datachannel *d)
{
    if (d->read_closed || d->peer_closed || d->is_reset)
        return;
    d->read_closed = d->stop_owed = true;
}

void datachannel_reset(struct datachannel *d)
{
    if (d->is_reset)
        return;
    d->is_reset = d->reset_owed = true;
    d->fin_owed = d->stop_owed = d->fin_ack_owed = false;
}

bool datachannel_is_done(const struct datachannel *d)
{
    if (d->fin_owed || d->stop_owed || d->reset_owed || d->fin_ack_owed)
        return false;
    return d->is_reset || (d->ours == HALF_CLOSED && d->peer_closed);
}

uint64_t datachannel_deadline(const struct datachannel *d)
{
    return d->fin_until;
}

void datachannel_tick(struct datachannel *d, uint64_t now)
{
    if (!is_due(d->fin_until, now))
        return;
    d->fin_until = NEVER;
    d->ours = HALF_CLOSED;
}

size_t datachannel_frame(struct view out)
{
    uint64_t len = 0;
    int prefix = uvarint_peek(out, &len);
    if (prefix <= 0 || len > out.len - (size_t)prefix)
        return 0;
    return (size_t)prefix + (size_t)len;
}

#include "wire/datachannel.h"

#include "base/protobuf.h"
#include "datachannel.pb.h"

#include <assert.h>

#define TAG_FLAG 0x08
#define TAG_MESSAGE 0x12

/* In front of a long payload: length of the frame, tag, length of the payload. */
#define PREFIX_LEN (2 + 1 + 2)
/* From so much payload on both lengths take two bytes, and the frame can grow. */
#define GROWS_FROM 128
/* All the flags that can be owed at once, three bytes each. */
#define FLAGS_LEN (4 * 3)

_Static_assert(PREFIX_LEN + DATACHANNEL_PAYLOAD_MAX <= DATACHANNEL_FRAME_MAX, "one send");
_Static_assert(1 + 2 + DATACHANNEL_PAYLOAD_MAX < 1 << 14, "both lengths take two bytes at most");

void datachannel_init(struct datachannel *d, struct mem *mem, const struct peerlet_limits *limits)
{
    *d = (struct datachannel){
        .limits = limits,
        .until = NEVER,
        .payload_max = DATACHANNEL_PAYLOAD_MAX,
    };
    delimited_init(&d->reader, mem, DATACHANNEL_ACCEPT_MAX);
}

void datachannel_free(struct datachannel *d)
{
    delimited_free(&d->reader);
}

/* ---- in ------------------------------------------------------------------------------------ */

static int parse(struct datachannel *d, struct span frame, struct span *data)
{
    struct view payload = {NULL, 0};
    peerlet_datachannel_Message message = peerlet_datachannel_Message_init_zero;
    message.message = borrow_view(&payload);
    int rc = protobuf_decode(view_of_span(frame), DATACHANNEL_ACCEPT_MAX,
                             peerlet_datachannel_Message_fields, &message);
    if (rc != 0)
        return rc;
    d->has_flag = message.has_flag;
    d->flag = message.flag;
    size_t at = payload.len > 0 ? (size_t)(payload.data - frame.data) : 0;
    *data = span_of(frame.data + at, payload.len);
    return 0;
}

static int tell(struct datachannel_event *ev, enum datachannel_event_type type)
{
    *ev = (struct datachannel_event){.type = type};
    return 1;
}

/* No answer to our FIN or RESET is waited for. */
static void become_closed(struct datachannel *d)
{
    d->state = DATACHANNEL_CLOSED;
    d->until = NEVER;
}

static int on_fin(struct datachannel *d, struct datachannel_event *ev)
{
    if (d->peer_closed)
        return 0;
    d->peer_closed = d->fin_ack_owed = true;
    return tell(ev, DATACHANNEL_FIN);
}

/* Whoever reads no more owes no FIN_ACK either: go waits for none. */
static int on_stop_sending(struct datachannel *d, struct datachannel_event *ev)
{
    if (d->state == DATACHANNEL_WAIT)
        become_closed(d);
    if (d->peer_stopped)
        return 0;
    d->peer_stopped = true;
    return tell(ev, DATACHANNEL_STOP_SENDING);
}

static void end(struct datachannel *d)
{
    d->is_reset = true;
    d->fin_owed = d->fin_ack_owed = d->stop_owed = d->reset_owed = false;
    become_closed(d);
}

static int on_fin_ack(struct datachannel *d, struct datachannel_event *ev)
{
    if (d->state != DATACHANNEL_WAIT || d->fin_owed)
        return 0;
    become_closed(d);
    return tell(ev, DATACHANNEL_FIN_ACK);
}

/* What the peer says last to a stream that we have reset. */
static bool is_last(uint32_t flag)
{
    return flag == DATACHANNEL_FLAG_FIN || flag == DATACHANNEL_FLAG_RESET;
}

static int on_flag(struct datachannel *d, struct datachannel_event *ev)
{
    d->has_flag = false;
    if (d->is_reset && is_last(d->flag))
        become_closed(d);
    if (d->is_reset || d->flag > DATACHANNEL_FLAG_FIN_ACK)
        return 0;
    switch ((enum datachannel_flag)d->flag) {
    case DATACHANNEL_FLAG_FIN:
        return on_fin(d, ev);
    case DATACHANNEL_FLAG_STOP_SENDING:
        return on_stop_sending(d, ev);
    case DATACHANNEL_FLAG_RESET:
        end(d);
        return tell(ev, DATACHANNEL_RESET);
    case DATACHANNEL_FLAG_FIN_ACK:
        return on_fin_ack(d, ev);
    }
    return 0;
}

int datachannel_feed(struct datachannel *d, struct span *in, struct datachannel_event *ev)
{
    for (;;) {
        int rc = d->has_flag ? on_flag(d, ev) : 0;
        if (rc != 0)
            return rc;
        struct span frame, data;
        rc = delimited_feed_span(&d->reader, in, &frame);
        if (rc <= 0)
            return rc;
        rc = parse(d, frame, &data);
        if (rc != 0)
            return rc;
        if (data.len == 0 || d->peer_closed || d->read_closed || d->is_reset)
            continue;
        *ev = (struct datachannel_event){DATACHANNEL_DATA, data};
        return 1;
    }
}

/* ---- out ----------------------------------------------------------------------------------- */

uint8_t *datachannel_reserve(struct datachannel *d, struct buf *out, size_t *room)
{
    if (out->len == 0 || d->growing == d->payload_max)
        d->growing = 0;
    size_t want = MIN(*room, d->payload_max - d->growing);
    size_t prefix = d->growing > 0 ? 0 : PREFIX_LEN;
    size_t fits = buf_room(out);
    *room = 0;
    if (d->state != DATACHANNEL_OPEN || d->peer_stopped || want == 0 ||
        fits <= PREFIX_LEN + FLAGS_LEN)
        return NULL;
    want = MIN(want, fits - PREFIX_LEN - FLAGS_LEN);
    uint8_t *at = buf_reserve(out, prefix + want);
    if (at == NULL)
        return NULL;
    *room = want;
    return at + prefix;
}

static size_t put_prefix(uint8_t *at, size_t len)
{
    struct writer w = writer_of(at, PREFIX_LEN);
    put_uvarint(&w, 1 + uvarint_len(len) + len);
    put_u8(&w, TAG_MESSAGE);
    put_uvarint(&w, len);
    return w.len;
}

void datachannel_commit(struct datachannel *d, struct buf *out, size_t len)
{
    assert(d->state == DATACHANNEL_OPEN && len <= d->payload_max - d->growing);
    if (len == 0)
        return;
    uint8_t *at = buf_reserve(out, (d->growing > 0 ? 0 : PREFIX_LEN) + len);
    assert(at != NULL);
    if (d->growing > 0) {
        put_prefix(at - d->growing - PREFIX_LEN, d->growing + len);
        buf_commit(out, len);
        d->growing += len;
        return;
    }
    size_t prefix = put_prefix(at, len);
    /* Lengths under 128 take one byte: what little follows moves up. */
    if (prefix < PREFIX_LEN)
        memmove(at + prefix, at + PREFIX_LEN, len);
    buf_commit(out, prefix + len);
    d->growing = len >= GROWS_FROM ? len : 0;
}

static int pay(struct datachannel *d, bool *owed, enum datachannel_flag flag, struct buf *out)
{
    if (!*owed)
        return 0;
    const uint8_t frame[] = {2, TAG_FLAG, (uint8_t)flag};
    int rc = buf_append(out, view_of(frame, sizeof frame));
    *owed = rc != 0;
    d->growing = 0;
    return rc;
}

int datachannel_drain(struct datachannel *d, struct buf *out, uint64_t now)
{
    bool was_owed = d->fin_owed || d->reset_owed;
    int rc = pay(d, &d->fin_owed, DATACHANNEL_FLAG_FIN, out);
    if (rc == 0)
        rc = pay(d, &d->fin_ack_owed, DATACHANNEL_FLAG_FIN_ACK, out);
    if (rc == 0)
        rc = pay(d, &d->stop_owed, DATACHANNEL_FLAG_STOP_SENDING, out);
    if (rc == 0)
        rc = pay(d, &d->reset_owed, DATACHANNEL_FLAG_RESET, out);
    if (was_owed && !d->fin_owed && !d->reset_owed && d->state == DATACHANNEL_WAIT)
        d->until = after(now, d->limits->rtc_answer_ms);
    return rc;
}

void datachannel_close_write(struct datachannel *d)
{
    if (d->state != DATACHANNEL_OPEN)
        return;
    d->state = DATACHANNEL_WAIT;
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
    end(d);
    d->reset_owed = true;
    if (!d->peer_closed)
        d->state = DATACHANNEL_WAIT;
}

bool datachannel_is_done(const struct datachannel *d)
{
    if (d->fin_owed || d->fin_ack_owed || d->stop_owed || d->reset_owed)
        return false;
    return d->state == DATACHANNEL_CLOSED && (d->peer_closed || d->is_reset);
}

uint64_t datachannel_deadline(const struct datachannel *d)
{
    return d->until;
}

void datachannel_tick(struct datachannel *d, uint64_t now)
{
    if (is_due(d->until, now))
        become_closed(d);
}

size_t datachannel_frame(struct view out)
{
    uint64_t len = 0;
    int prefix = uvarint_peek(out, &len);
    if (prefix <= 0 || len > out.len - (size_t)prefix)
        return 0;
    return (size_t)prefix + (size_t)len;
}

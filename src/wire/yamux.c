#include "wire/yamux.h"

#include <assert.h>

/* Credit that no honest peer ever reaches, and whose sums cannot overflow. */
#define CREDIT_MAX (UINT32_C(1) << 31)

void yamux_init(struct yamux *y, enum role role, struct mem *mem,
                const struct peerlet_limits *limits, uint64_t now)
{
    *y = (struct yamux){
        .role = role,
        .mem = mem,
        .limits = limits,
        .next_id = role == DIALER ? 1 : 2,
        .ping_owed = true,
        .ping_sent_at = now,
        .pong_rate.at = now,
        .churn.at = now,
    };
    table_init(&y->streams, mem);
    list_init(&y->owing);
    buf_init(&y->pongs, mem, limits->yamux_pongs_owed * sizeof(uint32_t));
    buf_init(&y->refusals, mem, limits->yamux_refusals_owed * sizeof(uint32_t));
}

void yamux_free(struct yamux *y)
{
    if (y->mem == NULL)
        return;
    uint32_t at = 0;
    struct yamux_stream *s;
    if (y->all != NULL)
        *y->all -= y->grown;
    while ((s = table_next(&y->streams, &at)) != NULL)
        mem_free(y->mem, s);
    table_free(&y->streams);
    buf_free(&y->pongs);
    buf_free(&y->refusals);
}

/* What holds between calls. */
static void check(const struct yamux *y)
{
    (void)y;
    assert(y->header_len < YAMUX_HEADER_LEN);
    assert(y->inbound <= y->limits->streams_inbound && y->unacked <= y->limits->streams_unacked);
    assert(y->inbound + y->unacked <= y->streams.count);
    assert(y->grown <= y->limits->window_conn);
    assert(y->all == NULL || (y->grown <= *y->all && *y->all <= y->limits->window_node));
}

/* ---- streams ------------------------------------------------------------------------------- */

static struct yamux_stream *stream_new(struct yamux *y, uint32_t id, bool is_ours)
{
    struct yamux_stream *s = mem_alloc(y->mem, sizeof *s);
    if (s == NULL || table_add(&y->streams, id, s) != 0) {
        mem_free(y->mem, s);
        return NULL;
    }
    s->id = id;
    s->is_ours = is_ours;
    s->credit = s->window = s->target = y->limits->window_initial;
    if (is_ours)
        y->unacked++;
    else
        y->inbound++;
    return s;
}

/* Modulo 2^32, so that a window's end is growth too. */
static void grow(struct yamux *y, uint32_t len)
{
    y->grown += len;
    if (y->all != NULL)
        *y->all += len;
}

static uint32_t growth_left(const struct yamux *y)
{
    uint32_t left = y->limits->window_conn - y->grown;
    return y->all == NULL ? left : MIN(left, y->limits->window_node - *y->all);
}

static void stream_free(struct yamux *y, struct yamux_stream *s)
{
    table_remove(&y->streams, s->id);
    list_remove(&s->in_owing);
    grow(y, y->limits->window_initial - s->target);
    if (!s->is_ours)
        y->inbound--;
    else if (!s->is_acked)
        y->unacked--;
    mem_free(y->mem, s);
}

static void owe(struct yamux *y, struct yamux_stream *s)
{
    if (!list_is_linked(&s->in_owing))
        list_add(&y->owing, &s->in_owing);
}

static void owe_nothing(struct yamux_stream *s)
{
    s->syn_owed = s->ack_owed = s->fin_owed = s->rst_owed = s->update_owed = false;
    list_remove(&s->in_owing);
}

/* A released stream goes when it has nothing more to say and nothing more to hear. */
static void free_if_over(struct yamux *y, struct yamux_stream *s)
{
    if (s->is_released && yamux_stream_is_over(s) && !yamux_stream_owes(s))
        stream_free(y, s);
}

/* ---- commands ------------------------------------------------------------------------------ */

struct yamux_stream *yamux_open(struct yamux *y, int *error)
{
    *error = ERR_CLOSED;
    if (y->goaway_received || y->goaway_sent || y->goaway_owed || y->next_id > UINT32_MAX - 2)
        return NULL;
    *error = ERR_FULL;
    if (y->unacked >= y->limits->streams_unacked)
        return NULL;
    *error = ERR_NOMEM;
    struct yamux_stream *s = stream_new(y, y->next_id, true);
    if (s == NULL)
        return NULL;
    *error = 0;
    y->next_id += 2;
    s->syn_owed = true;
    owe(y, s);
    check(y);
    return s;
}

uint8_t *yamux_reserve(struct yamux *y, struct yamux_stream *s, struct writer *w, size_t want,
                       size_t *room)
{
    *room = 0;
    size_t fits = w->room - w->len;
    if (s->write_closed || s->is_reset || fits <= YAMUX_HEADER_LEN)
        return NULL;
    size_t most = MIN((size_t)s->credit, (size_t)y->limits->yamux_frame);
    *room = MIN(want, MIN(most, fits - YAMUX_HEADER_LEN));
    return *room > 0 ? w->data + w->len + YAMUX_HEADER_LEN : NULL;
}

/* SYN and ACK ride on whatever is written first. */
static uint16_t take_opening_flags(struct yamux_stream *s)
{
    int flags = (s->syn_owed ? YAMUX_FLAG_SYN : 0) | (s->ack_owed ? YAMUX_FLAG_ACK : 0);
    s->syn_owed = s->ack_owed = false;
    return (uint16_t)flags;
}

void yamux_commit(struct yamux *y, struct yamux_stream *s, struct writer *w, size_t len)
{
    (void)y;
    assert(len <= s->credit && len <= y->limits->yamux_frame);
    assert(w->room - w->len >= YAMUX_HEADER_LEN + len);
    if (len == 0)
        return;
    struct yamux_header h = {
        .type = YAMUX_TYPE_DATA,
        .flags = take_opening_flags(s),
        .id = s->id,
        .len = (uint32_t)len,
    };
    yamux_header_put(w, &h);
    w->len += len;
    s->credit -= (uint32_t)len;
}

size_t yamux_write(struct yamux *y, struct yamux_stream *s, struct view data, struct writer *w)
{
    size_t room;
    uint8_t *at = yamux_reserve(y, s, w, data.len, &room);
    if (at == NULL)
        return 0;
    memcpy(at, data.data, room);
    yamux_commit(y, s, w, room);
    return room;
}

void yamux_close_write(struct yamux *y, struct yamux_stream *s)
{
    if (s->write_closed || s->is_reset)
        return;
    s->write_closed = s->fin_owed = true;
    owe(y, s);
}

void yamux_close_read(struct yamux *y, struct yamux_stream *s)
{
    (void)y;
    s->read_closed = true;
}

void yamux_reset(struct yamux *y, struct yamux_stream *s, uint32_t code)
{
    if (s->is_reset)
        return;
    /* Nothing to say to a peer that never heard of the stream, or has seen it end. */
    bool is_news = !s->syn_owed && (!yamux_stream_is_over(s) || s->fin_owed);
    owe_nothing(s);
    s->is_reset = true;
    s->code = code;
    s->rst_owed = is_news;
    if (is_news)
        owe(y, s);
}

void yamux_grant(struct yamux *y, struct yamux_stream *s, size_t len, uint64_t now)
{
    if (!yamux_stream_take(s, len) || s->update_owed)
        return;
    uint32_t most = MIN(y->limits->window_stream, s->target + growth_left(y));
    grow(y, yamux_stream_tune(s, y->rtt_ms, most, now));
    s->update_owed = true;
    owe(y, s);
    check(y);
}

void yamux_release(struct yamux *y, struct yamux_stream *s)
{
    s->owner = NULL;
    s->is_released = true;
    if (!yamux_stream_is_over(s))
        yamux_reset(y, s, 0);
    free_if_over(y, s);
    check(y);
}

bool yamux_ping(struct yamux *y, uint64_t now)
{
    if (y->ping_sent_at != NEVER)
        return false;
    y->ping_owed = true;
    y->ping_value++;
    y->ping_sent_at = now;
    return true;
}

void yamux_forget_ping(struct yamux *y)
{
    y->ping_owed = false;
    y->ping_sent_at = NEVER;
}

void yamux_goaway(struct yamux *y, enum yamux_code code)
{
    if (y->goaway_sent)
        return;
    y->goaway_owed = true;
    y->goaway_code = (uint32_t)code;
}

/* ---- in ------------------------------------------------------------------------------------ */

static int refuse_session(struct yamux *y)
{
    yamux_goaway(y, YAMUX_PROTOCOL_ERROR);
    return ERR_PROTOCOL;
}

/* Adds a drop, unless that would rise over `depth`; `per_s` drops leak out. */
static bool bucket_add(struct yamux_bucket *b, uint32_t per_s, uint32_t depth, uint64_t now)
{
    b->level -= (uint32_t)MIN((now - b->at) * per_s, b->level);
    b->at = now;
    if (b->level / 1000 >= depth)
        return false;
    b->level += 1000;
    return true;
}

/* Past its limit, or without memory, it is forgotten: whoever floods does not wait for answers. */
static void owe_value(struct buf *values, uint32_t value)
{
    uint8_t *at = buf_reserve(values, sizeof value);
    if (at == NULL)
        return;
    struct writer w = writer_of(at, sizeof value);
    put_u32be(&w, value);
    buf_commit(values, w.len);
}

static int tell(struct yamux_event *ev, enum yamux_event_type type, struct yamux_stream *s)
{
    if (s->is_released)
        return 0;
    *ev = (struct yamux_event){.type = type, .stream = s, .code = s->code};
    return 1;
}

static int on_syn(struct yamux *y, struct yamux_event *ev)
{
    const struct yamux_header *f = &y->frame;
    bool is_theirs = (f->id & 1) == (y->role == DIALER ? 0 : 1);
    if (!is_theirs || table_find(&y->streams, f->id) != NULL)
        return refuse_session(y);
    if (f->type == YAMUX_TYPE_DATA && f->len > y->limits->window_initial)
        return refuse_session(y);
    bool is_full = y->inbound >= y->limits->streams_inbound || y->goaway_sent;
    struct yamux_stream *s = is_full ? NULL : stream_new(y, f->id, false);
    if (s == NULL) {
        owe_value(&y->refusals, f->id);
        return 0;
    }
    s->ack_owed = true;
    owe(y, s);
    return tell(ev, YAMUX_OPENED, s);
}

static void on_answer(struct yamux *y, struct yamux_stream *s)
{
    if (!s->is_ours || s->is_acked)
        return;
    s->is_acked = true;
    y->unacked--;
}

static int on_credit(struct yamux *y, struct yamux_stream *s, uint32_t more, struct yamux_event *ev)
{
    if (more > CREDIT_MAX - s->credit)
        return refuse_session(y);
    bool is_room = s->credit == 0 && more > 0;
    s->credit += more;
    return is_room ? tell(ev, YAMUX_ROOM, s) : 0;
}

/* What counts before the body: opening, credit, and whether the body may come at all. */
static int on_stream_frame(struct yamux *y, struct yamux_event *ev)
{
    const struct yamux_header *f = &y->frame;
    bool is_data = f->type == YAMUX_TYPE_DATA;
    int opened = 0;
    if (f->id == 0)
        return refuse_session(y);
    if (f->flags & YAMUX_FLAG_SYN)
        opened = on_syn(y, ev);
    if (opened < 0)
        return opened;
    y->state = YAMUX_WAIT_BODY;
    y->body_left = is_data ? f->len : 0;
    struct yamux_stream *s = table_find(&y->streams, f->id);
    if (s == NULL)
        return y->body_left > y->limits->window_stream ? refuse_session(y) : 0;
    on_answer(y, s);
    if (is_data)
        return yamux_stream_receive(s, f->len) ? opened : refuse_session(y);
    /* With RST the length is an error code. */
    int rc = f->flags & YAMUX_FLAG_RST ? 0 : on_credit(y, s, f->len, ev);
    return rc != 0 ? rc : opened;
}

static int on_ping(struct yamux *y, struct yamux_event *ev, uint64_t now)
{
    const struct yamux_header *f = &y->frame;
    const struct peerlet_limits *l = y->limits;
    if (f->id != 0)
        return refuse_session(y);
    if (f->flags & YAMUX_FLAG_SYN) {
        if (bucket_add(&y->pong_rate, l->yamux_pongs_per_s, l->yamux_pongs_owed, now))
            owe_value(&y->pongs, f->len);
        return 0;
    }
    bool is_answer = y->ping_sent_at != NEVER && !y->ping_owed && f->len == y->ping_value;
    if (!(f->flags & YAMUX_FLAG_ACK) || !is_answer)
        return 0;
    y->rtt_ms = (uint32_t)MIN(now - y->ping_sent_at, (uint64_t)UINT32_MAX);
    y->ping_sent_at = NEVER;
    *ev = (struct yamux_event){.type = YAMUX_PONG, .rtt_ms = y->rtt_ms};
    return 1;
}

static int on_goaway(struct yamux *y, struct yamux_event *ev)
{
    if (y->frame.id != 0)
        return refuse_session(y);
    y->goaway_received = true;
    *ev = (struct yamux_event){.type = YAMUX_GOAWAY, .code = y->frame.len};
    return 1;
}

static int on_header(struct yamux *y, struct yamux_event *ev, uint64_t now)
{
    y->frame = yamux_header_parse(y->header);
    if (y->frame.version != 0 || y->frame.type > YAMUX_TYPE_GOAWAY)
        return refuse_session(y);
    switch ((enum yamux_type)y->frame.type) {
    case YAMUX_TYPE_DATA:
    case YAMUX_TYPE_WINDOW:
        return on_stream_frame(y, ev);
    case YAMUX_TYPE_PING:
        return on_ping(y, ev, now);
    case YAMUX_TYPE_GOAWAY:
        return on_goaway(y, ev);
    }
    return 0;
}

/* A piece of the body, as large as it came. */
static int on_body(struct yamux *y, struct span *in, struct yamux_event *ev, uint64_t now)
{
    struct span data = span_take(in, y->body_left);
    y->body_left -= (uint32_t)data.len;
    struct yamux_stream *s = table_find(&y->streams, y->frame.id);
    if (s == NULL || s->is_reset || s->peer_closed)
        return 0;
    if (s->read_closed) {
        yamux_grant(y, s, data.len, now);
        return 0;
    }
    *ev = (struct yamux_event){.type = YAMUX_DATA, .stream = s, .data = data};
    return 1;
}

static int on_fin(struct yamux_stream *s, struct yamux_event *ev)
{
    if (s->peer_closed)
        return 0;
    s->peer_closed = true;
    s->update_owed = false;
    return tell(ev, YAMUX_FIN, s);
}

static int on_rst(struct yamux *y, struct yamux_stream *s, struct yamux_event *ev, uint64_t now)
{
    const struct peerlet_limits *l = y->limits;
    uint32_t burst = l->yamux_churn_per_s + l->streams_inbound;
    if (!s->is_ours && !bucket_add(&y->churn, l->yamux_churn_per_s, burst, now))
        return refuse_session(y);
    owe_nothing(s);
    s->is_reset = true;
    s->code = y->frame.type == YAMUX_TYPE_WINDOW ? y->frame.len : 0;
    int rc = tell(ev, YAMUX_RESET, s);
    free_if_over(y, s);
    return rc;
}

/* What counts behind the body. */
static int on_end(struct yamux *y, struct yamux_event *ev, uint64_t now)
{
    y->state = YAMUX_WAIT_HEADER;
    struct yamux_stream *s = table_find(&y->streams, y->frame.id);
    if (s == NULL || s->is_reset)
        return 0;
    if (y->frame.flags & YAMUX_FLAG_RST)
        return on_rst(y, s, ev, now);
    return y->frame.flags & YAMUX_FLAG_FIN ? on_fin(s, ev) : 0;
}

static bool gather_header(struct yamux *y, struct span *in)
{
    struct span part = span_take(in, YAMUX_HEADER_LEN - y->header_len);
    if (part.len > 0)
        memcpy(y->header + y->header_len, part.data, part.len);
    y->header_len += part.len;
    if (y->header_len < YAMUX_HEADER_LEN)
        return false;
    y->header_len = 0;
    return true;
}

int yamux_feed(struct yamux *y, struct span *in, struct yamux_event *ev, uint64_t now)
{
    int rc = 0;
    while (rc == 0) {
        switch (y->state) {
        case YAMUX_WAIT_HEADER:
            if (!gather_header(y, in))
                return 0;
            rc = on_header(y, ev, now);
            break;
        case YAMUX_WAIT_BODY:
            if (y->body_left > 0 && in->len == 0)
                return 0;
            rc = y->body_left > 0 ? on_body(y, in, ev, now) : on_end(y, ev, now);
            break;
        }
    }
    check(y);
    return rc;
}

/* ---- out ----------------------------------------------------------------------------------- */

static bool fits(const struct writer *w)
{
    return w->room - w->len >= YAMUX_HEADER_LEN;
}

static void put_frame(struct writer *w, enum yamux_type type, int flags, uint32_t id, uint32_t len)
{
    struct yamux_header h = {
        .type = (uint8_t)type,
        .flags = (uint16_t)flags,
        .id = id,
        .len = len,
    };
    yamux_header_put(w, &h);
}

static uint32_t take_value(struct buf *values)
{
    struct cursor c = cursor_of(buf_view(values));
    uint32_t value = take_u32be(&c);
    buf_take(values, sizeof value);
    buf_trim(values);
    return value;
}

/* One frame says all a stream owes: SYN, ACK, FIN and credit ride together, RST goes alone. */
static void put_stream_frame(struct writer *w, struct yamux_stream *s)
{
    if (s->rst_owed) {
        put_frame(w, YAMUX_TYPE_WINDOW, YAMUX_FLAG_RST, s->id, s->code);
    } else if (yamux_stream_owes(s)) {
        int flags = take_opening_flags(s) | (s->fin_owed ? YAMUX_FLAG_FIN : 0);
        uint32_t credit = s->update_owed ? yamux_stream_update(s) : 0;
        put_frame(w, YAMUX_TYPE_WINDOW, flags, s->id, credit);
    }
    owe_nothing(s);
}

int yamux_drain(struct yamux *y, struct writer *w, uint64_t now)
{
    if (y->ping_owed && fits(w)) {
        put_frame(w, YAMUX_TYPE_PING, YAMUX_FLAG_SYN, 0, y->ping_value);
        y->ping_owed = false;
        y->ping_sent_at = now;
    }
    while (y->pongs.len > 0 && fits(w))
        put_frame(w, YAMUX_TYPE_PING, YAMUX_FLAG_ACK, 0, take_value(&y->pongs));
    while (y->refusals.len > 0 && fits(w))
        put_frame(w, YAMUX_TYPE_WINDOW, YAMUX_FLAG_RST, take_value(&y->refusals), 0);
    while (!list_is_empty(&y->owing) && fits(w)) {
        struct yamux_stream *s = LIST_OWNER(y->owing.next, struct yamux_stream, in_owing);
        put_stream_frame(w, s);
        free_if_over(y, s);
    }
    if (y->goaway_owed && fits(w)) {
        put_frame(w, YAMUX_TYPE_GOAWAY, 0, 0, y->goaway_code);
        y->goaway_owed = false;
        y->goaway_sent = true;
    }
    check(y);
    return yamux_owes(y);
}

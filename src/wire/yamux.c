#include "wire/yamux.h"

#include <assert.h>

void yamux_init(struct yamux *y, enum role role, struct mem *mem,
                const struct peerlet_limits *limits, uint64_t now)
{
    *y = (struct yamux){
        .role = role,
        .mem = mem,
        .limits = limits,
        .next_id = role == DIALER ? 1 : 2,
        .ping_sent_at = NEVER,
        .churn_at = now,
    };
    table_init(&y->streams, mem);
    list_init(&y->owing);
}

static void stream_free(struct yamux *y, struct yamux_stream *s)
{
    table_remove(&y->streams, s->id);
    list_remove(&s->in_owing);
    y->grown -= MIN(s->target - y->limits->window_initial, y->grown);
    if (!s->is_ours)
        y->inbound--;
    else if (!s->is_acked)
        y->unacked--;
    mem_free(y->mem, s);
}

void yamux_free(struct yamux *y)
{
    if (y->mem == NULL)
        return;
    uint32_t at = 0;
    struct yamux_stream *s;
    while ((s = table_next(&y->streams, &at)) != NULL)
        mem_free(y->mem, s);
    table_free(&y->streams);
}

static void owe(struct yamux *y, struct yamux_stream *s)
{
    if (!list_is_linked(&s->in_owing))
        list_add(&y->owing, &s->in_owing);
}

/* A released stream goes when it has nothing more to say and nothing more to hear. */
static bool drop_if_over(struct yamux *y, struct yamux_stream *s)
{
    bool is_over = s->is_reset || (s->write_closed && s->peer_closed);
    if (!s->is_released || !is_over || yamux_stream_owes(s))
        return false;
    stream_free(y, s);
    return true;
}

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

/* ---- commands ------------------------------------------------------------------------------------- */

struct yamux_stream *yamux_open(struct yamux *y, int *error)
{
    *error = 0;
    if (y->goaway_received || y->goaway_sent || y->goaway_owed || y->next_id > UINT32_MAX - 2)
        *error = ERR_CLOSED;
    else if (y->unacked >= y->limits->streams_unacked)
        *error = ERR_FULL;
    struct yamux_stream *s = *error ? NULL : stream_new(y, y->next_id, true);
    if (s == NULL) {
        *error = *error ? *error : ERR_NOMEM;
        return NULL;
    }
    y->next_id += 2;
    s->syn_owed = true;
    owe(y, s);
    return s;
}

uint8_t *yamux_reserve(struct yamux *y, struct yamux_stream *s, struct writer *w, size_t want,
                       size_t *room)
{
    (void)y;
    *room = 0;
    if (s->write_closed || s->is_reset || w->room - w->len <= YAMUX_HEADER_LEN)
        return NULL;
    size_t most = MIN(w->room - w->len - YAMUX_HEADER_LEN, (size_t)s->credit);
    if (most == 0) {
        s->is_blocked = true;
        return NULL;
    }
    *room = MIN(most, want);
    return w->data + w->len + YAMUX_HEADER_LEN;
}

/* SYN and ACK ride on whatever is written first. */
static uint16_t opening_flags(struct yamux_stream *s)
{
    uint16_t flags = (uint16_t)((s->syn_owed ? YAMUX_SYN : 0) | (s->ack_owed ? YAMUX_ACK : 0));
    s->syn_owed = s->ack_owed = false;
    return flags;
}

void yamux_commit(struct yamux *y, struct yamux_stream *s, struct writer *w, size_t len)
{
    (void)y;
    assert(len <= s->credit && w->room - w->len >= YAMUX_HEADER_LEN + len);
    if (len == 0)
        return;
    struct yamux_header h = {.type = YAMUX_TYPE_DATA,
                             .flags = opening_flags(s),
                             .id = s->id,
                             .len = (uint32_t)len};
    yamux_header_put(w, &h);
    w->len += len;
    s->credit -= (uint32_t)len;
}

size_t yamux_write(struct yamux *y, struct yamux_stream *s, struct view data, struct writer *w)
{
    size_t room;
    uint8_t *at = yamux_reserve(y, s, w, data.len, &room);
    if (at == NULL || room == 0)
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
    /* A stream the peer has never heard of needs no word. */
    bool is_known = !s->syn_owed;
    s->is_reset = true;
    s->code = code;
    s->syn_owed = s->ack_owed = s->fin_owed = s->update_owed = false;
    s->rst_owed = is_known && !(s->write_closed && s->peer_closed);
    if (s->rst_owed)
        owe(y, s);
    drop_if_over(y, s);
}

void yamux_grant(struct yamux *y, struct yamux_stream *s, size_t len, uint64_t now)
{
    if (!yamux_stream_take(s, len) || s->update_owed)
        return;
    uint32_t spare = y->limits->window_conn - MIN(y->grown, y->limits->window_conn);
    uint32_t most = MIN(y->limits->window_stream, s->target + spare);
    y->grown += yamux_stream_tune(s, y->rtt_ms, most, now);
    s->update_owed = true;
    owe(y, s);
}

void yamux_release(struct yamux *y, struct yamux_stream *s)
{
    s->owner = NULL;
    s->is_released = true;
    if (!s->is_reset && !(s->write_closed && s->peer_closed))
        yamux_reset(y, s, 0);
    else
        drop_if_over(y, s);
}

void yamux_ping(struct yamux *y, uint64_t now)
{
    if (y->ping_sent_at != NEVER)
        return;
    y->ping_owed = true;
    y->ping_value++;
    y->ping_sent_at = now;
}

void yamux_goaway(struct yamux *y, enum yamux_code code)
{
    if (y->goaway_sent)
        return;
    y->goaway_owed = true;
    y->goaway_code = (uint32_t)code;
}

/* ---- in ---------------------------------------------------------------------------------------------- */

static int refuse_session(struct yamux *y)
{
    yamux_goaway(y, YAMUX_PROTOCOL_ERROR);
    return ERR_PROTOCOL;
}

/* A leaking bucket of streams begun by the peer: opening and resetting them costs it its session. */
static bool churns(struct yamux *y, uint64_t now)
{
    uint64_t leaked = (now - y->churn_at) * y->limits->yamux_churn_per_s / 1000;
    if (leaked > 0) {
        y->churn -= (uint32_t)MIN(leaked, y->churn);
        y->churn_at = now;
    }
    return ++y->churn > y->limits->yamux_churn_per_s + y->limits->streams_inbound;
}

static int on_syn(struct yamux *y, const struct yamux_header *h, struct yamux_stream **opened,
                  uint64_t now)
{
    bool is_theirs = (h->id & 1) == (y->role == DIALER ? 0 : 1);
    if (h->id == 0 || !is_theirs || table_find(&y->streams, h->id))
        return refuse_session(y);
    if (churns(y, now))
        return refuse_session(y);
    if (h->type == YAMUX_TYPE_DATA && h->len > y->limits->window_initial)
        return refuse_session(y);
    bool is_full = y->inbound >= y->limits->streams_inbound || y->goaway_sent;
    struct yamux_stream *s = stream_new(y, h->id, false);
    if (s == NULL)
        return ERR_NOMEM;
    if (is_full) {
        yamux_reset(y, s, 0);
        yamux_release(y, s);
        return 0;
    }
    s->ack_owed = true;
    owe(y, s);
    *opened = s;
    return 0;
}

static int on_ping(struct yamux *y, const struct yamux_header *h, struct yamux_event *ev,
                   uint64_t now)
{
    if (h->id != 0)
        return refuse_session(y);
    if (h->flags & YAMUX_SYN) {
        /* Past the limit the oldest is forgotten: whoever floods does not wait for it. */
        if (y->pong_count == ARRAY_LEN(y->pongs))
            memmove(y->pongs, y->pongs + 1, --y->pong_count * sizeof *y->pongs);
        y->pongs[y->pong_count++] = h->len;
        return 0;
    }
    if (!(h->flags & YAMUX_ACK) || y->ping_sent_at == NEVER || y->ping_owed ||
        h->len != y->ping_value)
        return 0;
    y->rtt_ms = (uint32_t)MIN(now - y->ping_sent_at, (uint64_t)UINT32_MAX);
    y->ping_sent_at = NEVER;
    *ev = (struct yamux_event){.type = YAMUX_PONG, .rtt_ms = y->rtt_ms};
    return 1;
}

static int on_goaway(struct yamux *y, const struct yamux_header *h, struct yamux_event *ev)
{
    if (h->id != 0)
        return refuse_session(y);
    y->goaway_received = true;
    *ev = (struct yamux_event){.type = YAMUX_GOAWAY, .code = h->len};
    return 1;
}

static int tell(struct yamux_event *ev, enum yamux_event_type type, struct yamux_stream *s)
{
    if (s->is_released)
        return 0;
    *ev = (struct yamux_event){.type = type, .stream = s, .code = s->code};
    return 1;
}

static int on_fin(struct yamux *y, struct yamux_stream *s, struct yamux_event *ev)
{
    if (s->peer_closed || s->is_reset)
        return 0;
    s->peer_closed = true;
    s->update_owed = false;
    if (drop_if_over(y, s))
        return 0;
    return tell(ev, YAMUX_FIN, s);
}

static int on_rst(struct yamux *y, struct yamux_stream *s, struct yamux_event *ev, uint32_t code)
{
    if (s->is_reset)
        return 0;
    s->is_reset = true;
    s->code = code;
    s->syn_owed = s->ack_owed = s->fin_owed = s->rst_owed = s->update_owed = false;
    list_remove(&s->in_owing);
    if (drop_if_over(y, s))
        return 0;
    return tell(ev, YAMUX_RESET, s);
}

static int on_credit(struct yamux *y, struct yamux_stream *s, uint32_t len, struct yamux_event *ev)
{
    if (len > UINT32_MAX / 2 - MIN(s->credit, UINT32_MAX / 2))
        return refuse_session(y);
    s->credit += len;
    if (!s->is_blocked || len == 0)
        return 0;
    s->is_blocked = false;
    return tell(ev, YAMUX_ROOM, s);
}

static void on_ack(struct yamux *y, struct yamux_stream *s)
{
    if (!s->is_ours || s->is_acked)
        return;
    s->is_acked = true;
    y->unacked--;
}

/* The flags FIN and RST of a frame count after its credit or body. */
static int finish_frame(struct yamux *y, struct yamux_stream *s, uint16_t flags, uint32_t code,
                        struct yamux_event *ev)
{
    if (flags & YAMUX_RST)
        return on_rst(y, s, ev, code);
    return flags & YAMUX_FIN_FLAG ? on_fin(y, s, ev) : 0;
}

static int on_stream_frame(struct yamux *y, const struct yamux_header *h, struct yamux_event *ev,
                           uint64_t now)
{
    struct yamux_stream *opened = NULL;
    if (h->id == 0)
        return refuse_session(y);
    if (h->flags & YAMUX_SYN) {
        int rc = on_syn(y, h, &opened, now);
        if (rc != 0)
            return rc;
    }
    struct yamux_stream *s = table_find(&y->streams, h->id);
    y->body_left = h->type == YAMUX_TYPE_DATA ? h->len : 0;
    y->body_id = h->id;
    y->body_flags = h->flags;
    if (s == NULL) {
        /* Frames of a stream that is gone are late, not wrong; but a body has its limit. */
        return y->body_left > y->limits->window_stream ? refuse_session(y) : 0;
    }
    if (s->is_ours)
        on_ack(y, s);
    if (h->type == YAMUX_TYPE_DATA) {
        if (!yamux_stream_receive(s, h->len))
            return refuse_session(y);
        if (y->body_left > 0 || opened != NULL)
            return opened ? tell(ev, YAMUX_OPENED, opened) : 0;
        return finish_frame(y, s, h->flags, 0, ev);
    }
    bool is_rst = (h->flags & YAMUX_RST) != 0;
    int rc = is_rst ? 0 : on_credit(y, s, h->len, ev);
    if (rc < 0 || opened == NULL)
        return rc != 0 ? rc : finish_frame(y, s, h->flags, h->len, ev);
    return tell(ev, YAMUX_OPENED, opened);
}

static int on_header(struct yamux *y, struct yamux_event *ev, uint64_t now)
{
    struct yamux_header h = yamux_header_parse(y->header);
    y->body_left = 0;
    if (h.version != 0)
        return refuse_session(y);
    switch (h.type) {
    case YAMUX_TYPE_DATA:
    case YAMUX_TYPE_WINDOW:
        return on_stream_frame(y, &h, ev, now);
    case YAMUX_TYPE_PING:
        return on_ping(y, &h, ev, now);
    case YAMUX_TYPE_GOAWAY:
        return on_goaway(y, &h, ev);
    default:
        return refuse_session(y);
    }
}

/* A piece of the body, as large as it came. */
static int take_body(struct yamux *y, struct span *in, struct yamux_event *ev, uint64_t now)
{
    struct span data = span_take(in, y->body_left);
    y->body_left -= (uint32_t)data.len;
    if (y->body_left == 0)
        y->tail_owed = true;
    struct yamux_stream *s = table_find(&y->streams, y->body_id);
    if (s == NULL || data.len == 0)
        return 0;
    if (s->is_reset)
        return 0;
    if (s->is_released || s->read_closed) {
        yamux_grant(y, s, data.len, now);
        return 0;
    }
    *ev = (struct yamux_event){.type = YAMUX_DATA, .stream = s, .data = data};
    return 1;
}

int yamux_feed(struct yamux *y, struct span *in, struct yamux_event *ev, uint64_t now)
{
    for (;;) {
        int rc = 0;
        if (y->tail_owed) {
            y->tail_owed = false;
            struct yamux_stream *s = table_find(&y->streams, y->body_id);
            rc = s ? finish_frame(y, s, y->body_flags, 0, ev) : 0;
        } else if (in->len == 0)
            return 0;
        else if (y->body_left > 0)
            rc = take_body(y, in, ev, now);
        else {
            struct span part = span_take(in, YAMUX_HEADER_LEN - y->header_len);
            memcpy(y->header + y->header_len, part.data, part.len);
            y->header_len += part.len;
            if (y->header_len < YAMUX_HEADER_LEN)
                return 0;
            y->header_len = 0;
            rc = on_header(y, ev, now);
            /* A frame that opens a stream or gives it credit may also close it. */
            if (rc == 1 && y->body_left == 0 &&
                (ev->type == YAMUX_OPENED || ev->type == YAMUX_ROOM))
                y->tail_owed = true;
        }
        if (rc != 0)
            return rc;
    }
}

/* ---- out ---------------------------------------------------------------------------------------------- */

static bool put_frame(struct writer *w, uint8_t type, uint16_t flags, uint32_t id, uint32_t len)
{
    if (w->room - w->len < YAMUX_HEADER_LEN)
        return false;
    yamux_header_put(w, &(struct yamux_header){.type = type, .flags = flags, .id = id, .len = len});
    return true;
}

/* One frame says all a stream owes: SYN, ACK, FIN and credit ride together, RST goes alone. */
static bool drain_stream(struct writer *w, struct yamux_stream *s)
{
    if (w->room - w->len < YAMUX_HEADER_LEN)
        return false;
    uint16_t flags = opening_flags(s);
    uint32_t len = 0;
    if (s->rst_owed) {
        flags = YAMUX_RST;
        len = s->code;
    } else if (s->update_owed)
        len = yamux_stream_update(s);
    if (s->fin_owed)
        flags |= YAMUX_FIN_FLAG;
    s->rst_owed = s->update_owed = s->fin_owed = false;
    return put_frame(w, YAMUX_TYPE_WINDOW, flags, s->id, len);
}

int yamux_drain(struct yamux *y, struct writer *w, uint64_t now)
{
    if (y->ping_owed) {
        if (!put_frame(w, YAMUX_TYPE_PING, YAMUX_SYN, 0, y->ping_value))
            return 1;
        y->ping_owed = false;
        y->ping_sent_at = now;
    }
    while (y->pong_count > 0) {
        if (!put_frame(w, YAMUX_TYPE_PING, YAMUX_ACK, 0, y->pongs[0]))
            return 1;
        memmove(y->pongs, y->pongs + 1, --y->pong_count * sizeof *y->pongs);
    }
    while (!list_is_empty(&y->owing)) {
        struct yamux_stream *s = LIST_OWNER(y->owing.next, struct yamux_stream, in_owing);
        if (yamux_stream_owes(s) && !drain_stream(w, s))
            return 1;
        list_remove(&s->in_owing);
        drop_if_over(y, s);
    }
    if (y->goaway_owed) {
        if (!put_frame(w, YAMUX_TYPE_GOAWAY, 0, 0, y->goaway_code))
            return 1;
        y->goaway_owed = false;
        y->goaway_sent = true;
    }
    return 0;
}

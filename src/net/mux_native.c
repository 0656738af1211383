/*
 * Streams that the transport has by itself: one data channel each, framed by wire/datachannel; or
 * one stream of QUIC each, whose bytes are bare and whose ends are orders and inputs. Both kinds of
 * end are kept in the words of wire/datachannel.
 */
#include "net/mux.h"
#include "net/upgrade.h"

#include "peerlet.h"

/* One order to send on a stream of QUIC: large enough for speed, and others get their turn. */
#define RAW_SEND_MAX 65536

/* Whether the bytes of a channel are bare. */
static bool is_raw(const struct conn *c)
{
    return c->link.kind == LINK_SESSION;
}

static struct channel *channel_new(struct conn *c, uint32_t id)
{
    uint32_t count = 0;
    LIST_EACH(node, &c->channels)
        count++;
    bool is_early = c->state != CONN_READY;
    if (count >= (is_early ? c->limits->early_channels : c->limits->rtc_channels))
        return NULL;
    struct channel *ch = mem_alloc(c->mem, sizeof *ch);
    if (ch == NULL)
        return NULL;
    ch->id = id;
    datachannel_init(&ch->frames, c->mem, c->limits);
    if (c->link.kind == LINK_DIRECT)
        ch->frames.payload_max = DATACHANNEL_PAYLOAD_GO;
    buf_init(&ch->out, c->mem, c->limits->channel_out);
    buf_init(&ch->early, c->mem, c->limits->early_bytes);
    list_add(&c->channels, &ch->in_conn);
    return ch;
}

static void take_unread(struct conn *c, struct channel *ch, size_t len)
{
    len = MIN(len, ch->unread);
    ch->unread -= len;
    c->totals->unread -= len;
}

static void channel_free(struct conn *c, struct channel *ch)
{
    take_unread(c, ch, ch->unread);
    if (c->feeding == ch)
        c->feeding = NULL;
    if (c->sending == ch)
        c->sending = NULL;
    if (ch->stream != NULL)
        ch->stream->in_mux.channel = NULL;
    list_remove(&ch->in_conn);
    datachannel_free(&ch->frames);
    buf_free(&ch->out);
    buf_free(&ch->early);
    mem_free(c->mem, ch);
}

static struct channel *channel_find(const struct conn *c, uint32_t id)
{
    LIST_EACH(node, &c->channels) {
        struct channel *ch = LIST_OWNER(node, struct channel, in_conn);
        if (ch->id == id)
            return ch;
    }
    return NULL;
}

static int open_stream(struct conn *c, struct stream *s)
{
    struct channel *ch = channel_new(c, s->id);
    if (ch == NULL)
        return ERR_FULL;
    ch->open_owed = true;
    ch->stream = s;
    s->in_mux.channel = ch;
    return 0;
}

int conn_add_first_channel(struct conn *c)
{
    struct channel *ch = channel_new(c, ++*c->last_stream);
    if (ch == NULL)
        return ERR_NOMEM;
    ch->open_owed = is_raw(c);
    c->first_channel = ch->id;
    return 0;
}

int conn_channel_incoming(struct conn *c, uint32_t id, size_t room, uint64_t now)
{
    if (c->stream_count_in >= c->limits->streams_inbound)
        return ERR_FULL;
    struct channel *ch = channel_new(c, id);
    if (ch == NULL)
        return ERR_FULL;
    ch->is_open = true;
    ch->room = room;
    struct stream *s = conn_add_stream(c, LISTENER, now);
    if (s == NULL) {
        channel_free(c, ch);
        return ERR_NOMEM;
    }
    ch->stream = s;
    s->in_mux.channel = ch;
    return 0;
}

bool conn_channel_opened(struct conn *c, uint32_t id, size_t room)
{
    struct channel *ch = channel_find(c, id);
    if (ch == NULL)
        return false;
    ch->is_open = true;
    ch->room = room;
    if (ch->stream != NULL)
        stream_touch(ch->stream);
    return true;
}

/* A channel that closes before both halves have ended is a reset, as go has it. */
bool conn_channel_closed(struct conn *c, uint32_t id)
{
    struct channel *ch = channel_find(c, id);
    if (ch == NULL)
        return false;
    struct stream *s = ch->stream;
    if (ch->id == c->first_channel && c->state != CONN_READY)
        c->code = ERR_CLOSED;
    channel_free(c, ch);
    if (s != NULL && s->state != STREAM_DEAD)
        conn_stream_died(s, s->write_closed && s->peer_closed ? 0 : ERR_RESET);
    return true;
}

bool conn_channel_ended(struct conn *c, uint32_t id, enum peerlet_channel_end end)
{
    struct channel *ch = channel_find(c, id);
    if (ch == NULL || !is_raw(c) || c->state != CONN_READY)
        return false;
    ch->frames.has_flag = true;
    ch->frames.flag =
        end == PEERLET_END_WRITE ? DATACHANNEL_FLAG_FIN : DATACHANNEL_FLAG_STOP_SENDING;
    return true;
}

bool conn_early(struct conn *c, uint32_t *channel, struct span *bytes)
{
    LIST_EACH(node, &c->channels) {
        struct channel *ch = LIST_OWNER(node, struct channel, in_conn);
        if (c->state != CONN_READY || ch->early.len == 0)
            continue;
        *channel = ch->id;
        *bytes = buf_span(&ch->early);
        buf_take(&ch->early, bytes->len);
        return true;
    }
    return false;
}

/* Where the next bytes of a channel go, at most `*room` of them. */
static uint8_t *reserve_bytes(struct conn *c, struct channel *ch, size_t *room)
{
    if (!is_raw(c))
        return datachannel_reserve(&ch->frames, &ch->out, room);
    *room = MIN(MIN(*room, buf_room(&ch->out)), (size_t)RAW_SEND_MAX);
    return *room > 0 ? buf_reserve(&ch->out, *room) : NULL;
}

static void commit_bytes(struct conn *c, struct channel *ch, size_t len)
{
    if (is_raw(c))
        buf_commit(&ch->out, len);
    else
        datachannel_commit(&ch->frames, &ch->out, len);
}

static uint8_t *reserve(struct conn *c, struct stream *s, size_t *room)
{
    struct channel *ch = s->in_mux.channel;
    bool is_open = ch != NULL && ch->frames.state == DATACHANNEL_OPEN && !ch->frames.peer_stopped;
    if (!is_open || *room == 0)
        return NULL;
    uint8_t *at = reserve_bytes(c, ch, room);
    /* With nothing waiting there is room; what is missing is memory, and nothing would wake us. */
    if (at == NULL && ch->out.len == 0)
        c->code = ERR_NOMEM;
    return at;
}

static void commit(struct conn *c, struct stream *s, size_t len)
{
    commit_bytes(c, s->in_mux.channel, len);
}

static void close_write(struct conn *c, struct stream *s)
{
    (void)c;
    if (s->in_mux.channel != NULL)
        datachannel_close_write(&s->in_mux.channel->frames);
}

static void close_read(struct conn *c, struct stream *s)
{
    (void)c;
    if (s->in_mux.channel != NULL)
        datachannel_close_read(&s->in_mux.channel->frames);
}

static void reset(struct conn *c, struct stream *s)
{
    (void)c;
    if (s->in_mux.channel != NULL)
        datachannel_reset(&s->in_mux.channel->frames);
}

static void grant(struct conn *c, struct stream *s, size_t len, uint64_t now)
{
    (void)now;
    if (s->in_mux.channel != NULL)
        take_unread(c, s->in_mux.channel, len);
}

static void forget(struct conn *c, struct stream *s)
{
    struct channel *ch = s->in_mux.channel;
    ch->stream = NULL;
    s->in_mux.channel = NULL;
    if (ch->open_owed)
        channel_free(c, ch);
}

/*
 * QUIC has a credit of its own: a stream that is not read is paused. A data channel has none, and no
 * browser lets a page take its messages later, so that what the reader has not taken is in the page,
 * whoever reads: it is counted for each stream and for the node, and one over its limit is reset.
 */
static int on_data(struct conn *c, struct channel *ch, struct span data)
{
    struct stream *s = ch->stream;
    if (s == NULL || s->state == STREAM_DEAD)
        return 0;
    ch->unread += data.len;
    c->totals->unread += data.len;
    bool is_over = !is_raw(c) && c->totals->unread > c->limits->window_node;
    if (ch->unread > c->limits->channel_in || is_over) {
        stream_reset(s, ERR_FULL);
        return 0;
    }
    c->current.stream = s;
    c->current.rest = data;
    return 0;
}

static int on_event(struct conn *c, struct channel *ch, const struct datachannel_event *dev,
                    struct conn_event *ev)
{
    struct stream *s = ch->stream;
    switch (dev->type) {
    case DATACHANNEL_DATA:
        return on_data(c, ch, dev->data);
    case DATACHANNEL_FIN:
        return s ? conn_peer_closed(s, ev) : 0;
    case DATACHANNEL_RESET:
        if (s != NULL && s->state != STREAM_DEAD)
            conn_stream_died(s, ERR_RESET);
        ch->close_owed = true;
        return 0;
    case DATACHANNEL_STOP_SENDING:
        if (is_raw(c))
            buf_truncate(&ch->out, 0);
        if (s != NULL) {
            buf_truncate(&s->out, 0);
            stream_close_write(s);
        }
        return 0;
    case DATACHANNEL_FIN_ACK:
        return 0;
    }
    return 0;
}

static int unframe(struct conn *c, struct channel *ch, struct span *in,
                   struct datachannel_event *dev)
{
    if (!is_raw(c) || in->len == 0)
        return datachannel_feed(&ch->frames, in, dev);
    *dev = (struct datachannel_event){DATACHANNEL_DATA, *in};
    in->len = 0;
    return ch->frames.peer_closed || ch->frames.is_reset ? 0 : 1;
}

/* What the first channel says is the handshake, and nothing after that. */
static int feed_first(struct conn *c, struct channel *ch, struct span *in, struct conn_event *ev,
                      uint64_t now)
{
    if (c->plain.len == 0 && (in->len > 0 || ch->frames.has_flag)) {
        struct datachannel_event dev;
        int rc = unframe(c, ch, in, &dev);
        if (rc <= 0)
            return rc;
        if (dev.type != DATACHANNEL_DATA)
            return dev.type == DATACHANNEL_RESET ? ERR_CLOSED : 0;
        c->plain = dev.data;
    }
    if (c->is_verifying) {
        c->plain.len = 0;
        return 0;
    }
    int rc = upgrade_feed(c, &c->plain, ev, now);
    if (rc != 0)
        c->plain.len = 0;
    return rc;
}

/* Who is not known yet is not listened to, but what it says is kept. */
static int keep_early(struct channel *ch, struct span *in)
{
    int rc = ch->stream != NULL ? buf_append(&ch->early, view_of_span(*in)) : 0;
    if (rc != 0 && ch->stream->state != STREAM_DEAD)
        stream_reset(ch->stream, rc);
    in->len = 0;
    ch->frames.has_flag = false;
    return 0;
}

/* Frames that have not come whole take memory for as long as the peer likes: so much of a connection. */
static bool holds_too_much(const struct conn *c)
{
    size_t held = 0;
    LIST_EACH(node, &c->channels)
        held += LIST_OWNER(node, struct channel, in_conn)->frames.reader.partial.len;
    return held > c->limits->link_out;
}

static int feed(struct conn *c, struct span *in, struct conn_event *ev, uint64_t now)
{
    struct channel *ch = c->feeding;
    if (ch == NULL) {
        in->len = c->plain.len = 0;
        return 0;
    }
    if (ch->id == c->first_channel && c->state == CONN_NOISE)
        return feed_first(c, ch, in, ev, now);
    if (c->state != CONN_READY)
        return keep_early(ch, in);
    if (ch->close_owed) {
        in->len = 0;
        ch->frames.has_flag = false;
        return 0;
    }
    struct datachannel_event dev;
    int rc = unframe(c, ch, in, &dev);
    if (rc == 1)
        return on_event(c, ch, &dev, ev);
    if (rc == 0 && holds_too_much(c))
        rc = ERR_FULL;
    if (rc < 0) {
        in->len = 0;
        ch->close_owed = true;
        datachannel_free(&ch->frames);
        if (ch->stream != NULL && ch->stream->state != STREAM_DEAD)
            stream_reset(ch->stream, rc);
    }
    return 0;
}

/* The handshake is written into the link's buffer, and leaves as what the first channel says. */
static int drain_first(struct conn *c, struct channel *ch)
{
    int rc = c->state == CONN_NOISE ? upgrade_drain(c) : 0;
    size_t room = c->link.out.len;
    uint8_t *at = rc == 0 && room > 0 ? reserve_bytes(c, ch, &room) : NULL;
    if (at == NULL)
        return rc == 0 && c->link.out.len > 0 ? ERR_NOMEM : rc;
    memcpy(at, c->link.out.data + c->link.out.head, room);
    commit_bytes(c, ch, room);
    buf_take(&c->link.out, room);
    buf_trim(&c->link.out);
    return 0;
}

static bool take_owed(bool *owed)
{
    bool was_owed = *owed;
    *owed = false;
    return was_owed;
}

/* What flags in frames say of a data channel, orders say of a stream of QUIC: 1 with one. */
static int drain_raw(struct conn *c, struct channel *ch, struct conn_output *out)
{
    struct datachannel *d = &ch->frames;
    d->fin_ack_owed = false;
    if (d->is_reset)
        buf_truncate(&ch->out, 0);
    bool is_full = ch->unread > c->limits->window_initial / (ch->is_paused ? 2 : 1);
    if (is_full != ch->is_paused) {
        ch->is_paused = is_full;
        out->type = CONN_PAUSE_CHANNEL;
        out->value = is_full;
        return 1;
    }
    if (ch->out.len > 0)
        return 0;
    out->type = CONN_CLOSE_CHANNEL;
    if (take_owed(&d->reset_owed)) {
        d->state = DATACHANNEL_CLOSED;
        out->value = PEERLET_RESET;
    } else if (take_owed(&d->fin_owed)) {
        d->state = DATACHANNEL_CLOSED;
        out->value = PEERLET_END_WRITE;
    } else if (take_owed(&d->stop_owed)) {
        out->value = PEERLET_END_READ;
    } else
        return 0;
    return 1;
}

/* How much of `out` the next send takes. */
static size_t next_send(const struct conn *c, const struct channel *ch)
{
    if (is_raw(c))
        return MIN(MIN(ch->out.len, ch->room), (size_t)RAW_SEND_MAX);
    size_t len = datachannel_frame(buf_view(&ch->out));
    return len <= ch->room ? len : 0;
}

/* What one channel has to say: an order to the browser, or the next frame in its turn. */
static int drain_channel(struct conn *c, struct channel *ch, struct conn_output *out, uint64_t now)
{
    *out = (struct conn_output){.channel = ch->id};
    if (ch->open_owed) {
        ch->open_owed = false;
        out->type = CONN_OPEN_CHANNEL;
        return 1;
    }
    if (!ch->is_open)
        return 0;
    bool is_first = ch->id == c->first_channel;
    int rc = is_first ? drain_first(c, ch) : 0;
    if (rc != 0)
        return rc;
    rc = is_raw(c) ? drain_raw(c, ch, out) : datachannel_drain(&ch->frames, &ch->out, now);
    if (rc == 1)
        return 1;
    if (rc < 0)
        ch->close_owed = true;
    size_t len = next_send(c, ch);
    if (len > 0) {
        out->type = CONN_SEND;
        out->data = view_of(ch->out.data + ch->out.head, len);
        ch->handed = len;
        ch->frames.growing = 0;
        ch->room -= len;
        c->sending = ch;
        return 1;
    }
    if (is_first && c->state == CONN_READY && ch->out.len == 0 && !is_raw(c)) {
        /* Its number was agreed on and must not be used again, so that it stays open. */
        channel_free(c, ch);
        return 0;
    }
    ch->close_owed |= is_first && c->state == CONN_READY;
    bool is_over = ch->close_owed || (ch->stream == NULL && datachannel_is_done(&ch->frames));
    if (!is_over || ch->out.len > 0)
        return 0;
    out->type = CONN_CLOSE_CHANNEL;
    out->value = PEERLET_CLOSE;
    channel_free(c, ch);
    return 1;
}

static int drain(struct conn *c, struct conn_output *out, uint64_t now)
{
    LIST_EACH(node, &c->channels) {
        int rc = drain_channel(c, LIST_OWNER(node, struct channel, in_conn), out, now);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static uint64_t deadline(const struct conn *c)
{
    uint64_t at = NEVER;
    LIST_EACH(node, &c->channels)
        at = earlier(at, datachannel_deadline(&LIST_OWNER(node, struct channel, in_conn)->frames));
    return at;
}

static int tick(struct conn *c, uint64_t now)
{
    LIST_EACH(node, &c->channels) {
        struct channel *ch = LIST_OWNER(node, struct channel, in_conn);
        datachannel_tick(&ch->frames, now);
    }
    return 0;
}

static void free_mux(struct conn *c)
{
    LIST_EACH(node, &c->channels)
        channel_free(c, LIST_OWNER(node, struct channel, in_conn));
}

const struct mux_ops MUX_NATIVE = {
    .open = open_stream,
    .reserve = reserve,
    .commit = commit,
    .close_write = close_write,
    .close_read = close_read,
    .reset = reset,
    .grant = grant,
    .forget = forget,
    .feed = feed,
    .drain = drain,
    .deadline = deadline,
    .tick = tick,
    .free = free_mux,
};

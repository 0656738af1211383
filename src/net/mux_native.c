/* Streams that the transport has by itself: one data channel each, framed by wire/datachannel. */
#include "net/mux.h"

static struct channel *channel_new(struct conn *c, uint32_t id)
{
    uint32_t count = 0;
    LIST_EACH(node, &c->channels)
        count++;
    if (count >= c->limits->rtc_channels)
        return NULL;
    struct channel *ch = mem_alloc(c->mem, sizeof *ch);
    if (ch == NULL)
        return NULL;
    ch->id = id;
    datachannel_init(&ch->frames, c->mem, c->limits);
    buf_init(&ch->out, c->mem, c->limits->channel_out);
    list_add(&c->channels, &ch->in_conn);
    return ch;
}

static void channel_free(struct conn *c, struct channel *ch)
{
    if (c->feeding == ch)
        c->feeding = NULL;
    if (c->sending == ch)
        c->sending = NULL;
    if (ch->stream != NULL)
        ch->stream->in_mux.channel = NULL;
    list_remove(&ch->in_conn);
    datachannel_free(&ch->frames);
    buf_free(&ch->out);
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
    channel_free(c, ch);
    if (s != NULL && s->state != STREAM_DEAD)
        conn_stream_died(s, s->write_closed && s->peer_closed ? 0 : ERR_RESET);
    return true;
}

static uint8_t *reserve(struct conn *c, struct stream *s, size_t *room)
{
    struct channel *ch = s->in_mux.channel;
    bool is_open = ch != NULL && ch->frames.state == DATACHANNEL_OPEN && !ch->frames.peer_stopped;
    if (!is_open || *room == 0)
        return NULL;
    uint8_t *at = datachannel_reserve(&ch->frames, &ch->out, room);
    /* With nothing waiting there is room; what is missing is memory, and nothing would wake us. */
    if (at == NULL && ch->out.len == 0)
        c->code = ERR_NOMEM;
    return at;
}

static void commit(struct conn *c, struct stream *s, size_t len)
{
    (void)c;
    struct channel *ch = s->in_mux.channel;
    datachannel_commit(&ch->frames, &ch->out, len);
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

/* Data channels have no credit; what the reader has not taken is counted, see feed. */
static void grant(struct conn *c, struct stream *s, size_t len, uint64_t now)
{
    (void)c, (void)now;
    if (s->in_mux.channel != NULL)
        s->in_mux.channel->unread -= MIN(len, s->in_mux.channel->unread);
}

static void forget(struct conn *c, struct stream *s)
{
    (void)c;
    s->in_mux.channel->stream = NULL;
    s->in_mux.channel = NULL;
}

static int on_data(struct conn *c, struct channel *ch, struct span data)
{
    struct stream *s = ch->stream;
    if (s == NULL || s->state == STREAM_DEAD)
        return 0;
    ch->unread += data.len;
    if (ch->unread > c->limits->channel_in) {
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

static int feed(struct conn *c, struct span *in, struct conn_event *ev, uint64_t now)
{
    (void)now;
    struct channel *ch = c->feeding;
    if (ch == NULL) {
        in->len = 0;
        return 0;
    }
    struct datachannel_event dev;
    int rc = datachannel_feed(&ch->frames, in, &dev);
    if (rc == 1)
        return on_event(c, ch, &dev, ev);
    if (rc < 0) {
        in->len = 0;
        ch->close_owed = true;
        if (ch->stream != NULL && ch->stream->state != STREAM_DEAD)
            stream_reset(ch->stream, rc);
    }
    return 0;
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
    int rc = datachannel_drain(&ch->frames, &ch->out, now);
    if (rc < 0)
        ch->close_owed = true;
    size_t len = datachannel_frame(buf_view(&ch->out));
    if (len > 0 && len <= ch->room) {
        out->type = CONN_SEND;
        out->data = view_of(ch->out.data + ch->out.head, len);
        ch->handed = len;
        ch->room -= len;
        c->sending = ch;
        return 1;
    }
    bool is_over = ch->close_owed || (ch->stream == NULL && datachannel_is_done(&ch->frames));
    if (!is_over || len > 0)
        return 0;
    out->type = CONN_CLOSE_CHANNEL;
    channel_free(c, ch);
    return 1;
}

static int drain(struct conn *c, struct conn_output *out, uint64_t now)
{
    LIST_EACH(node, &c->channels)
        if (drain_channel(c, LIST_OWNER(node, struct channel, in_conn), out, now) == 1)
            return 1;
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

#include "net/mux.h"

#include <assert.h>

/* Kept free on the link for what the muxer itself has to say. */
#define CONTROL_ROOM (16u << 10)
/* A frame with less room than this is closed and a new one begun. */
#define SMALLEST_WRITE 256

static int yamux_open_stream(struct conn *c, struct stream *s)
{
    int error = 0;
    s->in_mux.yamux = yamux_open(&c->yamux, &error);
    if (s->in_mux.yamux == NULL)
        return error;
    s->in_mux.yamux->owner = s;
    return 0;
}

/* The tail of the Noise frame being filled, as a writer for at most `want` bytes. */
static bool frame_writer(struct conn *c, size_t want, struct writer *w)
{
    size_t room = noise_frame_room(&c->noise);
    if (room < YAMUX_HEADER_LEN + SMALLEST_WRITE && room < want) {
        if (noise_seal(&c->noise, &c->link.out) != 0)
            return false;
        room = noise_frame_room(&c->noise);
    }
    room = MIN(room, want);
    uint8_t *at = noise_reserve(&c->noise, &c->link.out, room);
    if (at == NULL)
        return false;
    *w = writer_of(at, room);
    return true;
}

static uint8_t *reserve(struct conn *c, struct stream *s, size_t *room)
{
    struct yamux_stream *ys = s->in_mux.yamux;
    size_t want = MIN(MIN(*room, yamux_credit(ys)), (size_t)c->limits->yamux_frame);
    if (want == 0)
        return NULL;
    bool is_full = !s->is_urgent && flight_is_full(&c->flight);
    if (is_full)
        c->flight.was_full = true;
    if (is_full || buf_room(&c->link.out) < CONTROL_ROOM + want) {
        list_remove(&s->in_pending);
        list_add(&c->blocked, &s->in_pending);
        return NULL;
    }
    if (!frame_writer(c, YAMUX_HEADER_LEN + want, &c->writing)) {
        c->code = ERR_NOMEM;
        return NULL;
    }
    return yamux_reserve(&c->yamux, ys, &c->writing, want, room);
}

static void commit(struct conn *c, struct stream *s, size_t len)
{
    yamux_commit(&c->yamux, s->in_mux.yamux, &c->writing, len);
    noise_commit(&c->noise, &c->link.out, c->writing.len);
    c->flight.sent += len;
}

static void close_write(struct conn *c, struct stream *s)
{
    yamux_close_write(&c->yamux, s->in_mux.yamux);
}

static void close_read(struct conn *c, struct stream *s)
{
    yamux_close_read(&c->yamux, s->in_mux.yamux);
}

static void reset(struct conn *c, struct stream *s)
{
    if (s->in_mux.yamux != NULL)
        yamux_reset(&c->yamux, s->in_mux.yamux, 0);
}

static void grant(struct conn *c, struct stream *s, size_t len, uint64_t now)
{
    yamux_grant(&c->yamux, s->in_mux.yamux, len, now);
}

static void forget(struct conn *c, struct stream *s)
{
    yamux_release(&c->yamux, s->in_mux.yamux);
    s->in_mux.yamux = NULL;
}

static void opened(struct conn *c, struct yamux_stream *ys, uint64_t now)
{
    assert(ys != NULL);
    struct stream *s = conn_add_stream(c, LISTENER, now);
    if (s == NULL) {
        yamux_reset(&c->yamux, ys, 0);
        yamux_release(&c->yamux, ys);
        return;
    }
    s->in_mux.yamux = ys;
    ys->owner = s;
}

static int on_event(struct conn *c, const struct yamux_event *yev, struct conn_event *ev,
                    uint64_t now)
{
    struct stream *s = yev->stream ? yev->stream->owner : NULL;
    switch (yev->type) {
    case YAMUX_OPENED:
        opened(c, yev->stream, now);
        return 0;
    case YAMUX_DATA:
        if (s != NULL && s->state != STREAM_DEAD) {
            c->current.stream = s;
            c->current.rest = yev->data;
        }
        return 0;
    case YAMUX_FIN:
        return s ? conn_peer_closed(s, ev) : 0;
    case YAMUX_RESET:
        if (s != NULL && s->state != STREAM_DEAD)
            conn_stream_died(s, ERR_RESET);
        return 0;
    case YAMUX_ROOM:
        if (s != NULL)
            stream_touch(s);
        return 0;
    case YAMUX_PONG:
        c->rtt_ms = yev->rtt_ms;
        flight_answered(&c->flight, c->rtt_ms);
        conn_unblock(c);
        ev->type = CONN_PONG;
        return 1;
    case YAMUX_GOAWAY:
        ev->type = CONN_GOAWAY;
        return 1;
    }
    return 0;
}

static int feed(struct conn *c, struct span *in, struct conn_event *ev, uint64_t now)
{
    struct yamux_event yev;
    int rc = yamux_feed(&c->yamux, in, &yev, now);
    return rc == 1 ? on_event(c, &yev, ev, now) : rc;
}

/* Owed frames are twelve bytes; a few dozen of them share a Noise frame. */
static int drain(struct conn *c, struct conn_output *out, uint64_t now)
{
    (void)out;
    if (flight_is_due(&c->flight, now))
        conn_ping(c, now);
    while (yamux_owes(&c->yamux)) {
        struct writer w;
        if (buf_room(&c->link.out) < NOISE_OVERHEAD + 64 * YAMUX_HEADER_LEN)
            return 0;
        if (!frame_writer(c, 32 * YAMUX_HEADER_LEN, &w))
            return ERR_NOMEM;
        int rc = yamux_drain(&c->yamux, &w, now);
        noise_commit(&c->noise, &c->link.out, w.len);
        if (rc < 0)
            return rc;
        if (w.len == 0)
            return 0;
    }
    return 0;
}

static uint64_t deadline(const struct conn *c)
{
    uint64_t sent_at = c->yamux.ping_sent_at;
    return sent_at == NEVER ? NEVER : after(sent_at, c->limits->flight_lost_ms);
}

static int tick(struct conn *c, uint64_t now)
{
    if (!is_due(deadline(c), now))
        return 0;
    yamux_forget_ping(&c->yamux);
    flight_lost(&c->flight);
    conn_unblock(c);
    return 0;
}

static void free_mux(struct conn *c)
{
    yamux_free(&c->yamux);
}

const struct mux_ops MUX_YAMUX = {
    .open = yamux_open_stream,
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

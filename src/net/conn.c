#include "net/conn.h"

#include "net/mux.h"
#include "net/upgrade.h"

#include <assert.h>

#define CLOSE_MS 1000
/* One socket message: a whole Noise frame at the most, as every implementation expects. */
#define SEND_MAX 65537

struct conn *conn_new(const struct conn_config *config, uint64_t now)
{
    struct conn *c = mem_alloc(config->mem, sizeof *c);
    if (c == NULL)
        return NULL;
    c->id = config->id;
    c->mem = config->mem;
    c->rng = config->rng;
    c->limits = config->limits;
    c->identity = config->identity;
    c->last_stream = config->last_stream;
    c->totals = config->totals;
    c->role = config->role;
    c->link.id = config->id;
    c->link.kind = config->kind;
    c->mux = link_has_channels(config->kind) ? &MUX_NATIVE : &MUX_YAMUX;
    c->limit_until = NEVER;
    c->opened_at = c->heard_at = c->used_at = now;
    c->upgrade_until = after(now, c->limits->upgrade_ms);
    c->close_until = NEVER;
    c->ping_at = NEVER;
    buf_init(&c->link.out, c->mem, c->limits->link_out);
    buf_init(&c->held, c->mem, c->limits->link_out);
    flight_init(&c->flight, c->limits);
    list_init(&c->channels);
    list_init(&c->streams);
    list_init(&c->pending);
    list_init(&c->blocked);
    list_init(&c->dead);
    if (config->expected != NULL)
        c->expected = *config->expected;
    if (config->address.len > 0) {
        c->address = mem_alloc(c->mem, config->address.len);
        if (c->address == NULL) {
            conn_free(c);
            return NULL;
        }
        memcpy(c->address, config->address.data, config->address.len);
        c->address_len = config->address.len;
    }
    return c;
}

static void stream_free(struct conn *c, struct stream *s)
{
    if (s->in_mux.yamux != NULL)
        c->mux->forget(c, s);
    list_remove(&s->in_conn);
    list_remove(&s->in_pending);
    upgrade_negotiation_free(c, &s->negotiation);
    buf_free(&s->out);
    mem_free(c->mem, s->protocol);
    if (c->current.stream == s)
        c->current.stream = NULL;
    c->totals->streams[s->role]--;
    if (s->role == LISTENER)
        c->stream_count_in--;
    mem_free(c->mem, s);
}

void conn_free(struct conn *c)
{
    LIST_EACH(node, &c->streams)
        stream_free(c, LIST_OWNER(node, struct stream, in_conn));
    upgrade_negotiation_free(c, &c->negotiation);
    c->mux->free(c);
    noise_free(&c->noise);
    buf_free(&c->link.out);
    buf_free(&c->held);
    list_remove(&c->in_peer);
    list_remove(&c->in_dirty);
    mem_free(c->mem, c->address);
    mem_free(c->mem, c);
}

int conn_opened(struct conn *c, size_t room, uint64_t now)
{
    assert(c->state == CONN_OPENING && c->link.kind != LINK_RTC && c->link.kind != LINK_DIRECT);
    c->link.is_open = true;
    c->link.room = room;
    c->heard_at = now;
    if (c->link.kind != LINK_SESSION)
        return upgrade_start(c);
    int rc = conn_add_first_channel(c);
    return rc == 0 ? conn_secure(c, c->role, view_of(NULL, 0)) : rc;
}

void conn_ready_native(struct conn *c, uint64_t now)
{
    assert(link_has_channels(c->link.kind));
    c->link.is_open = true;
    c->state = CONN_READY;
    c->heard_at = now;
}

int conn_secure(struct conn *c, enum role role, struct view prologue)
{
    return upgrade_secure(c, role, prologue);
}

/* ---- streams ------------------------------------------------------------------------------- */

struct stream *conn_add_stream(struct conn *c, enum role role, uint64_t now)
{
    if (c->totals->streams[role] >= c->limits->streams_node)
        return NULL;
    struct stream *s = mem_alloc(c->mem, sizeof *s);
    struct multistream *m = mem_alloc(c->mem, sizeof *m);
    if (s == NULL || m == NULL) {
        mem_free(c->mem, s);
        mem_free(c->mem, m);
        return NULL;
    }
    multistream_init(m, role, c->mem, c->limits);
    s->conn = c;
    s->id = ++*c->last_stream;
    s->role = role;
    s->negotiation = m;
    bool rests = c->link.kind == LINK_RTC;
    s->deadline = after(now, rests ? c->limits->negotiate_rtc_ms : c->limits->negotiate_ms);
    buf_init(&s->out, c->mem, c->limits->channel_out);
    list_add(&c->streams, &s->in_conn);
    c->totals->streams[role]++;
    if (role == LISTENER)
        c->stream_count_in++;
    c->used_at = now;
    return s;
}

void conn_stream_died(struct stream *s, int code)
{
    struct conn *c = s->conn;
    assert(s->state != STREAM_DEAD);
    s->state = STREAM_DEAD;
    s->code = code;
    if (c->current.stream == s)
        c->current.stream = NULL;
    list_remove(&s->in_pending);
    list_add(&c->dead, &s->in_pending);
}

/* A stream whose two halves are closed is dead of natural causes. */
static void check_halves(struct stream *s)
{
    if (s->state == STREAM_OPEN && s->write_closed && s->peer_closed &&
        s->conn->current.stream != s)
        conn_stream_died(s, 0);
}

static struct view name_at(const struct stream *s, size_t at)
{
    const char *name = s->protocol + at;
    const char *end = strchr(name, '\n');
    return view_of((const uint8_t *)name, end ? (size_t)(end - name) : strlen(name));
}

struct stream *conn_open_stream(struct conn *c, struct view protocols, int *error, uint64_t now)
{
    *error = ERR_CLOSED;
    if (c->state != CONN_READY || c->is_closing)
        return NULL;
    *error = c->totals->streams[DIALER] >= c->limits->streams_node ? ERR_FULL : ERR_NOMEM;
    struct stream *s = conn_add_stream(c, DIALER, now);
    if (s == NULL)
        return NULL;
    s->protocol = mem_alloc(c->mem, protocols.len + 1);
    if (s->protocol == NULL) {
        stream_free(c, s);
        return NULL;
    }
    memcpy(s->protocol, protocols.data, protocols.len);
    *error = c->mux->open(c, s);
    if (*error == 0)
        *error = multistream_propose(s->negotiation, name_at(s, 0));
    /* The proposal goes first into `out`, so that a built-in protocol may write on behind it. */
    if (*error == 0)
        *error = multistream_drain(s->negotiation, &s->out);
    if (*error != 0) {
        stream_free(c, s);
        return NULL;
    }
    stream_touch(s);
    return s;
}

void conn_forget_stream(struct conn *c, struct stream *s)
{
    assert(s->state == STREAM_DEAD && s->conn == c);
    stream_free(c, s);
}

struct stream *conn_dead_stream(struct conn *c)
{
    if (list_is_empty(&c->dead))
        return NULL;
    return LIST_OWNER(c->dead.next, struct stream, in_pending);
}

uint32_t conn_count_streams(const struct conn *c, struct view protocol, enum role role)
{
    uint32_t count = 0;
    LIST_EACH(node, &c->streams) {
        const struct stream *s = LIST_OWNER(node, struct stream, in_conn);
        if (s->role == role && s->state != STREAM_DEAD && !stream_is_done(s) &&
            s->protocol != NULL && view_equals_text(protocol, s->protocol))
            count++;
    }
    return count;
}

/* ---- up ------------------------------------------------------------------------------------ */

/* The next of our proposals, or the end of the stream. */
static void propose_next(struct stream *s)
{
    const char *rest = strchr(s->protocol + s->proposed, '\n');
    int rc = ERR_UNSUPPORTED;
    if (rest != NULL) {
        s->proposed = (size_t)(rest + 1 - s->protocol);
        rc = multistream_propose(s->negotiation, name_at(s, s->proposed));
    }
    if (rc != 0)
        stream_reset(s, rc);
    else
        stream_touch(s);
}

static int choose_proposed(struct stream *s)
{
    struct view name = name_at(s, s->proposed);
    memmove(s->protocol, name.data, name.len);
    s->protocol[name.len] = '\0';
    s->proposed = 0;
    s->state = STREAM_OPEN;
    return 1;
}

static int negotiate(struct conn *c, struct stream *s, struct conn_event *ev, uint64_t now)
{
    struct multistream_event mev;
    size_t before = c->current.rest.len;
    int rc = multistream_feed(s->negotiation, &c->current.rest, &mev);
    stream_grant(s, before - c->current.rest.len, now);
    if (rc < 0) {
        stream_reset(s, rc);
        return 0;
    }
    stream_touch(s);
    if (rc == 0) {
        c->current.stream = NULL;
        return 0;
    }
    ev->stream = s;
    switch (mev.type) {
    case MULTISTREAM_ACCEPTED:
        upgrade_negotiation_free(c, &s->negotiation);
        ev->type = CONN_STREAM_OPENED;
        return choose_proposed(s);
    case MULTISTREAM_REFUSED:
        propose_next(s);
        return 0;
    case MULTISTREAM_PROPOSED:
        ev->type = CONN_STREAM_PROPOSED;
        ev->protocol = mev.protocol;
        return 1;
    }
    return ERR_PROTOCOL;
}

/* A listener's answer goes out through `out`; the negotiation ends when it is there. */
static int settle(struct conn *c, struct stream *s)
{
    int rc = multistream_drain(s->negotiation, &s->out);
    if (rc < 0)
        return rc;
    if (s->state == STREAM_OPEN)
        upgrade_negotiation_free(c, &s->negotiation);
    return 0;
}

static int feed_current(struct conn *c, struct conn_event *ev, uint64_t now)
{
    struct stream *s = c->current.stream;
    if (s->negotiation != NULL && s->state == STREAM_OPEN && settle(c, s) != 0) {
        stream_reset(s, ERR_NOMEM);
        return 0;
    }
    if (s->negotiation != NULL)
        return negotiate(c, s, ev, now);
    struct span data = c->current.rest;
    c->current.stream = NULL;
    if (data.len == 0) {
        check_halves(s);
        return 0;
    }
    c->used_at = now;
    if (s->read_closed) {
        stream_grant(s, data.len, now);
        return 0;
    }
    ev->type = CONN_STREAM_DATA;
    ev->stream = s;
    ev->data = data;
    return 1;
}

/* The muxer saw the peer close its half. 1 when the owner has to hear of it. */
int conn_peer_closed(struct stream *s, struct conn_event *ev)
{
    if (s->peer_closed || s->state == STREAM_DEAD)
        return 0;
    s->peer_closed = true;
    if (s->state == STREAM_NEGOTIATING) {
        if (s->role == DIALER)
            stream_reset(s, ERR_RESET);
        return 0;
    }
    ev->type = CONN_STREAM_ENDED;
    ev->stream = s;
    check_halves(s);
    return 1;
}

bool conn_feed_channel(struct conn *c, uint32_t channel)
{
    c->feeding = NULL;
    LIST_EACH(node, &c->channels) {
        struct channel *ch = LIST_OWNER(node, struct channel, in_conn);
        if (ch->id == channel)
            c->feeding = ch;
    }
    return c->feeding != NULL;
}

static int feed_layer(struct conn *c, struct span *in, struct conn_event *ev, uint64_t now)
{
    if (link_has_channels(c->link.kind))
        return c->mux->feed(c, in, ev, now);
    if (c->state != CONN_READY)
        return upgrade_feed(c, in, ev, now);
    if (c->plain.len > 0)
        return c->mux->feed(c, &c->plain, ev, now);
    return upgrade_decrypt(c, in);
}

static bool is_anything_left(const struct conn *c, const struct span *in)
{
    bool has_flag = c->feeding != NULL && c->feeding->frames.has_flag;
    return c->current.stream != NULL || c->plain.len > 0 || in->len > 0 || c->is_verified ||
           has_flag;
}

int conn_feed(struct conn *c, struct span *in, struct conn_event *ev, uint64_t now)
{
    if (in->len > 0)
        c->heard_at = now;
    for (;;) {
        /* With channels what comes meanwhile is kept by each, see conn_early. */
        if (c->is_verifying && !link_has_channels(c->link.kind)) {
            int rc = buf_append(&c->held, view_of_span(*in));
            in->len = 0;
            return rc;
        }
        if (!is_anything_left(c, in))
            return 0;
        c->is_verified = false;
        if (c->state == CONN_DEAD)
            return ERR_CLOSED;
        int rc = c->current.stream ? feed_current(c, ev, now) : feed_layer(c, in, ev, now);
        if (rc != 0)
            return rc;
    }
}

int conn_verified(struct conn *c, bool is_valid, struct span *held)
{
    c->is_verifying = false;
    c->is_verified = true;
    *held = buf_span(&c->held);
    return noise_verified(&c->noise, is_valid);
}

/* ---- down ---------------------------------------------------------------------------------- */

static void flush_stream(struct conn *c, struct stream *s)
{
    if (s->negotiation != NULL) {
        int rc = settle(c, s);
        if (rc < 0 && rc != ERR_FULL) {
            stream_reset(s, rc);
            return;
        }
    }
    while (s->out.len > 0) {
        size_t room = s->out.len;
        uint8_t *at = c->mux->reserve(c, s, &room);
        if (at == NULL)
            return;
        memcpy(at, s->out.data + s->out.head, room);
        c->mux->commit(c, s, room);
        buf_take(&s->out, room);
    }
    buf_trim(&s->out);
    if (s->close_wanted && !s->write_closed) {
        c->mux->close_write(c, s);
        s->write_closed = true;
        check_halves(s);
    }
}

/* One look at each stream that asked for it; stops at one that has room again. */
static int flush_streams(struct conn *c, struct conn_output *out)
{
    while (!list_is_empty(&c->pending)) {
        struct stream *s = LIST_OWNER(c->pending.next, struct stream, in_pending);
        list_remove(&s->in_pending);
        flush_stream(c, s);
        if (s->state == STREAM_DEAD || !s->wants_room || s->out.len > 0)
            continue;
        size_t room = 1;
        if (stream_is_writable(s) && s->negotiation == NULL && c->mux->reserve(c, s, &room)) {
            s->wants_room = false;
            *out = (struct conn_output){.type = CONN_ROOM, .stream = s};
            return 1;
        }
    }
    return 0;
}

static int drain_link(struct conn *c, struct conn_output *out)
{
    if (link_has_channels(c->link.kind) || c->link.room == 0)
        return 0;
    size_t ready = c->link.out.len;
    if (c->state == CONN_READY || c->state == CONN_MUXER) {
        int rc = noise_seal(&c->noise, &c->link.out);
        if (rc != 0)
            return rc;
        ready = noise_sealed(&c->noise, &c->link.out);
    }
    size_t len = MIN(MIN(ready, c->link.room), (size_t)SEND_MAX);
    if (len == 0)
        return 0;
    *out = (struct conn_output){.type = CONN_SEND,
                                .data = view_of(c->link.out.data + c->link.out.head, len)};
    c->link.handed = len;
    c->link.room -= len;
    return 1;
}

int conn_drain(struct conn *c, struct conn_output *out, uint64_t now)
{
    if (c->state == CONN_DEAD)
        return 0;
    if (c->code != 0)
        return c->code;
    int rc = 0;
    if (c->state == CONN_READY || link_has_channels(c->link.kind)) {
        rc = flush_streams(c, out);
        if (rc == 0)
            rc = c->mux->drain(c, out, now);
    } else if (c->link.is_open)
        rc = upgrade_drain(c);
    if (rc == 0)
        rc = drain_link(c, out);
    if (rc != 0 || !c->is_closing || c->link.out.len > 0)
        return rc;
    *out = (struct conn_output){.type = CONN_FLUSHED};
    return 1;
}

void conn_unblock(struct conn *c)
{
    while (!list_is_empty(&c->blocked)) {
        struct list *node = c->blocked.next;
        list_remove(node);
        list_add(&c->pending, node);
    }
}

void conn_sent(struct conn *c)
{
    if (c->sending != NULL) {
        buf_take(&c->sending->out, c->sending->handed);
        c->unanswered += c->sending->handed;
        c->sending->handed = 0;
        if (c->sending->stream != NULL)
            stream_touch(c->sending->stream);
        c->sending = NULL;
        return;
    }
    buf_take(&c->link.out, c->link.handed);
    c->link.handed = 0;
    buf_trim(&c->link.out);
    if (c->link.out.len < c->link.out.limit / 2)
        conn_unblock(c);
}

/* What leaves a channel leaves because the peer's browser has acknowledged what was before it. */
void conn_room(struct conn *c, uint32_t channel, size_t room, uint64_t now)
{
    if (channel == 0) {
        c->link.room = room;
        return;
    }
    LIST_EACH(node, &c->channels) {
        struct channel *ch = LIST_OWNER(node, struct channel, in_conn);
        if (ch->id != channel)
            continue;
        ch->room = room;
        c->heard_at = now;
    }
}

bool conn_ping(struct conn *c, uint64_t now)
{
    if (link_has_channels(c->link.kind) || c->state != CONN_READY)
        return false;
    if (yamux_ping(&c->yamux, now))
        flight_probe(&c->flight, now);
    return true;
}

void conn_close(struct conn *c, uint64_t now)
{
    if (c->is_closing)
        return;
    c->is_closing = true;
    c->close_until = after(now, CLOSE_MS);
    if (!link_has_channels(c->link.kind) && c->state == CONN_READY)
        yamux_goaway(&c->yamux, 0);
}

/* ---- time ---------------------------------------------------------------------------------- */

static bool is_timed(const struct stream *s)
{
    return s->state == STREAM_NEGOTIATING || (s->state == STREAM_OPEN && s->is_leaving);
}

uint64_t conn_deadline(const struct conn *c)
{
    uint64_t at = earlier(c->close_until, c->limit_until);
    if (c->state != CONN_READY)
        return earlier(at, c->upgrade_until);
    LIST_EACH(node, &c->streams) {
        const struct stream *s = LIST_OWNER(node, struct stream, in_conn);
        if (is_timed(s))
            at = earlier(at, s->deadline);
    }
    return earlier(at, c->mux->deadline(c));
}

int conn_tick(struct conn *c, uint64_t now)
{
    if (is_due(c->close_until, now))
        return ERR_CLOSED;
    if (is_due(c->limit_until, now))
        return ERR_LIMITED;
    if (c->state != CONN_READY)
        return is_due(c->upgrade_until, now) ? ERR_TIMEOUT : 0;
    LIST_EACH(node, &c->streams) {
        struct stream *s = LIST_OWNER(node, struct stream, in_conn);
        if (is_timed(s) && is_due(s->deadline, now))
            stream_reset(s, ERR_TIMEOUT);
    }
    return c->mux->tick(c, now);
}

#include "node/node.h"

#include <assert.h>

/* How long a limited connection may stay without streams once a direct one is there. */
#define LIMITED_IDLE_MS 2000

struct conn *conn_create(struct peerlet *p, enum link_kind kind, enum role role,
                         const struct peer_id *expected, struct view address)
{
    if (p->conn_count >= p->limits.conns - (role == LISTENER ? p->limits.conns / 4 : 0)) {
        fail(p, ERR_FULL, "this node has %u connections, its limit", (unsigned)p->conn_count);
        return NULL;
    }
    struct conn *c = conn_new(
        &(struct conn_config){
            .id = ++p->last_conn,
            .role = role,
            .kind = kind,
            .mem = &p->mem,
            .rng = &p->rng,
            .limits = &p->limits,
            .identity = &p->identity,
            .last_stream = &p->last_stream,
            .totals = &p->totals,
            .expected = expected,
            .address = address,
        },
        p->now);
    if (c == NULL || table_add(&p->conns, c->id, c) != 0) {
        if (c != NULL)
            conn_free(c);
        fail(p, ERR_NOMEM, "out of memory");
        return NULL;
    }
    p->conn_count++;
    return c;
}

void conn_mark(struct peerlet *p, struct conn *c)
{
    if (!list_is_linked(&c->in_dirty))
        list_add(&p->dirty, &c->in_dirty);
}

uint32_t conn_flags(const struct conn *c)
{
    static const uint32_t KIND[] = {
        [LINK_SOCKET] = PEERLET_CONN_WEBSOCKET,     [LINK_RELAYED] = PEERLET_CONN_RELAYED,
        [LINK_RTC] = PEERLET_CONN_WEBRTC,           [LINK_DIRECT] = PEERLET_CONN_WEBRTC,
        [LINK_SESSION] = PEERLET_CONN_WEBTRANSPORT,
    };
    return KIND[c->link.kind] | (c->role == LISTENER ? PEERLET_CONN_INBOUND : 0u) |
           (c->is_limited ? PEERLET_CONN_LIMITED : 0u);
}

struct conn *best_conn(const struct peerlet *p, const struct peer *peer, bool direct_only)
{
    (void)p;
    struct conn *best = NULL;
    LIST_EACH(node, &peer->conns) {
        struct conn *c = LIST_OWNER(node, struct conn, in_peer);
        if (!conn_is_ready(c) || c->is_closing || (direct_only && c->is_limited))
            continue;
        if (best == NULL || (best->is_limited && !c->is_limited) ||
            (best->link.kind == LINK_RELAYED && c->link.kind != LINK_RELAYED))
            best = c;
    }
    return best;
}

struct conn *unrelayed_conn(const struct peerlet *p, const struct peer *peer)
{
    struct conn *c = peer ? best_conn(p, peer, true) : NULL;
    return c != NULL && c->link.kind != LINK_RELAYED ? c : NULL;
}

void limit_conn(struct peerlet *p, struct conn *c, struct circuit_limit limit)
{
    c->is_limited = limit.duration_s > 0 || limit.data > 0;
    if (!c->is_limited)
        return;
    c->limit_s = limit.duration_s;
    c->limit_bytes = limit.data;
    if (limit.duration_s > 0)
        c->limit_until = after(p->now, UINT64_C(1000) * limit.duration_s);
}

/* Both directions count against the budget of a limited connection, of which 1 is left at the end. */
static bool spend(struct conn *c, size_t len)
{
    if (!c->is_limited || c->limit_bytes == 0)
        return true;
    bool is_enough = len < c->limit_bytes;
    c->limit_bytes = is_enough ? c->limit_bytes - len : 1;
    return is_enough;
}

/* ---- life ---------------------------------------------------------------------------------- */

void conn_established(struct peerlet *p, struct conn *c)
{
    struct peer *peer = addrbook_add(&p->peers, &c->expected);
    if (peer == NULL) {
        conn_end(p, c, ERR_FULL, view_of_text("too many peers are known and in use"));
        return;
    }
    if (c->role == LISTENER && peer->conn_count >= p->limits.conns_per_peer) {
        conn_end(p, c, ERR_FULL, view_of_text("the peer has enough connections"));
        return;
    }
    c->peer = peer;
    list_add(&peer->conns, &c->in_peer);
    addrbook_touch(&p->peers, peer);
    bool is_first = peer->conn_count++ == 0;
    struct peer_text id = peer_text(&peer->id);
    emit(p, &(struct peerlet_output){
                .type = PEERLET_CONN_OPENED,
                .id = c->id,
                .value = conn_flags(c),
                .limit_s = c->is_limited ? c->limit_s : 0,
                .limit_bytes = c->is_limited ? c->limit_bytes : 0,
                .peer = peer_text_view(&id),
                .data = conn_address(c),
            });
    if (is_first)
        emit(p,
             &(struct peerlet_output){.type = PEERLET_PEER_CONNECTED, .peer = peer_text_view(&id)});
    c->ping_at = NEVER;
    dial_conn_up(p, c);
    relay_conn_up(p, c);
    identify_conn(p, c);
    gossip_conn_up(p, c);
    upgrade_relayed(p, c);
    conn_mark(p, c);
}

static void tell_streams(struct peerlet *p, struct conn *c, int code)
{
    LIST_EACH(node, &c->streams) {
        struct stream *s = LIST_OWNER(node, struct stream, in_conn);
        if (s->state != STREAM_DEAD)
            conn_stream_died(s, code ? code : ERR_CLOSED);
    }
    reap_streams(p, c);
}

/*
 * A direct connection that fell silent while it was in use: the relay can carry on. One that the
 * application aborted, to a peer that we dial of ourselves. A relayed one that used up its limit
 * after a while: another can carry on.
 */
static bool is_missed(const struct peerlet *p, const struct conn *c, int code)
{
    bool is_silent = code == ERR_TIMEOUT || code == ERR_TRANSPORT;
    bool is_aborted = code == ERR_ABORTED && c->peer->is_announced && !p->no_auto_dial;
    bool is_used_up =
        code == ERR_LIMITED && is_due(after(c->opened_at, p->limits.direct_retry_ms[0]), p->now);
    if (!(c->link.kind == LINK_RTC && (is_silent || is_aborted)) && !is_used_up)
        return false;
    if (c->is_closing)
        return false;
    LIST_EACH(node, &c->streams)
        if (LIST_OWNER(node, struct stream, in_conn)->state == STREAM_OPEN)
            return true;
    return false;
}

static void unfeed(struct peerlet *p, uint32_t conn)
{
    for (size_t i = 0; i < p->feed_count; i++)
        if (p->feeds[i].kind == FEED_CONN && p->feeds[i].conn == conn)
            p->feeds[i].in.len = 0;
}

void conn_end(struct peerlet *p, struct conn *c, int code, struct view why)
{
    if (c->state == CONN_DEAD)
        return;
    bool was_open = c->peer != NULL && list_is_linked(&c->in_peer);
    bool misses_it = was_open && is_missed(p, c, code);
    c->state = CONN_DEAD;
    c->code = code;
    if (p->sent == c)
        p->sent = NULL;
    unfeed(p, c->id);
    table_remove(&p->conns, c->id);
    p->conn_count--;
    struct stream *via = c->via;
    c->via = NULL;
    if (via != NULL && via->state != STREAM_DEAD) {
        via->user = NULL;
        if (code == 0)
            stream_close_write(via);
        stream_reset(via, code ? code : ERR_CLOSED);
        conn_mark(p, via->conn);
    } else if (via != NULL)
        via->user = NULL;
    if (c->link.kind != LINK_RELAYED)
        emit(p, &(struct peerlet_output){.type = PEERLET_CLOSE_LINK, .id = c->id});
    tell_streams(p, c, code);
    struct peer *peer = was_open ? c->peer : NULL;
    if (was_open) {
        struct peer_text id = peer_text(&peer->id);
        list_remove(&c->in_peer);
        peer->conn_count--;
        emit(p, &(struct peerlet_output){.type = PEERLET_CONN_CLOSED,
                                         .id = c->id,
                                         .code = code,
                                         .peer = peer_text_view(&id),
                                         .text = why});
        if (peer->conn_count == 0)
            emit(p, &(struct peerlet_output){.type = PEERLET_PEER_DISCONNECTED,
                                             .peer = peer_text_view(&id)});
        peer->held++;
        relay_conn_down(p, c);
        gossip_conn_down(p, c);
    } else if (code != 0 && code != ERR_ABORTED)
        log_line(&p->log, LOG_INFO, "a connection failed: %v", &why);
    direct_conn_down(p, c);
    session_down(p, c, was_open ? 0 : code);
    dial_conn_down(p, c->id, code ? code : ERR_CLOSED, why);
    if (misses_it)
        direct_missed(p, c, peer);
    if (peer != NULL)
        peer->held--;
    conn_free(c);
}

/* ---- up ------------------------------------------------------------------------------------ */

void conn_push_feed(struct peerlet *p, struct feed feed)
{
    assert(p->feed_count < FEED_DEPTH);
    struct conn *c = find_conn(p, feed.conn);
    if (c != NULL && feed.stream != 0)
        spend(c, feed.in.len);
    feed.total = feed.in.len;
    p->feeds[p->feed_count++] = feed;
}

static void pop_feed(struct peerlet *p)
{
    struct feed done = p->feeds[--p->feed_count];
    struct stream *s = find_stream(p, done.stream);
    if (s == NULL)
        return;
    stream_grant(s, done.total, p->now);
    conn_mark(p, s->conn);
}

static void ask_verify(struct peerlet *p, struct conn *c, const struct conn_event *ev)
{
    if (!order_verify(p, c->id, 0, &ev->key, ev->message, ev->signature))
        conn_end(p, c, ERR_BAD_SIGNATURE,
                 view_of_text("the peer's key cannot be checked by this browser"));
}

static void on_event(struct peerlet *p, struct conn *c, const struct conn_event *ev,
                     struct peerlet_output *out)
{
    switch (ev->type) {
    case CONN_VERIFY:
        ask_verify(p, c, ev);
        break;
    case CONN_OPENED:
        conn_established(p, c);
        break;
    case CONN_PONG:
        emit(p,
             &(struct peerlet_output){.type = PEERLET_CONN_RTT, .id = c->id, .value = c->rtt_ms});
        break;
    case CONN_GOAWAY:
        conn_close(c, p->now);
        break;
    case CONN_STREAM_PROPOSED:
    case CONN_STREAM_OPENED:
    case CONN_STREAM_DATA:
    case CONN_STREAM_ENDED:
        stream_event(p, ev, out);
        break;
    }
}

/* In a handshake the same codes have a meaning of their own. */
static const char *why_of(const struct conn *c, int code)
{
    if (code == ERR_UNSUPPORTED && c->state == CONN_SECURITY)
        return "the peer does not speak Noise, and nothing else is safe here";
    if (code == ERR_UNSUPPORTED && c->state == CONN_NOISE)
        return "the peer speaks no yamux";
    if (code == ERR_CRYPTO && c->link.kind == LINK_SESSION && noise_claimed_peer(&c->noise))
        return "the peer says another certificate is its own; is the certhash stale?";
    return err_text(code);
}

/* A relayed connection's bytes go into the stream that carries it. */
static void send_through(struct peerlet *p, struct conn *c, struct view data)
{
    size_t taken = stream_write(c->via, data);
    assert(taken == data.len);
    (void)taken;
    conn_sent(c);
    conn_mark(p, c->via->conn);
}

/* The muxer's reason leaves before the link closes, if there is room for it. */
static void say_why(struct peerlet *p, struct conn *c)
{
    struct conn_output o;
    if (!conn_is_ready(c) || link_has_channels(c->link.kind))
        return;
    if (c->link.kind == LINK_RELAYED)
        c->link.room = c->via != NULL ? stream_room(c->via) : 0;
    while (conn_drain(c, &o, p->now) == 1 && o.type != CONN_FLUSHED) {
        if (o.type != CONN_SEND)
            continue;
        if (c->link.kind == LINK_RELAYED) {
            send_through(p, c, o.data);
            continue;
        }
        emit(p, &(struct peerlet_output){.type = PEERLET_SEND, .id = c->id, .data = o.data});
        conn_sent(c);
    }
}

static void end_badly(struct peerlet *p, struct conn *c, int code)
{
    char text[160];
    const struct peer_id *claimed = code == ERR_WRONG_PEER ? noise_claimed_peer(&c->noise) : NULL;
    size_t len = claimed ? text_format(text, sizeof text,
                                       "the one who answers there is %s; is the Peer ID in the "
                                       "address still right?",
                                       peer_text(claimed).text)
                         : text_format(text, sizeof text, "%s", why_of(c, code));
    say_why(p, c);
    conn_end(p, c, code, view_of((const uint8_t *)text, len));
}

static void feed_conn(struct peerlet *p, struct feed *f, struct peerlet_output *out)
{
    struct conn *c = find_conn(p, f->conn);
    if (c == NULL || (link_has_channels(c->link.kind) && !conn_feed_channel(c, f->channel))) {
        pop_feed(p);
        return;
    }
    struct conn_event ev;
    int rc = conn_feed(c, &f->in, &ev, p->now);
    conn_mark(p, c);
    if (rc < 0) {
        end_badly(p, c, rc);
        return;
    }
    struct feed early = {.kind = FEED_CONN, .conn = c->id};
    if (rc == 0)
        pop_feed(p);
    else
        on_event(p, c, &ev, out);
    if (rc == 0 && conn_early(c, &early.channel, &early.in))
        conn_push_feed(p, early);
    c = find_conn(p, f->conn);
    if (c != NULL)
        reap_streams(p, c);
}

bool conns_feed(struct peerlet *p, struct peerlet_output *out)
{
    while (p->feed_count > 0) {
        struct feed *f = &p->feeds[p->feed_count - 1];
        switch (f->kind) {
        case FEED_CONN:
            feed_conn(p, f, out);
            break;
        case FEED_SESSION:
            if (!feed_session(p, f))
                pop_feed(p);
            break;
        case FEED_RPC:
            if (!gossip_feed(p, f, out))
                pop_feed(p);
            break;
        }
        if (p->has_direct)
            return true;
        if (outputs_take(&p->outputs, out))
            return true;
    }
    return false;
}

/* ---- down ---------------------------------------------------------------------------------- */

static bool perform(struct peerlet *p, struct conn *c, const struct conn_output *o,
                    struct peerlet_output *out)
{
    *out = (struct peerlet_output){.id = c->id, .channel = o->channel, .value = o->value};
    switch (o->type) {
    case CONN_SEND:
        if (!spend(c, o->data.len)) {
            conn_end(p, c, ERR_LIMITED, view_of_text("the relay's limit of bytes is used up"));
            return false;
        }
        if (c->link.kind == LINK_RELAYED) {
            send_through(p, c, o->data);
            return false;
        }
        p->sent = c;
        out->type = PEERLET_SEND;
        out->data = o->data;
        return true;
    case CONN_OPEN_CHANNEL:
        out->type = PEERLET_OPEN_CHANNEL;
        return true;
    case CONN_CLOSE_CHANNEL:
        out->type = PEERLET_CLOSE_CHANNEL;
        return true;
    case CONN_PAUSE_CHANNEL:
        out->type = PEERLET_PAUSE_CHANNEL;
        return true;
    case CONN_ROOM:
        stream_room_event(p, o->stream);
        return false;
    case CONN_FLUSHED:
        conn_end(p, c, 0, view_of(NULL, 0));
        return false;
    }
    return false;
}

/* One output of one connection: 1 for the driver, 0 none left, -1 go on. */
static int drain_conn(struct peerlet *p, struct conn *c, struct peerlet_output *out)
{
    uint32_t id = c->id;
    if (c->link.kind == LINK_RELAYED && c->via != NULL) {
        /* A stream that gives no room now says CONN_ROOM later, which marks this one again. */
        c->link.room = stream_room(c->via);
    }
    struct conn_output o;
    int rc = conn_drain(c, &o, p->now);
    if (rc < 0) {
        conn_end(p, c, rc, view_of_text(err_text(rc)));
        return -1;
    }
    if (rc == 1 && perform(p, c, &o, out))
        return 1;
    c = find_conn(p, id);
    bool has_more = c != NULL && reap_streams(p, c); /* who had them may have said something */
    return rc == 0 && !has_more ? 0 : -1;
}

bool conns_drain(struct peerlet *p, struct peerlet_output *out)
{
    while (!list_is_empty(&p->dirty)) {
        struct conn *c = LIST_OWNER(p->dirty.next, struct conn, in_dirty);
        uint32_t id = c->id;
        int rc = drain_conn(p, c, out);
        if (rc == 1)
            return true;
        if (rc == 0 && (c = find_conn(p, id)) != NULL)
            list_remove(&c->in_dirty);
        if (outputs_take(&p->outputs, out))
            return true;
    }
    return false;
}

/* ---- time ---------------------------------------------------------------------------------- */

/* When a limited connection beside a direct one is of no more use than its streams were. */
static uint64_t superfluous_at(const struct peerlet *p, const struct conn *c)
{
    if (!c->is_limited || c->peer == NULL || c->is_closing || best_conn(p, c->peer, true) == NULL ||
        direct_of_conn(p, c->id))
        return NEVER;
    return after(c->used_at, LIMITED_IDLE_MS);
}

static void tick_conn(struct peerlet *p, struct conn *c)
{
    uint32_t id = c->id;
    int rc = conn_tick(c, p->now);
    if (rc != 0) {
        bool closed = rc == ERR_CLOSED && c->is_closing;
        conn_end(p, c, closed ? 0 : rc,
                 view_of_text(rc == ERR_LIMITED ? "the relay's time limit is over" : err_text(rc)));
        return;
    }
    sessions_tick(p, c);
    reap_streams(p, c);
    if (is_due(superfluous_at(p, c), p->now))
        conn_close(c, p->now);
    liveness_tick(p, c);
    c = find_conn(p, id);
    if (c != NULL)
        conn_mark(p, c);
}

void conns_tick(struct peerlet *p)
{
    uint32_t at = 0;
    struct conn *c;
    while ((c = table_next(&p->conns, &at)) != NULL)
        tick_conn(p, c);
}

uint64_t conns_deadline(const struct peerlet *p)
{
    uint64_t deadline = NEVER;
    uint32_t at = 0;
    const struct conn *c;
    while ((c = table_next(&p->conns, &at)) != NULL) {
        deadline = earlier(deadline, conn_deadline(c));
        deadline = earlier(deadline, sessions_deadline(c));
        deadline = earlier(deadline, liveness_deadline(p, c));
        deadline = earlier(deadline, superfluous_at(p, c));
    }
    return deadline;
}

#include "node/node.h"

#include <assert.h>

/* ---- built-in protocols ---------------------------------------------------------------------- */

static struct session *session_new(struct peerlet *p, const struct service *service,
                                   struct stream *s)
{
    struct session *session = mem_alloc(&p->mem, sizeof *session + service->size);
    if (session == NULL)
        return NULL;
    session->service = service;
    session->stream = s;
    s->use = USE_SESSION;
    s->user = session;
    s->is_urgent = true;
    return session;
}

static void session_free(struct peerlet *p, struct session *session)
{
    session->service->ops->free(machine(session));
    mem_free(&p->mem, session);
}

/* The machine's last word was RAW: what follows on the stream is a connection. */
static void hand_over(struct peerlet *p, struct session *session)
{
    struct stream *s = session->stream;
    struct conn *child = session->service->raw(p, session);
    s->is_urgent = false;
    s->user = child;
    s->use = child ? USE_LINK : USE_NONE;
    session_free(p, session);
    if (child == NULL) {
        stream_reset(s, ERR_FULL);
        return;
    }
    child->via = s;
    if (conn_opened(child, 0, p->now) != 0) {
        conn_end(p, child, ERR_NOMEM, view_of_text(err_text(ERR_NOMEM)));
        return;
    }
    conn_mark(p, child);
}

void drain_session(struct peerlet *p, struct session *session)
{
    struct stream *s = session->stream;
    int rc = session->service->ops->drain(machine(session), &s->out);
    stream_touch(s);
    conn_mark(p, s->conn);
    if (rc < 0)
        stream_reset(s, rc);
    else if (rc == PROTOCOL_CLOSE_WRITE)
        stream_close_write(s);
    else if (rc == PROTOCOL_DONE) {
        session->is_done = true;
        s->is_leaving = true;
        s->deadline = after(p->now, p->limits.negotiate_ms);
        stream_close_write(s);
        stream_close_read(s);
    } else if (rc == PROTOCOL_RAW)
        hand_over(p, session);
}

struct session *open_session(struct peerlet *p, struct conn *c, enum service_index service)
{
    const struct service *row = &SERVICES[service];
    int rc = 0;
    if (c->is_limited && !row->ops->on_limited)
        rc = ERR_LIMITED;
    else if (conn_count_streams(c, view_of_text(row->ops->name), DIALER) >= row->ops->max_outbound)
        rc = ERR_TOO_MANY_STREAMS;
    struct stream *s = NULL;
    if (rc == 0)
        s = conn_open_stream(c, view_of_text(row->ops->name), &rc, p->now);
    if (s == NULL) {
        fail(p, rc, "%s for %s", err_text(rc), row->ops->name);
        return NULL;
    }
    struct session *session = session_new(p, row, s);
    if (session == NULL || table_add(&p->streams, s->id, s) != 0) {
        stream_reset(s, ERR_NOMEM);
        fail(p, ERR_NOMEM, "out of memory");
        return NULL;
    }
    conn_mark(p, c);
    return session;
}

void close_session(struct peerlet *p, struct session *session, int code)
{
    struct stream *s = session->stream;
    if (code != 0)
        stream_reset(s, code);
    conn_mark(p, s->conn);
}

/* One step of bytes for a machine: false when there is nothing more to do with them. */
bool feed_session(struct peerlet *p, struct feed *f)
{
    struct stream *s = find_stream(p, f->stream);
    if (s == NULL || s->state == STREAM_DEAD)
        return false;
    if (s->use == USE_LINK && s->user != NULL) {
        /* The machine has just given the stream away: the rest is the connection's. */
        struct conn *child = s->user;
        f->kind = FEED_CONN;
        f->conn = child->id;
        f->channel = 0;
        return true;
    }
    if (s->use != USE_SESSION)
        return false;
    struct session *session = s->user;
    if (session->is_done)
        return false;
    struct protocol_event ev;
    int rc = session->service->ops->feed(machine(session), &f->in, &ev, p->now);
    if (rc < 0) {
        stream_reset(s, rc);
        conn_mark(p, s->conn);
        return false;
    }
    if (rc == 1)
        session->service->event(p, session, &ev);
    s = find_stream(p, f->stream);
    if (s == NULL || s->state == STREAM_DEAD)
        return false;
    if (s->use == USE_SESSION)
        drain_session(p, s->user);
    return rc == 1 || (s->use == USE_LINK && f->in.len > 0);
}

static void end_session_input(struct peerlet *p, struct session *session)
{
    if (session->is_ended || session->is_done)
        return;
    session->is_ended = true;
    uint32_t id = session->stream->id;
    struct protocol_event ev;
    int rc = session->service->ops->end(machine(session), &ev, p->now);
    if (rc == 1)
        session->service->event(p, session, &ev);
    struct stream *s = find_stream(p, id);
    if (s == NULL || s->state == STREAM_DEAD || s->use != USE_SESSION)
        return;
    if (rc < 0) {
        stream_reset(s, rc);
        conn_mark(p, s->conn);
    } else
        drain_session(p, s->user);
}

void sessions_tick(struct peerlet *p, struct conn *c)
{
    LIST_EACH(node, &c->streams) {
        struct stream *s = LIST_OWNER(node, struct stream, in_conn);
        if (s->use != USE_SESSION || s->state == STREAM_DEAD)
            continue;
        struct session *session = s->user;
        int rc = session->service->ops->tick(machine(session), p->now);
        if (rc < 0 && !session->is_done)
            stream_reset(s, rc);
    }
}

uint64_t sessions_deadline(const struct conn *c)
{
    uint64_t at = NEVER;
    LIST_EACH(node, &c->streams) {
        const struct stream *s = LIST_OWNER(node, struct stream, in_conn);
        if (s->use != USE_SESSION || s->state == STREAM_DEAD)
            continue;
        struct session *session = s->user;
        if (!session->is_done)
            at = earlier(at, session->service->ops->deadline(machine(session)));
    }
    return at;
}

/* ---- inbound streams ------------------------------------------------------------------------- */

static bool accept_service(struct peerlet *p, struct stream *s, const struct service *service)
{
    struct conn *c = s->conn;
    struct view name = view_of_text(service->ops->name);
    if (c->is_limited && !service->ops->on_limited)
        return false;
    if (conn_count_streams(c, name, LISTENER) >= service->ops->max_inbound)
        return false;
    struct session *session = session_new(p, service, s);
    if (session == NULL)
        return false;
    if (service->accept(p, session) != 0 || stream_accept(s, name) != 0) {
        session_free(p, session);
        s->use = USE_NONE;
        s->user = NULL;
        return false;
    }
    drain_session(p, session);
    return true;
}

static bool accept_app(struct peerlet *p, struct stream *s, struct view protocol)
{
    struct handler *h = handler_of(p, protocol);
    if (h == NULL || (s->conn->is_limited && !(h->flags & PEERLET_ON_LIMITED)))
        return false;
    if (conn_count_streams(s->conn, protocol, LISTENER) >= h->max_inbound)
        return false;
    if (stream_accept(s, protocol) != 0)
        return false;
    s->use = USE_APP;
    emit(p, &(struct peerlet_output){.type = PEERLET_STREAM_OPENED,
                                     .id = s->id,
                                     .channel = s->conn->id,
                                     .value = LISTENER,
                                     .text = stream_protocol(s)});
    return true;
}

static bool accept_rpc(struct peerlet *p, struct stream *s, struct view protocol)
{
    enum gossipsub_version version;
    if (!gossip_is_allowed(p, s->conn) || !is_rpc_protocol(p, protocol, &version) ||
        conn_count_streams(s->conn, protocol, LISTENER) >= 4 || stream_accept(s, protocol) != 0)
        return false;
    s->use = USE_RPC_IN;
    gossip_accept(p, s, version);
    return true;
}

static void propose(struct peerlet *p, struct stream *s, struct view protocol)
{
    if (find_stream(p, s->id) == NULL && table_add(&p->streams, s->id, s) != 0) {
        stream_reset(s, ERR_NOMEM);
        return;
    }
    const struct service *service = service_of(p, protocol);
    bool taken = service ? accept_service(p, s, service)
                         : accept_rpc(p, s, protocol) || accept_app(p, s, protocol);
    if (!taken && s->state == STREAM_NEGOTIATING)
        stream_refuse(s);
}

/* ---- events of streams ----------------------------------------------------------------------- */

static void opened(struct peerlet *p, struct stream *s)
{
    if (s->use == USE_APP)
        emit(p, &(struct peerlet_output){.type = PEERLET_STREAM_OPENED,
                                         .id = s->id,
                                         .channel = s->conn->id,
                                         .value = DIALER,
                                         .text = stream_protocol(s)});
}

static void data(struct peerlet *p, const struct conn_event *ev, struct peerlet_output *out)
{
    struct stream *s = ev->stream;
    struct feed feed = {.stream = s->id, .in = ev->data};
    switch ((enum use)s->use) {
    case USE_APP:
        *out = (struct peerlet_output){
            .type = PEERLET_STREAM_DATA, .id = s->id, .data = view_of_span(ev->data)};
        p->has_direct = true;
        return;
    case USE_SESSION:
        feed.kind = FEED_SESSION;
        break;
    case USE_RPC_IN:
        feed.kind = FEED_RPC;
        break;
    case USE_LINK:
        feed.kind = FEED_CONN;
        feed.conn = s->user ? ((struct conn *)s->user)->id : 0;
        break;
    case USE_NONE:
    case USE_RPC_OUT:
    case USE_RPC_OLD:
        stream_grant(s, ev->data.len, p->now);
        return;
    }
    conn_push_feed(p, feed);
}

static void ended(struct peerlet *p, struct stream *s)
{
    switch ((enum use)s->use) {
    case USE_APP:
        emit(p, &(struct peerlet_output){.type = PEERLET_STREAM_ENDED, .id = s->id});
        break;
    case USE_SESSION:
        end_session_input(p, s->user);
        break;
    case USE_LINK:
        if (s->user != NULL)
            conn_end(p, s->user, 0, view_of_text("the relayed connection was closed"));
        break;
    case USE_RPC_IN:
    case USE_RPC_OUT:
        stream_close_write(s);
        break;
    case USE_NONE:
    case USE_RPC_OLD:
        break;
    }
}

void stream_event(struct peerlet *p, const struct conn_event *ev, struct peerlet_output *out)
{
    switch (ev->type) {
    case CONN_STREAM_PROPOSED:
        propose(p, ev->stream, ev->protocol);
        break;
    case CONN_STREAM_OPENED:
        opened(p, ev->stream);
        break;
    case CONN_STREAM_DATA:
        data(p, ev, out);
        break;
    case CONN_STREAM_ENDED:
        ended(p, ev->stream);
        break;
    case CONN_VERIFY:
    case CONN_OPENED:
    case CONN_PONG:
    case CONN_GOAWAY:
        break;
    }
}

void stream_room_event(struct peerlet *p, struct stream *s)
{
    if (s->use == USE_APP)
        emit(p, &(struct peerlet_output){.type = PEERLET_STREAM_ROOM, .id = s->id});
    else if (s->use == USE_LINK && s->user != NULL)
        conn_mark(p, s->user);
}

/* Tells whoever had a dead stream, and frees it. */
static void bury(struct peerlet *p, struct stream *s)
{
    int code = s->code;
    void *user = s->user;
    s->user = NULL;
    table_remove(&p->streams, s->id);
    switch ((enum use)s->use) {
    case USE_APP:
        emit(p, &(struct peerlet_output){.type = PEERLET_STREAM_CLOSED, .id = s->id, .code = code});
        break;
    case USE_SESSION:
        if (user != NULL) {
            struct session *session = user;
            session->service->ended(p, session, code);
            session_free(p, session);
        }
        break;
    case USE_LINK:
        if (user != NULL) {
            ((struct conn *)user)->via = NULL;
            conn_end(p, user, code, view_of_text("the relay closed the connection"));
        }
        break;
    case USE_RPC_IN:
    case USE_RPC_OUT:
        gossip_stream_down(p, s);
        break;
    case USE_NONE:
    case USE_RPC_OLD:
        break;
    }
}

bool reap_streams(struct peerlet *p, struct conn *c)
{
    bool any = false;
    struct stream *s;
    while ((s = conn_dead_stream(c)) != NULL) {
        bury(p, s);
        conn_forget_stream(c, s);
        any = true;
    }
    return any;
}

/* ---- the application's streams --------------------------------------------------------------- */

int peerlet_stream_open(struct peerlet *p, uint32_t conn, struct view protocols, uint32_t flags,
                        uint32_t *stream, uint64_t now)
{
    p->now = now;
    struct conn *c = find_conn(p, conn);
    if (c == NULL || !conn_is_ready(c))
        return fail(p, ERR_CLOSED, "the connection is closed; dial the peer again");
    if (c->is_limited && !(flags & PEERLET_ON_LIMITED))
        return fail(p, ERR_LIMITED,
                    "this connection is limited to %u s; wait for the direct one or open the "
                    "stream with runOnLimitedConnection",
                    (unsigned)c->limit_s);
    if (protocols.len == 0 || protocols.data[0] != '/')
        return fail(p, ERR_BAD_ARGUMENT, "a protocol id begins with a slash");
    if (p->totals.streams[DIALER] >= p->limits.streams_node)
        return fail(p, ERR_FULL, "%u streams of ours are open, the limit; close some",
                    (unsigned)p->limits.streams_node);
    struct handler *h = handler_of(p, protocols);
    uint32_t most = h ? h->max_outbound : p->limits.streams_protocol_out;
    if (conn_count_streams(c, protocols, DIALER) >= most)
        return fail(p, ERR_TOO_MANY_STREAMS,
                    "%u streams of this protocol are open on the connection; close some",
                    (unsigned)most);
    int rc;
    struct stream *s = conn_open_stream(c, protocols, &rc, now);
    if (s == NULL)
        return fail(p, rc, "%s", err_text(rc));
    if (table_add(&p->streams, s->id, s) != 0) {
        stream_reset(s, ERR_NOMEM);
        return fail(p, ERR_NOMEM, "out of memory");
    }
    s->use = USE_APP;
    *stream = s->id;
    conn_mark(p, c);
    return 0;
}

static struct stream *app_stream(struct peerlet *p, uint32_t id, uint64_t now)
{
    p->now = now;
    struct stream *s = find_stream(p, id);
    if (s == NULL || s->use != USE_APP || s->state == STREAM_DEAD)
        return NULL;
    conn_mark(p, s->conn);
    return s;
}

uint8_t *peerlet_stream_reserve(struct peerlet *p, uint32_t stream, size_t *room, uint64_t now)
{
    struct stream *s = app_stream(p, stream, now);
    if (s != NULL)
        return stream_reserve(s, room);
    *room = 0;
    return NULL;
}

void peerlet_stream_commit(struct peerlet *p, uint32_t stream, size_t len, uint64_t now)
{
    struct stream *s = app_stream(p, stream, now);
    if (s == NULL)
        return;
    stream_commit(s, len);
    s->conn->used_at = now;
}

int peerlet_stream_write(struct peerlet *p, uint32_t stream, struct view bytes, uint64_t now)
{
    struct stream *s = app_stream(p, stream, now);
    if (s == NULL)
        return fail(p, ERR_NOT_FOUND, "the stream is closed");
    if (!stream_is_writable(s))
        return fail(p, ERR_STREAM_STATE, "our half of the stream is closed");
    s->conn->used_at = now;
    return (int)stream_write(s, view_of(bytes.data, MIN(bytes.len, (size_t)1 << 30)));
}

void peerlet_stream_took(struct peerlet *p, uint32_t stream, size_t len, uint64_t now)
{
    struct stream *s = app_stream(p, stream, now);
    if (s != NULL)
        stream_grant(s, len, now);
}

void peerlet_stream_close_write(struct peerlet *p, uint32_t stream, uint64_t now)
{
    struct stream *s = app_stream(p, stream, now);
    if (s != NULL)
        stream_close_write(s);
}

void peerlet_stream_close_read(struct peerlet *p, uint32_t stream, uint64_t now)
{
    struct stream *s = app_stream(p, stream, now);
    if (s != NULL)
        stream_close_read(s);
}

void peerlet_stream_reset(struct peerlet *p, uint32_t stream, uint64_t now)
{
    struct stream *s = app_stream(p, stream, now);
    if (s != NULL)
        stream_reset(s, ERR_ABORTED);
}

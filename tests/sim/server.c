#include "sim/server.h"

#include "crypto/crypto.h"
#include "multiformats/multihash.h"
#include "native_party.h"
#include "net/conn.h"
#include "protocols/identify.h"
#include "sim/cable.h"
#include "sim/node.h"
#include "sim/rtc.h"
#include "transport/transport.h"

#include <assert.h>
#include <stdio.h>

#define ID_PROTOCOL "/ipfs/id/1.0.0"
#define PING_PROTOCOL "/ipfs/ping/1.0.0"

struct server {
    struct host host;
    struct server_terms terms;
    struct rng rng;
    uint64_t chance;
    struct identity identity;
    struct peer_id id;
    char id_text[PEER_ID_TEXT_MAX];
    char addresses[2][SERVER_ADDRESS_MAX]; /* WebTransport, WebRTC Direct */
    uint8_t certificate[SERVER_CERTIFICATE_LEN];
    uint8_t certhash[2 + SERVER_CERTIFICATE_LEN];
    struct list visitors;
    uint32_t last_stream;
    struct conn_totals totals;
    uint64_t streams, heard;
};

/* A node's link, and the streams on it. */
struct visitor {
    struct list in_server;
    struct server *server;
    uint32_t link;
    struct host *from;
    uint32_t far_link;
    struct native_party party;
    struct buf said; /* of Noise, before there was a channel for it */
    uint32_t first;  /* number of the end that Noise runs on */
    struct conn *conn;
    bool is_called;
};

/* What a stream has to send back. */
struct talk {
    struct visitor *visitor;
    struct stream *stream;
    struct buf out;
    bool is_ours, close_after;
};

static void must(int rc)
{
    assert(rc >= 0);
    (void)rc;
}

static struct server *server_of(const struct host *h)
{
    return (struct server *)(uintptr_t)h;
}

static struct mem *mem_of(const struct server *r)
{
    return &r->host.sim->mem;
}

static struct visitor *visitor_at(const struct server *r, uint32_t link)
{
    LIST_EACH(node, &r->visitors) {
        struct visitor *v = LIST_OWNER(node, struct visitor, in_server);
        if (v->link == link)
            return v;
    }
    return NULL;
}

/* ---- talks ------------------------------------------------------------------------------------- */

static struct talk *talk_new(struct visitor *v, struct stream *s)
{
    struct talk *t = sim_alloc(v->server->host.sim, sizeof *t);
    t->visitor = v;
    t->stream = s;
    buf_init(&t->out, mem_of(v->server), 8u << 20);
    s->user = t;
    return t;
}

static void talk_free(struct talk *t)
{
    buf_free(&t->out);
    mem_free(mem_of(t->visitor->server), t);
}

/* What has left makes room for as much more. */
static void flush(struct talk *t)
{
    if (!stream_is_open(t->stream))
        return;
    size_t len = stream_write(t->stream, buf_view(&t->out));
    buf_take(&t->out, len);
    if (!t->is_ours)
        stream_grant(t->stream, len, t->visitor->server->host.sim->now);
    if (t->out.len == 0 && t->close_after)
        stream_close_write(t->stream);
}

static void heard(struct talk *t, struct span data)
{
    struct server *r = t->visitor->server;
    if (t->is_ours) {
        r->heard += data.len;
        stream_grant(t->stream, data.len, r->host.sim->now);
        return;
    }
    must(buf_append(&t->out, view_of_span(data)));
    if (r->terms.resets)
        stream_reset(t->stream, ERR_RESET);
    else
        flush(t);
}

static void tell_identity(struct talk *t)
{
    const struct server *r = t->visitor->server;
    struct view names[] = {view_of_text(ID_PROTOCOL), view_of_text(PING_PROTOCOL),
                           view_of_text(NODE_ECHO)};
    uint8_t key[IDENTITY_PUBLIC_LEN];
    identity_public(&r->identity, key);
    struct identify_local local = {
        .public_key = view_of(key, sizeof key),
        .protocols = {.at = names, .count = ARRAY_LEN(names)},
        .agent_version = view_of_text("simulated-server"),
        .protocol_version = view_of_text("ipfs/0.1.0"),
    };
    struct identify i;
    must(identify_send_init(&i, IDENTIFY, mem_of(r), &PEERLET_LIMITS, &local, r->host.sim->now));
    must(IDENTIFY_OPS.drain(&i, &t->out));
    IDENTIFY_OPS.free(&i);
    t->close_after = true;
    flush(t);
}

static void proposed(struct visitor *v, struct stream *s, struct view protocol)
{
    bool is_id = view_equals_text(protocol, ID_PROTOCOL);
    if (!is_id && !view_equals_text(protocol, PING_PROTOCOL) &&
        !view_equals_text(protocol, NODE_ECHO)) {
        stream_refuse(s);
        return;
    }
    v->server->streams++;
    must(stream_accept(s, protocol));
    struct talk *t = talk_new(v, s);
    if (is_id && v->server->terms.untold > 0) {
        v->server->terms.untold--;
        stream_reset(s, ERR_RESET);
    } else if (is_id)
        tell_identity(t);
}

static void call(struct visitor *v, size_t len)
{
    int error;
    struct stream *s =
        conn_open_stream(v->conn, view_of_text(NODE_ECHO), &error, v->server->host.sim->now);
    assert(s != NULL);
    struct talk *t = talk_new(v, s);
    uint8_t *bytes = sim_alloc(v->server->host.sim, len);
    must(buf_append(&t->out, view_of(bytes, len)));
    mem_free(mem_of(v->server), bytes);
    t->is_ours = t->close_after = true;
}

/* ---- visitors ---------------------------------------------------------------------------------- */

static struct visitor *visitor_new(struct server *r, enum link_kind kind, uint32_t link,
                                   struct host *from)
{
    struct visitor *v = sim_alloc(r->host.sim, sizeof *v);
    v->server = r;
    v->link = link;
    v->from = from;
    struct view certhash = view_of(r->certhash, r->terms.hides_certhash ? 0 : sizeof r->certhash);
    buf_init(&v->said, mem_of(r), 4096);
    native_party_init(&v->party, kind, &r->identity, certhash, mem_of(r));
    v->conn = conn_new(&(struct conn_config){.id = link,
                                             .role = LISTENER,
                                             .kind = kind,
                                             .mem = mem_of(r),
                                             .rng = &r->rng,
                                             .limits = &PEERLET_LIMITS,
                                             .identity = &r->identity,
                                             .last_stream = &r->last_stream,
                                             .totals = &r->totals},
                       r->host.sim->now);
    assert(v->conn != NULL);
    list_add(&r->visitors, &v->in_server);
    return v;
}

static void visitor_free(struct visitor *v)
{
    LIST_EACH(node, &v->conn->streams) {
        struct stream *s = LIST_OWNER(node, struct stream, in_conn);
        if (s->user != NULL)
            talk_free(s->user);
    }
    list_remove(&v->in_server);
    native_party_free(&v->party);
    buf_free(&v->said);
    conn_free(v->conn);
    mem_free(mem_of(v->server), v);
}

static void hang_up(struct visitor *v)
{
    struct host *h = &v->server->host;
    uint32_t link = v->link;
    visitor_free(v);
    cable_close_link(h, link);
}

static void reap(struct visitor *v)
{
    struct stream *s;
    while ((s = conn_dead_stream(v->conn)) != NULL) {
        if (s->user != NULL)
            talk_free(s->user);
        s->user = NULL;
        conn_forget_stream(v->conn, s);
    }
}

static void open_channel(struct visitor *v, uint32_t channel)
{
    enum cable_kind kind = v->party.kind == LINK_SESSION ? CABLE_STREAM : CABLE_CHANNEL;
    struct end *e = cable_dial(&v->server->host, v->from, kind, v->link, channel, (struct view){0});
    end_far(e)->link = v->far_link;
}

static void perform(struct visitor *v, const struct conn_output *out)
{
    struct end *e = host_end(&v->server->host, v->link, out->channel);
    switch (out->type) {
    case CONN_SEND:
        if (e != NULL)
            end_send(e, out->data);
        conn_sent(v->conn);
        break;
    case CONN_OPEN_CHANNEL:
        open_channel(v, out->channel);
        break;
    case CONN_CLOSE_CHANNEL:
        if (e != NULL && (out->value == PEERLET_CLOSE || out->value == PEERLET_RESET))
            end_close(e);
        else if (e != NULL)
            end_half(e, out->value);
        break;
    case CONN_PAUSE_CHANNEL:
        if (e != NULL)
            end_pause(e, out->value == 1);
        break;
    case CONN_ROOM:
        if (out->stream->user != NULL)
            flush(out->stream->user);
        break;
    case CONN_FLUSHED:
        break;
    }
}

static void pump(struct visitor *v)
{
    struct conn_output out;
    int rc;
    do {
        reap(v);
        rc = conn_drain(v->conn, &out, v->server->host.sim->now);
        if (rc == 1)
            perform(v, &out);
    } while (rc == 1);
    if (rc < 0)
        hang_up(v);
}

static void on_event(struct visitor *v, const struct conn_event *ev)
{
    struct talk *t = ev->stream != NULL ? ev->stream->user : NULL;
    if (ev->type == CONN_STREAM_PROPOSED)
        proposed(v, ev->stream, ev->protocol);
    else if (ev->type == CONN_STREAM_OPENED)
        flush(t);
    else if (ev->type == CONN_STREAM_DATA)
        heard(t, ev->data);
    else if (ev->type == CONN_STREAM_ENDED) {
        t->close_after = true;
        flush(t);
    }
}

/* ---- Noise ------------------------------------------------------------------------------------- */

/* Bytes of the handshake; what is said too early goes ahead of the last of them. */
static void shake_hands(struct visitor *v, struct end *first, struct span bytes)
{
    struct buf out;
    buf_init(&out, mem_of(v->server), 4096);
    int rc = native_party_feed(&v->party, bytes, &out);
    if (rc == 1) {
        conn_ready_native(v->conn, v->server->host.sim->now);
        if (v->server->terms.speaks_early) {
            call(v, 10000);
            pump(v);
        }
    }
    if (out.len > 0)
        end_send(first, buf_view(&out));
    buf_free(&out);
    if (rc < 0)
        hang_up(v);
}

static void first_channel(struct visitor *v, struct end *e)
{
    v->first = e->id;
    if (v->said.len > 0 && !v->server->terms.is_mute)
        end_send(e, buf_view(&v->said));
    buf_free(&v->said);
}

/* ---- what the world does to it ----------------------------------------------------------------- */

static void on_accept(struct host *h, struct end *e, struct view label)
{
    struct server *r = server_of(h);
    if (e->kind == CABLE_SESSION) {
        e->link = e->id;
        struct visitor *v = visitor_new(r, LINK_SESSION, e->link, e->far);
        v->far_link = end_far(e)->link;
        native_party_begin(&v->party, (struct view){0}, &r->rng, &v->said);
        return;
    }
    (void)end_room(e);
    struct visitor *v = visitor_at(r, e->link);
    if (v == NULL) {
        end_close(e);
        return;
    }
    if (v->first == 0) {
        assert(v->party.kind == LINK_SESSION || view_equals_text(label, SERVER_FIRST));
        e->channel = ++r->last_stream;
        first_channel(v, e);
        return;
    }
    e->channel = ++r->last_stream;
    if (conn_channel_incoming(v->conn, e->channel, end_room(e), h->sim->now) != 0)
        end_close(e);
    pump(v);
}

static void on_opened(struct host *h, struct end *e)
{
    struct visitor *v = visitor_at(server_of(h), e->link);
    if (v != NULL && conn_channel_opened(v->conn, e->channel, end_room(e)))
        pump(v);
}

static void feed(struct visitor *v, uint32_t channel, struct span bytes)
{
    struct conn_event ev;
    int rc = conn_feed_channel(v->conn, channel) ? 1 : 0;
    while (rc > 0 && (rc = conn_feed(v->conn, &bytes, &ev, v->server->host.sim->now)) > 0)
        on_event(v, &ev);
    if (rc < 0)
        hang_up(v);
    else
        pump(v);
}

static void on_bytes(struct host *h, struct end *e, struct span bytes)
{
    struct visitor *v = visitor_at(server_of(h), e->link);
    if (v == NULL || server_of(h)->terms.is_mute)
        return;
    if (e->id == v->first)
        shake_hands(v, e, bytes);
    else
        feed(v, e->channel, bytes);
}

static void on_ended(struct host *h, struct end *e, uint32_t end)
{
    struct visitor *v = visitor_at(server_of(h), e->link);
    if (v != NULL && conn_channel_ended(v->conn, e->channel, (enum peerlet_channel_end)end))
        feed(v, e->channel, (struct span){0});
}

static void on_room(struct host *h, struct end *e, size_t room)
{
    struct visitor *v = visitor_at(server_of(h), e->link);
    if (v == NULL)
        return;
    conn_room(v->conn, e->channel, room, h->sim->now);
    pump(v);
}

/* With the session, or the channel that WebRTC Direct leaves open, goes everything. */
static void on_closed(struct host *h, struct end *e, struct view why)
{
    struct visitor *v = visitor_at(server_of(h), e->link);
    (void)why;
    if (v == NULL)
        return;
    bool is_last = v->party.kind == LINK_SESSION ? e->kind == CABLE_SESSION : e->id == v->first;
    if (is_last) {
        hang_up(v);
        return;
    }
    conn_channel_closed(v->conn, e->channel);
    pump(v);
}

static void forget_visitors(struct server *r)
{
    while (!list_is_empty(&r->visitors))
        visitor_free(LIST_OWNER(r->visitors.next, struct visitor, in_server));
}

static void on_free(struct host *h)
{
    forget_visitors(server_of(h));
    mem_free(&h->sim->mem, h);
}

static const struct host_ops SERVER_OPS = {
    .accept = on_accept,
    .opened = on_opened,
    .bytes = on_bytes,
    .room = on_room,
    .ended = on_ended,
    .closed = on_closed,
    .free = on_free,
};

/* ---- for the other parts ------------------------------------------------------------------------ */

bool host_is_server(const struct host *h)
{
    return h->ops == &SERVER_OPS;
}

bool server_has_certificate(const struct host *h, struct view hashes)
{
    for (size_t at = 0; host_is_server(h) && at + SERVER_CERTIFICATE_LEN <= hashes.len;
         at += SERVER_CERTIFICATE_LEN)
        if (memcmp(hashes.data + at, server_of(h)->certificate, SERVER_CERTIFICATE_LEN) == 0)
            return true;
    return false;
}

void server_answers(const struct host *h, uint8_t fingerprint[SERVER_CERTIFICATE_LEN])
{
    memcpy(fingerprint, server_of(h)->certificate, SERVER_CERTIFICATE_LEN);
}

uint32_t server_visit(struct host *h, struct host *from, uint32_t link,
                      const uint8_t fingerprint[SERVER_CERTIFICATE_LEN])
{
    struct server *r = server_of(h);
    uint8_t address[SERVER_ADDRESS_MAX], prologue[128];
    struct writer a = writer_of(address, sizeof address), p = writer_of(prologue, sizeof prologue);
    must(multiaddr_parse_text(view_of_text(r->addresses[1]), &a, NULL));
    must(webrtc_direct_prologue(writer_view(&a), fingerprint, &p));
    struct visitor *v = visitor_new(r, LINK_DIRECT, ++h->sim->last_end, from);
    v->far_link = link;
    native_party_begin(&v->party, writer_view(&p), &r->rng, &v->said);
    return v->link;
}

/* ---- life -------------------------------------------------------------------------------------- */

static void make_addresses(struct server *r)
{
    static const char *const FORMS[] = {"/quic-v1/webtransport", "/webrtc-direct"};
    char ip[HOST_IP_MAX], hash[128];
    uint8_t part[64];
    struct writer w = writer_of(part, sizeof part), text = writer_of((uint8_t *)hash, sizeof hash);
    struct writer certhash = writer_of(r->certhash, sizeof r->certhash);
    multihash_put(&certhash, MULTIHASH_SHA2_256, view_of(r->certificate, sizeof r->certificate));
    put_uvarint(&w, MULTIADDR_CERTHASH);
    put_delimited(&w, writer_view(&certhash));
    must(multiaddr_format(writer_view(&w), &text));
    host_ip(&r->host, ip);
    for (size_t i = 0; i < 2; i++)
        snprintf(r->addresses[i], sizeof r->addresses[i], "/ip4/%s/udp/%d%s%.*s/p2p/%s", ip,
                 SERVER_PORT, FORMS[i], (int)text.len, hash, r->id_text);
}

struct server *sim_server(struct sim *s)
{
    struct server *r = sim_alloc(s, sizeof *r);
    host_init(&r->host, s, &SERVER_OPS);
    r->host.path.latency_ms = 5;
    r->chance = sim_seed(s);
    r->rng = sim_rng(&r->chance);
    list_init(&r->visitors);
    crypto_init();
    identity_generate(&r->rng, &r->identity);
    rng_fill(&r->rng, r->certificate, sizeof r->certificate);
    r->id = peer_id_of_identity(&r->identity);
    peer_id_format(&r->id, r->id_text);
    make_addresses(r);
    return r;
}

struct host *server_host(struct server *r)
{
    return &r->host;
}

struct server_terms *server_terms(struct server *r)
{
    return &r->terms;
}

const char *server_address(const struct server *r, enum link_kind kind)
{
    return r->addresses[kind == LINK_DIRECT];
}

const char *server_id(const struct server *r)
{
    return r->id_text;
}

uint32_t server_visitors(const struct server *r)
{
    uint32_t count = 0;
    LIST_EACH(node, &r->visitors)
        count += conn_is_ready(LIST_OWNER(node, struct visitor, in_server)->conn);
    return count;
}

uint64_t server_streams(const struct server *r)
{
    return r->streams;
}

size_t server_holds(const struct server *r)
{
    size_t len = 0;
    LIST_EACH(node, &r->visitors) {
        const struct conn *c = LIST_OWNER(node, struct visitor, in_server)->conn;
        LIST_EACH(each, &c->streams) {
            const struct talk *t = LIST_OWNER(each, struct stream, in_conn)->user;
            len += t != NULL ? t->out.len : 0;
        }
    }
    return len;
}

void server_call(struct server *r, size_t len)
{
    LIST_EACH(node, &r->visitors) {
        struct visitor *v = LIST_OWNER(node, struct visitor, in_server);
        if (!conn_is_ready(v->conn))
            continue;
        call(v, len);
        pump(v);
    }
}

uint64_t server_heard(const struct server *r)
{
    return r->heard;
}

void server_kill(struct server *r)
{
    r->host.is_down = true;
    forget_visitors(r);
    cable_close_all(&r->host);
    rtc_close_all(&r->host);
}

#include "sim/relay.h"

#include "circuit.pb.h"
#include "crypto/crypto.h"
#include "multiformats/envelope.h"
#include "multiformats/multiaddr.h"
#include "net/conn.h"
#include "protocols/circuit.h"
#include "protocols/identify.h"
#include "pubsub/gossipsub.h"
#include "sim/cable.h"

#include <assert.h>
#include <stdio.h>

#define ID_PROTOCOL "/ipfs/id/1.0.0"
#define PUSH_PROTOCOL "/ipfs/id/push/1.0.0"
#define PING_PROTOCOL "/ipfs/ping/1.0.0"
#define HOP_PROTOCOL "/libp2p/circuit/relay/0.2.0/hop"
#define STOP_PROTOCOL "/libp2p/circuit/relay/0.2.0/stop"

#define RPC_PROTOCOL "/meshsub/1.2.0"
#define DISCOVERY_TOPIC "_peer-discovery._p2p._pubsub"

/* What waits in a stream of pubsub before the router keeps the rest. */
#define RPC_AHEAD (64u << 10)

/* How often a server looks after its visitors. */
#define ROUND_MS 250

enum { REQUEST_RESERVE = 0, REQUEST_CONNECT = 1, REQUEST_STATUS = 2 };

const struct relay_terms RELAY_TERMS = {
    .reservation_s = 7200,
    .reservations = 15,
    .limit_s = 120,
    .limit_bytes = 131072,
    .silence_ms = 30000,
};

struct relay {
    struct host host;
    struct relay_terms terms;
    struct rng rng;
    uint64_t chance;
    struct identity identity;
    struct peer_id id;
    char id_text[PEER_ID_TEXT_MAX];
    char address[RELAY_ADDRESS_MAX];
    uint8_t address_bytes[RELAY_ADDRESS_MAX];
    size_t address_len;
    struct list visitors;
    struct list dirty; /* visitors with something to drain */
    uint32_t last_stream;
    struct conn_totals totals;
    uint32_t circuits;
    uint64_t asked_reserve, asked_connect, dialled;
    struct gossipsub gossip;
};

/* A connection of somebody to the relay. */
struct visitor {
    struct list in_relay;
    struct list in_dirty;
    struct relay *relay;
    struct end *end;
    uint32_t handle; /* its number, by which the router knows the visitor */
    struct conn *conn;
    struct peer_id id; /* len 0 before noise is done */
    uint64_t reserved_until;
    uint64_t asked_at; /* for a sign of life; 0: not */
    bool speaks_pubsub;
    struct talk *rpc; /* our stream of pubsub to it */
};

enum talk_kind {
    TALK_ANSWER, /* what it says is in `out` already; what comes is dropped */
    TALK_PING,
    TALK_HOP,     /* the request has not come yet */
    TALK_WAITING, /* a CONNECT whose target is being asked by the twin */
    TALK_STOP,    /* asks a target for the twin */
    TALK_SPLICED, /* what comes goes to the twin */
    TALK_RPC_IN,  /* pubsub: the visitor speaks */
    TALK_RPC_OUT, /* and we do */
};

/* What a stream is about. */
struct talk {
    enum talk_kind kind;
    struct visitor *visitor;
    struct stream *stream;
    struct talk *twin;
    struct buf in;    /* of a message that is not whole yet */
    struct buf out;   /* what the stream did not take yet */
    bool close_after; /* close our half once `out` is empty */
    uint64_t ends_at; /* of a circuit, at its dialling side */
    uint64_t bytes_left;
};

static struct relay *relay_of_host(struct host *h)
{
    return (struct relay *)(void *)h;
}

static struct mem *mem_of(const struct relay *r)
{
    return &r->host.sim->mem;
}

static uint64_t unix_s(const struct relay *r)
{
    return (r->host.sim->epoch_ms + r->host.sim->now) / 1000;
}

static void mark(struct visitor *v)
{
    if (!list_is_linked(&v->in_dirty))
        list_add(&v->relay->dirty, &v->in_dirty);
}

/* ---- talks ------------------------------------------------------------------------------------- */

static void must(int rc)
{
    assert(rc >= 0);
    (void)rc;
}

static struct talk *talk_new(struct visitor *v, struct stream *s, enum talk_kind kind)
{
    struct talk *t = sim_alloc(v->relay->host.sim, sizeof *t);
    t->kind = kind;
    t->visitor = v;
    t->stream = s;
    buf_init(&t->in, mem_of(v->relay), 1u << 20);
    buf_init(&t->out, mem_of(v->relay), 4u << 20);
    s->user = t;
    return t;
}

/* Writes what fits; of a circuit the sender may then send as much more. */
static void flush(struct talk *t)
{
    if (!stream_is_open(t->stream))
        return;
    size_t len = stream_write(t->stream, buf_view(&t->out));
    buf_take(&t->out, len);
    buf_trim(&t->out);
    if (t->kind == TALK_SPLICED && t->twin != NULL) {
        stream_grant(t->twin->stream, len, t->visitor->relay->host.sim->now);
        mark(t->twin->visitor);
    }
    if (t->out.len == 0 && t->close_after)
        stream_close_write(t->stream);
    mark(t->visitor);
}

static void answer(struct talk *t, const pb_msgdesc_t *fields, const void *message)
{
    must(protobuf_append_delimited(&t->out, fields, message));
    flush(t);
}

static void reset(struct talk *t)
{
    stream_reset(t->stream, ERR_RESET);
    mark(t->visitor);
}

static void answer_status(struct talk *t, uint32_t status)
{
    t->kind = TALK_ANSWER;
    t->close_after = true;
    answer(t, peerlet_circuit_Hop_fields,
           &(peerlet_circuit_Hop){
               .has_type = true, .type = REQUEST_STATUS, .has_status = true, .status = status});
}

/* The stream is gone; so is the other half of its circuit. */
static void talk_free(struct talk *t)
{
    struct talk *twin = t->twin;
    if (twin != NULL) {
        twin->twin = NULL;
        if (twin->kind == TALK_WAITING)
            answer_status(twin, CIRCUIT_STATUS_CONNECTION_FAILED);
        else
            reset(twin);
        if (t->kind == TALK_SPLICED)
            t->visitor->relay->circuits--;
    }
    if (t->visitor->rpc == t) {
        t->visitor->rpc = NULL;
        gossipsub_silence(&t->visitor->relay->gossip, t->visitor->handle,
                          t->visitor->relay->host.sim->now);
    }
    buf_free(&t->in);
    buf_free(&t->out);
    mem_free(mem_of(t->visitor->relay), t);
}

/* ---- reservations and circuits --------------------------------------------------------------- */

static bool is_reserved(const struct visitor *v)
{
    return v->reserved_until > unix_s(v->relay);
}

static void seal_voucher(const struct relay *r, const struct visitor *v, struct buf *out)
{
    static const uint8_t TYPE[] = {0x03, 0x02};
    uint8_t bytes[256];
    struct view relay = peer_id_view(&r->id), peer = peer_id_view(&v->id);
    struct writer w = writer_of(bytes, sizeof bytes);
    protobuf_put(&w, peerlet_circuit_Voucher_fields,
                 &(peerlet_circuit_Voucher){.relay = lend_view(&relay),
                                            .peer = lend_view(&peer),
                                            .has_expiration = true,
                                            .expiration = v->reserved_until});
    struct identity signer = r->identity;
    if (r->terms.is_forging)
        identity_generate(&r->rng, &signer);
    must(envelope_seal(&signer, "libp2p-relay-rsvp", view_of(TYPE, sizeof TYPE), writer_view(&w),
                       out));
}

static bool has_limit(const struct relay *r)
{
    return r->terms.limit_s > 0 || r->terms.limit_bytes > 0;
}

static peerlet_circuit_Limit limit_of(const struct relay *r)
{
    return (peerlet_circuit_Limit){.has_duration = true,
                                   .duration = r->terms.limit_s,
                                   .has_data = true,
                                   .data = r->terms.limit_bytes};
}

static void reserve(struct talk *t)
{
    struct visitor *v = t->visitor;
    struct relay *r = v->relay;
    r->asked_reserve++;
    if (r->terms.refuse_reserve != 0) {
        answer_status(t, r->terms.refuse_reserve);
        return;
    }
    if (!is_reserved(v) && relay_reservations(r) >= r->terms.reservations) {
        answer_status(t, CIRCUIT_STATUS_RESOURCE_LIMIT_EXCEEDED);
        return;
    }
    v->reserved_until = unix_s(r) + r->terms.reservation_s;
    struct buf voucher;
    buf_init(&voucher, mem_of(r), 1024);
    seal_voucher(r, v, &voucher);
    struct view sealed = buf_view(&voucher);
    struct view addr = view_of(r->address_bytes, r->address_len);
    t->kind = TALK_ANSWER;
    t->close_after = true;
    answer(t, peerlet_circuit_Hop_fields,
           &(peerlet_circuit_Hop){.has_type = true,
                                  .type = REQUEST_STATUS,
                                  .has_status = true,
                                  .status = CIRCUIT_STATUS_OK,
                                  .has_reservation = true,
                                  .reservation = {.has_expire = true,
                                                  .expire = v->reserved_until,
                                                  .addrs = lend_view(&addr),
                                                  .voucher = lend_view(&sealed)},
                                  .has_limit = has_limit(r),
                                  .limit = limit_of(r)});
    buf_free(&voucher);
}

static struct visitor *find_reserved(const struct relay *r, struct view id)
{
    LIST_EACH(node, &r->visitors) {
        struct visitor *v = LIST_OWNER(node, struct visitor, in_relay);
        if (view_equal(peer_id_view(&v->id), id) && is_reserved(v))
            return v;
    }
    return NULL;
}

static void connect(struct talk *t, struct view target)
{
    struct relay *r = t->visitor->relay;
    r->asked_connect++;
    if (r->terms.refuse_connect != 0) {
        answer_status(t, r->terms.refuse_connect);
        return;
    }
    struct visitor *v = find_reserved(r, target);
    if (v == NULL) {
        answer_status(t, CIRCUIT_STATUS_NO_RESERVATION);
        return;
    }
    int error;
    struct stream *s =
        conn_open_stream(v->conn, view_of_text(STOP_PROTOCOL), &error, r->host.sim->now);
    if (s == NULL) {
        answer_status(t, CIRCUIT_STATUS_CONNECTION_FAILED);
        return;
    }
    t->kind = TALK_WAITING;
    t->twin = talk_new(v, s, TALK_STOP);
    t->twin->twin = t;
    mark(v);
}

/* The target has agreed to speak; it is asked. */
static void ask_target(struct talk *t)
{
    const struct relay *r = t->visitor->relay;
    if (t->twin == NULL)
        return;
    struct view source = peer_id_view(&t->twin->visitor->id);
    answer(t, peerlet_circuit_Stop_fields,
           &(peerlet_circuit_Stop){.has_type = true,
                                   .type = 0,
                                   .has_peer = true,
                                   .peer.id = lend_view(&source),
                                   .has_limit = has_limit(r),
                                   .limit = limit_of(r)});
}

static void splice(struct talk *stop)
{
    struct talk *hop = stop->twin;
    struct relay *r = hop->visitor->relay;
    uint64_t now = r->host.sim->now;
    answer(hop, peerlet_circuit_Hop_fields,
           &(peerlet_circuit_Hop){.has_type = true,
                                  .type = REQUEST_STATUS,
                                  .has_status = true,
                                  .status = CIRCUIT_STATUS_OK,
                                  .has_limit = has_limit(r),
                                  .limit = limit_of(r)});
    hop->kind = stop->kind = TALK_SPLICED;
    hop->ends_at = r->terms.limit_s > 0 ? after(now, UINT64_C(1000) * r->terms.limit_s) : NEVER;
    hop->bytes_left = stop->bytes_left =
        r->terms.limit_bytes > 0 ? r->terms.limit_bytes : UINT64_MAX;
    r->circuits++;
}

/* The budget is of both directions together and is kept in both talks. */
static void forward(struct talk *t, struct view bytes)
{
    struct talk *twin = t->twin;
    if (twin == NULL || bytes.len == 0)
        return;
    if (bytes.len > t->bytes_left) {
        reset(t);
        return;
    }
    if (t->bytes_left != UINT64_MAX)
        t->bytes_left = twin->bytes_left = t->bytes_left - bytes.len;
    must(buf_append(&twin->out, bytes));
    flush(twin);
}

/* ---- messages -------------------------------------------------------------------------------- */

/* The first whole message in `in`, without its length; null data while there is none. */
static struct view whole_message(const struct talk *t, size_t *total)
{
    uint64_t len;
    int n = uvarint_peek(buf_view(&t->in), &len);
    if (n <= 0 || len > t->in.len - (size_t)n)
        return (struct view){0};
    *total = (size_t)n + (size_t)len;
    return view_of(t->in.data + t->in.head + n, (size_t)len);
}

static void hop_asked(struct talk *t, struct view message)
{
    struct view target = {0};
    peerlet_circuit_Hop hop = {.peer.id = borrow_view(&target)};
    if (t->visitor->relay->terms.is_mute)
        return;
    if (protobuf_decode(message, 4096, peerlet_circuit_Hop_fields, &hop) != 0 || !hop.has_type)
        answer_status(t, CIRCUIT_STATUS_MALFORMED_MESSAGE);
    else if (hop.type == REQUEST_RESERVE)
        reserve(t);
    else if (hop.type == REQUEST_CONNECT)
        connect(t, target);
    else
        answer_status(t, CIRCUIT_STATUS_UNEXPECTED_MESSAGE);
}

static void stop_answered(struct talk *t, struct view message)
{
    peerlet_circuit_Stop stop = {0};
    int rc = protobuf_decode(message, 4096, peerlet_circuit_Stop_fields, &stop);
    if (rc == 0 && stop.status == CIRCUIT_STATUS_OK && t->twin != NULL)
        splice(t);
    else
        reset(t);
}

/* A request or answer, and behind it perhaps the first bytes of a circuit. */
static void gather(struct talk *t, struct view bytes)
{
    size_t total = 0;
    must(buf_append(&t->in, bytes));
    struct view message = whole_message(t, &total);
    if (message.data == NULL)
        return;
    if (t->kind == TALK_HOP)
        hop_asked(t, message);
    else
        stop_answered(t, message);
    buf_take(&t->in, total);
    if (t->kind == TALK_SPLICED && t->stream->state == STREAM_OPEN) {
        forward(t, buf_view(&t->in));
        buf_take(&t->in, t->in.len);
    }
}

/* ---- pubsub ---------------------------------------------------------------------------------- */

/* Opens our stream of pubsub to a visitor that has opened one to us; again when it was lost. */
static void greet(struct visitor *v)
{
    int error;
    if (!v->speaks_pubsub || v->rpc != NULL)
        return;
    struct stream *s =
        conn_open_stream(v->conn, view_of_text(RPC_PROTOCOL), &error, v->relay->host.sim->now);
    if (s != NULL)
        v->rpc = talk_new(v, s, TALK_RPC_OUT);
}

static void join(struct visitor *v)
{
    must(gossipsub_add_peer(&v->relay->gossip, v->handle, &v->id, GOSSIPSUB_1_2, LISTENER,
                            view_of(NULL, 0)));
    gossipsub_hear(&v->relay->gossip, v->handle);
    v->speaks_pubsub = true;
    greet(v);
}

static void take_rpc(struct talk *t, struct span bytes, uint64_t now)
{
    struct gossipsub_event ev;
    struct visitor *v = t->visitor;
    int rc;
    while ((rc = gossipsub_feed(&v->relay->gossip, v->handle, &bytes, &ev, now)) > 0)
        ;
    if (rc < 0)
        reset(t);
}

static void give_rpcs(struct relay *r)
{
    uint32_t at = 0, handle;
    while ((handle = gossipsub_owing(&r->gossip, &at)) != 0) {
        struct end *e = table_find(&r->host.sim->ends, handle);
        struct visitor *v = e != NULL ? e->user : NULL;
        if (v == NULL || v->rpc == NULL || v->rpc->out.len >= RPC_AHEAD)
            continue;
        must(gossipsub_drain(&r->gossip, handle, &v->rpc->out));
        flush(v->rpc);
    }
}

/* ---- what visitors say ------------------------------------------------------------------------- */

static void heard(struct talk *t, struct span data, uint64_t now)
{
    struct view bytes = view_of_span(data);
    switch (t->kind) {
    case TALK_ANSWER:
        break;
    case TALK_PING:
        must(buf_append(&t->out, bytes));
        flush(t);
        break;
    case TALK_HOP:
    case TALK_STOP:
        gather(t, bytes);
        break;
    case TALK_WAITING:
        must(buf_append(&t->in, bytes));
        break;
    case TALK_SPLICED:
        forward(t, bytes);
        return;
    case TALK_RPC_IN:
        take_rpc(t, data, now);
        break;
    case TALK_RPC_OUT: /* nobody may write there */
        reset(t);
        return;
    }
    stream_grant(t->stream, bytes.len, now);
}

static void ended(struct talk *t)
{
    struct talk *closing = t->kind == TALK_SPLICED ? t->twin : t;
    if (closing == NULL || t->kind == TALK_WAITING || t->kind == TALK_RPC_IN)
        return;
    closing->close_after = true;
    flush(closing);
}

static void tell_identity(struct talk *t)
{
    static const char *const NAMES[] = {ID_PROTOCOL, PUSH_PROTOCOL, PING_PROTOCOL, RPC_PROTOCOL,
                                        HOP_PROTOCOL};
    const struct relay *r = t->visitor->relay;
    struct view names[ARRAY_LEN(NAMES)];
    size_t count = ARRAY_LEN(NAMES) - (r->terms.is_without_hop ? 1 : 0);
    for (size_t i = 0; i < count; i++)
        names[i] = view_of_text(NAMES[i]);
    uint8_t key[IDENTITY_PUBLIC_LEN];
    identity_public(&r->identity, key);
    struct view address = multiaddr_without_peer(view_of(r->address_bytes, r->address_len));
    struct identify_local local = {
        .public_key = view_of(key, sizeof key),
        .addresses = {.at = &address, .count = 1},
        .protocols = {.at = names, .count = count},
        .agent_version = view_of_text("simulated-relay"),
        .protocol_version = view_of_text("ipfs/0.1.0"),
    };
    struct identify i;
    must(identify_send_init(&i, IDENTIFY, mem_of(r), &PEERLET_LIMITS, &local, r->host.sim->now));
    must(IDENTIFY_OPS.drain(&i, &t->out));
    IDENTIFY_OPS.free(&i);
    t->close_after = true;
    flush(t);
}

static bool kind_of(const struct relay *r, struct view protocol, enum talk_kind *kind)
{
    static const struct {
        const char *name;
        enum talk_kind kind;
    } KNOWN[] = {
        {ID_PROTOCOL, TALK_ANSWER}, {PUSH_PROTOCOL, TALK_ANSWER}, {PING_PROTOCOL, TALK_PING},
        {HOP_PROTOCOL, TALK_HOP},   {RPC_PROTOCOL, TALK_RPC_IN},
    };
    for (size_t i = 0; i < ARRAY_LEN(KNOWN); i++)
        if (view_equals_text(protocol, KNOWN[i].name)) {
            *kind = KNOWN[i].kind;
            return *kind != TALK_HOP || !r->terms.is_without_hop;
        }
    return false;
}

static void proposed(struct visitor *v, struct stream *s, struct view protocol)
{
    enum talk_kind kind;
    if (!kind_of(v->relay, protocol, &kind)) {
        stream_refuse(s);
        return;
    }
    must(stream_accept(s, protocol));
    struct talk *t = talk_new(v, s, kind);
    if (view_equals_text(protocol, ID_PROTOCOL))
        tell_identity(t);
    if (kind == TALK_RPC_IN)
        join(v);
}

/* ---- visitors -------------------------------------------------------------------------------- */

static void visitor_free(struct visitor *v)
{
    LIST_EACH(node, &v->conn->streams) {
        struct stream *s = LIST_OWNER(node, struct stream, in_conn);
        if (s->user != NULL)
            talk_free(s->user);
        s->user = NULL;
    }
    gossipsub_remove_peer(&v->relay->gossip, v->handle, v->relay->host.sim->now);
    list_remove(&v->in_relay);
    list_remove(&v->in_dirty);
    conn_free(v->conn);
    mem_free(mem_of(v->relay), v);
}

static void visitor_end(struct visitor *v)
{
    struct end *e = v->end;
    visitor_free(v);
    end_close(e);
}

static void reap(struct visitor *v)
{
    struct stream *s;
    while ((s = conn_dead_stream(v->conn)) != NULL) {
        if (s->user != NULL)
            talk_free(s->user);
        conn_forget_stream(v->conn, s);
    }
}

static void opened(struct talk *t)
{
    struct relay *r = t->visitor->relay;
    if (t->kind == TALK_STOP)
        ask_target(t);
    if (t->kind == TALK_RPC_OUT)
        gossipsub_greet(&r->gossip, t->visitor->handle, GOSSIPSUB_1_2, r->host.sim->now);
}

static void on_event(struct visitor *v, const struct conn_event *ev, uint64_t now)
{
    switch (ev->type) {
    case CONN_VERIFY: /* every key of the simulated network is an Ed25519 one */
        assert(false);
        break;
    case CONN_OPENED:
        v->id = ev->peer_id;
        break;
    case CONN_STREAM_PROPOSED:
        proposed(v, ev->stream, ev->protocol);
        break;
    case CONN_STREAM_OPENED:
        opened(ev->stream->user);
        break;
    case CONN_STREAM_DATA:
        heard(ev->stream->user, ev->data, now);
        break;
    case CONN_STREAM_ENDED:
        ended(ev->stream->user);
        break;
    case CONN_PONG:
    case CONN_GOAWAY:
        break;
    }
}

static void drain_visitor(struct visitor *v)
{
    struct conn_output out;
    int rc;
    for (;;) {
        reap(v);
        rc = conn_drain(v->conn, &out, v->relay->host.sim->now);
        if (rc <= 0)
            break;
        switch (out.type) {
        case CONN_SEND:
            end_send(v->end, out.data);
            conn_sent(v->conn);
            break;
        case CONN_ROOM:
            if (out.stream->user != NULL)
                flush(out.stream->user);
            break;
        case CONN_FLUSHED:
            visitor_end(v);
            return;
        case CONN_OPEN_CHANNEL:
        case CONN_CLOSE_CHANNEL:
        case CONN_PAUSE_CHANNEL:
            break;
        }
    }
    if (rc < 0)
        visitor_end(v);
}

static void pump(struct relay *r)
{
    give_rpcs(r);
    while (!list_is_empty(&r->dirty)) {
        struct visitor *v = LIST_OWNER(r->dirty.next, struct visitor, in_dirty);
        list_remove(&v->in_dirty);
        drain_visitor(v);
    }
}

/* ---- what the world does to it ----------------------------------------------------------------- */

static void on_accept(struct host *h, struct end *e, struct view label)
{
    struct relay *r = relay_of_host(h);
    (void)label;
    r->dialled++;
    struct visitor *v = sim_alloc(h->sim, sizeof *v);
    v->relay = r;
    v->end = e;
    v->handle = e->id;
    e->user = v;
    v->conn = conn_new(&(struct conn_config){.id = e->id,
                                             .role = LISTENER,
                                             .kind = LINK_SOCKET,
                                             .mem = mem_of(r),
                                             .rng = &r->rng,
                                             .limits = &PEERLET_LIMITS,
                                             .identity = &r->identity,
                                             .last_stream = &r->last_stream,
                                             .totals = &r->totals},
                       h->sim->now);
    assert(v->conn != NULL);
    list_add(&r->visitors, &v->in_relay);
    must(conn_opened(v->conn, end_room(e), h->sim->now));
    mark(v);
    pump(r);
}

static void on_bytes(struct host *h, struct end *e, struct span bytes)
{
    struct relay *r = relay_of_host(h);
    struct visitor *v = e->user;
    struct conn_event ev;
    int rc;
    v->conn->heard_at = h->sim->now;
    v->asked_at = 0;
    mark(v);
    while ((rc = conn_feed(v->conn, &bytes, &ev, h->sim->now)) > 0)
        on_event(v, &ev, h->sim->now);
    if (rc < 0)
        visitor_end(v);
    pump(r);
}

static void on_room(struct host *h, struct end *e, size_t room)
{
    struct visitor *v = e->user;
    conn_room(v->conn, 0, room, h->sim->now);
    mark(v);
    pump(relay_of_host(h));
}

static void on_closed(struct host *h, struct end *e, struct view why)
{
    (void)why;
    visitor_free(e->user);
    pump(relay_of_host(h));
}

static void look_after_circuits(struct visitor *v, uint64_t now)
{
    LIST_EACH(node, &v->conn->streams) {
        struct talk *t = LIST_OWNER(node, struct stream, in_conn)->user;
        if (t != NULL && t->kind == TALK_SPLICED && t->ends_at != 0 && is_due(t->ends_at, now))
            reset(t);
    }
}

static void look_after(struct visitor *v, uint64_t now)
{
    uint64_t silent_ms = now - v->conn->heard_at;
    uint32_t silence_ms = v->relay->terms.silence_ms;
    if (conn_tick(v->conn, now) < 0 || silent_ms >= silence_ms) {
        visitor_end(v);
        return;
    }
    if (silent_ms >= silence_ms / 2 && v->asked_at == 0) {
        v->asked_at = now;
        conn_ping(v->conn, now);
    }
    look_after_circuits(v, now);
    greet(v);
    mark(v);
}

static void on_alarm(struct host *h)
{
    struct relay *r = relay_of_host(h);
    if (h->is_down)
        return;
    LIST_EACH(node, &r->visitors)
        look_after(LIST_OWNER(node, struct visitor, in_relay), h->sim->now);
    gossipsub_tick(&r->gossip, h->sim->now);
    pump(r);
    host_set_alarm(h, h->sim->now + ROUND_MS);
}

static void forget_visitors(struct relay *r)
{
    while (!list_is_empty(&r->visitors))
        visitor_free(LIST_OWNER(r->visitors.next, struct visitor, in_relay));
}

static void on_free(struct host *h)
{
    forget_visitors(relay_of_host(h));
    gossipsub_free(&relay_of_host(h)->gossip);
    mem_free(&h->sim->mem, h);
}

static const struct host_ops RELAY_OPS = {
    .alarm = on_alarm,
    .accept = on_accept,
    .bytes = on_bytes,
    .room = on_room,
    .closed = on_closed,
    .free = on_free,
};

struct relay *sim_relay(struct sim *s)
{
    struct relay *r = sim_alloc(s, sizeof *r);
    host_init(&r->host, s, &RELAY_OPS);
    r->host.path.latency_ms = 5;
    r->terms = RELAY_TERMS;
    r->chance = sim_seed(s);
    r->rng = sim_rng(&r->chance);
    list_init(&r->visitors);
    list_init(&r->dirty);
    crypto_init();
    identity_generate(&r->rng, &r->identity);
    r->id = peer_id_of_identity(&r->identity);
    peer_id_format(&r->id, r->id_text);
    char ip[HOST_IP_MAX];
    host_ip(&r->host, ip);
    snprintf(r->address, sizeof r->address, "/ip4/%s/tcp/%d/ws/p2p/%s", ip, RELAY_PORT, r->id_text);
    struct writer w = writer_of(r->address_bytes, sizeof r->address_bytes);
    must(multiaddr_parse_text(view_of_text(r->address), &w, NULL));
    r->address_len = w.len;
    must(gossipsub_init(&r->gossip, &GOSSIPSUB_DEFAULTS, &r->identity, mem_of(r), &r->rng,
                        &PEERLET_LIMITS, s->now, s->epoch_ms + s->now));
    relay_join(r, DISCOVERY_TOPIC);
    host_set_alarm(&r->host, s->now + ROUND_MS);
    return r;
}

struct host *relay_host(struct relay *r)
{
    return &r->host;
}

struct relay_terms *relay_terms(struct relay *r)
{
    return &r->terms;
}

const char *relay_address(const struct relay *r)
{
    return r->address;
}

const char *relay_id(const struct relay *r)
{
    return r->id_text;
}

void relay_join(struct relay *r, const char *topic)
{
    must(gossipsub_subscribe(&r->gossip, view_of_text(topic), r->host.sim->now));
    pump(r);
}

void relay_kill(struct relay *r)
{
    r->host.is_down = true;
    forget_visitors(r);
    cable_close_all(&r->host);
}

void relay_start(struct relay *r)
{
    r->host.is_down = false;
    host_set_alarm(&r->host, r->host.sim->now);
}

void relay_forget(struct relay *r)
{
    LIST_EACH(node, &r->visitors)
        LIST_OWNER(node, struct visitor, in_relay)->reserved_until = 0;
}

uint32_t relay_visitors(const struct relay *r)
{
    uint32_t count = 0;
    LIST_EACH(node, &r->visitors)
        count++;
    return count;
}

uint32_t relay_reservations(const struct relay *r)
{
    uint32_t count = 0;
    LIST_EACH(node, &r->visitors)
        count += is_reserved(LIST_OWNER(node, struct visitor, in_relay));
    return count;
}

uint32_t relay_circuits(const struct relay *r)
{
    return r->circuits;
}

uint64_t relay_asked_reserve(const struct relay *r)
{
    return r->asked_reserve;
}

uint64_t relay_asked_connect(const struct relay *r)
{
    return r->asked_connect;
}

uint64_t relay_dialled(const struct relay *r)
{
    return r->dialled;
}

uint64_t relay_knocks(const struct relay *r)
{
    return r->host.refused;
}

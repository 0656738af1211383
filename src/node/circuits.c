/*
 * Connections through a relay: asked for by a dial (hop, CONNECT), or offered to us (stop). What they
 * carry once they stand is a connection like any other.
 */
#include "node/node.h"

#include "protocols/circuit.h"

static struct target *target_of_stream(struct dial *dial, uint32_t stream)
{
    for (size_t i = 0; dial != NULL && i < dial->count; i++)
        if (dial->targets[i].stream == stream)
            return &dial->targets[i];
    return NULL;
}

void connect_event(struct peerlet *p, struct session *s, const struct protocol_event *ev)
{
    struct dial *dial = dialer_find(&p->dialer, s->job);
    struct target *t = target_of_stream(dial, s->stream->id);
    if (ev->type == CIRCUIT_REFUSED && t != NULL)
        target_failed(p, dial, t,
                      ev->refused.status == CIRCUIT_STATUS_NO_RESERVATION ? ERR_NO_RESERVATION
                                                                          : ERR_RELAY_REFUSED,
                      view_of_text(circuit_status_text(ev->refused.status)));
    if (ev->type != CIRCUIT_CONNECTED || t == NULL)
        return;
    struct multiaddr_circuit circuit;
    struct peer_id target = dial->peer ? dial->peer->id : (struct peer_id){0};
    if (target.len == 0 && multiaddr_relay(target_address(t), &circuit) == 0)
        target = circuit.target;
    struct conn *c = conn_create(p, LINK_RELAYED, DIALER, &target, target_address(t));
    if (c == NULL)
        return;
    limit_conn(p, c, ev->connected.limit);
    s->other = t->conn = c->id;
    t->stream = 0;
}

struct conn *connect_raw(struct peerlet *p, struct session *s)
{
    return find_conn(p, s->other);
}

void connect_ended(struct peerlet *p, struct session *s, int code)
{
    struct dial *dial = dialer_find(&p->dialer, s->job);
    struct target *t = target_of_stream(dial, s->stream->id);
    if (t != NULL)
        target_failed(p, dial, t, code ? code : ERR_CLOSED,
                      view_of_text(code == ERR_UNSUPPORTED ? "that peer is not a relay"
                                                           : "the relay ended the exchange"));
}

/* It may take any connection to us for a call, but none that leads to it through another relay. */
static bool is_relay_of_ours(const struct peerlet *p, const struct conn *c)
{
    LIST_EACH(node, &p->relays) {
        const struct relay *r = LIST_OWNER(node, struct relay, in_node);
        if (r->peer == c->peer && r->conn != 0)
            return c->link.kind != LINK_RELAYED;
    }
    return false;
}

int stop_accept(struct peerlet *p, struct session *s)
{
    uint32_t pending = 0, at = 0;
    const struct conn *c;
    while ((c = table_next(&p->conns, &at)) != NULL)
        if (c->link.kind == LINK_RELAYED && c->role == LISTENER && !conn_is_ready(c))
            pending++;
    if (pending >= p->limits.circuit_stop_pending || !is_relay_of_ours(p, s->stream->conn))
        return ERR_FULL;
    circuit_stop_init(machine(s), &p->mem, &p->limits, p->now);
    return 0;
}

/* <the relay as we know it>/p2p/R/p2p-circuit/p2p/<source> */
static struct view circuit_address(const struct conn *relay, const struct peer_id *source,
                                   struct writer *w)
{
    struct view base = conn_address(relay);
    put(w, base);
    if (!multiaddr_has(base, MULTIADDR_P2P)) {
        put_uvarint(w, MULTIADDR_P2P);
        put_delimited(w, peer_id_view(&relay->peer->id));
    }
    put_uvarint(w, MULTIADDR_P2P_CIRCUIT);
    put_uvarint(w, MULTIADDR_P2P);
    put_delimited(w, peer_id_view(source));
    return writer_view(w);
}

void stop_event(struct peerlet *p, struct session *s, const struct protocol_event *ev)
{
    if (ev->type != CIRCUIT_STOP)
        return;
    uint8_t bytes[MULTIADDR_MAX_LEN];
    struct writer w = writer_of(bytes, sizeof bytes);
    struct view address = circuit_address(s->stream->conn, &ev->stop.source, &w);
    struct conn *c = NULL;
    if (!peer_id_equal(&ev->stop.source, &p->self))
        c = conn_create(p, LINK_RELAYED, LISTENER, &ev->stop.source, address);
    if (c != NULL)
        limit_conn(p, c, ev->stop.limit);
    s->other = c ? c->id : 0;
    int rc = circuit_stop_answer(machine(s),
                                 c ? CIRCUIT_STATUS_OK : CIRCUIT_STATUS_RESOURCE_LIMIT_EXCEEDED);
    if (rc != 0)
        close_session(p, s, rc);
}

struct conn *stop_raw(struct peerlet *p, struct session *s)
{
    return find_conn(p, s->other);
}

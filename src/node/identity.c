#include "node/node.h"

#include "multiformats/envelope.h"

#define PROTOCOL_VERSION "ipfs/0.1.0"
/* Changes come in bursts at start: several are told as one. */
#define PUSH_GATHER_MS 20

/* ---- who we are -------------------------------------------------------------------------------- */

static void add_circuit(struct buf *out, struct view relay, bool webrtc)
{
    uint8_t bytes[MULTIADDR_MAX_LEN];
    struct writer w = writer_of(bytes, sizeof bytes);
    put(&w, relay);
    put_uvarint(&w, MULTIADDR_P2P_CIRCUIT);
    if (webrtc)
        put_uvarint(&w, MULTIADDR_WEBRTC);
    uint8_t prefix[10];
    struct writer len = writer_of(prefix, sizeof prefix);
    put_uvarint(&len, w.len);
    size_t before = out->len;
    if (w.failed || buf_append(out, writer_view(&len)) != 0 ||
        buf_append(out, writer_view(&w)) != 0)
        buf_truncate(out, before);
}

/* The WebRTC form of each relay's address first: it is the one a browser should try. */
void self_addresses(struct peerlet *p, struct views *into)
{
    buf_truncate(&p->text, 0);
    for (int webrtc = 1; webrtc >= 0; webrtc--) {
        if (webrtc && !p->listens_webrtc)
            continue;
        LIST_EACH(node, &p->relays) {
            struct relay *r = LIST_OWNER(node, struct relay, in_node);
            struct cursor c = cursor_of(buf_view(&r->addresses));
            while (c.rest.len > 0 && !c.failed)
                add_circuit(&p->text, take_delimited(&c, MULTIADDR_MAX_LEN), webrtc == 1);
        }
    }
    into->count = into->over = 0;
    struct cursor c = cursor_of(buf_view(&p->text));
    while (c.rest.len > 0 && !c.failed && into->count < into->room)
        into->at[into->count++] = take_delimited(&c, MULTIADDR_MAX_LEN);
}

/* Addresses or protocols changed: the application and every peer shall know. */
void self_updated(struct peerlet *p)
{
    if (!p->is_started)
        return;
    p->tell_at = earlier(p->tell_at, after(p->now, PUSH_GATHER_MS));
}

static void seal_record(struct peerlet *p, const struct views *addresses, struct buf *out)
{
    uint64_t seq = unix_ms(p);
    p->record_seq = MAX(seq, p->record_seq + 1);
    struct peer_record record = {.seq = p->record_seq, .addresses = *addresses};
    if (peer_record_seal(&p->identity, &record, out) != 0)
        buf_truncate(out, 0);
}

static int tell(struct peerlet *p, struct session *s, enum identify_kind kind)
{
    struct view addresses[LIST_MAX], protocols[LIST_MAX];
    struct identify_local local = {
        .public_key = view_of(p->public_key, sizeof p->public_key),
        .addresses = {.at = addresses, .room = ARRAY_LEN(addresses)},
        .protocols = {.at = protocols, .room = ARRAY_LEN(protocols)},
        .agent_version = view_of_text(p->agent),
        .protocol_version = view_of_text(PROTOCOL_VERSION),
    };
    struct conn *c = s->stream->conn;
    if (c->link.kind == LINK_SOCKET)
        local.observed = multiaddr_without_peer(conn_address(c));
    struct buf record;
    buf_init(&record, &p->mem, ENVELOPE_MAX_LEN);
    self_addresses(p, &local.addresses);
    list_protocols(p, &local.protocols);
    seal_record(p, &local.addresses, &record);
    local.record = record.len ? buf_view(&record) : view_of(NULL, 0);
    int rc = identify_send_init(machine(s), kind, &p->mem, &p->limits, &local, p->now);
    buf_free(&record);
    return rc;
}

int identify_accept(struct peerlet *p, struct session *s)
{
    return tell(p, s, IDENTIFY);
}

int push_accept(struct peerlet *p, struct session *s)
{
    struct peer *peer = s->stream->conn->peer;
    if (peer == NULL)
        return ERR_CLOSED;
    identify_receive_init(machine(s), &p->mem, &p->limits, &peer->id, p->now);
    return 0;
}

/* ---- who they are ------------------------------------------------------------------------------ */

void identify_conn(struct peerlet *p, struct conn *c)
{
    if (!(p->services & PEERLET_IDENTIFY))
        return;
    struct session *s = open_session(p, c, SERVICE_IDENTIFY);
    if (s == NULL) {
        conn_close(c, p->now);
        return;
    }
    identify_receive_init(machine(s), &p->mem, &p->limits, &c->peer->id, p->now);
    drain_session(p, s);
    /* go refuses more with its answer, and Firefox then drops the answer unless our half has ended. */
    if (c->link.kind == LINK_SESSION)
        stream_close_write(s->stream);
}

/* Without memory for it we would never know what this peer speaks: better a new connection. */
void identify_ended(struct peerlet *p, struct session *s, int code)
{
    struct conn *c = s->stream->conn;
    /* Firefox dropped it all the same: the end of our half came too late. */
    bool was_dropped = code == ERR_RESET && c->link.kind == LINK_SESSION;
    if (code == ERR_NOMEM)
        conn_close(c, p->now);
    else if ((was_dropped || code == ERR_TIMEOUT) && s->stream->role == DIALER && !s->is_done &&
             conn_is_ready(c) && c->identify_again++ < p->limits.identify_again)
        identify_conn(p, c);
}

static struct view join(struct buf *out, size_t from)
{
    return view_of(out->data ? out->data + out->head + from : NULL, out->len - from);
}

static void put_lines(struct buf *out, const struct views *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        if ((i > 0 && buf_append(out, view_of_text("\n")) != 0) ||
            buf_append(out, lines->at[i]) != 0)
            return;
}

static int learn(struct peerlet *p, struct peer *peer, const struct identify_received *got)
{
    if (got->record.data != NULL && got->seq > peer->record_seq) {
        peer->record_seq = got->seq;
        peer_drop_certified(&p->peers, peer);
    }
    for (size_t i = 0; i < got->addresses.count; i++)
        peer_add_address(&p->peers, peer, got->addresses.at[i], got->record.data != NULL, p->now);
    if (got->protocols.count == 0)
        return 0;
    return peer_set_protocols(&p->peers, peer, got->protocols.at, got->protocols.count);
}

/* The lists of the event are put one behind the other into one buffer. */
static void tell_identified(struct peerlet *p, struct conn *c, const struct identify_received *got)
{
    struct buf b;
    buf_init(&b, &p->mem, 64u << 10);
    for (size_t i = 0; i < got->addresses.count; i++)
        add_address(&b, got->addresses.at[i], NULL);
    size_t protocols = b.len;
    put_lines(&b, &got->protocols);
    size_t rest = b.len;
    struct views versions = {.at = (struct view[]){got->agent_version, got->protocol_version},
                             .count = 2};
    put_lines(&b, &versions);
    struct peer_text id = peer_text(&c->peer->id);
    emit(p, &(struct peerlet_output){
                .type = PEERLET_PEER_IDENTIFIED,
                .id = c->id,
                .value = got->record.data != NULL,
                .peer = peer_text_view(&id),
                .text = view_of(join(&b, protocols).data, rest - protocols),
                .data = view_of(join(&b, 0).data, protocols),
                .extra = got->observed,
                .more = join(&b, rest),
                .key = got->public_key,
            });
    buf_free(&b);
}

void identify_event(struct peerlet *p, struct session *s, const struct protocol_event *ev)
{
    struct conn *c = s->stream->conn;
    if (ev->type != IDENTIFY_RECEIVED || c->peer == NULL)
        return;
    struct peer *peer = c->peer;
    if (learn(p, peer, &ev->identify) != 0) {
        conn_close(c, p->now);
        return;
    }
    gossip_identified(peer, ev->identify.agent_version);
    tell_identified(p, c, &ev->identify);
    relay_identified(p, peer);
    gossip_conn_up(p, c);
    if (p->has_gossip && ev->identify.record.data != NULL)
        gossipsub_set_record(&p->gossip, peer->number, ev->identify.record);
    upgrade_relayed(p, c);
}

/* ---- pushes ------------------------------------------------------------------------------------ */

static bool push_to(struct peerlet *p, struct conn *c)
{
    if (!conn_is_ready(c) || c->is_closing || c->peer == NULL ||
        !peer_speaks(c->peer, IDENTIFY_PUSH_OPS.name))
        return false;
    struct session *s = open_session(p, c, SERVICE_PUSH);
    if (s == NULL)
        return false;
    int rc = tell(p, s, IDENTIFY_PUSH);
    if (rc != 0)
        close_session(p, s, rc);
    else
        drain_session(p, s);
    return rc == 0;
}

/* The pause until the next push begins only when somebody was told. */
static void push_to_all(struct peerlet *p)
{
    uint32_t at = 0;
    struct conn *c;
    while ((c = table_next(&p->conns, &at)) != NULL)
        if (push_to(p, c))
            p->push_at = after(p->now, p->limits.identify_push_ms);
}

static void tell_self(struct peerlet *p)
{
    emit(p, &(struct peerlet_output){.type = PEERLET_SELF_UPDATED, .data = peerlet_addresses(p)});
}

void pushes_tick(struct peerlet *p)
{
    if (is_due(p->tell_at, p->now)) {
        p->tell_at = NEVER;
        tell_self(p);
        discovery_announce(p);
        p->push_owed = true;
        if (p->push_at == NEVER)
            p->push_at = p->now;
    }
    if (!is_due(p->push_at, p->now))
        return;
    p->push_at = NEVER;
    if (p->push_owed && (p->services & PEERLET_PUSH))
        push_to_all(p);
    p->push_owed = false;
}

uint64_t pushes_deadline(const struct peerlet *p)
{
    return earlier(p->tell_at, p->push_at);
}

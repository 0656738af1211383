/*
 * The relay supervisor: one state machine per relay, and none ever gives up.
 *
 *     WAITING --time--> CONNECTING --conn--> RESERVING --voucher--> RESERVED --3/4 of ttl--> RESERVING
 *        ^------- lost, refused, timed out ------'--------------------'
 *
 * The pause grows with the time the relay has been away, from 100 ms to 5 s: a relay that restarts
 * is found at once, one that is gone for an hour costs a packet every five seconds. One that answers,
 * and refuses, is asked once a minute in the end: relays count the requests of a peer.
 *
 * A name behind which there are relays has a place among them, see names.c:
 *
 *     WAITING --time--> CONNECTING --found--> GONE --some relay is away, time--> CONNECTING
 *        ^--- not found -----'
 */
#include "node/node.h"

#include "protocols/circuit.h"
#include "transport/transport.h"

static void tell(struct peerlet *p, const struct relay *r, int code, struct view why)
{
    struct peer_text id;
    struct view rest = view_of(r->name, r->name_len);
    struct multiaddr_part host;
    if (multiaddr_next(&rest, &host) == 1)
        id.len = text_format(id.text, sizeof id.text, "/dnsaddr/%v", &host.value);
    else
        id = peer_text(&r->peer->id);
    const struct conn *c = find_conn(p, r->conn);
    bool has_address = r->state == PEERLET_RELAY_RESERVED && c != NULL;
    emit(p, &(struct peerlet_output){.type = PEERLET_RELAY,
                                     .peer = peer_text_view(&id),
                                     .value = r->state,
                                     .code = code,
                                     .text = why,
                                     .data = has_address ? conn_address(c) : view_of(NULL, 0)});
}

static void enter(struct peerlet *p, struct relay *r, enum peerlet_relay_state state, int code,
                  struct view why)
{
    if (r->state == state && code == 0)
        return;
    r->state = state;
    tell(p, r, code, why);
}

static void drop_addresses(struct peerlet *p, struct relay *r)
{
    if (r->addresses.len == 0)
        return;
    buf_free(&r->addresses);
    self_updated(p);
}

/* When to try again: later the longer it has been down. */
static uint64_t after_pause(struct peerlet *p, struct relay *r, uint32_t most_ms)
{
    if (r->down_since == NEVER)
        r->down_since = p->now;
    uint64_t pause = (p->now - r->down_since) / 3;
    pause = MAX(pause, p->limits.relay_retry_min_ms);
    pause = MIN(pause, most_ms);
    return after(p->now, pause - rng_below(&p->rng, (uint32_t)pause / 4 + 1));
}

static void wait(struct peerlet *p, struct relay *r, int code, struct view why)
{
    bool is_patient = code == ERR_RELAY_REFUSED || r->peer == NULL;
    r->retry_at = after_pause(
        p, r, is_patient ? p->limits.relay_refused_max_ms : p->limits.relay_retry_max_ms);
    r->dial = r->stream = 0;
    if (find_conn(p, r->conn) == NULL) /* else what was granted holds until it is over */
        drop_addresses(p, r);
    LIST_EACH(node, &p->relays) {
        struct relay *name = LIST_OWNER(node, struct relay, in_node);
        if (name->peer == NULL && name->state == PEERLET_RELAY_GONE)
            name->retry_at = earlier(name->retry_at, after(p->now, p->limits.name_again_ms));
    }
    enter(p, r, PEERLET_RELAY_WAITING, code ? code : ERR_CLOSED, why);
}

/* Whether one more would not help; those that do not work count half. */
static bool relays_suffice(const struct peerlet *p)
{
    uint32_t halves = 0;
    LIST_EACH(node, &p->relays) {
        const struct relay *r = LIST_OWNER(node, struct relay, in_node);
        if (r->peer != NULL)
            halves += r->down_since == NEVER ? 2 : 1;
    }
    return halves / 2 >= p->limits.relays;
}

/* Of a peer or, where that is null, a name: /dnsaddr/h. */
static struct relay *relay_add(struct peerlet *p, struct peer *peer, struct view name, bool kept,
                               bool reserve)
{
    LIST_EACH(node, &p->relays) {
        struct relay *r = LIST_OWNER(node, struct relay, in_node);
        if (r->peer == peer && view_equal(view_of(r->name, r->name_len), name)) {
            if (r->is_kept < kept || r->wants_reservation < reserve)
                r->retry_at = p->now;
            r->is_kept |= kept;
            r->wants_reservation |= reserve;
            return r;
        }
    }
    if (!kept && relays_suffice(p))
        return NULL;
    struct relay *r = mem_alloc(&p->mem, sizeof *r + name.len);
    if (r == NULL)
        return NULL;
    r->id = ++p->last_relay;
    r->peer = peer;
    if (peer != NULL)
        peer->held++;
    r->name_len = name.len;
    if (name.len > 0)
        memcpy(r->name, name.data, name.len);
    r->state = PEERLET_RELAY_WAITING;
    r->is_kept = kept;
    r->wants_reservation = reserve;
    r->down_since = NEVER;
    r->retry_at = p->now;
    r->refresh_at = r->expires_at = NEVER;
    buf_init(&r->addresses, &p->mem, 16 * MULTIADDR_MAX_LEN);
    list_add(&p->relays, &r->in_node);
    return r;
}

void relay_free(struct peerlet *p, struct relay *r)
{
    list_remove(&r->in_node);
    buf_free(&r->addresses);
    if (r->peer != NULL)
        r->peer->held--;
    mem_free(&p->mem, r);
}

static struct relay *relay_find(struct peerlet *p, uint32_t id)
{
    LIST_EACH(node, &p->relays) {
        struct relay *r = LIST_OWNER(node, struct relay, in_node);
        if (r->id == id)
            return r;
    }
    return NULL;
}

struct relay *relay_of_conn(const struct peerlet *p, const struct conn *c)
{
    LIST_EACH(node, &p->relays) {
        struct relay *r = LIST_OWNER(node, struct relay, in_node);
        if (r->conn == c->id)
            return r;
    }
    return NULL;
}

/* ---- the exchange ---------------------------------------------------------------------------- */

static void reserve(struct peerlet *p, struct relay *r, struct conn *c)
{
    if (r->stream != 0)
        return;
    struct session *s = open_session(p, c, SERVICE_HOP_RESERVE);
    if (s == NULL) {
        wait(p, r, ERR_TRANSPORT, peerlet_reason(p));
        return;
    }
    s->job = r->id;
    r->stream = s->stream->id;
    r->conn = c->id;
    if (r->addresses.len == 0)
        enter(p, r, PEERLET_RELAY_RESERVING, 0, view_of(NULL, 0));
    int rc = circuit_reserve_init(machine(s), &p->mem, &p->limits, &r->peer->id, &p->self, p->now);
    if (rc != 0)
        close_session(p, s, rc);
    else
        drain_session(p, s);
}

static void keep_address(struct peerlet *p, struct relay *r, struct view addr)
{
    const char *why;
    if (transport_permits(addr, p->services, p->page | PEERLET_PAGE_ANY, false, &why) != 0)
        return;
    uint8_t bytes[MULTIADDR_MAX_LEN];
    struct writer w = writer_of(bytes, sizeof bytes);
    multiaddr_normalize(multiaddr_without_peer(addr), &w);
    put_uvarint(&w, MULTIADDR_P2P);
    put_delimited(&w, peer_id_view(&r->peer->id));
    if (w.failed)
        return;
    struct cursor c = cursor_of(buf_view(&r->addresses));
    while (c.rest.len > 0 && !c.failed)
        if (view_equal(take_delimited(&c, MULTIADDR_MAX_LEN), writer_view(&w)))
            return;
    uint8_t prefix[10];
    struct writer len = writer_of(prefix, sizeof prefix);
    put_uvarint(&len, w.len);
    if (buf_append(&r->addresses, writer_view(&len)) == 0 &&
        buf_append(&r->addresses, writer_view(&w)) != 0)
        buf_truncate(&r->addresses, r->addresses.len - len.len);
}

/* Our own way to the relay comes first: it works, and go relays may name none. */
static void reserved(struct peerlet *p, struct relay *r, const struct circuit_reserved *answer)
{
    uint32_t ttl = circuit_ttl_s(&p->limits, answer->expire, unix_ms(p) / 1000);
    r->refresh_at = after(p->now, UINT64_C(750) * ttl);
    r->expires_at = after(p->now, UINT64_C(1000) * ttl);
    r->down_since = NEVER;
    buf_truncate(&r->addresses, 0);
    struct conn *c = find_conn(p, r->conn);
    if (c != NULL)
        keep_address(p, r, conn_address(c));
    for (size_t i = 0; i < answer->addresses.count; i++)
        keep_address(p, r, answer->addresses.at[i]);
    bool is_new = r->state != PEERLET_RELAY_RESERVED;
    enter(p, r, PEERLET_RELAY_RESERVED, 0, view_of(NULL, 0));
    if (is_new)
        self_updated(p);
}

void reserve_event(struct peerlet *p, struct session *s, const struct protocol_event *ev)
{
    struct relay *r = relay_find(p, s->job);
    if (r == NULL || r->stream != s->stream->id)
        return;
    r->stream = 0;
    if (ev->type == CIRCUIT_RESERVED)
        reserved(p, r, &ev->reserved);
    else if (ev->type == CIRCUIT_REFUSED)
        wait(p, r, ERR_RELAY_REFUSED, view_of_text(circuit_status_text(ev->refused.status)));
}

void reserve_ended(struct peerlet *p, struct session *s, int code)
{
    struct relay *r = relay_find(p, s->job);
    if (r == NULL || r->stream != s->stream->id)
        return;
    r->stream = 0;
    if (code == ERR_UNSUPPORTED) {
        r->is_no_relay = true;
        enter(p, r, PEERLET_RELAY_GONE, code, view_of_text("that peer is not a relay"));
        return;
    }
    wait(p, r, code ? code : ERR_CLOSED, view_of_text("the relay did not answer"));
}

/* ---- what happens around it -------------------------------------------------------------------- */

/* Without a network there is still this machine. */
static bool is_in_reach(const struct peerlet *p, const struct peer *peer)
{
    if (p->is_left)
        return false;
    if (peer == NULL)
        return !p->is_offline;
    LIST_EACH(node, &peer->addresses) {
        const struct address *a = LIST_OWNER(node, struct address, in_peer);
        if (multiaddr_is_loopback(view_of(a->bytes, a->len)))
            return true;
    }
    return !p->is_offline;
}

static void advance(struct peerlet *p, struct relay *r)
{
    struct conn *c = unrelayed_conn(p, r->peer);
    if (c != NULL) {
        r->conn = c->id;
        r->dial = 0;
        r->retry_at = NEVER;
        if (!r->wants_reservation || r->is_no_relay)
            r->down_since = NEVER;
        else
            reserve(p, r, c);
        return;
    }
    if (!r->is_kept) {
        enter(p, r, PEERLET_RELAY_GONE, 0, view_of(NULL, 0));
        relay_free(p, r);
        return;
    }
    if (r->dial != 0 || !is_in_reach(p, r->peer)) {
        r->retry_at = NEVER;
        return;
    }
    struct dial *dial = r->peer ? dialer_find_peer(&p->dialer, r->peer) : NULL;
    if (dial == NULL) {
        const char *why = "";
        dial = start_dial(p, r->peer);
        if (dial == NULL ||
            (r->peer ? dial_known_addresses(p, dial)
                     : add_target(p, dial, view_of(r->name, r->name_len), &why)) != 0) {
            if (dial != NULL)
                dialer_remove(&p->dialer, dial);
            wait(p, r, ERR_NO_ADDRESS, peerlet_reason(p));
            return;
        }
    }
    r->dial = dial->id;
    dial->is_for_names = r->peer == NULL;
    r->retry_at = NEVER;
    enter(p, r, PEERLET_RELAY_CONNECTING, 0, view_of(NULL, 0));
}

void relay_conn_up(struct peerlet *p, struct conn *c)
{
    if (c->link.kind == LINK_RELAYED)
        return;
    LIST_EACH(node, &p->relays) {
        struct relay *r = LIST_OWNER(node, struct relay, in_node);
        if (r->peer == c->peer && find_conn(p, r->conn) == NULL)
            advance(p, r);
    }
}

void relay_conn_down(struct peerlet *p, const struct conn *c)
{
    struct relay *r = relay_of_conn(p, c);
    if (r == NULL)
        return;
    r->conn = 0;
    r->is_no_relay = false;
    wait(p, r, ERR_CLOSED, view_of_text("the connection to the relay was lost"));
}

/* One of its addresses may take its time to fail: that must not keep the others from the relay. */
uint64_t relay_again_at(struct peerlet *p, uint32_t dial)
{
    LIST_EACH(node, &p->relays) {
        struct relay *r = LIST_OWNER(node, struct relay, in_node);
        if (r->dial == dial && r->is_kept)
            return after_pause(p, r, p->limits.relay_retry_max_ms);
    }
    return NEVER;
}

void relay_dial_over(struct peerlet *p, uint32_t dial, int code, struct view why)
{
    LIST_EACH(node, &p->relays) {
        struct relay *r = LIST_OWNER(node, struct relay, in_node);
        if (r->dial != dial)
            continue;
        r->dial = 0;
        if (r->state == PEERLET_RELAY_GONE)
            continue;
        if (code != 0)
            wait(p, r, code, why);
        else if (find_conn(p, r->conn) == NULL)
            advance(p, r);
    }
}

/* With "/p2p-circuit" among the listen addresses every relay we meet is asked, up to the limit. */
void relay_identified(struct peerlet *p, struct peer *peer)
{
    if (!p->listens_circuit || !peer_speaks(peer, CIRCUIT_HOP_OPS.name) ||
        best_conn(p, peer, true) == NULL)
        return;
    struct relay *r = relay_add(p, peer, view_of(NULL, 0), false, true);
    if (r != NULL && r->state != PEERLET_RELAY_RESERVED && r->stream == 0)
        advance(p, r);
}

/* Awake or online again: what was waiting need not wait. */
void relays_wake(struct peerlet *p)
{
    LIST_EACH(node, &p->relays) {
        struct relay *r = LIST_OWNER(node, struct relay, in_node);
        if (r->state == PEERLET_RELAY_WAITING || (r->dial == 0 && unrelayed_conn(p, r->peer) == NULL)) {
            r->down_since = p->now;
            r->retry_at = p->now;
        }
    }
}

void relays_tick(struct peerlet *p)
{
    LIST_EACH(node, &p->relays) {
        struct relay *r = LIST_OWNER(node, struct relay, in_node);
        if (is_due(r->expires_at, p->now)) {
            r->expires_at = NEVER;
            drop_addresses(p, r);
        }
        if (is_due(r->refresh_at, p->now)) {
            r->refresh_at = NEVER;
            r->retry_at = p->now;
        }
        if (is_due(r->retry_at, p->now))
            advance(p, r);
    }
}

uint64_t relays_deadline(const struct peerlet *p)
{
    uint64_t at = NEVER;
    LIST_EACH(node, &p->relays) {
        const struct relay *r = LIST_OWNER(node, struct relay, in_node);
        at = earlier(at, earlier(r->retry_at, earlier(r->refresh_at, r->expires_at)));
    }
    return at;
}

/* ---- commands ---------------------------------------------------------------------------------- */

static int keep_relay(struct peerlet *p, struct view addr, bool reserve_there)
{
    struct multiaddr_circuit circuit;
    if (multiaddr_relay(addr, &circuit) == 0)
        addr = circuit.relay;
    struct peer_id id;
    uint32_t before = p->last_relay;
    bool has_peer = multiaddr_peer(addr, &id) == 0,
         is_name = multiaddr_has(addr, MULTIADDR_DNSADDR);
    const char *why = "";
    int rc = transport_permits(addr, p->services, p->page, false, &why);
    if (rc != 0)
        return fail(p, rc, "%s", why);
    if (is_name && !has_peer && relay_add(p, NULL, addr, true, reserve_there) != NULL)
        return 0;
    if (!has_peer)
        return fail(p, ERR_BAD_ARGUMENT, "the address does not end in the Peer ID of a relay");
    if (peer_id_equal(&id, &p->self))
        return fail(p, ERR_SELF_DIAL, "that is this node's own Peer ID");
    struct peer *peer = addrbook_add(&p->peers, &id);
    if (peer == NULL)
        return fail(p, ERR_FULL, "too many peers are known and in use");
    if (peer_keep_address(&p->peers, peer, addr, p->now) != 0)
        return fail(p, ERR_NOMEM, "out of memory");
    struct relay *r =
        relay_add(p, peer, view_of(NULL, 0), true, reserve_there || p->listens_circuit);
    if (r == NULL)
        return fail(p, ERR_NOMEM, "out of memory");
    struct peer_text name = peer_text(&id);
    /* What is behind a name is found more than once. */
    if (!reserve_there && (p->last_relay != before || !is_name))
        emit(p, &(struct peerlet_output){.type = PEERLET_PEER_DISCOVERED,
                                         .peer = peer_text_view(&name),
                                         .data = peerlet_peer_addresses(p, peer_text_view(&name)),
                                         .value = PEERLET_FROM_BOOTSTRAP});
    return 0;
}

int relay_behind_name(struct peerlet *p, uint32_t dial, struct view addr)
{
    LIST_EACH(node, &p->relays) {
        struct relay *r = LIST_OWNER(node, struct relay, in_node);
        if (r->dial != dial)
            continue;
        int rc = relays_suffice(p) ? 0 : keep_relay(p, addr, r->wants_reservation);
        if (rc == 0) {
            r->down_since = NEVER;
            enter(p, r, PEERLET_RELAY_GONE, 0, view_of(NULL, 0));
        }
        return rc;
    }
    return ERR_NOT_FOUND;
}

int peerlet_bootstrap(struct peerlet *p, struct view multiaddr, uint64_t now)
{
    struct view addr;
    p->now = now;
    int rc = read_address(p, multiaddr, &addr);
    return rc == 0 ? keep_relay(p, addr, false) : rc;
}

int peerlet_listen(struct peerlet *p, struct view multiaddr, uint64_t now)
{
    struct view addr;
    p->now = now;
    int rc = read_address(p, multiaddr, &addr);
    if (rc != 0)
        return rc;
    if (multiaddr_is_only(addr, MULTIADDR_WEBRTC)) {
        p->listens_webrtc = true;
        self_updated(p);
        return 0;
    }
    if (!multiaddr_is_only(addr, MULTIADDR_P2P_CIRCUIT))
        return keep_relay(p, addr, true);
    p->listens_circuit = true;
    LIST_EACH(node, &p->relays) {
        struct relay *r = LIST_OWNER(node, struct relay, in_node);
        r->wants_reservation = true;
        r->retry_at = now;
    }
    return 0;
}

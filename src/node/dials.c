#include "node/node.h"

#include "protocols/circuit.h"
#include "transport/transport.h"

#include <assert.h>

static void run_dial(struct peerlet *p, struct dial *dial);

/* ---- making a dial --------------------------------------------------------------------------- */

struct dial *start_dial(struct peerlet *p, struct peer *peer)
{
    struct dial *dial = dialer_add(&p->dialer, peer, p->now);
    if (dial == NULL)
        fail(p, ERR_FULL, "%u dials are under way, the limit; wait for one to end",
             (unsigned)p->dialer.count);
    return dial;
}

/* A relay that is connected need not be dialled: then the rest of its address does not matter. */
static bool relay_is_up(const struct peerlet *p, struct view addr)
{
    struct multiaddr_circuit circuit;
    return multiaddr_relay(addr, &circuit) == 0 &&
           unrelayed_conn(p, addrbook_find(&p->peers, &circuit.relay_id)) != NULL;
}

int add_target(struct peerlet *p, struct dial *dial, struct view addr, const char **why)
{
    int rc = transport_permits(addr, p->services, p->page, relay_is_up(p, addr), why);
    if (rc != 0)
        return rc;
    unsigned rank = 0;
    transport_of(addr, p->services, &rank);
    bool failed_lately = false;
    if (dial->peer != NULL)
        LIST_EACH(node, &dial->peer->addresses) {
            const struct address *a = LIST_OWNER(node, struct address, in_peer);
            if (view_equal(view_of(a->bytes, a->len), multiaddr_without_peer(addr)))
                failed_lately = a->failed_at != 0;
        }
    return dial_add(&p->dialer, dial, addr, rank, failed_lately);
}

int dial_known_addresses(struct peerlet *p, struct dial *dial)
{
    const char *why = "no address of this peer is known; dial a multiaddr that ends in its Peer ID";
    int rc = ERR_NO_ADDRESS;
    LIST_EACH(node, &dial->peer->addresses) {
        const struct address *a = LIST_OWNER(node, struct address, in_peer);
        if (is_due(a->expires_at, p->now))
            continue;
        int added = add_target(p, dial, view_of(a->bytes, a->len), &why);
        if (added == 0 || rc != 0)
            rc = added;
    }
    return rc == 0 ? 0 : fail(p, rc, "%s", why);
}

/* Whoever announces many peers must not keep us from those the application wants. */
static bool is_busy_in_background(const struct peerlet *p)
{
    uint32_t count = 0;
    LIST_EACH(node, &p->dialer.dials) {
        const struct dial *dial = LIST_OWNER(node, struct dial, in_dialer);
        count += dial->wants_direct && !dial->is_for_app;
    }
    return count >= p->limits.dials_background;
}

void dial_in_background(struct peerlet *p, struct peer *peer)
{
    if (is_busy_in_background(p) || best_conn(p, peer, true) ||
        dialer_find_peer(&p->dialer, peer) || direct_of_peer(p, peer))
        return;
    struct dial *dial = start_dial(p, peer);
    if (dial == NULL)
        return;
    dial->wants_direct = true;
    if (dial_known_addresses(p, dial) != 0)
        dialer_remove(&p->dialer, dial);
}

/* ---- the end of a dial ----------------------------------------------------------------------- */

static void abandon_targets(struct peerlet *p, struct dial *dial, const struct conn *winner)
{
    for (size_t i = 0; i < dial->count; i++) {
        struct target *t = &dial->targets[i];
        uint32_t number = t->conn;
        t->state = TARGET_FAILED;
        t->conn = t->stream = t->dial = t->name = 0;
        struct conn *c = find_conn(p, number);
        if (c != NULL && c != winner && !conn_is_ready(c) && !direct_of_conn(p, number))
            conn_end(p, c, ERR_ABORTED, view_of_text("another address answered first"));
    }
}

/* Dials of others that were waiting for this one. */
static void wake_waiting(struct peerlet *p, uint32_t id, int code, struct view why)
{
    LIST_EACH(node, &p->dialer.dials) {
        struct dial *other = LIST_OWNER(node, struct dial, in_dialer);
        for (size_t i = 0; i < other->count; i++) {
            struct target *t = &other->targets[i];
            if (t->dial != id || t->state != TARGET_RUNNING)
                continue;
            t->dial = 0;
            if (code != 0)
                dial_failed(other, t, code, why, p->now);
        }
    }
    relay_dial_over(p, id, code, why);
}

void end_dial(struct peerlet *p, struct dial *dial, struct conn *c, int code)
{
    uint32_t id = dial->id;
    char text[sizeof dial->reason];
    size_t len =
        text_format(text, sizeof text, "%s", dial->reason[0] ? dial->reason : err_text(code));
    struct view why = view_of((uint8_t *)text, len);
    abandon_targets(p, dial, c);
    if (dial->is_for_app)
        emit(p, &(struct peerlet_output){
                    .type = c ? PEERLET_DIALED : PEERLET_DIAL_FAILED,
                    .id = id,
                    .channel = c ? c->id : 0,
                    .code = c ? 0 : code,
                    .text = c ? view_of(NULL, 0) : why,
                });
    dialer_remove(&p->dialer, dial);
    wake_waiting(p, id, c ? 0 : code, why);
}

static bool settles(const struct dial *dial, const struct conn *c)
{
    return !dial->wants_direct || !c->is_limited;
}

static bool is_target_conn(const struct dial *dial, uint32_t conn)
{
    for (size_t i = 0; i < dial->count; i++)
        if (dial->targets[i].conn == conn)
            return true;
    return false;
}

void dial_conn_up(struct peerlet *p, struct conn *c)
{
    LIST_EACH(node, &p->dialer.dials) {
        struct dial *dial = LIST_OWNER(node, struct dial, in_dialer);
        if (dial->peer != c->peer && !is_target_conn(dial, c->id))
            continue;
        for (size_t i = 0; i < dial->count; i++)
            if (dial->targets[i].conn == c->id)
                peer_note_dial(c->peer, target_address(&dial->targets[i]), true, p->now);
        if (settles(dial, c))
            end_dial(p, dial, c, 0);
        else
            dial->fallback = c->id;
    }
}

void target_failed(struct peerlet *p, struct dial *dial, struct target *t, int code,
                   struct view why)
{
    if (dial->peer != NULL)
        peer_note_dial(dial->peer, target_address(t), false, p->now);
    if (t->state != TARGET_RUNNING)
        return;
    dial_failed(dial, t, code, why, p->now);
    if (dial->is_for_app && code != 0)
        emit(p, &(struct peerlet_output){
                    .type = PEERLET_DIAL_PROGRESS, .id = dial->id, .code = code, .text = why});
    uint64_t again_at = relay_again_at(p, dial->id);
    if (again_at != NEVER)
        dial_again(t, again_at);
}

void dial_conn_down(struct peerlet *p, uint32_t conn, int code, struct view why)
{
    LIST_EACH(node, &p->dialer.dials) {
        struct dial *dial = LIST_OWNER(node, struct dial, in_dialer);
        for (size_t i = 0; i < dial->count; i++)
            if (dial->targets[i].conn == conn)
                target_failed(p, dial, &dial->targets[i], code, why);
    }
}

/* ---- one address ----------------------------------------------------------------------------- */

/* What the driver is to open for an address that leads to the peer by itself. */
static int order_link(struct peerlet *p, struct conn *c, const struct transport_ops *transport)
{
    if (transport->route == ROUTE_RTC)
        return rtc_dial_server(p, c);
    uint8_t url[TRANSPORT_URL_MAX], digests[2 * CERTHASH_LEN];
    struct writer w = writer_of(url, sizeof url), hashes = writer_of(digests, sizeof digests);
    bool is_session = transport->route == ROUTE_SESSION;
    int rc = transport->url(conn_address(c), &w);
    if (rc == 0 && is_session)
        rc = transport_certhashes(conn_address(c), &hashes);
    if (rc != 0)
        return rc;
    emit(p,
         &(struct peerlet_output){.type = is_session ? PEERLET_OPEN_SESSION : PEERLET_OPEN_SOCKET,
                                  .id = c->id,
                                  .text = writer_view(&w),
                                  .data = writer_view(&hashes)});
    return 0;
}

static int open_link(struct peerlet *p, struct dial *dial, struct target *t,
                     const struct transport_ops *transport)
{
    static const enum link_kind KIND[] = {
        [ROUTE_SOCKET] = LINK_SOCKET,
        [ROUTE_SESSION] = LINK_SESSION,
        [ROUTE_RTC] = LINK_DIRECT,
    };
    if (transport->route == ROUTE_RTC && !rtc_may_begin(p, DIALER))
        return ERR_FULL;
    int rc = transport->route == ROUTE_SESSION ? session_may_begin(p, target_address(t)) : 0;
    if (rc != 0)
        return rc;
    struct peer_id named;
    const struct peer_id *expected = dial->peer ? &dial->peer->id : NULL;
    if (expected == NULL && multiaddr_peer(target_address(t), &named) == 0)
        expected = &named;
    struct conn *c = conn_create(p, KIND[transport->route], DIALER, expected, target_address(t));
    if (c == NULL)
        return ERR_FULL;
    rc = order_link(p, c, transport);
    if (rc != 0) {
        conn_end(p, c, ERR_ABORTED, view_of(NULL, 0));
        return fail(p, rc, "the address holds nothing that a browser could open");
    }
    t->conn = c->id;
    return 0;
}

/* The dial that connects to `id`, joined or begun; 0 when it cannot be. */
static uint32_t dial_first(struct peerlet *p, const struct peer_id *id, struct view address)
{
    struct peer *peer = addrbook_add(&p->peers, id);
    if (peer == NULL)
        return 0;
    struct dial *dial = dialer_find_peer(&p->dialer, peer);
    if (dial != NULL && !dial->wants_direct)
        return dial->id;
    dial = start_dial(p, peer);
    if (dial == NULL)
        return 0;
    const char *why = "";
    if (add_target(p, dial, address, &why) != 0) {
        dialer_remove(&p->dialer, dial);
        fail(p, ERR_NO_ADDRESS, "%s", why);
        return 0;
    }
    return dial->id;
}

static int ask_relay(struct peerlet *p, struct dial *dial, struct target *t,
                     const struct multiaddr_circuit *circuit)
{
    /* Whom a relay leads to is no relay for others: each would be one more connection inside another. */
    struct conn *c = unrelayed_conn(p, addrbook_find(&p->peers, &circuit->relay_id));
    if (c == NULL) {
        t->dial = dial_first(p, &circuit->relay_id, circuit->relay);
        return t->dial ? 0 : ERR_NO_ADDRESS;
    }
    const struct peer_id *target = dial->peer ? &dial->peer->id : &circuit->target;
    if (target->len == 0)
        return fail(p, ERR_NO_ADDRESS, "the address does not say whom to reach through the relay");
    struct session *s = open_session(p, c, SERVICE_HOP_CONNECT);
    if (s == NULL)
        return ERR_TRANSPORT;
    s->job = dial->id;
    t->stream = s->stream->id;
    int rc = circuit_connect_init(machine(s), &p->mem, &p->limits, target, p->now);
    if (rc != 0) {
        close_session(p, s, rc);
        return rc;
    }
    drain_session(p, s);
    return 0;
}

static int ask_peer(struct peerlet *p, struct dial *dial, struct target *t)
{
    struct rtc *under_way = direct_of_peer(p, dial->peer);
    if (under_way != NULL) {
        t->conn = under_way->conn;
        return 0;
    }
    struct conn *via = best_conn(p, dial->peer, false);
    if (via == NULL) {
        uint8_t bytes[MULTIADDR_MAX_LEN];
        struct writer circuit = writer_of(bytes, sizeof bytes);
        struct view rest = target_address(t);
        struct multiaddr_part part;
        while (multiaddr_next(&rest, &part) == 1)
            if (part.code != MULTIADDR_WEBRTC)
                put(&circuit, part.whole);
        t->dial = dial_first(p, &dial->peer->id, writer_view(&circuit));
        return t->dial ? 0 : ERR_NO_ADDRESS;
    }
    struct rtc *rtc = direct_start(p, via, target_address(t));
    if (rtc == NULL)
        return ERR_TRANSPORT;
    t->conn = rtc->conn;
    return 0;
}

/*
 * A dial that hopes for a direct connection makes the relayed one on its way there: its circuit
 * addresses only have to wait for that, or are done.
 */
static bool is_relayed_already(struct peerlet *p, struct dial *dial, struct target *t)
{
    if (dial->peer == NULL || !dial->wants_direct)
        return false;
    if (best_conn(p, dial->peer, false) != NULL) {
        dial_failed(dial, t, 0, view_of(NULL, 0), p->now);
        return true;
    }
    LIST_EACH(node, &p->dialer.dials) {
        struct dial *other = LIST_OWNER(node, struct dial, in_dialer);
        if (other != dial && other->peer == dial->peer && !other->wants_direct)
            t->dial = other->id;
    }
    return t->dial != 0;
}

/* Does the next step of a running address that waits for nothing. */
static void step_target(struct peerlet *p, struct dial *dial, struct target *t)
{
    unsigned rank;
    const struct transport_ops *transport = transport_of(target_address(t), p->services, &rank);
    struct multiaddr_circuit circuit = {0};
    int rc = transport ? 0 : ERR_NO_ADDRESS;
    if (rc == 0 && transport_leads_itself(transport))
        rc = open_link(p, dial, t, transport);
    else if (rc == 0 && transport->route == ROUTE_RELAY && is_relayed_already(p, dial, t))
        return;
    else if (rc == 0 && transport->route == ROUTE_RELAY) {
        rc = multiaddr_relay(target_address(t), &circuit);
        rc = rc == 0 ? ask_relay(p, dial, t, &circuit) : rc;
    } else if (rc == 0)
        rc = dial->peer ? ask_peer(p, dial, t) : ERR_NO_ADDRESS;
    if (rc != 0)
        target_failed(p, dial, t, rc, peerlet_reason(p));
}

static bool is_waiting(const struct target *t)
{
    return t->conn != 0 || t->stream != 0 || t->dial != 0 || t->name != 0;
}

static void give_up(struct peerlet *p, struct dial *dial)
{
    struct conn *c = find_conn(p, dial->fallback);
    if (c != NULL && conn_is_ready(c)) {
        end_dial(p, dial, c, 0);
        return;
    }
    int code =
        dial->count > 1 || dial->code == 0 || dial->code == ERR_TRANSPORT ? ERR_DIAL : dial->code;
    end_dial(p, dial, NULL, code);
}

static void run_dial(struct peerlet *p, struct dial *dial)
{
    struct target *t;
    while ((t = dial_overdue(dial, p->now)) != NULL) {
        struct conn *c = find_conn(p, t->conn);
        target_failed(p, dial, t, ERR_TIMEOUT, view_of_text("it did not answer in time"));
        if (c != NULL && !conn_is_ready(c) && !direct_of_conn(p, c->id))
            conn_end(p, c, ERR_TIMEOUT, view_of_text(err_text(ERR_TIMEOUT)));
    }
    while ((t = dial_next(dial, &p->limits, p->now)) != NULL)
        if (target_is_name(t))
            t->name = look_up(p, target_address(t));
    for (size_t i = 0; i < dial->count; i++)
        if (dial->targets[i].state == TARGET_RUNNING && !is_waiting(&dial->targets[i]))
            step_target(p, dial, &dial->targets[i]);
}

void run_dials(struct peerlet *p)
{
    bool again = true;
    for (int round = 0; again && round < 8; round++) {
        again = false;
        LIST_EACH(node, &p->dialer.dials) {
            struct dial *dial = LIST_OWNER(node, struct dial, in_dialer);
            uint32_t before = p->dialer.last_id;
            run_dial(p, dial);
            again |= p->dialer.last_id != before;
            if (is_due(dial->until, p->now) || dial_is_over(dial)) {
                give_up(p, dial);
                again = true;
                break;
            }
            again |= dial_deadline(dial) <= p->now;
        }
    }
}

uint64_t dials_deadline(const struct peerlet *p)
{
    uint64_t at = NEVER;
    LIST_EACH(node, &p->dialer.dials)
        at = earlier(at, dial_deadline(LIST_OWNER(node, struct dial, in_dialer)));
    return at;
}

/* ---- commands -------------------------------------------------------------------------------- */

/* The next address of a list, as read_address has it: 1, 0 at the end, or an error. */
static int next_address(struct peerlet *p, struct view *list, struct view *addr)
{
    if (list->len == 0)
        return 0;
    struct cursor c = cursor_of(*list);
    struct view given = take_delimited(&c, MULTIADDR_MAX_LEN);
    *list = c.rest;
    int rc = read_address(p, given, addr);
    return rc == 0 ? 1 : rc;
}

/* Puts what the application named into a dial: the first good address decides whose it is. */
static int read_targets(struct peerlet *p, struct view targets, struct dial **dial)
{
    struct view addr;
    const char *why = "";
    int rc = ERR_NO_ADDRESS, next;
    while ((next = next_address(p, &targets, &addr)) != 0) {
        if (next < 0)
            return next;
        struct peer_id id;
        bool named = multiaddr_peer(addr, &id) == 0;
        struct multiaddr_circuit circuit;
        if (named && multiaddr_relay(addr, &circuit) == 0 && circuit.target.len == 0)
            named = false;
        if (named && peer_id_equal(&id, &p->self))
            return fail(p, ERR_SELF_DIAL, "that is this node's own Peer ID");
        struct peer *peer = named ? addrbook_add(&p->peers, &id) : NULL;
        if (*dial == NULL && (*dial = start_dial(p, peer)) == NULL)
            return ERR_FULL;
        if (peer != NULL && (*dial)->peer != peer)
            return fail(p, ERR_BAD_ARGUMENT, "the addresses name different peers");
        int added = add_target(p, *dial, addr, &why);
        rc = added == 0 || rc == 0 ? 0 : added;
        if (added == 0 && peer != NULL)
            peer_add_address(&p->peers, peer, addr, false, p->now);
    }
    return rc == 0 ? 0 : fail(p, rc, "%s", why);
}

static int read_peer_id(struct peerlet *p, struct view text, struct peer_id *id)
{
    int rc = peer_id_parse_base58(text, id);
    return rc == 0 ? 0 : fail(p, rc, "\"%v\" is not a Peer ID", &text);
}

static int read_peer(struct peerlet *p, struct view text, struct dial **dial)
{
    struct peer_id id;
    int rc = read_peer_id(p, text, &id);
    if (rc != 0)
        return rc;
    if (peer_id_equal(&id, &p->self))
        return fail(p, ERR_SELF_DIAL, "that is this node's own Peer ID");
    struct peer *peer = addrbook_add(&p->peers, &id);
    if (peer == NULL)
        return fail(p, ERR_FULL, "too many peers are known and in use");
    *dial = start_dial(p, peer);
    if (*dial == NULL)
        return ERR_FULL;
    return best_conn(p, peer, false) ? 0 : dial_known_addresses(p, *dial);
}

/* Whether one of the targets leads to a direct connection. */
static bool hopes_for_direct(const struct peerlet *p, const struct dial *dial)
{
    for (size_t i = 0; i < dial->count; i++) {
        unsigned rank;
        const struct transport_ops *t =
            transport_of(target_address(&dial->targets[i]), p->services, &rank);
        if (t != NULL && t->route != ROUTE_RELAY)
            return true;
    }
    return false;
}

int peerlet_dial(struct peerlet *p, struct view peer, struct view multiaddrs, uint32_t flags,
                 uint32_t *number, uint64_t now)
{
    p->now = now;
    if (!p->is_started)
        return fail(p, ERR_NOT_STARTED, "the node is not started; call start() first");
    struct dial *dial = NULL;
    int rc = multiaddrs.len > 0 ? read_targets(p, multiaddrs, &dial) : read_peer(p, peer, &dial);
    if (rc != 0) {
        if (dial != NULL)
            dialer_remove(&p->dialer, dial);
        return rc;
    }
    assert(dial != NULL);
    dial->is_for_app = true;
    dial->wants_direct = hopes_for_direct(p, dial);
    *number = dial->id;
    struct conn *open = dial->peer && !(flags & PEERLET_DIAL_FORCE)
                            ? best_conn(p, dial->peer, dial->wants_direct)
                            : NULL;
    if (open != NULL)
        end_dial(p, dial, open, 0);
    return 0;
}

void peerlet_dial_cancel(struct peerlet *p, uint32_t dial, uint64_t now)
{
    p->now = now;
    struct dial *found = dialer_find(&p->dialer, dial);
    if (found == NULL)
        return;
    found->reason[0] = '\0';
    end_dial(p, found, NULL, ERR_ABORTED);
}

int peerlet_is_dialable(struct peerlet *p, struct view multiaddr)
{
    struct view addr;
    const char *why = "";
    int rc = read_address(p, multiaddr, &addr);
    if (rc != 0)
        return rc;
    rc = transport_permits(addr, p->services, p->page, relay_is_up(p, addr), &why);
    return rc == 0 ? 0 : fail(p, rc, "%s", why);
}

int peerlet_hang_up(struct peerlet *p, struct view text, uint64_t now)
{
    p->now = now;
    struct peer_id id;
    int rc = read_peer_id(p, text, &id);
    if (rc != 0)
        return rc;
    struct peer *peer = addrbook_find(&p->peers, &id);
    if (peer == NULL)
        return 0;
    LIST_EACH(node, &peer->conns) {
        struct conn *c = LIST_OWNER(node, struct conn, in_peer);
        conn_close(c, now);
        conn_mark(p, c);
    }
    return 0;
}

void peerlet_conn_close(struct peerlet *p, uint32_t conn, bool abort, uint64_t now)
{
    p->now = now;
    struct conn *c = find_conn(p, conn);
    if (c == NULL)
        return;
    if (abort) {
        conn_end(p, c, ERR_ABORTED, view_of_text("closed by this page"));
        return;
    }
    conn_close(c, now);
    conn_mark(p, c);
}

int peerlet_add_addresses(struct peerlet *p, struct view text, struct view multiaddrs,
                          bool is_explicit, uint64_t now)
{
    p->now = now;
    struct peer_id id;
    int rc = read_peer_id(p, text, &id);
    if (rc != 0)
        return rc;
    struct peer *peer = addrbook_add(&p->peers, &id);
    if (peer == NULL)
        return fail(p, ERR_FULL, "too many peers are known and in use");
    struct view addr;
    int next;
    while ((next = next_address(p, &multiaddrs, &addr)) > 0)
        if (!is_explicit)
            peer_add_address(&p->peers, peer, addr, false, now);
        else if (peer_keep_address(&p->peers, peer, addr, now) != 0)
            return ERR_NOMEM;
    peer->is_explicit |= is_explicit;
    peer->held += is_explicit; /* for ever */
    return next;
}

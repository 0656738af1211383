/*
 * Who is still there. Any inbound byte is a sign of life; only silence is asked about, by a ping of
 * the muxer or, on data channels, of the ping protocol. Two unanswered questions end a connection.
 *
 * Over WebRTC a question may wait for seconds behind what was said before it: SCTP sends all that was
 * lost again, slowly, before anything new, and the peer has nothing to say meanwhile. There the
 * browsers' own checks of the path are believed first.
 */
#include "node/node.h"

#include "protocols/ping.h"

/* How long after its last use a connection counts as active. */
#define USED_MS 10000

/* A connection that something depends on is asked sooner than an idle one. */
static uint64_t silence_ms(const struct peerlet *p, const struct conn *c)
{
    const struct relay *relay = relay_of_conn(p, c);
    bool is_active =
        !is_due(after(c->used_at, USED_MS), p->now) || (relay != NULL && relay->addresses.len > 0);
    return is_active ? p->limits.liveness_active_ms : p->limits.liveness_idle_ms;
}

static bool is_watched(const struct conn *c)
{
    return conn_is_ready(c) && !c->is_closing && c->peer != NULL;
}

/* c->ping_at: when the next question or its verdict is due; NEVER: counted from the last byte. */
static uint64_t next_look(const struct peerlet *p, const struct conn *c)
{
    uint64_t quiet_until = after(c->heard_at, silence_ms(p, c));
    return c->ping_at == NEVER ? quiet_until : c->ping_at;
}

static bool is_laden(const struct peerlet *p, const struct conn *c)
{
    bool is_rtc = c->link.kind == LINK_RTC || c->link.kind == LINK_DIRECT;
    return is_rtc && !c->is_cut && c->unanswered > p->limits.flight_least &&
           !is_due(after(c->heard_at, p->limits.liveness_laden_ms), p->now);
}

uint64_t liveness_deadline(const struct peerlet *p, const struct conn *c)
{
    return is_watched(c) ? next_look(p, c) : NEVER;
}

void liveness_ask(struct peerlet *p, struct conn *c)
{
    c->ping_at = after(p->now, p->limits.liveness_answer_ms);
    if (conn_ping(c, p->now))
        return;
    struct session *s = open_session(p, c, SERVICE_PING);
    if (s == NULL)
        return;
    ping_init(machine(s), DIALER, &p->mem, &p->limits, &p->rng, p->limits.negotiate_ms);
    if (ping_send(machine(s), p->now) == 0)
        drain_session(p, s);
}

void liveness_tick(struct peerlet *p, struct conn *c)
{
    if (!is_watched(c) || !is_due(next_look(p, c), p->now))
        return;
    bool was_asked = c->ping_at != NEVER;
    bool heard_since =
        c->heard_at >= (was_asked ? c->ping_at - p->limits.liveness_answer_ms : p->now);
    if (was_asked && heard_since) {
        c->ping_at = NEVER;
        c->pings_missed = 0;
        return;
    }
    c->pings_missed += was_asked && c->pings_missed < 2;
    if (was_asked && c->pings_missed >= 2 && !is_laden(p, c)) {
        conn_end(p, c, ERR_TIMEOUT, view_of_text("the peer stopped answering"));
        return;
    }
    liveness_ask(p, c);
}

/* ---- the ping service ---------------------------------------------------------------------------- */

int ping_accept(struct peerlet *p, struct session *s)
{
    ping_init(machine(s), LISTENER, &p->mem, &p->limits, NULL, 0);
    return 0;
}

void ping_event(struct peerlet *p, struct session *s, const struct protocol_event *ev)
{
    if (ev->type != PING_RTT)
        return;
    struct conn *c = s->stream->conn;
    c->rtt_ms = ev->ping.ms;
    c->unanswered = 0;
    emit(p, &(struct peerlet_output){.type = PEERLET_CONN_RTT, .id = c->id, .value = c->rtt_ms});
    if (s->job != 0)
        emit(p,
             &(struct peerlet_output){.type = PEERLET_PINGED, .id = s->job, .value = ev->ping.ms});
    s->job = 0;
    ping_close(machine(s));
}

void ping_ended(struct peerlet *p, struct session *s, int code)
{
    if (s->job == 0)
        return;
    emit(p, &(struct peerlet_output){
                .type = PEERLET_PINGED, .id = s->job, .code = code ? code : ERR_CLOSED});
    s->job = 0;
}

int peerlet_ping(struct peerlet *p, uint32_t conn, uint32_t *job, uint64_t now)
{
    p->now = now;
    struct conn *c = find_conn(p, conn);
    if (c == NULL || !conn_is_ready(c))
        return fail(p, ERR_NOT_FOUND, "that connection is closed");
    struct session *s = open_session(p, c, SERVICE_PING);
    if (s == NULL)
        return ERR_FULL;
    ping_init(machine(s), DIALER, &p->mem, &p->limits, &p->rng, p->limits.negotiate_ms);
    int rc = ping_send(machine(s), now);
    if (rc != 0) {
        close_session(p, s, rc);
        return fail(p, rc, "%s", err_text(rc));
    }
    s->job = *job = ++p->last_job;
    drain_session(p, s);
    return 0;
}

/* ---- the page -------------------------------------------------------------------------------------- */

/* Every connection is asked now: what slept or was cut off must be found out at once. */
static void ask_all(struct peerlet *p)
{
    uint32_t at = 0;
    struct conn *c;
    while ((c = table_next(&p->conns, &at)) != NULL)
        if (is_watched(c)) {
            c->pings_missed = 1;
            liveness_ask(p, c);
        }
}

void peerlet_page_event(struct peerlet *p, enum peerlet_page_event event, uint64_t now)
{
    p->now = now;
    switch (event) {
    case PEERLET_ONLINE:
    case PEERLET_OFFLINE:
        p->is_offline = event == PEERLET_OFFLINE;
        emit(p, &(struct peerlet_output){.type = PEERLET_NETWORK, .value = !p->is_offline});
        if (!p->is_started)
            return;
        ask_all(p);
        if (!p->is_offline)
            relays_wake(p);
        break;
    case PEERLET_VISIBLE:
    case PEERLET_RESUMED:
    case PEERLET_PAGE_SHOW:
        p->is_left = false;
        if (!p->is_started)
            return;
        ask_all(p);
        relays_wake(p);
        break;
    case PEERLET_HIDDEN:
    case PEERLET_FROZEN:
        break;
    case PEERLET_PAGE_HIDE:
        /* It may never run again: whoever was not told now would wait for an answer for seconds. */
        p->is_left = true;
        close_conns(p);
        break;
    }
    peerlet_tick(p, now);
}

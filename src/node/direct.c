/*
 * From a relayed connection to a direct one.
 *
 *     via ── signaling stream ──▶ offer, answer, candidates ──▶ RTCPeerConnection ──▶ data channels
 *
 * The peer's identity is the one Noise proved on `via`; the DTLS fingerprints travel inside it.
 * specs/webrtc, "Browser to Browser".
 *
 * ICE is never restarted: to every implementation an offer is a new connection, and none answers one
 * for an old. When a direct connection is lost while streams were open on it, its dialer goes back to
 * the relay at once, and the relayed connection is upgraded as the first one was.
 */
#include "node/node.h"

#include "protocols/sdp.h"
#include "protocols/signaling.h"
#include "transport/transport.h"

#define INIT_LABEL "init"
/* The side that was dialled lets the dialer upgrade first, so that they do not meet half way. */
#define UPGRADE_LISTENER_MS 1500

struct rtc *direct_of_conn(const struct peerlet *p, uint32_t conn)
{
    LIST_EACH(node, &p->rtcs) {
        struct rtc *r = LIST_OWNER(node, struct rtc, in_node);
        if (r->conn == conn || (r->via == conn && r->stream != 0))
            return r;
    }
    return NULL;
}

static struct rtc *rtc_of_link(const struct peerlet *p, uint32_t link)
{
    LIST_EACH(node, &p->rtcs) {
        struct rtc *r = LIST_OWNER(node, struct rtc, in_node);
        if (r->conn == link)
            return r;
    }
    return NULL;
}

struct rtc *direct_of_peer(const struct peerlet *p, const struct peer *peer)
{
    LIST_EACH(node, &p->rtcs) {
        struct rtc *r = LIST_OWNER(node, struct rtc, in_node);
        struct conn *c = find_conn(p, r->conn);
        if (c != NULL && !r->is_ready && peer_id_equal(&c->expected, &peer->id))
            return r;
    }
    return NULL;
}

static void rtc_free(struct peerlet *p, struct rtc *r)
{
    list_remove(&r->in_node);
    mem_free(&p->mem, r);
}

static struct signaling *signaling_of(struct peerlet *p, const struct rtc *r, struct session **s)
{
    struct stream *stream = find_stream(p, r->stream);
    if (stream == NULL || stream->state == STREAM_DEAD || stream->use != USE_SESSION)
        return NULL;
    *s = stream->user;
    return machine(*s);
}

/* ---- beginning ------------------------------------------------------------------------------- */

/* What peers begin takes nothing from what we do. */
bool rtc_may_begin(struct peerlet *p, enum role role)
{
    uint32_t under_way = 0, live = 0, at = 0;
    const struct conn *c;
    while ((c = table_next(&p->conns, &at)) != NULL) {
        if (c->link.kind != LINK_RTC && c->link.kind != LINK_DIRECT)
            continue;
        live++;
        under_way += c->role == role && !conn_is_ready(c);
    }
    if (is_due(p->rtc_minute_at, p->now)) {
        p->rtc_minute_at = after(p->now, 60000);
        p->rtc_this_minute[DIALER] = p->rtc_this_minute[LISTENER] = 0;
    }
    uint32_t live_max = p->limits.rtc_live - (role == LISTENER ? p->limits.rtc_live / 4 : 0);
    if (under_way >= p->limits.rtc_handshakes || live >= live_max ||
        p->rtc_this_minute[role] >= p->limits.rtc_per_minute) {
        fail(p, ERR_FULL, "too many WebRTC connections are being set up; try again in a minute");
        return false;
    }
    p->rtc_this_minute[role]++;
    return true;
}

static struct rtc *rtc_new(struct peerlet *p, struct conn *via, enum role role, struct view address)
{
    if (!rtc_may_begin(p, role))
        return NULL;
    struct rtc *r = mem_alloc(&p->mem, sizeof *r);
    struct conn *c = r ? conn_create(p, LINK_RTC, role, &via->peer->id, address) : NULL;
    if (c == NULL) {
        mem_free(&p->mem, r);
        return NULL;
    }
    c->upgrade_until = NEVER;
    r->conn = c->id;
    r->via = via->id;
    r->role = role;
    r->until = after(p->now, p->limits.rtc_ms);
    list_add(&p->rtcs, &r->in_node);
    emit(p, &(struct peerlet_output){.type = PEERLET_OPEN_RTC, .id = c->id, .value = role});
    return r;
}

struct rtc *direct_start(struct peerlet *p, struct conn *via, struct view address)
{
    struct rtc *r = rtc_new(p, via, DIALER, address);
    if (r == NULL)
        return NULL;
    struct session *s = open_session(p, via, SERVICE_SIGNALING);
    if (s == NULL) {
        conn_end(p, find_conn(p, r->conn), ERR_TRANSPORT, peerlet_reason(p));
        return NULL;
    }
    s->job = r->conn;
    r->stream = s->stream->id;
    signaling_init(machine(s), DIALER, &p->mem, &p->limits, p->now);
    /* Without a channel the offer would have no section for data, and nothing to gather for. */
    r->init_channel = ++p->last_stream;
    emit(p, &(struct peerlet_output){.type = PEERLET_OPEN_CHANNEL,
                                     .id = r->conn,
                                     .channel = r->init_channel,
                                     .text = view_of_text(INIT_LABEL)});
    emit(p, &(struct peerlet_output){.type = PEERLET_RTC_OFFER, .id = r->conn});
    return r;
}

int signaling_accept(struct peerlet *p, struct session *s)
{
    if (!p->listens_webrtc || s->stream->conn->peer == NULL)
        return ERR_UNSUPPORTED;
    signaling_init(machine(s), LISTENER, &p->mem, &p->limits, p->now);
    return 0;
}

static void move_dials(struct peerlet *p, uint32_t from, uint32_t to)
{
    LIST_EACH(node, &p->dialer.dials) {
        struct dial *dial = LIST_OWNER(node, struct dial, in_dialer);
        for (size_t i = 0; i < dial->count; i++)
            if (dial->targets[i].conn == from)
                dial->targets[i].conn = to;
    }
}

/* Both sides have offered: the one with the greater Peer ID takes the other's offer instead. */
static void give_way(struct peerlet *p, const struct peer *peer, const struct rtc *theirs)
{
    if (view_compare(peer_id_view(&p->self), peer_id_view(&peer->id)) < 0)
        return;
    LIST_EACH(node, &p->rtcs) {
        struct rtc *ours = LIST_OWNER(node, struct rtc, in_node);
        struct conn *c = find_conn(p, ours->conn);
        if (ours == theirs || c == NULL || ours->is_connected || ours->role != DIALER ||
            !peer_id_equal(&c->expected, &peer->id))
            continue;
        move_dials(p, ours->conn, theirs->conn);
        conn_end(p, c, ERR_ABORTED, view_of_text("the peer offered at the same time"));
        return;
    }
}

static void offered(struct peerlet *p, struct session *s, struct view sdp)
{
    struct conn *via = s->stream->conn;
    if (!is_due(via->peer->offers_at, p->now)) {
        close_session(p, s, ERR_FULL);
        return;
    }
    via->peer->offers_at = after(p->now, p->limits.rtc_per_peer_ms);
    uint8_t bytes[MULTIADDR_MAX_LEN];
    struct writer w = writer_of(bytes, sizeof bytes);
    put_uvarint(&w, MULTIADDR_WEBRTC);
    put_uvarint(&w, MULTIADDR_P2P);
    put_delimited(&w, peer_id_view(&via->peer->id));
    struct rtc *r = rtc_new(p, via, LISTENER, writer_view(&w));
    if (r == NULL) {
        close_session(p, s, ERR_FULL);
        return;
    }
    s->job = r->conn;
    r->stream = s->stream->id;
    emit(p, &(struct peerlet_output){.type = PEERLET_RTC_REMOTE, .id = r->conn, .text = sdp});
    give_way(p, via->peer, r);
}

/* ---- signaling ------------------------------------------------------------------------------- */

void signaling_event(struct peerlet *p, struct session *s, const struct protocol_event *ev)
{
    struct view text = ev->signaling.text;
    if (ev->type == SIGNALING_OFFER) {
        offered(p, s, text);
        return;
    }
    if (rtc_of_link(p, s->job) == NULL)
        return;
    if (ev->type == SIGNALING_ANSWER)
        emit(p, &(struct peerlet_output){
                    .type = PEERLET_RTC_REMOTE, .id = s->job, .value = 1, .text = text});
    else if (ev->type == SIGNALING_CANDIDATE)
        emit(p,
             &(struct peerlet_output){.type = PEERLET_RTC_CANDIDATE, .id = s->job, .text = text});
}

void signaling_ended(struct peerlet *p, struct session *s, int code)
{
    struct rtc *r = rtc_of_link(p, s->job);
    if (r == NULL || r->stream != s->stream->id)
        return;
    r->stream = 0;
    struct conn *c = find_conn(p, r->conn);
    if (code != 0 && !r->is_connected && c != NULL)
        conn_end(p, c, code,
                 view_of_text(code == ERR_UNSUPPORTED ? "the peer does not speak WebRTC signaling"
                                                      : "the peer ended the WebRTC handshake"));
}

/* ---- to a server, where nobody signals: specs/webrtc-direct ----------------------------------- */

int rtc_dial_server(struct peerlet *p, struct conn *c)
{
    static const char ICE[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t name[WEBRTC_DIRECT_UFRAG_LEN];
    struct writer w = writer_of(name, sizeof name);
    int rc = conn_add_first_channel(c);
    if (rc != 0)
        return rc;
    put_text(&w, WEBRTC_DIRECT_UFRAG_V1);
    rng_fill(&p->rng, name + w.len, sizeof name - w.len);
    for (size_t i = w.len; i < sizeof name; i++)
        name[i] = (uint8_t)ICE[name[i] % 64];
    emit(p, &(struct peerlet_output){.type = PEERLET_OPEN_RTC, .id = c->id, .value = DIALER});
    emit(p,
         &(struct peerlet_output){
             .type = PEERLET_OPEN_CHANNEL, .id = c->id, .channel = c->first_channel, .value = 1});
    emit(p, &(struct peerlet_output){
                .type = PEERLET_RTC_OFFER, .id = c->id, .text = view_of(name, sizeof name)});
    return 0;
}

/* The answer that the server would give, made out of its address and our own offer. */
static int answer_for_server(struct peerlet *p, struct conn *c, struct view text)
{
    uint8_t candidate[96], prologue[96], digests[2 * CERTHASH_LEN];
    uint8_t name[WEBRTC_DIRECT_UFRAG_MAX], answer[1024];
    struct writer cand = writer_of(candidate, sizeof candidate);
    struct writer pro = writer_of(prologue, sizeof prologue);
    struct writer server = writer_of(digests, sizeof digests);
    struct writer ufrag = writer_of(name, sizeof name), w = writer_of(answer, sizeof answer);
    struct sdp sdp;
    int rc = c->state == CONN_OPENING ? sdp_parse(text, SDP_OFFER, &p->limits, &sdp) : ERR_CLOSED;
    if (rc == 0)
        rc = webrtc_direct_candidate(conn_address(c), &cand);
    if (rc == 0)
        rc = webrtc_direct_prologue(conn_address(c), sdp.fingerprint, &pro);
    if (rc == 0)
        rc = transport_certhashes(conn_address(c), &server);
    if (rc == 0)
        rc = conn_secure(c, LISTENER, writer_view(&pro)); /* the server begins */
    if (rc != 0)
        return rc;
    struct view v1 = view_of_text(WEBRTC_DIRECT_UFRAG_V1);
    bool is_v1 = sdp.ufrag.len > v1.len && view_equal(view_of(sdp.ufrag.data, v1.len), v1) &&
                 view_equal(sdp.ufrag, sdp.pwd);
    put_text(&ufrag, is_v1 ? "" : WEBRTC_DIRECT_UFRAG_V2);
    put(&ufrag, sdp.pwd);
    sdp.ufrag = sdp.pwd = writer_view(&ufrag);
    memcpy(sdp.fingerprint, digests, sizeof sdp.fingerprint);
    sdp.setup = SDP_PASSIVE;
    sdp.max_message_size = DATACHANNEL_FRAME_MAX;
    sdp.candidates[0] = writer_view(&cand);
    sdp.candidate_count = 1;
    sdp.is_lite = true;
    sdp_format(&sdp, &w);
    if (ufrag.failed || w.failed)
        return ERR_TOO_BIG;
    emit(p, &(struct peerlet_output){
                .type = PEERLET_RTC_REMOTE, .id = c->id, .value = 1, .text = writer_view(&w)});
    return 0;
}

void peerlet_rtc_description(struct peerlet *p, uint32_t link, struct view sdp, uint64_t now)
{
    p->now = now;
    struct conn *c = find_conn(p, link);
    if (c != NULL && c->link.kind == LINK_DIRECT) {
        int failed = answer_for_server(p, c, sdp);
        if (failed != 0)
            conn_end(p, c, failed, view_of_text("the browser's offer is of no use here"));
        return;
    }
    struct rtc *r = rtc_of_link(p, link);
    struct session *s;
    struct signaling *signaling = r ? signaling_of(p, r, &s) : NULL;
    if (signaling == NULL)
        return;
    int rc = r->role == DIALER ? signaling_offer(signaling, sdp) : signaling_answer(signaling, sdp);
    if (rc != 0)
        close_session(p, s, rc);
    else
        drain_session(p, s);
}

void peerlet_rtc_candidate(struct peerlet *p, uint32_t link, struct view json, uint64_t now)
{
    p->now = now;
    struct rtc *r = rtc_of_link(p, link);
    struct session *s;
    struct signaling *signaling = r ? signaling_of(p, r, &s) : NULL;
    if (signaling == NULL || json.len == 0 || signaling_candidate(signaling, json) != 0)
        return;
    drain_session(p, s);
}

/* ---- the connection --------------------------------------------------------------------------- */

static void finish_signaling(struct peerlet *p, struct rtc *r)
{
    struct session *s;
    struct signaling *signaling = signaling_of(p, r, &s);
    if (signaling == NULL)
        return;
    signaling_close(signaling);
    drain_session(p, s);
}

/*
 * The dialer's first channel has made the offer possible, and the dialer closes it. js-libp2p waits for
 * ever for it to open if the listener is faster; and for ever for its end if the listener, which then
 * is Firefox, overlooks the close because it comes right behind the channel: so we close it too, later.
 */
static void close_init(struct peerlet *p, struct rtc *r)
{
    if (r->init_channel != 0)
        emit(p, &(struct peerlet_output){
                    .type = PEERLET_CLOSE_CHANNEL, .id = r->conn, .channel = r->init_channel});
    r->init_channel = 0;
    r->until = NEVER;
}

/* ICE and DTLS are up, and what the dialer's first channel was for is done. */
static void become_ready(struct peerlet *p, struct rtc *r)
{
    struct conn *c = find_conn(p, r->conn);
    if (r->is_ready || c == NULL)
        return;
    r->is_ready = true;
    r->until = r->init_channel == 0 ? NEVER : after(p->now, p->limits.rtc_init_ms);
    uint32_t link = r->conn;
    conn_ready_native(c, p->now);
    conn_established(p, c);
    r = rtc_of_link(p, link); /* it is gone when the peer has too many */
    if (r != NULL)
        finish_signaling(p, r);
}

static void check_ready(struct peerlet *p, struct rtc *r)
{
    if (!r->is_connected || (r->role == DIALER && !r->init_open))
        return;
    if (r->role == DIALER)
        close_init(p, r);
    become_ready(p, r);
}

void peerlet_rtc_state(struct peerlet *p, uint32_t link, enum peerlet_rtc_state state, uint64_t now)
{
    p->now = now;
    struct rtc *r = rtc_of_link(p, link);
    struct conn *c = find_conn(p, link);
    if (c == NULL || (r == NULL && c->link.kind != LINK_DIRECT))
        return;
    switch (state) {
    case PEERLET_RTC_CONNECTED:
        c->is_cut = false;
        c->ping_at = NEVER;
        c->pings_missed = 0;
        if (r != NULL) {
            r->is_connected = true;
            check_ready(p, r);
        }
        break;
    case PEERLET_RTC_DISCONNECTED:
        /* It may come back by itself; ask the peer now instead of after the usual silence. */
        c->is_cut = true;
        if (conn_is_ready(c) && c->ping_at == NEVER)
            liveness_ask(p, c);
        break;
    case PEERLET_RTC_FAILED:
        conn_end(p, c, ERR_TRANSPORT,
                 view_of_text(r == NULL
                                  ? "no UDP came through, or the certificate is another than "
                                    "the address says"
                                  : "the browsers cannot reach each other directly; a firewall or "
                                    "NAT is in the way: try a TURN server in rtcConfiguration"));
        break;
    }
}

/* The channel that only made the offer possible; true when it was that one. */
static bool init_opened(struct peerlet *p, struct rtc *r, uint32_t channel)
{
    if (channel != r->init_channel || channel == 0)
        return false;
    r->init_open = true;
    check_ready(p, r);
    return true;
}

void peerlet_link_opened(struct peerlet *p, uint32_t link, uint32_t channel, size_t room,
                         uint64_t now)
{
    p->now = now;
    struct conn *c = find_conn(p, link);
    struct rtc *r = rtc_of_link(p, link);
    if (c == NULL || (r != NULL && init_opened(p, r, channel)))
        return;
    conn_mark(p, c);
    if (channel != 0)
        conn_channel_opened(c, channel, room);
    else if (c->state == CONN_OPENING && r == NULL && c->link.kind != LINK_DIRECT &&
             conn_opened(c, room, now) != 0)
        conn_end(p, c, ERR_NOMEM, view_of_text(err_text(ERR_NOMEM)));
}

uint32_t peerlet_channel_incoming(struct peerlet *p, uint32_t link, struct view label, size_t room,
                                  uint64_t now)
{
    p->now = now;
    struct conn *c = find_conn(p, link);
    struct rtc *r = rtc_of_link(p, link);
    if (c == NULL || !link_has_channels(c->link.kind) ||
        (c->link.kind == LINK_SESSION && !conn_is_ready(c)))
        return 0;
    if (r != NULL && view_equals_text(label, INIT_LABEL)) {
        if (r->is_ready)
            r->until = after(now, p->limits.rtc_init_ms);
        return r->init_channel = ++p->last_stream;
    }
    /* A channel of the peer's is proof enough that the connection is up. */
    if (r != NULL) {
        r->is_connected = true;
        become_ready(p, r);
    }
    uint32_t id = ++p->last_stream;
    if (find_conn(p, link) == NULL || conn_channel_incoming(c, id, room, now) != 0)
        return 0;
    conn_mark(p, c);
    return id;
}

void direct_conn_down(struct peerlet *p, struct conn *c)
{
    struct rtc *r = rtc_of_link(p, c->id);
    if (r == NULL)
        return;
    struct session *s;
    if (signaling_of(p, r, &s) != NULL && !r->is_ready) {
        s->job = 0;
        close_session(p, s, ERR_ABORTED);
    }
    rtc_free(p, r);
}

/* ---- upgrades --------------------------------------------------------------------------------- */

static struct upgrade *upgrade_of(const struct peerlet *p, const struct peer *peer)
{
    LIST_EACH(node, &p->upgrades) {
        struct upgrade *u = LIST_OWNER(node, struct upgrade, in_node);
        if (u->peer == peer)
            return u;
    }
    return NULL;
}

static void upgrade_free(struct peerlet *p, struct upgrade *u)
{
    list_remove(&u->in_node);
    u->peer->held--;
    mem_free(&p->mem, u);
}

static void want_upgrade(struct peerlet *p, struct peer *peer, uint64_t at, bool dials)
{
    struct upgrade *u = upgrade_of(p, peer);
    if (u == NULL) {
        u = mem_alloc(&p->mem, sizeof *u);
        if (u == NULL)
            return;
        u->peer = peer;
        peer->held++;
        list_add(&p->upgrades, &u->in_node);
    }
    u->at = at;
    u->tries = 0;
    u->dials = dials;
}

static uint64_t upgrade_at(const struct peerlet *p, const struct conn *c)
{
    return c->role == DIALER ? p->now : after(p->now, UPGRADE_LISTENER_MS);
}

void upgrade_relayed(struct peerlet *p, struct conn *c)
{
    if (c->link.kind == LINK_RELAYED && !upgrade_of(p, c->peer) && unrelayed_conn(p, c->peer) == NULL)
        want_upgrade(p, c->peer, upgrade_at(p, c), false);
}

/* What worked for a while deserves another attempt at once; what did not must not begin and end in turns. */
void direct_missed(struct peerlet *p, const struct conn *c, struct peer *peer)
{
    uint32_t while_ms = p->limits.direct_retry_ms[0];
    bool has_worked = is_due(after(c->opened_at, while_ms), p->now);
    uint64_t later = after(p->now, while_ms - rng_below(&p->rng, while_ms / 4));
    want_upgrade(p, peer, has_worked ? upgrade_at(p, c) : later, true);
}

/* The relayed address with /webrtc put behind /p2p-circuit. */
static struct view webrtc_address(const struct conn *via, struct writer *w)
{
    struct view rest = conn_address(via);
    struct multiaddr_part part;
    while (multiaddr_next(&rest, &part) == 1) {
        put(w, part.whole);
        if (part.code == MULTIADDR_P2P_CIRCUIT)
            put_uvarint(w, MULTIADDR_WEBRTC);
    }
    return writer_view(w);
}

static void try_upgrade(struct peerlet *p, struct upgrade *u)
{
    struct conn *via = best_conn(p, u->peer, false);
    if (via == NULL && u->dials)
        dial_in_background(p, u->peer);
    if (via == NULL || via->link.kind != LINK_RELAYED || !(p->services & PEERLET_WEBRTC)) {
        upgrade_free(p, u);
        return;
    }
    u->at = after(p->now, p->limits.direct_retry_ms[u->tries]);
    if (u->tries + 1u < ARRAY_LEN(p->limits.direct_retry_ms))
        u->tries++;
    bool known_deaf = u->peer->protocols && !peer_speaks(u->peer, SIGNALING_OPS.name);
    if (known_deaf || direct_of_peer(p, u->peer))
        return;
    uint8_t bytes[MULTIADDR_MAX_LEN];
    struct writer w = writer_of(bytes, sizeof bytes);
    direct_start(p, via, webrtc_address(via, &w));
}

void direct_tick(struct peerlet *p)
{
    LIST_EACH(node, &p->rtcs) {
        struct rtc *r = LIST_OWNER(node, struct rtc, in_node);
        struct conn *c = find_conn(p, r->conn);
        if (c == NULL || !is_due(r->until, p->now))
            continue;
        if (r->is_ready) {
            close_init(p, r);
            continue;
        }
        conn_end(p, c, ERR_TIMEOUT, view_of_text("the WebRTC handshake took too long"));
        break; /* others may have gone with it; they are due at the next tick */
    }
    LIST_EACH(node, &p->upgrades) {
        struct upgrade *u = LIST_OWNER(node, struct upgrade, in_node);
        if (is_due(u->at, p->now))
            try_upgrade(p, u);
    }
}

uint64_t direct_deadline(const struct peerlet *p)
{
    uint64_t at = NEVER;
    LIST_EACH(node, &p->rtcs)
        at = earlier(at, LIST_OWNER(node, struct rtc, in_node)->until);
    LIST_EACH(node, &p->upgrades)
        at = earlier(at, LIST_OWNER(node, struct upgrade, in_node)->at);
    return at;
}

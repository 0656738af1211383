/*
 * The gossipsub router on streams: one stream of ours to each direct peer, one of theirs to us. On
 * top of it, pubsub peer discovery.
 */
#include "node/node.h"

#include "multiformats/envelope.h"
#include "protocols/peer_discovery.h"

/* How much may wait in a stream before the router keeps the rest: it can still drop what is old. */
#define RPC_AHEAD (64u << 10)
#define ADDRESSES_MAX 32
/* /p2p/<Peer ID> */
#define TAIL_MAX 64
/* A lost stream is opened again after a second, four, sixteen, and then every minute or so for ever;
 * rust refuses those behind the fifth, which does no harm. One that lasted a minute was well. */
#define RPC_AGAIN_MS 1000
#define RPC_PAUSES 4
#define RPC_WELL_MS 60000
/* js-libp2p opens its stream when one of ours arrives, and only where it has none: when its own went
 * down with a connection that gave way to a better one, ours is opened anew. It may learn of that a
 * little later than we. */
#define RPC_ANSWER_MS 100

static struct stream *rpc_stream(const struct peer *peer, enum use use)
{
    LIST_EACH(node, &peer->conns) {
        struct conn *c = LIST_OWNER(node, struct conn, in_peer);
        LIST_EACH(at, &c->streams) {
            struct stream *s = LIST_OWNER(at, struct stream, in_conn);
            if (s->use == use && s->state != STREAM_DEAD)
                return s;
        }
    }
    return NULL;
}

static void try_again_at(struct peerlet *p, struct peer *peer, uint64_t at)
{
    peer->rpc_at = at;
    p->rpc_at = earlier(p->rpc_at, at);
}

static void try_again_later(struct peerlet *p, struct peer *peer)
{
    try_again_at(p, peer, after(p->now, (uint64_t)RPC_AGAIN_MS << (2 * peer->rpc_tries)));
    if (peer->rpc_tries + 1 < RPC_PAUSES)
        peer->rpc_tries++;
}

/*
 * One stream each way: a newer one takes the place of the older. Ours is closed, not reset: for a
 * reset js-libp2p forgets us, and with us the newer stream. One that waits for the peer is enough.
 */
static void drop_others(struct peerlet *p, const struct stream *kept)
{
    LIST_EACH(node, &kept->conn->peer->conns) {
        struct conn *c = LIST_OWNER(node, struct conn, in_peer);
        LIST_EACH(at, &c->streams) {
            struct stream *s = LIST_OWNER(at, struct stream, in_conn);
            if (s == kept || s->state == STREAM_DEAD)
                continue;
            if (s->use == USE_RPC_OUT && kept->use == USE_RPC_OUT) {
                stream_close_write(s);
                s->use = USE_RPC_OLD;
            } else if (s->use == kept->use || (s->use == USE_RPC_OLD && kept->use == USE_RPC_OUT))
                stream_reset(s, ERR_CLOSED);
            conn_mark(p, c);
        }
    }
}

/* The first part of its address: of a page's that is its relay, however it was reached in the end. */
static struct view host_of(const struct conn *c)
{
    struct view rest = view_of(c->address, c->address_len);
    struct multiaddr_part host = {0};
    return multiaddr_next(&rest, &host) == 1 ? host.value : view_of(NULL, 0);
}

static bool begins(struct view agent, const char *with)
{
    size_t len = strlen(with);
    return agent.len >= len && memcmp(agent.data, with, len) == 0;
}

void gossip_identified(struct peer *peer, struct view agent)
{
    if (begins(agent, "rust-libp2p"))
        peer->message_ids = GOSSIPSUB_ID_TEXT;
    else if (begins(agent, "go-libp2p") || begins(agent, "kubo"))
        peer->message_ids = GOSSIPSUB_ID_SPEC;
}

/* False when there is no room for the peer: then its stream is of no use. */
static bool join_router(struct peerlet *p, struct stream *s, enum gossipsub_version version)
{
    const struct conn *c = s->conn;
    struct peer *peer = c->peer;
    int rc = gossipsub_add_peer(&p->gossip, peer->number, &peer->id, version, c->role, host_of(c));
    if (rc < 0) {
        stream_reset(s, rc);
        conn_mark(p, s->conn);
    }
    if (peer->is_explicit)
        gossipsub_set_explicit(&p->gossip, peer->number);
    if (peer->message_ids != 0)
        gossipsub_set_form(&p->gossip, peer->number, (enum gossipsub_message_id)peer->message_ids);
    return rc == 0;
}

static void dial_explicit(struct peerlet *p)
{
    p->explicit_at = NEVER;
    LIST_EACH(node, &p->peers.use_order) {
        struct peer *peer = LIST_OWNER(node, struct peer, in_use_order);
        if (!peer->is_explicit)
            continue;
        if (p->gossip.config.explicit_ms > 0)
            p->explicit_at = after(p->now, p->gossip.config.explicit_ms);
        dial_in_background(p, peer);
    }
}

void gossip_accept(struct peerlet *p, struct stream *s, enum gossipsub_version version)
{
    if (s->conn->peer == NULL || !join_router(p, s, version))
        return;
    drop_others(p, s);
    if (rpc_stream(s->conn->peer, USE_RPC_OUT) != NULL)
        s->conn->peer->rpc_at = 0;
    gossipsub_hear(&p->gossip, s->conn->peer->number);
}

/* With one name that the peer told us of there is no answer to wait for. */
static void greet(struct peerlet *p, struct stream *s, enum gossipsub_version version)
{
    if (!join_router(p, s, version))
        return;
    drop_others(p, s);
    gossipsub_greet(&p->gossip, s->conn->peer->number, version, p->now);
}

bool gossip_is_allowed(const struct peerlet *p, const struct conn *c)
{
    return p->has_gossip && (!c->is_limited || p->gossip_on_limited);
}

void gossip_conn_up(struct peerlet *p, struct conn *c)
{
    struct peer *peer = c->peer;
    if (!gossip_is_allowed(p, c) || peer == NULL || c->is_closing)
        return;
    enum gossipsub_version version;
    struct view protocol = rpc_protocol_of(p, peer, &version);
    struct stream *old = rpc_stream(peer, USE_RPC_OUT);
    bool is_better =
        old == NULL || (old->conn->link.kind == LINK_RELAYED && c->link.kind != LINK_RELAYED);
    bool is_asking = old != NULL && peer->rpc_at != 0 && is_due(peer->rpc_at, p->now);
    if (protocol.len == 0 || !(is_better || is_asking))
        return;
    int rc;
    struct stream *s = conn_open_stream(c, protocol, &rc, p->now);
    if (s != NULL && table_add(&p->streams, s->id, s) == 0) {
        s->use = USE_RPC_OUT;
        peer->rpc_at = 0;
        if (is_asking)
            try_again_later(p, peer);
        conn_mark(p, c);
        greet(p, s, version);
        return;
    }
    if (s != NULL)
        stream_reset(s, ERR_NOMEM);
    try_again_later(p, peer);
}

void gossip_stream_down(struct peerlet *p, struct stream *s)
{
    struct peer *peer = s->conn->peer;
    if (peer == NULL || rpc_stream(peer, s->use) != NULL)
        return;
    if (s->use == USE_RPC_IN) {
        if (rpc_stream(peer, USE_RPC_OUT) != NULL && peer->rpc_at == 0)
            try_again_at(p, peer, after(p->now, RPC_ANSWER_MS));
        return;
    }
    gossipsub_silence(&p->gossip, peer->number, p->now);
    if (is_due(after(s->deadline, RPC_WELL_MS), p->now))
        peer->rpc_tries = 0;
    struct conn *other = best_conn(p, peer, !p->gossip_on_limited);
    if (other != NULL && other != s->conn)
        gossip_conn_up(p, other);
    else
        try_again_later(p, peer);
}

static void reopen_lost(struct peerlet *p)
{
    uint32_t at = 0;
    struct conn *c;
    if (!is_due(p->rpc_at, p->now))
        return;
    p->rpc_at = NEVER;
    while ((c = table_next(&p->conns, &at)) != NULL)
        if (c->peer != NULL && conn_is_ready(c) && c->peer->rpc_at != 0) {
            struct conn *best = best_conn(p, c->peer, !p->gossip_on_limited);
            if (!is_due(c->peer->rpc_at, p->now))
                p->rpc_at = earlier(p->rpc_at, c->peer->rpc_at);
            else if (best != NULL)
                gossip_conn_up(p, best);
        }
}

void gossip_conn_down(struct peerlet *p, struct conn *c)
{
    if (!p->has_gossip)
        return;
    struct conn *other = best_conn(p, c->peer, !p->gossip_on_limited);
    if (other == NULL) {
        gossipsub_remove_peer(&p->gossip, c->peer->number, p->now);
        c->peer->rpc_tries = 0;
        c->peer->rpc_at = 0;
    } else if (rpc_stream(c->peer, USE_RPC_OUT) == NULL)
        gossip_conn_up(p, other);
}

/* ---- who else is there ----------------------------------------------------------------------------------- */

static bool is_discovery_topic(const struct peerlet *p, struct view topic)
{
    struct cursor topics = cursor_of(buf_view(&p->discovery.topics));
    while (topics.rest.len > 0)
        if (view_equal(topic, take_delimited(&topics, SIZE_MAX)))
            return true;
    return false;
}

/* js drops the whole message for want of /p2p/<self> at the end of an address. */
static void name_ourselves(const struct peerlet *p, struct views *addresses, struct writer *w)
{
    for (size_t i = 0; i < addresses->count; i++) {
        size_t begun = w->len;
        put(w, addresses->at[i]);
        put_uvarint(w, MULTIADDR_P2P);
        put_delimited(w, peer_id_view(&p->self));
        addresses->at[i] = view_of(w->data + begun, w->len - begun);
    }
    if (w->failed)
        addresses->count = 0;
}

void discovery_announce(struct peerlet *p)
{
    struct discovery *d = &p->discovery;
    if (d->topics.len == 0 || d->listen_only || !p->is_started)
        return;
    d->next_at = after(p->now, rng_jitter(&p->rng, d->interval_ms));
    struct view at[ADDRESSES_MAX];
    struct views addresses = {.at = at, .room = ARRAY_LEN(at)};
    self_addresses(p, &addresses);
    if (addresses.count == 0)
        return;
    struct buf out, full;
    buf_init(&out, &p->mem, p->limits.message);
    buf_init(&full, &p->mem, p->limits.message);
    size_t room = p->text.len + addresses.count * TAIL_MAX;
    struct writer w = writer_of(buf_reserve(&full, room), room);
    if (w.data == NULL)
        addresses.count = 0;
    else
        name_ourselves(p, &addresses, &w);
    if (addresses.count > 0 &&
        peer_discovery_append(&out, view_of(p->public_key, sizeof p->public_key), &addresses) ==
            0) {
        struct cursor topics = cursor_of(buf_view(&d->topics));
        while (topics.rest.len > 0) {
            int rc = gossipsub_publish(&p->gossip, take_delimited(&topics, SIZE_MAX),
                                       buf_view(&out), GOSSIPSUB_TO_ALL, NULL, p->now);
            if (rc < 0 && rc != ERR_NO_PEERS)
                log_line(&p->log, LOG_DEBUG, "announcement: %s", err_text(rc));
        }
    }
    buf_free(&full);
    buf_free(&out);
}

static void discovered(struct peerlet *p, const struct peer_id *id, const struct views *addresses,
                       enum peerlet_source source)
{
    struct peer *peer = peer_id_equal(id, &p->self) ? NULL : addrbook_add(&p->peers, id);
    if (peer == NULL)
        return;
    for (size_t i = 0; i < addresses->count; i++)
        peer_add_address(&p->peers, peer, addresses->at[i], false, p->now);
    struct peer_text name = peer_text(id);
    emit(p, &(struct peerlet_output){.type = PEERLET_PEER_DISCOVERED,
                                     .peer = peer_text_view(&name),
                                     .data = peerlet_peer_addresses(p, peer_text_view(&name)),
                                     .value = source});
    /* A newcomer does not know us yet, so whoever hears of it dials. */
    if (!p->no_auto_dial)
        dial_in_background(p, peer);
    peer->is_announced = true;
}

static void on_announcement(struct peerlet *p, const struct gossipsub_event *ev)
{
    struct view at[ADDRESSES_MAX];
    struct views addresses = {.at = at, .room = ARRAY_LEN(at)};
    struct peer_id id;
    if (peer_discovery_parse(ev->data, &p->limits, &id, &addresses) == 0 &&
        view_equal(peer_id_view(&id), ev->from))
        discovered(p, &id, &addresses, PEERLET_FROM_PUBSUB);
}

/* Whoever names a peer must have its signature for where it is. */
static void on_peers(struct peerlet *p, struct rpc_ids infos)
{
    struct view at[ADDRESSES_MAX], info;
    for (uint32_t i = 0; i < p->limits.px_peers && rpc_next_id(&infos, &info); i++) {
        struct peer_record record = {.addresses = {.at = at, .room = ARRAY_LEN(at)}};
        struct rpc_peer told;
        if (rpc_peer_parse(info, &told) == 0 &&
            peer_record_open(told.record, &p->mem, &record) == 0 &&
            view_equal(peer_id_view(&record.peer), told.id))
            discovered(p, &record.peer, &record.addresses, PEERLET_FROM_PX);
    }
}

static int needs_gossip(struct peerlet *p, uint64_t now)
{
    p->now = now;
    return p->has_gossip ? 0 : fail(p, ERR_BAD_ARGUMENT, "services has no gossipsub()");
}

int peerlet_discover(struct peerlet *p, struct view topic, uint32_t interval_ms, bool listen_only,
                     uint64_t now)
{
    int rc = needs_gossip(p, now);
    if (rc != 0)
        return rc;
    struct discovery *d = &p->discovery;
    size_t room = topic.len + UVARINT_MAX_LEN;
    struct writer w = writer_of(buf_reserve(&d->topics, room), room);
    if (w.data == NULL)
        return fail(p, ERR_NOMEM, "out of memory");
    put_delimited(&w, topic);
    buf_commit(&d->topics, w.len);
    d->interval_ms = interval_ms ? interval_ms : 10000;
    d->listen_only = listen_only;
    d->next_at = now;
    return gossipsub_subscribe(&p->gossip, topic, now);
}

/* ---- up -------------------------------------------------------------------------------------------- */

static void tell_of_topic(struct peerlet *p, enum peerlet_output_type type,
                          const struct gossipsub_event *ev)
{
    struct peer_text id = peer_text(&ev->peer);
    emit(p, &(struct peerlet_output){
                .type = type, .peer = peer_text_view(&id), .text = ev->topic, .value = ev->value});
}

static bool on_message(struct peerlet *p, const struct gossipsub_event *ev,
                       struct peerlet_output *out)
{
    bool is_message = ev->type == GOSSIPSUB_MESSAGE;
    if (is_message && is_discovery_topic(p, ev->topic)) {
        on_announcement(p, ev);
        if (ev->job != 0)
            gossipsub_judge(&p->gossip, ev->job, GOSSIPSUB_ACCEPT, p->now);
        return false;
    }
    struct peer_id from = {0};
    p->author.len = 0;
    if (ev->from.len > 0 && peer_id_parse(ev->from, &from) == 0)
        p->author = peer_text(&from);
    *out = (struct peerlet_output){
        .type = is_message ? PEERLET_MESSAGE : PEERLET_NAME,
        .id = ev->via,
        .value = ev->job,
        .peer = peer_text_view(&p->author),
        .text = ev->topic,
        .data = ev->data,
        .extra = ev->seqno,
        .more = ev->signature,
        .key = ev->key,
    };
    p->has_direct = true;
    return true;
}

static void on_router_event(struct peerlet *p, const struct gossipsub_event *ev,
                            struct peerlet_output *out)
{
    switch (ev->type) {
    case GOSSIPSUB_MESSAGE:
    case GOSSIPSUB_NAME:
        on_message(p, ev, out);
        break;
    case GOSSIPSUB_SUBSCRIPTION:
        tell_of_topic(p, PEERLET_SUBSCRIPTION, ev);
        if (ev->value && is_discovery_topic(p, ev->topic))
            p->discovery.next_at = p->now;
        break;
    case GOSSIPSUB_NEWS:
        tell_of_topic(p, PEERLET_MESH, ev);
        break;
    case GOSSIPSUB_PEERS:
        on_peers(p, ev->peers);
        break;
    case GOSSIPSUB_VERIFY:
        if (!order_verify(p, 0, ev->job, &ev->public_key, ev->message, ev->signature))
            gossipsub_judge(&p->gossip, ev->job, GOSSIPSUB_IGNORE, p->now);
        break;
    }
}

bool gossip_feed(struct peerlet *p, struct feed *f, struct peerlet_output *out)
{
    struct stream *s = find_stream(p, f->stream);
    if (s == NULL || s->state == STREAM_DEAD || s->conn->peer == NULL)
        return false;
    struct gossipsub_event ev;
    int rc = gossipsub_feed(&p->gossip, s->conn->peer->number, &f->in, &ev, p->now);
    if (rc < 0) {
        stream_reset(s, rc);
        conn_mark(p, s->conn);
        return false;
    }
    if (rc == 1)
        on_router_event(p, &ev, out);
    return rc == 1;
}

bool gossip_next(struct peerlet *p, struct peerlet_output *out)
{
    struct gossipsub_event ev;
    while (p->has_gossip && gossipsub_next(&p->gossip, &ev)) {
        on_router_event(p, &ev, out);
        if (p->has_direct || outputs_take(&p->outputs, out))
            return true;
    }
    return false;
}

/* ---- down ------------------------------------------------------------------------------------------ */

/* Moves what the router owes into streams that have room; true when anything moved. */
bool gossip_drain(struct peerlet *p)
{
    bool moved = false;
    uint32_t at = 0, handle;
    while (p->has_gossip && (handle = gossipsub_owing(&p->gossip, &at)) != 0) {
        struct stream *s = NULL;
        const struct peer_id *id = gossipsub_peer_id(&p->gossip, handle);
        struct peer *peer = id ? addrbook_find(&p->peers, id) : NULL;
        if (peer != NULL)
            s = rpc_stream(peer, USE_RPC_OUT);
        if (s == NULL || s->out.len >= RPC_AHEAD)
            continue;
        size_t before = s->out.len;
        if (gossipsub_drain(&p->gossip, handle, &s->out) < 0 || s->out.len == before)
            continue;
        stream_touch(s);
        conn_mark(p, s->conn);
        moved = true;
    }
    return moved;
}

void gossip_tick(struct peerlet *p)
{
    if (!p->has_gossip)
        return;
    if (gossipsub_tick(&p->gossip, p->now))
        emit(p, &(struct peerlet_output){.type = PEERLET_HEARTBEAT});
    reopen_lost(p);
    if (is_due(p->explicit_at, p->now))
        dial_explicit(p);
    if (is_due(p->discovery.next_at, p->now)) {
        p->discovery.next_at = after(p->now, p->discovery.interval_ms);
        discovery_announce(p);
    }
}

uint64_t gossip_deadline(const struct peerlet *p)
{
    if (!p->has_gossip)
        return NEVER;
    uint64_t at = earlier(gossipsub_deadline(&p->gossip), p->rpc_at);
    return earlier(earlier(at, p->explicit_at), p->discovery.next_at);
}

/* ---- commands ---------------------------------------------------------------------------------------- */

/* What a command of the router returned, with words to an error. */
static int tell_result(struct peerlet *p, int rc, const char *what, struct view topic)
{
    return rc < 0 ? fail(p, rc, "cannot %s \"%v\": %s", what, &topic, err_text(rc)) : rc;
}

int peerlet_subscribe(struct peerlet *p, struct view topic, uint64_t now)
{
    int rc = needs_gossip(p, now);
    if (rc != 0)
        return rc;
    return tell_result(p, gossipsub_subscribe(&p->gossip, topic, now), "subscribe to", topic);
}

int peerlet_unsubscribe(struct peerlet *p, struct view topic, uint64_t now)
{
    int rc = needs_gossip(p, now);
    if (rc != 0)
        return rc;
    return tell_result(p, gossipsub_unsubscribe(&p->gossip, topic, now), "unsubscribe from", topic);
}

bool peerlet_judge(struct peerlet *p, uint32_t job, enum peerlet_verdict verdict, uint64_t now)
{
    _Static_assert((int)PEERLET_REJECT == (int)GOSSIPSUB_REJECT, "the same in both");
    p->now = now;
    return p->has_gossip && gossipsub_judge(&p->gossip, job, (enum gossipsub_verdict)verdict, now);
}

void peerlet_name(struct peerlet *p, uint32_t job, struct view id, uint64_t now)
{
    p->now = now;
    if (p->has_gossip)
        gossipsub_name(&p->gossip, job, id, now);
}

int peerlet_tune(struct peerlet *p, struct view topic, const float *numbers, uint64_t now)
{
    _Static_assert(ARRAY_LEN(p->gossip.scoring.numbers) == PEERLET_TUNE_NUMBERS,
                   "the same in both");
    _Static_assert(PEERLET_TUNE_NUMBERS <= PEERLET_TUNE_TOPIC_NUMBERS,
                   "so many are room for either");
    _Static_assert(ARRAY_LEN(SCORE_TOPIC_DEFAULTS.numbers) == PEERLET_TUNE_TOPIC_NUMBERS,
                   "the same in both");
    int rc = needs_gossip(p, now);
    if (rc != 0)
        return rc;
    return tell_result(p, gossipsub_set_params(&p->gossip, topic, numbers), "score", topic);
}

int peerlet_publish(struct peerlet *p, struct view topic, struct view data,
                    enum peerlet_reach reach, uint64_t now)
{
    int rc = needs_gossip(p, now);
    if (rc != 0)
        return rc;
    _Static_assert((int)PEERLET_TO_MESH == (int)GOSSIPSUB_TO_MESH, "the same in both");
    rc = gossipsub_publish(&p->gossip, topic, data, (enum gossipsub_reach)reach, &p->recipients,
                           now);
    if (rc == ERR_TOO_BIG)
        return fail(p, rc, "a message has at most %u bytes: see maxInboundDataLength, or use a stream",
                    (unsigned)p->limits.message);
    return tell_result(p, rc, "publish to", topic);
}

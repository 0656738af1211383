/* Peers, commands and questions of the router. */
#include "pubsub/gossipsub.h"

#include "pubsub/router.h"

const struct gossipsub_config GOSSIPSUB_DEFAULTS = {
    .d = 6,
    .d_low = 4,
    .d_high = 12,
    .d_score = 4,
    .d_out = 2,
    .d_lazy = 6,
    .gossip_percent = 25,
    .heartbeat_ms = 1000,
    .fanout_ttl_ms = 60000,
    .seen_ttl_ms = 120000,
    .mcache_length = 5,
    .mcache_gossip = 3,
    .prune_backoff_s = 60,
    .unsubscribe_backoff_s = 10,
    .opportunistic_peers = 2,
    .px_peers = 16,
    .idontwant_bytes = 512,
    .opportunistic_ms = 60000,
    .explicit_ms = 300000,
    .promise_ms = 3000,
    .graft_flood_ms = 10000,
    .iwant_again_ms = 500,
    .idontwant_ttl_ms = 3000,
    .signing = GOSSIPSUB_STRICT_SIGN,
    .message_id = GOSSIPSUB_ID_JS,
};

int gossipsub_init(struct gossipsub *g, const struct gossipsub_config *config,
                   const struct identity *identity, struct mem *mem, const struct rng *rng,
                   const struct peerlet_limits *limits, uint64_t now, uint64_t unix_ms)
{
    if (config->heartbeat_ms == 0 || config->mcache_gossip > config->mcache_length)
        return ERR_BAD_ARGUMENT;
    *g = (struct gossipsub){
        .config = *config,
        .identity = identity,
        .self = peer_id_of_identity(identity),
        .mem = mem,
        .rng = rng,
        .limits = limits,
        .seqno = unix_ms * 1000000,
        .scoring = SCORE_DEFAULTS,
        .decayed_at = now,
        .opportunistic_at = after(now, config->opportunistic_ms),
        .heartbeat_at = after(now, config->heartbeat_ms),
        .beaten_at = now,
        .messages = {mem, 0, limits->messages, config->signing, config->message_id, {{0}}},
    };
    siphash_init(&g->messages.hash_key, rng);
    table_init(&g->peers, mem);
    table_init(&g->checks, mem);
    list_init(&g->parted);
    list_init(&g->owing);
    list_init(&g->ready);
    list_init(&g->news);
    mesh_init(&g->mesh, mem, &g->messages.hash_key);
    mcache_init(&g->mcache, &g->messages, limits->mcache);
    uint32_t cached_ms = config->mcache_length * config->heartbeat_ms;
    seen_init(&g->seen, mem, config->seen_ttl_ms, limits->seen, now);
    seen_init(&g->asked, mem, config->iwant_again_ms, limits->marks, now);
    seen_init(&g->served, mem, MAX(cached_ms, limits->verdict_ms), limits->marks, now);
    seen_init(&g->unwanted, mem, config->idontwant_ttl_ms, limits->marks, now);
    return 0;
}

static void free_peer(struct gossipsub *g, struct neighbour *n)
{
    LIST_EACH(node, &n->members)
        member_free(&g->mesh, LIST_OWNER(node, struct member, in_peer));
    neighbour_free(n, &g->messages);
    mem_free(g->mem, n);
}

void gossipsub_free(struct gossipsub *g)
{
    if (g->mem == NULL)
        return;
    uint32_t at = 0;
    void *item;
    while ((item = table_next(&g->peers, &at)) != NULL)
        free_peer(g, item);
    at = 0;
    while ((item = table_next(&g->checks, &at)) != NULL)
        message_drop(&g->messages, item);
    LIST_EACH(node, &g->ready)
        message_drop(&g->messages, LIST_OWNER(node, struct message, in_line));
    router_let_go(g);
    mcache_free(&g->mcache);
    mesh_free(&g->mesh);
    table_free(&g->peers);
    table_free(&g->checks);
    for (size_t i = 0; i < ARRAY_LEN(g->sets); i++)
        seen_free(&g->sets[i]);
    *g = (struct gossipsub){0};
}

/* ---- what the files of the router share -------------------------------------------------------- */

struct neighbour *router_find(const struct gossipsub *g, uint32_t handle)
{
    struct neighbour *n = table_find(&g->peers, handle);
    return n != NULL && !neighbour_is_parted(n) ? n : NULL;
}

void router_owe(struct gossipsub *g, struct neighbour *n)
{
    if (n->is_writable && !list_is_linked(&n->in_owing))
        list_add(&g->owing, &n->in_owing);
}

void router_graft(struct gossipsub *g, struct member *member, uint64_t now)
{
    member_set_mesh(member, true, now);
    member_owe(member, OWES_GRAFT);
    router_owe(g, member->peer);
}

void router_graft_some(struct gossipsub *g, struct topic *t, enum standing standing,
                       uint32_t wanted, uint32_t have, uint64_t now)
{
    struct choice c = topic_choose(t, standing, wanted > have ? wanted - have : 0, g->rng, now);
    for (struct member *m; (m = choice_next(&c)) != NULL;)
        router_graft(g, m, now);
}

void router_back_off(struct gossipsub *g, struct member *member, uint64_t backoff_s, uint64_t now)
{
    uint64_t ms = 1000 * MIN(backoff_s, (uint64_t)g->limits->backoff_max_s);
    member_back_off(member, ms, g->config.heartbeat_ms, now);
}

void router_prune(struct gossipsub *g, struct member *member, uint64_t backoff_s, uint64_t now)
{
    if (member_is_in_mesh(member))
        member->pruned_at = now;
    member_set_mesh(member, false, now);
    router_back_off(g, member, backoff_s, now);
    member->prune_backoff_s = backoff_s;
    member_owe(member, OWES_PRUNE);
    router_owe(g, member->peer);
}

static bool can_be_sent(const struct gossipsub *g, const struct message *m)
{
    return rpc_field_len(m->encoded.len) <= g->limits->rpc_long;
}

bool router_send(struct gossipsub *g, struct neighbour *n, struct message *m, size_t limit)
{
    if (!can_be_sent(g, m) || !neighbour_push(n, m, limit, &g->messages)) {
        g->lost++;
        return false;
    }
    router_owe(g, n);
    return true;
}

bool router_remember(struct gossipsub *g, const struct message *m, uint64_t now)
{
    bool is_new = seen_add(&g->seen, m->hashes.id, now);
    if (is_new)
        seen_add(&g->seen, m->hashes.origin, now);
    return is_new;
}

void router_cache(struct gossipsub *g, struct message *m, struct topic *t)
{
    if (can_be_sent(g, m))
        mcache_add(&g->mcache, m, &t->recent);
}

void router_let_go(struct gossipsub *g)
{
    message_drop(&g->messages, g->given);
    g->given = NULL;
}

void router_give(struct gossipsub *g, struct message *m, struct gossipsub_event *ev)
{
    router_let_go(g);
    g->given = m;
    *ev = (struct gossipsub_event){
        .type = m->id.len > 0 ? GOSSIPSUB_MESSAGE : GOSSIPSUB_NAME,
        .from = m->fields.from,
        .data = m->fields.data,
        .seqno = m->fields.seqno,
        .topic = m->fields.topic,
        .signature = m->fields.signature,
        .key = m->fields.key,
        .id = m->id,
        .via = m->via,
        .job = m->job,
    };
}

/* ---- peers ------------------------------------------------------------------------------------- */

static struct neighbour *make_peer(struct gossipsub *g, uint32_t handle, const struct peer_id *id)
{
    struct neighbour *n = mem_alloc(g->mem, sizeof *n);
    if (n == NULL)
        return NULL;
    neighbour_init(n, handle, id, &g->scoring, g->mem, g->limits);
    n->form = g->config.message_id;
    if (table_add(&g->peers, handle, n) == 0)
        return n;
    free_peer(g, n);
    return NULL;
}

static void leave_parted(struct gossipsub *g, struct neighbour *n)
{
    list_remove(&n->in_parted);
    g->parted_count--;
}

void router_forget(struct gossipsub *g, struct neighbour *n)
{
    leave_parted(g, n);
    table_remove(&g->peers, n->handle);
    free_peer(g, n);
}

int gossipsub_add_peer(struct gossipsub *g, uint32_t handle, const struct peer_id *id,
                       enum gossipsub_version version, enum role role, struct view host)
{
    struct neighbour *n = table_find(&g->peers, handle);
    if (n != NULL && !neighbour_is_parted(n))
        return 0;
    if (n != NULL)
        leave_parted(g, n);
    else
        n = make_peer(g, handle, id);
    if (n == NULL)
        return ERR_NOMEM;
    n->version = version;
    n->role = role;
    n->host = host.len > 0 ? siphash(&g->messages.hash_key, host) : 0;
    n->remembered_until = 0;
    return 0;
}

void gossipsub_set_form(struct gossipsub *g, uint32_t handle, enum gossipsub_message_id form)
{
    struct neighbour *n = router_find(g, handle);
    if (n != NULL && g->config.message_id <= GOSSIPSUB_ID_TEXT)
        n->form = form;
}

void gossipsub_set_explicit(struct gossipsub *g, uint32_t handle)
{
    struct neighbour *n = router_find(g, handle);
    if (n != NULL)
        n->is_explicit = g->has_flooded = true;
}

void gossipsub_hear(struct gossipsub *g, uint32_t handle)
{
    struct neighbour *n = router_find(g, handle);
    if (n == NULL)
        return;
    rpc_reader_free(&n->reader);
    n->is_extended = false;
}

/*
 * Takes it into the meshes that lack peers, and tells it what is recent: what was said into a
 * connection that had died unnoticed is not lost with it.
 */
static void welcome(struct gossipsub *g, struct neighbour *n, uint64_t now)
{
    LIST_EACH(node, &n->members) {
        struct member *m = LIST_OWNER(node, struct member, in_peer);
        const struct topic *t = m->topic;
        if (t->is_ours && t->mesh_count < g->config.d_low && member_is(m, GRAFTABLE, now))
            router_graft(g, m, now);
        else if (member_is_in_mesh(m))
            member_owe(m, OWES_GRAFT);
        if (t->is_ours && m->is_subscribed)
            router_tell_of_news(g, m);
    }
}

void gossipsub_greet(struct gossipsub *g, uint32_t handle, enum gossipsub_version version,
                     uint64_t now)
{
    struct neighbour *n = router_find(g, handle);
    if (n == NULL)
        return;
    n->version = version;
    g->has_flooded |= version == FLOODSUB;
    n->is_writable = true;
    n->is_new = version >= GOSSIPSUB_1_3;
    n->was_mute = false;
    n->told = 0;
    n->greeted = g->mesh.last_change;
    welcome(g, n, now);
    router_owe(g, n);
}

static void leave_meshes(struct neighbour *n, uint64_t now)
{
    LIST_EACH(node, &n->members) {
        struct member *m = LIST_OWNER(node, struct member, in_peer);
        member_set_mesh(m, false, now);
        member_settle(m, OWES_ANYTHING);
    }
}

void gossipsub_silence(struct gossipsub *g, uint32_t handle, uint64_t now)
{
    struct neighbour *n = router_find(g, handle);
    if (n == NULL)
        return;
    leave_meshes(n, now);
    neighbour_silence(n, &g->messages);
}

static void forget_all_but_backoffs(struct gossipsub *g, struct neighbour *n, uint64_t now)
{
    rpc_reader_free(&n->reader);
    LIST_EACH(node, &n->members) {
        struct member *m = LIST_OWNER(node, struct member, in_peer);
        struct topic *t = m->topic;
        member_set_subscribed(m, false);
        m->is_in_fanout = false;
        if (n->score >= 0) /* what it did well it could come back to use up */
            m->conduct = (struct score_topic){0};
        member_release(&g->mesh, m, now);
        topic_release(&g->mesh, t);
    }
}

void gossipsub_remove_peer(struct gossipsub *g, uint32_t handle, uint64_t now)
{
    struct neighbour *n = router_find(g, handle);
    if (n == NULL)
        return;
    gossipsub_silence(g, handle, now);
    router_remember_score(g, n, now);
    forget_all_but_backoffs(g, n, now);
    list_add(&g->parted, &n->in_parted);
    g->parted_count++;
    if (list_is_empty(&n->members) && n->remembered_until == 0)
        router_forget(g, n);
    else if (g->parted_count > g->limits->conns)
        router_forget(g, LIST_OWNER(g->parted.next, struct neighbour, in_parted));
}

void gossipsub_set_record(struct gossipsub *g, uint32_t handle, struct view record)
{
    struct neighbour *n = router_find(g, handle);
    if (n == NULL)
        return;
    buf_free(&n->record);
    if (buf_append(&n->record, record) != 0)
        buf_free(&n->record);
}

const struct peer_id *gossipsub_peer_id(const struct gossipsub *g, uint32_t handle)
{
    const struct neighbour *n = router_find(g, handle);
    return n ? &n->id : NULL;
}

/* ---- subscriptions ----------------------------------------------------------------------------- */

static int check_topic(const struct gossipsub *g, struct view topic)
{
    return topic.len > 0 && topic.len <= g->limits->topic_name ? 0 : ERR_BAD_ARGUMENT;
}

static void tell_all(struct gossipsub *g)
{
    uint32_t at = 0;
    struct neighbour *n;
    while ((n = table_next(&g->peers, &at)) != NULL)
        router_owe(g, n);
}

/* Topics just left count until everybody knows, or their number would be without bound. */
static bool has_room_for_topic(const struct gossipsub *g, const struct topic *t)
{
    return list_is_linked(&t->in_changes) || g->mesh.change_count < g->limits->topics;
}

/* Of those we published to before, then of any. */
static void make_mesh(struct gossipsub *g, struct topic *t, uint64_t now)
{
    LIST_EACH(node, &t->members) {
        struct member *m = LIST_OWNER(node, struct member, in_topic);
        if (m->is_in_fanout && t->mesh_count < g->config.d && member_is(m, GRAFTABLE, now))
            router_graft(g, m, now);
    }
    topic_end_fanout(t);
    router_graft_some(g, t, GRAFTABLE, g->config.d, t->mesh_count, now);
}

int gossipsub_subscribe(struct gossipsub *g, struct view topic, uint64_t now)
{
    int rc = check_topic(g, topic);
    if (rc != 0)
        return rc;
    struct topic *t = topic_add(&g->mesh, topic);
    if (t == NULL)
        return ERR_NOMEM;
    if (t->is_ours)
        return 0;
    if (!has_room_for_topic(g, t)) {
        topic_release(&g->mesh, t);
        return ERR_FULL;
    }
    topic_set_ours(&g->mesh, t, true);
    tell_all(g);
    make_mesh(g, t, now);
    return 0;
}

int gossipsub_unsubscribe(struct gossipsub *g, struct view topic, uint64_t now)
{
    int rc = check_topic(g, topic);
    struct topic *t = rc == 0 ? topic_find(&g->mesh, topic) : NULL;
    if (t == NULL || !t->is_ours)
        return rc;
    topic_set_ours(&g->mesh, t, false);
    tell_all(g);
    LIST_EACH(node, &t->mesh)
        router_prune(g, LIST_OWNER(node, struct member, in_mesh), g->config.unsubscribe_backoff_s,
                     now);
    return 0;
}

/* ---- publishing -------------------------------------------------------------------------------- */

/* Where a message of ours goes, and what became of it. */
struct sending {
    struct message *message;
    struct buf *recipients;
    uint32_t tried, sent;
};

static void send_to(struct gossipsub *g, const struct member *m, struct sending *s)
{
    const struct peerlet_limits *l = g->limits;
    s->tried++;
    if (!router_send(g, m->peer, s->message,
                     m->peer->is_writable ? l->gossip_own_out : l->gossip_out))
        return;
    s->sent++;
    if (s->recipients == NULL)
        return;
    uint8_t *at = buf_reserve(s->recipients, sizeof(uint32_t));
    struct writer w = writer_of(at, sizeof(uint32_t));
    put_u32be(&w, m->peer->handle);
    buf_commit(s->recipients, w.len);
}

static void send_to_standing(struct gossipsub *g, const struct topic *t, struct sending *s,
                             enum standing standing, uint64_t now)
{
    LIST_EACH(node, &t->members) {
        const struct member *m = LIST_OWNER(node, struct member, in_topic);
        if (member_is(m, standing, now))
            send_to(g, m, s);
    }
}

/* The mesh, and others where it is thin; or the fanout, chosen now and kept for a while. */
static void send_to_some(struct gossipsub *g, struct topic *t, struct sending *s, uint64_t now)
{
    uint32_t known = topic_count(t, PUBLISHABLE_INSIDE, now);
    uint32_t lacking = g->config.d > known ? g->config.d - known : 0;
    struct choice c = topic_choose(t, PUBLISHABLE_OUTSIDE, lacking, g->rng, now);
    send_to_standing(g, t, s, PUBLISHABLE_INSIDE, now);
    for (struct member *m; (m = choice_next(&c)) != NULL;) {
        send_to(g, m, s);
        m->is_in_fanout = !t->is_ours;
    }
    if (!t->is_ours)
        t->fanout_until = after(now, g->config.fanout_ttl_ms);
}

static int write_message(struct gossipsub *g, struct view topic, struct view data,
                         struct message **made)
{
    int rc;
    do
        rc = message_write(&g->messages, g->identity, g->seqno + 1, topic, data, made);
    while (rc == ERR_FULL && mcache_forget_oldest(&g->mcache));
    if (rc == 0 && seen_has(&g->seen, (*made)->hashes.id)) {
        message_drop(&g->messages, *made);
        return ERR_PUBLISHED;
    }
    return rc;
}

static bool goes_to_ourselves(const struct gossipsub *g, const struct topic *t)
{
    return g->config.emit_self && t->is_ours;
}

/* What is decided before anything is signed: room to name the recipients, and that there are any. */
static int prepare(struct gossipsub *g, const struct topic *t, struct buf *recipients, uint64_t now)
{
    uint32_t count = topic_count(t, PUBLISHABLE, now);
    if (count == 0 && !g->config.allow_no_peers && !goes_to_ourselves(g, t))
        return ERR_NO_PEERS;
    if (recipients == NULL)
        return 0;
    buf_truncate(recipients, 0);
    return count == 0 || buf_reserve(recipients, count * sizeof(uint32_t)) ? 0 : ERR_NOMEM;
}

void router_keep_own(struct gossipsub *g, struct message *m, struct topic *t, uint64_t now)
{
    bool is_named = m->id.len > 0;
    m->is_genuine = true;
    m->at = now;
    router_remember(g, m, now);
    if (is_named)
        router_cache(g, m, t);
    if (is_named ? goes_to_ourselves(g, t) : router_await_answer(g, m))
        list_add(&g->ready, &message_hold(m)->in_line);
}

static int publish(struct gossipsub *g, struct topic *t, struct view data,
                   enum gossipsub_reach reach, struct buf *recipients, uint64_t now)
{
    struct sending s = {.recipients = recipients};
    int rc = prepare(g, t, recipients, now);
    if (rc == 0)
        rc = write_message(g, topic_name(t), data, &s.message);
    if (rc != 0)
        return rc;
    if (reach == GOSSIPSUB_TO_ALL)
        send_to_standing(g, t, &s, PUBLISHABLE, now);
    else
        send_to_some(g, t, &s, now);
    if (s.sent == 0 && s.tried > 0) {
        message_drop(&g->messages, s.message);
        return ERR_FULL;
    }
    g->seqno++;
    router_keep_own(g, s.message, t, now);
    message_drop(&g->messages, s.message);
    return (int)s.sent;
}

int gossipsub_publish(struct gossipsub *g, struct view topic, struct view data,
                      enum gossipsub_reach reach, struct buf *recipients, uint64_t now)
{
    int rc = check_topic(g, topic);
    if (rc != 0)
        return rc;
    if (data.len > g->limits->message)
        return ERR_TOO_BIG;
    struct topic *t = topic_add(&g->mesh, topic);
    if (t == NULL)
        return ERR_NOMEM;
    rc = publish(g, t, data, reach, recipients, now);
    topic_release(&g->mesh, t);
    return rc;
}

/* ---- time -------------------------------------------------------------------------------------- */

bool gossipsub_tick(struct gossipsub *g, uint64_t now)
{
    if (!is_due(g->heartbeat_at, now))
        return false;
    router_heartbeat(g, now);
    g->beaten_at = now;
    g->heartbeat_at = after(now, g->config.heartbeat_ms);
    return true;
}

uint64_t gossipsub_deadline(const struct gossipsub *g)
{
    return g->peers.count > 0 ? g->heartbeat_at : NEVER;
}

/* What each part of an RPC does. */
#include "crypto/hash.h"
#include "pubsub/router.h"

/* As the how-manieth time: it brought the message after another. */
#define MARK_BROUGHT 255

/* Remembered beside the id of a message that the application rejected. */
#define REJECTED(id) (~(id))

/* `t` may be null. */
static bool is_allowed(const struct gossipsub *g, const struct topic *t)
{
    return !g->is_restricted || (t != NULL && t->is_allowed);
}

/* ---- messages ---------------------------------------------------------------------------------- */

/* Neither he it came from nor the author. */
static bool is_news_to(const struct neighbour *n, const struct message *m)
{
    return n->handle != m->via && n->is_writable &&
           !view_equal(peer_id_view(&n->id), m->fields.from);
}

static void forward_to(struct gossipsub *g, struct message *m, struct neighbour *n)
{
    if (is_news_to(n, m) && !router_is_unwanted(g, m, n))
        router_send(g, n, m, g->limits->gossip_out);
}

/* To the mesh, and to those who are in none. */
static void forward(struct gossipsub *g, struct message *m, const struct topic *t)
{
    LIST_EACH(node, &t->mesh)
        forward_to(g, m, LIST_OWNER(node, struct member, in_mesh)->peer);
    if (g->has_flooded)
        LIST_EACH(node, &t->members) {
            const struct member *member = LIST_OWNER(node, struct member, in_topic);
            if (member_is(member, FLOODED, 0))
                forward_to(g, m, member->peer);
        }
}

/* Puts an id into the next IWANT or IDONTWANT; false when that is full. */
static bool put_id(struct buf *ids, struct view id)
{
    size_t len = rpc_field_len(id.len);
    struct writer w = writer_of(buf_reserve(ids, len), len);
    if (w.data == NULL)
        return false;
    rpc_put_wanted_id(&w, id);
    buf_commit(ids, w.len);
    return true;
}

/* The mesh need not send us what we have, but where P3 asks it to. Only once it is known to be
 * genuine: whoever forges a message could else keep the true one from us. */
static void refuse(struct gossipsub *g, const struct message *m, const struct topic *t)
{
    struct message_id room;
    if (m->fields.data.len < g->config.idontwant_bytes || topic_params(t)->weights[SCORE_MESH] != 0)
        return;
    LIST_EACH(node, &t->mesh) {
        struct neighbour *n = LIST_OWNER(node, struct member, in_mesh)->peer;
        if (is_news_to(n, m) && n->version >= GOSSIPSUB_1_2 &&
            put_id(&n->unwanted, router_id_for(g, n, m, &room)))
            router_owe(g, n);
    }
}

/* A valid message is kept and sent on, and is as old as its verdict. */
static void pass_on(struct gossipsub *g, struct message *m, struct topic *t, uint64_t now)
{
    struct neighbour *n = router_find(g, m->via);
    m->at = now;
    if (n != NULL)
        router_credit(g, n, t, true);
    router_cache(g, m, t);
    forward(g, m, t);
}

bool router_await_answer(struct gossipsub *g, struct message *m)
{
    if (g->checks.count >= g->limits->unverified || table_add(&g->checks, ++g->last_job, m) != 0) {
        g->lost++;
        return false;
    }
    message_hold(m);
    m->job = g->last_job;
    return true;
}

static bool has_brought(const struct gossipsub *g, const struct neighbour *n, uint64_t id)
{
    return seen_has(&g->served, router_mark(id, n, MARK_BROUGHT));
}

/* Whoever brought it while it waited is counted as if it had come later. */
static void settle(struct gossipsub *g, const struct message *m, struct topic *t, bool is_valid,
                   uint64_t now)
{
    uint32_t at = 0;
    struct neighbour *n;
    while ((n = table_next(&g->peers, &at)) != NULL) {
        if (n->handle == m->via || neighbour_is_parted(n) ||
            !(has_brought(g, n, m->hashes.id) || has_brought(g, n, m->hashes.origin)))
            continue;
        if (is_valid)
            router_credit(g, n, t, false);
        else
            router_reject(g, n, t, now);
    }
}

/* Within the window of P3, which begins with the verdict. */
static bool is_in_time(const struct message *m, const struct topic *t, uint64_t came_at)
{
    return t->params != NULL &&
           (came_at < m->at || (float)(came_at - m->at) <= t->params->mesh_window_ms);
}

/*
 * One that came at this instant, and was there before: in time it is as good as the first, once, and after
 * a rejection as bad. What has no verdict yet is settled then.
 */
static void on_duplicate(struct gossipsub *g, struct neighbour *n, struct topic *t, uint64_t id,
                         uint64_t came_at, uint64_t now)
{
    if (seen_has(&g->seen, REJECTED(id))) {
        router_reject(g, n, t, now);
        return;
    }
    const struct message *m = mcache_find(&g->mcache, id);
    if (m != NULL && (m->via == n->handle || !is_in_time(m, t, came_at)))
        return;
    if (m == NULL && g->checks.count == 0)
        return;
    if (seen_add(&g->served, router_mark(id, n, MARK_BROUGHT), now) && m != NULL)
        router_credit(g, n, t, false);
}

/*
 * A genuine message is passed on, once the application has named it, where that is its part, and then
 * judged it. False when it came twice, is not ours to have any more, or cannot wait for that: then another
 * may bring it again.
 */
static bool admit(struct gossipsub *g, struct message *m, uint64_t now)
{
    struct topic *t = topic_find(&g->mesh, m->fields.topic);
    if (t == NULL || !t->is_ours)
        return false;
    if (seen_has(&g->seen, m->hashes.id)) {
        struct neighbour *n = router_find(g, m->via);
        if (n != NULL)
            on_duplicate(g, n, t, m->hashes.id, m->at, now);
        return false;
    }
    bool is_named = m->id.len > 0, waits = g->awaits_verdicts || !is_named;
    m->is_genuine = true;
    if (waits && !router_await_answer(g, m))
        return false;
    router_remember(g, m, now);
    if (is_named)
        refuse(g, m, t);
    if (!waits)
        pass_on(g, m, t, now);
    return true;
}

/* Its signature is checked elsewhere; until then it is known by its job. */
static int ask_for_check(struct gossipsub *g, struct message *m, struct gossipsub_event *ev)
{
    /* The Peer ID of an author who sends no key is that, behind the code and the length of a multihash. */
    struct view from = m->fields.from, inside = view_of(from.data + 2, from.len - 2);
    struct public_key key;
    bool waits = public_key_parse(m->fields.key.len > 0 ? m->fields.key : inside, &key) == 0 &&
                 router_await_answer(g, m);
    message_drop(&g->messages, m);
    if (!waits)
        return 0;
    *ev = (struct gossipsub_event){
        .type = GOSSIPSUB_VERIFY,
        .job = m->job,
        .public_key = key,
        .message = m->signed_bytes,
        .signature = m->fields.signature,
        .via = m->via,
    };
    return 1;
}

static void reject(struct gossipsub *g, const struct message *m, uint64_t now)
{
    struct neighbour *n = router_find(g, m->via);
    struct topic *t = topic_find(&g->mesh, m->fields.topic);
    if (n != NULL && t != NULL)
        router_reject(g, n, t, now);
}

static int judge(struct gossipsub *g, struct message *m, const struct public_key *key,
                 struct gossipsub_event *ev, uint64_t now)
{
    int rc = 0;
    if (g->config.signing == GOSSIPSUB_STRICT_SIGN)
        rc = public_key_verify(key, m->signed_bytes, m->fields.signature);
    if (rc == ERR_UNSUPPORTED)
        return ask_for_check(g, m, ev);
    if (rc != 0)
        reject(g, m, now);
    if (rc != 0 || !admit(g, m, now)) {
        message_drop(&g->messages, m);
        return 0;
    }
    router_give(g, m, ev);
    return 1;
}

/* A copy of our own, at the cost of what is only cached; null when there is no room even so. */
static struct message *copy_of(struct gossipsub *g, const struct rpc_message *fields)
{
    struct message *m = NULL;
    int rc;
    do
        rc = message_new(&g->messages, fields, &m);
    while (rc == ERR_FULL && mcache_forget_oldest(&g->mcache));
    g->lost += rc != 0;
    return rc == 0 ? m : NULL;
}

/* Cheap questions first: most of what a mesh brings was there before. */
static int on_message(struct gossipsub *g, struct neighbour *n, const struct rpc_message *fields,
                      struct gossipsub_event *ev, uint64_t now)
{
    struct topic *t = topic_find(&g->mesh, fields->topic);
    if (t == NULL || !t->is_ours || !is_allowed(g, t))
        return 0;
    struct message_hashes hashes = message_hashes(&g->messages, fields);
    if (seen_has(&g->seen, hashes.id)) {
        on_duplicate(g, n, t, hashes.id, now, now);
        return 0;
    }
    struct peer_id author;
    struct public_key key;
    if (message_check(&g->messages, fields, &author, &key) != 0) {
        router_reject(g, n, t, now);
        return 0;
    }
    if (peer_id_equal(&author, &g->self))
        return 0;
    struct message *m = copy_of(g, fields);
    if (m == NULL)
        return 0;
    m->via = n->handle;
    m->at = now;
    return judge(g, m, &key, ev, now);
}

/* ---- subscriptions, meshes --------------------------------------------------------------------- */

static void tell_of(const struct member *m, enum gossipsub_event_type type, uint32_t value,
                    struct gossipsub_event *ev)
{
    *ev = (struct gossipsub_event){.type = type,
                                   .via = m->peer->handle,
                                   .peer = m->peer->id,
                                   .topic = topic_name(m->topic),
                                   .value = value};
}

static void set_subscribed(struct gossipsub *g, struct member *m, bool is_subscribed, uint64_t now)
{
    struct topic *t = m->topic;
    member_set_subscribed(m, is_subscribed);
    if (!is_subscribed) {
        member_set_mesh(m, false, now);
        m->is_in_fanout = false;
        member_release(&g->mesh, m, now);
        topic_release(&g->mesh, t);
        return;
    }
    if (t->is_ours)
        router_tell_of_news(g, m);
    if (t->is_ours && t->mesh_count < g->config.d_low && member_is(m, GRAFTABLE, now))
        router_graft(g, m, now);
}

static int on_subscription(struct gossipsub *g, struct neighbour *n, const struct rpc_part *part,
                           struct gossipsub_event *ev, uint64_t now)
{
    if (part->topic.len == 0 || part->topic.len > g->limits->topic_name)
        return 0;
    struct topic *t = topic_find(&g->mesh, part->topic);
    struct member *m = t ? member_find(&g->mesh, t, n) : NULL;
    bool was = m != NULL && m->is_subscribed;
    if (!is_allowed(g, t) || part->subscribe == was ||
        (!was && n->subscription_count >= g->limits->topics_per_peer))
        return 0;
    if (m == NULL) {
        t = topic_add(&g->mesh, part->topic);
        m = t ? member_add(&g->mesh, t, n) : NULL;
    }
    if (m == NULL) {
        if (t != NULL)
            topic_release(&g->mesh, t);
        return ERR_NOMEM;
    }
    tell_of(m, GOSSIPSUB_SUBSCRIPTION, part->subscribe, ev);
    ev->topic = part->topic; /* ours may go */
    set_subscribed(g, m, part->subscribe, now);
    return 1;
}

/* Twice as bad so soon after a PRUNE; but the first may have crossed that on its way. */
static void on_graft_in_backoff(struct gossipsub *g, const struct member *m, uint64_t now)
{
    uint64_t prune_ms = 1000 * (uint64_t)g->config.prune_backoff_s;
    bool is_flood = now + prune_ms < m->backoff_until + g->config.graft_flood_ms;
    if (now - m->pruned_at > g->limits->graft_grace_ms)
        router_blame(g, m->peer, is_flood ? 2 : 1, now);
}

/*
 * A mesh that has enough is open only to those who are worth about as much as its members; else
 * attackers would take turns in what is left of it, each until its score has fallen.
 */
static bool is_unproven(const struct topic *t, const struct neighbour *n)
{
    return !topic_is_mostly_below(t, n->score + 1);
}

/* It need not be answered where neither topic nor subscription is known. */
static void on_graft(struct gossipsub *g, struct neighbour *n, struct view topic, uint64_t now)
{
    const struct topic *t = topic_find(&g->mesh, topic);
    struct member *m = t && t->is_ours ? member_find(&g->mesh, t, n) : NULL;
    if (m == NULL || !m->is_subscribed || member_is_in_mesh(m) || n->was_mute)
        return;
    bool is_too_soon = !is_due(m->backoff_until, now);
    bool is_full =
        t->mesh_count >= g->config.d_high || (t->mesh_count >= g->config.d && is_unproven(t, n));
    bool is_too_many = is_full && n->role == LISTENER;
    if (is_too_soon)
        on_graft_in_backoff(g, m, now);
    if (is_too_soon || is_too_many || n->score < 0 || n->is_explicit) {
        router_prune(g, m, g->config.prune_backoff_s, now);
        return;
    }
    member_set_mesh(m, true, now);
    router_note(g, m, NEWS_GRAFT);
}

/* A peer that left the topic has no member any more, yet its backoff counts should it come back. */
static int on_prune(struct gossipsub *g, struct neighbour *n, const struct rpc_part *part,
                    struct gossipsub_event *ev, uint64_t now)
{
    struct topic *t = topic_find(&g->mesh, part->topic);
    struct member *m = t ? member_find(&g->mesh, t, n) : NULL;
    if (m == NULL && t != NULL && t->is_ours)
        m = member_add(&g->mesh, t, n);
    if (m == NULL)
        return 0;
    router_note(g, m, NEWS_PRUNE);
    member_set_mesh(m, false, now);
    router_back_off(g, m, part->backoff_s ? part->backoff_s : g->config.prune_backoff_s, now);
    *ev = (struct gossipsub_event){.type = GOSSIPSUB_PEERS, .via = n->handle, .peers = part->ids};
    return n->score >= g->scoring.px_threshold;
}

/* ---- gossip ------------------------------------------------------------------------------------ */

/* Whether it is an id by which we shall know the message when it comes: some networks have others,
 * and then nothing can be promised. */
static bool read_id(const struct gossipsub *g, struct neighbour *n, struct view id, uint64_t *hash)
{
    enum gossipsub_message_id form = GOSSIPSUB_ID_SHA256;
    *hash = message_id_hash(id, &g->messages.hash_key, &form);
    if (form == GOSSIPSUB_ID_SHA256)
        return g->config.message_id == GOSSIPSUB_ID_GIVEN ||
               (g->config.message_id >= form && id.len == SHA256_LEN);
    n->form = form;
    return true;
}

static void on_ihave(struct gossipsub *g, struct neighbour *n, struct rpc_part *part, uint64_t now)
{
    const struct topic *t = topic_find(&g->mesh, part->topic);
    struct view id;
    if (part->rpc != n->last_ihave)
        n->budget.ihaves++;
    n->last_ihave = part->rpc;
    if (t == NULL || !t->is_ours || n->budget.ihaves > g->limits->ihave_messages ||
        !neighbour_is_gossipable(n))
        return;
    while (n->budget.wants < g->limits->ihave_ids && rpc_next_id(&part->ids, &id)) {
        n->budget.wants++;
        uint64_t hash;
        bool is_promise = read_id(g, n, id, &hash);
        if (seen_has(&g->seen, hash) || seen_has(&g->asked, hash))
            continue;
        if (!put_id(&n->wanted, id))
            break;
        seen_add(&g->asked, hash, now);
        if (is_promise)
            router_expect(g, n, hash, now);
    }
    if (n->wanted.len > 0)
        router_owe(g, n);
}

/* Each message so many times to each peer. */
static bool may_serve(struct gossipsub *g, const struct message *m, const struct neighbour *n,
                      uint64_t now)
{
    for (uint32_t times = 0; times < g->limits->retransmissions; times++)
        if (seen_add(&g->served, router_mark(m->hashes.id, n, times), now))
            return true;
    return false;
}

static void on_iwant(struct gossipsub *g, struct neighbour *n, struct rpc_part *part, uint64_t now)
{
    struct view id;
    while (n->is_writable && neighbour_is_gossipable(n) &&
           n->budget.serves < g->limits->ihave_ids && rpc_next_id(&part->ids, &id)) {
        n->budget.serves++;
        uint64_t hash = message_id_hash(id, &g->messages.hash_key, &n->form);
        struct message *m = mcache_find(&g->mcache, hash);
        if (m != NULL && may_serve(g, m, n, now))
            router_send(g, n, m, g->limits->gossip_out);
    }
}

static void on_idontwant(struct gossipsub *g, struct neighbour *n, struct rpc_part *part,
                         uint64_t now)
{
    struct view id;
    while (n->budget.refusals < g->limits->idontwant_ids && rpc_next_id(&part->ids, &id)) {
        n->budget.refusals++;
        uint64_t hash = message_id_hash(id, &g->messages.hash_key, &n->form);
        seen_add(&g->unwanted, router_mark(hash, n, 0), now);
        n->is_picky = n->queue_len > 0;
    }
}

/* ---- bytes ------------------------------------------------------------------------------------- */

static int on_part(struct gossipsub *g, struct neighbour *n, struct rpc_part *part,
                   struct gossipsub_event *ev, uint64_t now)
{
    switch (part->type) {
    case RPC_SUBSCRIPTION:
        return on_subscription(g, n, part, ev, now);
    case RPC_MESSAGE:
        return on_message(g, n, &part->message, ev, now);
    case RPC_IHAVE:
        on_ihave(g, n, part, now);
        return 0;
    case RPC_IWANT:
        on_iwant(g, n, part, now);
        return 0;
    case RPC_GRAFT:
        on_graft(g, n, part->topic, now);
        return 0;
    case RPC_PRUNE:
        return on_prune(g, n, part, ev, now);
    case RPC_IDONTWANT:
        on_idontwant(g, n, part, now);
        return 0;
    case RPC_EXTENSIONS:
        if (n->is_extended)
            router_blame(g, n, g->limits->extension_fault, now);
        n->is_extended = true;
        return 0;
    }
    return 0;
}

/* By instants, not by our heartbeat: that may come once a minute while the page is hidden. */
static void renew_budget(const struct gossipsub *g, struct neighbour *n, uint64_t now)
{
    if (is_due(n->budget.renew_at, now))
        n->budget = (struct neighbour_budget){.renew_at = after(now, g->config.heartbeat_ms)};
}

/* Long RPCs that are not whole yet: many peers who begin one and never end it cost no more. */
static bool is_laden(const struct gossipsub *g, const struct neighbour *n)
{
    size_t begun = 0;
    uint32_t at = 0;
    if (n->reader.gathered.len <= g->limits->rpc_send)
        return false;
    while ((n = table_next(&g->peers, &at)) != NULL)
        begun += n->reader.gathered.len;
    return begun > g->limits->rpcs_begun;
}

int gossipsub_feed(struct gossipsub *g, uint32_t handle, struct span *in,
                   struct gossipsub_event *ev, uint64_t now)
{
    struct neighbour *n = router_find(g, handle);
    struct rpc_part part;
    router_let_go(g);
    if (n == NULL) {
        span_take(in, in->len);
        return 0;
    }
    renew_budget(g, n, now);
    for (;;) {
        int rc = rpc_feed(&n->reader, in, &part);
        if (rc <= 0)
            return rc == 0 && is_laden(g, n) ? ERR_TOO_BIG : rc;
        if ((part.type != RPC_SUBSCRIPTION && neighbour_is_graylisted(n)) ||
            (part.type > RPC_MESSAGE && n->version == FLOODSUB))
            continue;
        rc = on_part(g, n, &part, ev, now);
        if (rc != 0)
            return rc;
    }
}

bool gossipsub_judge(struct gossipsub *g, uint32_t job, enum gossipsub_verdict verdict,
                     uint64_t now)
{
    struct message *m = table_remove(&g->checks, job);
    g->awaits_verdicts |= job == 0;
    if (m == NULL)
        return false;
    struct topic *t = topic_find(&g->mesh, m->fields.topic);
    m->job = 0;
    if (verdict == GOSSIPSUB_REJECT)
        reject(g, m, now);
    if (verdict == GOSSIPSUB_REJECT && m->is_genuine) {
        seen_add(&g->seen, REJECTED(m->hashes.id), now);
        seen_add(&g->seen, REJECTED(m->hashes.origin), now);
        if (t != NULL)
            settle(g, m, t, false, now);
    } else if (verdict == GOSSIPSUB_ACCEPT && m->is_genuine && t != NULL && t->is_ours) {
        pass_on(g, m, t, now);
        settle(g, m, t, true, now);
    } else if (verdict == GOSSIPSUB_ACCEPT && !m->is_genuine && admit(g, m, now))
        list_add(&g->ready, &message_hold(m)->in_line);
    message_drop(&g->messages, m);
    return true;
}

void gossipsub_name(struct gossipsub *g, uint32_t job, struct view id, uint64_t now)
{
    struct message *m = table_remove(&g->checks, job);
    if (m == NULL)
        return;
    struct topic *t = topic_find(&g->mesh, m->fields.topic);
    m->job = 0;
    if (list_is_linked(&m->in_line) || !message_name(&g->messages, m, id))
        g->lost++;
    else if (m->via == 0 && t != NULL)
        router_keep_own(g, m, t, now);
    else if (m->via != 0 && admit(g, m, now)) {
        list_add(&g->ready, &message_hold(m)->in_line);
        if (m->job == 0)
            settle(g, m, t, true, now);
    }
    message_drop(&g->messages, m);
}

bool gossipsub_next(struct gossipsub *g, struct gossipsub_event *ev)
{
    router_let_go(g);
    if (!list_is_empty(&g->news)) {
        struct member *m = LIST_OWNER(g->news.next, struct member, in_news);
        list_remove(&m->in_news);
        tell_of(m, GOSSIPSUB_NEWS, m->news, ev);
        return true;
    }
    if (list_is_empty(&g->ready))
        return false;
    struct message *m = LIST_OWNER(g->ready.next, struct message, in_line);
    list_remove(&m->in_line);
    router_give(g, m, ev);
    return true;
}

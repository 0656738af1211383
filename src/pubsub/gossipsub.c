#include "pubsub/gossipsub.h"

#include <assert.h>

/* A GRAFT may come this much before the backoff is over without being held against the peer. */
#define BACKOFF_SLACK_MS 1000
#define CONTROL_ROOM (16u << 10)
#define SMALLEST_QUEUE 16

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
    .iwant_followup_ms = 3000,
    .flood_publish = true,
    .signing = GOSSIPSUB_STRICT_SIGN,
    .message_id = GOSSIPSUB_ID_JS,
};

int gossipsub_init(struct gossipsub *g, const struct gossipsub_config *config,
                   const struct identity *identity, struct mem *mem, const struct rng *rng,
                   const struct peerlet_limits *limits, uint64_t now, uint64_t unix_ms)
{
    *g = (struct gossipsub){
        .config = *config,
        .identity = identity,
        .self = peer_id_of_identity(identity),
        .mem = mem,
        .rng = rng,
        .limits = limits,
        .seqno = unix_ms * 1000000,
        .heartbeat_at = after(now, config->heartbeat_ms),
    };
    table_init(&g->peers, mem);
    list_init(&g->owing);
    list_init(&g->checking);
    list_init(&g->ready);
    mesh_init(&g->mesh, mem);
    mcache_init(&g->mcache, mem, limits->mcache);
    seen_init(&g->seen, mem, rng, config->seen_ttl_ms, limits->seen, now);
    seen_init(&g->asked, mem, rng, config->iwant_followup_ms, limits->seen / 8, now);
    buf_init(&g->scratch, mem, limits->rpc + 1024);
    return 0;
}

/* ---- peers ------------------------------------------------------------------------------------------ */

static struct router_peer *find(const struct gossipsub *g, uint32_t handle)
{
    return table_find(&g->peers, handle);
}

const struct peer_id *gossipsub_peer_id(const struct gossipsub *g, uint32_t handle)
{
    const struct router_peer *p = find(g, handle);
    return p ? &p->id : NULL;
}

static void drop_queue(struct gossipsub *g, struct router_peer *p)
{
    for (; p->queue_len > 0; p->queue_len--) {
        message_drop(g->mem, p->queue[p->queue_head].message);
        p->queue_head = (p->queue_head + 1) % p->queue_room;
    }
    p->queue_bytes = 0;
}

static void peer_free(struct gossipsub *g, struct router_peer *p)
{
    LIST_EACH(node, &p->members)
        member_free(&g->mesh, LIST_OWNER(node, struct member, in_peer));
    drop_queue(g, p);
    mem_free(g->mem, p->queue);
    delimited_free(&p->reader);
    buf_free(&p->subscriptions);
    buf_free(&p->control_out);
    buf_free(&p->gossip);
    list_remove(&p->in_owing);
    mem_free(g->mem, p);
}

int gossipsub_add_peer(struct gossipsub *g, uint32_t handle, const struct peer_id *id,
                       enum gossipsub_version version, enum role role, uint64_t now)
{
    (void)now;
    struct router_peer *p = find(g, handle);
    if (p != NULL)
        return 0;
    p = mem_alloc(g->mem, sizeof *p);
    if (p == NULL || table_add(&g->peers, handle, p) != 0) {
        mem_free(g->mem, p);
        return ERR_NOMEM;
    }
    p->handle = handle;
    p->id = *id;
    p->version = version;
    p->role = role;
    list_init(&p->members);
    delimited_init(&p->reader, g->mem, g->limits->rpc);
    buf_init(&p->subscriptions, g->mem, CONTROL_ROOM * 4);
    buf_init(&p->control_out, g->mem, CONTROL_ROOM);
    buf_init(&p->gossip, g->mem, CONTROL_ROOM);
    return 0;
}

/* What is owed about one topic when a stream to a peer begins, or when we join it. */
static void announce(struct gossipsub *g, struct router_peer *p, const struct topic *t)
{
    if (rpc_append_subscription(&p->subscriptions, t->is_ours, topic_name(t)) == 0)
        router_owe(g, p);
}

void gossipsub_greet(struct gossipsub *g, uint32_t handle, enum gossipsub_version version,
                     uint64_t now)
{
    (void)now;
    struct router_peer *p = find(g, handle);
    if (p == NULL)
        return;
    p->version = version;
    p->is_greeted = true;
    buf_truncate(&p->subscriptions, 0);
    LIST_EACH(node, &g->mesh.topics) {
        struct topic *t = LIST_OWNER(node, struct topic, in_mesh);
        if (t->is_ours)
            announce(g, p, t);
    }
    /* Whoever was grafted over another stream is told again over this one. */
    LIST_EACH(node, &p->members) {
        struct member *m = LIST_OWNER(node, struct member, in_peer);
        if (m->is_in_mesh && rpc_append_graft(&p->control_out, topic_name(m->topic)) == 0)
            router_owe(g, p);
    }
    if (p->queue_len > 0)
        router_owe(g, p);
}

void gossipsub_remove_peer(struct gossipsub *g, uint32_t handle, uint64_t now)
{
    (void)now;
    struct router_peer *p = table_remove(&g->peers, handle);
    if (p != NULL)
        peer_free(g, p);
}

static void drop_messages(struct gossipsub *g, struct list *l)
{
    LIST_EACH(node, l) {
        list_remove(node);
        message_drop(g->mem, LIST_OWNER(node, struct message, in_order));
    }
}

void gossipsub_free(struct gossipsub *g)
{
    if (g->mem == NULL)
        return;
    uint32_t at = 0;
    struct router_peer *p;
    while ((p = table_next(&g->peers, &at)) != NULL)
        peer_free(g, p);
    table_free(&g->peers);
    drop_messages(g, &g->checking);
    drop_messages(g, &g->ready);
    if (g->given != NULL)
        message_drop(g->mem, g->given);
    mcache_free(&g->mcache);
    mesh_free(&g->mesh);
    seen_free(&g->seen);
    seen_free(&g->asked);
    buf_free(&g->scratch);
}

void router_owe(struct gossipsub *g, struct router_peer *p)
{
    if (!list_is_linked(&p->in_owing))
        list_add(&g->owing, &p->in_owing);
}

/* The one place where a peer's standing decides: scores will answer here. */
static bool peer_is_acceptable(const struct router_peer *p)
{
    return p->is_greeted;
}

/* ---- meshes ------------------------------------------------------------------------------------------- */

bool member_can_graft(const struct member *m, uint64_t now)
{
    return m->is_subscribed && !m->is_in_mesh && is_due(m->backoff_until, now) &&
           peer_is_acceptable(m->peer);
}

void router_graft(struct gossipsub *g, struct member *m)
{
    member_set_mesh(m, true);
    m->is_in_fanout = false;
    if (rpc_append_graft(&m->peer->control_out, topic_name(m->topic)) == 0)
        router_owe(g, m->peer);
}

static void back_off(struct gossipsub *g, struct member *m, uint64_t seconds, uint64_t now)
{
    uint64_t most = g->limits->backoff_max_s;
    uint64_t until = after(now, 1000 * MIN(seconds, most) + BACKOFF_SLACK_MS);
    m->backoff_until = MAX(m->backoff_until, until);
}

void router_prune(struct gossipsub *g, struct member *m, uint32_t backoff_s, uint64_t now)
{
    member_set_mesh(m, false);
    back_off(g, m, backoff_s, now);
    uint32_t said = m->peer->version == GOSSIPSUB_1_0 ? 0 : backoff_s;
    if (rpc_append_prune(&m->peer->control_out, topic_name(m->topic), said) == 0)
        router_owe(g, m->peer);
}

/* ---- queues --------------------------------------------------------------------------------------------- */

static bool grow_queue(struct gossipsub *g, struct router_peer *p)
{
    uint32_t room = p->queue_room ? p->queue_room * 2 : SMALLEST_QUEUE;
    struct queued_message *queue = mem_alloc(g->mem, room * sizeof *queue);
    if (queue == NULL)
        return false;
    for (uint32_t i = 0; i < p->queue_len; i++)
        queue[i] = p->queue[(p->queue_head + i) % p->queue_room];
    mem_free(g->mem, p->queue);
    p->queue = queue;
    p->queue_head = 0;
    p->queue_room = room;
    return true;
}

/* Our own may wait in a longer line: the page that wrote them is the one that pays for it. */
static bool enqueue(struct gossipsub *g, struct router_peer *p, struct message *m, bool is_ours)
{
    size_t limit = is_ours ? g->limits->gossip_own_out : g->limits->gossip_out;
    if (!peer_is_acceptable(p) || p->queue_bytes + m->len > limit ||
        (p->queue_len == p->queue_room && !grow_queue(g, p))) {
        p->dropped++;
        return false;
    }
    m->refs++;
    p->queue[(p->queue_head + p->queue_len++) % p->queue_room] = (struct queued_message){m, is_ours};
    p->queue_bytes += m->len;
    router_owe(g, p);
    return true;
}

static void dequeue(struct gossipsub *g, struct router_peer *p)
{
    struct message *m = p->queue[p->queue_head].message;
    p->queue_head = (p->queue_head + 1) % p->queue_room;
    p->queue_len--;
    p->queue_bytes -= m->len;
    message_drop(g->mem, m);
}

/* ---- messages in ------------------------------------------------------------------------------------------ */

static void forward(struct gossipsub *g, struct message *m, const struct topic *t)
{
    LIST_EACH(node, &t->members) {
        struct member *member = LIST_OWNER(node, struct member, in_topic);
        struct router_peer *p = member->peer;
        if (!member->is_in_mesh || p->handle == m->via ||
            view_equal(peer_id_view(&p->id), m->fields.from))
            continue;
        enqueue(g, p, m, false);
    }
}

static void give(struct gossipsub *g, struct message *m, struct gossipsub_event *ev)
{
    if (g->given != NULL)
        message_drop(g->mem, g->given);
    g->given = m;
    *ev = (struct gossipsub_event){
        .type = GOSSIPSUB_MESSAGE,
        .from = m->fields.from,
        .data = m->fields.data,
        .seqno = m->fields.seqno,
        .topic = m->fields.topic,
        .key = m->fields.key,
        .signature = m->fields.signature,
        .id = message_id_view(&m->id),
        .via = m->via,
    };
}

/* A message that is new and valid: kept, passed on, given out. Takes over the caller's reference. */
static int accept(struct gossipsub *g, struct message *m, struct gossipsub_event *ev)
{
    struct topic *t = mesh_find(&g->mesh, m->fields.topic);
    if (t == NULL || !t->is_ours) {
        message_drop(g->mem, m);
        return 0;
    }
    mcache_add(&g->mcache, m);
    forward(g, m, t);
    give(g, m, ev);
    return 1;
}

static int ask_outside(struct gossipsub *g, struct message *m, const struct public_key *key,
                       struct view signed_bytes, struct gossipsub_event *ev)
{
    if (g->checking_count >= g->limits->unverified) {
        message_drop(g->mem, m);
        return 0;
    }
    m->job = ++g->last_job;
    list_add(&g->checking, &m->in_order);
    g->checking_count++;
    *ev = (struct gossipsub_event){
        .type = GOSSIPSUB_VERIFY,
        .job = m->job,
        .public_key = *key,
        .message = signed_bytes,
        .signature = m->fields.signature,
        .via = m->via,
    };
    return 1;
}

static int on_message(struct gossipsub *g, struct router_peer *p, struct view encoded,
                      struct gossipsub_event *ev, uint64_t now)
{
    struct rpc_message fields;
    struct peer_id author;
    struct public_key key = {0};
    int rc = rpc_message_parse(encoded, &fields);
    if (rc != 0)
        return rc;
    struct topic *t = mesh_find(&g->mesh, fields.topic);
    if (t == NULL || !t->is_ours ||
        message_check(&fields, g->config.signing, &author, &key) != 0 ||
        (author.len > 0 && peer_id_equal(&author, &g->self)))
        return 0;
    struct message_id id;
    message_name(&fields, g->config.message_id, &id);
    struct view name = message_name_normal(message_id_view(&id));
    if (seen_has(&g->seen, name))
        return 0;
    buf_truncate(&g->scratch, 0);
    if (g->config.signing == GOSSIPSUB_STRICT_SIGN) {
        rc = message_signed_bytes(&fields, &g->scratch);
        if (rc != 0)
            return rc == ERR_NOMEM ? rc : 0;
        rc = public_key_verify(&key, buf_view(&g->scratch), fields.signature);
        if (rc != 0 && rc != ERR_UNSUPPORTED)
            return 0;
    }
    struct message *m = message_new(g->mem, encoded);
    if (m == NULL)
        return ERR_NOMEM;
    seen_add(&g->seen, name, now);
    m->id = id;
    m->via = p->handle;
    m->at = now;
    if (rc == ERR_UNSUPPORTED && key.type == KEY_SECP256K1) {
        message_drop(g->mem, m);
        return 0;
    }
    if (rc != ERR_UNSUPPORTED)
        return accept(g, m, ev);
    /* The key must outlive this call: read it again from the copy. */
    key.data = view_of(NULL, 0);
    if (message_check(&m->fields, g->config.signing, &author, &key) != 0) {
        message_drop(g->mem, m);
        return 0;
    }
    return ask_outside(g, m, &key, buf_view(&g->scratch), ev);
}

void gossipsub_verified(struct gossipsub *g, uint32_t job, bool is_valid, uint64_t now)
{
    (void)now;
    LIST_EACH(node, &g->checking) {
        struct message *m = LIST_OWNER(node, struct message, in_order);
        if (m->job != job)
            continue;
        list_remove(&m->in_order);
        g->checking_count--;
        if (is_valid)
            list_add(&g->ready, &m->in_order);
        else
            message_drop(g->mem, m);
        return;
    }
}

bool gossipsub_next(struct gossipsub *g, struct gossipsub_event *ev)
{
    while (!list_is_empty(&g->ready)) {
        struct message *m = LIST_OWNER(g->ready.next, struct message, in_order);
        list_remove(&m->in_order);
        if (m->via == 0) {
            give(g, m, ev);
            return true;
        }
        if (accept(g, m, ev) == 1)
            return true;
    }
    return false;
}

/* ---- the rest of an RPC ------------------------------------------------------------------------------------ */

/* js grafts whoever subscribes while the mesh is thin, and so do we: no second is lost. */
static void graft_promptly(struct gossipsub *g, struct member *m, uint64_t now)
{
    if (m->topic->is_ours && m->topic->mesh_count < g->config.d_low && member_can_graft(m, now))
        router_graft(g, m);
}

static int on_subscription(struct gossipsub *g, struct router_peer *p, struct view encoded,
                           struct gossipsub_event *ev, uint64_t now)
{
    struct rpc_subscription s;
    int rc = rpc_subscription_parse(encoded, &s);
    if (rc != 0 || s.topic.len == 0 || s.topic.len > g->limits->topic_name)
        return rc;
    struct topic *t = mesh_find(&g->mesh, s.topic);
    struct member *m = t ? member_find(t, p) : NULL;
    bool was = m != NULL && m->is_subscribed;
    if (was == s.subscribe)
        return 0;
    if (s.subscribe) {
        if (p->topic_count >= g->limits->topics_per_peer)
            return 0;
        t = mesh_topic(&g->mesh, s.topic);
        m = t ? member_add(&g->mesh, t, p, &p->members) : NULL;
        if (m == NULL)
            return ERR_NOMEM;
    }
    m->is_subscribed = s.subscribe;
    p->topic_count += s.subscribe ? 1 : (uint32_t)-1;
    if (s.subscribe)
        graft_promptly(g, m, now);
    else {
        member_set_mesh(m, false);
        m->is_in_fanout = false;
        member_prune(&g->mesh, m, now);
    }
    *ev = (struct gossipsub_event){
        .type = GOSSIPSUB_SUBSCRIPTION,
        .peer = p->id,
        .via = p->handle,
        .topic = s.topic,
        .subscribed = s.subscribe,
    };
    return 1;
}

static void on_graft(struct gossipsub *g, struct router_peer *p, struct view name, uint64_t now)
{
    struct topic *t = mesh_find(&g->mesh, name);
    if (t == NULL || !t->is_ours)
        return;
    struct member *m = member_find(t, p);
    if (m == NULL || !m->is_subscribed || m->is_in_mesh)
        return;
    bool too_soon = !is_due(m->backoff_until, now + BACKOFF_SLACK_MS);
    bool is_full = t->mesh_count >= g->config.d_high && p->role == LISTENER;
    if (too_soon || is_full)
        router_prune(g, m, g->config.prune_backoff_s, now);
    else
        member_set_mesh(m, true);
}

static void on_prune(struct gossipsub *g, struct router_peer *p, struct view encoded, uint64_t now)
{
    struct rpc_prune prune;
    if (rpc_prune_parse(encoded, &prune) != 0)
        return;
    struct topic *t = mesh_find(&g->mesh, prune.topic);
    struct member *m = t ? member_find(t, p) : NULL;
    if (m == NULL)
        return;
    member_set_mesh(m, false);
    back_off(g, m, prune.backoff_s ? prune.backoff_s : g->config.prune_backoff_s, now);
}

static int on_ihave(struct gossipsub *g, struct router_peer *p, struct view rest, uint64_t now)
{
    struct rpc_field f;
    struct topic *t = NULL;
    int rc;
    if (++p->ihaves > g->limits->ihave_messages)
        return 0;
    buf_truncate(&g->scratch, 0);
    while ((rc = rpc_next(&rest, &f)) == 1) {
        if (f.tag == 1 && f.is_bytes)
            t = mesh_find(&g->mesh, f.bytes);
        if (f.tag != 2 || !f.is_bytes || t == NULL || !t->is_ours ||
            f.bytes.len > 2 * MESSAGE_ID_MAX || p->iwant_ids >= g->limits->ihave_ids)
            continue;
        struct view name = message_name_normal(f.bytes);
        if (seen_has(&g->seen, name) || !seen_add(&g->asked, name, now))
            continue;
        if (rpc_append(&g->scratch, 1, f.bytes) != 0)
            break;
        p->iwant_ids++;
    }
    if (rc < 0 || g->scratch.len == 0)
        return rc < 0 ? rc : 0;
    if (rpc_append_ids(&p->gossip, CONTROL_IWANT, view_of(NULL, 0), buf_view(&g->scratch)) == 0)
        router_owe(g, p);
    return 0;
}

static int on_iwant(struct gossipsub *g, struct router_peer *p, struct view rest)
{
    struct rpc_field f;
    int rc;
    while ((rc = rpc_next(&rest, &f)) == 1) {
        struct message *m = f.tag == 1 && f.is_bytes ? mcache_find(&g->mcache, f.bytes) : NULL;
        if (m == NULL || p->iwant_ids >= g->limits->ihave_ids ||
            m->served >= g->limits->retransmissions * g->peers.count)
            continue;
        p->iwant_ids++;
        m->served++;
        enqueue(g, p, m, false);
    }
    return rc;
}

static int on_control(struct gossipsub *g, struct router_peer *p, const struct rpc_field *f,
                      uint64_t now)
{
    struct view rest = f->bytes;
    struct rpc_field topic;
    switch (f->tag) {
    case CONTROL_IHAVE:
        return on_ihave(g, p, rest, now);
    case CONTROL_IWANT:
        return on_iwant(g, p, rest);
    case CONTROL_GRAFT:
        if (rpc_next(&rest, &topic) == 1 && topic.tag == 1)
            on_graft(g, p, topic.bytes, now);
        return 0;
    case CONTROL_PRUNE:
        on_prune(g, p, f->bytes, now);
        return 0;
    default: /* IDONTWANT and what later versions bring */
        return 0;
    }
}

/* One field of the RPC being read: 1 with an event, 0, or an error. */
static int on_field(struct gossipsub *g, struct router_peer *p, const struct rpc_field *f,
                    struct gossipsub_event *ev, uint64_t now)
{
    if (!f->is_bytes)
        return 0;
    switch (f->tag) {
    case RPC_SUBSCRIPTION:
        return on_subscription(g, p, f->bytes, ev, now);
    case RPC_MESSAGE:
        return on_message(g, p, f->bytes, ev, now);
    case RPC_CONTROL:
        p->control = f->bytes;
        return 0;
    default:
        return 0;
    }
}

int gossipsub_feed(struct gossipsub *g, uint32_t handle, struct span *in,
                   struct gossipsub_event *ev, uint64_t now)
{
    struct router_peer *p = find(g, handle);
    if (p == NULL) {
        in->len = 0;
        return 0;
    }
    for (;;) {
        struct rpc_field f;
        int rc = rpc_next(&p->control, &f);
        if (rc == 1)
            rc = f.is_bytes ? on_control(g, p, &f, now) : 0;
        else if (rc == 0 && (rc = rpc_next(&p->rpc, &f)) == 1)
            rc = on_field(g, p, &f, ev, now);
        else if (rc == 0) {
            rc = delimited_feed(&p->reader, in, &p->rpc);
            if (rc == 0)
                return 0;
            rc = rc == 1 ? 0 : rc;
        }
        if (rc < 0)
            p->rpc = p->control = view_of(NULL, 0);
        if (rc != 0)
            return rc;
    }
}

/* ---- out ------------------------------------------------------------------------------------------------------ */

uint32_t gossipsub_owing(struct gossipsub *g, uint32_t *at)
{
    uint32_t i = 0;
    LIST_EACH(node, &g->owing)
        if (i++ == *at) {
            ++*at;
            return LIST_OWNER(node, struct router_peer, in_owing)->handle;
        }
    return 0;
}

/* Messages from the front of the queue that fit into an RPC beside `len` other bytes. */
static uint32_t fitting(const struct router_peer *p, size_t limit, size_t *len)
{
    uint32_t count = 0;
    while (count < p->queue_len) {
        const struct message *m = p->queue[(p->queue_head + count) % p->queue_room].message;
        size_t more = rpc_field_len(m->len);
        if (*len + more > limit)
            break;
        *len += more;
        count++;
    }
    return count;
}

static int append_rpc(struct gossipsub *g, struct router_peer *p, struct buf *out)
{
    size_t limit = MIN(g->limits->rpc_send, buf_room(out) - MIN(buf_room(out), 8u));
    size_t control = p->control_out.len + p->gossip.len;
    size_t len = p->subscriptions.len + (control ? rpc_field_len(control) : 0);
    if (len > limit)
        return ERR_FULL;
    uint32_t messages = fitting(p, limit, &len);
    if (len == 0)
        return ERR_FULL;
    uint8_t *at = buf_reserve(out, uvarint_len(len) + len);
    if (at == NULL)
        return ERR_NOMEM;
    struct writer w = writer_of(at, uvarint_len(len) + len);
    put_uvarint(&w, len);
    put(&w, buf_view(&p->subscriptions));
    for (uint32_t i = 0; i < messages; i++) {
        const struct message *m = p->queue[p->queue_head].message;
        put_u8(&w, RPC_MESSAGE << 3 | 2);
        put_delimited(&w, view_of(m->bytes, m->len));
        dequeue(g, p);
    }
    if (control > 0) {
        put_u8(&w, RPC_CONTROL << 3 | 2);
        put_uvarint(&w, control);
        put(&w, buf_view(&p->control_out));
        put(&w, buf_view(&p->gossip));
    }
    assert(!w.failed);
    buf_commit(out, w.len);
    buf_free(&p->subscriptions);
    buf_free(&p->control_out);
    buf_free(&p->gossip);
    return 0;
}

static bool owes(const struct router_peer *p)
{
    return p->subscriptions.len + p->control_out.len + p->gossip.len + p->queue_len > 0;
}

int gossipsub_drain(struct gossipsub *g, uint32_t handle, struct buf *out)
{
    struct router_peer *p = find(g, handle);
    if (p == NULL || !p->is_greeted)
        return 0;
    while (owes(p)) {
        int rc = append_rpc(g, p, out);
        if (rc == ERR_FULL)
            return 0;
        if (rc != 0)
            return rc;
    }
    list_remove(&p->in_owing);
    return 0;
}

/* ---- commands --------------------------------------------------------------------------------------------------- */

static int check_topic(const struct gossipsub *g, struct view topic)
{
    return topic.len > 0 && topic.len <= g->limits->topic_name ? 0 : ERR_BAD_ARGUMENT;
}

static void announce_to_all(struct gossipsub *g, const struct topic *t)
{
    uint32_t at = 0;
    struct router_peer *p;
    while ((p = table_next(&g->peers, &at)) != NULL)
        if (p->is_greeted)
            announce(g, p, t);
}

static uint32_t count_ours(const struct gossipsub *g)
{
    uint32_t count = 0;
    LIST_EACH(node, &g->mesh.topics)
        count += LIST_OWNER(node, struct topic, in_mesh)->is_ours;
    return count;
}

int gossipsub_subscribe(struct gossipsub *g, struct view name, uint64_t now)
{
    int rc = check_topic(g, name);
    if (rc != 0)
        return rc;
    struct topic *t = mesh_topic(&g->mesh, name);
    if (t == NULL)
        return ERR_NOMEM;
    if (t->is_ours)
        return 0;
    if (count_ours(g) >= g->limits->topics) {
        mesh_prune_topic(&g->mesh, t);
        return ERR_FULL;
    }
    t->is_ours = true;
    t->fanout_until = NEVER;
    announce_to_all(g, t);
    struct member *chosen[64];
    size_t want = MIN(g->config.d, ARRAY_LEN(chosen));
    size_t count = topic_sample(t, g->rng, want, member_can_graft, now, chosen);
    for (size_t i = 0; i < count; i++)
        router_graft(g, chosen[i]);
    return 0;
}

int gossipsub_unsubscribe(struct gossipsub *g, struct view name, uint64_t now)
{
    struct topic *t = mesh_find(&g->mesh, name);
    if (t == NULL || !t->is_ours)
        return 0;
    t->is_ours = false;
    announce_to_all(g, t);
    LIST_EACH(node, &t->members) {
        struct member *m = LIST_OWNER(node, struct member, in_topic);
        if (m->is_in_mesh)
            router_prune(g, m, g->config.unsubscribe_backoff_s, now);
    }
    mesh_prune_topic(&g->mesh, t);
    return 0;
}

static bool can_publish_to(const struct member *m, uint64_t now)
{
    (void)now;
    return m->is_subscribed && peer_is_acceptable(m->peer);
}

/* Without a mesh a few peers are chosen and kept for a minute. */
static void fill_fanout(struct gossipsub *g, struct topic *t, uint64_t now)
{
    struct member *chosen[64];
    size_t count = topic_sample(t, g->rng, MIN(g->config.d, ARRAY_LEN(chosen)), can_publish_to, now,
                                chosen);
    uint32_t have = 0;
    LIST_EACH(node, &t->members)
        have += LIST_OWNER(node, struct member, in_topic)->is_in_fanout;
    for (size_t i = 0; i < count && have < g->config.d; i++) {
        have += !chosen[i]->is_in_fanout;
        chosen[i]->is_in_fanout = true;
    }
    t->fanout_until = after(now, g->config.fanout_ttl_ms);
}

static bool is_recipient(const struct gossipsub *g, const struct topic *t, const struct member *m)
{
    if (!can_publish_to(m, 0))
        return false;
    if (g->config.flood_publish)
        return true;
    return t->is_ours ? m->is_in_mesh : m->is_in_fanout;
}

static uint32_t send_to_all(struct gossipsub *g, struct topic *t, struct message *m,
                            struct buf *recipients, uint32_t *wanted)
{
    uint32_t count = 0;
    *wanted = 0;
    LIST_EACH(node, &t->members) {
        struct member *member = LIST_OWNER(node, struct member, in_topic);
        if (!is_recipient(g, t, member))
            continue;
        ++*wanted;
        if (!enqueue(g, member->peer, m, true))
            continue;
        count++;
        uint8_t handle[4];
        struct writer w = writer_of(handle, sizeof handle);
        put_u32be(&w, member->peer->handle);
        if (recipients != NULL && buf_append(recipients, writer_view(&w)) != 0)
            recipients = NULL;
    }
    return count;
}

static int make_message(struct gossipsub *g, struct view name, struct view data,
                        struct message **made)
{
    buf_truncate(&g->scratch, 0);
    int rc = message_append(&g->scratch, g->identity, g->config.signing, g->seqno + 1, name, data);
    if (rc != 0)
        return rc;
    struct message *m = message_new(g->mem, buf_view(&g->scratch));
    if (m == NULL)
        return ERR_NOMEM;
    message_name(&m->fields, g->config.message_id, &m->id);
    g->seqno++;
    *made = m;
    return 0;
}

int gossipsub_publish(struct gossipsub *g, struct view name, struct view data,
                      struct buf *recipients, uint64_t now)
{
    int rc = check_topic(g, name);
    if (rc != 0)
        return rc;
    if (data.len > g->limits->message)
        return ERR_TOO_BIG;
    struct topic *t = mesh_topic(&g->mesh, name);
    if (t == NULL)
        return ERR_NOMEM;
    if (!g->config.flood_publish && !t->is_ours)
        fill_fanout(g, t, now);
    struct message *m;
    rc = make_message(g, name, data, &m);
    if (rc != 0)
        return rc;
    m->at = now;
    if (recipients != NULL)
        buf_truncate(recipients, 0);
    uint32_t wanted, count = send_to_all(g, t, m, recipients, &wanted);
    rc = (int)count;
    if (count == 0 && wanted > 0)
        rc = ERR_FULL;
    else if (count == 0 && !g->config.allow_no_peers)
        rc = ERR_NO_PEERS;
    if (rc < 0) {
        message_drop(g->mem, m);
        mesh_prune_topic(&g->mesh, t);
        return rc;
    }
    seen_add(&g->seen, message_name_normal(message_id_view(&m->id)), now);
    mcache_add(&g->mcache, m);
    if (g->config.emit_self && t->is_ours) {
        struct message *copy = message_new(g->mem, view_of(m->bytes, m->len));
        if (copy != NULL) {
            copy->id = m->id;
            list_add(&g->ready, &copy->in_order);
        }
    }
    message_drop(g->mem, m);
    mesh_prune_topic(&g->mesh, t);
    return rc;
}

void gossipsub_tick(struct gossipsub *g, uint64_t now)
{
    if (!is_due(g->heartbeat_at, now))
        return;
    router_heartbeat(g, now);
    g->heartbeat_at = after(now, g->config.heartbeat_ms);
}

uint64_t gossipsub_deadline(const struct gossipsub *g)
{
    return g->peers.count > 0 ? g->heartbeat_at : NEVER;
}

/* ---- questions ------------------------------------------------------------------------------------------------------- */

bool gossipsub_next_topic(const struct gossipsub *g, uint32_t *at, struct view *topic)
{
    LIST_EACH(node, &g->mesh.topics) {
        struct topic *t = LIST_OWNER(node, struct topic, in_mesh);
        if (!t->is_ours || t->number <= *at)
            continue;
        *at = t->number;
        *topic = topic_name(t);
        return true;
    }
    return false;
}

static bool is_in_set(const struct member *m, enum gossipsub_set set)
{
    return set == GOSSIPSUB_MESH ? m->is_in_mesh : m->is_subscribed;
}

uint32_t gossipsub_next_peer(const struct gossipsub *g, enum gossipsub_set set, struct view topic,
                             uint32_t *at)
{
    if (set == GOSSIPSUB_ALL) {
        const struct router_peer *p = table_next(&g->peers, at);
        return p ? p->handle : 0;
    }
    struct topic *t = mesh_find(&g->mesh, topic);
    uint32_t i = 0;
    if (t == NULL)
        return 0;
    LIST_EACH(node, &t->members) {
        struct member *m = LIST_OWNER(node, struct member, in_topic);
        if (i++ < *at || !is_in_set(m, set))
            continue;
        *at = i;
        return m->peer->handle;
    }
    return 0;
}

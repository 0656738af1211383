/* What waits for a peer, made into RPCs. */
#include "pubsub/router.h"

#include <assert.h>

/* ---- what is owed ------------------------------------------------------------------------------ */

static bool owes_control(const struct gossipsub *g, const struct neighbour *n)
{
    return n->told != g->mesh.last_change || !list_is_empty(&n->owing) ||
           n->wanted.len + n->unwanted.len > 0;
}

static bool owes(const struct gossipsub *g, const struct neighbour *n)
{
    return owes_control(g, n) || n->queue_len > 0;
}

uint32_t gossipsub_owing(struct gossipsub *g, uint32_t *at)
{
    if (*at == 0)
        *at = ++g->walks;
    if (list_is_empty(&g->owing))
        return 0;
    /* Whoever was met goes to the end of the line: when he is first again, all have been. */
    struct neighbour *n = LIST_OWNER(g->owing.next, struct neighbour, in_owing);
    if (n->walk == *at)
        return 0;
    n->walk = *at;
    list_remove(&n->in_owing);
    list_add(&g->owing, &n->in_owing);
    return n->handle;
}

/* ---- parts of an RPC, as many as there is room for --------------------------------------------- */

/* Keeps a part that was put whole; takes back one that was not. */
static bool keep_put(struct writer *w, size_t before)
{
    if (!w->failed)
        return true;
    w->failed = false;
    w->len = before;
    return false;
}

/* A stream that begins after a topic was left need not be told so. */
static void put_subscriptions(const struct gossipsub *g, struct neighbour *n, struct writer *w)
{
    uint32_t left = g->limits->rpc_topics;
    LIST_EACH(node, &g->mesh.changes) {
        const struct topic *t = LIST_OWNER(node, struct topic, in_changes);
        size_t before = w->len;
        if (t->change <= n->told)
            continue;
        if (t->is_ours || t->change > n->greeted)
            rpc_put_subscription(w, t->is_ours, topic_name(t));
        if (!keep_put(w, before))
            return;
        n->told = t->change;
        if (--left == 0)
            return;
    }
    n->told = g->mesh.last_change;
}

/* Others of the topic, so that whoever is sent away finds a mesh elsewhere: as many as fit. */
static void put_peers(const struct gossipsub *g, const struct member *pruned, struct writer *w)
{
    uint32_t most = MIN(g->config.px_peers, g->limits->px_peers);
    struct choice c = topic_choose(pruned->topic, EXCHANGEABLE, most, g->rng, 0);
    for (const struct member *m; (m = choice_next(&c)) != NULL;) {
        size_t before = w->len;
        if (m == pruned)
            continue;
        rpc_put_peer(w, &(struct rpc_peer){peer_id_view(&m->peer->id), buf_view(&m->peer->record)});
        if (!keep_put(w, before))
            return;
    }
}

static void put_prune(const struct gossipsub *g, const struct member *m, struct writer *w)
{
    bool is_1_0 = m->peer->version == GOSSIPSUB_1_0;
    size_t begun = rpc_begin_prune(w, topic_name(m->topic), is_1_0 ? 0 : m->prune_backoff_s);
    if (g->config.exchange_peers && !is_1_0 && m->peer->score >= 0 && !w->failed)
        put_peers(g, m, w);
    rpc_end(w, begun);
}

void router_note(struct gossipsub *g, struct member *m, enum member_news news)
{
    m->news = (uint8_t)news;
    if (!list_is_linked(&m->in_news))
        list_add(&g->news, &m->in_news);
}

static void put_grafts_and_prunes(struct gossipsub *g, struct neighbour *n, struct writer *w)
{
    LIST_EACH(node, &n->owing) {
        struct member *m = LIST_OWNER(node, struct member, in_owing);
        size_t before = w->len;
        if (m->owed & OWES_GRAFT)
            rpc_put_graft(w, topic_name(m->topic));
        else if (m->owed & OWES_PRUNE)
            put_prune(g, m, w);
        if (!keep_put(w, before))
            return;
        if (m->owed & (OWES_GRAFT | OWES_PRUNE))
            router_note(g, m, m->owed & OWES_GRAFT ? NEWS_GRAFT_OURS : NEWS_PRUNE_OURS);
        member_settle(m, OWES_GRAFT | OWES_PRUNE);
    }
}

static void put_ids(enum rpc_part_type type, struct buf *ids, uint32_t most, struct writer *w)
{
    size_t before = w->len;
    if (ids->len == 0)
        return;
    size_t len = rpc_put_ids(w, type, buf_view(ids), most);
    if (keep_put(w, before))
        buf_take(ids, len);
    buf_trim(ids);
}

static bool is_news(const struct gossipsub *g, const struct topic *t, struct list *node)
{
    return node != &t->recent && LIST_OWNER(node, struct message, in_topic)->at >= g->gossip_since;
}

struct view router_id_for(const struct gossipsub *g, const struct neighbour *n,
                          const struct message *m, struct message_id *room)
{
    if (n->form == g->config.message_id)
        return m->id;
    *room = message_id_of(&m->fields, n->form);
    return message_id_view(room);
}

/* Where there are more ids than room, a run from a random place on: others get other runs. */
static void put_ihave(const struct gossipsub *g, const struct neighbour *n, const struct topic *t,
                      struct writer *w)
{
    uint32_t count = 0;
    struct list *node = t->recent.prev;
    for (; is_news(g, t, node); node = node->prev)
        count++;
    if (count == 0)
        return;
    size_t begun = rpc_begin_ihave(w, topic_name(t)), first = w->len, last = first;
    node = t->recent.prev;
    size_t id_len = LIST_OWNER(node, struct message, in_topic)->id.len;
    size_t fit = (w->room - w->len) / rpc_field_len(id_len);
    uint32_t skip = fit < count ? rng_below(g->rng, count - (uint32_t)fit + 1) : 0;
    for (; skip > 0; skip--)
        node = node->prev;
    for (; is_news(g, t, node) && !w->failed; node = node->prev) {
        struct message_id id;
        last = w->len;
        rpc_put_ihave_id(w, router_id_for(g, n, LIST_OWNER(node, struct message, in_topic), &id));
    }
    if (last > first)
        keep_put(w, last);
    rpc_end(w, begun);
}

static void put_ihaves(const struct gossipsub *g, struct neighbour *n, struct writer *w)
{
    LIST_EACH(node, &n->owing) {
        struct member *m = LIST_OWNER(node, struct member, in_owing);
        size_t before = w->len;
        if (!(m->owed & OWES_IHAVE))
            continue;
        put_ihave(g, n, m->topic, w);
        if (!keep_put(w, before))
            return;
        member_settle(m, OWES_IHAVE);
    }
}

/* ---- messages ---------------------------------------------------------------------------------- */

bool router_is_unwanted(const struct gossipsub *g, const struct message *m,
                        const struct neighbour *n)
{
    return seen_has(&g->unwanted, router_mark(m->hashes.id, n, 0)) ||
           seen_has(&g->unwanted, router_mark(m->hashes.origin, n, 0));
}

/* What it got from somebody else while it waited here. Turns the ring once. */
static void drop_unwanted(struct gossipsub *g, struct neighbour *n)
{
    n->is_picky = false;
    for (uint32_t left = n->queue_len; left > 0; left--) {
        struct message *m = message_hold(neighbour_at(n, 0));
        neighbour_pop(n, &g->messages);
        if (!router_is_unwanted(g, m, n))
            neighbour_push(n, m, SIZE_MAX, &g->messages);
        message_drop(&g->messages, m);
    }
}

/* ---- RPCs -------------------------------------------------------------------------------------- */

/* Messages from the front of the queue that fit. */
static uint32_t fitting(const struct neighbour *n, uint32_t most, size_t room, size_t *len)
{
    uint32_t count = 0;
    for (*len = 0; count < MIN(n->queue_len, most); count++) {
        size_t more = rpc_field_len(neighbour_at(n, count)->encoded.len);
        if (more > room - *len)
            break;
        *len += more;
    }
    return count;
}

static void put_messages(struct gossipsub *g, struct neighbour *n, uint32_t count, struct writer *w)
{
    for (; count > 0; count--) {
        rpc_put_message(w, neighbour_at(n, 0)->encoded);
        neighbour_pop(n, &g->messages);
    }
}

/* What is needed most comes first: the mesh, then what was missed, then gossip. */
static void put_control(struct gossipsub *g, struct neighbour *n, struct writer *w)
{
    size_t before = w->len;
    size_t begun = rpc_begin_control(w);
    if (!keep_put(w, before))
        return;
    put_grafts_and_prunes(g, n, w);
    put_ids(RPC_IDONTWANT, &n->unwanted, g->limits->rpc_idontwants, w);
    put_ids(RPC_IWANT, &n->wanted, UINT32_MAX, w);
    put_ihaves(g, n, w);
    if (w->len > begun)
        rpc_end(w, begun);
    else
        w->len = before;
}

/*
 * Appends one RPC; ERR_FULL when `out` has too little room for what comes next. Its memory is there
 * before anything that is owed counts as told.
 */
static int append_rpc(struct gossipsub *g, struct neighbour *n, struct buf *out)
{
    size_t first = n->queue_len > 0 ? rpc_field_len(neighbour_at(n, 0)->encoded.len) : 0;
    size_t room = MIN(buf_room(out), MAX(g->limits->rpc_send, first) + RPC_PREFIX_MAX);
    room -= MIN(room, (size_t)RPC_PREFIX_MAX);
    size_t control_room = owes_control(g, n) ? MIN(room, g->limits->rpc_control) : 0;
    size_t messages_len;
    uint32_t messages = fitting(n, g->limits->rpc_messages, room - control_room, &messages_len);
    if (control_room == 0 && messages == 0)
        return ERR_FULL;
    uint8_t *at = buf_reserve(out, RPC_PREFIX_MAX + control_room + messages_len);
    if (at == NULL)
        return ERR_NOMEM;

    struct writer w = writer_of(at, RPC_PREFIX_MAX + control_room);
    size_t begun = rpc_begin(&w);
    put_subscriptions(g, n, &w);
    w.room += messages_len;
    put_messages(g, n, messages, &w);
    put_control(g, n, &w);
    if (w.len == begun)
        return owes_control(g, n) ? ERR_FULL : 0;
    rpc_end(&w, begun);
    assert(!w.failed);
    buf_commit(out, w.len);
    return 0;
}

int gossipsub_drain(struct gossipsub *g, uint32_t handle, struct buf *out)
{
    struct neighbour *n = router_find(g, handle);
    int rc = 0;
    if (n == NULL || !n->is_writable)
        return 0;
    if (n->is_picky)
        drop_unwanted(g, n);
    if (n->is_new) {
        rc = rpc_append_extensions(out);
        n->is_new = rc != 0;
    }
    while (rc == 0 && owes(g, n))
        rc = append_rpc(g, n, out);
    if (rc == 0)
        list_remove(&n->in_owing);
    return rc == ERR_FULL ? 0 : rc;
}

#include "routing/lookup.h"

#include <assert.h>

#include "multiformats/multiaddr.h"

int lookup_init(struct lookup *l, struct mem *mem, const struct service_limits *limits,
                const struct lookup_config *config, struct view key, uint64_t now)
{
    assert(config->k > 0 && config->alpha > 0);
    *l = (struct lookup){
        .config = *config,
        .mem = mem,
        .limits = limits,
        .expires_at = after(now, limits->lookup_ms),
    };
    if (key.len > sizeof l->key)
        return ERR_TOO_BIG;
    if (key.len > 0)
        memcpy(l->key, key.data, key.len);
    l->key_len = key.len;
    sha256(key, l->target);
    l->heard.at = mem_alloc(mem, limits->lookup_peers * sizeof *l->heard.at);
    l->heard.room = l->heard.at == NULL ? 0 : limits->lookup_peers;
    l->found.at = mem_alloc(mem, limits->lookup_found * sizeof *l->found.at);
    l->found.room = l->found.at == NULL ? 0 : limits->lookup_found;
    l->addresses = mem_alloc(mem, limits->lookup_addresses * sizeof *l->addresses);
    bool has_all = l->heard.at != NULL && l->found.at != NULL && l->addresses != NULL;
    return has_all ? 0 : ERR_NOMEM;
}

static void free_peers(struct mem *mem, struct lookup_peers *peers)
{
    for (size_t i = 0; i < peers->count; i++)
        buf_free(&peers->at[i].addresses);
    mem_free(mem, peers->at);
    *peers = (struct lookup_peers){0};
}

void lookup_free(struct lookup *l)
{
    free_peers(l->mem, &l->heard);
    free_peers(l->mem, &l->found);
    mem_free(l->mem, l->addresses);
    l->addresses = NULL;
}

enum kad_type lookup_question(const struct lookup *l)
{
    return l->config.goal == LOOKUP_PROVIDERS ? KAD_GET_PROVIDERS : KAD_FIND_NODE;
}

static struct lookup_peer *find(const struct lookup_peers *peers, struct view id)
{
    for (size_t i = 0; i < peers->count; i++)
        if (view_equal(peer_id_view(&peers->at[i].id), id))
            return &peers->at[i];
    return NULL;
}

/* Adds to what is known of a peer's addresses, each once. */
static int keep_addresses(struct buf *into, const struct views *addresses)
{
    for (size_t i = 0; i < addresses->count; i++) {
        struct cursor c = cursor_of(buf_view(into));
        bool is_known = false;
        while (c.rest.len > 0 && !is_known)
            is_known = view_equal(take_delimited(&c, MULTIADDR_MAX_LEN), addresses->at[i]);
        size_t len = addresses->at[i].len;
        size_t whole = uvarint_len(len) + len;
        if (is_known || whole > buf_room(into))
            continue;
        uint8_t *tail = buf_reserve(into, whole);
        if (tail == NULL)
            return ERR_NOMEM;
        struct writer w = writer_of(tail, whole);
        put_delimited(&w, addresses->at[i]);
        buf_commit(into, w.len);
    }
    return 0;
}

/* An entry of its own at `at`, those behind it moved. */
static struct lookup_peer *insert(struct lookup *l, struct lookup_peers *peers, size_t at,
                                  const struct peer_id *id)
{
    memmove(peers->at + at + 1, peers->at + at, (peers->count - at) * sizeof *peers->at);
    peers->count++;
    peers->at[at] = (struct lookup_peer){.id = *id, .expires_at = NEVER};
    buf_init(&peers->at[at].addresses, l->mem, l->limits->lookup_addresses * 64);
    return &peers->at[at];
}

/* Makes room in a full list at the expense of the farthest; false when all before `at` are asked. */
static bool make_room(struct lookup_peers *peers, size_t at)
{
    if (peers->count < peers->room)
        return true;
    struct lookup_peer *last = &peers->at[peers->count - 1];
    if (at >= peers->count || last->state == LOOKUP_ASKED)
        return false;
    buf_free(&last->addresses);
    peers->count--;
    return true;
}

/* Puts a peer where its distance is, unless it is there, is ourselves, or is farther than a full list. */
static int hear(struct lookup *l, const struct peer_id *id, const struct views *addresses)
{
    struct lookup_peer *known = find(&l->heard, peer_id_view(id));
    if (known != NULL)
        return keep_addresses(&known->addresses, addresses);
    if (peer_id_equal(id, &l->config.self))
        return 0;
    uint8_t distance[SHA256_LEN];
    sha256(peer_id_view(id), distance);
    for (size_t i = 0; i < sizeof distance; i++)
        distance[i] ^= l->target[i];
    size_t at = 0;
    while (at < l->heard.count && memcmp(l->heard.at[at].distance, distance, sizeof distance) < 0)
        at++;
    if (!make_room(&l->heard, at))
        return 0;
    struct lookup_peer *peer = insert(l, &l->heard, at, id);
    memcpy(peer->distance, distance, sizeof distance);
    return keep_addresses(&peer->addresses, addresses);
}

int lookup_add(struct lookup *l, struct view multihash)
{
    struct peer_id id;
    int rc = peer_id_parse(multihash, &id);
    return rc == 0 ? hear(l, &id, &(struct views){0}) : rc;
}

static int find_one(struct lookup *l, const struct peer_id *id, const struct views *addresses)
{
    struct lookup_peer *known = find(&l->found, peer_id_view(id));
    if (known == NULL && l->found.count == l->found.room)
        return 0;
    if (known == NULL)
        known = insert(l, &l->found, l->found.count, id);
    return keep_addresses(&known->addresses, addresses);
}

static void keep_dialable(struct views *addresses)
{
    size_t kept = 0;
    for (size_t i = 0; i < addresses->count; i++)
        if (multiaddr_kind(addresses->at[i]) != ADDR_OTHER)
            addresses->at[kept++] = addresses->at[i];
    addresses->count = kept;
}

/* A peer that is told as near to the key, and may be the one that is looked for. */
static int take_closer(struct lookup *l, const struct peer_id *id, struct views *addresses)
{
    bool is_target = view_equal(peer_id_view(id), view_of(l->key, l->key_len));
    if (l->config.goal == LOOKUP_PEER && is_target && addresses->count > 0)
        return find_one(l, id, addresses);
    keep_dialable(addresses);
    return addresses->count > 0 ? hear(l, id, addresses) : 0;
}

static int take_peers(struct lookup *l, const struct views *peers,
                      int (*taken)(struct lookup *l, const struct peer_id *id,
                                   struct views *addresses))
{
    for (size_t i = 0; i < peers->count; i++) {
        struct peer_id id;
        struct views addresses = {.at = l->addresses, .room = l->limits->lookup_addresses};
        if (kad_peer_parse(peers->at[i], &id, &addresses) < 0)
            continue;
        int rc = taken(l, &id, &addresses);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int take_provider(struct lookup *l, const struct peer_id *id, struct views *addresses)
{
    return find_one(l, id, addresses);
}

int lookup_answer(struct lookup *l, struct view id, const struct kad_answered *answer)
{
    struct lookup_peer *peer = find(&l->heard, id);
    if (peer == NULL || peer->state != LOOKUP_ASKED)
        return 0;
    peer->state = LOOKUP_ANSWERED;
    int rc = take_peers(l, &answer->closer, take_closer);
    if (rc == 0 && l->config.goal == LOOKUP_PROVIDERS)
        rc = take_peers(l, &answer->providers, take_provider);
    return rc;
}

void lookup_failed(struct lookup *l, struct view id)
{
    struct lookup_peer *peer = find(&l->heard, id);
    if (peer != NULL && peer->state == LOOKUP_ASKED)
        peer->state = LOOKUP_FAILED;
}

static int tell(struct lookup_event *ev, enum lookup_event_type type,
                const struct lookup_peer *peer)
{
    *ev = (struct lookup_event){type, peer->id, buf_view(&peer->addresses)};
    return 1;
}

static struct lookup_peer *untold(const struct lookup *l)
{
    for (size_t i = 0; i < l->found.count; i++)
        if (!l->found.at[i].is_told)
            return &l->found.at[i];
    return NULL;
}

static struct lookup_peer *overdue(const struct lookup *l, uint64_t now)
{
    for (size_t i = 0; i < l->heard.count; i++) {
        struct lookup_peer *peer = &l->heard.at[i];
        if (peer->state == LOOKUP_ASKED && is_due(peer->expires_at, now))
            return peer;
    }
    return NULL;
}

/* The next one to ask of the k nearest that have not failed; `*is_settled` when all of them answered. */
static struct lookup_peer *next_to_ask(const struct lookup *l, bool *is_settled)
{
    struct lookup_peer *next = NULL;
    size_t nearest = 0, answered = 0, asked = 0;
    for (size_t i = 0; i < l->heard.count; i++) {
        struct lookup_peer *peer = &l->heard.at[i];
        asked += peer->state == LOOKUP_ASKED;
        if (peer->state == LOOKUP_FAILED || nearest == l->config.k)
            continue;
        nearest++;
        answered += peer->state == LOOKUP_ANSWERED;
        if (peer->state == LOOKUP_HEARD && next == NULL)
            next = peer;
    }
    *is_settled = answered == nearest;
    return asked < l->config.alpha ? next : NULL;
}

/* At the end of LOOKUP_CLOSEST: the nearest that answered and was not told yet. */
static struct lookup_peer *next_of_closest(const struct lookup *l)
{
    size_t nearest = 0;
    for (size_t i = 0; i < l->heard.count && nearest < l->config.k; i++) {
        struct lookup_peer *peer = &l->heard.at[i];
        if (peer->state != LOOKUP_ANSWERED)
            continue;
        nearest++;
        if (!peer->is_told)
            return peer;
    }
    return NULL;
}

static int tell_found(struct lookup_event *ev, struct lookup_peer *peer)
{
    peer->is_told = true;
    return tell(ev, LOOKUP_FOUND, peer);
}

int lookup_next(struct lookup *l, struct lookup_event *ev, uint64_t now)
{
    if (l->is_over)
        return 0;
    struct lookup_peer *peer = untold(l);
    if (peer != NULL)
        return tell_found(ev, peer);
    bool is_settled = l->config.goal == LOOKUP_PEER && l->found.count > 0;
    if (!is_settled && (peer = overdue(l, now)) != NULL) {
        peer->state = LOOKUP_FAILED;
        return tell(ev, LOOKUP_FORGET, peer);
    }
    if (!is_settled && !is_due(l->expires_at, now)) {
        peer = next_to_ask(l, &is_settled);
        if (peer != NULL) {
            peer->state = LOOKUP_ASKED;
            peer->expires_at = after(now, l->limits->lookup_ask_ms);
            return tell(ev, LOOKUP_ASK, peer);
        }
        if (!is_settled)
            return 0;
    }
    peer = l->config.goal == LOOKUP_CLOSEST ? next_of_closest(l) : NULL;
    if (peer != NULL)
        return tell_found(ev, peer);
    l->is_over = true;
    *ev = (struct lookup_event){.type = LOOKUP_DONE};
    return 1;
}

uint64_t lookup_deadline(const struct lookup *l)
{
    if (l->is_over)
        return NEVER;
    uint64_t at = l->expires_at;
    for (size_t i = 0; i < l->heard.count; i++)
        if (l->heard.at[i].state == LOOKUP_ASKED)
            at = earlier(at, l->heard.at[i].expires_at);
    return at;
}

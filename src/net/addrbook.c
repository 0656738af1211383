#include "net/addrbook.h"

#include "base/mem.h"
#include "multiformats/multiaddr.h"

void addrbook_init(struct addrbook *b, struct mem *mem, const struct peerlet_limits *limits)
{
    *b = (struct addrbook){.mem = mem, .limits = limits};
    list_init(&b->use_order);
    for (size_t i = 0; i < ADDRBOOK_BUCKETS; i++)
        list_init(&b->buckets[i]);
}

static void address_free(struct addrbook *b, struct peer *peer, struct address *a)
{
    list_remove(&a->in_peer);
    peer->address_count--;
    mem_free(b->mem, a);
}

static void peer_free(struct addrbook *b, struct peer *peer)
{
    LIST_EACH(node, &peer->addresses)
        address_free(b, peer, LIST_OWNER(node, struct address, in_peer));
    list_remove(&peer->in_bucket);
    list_remove(&peer->in_use_order);
    mem_free(b->mem, peer->protocols);
    mem_free(b->mem, peer);
    b->count--;
}

void addrbook_free(struct addrbook *b)
{
    if (b->mem == NULL)
        return;
    LIST_EACH(node, &b->use_order)
        peer_free(b, LIST_OWNER(node, struct peer, in_use_order));
}

/* The end of a Peer ID is key or hash, so its last byte spreads well. */
static struct list *bucket_of(const struct addrbook *b, const struct peer_id *id)
{
    size_t at = id->len ? id->bytes[id->len - 1] % ADDRBOOK_BUCKETS : 0;
    return (struct list *)(uintptr_t)&b->buckets[at];
}

struct peer *addrbook_find(const struct addrbook *b, const struct peer_id *id)
{
    struct list *bucket = bucket_of(b, id);
    LIST_EACH(node, bucket) {
        struct peer *peer = LIST_OWNER(node, struct peer, in_bucket);
        if (peer_id_equal(&peer->id, id))
            return peer;
    }
    return NULL;
}

static bool peer_is_idle(const struct peer *peer)
{
    return list_is_empty(&peer->conns) && peer->held == 0;
}

static bool make_room(struct addrbook *b)
{
    if (b->count < b->limits->peers)
        return true;
    LIST_EACH(node, &b->use_order) {
        struct peer *peer = LIST_OWNER(node, struct peer, in_use_order);
        if (peer_is_idle(peer)) {
            peer_free(b, peer);
            return true;
        }
    }
    return false;
}

struct peer *addrbook_add(struct addrbook *b, const struct peer_id *id)
{
    struct peer *peer = addrbook_find(b, id);
    if (peer != NULL || !make_room(b))
        return peer;
    peer = mem_alloc(b->mem, sizeof *peer);
    if (peer == NULL)
        return NULL;
    peer->id = *id;
    peer->number = ++b->last_number;
    list_init(&peer->addresses);
    list_init(&peer->conns);
    list_add(bucket_of(b, id), &peer->in_bucket);
    list_add(&b->use_order, &peer->in_use_order);
    b->count++;
    return peer;
}

void addrbook_touch(struct addrbook *b, struct peer *peer)
{
    list_remove(&peer->in_use_order);
    list_add(&b->use_order, &peer->in_use_order);
}

static struct address *address_find(const struct peer *peer, struct view bytes)
{
    LIST_EACH(node, &peer->addresses) {
        struct address *a = LIST_OWNER(node, struct address, in_peer);
        if (view_equal(view_of(a->bytes, a->len), bytes))
            return a;
    }
    return NULL;
}

static void drop_soonest(struct addrbook *b, struct peer *peer)
{
    struct address *soonest = NULL;
    LIST_EACH(node, &peer->addresses) {
        struct address *a = LIST_OWNER(node, struct address, in_peer);
        if (soonest == NULL || a->expires_at < soonest->expires_at)
            soonest = a;
    }
    if (soonest != NULL)
        address_free(b, peer, soonest);
}

/* Cuts the peer's own /p2p off the end, also when an application appended it twice. */
static struct view without_self(struct view addr, const struct peer_id *self)
{
    for (;;) {
        struct view shorter = multiaddr_without_peer(addr);
        struct peer_id last;
        if (shorter.len == addr.len || multiaddr_peer(addr, &last) != 0 ||
            !peer_id_equal(&last, self))
            return addr;
        addr = shorter;
    }
}

bool peer_add_address(struct addrbook *b, struct peer *peer, struct view multiaddr,
                      bool is_certified, uint64_t now)
{
    struct view bytes = without_self(multiaddr, &peer->id);
    if (bytes.len == 0 || bytes.len > MULTIADDR_MAX_LEN)
        return false;
    uint64_t expires_at = after(now, UINT64_C(1000) * b->limits->address_ttl_s);
    struct address *a = address_find(peer, bytes);
    if (a != NULL) {
        a->expires_at = a->is_kept ? NEVER : expires_at;
        a->is_certified |= is_certified;
        return false;
    }
    if (peer->address_count >= b->limits->addresses)
        drop_soonest(b, peer);
    a = mem_alloc(b->mem, sizeof *a + bytes.len);
    if (a == NULL)
        return false;
    a->expires_at = expires_at;
    a->is_certified = is_certified;
    a->len = bytes.len;
    memcpy(a->bytes, bytes.data, bytes.len);
    list_add(&peer->addresses, &a->in_peer);
    peer->address_count++;
    return true;
}

int peer_keep_address(struct addrbook *b, struct peer *peer, struct view multiaddr, uint64_t now)
{
    peer_add_address(b, peer, multiaddr, false, now);
    struct address *a = address_find(peer, without_self(multiaddr, &peer->id));
    if (a == NULL)
        return ERR_NOMEM;
    a->is_kept = true;
    a->expires_at = NEVER;
    return 0;
}

void peer_drop_certified(struct addrbook *b, struct peer *peer)
{
    LIST_EACH(node, &peer->addresses) {
        struct address *a = LIST_OWNER(node, struct address, in_peer);
        if (a->is_certified && !a->is_kept)
            address_free(b, peer, a);
        else
            a->is_certified = false;
    }
}

void peer_note_dial(struct peer *peer, struct view multiaddr, bool worked, uint64_t now)
{
    struct address *a = address_find(peer, without_self(multiaddr, &peer->id));
    if (a != NULL)
        a->failed_at = worked ? 0 : MAX(now, 1);
}

int peer_set_protocols(struct addrbook *b, struct peer *peer, const struct view *at, size_t count)
{
    size_t total = 1;
    for (size_t i = 0; i < count; i++)
        total += at[i].len + 1;
    char *text = mem_alloc(b->mem, total);
    if (text == NULL)
        return ERR_NOMEM;
    struct writer w = writer_of((uint8_t *)text, total);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            put_u8(&w, '\n');
        put(&w, at[i]);
    }
    mem_free(b->mem, peer->protocols);
    peer->protocols = text;
    return 0;
}

bool peer_speaks(const struct peer *peer, const char *protocol)
{
    if (peer->protocols == NULL)
        return false;
    size_t len = strlen(protocol);
    for (const char *line = peer->protocols; line != NULL;) {
        const char *end = strchr(line, '\n');
        size_t line_len = end ? (size_t)(end - line) : strlen(line);
        if (line_len == len && memcmp(line, protocol, len) == 0)
            return true;
        line = end ? end + 1 : NULL;
    }
    return false;
}

/* Lists for the application; each answer lives in p->answer until the next question. */
#include "node/node.h"

#include <assert.h>

static struct view answer(struct peerlet *p)
{
    return view_of(p->answer.data ? p->answer.data + p->answer.head : (const uint8_t *)"",
                   p->answer.len);
}

static void begin(struct peerlet *p)
{
    assert(p != NULL);
    buf_truncate(&p->answer, 0);
}

/* One line; a line that does not fit is left out. */
static void add(struct peerlet *p, struct view line)
{
    size_t before = p->answer.len;
    if ((before > 0 && buf_append(&p->answer, view_of_text("\n")) != 0) ||
        buf_append(&p->answer, line) != 0)
        buf_truncate(&p->answer, before);
}

static void add_peer(struct peerlet *p, const struct peer_id *id)
{
    struct peer_text t = peer_text(id);
    add(p, peer_text_view(&t));
}

void add_address(struct buf *list, struct view addr, const struct peer_id *peer)
{
    uint8_t name[PEER_ID_MAX_LEN + 8], whole[MULTIADDR_MAX_LEN + sizeof name + 2];
    struct writer end = writer_of(name, sizeof name), w = writer_of(whole, sizeof whole);
    if (peer != NULL) {
        put_uvarint(&end, MULTIADDR_P2P);
        put_delimited(&end, peer_id_view(peer));
    }
    put_uvarint(&w, addr.len + end.len);
    put(&w, addr);
    put(&w, writer_view(&end));
    size_t before = list->len;
    if (w.failed || buf_append(list, writer_view(&w)) != 0)
        buf_truncate(list, before);
}

struct view peerlet_peer_id(const struct peerlet *p)
{
    return view_of_text(p->self_text);
}

struct view peerlet_private_key(struct peerlet *p)
{
    uint8_t key[IDENTITY_PRIVATE_LEN];
    begin(p);
    identity_format(&p->identity, key);
    add(p, view_of(key, sizeof key));
    memset(key, 0, sizeof key);
    return answer(p);
}

struct view peerlet_addresses(struct peerlet *p)
{
    struct view at[LIST_MAX];
    struct views addresses = {.at = at, .room = ARRAY_LEN(at)};
    self_addresses(p, &addresses);
    begin(p);
    for (size_t i = 0; i < addresses.count; i++)
        add_address(&p->answer, addresses.at[i], &p->self);
    return answer(p);
}

struct view peerlet_recipients(struct peerlet *p)
{
    begin(p);
    struct cursor c = cursor_of(buf_view(&p->recipients));
    while (c.rest.len > 0 && !c.failed) {
        const struct peer_id *id = gossipsub_peer_id(&p->gossip, take_u32be(&c));
        if (id != NULL)
            add_peer(p, id);
    }
    return answer(p);
}

static struct peer *known(const struct peerlet *p, struct view text)
{
    struct peer_id id;
    return peer_id_parse_base58(text, &id) == 0 ? addrbook_find(&p->peers, &id) : NULL;
}

float peerlet_rate(struct peerlet *p, struct view text, float application)
{
    const struct peer *peer = known(p, text);
    if (peer == NULL || !p->has_gossip)
        return 0;
    gossipsub_rate(&p->gossip, peer->number, application);
    return gossipsub_score(&p->gossip, peer->number);
}

struct view peerlet_peer_addresses(struct peerlet *p, struct view text)
{
    struct peer *peer = known(p, text);
    begin(p);
    if (peer != NULL)
        LIST_EACH(node, &peer->addresses) {
            const struct address *a = LIST_OWNER(node, struct address, in_peer);
            add_address(&p->answer, view_of(a->bytes, a->len), NULL);
        }
    return answer(p);
}

struct view peerlet_peer_protocols(struct peerlet *p, struct view text)
{
    struct view at[LIST_MAX];
    struct views own = {.at = at, .room = ARRAY_LEN(at)};
    struct peer *peer = known(p, text);
    begin(p);
    if (text.len == 0)
        list_protocols(p, &own);
    for (size_t i = 0; i < own.count; i++)
        add(p, own.at[i]);
    if (peer != NULL && peer->protocols != NULL)
        add(p, view_of_text(peer->protocols));
    return answer(p);
}

struct view peerlet_topics(struct peerlet *p)
{
    begin(p);
    uint32_t at = 0;
    struct view topic;
    while (p->has_gossip && gossipsub_next_topic(&p->gossip, &at, &topic))
        add(p, topic);
    return answer(p);
}

struct view peerlet_pubsub_peers(struct peerlet *p, struct view topic, enum peerlet_pubsub_set set)
{
    _Static_assert((int)PEERLET_PUBSUB_MESH == (int)GOSSIPSUB_MESH, "the same in both");
    begin(p);
    uint32_t at = 0, handle;
    while (p->has_gossip && (handle = gossipsub_next_peer(&p->gossip, (enum gossipsub_set)set,
                                                          topic, &at)) != 0) {
        const struct peer_id *id = gossipsub_peer_id(&p->gossip, handle);
        if (id != NULL)
            add_peer(p, id);
    }
    return answer(p);
}

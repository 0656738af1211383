#include "protocols/kad.h"

#include "kad.pb.h"
#include "multiformats/multiaddr.h"

int kad_init(struct kad *k, struct mem *mem, const struct service_limits *limits,
             enum kad_type type, struct view key, struct view provider, uint64_t now)
{
    *k = (struct kad){
        .type = type,
        .is_over = type == KAD_ADD_PROVIDER,
        .mem = mem,
        .limits = limits,
        .expires_at = after(now, limits->kad_ms),
    };
    delimited_init(&k->reader, mem, limits->kad_message);
    buf_init(&k->owed, mem, limits->kad_message);
    if (key.len > KAD_KEY_MAX_LEN)
        return ERR_TOO_BIG;
    struct views providers = {.at = &provider, .count = provider.len > 0};
    peerlet_kad_Message request = {
        .has_type = true,
        .type = (uint32_t)type,
        .key = lend_view(&key),
        .providers = lend_views(&providers),
    };
    int rc = protobuf_append_delimited(&k->owed, peerlet_kad_Message_fields, &request);
    if (rc == 0 && !k->is_over) {
        k->peers = mem_alloc(mem, 2 * limits->kad_peers * sizeof *k->peers);
        rc = k->peers == NULL ? ERR_NOMEM : 0;
    }
    return rc;
}

static int take_answer(struct kad *k, struct view message, struct protocol_event *ev)
{
    size_t room = k->limits->kad_peers;
    struct views closer = {.at = k->peers, .room = room};
    struct views providers = {.at = k->peers + room, .room = room};
    peerlet_kad_Message answer = {
        .closer = borrow_views(&closer),
        .providers = borrow_views(&providers),
    };
    int rc = protobuf_decode(message, k->limits->kad_message, peerlet_kad_Message_fields, &answer);
    if (rc < 0)
        return rc;
    if (answer.type != (uint32_t)k->type)
        return ERR_PROTOCOL;
    k->is_over = true;
    *ev = (struct protocol_event){.type = KAD_ANSWERED, .kad = {closer, providers}};
    return 1;
}

static int kad_feed(void *state, struct span *in, struct protocol_event *ev, uint64_t now)
{
    (void)now;
    struct kad *k = state;
    if (k->is_over)
        return 0;
    struct view message;
    int rc = delimited_feed(&k->reader, in, &message);
    return rc <= 0 ? rc : take_answer(k, message, ev);
}

static int kad_end(void *state, struct protocol_event *ev, uint64_t now)
{
    (void)ev;
    (void)now;
    const struct kad *k = state;
    return k->is_over ? 0 : ERR_PROTOCOL;
}

static int kad_drain(void *state, struct buf *out)
{
    struct kad *k = state;
    return protocol_give(&k->owed, out, k->is_over ? PROTOCOL_DONE : PROTOCOL_OPEN);
}

static uint64_t kad_deadline(const void *state)
{
    const struct kad *k = state;
    return k->is_over ? NEVER : k->expires_at;
}

static int kad_tick(void *state, uint64_t now)
{
    return protocol_tick(kad_deadline(state), now);
}

static void kad_free(void *state)
{
    struct kad *k = state;
    delimited_free(&k->reader);
    buf_free(&k->owed);
    mem_free(k->mem, k->peers);
    k->peers = NULL;
}

int kad_peer_parse(struct view in, struct peer_id *peer, struct views *addresses)
{
    struct view id = {0};
    addresses->count = addresses->over = 0;
    peerlet_kad_Peer message = {.id = borrow_view(&id), .addrs = borrow_views(addresses)};
    int rc = protobuf_decode(in, in.len, peerlet_kad_Peer_fields, &message);
    if (rc == 0)
        rc = peer_id_parse(id, peer);
    if (rc < 0)
        return rc;
    size_t good = 0;
    for (size_t i = 0; i < addresses->count; i++) {
        struct view address = addresses->at[i];
        struct peer_id named;
        if (multiaddr_check(address) < 0)
            continue;
        if (multiaddr_peer(address, &named) == 0 && peer_id_equal(&named, peer))
            address = multiaddr_without_peer(address);
        if (address.len > 0)
            addresses->at[good++] = address;
    }
    addresses->count = good;
    return 0;
}

int kad_peer_append(struct buf *out, const struct peer_id *peer, const struct views *addresses)
{
    struct view id = peer_id_view(peer);
    peerlet_kad_Peer message = {.id = lend_view(&id), .addrs = lend_views(addresses)};
    return protobuf_append(out, peerlet_kad_Peer_fields, &message);
}

const struct protocol_ops KAD_OPS = {
    .name = "/ipfs/kad/1.0.0",
    .on_limited = false,
    .max_inbound = 0,
    .max_outbound = 64,
    .feed = kad_feed,
    .end = kad_end,
    .drain = kad_drain,
    .tick = kad_tick,
    .deadline = kad_deadline,
    .free = kad_free,
};

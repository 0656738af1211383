#include "protocols/peer_discovery.h"

#include "multiformats/multiaddr.h"
#include "peer_discovery.pb.h"

int peer_discovery_parse(struct view in, const struct peerlet_limits *limits, struct peer_id *peer,
                         struct views *addresses)
{
    struct view public_key = {0};
    struct views found = {.at = addresses->at, .room = addresses->room};
    peerlet_peer_discovery_Peer message = {
        .public_key = borrow_view(&public_key),
        .addrs = borrow_views(&found),
    };
    int rc = protobuf_decode(in, limits->message, peerlet_peer_discovery_Peer_fields, &message);
    if (rc < 0)
        return rc == ERR_PROTOCOL ? ERR_BAD_MESSAGE : rc;
    rc = peer_id_from_key(public_key, peer);
    if (rc < 0)
        return rc;

    addresses->count = 0;
    addresses->over = found.over;
    for (size_t i = 0; i < found.count; i++)
        if (multiaddr_check(found.at[i]) == 0)
            addresses->at[addresses->count++] = found.at[i];
    return 0;
}

int peer_discovery_append(struct buf *out, struct view public_key, const struct views *addresses)
{
    peerlet_peer_discovery_Peer message = {
        .public_key = lend_view(&public_key),
        .addrs = lend_views(addresses),
    };
    return protobuf_append(out, peerlet_peer_discovery_Peer_fields, &message);
}

/*
 * The announcement of pubsub peer discovery: who I am and where, as the payload of a signed
 * gossipsub message.
 *
 *     1 publicKey  bytes            the key's protobuf
 *     2 addrs      repeated bytes   binary multiaddrs, mostly ending in /p2p/<self>
 *
 * js-libp2p packages/pubsub-peer-discovery, src/peer.proto.
 */
#ifndef PROTOCOLS_PEER_DISCOVERY_H
#define PROTOCOLS_PEER_DISCOVERY_H

#include "base/limits.h"
#include "base/protobuf.h"
#include "multiformats/peer_id.h"

/*
 * Reads an announcement. `*peer` is derived from the key: refuse the message unless it equals its
 * signed author. The addresses are hints; `addresses->at` and `room` are the caller's, filled with
 * views into `in`, the invalid left out. ERR_BAD_MESSAGE, ERR_TOO_BIG past limits->message,
 * ERR_BAD_KEY.
 */
MUST_USE int peer_discovery_parse(struct view in, const struct peerlet_limits *limits,
                                  struct peer_id *peer, struct views *addresses);

/* Appends an announcement. ERR_FULL, ERR_NOMEM. */
MUST_USE int peer_discovery_append(struct buf *out, struct view public_key,
                                   const struct views *addresses);

#endif

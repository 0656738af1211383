/*
 * What carries bytes for a connection, seen from above: a number, what waits to leave, and how much
 * may leave now.
 */
#ifndef NET_LINK_H
#define NET_LINK_H

#include "base/buf.h"

enum link_kind {
    LINK_SOCKET,  /* a WebSocket: one channel of bytes */
    LINK_RELAYED, /* a stream of another connection, spliced by a relay */
    LINK_RTC,     /* an RTCPeerConnection: a data channel per stream */
    LINK_DIRECT,  /* the same to a server, made secure by Noise on its first channel */
    LINK_SESSION, /* a WebTransport session: a stream of QUIC per stream, Noise on the first */
};

/* Streams of its own, each a channel. */
static inline bool link_has_channels(enum link_kind kind)
{
    return kind >= LINK_RTC;
}

struct link {
    uint32_t id;
    enum link_kind kind;
    bool is_open;
    size_t room;    /* bytes it takes now; without channels */
    struct buf out; /* sealed frames, and at the tail the one being filled */
    size_t handed;  /* bytes of `out` that left with the last output */
};

#endif

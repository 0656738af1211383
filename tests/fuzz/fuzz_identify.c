/* What a peer says in identify and push: only good addresses and names come up, under the limits. */
#include "stream.h"

#include "multiformats/multiaddr.h"
#include "protocols/identify.h"

static void seen(void *state, const struct protocol_event *ev)
{
    (void)state;
    const struct identify_received *told = &ev->identify;
    assert(ev->type == IDENTIFY_RECEIVED);
    assert(told->addresses.count <= PEERLET_LIMITS.identify_addresses);
    assert(told->protocols.count <= PEERLET_LIMITS.identify_protocols);
    for (size_t i = 0; i < told->addresses.count; i++)
        assert(multiaddr_check(told->addresses.at[i]) == 0);
    for (size_t i = 0; i < told->protocols.count; i++)
        assert(told->protocols.at[i].len - 1 < PEERLET_LIMITS.protocol_name);
    assert(told->observed.data == NULL || multiaddr_check(told->observed) == 0);
}

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    /* Alice of js-libp2p's recorded messages. */
    static const uint8_t alice[] = {
        0x00, 0x24, 0x08, 0x01, 0x12, 0x20, 0xeb, 0x27, 0x3a, 0x8d, 0x98, 0x2d, 0x9e,
        0xa9, 0xd1, 0xc6, 0x85, 0x01, 0xde, 0x2c, 0x7e, 0xfe, 0x07, 0x2a, 0x01, 0xc8,
        0x41, 0xde, 0xbe, 0x39, 0x6e, 0x3c, 0x25, 0xfb, 0x49, 0xad, 0xbc, 0x80,
    };
    struct fuzz_stream s;
    struct identify i;
    struct peer_id peer;
    if (!fuzz_stream_init(&s, data, len) || peer_id_parse(view_of(alice, sizeof alice), &peer) < 0)
        return 0;
    identify_receive_init(&i, &s.mem, &PEERLET_LIMITS, &peer, 0);
    return fuzz_stream_run(&s, &IDENTIFY_OPS, &i, seen);
}

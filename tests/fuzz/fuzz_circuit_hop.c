/* What a relay answers to RESERVE and, with the high bit of the step set, to CONNECT. */
#include "stream.h"

#include "multiformats/multiaddr.h"
#include "protocols/circuit.h"

static void seen(void *state, const struct protocol_event *ev)
{
    const struct circuit_hop *h = state;
    if (ev->type == CIRCUIT_RESERVED) {
        assert(h->state == CIRCUIT_HOP_DONE && h->address_room > 0);
        assert(ev->reserved.addresses.count <= PEERLET_LIMITS.addresses);
        for (size_t i = 0; i < ev->reserved.addresses.count; i++) {
            struct view address = ev->reserved.addresses.at[i];
            assert(multiaddr_check(address) == 0 && !multiaddr_has(address, MULTIADDR_P2P_CIRCUIT));
        }
    } else if (ev->type == CIRCUIT_CONNECTED) {
        assert(h->state == CIRCUIT_HOP_CONNECTED && h->address_room == 0);
        assert(ev->connected.limit.duration_s <= PEERLET_LIMITS.limited_max_s);
    } else {
        assert(ev->type == CIRCUIT_REFUSED && ev->refused.status != CIRCUIT_STATUS_OK);
        assert(circuit_status_text(ev->refused.status) != NULL);
    }
}

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    /* js-libp2p's recorded relay and alice, for whom it made a voucher. */
    static const uint8_t relay_key[] = {
        0x08, 0x01, 0x12, 0x20, 0xf0, 0x86, 0xf8, 0x54, 0x30, 0x04, 0x5c, 0x24,
        0xf2, 0x6c, 0x68, 0xcd, 0x94, 0xbc, 0xac, 0x31, 0x15, 0xbf, 0x79, 0xc2,
        0xce, 0xb2, 0x3c, 0x04, 0xfa, 0xfb, 0x7a, 0x21, 0x62, 0x73, 0xb1, 0x97,
    };
    static const uint8_t alice_key[] = {
        0x08, 0x01, 0x12, 0x20, 0xeb, 0x27, 0x3a, 0x8d, 0x98, 0x2d, 0x9e, 0xa9,
        0xd1, 0xc6, 0x85, 0x01, 0xde, 0x2c, 0x7e, 0xfe, 0x07, 0x2a, 0x01, 0xc8,
        0x41, 0xde, 0xbe, 0x39, 0x6e, 0x3c, 0x25, 0xfb, 0x49, 0xad, 0xbc, 0x80,
    };
    struct fuzz_stream s;
    struct circuit_hop h;
    struct peer_id relay, alice;
    if (!fuzz_stream_init(&s, data, len) ||
        peer_id_from_key(view_of(relay_key, sizeof relay_key), &relay) < 0 ||
        peer_id_from_key(view_of(alice_key, sizeof alice_key), &alice) < 0)
        return 0;
    bool connects = s.step >= 0x80;
    s.step &= 0x7f;
    int rc = connects ? circuit_connect_init(&h, &s.mem, &PEERLET_LIMITS, &alice, 0)
                      : circuit_reserve_init(&h, &s.mem, &PEERLET_LIMITS, &relay, &alice, 0);
    if (rc < 0)
        s.bytes.len = 0;
    return fuzz_stream_run(&s, &CIRCUIT_HOP_OPS, &h, seen);
}

#include "transport/transport.h"

#include "multiformats/ip.h"
#include "multiformats/multihash.h"

static bool is_webrtc_direct(struct view addr)
{
    return multiaddr_kind(addr) == ADDR_WEBRTC_DIRECT;
}

/* The priority is any; js-libp2p's is taken. */
int webrtc_direct_candidate(struct view addr, struct writer *out)
{
    struct multiaddr_part ip, port;
    if (multiaddr_next(&addr, &ip) != 1 || multiaddr_next(&addr, &port) != 1)
        return ERR_BAD_MULTIADDR;
    put_text(out, "candidate:1467250027 1 UDP 1467250027 ");
    multiaddr_format_host(&ip, out);
    put_text(out, " ");
    port_format(out, transport_port(&port));
    put_text(out, " typ host");
    return out->failed ? ERR_BAD_MULTIADDR : 0;
}

int webrtc_direct_prologue(struct view addr, const uint8_t fingerprint[CERTHASH_LEN],
                           struct writer *out)
{
    uint8_t digests[2 * CERTHASH_LEN];
    struct writer server = writer_of(digests, sizeof digests);
    int rc = transport_certhashes(addr, &server);
    if (rc != 0)
        return rc;
    put_text(out, "libp2p-webrtc-noise:");
    multihash_put(out, MULTIHASH_SHA2_256, view_of(fingerprint, CERTHASH_LEN));
    multihash_put(out, MULTIHASH_SHA2_256, view_of(digests, CERTHASH_LEN));
    return out->failed ? ERR_BAD_MULTIADDR : 0;
}

const struct transport_ops TRANSPORT_WEBRTC_DIRECT = {
    .name = "WebRTC Direct",
    .service = PEERLET_WEBRTC_DIRECT,
    .route = ROUTE_RTC,
    .matches = is_webrtc_direct,
};

/* Binary addresses: what checks can be walked, written as text and read back. */
#include "fuzz.h"

#include "multiformats/multiaddr.h"

/* No text is longer than ten times its bytes: /p2p-websocket-star has two. */
static uint8_t text[10 * MULTIADDR_MAX_LEN];

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    uint8_t bytes[MULTIADDR_MAX_LEN];
    struct view addr = view_of(data, len);
    struct multiaddr_circuit circuit;
    struct peer_id id;
    uint64_t said = 0;
    enum multiaddr_kind kind = multiaddr_kind(addr);
    fuzz_say_number(&said, kind);
    fuzz_say_number(&said, multiaddr_scope(addr));
    if (multiaddr_relay(addr, &circuit) == 0)
        assert(kind == (circuit.has_webrtc ? ADDR_WEBRTC : ADDR_CIRCUIT));
    if (multiaddr_without_peer(addr).len < len && multiaddr_check(addr) == 0)
        assert(multiaddr_peer(addr, &id) == 0);

    struct writer w = writer_of(text, sizeof text);
    if (multiaddr_check(addr) != 0)
        return said;
    assert(multiaddr_format(addr, &w) == 0);
    fuzz_say(&said, writer_view(&w));
    struct writer back = writer_of(bytes, sizeof bytes);
    assert(multiaddr_parse_text(writer_view(&w), &back, NULL) == 0);
    assert(view_equal(writer_view(&back), addr));

    w = writer_of(text, sizeof text);
    multiaddr_normalize(addr, &w);
    assert(w.len > MULTIADDR_MAX_LEN || multiaddr_check(writer_view(&w)) == 0);
    fuzz_say(&said, writer_view(&w));
    return said;
}

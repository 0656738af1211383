/* What is understood of an announcement is announced, and understood the same. */
#include "fuzz.h"

#include "protocols/peer_discovery.h"

#define ROOM 16

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    struct mem mem = {.limit = 1 << 20};
    struct view at[ROOM], at_again[ROOM];
    struct views addresses = {.at = at, .room = ROOM}, again = {.at = at_again, .room = ROOM};
    struct peer_id peer, peer_again;
    if (peer_discovery_parse(view_of(data, len), &PEERLET_LIMITS, &peer, &addresses) != 0)
        return 0;
    struct public_key key;
    uint8_t bytes[PUBLIC_KEY_MAX_LEN];
    struct writer w = writer_of(bytes, sizeof bytes);
    if (peer_id_public_key(&peer, &key) != 0)
        return 1;
    public_key_put(&w, &key);

    struct buf out;
    buf_init(&out, &mem, PEERLET_LIMITS.message);
    assert(!w.failed && peer_discovery_append(&out, writer_view(&w), &addresses) == 0);
    assert(peer_discovery_parse(buf_view(&out), &PEERLET_LIMITS, &peer_again, &again) == 0);
    assert(peer_id_equal(&peer, &peer_again) && again.count == addresses.count);
    for (size_t i = 0; i < again.count; i++)
        assert(view_equal(at[i], at_again[i]));
    uint64_t said = 0;
    fuzz_say(&said, buf_view(&out));
    buf_free(&out);
    return said;
}

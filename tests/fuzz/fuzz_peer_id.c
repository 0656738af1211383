/* Peer IDs as text and as bytes: one name has one form. */
#undef NDEBUG
#include <assert.h>

#include "multiformats/peer_id.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(const struct peer_id *id)
{
    struct peer_id again;
    struct public_key key;
    char text[PEER_ID_TEXT_MAX];
    size_t len = peer_id_format(id, text);
    assert(len == strlen(text));
    assert(peer_id_parse_text(view_of_text(text), &again) == 0 && peer_id_equal(id, &again));
    assert(peer_id_parse(peer_id_view(id), &again) == 0 && peer_id_equal(id, &again));
    if (peer_id_public_key(id, &key) == 0) {
        again = peer_id_of_public_key(&key);
        assert(peer_id_equal(id, &again));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct peer_id id;
    struct view in = view_of(data, len);
    if (peer_id_parse_text(in, &id) == 0)
        check(&id);
    if (peer_id_parse(in, &id) == 0)
        check(&id);
    return 0;
}

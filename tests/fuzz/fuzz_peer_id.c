/* Peer IDs as text and as bytes: one name has one form. */
#include "fuzz.h"

#include "multiformats/peer_id.h"

static void check(const struct peer_id *id, uint64_t *said)
{
    struct peer_id again;
    struct public_key key;
    char text[PEER_ID_TEXT_MAX];
    size_t len = peer_id_format(id, text);
    assert(len == strlen(text));
    fuzz_say(said, view_of_text(text));
    assert(peer_id_parse_text(view_of_text(text), &again) == 0 && peer_id_equal(id, &again));
    assert(peer_id_parse(peer_id_view(id), &again) == 0 && peer_id_equal(id, &again));
    if (peer_id_public_key(id, &key) == 0) {
        again = peer_id_of_public_key(&key);
        assert(peer_id_equal(id, &again));
    }
}

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    struct peer_id id;
    struct view in = view_of(data, len);
    uint64_t said = 0;
    if (peer_id_parse_text(in, &id) == 0)
        check(&id, &said);
    if (peer_id_parse(in, &id) == 0)
        check(&id, &said);
    return said;
}

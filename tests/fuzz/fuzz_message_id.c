/* Ids of messages: one in any form tells its origin, and the origin tells itself. */
#include "fuzz.h"

#include "pubsub/message_id.h"

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    static const struct siphash_key KEY = {{1, 2}};
    struct message_id origin, again;
    enum gossipsub_message_id form = GOSSIPSUB_ID_SHA256, same, hashed = GOSSIPSUB_ID_SHA256;
    struct view id = view_of(data, len);
    uint64_t said = message_id_hash(id, &KEY, &hashed);
    if (!message_id_parse(id, &origin, &form)) {
        assert(hashed == GOSSIPSUB_ID_SHA256);
        return said;
    }
    assert(form <= GOSSIPSUB_ID_TEXT && hashed == form && origin.len <= sizeof origin.bytes);
    assert(message_id_parse(message_id_view(&origin), &again, &same) && same == GOSSIPSUB_ID_SPEC);
    assert(view_equal(message_id_view(&again), message_id_view(&origin)));
    assert(message_id_hash(message_id_view(&origin), &KEY, &same) == said);
    fuzz_say(&said, message_id_view(&origin));
    return said;
}

#include "sim/input.h"

#include <assert.h>

/* Reserve and commit in one: `value` was wanted, and `bytes` is what was put there. */
static void input_put(struct peerlet *p, const struct input *in, uint64_t now)
{
    size_t room = (size_t)in->value;
    uint8_t *at = peerlet_stream_reserve(p, in->id, &room, now);
    if (at == NULL)
        return;
    size_t len = MIN(room, in->bytes.len);
    memcpy(at, in->bytes.data, len);
    peerlet_stream_commit(p, in->id, len, now);
}

struct input_result input_apply(struct peerlet *p, const struct input *in, uint64_t now)
{
    struct input_result r = {0, 0};
    assert(in->type < INPUT_TYPES);
    switch ((enum input_type)in->type) {
#define INPUT_CASE(name, call)                                                                     \
    case INPUT_##name:                                                                             \
        call;                                                                                      \
        break;
        INPUT_MAP(INPUT_CASE)
#undef INPUT_CASE
    case INPUT_TYPES:
        break;
    }
    return r;
}

const char *input_name(uint8_t type)
{
    static const char *const NAMES[] = {
#define INPUT_NAME(name, call) #name,
        INPUT_MAP(INPUT_NAME)
#undef INPUT_NAME
    };
    return type < INPUT_TYPES ? NAMES[type] : "UNKNOWN";
}

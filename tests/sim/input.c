#include "sim/input.h"

#include <assert.h>

#include "multiformats/multiaddr.h"

#define SCRATCH_LEN 8192

/* The bytes of an address that is given as text. */
static struct view input_address(struct view text, struct writer *w)
{
    size_t before = w->len;
    if (multiaddr_parse_text(text, w, NULL) != 0)
        return text;
    return view_of(w->data + before, w->len - before);
}

static struct view input_list(struct view text, struct writer *w)
{
    struct view rest = text;
    uint8_t bytes[MULTIADDR_MAX_LEN];
    while (rest.len > 0) {
        const uint8_t *end = memchr(rest.data, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.data) : rest.len;
        struct writer one = writer_of(bytes, sizeof bytes);
        if (len > 0)
            put_delimited(w, input_address(view_of(rest.data, len), &one));
        rest = view_of(rest.data + MIN(len + 1, rest.len), rest.len - MIN(len + 1, rest.len));
    }
    return w->failed ? text : writer_view(w);
}

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
    uint8_t bytes[SCRATCH_LEN];
    struct writer scratch = writer_of(bytes, sizeof bytes);
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

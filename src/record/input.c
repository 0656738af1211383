#include "record/input.h"

#include "base/cursor.h"

#include <assert.h>

static void input_put(struct peerlet *p, const struct input *in, uint64_t now)
{
    size_t room = (size_t)in->value;
    uint8_t *at = peerlet_stream_reserve(p, in->id, &room, now);
    if (at == NULL)
        return;
    size_t len = MIN(room, in->bytes.len);
    if (len > 0)
        memcpy(at, in->bytes.data, len);
    peerlet_stream_commit(p, in->id, len, now + in->flags);
}

static float float_of(uint32_t bits)
{
    float number;
    memcpy(&number, &bits, sizeof bits);
    return number;
}

static int input_tune(struct peerlet *p, const struct input *in, uint64_t now)
{
    float numbers[PEERLET_TUNE_TOPIC_NUMBERS];
    struct cursor c = cursor_of(view_of_span(in->bytes));
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        numbers[i] = float_of(take_u32be(&c));
    return peerlet_tune(p, in->text, in->bytes.len > 0 ? numbers : NULL, now);
}

static void input_rate(struct peerlet *p, const struct input *in)
{
    (void)peerlet_rate(p, in->text, float_of(in->flags));
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

bool input_is_valid(const struct input *in)
{
    static const uint8_t LAST[INPUT_TYPES] = {
        [INPUT_PAGE_EVENT] = PEERLET_PAGE_SHOW,
        [INPUT_RTC_STATE] = PEERLET_RTC_FAILED,
        [INPUT_CHANNEL_ENDED] = PEERLET_END_READ,
        [INPUT_JUDGE] = PEERLET_REJECT,
        [INPUT_PUBLISH] = PEERLET_TO_MESH,
    };
    return in->type < INPUT_TYPES && (LAST[in->type] == 0 || in->value <= LAST[in->type]) &&
           (in->type != INPUT_TUNE || in->bytes.len == 0 ||
            in->bytes.len == 4 * input_tuned(in->text));
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

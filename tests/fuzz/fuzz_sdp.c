/* What is let in is written so that it is let in again, and then written the same. */
#include "fuzz.h"

#include "protocols/sdp.h"

static size_t rewrite(struct view text, enum sdp_type type, const struct peerlet_limits *limits,
                      uint8_t *out, size_t room)
{
    struct sdp sdp;
    if (sdp_parse(text, type, limits, &sdp) != 0)
        return 0;
    struct writer w = writer_of(out, room);
    sdp_format(&sdp, &w);
    assert(!w.failed);
    return w.len;
}

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    static uint8_t first[16384], second[16384];
    struct peerlet_limits limits = PEERLET_LIMITS;
    struct view text = view_of(data, len);
    uint64_t said = 0;
    for (enum sdp_type type = SDP_OFFER; type <= SDP_ANSWER; type++) {
        size_t written = rewrite(text, type, &limits, first, len + SDP_TEMPLATE_LEN);
        if (written == 0)
            continue;
        limits.sdp = sizeof first;
        size_t again = rewrite(view_of(first, written), type, &limits, second, sizeof second);
        assert(view_equal(view_of(first, written), view_of(second, again)));
        fuzz_say_number(&said, type);
        fuzz_say(&said, view_of(first, written));
        limits.sdp = PEERLET_LIMITS.sdp;
    }
    return said;
}

/* What is let in is written so that it is let in again, and then written the same. */
#include "fuzz.h"

#include "base/limits.h"
#include "protocols/candidate.h"

static size_t rewrite(struct view json, uint8_t *out, size_t room)
{
    struct candidate candidate;
    if (candidate_parse(json, &candidate) != 0 || candidate.line.len == 0)
        return 0;
    struct writer w = writer_of(out, room);
    candidate_format(&candidate, &w);
    assert(!w.failed);
    return w.len;
}

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    static uint8_t first[2048], second[2048];
    uint64_t said = 0;
    if (len > PEERLET_LIMITS.candidate)
        return 0;
    size_t written = rewrite(view_of(data, len), first, len + CANDIDATE_TEMPLATE_LEN);
    if (written == 0)
        return 0;
    size_t again = rewrite(view_of(first, written), second, sizeof second);
    assert(view_equal(view_of(first, written), view_of(second, again)));
    fuzz_say(&said, view_of(first, written));
    return said;
}

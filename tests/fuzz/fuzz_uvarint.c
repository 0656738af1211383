/* Unsigned varints: the two readers agree, and what is read is written the same. */
#include "fuzz.h"

#include "base/cursor.h"

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    uint8_t bytes[UVARINT_MAX_LEN];
    struct view in = view_of(data, len);
    struct cursor c = cursor_of(in);
    struct writer w = writer_of(bytes, sizeof bytes);
    uint64_t peeked = 0, taken = take_uvarint(&c);
    int rc = uvarint_peek(in, &peeked);
    assert(c.failed == (rc <= 0));
    if (rc <= 0) {
        assert(rc == UVARINT_BAD || len < UVARINT_MAX_LEN);
        return (uint64_t)(int64_t)rc;
    }
    put_uvarint(&w, taken);
    assert(taken == peeked && c.rest.len == len - (size_t)rc);
    assert(!w.failed && view_equal(writer_view(&w), view_of(data, (size_t)rc)));
    return taken;
}

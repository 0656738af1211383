/* Addresses as text: what is read checks, and is read again from the text it is written as. */
#undef NDEBUG
#include <assert.h>

#include "multiformats/multiaddr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint8_t text[10 * MULTIADDR_MAX_LEN];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t bytes[MULTIADDR_MAX_LEN], again[MULTIADDR_MAX_LEN];
    struct writer w = writer_of(bytes, sizeof bytes);
    struct multiaddr_fault fault;
    int rc = multiaddr_parse_text(view_of(data, len), &w, &fault);
    if (rc == ERR_BAD_MULTIADDR)
        assert(fault.at <= len && strlen(fault.text) < sizeof fault.text);
    if (rc != 0) {
        assert(w.len == 0 && !w.failed);
        return 0;
    }
    assert(multiaddr_check(writer_view(&w)) == 0);

    struct writer written = writer_of(text, sizeof text), back = writer_of(again, sizeof again);
    assert(multiaddr_format(writer_view(&w), &written) == 0);
    assert(multiaddr_parse_text(writer_view(&written), &back, NULL) == 0);
    assert(view_equal(writer_view(&back), writer_view(&w)));
    return 0;
}

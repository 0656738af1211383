/* Addresses as text: what is read checks, and is read again from the text it is written as. */
#include "fuzz.h"

#include "multiformats/multiaddr.h"

static uint8_t text[10 * MULTIADDR_MAX_LEN];

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    uint8_t bytes[MULTIADDR_MAX_LEN], again[MULTIADDR_MAX_LEN];
    struct writer w = writer_of(bytes, sizeof bytes);
    struct multiaddr_fault fault;
    uint64_t said = 0;
    int rc = multiaddr_parse_text(view_of(data, len), &w, &fault);
    fuzz_say_number(&said, (uint32_t)rc);
    if (rc == ERR_BAD_MULTIADDR) {
        assert(fault.at <= len && strlen(fault.text) < sizeof fault.text);
        fuzz_say_number(&said, (uint32_t)fault.at);
        fuzz_say(&said, view_of_text(fault.text));
    }
    if (rc != 0) {
        assert(w.len == 0 && !w.failed);
        return said;
    }
    assert(multiaddr_check(writer_view(&w)) == 0);

    struct writer written = writer_of(text, sizeof text), back = writer_of(again, sizeof again);
    assert(multiaddr_format(writer_view(&w), &written) == 0);
    assert(multiaddr_parse_text(writer_view(&written), &back, NULL) == 0);
    assert(view_equal(writer_view(&back), writer_view(&w)));
    fuzz_say(&said, writer_view(&w));
    return said;
}

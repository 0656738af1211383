/* Text in any base: what decodes is encoded to text that decodes to the same. */
#include "fuzz.h"

#include "multiformats/multibase.h"

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    static uint8_t bytes[4096], text[8200], again[4096];
    struct writer decoded = writer_of(bytes, sizeof bytes);
    struct writer encoded = writer_of(text, sizeof text), back = writer_of(again, sizeof again);
    uint64_t said = 1;
    if (multibase_decode(&decoded, view_of(data, len)) != 0) {
        assert(decoded.len == 0 && !decoded.failed);
        return 0;
    }
    multibase_encode(&encoded, (enum multibase)data[0], writer_view(&decoded));
    assert(!encoded.failed && encoded.len == len);
    assert(multibase_decode(&back, writer_view(&encoded)) == 0);
    assert(view_equal(writer_view(&back), writer_view(&decoded)));
    fuzz_say(&said, writer_view(&decoded));
    return said;
}

/* A digest of a known kind is written as it was read; others keep to the limit. */
#include "fuzz.h"

#include "multiformats/multihash.h"

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    uint8_t bytes[MULTIHASH_MAX_DIGEST + 2 * UVARINT_MAX_LEN];
    struct multihash hash;
    struct writer w = writer_of(bytes, sizeof bytes);
    uint64_t said = 0;
    int rc = multihash_parse(view_of(data, len), &hash);
    fuzz_say_number(&said, (uint32_t)rc);
    if (rc != 0)
        return said;
    assert(hash.digest.len <= MULTIHASH_MAX_DIGEST);
    if (hash.code <= MULTIHASH_SHA2_512) {
        multihash_put(&w, (enum multihash_code)hash.code, hash.digest);
        assert(view_equal(writer_view(&w), view_of(data, len)));
    }
    fuzz_say(&said, hash.digest);
    return said;
}

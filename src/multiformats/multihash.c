#include "multiformats/multihash.h"

/* False when a digest of this length cannot come from that hash; unknown hashes may be any. */
static bool digest_len_fits(uint64_t code, size_t len)
{
    switch (code) {
    case MULTIHASH_SHA1:
        return len == 20;
    case MULTIHASH_SHA2_256:
        return len == 32;
    case MULTIHASH_SHA2_512:
        return len == 64;
    default:
        return true;
    }
}

int multihash_parse(struct view in, struct multihash *out)
{
    struct cursor c = cursor_of(in);
    out->code = take_uvarint(&c);
    uint64_t len = take_uvarint(&c);
    if (len > MULTIHASH_MAX_DIGEST)
        return ERR_TOO_BIG;
    out->digest = take(&c, (size_t)len);
    if (c.failed || c.rest.len > 0 || !digest_len_fits(out->code, out->digest.len))
        return ERR_PROTOCOL;
    return 0;
}

void multihash_put(struct writer *w, enum multihash_code code, struct view digest)
{
    put_uvarint(w, (uint64_t)code);
    put_delimited(w, digest);
}

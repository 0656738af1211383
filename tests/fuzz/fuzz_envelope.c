/*
 * Signed envelopes and peer records. The payload is also sealed anew by a key of ours, so that what
 * stands behind a signature is read too.
 */
#undef NDEBUG
#include <assert.h>

#include "crypto/crypto.h"
#include "multiformats/envelope.h"
#include "multiformats/multiaddr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define DOMAIN "libp2p-peer-record"

static void open_record(struct view sealed, struct mem *mem)
{
    struct view at[8];
    struct peer_record r = {.addresses = {.at = at, .room = ARRAY_LEN(at)}};
    if (peer_record_open(sealed, mem, &r) == 0)
        for (size_t i = 0; i < r.addresses.count; i++)
            assert(multiaddr_check(at[i]) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint8_t TYPE[] = {3, 1}, SEED[ED25519_KEY_LEN];
    struct view in = view_of(data, len), type = view_of(TYPE, sizeof TYPE);
    struct mem mem = {0};
    struct envelope e;
    struct identity id;
    struct buf out;
    crypto_init();
    identity_from_seed(SEED, &id);
    buf_init(&out, &mem, 2 * ENVELOPE_MAX_LEN);

    int rc = envelope_parse(in, DOMAIN, type, &mem, &e);
    open_record(in, &mem);
    if ((rc == 0 || rc == ERR_BAD_SIGNATURE) &&
        envelope_seal(&id, DOMAIN, type, e.payload, &out) == 0)
        open_record(buf_view(&out), &mem);
    buf_free(&out);
    assert(mem.used == 0);
    return 0;
}

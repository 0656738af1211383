/*
 * Signed envelopes and peer records. The payload is also sealed anew by a key of ours, so that what
 * stands behind a signature is read too.
 */
#include "fuzz.h"

#include "crypto/crypto.h"
#include "multiformats/envelope.h"
#include "multiformats/multiaddr.h"

#define DOMAIN "libp2p-peer-record"

static uint64_t open_record(struct view sealed, struct mem *mem)
{
    struct view at[8];
    struct peer_record r = {.addresses = {.at = at, .room = ARRAY_LEN(at)}};
    int rc = peer_record_open(sealed, mem, &r);
    uint64_t said = 0;
    fuzz_say_number(&said, (uint32_t)rc);
    for (size_t i = 0; rc == 0 && i < r.addresses.count; i++) {
        assert(multiaddr_check(at[i]) == 0);
        fuzz_say(&said, at[i]);
    }
    return said;
}

static uint64_t fuzz_input(const uint8_t *data, size_t len)
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
    uint64_t said = open_record(in, &mem);
    fuzz_say_number(&said, (uint32_t)rc);
    if ((rc == 0 || rc == ERR_BAD_SIGNATURE) &&
        envelope_seal(&id, DOMAIN, type, e.payload, &out) == 0)
        said ^= open_record(buf_view(&out), &mem);
    buf_free(&out);
    assert(mem.used == 0);
    return said;
}

/* Key protobufs, and what WebCrypto is asked about them.   input: len of the key | key | signature */
#include "fuzz.h"

#include "crypto/crypto.h"
#include "crypto/signature_check.h"

static void check_public(struct view in, struct view signature, uint64_t *said)
{
    uint8_t bytes[PUBLIC_KEY_MAX_LEN];
    struct writer w = writer_of(bytes, sizeof bytes);
    struct public_key key, again;
    struct signature_check check;
    if (public_key_parse(in, &key) != 0)
        return;
    public_key_put(&w, &key);
    fuzz_say(said, writer_view(&w));
    assert(public_key_parse(writer_view(&w), &again) == 0);
    assert(again.type == key.type && view_equal(again.data, key.data));
    assert(public_key_verify(&key, in, signature) < 0);
    if (signature_check_init(&check, &key, signature) == 0) {
        assert(key.type != KEY_ED25519);
        assert(check.signature_len <= sizeof check.signature);
        fuzz_say(said, view_of(check.signature, check.signature_len));
    }
}

static void check_private(struct view in, uint64_t *said)
{
    struct identity id, again;
    uint8_t bytes[IDENTITY_PRIVATE_LEN];
    if (identity_parse(in, &id) != 0)
        return;
    identity_format(&id, bytes);
    assert(identity_parse(view_of(bytes, sizeof bytes), &again) == 0);
    assert(memcmp(&id, &again, sizeof id) == 0);
    fuzz_say(said, view_of(bytes, sizeof bytes));
}

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    struct cursor c = cursor_of(view_of(data, len));
    struct view key = take(&c, MIN(take_u16be(&c), c.rest.len));
    crypto_init();
    uint64_t said = 0;
    check_public(key, c.rest, &said);
    check_private(key, &said);
    return said;
}

#include "crypto/identity.h"

#include <sodium/crypto_sign_ed25519.h>

#include "base/protobuf.h"
#include "crypto/crypto.h"
#include "keys.pb.h"

/* An RSA key of 8192 bits still parses, to be refused for its type. */
#define PRIVATE_KEY_MAX_LEN 8192

#define LEGACY_SECRET_LEN (3 * ED25519_KEY_LEN)

/* Less than any SubjectPublicKeyInfo has, more than a Peer ID holds unhashed. */
#define SPKI_MIN_LEN 64

static int key_parse(struct view in, size_t limit, uint32_t *type, struct view *data)
{
    peerlet_keys_Key message = {.data = borrow_view(data)};
    *data = view_of(NULL, 0);
    int rc = protobuf_decode(in, limit, peerlet_keys_Key_fields, &message);
    if (rc == 0 && (!message.has_type || data->data == NULL))
        rc = ERR_PROTOCOL;
    *type = message.type;
    return rc;
}

static bool key_len_fits(enum key_type type, size_t len)
{
    switch (type) {
    case KEY_ED25519:
        return len == ED25519_KEY_LEN;
    case KEY_SECP256K1:
        return len == SECP256K1_KEY_LEN;
    case KEY_RSA:
    case KEY_ECDSA:
        return len >= SPKI_MIN_LEN;
    }
    return false;
}

int public_key_parse(struct view in, struct public_key *key)
{
    uint32_t type;
    int rc = key_parse(in, PUBLIC_KEY_MAX_LEN, &type, &key->data);
    if (rc != 0)
        return rc == ERR_TOO_BIG ? rc : ERR_BAD_KEY;
    if (type > KEY_ECDSA || !key_len_fits((enum key_type)type, key->data.len))
        return ERR_BAD_KEY;
    key->type = (enum key_type)type;
    return 0;
}

void public_key_put(struct writer *w, const struct public_key *key)
{
    peerlet_keys_Key message = {true, (uint32_t)key->type, lend_view(&key->data)};
    protobuf_put(w, peerlet_keys_Key_fields, &message);
}

const char *key_type_name(enum key_type type)
{
    static const char *const NAMES[] = {
        [KEY_RSA] = "RSA",
        [KEY_ED25519] = "Ed25519",
        [KEY_SECP256K1] = "secp256k1",
        [KEY_ECDSA] = "ECDSA",
    };
    return NAMES[type];
}

int public_key_verify(const struct public_key *key, struct view message, struct view signature)
{
    if (key->type != KEY_ED25519)
        return ERR_UNSUPPORTED;
    if (signature.len != ED25519_SIGNATURE_LEN)
        return ERR_BAD_SIGNATURE;
    int rc = crypto_sign_ed25519_verify_detached(signature.data, message.data, message.len,
                                                 key->data.data);
    return rc == 0 ? 0 : ERR_BAD_SIGNATURE;
}

void identity_generate(const struct rng *rng, struct identity *id)
{
    uint8_t seed[ED25519_KEY_LEN];
    rng_fill(rng, seed, sizeof seed);
    identity_from_seed(seed, id);
    crypto_wipe(seed, sizeof seed);
}

void identity_from_seed(const uint8_t seed[ED25519_KEY_LEN], struct identity *id)
{
    uint8_t public_key[ED25519_KEY_LEN];
    crypto_sign_ed25519_seed_keypair(public_key, id->secret, seed);
}

int identity_parse(struct view in, struct identity *id)
{
    uint32_t type;
    struct view data;
    if (key_parse(in, PRIVATE_KEY_MAX_LEN, &type, &data) != 0 || type != KEY_ED25519)
        return ERR_BAD_PRIVATE_KEY;
    if (data.len != sizeof id->secret && data.len != LEGACY_SECRET_LEN)
        return ERR_BAD_PRIVATE_KEY;

    identity_from_seed(data.data, id);
    const uint8_t *ours = id->secret + ED25519_KEY_LEN;
    bool matches = true;
    for (size_t at = ED25519_KEY_LEN; at < data.len; at += ED25519_KEY_LEN)
        matches = matches && crypto_equal(data.data + at, ours, ED25519_KEY_LEN);
    if (matches)
        return 0;
    identity_free(id);
    return ERR_BAD_PRIVATE_KEY;
}

void identity_free(struct identity *id)
{
    crypto_wipe(id, sizeof *id);
}

void identity_format(const struct identity *id, uint8_t out[IDENTITY_PRIVATE_LEN])
{
    struct writer w = writer_of(out, IDENTITY_PRIVATE_LEN);
    struct public_key key = {KEY_ED25519, view_of(id->secret, sizeof id->secret)};
    public_key_put(&w, &key);
}

void identity_public(const struct identity *id, uint8_t out[IDENTITY_PUBLIC_LEN])
{
    struct writer w = writer_of(out, IDENTITY_PUBLIC_LEN);
    struct public_key key = identity_public_key(id);
    public_key_put(&w, &key);
}

struct public_key identity_public_key(const struct identity *id)
{
    return (struct public_key){KEY_ED25519, view_of(id->secret + ED25519_KEY_LEN, ED25519_KEY_LEN)};
}

void identity_sign(const struct identity *id, struct view message,
                   uint8_t out[ED25519_SIGNATURE_LEN])
{
    crypto_sign_ed25519_detached(out, NULL, message.data, message.len, id->secret);
}

#include "multiformats/peer_id.h"

#include "crypto/hash.h"
#include "multiformats/multibase.h"
#include "multiformats/multihash.h"

/* A longer protobuf is hashed. */
#define IDENTITY_MAX_LEN 42

/* Code of libp2p-key in a CID, after the version. */
#define CID_VERSION 1
#define CID_LIBP2P_KEY 0x72
#define CID_MAX_LEN (2 + PEER_ID_MAX_LEN)

_Static_assert(PEER_ID_MAX_LEN == 2 + IDENTITY_MAX_LEN, "code, length, protobuf");

static struct peer_id peer_id_of_protobuf(struct view protobuf)
{
    uint8_t hash[SHA256_LEN];
    struct peer_id id = {0};
    struct writer w = writer_of(id.bytes, sizeof id.bytes);
    if (protobuf.len <= IDENTITY_MAX_LEN) {
        multihash_put(&w, MULTIHASH_IDENTITY, protobuf);
    } else {
        sha256(protobuf, hash);
        multihash_put(&w, MULTIHASH_SHA2_256, view_of(hash, sizeof hash));
    }
    id.len = (uint8_t)w.len;
    return id;
}

struct peer_id peer_id_of_public_key(const struct public_key *key)
{
    uint8_t protobuf[PUBLIC_KEY_MAX_LEN];
    struct writer w = writer_of(protobuf, sizeof protobuf);
    public_key_put(&w, key);
    return peer_id_of_protobuf(writer_view(&w));
}

int peer_id_from_key(struct view public_key_protobuf, struct peer_id *out)
{
    /* Nearly every key there is, and ids of messages name them by the thousand. */
    static const uint8_t ED25519[] = {0x08, KEY_ED25519, 0x12, ED25519_KEY_LEN};
    if (public_key_protobuf.len == sizeof ED25519 + ED25519_KEY_LEN &&
        memcmp(public_key_protobuf.data, ED25519, sizeof ED25519) == 0) {
        *out = peer_id_of_protobuf(public_key_protobuf);
        return 0;
    }
    struct public_key key;
    int rc = public_key_parse(public_key_protobuf, &key);
    if (rc == 0)
        *out = peer_id_of_public_key(&key);
    return rc;
}

struct peer_id peer_id_of_identity(const struct identity *id)
{
    struct public_key key = identity_public_key(id);
    return peer_id_of_public_key(&key);
}

int peer_id_parse(struct view multihash, struct peer_id *out)
{
    struct multihash mh;
    if (multihash.len > PEER_ID_MAX_LEN || multihash_parse(multihash, &mh) != 0)
        return ERR_BAD_PEER_ID;
    struct peer_id id = {.len = (uint8_t)multihash.len};
    memcpy(id.bytes, multihash.data, multihash.len);

    if (mh.code == MULTIHASH_IDENTITY) {
        /* A key written in another way would give one peer two names. */
        struct peer_id canonical;
        if (peer_id_from_key(mh.digest, &canonical) != 0 || !peer_id_equal(&id, &canonical))
            return ERR_BAD_PEER_ID;
    } else if (mh.code != MULTIHASH_SHA2_256) {
        return ERR_BAD_PEER_ID;
    }
    *out = id;
    return 0;
}

int peer_id_parse_base58(struct view text, struct peer_id *out)
{
    uint8_t bytes[PEER_ID_MAX_LEN];
    struct writer w = writer_of(bytes, sizeof bytes);
    if (base58_decode(&w, text) != 0 || w.failed)
        return ERR_BAD_PEER_ID;
    return peer_id_parse(writer_view(&w), out);
}

int peer_id_parse_text(struct view text, struct peer_id *out)
{
    if (text.len >= 2 && (text.data[0] == '1' || memcmp(text.data, "Qm", 2) == 0))
        return peer_id_parse_base58(text, out);
    uint8_t bytes[CID_MAX_LEN];
    struct writer w = writer_of(bytes, sizeof bytes);
    int rc = multibase_decode(&w, text);
    struct cursor c = cursor_of(writer_view(&w));
    if (rc != 0 || take_uvarint(&c) != CID_VERSION || take_uvarint(&c) != CID_LIBP2P_KEY)
        return ERR_BAD_PEER_ID;
    return peer_id_parse(c.rest, out);
}

size_t peer_id_format(const struct peer_id *id, char out[PEER_ID_TEXT_MAX])
{
    uint8_t text[PEER_ID_TEXT_MAX - 1];
    struct writer w = writer_of(text, sizeof text);
    base58_encode(&w, peer_id_view(id));
    memcpy(out, text, w.len);
    out[w.len] = '\0';
    return w.len;
}

int peer_id_public_key(const struct peer_id *id, struct public_key *out)
{
    struct multihash mh;
    if (multihash_parse(peer_id_view(id), &mh) != 0 || mh.code != MULTIHASH_IDENTITY)
        return ERR_NOT_FOUND;
    return public_key_parse(mh.digest, out) == 0 ? 0 : ERR_NOT_FOUND;
}

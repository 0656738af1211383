#include "multiformats/peer_id.h"

#include "base/cursor.h"
#include "crypto/hash.h"
#include "multiformats/multibase.h"
#include "multiformats/multihash.h"

/* Key protobufs up to this long are the Peer ID, longer ones are hashed. */
#define INLINE_KEY_MAX 42
#define CID_VERSION 1
#define CID_LIBP2P_KEY 0x72

static struct peer_id id_of_hash(enum multihash_code code, struct view digest)
{
    struct peer_id id = {0};
    struct writer w = writer_of(id.bytes, sizeof id.bytes);
    multihash_put(&w, code, digest);
    id.len = (uint8_t)w.len;
    return id;
}

struct peer_id peer_id_of_public_key(const struct public_key *key)
{
    uint8_t bytes[PUBLIC_KEY_MAX_LEN + 16], hash[SHA256_LEN];
    struct writer w = writer_of(bytes, sizeof bytes);
    public_key_put(&w, key);
    if (w.len <= INLINE_KEY_MAX)
        return id_of_hash(MULTIHASH_IDENTITY, writer_view(&w));
    sha256(writer_view(&w), hash);
    return id_of_hash(MULTIHASH_SHA2_256, view_of(hash, sizeof hash));
}

struct peer_id peer_id_of_identity(const struct identity *id)
{
    struct public_key key = identity_public_key(id);
    return peer_id_of_public_key(&key);
}

int peer_id_from_key(struct view public_key_protobuf, struct peer_id *out)
{
    struct public_key key;
    int rc = public_key_parse(public_key_protobuf, &key);
    if (rc == 0)
        *out = peer_id_of_public_key(&key);
    return rc;
}

/* An identity hash must hold the one encoding of a key that is short enough to be held. */
static bool is_inline_key(struct view digest)
{
    struct public_key key;
    if (digest.len > INLINE_KEY_MAX || public_key_parse(digest, &key) != 0)
        return false;
    struct peer_id id = peer_id_of_public_key(&key);
    return view_equal(view_of(id.bytes + 2, id.len - 2u), digest);
}

int peer_id_parse(struct view multihash, struct peer_id *out)
{
    struct multihash mh;
    if (multihash.len > PEER_ID_MAX_LEN || multihash_parse(multihash, &mh) != 0)
        return ERR_BAD_PEER_ID;
    bool is_known = mh.code == MULTIHASH_SHA2_256 ||
                    (mh.code == MULTIHASH_IDENTITY && is_inline_key(mh.digest));
    if (!is_known)
        return ERR_BAD_PEER_ID;
    *out = (struct peer_id){.len = (uint8_t)multihash.len};
    memcpy(out->bytes, multihash.data, multihash.len);
    return 0;
}

static int parse_cid(struct view text, struct peer_id *out)
{
    uint8_t bytes[MULTIBASE_NUMBER_MAX];
    struct writer w = writer_of(bytes, sizeof bytes);
    if (multibase_decode(&w, text) != 0)
        return ERR_BAD_PEER_ID;
    struct cursor c = cursor_of(writer_view(&w));
    bool is_key = take_uvarint(&c) == CID_VERSION && take_uvarint(&c) == CID_LIBP2P_KEY;
    return is_key && !c.failed ? peer_id_parse(c.rest, out) : ERR_BAD_PEER_ID;
}

int peer_id_parse_text(struct view text, struct peer_id *out)
{
    uint8_t bytes[MULTIBASE_NUMBER_MAX];
    struct writer w = writer_of(bytes, sizeof bytes);
    bool is_base58 = text.len > 1 && (text.data[0] == '1' ||
                                      (text.data[0] == 'Q' && text.data[1] == 'm'));
    if (!is_base58)
        return parse_cid(text, out);
    if (base_decode(&w, MULTIBASE_BASE58, text) != 0)
        return ERR_BAD_PEER_ID;
    return peer_id_parse(writer_view(&w), out);
}

size_t peer_id_format(const struct peer_id *id, char out[PEER_ID_TEXT_MAX])
{
    struct writer w = writer_of((uint8_t *)out, PEER_ID_TEXT_MAX - 1);
    base_encode(&w, MULTIBASE_BASE58, peer_id_view(id));
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

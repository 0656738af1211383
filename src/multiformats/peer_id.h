/*
 * The name of a peer: a multihash of its public key protobuf.
 *
 *     00 || len || protobuf           when the protobuf has at most 42 bytes (Ed25519, secp256k1)
 *     12 || 20 || SHA-256(protobuf)   otherwise (RSA, ECDSA)
 *
 * Text is base58btc, `12D3Koo…` or `Qm…`; a CIDv1 with codec libp2p-key, `bafz…` or `k51…`, is read
 * but never written. Compare Peer IDs as bytes, never as text. libp2p specs, "Peer Ids".
 */
#ifndef MULTIFORMATS_PEER_ID_H
#define MULTIFORMATS_PEER_ID_H

#include "base/err.h"
#include "base/span.h"
#include "crypto/identity.h"

#define PEER_ID_MAX_LEN 44
#define PEER_ID_TEXT_MAX 72 /* with its NUL */

/* Passed by value; a zeroed one is no peer. */
struct peer_id {
    uint8_t len;
    uint8_t bytes[PEER_ID_MAX_LEN];
};

static inline struct view peer_id_view(const struct peer_id *id)
{
    return view_of(id->bytes, id->len);
}

static inline bool peer_id_equal(const struct peer_id *a, const struct peer_id *b)
{
    return view_equal(peer_id_view(a), peer_id_view(b));
}

/* The Peer ID of a public key protobuf, canonical or not. ERR_BAD_KEY, ERR_TOO_BIG. */
MUST_USE int peer_id_from_key(struct view public_key_protobuf, struct peer_id *out);

struct peer_id peer_id_of_public_key(const struct public_key *key);
struct peer_id peer_id_of_identity(const struct identity *id);

/*
 * Reads the multihash. ERR_BAD_PEER_ID unless it is a sha2-256, or the identity of a canonical
 * Ed25519 or secp256k1 key.
 */
MUST_USE int peer_id_parse(struct view multihash, struct peer_id *out);

/* Reads base58btc, or else a CIDv1 in any multibase. ERR_BAD_PEER_ID. */
MUST_USE int peer_id_parse_base58(struct view text, struct peer_id *out);
MUST_USE int peer_id_parse_text(struct view text, struct peer_id *out);

/* Writes base58btc and a NUL; returns the length without it. */
size_t peer_id_format(const struct peer_id *id, char out[PEER_ID_TEXT_MAX]);

/* The key inside the Peer ID, borrowed from it. ERR_NOT_FOUND when it holds only a hash. */
MUST_USE int peer_id_public_key(const struct peer_id *id, struct public_key *out);

#endif

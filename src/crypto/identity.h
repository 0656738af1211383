/*
 * Who we are and who they are: our Ed25519 key pair, everybody's public keys, signatures.
 *
 * Keys travel as a protobuf { 1: type, 2: data }:
 *
 *     type             public data            private data            verified
 *     KEY_RSA          SubjectPublicKeyInfo   not read                outside
 *     KEY_ED25519      32 bytes               seed || public key      here
 *     KEY_SECP256K1    33 bytes, compressed   not read                outside
 *     KEY_ECDSA        SubjectPublicKeyInfo   not read                outside
 *
 * What is asked outside, and when it is answered: crypto/signature_check.h. libp2p specs, "Peer Ids
 * and Keys".
 */
#ifndef CRYPTO_IDENTITY_H
#define CRYPTO_IDENTITY_H

#include "base/cursor.h"
#include "base/err.h"
#include "base/rng.h"
#include "base/span.h"

#define ED25519_KEY_LEN 32
#define ED25519_SIGNATURE_LEN 64
#define SECP256K1_KEY_LEN 33

/* Protobuf forms of an Ed25519 public and private key. */
#define IDENTITY_PUBLIC_LEN 36
#define IDENTITY_PRIVATE_LEN 68

/* Longest public key protobuf that is looked at: an RSA key of 4096 bits takes 556 bytes. */
#define PUBLIC_KEY_MAX_LEN 640

enum key_type { KEY_RSA, KEY_ED25519, KEY_SECP256K1, KEY_ECDSA };

struct public_key {
    enum key_type type;
    struct view data; /* borrowed */
};

/*
 * Reads a public key protobuf. As in go and js, fields may come in any order and unknown ones are
 * skipped, so hash what public_key_put writes, never `in` itself. `key->data` points into `in`.
 * ERR_BAD_KEY when a field is missing, the type is unknown or the length is wrong for the type;
 * ERR_TOO_BIG past PUBLIC_KEY_MAX_LEN.
 */
MUST_USE int public_key_parse(struct view in, struct public_key *key);

/* Writes the one canonical protobuf of a key. */
void public_key_put(struct writer *w, const struct public_key *key);

/* "RSA", "Ed25519", "secp256k1" or "ECDSA", as js-libp2p names them. */
const char *key_type_name(enum key_type type);

/*
 * Checks a signature by an Ed25519 key. ERR_BAD_SIGNATURE when it does not match; ERR_UNSUPPORTED
 * for the other types, which says nothing about the signature.
 */
MUST_USE int public_key_verify(const struct public_key *key, struct view message,
                               struct view signature);

/* An Ed25519 key pair; a zeroed one is nobody. */
struct identity {
    uint8_t secret[2 * ED25519_KEY_LEN]; /* seed || public key */
};

void identity_generate(const struct rng *rng, struct identity *id);
void identity_from_seed(const uint8_t seed[ED25519_KEY_LEN], struct identity *id);

/*
 * Reads a private key protobuf: 64 bytes of data, or the 96 bytes of old keys, which hold the
 * public key twice. ERR_BAD_PRIVATE_KEY when it is neither, when the public key does not belong to
 * the seed, or when the key is not Ed25519.
 */
MUST_USE int identity_parse(struct view in, struct identity *id);

/* Wipes the secret. */
void identity_free(struct identity *id);

/* Writes the private key protobuf; the caller wipes it after use. */
void identity_format(const struct identity *id, uint8_t out[IDENTITY_PRIVATE_LEN]);

/* Writes the public key protobuf. */
void identity_public(const struct identity *id, uint8_t out[IDENTITY_PUBLIC_LEN]);

/* The public key, borrowed from `id`. */
struct public_key identity_public_key(const struct identity *id);

/* Signs one contiguous message; Ed25519 reads it twice, so it cannot come in parts. */
void identity_sign(const struct identity *id, struct view message,
                   uint8_t out[ED25519_SIGNATURE_LEN]);

#endif

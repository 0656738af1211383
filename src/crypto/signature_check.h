/*
 * What somebody outside is asked when a signature cannot be checked here.
 *
 * Keys other than Ed25519 are rare on the network of today. The browser brings code for RSA and
 * ECDSA, its WebCrypto, and arithmetic of numbers that long, which is most of secp256k1; so none is
 * in the core. WebCrypto imports the key as `spki` just as libp2p carries it; an ECDSA signature,
 * secp256k1's too, must be turned from DER into r || s of fixed width. The hash is always SHA-256.
 */
#ifndef CRYPTO_SIGNATURE_CHECK_H
#define CRYPTO_SIGNATURE_CHECK_H

#include "crypto/identity.h"

/* Below, a key can be forged; above, one signature costs more than a connection is worth. */
#define RSA_MIN_BITS 2048
#define RSA_MAX_BITS 4096

/* An RSA signature is as long as its key; the longest r || s, of P-521, has 132 bytes. */
#define SIGNATURE_MAX (RSA_MAX_BITS / 8)

enum signature_algorithm { /* numbers that PEERLET_VERIFY tells */
    SIGNATURE_RSA = 0,     /* RSASSA-PKCS1-v1_5 */
    SIGNATURE_SECP256K1 = 1,
    SIGNATURE_P256 = 256, /* ECDSA with namedCurve P-256, and so on */
    SIGNATURE_P384 = 384,
    SIGNATURE_P521 = 521,
};

struct signature_check {
    enum signature_algorithm algorithm;
    struct view key; /* borrowed: SubjectPublicKeyInfo, or the 33 bytes of a secp256k1 point */
    size_t signature_len;
    uint8_t signature[SIGNATURE_MAX];
};

/*
 * Prepares the check of `signature` by `key`. ERR_BAD_KEY when the SubjectPublicKeyInfo is not that
 * of an RSA key of 2048 to 4096 bits or of one of the three curves; ERR_BAD_SIGNATURE when the
 * signature cannot be right whatever the message; ERR_UNSUPPORTED for Ed25519, which
 * public_key_verify checks.
 */
MUST_USE int signature_check_init(struct signature_check *check, const struct public_key *key,
                                  struct view signature);

#endif

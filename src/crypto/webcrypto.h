/*
 * What the browser's WebCrypto is asked when a signature cannot be checked here.
 *
 * RSA and ECDSA keys are rare on the network of today, and the browser brings code for both, so
 * none is shipped. WebCrypto imports the key as `spki` just as libp2p carries it; an ECDSA
 * signature must be turned from DER into r || s of fixed width. The hash is always SHA-256.
 */
#ifndef CRYPTO_WEBCRYPTO_H
#define CRYPTO_WEBCRYPTO_H

#include "crypto/identity.h"

/* Below, a key can be forged; above, one signature costs more than a connection is worth. */
#define RSA_MIN_BITS 2048
#define RSA_MAX_BITS 4096

/* An RSA signature is as long as its key; the longest r || s, of P-521, has 132 bytes. */
#define WEBCRYPTO_SIGNATURE_MAX (RSA_MAX_BITS / 8)

enum webcrypto_algorithm {
    WEBCRYPTO_RSA,  /* RSASSA-PKCS1-v1_5 */
    WEBCRYPTO_P256, /* ECDSA with namedCurve P-256, and so on */
    WEBCRYPTO_P384,
    WEBCRYPTO_P521,
};

struct webcrypto_check {
    enum webcrypto_algorithm algorithm;
    struct view spki; /* borrowed from the key */
    size_t signature_len;
    uint8_t signature[WEBCRYPTO_SIGNATURE_MAX];
};

/*
 * Prepares the check of `signature` by `key`. ERR_BAD_KEY when the SubjectPublicKeyInfo is not that
 * of an RSA key of 2048 to 4096 bits or of one of the three curves; ERR_BAD_SIGNATURE when the
 * signature cannot be right whatever the message; ERR_UNSUPPORTED for types WebCrypto is not asked
 * about: Ed25519, checked by public_key_verify, and secp256k1, not checked at all.
 */
MUST_USE int webcrypto_check_init(struct webcrypto_check *check, const struct public_key *key,
                                  struct view signature);

#endif

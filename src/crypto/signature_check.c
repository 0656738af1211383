#include "crypto/signature_check.h"

#include "base/cursor.h"

enum der_tag {
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_SEQUENCE = 0x30,
};

/* A larger exponent than browsers take makes a check as slow as a larger key would. */
#define RSA_EXPONENT_MAX_LEN 4

#define EC_UNCOMPRESSED 4 /* first byte of a point written as x || y */

#define SECP256K1_WIDTH 32 /* of r and s */

/* Content of AlgorithmIdentifier: the object identifiers of the algorithm and of its parameters. */
static const uint8_t RSA_ENCRYPTION[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
                                         0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
static const uint8_t EC_P256[] = {0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
                                  0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t EC_P384[] = {0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
                                  0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
static const uint8_t EC_P521[] = {0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
                                  0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23};

static const struct curve {
    enum signature_algorithm algorithm;
    size_t width; /* of one coordinate, and of r and s */
    struct view identifier;
} CURVES[] = {
    {SIGNATURE_P256, 32, {EC_P256, sizeof EC_P256}},
    {SIGNATURE_P384, 48, {EC_P384, sizeof EC_P384}},
    {SIGNATURE_P521, 66, {EC_P521, sizeof EC_P521}},
};

static bool is_done(const struct cursor *c)
{
    return !c->failed && c->rest.len == 0;
}

/* The inside of the next element, which must have this tag and the shortest form of its length. */
static struct cursor take_der(struct cursor *c, enum der_tag tag)
{
    uint8_t found = take_u8(c);
    size_t len = take_u8(c), least = 0;
    if (len == 0x81) {
        len = take_u8(c);
        least = 0x80;
    } else if (len == 0x82) {
        len = take_u16be(c);
        least = 0x100;
    } else if (len >= 0x80) {
        c->failed = true;
    }
    if (found != tag || len < least)
        c->failed = true;
    struct view content = take(c, len);
    return (struct cursor){content, c->failed};
}

/* The bytes of a positive integer, without the zero that keeps its sign. */
static struct view take_positive(struct cursor *c)
{
    struct cursor integer = take_der(c, DER_INTEGER);
    bool padded = integer.rest.len > 1 && integer.rest.data[0] == 0;
    if (padded)
        take_u8(&integer);
    struct view digits = integer.rest;
    if (digits.len == 0 || digits.data[0] == 0 || (digits.data[0] >= 0x80) != padded)
        c->failed = true;
    return digits;
}

static bool spki_parse(struct view spki, struct view *identifier, struct view *key)
{
    struct cursor whole = cursor_of(spki);
    struct cursor outer = take_der(&whole, DER_SEQUENCE);
    *identifier = take_der(&outer, DER_SEQUENCE).rest;
    struct cursor bits = take_der(&outer, DER_BIT_STRING);
    uint8_t unused_bits = take_u8(&bits);
    *key = bits.rest;
    return is_done(&whole) && is_done(&outer) && !bits.failed && unused_bits == 0;
}

static size_t bit_len(struct view digits)
{
    size_t bits = 8 * digits.len;
    for (uint8_t top = digits.data[0]; top < 0x80; top = (uint8_t)(top << 1))
        bits--;
    return bits;
}

static int init_rsa(struct signature_check *check, struct view identifier, struct view key,
                    struct view signature)
{
    struct cursor whole = cursor_of(key);
    struct cursor numbers = take_der(&whole, DER_SEQUENCE);
    struct view modulus = take_positive(&numbers);
    struct view exponent = take_positive(&numbers);
    if (!is_done(&whole) || !is_done(&numbers) || exponent.len > RSA_EXPONENT_MAX_LEN ||
        !view_equal(identifier, view_of(RSA_ENCRYPTION, sizeof RSA_ENCRYPTION)))
        return ERR_BAD_KEY;
    size_t bits = bit_len(modulus);
    if (bits < RSA_MIN_BITS || bits > RSA_MAX_BITS)
        return ERR_BAD_KEY;
    if (signature.len != modulus.len)
        return ERR_BAD_SIGNATURE;
    check->algorithm = SIGNATURE_RSA;
    check->signature_len = signature.len;
    memcpy(check->signature, signature.data, signature.len);
    return 0;
}

static const struct curve *find_curve(struct view identifier, struct view point)
{
    for (size_t i = 0; i < ARRAY_LEN(CURVES); i++)
        if (view_equal(identifier, CURVES[i].identifier) && point.len == 1 + 2 * CURVES[i].width &&
            point.data[0] == EC_UNCOMPRESSED)
            return &CURVES[i];
    return NULL;
}

/* r || s of an ECDSA signature in DER. */
static int take_pair(struct signature_check *check, size_t width, struct view signature)
{
    struct cursor whole = cursor_of(signature);
    struct cursor numbers = take_der(&whole, DER_SEQUENCE);
    struct view r = take_positive(&numbers);
    struct view s = take_positive(&numbers);
    if (!is_done(&whole) || !is_done(&numbers) || r.len > width || s.len > width)
        return ERR_BAD_SIGNATURE;
    check->signature_len = 2 * width;
    memset(check->signature, 0, check->signature_len);
    memcpy(check->signature + width - r.len, r.data, r.len);
    memcpy(check->signature + 2 * width - s.len, s.data, s.len);
    return 0;
}

static int init_ecdsa(struct signature_check *check, struct view identifier, struct view point,
                      struct view signature)
{
    const struct curve *curve = find_curve(identifier, point);
    if (curve == NULL)
        return ERR_BAD_KEY;
    check->algorithm = curve->algorithm;
    return take_pair(check, curve->width, signature);
}

int signature_check_init(struct signature_check *check, const struct public_key *key,
                         struct view signature)
{
    check->key = key->data;
    if (key->type == KEY_SECP256K1) {
        check->algorithm = SIGNATURE_SECP256K1;
        return take_pair(check, SECP256K1_WIDTH, signature);
    }
    if (key->type == KEY_ED25519)
        return ERR_UNSUPPORTED;
    struct view identifier, bits;
    if (!spki_parse(key->data, &identifier, &bits))
        return ERR_BAD_KEY;
    return key->type == KEY_RSA ? init_rsa(check, identifier, bits, signature)
                                : init_ecdsa(check, identifier, bits, signature);
}

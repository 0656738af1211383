#include "crypto/signature_check.h"

#include "base/cursor.h"
#include "test.h"
#include "vectors_crypto.h"

/* One DER element around `content`. */
static struct view der(uint8_t tag, struct view content)
{
    struct span out = test_copy(view_of((const uint8_t[2048]){0}, content.len + 4));
    struct writer w = writer_of(out.data, out.len);
    put_u8(&w, tag);
    if (content.len >= 0x100) {
        put_u8(&w, 0x82);
        put_u16be(&w, (uint16_t)content.len);
    } else {
        if (content.len >= 0x80)
            put_u8(&w, 0x81);
        put_u8(&w, (uint8_t)content.len);
    }
    put(&w, content);
    assert_false(w.failed);
    return writer_view(&w);
}

static struct view join(struct view a, struct view b)
{
    struct span out = test_copy(view_of((const uint8_t[2048]){0}, a.len + b.len));
    struct writer w = writer_of(out.data, out.len);
    put(&w, a);
    put(&w, b);
    assert_false(w.failed);
    return writer_view(&w);
}

/* The shortest DER integer of unsigned digits. */
static struct view der_integer(struct view digits)
{
    while (digits.len > 1 && digits.data[0] == 0)
        digits = view_of(digits.data + 1, digits.len - 1);
    return der(0x02, digits.data[0] >= 0x80 ? join(hex("00"), digits) : digits);
}

static struct view der_signature(struct view fixed)
{
    size_t half = fixed.len / 2;
    return der(0x30, join(der_integer(view_of(fixed.data, half)),
                          der_integer(view_of(fixed.data + half, half))));
}

static void test_ecdsa_vectors(void **state)
{
    (void)state;
    EACH_ROW(i, ECDSA_VECTORS) {
        struct signature_check check;
        struct public_key key = {KEY_ECDSA, hex(ECDSA_VECTORS[i].spki)};
        struct view signature = hex(ECDSA_VECTORS[i].sig);
        int rc = signature_check_init(&check, &key, signature);
        if (ECDSA_VECTORS[i].valid)
            assert_ok(rc);
        if (rc != 0) {
            assert_code(rc, ERR_BAD_SIGNATURE);
            continue;
        }
        struct view fixed = view_of(check.signature, check.signature_len);
        assert_int_equal(check.algorithm, SIGNATURE_P256);
        assert_view_equal(check.key, key.data);
        assert_int_equal(fixed.len, 64);
        if (ECDSA_VECTORS[i].valid)
            assert_view_hex(fixed, ECDSA_VECTORS[i].fixed);
        /* Whatever is taken was written in the one way there is. */
        assert_view_equal(der_signature(fixed), signature);
    }
}

static void test_rsa_vectors(void **state)
{
    (void)state;
    EACH_ROW(i, RSA_VECTORS) {
        struct signature_check check;
        struct public_key key = {KEY_RSA, hex(RSA_VECTORS[i].spki)};
        struct view signature = hex(RSA_VECTORS[i].sig);
        int rc = signature_check_init(&check, &key, signature);
        assert_code(rc, signature.len == 256 ? 0 : ERR_BAD_SIGNATURE);
        if (rc != 0) {
            assert_false(RSA_VECTORS[i].valid);
            continue;
        }
        assert_int_equal(check.algorithm, SIGNATURE_RSA);
        assert_view_equal(check.key, key.data);
        assert_view_equal(view_of(check.signature, check.signature_len), signature);
    }
}

#define EC_PUBLIC_KEY "06072a8648ce3d0201"

static const struct {
    const char *name, *identifier;
    size_t width;
    enum signature_algorithm algorithm;
    int code;
} CURVES[] = {
    {"P-256", EC_PUBLIC_KEY "06082a8648ce3d030107", 32, SIGNATURE_P256, 0},
    {"P-384", EC_PUBLIC_KEY "06052b81040022", 48, SIGNATURE_P384, 0},
    {"P-521", EC_PUBLIC_KEY "06052b81040023", 66, SIGNATURE_P521, 0},
    {"secp256k1", EC_PUBLIC_KEY "06052b8104000a", 32, SIGNATURE_P256, ERR_BAD_KEY},
    {"a point of another curve", EC_PUBLIC_KEY "06082a8648ce3d030107", 48, SIGNATURE_P256,
     ERR_BAD_KEY},
    {"no curve", EC_PUBLIC_KEY, 32, SIGNATURE_P256, ERR_BAD_KEY},
    {"RSA", "06092a864886f70d0101010500", 32, SIGNATURE_P256, ERR_BAD_KEY},
};

static struct view spki(struct view identifier, struct view key)
{
    return der(0x30, join(der(0x30, identifier), der(0x03, join(hex("00"), key))));
}

static struct view point(size_t width)
{
    struct span bytes = test_copy(view_of((const uint8_t[133]){4, 1, 2, 3}, 1 + 2 * width));
    return view_of_span(bytes);
}

static void test_curves(void **state)
{
    (void)state;
    EACH_ROW(i, CURVES) {
        struct signature_check check;
        struct view identifier = hex(CURVES[i].identifier);
        struct public_key key = {KEY_ECDSA, spki(identifier, point(CURVES[i].width))};
        struct view signature = der(0x30, join(der_integer(hex("05")), der_integer(hex("ff"))));
        int rc = signature_check_init(&check, &key, signature);
        assert_code(rc, CURVES[i].code);
        if (rc != 0)
            continue;
        size_t width = CURVES[i].width;
        assert_int_equal(check.algorithm, CURVES[i].algorithm);
        assert_int_equal(check.signature_len, 2 * width);
        for (size_t at = 0; at < 2 * width; at++) {
            int expected = at == width - 1 ? 0x05 : at == 2 * width - 1 ? 0xff : 0;
            assert_int_equal(check.signature[at], expected);
        }
    }
}

static void test_a_compressed_point_is_refused(void **state)
{
    (void)state;
    struct signature_check check;
    struct span bytes = test_copy(point(32));
    bytes.data[0] = 2;
    struct public_key key = {KEY_ECDSA, spki(hex(CURVES[0].identifier), view_of_span(bytes))};
    assert_code(signature_check_init(&check, &key, hex("3006020105020105")), ERR_BAD_KEY);
}

#define P256_KEY                                                                                   \
    "3059301306072a8648ce3d020106082a8648ce3d03010703420004"                                       \
    "de3d300fa36ae0e8f5d530899d83abab44abf3161f162a4bc901d8e6ecda020e8b6d5f8da30525e71d6851510c0"  \
    "98e5c47c646a597fb4dcec034e9f77c409e62"

#define SECP256K1_KEY "029c0ce5d53646ed47112560297a3e59b78b8cbd4bae37c7a0c236eeb91d0fbeaf"

static const struct {
    const char *name, *der;
} BAD_SIGNATURES[] = {
    {"nothing", ""},
    {"an empty sequence", "3000"},
    {"one integer", "3003020105"},
    {"three integers", "3009020105020105020105"},
    {"an empty integer", "300502000201"
                         "05"},
    {"zero", "3006020100020105"},
    {"a negative number", "3006020185020105"},
    {"a padded number", "300702020005020105"},
    {"a long length for a short one", "308106020105020105"},
    {"a length in three bytes", "30830000060201050201"
                                "05"},
    {"a length without end", "30800201050201050000"},
    {"a byte behind it", "300602010502010500"},
    {"a byte inside, behind the numbers", "300702010502010500"},
    {"a set", "3106020105020105"},
    {"a number of 33 bytes", "30260221"
                             "01"
                             "0000000000000000000000000000000000000000000000000000000000000000"
                             "020105"},
};

static void test_bad_signatures(void **state)
{
    (void)state;
    struct signature_check check;
    const struct public_key keys[] = {{KEY_ECDSA, hex(P256_KEY)},
                                      {KEY_SECP256K1, hex(SECP256K1_KEY)}};
    for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
        assert_ok(signature_check_init(&check, &keys[k], hex("3006020105020105")));
        EACH_ROW(i, BAD_SIGNATURES)
            assert_code(signature_check_init(&check, &keys[k], hex(BAD_SIGNATURES[i].der)),
                        ERR_BAD_SIGNATURE);
    }
}

static void test_secp256k1(void **state)
{
    (void)state;
    struct signature_check check;
    struct public_key key = {KEY_SECP256K1, hex(SECP256K1_KEY)};
    const char *der_of_go = "3044"
                            "02200e4c629e9f5d99439115e60989cd40087f6978c36078b0b50cf3d30af5c38d41"
                            "02204110342c8e7f0809897c1c7a66e49e1c6b7cb0a6ed6993640ec2fe742c1899a9";
    assert_ok(signature_check_init(&check, &key, hex(der_of_go)));
    assert_int_equal(check.algorithm, SIGNATURE_SECP256K1);
    assert_view_equal(check.key, key.data);
    assert_view_hex(view_of(check.signature, check.signature_len),
                    "0e4c629e9f5d99439115e60989cd40087f6978c36078b0b50cf3d30af5c38d41"
                    "4110342c8e7f0809897c1c7a66e49e1c6b7cb0a6ed6993640ec2fe742c1899a9");
}

static void test_a_key_cut_or_lengthened(void **state)
{
    (void)state;
    struct signature_check check;
    struct view whole = hex(P256_KEY), signature = hex("3006020105020105");
    for (size_t len = 0; len < whole.len; len++) {
        struct public_key cut = {KEY_ECDSA, view_of(whole.data, len)};
        assert_code(signature_check_init(&check, &cut, signature), ERR_BAD_KEY);
    }
    struct public_key longer = {KEY_ECDSA, join(whole, hex("00"))};
    assert_code(signature_check_init(&check, &longer, signature), ERR_BAD_KEY);
}

static const struct {
    const char *name;
    size_t bits;
    const char *exponent;
    int code;
} RSA_KEYS[] = {
    {"1024 bits", 1024, "010001", ERR_BAD_KEY},
    {"2047 bits", 2047, "010001", ERR_BAD_KEY},
    {"2048 bits", 2048, "010001", 0},
    {"3072 bits", 3072, "03", 0},
    {"4096 bits", 4096, "010001", 0},
    {"4097 bits", 4097, "010001", ERR_BAD_KEY},
    {"8192 bits", 8192, "010001", ERR_BAD_KEY},
    {"an exponent of four bytes", 2048, "ffffffff", 0},
    {"an exponent of five bytes", 2048, "0100000001", ERR_BAD_KEY},
    {"exponent zero", 2048, "00", ERR_BAD_KEY},
};

static void test_rsa_sizes(void **state)
{
    (void)state;
    static uint8_t modulus[1024], signature[1024];
    EACH_ROW(i, RSA_KEYS) {
        struct signature_check check;
        size_t len = (RSA_KEYS[i].bits + 7) / 8;
        modulus[0] = (uint8_t)(1u << (RSA_KEYS[i].bits - 1) % 8);
        struct view numbers =
            join(der_integer(view_of(modulus, len)), der_integer(hex(RSA_KEYS[i].exponent)));
        struct public_key key = {KEY_RSA,
                                 spki(hex("06092a864886f70d0101010500"), der(0x30, numbers))};
        assert_code(signature_check_init(&check, &key, view_of(signature, len)), RSA_KEYS[i].code);
        if (RSA_KEYS[i].code != 0)
            continue;
        assert_code(signature_check_init(&check, &key, view_of(signature, len - 1)),
                    ERR_BAD_SIGNATURE);
        assert_code(signature_check_init(&check, &key, view_of(signature, len + 1)),
                    ERR_BAD_SIGNATURE);
    }
}

static void test_keys_of_other_implementations(void **state)
{
    (void)state;
    static const uint8_t SIGNATURE[256] = {1};
    EACH_ROW(i, KEY_VECTORS) {
        struct signature_check check;
        struct public_key key;
        assert_ok(public_key_parse(hex(KEY_VECTORS[i].public), &key));
        struct view signature = key.type == KEY_RSA ? view_of(SIGNATURE, sizeof SIGNATURE)
                                                    : hex("3006020105020105");
        assert_code(signature_check_init(&check, &key, signature),
                    key.type == KEY_ED25519 ? ERR_UNSUPPORTED : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ecdsa_vectors),  cmocka_unit_test(test_rsa_vectors),
        cmocka_unit_test(test_curves),         cmocka_unit_test(test_a_compressed_point_is_refused),
        cmocka_unit_test(test_bad_signatures), cmocka_unit_test(test_secp256k1),
        cmocka_unit_test(test_a_key_cut_or_lengthened),
        cmocka_unit_test(test_rsa_sizes),      cmocka_unit_test(test_keys_of_other_implementations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

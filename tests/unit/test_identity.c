#include "crypto/identity.h"

#include "crypto/crypto.h"
#include "crypto/hash.h"
#include "test.h"
#include "vectors_crypto.h"

#define KEY1_PUBLIC "080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"
#define KEY1_DATA "1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"
#define SECP_DATA "037777e994e452c21604f91de093ce415f5432f701dd8cd1a7a6fea0e630bfca99"

/* `canonical` is null when the bytes are refused with `code`. */
static const struct {
    const char *name, *bytes, *canonical;
    enum key_type type;
    int code;
} PUBLIC_KEYS[] = {
    {"Ed25519", KEY1_PUBLIC, KEY1_PUBLIC, KEY_ED25519, 0},
    {"secp256k1", "08021221" SECP_DATA, "08021221" SECP_DATA, KEY_SECP256K1, 0},
    {"ECDSA", "08031240" KEY1_DATA KEY1_DATA, "08031240" KEY1_DATA KEY1_DATA, KEY_ECDSA, 0},
    {"RSA, whose zero is written", "08001240" KEY1_DATA KEY1_DATA, "08001240" KEY1_DATA KEY1_DATA,
     KEY_RSA, 0},
    {"data first", "1220" KEY1_DATA "0801", KEY1_PUBLIC, KEY_ED25519, 0},
    {"an unknown field", KEY1_PUBLIC "1a0100", KEY1_PUBLIC, KEY_ED25519, 0},
    {"the last of two types", "08001220" KEY1_DATA "0801", KEY1_PUBLIC, KEY_ED25519, 0},
    {"a padded varint", "0881001220" KEY1_DATA, KEY1_PUBLIC, KEY_ED25519, 0},
    {"nothing", "", NULL, KEY_RSA, ERR_BAD_KEY},
    {"no type", "1220" KEY1_DATA, NULL, KEY_RSA, ERR_BAD_KEY},
    {"no data", "0801", NULL, KEY_RSA, ERR_BAD_KEY},
    {"empty data", "08001200", NULL, KEY_RSA, ERR_BAD_KEY},
    {"an unknown type", "08041220" KEY1_DATA, NULL, KEY_RSA, ERR_BAD_KEY},
    {"a negative type", "08ffffffffffffffffff011220" KEY1_DATA, NULL, KEY_RSA, ERR_BAD_KEY},
    {"Ed25519 of 31 bytes",
     "0801121f"
     "1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce2",
     NULL, KEY_RSA, ERR_BAD_KEY},
    {"RSA of 32 bytes", "08001220" KEY1_DATA, NULL, KEY_RSA, ERR_BAD_KEY},
    {"secp256k1 of 32 bytes", "08021220" KEY1_DATA, NULL, KEY_RSA, ERR_BAD_KEY},
    {"a length past the end", "08011221" KEY1_DATA, NULL, KEY_RSA, ERR_BAD_KEY},
};

static void test_public_key_parse(void **state)
{
    (void)state;
    EACH_ROW(i, PUBLIC_KEYS) {
        uint8_t out[PUBLIC_KEY_MAX_LEN];
        struct writer w = writer_of(out, sizeof out);
        struct public_key key;
        assert_code(public_key_parse(hex(PUBLIC_KEYS[i].bytes), &key), PUBLIC_KEYS[i].code);
        if (PUBLIC_KEYS[i].code != 0)
            continue;
        assert_int_equal(key.type, PUBLIC_KEYS[i].type);
        public_key_put(&w, &key);
        assert_view_hex(writer_view(&w), PUBLIC_KEYS[i].canonical);
    }
}

static void test_public_key_cut_anywhere(void **state)
{
    (void)state;
    struct view whole = hex(KEY1_PUBLIC);
    struct public_key key;
    for (size_t len = 0; len < whole.len; len++)
        assert_code(public_key_parse(view_of(whole.data, len), &key), ERR_BAD_KEY);
}

static void test_public_key_too_long(void **state)
{
    (void)state;
    static uint8_t bytes[PUBLIC_KEY_MAX_LEN + 1] = {0x08, 0x00, 0x12, 0xfc, 0x04};
    struct public_key key;
    assert_code(public_key_parse(view_of(bytes, sizeof bytes), &key), ERR_TOO_BIG);
    bytes[3]--;
    assert_ok(public_key_parse(view_of(bytes, sizeof bytes - 1), &key));
}

static void test_keys_of_other_implementations(void **state)
{
    (void)state;
    EACH_ROW(i, KEY_VECTORS) {
        struct public_key key;
        struct identity id;
        uint8_t private[IDENTITY_PRIVATE_LEN], public[IDENTITY_PUBLIC_LEN];
        assert_ok(public_key_parse(hex(KEY_VECTORS[i].public), &key));
        int rc = identity_parse(hex(KEY_VECTORS[i].private), &id);
        assert_code(rc, key.type == KEY_ED25519 ? 0 : ERR_BAD_PRIVATE_KEY);
        if (rc != 0)
            continue;
        identity_format(&id, private);
        assert_view_hex(view_of(private, sizeof private), KEY_VECTORS[i].private);
        identity_public(&id, public);
        assert_view_hex(view_of(public, sizeof public), KEY_VECTORS[i].public);
        identity_free(&id);
    }
}

#define SEED "7e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d"

static const struct {
    const char *name, *bytes;
    int code;
} PRIVATE_KEYS[] = {
    {"64 bytes", "08011240" SEED KEY1_DATA, 0},
    {"96 bytes", "08011260" SEED KEY1_DATA KEY1_DATA, 0},
    {"96 bytes with another key at the end", "08011260" SEED KEY1_DATA SEED, ERR_BAD_PRIVATE_KEY},
    {"96 bytes with another key inside", "08011260" SEED SEED KEY1_DATA, ERR_BAD_PRIVATE_KEY},
    {"a public key that is not the seed's", "08011240" SEED SEED, ERR_BAD_PRIVATE_KEY},
    {"the seed alone", "08011220" SEED, ERR_BAD_PRIVATE_KEY},
    {"no data", "0801", ERR_BAD_PRIVATE_KEY},
    {"no type", "1240" SEED KEY1_DATA, ERR_BAD_PRIVATE_KEY},
    {"another type", "08021240" SEED KEY1_DATA, ERR_BAD_PRIVATE_KEY},
    {"nothing", "", ERR_BAD_PRIVATE_KEY},
    {"not a protobuf", "ffffff", ERR_BAD_PRIVATE_KEY},
};

static void test_identity_parse(void **state)
{
    (void)state;
    static const struct identity NOBODY;
    EACH_ROW(i, PRIVATE_KEYS) {
        struct identity id = {0};
        uint8_t public[IDENTITY_PUBLIC_LEN];
        assert_code(identity_parse(hex(PRIVATE_KEYS[i].bytes), &id), PRIVATE_KEYS[i].code);
        identity_public(&id, public);
        if (PRIVATE_KEYS[i].code == 0)
            assert_view_hex(view_of(public, sizeof public), KEY1_PUBLIC);
        else
            assert_memory_equal(&id, &NOBODY, sizeof id); /* no secret is left behind */
    }
}

static void test_identity_cut_anywhere(void **state)
{
    (void)state;
    struct view whole = hex("08011240" SEED KEY1_DATA);
    struct identity id;
    for (size_t len = 0; len < whole.len; len++)
        assert_code(identity_parse(view_of(whole.data, len), &id), ERR_BAD_PRIVATE_KEY);
}

static void test_identity_free_wipes(void **state)
{
    (void)state;
    struct identity id;
    uint8_t zeros[sizeof id] = {0};
    identity_from_seed(hex(SEED).data, &id);
    identity_free(&id);
    assert_memory_equal(&id, zeros, sizeof id);
}

static void test_signatures_of_other_implementations(void **state)
{
    (void)state;
    EACH_ROW(i, SIGNATURE_VECTORS) {
        struct identity id;
        uint8_t signature[ED25519_SIGNATURE_LEN];
        struct view message = hex(SIGNATURE_VECTORS[i].data);
        assert_ok(identity_parse(hex(SIGNATURE_VECTORS[i].private), &id));
        identity_sign(&id, message, signature);
        assert_view_hex(view_of(signature, sizeof signature), SIGNATURE_VECTORS[i].signature);
        struct public_key key;
        assert_ok(public_key_parse(hex(SIGNATURE_VECTORS[i].public), &key));
        assert_ok(public_key_verify(&key, message, view_of(signature, sizeof signature)));
    }
}

static void test_verify_vectors(void **state)
{
    (void)state;
    EACH_ROW(i, ED25519_VECTORS) {
        struct public_key key = {KEY_ED25519, hex(ED25519_VECTORS[i].key)};
        int rc = public_key_verify(&key, hex(ED25519_VECTORS[i].msg), hex(ED25519_VECTORS[i].sig));
        assert_code(rc, ED25519_VECTORS[i].valid ? 0 : ERR_BAD_SIGNATURE);
    }
}

static void test_other_types_are_not_verified_here(void **state)
{
    (void)state;
    static const enum key_type OTHERS[] = {KEY_RSA, KEY_SECP256K1, KEY_ECDSA};
    for (size_t i = 0; i < ARRAY_LEN(OTHERS); i++) {
        struct public_key key = {OTHERS[i], hex(KEY1_DATA)};
        assert_code(public_key_verify(&key, hex("00"), hex(SEED KEY1_DATA)), ERR_UNSUPPORTED);
    }
}

/* tests/vectors/crypto.mjs does the same with OpenSSL; 1200 digits use each row of the table. */
static void test_a_chain_of_keys_and_signatures(void **state)
{
    (void)state;
    uint8_t seed[SHA256_LEN] = {0}, bytes[300];
    for (int i = 0; i < 300; i++) {
        memset(bytes, i, sizeof bytes);
        struct view message = view_of(bytes, (size_t)i);
        struct identity id;
        uint8_t signature[ED25519_SIGNATURE_LEN];
        identity_from_seed(seed, &id);
        struct public_key key = identity_public_key(&id);
        identity_sign(&id, message, signature);
        struct view signed_view = view_of(signature, sizeof signature);
        assert_ok(public_key_verify(&key, message, signed_view));
        struct view parts[] = {key.data, message, signed_view};
        sha256_parts(parts, ARRAY_LEN(parts), seed);
        signature[i % 64] ^= 1;
        assert_code(public_key_verify(&key, message, signed_view), ERR_BAD_SIGNATURE);
    }
    assert_view_hex(view_of(seed, sizeof seed), ED25519_CHAIN);
}

static void test_generate_draws_from_the_rng(void **state)
{
    (void)state;
    uint64_t seed = 7, same_seed = 7;
    struct rng rng = test_rng(&seed), same_rng = test_rng(&same_seed);
    struct identity first, second, same;
    identity_generate(&rng, &first);
    identity_generate(&rng, &second);
    identity_generate(&same_rng, &same);
    assert_memory_equal(&first, &same, sizeof first);
    assert_memory_not_equal(&first, &second, sizeof first);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(key_type_name(KEY_RSA), "RSA");
    assert_string_equal(key_type_name(KEY_ED25519), "Ed25519");
    assert_string_equal(key_type_name(KEY_SECP256K1), "secp256k1");
    assert_string_equal(key_type_name(KEY_ECDSA), "ECDSA");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_public_key_parse),
        cmocka_unit_test(test_public_key_cut_anywhere),
        cmocka_unit_test(test_public_key_too_long),
        cmocka_unit_test(test_keys_of_other_implementations),
        cmocka_unit_test(test_identity_parse),
        cmocka_unit_test(test_identity_cut_anywhere),
        cmocka_unit_test(test_identity_free_wipes),
        cmocka_unit_test(test_signatures_of_other_implementations),
        cmocka_unit_test(test_verify_vectors),
        cmocka_unit_test(test_other_types_are_not_verified_here),
        cmocka_unit_test(test_a_chain_of_keys_and_signatures),
        cmocka_unit_test(test_generate_draws_from_the_rng),
        cmocka_unit_test(test_names),
    };
    crypto_init();
    crypto_init(); /* once more costs nothing and changes nothing */
    return cmocka_run_group_tests(tests, NULL, NULL);
}

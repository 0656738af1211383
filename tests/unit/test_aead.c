#include "crypto/aead.h"

#include "base/cursor.h"
#include "crypto/crypto.h"
#include "crypto/hash.h"
#include "test.h"
#include "vectors_crypto.h"

static void test_vectors(void **state)
{
    (void)state;
    EACH_ROW(i, AEAD_VECTORS) {
        uint8_t tag[AEAD_TAG_LEN];
        struct view key = hex(AEAD_VECTORS[i].key), nonce = hex(AEAD_VECTORS[i].iv);
        struct view ad = hex(AEAD_VECTORS[i].aad), message = hex(AEAD_VECTORS[i].msg);
        struct view theirs = hex(AEAD_VECTORS[i].tag);
        assert_int_equal(theirs.len, AEAD_TAG_LEN);

        struct span data = test_copy(hex(AEAD_VECTORS[i].ct));
        int rc = aead_open(key.data, nonce.data, ad, data.data, data.len, theirs.data);
        assert_code(rc, AEAD_VECTORS[i].valid ? 0 : ERR_CRYPTO);
        if (rc != 0) {
            assert_view_hex(view_of_span(data), AEAD_VECTORS[i].ct);
            continue;
        }
        assert_view_equal(view_of_span(data), message);
        aead_seal(key.data, nonce.data, ad, data.data, data.len, tag);
        assert_view_hex(view_of_span(data), AEAD_VECTORS[i].ct);
        assert_view_equal(view_of(tag, sizeof tag), theirs);
    }
}

static uint8_t message[65536 + AEAD_TAG_LEN];

/* tests/vectors/crypto.mjs seals the same messages with OpenSSL. */
static size_t seal(size_t len)
{
    uint8_t key[AEAD_KEY_LEN], nonce[AEAD_NONCE_LEN], ad[20];
    memset(key, (int)len, sizeof key);
    memset(nonce, (int)~len, sizeof nonce);
    memset(ad, (int)len, sizeof ad);
    for (size_t i = 0; i < len; i++)
        message[i] = (uint8_t)(i * 7 + len);
    aead_seal(key, nonce, view_of(ad, len % 21), message, len, message + len);
    return len + AEAD_TAG_LEN;
}

static int open(size_t len)
{
    uint8_t key[AEAD_KEY_LEN], nonce[AEAD_NONCE_LEN], ad[20];
    memset(key, (int)len, sizeof key);
    memset(nonce, (int)~len, sizeof nonce);
    memset(ad, (int)len, sizeof ad);
    return aead_open(key, nonce, view_of(ad, len % 21), message, len, message + len);
}

/* Every way a length can fall on blocks of 16, 64 and 256 bytes. */
static void test_every_length(void **state)
{
    (void)state;
    static uint8_t all[1401 * (700 + AEAD_TAG_LEN) + sizeof message];
    struct writer w = writer_of(all, sizeof all);
    for (size_t len = 0; len <= 1400; len++)
        put(&w, view_of(message, seal(len)));
    put(&w, view_of(message, seal(65536)));
    assert_false(w.failed);
    uint8_t hash[SHA256_LEN];
    sha256(writer_view(&w), hash);
    assert_view_hex(view_of(hash, sizeof hash), AEAD_ALL_LENGTHS);
}

static void test_open_undoes_seal(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 1400; len++) {
        seal(len);
        assert_ok(open(len));
        for (size_t i = 0; i < len; i++)
            assert_int_equal(message[i], (uint8_t)(i * 7 + len));
    }
}

static void test_any_flipped_bit_is_refused_and_nothing_is_changed(void **state)
{
    (void)state;
    enum { LEN = 40 };
    uint8_t before[LEN + AEAD_TAG_LEN];
    seal(LEN);
    for (size_t bit = 0; bit < 8 * sizeof before; bit++) {
        message[bit / 8] ^= (uint8_t)(1u << bit % 8);
        memcpy(before, message, sizeof before);
        assert_code(open(LEN), ERR_CRYPTO);
        assert_memory_equal(message, before, sizeof before);
        message[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_ok(open(LEN));
}

static void test_key_nonce_and_data_must_be_the_same(void **state)
{
    (void)state;
    uint8_t key[AEAD_KEY_LEN] = {1}, nonce[AEAD_NONCE_LEN] = {2}, data[] = "text", tag[16];
    struct view ad = view_of_text("ad");
    aead_seal(key, nonce, ad, data, sizeof data, tag);
    key[31] ^= 1;
    assert_code(aead_open(key, nonce, ad, data, sizeof data, tag), ERR_CRYPTO);
    key[31] ^= 1;
    nonce[11] ^= 1;
    assert_code(aead_open(key, nonce, ad, data, sizeof data, tag), ERR_CRYPTO);
    nonce[11] ^= 1;
    assert_code(aead_open(key, nonce, view_of_text("da"), data, sizeof data, tag), ERR_CRYPTO);
    assert_ok(aead_open(key, nonce, ad, data, sizeof data, tag));
    assert_string_equal(data, "text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_open_undoes_seal),
        cmocka_unit_test(test_any_flipped_bit_is_refused_and_nothing_is_changed),
        cmocka_unit_test(test_key_nonce_and_data_must_be_the_same),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "test.h"

#include "crypto/crypto.h"
#include "noise_party.h"
#include "vectors_noise.h"

static struct noise_party party(enum role role, const struct noise_xx_vector *v)
{
    struct noise_party p;
    noise_party_init(&p, role, hex(v->prologue),
                     hex(role == DIALER ? v->dialer_s : v->listener_s).data,
                     hex(role == DIALER ? v->dialer_e : v->listener_e).data);
    return p;
}

static void check_frame(struct noise_cipher *sending, struct noise_cipher *receiving,
                        const char *plain, const char *sealed)
{
    uint8_t bytes[256];
    struct writer w = writer_of(bytes, sizeof bytes);
    put(&w, hex(plain));
    assert_ok(noise_cipher_seal(sending, view_of(NULL, 0), bytes, w.len, bytes + w.len));
    assert_view_hex(view_of(bytes, w.len + AEAD_TAG_LEN), sealed);
    assert_ok(noise_cipher_open(receiving, view_of(NULL, 0), bytes, w.len, bytes + w.len));
    assert_view_hex(writer_view(&w), plain);
}

static void test_xx_of_others(void **state)
{
    (void)state;
    EACH_ROW(i, NOISE_XX_VECTORS) {
        const struct noise_xx_vector *v = &NOISE_XX_VECTORS[i];
        struct noise_party dialer = party(DIALER, v), listener = party(LISTENER, v);
        for (int row = 0; row < 3; row++) {
            struct noise_party *from = row == 1 ? &listener : &dialer;
            struct noise_party *to = row == 1 ? &dialer : &listener;
            uint8_t bytes[512];
            struct writer w = writer_of(bytes, sizeof bytes);
            assert_ok(noise_party_write(from, row, hex(v->messages[row].payload), &w));
            assert_view_hex(writer_view(&w), v->messages[row].ciphertext);
            struct span payload;
            assert_ok(noise_party_read(to, row, span_of(bytes, w.len), &payload));
            assert_view_hex(view_of_span(payload), v->messages[row].payload);
        }
        if (v->hash != NULL)
            assert_view_hex(view_of(dialer.symmetric.hash, SHA256_LEN), v->hash);
        assert_memory_equal(dialer.symmetric.hash, listener.symmetric.hash, SHA256_LEN);
        noise_party_split(&dialer);
        noise_party_split(&listener);
        for (size_t m = 3; m < v->count; m++) {
            bool is_dialers = (m % 2 == 1) == (v->first == DIALER);
            struct noise_party *from = is_dialers ? &dialer : &listener;
            struct noise_party *to = is_dialers ? &listener : &dialer;
            check_frame(&from->sending, &to->receiving, v->messages[m].payload,
                        v->messages[m].ciphertext);
        }
    }
}

static void test_key_is_used_up(void **state)
{
    (void)state;
    struct noise_cipher c = {.counter = NOISE_MESSAGES_MAX - 1};
    uint8_t bytes[1 + AEAD_TAG_LEN] = {0};
    assert_ok(noise_cipher_seal(&c, view_of(NULL, 0), bytes, 1, bytes + 1));
    assert_code(noise_cipher_seal(&c, view_of(NULL, 0), bytes, 1, bytes + 1), ERR_CLOSED);
    assert_code(noise_cipher_open(&c, view_of(NULL, 0), bytes, 1, bytes + 1), ERR_CLOSED);
    c.counter = NOISE_MESSAGES_MAX - 1;
    assert_ok(noise_cipher_open(&c, view_of(NULL, 0), bytes, 1, bytes + 1));
}

static void test_message_without_a_tag(void **state)
{
    (void)state;
    struct noise_symmetric s;
    uint8_t bytes[AEAD_TAG_LEN - 1] = {0}, secret[X25519_KEY_LEN] = {1};
    size_t len = sizeof bytes;
    noise_symmetric_init(&s, view_of(NULL, 0));
    assert_ok(noise_symmetric_open(&s, bytes, &len));
    assert_int_equal(len, sizeof bytes);
    noise_symmetric_mix_key(&s, secret);
    assert_code(noise_symmetric_open(&s, bytes, &len), ERR_PROTOCOL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_xx_of_others),
        cmocka_unit_test(test_key_is_used_up),
        cmocka_unit_test(test_message_without_a_tag),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

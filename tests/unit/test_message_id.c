#include "test.h"

#include "crypto/crypto.h"
#include "pubsub/message_id.h"
#include "vectors_pubsub.h"

/* protocols' example: the key of the Peer ID spec, topic "test", data "hello". */
#define KEY "080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"
#define FROM "0024" KEY
#define SEQNO "17d1f2a3b4c5d6e7"
#define TEXT "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq1716419717931325159"

static struct siphash_key the_key(void)
{
    return (struct siphash_key){{1, 2}};
}

static struct rpc_message example(void)
{
    return (struct rpc_message){
        .from = hex(FROM),
        .data = view_of_text("hello"),
        .seqno = hex(SEQNO),
        .topic = view_of_text("test"),
    };
}

static void assert_id(const struct rpc_message *m, enum gossipsub_message_id form,
                      struct view expected)
{
    struct message_id id = message_id_of(m, form);
    assert_view_equal(message_id_view(&id), expected);
}

static void test_forms(void **state)
{
    (void)state;
    struct rpc_message m = example();
    assert_id(&m, GOSSIPSUB_ID_JS, hex(KEY SEQNO));
    assert_id(&m, GOSSIPSUB_ID_SPEC, hex(FROM SEQNO));
    assert_id(&m, GOSSIPSUB_ID_TEXT, view_of_text(TEXT));
    assert_id(&m, GOSSIPSUB_ID_SHA256,
              hex("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"));
}

static void test_without_author(void **state)
{
    (void)state;
    struct rpc_message m = {.data = view_of_text("hello"), .topic = view_of_text("test")};
    assert_id(&m, GOSSIPSUB_ID_JS,
              hex("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"));
}

static void test_ids_of_js(void **state)
{
    (void)state;
    EACH_ROW(i, PUBSUB_VALID) {
        struct rpc_message m;
        assert_ok(rpc_message_parse(hex(PUBSUB_VALID[i].message), &m));
        assert_id(&m, GOSSIPSUB_ID_JS, hex(PUBSUB_VALID[i].id_js));
        assert_id(&m, GOSSIPSUB_ID_SPEC, hex(PUBSUB_VALID[i].id_spec));
    }
}

/* An id in any form that tells the origin is brought back to it, for every kind of key. */
static void test_origin_is_found_in_each_form(void **state)
{
    (void)state;
    static const enum gossipsub_message_id FORMS[] = {GOSSIPSUB_ID_JS, GOSSIPSUB_ID_SPEC,
                                                      GOSSIPSUB_ID_TEXT};
    struct siphash_key key = the_key();
    EACH_ROW(i, PUBSUB_VALID)
        for (size_t f = 0; f < ARRAY_LEN(FORMS); f++) {
            struct rpc_message m;
            struct message_id origin;
            enum gossipsub_message_id form = GOSSIPSUB_ID_SHA256;
            assert_ok(rpc_message_parse(hex(PUBSUB_VALID[i].message), &m));
            struct message_id id = message_id_of(&m, FORMS[f]);
            assert_true(message_id_parse(message_id_view(&id), &origin, &form));
            assert_int_equal(form, FORMS[f]);
            assert_view_hex(message_id_view(&origin), PUBSUB_VALID[i].id_spec);
            for (size_t own = 0; own < ARRAY_LEN(FORMS); own++) {
                struct message_hashes hashes = message_hashes_of(&m, FORMS[own], &key);
                assert_true(hashes.id == hashes.origin);
                assert_true(message_id_hash(message_id_view(&id), &key, &form) == hashes.id);
            }
        }
}

/* Where the id is a hash, message and id agree on it, and the origin is another name. */
static void test_hashed_form(void **state)
{
    (void)state;
    struct siphash_key key = the_key();
    struct rpc_message m = example();
    struct message_id spec = message_id_of(&m, GOSSIPSUB_ID_SPEC);
    enum gossipsub_message_id form = GOSSIPSUB_ID_SHA256;
    struct message_hashes hashes = message_hashes_of(&m, GOSSIPSUB_ID_SHA256, &key);
    struct message_id id = message_id_of(&m, GOSSIPSUB_ID_SHA256);
    assert_true(hashes.id != hashes.origin);
    assert_true(message_id_hash(message_id_view(&id), &key, &form) == hashes.id);
    assert_int_equal(form, GOSSIPSUB_ID_SHA256);
    assert_true(message_id_hash(message_id_view(&spec), &key, &form) == hashes.origin);
    assert_int_equal(form, GOSSIPSUB_ID_SPEC);
}

static const struct {
    const char *name, *text;
} NO_ORIGIN[] = {
    {"nothing", ""},
    {"eight bytes", "\x01\x02\x03\x04\x05\x06\x07\x08"},
    {"a hash", "abcdefghijklmnopqrstuvwxyz012345"},
    {"a Peer ID and no number", "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq"},
    {"a number that is too large",
     "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq18446744073709551616"},
    {"no number", "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq17164x"},
    {"no base58", "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3p01"},
};

static void test_ids_of_no_form(void **state)
{
    (void)state;
    struct siphash_key key = the_key();
    EACH_ROW(i, NO_ORIGIN) {
        struct message_id origin;
        enum gossipsub_message_id form = GOSSIPSUB_ID_JS;
        struct view id = view_of_text(NO_ORIGIN[i].text);
        assert_false(message_id_parse(id, &origin, &form));
        assert_true(message_id_hash(id, &key, &form) == siphash(&key, id));
        assert_int_equal(form, GOSSIPSUB_ID_JS);
    }
}

static void test_largest_number(void **state)
{
    (void)state;
    struct message_id origin;
    enum gossipsub_message_id form;
    struct view id =
        view_of_text("12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq18446744073709551615");
    assert_true(message_id_parse(id, &origin, &form));
    assert_view_hex(message_id_view(&origin), FROM "ffffffffffffffff");
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),          cmocka_unit_test(test_without_author),
        cmocka_unit_test(test_ids_of_js),      cmocka_unit_test(test_origin_is_found_in_each_form),
        cmocka_unit_test(test_hashed_form),   cmocka_unit_test(test_ids_of_no_form),
        cmocka_unit_test(test_largest_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

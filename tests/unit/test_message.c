#include "test.h"

#include "crypto/crypto.h"
#include "pubsub/message.h"
#include "vectors_pubsub.h"

static struct messages messages_of(struct mem *mem, enum gossipsub_signing signing)
{
    return (struct messages){
        .mem = mem,
        .limit = 1 << 20,
        .signing = signing,
        .form = GOSSIPSUB_ID_JS,
        .hash_key = {{1, 2}},
    };
}

/* ---- what others wrote ------------------------------------------------------------------------- */

/* 0 for a message whose signature is right or, for want of the means, may be. */
static int judge(struct messages *all, const char *message)
{
    struct rpc_message fields;
    struct peer_id author;
    struct public_key key;
    struct message *m;
    int rc = rpc_message_parse(hex(message), &fields);
    if (rc == 0)
        rc = message_check(all, &fields, &author, &key);
    if (rc != 0)
        return rc;
    assert_ok(message_new(all, &fields, &m));
    rc = public_key_verify(&key, m->signed_bytes, m->fields.signature);
    message_drop(all, m);
    return rc == ERR_UNSUPPORTED ? 0 : rc;
}

static void test_valid(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct messages all = messages_of(&mem, GOSSIPSUB_STRICT_SIGN);
    EACH_ROW(i, PUBSUB_VALID)
        assert_ok(judge(&all, PUBSUB_VALID[i].message));
    assert_int_equal(all.held, 0);
    assert_mem_empty(&mem);
}

static void test_invalid(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct messages all = messages_of(&mem, GOSSIPSUB_STRICT_SIGN);
    EACH_ROW(i, PUBSUB_INVALID)
        assert_true(judge(&all, PUBSUB_INVALID[i].message) < 0);
    assert_mem_empty(&mem);
}

/* The copy has what is signed and what travels as js-libp2p wrote them. */
static void test_block(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct messages all = messages_of(&mem, GOSSIPSUB_STRICT_SIGN);
    EACH_ROW(i, PUBSUB_VALID) {
        const struct pubsub_valid *v = &PUBSUB_VALID[i];
        struct rpc_message fields;
        struct message *m;
        assert_ok(rpc_message_parse(hex(v->message), &fields));
        assert_ok(message_new(&all, &fields, &m));
        assert_view_hex(m->signed_bytes, v->signed_bytes);
        assert_view_hex(m->encoded, v->message);
        assert_view_hex(m->id, v->id_js);
        assert_view_hex(m->fields.signature, v->signature);
        assert_true(all.held == m->size && m->size > m->encoded.len);
        message_drop(&all, m);
    }
    assert_mem_empty(&mem);
}

/* What the author signed and we do not know makes the signature wrong and does not travel. */
static void test_unknown_fields_are_left_out(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct messages all = messages_of(&mem, GOSSIPSUB_STRICT_SIGN);
    struct rpc_message fields;
    struct message *m;
    assert_ok(rpc_message_parse(hex("0a0101 3a0107 120102 1a0103 220174 2a0105"), &fields));
    assert_ok(message_new(&all, &fields, &m));
    assert_view_hex(m->encoded, "0a0101 120102 1a0103 220174 2a0105");
    message_drop(&all, m);
}

static const struct {
    const char *name, *message;
    int strict_sign, strict_no_sign;
} POLICIES[] = {
    {"bare", "120102 220174", ERR_BAD_MESSAGE, 0},
    {"only a seqno", "120102 1a080000000000000001 220174", ERR_BAD_MESSAGE, ERR_BAD_MESSAGE},
    {"only an author", "0a0101 120102 220174", ERR_BAD_MESSAGE, ERR_BAD_MESSAGE},
    {"only a signature", "120102 220174 2a0101", ERR_BAD_MESSAGE, ERR_BAD_MESSAGE},
    {"only a key", "120102 220174 320101", ERR_BAD_MESSAGE, ERR_BAD_MESSAGE},
    {"a signature of no length", "120102 220174 2a00", ERR_BAD_MESSAGE, ERR_BAD_MESSAGE},
};

static void test_policies(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct messages sign = messages_of(&mem, GOSSIPSUB_STRICT_SIGN);
    struct messages no_sign = messages_of(&mem, GOSSIPSUB_STRICT_NO_SIGN);
    EACH_ROW(i, POLICIES) {
        struct rpc_message fields;
        struct peer_id author;
        struct public_key key;
        assert_ok(rpc_message_parse(hex(POLICIES[i].message), &fields));
        assert_code(message_check(&sign, &fields, &author, &key), POLICIES[i].strict_sign);
        assert_code(message_check(&no_sign, &fields, &author, &key), POLICIES[i].strict_no_sign);
    }
    struct rpc_message signed_one;
    struct peer_id author;
    struct public_key key;
    assert_ok(rpc_message_parse(hex(PUBSUB_VALID[0].message), &signed_one));
    assert_code(message_check(&no_sign, &signed_one, &author, &key), ERR_BAD_MESSAGE);
}

/* ---- what we write ----------------------------------------------------------------------------- */

#define KEY1_SEED "7e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d"
#define KEY1 "080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"

/* The bytes js-libp2p signs and sends for the same author, seqno, topic and data. */
static void test_written_as_js_does(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct messages all = messages_of(&mem, GOSSIPSUB_STRICT_SIGN);
    struct identity identity;
    struct message *m;
    identity_from_seed(hex(KEY1_SEED).data, &identity);
    assert_ok(message_write(&all, &identity, 0x17d1f2a3b4c5d6e7, view_of_text("test"),
                            view_of_text("hello"), &m));
    assert_view_hex(m->encoded, "0a260024" KEY1 "120568656c6c6f1a0817d1f2a3b4c5d6e72204746573742a40"
                                "8c4f68413ac278aa8fb46a2819847935d6d0df8b48f7dd92d7ad1673be882da0"
                                "0912361f76748801ab56a9ddf94ce176035ed20bbdd654b524104189bcffb007"
                                "3224" KEY1);
    assert_view_hex(m->id, KEY1 "17d1f2a3b4c5d6e7");
    message_drop(&all, m);
    assert_mem_empty(&mem);
}

/* Each author of the vectors whose key we can hold writes the very same message. */
static void test_written_like_the_vectors(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct messages all = messages_of(&mem, GOSSIPSUB_STRICT_SIGN);
    size_t count = 0;
    EACH_ROW(i, PUBSUB_VALID) {
        const struct pubsub_valid *v = &PUBSUB_VALID[i];
        struct identity identity;
        struct message *m;
        if (identity_parse(hex(v->private_key), &identity) != 0)
            continue;
        struct cursor seqno = cursor_of(hex(v->seqno));
        assert_ok(
            message_write(&all, &identity, take_u64be(&seqno), hex(v->topic), hex(v->data), &m));
        assert_view_hex(m->signed_bytes, v->signed_bytes);
        assert_view_hex(m->fields.signature, v->signature);
        message_drop(&all, m);
        count++;
    }
    assert_int_equal(count, 4);
    assert_mem_empty(&mem);
}

static void test_written_without_signature(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct messages all = messages_of(&mem, GOSSIPSUB_STRICT_NO_SIGN);
    struct message *m;
    assert_ok(message_write(&all, NULL, 1, view_of_text("t"), view_of(NULL, 0), &m));
    assert_view_hex(m->encoded, "1200 220174");
    assert_view_hex(m->id, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    message_drop(&all, m);
    assert_mem_empty(&mem);
}

/* ---- memory ------------------------------------------------------------------------------------ */

static void test_limits(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct messages all = messages_of(&mem, GOSSIPSUB_STRICT_NO_SIGN);
    struct message *a, *b, *none = NULL;
    assert_ok(message_write(&all, NULL, 1, view_of_text("t"), view_of_text("data"), &a));
    all.limit = 2 * a->size;
    assert_ok(message_write(&all, NULL, 1, view_of_text("t"), view_of_text("atad"), &b));
    assert_code(message_write(&all, NULL, 1, view_of_text("t"), view_of_text(""), &none), ERR_FULL);
    message_drop(&all, message_hold(a));
    assert_int_equal(all.held, all.limit);
    message_drop(&all, b);
    message_drop(&all, a);
    message_drop(&all, NULL);
    assert_int_equal(all.held, 0);
    mem.fail_nth = mem.calls + 1;
    assert_code(message_write(&all, NULL, 1, view_of_text("t"), view_of_text(""), &none),
                ERR_NOMEM);
    assert_true(all.held == 0 && none == NULL);
    assert_mem_empty(&mem);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_block),
        cmocka_unit_test(test_unknown_fields_are_left_out),
        cmocka_unit_test(test_policies),
        cmocka_unit_test(test_written_as_js_does),
        cmocka_unit_test(test_written_like_the_vectors),
        cmocka_unit_test(test_written_without_signature),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

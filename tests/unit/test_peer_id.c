#include "multiformats/peer_id.h"

#include "crypto/crypto.h"
#include "test.h"
#include "vectors_crypto.h"

#define KEY1_PUBLIC "080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"
#define SECP_PUBLIC "08021221037777e994e452c21604f91de093ce415f5432f701dd8cd1a7a6fea0e630bfca99"
#define ECDSA_PUBLIC                                                                               \
    "0803125b3059301306072a8648ce3d020106082a8648ce3d03010703420004de3d300fa36ae0e8f5d530899d83ab" \
    "ab44abf3161f162a4bc901d8e6ecda020e8b6d5f8da30525e71d6851510c098e5c47c646a597fb4dcec034e9f77c" \
    "409e62"

/* Every text is one peer; the first is how it is written. `key` is null where it is not known. */
static const struct {
    const char *name, *bytes, *texts[4], *key;
} PEERS[] = {
    {"Ed25519, KEY1 of the spec",
     "0024" KEY1_PUBLIC,
     {"12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq",
      "bafzaajaiaejcahwr5d5ofrfbis4l5d6uwr57hu5tjodrypfm6yaq6dsc2r2pzyt6",
      "k51qzi5uqu5dgy8qsq67hbz73jqkw87l3fgf4a91qb0d9b5173tir7n4vxk1oe"},
     KEY1_PUBLIC},
    {"secp256k1 of the spec",
     "0025" SECP_PUBLIC,
     {"16Uiu2HAmLhLvBoYaoZfaMUKuibM6ac163GwKY74c5kiSLg5KvLpY",
      "kzwfwjn5ji4put13uvtwtc7azzwk42cq2o8ctfnxa6q8n90e72o3pjqbrp3lpcp"},
     SECP_PUBLIC},
    {"ECDSA of the spec",
     "122068362c312e155f4f7290b67f5cd094a22a0a4fbf20efd8c287934419350d36f7",
     {"QmVMT29id3TUASyfZZ6k9hmNyc2nYabCo4uMSpDw4zrgDk"},
     ECDSA_PUBLIC},
    {"RSA 4096 of the spec",
     "1220b6c8a8c0a3105fc27afca4fb1173791f038e4343fd56b7c67b616dbc30a04ccd",
     {"QmaeANgBs1DTSxWSrPPtobgQuxW8XTfsS4ydbK4rCHzqxG"},
     NULL},
    {"Ed25519 of js",
     "0024080112202ffa35a99d3a3cfbb17bb7c1dc5561b18a8dcca4df38dc613ea859c37eb1336b",
     {"12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA",
      "k51qzi5uqu5dhdmyb9bd18pypu2wp5lpv2xnskfmrqa4lb5knqryrotb05e7or"},
     "080112202ffa35a99d3a3cfbb17bb7c1dc5561b18a8dcca4df38dc613ea859c37eb1336b"},
    {"a hash of js",
     "12209dff3b17d74cf4d38a50d8b6383e92d181a10395a5e73a726dcccbd21bf6f0b9",
     {"QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N",
      "bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe",
      "k2k4r8ncs1yoluq95unsd7x2vfhgve0ncjoggwqx9vyh3vl8warrcp15"},
     NULL},
};

static void test_peers(void **state)
{
    (void)state;
    EACH_ROW(i, PEERS) {
        struct peer_id id, again;
        char text[PEER_ID_TEXT_MAX];
        struct public_key key;
        assert_ok(peer_id_parse(hex(PEERS[i].bytes), &id));
        assert_view_hex(peer_id_view(&id), PEERS[i].bytes);
        assert_int_equal(peer_id_format(&id, text), strlen(PEERS[i].texts[0]));
        assert_string_equal(text, PEERS[i].texts[0]);
        for (size_t t = 0; t < 4 && PEERS[i].texts[t] != NULL; t++) {
            assert_ok(peer_id_parse_text(view_of_text(PEERS[i].texts[t]), &again));
            assert_true(peer_id_equal(&id, &again));
        }
        if (PEERS[i].key != NULL) {
            assert_ok(peer_id_from_key(hex(PEERS[i].key), &again));
            assert_true(peer_id_equal(&id, &again));
        }
        bool holds_key = id.bytes[0] == 0;
        assert_code(peer_id_public_key(&id, &key), holds_key ? 0 : ERR_NOT_FOUND);
        if (holds_key) {
            again = peer_id_of_public_key(&key);
            assert_true(peer_id_equal(&id, &again));
        }
    }
}

static void test_keys_of_other_implementations(void **state)
{
    (void)state;
    EACH_ROW(i, KEY_VECTORS) {
        struct peer_id id;
        struct identity self;
        char text[PEER_ID_TEXT_MAX];
        assert_ok(peer_id_from_key(hex(KEY_VECTORS[i].public), &id));
        peer_id_format(&id, text);
        assert_string_equal(text, KEY_VECTORS[i].peer_id);
        if (identity_parse(hex(KEY_VECTORS[i].private), &self) == 0) {
            struct peer_id own = peer_id_of_identity(&self);
            assert_true(peer_id_equal(&own, &id));
        }
    }
}

static void test_a_key_written_otherwise_is_the_same_peer(void **state)
{
    (void)state;
    struct peer_id id, other;
    assert_ok(peer_id_from_key(hex(KEY1_PUBLIC), &id));
    assert_ok(peer_id_from_key(
        hex("12201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e0801"), &other));
    assert_true(peer_id_equal(&id, &other));
}

static const struct {
    const char *name, *bytes;
} BAD_BYTES[] = {
    {"nothing", ""},
    {"identity of nothing", "0000"},
    {"identity of what is no key", "0003010203"},
    {"a key with its fields in another order",
     "002412201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e0801"},
    {"a key with a field more", "0027" KEY1_PUBLIC "180100"},
    {"a byte behind it", "0024" KEY1_PUBLIC "00"},
    {"a padded length", "00a400" KEY1_PUBLIC},
    {"Ed25519, a byte short",
     "0023"
     "0801121f1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce2"},
    {"an unknown type of key",
     "0024"
     "080412201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"},
    {"a key that cannot be so short",
     "0024"
     "080312201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"},
    {"sha1", "111400112233445566778899aabbccddeeff00112233"},
    {"sha2-256 of 20 bytes", "121400112233445566778899aabbccddeeff00112233"},
    {"sha2-512", "1340"
                 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
                 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"},
};

static void test_bad_bytes(void **state)
{
    (void)state;
    EACH_ROW(i, BAD_BYTES) {
        struct peer_id id;
        assert_code(peer_id_parse(hex(BAD_BYTES[i].bytes), &id), ERR_BAD_PEER_ID);
    }
}

static const struct {
    const char *name, *text;
} BAD_TEXTS[] = {
    {"nothing", ""},
    {"one letter", "1"},
    {"only zeros", "11111111"},
    {"a letter that is none", "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3p0"},
    {"a letter short", "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3p"},
    {"a letter more", "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq1"},
    {"a hash, a letter short", "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5"},
    {"base58 with its prefix is no CID", "z12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq"},
    {"a CID of a file", "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi"},
    {"a CID and more", "bafzaajaiaejcahwr5d5ofrfbis4l5d6uwr57hu5tjodrypfm6yaq6dsc2r2pzyt6aa"},
    {"an unknown base", "?51qzi5uqu5dgy8qsq67hbz73jqkw87l3fgf4a91qb0d9b5173tir7n4vxk1oe"},
    {"blanks around it", " 12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq "},
    {"far too long",
     "1111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"
     "1111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"
     "1111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"},
};

static void test_bad_texts(void **state)
{
    (void)state;
    EACH_ROW(i, BAD_TEXTS) {
        struct peer_id id;
        assert_code(peer_id_parse_text(view_of_text(BAD_TEXTS[i].text), &id), ERR_BAD_PEER_ID);
    }
}

static void test_cut_anywhere(void **state)
{
    (void)state;
    EACH_ROW(i, PEERS) {
        struct peer_id id;
        struct view whole = hex(PEERS[i].bytes);
        for (size_t len = 0; len < whole.len; len++)
            assert_code(peer_id_parse(view_of(whole.data, len), &id), ERR_BAD_PEER_ID);
        struct view text = view_of_text(PEERS[i].texts[0]);
        for (size_t len = 0; len < text.len; len++)
            assert_code(peer_id_parse_text(view_of(text.data, len), &id), ERR_BAD_PEER_ID);
    }
}

static void test_nobody(void **state)
{
    (void)state;
    struct peer_id nobody = {0};
    struct public_key key;
    char text[PEER_ID_TEXT_MAX];
    assert_code(peer_id_public_key(&nobody, &key), ERR_NOT_FOUND);
    assert_int_equal(peer_id_format(&nobody, text), 0);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_peers),
        cmocka_unit_test(test_keys_of_other_implementations),
        cmocka_unit_test(test_a_key_written_otherwise_is_the_same_peer),
        cmocka_unit_test(test_bad_bytes),
        cmocka_unit_test(test_bad_texts),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_nobody),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

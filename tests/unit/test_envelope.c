#include "multiformats/envelope.h"

#include "crypto/crypto.h"
#include "multiformats/multiaddr.h"
#include "test.h"
#include "vectors_multiformats.h"

/* Of the digest of protocols: signed by KEY1. */
#define KEY1_PRIVATE                                                                               \
    "080112407e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d"                     \
    "1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"
#define KEY1_PUBLIC "080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"
#define RECORD                                                                                     \
    "0a260024" KEY1_PUBLIC "10bdaadeec051a0c0a0a047f000001062328dd031a160a14360b6578616d706c652e"  \
    "636f6d0601bbc003dd03"
#define SIGNED "126c69627032702d706565722d7265636f726402030154" RECORD
#define SIGNATURE                                                                                  \
    "777db6418aed65d08d38bd89ef624666e53757d514bef7baf3c24485d5627808"                             \
    "df5958ff3ddcbd0d1261ea49f782d2c888369ca99daebad5e6699f8a5397180a"
#define ENVELOPE "0a24" KEY1_PUBLIC "120203011a54" RECORD "2a40" SIGNATURE

static struct mem mem;

static struct identity identity(const char *private)
{
    struct identity id;
    assert_ok(identity_parse(hex(private), &id));
    return id;
}

static void test_signed_bytes(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, &mem, 1024);
    assert_ok(envelope_signed_bytes("libp2p-peer-record", hex("0301"), hex(RECORD), &out));
    assert_view_hex(buf_view(&out), SIGNED);
    buf_free(&out);
    assert_mem_empty(&mem);
}

static void test_seal(void **state)
{
    (void)state;
    struct identity id = identity(KEY1_PRIVATE);
    struct buf out;
    buf_init(&out, &mem, 1024);
    assert_ok(buf_append(&out, view_of_text("x")));
    assert_ok(envelope_seal(&id, "libp2p-peer-record", hex("0301"), hex(RECORD), &out));
    buf_take(&out, 1);
    assert_view_hex(buf_view(&out), ENVELOPE);
    buf_free(&out);
    assert_mem_empty(&mem);
}

static const struct {
    const char *name, *domain, *type, *envelope;
    int code;
} ENVELOPES[] = {
    {"as in the digest", "libp2p-peer-record", "0301", ENVELOPE, 0},
    {"go's record", GO_RECORD_DOMAIN, "0301", GO_RECORD_ENVELOPE, 0},
    {"go's own", GO_ENVELOPE_DOMAIN, "2f6c69627032702f7465737464617461", GO_ENVELOPE_ENVELOPE, 0},
    {"js's record", JS_RECORD_DOMAIN, JS_RECORD_CODEC, JS_RECORD_ENVELOPE, 0},
    {"fields in another order and one more", "libp2p-peer-record", "0301",
     "2a40" SIGNATURE "1a54" RECORD "3a00"
     "12020301"
     "0a24" KEY1_PUBLIC,
     0},
    {"an altered payload", GO_ENVELOPE_DOMAIN, "2f6c69627032702f7465737464617461",
     GO_ENVELOPE_INVALID_PAYLOAD_ALTERED, ERR_BAD_SIGNATURE},
    {"another domain", GO_ENVELOPE_INVALID_DOMAIN, "2f6c69627032702f7465737464617461",
     GO_ENVELOPE_ENVELOPE, ERR_BAD_SIGNATURE},
    {"another type", "libp2p-peer-record", "0302", ENVELOPE, ERR_PROTOCOL},
    {"another key", "libp2p-peer-record", "0301",
     "0a24" JS_KEYS_BOB_PUBLIC "120203011a54" RECORD "2a40" SIGNATURE, ERR_BAD_SIGNATURE},
    {"a key of another type", "libp2p-peer-record", "0301",
     "0a25"
     "08021221037777e994e452c21604f91de093ce415f5432f701dd8cd1a7a6fea0e630bfca99"
     "120203011a54" RECORD "2a40" SIGNATURE,
     ERR_UNSUPPORTED},
    {"no key", "libp2p-peer-record", "0301", "120203011a54" RECORD "2a40" SIGNATURE, ERR_BAD_KEY},
    {"a key that is none", "libp2p-peer-record", "0301",
     "0a020801120203011a54" RECORD "2a40" SIGNATURE, ERR_BAD_KEY},
    {"no type", "libp2p-peer-record", "0301", "0a24" KEY1_PUBLIC "1a54" RECORD "2a40" SIGNATURE,
     ERR_PROTOCOL},
    {"no payload", "libp2p-peer-record", "0301",
     "0a24" KEY1_PUBLIC "12020301"
     "2a40" SIGNATURE,
     ERR_BAD_SIGNATURE},
    {"no signature", "libp2p-peer-record", "0301", "0a24" KEY1_PUBLIC "120203011a54" RECORD,
     ERR_BAD_SIGNATURE},
    {"a short signature", "libp2p-peer-record", "0301",
     "0a24" KEY1_PUBLIC "120203011a54" RECORD "2a0100", ERR_BAD_SIGNATURE},
    {"nothing", "libp2p-peer-record", "0301", "", ERR_BAD_KEY},
    {"a field cut short", "libp2p-peer-record", "0301", ENVELOPE "3a05", ERR_PROTOCOL},
};

static void test_envelopes(void **state)
{
    (void)state;
    EACH_ROW(i, ENVELOPES) {
        struct envelope e;
        struct view type = hex(ENVELOPES[i].type);
        int rc = envelope_parse(hex(ENVELOPES[i].envelope), ENVELOPES[i].domain, type, &mem, &e);
        assert_code(rc, ENVELOPES[i].code);
        if (rc != 0)
            continue;
        struct peer_id signer = peer_id_of_public_key(&e.key);
        assert_true(peer_id_equal(&e.signer, &signer));
        assert_view_equal(e.payload_type, type);
    }
    assert_mem_empty(&mem);
}

static void test_an_envelope_for_somebody_else_to_verify(void **state)
{
    (void)state;
    struct envelope e;
    const char *secp256k1 = "0a25"
                            "08021221037777e994e452c21604f91de093ce415f5432f701dd8cd1a7a6fea"
                            "0e630bfca99"
                            "120203011a54" RECORD "2a03aabbcc";
    assert_code(envelope_parse(hex(secp256k1), "libp2p-peer-record", hex("0301"), &mem, &e),
                ERR_UNSUPPORTED);
    assert_int_equal(e.key.type, KEY_SECP256K1);
    assert_view_hex(e.payload, RECORD);
    assert_view_hex(e.signature, "aabbcc");
}

static void test_cut_anywhere(void **state)
{
    (void)state;
    struct view whole = hex(ENVELOPE);
    for (size_t len = 0; len < whole.len; len++) {
        struct envelope e;
        struct views none = {0};
        struct peer_record r = {.addresses = none};
        assert_true(envelope_parse(view_of(whole.data, len), "libp2p-peer-record", hex("0301"),
                                   &mem, &e) < 0);
        assert_true(peer_record_open(view_of(whole.data, len), &mem, &r) < 0);
    }
}

static void test_too_long(void **state)
{
    (void)state;
    static uint8_t bytes[ENVELOPE_MAX_LEN + 1];
    struct envelope e;
    assert_code(envelope_parse(view_of(bytes, sizeof bytes), "x", hex("00"), &mem, &e),
                ERR_TOO_BIG);
}

/* ---- peer records -------------------------------------------------------------------------- */

static void assert_address(struct view addr, const char *expected)
{
    uint8_t text[512];
    struct writer w = writer_of(text, sizeof text);
    assert_ok(multiaddr_format(addr, &w));
    assert_view_text(writer_view(&w), expected);
}

static void assert_peer(const struct peer_id *id, const char *expected)
{
    char text[PEER_ID_TEXT_MAX];
    peer_id_format(id, text);
    assert_string_equal(text, expected);
}

static void test_a_record_of_js(void **state)
{
    (void)state;
    struct view at[8];
    struct peer_record r = {.addresses = {.at = at, .room = ARRAY_LEN(at)}};
    assert_ok(peer_record_open(hex(JS_RECORD_ENVELOPE), &mem, &r));
    assert_peer(&r.peer, JS_KEYS_ALICE_PEER_ID);
    assert_true(r.seq == UINT64_C(1790000000000));
    assert_int_equal(r.addresses.count, 3);
    assert_int_equal(r.addresses.over, 0);
    assert_address(at[0], "/ip4/127.0.0.1/tcp/4001");
    assert_address(at[1], "/ip4/1.2.3.4/tcp/443/tls/ws/p2p-circuit/webrtc");
    assert_address(at[2], "/ip6/2001:db8::1/udp/4001/quic-v1/webtransport/certhash/"
                          "uEiDDq4_xNyDorZBH3TlGazyJdOWSwvo4PUo5YHFMrvDE8g");

    /* The same record, made by us. */
    struct identity alice = identity(JS_KEYS_ALICE_PRIVATE);
    struct buf out;
    buf_init(&out, &mem, 1024);
    assert_ok(peer_record_seal(&alice, &r, &out));
    assert_view_hex(buf_view(&out), JS_RECORD_ENVELOPE);
    buf_free(&out);
}

static void test_a_record_of_go_and_little_room(void **state)
{
    (void)state;
    struct view at[4];
    struct peer_record r = {.addresses = {.at = at, .room = ARRAY_LEN(at)}};
    assert_ok(peer_record_open(hex(GO_RECORD_ENVELOPE), &mem, &r));
    assert_peer(&r.peer, GO_RECORD_PEER_ID);
    assert_true(r.seq == UINT64_C(1598453001624231000));
    assert_int_equal(r.addresses.count, 4);
    assert_int_equal(r.addresses.over, 6);
    assert_address(at[3], "/ip4/1.2.3.4/tcp/3");
}

/* Seals `payload` as `private`, opens it as a record, and returns the code. */
static int open_sealed(const char *private, const char *domain, const char *type,
                       const char *payload, struct peer_record *r)
{
    struct identity id = identity(private);
    struct buf out;
    buf_init(&out, &mem, 4096);
    assert_ok(envelope_seal(&id, domain, hex(type), hex(payload), &out));
    struct view sealed = view_of_span(test_copy(buf_view(&out)));
    buf_free(&out);
    return peer_record_open(sealed, &mem, r);
}

#define RECORD_DOMAIN "libp2p-peer-record"
#define RUST_DOMAIN "libp2p-routing-state"
#define RUST_TYPE "2f6c69627032702f726f7574696e672d73746174652d7265636f7264"
#define PEER "0a260024" KEY1_PUBLIC

static const struct {
    const char *name, *private, *domain, *type, *payload;
    int code;
    size_t addresses;
} RECORDS[] = {
    {"in the domain of the spec", KEY1_PRIVATE, RECORD_DOMAIN, "0301", RECORD, 0, 2},
    {"in rust's", KEY1_PRIVATE, RUST_DOMAIN, RUST_TYPE, RECORD, 0, 2},
    {"with rust's type in the domain of the spec", KEY1_PRIVATE, RECORD_DOMAIN, RUST_TYPE, RECORD,
     ERR_BAD_SIGNATURE, 0},
    {"with the type of the spec in rust's domain", KEY1_PRIVATE, RUST_DOMAIN, "0301", RECORD,
     ERR_BAD_SIGNATURE, 0},
    {"with a voucher's type", KEY1_PRIVATE, RECORD_DOMAIN, "0302", RECORD, ERR_PROTOCOL, 0},
    {"by another peer", JS_KEYS_BOB_PRIVATE, RECORD_DOMAIN, "0301", RECORD, ERR_WRONG_PEER, 0},
    {"without a peer", KEY1_PRIVATE, RECORD_DOMAIN, "0301", "1001", ERR_PROTOCOL, 0},
    {"of a peer that is none", KEY1_PRIVATE, RECORD_DOMAIN, "0301", "0a020000", ERR_PROTOCOL, 0},
    {"that is no protobuf", KEY1_PRIVATE, RECORD_DOMAIN, "0301", "ff", ERR_PROTOCOL, 0},
    {"without addresses", KEY1_PRIVATE, RECORD_DOMAIN, "0301", PEER "1001", 0, 0},
    {"with an empty address", KEY1_PRIVATE, RECORD_DOMAIN, "0301",
     PEER "1a020a00"
          "1a040a02dd03",
     0, 1},
    {"with an empty entry", KEY1_PRIVATE, RECORD_DOMAIN, "0301",
     PEER "1a00"
          "1a040a02dd03",
     0, 1},
    {"with an unknown code", KEY1_PRIVATE, RECORD_DOMAIN, "0301",
     PEER "1a040a02dd03"
          "1a040a028906"
          "1a040a02de03",
     0, 2},
    {"with an entry that is no protobuf", KEY1_PRIVATE, RECORD_DOMAIN, "0301",
     PEER "1a040a05dd03"
          "1a040a02de03",
     0, 1},
};

static void test_records(void **state)
{
    (void)state;
    EACH_ROW(i, RECORDS) {
        struct view at[4];
        struct peer_record r = {.addresses = {.at = at, .room = ARRAY_LEN(at)}};
        int rc = open_sealed(RECORDS[i].private, RECORDS[i].domain, RECORDS[i].type,
                             RECORDS[i].payload, &r);
        assert_code(rc, RECORDS[i].code);
        if (rc == 0)
            assert_int_equal(r.addresses.count, RECORDS[i].addresses);
    }
    assert_mem_empty(&mem);
}

/* As a hint: the same but for the signature. */
static void test_peek(void **state)
{
    (void)state;
    struct view at[8];
    struct peer_record r = {.addresses = {.at = at, .room = ARRAY_LEN(at)}};
    assert_ok(peer_record_peek(hex(JS_RECORD_ENVELOPE), &r));
    assert_peer(&r.peer, JS_KEYS_ALICE_PEER_ID);
    assert_int_equal(r.addresses.count, 3);
    struct span broken = test_copy(hex(JS_RECORD_ENVELOPE));
    broken.data[broken.len - 1] ^= 1;
    assert_code(peer_record_open(view_of_span(broken), &mem, &r), ERR_BAD_SIGNATURE);
    assert_ok(peer_record_peek(view_of_span(broken), &r));
    assert_ok(peer_record_peek(hex("0a24" KEY1_PUBLIC "12020301"
                                   "1a54" RECORD),
                               &r));
    assert_code(peer_record_peek(hex("0a24" KEY1_PUBLIC "12020302"
                                     "1a54" RECORD),
                                 &r),
                ERR_PROTOCOL);
    assert_code(peer_record_peek(hex("0a24" JS_KEYS_BOB_PUBLIC "12020301"
                                     "1a54" RECORD),
                                 &r),
                ERR_WRONG_PEER);
    for (size_t len = 0; len < broken.len; len++)
        assert_true(peer_record_peek(view_of(broken.data, len), &r) <= 0);
}

/* In three steps and in one, in both domains. */
static void test_signed_elsewhere(void **state)
{
    (void)state;
    for (int domain = PEER_RECORD_STANDARD; domain <= PEER_RECORD_LEGACY; domain++) {
        struct view at[2] = {hex("dd03"), hex("de03")}, found[2];
        struct identity id = identity(KEY1_PRIVATE);
        struct peer_record r = {.seq = 7, .addresses = {.at = at, .count = 2, .room = 2}};
        r.peer = peer_id_of_identity(&id);
        struct buf record, to_sign, out;
        buf_init(&record, &mem, 1024);
        buf_init(&to_sign, &mem, 1024);
        buf_init(&out, &mem, 1024);
        uint8_t key[IDENTITY_PUBLIC_LEN], signature[ED25519_SIGNATURE_LEN];
        assert_ok(peer_record_append(&r, &record));
        assert_ok(
            peer_record_signed_bytes((enum peer_record_domain)domain, buf_view(&record), &to_sign));
        identity_sign(&id, buf_view(&to_sign), signature);
        identity_public(&id, key);
        assert_ok(envelope_append(view_of(key, sizeof key),
                                  peer_record_type((enum peer_record_domain)domain),
                                  buf_view(&record), view_of(signature, sizeof signature), &out));
        struct peer_record opened = {.addresses = {.at = found, .room = 2}};
        assert_ok(peer_record_open(buf_view(&out), &mem, &opened));
        assert_true(opened.seq == 7 && opened.addresses.count == 2);
        buf_free(&record);
        buf_free(&to_sign);
        buf_free(&out);
    }
    assert_mem_empty(&mem);
}

static void test_seal_into_too_little_room(void **state)
{
    (void)state;
    struct identity id = identity(KEY1_PRIVATE);
    size_t needed = hex(ENVELOPE).len;
    for (size_t limit = 0; limit <= needed; limit++) {
        struct buf out;
        buf_init(&out, &mem, limit);
        int rc = envelope_seal(&id, RECORD_DOMAIN, hex("0301"), hex(RECORD), &out);
        assert_code(rc, limit < needed ? ERR_FULL : 0);
        assert_int_equal(buf_view(&out).len, limit < needed ? 0 : needed);
        buf_free(&out);
        the_test()->arena_used = 0;
    }
    assert_mem_empty(&mem);
}

static void seal_and_open(struct mem *m, void *context)
{
    (void)context;
    struct view at[2] = {hex("dd03"), hex("de03")};
    struct peer_record r = {.seq = 1, .addresses = {.at = at, .count = 2, .room = 2}};
    struct identity id = identity(KEY1_PRIVATE);
    struct buf out;
    buf_init(&out, m, 1024);
    int rc = peer_record_seal(&id, &r, &out);
    if (rc == 0)
        rc = peer_record_open(buf_view(&out), m, &r);
    assert_true(rc == 0 || rc == ERR_NOMEM);
    buf_free(&out);
}

static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    assert_true(fail_each_allocation(seal_and_open, NULL) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signed_bytes),
        cmocka_unit_test(test_seal),
        cmocka_unit_test(test_envelopes),
        cmocka_unit_test(test_an_envelope_for_somebody_else_to_verify),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_a_record_of_js),
        cmocka_unit_test(test_a_record_of_go_and_little_room),
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_peek),
        cmocka_unit_test(test_signed_elsewhere),
        cmocka_unit_test(test_seal_into_too_little_room),
        cmocka_unit_test(test_every_allocation_may_fail),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

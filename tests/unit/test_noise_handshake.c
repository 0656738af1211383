#include "test.h"

#include "crypto/crypto.h"
#include "noise_party.h"
#include "vectors_crypto.h"
#include "vectors_noise.h"

#define YAMUX "/yamux/1.0.0"
#define PREFIX "noise-libp2p-static-key:"

/* Randomness that is the static and the ephemeral secret, in this order. */
struct script {
    uint8_t bytes[2 * X25519_KEY_LEN];
    size_t at;
};

static void script_fill(void *context, uint8_t *out, size_t len)
{
    struct script *s = context;
    assert_true(len <= sizeof s->bytes - s->at);
    memcpy(out, s->bytes + s->at, len);
    s->at += len;
}

/* One end: a machine and what it is made from. */
struct end {
    struct mem mem;
    struct identity identity;
    struct script script;
    struct rng rng;
    struct noise noise;
    struct buf out;
};

/* `config` says what is not the end's own. */
static void end_init(struct end *e, struct noise_config config, struct view s, struct view eph)
{
    memcpy(e->script.bytes, s.data, X25519_KEY_LEN);
    memcpy(e->script.bytes + X25519_KEY_LEN, eph.data, X25519_KEY_LEN);
    e->script.at = 0;
    e->rng = (struct rng){script_fill, &e->script};
    config.identity = &e->identity;
    config.rng = &e->rng;
    config.mem = &e->mem;
    buf_init(&e->out, &e->mem, 1 << 17);
    assert_ok(noise_init(&e->noise, &config));
}

static void end_free(struct end *e)
{
    static const uint8_t ZERO[AEAD_KEY_LEN];
    noise_free(&e->noise);
    assert_memory_equal(e->noise.sending.key, ZERO, AEAD_KEY_LEN);
    assert_memory_equal(e->noise.receiving.key, ZERO, AEAD_KEY_LEN);
    buf_free(&e->out);
    assert_mem_empty(&e->mem);
}

/* u16be(len) || body, as a block that may be written to. */
static struct span framed(struct view body)
{
    static uint8_t bytes[2 + NOISE_MAX_FRAME];
    struct writer w = writer_of(bytes, sizeof bytes);
    put_u16be(&w, (uint16_t)body.len);
    put(&w, body);
    return test_copy(writer_view(&w));
}

/* Feeds `step` bytes at a time until there is an event or an error. */
static int feed_in_steps(struct noise *n, struct span bytes, size_t step, struct noise_event *ev)
{
    int rc = 0;
    while (rc == 0 && bytes.len > 0) {
        struct span piece = span_take(&bytes, step);
        rc = noise_feed(n, &piece, ev);
        assert_true(rc < 0 || piece.len == 0);
    }
    assert_true(rc < 0 || bytes.len == 0);
    return rc;
}

/* ---- the handshakes of others -------------------------------------------------------------- */

/* protocols digest, 14.4: the keys of cacophony's vector and two known identities. */
static const struct noise_libp2p_vector DIGEST = {
    .name = "digest",
    .prologue = "",
    .side = {{true,
              "080112407e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d"
              "1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e",
              "080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e",
              "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq",
              "e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1",
              "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a", YAMUX, ""},
             {true,
              "080112401b4a5eb3306b00004662d27329d052e4b08bf8064a4c2a0cfc62d7937776a0c7"
              "6b84f8896ba990c7b9a181b0187dc7c9fbddfd0720493aa0ef5a1864969d27aa",
              "080112206b84f8896ba990c7b9a181b0187dc7c9fbddfd0720493aa0ef5a1864969d27aa",
              "12D3KooWH45PiqBjfnEfDfCD6TqJrpqTBJvQDwGHvjGpaWwms46D",
              "4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893",
              "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b", YAMUX, ""}},
    .handshake = {"ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944",
                  "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f14480884381cbad1f276e038c"
                  "48378ffce2"
                  "b65285e08d6b68aaa3629a5a8639392490e5b90b20f024c6abdc05d618c61c13a3fe07127982eb5c"
                  "a742680ca1"
                  "42e47bb868026c30848e7173be8d5f26fa7cf13b4ae339a863eee1c5c92b95e37d69e5a052723acf"
                  "9c547858a8"
                  "ffb0a8b31eb3f0355b30077a2e07f258976c55cf86465e4a0d67a08449d341433dc2711b794ee63c"
                  "009009d4af"
                  "01e3b2b2503974a5cae505fe7ff65e88cf556e2726188d90fa13cd258da7c4bf526132c7",
                  "c7195ffacac1307ff99046f219750fc47693e23c3cb08b89c2af808b444850a877e7821d1997847b"
                  "7d38a70d15"
                  "aa978c14c3d6e0e8ecd41217ddfdf0afb41507a1be308a2142c5bd7aa4533305677b3e694b63076f"
                  "9d2df0fe4d"
                  "73b419771080a6cf96b373850176596856cd9886b5ccf7b92fd0b13c9d40153da17beeda35f1631e"
                  "57da5fabbc"
                  "42aaeea8ff1a68839842fe9190823c6eb044e1b00c760b0081d2628ff15e062ef3b30633c15db2d9"
                  "74a88d8dda"
                  "44c29377"},
    .frames = {{DIALER, "132f6d756c746973747265616d2f312e302e300a",
                "670afd442e0c4ead4470332ef0bebbb0ffc8be7dde4af181239b444739c3819e95bdaa5b"},
               {LISTENER, "132f6d756c746973747265616d2f312e302e300a",
                "c63821ce3fc1e866a0663855641dcfd16e34a5d140eb5a5b4022ec5840c6fd2c4d118ff0"}},
};

static void check_verify(const struct noise_event *ev, const struct noise_side_vector *peer)
{
    uint8_t message[sizeof PREFIX - 1 + X25519_KEY_LEN];
    memcpy(message, PREFIX, sizeof PREFIX - 1);
    x25519_public_key(hex(peer->s).data, message + sizeof PREFIX - 1);
    assert_view_equal(ev->message, view_of(message, sizeof message));
    bool is_rsa = ev->key.type == KEY_RSA;
    assert_true(is_rsa || ev->key.type == KEY_SECP256K1);
    assert_int_equal(ev->signature.len, is_rsa ? 256 : ev->signature.data[1] + 2);
}

static void check_ready(const struct noise_event *ev, const struct noise_side_vector *own,
                        const struct noise_side_vector *peer)
{
    char text[PEER_ID_TEXT_MAX];
    assert_int_equal(ev->type, NOISE_READY);
    peer_id_format(&ev->peer, text);
    assert_string_equal(text, peer->peer_id);
    assert_view_hex(ev->public_key, peer->public_key);
    assert_int_equal(ev->muxer_agreed,
                     own->muxer[0] != '\0' && strcmp(own->muxer, peer->muxer) == 0);
    struct view certhashes = hex(peer->certhashes);
    assert_int_equal(ev->certhash_count * 34, certhashes.len);
    for (size_t i = 0; i < ev->certhash_count; i++)
        assert_view_equal(ev->certhashes[i], view_of(certhashes.data + 34 * i, 34));
}

static void play_handshake(struct end *e, const struct noise_libp2p_vector *v, size_t step)
{
    enum role role = e->noise.role;
    const struct noise_side_vector *own = &v->side[role], *peer = &v->side[1 - role];
    struct noise_event ev;
    for (size_t row = 0; row < 3; row++) {
        struct span frame = framed(hex(v->handshake[row]));
        if ((row % 2 == 0) == (role == DIALER)) {
            assert_ok(noise_drain(&e->noise, &e->out));
            assert_view_equal(buf_view(&e->out), view_of_span(frame));
            buf_take(&e->out, e->out.len);
            continue;
        }
        int rc = feed_in_steps(&e->noise, frame, step, &ev);
        assert_code(rc, row > 0);
        if (row > 0 && ev.type == NOISE_VERIFY) {
            check_verify(&ev, peer);
            assert_ok(noise_verified(&e->noise, true));
            assert_code(noise_feed(&e->noise, &(struct span){0}, &ev), 1);
        }
        if (row > 0)
            check_ready(&ev, own, peer);
    }
}

static void play_frames(struct end *e, const struct noise_libp2p_vector *v, size_t step)
{
    struct noise *n = &e->noise;
    for (size_t i = 0; i < ARRAY_LEN(v->frames) && v->frames[i].plain != NULL; i++) {
        struct view plain = hex(v->frames[i].plain);
        struct span frame = framed(hex(v->frames[i].body));
        struct noise_event ev = {.plain = {NULL, 0}};
        if (v->frames[i].from != n->role) {
            assert_code(feed_in_steps(n, frame, step, &ev), plain.len > 0);
            assert_view_equal(view_of_span(ev.plain), plain);
        } else if (plain.len == 0) {
            n->sending.counter++; /* js says nothing in a frame of its own; we do not */
        } else {
            memcpy(noise_reserve(n, &e->out, plain.len), plain.data, plain.len);
            noise_commit(n, &e->out, plain.len);
            assert_ok(noise_seal(n, &e->out));
            assert_view_equal(buf_view(&e->out), view_of_span(frame));
            buf_take(&e->out, e->out.len);
        }
    }
}

static void play_longest(struct end *e, const char *expected)
{
    memset(noise_reserve(&e->noise, &e->out, NOISE_MAX_PLAINTEXT), 0xa5, NOISE_MAX_PLAINTEXT);
    noise_commit(&e->noise, &e->out, NOISE_MAX_PLAINTEXT);
    assert_ok(noise_seal(&e->noise, &e->out));
    uint8_t hash[SHA256_LEN];
    sha256(view_of(e->out.data + 2, e->out.len - 2), hash);
    assert_view_hex(view_of(hash, sizeof hash), expected);
}

static void play(const struct noise_libp2p_vector *v, enum role role, size_t step)
{
    const struct noise_side_vector *own = &v->side[role], *peer = &v->side[1 - role];
    struct end e = {0};
    struct peer_id expected;
    assert_ok(identity_parse(hex(own->identity), &e.identity));
    assert_ok(peer_id_parse_text(view_of_text(peer->peer_id), &expected));
    struct noise_config config = {
        .role = role,
        .prologue = hex(v->prologue),
        .expected = &expected,
        .muxer = view_of_text(own->muxer),
    };
    end_init(&e, config, hex(own->s), hex(own->e));
    play_handshake(&e, v, step);
    play_frames(&e, v, step);
    if (role == DIALER && v->longest != NULL)
        play_longest(&e, v->longest);
    end_free(&e);
}

static void test_handshakes_of_others(void **state)
{
    (void)state;
    static const size_t STEPS[] = {1, 7, SIZE_MAX};
    size_t played = 0;
    EACH_ROW(i, NOISE_LIBP2P_VECTORS) {
        for (enum role role = DIALER; role <= LISTENER; role++)
            for (size_t s = 0; NOISE_LIBP2P_VECTORS[i].side[role].can_play && s < 3; s++, played++)
                play(&NOISE_LIBP2P_VECTORS[i], role, STEPS[s]);
    }
    assert_int_equal(played, 3 * 8);
    play(&DIGEST, DIALER, SIZE_MAX);
    play(&DIGEST, LISTENER, SIZE_MAX);
}

/* ---- a machine against a party that says what it likes ------------------------------------- */

/* The lowest three bits of a secret do not count. */
static const uint8_t SECRET_S[X25519_KEY_LEN] = {8}, SECRET_E[X25519_KEY_LEN] = {16};
static const uint8_t PARTY_S[X25519_KEY_LEN] = {24}, PARTY_E[X25519_KEY_LEN] = {32};

static struct identity identity_number(uint8_t number)
{
    struct identity id;
    uint8_t seed[ED25519_KEY_LEN] = {number};
    identity_from_seed(seed, &id);
    return id;
}

/* A machine with identity 1 and a party, neither of which has said anything. */
static void meet(struct end *e, struct noise_party *p, enum role role,
                 const struct peer_id *expected)
{
    e->identity = identity_number(1);
    struct noise_config config = {
        .role = role,
        .expected = expected,
        .muxer = view_of_text(YAMUX),
    };
    end_init(e, config, view_of(SECRET_S, X25519_KEY_LEN), view_of(SECRET_E, X25519_KEY_LEN));
    noise_party_init(p, role == DIALER ? LISTENER : DIALER, view_of(NULL, 0), PARTY_S, PARTY_E);
}

static int say(struct end *e, struct noise_party *p, int row, struct view payload,
               struct noise_event *ev)
{
    static uint8_t body[NOISE_MAX_FRAME];
    struct writer w = writer_of(body, sizeof body);
    assert_ok(noise_party_write(p, row, payload, &w));
    struct span in = framed(writer_view(&w));
    return noise_feed(&e->noise, &in, ev);
}

static int hear(struct end *e, struct noise_party *p, int row)
{
    int rc = noise_drain(&e->noise, &e->out);
    if (rc != 0)
        return rc;
    struct span in = buf_span(&e->out), payload;
    span_take(&in, 2);
    rc = noise_party_read(p, row, in, &payload);
    buf_take(&e->out, e->out.len);
    return rc;
}

/* Goes through the handshake up to the party's payload; returns what the machine makes of it. */
static int say_payload(struct end *e, struct noise_party *p, struct view payload,
                       struct noise_event *ev)
{
    if (p->role == LISTENER) {
        assert_ok(hear(e, p, 0));
        return say(e, p, 1, payload, ev);
    }
    int rc = say(e, p, 0, view_of(NULL, 0), ev);
    if (rc == 0)
        rc = hear(e, p, 1);
    return rc == 0 ? say(e, p, 2, payload, ev) : rc;
}

enum signature { HONEST, ABSENT, EMPTY, SHORT, FLIPPED, OTHER_KEY, OTHER_STATIC, NO_PREFIX };

static void put_field(struct writer *w, uint8_t tag, struct view bytes)
{
    put_u8(w, tag);
    put_delimited(w, bytes);
}

static void put_signature(struct writer *w, enum signature kind)
{
    uint8_t signature[ED25519_SIGNATURE_LEN];
    struct noise_pair s = noise_pair_of(PARTY_S);
    struct identity id = identity_number(kind == OTHER_KEY ? 3 : 2);
    uint8_t bytes[64];
    struct writer message = writer_of(bytes, sizeof bytes);
    if (kind != NO_PREFIX)
        put_text(&message, PREFIX);
    put(&message, view_of(kind == OTHER_STATIC ? PARTY_E : s.public_key, X25519_KEY_LEN));
    identity_sign(&id, writer_view(&message), signature);
    if (kind == FLIPPED)
        signature[0] ^= 1;
    if (kind != ABSENT)
        put_field(w, 0x12,
                  view_of(signature, kind == EMPTY   ? 0
                                     : kind == SHORT ? sizeof signature - 1
                                                     : sizeof signature));
}

#define KEY_OF_2 "080112206b79c57e6a095239282c04818e96112f3f03a4001ba97a564c23852a3f1ea5fc"
#define SECP256K1 "08021221037777e994e452c21604f91de093ce415f5432f701dd8cd1a7a6fea0e630bfca99"
#define MPLEX_FIELD                                                                                \
    "120c"                                                                                         \
    "2f6d706c65782f362e372e30"
#define YAMUX_FIELD                                                                                \
    "120c"                                                                                         \
    "2f79616d75782f312e302e30"

/* Payloads of the party's, whose identity is number 2: key, signature, what stands behind them. */
static const struct {
    const char *name, *key;
    enum signature signature;
    const char *behind;
    int expected;
} PAYLOADS[] = {
    {"honest", KEY_OF_2, HONEST, "", 1},
    {"no key", NULL, HONEST, "", ERR_PROTOCOL},
    {"an empty key", "", HONEST, "", ERR_PROTOCOL},
    {"a key that is no protobuf", "ffff", HONEST, "", ERR_BAD_KEY},
    {"a key of unknown type", "08051220" SECP256K1, HONEST, "", ERR_BAD_KEY},
    {"a key that is too short", "0801121f" SECP256K1, HONEST, "", ERR_BAD_KEY},
    {"no signature", KEY_OF_2, ABSENT, "", ERR_PROTOCOL},
    {"an empty signature", KEY_OF_2, EMPTY, "", ERR_PROTOCOL},
    {"a short signature", KEY_OF_2, SHORT, "", ERR_BAD_SIGNATURE},
    {"a flipped bit", KEY_OF_2, FLIPPED, "", ERR_BAD_SIGNATURE},
    {"signed by another key", KEY_OF_2, OTHER_KEY, "", ERR_BAD_SIGNATURE},
    {"over another static key", KEY_OF_2, OTHER_STATIC, "", ERR_BAD_SIGNATURE},
    {"without the prefix", KEY_OF_2, NO_PREFIX, "", ERR_BAD_SIGNATURE},
    {"the last of two keys counts", SECP256K1, HONEST, "0a24" KEY_OF_2, 1},
    {"unknown fields", KEY_OF_2, HONEST, "1a0161 2801 3101020304050607083d01020304", 1},
    {"a field cut short", KEY_OF_2, HONEST, "1a0561", ERR_PROTOCOL},
    {"empty extensions", KEY_OF_2, HONEST, "2200", 1},
    {"our muxer", KEY_OF_2, HONEST, "220e" YAMUX_FIELD, 1},
    {"ours and another", KEY_OF_2, HONEST, "221c" MPLEX_FIELD YAMUX_FIELD, 1},
    {"only another", KEY_OF_2, HONEST, "220e" MPLEX_FIELD, ERR_UNSUPPORTED},
    {"an empty name", KEY_OF_2, HONEST, "22021200", ERR_UNSUPPORTED},
    {"ours behind too many", KEY_OF_2, HONEST,
     "221e 1200 1200 1200 1200 1200 1200 1200 1200" YAMUX_FIELD, ERR_UNSUPPORTED},
    {"only another, badly signed", KEY_OF_2, FLIPPED, "220e" MPLEX_FIELD, ERR_BAD_SIGNATURE},
};

static struct view payload_of(const char *key, enum signature signature, const char *behind)
{
    uint8_t bytes[1024];
    struct writer w = writer_of(bytes, sizeof bytes);
    if (key != NULL)
        put_field(&w, 0x0a, hex(key));
    put_signature(&w, signature);
    put(&w, hex(behind));
    return view_of_span(test_copy(writer_view(&w)));
}

static void test_payloads(void **state)
{
    (void)state;
    EACH_ROW(i, PAYLOADS) {
        for (enum role role = DIALER; role <= LISTENER; role++) {
            struct end e = {0};
            struct noise_party p;
            struct noise_event ev;
            meet(&e, &p, role, NULL);
            struct view payload =
                payload_of(PAYLOADS[i].key, PAYLOADS[i].signature, PAYLOADS[i].behind);
            assert_code(say_payload(&e, &p, payload, &ev), PAYLOADS[i].expected);
            if (PAYLOADS[i].expected == 1) {
                struct identity id = identity_number(2);
                struct peer_id peer = peer_id_of_identity(&id);
                assert_int_equal(ev.type, NOISE_READY);
                assert_true(peer_id_equal(&ev.peer, &peer));
                assert_int_equal(ev.muxer_agreed, strstr(PAYLOADS[i].behind, YAMUX_FIELD) != NULL);
            }
            end_free(&e);
        }
    }
}

static void test_payload_that_is_none(void **state)
{
    (void)state;
    static const char *const BYTES[] = {"", "ff", "0a", "0a2408", "1224"};
    for (size_t i = 0; i < ARRAY_LEN(BYTES); i++)
        for (enum role role = DIALER; role <= LISTENER; role++) {
            struct end e = {0};
            struct noise_party p;
            struct noise_event ev;
            meet(&e, &p, role, NULL);
            assert_code(say_payload(&e, &p, hex(BYTES[i]), &ev), ERR_PROTOCOL);
            end_free(&e);
        }
}

static void test_who_it_is(void **state)
{
    (void)state;
    for (enum role role = DIALER; role <= LISTENER; role++) {
        struct end e = {0};
        struct noise_party p;
        struct noise_event ev;
        struct identity second = identity_number(2), third = identity_number(3);
        struct peer_id right = peer_id_of_identity(&second), wrong = peer_id_of_identity(&third);
        struct view payload = payload_of(KEY_OF_2, HONEST, "");
        meet(&e, &p, role, &right);
        assert_code(say_payload(&e, &p, payload, &ev), 1);
        end_free(&e);
        meet(&e, &p, role, &wrong);
        assert_code(say_payload(&e, &p, payload, &ev), ERR_WRONG_PEER);
        end_free(&e);
        meet(&e, &p, role, NULL);
        e.identity = identity_number(2);
        assert_code(say_payload(&e, &p, payload, &ev), ERR_SELF_DIAL);
        end_free(&e);
    }
}

static void test_our_own_keys_come_back(void **state)
{
    (void)state;
    for (enum role role = DIALER; role <= LISTENER; role++) {
        struct end e = {0};
        struct noise_party p;
        struct noise_event ev;
        struct view payload = payload_of(KEY_OF_2, HONEST, "");
        meet(&e, &p, role, NULL);
        p.s = noise_pair_of(SECRET_S);
        assert_code(say_payload(&e, &p, payload, &ev), ERR_CRYPTO);
        end_free(&e);
        meet(&e, &p, role, NULL);
        p.e = noise_pair_of(SECRET_E);
        assert_code(say_payload(&e, &p, payload, &ev), ERR_CRYPTO);
        end_free(&e);
    }
}

/* A whole handshake message sent back is no answer to itself. */
static void test_reflection(void **state)
{
    (void)state;
    struct end e = {0};
    struct noise_party p;
    struct noise_event ev;
    meet(&e, &p, DIALER, NULL);
    assert_ok(noise_drain(&e.noise, &e.out));
    struct span in = test_copy(buf_view(&e.out));
    assert_code(noise_feed(&e.noise, &in, &ev), ERR_CRYPTO);
    end_free(&e);
}

static void test_points_of_low_order(void **state)
{
    (void)state;
    size_t tried = 0;
    EACH_ROW(i, X25519_VECTORS) {
        if (X25519_VECTORS[i].valid)
            continue;
        struct view point = hex(X25519_VECTORS[i].public);
        for (enum role role = DIALER; role <= LISTENER; role++)
            for (int is_static = 0; is_static < 2; is_static++, tried++) {
                struct end e = {0};
                struct noise_party p;
                struct noise_event ev;
                meet(&e, &p, role, NULL);
                memcpy(is_static ? p.s.public_key : p.e.public_key, point.data, X25519_KEY_LEN);
                struct view payload = payload_of(KEY_OF_2, HONEST, "");
                assert_code(say_payload(&e, &p, payload, &ev), ERR_CRYPTO);
                end_free(&e);
            }
    }
    assert_true(tried > 40);
}

static void test_first_message(void **state)
{
    (void)state;
    uint8_t body[64] = {9};
    for (size_t len = 0; len <= 40; len++) {
        struct end e = {0};
        struct noise_party p;
        struct noise_event ev;
        meet(&e, &p, LISTENER, NULL);
        struct span in = framed(view_of(body, len));
        assert_code(noise_feed(&e.noise, &in, &ev), len < 32 ? ERR_PROTOCOL : 0);
        end_free(&e);
    }
    /* A payload in it is hashed, and otherwise ignored. */
    struct end e = {0};
    struct noise_party p;
    struct noise_event ev;
    meet(&e, &p, LISTENER, NULL);
    assert_ok(say(&e, &p, 0, view_of_text("early"), &ev));
    assert_ok(hear(&e, &p, 1));
    assert_code(say(&e, &p, 2, payload_of(KEY_OF_2, HONEST, ""), &ev), 1);
    end_free(&e);
}

/* Any flipped bit, and any cut, of the peer's long message is noticed. */
static void test_altered_messages(void **state)
{
    (void)state;
    for (enum role role = DIALER; role <= LISTENER; role++)
        for (size_t at = 0;; at++) {
            struct end e = {0};
            struct noise_party p;
            struct noise_event ev;
            uint8_t body[512];
            struct writer w = writer_of(body, sizeof body);
            meet(&e, &p, role, NULL);
            if (role == DIALER)
                assert_ok(hear(&e, &p, 0));
            else {
                assert_ok(say(&e, &p, 0, view_of(NULL, 0), &ev));
                assert_ok(hear(&e, &p, 1));
            }
            struct view payload = payload_of(KEY_OF_2, HONEST, "");
            assert_ok(noise_party_write(&p, role == DIALER ? 1 : 2, payload, &w));
            bool is_last = at == w.len;
            if (!is_last)
                body[at] ^= 1;
            struct span in = framed(writer_view(&w));
            int rc = noise_feed(&e.noise, &in, &ev);
            assert_code(rc, is_last ? 1 : ERR_CRYPTO);
            end_free(&e);
            the_test()->arena_used = 0;
            if (is_last)
                break;
        }
}

/* ---- in turn ------------------------------------------------------------------------------- */

static void test_peer_speaks_before_its_turn(void **state)
{
    (void)state;
    struct end e = {0};
    struct noise_party p;
    struct noise_event ev;
    uint8_t byte = 0;
    struct span in = span_of(&byte, 1);
    meet(&e, &p, DIALER, NULL);
    assert_code(noise_feed(&e.noise, &in, &ev), ERR_PROTOCOL);
    end_free(&e);

    meet(&e, &p, LISTENER, NULL);
    assert_ok(say(&e, &p, 0, view_of(NULL, 0), &ev));
    assert_ok(noise_feed(&e.noise, &(struct span){0}, &ev));
    in = span_of(&byte, 1);
    assert_code(noise_feed(&e.noise, &in, &ev), ERR_PROTOCOL);
    assert_code(noise_feed(&e.noise, &(struct span){0}, &ev), ERR_CLOSED);
    assert_ok(noise_drain(&e.noise, &e.out));
    assert_int_equal(e.out.len, 0);
    end_free(&e);

    meet(&e, &p, DIALER, NULL);
    assert_code(say_payload(&e, &p, payload_of(KEY_OF_2, HONEST, ""), &ev), 1);
    in = span_of(&byte, 1);
    assert_code(noise_feed(&e.noise, &in, &ev), ERR_PROTOCOL);
    end_free(&e);
}

static void test_drain_waits_for_room(void **state)
{
    (void)state;
    struct end e = {0};
    struct noise_party p;
    meet(&e, &p, DIALER, NULL);
    struct buf small;
    buf_init(&small, &e.mem, 34);
    assert_code(noise_drain(&e.noise, &small), ERR_FULL);
    assert_ok(hear(&e, &p, 0));
    assert_ok(noise_drain(&e.noise, &small));
    buf_free(&small);
    end_free(&e);
}

/* An RSA key, whose signature is somebody else's to check. */
static struct view rsa_payload(void)
{
    EACH_ROW(i, NOISE_LIBP2P_VECTORS) {
        const char *key = NOISE_LIBP2P_VECTORS[i].side[LISTENER].public_key;
        if (strncmp(key, "0800", 4) == 0) {
            test_on_row(NULL);
            return payload_of(key, HONEST, "");
        }
    }
    fail();
    return view_of(NULL, 0);
}

static void test_verdict(void **state)
{
    (void)state;
    for (enum role role = DIALER; role <= LISTENER; role++)
        for (int is_valid = 0; is_valid < 2; is_valid++) {
            struct end e = {0};
            struct noise_party p;
            struct noise_event ev;
            meet(&e, &p, role, NULL);
            assert_code(noise_verified(&e.noise, true), ERR_BAD_ARGUMENT);
            assert_code(say_payload(&e, &p, rsa_payload(), &ev), 1);
            assert_int_equal(ev.type, NOISE_VERIFY);
            assert_int_equal(ev.key.type, KEY_RSA);

            /* What arrives meanwhile is not touched. */
            uint8_t later[3] = {0};
            struct span in = span_of(later, sizeof later);
            assert_ok(noise_feed(&e.noise, &in, &ev));
            assert_int_equal(in.len, sizeof later);
            assert_ok(noise_drain(&e.noise, &e.out));
            assert_int_equal(e.out.len, 0);

            assert_code(noise_verified(&e.noise, is_valid), is_valid ? 0 : ERR_BAD_SIGNATURE);
            in.len = 0;
            assert_code(noise_feed(&e.noise, &in, &ev), is_valid ? 1 : ERR_CLOSED);
            if (is_valid)
                assert_int_equal(ev.type, NOISE_READY);
            assert_code(noise_verified(&e.noise, true), ERR_BAD_ARGUMENT);
            end_free(&e);
        }
}

/* Frames may stand right behind message 3; the rest of the handshake is freed on the way. */
static void test_frames_behind_the_handshake(void **state)
{
    (void)state;
    struct end e = {0};
    struct noise_party p;
    struct noise_event ev;
    uint8_t bytes[512];
    meet(&e, &p, LISTENER, NULL);
    assert_ok(say(&e, &p, 0, view_of(NULL, 0), &ev));
    assert_ok(hear(&e, &p, 1));
    struct writer body = writer_of(bytes + 2, sizeof bytes - 2);
    assert_ok(noise_party_write(&p, 2, payload_of(KEY_OF_2, HONEST, ""), &body));
    noise_party_split(&p);
    struct writer w = writer_of(bytes, sizeof bytes);
    put_u16be(&w, (uint16_t)body.len);
    w.len += body.len;
    put_u16be(&w, 5 + AEAD_TAG_LEN);
    uint8_t *plain = w.data + w.len;
    put_text(&w, "hello");
    assert_ok(noise_cipher_seal(&p.sending, view_of(NULL, 0), plain, 5, plain + 5));
    w.len += AEAD_TAG_LEN;

    struct span in = test_copy(writer_view(&w));
    assert_code(noise_feed(&e.noise, &in, &ev), 1);
    assert_int_equal(ev.type, NOISE_READY);
    assert_code(noise_feed(&e.noise, &in, &ev), 1);
    assert_int_equal(ev.type, NOISE_DATA);
    assert_view_text(view_of_span(ev.plain), "hello");
    assert_int_equal(in.len, 0);
    buf_free(&e.out);
    assert_mem_empty(&e.mem);
    assert_true(sizeof e.noise <= 200);
    end_free(&e);
}

/* ---- two machines -------------------------------------------------------------------------- */

struct pair {
    struct end end[2];
    bool is_ready[2], muxer_agreed[2];
};

static void pair_init(struct pair *p, const char *dialers_muxer, const char *listeners_muxer)
{
    for (enum role role = DIALER; role <= LISTENER; role++) {
        struct end *e = &p->end[role];
        e->identity = identity_number(role == DIALER ? 1 : 2);
        struct noise_config config = {
            .role = role,
            .muxer = view_of_text(role == DIALER ? dialers_muxer : listeners_muxer),
        };
        end_init(e, config, view_of(role == DIALER ? SECRET_S : PARTY_S, X25519_KEY_LEN),
                 view_of(role == DIALER ? SECRET_E : PARTY_E, X25519_KEY_LEN));
    }
}

/* Carries what `from` has said to the other end; returns the first error. */
static int pair_carry(struct pair *p, enum role from, size_t step)
{
    struct end *a = &p->end[from], *b = &p->end[1 - from];
    struct noise_event ev;
    int rc = noise_drain(&a->noise, &a->out);
    if (rc == 0 && a->out.len > 0)
        rc = feed_in_steps(&b->noise, buf_span(&a->out), step, &ev);
    if (rc == 1) {
        p->is_ready[1 - from] = ev.type == NOISE_READY;
        p->muxer_agreed[1 - from] = ev.muxer_agreed;
    }
    buf_take(&a->out, a->out.len);
    return MIN(rc, 0);
}

static int pair_run(struct pair *p, size_t step)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < 4; i++)
        rc = pair_carry(p, i % 2 ? LISTENER : DIALER, step);
    return rc;
}

static const struct {
    const char *name, *dialers, *listeners;
    int expected;
    bool agreed;
} MUXERS[] = {
    {"both", YAMUX, YAMUX, 0, true},
    {"only the dialer", YAMUX, "", 0, false},
    {"only the listener", "", YAMUX, 0, false},
    {"none", "", "", 0, false},
    {"different ones", YAMUX, "/mplex/6.7.0", ERR_UNSUPPORTED, false},
};

static void test_pairs(void **state)
{
    (void)state;
    static const size_t STEPS[] = {1, 2, 33, SIZE_MAX};
    EACH_ROW(i, MUXERS) {
        for (size_t s = 0; s < ARRAY_LEN(STEPS); s++) {
            struct pair p = {0};
            pair_init(&p, MUXERS[i].dialers, MUXERS[i].listeners);
            assert_code(pair_run(&p, STEPS[s]), MUXERS[i].expected);
            if (MUXERS[i].expected == 0) {
                assert_true(p.is_ready[DIALER] && p.is_ready[LISTENER]);
                assert_int_equal(p.muxer_agreed[DIALER], MUXERS[i].agreed);
                assert_int_equal(p.muxer_agreed[LISTENER], MUXERS[i].agreed);
            }
            end_free(&p.end[DIALER]);
            end_free(&p.end[LISTENER]);
        }
    }
}

static void test_muxer_name_is_too_long(void **state)
{
    (void)state;
    char name[65];
    memset(name, 'x', sizeof name);
    struct mem mem = {0};
    struct noise n;
    struct noise_config config = {.muxer = view_of((uint8_t *)name, 64), .mem = &mem};
    assert_code(noise_init(&n, &config), ERR_BAD_ARGUMENT);
    noise_free(&n);
    assert_mem_empty(&mem);
    n = (struct noise){0};
    noise_free(&n);
}

/* A handshake and a frame, with all memory of both ends from one place. */
static int try_handshake(struct noise n[2], struct buf out[2], struct mem *mem)
{
    uint64_t seed = 1;
    struct rng rng = test_rng(&seed);
    struct identity id[2] = {identity_number(1), identity_number(2)};
    for (enum role role = DIALER; role <= LISTENER; role++) {
        struct noise_config config = {.role = role, .identity = &id[role], .rng = &rng, .mem = mem};
        buf_init(&out[role], mem, 1024);
        int rc = noise_init(&n[role], &config);
        if (rc != 0)
            return rc;
    }
    struct noise_event ev;
    for (int i = 0; i < 3; i++) {
        int from = i % 2;
        int rc = noise_drain(&n[from], &out[from]);
        if (rc != 0)
            return rc;
        rc = feed_in_steps(&n[1 - from], buf_span(&out[from]), 100, &ev);
        if (rc < 0)
            return rc;
        buf_take(&out[from], out[from].len);
    }
    uint8_t *at = noise_reserve(&n[DIALER], &out[DIALER], 300);
    if (at == NULL)
        return ERR_NOMEM;
    memset(at, 7, 300);
    noise_commit(&n[DIALER], &out[DIALER], 300);
    int rc = noise_seal(&n[DIALER], &out[DIALER]);
    return rc == 0 ? feed_in_steps(&n[LISTENER], buf_span(&out[DIALER]), 100, &ev) : rc;
}

static void handshake_and_frame(struct mem *mem, void *context)
{
    (void)context;
    struct noise n[2] = {{0}, {0}};
    struct buf out[2] = {{0}, {0}};
    int rc = try_handshake(n, out, mem);
    assert_true(rc == 1 || rc == ERR_NOMEM);
    for (int i = 0; i < 2; i++) {
        noise_free(&n[i]);
        if (out[i].mem != NULL)
            buf_free(&out[i]);
    }
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    assert_true(fail_each_allocation(handshake_and_frame, NULL) > 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handshakes_of_others),
        cmocka_unit_test(test_payloads),
        cmocka_unit_test(test_payload_that_is_none),
        cmocka_unit_test(test_who_it_is),
        cmocka_unit_test(test_our_own_keys_come_back),
        cmocka_unit_test(test_reflection),
        cmocka_unit_test(test_points_of_low_order),
        cmocka_unit_test(test_first_message),
        cmocka_unit_test(test_altered_messages),
        cmocka_unit_test(test_peer_speaks_before_its_turn),
        cmocka_unit_test(test_drain_waits_for_room),
        cmocka_unit_test(test_verdict),
        cmocka_unit_test(test_frames_behind_the_handshake),
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_muxer_name_is_too_long),
        cmocka_unit_test(test_each_allocation_fails),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

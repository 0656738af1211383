#include "multiformats/multiaddr.h"

#include "test.h"
#include "vectors_multiformats.h"

#define KEY1 "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq"
#define KEY1_P2P                                                                                   \
    "a503260024080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"
#define RELAY "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"
#define RELAY_P2P                                                                                  \
    "a503260024080112202ffa35a99d3a3cfbb17bb7c1dc5561b18a8dcca4df38dc613ea859c37eb1336b"
#define HASH "uEiDDq4_xNyDorZBH3TlGazyJdOWSwvo4PUo5YHFMrvDE8g"
#define HASH_BYTES "d203221220c3ab8ff13720e8ad9047dd39466b3c8974e592c2fa383d4a3960714caef0c4f2"
#define HASH2 "uEiAwx59GnCB0Gd_dCqtfJ6hslzyU5AVI25N1zKLpFZc7mQ"
#define HASH2_BYTES "d20322122030c79f469c207419dfdd0aab5f27a86c973c94e40548db9375cca2e915973b99"

/* The bytes of a text that is an address; valid during the test. */
static struct view addr(const char *text)
{
    uint8_t bytes[MULTIADDR_MAX_LEN];
    struct writer w = writer_of(bytes, sizeof bytes);
    struct multiaddr_fault fault;
    if (multiaddr_parse_text(view_of_text(text), &w, &fault) != 0)
        fail_msg("%s: %s", text, fault.text);
    return view_of_span(test_copy(writer_view(&w)));
}

static void assert_text(struct view bytes, const char *expected)
{
    uint8_t text[2048];
    struct writer w = writer_of(text, sizeof text);
    assert_ok(multiaddr_format(bytes, &w));
    assert_view_text(writer_view(&w), expected);
}

/* ---- text and bytes ------------------------------------------------------------------------ */

/* `written` is null when the bytes are written as they were read. */
static const struct {
    const char *name, *bytes, *written;
} SAME[] = {
    {"/ip4/127.0.0.1/udp/1234", "047f000001910204d2", NULL},
    {"/ip4/127.0.0.1/tcp/4321", "047f0000010610e1", NULL},
    {"/ip4/127.0.0.1/udp/1234/ip4/127.0.0.1/tcp/4321", "047f000001910204d2047f0000010610e1", NULL},
    {"/ip4/127.0.0.1/tcp/9000/ws", "047f000001062328dd03", NULL},
    {"/ip4/127.0.0.1/tcp/9000/wss", "047f000001062328de03", NULL},
    {"/dns4/example.com/tcp/443/tls/ws", "360b6578616d706c652e636f6d0601bbc003dd03", NULL},
    {"/dns/example.com/tcp/443/tls/sni/foo.example.com/ws",
     "350b6578616d706c652e636f6d0601bbc003c1030f666f6f2e6578616d706c652e636f6ddd03", NULL},
    {"/ip6/::1/udp/4001/quic-v1", "290000000000000000000000000000000191020fa1cd03", NULL},
    {"/ip6/2001:db8::1/tcp/443/wss", "2920010db80000000000000000000000010601bbde03", NULL},
    {"/dnsaddr/bootstrap.libp2p.io/p2p/QmNnooDu7bfjPFoTZYxMNLWUQJyrVwtbZg5gBMjTezGAJN",
     "3813626f6f7473747261702e6c69627032702e696fa50322122006b3608aa000274049eb28ad8e793a26ff6fab281"
     "a7d3bd77cd18eb745dfaabb",
     NULL},
    {"/ip4/192.0.2.1/tcp/4001/ws/p2p/" RELAY "/p2p-circuit/p2p/" KEY1,
     "04c0000201060fa1dd03" RELAY_P2P "a202" KEY1_P2P, NULL},
    {"/ip4/192.0.2.1/tcp/4001/ws/p2p/" RELAY "/p2p-circuit/webrtc/p2p/" KEY1,
     "04c0000201060fa1dd03" RELAY_P2P "a2029902" KEY1_P2P, NULL},
    {"/webrtc", "9902", NULL},
    {"/p2p-circuit", "a202", NULL},
    {"/ip4/192.0.2.1/udp/4001/webrtc-direct/certhash/" HASH, "04c000020191020fa19802" HASH_BYTES,
     NULL},
    {"/ip4/192.0.2.1/udp/4001/quic-v1/webtransport/certhash/" HASH "/certhash/" HASH2 "/p2p/" RELAY,
     "04c000020191020fa1cd03d103" HASH_BYTES HASH2_BYTES RELAY_P2P, NULL},
    {"/onion3/vww6ybal4bd7szmgncyruucpgfkqahzddi37ktceo3ah7ngmcopnpyyd:1234",
     "bd03adadec040be047f9658668b11a504f3155001f231a37f54c4476c07fb4cc139ed7e30304d2", NULL},
    {"/ip4/127.0.0.1/tcp/443/tls/http/http-path/foo%2Fbar",
     "047f0000010601bbc003e003e10307666f6f2f626172", NULL},
    {"/ip4/127.0.0.1/tcp/443/tls/http/http-path/%2ffoo%2fbar",
     "047f0000010601bbc003e003e103082f666f6f2f626172",
     "/ip4/127.0.0.1/tcp/443/tls/http/http-path/%2Ffoo%2Fbar"},
    {"/p2p/bafzaajaiaejcahwr5d5ofrfbis4l5d6uwr57hu5tjodrypfm6yaq6dsc2r2pzyt6", KEY1_P2P,
     "/p2p/" KEY1},
    {"/ipfs/" KEY1, KEY1_P2P, "/p2p/" KEY1},
    {"/tcp/80/", "060050", "/tcp/80"},
    {"/certhash/f1220c3ab8ff13720e8ad9047dd39466b3c8974e592c2fa383d4a3960714caef0c4f2", HASH_BYTES,
     "/certhash/" HASH},
    {"/dns/b\xc3\xbc"
     "cher.example",
     "350f62c3bc636865722e6578616d706c65", NULL},
    {"/ip6zone/x%y/ip6/fe80::1",
     "2a03782579"
     "29fe800000000000000000000000000001",
     NULL},
};

static void test_text_and_bytes(void **state)
{
    (void)state;
    EACH_ROW(i, SAME) {
        assert_view_hex(addr(SAME[i].name), SAME[i].bytes);
        assert_ok(multiaddr_check(hex(SAME[i].bytes)));
        assert_text(hex(SAME[i].bytes), SAME[i].written ? SAME[i].written : SAME[i].name);
    }
}

static void test_bytes_of_other_implementations(void **state)
{
    (void)state;
    EACH_ROW(i, MULTIADDR_BYTES) {
        assert_view_hex(addr(MULTIADDR_BYTES[i].text), MULTIADDR_BYTES[i].bytes);
        assert_ok(multiaddr_check(hex(MULTIADDR_BYTES[i].bytes)));
        assert_text(hex(MULTIADDR_BYTES[i].bytes), MULTIADDR_BYTES[i].text);
    }
}

static void test_text_of_other_implementations(void **state)
{
    (void)state;
    EACH_ROW(i, MULTIADDR_VALID) {
        uint8_t text[2048];
        struct writer w = writer_of(text, sizeof text);
        struct view bytes = addr(MULTIADDR_VALID[i].text);
        assert_ok(multiaddr_check(bytes));
        assert_ok(multiaddr_format(bytes, &w));
        put_u8(&w, 0);
        assert_view_equal(addr((const char *)text), bytes);
    }
}

static void test_bad_text_of_other_implementations(void **state)
{
    (void)state;
    EACH_ROW(i, MULTIADDR_INVALID) {
        uint8_t bytes[MULTIADDR_MAX_LEN];
        struct writer w = writer_of(bytes, sizeof bytes);
        struct multiaddr_fault fault;
        struct view text = view_of_text(MULTIADDR_INVALID[i].text);
        assert_code(multiaddr_parse_text(text, &w, &fault), ERR_BAD_MULTIADDR);
        assert_in_range(fault.at, 0, text.len);
        assert_int_equal(w.len, 0);
    }
}

static void test_bad_bytes_of_other_implementations(void **state)
{
    (void)state;
    EACH_ROW(i, MULTIADDR_BAD_BYTES)
        assert_code(multiaddr_check(hex(MULTIADDR_BAD_BYTES[i].text)), ERR_BAD_MULTIADDR);
}

static const struct {
    const char *name, *bytes;
} BAD_BYTES[] = {
    {"nothing", ""},
    {"an unknown code", "047f0000018906"},
    {"the code memory", "89060000000000000001"},
    {"a padded code", "8400"
                      "7f000001"},
    {"a code of ten bytes", "80808080808080808001"},
    {"a length past the end", "3605616263"},
    {"an empty name", "3600"},
    {"a slash in a name", "3603612f62"},
    {"a blank in a name", "3603612062"},
    {"a port in a name", "3604613a3830"},
    {"a user in a name", "360361"
                         "4062"},
    {"a NUL in a name", "3603610062"},
    {"a mask of 129 bits", "2b81"},
    {"a Peer ID of sha1", "a50316111400112233445566778899aabbccddeeff00112233"},
    {"a Peer ID with a byte behind it",
     "a503270024080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e00"},
    {"a hash with a byte missing",
     "d203211220c3ab8ff13720e8ad9047dd39466b3c8974e592c2fa383d4a3960714caef0c4"},
    {"an onion address with port 0",
     "bd03adadec040be047f9658668b11a504f3155001f231a37f54c4476c07fb4cc139ed7e3030000"},
};

static void test_bad_bytes(void **state)
{
    (void)state;
    EACH_ROW(i, BAD_BYTES)
        assert_code(multiaddr_check(hex(BAD_BYTES[i].bytes)), ERR_BAD_MULTIADDR);
}

static void test_too_long(void **state)
{
    (void)state;
    static uint8_t bytes[MULTIADDR_MAX_LEN + 2];
    for (size_t i = 0; i < sizeof bytes; i += 2) {
        bytes[i] = 0x99; /* /webrtc */
        bytes[i + 1] = 0x02;
    }
    assert_code(multiaddr_check(view_of(bytes, sizeof bytes)), ERR_TOO_BIG);
    assert_ok(multiaddr_check(view_of(bytes, sizeof bytes - 2)));

    static char text[7 * (MULTIADDR_MAX_LEN / 2 + 1) + 1];
    for (size_t i = 0; i + 1 < sizeof text; i += 7)
        memcpy(text + i, "/webrtc", 7);
    static uint8_t out[2 * MULTIADDR_MAX_LEN];
    struct writer w = writer_of(out, sizeof out);
    assert_code(multiaddr_parse_text(view_of_text(text), &w, NULL), ERR_TOO_BIG);
    assert_int_equal(w.len, 0);
    assert_ok(multiaddr_parse_text(view_of_text(text + 7), &w, NULL));
    assert_int_equal(w.len, MULTIADDR_MAX_LEN);
}

static void test_cut_anywhere(void **state)
{
    (void)state;
    EACH_ROW(i, SAME) {
        struct view whole = hex(SAME[i].bytes), rest = whole;
        struct multiaddr_part part;
        size_t boundary = 0;
        while (multiaddr_next(&rest, &part) == 1) {
            size_t next = boundary + part.whole.len;
            for (size_t len = boundary + 1; len < next; len++)
                assert_code(multiaddr_check(view_of(whole.data, len)), ERR_BAD_MULTIADDR);
            assert_ok(multiaddr_check(view_of(whole.data, next)));
            boundary = next;
        }
        assert_int_equal(boundary, whole.len);
    }
}

static void test_too_little_room(void **state)
{
    (void)state;
    EACH_ROW(i, SAME) {
        struct view bytes = hex(SAME[i].bytes), text = view_of_text(SAME[i].name);
        uint8_t out[512];
        struct writer w = writer_of(out, bytes.len - 1);
        assert_code(multiaddr_parse_text(text, &w, NULL), ERR_TOO_BIG);
        assert_int_equal(w.len, 0);
        const char *written = SAME[i].written ? SAME[i].written : SAME[i].name;
        w = writer_of(out, strlen(written) - 1);
        assert_code(multiaddr_format(bytes, &w), ERR_TOO_BIG);
        assert_int_equal(w.len, 0);
        assert_false(w.failed);
    }
}

static void test_text_is_appended(void **state)
{
    (void)state;
    uint8_t out[64];
    struct writer w = writer_of(out, sizeof out);
    put_text(&w, "x");
    assert_ok(multiaddr_parse_text(view_of_text("/ws"), &w, NULL));
    assert_code(multiaddr_parse_text(view_of_text("/ws/tcp/x"), &w, NULL), ERR_BAD_MULTIADDR);
    assert_ok(multiaddr_format(hex("dd03"), &w));
    assert_code(multiaddr_format(hex("dd03ff"), &w), ERR_BAD_MULTIADDR);
    assert_view_text(writer_view(&w), "x\xdd\x03/ws");
}

/* ---- faults -------------------------------------------------------------------------------- */

static const struct {
    const char *name, *fault;
} FAULTS[] = {
    {"", "at character 1: the address is empty"},
    {"ip4", "at character 1: an address begins with a slash"},
    {"/", "at character 2: a protocol name is missing"},
    {"//tcp/80", "at character 2: a protocol name is missing"},
    {"/tcp/80//", "at character 9: a protocol name is missing"},
    {"/ip5/1.2.3.4", "at character 2: \"ip5\" is not a known protocol"},
    {"/IP4/1.2.3.4", "at character 2: \"IP4\" is not a known protocol"},
    {"/ip4/1.2.3.4/tcp", "at character 14: \"tcp\" must be followed by a port (0..65535)"},
    {"/ip4//tcp/80", "at character 2: \"ip4\" must be followed by an IPv4 address (192.0.2.1)"},
    {"/ip4/1.2.3/tcp/80", "at character 6: \"1.2.3\" is not an IPv4 address (192.0.2.1)"},
    {"/ip4/1.2.3.4/tcp/99999", "at character 18: \"99999\" is not a port (0..65535)"},
    {"/ip6/::g/tcp/80", "at character 6: \"::g\" is not an IPv6 address (2001:db8::1)"},
    {"/ip4/1.2.3.0/ipcidr/200", "at character 21: \"200\" is not a number of bits (0..128)"},
    {"/dns4/a b/tcp/80", "at character 7: \"a b\" is not a host name"},
    {"/dns4/a:80/ws", "at character 7: \"a:80\" is not a host name"},
    {"/ip6zone/a\tb/ip6/::1", "at character 10: \"a.b\" is not an interface name"},
    {"/http-path/%2", "at character 12: \"%2\" is not a percent-encoded path"},
    {"/http-path/%zz", "at character 12: \"%zz\" is not a percent-encoded path"},
    {"/p2p/hello", "at character 6: \"hello\" is not a Peer ID (12D3Koo...)"},
    {"/p2p/" KEY1 "x",
     "at character 6: \"12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJ\" is not a Peer ID (12D3Koo...)"},
    {"/certhash/uEi", "at character 11: \"uEi\" is not a hash in multibase (uEi...)"},
    {"/onion/timaq4ygg2iegci7:0",
     "at character 8: \"timaq4ygg2iegci7:0\" is not an onion address (base32:port)"},
    {"/garlic64/ab*", "at character 11: \"ab*\" is not an I2P destination in base64"},
    {"/garlic32/ab", "at character 11: \"ab\" is not an I2P name in base32"},
    {"/ws/x", "at character 5: \"x\" is not a known protocol"},
};

static void test_faults(void **state)
{
    (void)state;
    EACH_ROW(i, FAULTS) {
        uint8_t bytes[128];
        struct writer w = writer_of(bytes, sizeof bytes);
        struct multiaddr_fault fault;
        struct view text = view_of_text(FAULTS[i].name);
        assert_code(multiaddr_parse_text(text, &w, &fault), ERR_BAD_MULTIADDR);
        assert_string_equal(fault.text, FAULTS[i].fault);
        char start[32];
        snprintf(start, sizeof start, "at character %u:", (unsigned)fault.at + 1);
        assert_memory_equal(fault.text, start, strlen(start));
    }
}

/* ---- walking ------------------------------------------------------------------------------- */

static void test_parts(void **state)
{
    (void)state;
    struct view rest = addr("/dns4/a.example/tcp/443/tls/ws"), whole = rest;
    struct multiaddr_part part;
    static const struct {
        enum multiaddr_code code;
        const char *value;
    } EXPECTED[] = {
        {MULTIADDR_DNS4, "612e6578616d706c65"},
        {MULTIADDR_TCP, "01bb"},
        {MULTIADDR_TLS, ""},
        {MULTIADDR_WS, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(EXPECTED); i++) {
        assert_code(multiaddr_next(&rest, &part), 1);
        assert_int_equal(part.code, EXPECTED[i].code);
        assert_view_hex(part.value, EXPECTED[i].value);
    }
    assert_code(multiaddr_next(&rest, &part), 0);
    assert_true(multiaddr_has(whole, MULTIADDR_WS));
    assert_false(multiaddr_has(whole, MULTIADDR_WSS));
}

static void test_host_as_text(void **state)
{
    (void)state;
    static const struct {
        const char *name, *host;
    } HOSTS[] = {
        {"/ip4/192.0.2.1/tcp/1", "192.0.2.1"},
        {"/ip6/2001:db8:0:0::1/tcp/1", "2001:db8::1"},
        {"/dns4/a.example/tcp/443", "a.example"},
        {"/sni/b.example", "b.example"},
    };
    EACH_ROW(i, HOSTS) {
        struct view whole = addr(HOSTS[i].name);
        struct multiaddr_part part;
        uint8_t text[32];
        struct writer w = writer_of(text, sizeof text);
        assert_code(multiaddr_next(&whole, &part), 1);
        multiaddr_format_host(&part, &w);
        assert_view_text(writer_view(&w), HOSTS[i].host);
    }
}

static void test_find_first_and_last(void **state)
{
    (void)state;
    struct view whole = addr("/tcp/1/ws/tcp/2/ws/tcp/3");
    struct multiaddr_part part;
    assert_true(multiaddr_find(whole, MULTIADDR_TCP, &part));
    assert_view_hex(part.whole, "060001");
    assert_true(multiaddr_find_last(whole, MULTIADDR_TCP, &part));
    assert_view_hex(part.whole, "060003");
    assert_false(multiaddr_find_last(whole, MULTIADDR_UDP, &part));
}

static void test_peer_is_the_last_one(void **state)
{
    (void)state;
    struct peer_id id, key1;
    assert_ok(peer_id_parse_text(view_of_text(KEY1), &key1));
    struct view both = addr("/ip4/1.2.3.4/tcp/1/ws/p2p/" RELAY "/p2p-circuit/p2p/" KEY1);
    assert_ok(multiaddr_peer(both, &id));
    assert_true(peer_id_equal(&id, &key1));
    assert_text(multiaddr_without_peer(both), "/ip4/1.2.3.4/tcp/1/ws/p2p/" RELAY "/p2p-circuit");
    struct view none = addr("/ip4/1.2.3.4/tcp/1/ws");
    assert_code(multiaddr_peer(none, &id), ERR_NOT_FOUND);
    assert_view_equal(multiaddr_without_peer(none), none);
    struct view inside = addr("/p2p/" KEY1 "/ws");
    assert_view_equal(multiaddr_without_peer(inside), inside);
}

#define THROUGH "/ip4/1.2.3.4/tcp/1/ws/p2p/" RELAY

/* `relay` is null for what is not the address of a circuit. */
static const struct {
    const char *name, *relay, *relay_id, *target;
    bool has_webrtc;
} CIRCUITS[] = {
    {THROUGH "/p2p-circuit/p2p/" KEY1, THROUGH, RELAY, KEY1, false},
    {THROUGH "/p2p-circuit/webrtc/p2p/" KEY1, THROUGH, RELAY, KEY1, true},
    {THROUGH "/p2p-circuit/webrtc", THROUGH, RELAY, "", true},
    {THROUGH "/p2p-circuit", THROUGH, RELAY, "", false},
    {"/p2p-circuit/p2p/" KEY1, "", "", KEY1, false},
    {"/p2p/" RELAY "/p2p-circuit/p2p/" KEY1, "/p2p/" RELAY, RELAY, KEY1, false},
    {"/ip4/1.2.3.4/tcp/1/ws/p2p-circuit", "/ip4/1.2.3.4/tcp/1/ws", "", "", false},
    {THROUGH "/p2p-circuit/p2p/" KEY1 "/p2p/" KEY1, THROUGH, RELAY, KEY1, false},
    {THROUGH "/p2p-circuit/p2p/" KEY1 "/p2p/" RELAY, NULL, NULL, NULL, false},
    {THROUGH "/p2p-circuit/p2p/" KEY1 "/p2p-circuit", NULL, NULL, NULL, false},
    {THROUGH "/p2p-circuit/p2p-circuit", NULL, NULL, NULL, false},
    {THROUGH "/p2p-circuit/p2p/" KEY1 "/webrtc", NULL, NULL, NULL, false},
    {THROUGH "/p2p-circuit/webrtc/webrtc", NULL, NULL, NULL, false},
    {THROUGH "/p2p-circuit/tcp/1", NULL, NULL, NULL, false},
    {THROUGH, NULL, NULL, NULL, false},
    {"/webrtc/p2p/" KEY1, NULL, NULL, NULL, false},
};

static void test_circuits(void **state)
{
    (void)state;
    EACH_ROW(i, CIRCUITS) {
        struct multiaddr_circuit c;
        char text[PEER_ID_TEXT_MAX];
        int rc = multiaddr_relay(addr(CIRCUITS[i].name), &c);
        assert_code(rc, CIRCUITS[i].relay ? 0 : ERR_NOT_FOUND);
        if (rc != 0)
            continue;
        assert_text(c.relay, CIRCUITS[i].relay);
        peer_id_format(&c.relay_id, text);
        assert_string_equal(text, CIRCUITS[i].relay_id);
        peer_id_format(&c.target, text);
        assert_string_equal(text, CIRCUITS[i].target);
        assert_int_equal(c.has_webrtc, CIRCUITS[i].has_webrtc);
    }
}

static void test_normalize(void **state)
{
    (void)state;
    uint8_t out[128];
    struct writer w = writer_of(out, sizeof out);
    multiaddr_normalize(addr("/dns/a/tcp/1/wss/p2p/" KEY1), &w);
    assert_text(writer_view(&w), "/dns/a/tcp/1/tls/ws/p2p/" KEY1);
    w = writer_of(out, sizeof out);
    multiaddr_normalize(addr("/dns/a/tcp/1/https"), &w);
    assert_text(writer_view(&w), "/dns/a/tcp/1/tls/http");
    w = writer_of(out, sizeof out);
    multiaddr_normalize(addr("/dns/a/tcp/1/tls/ws"), &w);
    assert_text(writer_view(&w), "/dns/a/tcp/1/tls/ws");
}

/* ---- scope and kind ------------------------------------------------------------------------ */

static const struct {
    const char *name;
    enum multiaddr_scope scope;
} SCOPES[] = {
    {"/ip4/127.0.0.1/tcp/1", SCOPE_LOOPBACK},
    {"/ip4/127.255.255.254/tcp/1", SCOPE_LOOPBACK},
    {"/ip4/126.255.255.255/tcp/1", SCOPE_PUBLIC},
    {"/ip4/0.0.0.0/tcp/1", SCOPE_NONE},
    {"/ip4/10.0.0.1/tcp/1", SCOPE_PRIVATE},
    {"/ip4/11.0.0.1/tcp/1", SCOPE_PUBLIC},
    {"/ip4/172.15.0.1/tcp/1", SCOPE_PUBLIC},
    {"/ip4/172.16.0.1/tcp/1", SCOPE_PRIVATE},
    {"/ip4/172.31.255.255/tcp/1", SCOPE_PRIVATE},
    {"/ip4/172.32.0.1/tcp/1", SCOPE_PUBLIC},
    {"/ip4/192.168.1.1/tcp/1", SCOPE_PRIVATE},
    {"/ip4/192.169.1.1/tcp/1", SCOPE_PUBLIC},
    {"/ip4/169.254.1.1/tcp/1", SCOPE_PRIVATE},
    {"/ip4/100.63.255.255/tcp/1", SCOPE_PUBLIC},
    {"/ip4/100.64.0.1/tcp/1", SCOPE_PRIVATE},
    {"/ip4/100.128.0.1/tcp/1", SCOPE_PUBLIC},
    {"/ip6/::/tcp/1", SCOPE_NONE},
    {"/ip6/::1/tcp/1", SCOPE_LOOPBACK},
    {"/ip6/::2/tcp/1", SCOPE_PUBLIC},
    {"/ip6/::ffff:127.0.0.1/tcp/1", SCOPE_LOOPBACK},
    {"/ip6/::ffff:10.1.2.3/tcp/1", SCOPE_PRIVATE},
    {"/ip6/::ffff:8.8.8.8/tcp/1", SCOPE_PUBLIC},
    {"/ip6/fc00::1/tcp/1", SCOPE_PRIVATE},
    {"/ip6/fdff::1/tcp/1", SCOPE_PRIVATE},
    {"/ip6/fe00::1/tcp/1", SCOPE_PUBLIC},
    {"/ip6/fe80::1/tcp/1", SCOPE_PRIVATE},
    {"/ip6/febf::1/tcp/1", SCOPE_PRIVATE},
    {"/ip6/fec0::1/tcp/1", SCOPE_PUBLIC},
    {"/ip6/2001:db8::1/tcp/1", SCOPE_PUBLIC},
    {"/ip6zone/eth0/ip6/fe80::1/tcp/1", SCOPE_PRIVATE},
    {"/ip6zone/eth0", SCOPE_NONE},
    {"/dns4/localhost/tcp/1", SCOPE_LOOPBACK},
    {"/dns/LocalHost./tcp/1", SCOPE_LOOPBACK},
    {"/dns6/a.localhost/tcp/1", SCOPE_LOOPBACK},
    {"/dns/notlocalhost/tcp/1", SCOPE_PUBLIC},
    {"/dns/localhost.example/tcp/1", SCOPE_PUBLIC},
    {"/dns/printer.local/tcp/1", SCOPE_PRIVATE},
    {"/dnsaddr/bootstrap.libp2p.io", SCOPE_PUBLIC},
    {"/ip4/127.0.0.1/tcp/1/ws/p2p/" RELAY "/p2p-circuit/p2p/" KEY1, SCOPE_LOOPBACK},
    {"/p2p/" KEY1, SCOPE_NONE},
    {"/webrtc/p2p/" KEY1, SCOPE_NONE},
};

static void test_scopes(void **state)
{
    (void)state;
    EACH_ROW(i, SCOPES) {
        struct view a = addr(SCOPES[i].name);
        assert_int_equal(multiaddr_scope(a), SCOPES[i].scope);
        assert_int_equal(multiaddr_is_loopback(a), SCOPES[i].scope == SCOPE_LOOPBACK);
        assert_int_equal(multiaddr_is_private(a), SCOPES[i].scope == SCOPE_PRIVATE);
        assert_int_equal(multiaddr_is_public(a), SCOPES[i].scope == SCOPE_PUBLIC);
    }
}

#define C1 "/certhash/" HASH
#define C2 "/certhash/" HASH2

static const struct {
    const char *name;
    enum multiaddr_kind kind;
} KINDS[] = {
    {"/ip4/1.2.3.4/tcp/80/ws", ADDR_WEBSOCKET},
    {"/ip6/::1/tcp/80/ws/p2p/" KEY1, ADDR_WEBSOCKET},
    {"/dns4/a/tcp/80/ws", ADDR_WEBSOCKET},
    {"/dns/a/ws", ADDR_WEBSOCKET},
    {"/dns6/a/tcp/443/wss", ADDR_SECURE_WEBSOCKET},
    {"/dns4/a/wss/p2p/" KEY1, ADDR_SECURE_WEBSOCKET},
    {"/dns4/a/tcp/443/tls/ws", ADDR_SECURE_WEBSOCKET},
    {"/ip4/1.2.3.4/tcp/4001/tls/sni/a.example/ws/p2p/" KEY1, ADDR_SECURE_WEBSOCKET},
    {"/dns4/a/tcp/443/tls/wss", ADDR_OTHER},
    {"/dns4/a/tcp/443/sni/a/ws", ADDR_OTHER},
    {"/dns4/a/tcp/443/tls/sni/a", ADDR_OTHER},
    {"/dns4/a/tcp/443/ws/http-path/x", ADDR_WEBSOCKET},
    {"/dns4/a/tcp/443/wss/http-path/x%2Fy/p2p/" KEY1, ADDR_SECURE_WEBSOCKET},
    {"/dns4/a/tcp/443/tls/sni/b/ws/http-path/x", ADDR_SECURE_WEBSOCKET},
    {"/dns4/a/tcp/443/ws/p2p/" KEY1 "/http-path/x", ADDR_OTHER},
    {"/dns4/a/tcp/443/tls/http-path/x", ADDR_OTHER},
    {"/dns4/a/tcp/443/wss/ws", ADDR_OTHER},
    {"/dnsaddr/a/tcp/443/wss", ADDR_OTHER},
    {"/tcp/80/ws", ADDR_OTHER},
    {"/ip4/1.2.3.4/udp/80/ws", ADDR_OTHER},
    {"/ip4/1.2.3.4/tcp/80", ADDR_OTHER},
    {"/ip4/1.2.3.4/udp/1/quic-v1", ADDR_OTHER},
    {"/ip4/1.2.3.4/udp/1/quic-v1/webtransport" C1, ADDR_WEBTRANSPORT},
    {"/dns4/a/udp/1/quic-v1/webtransport" C1 C2 "/p2p/" KEY1, ADDR_WEBTRANSPORT},
    {"/ip4/1.2.3.4/udp/1/quic-v1/webtransport", ADDR_OTHER},
    {"/ip4/1.2.3.4/udp/1/quic-v1/webtransport" C1 C2 C1, ADDR_OTHER},
    {"/ip4/1.2.3.4/udp/1/quic/webtransport" C1, ADDR_OTHER},
    {"/ip4/1.2.3.4/tcp/1/quic-v1/webtransport" C1, ADDR_OTHER},
    {"/ip4/1.2.3.4/udp/1/webrtc-direct" C1, ADDR_WEBRTC_DIRECT},
    {"/ip6/::1/udp/1/webrtc-direct" C1 C2 "/p2p/" KEY1, ADDR_WEBRTC_DIRECT},
    {"/ip4/1.2.3.4/udp/1/webrtc-direct", ADDR_OTHER},
    {"/dns4/a/udp/1/webrtc-direct" C1, ADDR_OTHER},
    {"/ip4/1.2.3.4/udp/1/webrtc-direct" C1 "/ws", ADDR_OTHER},
    {THROUGH "/p2p-circuit", ADDR_CIRCUIT},
    {THROUGH "/p2p-circuit/p2p/" KEY1, ADDR_CIRCUIT},
    {"/p2p-circuit/p2p/" KEY1, ADDR_CIRCUIT},
    {THROUGH "/p2p-circuit/webrtc", ADDR_WEBRTC},
    {THROUGH "/p2p-circuit/webrtc/p2p/" KEY1, ADDR_WEBRTC},
    {"/webrtc", ADDR_WEBRTC},
    {"/webrtc/p2p/" KEY1, ADDR_WEBRTC},
    {THROUGH "/p2p-circuit/p2p/" KEY1 "/p2p-circuit", ADDR_OTHER},
    {"/webrtc/ws", ADDR_OTHER},
    {"/p2p/" KEY1, ADDR_OTHER},
};

static void test_kinds(void **state)
{
    (void)state;
    EACH_ROW(i, KINDS)
        assert_int_equal(multiaddr_kind(addr(KINDS[i].name)), KINDS[i].kind);
}

/* Nothing here trusts that the address was checked. */
static void test_garbage(void **state)
{
    (void)state;
    uint64_t seed = 1;
    struct rng rng = test_rng(&seed);
    for (int i = 0; i < 20000; i++) {
        static const char *const PIECES[] = {"04",   "7f000001", "06",   "a202",
                                             "9902", "a503",     "2412", "d203",
                                             "dd03", "36",       "2a",   "910204d2"};
        uint8_t bytes[64], out[1024];
        struct writer w = writer_of(bytes, sizeof bytes);
        for (uint32_t n = rng_below(&rng, 6); n > 0; n--) {
            struct view piece = hex(PIECES[rng_below(&rng, ARRAY_LEN(PIECES))]);
            put(&w, piece);
            if (rng_below(&rng, 4) == 0)
                put_u8(&w, (uint8_t)rng_u32(&rng));
        }
        struct view a = writer_view(&w);
        struct writer text = writer_of(out, sizeof out);
        struct multiaddr_circuit circuit;
        struct peer_id id;
        bool good = multiaddr_check(a) == 0;
        if (multiaddr_kind(a) != ADDR_OTHER || multiaddr_relay(a, &circuit) == 0 ||
            multiaddr_peer(a, &id) == 0)
            assert_true(a.len > 0);
        multiaddr_normalize(a, &text);
        int rc = multiaddr_format(a, &text);
        if (good)
            assert_ok(rc);
        the_test()->arena_used = 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_and_bytes),
        cmocka_unit_test(test_bytes_of_other_implementations),
        cmocka_unit_test(test_text_of_other_implementations),
        cmocka_unit_test(test_bad_text_of_other_implementations),
        cmocka_unit_test(test_bad_bytes_of_other_implementations),
        cmocka_unit_test(test_bad_bytes),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_too_little_room),
        cmocka_unit_test(test_text_is_appended),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_host_as_text),
        cmocka_unit_test(test_find_first_and_last),
        cmocka_unit_test(test_peer_is_the_last_one),
        cmocka_unit_test(test_circuits),
        cmocka_unit_test(test_normalize),
        cmocka_unit_test(test_scopes),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_garbage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

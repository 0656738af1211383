/* What an address means to a browser: URL, transport, permission. */
#include "test.h"

#include "crypto/crypto.h"
#include "transport/transport.h"

#define R "/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"
/* Their digests are those of section "WebRTC Direct" of the specification: DIGEST1, DIGEST2. */
#define C1 "/certhash/uEiA-ea9A1gWWF6DYO4OlLOc7DB83pyxgQ60paeI1G9yocA"
#define SHA1 "/certhash/uERQAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define C2 "/certhash/uEiAw_J9GnCB0Gd_dCqtfJ6hslzyU5AVI25N1zKLpFZc7mQ"
#define DIGEST1 "3e79af40d6059617a0d83b83a52ce73b0c1f37a72c6043ad2969e2351bdca870"
#define DIGEST2 "30fc9f469c207419dfdd0aab5f27a86c973c94e40548db9375cca2e915973b99"
#define T "/p2p/12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq"

static struct view address(const char *text)
{
    static uint8_t bytes[MULTIADDR_MAX_LEN];
    struct writer w = writer_of(bytes, sizeof bytes);
    struct multiaddr_fault fault;
    if (multiaddr_parse_text(view_of_text(text), &w, &fault) != 0)
        fail_msg("%s: %s", text, fault.text);
    return writer_view(&w);
}

static void test_urls(void **state)
{
    (void)state;
    static const struct {
        const char *name, *url;
    } CASES[] = {
        {"/ip4/127.0.0.1/tcp/9001/ws", "ws://127.0.0.1:9001/"},
        {"/ip4/192.0.2.1/tcp/80/ws" R, "ws://192.0.2.1/"},
        {"/dns4/example.com/tcp/443/tls/ws", "wss://example.com/"},
        {"/dns/example.com/tcp/4001/wss", "wss://example.com:4001/"},
        {"/dns/example.com/wss", "wss://example.com/"},
        {"/ip6/2001:db8::1/tcp/8443/tls/ws", "wss://[2001:db8::1]:8443/"},
        {"/ip4/192.0.2.1/tcp/4001/tls/sni/a.libp2p.direct/ws", "wss://a.libp2p.direct:4001/"},
        {"/ip6/2001:db8::1/tcp/443/tls/sni/a.libp2p.direct/ws" T, "wss://a.libp2p.direct/"},
        {"/dns4/example.com/tcp/443/wss/http-path/foo%2Fbar" T, "wss://example.com/foo/bar"},
        {"/dns6/example.com/tcp/80/ws/http-path/%2Ffoo%3Fbar%23%20b%2F",
         "ws://example.com/foo%3Fbar%23%20b/"},
        {"/dns4/example.com/tcp/4001/tls/sni/a.b/ws/http-path/..%2Fx", "wss://a.b:4001/../x"},
        {"/ip4/192.0.2.1/udp/4001/quic-v1/webtransport" C1 C2 T,
         "https://192.0.2.1:4001/.well-known/libp2p-webtransport?type=noise"},
        {"/ip6/2001:db8::1/udp/443/quic-v1/webtransport" C1,
         "https://[2001:db8::1]/.well-known/libp2p-webtransport?type=noise"},
        {"/dns4/example.com/udp/4433/quic-v1/webtransport" C1 T,
         "https://example.com:4433/.well-known/libp2p-webtransport?type=noise"},
    };
    EACH_ROW(i, CASES) {
        unsigned rank;
        struct view addr = address(CASES[i].name);
        const struct transport_ops *t = transport_of(addr, PEERLET_ALL, &rank);
        assert_non_null(t);
        uint8_t url[TRANSPORT_URL_MAX];
        struct writer w = writer_of(url, sizeof url);
        assert_ok(t->url(addr, &w));
        assert_view_text(writer_view(&w), CASES[i].url);
    }
}

static void test_url_without_room(void **state)
{
    (void)state;
    uint8_t url[8];
    struct writer w = writer_of(url, sizeof url);
    assert_true(TRANSPORT_WEBSOCKET.url(address("/ip4/127.0.0.1/tcp/9001/ws"), &w) < 0);
}

static void test_certhashes(void **state)
{
    (void)state;
    static const struct {
        const char *name, *digests;
    } CASES[] = {
        {"/ip4/192.0.2.1/udp/1/quic-v1/webtransport" C1, DIGEST1},
        {"/ip4/192.0.2.1/udp/1/quic-v1/webtransport" C2 C1 T, DIGEST2 DIGEST1},
        {"/ip4/192.0.2.1/udp/1/webrtc-direct" SHA1 C2, DIGEST2},
        {"/ip4/192.0.2.1/udp/1/webrtc-direct" SHA1, NULL},
        {"/ip4/192.0.2.1/tcp/1/ws", NULL},
    };
    EACH_ROW(i, CASES) {
        uint8_t bytes[2 * CERTHASH_LEN];
        struct writer w = writer_of(bytes, sizeof bytes);
        int rc = transport_certhashes(address(CASES[i].name), &w);
        assert_code(rc, CASES[i].digests ? 0 : ERR_BAD_MULTIADDR);
        if (rc == 0)
            assert_view_hex(writer_view(&w), CASES[i].digests);
    }
    struct writer none = writer_of(NULL, 0);
    assert_true(transport_certhashes(address(CASES[0].name), &none) < 0);
}

/* The specification's own example. */
static void test_webrtc_direct(void **state)
{
    (void)state;
    uint8_t fingerprint[CERTHASH_LEN], bytes[128];
    memcpy(fingerprint, hex(DIGEST1).data, sizeof fingerprint);
    struct writer w = writer_of(bytes, sizeof bytes);
    assert_ok(webrtc_direct_prologue(address("/ip4/192.0.2.1/udp/4001/webrtc-direct" C2 T),
                                     fingerprint, &w));
    assert_view_hex(writer_view(&w), "6c69627032702d7765627274632d6e6f6973653a"
                                     "1220" DIGEST1 "1220" DIGEST2);
    w = writer_of(bytes, 32);
    assert_true(webrtc_direct_prologue(address("/ip4/192.0.2.1/udp/4001/webrtc-direct" C2),
                                       fingerprint, &w) < 0);
    w = writer_of(bytes, sizeof bytes);
    assert_ok(webrtc_direct_candidate(address("/ip6/2001:db8::1/udp/4001/webrtc-direct" C2), &w));
    assert_view_text(writer_view(&w),
                     "candidate:1467250027 1 UDP 1467250027 2001:db8::1 4001 typ host");
    w = writer_of(bytes, 20);
    assert_true(webrtc_direct_candidate(address("/ip4/192.0.2.1/udp/1/webrtc-direct" C2), &w) < 0);
}

static void test_best_first(void **state)
{
    (void)state;
    static const char *const ORDER[] = {
        "/dnsaddr/example.com" T,
        "/dns4/example.com/tcp/443/tls/ws" T,
        "/ip4/127.0.0.1/tcp/9001/ws" T,
        "/ip4/127.0.0.1/udp/9001/quic-v1/webtransport" C1 T,
        "/ip4/127.0.0.1/udp/9001/webrtc-direct" C1 T,
        "/ip4/127.0.0.1/tcp/9001/ws" R "/p2p-circuit/webrtc" T,
        "/ip4/127.0.0.1/tcp/9001/ws" R "/p2p-circuit" T,
    };
    unsigned last = 0;
    for (size_t i = 0; i < ARRAY_LEN(ORDER); i++) {
        unsigned rank = 0;
        assert_non_null(transport_of(address(ORDER[i]), PEERLET_ALL, &rank));
        assert_true(i == 0 || rank > last);
        last = rank;
    }
}

static void test_permissions(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t page;
        bool relay_is_up;
        int code;
    } CASES[] = {
        {"/ip4/127.0.0.1/tcp/1/ws", PEERLET_PAGE_PRIVATE, false, 0},
        {"/ip4/127.0.0.1/tcp/1/ws", 0, false, ERR_DENIED},
        {"/ip4/192.168.1.2/tcp/1/ws", 0, false, ERR_DENIED},
        {"/ip4/192.168.1.2/tcp/1/ws", PEERLET_PAGE_ANY, false, 0},
        {"/ip4/192.0.2.1/tcp/1/ws", 0, false, 0},
        {"/ip4/192.0.2.1/tcp/1/ws", PEERLET_PAGE_SECURE, false, ERR_DENIED},
        {"/ip4/127.0.0.1/tcp/1/ws", PEERLET_PAGE_SECURE | PEERLET_PAGE_PRIVATE, false, 0},
        {"/dns4/example.com/tcp/443/tls/ws", PEERLET_PAGE_SECURE, false, 0},
        {"/dns4/1.example.com/tcp/443/tls/ws", 0, false, 0},
        {"/dns4/xn--bcher-kva.example/tcp/443/tls/ws", 0, false, 0},
        {"/dns4/b\xc3\xbc"
         "cher.example/tcp/443/tls/ws",
         0, false, ERR_NO_ADDRESS},
        {"/dns4/b\xfc"
         "cher.example/tcp/443/tls/ws",
         PEERLET_PAGE_ANY, false, ERR_NO_ADDRESS},
        {"/ip4/192.0.2.1/tcp/443/tls/sni/b\xc3\xbc"
         "cher.example/ws",
         0, false, ERR_NO_ADDRESS},
        {"/dns4/127.0.0.1/tcp/443/tls/ws", 0, false, ERR_DENIED},
        {"/dns4/192.168.1.1/tcp/443/tls/ws", 0, false, ERR_DENIED},
        {"/dns4/192.0.2.1/tcp/443/tls/ws", 0, false, 0},
        {"/dns4/2130706433/tcp/443/tls/ws", 0, false, ERR_NO_ADDRESS},
        {"/dns4/127.1./tcp/443/tls/ws", 0, false, ERR_NO_ADDRESS},
        {"/dns4/a.0x7f000001/tcp/443/tls/ws", 0, false, ERR_NO_ADDRESS},
        {"/ip4/192.0.2.1/tcp/443/tls/sni/localhost/ws", 0, false, ERR_DENIED},
        {"/ip4/192.0.2.1/tcp/443/tls/sni/10.0.0.1/ws", 0, false, ERR_DENIED},
        {"/ip4/192.0.2.1/tcp/443/tls/sni/example.com/ws", 0, false, 0},
        {"/dnsaddr/example.com", PEERLET_PAGE_SECURE, false, 0},
        {"/dnsaddr/example.com" T, 0, false, 0},
        {"/dnsaddr/example.com" R "/p2p-circuit" T, 0, false, 0},
        {"/dnsaddr/relay.local" R "/p2p-circuit" T, 0, false, ERR_DENIED},
        {"/dnsaddr/example.com/tcp/443/tls/ws", 0, false, ERR_NO_ADDRESS},
        {"/dnsaddr/b\xc3\xbc"
         "cher.example",
         0, false, ERR_NO_ADDRESS},
        {"/ip4/192.0.2.1/tcp/1", 0, false, ERR_NO_ADDRESS},
        {"/ip4/192.0.2.1/udp/1/quic-v1", 0, false, ERR_NO_ADDRESS},
        {"/ip4/192.0.2.1/udp/1/quic-v1/webtransport" C1, PEERLET_PAGE_SECURE, false, 0},
        {"/ip4/192.168.1.2/udp/1/quic-v1/webtransport" C1, 0, false, ERR_DENIED},
        {"/ip4/192.0.2.1/udp/1/quic-v1/webtransport", 0, false, ERR_NO_ADDRESS},
        {"/ip4/192.0.2.1/udp/1/webrtc-direct" C1, PEERLET_PAGE_SECURE, false, 0},
        {"/ip4/127.0.0.1/udp/1/webrtc-direct" C1, 0, false, ERR_DENIED},
        {"/dns4/example.com/udp/1/webrtc-direct" C1, 0, false, ERR_NO_ADDRESS},
        {"/ip4/192.0.2.1/udp/1/quic-v1/webtransport" C1 R "/p2p-circuit" T, 0, false, 0},
        {"/webrtc" T, 0, false, ERR_NO_ADDRESS},
        {"/p2p-circuit" T, 0, false, ERR_NO_ADDRESS},
        {"/ip4/127.0.0.1/tcp/1/ws" R "/p2p-circuit" T, 0, false, ERR_DENIED},
        {"/ip4/127.0.0.1/tcp/1/ws" R "/p2p-circuit" T, 0, true, 0},
        {"/ip4/192.0.2.1/tcp/1" R "/p2p-circuit/webrtc" T, 0, false, ERR_NO_ADDRESS},
        {"/ip4/192.0.2.1/tcp/1" R "/p2p-circuit/webrtc" T, 0, true, 0},
    };
    EACH_ROW(i, CASES) {
        const char *why = NULL;
        assert_code(transport_permits(address(CASES[i].name), PEERLET_ALL, CASES[i].page,
                                      CASES[i].relay_is_up, &why),
                    CASES[i].code);
        assert_true(CASES[i].code == 0 || (why != NULL && strlen(why) > 20));
    }
}

static void test_services_switch_transports(void **state)
{
    (void)state;
    unsigned rank;
    struct view addr = address("/ip4/127.0.0.1/tcp/9001/ws");
    assert_null(transport_of(addr, PEERLET_ALL & ~(uint32_t)PEERLET_WEBSOCKET, &rank));
    assert_non_null(transport_of(addr, PEERLET_WEBSOCKET, &rank));
}

static int begin(void **state)
{
    (void)state;
    crypto_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_url_without_room),
        cmocka_unit_test(test_certhashes),
        cmocka_unit_test(test_webrtc_direct),
        cmocka_unit_test(test_best_first),
        cmocka_unit_test(test_permissions),
        cmocka_unit_test(test_services_switch_transports),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}

/* What an address means to a browser: URL, transport, permission. */
#include "test.h"

#include "crypto/crypto.h"
#include "transport/transport.h"

#define R "/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"
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

static void test_best_first(void **state)
{
    (void)state;
    static const char *const ORDER[] = {
        "/dns4/example.com/tcp/443/tls/ws" T,
        "/ip4/127.0.0.1/tcp/9001/ws" T,
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
        {"/ip4/192.0.2.1/tcp/1", 0, false, ERR_NO_ADDRESS},
        {"/ip4/192.0.2.1/udp/1/quic-v1", 0, false, ERR_NO_ADDRESS},
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
        cmocka_unit_test(test_best_first),
        cmocka_unit_test(test_permissions),
        cmocka_unit_test(test_services_switch_transports),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}

#include "framed.h"

#include "protocols/peer_discovery.h"

/* KEY1 of the Peer ID specification. */
#define KEY1 "080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"
#define LOCAL "047f000001062328dd03" /* /ip4/127.0.0.1/tcp/9000/ws */
#define REMOTE "0401020304060bb8"    /* /ip4/1.2.3.4/tcp/3000 */
#define ROOM 4

static const struct {
    const char *name, *bytes;
    int code;
    size_t over;
    const char *addresses[ROOM];
} CASES[] = {
    {"the vector", "0a{" KEY1 "} 12{" LOCAL "}", 0, 0, {LOCAL}},
    {"no address", "0a{" KEY1 "}", 0, 0, {NULL}},
    {"in another order", "12{" LOCAL "} 0a{" KEY1 "} 12{" REMOTE "}", 0, 0, {LOCAL, REMOTE}},
    {"unknown fields", "1a{61} 2001 0a{" KEY1 "} 12{" LOCAL "}", 0, 0, {LOCAL}},
    {"bad addresses", "0a{" KEY1 "} 12{} 12{ff} 12{047f} 12{" LOCAL "}", 0, 0, {LOCAL}},
    {"more than the room",
     "0a{" KEY1 "} 12{" LOCAL "} 12{" REMOTE "} 12{" LOCAL "} 12{" REMOTE "} 12{" LOCAL "} 12{}",
     0,
     2,
     {LOCAL, REMOTE, LOCAL, REMOTE}},
    {"no key", "12{" LOCAL "}", ERR_BAD_KEY, 0, {NULL}},
    {"an empty key", "0a{} 12{" LOCAL "}", ERR_BAD_KEY, 0, {NULL}},
    {"a key that is none", "0a{0801}", ERR_BAD_KEY, 0, {NULL}},
    {"nothing", "", ERR_BAD_KEY, 0, {NULL}},
    {"no protobuf", "ffff", ERR_BAD_MESSAGE, 0, {NULL}},
    {"a field past the end", "0aff", ERR_BAD_MESSAGE, 0, {NULL}},
};

static void test_parse(void **state)
{
    (void)state;
    EACH_ROW(i, CASES) {
        struct view at[ROOM];
        struct views addresses = {.at = at, .room = ROOM};
        struct peer_id peer;
        assert_code(
            peer_discovery_parse(framed(CASES[i].bytes), &PEERLET_LIMITS, &peer, &addresses),
            CASES[i].code);
        if (CASES[i].code < 0)
            continue;
        assert_view_hex(peer_id_view(&peer), "0024" KEY1);
        assert_int_equal(addresses.over, CASES[i].over);
        size_t n = 0;
        for (; n < ROOM && CASES[i].addresses[n] != NULL; n++)
            assert_view_hex(addresses.at[n], CASES[i].addresses[n]);
        assert_int_equal(addresses.count, n);
    }
}

static void test_append(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct buf out;
    struct view at[] = {hex(LOCAL)};
    struct views addresses = {at, 1, 1, 0};
    buf_init(&out, &mem, 50);
    assert_ok(peer_discovery_append(&out, hex(KEY1), &addresses));
    assert_view_hex(buf_view(&out), "0a24" KEY1 "120a" LOCAL);
    assert_code(peer_discovery_append(&out, hex(KEY1), &addresses), ERR_FULL);
    assert_int_equal(out.len, 50);
    buf_free(&out);

    mem.fail_nth = mem.calls + 1;
    assert_code(peer_discovery_append(&out, hex(KEY1), &addresses), ERR_NOMEM);
    assert_mem_empty(&mem);
}

static void test_size_is_limited(void **state)
{
    (void)state;
    struct peerlet_limits limits = PEERLET_LIMITS;
    struct view at[ROOM];
    struct views addresses = {.at = at, .room = ROOM};
    struct peer_id peer;
    struct view announcement = framed(CASES[0].bytes);
    limits.message = announcement.len;
    assert_ok(peer_discovery_parse(announcement, &limits, &peer, &addresses));
    limits.message--;
    assert_code(peer_discovery_parse(announcement, &limits, &peer, &addresses), ERR_TOO_BIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_append),
        cmocka_unit_test(test_size_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "test.h"

#include "vectors_wire.h"
#include "wire/yamux_frame.h"

static const struct {
    const char *name, *bytes;
    struct yamux_header header;
} HEADERS[] = {
    {"open 1", "000100010000000100000000", {0, YAMUX_TYPE_WINDOW, YAMUX_FLAG_SYN, 1, 0}},
    {"accept 1", "000100020000000100000000", {0, YAMUX_TYPE_WINDOW, YAMUX_FLAG_ACK, 1, 0}},
    {"five bytes on 1", "000000000000000100000005", {0, YAMUX_TYPE_DATA, 0, 1, 5}},
    {"open 2 with a byte", "000000010000000200000001", {0, YAMUX_TYPE_DATA, YAMUX_FLAG_SYN, 2, 1}},
    {"FIN on 1", "000100040000000100000000", {0, YAMUX_TYPE_WINDOW, YAMUX_FLAG_FIN, 1, 0}},
    {"RST on 1", "000100080000000100001001", {0, YAMUX_TYPE_WINDOW, YAMUX_FLAG_RST, 1, 0x1001}},
    {"credit on 1", "000100000000000100020000", {0, YAMUX_TYPE_WINDOW, 0, 1, 131072}},
    {"ping", "000200010000000000000007", {0, YAMUX_TYPE_PING, YAMUX_FLAG_SYN, 0, 7}},
    {"pong", "000200020000000000000007", {0, YAMUX_TYPE_PING, YAMUX_FLAG_ACK, 0, 7}},
    {"goaway", "000300000000000000000000", {0, YAMUX_TYPE_GOAWAY, 0, 0, YAMUX_NORMAL}},
    {"goaway, error",
     "000300000000000000000001",
     {0, YAMUX_TYPE_GOAWAY, 0, 0, YAMUX_PROTOCOL_ERROR}},
    {"all bits", "ffffffffffffffffffffffff", {0xff, 0xff, 0xffff, UINT32_MAX, UINT32_MAX}},
};

static void check(const char *digits, const struct yamux_header *expected)
{
    struct view bytes = hex(digits);
    assert_int_equal(bytes.len, YAMUX_HEADER_LEN);
    struct yamux_header h = yamux_header_parse(bytes.data);
    assert_int_equal(h.version, expected->version);
    assert_int_equal(h.type, expected->type);
    assert_int_equal(h.flags, expected->flags);
    assert_int_equal(h.id, expected->id);
    assert_int_equal(h.len, expected->len);
    uint8_t again[YAMUX_HEADER_LEN];
    struct writer w = writer_of(again, sizeof again);
    yamux_header_put(&w, &h);
    assert_view_equal(writer_view(&w), bytes);
}

static void test_headers(void **state)
{
    (void)state;
    EACH_ROW(i, HEADERS)
        check(HEADERS[i].bytes, &HEADERS[i].header);
}

static void test_headers_of_nim(void **state)
{
    (void)state;
    static const struct yamux_header EXPECTED[] = {
        {0, YAMUX_TYPE_DATA, YAMUX_FLAG_SYN, 1, 100},
        {0, YAMUX_TYPE_WINDOW, YAMUX_FLAG_SYN, 5, 1000},
        {0, YAMUX_TYPE_PING, YAMUX_FLAG_SYN, 0, 0x12345678},
        {0, YAMUX_TYPE_GOAWAY, 0, 0, YAMUX_PROTOCOL_ERROR},
    };
    assert_int_equal(ARRAY_LEN(YAMUX_HEADERS), ARRAY_LEN(EXPECTED));
    EACH_ROW(i, YAMUX_HEADERS)
        check(YAMUX_HEADERS[i].bytes, &EXPECTED[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_headers_of_nim),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

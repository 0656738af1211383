#include "multiformats/ip.h"

#include "test.h"

/* `bytes` is null for what is no address; `written` is null when it is written as it was read. */
static const struct {
    const char *name, *bytes, *written;
} IP4[] =
    {
        {"0.0.0.0", "00000000", NULL},
        {"192.0.2.1", "c0000201", NULL},
        {"255.255.255.255", "ffffffff", NULL},
        {"", NULL, NULL},
        {"1.2.3", NULL, NULL},
        {"1.2.3.4.5", NULL, NULL},
        {"1.2.3.", NULL, NULL},
        {"1..3.4", NULL, NULL},
        {"256.0.0.1", NULL, NULL},
        {"1.2.3.04", NULL, NULL},
        {"1.2.3.00", NULL, NULL},
        {"+1.2.3.4", NULL, NULL},
        {"1.2.3.4 ", NULL, NULL},
        {"1.2.3.99999999999999999999", NULL, NULL},
        {"0x1.2.3.4", NULL, NULL},
        {"a.2.3.4", NULL, NULL},
},
  IP6[] = {
      {"::", "00000000000000000000000000000000", NULL},
      {"::1", "00000000000000000000000000000001", NULL},
      {"1::", "00010000000000000000000000000000", NULL},
      {"2001:db8::1", "20010db8000000000000000000000001", NULL},
      {"2001:DB8:0:0:0:0:0:01", "20010db8000000000000000000000001", "2001:db8::1"},
      {"2001:db8:0:1:1:1:1:1", "20010db8000000010001000100010001", NULL},
      {"2001:db8::1:1:1:1:1", "20010db8000000010001000100010001", "2001:db8:0:1:1:1:1:1"},
      {"2001:0:0:1:0:0:0:1", "20010000000000010000000000000001", "2001:0:0:1::1"},
      {"2001:db8:0:0:1:0:0:1", "20010db8000000000001000000000001", "2001:db8::1:0:0:1"},
      {"1:2:3:4:5:6:7:8", "00010002000300040005000600070008", NULL},
      {"1:2:3:4:5:6:7::", "00010002000300040005000600070000", "1:2:3:4:5:6:7:0"},
      {"::2:3:4:5:6:7:8", "00000002000300040005000600070008", "0:2:3:4:5:6:7:8"},
      {"::ffff:192.0.2.1", "00000000000000000000ffffc0000201", NULL},
      {"::FFFF:C000:201", "00000000000000000000ffffc0000201", "::ffff:192.0.2.1"},
      {"64:ff9b::192.0.2.33", "0064ff9b0000000000000000c0000221", "64:ff9b::c000:221"},
      {"1:2:3:4:5:6:192.0.2.1", "000100020003000400050006c0000201", "1:2:3:4:5:6:c000:201"},
      {"", NULL, NULL},
      {":", NULL, NULL},
      {":::", NULL, NULL},
      {"1", NULL, NULL},
      {"1:2:3:4:5:6:7", NULL, NULL},
      {"1:2:3:4:5:6:7:8:9", NULL, NULL},
      {"1:2:3:4:5:6:7:8:", NULL, NULL},
      {":1:2:3:4:5:6:7:8", NULL, NULL},
      {"1:2:3:4::5:6:7:8", NULL, NULL},
      {"1::2::3", NULL, NULL},
      {"1:::2", NULL, NULL},
      {"1:", NULL, NULL},
      {":1", NULL, NULL},
      {"12345::", NULL, NULL},
      {"00001::", NULL, NULL},
      {"g::", NULL, NULL},
      {"1.2.3.4", NULL, NULL},
      {"1.2.3.4::", NULL, NULL},
      {"::1.2.3.4:5", NULL, NULL},
      {"::1.2.3", NULL, NULL},
      {"1:2:3:4:5:6:7:192.0.2.1", NULL, NULL},
      {"fe80::1%eth0", NULL, NULL},
      {"[::1]", NULL, NULL},
      {" ::1", NULL, NULL},
};

static void test_ip4(void **state)
{
    (void)state;
    EACH_ROW(i, IP4) {
        uint8_t ip[IP4_LEN], text[64];
        struct writer w = writer_of(text, sizeof text);
        bool good = ip4_parse(view_of_text(IP4[i].name), ip);
        assert_int_equal(good, IP4[i].bytes != NULL);
        if (!good)
            continue;
        assert_view_hex(view_of(ip, sizeof ip), IP4[i].bytes);
        ip4_format(&w, ip);
        assert_view_text(writer_view(&w), IP4[i].name);
    }
}

static void test_ip6(void **state)
{
    (void)state;
    EACH_ROW(i, IP6) {
        uint8_t ip[IP6_LEN], text[64];
        struct writer w = writer_of(text, sizeof text);
        bool good = ip6_parse(view_of_text(IP6[i].name), ip);
        assert_int_equal(good, IP6[i].bytes != NULL);
        if (!good)
            continue;
        assert_view_hex(view_of(ip, sizeof ip), IP6[i].bytes);
        ip6_format(&w, ip);
        assert_view_text(writer_view(&w), IP6[i].written ? IP6[i].written : IP6[i].name);
    }
}

static void test_what_ip6_writes_it_reads(void **state)
{
    (void)state;
    uint64_t seed = 1;
    struct rng rng = test_rng(&seed);
    for (int i = 0; i < 20000; i++) {
        uint8_t ip[IP6_LEN], again[IP6_LEN], text[64];
        struct writer w = writer_of(text, sizeof text);
        rng_fill(&rng, ip, sizeof ip);
        for (size_t group = 0; group < IP6_LEN; group += 2)
            if (rng_below(&rng, 2) == 0)
                ip[group] = ip[group + 1] = 0;
        ip6_format(&w, ip);
        assert_true(ip6_parse(writer_view(&w), again));
        assert_memory_equal(ip, again, sizeof ip);
    }
}

static const struct {
    const char *name;
    int port; /* -1: none */
} PORTS[] = {
    {"0", 0},           {"1", 1},    {"443", 443}, {"65535", 65535},
    {"65536", -1},      {"", -1},    {"00", -1},   {"080", -1},
    {"-1", -1},         {"+1", -1},  {"8o", -1},   {"99999999999", -1},
    {"4294967297", -1}, {" 80", -1},
};

static void test_ports(void **state)
{
    (void)state;
    EACH_ROW(i, PORTS) {
        uint16_t port;
        uint8_t text[8];
        struct writer w = writer_of(text, sizeof text);
        bool good = port_parse(view_of_text(PORTS[i].name), &port);
        assert_int_equal(good, PORTS[i].port >= 0);
        if (!good)
            continue;
        assert_int_equal(port, PORTS[i].port);
        port_format(&w, port);
        assert_view_text(writer_view(&w), PORTS[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ip4),
        cmocka_unit_test(test_ip6),
        cmocka_unit_test(test_what_ip6_writes_it_reads),
        cmocka_unit_test(test_ports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "test.h"

#include "protocols/candidate.h"

#define CHROMIUM                                                                                   \
    "candidate:842163049 1 udp 1677729535 203.0.113.7 54321 typ srflx raddr 0.0.0.0 rport 0 "      \
    "generation 0 ufrag 39AH network-cost 999"
#define MDNS                                                                                       \
    "candidate:1191081017 1 udp 2113937151 11e8c070-13e3-4270-9faa-d39303a92c4e.local 55289 "      \
    "typ host generation 0 network-cost 999"
#define FIREFOX_TCP "candidate:6 1 TCP 2105524479 192.168.1.4 9 typ host tcptype active"
#define NODE "candidate:1 1 UDP 2122317823 192.168.1.119 59405 typ host"

static const struct {
    const char *name, *line;
    bool valid;
} LINES[] = {
    {"Chromium, through STUN", CHROMIUM, true},
    {"Chromium, behind mDNS", MDNS, true},
    {"Firefox, TCP that only connects", FIREFOX_TCP, true},
    {"libdatachannel", NODE, true},
    {"IPv6", "candidate:1 1 udp 1 2001:db8::7 51234 typ host", true},
    {"IPv6 with IPv4", "candidate:1 1 udp 1 ::ffff:192.0.2.1 51234 typ host", true},
    {"relay", "candidate:a/+Z 1 udp 1 192.0.2.1 51234 typ relay raddr 192.0.2.2 rport 7", true},
    {"TCP that listens", "candidate:1 1 tcp 1 192.0.2.1 51234 typ host tcptype passive", true},
    {"lowest port", "candidate:1 1 udp 1 192.0.2.1 1024 typ host", true},
    {"highest port", "candidate:1 1 udp 1 192.0.2.1 65535 typ host", true},
    {"highest priority", "candidate:1 1 udp 4294967295 192.0.2.1 51234 typ host", true},

    {"empty", "", false},
    {"no prefix", "1 1 udp 1 192.0.2.1 51234 typ host", false},
    {"cut short", "candidate:1 1 udp 1 192.0.2.1 51234 typ", false},
    {"cut shorter", "candidate:1 1 udp 1 192.0.2.1", false},
    {"no foundation", "candidate: 1 udp 1 192.0.2.1 51234 typ host", false},
    {"foundation of 33",
     "candidate:123456789012345678901234567890123 1 udp 1 192.0.2.1 51234 typ host", false},
    {"component 257", "candidate:1 257 udp 1 192.0.2.1 51234 typ host", false},
    {"component -1", "candidate:1 -1 udp 1 192.0.2.1 51234 typ host", false},
    {"sctp", "candidate:1 1 sctp 1 192.0.2.1 51234 typ host", false},
    {"priority past 32 bits", "candidate:1 1 udp 4294967296 192.0.2.1 51234 typ host", false},
    {"priority past 64 bits", "candidate:1 1 udp 18446744073709551617 192.0.2.1 51234 typ host",
     false},
    {"port 22", "candidate:1 1 udp 1 10.0.0.1 22 typ host", false},
    {"port 1023", "candidate:1 1 tcp 1 10.0.0.1 1023 typ host tcptype passive", false},
    {"UDP on port 9", "candidate:1 1 udp 1 10.0.0.1 9 typ host", false},
    {"port 65536", "candidate:1 1 udp 1 10.0.0.1 65536 typ host", false},
    {"port 0", "candidate:1 1 udp 1 10.0.0.1 0 typ host", false},
    {"host name", "candidate:1 1 udp 1 secret.example.com 51234 typ host", false},
    {"host name of hex digits", "candidate:1 1 udp 1 beef.cafe.de 51234 typ host", false},
    {"only a suffix", "candidate:1 1 udp 1 .local 51234 typ host", false},
    {"almost a suffix", "candidate:1 1 udp 1 notlocal 51234 typ host", false},
    {"three octets", "candidate:1 1 udp 1 192.0.2 51234 typ host", false},
    {"five octets", "candidate:1 1 udp 1 192.0.2.1.1 51234 typ host", false},
    {"octet 256", "candidate:1 1 udp 1 192.0.2.256 51234 typ host", false},
    {"zone", "candidate:1 1 udp 1 fe80::1%eth0 51234 typ host", false},
    {"type of one's own", "candidate:1 1 udp 1 192.0.2.1 51234 typ guest", false},
    {"two blanks", "candidate:1 1 udp 1 192.0.2.1 51234 typ host  generation 0", false},
    {"CR", "candidate:1 1 udp 1 192.0.2.1 51234 typ host\rm=audio 9 x y", false},
    {"LF", "candidate:1 1 udp 1 192.0.2.1 51234 typ host\na=setup:passive", false},
    {"quote", "candidate:1 1 udp 1 192.0.2.1 51234 typ host \",\"x\":\"", false},
    {"backslash", "candidate:1 1 udp 1 192.0.2.1 51234 typ host a\\u0022", false},
    {"not ASCII", "candidate:1 1 udp 1 192.0.2.1 51234 typ host \xc3\xa4", false},
};

static void test_lines(void **state)
{
    (void)state;
    EACH_ROW(i, LINES)
        assert_int_equal(candidate_is_valid(view_of_text(LINES[i].line)), LINES[i].valid);
}

#define WHOLE                                                                                      \
    "{\"candidate\":\"" NODE                                                                       \
    "\",\"sdpMid\":\"0\",\"usernameFragment\":\"39AH\",\"sdpMLineIndex\":0}"
#define BARE "{\"candidate\":\"" NODE "\",\"sdpMLineIndex\":0}"

/* What comes in, and what is written anew: null for an error, "" for the end of candidates. */
static const struct {
    const char *name, *json, *written;
} OBJECTS[] = {
    {"as written", WHOLE, WHOLE},
    {"Chromium's order",
     "{\"candidate\":\"" NODE
     "\",\"sdpMid\":\"0\",\"sdpMLineIndex\":0,\"usernameFragment\":\"39AH\"}",
     WHOLE},
    {"without mid", BARE, BARE},
    {"without anything else", "{\"candidate\":\"" NODE "\"}", BARE},
    {"nulls of node-datachannel",
     "{\"candidate\":\"" NODE
     "\",\"sdpMLineIndex\":null,\"sdpMid\":null,\"usernameFragment\":null}",
     BARE},
    {"the whole line of node-datachannel", "{\"candidate\":\"a=" NODE "\"}", BARE},
    {"white space", " {\t\"candidate\" : \"" NODE "\"\r\n,\"sdpMLineIndex\" : 0 } ", BARE},
    {"members of others",
     "{\"foundation\":\"1\",\"port\":59405,\"tcpType\":null,\"x\":true,\"y\":\"\\\"}\","
     "\"candidate\":\"" NODE "\"}",
     BARE},
    {"the last of two", "{\"candidate\":\"x\",\"candidate\":\"" NODE "\"}", BARE},

    {"the end: nothing", "", ""},
    {"the end: white space", " \n", ""},
    {"the end: null", "null", ""},
    {"the end: empty text", "\"\"", ""},
    {"the end: empty candidate", "{\"candidate\":\"\",\"sdpMid\":\"0\",\"sdpMLineIndex\":0}", ""},

    {"text", "\"x\"", NULL},
    {"number", "0", NULL},
    {"list", "[]", NULL},
    {"empty object", "{}", NULL},
    {"only a brace", "{", NULL},
    {"no candidate", "{\"sdpMid\":\"0\"}", NULL},
    {"number for candidate", "{\"candidate\":1e999}", NULL},
    {"null for candidate", "{\"candidate\":null}", NULL},
    {"second m-line", "{\"candidate\":\"" NODE "\",\"sdpMLineIndex\":1}", NULL},
    {"text for index", "{\"candidate\":\"" NODE "\",\"sdpMLineIndex\":\"0\"}", NULL},
    {"mid with blank", "{\"candidate\":\"" NODE "\",\"sdpMid\":\"0 1\"}", NULL},
    {"mid with escape", "{\"candidate\":\"" NODE "\",\"sdpMid\":\"\\u0030\"}", NULL},
    {"short fragment", "{\"candidate\":\"" NODE "\",\"usernameFragment\":\"abc\"}", NULL},
    {"fragment with line end", "{\"candidate\":\"" NODE "\",\"usernameFragment\":\"abcd\n\"}",
     NULL},
    {"escaped line end", "{\"candidate\":\"" NODE "\\r\\na=setup:passive\"}", NULL},
    {"object inside", "{\"candidate\":\"" NODE "\",\"x\":{}}", NULL},
    {"list inside", "{\"candidate\":\"" NODE "\",\"x\":[]}", NULL},
    {"comma at the end", "{\"candidate\":\"" NODE "\",}", NULL},
    {"no colon", "{\"candidate\" \"" NODE "\"}", NULL},
    {"open text", "{\"candidate\":\"" NODE, NULL},
    {"open escape", "{\"candidate\":\"\\", NULL},
    {"open object", "{\"candidate\":\"" NODE "\"", NULL},
    {"something behind", "{\"candidate\":\"" NODE "\"}x", NULL},
    {"null and more", "null,", NULL},
    {"white space behind an error", "{\"a\n \"", NULL},
};

static void assert_written(struct view json, const char *written)
{
    struct candidate candidate;
    int rc = candidate_parse(json, &candidate);
    if (written == NULL) {
        assert_code(rc, ERR_BAD_MESSAGE);
        return;
    }
    assert_ok(rc);
    uint8_t out[1024];
    struct writer w = writer_of(out, json.len + CANDIDATE_TEMPLATE_LEN);
    if (candidate.line.len > 0)
        candidate_format(&candidate, &w);
    assert_false(w.failed);
    assert_view_text(writer_view(&w), written);
}

static void test_objects(void **state)
{
    (void)state;
    EACH_ROW(i, OBJECTS)
        assert_written(view_of_text(OBJECTS[i].json), OBJECTS[i].written);
}

static void test_nul_is_no_end(void **state)
{
    (void)state;
    struct candidate candidate;
    assert_code(candidate_parse(hex("00"), &candidate), ERR_BAD_MESSAGE);
    assert_code(candidate_parse(hex("6e756c6c00"), &candidate), ERR_BAD_MESSAGE);
}

/* Cut anywhere, an object is an error or, at length 0, the end; never more. */
static void test_cut(void **state)
{
    (void)state;
    struct view whole = view_of_text(WHOLE);
    for (size_t len = 1; len < whole.len; len++) {
        struct candidate candidate;
        struct span cut = test_copy(view_of(whole.data, len));
        assert_code(candidate_parse(view_of_span(cut), &candidate), ERR_BAD_MESSAGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_objects),
        cmocka_unit_test(test_nul_is_no_end),
        cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

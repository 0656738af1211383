#include "test.h"

#include "protocols/sdp.h"

#define FINGERPRINT                                                                                \
    "C3:E7:77:52:E9:23:CE:15:19:B0:58:A2:7E:FF:66:94:CE:50:2E:D2:83:54:7F:14:68:95:3E:03:3F:50:26" \
    ":2D"
#define FINGERPRINT_LOWER                                                                          \
    "c3:e7:77:52:e9:23:ce:15:19:b0:58:a2:7e:ff:66:94:ce:50:2e:d2:83:54:7f:14:68:95:3e:03:3f:50:26" \
    ":2d"

/* createOffer of Chromium 156 with one data channel. */
#define CHROMIUM                                                                                   \
    "v=0\r\n"                                                                                      \
    "o=- 6767752613709841385 2 IN IP4 127.0.0.1\r\n"                                               \
    "s=-\r\n"                                                                                      \
    "t=0 0\r\n"                                                                                    \
    "a=group:BUNDLE 0\r\n"                                                                         \
    "a=extmap-allow-mixed\r\n"                                                                     \
    "a=msid-semantic: WMS\r\n"                                                                     \
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"                                         \
    "c=IN IP4 0.0.0.0\r\n"                                                                         \
    "a=ice-ufrag:39AH\r\n"                                                                         \
    "a=ice-pwd:zFnvD6HK1RhJZYltWKoRIZjd\r\n"                                                       \
    "a=ice-options:trickle\r\n"                                                                    \
    "a=fingerprint:sha-256 " FINGERPRINT "\r\n"                                                    \
    "a=setup:actpass\r\n"                                                                          \
    "a=mid:0\r\n"                                                                                  \
    "a=sctp-port:5000\r\n"                                                                         \
    "a=max-message-size:262144\r\n"

#define CHROMIUM_WRITTEN                                                                           \
    "v=0\r\n"                                                                                      \
    "o=- 0 0 IN IP4 127.0.0.1\r\n"                                                                 \
    "s=-\r\n"                                                                                      \
    "t=0 0\r\n"                                                                                    \
    "a=group:BUNDLE 0\r\n"                                                                         \
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"                                         \
    "c=IN IP4 0.0.0.0\r\n"                                                                         \
    "a=ice-ufrag:39AH\r\n"                                                                         \
    "a=ice-pwd:zFnvD6HK1RhJZYltWKoRIZjd\r\n"                                                       \
    "a=ice-options:trickle\r\n"                                                                    \
    "a=fingerprint:sha-256 " FINGERPRINT "\r\n"                                                    \
    "a=setup:actpass\r\n"                                                                          \
    "a=mid:0\r\n"                                                                                  \
    "a=sctp-port:5000\r\n"                                                                         \
    "a=max-message-size:262144\r\n"

/* Firefox 90 on Windows, after gathering: the fingerprint stands at session level. */
#define FIREFOX                                                                                    \
    "v=0\r\n"                                                                                      \
    "o=mozilla...THIS_IS_SDPARTA-90.0.2 3697521683269937274 0 IN IP4 0.0.0.0\r\n"                  \
    "s=-\r\n"                                                                                      \
    "t=0 0\r\n"                                                                                    \
    "a=sendrecv\r\n"                                                                               \
    "a=fingerprint:sha-256 " FINGERPRINT "\r\n"                                                    \
    "a=group:BUNDLE 0\r\n"                                                                         \
    "a=ice-options:trickle\r\n"                                                                    \
    "a=msid-semantic:WMS *\r\n"                                                                    \
    "m=application 49715 UDP/DTLS/SCTP webrtc-datachannel\r\n"                                     \
    "c=IN IP4 203.0.113.213\r\n"                                                                   \
    "a=candidate:0 1 UDP 2122187007 6e5376c2-8b34-4e8b-b3ad-013226137d7c.local 49715 typ host\r\n" \
    "a=candidate:6 1 TCP 2105458943 6e5376c2-8b34-4e8b-b3ad-013226137d7c.local 9 typ host "        \
    "tcptype active\r\n"                                                                           \
    "a=sendrecv\r\n"                                                                               \
    "a=end-of-candidates\r\n"                                                                      \
    "a=ice-pwd:fce81d64f1d26d475024b43a01d32730\r\n"                                               \
    "a=ice-ufrag:a387c063\r\n"                                                                     \
    "a=mid:0\r\n"                                                                                  \
    "a=setup:actpass\r\n"                                                                          \
    "a=sctp-port:5000\r\n"                                                                         \
    "a=max-message-size:1073741823\r\n"

/* libdatachannel, and so js-libp2p in Node: nearly all at session level. */
#define NODE                                                                                       \
    "v=0\r\n"                                                                                      \
    "o=rtc 1074756789 0 IN IP4 127.0.0.1\r\n"                                                      \
    "s=-\r\n"                                                                                      \
    "t=0 0\r\n"                                                                                    \
    "a=group:BUNDLE 0\r\n"                                                                         \
    "a=msid-semantic:WMS *\r\n"                                                                    \
    "a=setup:active\r\n"                                                                           \
    "a=ice-ufrag:7hJ1\r\n"                                                                         \
    "a=ice-pwd:SYJg4xHfZHfWHHjCMmXIZQ\r\n"                                                         \
    "a=ice-options:ice2,trickle\r\n"                                                               \
    "a=fingerprint:sha-256 " FINGERPRINT_LOWER "\r\n"                                              \
    "m=application 59405 UDP/DTLS/SCTP webrtc-datachannel\r\n"                                     \
    "c=IN IP4 192.168.1.119\r\n"                                                                   \
    "a=mid:0\r\n"                                                                                  \
    "a=sendrecv\r\n"                                                                               \
    "a=sctp-port:5000\r\n"                                                                         \
    "a=max-message-size:262144\r\n"                                                                \
    "a=candidate:1 1 UDP 2122317823 192.168.1.119 59405 typ host\r\n"                              \
    "a=candidate:2 1 UDP 1686109951 203.0.113.55 59405 typ srflx raddr 0.0.0.0 rport 0\r\n"        \
    "a=end-of-candidates\r\n"

/* Every attribute we need, as short as may be, lines ended by LF alone. */
#define HEAD "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=-\nt=0 0\n"
#define MEDIA "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\n"
#define UFRAG "a=ice-ufrag:abcd\n"
#define PWD "a=ice-pwd:0123456789012345678901\n"
#define PRINT "a=fingerprint:sha-256 " FINGERPRINT "\n"
#define SETUP "a=setup:actpass\n"
#define MID "a=mid:0\n"
#define REST UFRAG PWD PRINT SETUP MID
#define SHORT HEAD MEDIA REST

static void assert_parsed(struct view text, enum sdp_type type, const char *ufrag,
                          size_t candidates, uint32_t max_message_size)
{
    struct sdp sdp;
    assert_ok(sdp_parse(text, type, &PEERLET_LIMITS, &sdp));
    assert_view_text(sdp.ufrag, ufrag);
    assert_view_text(sdp.mid, "0");
    assert_view_hex(view_of(sdp.fingerprint, SDP_FINGERPRINT_LEN),
                    "c3e77752e923ce1519b058a27eff6694ce502ed283547f1468953e033f50262d");
    assert_int_equal(sdp.sctp_port, 5000);
    assert_int_equal(sdp.candidate_count, candidates);
    assert_int_equal(sdp.max_message_size, max_message_size);
}

/* What is written is read as the same, fits the room promised, and is written the same again. */
static void assert_written_again(struct view text, enum sdp_type type)
{
    static uint8_t first[8192 + SDP_TEMPLATE_LEN], second[8192 + 2 * SDP_TEMPLATE_LEN];
    struct sdp sdp;
    assert_ok(sdp_parse(text, type, &PEERLET_LIMITS, &sdp));
    struct writer w = writer_of(first, text.len + SDP_TEMPLATE_LEN);
    sdp_format(&sdp, &w);
    assert_false(w.failed);

    assert_ok(sdp_parse(writer_view(&w), type, &PEERLET_LIMITS, &sdp));
    struct writer again = writer_of(second, sizeof second);
    sdp_format(&sdp, &again);
    assert_view_equal(writer_view(&again), writer_view(&w));
}

static const struct {
    const char *name, *text;
    enum sdp_type type;
    const char *ufrag;
    size_t candidates;
    uint32_t max_message_size;
} GOOD[] = {
    {"Chromium", CHROMIUM, SDP_OFFER, "39AH", 0, 262144},
    {"Firefox", FIREFOX, SDP_OFFER, "a387c063", 2, 1073741823},
    {"libdatachannel", NODE, SDP_ANSWER, "7hJ1", 2, 262144},
    {"shortest", SHORT, SDP_OFFER, "abcd", 0, 65536},
    {"no line end at the end", HEAD REST "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
     SDP_OFFER, "abcd", 0, 65536},
    {"any message size", SHORT "a=max-message-size:0\n", SDP_OFFER, "abcd", 0, 0},
    {"hash in capitals", HEAD MEDIA UFRAG PWD SETUP MID "a=fingerprint:SHA-256 " FINGERPRINT "\n",
     SDP_OFFER, "abcd", 0, 65536},
    {"an offer that knows its part", HEAD MEDIA UFRAG PWD PRINT MID "a=setup:passive\n", SDP_OFFER,
     "abcd", 0, 65536},
    {"bad candidates", SHORT "a=candidate:1 1 udp 1 10.0.0.1 22 typ host\na=candidate:\n",
     SDP_OFFER, "abcd", 0, 65536},
    {"unknown attributes", SHORT "a=x\na=\na=ice-ufragment:zz\na=ice-lite\nb=AS:30\n", SDP_OFFER,
     "abcd", 0, 65536},
};

static void test_good(void **state)
{
    (void)state;
    EACH_ROW(i, GOOD) {
        struct view text = view_of_span(test_copy(view_of_text(GOOD[i].text)));
        assert_parsed(text, GOOD[i].type, GOOD[i].ufrag, GOOD[i].candidates,
                      GOOD[i].max_message_size);
        assert_written_again(text, GOOD[i].type);
    }
}

static const struct {
    const char *name, *text;
    enum sdp_type type;
} BAD[] = {
    {"empty", "", SDP_OFFER},
    {"js-libp2p's shortest", "v=0\r\n", SDP_OFFER},
    {"not SDP", "{\"type\":\"offer\"}", SDP_OFFER},
    {"another version", "v=1\n" MEDIA REST, SDP_OFFER},
    {"no version", "o=- 0 0 IN IP4 127.0.0.1\n" MEDIA REST, SDP_OFFER},
    {"line without =", HEAD MEDIA REST "abc\n", SDP_OFFER},
    {"empty line", HEAD "\n" MEDIA REST, SDP_OFFER},

    {"no m-line", HEAD REST, SDP_OFFER},
    {"two m-lines", HEAD MEDIA REST MEDIA, SDP_OFFER},
    {"audio", HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 111\n" REST, SDP_OFFER},
    {"audio besides", HEAD MEDIA REST "m=audio 9 UDP/TLS/RTP/SAVPF 111\n", SDP_OFFER},
    {"old form", HEAD "m=application 9 DTLS/SCTP 5000\n" REST, SDP_OFFER},
    {"over TCP", HEAD "m=application 9 TCP/DTLS/SCTP webrtc-datachannel\n" REST, SDP_OFFER},
    {"refused", HEAD "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\n" REST, SDP_OFFER},
    {"more on the m-line", HEAD "m=application 9 UDP/DTLS/SCTP webrtc-datachannel x\n" REST,
     SDP_OFFER},

    {"CR alone", HEAD MEDIA PWD PRINT SETUP MID "a=ice-ufrag:abcd\rm=audio 9 x y\n", SDP_OFFER},
    {"CR in a line passed over", SHORT "a=x\ry\n", SDP_OFFER},
    {"CR twice", SHORT "a=x\r\r\n", SDP_OFFER},
    {"tab", SHORT "a=x\ty\n", SDP_OFFER},

    {"no ufrag", HEAD MEDIA PWD PRINT SETUP MID, SDP_OFFER},
    {"no pwd", HEAD MEDIA UFRAG PRINT SETUP MID, SDP_OFFER},
    {"no fingerprint", HEAD MEDIA UFRAG PWD SETUP MID, SDP_OFFER},
    {"no setup", HEAD MEDIA UFRAG PWD PRINT MID, SDP_OFFER},
    {"no mid", HEAD MEDIA UFRAG PWD PRINT SETUP, SDP_OFFER},

    {"two ufrags", SHORT UFRAG, SDP_OFFER},
    {"two pwds", SHORT PWD, SDP_OFFER},
    {"two fingerprints", SHORT PRINT, SDP_OFFER},
    {"two setups", SHORT "a=setup:active\n", SDP_OFFER},
    {"two mids", SHORT "a=mid:1\n", SDP_OFFER},
    {"at both levels", HEAD PRINT MEDIA REST, SDP_OFFER},

    {"ufrag of 3", HEAD MEDIA PWD PRINT SETUP MID "a=ice-ufrag:abc\n", SDP_OFFER},
    {"ufrag with blank", HEAD MEDIA PWD PRINT SETUP MID "a=ice-ufrag:ab cd\n", SDP_OFFER},
    {"pwd of 21", HEAD MEDIA UFRAG PRINT SETUP MID "a=ice-pwd:012345678901234567890\n", SDP_OFFER},
    {"sha-1",
     HEAD MEDIA UFRAG PWD SETUP MID
     "a=fingerprint:sha-1 C3:E7:77:52:E9:23:CE:15:19:B0:58:A2:7E:FF:66:94:CE:50:2E:D2\n",
     SDP_OFFER},
    {"sha-256 of 31 bytes",
     HEAD MEDIA UFRAG PWD SETUP MID
     "a=fingerprint:sha-256 "
     "C3:E7:77:52:E9:23:CE:15:19:B0:58:A2:7E:FF:66:94:CE:50:2E:D2:83:54:7F:14:"
     "68:95:3E:03:3F:50:26\n",
     SDP_OFFER},
    {"sha-256 of 33 bytes",
     HEAD MEDIA UFRAG PWD SETUP MID "a=fingerprint:sha-256 " FINGERPRINT ":00\n", SDP_OFFER},
    {"sha-256 and more", HEAD MEDIA UFRAG PWD SETUP MID "a=fingerprint:sha-256 " FINGERPRINT " x\n",
     SDP_OFFER},
    {"not hex", HEAD MEDIA UFRAG PWD SETUP MID "a=fingerprint:sha-256 G" FINGERPRINT "\n",
     SDP_OFFER},
    {"no part in DTLS", HEAD MEDIA UFRAG PWD PRINT MID "a=setup:holdconn\n", SDP_OFFER},
    {"mid with blank", HEAD MEDIA UFRAG PWD PRINT SETUP "a=mid:0 1\n", SDP_OFFER},
    {"empty mid", HEAD MEDIA UFRAG PWD PRINT SETUP "a=mid:\n", SDP_OFFER},
    {"SCTP port 0", SHORT "a=sctp-port:0\n", SDP_OFFER},
    {"SCTP port 65536", SHORT "a=sctp-port:65536\n", SDP_OFFER},
    {"message size past 32 bits", SHORT "a=max-message-size:4294967296\n", SDP_OFFER},
    {"negative message size", SHORT "a=max-message-size:-1\n", SDP_OFFER},

    {"an answer that offers", SHORT, SDP_ANSWER},
};

static void test_bad(void **state)
{
    (void)state;
    struct sdp sdp;
    EACH_ROW(i, BAD) {
        struct view text = view_of_span(test_copy(view_of_text(BAD[i].text)));
        assert_code(sdp_parse(text, BAD[i].type, &PEERLET_LIMITS, &sdp), ERR_BAD_MESSAGE);
    }
}

static void test_template(void **state)
{
    (void)state;
    uint8_t out[2048];
    struct sdp sdp;
    assert_ok(sdp_parse(view_of_text(CHROMIUM), SDP_OFFER, &PEERLET_LIMITS, &sdp));
    struct writer w = writer_of(out, sizeof out);
    sdp_format(&sdp, &w);
    assert_view_text(writer_view(&w), CHROMIUM_WRITTEN);
}

/* `count` lines behind the shortest description. */
static struct view with_lines(const char *line, size_t count, uint8_t *out, size_t room)
{
    struct writer w = writer_of(out, room);
    put_text(&w, SHORT);
    for (size_t i = 0; i < count; i++)
        put_text(&w, line);
    assert_false(w.failed);
    return writer_view(&w);
}

static void test_candidates_past_the_limit_are_left_out(void **state)
{
    (void)state;
    static const char line[] = "a=candidate:1 1 udp 1 192.0.2.1 51234 typ host\n";
    uint8_t out[8192];
    struct sdp sdp;
    struct view text = with_lines(line, SDP_CANDIDATES_MAX + 1, out, sizeof out);
    assert_ok(sdp_parse(text, SDP_OFFER, &PEERLET_LIMITS, &sdp));
    assert_int_equal(sdp.candidate_count, SDP_CANDIDATES_MAX);
    assert_written_again(text, SDP_OFFER);

    struct peerlet_limits few = PEERLET_LIMITS;
    few.candidates = 3;
    assert_ok(sdp_parse(text, SDP_OFFER, &few, &sdp));
    assert_int_equal(sdp.candidate_count, 3);
}

static void test_size_is_limited(void **state)
{
    (void)state;
    static uint8_t out[16384];
    struct sdp sdp;
    struct view text = with_lines("a=x\n", 2048, out, sizeof out);
    assert_true(text.len > PEERLET_LIMITS.sdp);
    assert_code(sdp_parse(text, SDP_OFFER, &PEERLET_LIMITS, &sdp), ERR_TOO_BIG);
    assert_ok(sdp_parse(view_of(text.data, PEERLET_LIMITS.sdp / 4 * 4), SDP_OFFER, &PEERLET_LIMITS,
                        &sdp));
}

/* Cut anywhere, nothing is read past the end, and a description lacks something. */
static void test_cut(void **state)
{
    (void)state;
    struct sdp sdp;
    struct view whole = view_of_text(FIREFOX);
    size_t complete =
        whole.len - strlen("000\r\na=sctp-port:5000\r\na=max-message-size:1073741823\r\n");
    for (size_t len = 0; len < complete; len += 7) {
        struct view cut = view_of_span(test_copy(view_of(whole.data, len)));
        assert_code(sdp_parse(cut, SDP_OFFER, &PEERLET_LIMITS, &sdp), ERR_BAD_MESSAGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_template),
        cmocka_unit_test(test_candidates_past_the_limit_are_left_out),
        cmocka_unit_test(test_size_is_limited),
        cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "pair.h"

#include "protocols/signaling.h"
#include "vectors_protocols.h"

#define SDP(setup)                                                                                 \
    "v=0\r\n"                                                                                      \
    "o=- 6767752613709841385 2 IN IP4 127.0.0.1\r\n"                                               \
    "s=-\r\n"                                                                                      \
    "t=0 0\r\n"                                                                                    \
    "a=group:BUNDLE 0\r\n"                                                                         \
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"                                         \
    "c=IN IP4 0.0.0.0\r\n"                                                                         \
    "a=ice-ufrag:39AH\r\n"                                                                         \
    "a=ice-pwd:zFnvD6HK1RhJZYltWKoRIZjd\r\n"                                                       \
    "a=fingerprint:sha-256 C3:E7:77:52:E9:23:CE:15:19:B0:58:A2:7E:FF:66:94:CE:50:2E:D2:83:54:7F:"  \
    "14:68:95:3E:03:3F:50:26:2D\r\n"                                                               \
    "a=setup:" setup "\r\n"                                                                        \
    "a=mid:0\r\n"
#define OFFER SDP("actpass")
#define ANSWER SDP("active")

#define CANDIDATE(port)                                                                            \
    "{\"candidate\":\"candidate:1 1 udp 2122260223 192.0.2.1 " port " typ host\","                 \
    "\"sdpMLineIndex\":0}"

enum { TYPE_OFFER, TYPE_ANSWER, TYPE_CANDIDATE };

/* Appends a message as it travels. */
static void put_message(struct writer *w, uint8_t type, struct view data)
{
    put_uvarint(w, 2 + 1 + uvarint_len(data.len) + data.len);
    put_u8(w, 0x08);
    put_u8(w, type);
    put_u8(w, 0x12);
    put_delimited(w, data);
}

static struct span message(uint8_t type, const char *data)
{
    uint8_t bytes[1024];
    struct writer w = writer_of(bytes, sizeof bytes);
    put_message(&w, type, view_of_text(data));
    assert_false(w.failed);
    return test_copy(writer_view(&w));
}

static const char *event_name(enum protocol_event_type type)
{
    if (type == SIGNALING_OFFER)
        return "offer";
    if (type == SIGNALING_ANSWER)
        return "answer";
    if (type == SIGNALING_CANDIDATE)
        return "candidate";
    assert_int_equal(type, SIGNALING_END_OF_CANDIDATES);
    return "end";
}

/* One line per event; descriptions only by name. */
static void tell(struct transcript *t, const struct protocol_event *ev)
{
    transcript_add(t, "%s", event_name(ev->type));
    if (ev->type == SIGNALING_CANDIDATE)
        transcript_add(t, " %.*s", (int)ev->signaling.text.len,
                       (const char *)ev->signaling.text.data);
    transcript_add(t, "\n");
}

struct machine {
    struct mem mem;
    struct signaling s;
    enum role role;
};

static void begin(void *context)
{
    struct machine *m = context;
    signaling_init(&m->s, m->role, &m->mem, &PEERLET_LIMITS, 0);
    if (m->role == DIALER)
        assert_ok(signaling_offer(&m->s, view_of_text(OFFER)));
}

static int feed(void *context, struct span *in, struct transcript *t)
{
    struct machine *m = context;
    struct protocol_event ev;
    int rc = SIGNALING_OPS.feed(&m->s, in, &ev, 1);
    if (rc > 0)
        tell(t, &ev);
    return rc;
}

static void end(void *context)
{
    struct machine *m = context;
    SIGNALING_OPS.free(&m->s);
    assert_mem_empty(&m->mem);
}

struct said {
    uint8_t type;
    const char *data;
};

#define SAID_MAX 8

/* What a peer says, and what of it comes up. */
static const struct {
    const char *name;
    enum role role;
    struct said said[SAID_MAX];
    const char *told;
} STORIES[] = {
    {"an offer", LISTENER, {{TYPE_OFFER, OFFER}}, "offer\n"},
    {"an answer", DIALER, {{TYPE_ANSWER, ANSWER}}, "answer\n"},
    {"candidates after the offer",
     LISTENER,
     {{TYPE_OFFER, OFFER},
      {TYPE_CANDIDATE, CANDIDATE("50001")},
      {TYPE_CANDIDATE, CANDIDATE("50002")}},
     "offer\ncandidate " CANDIDATE("50001") "\ncandidate " CANDIDATE("50002") "\n"},
    {"the end of candidates, in every form",
     LISTENER,
     {{TYPE_OFFER, OFFER},
      {TYPE_CANDIDATE, "null"},
      {TYPE_CANDIDATE, "\"\""},
      {TYPE_CANDIDATE, ""}},
     "offer\nend\n"},
    {"a candidate after the end",
     LISTENER,
     {{TYPE_OFFER, OFFER}, {TYPE_CANDIDATE, ""}, {TYPE_CANDIDATE, CANDIDATE("50001")}},
     "offer\nend\ncandidate " CANDIDATE("50001") "\n"},
    {"bad candidates are skipped",
     LISTENER,
     {{TYPE_OFFER, OFFER},
      {TYPE_CANDIDATE, "{\"candidate\":1e999}"},
      {TYPE_CANDIDATE, CANDIDATE("22")},
      {TYPE_CANDIDATE, "{"},
      {TYPE_CANDIDATE, CANDIDATE("50001")}},
     "offer\ncandidate " CANDIDATE("50001") "\n"},

    {"a candidate before the offer",
     LISTENER,
     {{TYPE_CANDIDATE, CANDIDATE("50001")}},
     "PROTOCOL\n"},
    {"a candidate before the answer", DIALER, {{TYPE_CANDIDATE, CANDIDATE("50001")}}, "PROTOCOL\n"},
    {"an answer to nothing", LISTENER, {{TYPE_ANSWER, ANSWER}}, "PROTOCOL\n"},
    {"an offer against an offer", DIALER, {{TYPE_OFFER, OFFER}}, "PROTOCOL\n"},
    {"a second offer", LISTENER, {{TYPE_OFFER, OFFER}, {TYPE_OFFER, OFFER}}, "offer\nPROTOCOL\n"},
    {"a second answer",
     DIALER,
     {{TYPE_ANSWER, ANSWER}, {TYPE_ANSWER, ANSWER}},
     "answer\nPROTOCOL\n"},
    {"an unknown type", LISTENER, {{TYPE_OFFER, OFFER}, {3, ""}}, "offer\nPROTOCOL\n"},
    {"an offer that is none", LISTENER, {{TYPE_OFFER, "v=0\r\n"}}, "BAD_MESSAGE\n"},
    {"an answer that offers", DIALER, {{TYPE_ANSWER, OFFER}}, "BAD_MESSAGE\n"},
    {"an offer with a second m-line",
     LISTENER,
     {{TYPE_OFFER, OFFER "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"}},
     "BAD_MESSAGE\n"},
};

static void test_stories(void **state)
{
    (void)state;
    static uint8_t bytes[1 << 14];
    EACH_ROW(i, STORIES) {
        struct machine m = {.role = STORIES[i].role};
        const struct fed fed = {begin, feed, end, &m};
        struct writer w = writer_of(bytes, sizeof bytes);
        for (size_t n = 0; n < SAID_MAX && STORIES[i].said[n].data != NULL; n++)
            put_message(&w, STORIES[i].said[n].type, view_of_text(STORIES[i].said[n].data));
        assert_false(w.failed);
        feed_three_ways(&fed, writer_view(&w), STORIES[i].told);
    }
}

#define CANDIDATE_OF_SPEC                                                                          \
    "{\"candidate\":\"candidate:1 1 udp 2122260223 192.0.2.1 54321 typ host\",\"sdpMid\":\"0\","   \
    "\"sdpMLineIndex\":0}"

/* The messages of the specification, behind an offer we understand. */
static const char *const VECTORS_TOLD[] = {
    "BAD_MESSAGE\n", /* an offer of five characters */
    "PROTOCOL\n",    /* an answer to a listener */
    "candidate " CANDIDATE_OF_SPEC "\n",
    "end\n",
    "end\n",
    "end\n",
    "end\n",
    "", /* a number for a candidate */
    "", /* port 22 */
};

static void test_vectors(void **state)
{
    (void)state;
    assert_int_equal(ARRAY_LEN(SIGNALING_VECTORS), ARRAY_LEN(VECTORS_TOLD));
    EACH_ROW(i, SIGNALING_VECTORS) {
        static struct transcript t;
        struct machine m = {.role = LISTENER};
        begin(&m);
        t = (struct transcript){0};
        struct span offer = message(TYPE_OFFER, OFFER);
        if (i >= 2)
            assert_code(feed(&m, &offer, &t), 1);
        t = (struct transcript){0};

        struct span in = test_copy(hex(SIGNALING_VECTORS[i].message));
        int rc;
        while ((rc = feed(&m, &in, &t)) > 0)
            continue;
        if (rc < 0)
            transcript_add(&t, "%s\n", err_name(rc));
        assert_string_equal(t.text, VECTORS_TOLD[i]);
        end(&m);
    }
}

/* What we write is what the specification shows. */
static void test_messages_written(void **state)
{
    (void)state;
    struct machine m = {.role = DIALER};
    struct buf out;
    buf_init(&out, &m.mem, 4096);
    signaling_init(&m.s, DIALER, &m.mem, &PEERLET_LIMITS, 0);
    assert_ok(signaling_offer(&m.s, view_of_text(SIGNALING_VECTORS[0].data)));
    assert_code(SIGNALING_OPS.drain(&m.s, &out), PROTOCOL_OPEN);
    assert_view_hex(buf_view(&out), SIGNALING_VECTORS[0].message);
    buf_truncate(&out, 0);
    assert_ok(signaling_candidate(&m.s, view_of_text(SIGNALING_VECTORS[2].data)));
    assert_code(SIGNALING_OPS.drain(&m.s, &out), PROTOCOL_OPEN);
    assert_view_hex(buf_view(&out), SIGNALING_VECTORS[2].message);
    buf_free(&out);
    end(&m);
}

static void test_candidates_wait_for_the_description(void **state)
{
    (void)state;
    struct machine m = {.role = LISTENER};
    struct protocol_event ev;
    struct buf out;
    buf_init(&out, &m.mem, 4096);
    begin(&m);
    struct span offer = message(TYPE_OFFER, OFFER);
    assert_code(SIGNALING_OPS.feed(&m.s, &offer, &ev, 1), 1);
    assert_ok(signaling_candidate(&m.s, view_of_text("null")));
    assert_code(SIGNALING_OPS.drain(&m.s, &out), PROTOCOL_OPEN);
    assert_int_equal(out.len, 0);
    assert_ok(signaling_answer(&m.s, view_of_text("v=0\r\n")));
    assert_code(SIGNALING_OPS.drain(&m.s, &out), PROTOCOL_OPEN);
    assert_view_hex(buf_view(&out), "0908011205763d300d0a 08080212046e756c6c");
    buf_free(&out);
    end(&m);
}

/* A stream with little room gets the same bytes in the same order. */
static void test_little_room(void **state)
{
    (void)state;
    struct machine m = {.role = DIALER};
    struct buf all, room;
    buf_init(&all, &m.mem, 4096);
    buf_init(&room, &m.mem, 3);
    begin(&m);
    assert_ok(signaling_candidate(&m.s, view_of_text("null")));
    signaling_close(&m.s);
    int rc;
    do {
        rc = SIGNALING_OPS.drain(&m.s, &room);
        assert_ok(buf_append(&all, buf_view(&room)));
        buf_take(&room, room.len);
    } while (rc == PROTOCOL_OPEN);
    assert_code(rc, PROTOCOL_CLOSE_WRITE);

    static uint8_t bytes[4096];
    struct writer w = writer_of(bytes, sizeof bytes);
    put_message(&w, TYPE_OFFER, view_of_text(OFFER));
    put_message(&w, TYPE_CANDIDATE, view_of_text("null"));
    assert_view_equal(buf_view(&all), writer_view(&w));
    buf_free(&all);
    buf_free(&room);
    end(&m);
}

static void test_commands_out_of_order(void **state)
{
    (void)state;
    struct view sdp = view_of_text(OFFER), candidate = view_of_text(CANDIDATE("50001"));
    struct machine m = {.role = LISTENER};
    begin(&m);
    assert_code(signaling_offer(&m.s, sdp), ERR_STREAM_STATE);
    assert_code(signaling_answer(&m.s, sdp), ERR_STREAM_STATE);
    signaling_close(&m.s);
    assert_code(signaling_candidate(&m.s, candidate), ERR_CLOSED);
    end(&m);

    m.role = DIALER;
    begin(&m);
    assert_code(signaling_offer(&m.s, sdp), ERR_STREAM_STATE);
    assert_code(signaling_answer(&m.s, sdp), ERR_STREAM_STATE);
    end(&m);

    signaling_init(&m.s, DIALER, &m.mem, &PEERLET_LIMITS, 0);
    signaling_close(&m.s);
    assert_code(signaling_offer(&m.s, sdp), ERR_STREAM_STATE);
    end(&m);
}

static void test_our_own_limits(void **state)
{
    (void)state;
    static uint8_t big[1 << 14];
    memset(big, 'x', sizeof big);
    struct machine m = {.role = DIALER};
    signaling_init(&m.s, DIALER, &m.mem, &PEERLET_LIMITS, 0);
    assert_code(signaling_offer(&m.s, view_of(big, PEERLET_LIMITS.sdp + 1)), ERR_TOO_BIG);
    assert_ok(signaling_offer(&m.s, view_of(big, PEERLET_LIMITS.sdp)));
    assert_code(signaling_candidate(&m.s, view_of(big, PEERLET_LIMITS.candidate + 1)), ERR_TOO_BIG);
    for (uint32_t i = 0; i < PEERLET_LIMITS.candidates; i++)
        assert_ok(signaling_candidate(&m.s, view_of(big, PEERLET_LIMITS.candidate)));
    assert_code(signaling_candidate(&m.s, view_of_text("null")), ERR_FULL);
    end(&m);
}

/* A thousand candidates: those of the limit come up, memory does not grow. */
static void test_candidate_flood(void **state)
{
    (void)state;
    struct machine m = {.role = LISTENER};
    struct protocol_event ev;
    begin(&m);
    struct span in = message(TYPE_OFFER, OFFER);
    assert_code(SIGNALING_OPS.feed(&m.s, &in, &ev, 1), 1);
    size_t peak = m.mem.peak;
    unsigned told = 0;
    for (unsigned i = 0; i < 1000; i++) {
        in = message(TYPE_CANDIDATE, CANDIDATE("50001"));
        int rc;
        while ((rc = SIGNALING_OPS.feed(&m.s, &in, &ev, 1)) > 0)
            told++;
        assert_ok(rc);
    }
    assert_int_equal(told, PEERLET_LIMITS.candidates);
    assert_int_equal(m.mem.peak, peak);
    end(&m);
}

static void test_oversized(void **state)
{
    (void)state;
    struct machine m = {.role = LISTENER};
    struct protocol_event ev;
    begin(&m);
    struct span in = test_copy(hex("ffff7f"));
    assert_code(SIGNALING_OPS.feed(&m.s, &in, &ev, 1), ERR_TOO_BIG);
    end(&m);

    static uint8_t bytes[4096], text[2048];
    struct writer w = writer_of(bytes, sizeof bytes);
    memset(text, ' ', sizeof text);
    begin(&m);
    put_message(&w, TYPE_OFFER, view_of_text(OFFER));
    put_message(&w, TYPE_CANDIDATE, view_of(text, PEERLET_LIMITS.candidate + 1));
    in = span_of(bytes, w.len);
    assert_code(SIGNALING_OPS.feed(&m.s, &in, &ev, 1), 1);
    assert_ok(SIGNALING_OPS.feed(&m.s, &in, &ev, 1));
    end(&m);
}

static void test_no_type(void **state)
{
    (void)state;
    struct machine m = {.role = LISTENER};
    struct protocol_event ev;
    begin(&m);
    struct span in = test_copy(hex("02 1200"));
    assert_code(SIGNALING_OPS.feed(&m.s, &in, &ev, 1), ERR_PROTOCOL);
    end(&m);
}

/* The peer's end: failure before its description, nothing after it. */
static void test_the_end(void **state)
{
    (void)state;
    struct machine m = {.role = LISTENER};
    struct protocol_event ev;
    struct buf out;
    buf_init(&out, &m.mem, 4096);
    begin(&m);
    assert_code(SIGNALING_OPS.end(&m.s, &ev, 1), ERR_PROTOCOL);
    end(&m);

    begin(&m);
    struct span in = message(TYPE_OFFER, OFFER);
    assert_code(SIGNALING_OPS.feed(&m.s, &in, &ev, 1), 1);
    assert_ok(SIGNALING_OPS.end(&m.s, &ev, 1));
    assert_ok(signaling_answer(&m.s, view_of_text(ANSWER)));
    assert_code(SIGNALING_OPS.drain(&m.s, &out), PROTOCOL_OPEN);
    signaling_close(&m.s);
    assert_code(SIGNALING_OPS.drain(&m.s, &out), PROTOCOL_DONE);
    buf_free(&out);
    end(&m);
}

static void test_time(void **state)
{
    (void)state;
    struct machine m = {.role = LISTENER};
    begin(&m);
    assert_int_equal(SIGNALING_OPS.deadline(&m.s), PEERLET_LIMITS.rtc_ms);
    assert_ok(SIGNALING_OPS.tick(&m.s, PEERLET_LIMITS.rtc_ms - 1));
    assert_code(SIGNALING_OPS.tick(&m.s, PEERLET_LIMITS.rtc_ms), ERR_TIMEOUT);
    end(&m);
}

/* Two machines of ours: the owner answers an offer at once and both trickle. */
struct browser {
    struct signaling s;
    struct transcript heard;
    int code;
};

static void hear(struct side *side, const struct protocol_event *ev)
{
    struct browser *b = side->context;
    tell(&b->heard, ev);
    if (ev->type == SIGNALING_OFFER)
        b->code = signaling_answer(&b->s, view_of_text(ANSWER));
}

static void exchange(struct mem *mem, size_t step, struct browser *dialer, struct browser *listener)
{
    struct pair p = {{&SIGNALING_OPS, &dialer->s, .told = hear, .context = dialer},
                     {&SIGNALING_OPS, &listener->s, .told = hear, .context = listener},
                     step};
    signaling_init(&dialer->s, DIALER, mem, &PEERLET_LIMITS, 0);
    signaling_init(&listener->s, LISTENER, mem, &PEERLET_LIMITS, 0);
    listener->code = signaling_candidate(&listener->s, view_of_text(CANDIDATE("50002")));
    if (listener->code == 0)
        dialer->code = signaling_candidate(&dialer->s, view_of_text(CANDIDATE("50001")));
    if (dialer->code == 0)
        dialer->code = signaling_offer(&dialer->s, view_of_text(OFFER));
    pair_run(&p, 1);
    signaling_close(&dialer->s);
    signaling_close(&listener->s);
    pair_run(&p, 2);
    if (dialer->code == 0 && listener->code == 0 && p.dialer.code == 0 && p.listener.code == 0)
        assert_true(p.dialer.closed && p.listener.closed);
    pair_free(&p);
}

static void test_pair(void **state)
{
    (void)state;
    static const size_t steps[] = {0, 1, 100};
    static struct browser dialer, listener;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct mem mem = {0};
        dialer = listener = (struct browser){.code = 0};
        exchange(&mem, steps[i], &dialer, &listener);
        assert_string_equal(dialer.heard.text, "answer\ncandidate " CANDIDATE("50002") "\n");
        assert_string_equal(listener.heard.text, "offer\ncandidate " CANDIDATE("50001") "\n");
        assert_mem_empty(&mem);
    }
}

static void one_exchange(struct mem *mem, void *context)
{
    (void)context;
    static struct browser dialer, listener;
    dialer = listener = (struct browser){.code = 0};
    exchange(mem, 0, &dialer, &listener);
}

static void test_allocations(void **state)
{
    (void)state;
    assert_true(fail_each_allocation(one_exchange, NULL) >= 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stories),
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_messages_written),
        cmocka_unit_test(test_candidates_wait_for_the_description),
        cmocka_unit_test(test_little_room),
        cmocka_unit_test(test_commands_out_of_order),
        cmocka_unit_test(test_our_own_limits),
        cmocka_unit_test(test_candidate_flood),
        cmocka_unit_test(test_oversized),
        cmocka_unit_test(test_no_type),
        cmocka_unit_test(test_the_end),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_pair),
        cmocka_unit_test(test_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "test.h"

#include "vectors_wire.h"
#include "wire/datachannel.h"

#define FIN "020800"
#define STOP "020801"
#define RESET "020802"
#define FIN_ACK "020803"
#define HELLO "07120568656c6c6f"

/* ---- in ------------------------------------------------------------------------------------ */

struct machine {
    struct mem mem;
    struct datachannel channel;
    bool is_in_data;  /* the transcript ends with data */
    const char *owed; /* flags that must have been drained at the end, null: not looked at */
};

/* All that is owed; valid during the test. */
static struct view drained(struct machine *m, uint64_t now)
{
    struct buf out;
    buf_init(&out, &m->mem, 64);
    assert_ok(datachannel_drain(&m->channel, &out, now));
    struct view flags = view_of_span(test_copy(buf_view(&out)));
    buf_free(&out);
    return flags;
}

static void begin(void *context)
{
    struct machine *m = context;
    datachannel_init(&m->channel, &m->mem, &PEERLET_LIMITS);
    m->is_in_data = false;
}

static int feed(void *context, struct span *in, struct transcript *t)
{
    static const char *const NAMES[] = {"data ", "fin\n", "stop sending\n", "reset\n", "fin ack\n"};
    struct machine *m = context;
    struct datachannel_event ev;
    int rc = datachannel_feed(&m->channel, in, &ev);
    if (rc != 1)
        return rc;
    transcript_add(t, "%s", NAMES[ev.type]);
    if (ev.type == DATACHANNEL_DATA) {
        transcript_add_hex(t, view_of_span(ev.data));
        transcript_add(t, "\n");
        memset(ev.data.data, 0, ev.data.len);
    }
    return 1;
}

static void end(void *context)
{
    struct machine *m = context;
    if (m->owed != NULL)
        assert_view_hex(drained(m, 0), m->owed);
    datachannel_free(&m->channel);
    assert_mem_empty(&m->mem);
}

static const struct {
    const char *name, *input, *events, *owed;
} CASES[] = {
    {"nothing", "", "", ""},
    {"data", HELLO, "data 68656c6c6f\n", ""},
    {"two messages", HELLO "03120161", "data 68656c6c6f\ndata 61\n", ""},
    {"no fields", "00", "", ""},
    {"no bytes", "021200", "", ""},
    {"FIN", FIN, "fin\n", FIN_ACK},
    {"data and FIN in one", "0708001203627965", "data 627965\nfin\n", FIN_ACK},
    {"FIN and data in one", "0712036279650800", "data 627965\nfin\n", FIN_ACK},
    {"FIN twice", FIN FIN, "fin\n", FIN_ACK},
    {"data behind FIN", FIN HELLO, "fin\n", FIN_ACK},
    {"STOP_SENDING", STOP, "stop sending\n", ""},
    {"STOP_SENDING twice", STOP STOP, "stop sending\n", ""},
    {"STOP_SENDING, data, FIN", STOP HELLO FIN, "stop sending\ndata 68656c6c6f\nfin\n", FIN_ACK},
    {"RESET", RESET, "reset\n", ""},
    {"RESET with go's code", "050802188120", "reset\n", ""},
    {"FIN, RESET", FIN RESET, "fin\nreset\n", ""},
    {"anything behind RESET", RESET HELLO FIN STOP RESET FIN_ACK, "reset\n", ""},
    {"FIN_ACK for nothing", FIN_ACK, "", ""},
    {"a flag of the future", "020804" HELLO, "data 68656c6c6f\n", ""},
    {"an unknown field", "0a1a0561626364651201 61", "data 61\n", ""},
    {"a wrong wire type", "020a00", "PROTOCOL\n", ""},
    {"a field cut short", "03120361", "PROTOCOL\n", ""},
    {"no protobuf", "01ff", "PROTOCOL\n", ""},
    {"a length over the limit", "818004", "TOO_BIG\n", ""},
    {"a length that is none", "8000", "PROTOCOL\n", ""},
};

static void test_cases(void **state)
{
    (void)state;
    struct machine m = {.owed = NULL};
    const struct fed fed = {begin, feed, end, &m};
    EACH_ROW(i, CASES) {
        m.owed = CASES[i].owed;
        feed_three_ways(&fed, hex(CASES[i].input), CASES[i].events);
    }
}

/* What each of the frames of the vectors has to give, in their order. */
static const char *const FRAMES_SAID[] = {
    "fin\n",
    "stop sending\n",
    "reset\n",
    "",
    "data 68656c6c6f\n",
    "data 627965\nfin\n",
    "",
    "",
    "",
    NULL /* a flag of 64 bits: ignored or refused */,
    "",
    "TOO_BIG\n",
    "data 61\ndata 62\n",
    "PROTOCOL\n",
    "data 62\n",
};

static void test_frames_of_others(void **state)
{
    (void)state;
    struct machine m = {.owed = NULL};
    const struct fed fed = {begin, feed, end, &m};
    assert_int_equal(ARRAY_LEN(DATACHANNEL_FRAMES), ARRAY_LEN(FRAMES_SAID));
    EACH_ROW(i, DATACHANNEL_FRAMES)
        feed_three_ways(&fed, hex(DATACHANNEL_FRAMES[i].bytes), FRAMES_SAID[i]);
}

static void test_read_is_closed(void **state)
{
    (void)state;
    struct machine m = {.owed = NULL};
    static struct transcript t;
    begin(&m);
    datachannel_close_read(&m.channel);
    datachannel_close_read(&m.channel);
    assert_view_hex(drained(&m, 0), STOP);
    struct span in = test_copy(hex(HELLO FIN));
    assert_code(feed(&m, &in, &t), 1);
    assert_string_equal(t.text, "fin\n");
    assert_view_hex(drained(&m, 0), FIN_ACK);
    datachannel_close_read(&m.channel);
    assert_int_equal(drained(&m, 0).len, 0);
    end(&m);
}

/* ---- closing ------------------------------------------------------------------------------- */

enum command {
    CLOSE_WRITE,
    CLOSE_READ,
    SAY_RESET,
    DRAIN,
    TICK,
    HEAR_FIN,
    HEAR_STOP,
    HEAR_RESET,
    HEAR_FIN_ACK
};

/* What is done, in order; then whether the channel may be closed, and what was said till then. */
static const struct {
    const char *name;
    enum command commands[8];
    size_t count;
    bool is_done;
    const char *said;
} ENDS[] = {
    {"open", {DRAIN}, 1, false, ""},
    {"we close first", {CLOSE_WRITE, DRAIN, HEAR_FIN_ACK, HEAR_FIN, DRAIN}, 5, true, FIN FIN_ACK},
    {"the peer closes first",
     {HEAR_FIN, DRAIN, CLOSE_WRITE, DRAIN, HEAR_FIN_ACK},
     5,
     true,
     FIN_ACK FIN},
    {"both at once", {CLOSE_WRITE, HEAR_FIN, DRAIN, HEAR_FIN_ACK}, 4, true, FIN FIN_ACK},
    {"FIN_ACK is still owed", {CLOSE_WRITE, DRAIN, HEAR_FIN_ACK, HEAR_FIN}, 4, false, FIN},
    {"FIN_ACK is waited for", {CLOSE_WRITE, HEAR_FIN, DRAIN}, 3, false, FIN FIN_ACK},
    {"but not for ever", {CLOSE_WRITE, HEAR_FIN, DRAIN, TICK}, 4, true, FIN FIN_ACK},
    {"the peer's FIN is waited for", {CLOSE_WRITE, DRAIN, HEAR_FIN_ACK}, 3, false, FIN},
    {"and no time limits that", {CLOSE_WRITE, DRAIN, HEAR_FIN_ACK, TICK}, 4, false, FIN},
    {"an answer before the question",
     {CLOSE_WRITE, HEAR_FIN_ACK, HEAR_FIN, DRAIN},
     4,
     false,
     FIN FIN_ACK},
    {"closed twice",
     {CLOSE_WRITE, DRAIN, CLOSE_WRITE, DRAIN, HEAR_FIN_ACK, HEAR_FIN, DRAIN},
     7,
     true,
     FIN FIN_ACK},
    {"who stops reading acknowledges nothing",
     {CLOSE_WRITE, DRAIN, HEAR_STOP, HEAR_FIN, DRAIN},
     5,
     true,
     FIN FIN_ACK},
    {"FIN follows STOP_SENDING",
     {HEAR_STOP, CLOSE_WRITE, DRAIN, HEAR_FIN_ACK, HEAR_FIN, DRAIN},
     6,
     true,
     FIN FIN_ACK},
    {"STOP_SENDING while FIN is owed",
     {CLOSE_WRITE, HEAR_STOP, HEAR_FIN, DRAIN},
     4,
     true,
     FIN FIN_ACK},
    {"we reset, and the peer answers", {SAY_RESET, DRAIN, HEAR_RESET}, 3, true, RESET},
    {"we reset, and the peer had ended", {SAY_RESET, DRAIN, HEAR_FIN}, 3, true, RESET},
    {"we reset, and nobody answers", {SAY_RESET, DRAIN, TICK}, 3, true, RESET},
    {"we reset what the peer has ended", {HEAR_FIN, SAY_RESET, DRAIN}, 3, true, RESET},
    {"we reset, and wait for an answer", {SAY_RESET, DRAIN, HEAR_FIN_ACK}, 3, false, RESET},
    {"we reset what waits for FIN_ACK",
     {CLOSE_WRITE, DRAIN, SAY_RESET, DRAIN, HEAR_FIN_ACK},
     5,
     false,
     FIN RESET},
    {"RESET is still owed", {SAY_RESET}, 1, false, ""},
    {"reset drops what is owed",
     {CLOSE_WRITE, CLOSE_READ, HEAR_FIN, SAY_RESET, DRAIN},
     5,
     true,
     RESET},
    {"reset twice", {SAY_RESET, DRAIN, SAY_RESET, CLOSE_WRITE, CLOSE_READ, DRAIN}, 6, false, RESET},
    {"the peer resets", {CLOSE_WRITE, HEAR_RESET, DRAIN}, 3, true, ""},
    {"both reset", {SAY_RESET, HEAR_RESET, DRAIN}, 3, true, RESET},
    {"all at once",
     {CLOSE_WRITE, CLOSE_READ, HEAR_FIN, DRAIN, HEAR_FIN_ACK},
     5,
     true,
     FIN FIN_ACK STOP},
};

static void hear(struct machine *m, const char *frame)
{
    struct datachannel_event ev;
    struct span in = test_copy(hex(frame));
    while (datachannel_feed(&m->channel, &in, &ev) == 1)
        continue;
}

static void command(struct machine *m, enum command c, struct buf *said)
{
    const uint64_t now = 1000;
    switch (c) {
    case CLOSE_WRITE:
        datachannel_close_write(&m->channel);
        break;
    case CLOSE_READ:
        datachannel_close_read(&m->channel);
        break;
    case SAY_RESET:
        datachannel_reset(&m->channel);
        break;
    case DRAIN:
        assert_ok(datachannel_drain(&m->channel, said, now));
        break;
    case TICK:
        datachannel_tick(&m->channel, now + PEERLET_LIMITS.rtc_answer_ms);
        break;
    case HEAR_FIN:
        hear(m, FIN);
        break;
    case HEAR_STOP:
        hear(m, STOP);
        break;
    case HEAR_RESET:
        hear(m, RESET);
        break;
    case HEAR_FIN_ACK:
        hear(m, FIN_ACK);
        break;
    }
}

static void test_ends(void **state)
{
    (void)state;
    EACH_ROW(i, ENDS) {
        struct machine m = {.owed = NULL};
        struct buf said;
        begin(&m);
        buf_init(&said, &m.mem, 64);
        for (size_t k = 0; k < ENDS[i].count; k++)
            command(&m, ENDS[i].commands[k], &said);
        assert_int_equal(datachannel_is_done(&m.channel), ENDS[i].is_done);
        assert_view_hex(buf_view(&said), ENDS[i].said);
        if (ENDS[i].is_done)
            assert_true(datachannel_deadline(&m.channel) == NEVER);
        buf_free(&said);
        end(&m);
    }
}

static void test_time_runs_from_the_fin(void **state)
{
    (void)state;
    struct machine m = {.owed = NULL};
    begin(&m);
    datachannel_close_write(&m.channel);
    assert_true(datachannel_deadline(&m.channel) == NEVER);
    assert_view_hex(drained(&m, 5000), FIN);
    uint64_t deadline = datachannel_deadline(&m.channel);
    assert_int_equal(deadline, 5000 + PEERLET_LIMITS.rtc_answer_ms);
    datachannel_tick(&m.channel, deadline - 1);
    assert_int_equal(m.channel.state, DATACHANNEL_WAIT);
    datachannel_tick(&m.channel, deadline);
    assert_int_equal(m.channel.state, DATACHANNEL_CLOSED);
    assert_true(datachannel_deadline(&m.channel) == NEVER);
    end(&m);
}

/* ---- out ----------------------------------------------------------------------------------- */

/* Writes `len` bytes as one frame, and returns the frame. */
static struct view written(struct machine *m, struct buf *out, size_t len)
{
    size_t room = len;
    uint8_t *at = datachannel_reserve(&m->channel, out, &room);
    assert_non_null(at);
    assert_int_equal(room, len);
    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)(i + len);
    size_t before = out->len;
    datachannel_commit(&m->channel, out, len);
    struct span all = buf_span(out);
    return view_of(all.data + before, all.len - before);
}

/* Every length around where a prefix grows, and the longest; each frame is read back. */
static void test_frames(void **state)
{
    (void)state;
    static const struct {
        const char *name, *prefix;
        size_t len;
    } ROWS[] = {
        {"1", "031201", 1},
        {"125", "7f127d", 125},
        {"126", "8001127e", 126},
        {"127", "8101127f", 127},
        {"128", "8301128001", 128},
        {"16376", "fb7f12f87f", 16376},
        {"the longest", "fc7f12f97f", DATACHANNEL_PAYLOAD_MAX},
    };
    EACH_ROW(i, ROWS) {
        struct machine m = {.owed = ""};
        struct buf out;
        struct datachannel_event ev;
        begin(&m);
        buf_init(&out, &m.mem, 1 << 20);
        struct view frame = written(&m, &out, ROWS[i].len);
        struct view prefix = hex(ROWS[i].prefix);
        assert_int_equal(frame.len, prefix.len + ROWS[i].len);
        assert_true(frame.len <= DATACHANNEL_FRAME_MAX);
        assert_view_equal(view_of(frame.data, prefix.len), prefix);
        assert_int_equal(datachannel_frame(frame), frame.len);
        assert_int_equal(datachannel_frame(view_of(frame.data, frame.len - 1)), 0);

        struct span in = test_copy(frame);
        assert_code(datachannel_feed(&m.channel, &in, &ev), 1);
        assert_int_equal(ev.data.len, ROWS[i].len);
        for (size_t k = 0; k < ev.data.len; k++)
            assert_int_equal(ev.data.data[k], (uint8_t)(k + ROWS[i].len));
        buf_free(&out);
        end(&m);
    }
}

/* Small writes share a frame up to its limit; not one that is out already, or has flags behind it. */
static void test_shared_frames(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t writes[4];
        size_t frames[4]; /* lengths, prefix included */
        int flags_behind; /* the write with this index, or -1 */
    } ROWS[] = {
        {"two", {200, 100}, {5 + 300}, -1},
        {"a first one that is too small", {127, 100, 28}, {4 + 127, 3 + 100, 3 + 28}, -1},
        {"small ones behind", {128, 1, 2, 3}, {5 + 134}, -1},
        {"full", {16000, 377, 128, 2}, {16382, 5 + 130}, -1},
        {"flags between", {200, 200, 100}, {5 + 200, 3, 5 + 300}, 0},
    };
    EACH_ROW(i, ROWS) {
        struct machine m = {.owed = NULL};
        struct buf out;
        size_t all = 0, said = 0;
        begin(&m);
        buf_init(&out, &m.mem, 1 << 20);
        for (size_t k = 0; k < 4 && ROWS[i].writes[k] > 0; k++) {
            size_t room = ROWS[i].writes[k];
            uint8_t *at = datachannel_reserve(&m.channel, &out, &room);
            assert_int_equal(room, ROWS[i].writes[k]);
            for (size_t n = 0; n < room; n++)
                at[n] = (uint8_t)all++;
            datachannel_commit(&m.channel, &out, room);
            if (ROWS[i].flags_behind == (int)k) {
                m.channel.fin_ack_owed = true;
                assert_ok(datachannel_drain(&m.channel, &out, 0));
            }
        }
        struct datachannel_event ev;
        struct span in = test_copy(buf_view(&out));
        while (datachannel_feed(&m.channel, &in, &ev) == 1)
            for (size_t n = 0; n < ev.data.len; n++)
                assert_int_equal(ev.data.data[n], (uint8_t)said++);
        assert_int_equal(said, all);
        for (size_t k = 0; k < 4 && ROWS[i].frames[k] > 0; k++) {
            size_t len = datachannel_frame(buf_view(&out));
            assert_int_equal(len, ROWS[i].frames[k]);
            buf_take(&out, len);
        }
        assert_int_equal(out.len, 0);
        written(&m, &out, 5);
        buf_free(&out);
        end(&m);
    }
}

static void test_flags_of_others(void **state)
{
    (void)state;
    assert_int_equal(datachannel_frame(hex(FIN)), 3);
    assert_int_equal(datachannel_frame(hex(FIN HELLO)), 3);
    assert_int_equal(datachannel_frame(hex("")), 0);
    assert_int_equal(datachannel_frame(hex("02")), 0);
    assert_int_equal(datachannel_frame(hex("0208")), 0);
    assert_int_equal(datachannel_frame(hex("80")), 0);
    assert_int_equal(datachannel_frame(hex("00")), 1);
}

/* The first words on a channel, as one message. */
static void test_multistream_header(void **state)
{
    (void)state;
    struct machine m = {.owed = ""};
    struct buf out;
    begin(&m);
    buf_init(&out, &m.mem, 100);
    struct view header = hex("132f6d756c746973747265616d2f312e302e300a");
    size_t room = header.len;
    memcpy(datachannel_reserve(&m.channel, &out, &room), header.data, header.len);
    datachannel_commit(&m.channel, &out, header.len);
    assert_view_hex(buf_view(&out), "161214132f6d756c746973747265616d2f312e302e300a");
    datachannel_commit(&m.channel, &out, 0);
    assert_int_equal(out.len, 23);
    buf_free(&out);
    end(&m);
}

static void test_reserve(void **state)
{
    (void)state;
    struct machine m = {.owed = NULL};
    struct buf out;
    size_t room = SIZE_MAX;
    begin(&m);
    buf_init(&out, &m.mem, 1 << 20);
    assert_non_null(datachannel_reserve(&m.channel, &out, &room));
    assert_int_equal(room, DATACHANNEL_PAYLOAD_MAX);
    room = 0;
    assert_null(datachannel_reserve(&m.channel, &out, &room));

    /* With the payload the buffer is full, but for all the flags that may still be owed. */
    out.limit = 100;
    room = 100;
    assert_non_null(datachannel_reserve(&m.channel, &out, &room));
    datachannel_commit(&m.channel, &out, room);
    room = 100;
    datachannel_reserve(&m.channel, &out, &room);
    datachannel_commit(&m.channel, &out, room);
    room = 1;
    assert_null(datachannel_reserve(&m.channel, &out, &room));
    assert_int_equal(room, 0);
    datachannel_close_write(&m.channel);
    hear(&m, FIN);
    m.channel.stop_owed = m.channel.reset_owed = true;
    assert_ok(datachannel_drain(&m.channel, &out, 0));
    buf_free(&out);
    end(&m);
}

static void test_no_writing(void **state)
{
    (void)state;
    static const enum command WAYS[] = {CLOSE_WRITE, SAY_RESET, HEAR_STOP, HEAR_RESET};
    for (size_t i = 0; i < ARRAY_LEN(WAYS); i++) {
        struct machine m = {.owed = NULL};
        struct buf out;
        size_t room = 1;
        begin(&m);
        buf_init(&out, &m.mem, 100);
        command(&m, WAYS[i], &out);
        assert_null(datachannel_reserve(&m.channel, &out, &room));
        buf_free(&out);
        end(&m);
    }
}

static void test_drain_waits_for_room(void **state)
{
    (void)state;
    struct machine m = {.owed = NULL};
    struct buf out;
    begin(&m);
    buf_init(&out, &m.mem, 5);
    datachannel_close_write(&m.channel);
    datachannel_close_read(&m.channel);
    assert_code(datachannel_drain(&m.channel, &out, 0), ERR_FULL);
    assert_view_hex(buf_view(&out), FIN);
    buf_take(&out, 3);
    assert_ok(datachannel_drain(&m.channel, &out, 0));
    assert_view_hex(buf_view(&out), STOP);
    buf_free(&out);
    end(&m);
}

/* ---- two ends ------------------------------------------------------------------------------ */

/* Writes, carries in messages and in pieces of them, and closes; returns the first error. */
static int talk(struct mem *mem, size_t step)
{
    struct datachannel ends[2];
    struct buf out[2];
    uint32_t received[2] = {0, 0};
    int rc = 0;
    for (int i = 0; i < 2; i++) {
        datachannel_init(&ends[i], mem, &PEERLET_LIMITS);
        buf_init(&out[i], mem, 1 << 16);
    }
    for (int round = 0; rc == 0 && round < 8; round++)
        for (int i = 0; rc == 0 && i < 2; i++) {
            size_t room = 1000;
            if (datachannel_reserve(&ends[i], &out[i], &room) != NULL)
                datachannel_commit(&ends[i], &out[i], room);
            if (round == 3 + i)
                datachannel_close_write(&ends[i]);
            rc = datachannel_drain(&ends[i], &out[i], 0);
            struct span all = buf_span(&out[i]);
            while (rc == 0 && all.len > 0) {
                struct span piece = span_take(&all, step);
                struct datachannel_event ev;
                while ((rc = datachannel_feed(&ends[1 - i], &piece, &ev)) == 1)
                    if (ev.type == DATACHANNEL_DATA)
                        received[1 - i] += (uint32_t)ev.data.len;
            }
            buf_take(&out[i], out[i].len);
        }
    if (rc == 0 && received[0] == 5000 && received[1] == 4000)
        rc = datachannel_is_done(&ends[0]) && datachannel_is_done(&ends[1]);
    for (int i = 0; i < 2; i++) {
        datachannel_free(&ends[i]);
        buf_free(&out[i]);
    }
    return rc;
}

static void test_pair(void **state)
{
    (void)state;
    static const size_t STEPS[] = {1, 3, 999, 1005, SIZE_MAX};
    for (size_t i = 0; i < ARRAY_LEN(STEPS); i++) {
        struct mem mem = {0};
        assert_code(talk(&mem, STEPS[i]), 1);
        assert_mem_empty(&mem);
    }
}

static void talk_short_of_memory(struct mem *mem, void *context)
{
    (void)context;
    int rc = talk(mem, 300);
    assert_true(rc == 1 || rc == ERR_NOMEM || rc == 0);
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    assert_true(fail_each_allocation(talk_short_of_memory, NULL) > 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_frames_of_others),
        cmocka_unit_test(test_read_is_closed),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_time_runs_from_the_fin),
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_shared_frames),
        cmocka_unit_test(test_flags_of_others),
        cmocka_unit_test(test_multistream_header),
        cmocka_unit_test(test_reserve),
        cmocka_unit_test(test_no_writing),
        cmocka_unit_test(test_drain_waits_for_room),
        cmocka_unit_test(test_pair),
        cmocka_unit_test(test_each_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "test.h"

#include "wire/noise_symmetric.h"

/* A machine behind its handshake: what it sends, it can receive. */
static struct noise open_noise(struct mem *mem)
{
    struct noise n = {.state = NOISE_OPEN, .mem = mem};
    memset(n.sending.key, 7, AEAD_KEY_LEN);
    memset(n.receiving.key, 7, AEAD_KEY_LEN);
    buf_init(&n.partial, mem, 2 + NOISE_MAX_FRAME);
    return n;
}

static void send(struct noise *n, struct buf *out, struct view plain)
{
    uint8_t *at = noise_reserve(n, out, plain.len);
    assert_non_null(at);
    if (plain.len > 0)
        memcpy(at, plain.data, plain.len);
    noise_commit(n, out, plain.len);
}

static void send_frame(struct noise *n, struct buf *out, struct view plain)
{
    send(n, out, plain);
    assert_ok(noise_seal(n, out));
}

/* Frames of these texts, with an empty one where a text is empty; valid during the test. */
static struct view frames(const char *const *texts, size_t count)
{
    struct noise_cipher c = {.counter = 0};
    memset(c.key, 7, AEAD_KEY_LEN);
    uint8_t bytes[512];
    struct writer w = writer_of(bytes, sizeof bytes);
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(texts[i]);
        put_u16be(&w, (uint16_t)(len + AEAD_TAG_LEN));
        uint8_t *at = w.data + w.len;
        put_text(&w, texts[i]);
        assert_ok(noise_cipher_seal(&c, view_of(NULL, 0), at, len, at + len));
        w.len += AEAD_TAG_LEN;
    }
    return view_of_span(test_copy(writer_view(&w)));
}

/* ---- up ------------------------------------------------------------------------------------ */

struct machine {
    struct mem mem;
    struct noise noise;
};

static void begin(void *context)
{
    struct machine *m = context;
    m->noise = open_noise(&m->mem);
}

static int feed(void *context, struct span *in, struct transcript *t)
{
    struct machine *m = context;
    struct noise_event ev;
    int rc = noise_feed(&m->noise, in, &ev);
    if (rc == 1)
        transcript_add(t, "%.*s\n", (int)ev.plain.len, ev.plain.data);
    return rc;
}

static void end(void *context)
{
    struct machine *m = context;
    noise_free(&m->noise);
    assert_mem_empty(&m->mem);
}

static void test_frames(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {"hello", "", "a", "noise"};
    struct machine m = {0};
    const struct fed fed = {begin, feed, end, &m};
    feed_three_ways(&fed, frames(TEXTS, 4), "hello\na\nnoise\n");
    feed_three_ways(&fed, frames(TEXTS, 2), "hello\n");
    feed_three_ways(&fed, frames(TEXTS, 0), "");
}

static const struct {
    const char *name, *bytes, *said;
} BAD[] = {
    {"no room for a tag", "000f 000102030405060708090a0b0c0d0e", "PROTOCOL\n"},
    {"no length", "0000", "PROTOCOL\n"},
    {"a wrong tag over nothing", "0010 000102030405060708090a0b0c0d0e0f", "CRYPTO\n"},
    {"a part of a frame", "0010 0001", ""},
    {"a part of a length", "00", ""},
};

static void test_bad_frames(void **state)
{
    (void)state;
    struct machine m = {0};
    const struct fed fed = {begin, feed, end, &m};
    EACH_ROW(i, BAD)
        feed_three_ways(&fed, hex(BAD[i].bytes), BAD[i].said);
}

static void test_altered_frames(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {"one", "two"};
    struct machine m = {0};
    const struct fed fed = {begin, feed, end, &m};
    struct span both = test_copy(frames(TEXTS, 2));
    size_t len = both.len / 2;
    for (size_t at = 2; at < len; at++) {
        both.data[len + at] ^= 0x10;
        feed_three_ways(&fed, view_of_span(both), "one\nCRYPTO\n");
        both.data[len + at] ^= 0x10;
    }
    /* The second before the first; the first twice. */
    feed_three_ways(&fed, view_of(both.data + len, len), "CRYPTO\n");
    memcpy(both.data + len, both.data, len);
    feed_three_ways(&fed, view_of_span(both), "one\nCRYPTO\n");
}

static void test_nothing_follows_an_error(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {"one"};
    struct machine m = {0};
    struct noise_event ev;
    begin(&m);
    struct span in = test_copy(hex("0000"));
    assert_code(noise_feed(&m.noise, &in, &ev), ERR_PROTOCOL);
    in = test_copy(frames(TEXTS, 1));
    assert_code(noise_feed(&m.noise, &in, &ev), ERR_CLOSED);
    end(&m);
}

/* A whole frame is decrypted where it lies; only a split one costs memory, and that comes back. */
static void test_memory(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {"one", "two", "three"};
    struct machine m = {0};
    struct noise_event ev;
    begin(&m);
    struct span bytes = test_copy(frames(TEXTS, 3));
    struct span in = span_of(bytes.data, bytes.len - 1);
    assert_code(noise_feed(&m.noise, &in, &ev), 1);
    assert_ptr_equal(ev.plain.data, bytes.data + 2);
    assert_code(noise_feed(&m.noise, &in, &ev), 1);
    assert_int_equal(m.mem.calls, 0);
    assert_ok(noise_feed(&m.noise, &in, &ev));
    assert_in_range(m.mem.used, 1, 1024);
    in = span_of(bytes.data + bytes.len - 1, 1);
    assert_code(noise_feed(&m.noise, &in, &ev), 1);
    assert_view_text(view_of_span(ev.plain), "three");
    assert_ok(noise_feed(&m.noise, &in, &ev));
    assert_mem_empty(&m.mem);
    end(&m);
}

/* ---- down ---------------------------------------------------------------------------------- */

static void test_writes_share_a_frame(void **state)
{
    (void)state;
    struct machine m = {0};
    struct buf out;
    begin(&m);
    buf_init(&out, &m.mem, 1000);
    assert_ok(noise_seal(&m.noise, &out));
    assert_int_equal(out.len, 0);
    send(&m.noise, &out, view_of_text("hel"));
    assert_int_equal(noise_sealed(&m.noise, &out), 0);
    assert_int_equal(noise_frame_room(&m.noise), NOISE_MAX_PLAINTEXT - 3);
    send(&m.noise, &out, view_of_text("lo"));
    assert_ok(noise_seal(&m.noise, &out));
    assert_int_equal(out.len, NOISE_OVERHEAD + 5);
    assert_int_equal(noise_sealed(&m.noise, &out), out.len);
    assert_int_equal(noise_frame_room(&m.noise), NOISE_MAX_PLAINTEXT);
    send(&m.noise, &out, view_of_text("again"));
    assert_int_equal(noise_sealed(&m.noise, &out), NOISE_OVERHEAD + 5);
    assert_ok(noise_seal(&m.noise, &out));

    static const char *const TEXTS[] = {"hello", "again"};
    assert_view_equal(buf_view(&out), frames(TEXTS, 2));
    buf_free(&out);
    end(&m);
}

/* Whoever reserves more than it writes, or writes nothing at all. */
static void test_less_is_written_than_reserved(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {"hello"};
    struct machine m = {0};
    struct buf out;
    begin(&m);
    buf_init(&out, &m.mem, 1000);
    assert_non_null(noise_reserve(&m.noise, &out, 10));
    assert_ok(noise_seal(&m.noise, &out));
    assert_int_equal(out.len, 0);
    memcpy(noise_reserve(&m.noise, &out, 500), "hello", 5);
    noise_commit(&m.noise, &out, 5);
    assert_ok(noise_seal(&m.noise, &out));
    assert_view_equal(buf_view(&out), frames(TEXTS, 1));
    buf_free(&out);
    end(&m);
}

/* The tag has its room from the start, down to the last byte of the limit. */
static void test_the_tag_always_fits(void **state)
{
    (void)state;
    struct machine m = {0};
    struct buf out;
    begin(&m);
    buf_init(&out, &m.mem, NOISE_OVERHEAD + 5);
    assert_null(noise_reserve(&m.noise, &out, 6));
    assert_int_equal(out.len, 0);
    send(&m.noise, &out, view_of_text("hell"));
    assert_null(noise_reserve(&m.noise, &out, 2));
    send(&m.noise, &out, view_of_text("o"));
    assert_ok(noise_seal(&m.noise, &out));
    assert_int_equal(buf_room(&out), 0);
    assert_null(noise_reserve(&m.noise, &out, 1));
    buf_free(&out);
    end(&m);
}

static void test_longest_frame(void **state)
{
    (void)state;
    static uint8_t plain[NOISE_MAX_PLAINTEXT];
    struct machine m = {0};
    struct buf out;
    struct noise_event ev;
    begin(&m);
    buf_init(&out, &m.mem, 1 << 20);
    memset(plain, 0x5a, sizeof plain);
    send_frame(&m.noise, &out, view_of(plain, sizeof plain));
    assert_int_equal(out.len, 2 + NOISE_MAX_FRAME);
    struct span in = buf_span(&out);
    assert_code(noise_feed(&m.noise, &in, &ev), 1);
    assert_view_equal(view_of_span(ev.plain), view_of(plain, sizeof plain));
    buf_free(&out);
    end(&m);
}

/* What has left makes room in front; the open frame moves with the buffer. */
static void test_frame_is_open_while_others_leave(void **state)
{
    (void)state;
    struct machine m = {0};
    struct buf out;
    struct noise_event ev;
    uint8_t plain[100] = {1};
    begin(&m);
    buf_init(&out, &m.mem, 256);
    send_frame(&m.noise, &out, view_of(plain, sizeof plain));
    send(&m.noise, &out, view_of(plain, 50));
    struct span in = buf_span(&out);
    assert_code(noise_feed(&m.noise, &in, &ev), 1);
    buf_take(&out, noise_sealed(&m.noise, &out));
    send(&m.noise, &out, view_of(plain, 99));
    assert_ok(noise_seal(&m.noise, &out));
    in = buf_span(&out);
    assert_code(noise_feed(&m.noise, &in, &ev), 1);
    assert_int_equal(ev.plain.len, 149);
    buf_free(&out);
    end(&m);
}

static void test_keys_are_used_up(void **state)
{
    (void)state;
    struct machine m = {0};
    struct buf out;
    struct noise_event ev;
    begin(&m);
    buf_init(&out, &m.mem, 1000);
    m.noise.sending.counter = m.noise.receiving.counter = NOISE_MESSAGES_MAX - 1;
    send_frame(&m.noise, &out, view_of_text("last"));
    struct span in = buf_span(&out);
    assert_code(noise_feed(&m.noise, &in, &ev), 1);
    assert_view_text(view_of_span(ev.plain), "last");
    send(&m.noise, &out, view_of_text("one too many"));
    assert_code(noise_seal(&m.noise, &out), ERR_CLOSED);
    in = test_copy(hex("0011 0001020304050607 08090a0b0c0d0e0f 10"));
    assert_code(noise_feed(&m.noise, &in, &ev), ERR_CLOSED);
    buf_free(&out);
    end(&m);
}

/* Any text in any pieces, sealed at any time and fed in any pieces, arrives. */
static void test_random_schedules(void **state)
{
    (void)state;
    uint64_t seed = 5;
    static uint8_t sent[1 << 16], received[1 << 16];
    for (int round = 0; round < 200; round++) {
        struct machine m = {0};
        struct buf out;
        struct noise_event ev;
        size_t sent_len = 0, received_len = 0;
        begin(&m);
        buf_init(&out, &m.mem, 4096);
        for (int step = 0; step < 100; step++) {
            size_t len = test_random(&seed) % 300 + 1;
            if (test_random(&seed) % 2 && noise_reserve(&m.noise, &out, len) != NULL) {
                for (size_t i = 0; i < len; i++)
                    sent[sent_len + i] = (uint8_t)test_random(&seed);
                send(&m.noise, &out, view_of(sent + sent_len, len));
                sent_len += len;
            }
            if (test_random(&seed) % 4 == 0 || step == 99)
                assert_ok(noise_seal(&m.noise, &out));
            size_t ready = noise_sealed(&m.noise, &out);
            size_t fed = step == 99 ? ready : test_random(&seed) % (ready + 1);
            struct span in = span_of(buf_span(&out).data, fed);
            while (noise_feed(&m.noise, &in, &ev) == 1) {
                memcpy(received + received_len, ev.plain.data, ev.plain.len);
                received_len += ev.plain.len;
            }
            buf_take(&out, fed);
        }
        assert_view_equal(view_of(received, received_len), view_of(sent, sent_len));
        buf_free(&out);
        end(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_bad_frames),
        cmocka_unit_test(test_altered_frames),
        cmocka_unit_test(test_nothing_follows_an_error),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_writes_share_a_frame),
        cmocka_unit_test(test_less_is_written_than_reserved),
        cmocka_unit_test(test_the_tag_always_fits),
        cmocka_unit_test(test_longest_frame),
        cmocka_unit_test(test_frame_is_open_while_others_leave),
        cmocka_unit_test(test_keys_are_used_up),
        cmocka_unit_test(test_random_schedules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

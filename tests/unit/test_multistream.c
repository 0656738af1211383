#include "test.h"

#include "base/role.h"
#include "vectors_wire.h"
#include "wire/multistream.h"

#define HEADER "/multistream/1.0.0"

/* Lines from words: "a bc" is 02 'a' 0a 03 'b' 'c' 0a. A word of "#6869" is those bytes. */
static struct view lines(const char *words)
{
    static uint8_t bytes[8192];
    struct writer w = writer_of(bytes, sizeof bytes);
    while (*words != '\0') {
        size_t len = strcspn(words, " ");
        char word[1100];
        assert_true(len < sizeof word);
        memcpy(word, words, len);
        word[len] = '\0';
        if (word[0] == '#') {
            put(&w, hex(word + 1));
        } else {
            put_uvarint(&w, len + 1);
            put_text(&w, word);
            put_u8(&w, '\n');
        }
        words += len + (words[len] == ' ');
    }
    assert_false(w.failed);
    return view_of_span(test_copy(writer_view(&w)));
}

struct machine {
    struct mem mem;
    enum role role;
    const char *names; /* what the dialer proposes, or the listener accepts */
    const char *at;    /* the next of them */
    const char *said;  /* lines that must have been drained at the end */
    struct multistream m;
    struct buf out;
};

/* The next of the names: false when there is none. */
static bool next_name(struct machine *m, struct view *name)
{
    size_t len = strcspn(m->at, " ");
    *name = view_of((const uint8_t *)m->at, len);
    m->at += len + (m->at[len] == ' ');
    return len > 0;
}

static void begin(void *context)
{
    struct machine *m = context;
    struct view name;
    multistream_init(&m->m, m->role, &m->mem, &PEERLET_LIMITS);
    buf_init(&m->out, &m->mem, 8192);
    m->at = m->names;
    if (m->role == DIALER && next_name(m, &name))
        assert_ok(multistream_propose(&m->m, name));
}

static bool accepts(struct machine *m, struct view protocol)
{
    struct view name;
    m->at = m->names;
    while (next_name(m, &name))
        if (view_equal(name, protocol))
            return true;
    return false;
}

static int react(struct machine *m, const struct multistream_event *ev, struct transcript *t)
{
    struct view name;
    switch (ev->type) {
    case MULTISTREAM_ACCEPTED:
        transcript_add(t, "accepted %.*s\n", (int)ev->protocol.len, ev->protocol.data);
        return FED_DONE;
    case MULTISTREAM_REFUSED:
        transcript_add(t, "refused %.*s\n", (int)ev->protocol.len, ev->protocol.data);
        if (next_name(m, &name))
            assert_ok(multistream_propose(&m->m, name));
        return m->m.state == MULTISTREAM_WAIT_ANSWER ? 1 : FED_DONE;
    case MULTISTREAM_PROPOSED:
        transcript_add(t, "proposed %.*s\n", (int)ev->protocol.len, ev->protocol.data);
        if (accepts(m, ev->protocol)) {
            assert_ok(multistream_accept(&m->m));
            return FED_DONE;
        }
        assert_ok(multistream_refuse(&m->m));
        return 1;
    }
    fail();
}

static int feed(void *context, struct span *in, struct transcript *t)
{
    struct machine *m = context;
    struct multistream_event ev;
    int rc = multistream_feed(&m->m, in, &ev);
    if (rc == 1)
        rc = react(m, &ev, t);
    assert_ok(multistream_drain(&m->m, &m->out));
    return rc;
}

static void end(void *context)
{
    struct machine *m = context;
    assert_view_equal(buf_view(&m->out), lines(m->said));
    buf_free(&m->out);
    multistream_free(&m->m);
    assert_mem_empty(&m->mem);
}

static const struct {
    const char *name;
    enum role role;
    const char *names, *input, *events, *said;
} CASES[] = {
    {"nothing yet", LISTENER, "/a", "", "", ""},
    {"accept", LISTENER, "/a", HEADER " /a", "proposed /a\n", HEADER " /a"},
    {"what follows is left alone", LISTENER, "/a", HEADER " /a #6869", "proposed /a\n",
     HEADER " /a"},
    {"refuse, then accept", LISTENER, "/a /b", HEADER " /c /b", "proposed /c\nproposed /b\n",
     HEADER " na /b"},
    {"ls is not available", LISTENER, "/a", HEADER " ls /a", "proposed /a\n", HEADER " na /a"},
    {"an empty name", LISTENER, "/a", HEADER " #010a /a", "proposed /a\n", HEADER " na /a"},
    {"a second header", LISTENER, "/a", HEADER " " HEADER " /a", "proposed /a\n",
     HEADER " " HEADER " /a"},
    {"no header", LISTENER, "/a", "/a", "PROTOCOL\n", ""},
    {"another version", LISTENER, "/a", "/multistream/2.0.0", "PROTOCOL\n", ""},
    {"no newline", LISTENER, "/a", HEADER " #022f61", "PROTOCOL\n", HEADER},
    {"no bytes in a line", LISTENER, "/a", HEADER " #00", "PROTOCOL\n", HEADER},
    {"a line over the limit", LISTENER, "/a", HEADER " #8108", "TOO_BIG\n", HEADER},

    {"accepted", DIALER, "/a", HEADER " /a", "accepted /a\n", HEADER " /a"},
    {"the reply behind the echo", DIALER, "/a", HEADER " /a #6869", "accepted /a\n", HEADER " /a"},
    {"refused, accepted", DIALER, "/a /b", HEADER " na /b", "refused /a\naccepted /b\n",
     HEADER " /a /b"},
    {"refused for good", DIALER, "/a /b", HEADER " na na", "refused /a\nrefused /b\n",
     HEADER " /a /b"},
    {"no header in the answer", DIALER, "/a", "/a", "PROTOCOL\n", HEADER " /a"},
    {"another echo", DIALER, "/a", HEADER " /b", "PROTOCOL\n", HEADER " /a"},
    {"a longer echo", DIALER, "/a", HEADER " /aa", "PROTOCOL\n", HEADER " /a"},
    {"a second header in the answer", DIALER, "/a", HEADER " " HEADER, "PROTOCOL\n", HEADER " /a"},
    {"an answer over the limit", DIALER, "/a", HEADER " #8108", "TOO_BIG\n", HEADER " /a"},
};

static void test_cases(void **state)
{
    (void)state;
    struct machine m = {0};
    const struct fed fed = {begin, feed, end, &m};
    EACH_ROW(i, CASES) {
        m.role = CASES[i].role;
        m.names = CASES[i].names;
        m.said = CASES[i].said;
        feed_three_ways(&fed, lines(CASES[i].input), CASES[i].events);
    }
}

static void test_lines_of_others(void **state)
{
    (void)state;
    EACH_ROW(i, MULTISTREAM_LINES)
        assert_view_hex(lines(MULTISTREAM_LINES[i].name), MULTISTREAM_LINES[i].bytes);
}

/* None of these is a proposal; all end in an error or in na. */
static void test_hostile_lines_of_others(void **state)
{
    (void)state;
    EACH_ROW(i, MULTISTREAM_HOSTILE) {
        struct mem mem = {0};
        struct multistream m;
        struct multistream_event ev;
        multistream_init(&m, LISTENER, &mem, &PEERLET_LIMITS);
        struct span in = test_copy(lines(HEADER));
        assert_ok(multistream_feed(&m, &in, &ev));
        in = test_copy(hex(MULTISTREAM_HOSTILE[i].bytes));
        int rc = multistream_feed(&m, &in, &ev);
        if (rc == 1) {
            assert_non_null(memchr(ev.protocol.data, '\0', ev.protocol.len));
        } else if (rc == 0) {
            struct buf out;
            buf_init(&out, &mem, 64);
            assert_ok(multistream_drain(&m, &out));
            assert_view_equal(buf_view(&out), lines(HEADER " na"));
            buf_free(&out);
        } else
            assert_true(rc == ERR_PROTOCOL || rc == ERR_TOO_BIG);
        multistream_free(&m);
    }
}

/* go's listener says its header before it has read anything. */
static void test_listener_speaks_first(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct multistream m;
    struct multistream_event ev;
    multistream_init(&m, DIALER, &mem, &PEERLET_LIMITS);
    struct span in = test_copy(lines(HEADER));
    assert_ok(multistream_feed(&m, &in, &ev));
    assert_int_equal(in.len, 0);
    assert_ok(multistream_propose(&m, view_of_text("/a")));
    in = test_copy(lines("/a #68"));
    assert_code(multistream_feed(&m, &in, &ev), 1);
    assert_int_equal(ev.type, MULTISTREAM_ACCEPTED);
    assert_view_text(view_of_span(in), "h");
    multistream_free(&m);
    assert_mem_empty(&mem);
}

/* Nothing is taken from the peer while the owner has to speak. */
static void test_owner_is_waited_for(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct multistream m;
    struct multistream_event ev;
    multistream_init(&m, LISTENER, &mem, &PEERLET_LIMITS);
    struct span in = test_copy(lines(HEADER " /a /b"));
    assert_code(multistream_feed(&m, &in, &ev), 1);
    assert_ok(multistream_feed(&m, &in, &ev));
    assert_int_equal(in.len, lines("/b").len);
    assert_ok(multistream_refuse(&m));
    assert_code(multistream_feed(&m, &in, &ev), 1);
    assert_view_text(ev.protocol, "/b");
    multistream_free(&m);
    assert_mem_empty(&mem);
}

static void test_limits_of_a_listener(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct multistream m;
    struct multistream_event ev;
    multistream_init(&m, LISTENER, &mem, &PEERLET_LIMITS);
    struct span in = test_copy(lines(HEADER));
    assert_ok(multistream_feed(&m, &in, &ev));
    char name[MULTISTREAM_LINE_MAX];
    memset(name, 'x', sizeof name);
    name[0] = '/';
    name[sizeof name - 1] = '\0';
    for (uint32_t i = 2; i <= PEERLET_LIMITS.negotiate_proposals; i++) {
        bool is_last = i == PEERLET_LIMITS.negotiate_proposals;
        in = test_copy(lines(is_last ? name : HEADER));
        assert_code(multistream_feed(&m, &in, &ev), is_last);
    }
    /* The longest of all answers, none of them drained. */
    assert_ok(multistream_accept(&m));
    multistream_free(&m);

    multistream_init(&m, LISTENER, &mem, &PEERLET_LIMITS);
    for (uint32_t i = 1; i <= PEERLET_LIMITS.negotiate_proposals; i++) {
        in = test_copy(lines(i == 1 ? HEADER : "ls"));
        assert_ok(multistream_feed(&m, &in, &ev));
    }
    in = test_copy(lines("ls"));
    assert_code(multistream_feed(&m, &in, &ev), ERR_FULL);
    multistream_free(&m);
    assert_mem_empty(&mem);
}

static void test_limits_of_a_dialer(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct multistream m;
    struct multistream_event ev;
    char name[257];
    memset(name, 'x', sizeof name);
    name[256] = '\0';
    multistream_init(&m, DIALER, &mem, &PEERLET_LIMITS);
    assert_code(multistream_propose(&m, view_of_text(name)), ERR_BAD_ARGUMENT);
    assert_code(multistream_propose(&m, view_of_text("")), ERR_BAD_ARGUMENT);
    struct buf out;
    buf_init(&out, &mem, 64);
    struct span in = test_copy(lines(HEADER));
    for (uint32_t i = 0; i <= PEERLET_LIMITS.negotiate_refusals; i++) {
        assert_ok(multistream_propose(&m, view_of_text("/a")));
        assert_ok(multistream_drain(&m, &out));
        buf_take(&out, out.len);
        if (i == 0)
            assert_ok(multistream_feed(&m, &in, &ev));
        in = test_copy(lines("na"));
        assert_code(multistream_feed(&m, &in, &ev), 1);
    }
    assert_code(multistream_propose(&m, view_of_text("/a")), ERR_FULL);
    buf_free(&out);
    multistream_free(&m);
    assert_mem_empty(&mem);
}

static void test_drain_waits_for_room(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct multistream m;
    multistream_init(&m, DIALER, &mem, &PEERLET_LIMITS);
    assert_ok(multistream_propose(&m, view_of_text("/a")));
    struct buf out;
    buf_init(&out, &mem, 23);
    assert_code(multistream_drain(&m, &out), ERR_FULL);
    assert_int_equal(out.len, 0);
    out.limit = 24;
    assert_ok(multistream_drain(&m, &out));
    assert_view_equal(buf_view(&out), lines(HEADER " /a"));
    assert_ok(multistream_drain(&m, &out));
    buf_free(&out);
    multistream_free(&m);
    assert_mem_empty(&mem);
}

/* Two machines joined by two buffers; the dialer has `names`, the listener speaks /c. */
struct pair {
    struct multistream dialer, listener;
    struct buf to_dialer, to_listener;
    const char *const *names;
};

static int carry(struct multistream *from, struct buf *wire, struct multistream *to,
                 struct multistream_event *ev)
{
    int rc = multistream_drain(from, wire);
    if (rc != 0)
        return rc;
    struct span in = buf_span(wire);
    rc = multistream_feed(to, &in, ev);
    buf_take(wire, wire->len - in.len);
    return rc;
}

static int step(struct pair *p)
{
    struct multistream_event ev;
    int rc = carry(&p->dialer, &p->to_listener, &p->listener, &ev);
    if (rc == 1)
        rc = view_equals_text(ev.protocol, "/c") ? multistream_accept(&p->listener)
                                                 : multistream_refuse(&p->listener);
    if (rc < 0)
        return rc;
    rc = carry(&p->listener, &p->to_dialer, &p->dialer, &ev);
    if (rc == 1 && ev.type == MULTISTREAM_REFUSED)
        rc = multistream_propose(&p->dialer, view_of_text(*++p->names));
    return MIN(rc, 0);
}

static void negotiate(struct mem *mem, void *context)
{
    (void)context;
    static const char *const NAMES[] = {"/a", "/b", "/c"};
    struct pair p = {.names = NAMES};
    multistream_init(&p.dialer, DIALER, mem, &PEERLET_LIMITS);
    multistream_init(&p.listener, LISTENER, mem, &PEERLET_LIMITS);
    buf_init(&p.to_dialer, mem, 4096);
    buf_init(&p.to_listener, mem, 4096);
    int rc = multistream_propose(&p.dialer, view_of_text(NAMES[0]));
    for (size_t i = 0; rc == 0 && i < 4; i++)
        rc = step(&p);
    if (rc == 0)
        assert_int_equal(p.dialer.state, MULTISTREAM_AGREED);
    else
        assert_code(rc, ERR_NOMEM);
    buf_free(&p.to_dialer);
    buf_free(&p.to_listener);
    multistream_free(&p.dialer);
    multistream_free(&p.listener);
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    assert_true(fail_each_allocation(negotiate, NULL) > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_lines_of_others),
        cmocka_unit_test(test_hostile_lines_of_others),
        cmocka_unit_test(test_listener_speaks_first),
        cmocka_unit_test(test_owner_is_waited_for),
        cmocka_unit_test(test_limits_of_a_listener),
        cmocka_unit_test(test_limits_of_a_dialer),
        cmocka_unit_test(test_drain_waits_for_room),
        cmocka_unit_test(test_each_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

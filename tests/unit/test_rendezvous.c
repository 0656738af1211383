#include "framed.h"

#include "crypto/crypto.h"
#include "protocols/rendezvous.h"
#include "vectors_multiformats.h"

enum question { REGISTER, UNREGISTER, DISCOVER };

struct machine {
    struct mem mem;
    enum question question;
    struct rendezvous r;
};

static int ask(struct machine *m)
{
    struct view ns = view_of_text("room");
    const struct rendezvous_question question = {ns, 10, view_of_text("c")};
    switch (m->question) {
    case REGISTER:
        return rendezvous_register_init(&m->r, &m->mem, &SERVICE_LIMITS, ns, view_of_text("env"),
                                        7200, 5);
    case UNREGISTER:
        return rendezvous_unregister_init(&m->r, &m->mem, &SERVICE_LIMITS, ns, 5);
    case DISCOVER:
        break;
    }
    return rendezvous_discover_init(&m->r, &m->mem, &SERVICE_LIMITS, &question, 5);
}

static void begin(void *context)
{
    assert_ok(ask(context));
}

static void end(void *context)
{
    struct machine *m = context;
    RENDEZVOUS_OPS.free(&m->r);
    assert_mem_empty(&m->mem);
}

#define ROOM "{726f6f6d}"

/* By specs/rendezvous, "Protobuf". */
static void test_questions(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum question question;
        const char *bytes;
        int stream;
    } rows[] = {
        {"REGISTER", REGISTER, "{0800 12{0a" ROOM "12{656e76}18a038}}", PROTOCOL_OPEN},
        {"UNREGISTER", UNREGISTER, "{0802 22{0a" ROOM "}}", PROTOCOL_DONE},
        {"DISCOVER", DISCOVER, "{0803 2a{0a" ROOM "100a 1a{63}}}", PROTOCOL_OPEN},
    };
    EACH_ROW(i, rows) {
        struct machine m = {.question = rows[i].question};
        struct buf out;
        begin(&m);
        buf_init(&out, &m.mem, 1024);
        assert_code(RENDEZVOUS_OPS.drain(&m.r, &out), rows[i].stream);
        assert_view_equal(buf_view(&out), framed(rows[i].bytes));
        buf_free(&out);
        end(&m);
    }
}

static void test_a_question_about_everything(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct rendezvous r;
    struct buf out;
    buf_init(&out, &mem, 64);
    assert_ok(
        rendezvous_discover_init(&r, &mem, &SERVICE_LIMITS, &(struct rendezvous_question){0}, 0));
    assert_code(RENDEZVOUS_OPS.drain(&r, &out), PROTOCOL_OPEN);
    assert_view_equal(buf_view(&out), framed("{0803 2a{}}"));
    buf_free(&out);
    RENDEZVOUS_OPS.free(&r);
    assert_mem_empty(&mem);
}

static void tell(struct transcript *t, const struct protocol_event *ev)
{
    if (ev->type == RENDEZVOUS_REGISTERED) {
        transcript_add(t, "for %llu s\n", (unsigned long long)ev->registered.ttl_s);
    } else if (ev->type == RENDEZVOUS_REFUSED) {
        transcript_add(t, "refused %u ", ev->rendezvous_refused.status);
        transcript_add_hex(t, ev->rendezvous_refused.text);
        transcript_add(t, "\n");
        assert_non_null(rendezvous_status_text(ev->rendezvous_refused.status));
    } else {
        assert_int_equal(ev->type, RENDEZVOUS_FOUND);
        transcript_add(t, "found %u, cookie ", (unsigned)ev->found.registrations.count);
        transcript_add_hex(t, ev->found.cookie);
        transcript_add(t, "\n");
    }
}

static int feed(void *context, struct span *in, struct transcript *t)
{
    struct machine *m = context;
    struct protocol_event ev;
    int rc = RENDEZVOUS_OPS.feed(&m->r, in, &ev, 6);
    if (rc <= 0)
        return rc;
    tell(t, &ev);
    return FED_DONE;
}

static const struct {
    const char *name;
    enum question question;
    const char *bytes, *told;
} ANSWERS[] = {
    {"registered", REGISTER, "{0801 1a{0800 18a038}}", "for 7200 s\n"},
    {"registered, proto3's way", REGISTER, "{0801 1a{18a038}}", "for 7200 s\n"},
    {"a namespace that is refused", REGISTER, "{0801 1a{0864 12{6e6f}}}", "refused 100 6e6f\n"},
    {"a status of another time", REGISTER, "{0801 1a{08e707}}", "refused 999 \n"},
    {"found nobody", DISCOVER, "{0806 32{}}", "PROTOCOL\n"},
    {"found nobody, rightly told", DISCOVER, "{0804 32{12{63}}}", "found 0, cookie 63\n"},
    {"found two", DISCOVER, "{0804 32{0a{00}0a{00}12{6363}1800}}", "found 2, cookie 6363\n"},
    {"a cookie that is refused", DISCOVER, "{0804 32{1867 22{6f6c64}}}", "refused 103 6f6c64\n"},
    {"no type", REGISTER, "{1a{}}", "PROTOCOL\n"},
    {"a type without its message", REGISTER, "{0801}", "PROTOCOL\n"},
    {"the answer to another question", REGISTER, "{0804 32{}}", "PROTOCOL\n"},
    {"a question", DISCOVER, "{0803 2a{}}", "PROTOCOL\n"},
    {"no protobuf", DISCOVER, "{ffff}", "PROTOCOL\n"},
    {"1 MiB and one byte", DISCOVER, "818040", "TOO_BIG\n"},
};

static void test_answers(void **state)
{
    (void)state;
    EACH_ROW(i, ANSWERS) {
        struct machine m = {.question = ANSWERS[i].question};
        const struct fed fed = {begin, feed, end, &m};
        feed_three_ways(&fed, framed(ANSWERS[i].bytes), ANSWERS[i].told);
    }
}

static void test_silence_and_ends(void **state)
{
    (void)state;
    struct machine m = {.question = DISCOVER};
    struct protocol_event ev;
    begin(&m);
    assert_int_equal(RENDEZVOUS_OPS.deadline(&m.r), 5 + SERVICE_LIMITS.rendezvous_ms);
    assert_code(RENDEZVOUS_OPS.tick(&m.r, 5 + SERVICE_LIMITS.rendezvous_ms), ERR_TIMEOUT);
    assert_code(RENDEZVOUS_OPS.end(&m.r, &ev, 6), ERR_PROTOCOL);
    end(&m);
    m.question = UNREGISTER;
    begin(&m);
    assert_true(RENDEZVOUS_OPS.deadline(&m.r) == NEVER);
    assert_ok(RENDEZVOUS_OPS.end(&m.r, &ev, 6));
    end(&m);
}

static void test_limits(void **state)
{
    (void)state;
    static const uint8_t long_ns[256], huge[ENVELOPE_MAX_LEN + 512];
    struct mem mem = {0};
    struct rendezvous r;
    assert_code(rendezvous_unregister_init(&r, &mem, &SERVICE_LIMITS, view_of(long_ns, 256), 0),
                ERR_TOO_BIG);
    RENDEZVOUS_OPS.free(&r);
    assert_ok(rendezvous_unregister_init(&r, &mem, &SERVICE_LIMITS, view_of(long_ns, 255), 0));
    RENDEZVOUS_OPS.free(&r);
    assert_code(rendezvous_register_init(&r, &mem, &SERVICE_LIMITS, view_of(long_ns, 1),
                                         view_of(huge, sizeof huge), 0, 0),
                ERR_TOO_BIG);
    RENDEZVOUS_OPS.free(&r);
    assert_mem_empty(&mem);

    struct service_limits limits = SERVICE_LIMITS;
    struct protocol_event ev;
    limits.rendezvous_registrations = 1;
    assert_ok(rendezvous_discover_init(&r, &mem, &limits, &(struct rendezvous_question){0}, 0));
    struct span in = test_copy(framed("{0804 32{0a{00}0a{00}0a{00}}}"));
    assert_code(RENDEZVOUS_OPS.feed(&r, &in, &ev, 0), 1);
    assert_int_equal(ev.found.registrations.count, 1);
    assert_int_equal(ev.found.registrations.over, 2);
    RENDEZVOUS_OPS.free(&r);
    assert_mem_empty(&mem);
}

/* Records that js- and go-libp2p signed, as a point would list them. */
static void test_registrations(void **state)
{
    (void)state;
    static const struct {
        const char *name, *bytes;
        int code;
        size_t addresses;
    } rows[] = {
        {"js-libp2p's record", "0a" ROOM "12{" JS_RECORD_ENVELOPE "}18a038", 0, 3},
        {"go-libp2p's record", "0a" ROOM "12{" GO_RECORD_ENVELOPE "}18a038", 0, 4},
        {"no record", "0a" ROOM "18a038", ERR_BAD_KEY, 0},
        {"a record that is none", "0a" ROOM "12{ff}", ERR_PROTOCOL, 0},
        {"no protobuf", "ff", ERR_PROTOCOL, 0},
    };
    EACH_ROW(i, rows) {
        struct view at[4];
        struct rendezvous_registration r = {.record.addresses = {.at = at, .room = ARRAY_LEN(at)}};
        assert_code(rendezvous_registration_parse(framed(rows[i].bytes), &r), rows[i].code);
        if (rows[i].code < 0)
            continue;
        assert_view_text(r.ns, "room");
        assert_int_equal(r.ttl_s, 7200);
        assert_int_equal(r.record.addresses.count, rows[i].addresses);
    }
}

static void one_question(struct mem *mem, void *context)
{
    struct machine m = {.question = *(enum question *)context};
    struct protocol_event ev;
    m.mem = *mem;
    int rc = ask(&m);
    struct span in = test_copy(framed("{0804 32{0a{00}12{63}}}"));
    for (struct span part; rc == 0 && (part = span_take(&in, 1)).len > 0;)
        rc = RENDEZVOUS_OPS.feed(&m.r, &part, &ev, 0);
    assert_true(rc >= 0 || rc == ERR_NOMEM);
    RENDEZVOUS_OPS.free(&m.r);
    *mem = m.mem;
    the_test()->arena_used = 0;
}

static void test_allocations(void **state)
{
    (void)state;
    enum question question = DISCOVER;
    assert_true(fail_each_allocation(one_question, &question) >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_questions),   cmocka_unit_test(test_a_question_about_everything),
        cmocka_unit_test(test_answers),     cmocka_unit_test(test_silence_and_ends),
        cmocka_unit_test(test_limits),      cmocka_unit_test(test_registrations),
        cmocka_unit_test(test_allocations),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

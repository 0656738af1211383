#include "scripted.h"
#include "test.h"

/* ---- ids ------------------------------------------------------------------------------------ */

static struct message_id id_of(struct scripted *s, uint32_t author, uint64_t number,
                               enum gossipsub_message_id form)
{
    uint8_t seqno[MESSAGE_SEQNO_LEN];
    struct writer w = writer_of(seqno, sizeof seqno);
    put_u64be(&w, number);
    struct rpc_message m = {.from = peer_id_view(&s->ids[author]), .seqno = writer_view(&w)};
    return message_id_of(&m, form);
}

static uint8_t many_ids[512 << 10];

/* Tells of the author's messages `first` and so many behind it. */
static struct view ihave(struct scripted *s, const char *topic, uint32_t author, uint64_t first,
                         uint32_t count, enum gossipsub_message_id form)
{
    struct writer w = writer_of(many_ids, sizeof many_ids);
    size_t rpc = rpc_begin(&w), control = rpc_begin_control(&w);
    size_t begun = rpc_begin_ihave(&w, view_of_text(topic));
    for (uint64_t i = first; i < first + count; i++) {
        struct message_id id = id_of(s, author, i, form);
        rpc_put_ihave_id(&w, message_id_view(&id));
    }
    rpc_end(&w, begun);
    rpc_end(&w, control);
    rpc_end(&w, rpc);
    assert_false(w.failed);
    return writer_view(&w);
}

enum { IWANT = 0x12, IDONTWANT = 0x2a };

/* So many ids of one author, each `step` behind the one before. */
static void say_ids(struct scripted *s, uint32_t peer, uint8_t kind, uint32_t author,
                    uint64_t first, uint32_t count, uint64_t step)
{
    static uint8_t ids[256 << 10];
    struct writer list = writer_of(ids, sizeof ids);
    for (uint32_t i = 0; i < count; i++) {
        struct message_id id = id_of(s, author, first + i * step, GOSSIPSUB_ID_SPEC);
        rpc_put_wanted_id(&list, message_id_view(&id));
    }
    struct writer w = writer_of(many_ids, sizeof many_ids);
    size_t rpc = rpc_begin(&w), control = rpc_begin_control(&w);
    put_u8(&w, kind);
    put_delimited(&w, writer_view(&list));
    rpc_end(&w, control);
    rpc_end(&w, rpc);
    assert_false(w.failed || list.failed);
    assert_ok(say_bytes(s, peer, writer_view(&w)));
}

/* ---- what we are told ------------------------------------------------------------------------- */

/* What is new is asked for, of one peer at a time. */
static void test_ihave(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 3);
    say_message(&s, 1, 9, 1, "t", "known");
    assert_ok(say_bytes(&s, 2, ihave(&s, "t", 9, 1, 3, GOSSIPSUB_ID_JS)));
    assert_ok(say_bytes(&s, 3, ihave(&s, "t", 9, 1, 4, GOSSIPSUB_ID_JS)));
    assert_ok(say_bytes(&s, 3, ihave(&s, "u", 9, 50, 4, GOSSIPSUB_ID_JS)));
    struct tally two = said(&s, 2), three = said(&s, 3);
    assert_int_equal(two.parts[RPC_IWANT], 1);
    assert_int_equal(two.ids, 2);
    assert_int_equal(three.ids, 1);
    /* Not answered for a second: another is asked. */
    assert_ok(say_bytes(&s, 3, ihave(&s, "t", 9, 2, 2, GOSSIPSUB_ID_JS)));
    assert_int_equal(said(&s, 3).ids, 0);
    pass(&s, 1000);
    assert_ok(say_bytes(&s, 3, ihave(&s, "t", 9, 2, 2, GOSSIPSUB_ID_JS)));
    assert_int_equal(said(&s, 3).ids, 2);
    scripted_end(&s);
}

/* In whatever form a peer tells of it, a message that is known is known. */
static void test_ihave_in_other_forms(void **state)
{
    (void)state;
    static const enum gossipsub_message_id FORMS[] = {GOSSIPSUB_ID_JS, GOSSIPSUB_ID_SPEC,
                                                      GOSSIPSUB_ID_TEXT};
    for (size_t own = GOSSIPSUB_ID_JS; own <= GOSSIPSUB_ID_SHA256; own++)
        for (size_t i = 0; i < ARRAY_LEN(FORMS); i++) {
            static struct scripted s;
            scripted_init(&s);
            s.config.message_id = (enum gossipsub_message_id)own;
            begin(&s, 3);
            say_message(&s, 1, 9, 1, "t", "known");
            said(&s, 2);
            assert_ok(say_bytes(&s, 2, ihave(&s, "t", 9, 1, 2, FORMS[i])));
            assert_int_equal(said(&s, 2).ids, 1);
            scripted_end(&s);
        }
}

static void test_ihave_flood(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 1);
    size_t before = s.mem.used;
    for (uint64_t i = 0; i < 30; i++)
        assert_ok(say_bytes(&s, 1, ihave(&s, "t", 9, 6000 * i, 6000, GOSSIPSUB_ID_SPEC)));
    assert_true(s.mem.used - before < 64u << 10);
    assert_in_range(said(&s, 1).ids, 200, s.limits.rpc_control / 46);
    /* Ten RPCs of little are as many as ten of much; the next second is another. */
    pass(&s, 1000);
    for (uint64_t i = 0; i < 12; i++)
        assert_ok(say_bytes(&s, 1, ihave(&s, "t", 8, i, 1, GOSSIPSUB_ID_SPEC)));
    assert_int_equal(said(&s, 1).ids, 10);
    scripted_end(&s);
}

static void test_ids_looked_at_are_bounded(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    s.limits.ihave_ids = 100;
    begin(&s, 1);
    for (uint64_t i = 0; i < 3; i++)
        assert_ok(say_bytes(&s, 1, ihave(&s, "t", 9, 90 * i, 90, GOSSIPSUB_ID_SPEC)));
    assert_int_equal(said(&s, 1).ids, 100);
    pass(&s, 1000);
    assert_ok(say_bytes(&s, 1, ihave(&s, "t", 9, 0, 300, GOSSIPSUB_ID_SPEC)));
    assert_int_equal(said(&s, 1).ids, 100);
    scripted_end(&s);
}

/* js-libp2p's vector, 6000 ids of one byte: 256 of them differ. */
static void test_ihave_of_tiny_ids(void **state)
{
    (void)state;
    static struct scripted s;
    static uint8_t rpc[32 << 10];
    struct writer w = writer_of(rpc, sizeof rpc);
    scripted_init(&s);
    begin(&s, 1);
    size_t begun = rpc_begin(&w), control = rpc_begin_control(&w);
    size_t list = rpc_begin_ihave(&w, view_of_text("t"));
    for (uint32_t i = 0; i < 6000; i++) {
        uint8_t byte = (uint8_t)i;
        rpc_put_ihave_id(&w, view_of(&byte, 1));
    }
    rpc_end(&w, list);
    rpc_end(&w, control);
    rpc_end(&w, begun);
    assert_ok(say_bytes(&s, 1, writer_view(&w)));
    assert_int_equal(said(&s, 1).ids, 256);
    scripted_end(&s);
}

/* Served to whoever asks, in any form, three times each; a flood of asking changes nothing. */
static void test_iwant(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 8);
    say_message(&s, 1, 9, 7, "t", "hi");
    for (uint32_t i = 1; i <= 8; i++)
        said(&s, i);
    say_ids(&s, 7, IWANT, 9, 7, 1000, 0);
    say_ids(&s, 8, IWANT, 9, 7, 1, 0);
    say_ids(&s, 8, IWANT, 9, 8, 1, 0);
    assert_int_equal(said(&s, 7).parts[RPC_MESSAGE], 3);
    assert_int_equal(said(&s, 8).parts[RPC_MESSAGE], 1);
    pass(&s, 7000);
    say_ids(&s, 8, IWANT, 9, 7, 1, 0);
    assert_int_equal(said(&s, 8).parts[RPC_MESSAGE], 0);
    scripted_end(&s);
}

/* Who is below the threshold is not given what it asks for. */
static void test_iwant_below_the_threshold(void **state)
{
    (void)state;
    static const float SCORES[] = {-10, -10.5f};
    for (size_t i = 0; i < ARRAY_LEN(SCORES); i++) {
        static struct scripted s;
        scripted_init(&s);
        begin(&s, 2);
        gossipsub_rate(&s.g, 2, SCORES[i] / SCORE_DEFAULTS.application_weight);
        pass(&s, 1000);
        said(&s, 2);
        say_message(&s, 1, 9, 1, "t", "hi");
        say_ids(&s, 2, IWANT, 9, 1, 1, 1);
        assert_int_equal(said(&s, 2).parts[RPC_MESSAGE], i == 0);
        scripted_end(&s);
    }
}

static void test_idontwant(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 4);
    say_ids(&s, 2, IDONTWANT, 9, 7, 1, 0);
    say_message(&s, 1, 9, 7, "t", "hi");
    say_message(&s, 1, 9, 8, "t", "ho");
    assert_int_equal(said(&s, 2).parts[RPC_MESSAGE], 1);
    assert_int_equal(said(&s, 3).parts[RPC_MESSAGE], 2);
    /* It holds for some seconds only. */
    say_ids(&s, 3, IDONTWANT, 9, 10, 1, 0);
    pass(&s, 7000);
    say_message(&s, 1, 9, 10, "t", "late");
    assert_int_equal(said(&s, 3).parts[RPC_MESSAGE], 1);
    scripted_end(&s);
}

static void test_idontwant_flood(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 1);
    size_t before = s.mem.used;
    for (uint64_t i = 0; i < 20000; i += 4000)
        say_ids(&s, 1, IDONTWANT, 9, i, 4000, 1);
    assert_true(s.mem.used - before <= s.limits.marks);
    assert_int_equal(s.g.unwanted.young.count + s.g.unwanted.old.count, s.limits.idontwant_ids);
    scripted_end(&s);
}

/* What waits for a peer that reads slowly is not sent when it has it from another. */
static void test_idontwant_of_what_is_queued(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 4);
    for (uint64_t i = 1; i <= 20; i++)
        say_message(&s, 1, 9, i, "t", "hi");
    say_ids(&s, 2, IDONTWANT, 9, 3, 4, 5);
    struct tally t = said(&s, 2);
    assert_int_equal(t.parts[RPC_MESSAGE], 16);
    assert_int_equal(said(&s, 3).parts[RPC_MESSAGE], 20);
    scripted_end(&s);
}

/* The mesh is told what it need not send, if it is long, if it speaks 1.2, and if it is genuine. */
static void test_long_messages_are_not_wanted_twice(void **state)
{
    (void)state;
    static struct scripted s;
    char text[513] = {0};
    scripted_init(&s);
    begin(&s, 3);
    meet(&s, 4, GOSSIPSUB_1_1, LISTENER);
    say(&s, 4, JOIN GRAFT);
    said(&s, 4);
    memset(text, 'x', 511);
    say_message(&s, 1, 9, 1, "t", text);
    assert_int_equal(said(&s, 2).parts[RPC_IDONTWANT], 0);

    memset(text, 'x', 512);
    struct view forged = written(&s, 9, 2, "t", text);
    uint8_t *bytes = malloc(forged.len);
    memcpy(bytes, forged.data, forged.len);
    *(uint8_t *)memchr(bytes, 'x', forged.len) = 'y';
    assert_ok(say_bytes(&s, 1, view_of(bytes, forged.len)));
    free(bytes);
    assert_int_equal(said(&s, 2).parts[RPC_IDONTWANT], 0);

    say_message(&s, 1, 3, 2, "t", text);
    say_message(&s, 1, 3, 3, "t", text);
    assert_int_equal(said(&s, 1).parts[RPC_IDONTWANT], 0);
    assert_int_equal(said(&s, 3).parts[RPC_IDONTWANT], 0);
    assert_int_equal(said(&s, 4).parts[RPC_IDONTWANT], 0);
    struct tally t = said(&s, 2);
    assert_int_equal(t.parts[RPC_IDONTWANT], 1);
    assert_int_equal(t.ids, 2);
    scripted_end(&s);
}

/* In the form the peer uses itself. */
static void test_idontwant_in_other_forms(void **state)
{
    (void)state;
    static struct scripted s;
    static struct transcript told, expected;
    char text[600] = {0};
    memset(text, 'x', sizeof text - 1);
    scripted_init(&s);
    begin(&s, 2);
    assert_ok(say_bytes(&s, 2, ihave(&s, "t", 9, 100, 1, GOSSIPSUB_ID_TEXT)));
    said(&s, 2);
    say_message(&s, 1, 9, 1, "t", text);
    struct message_id id = id_of(&s, 9, 1, GOSSIPSUB_ID_TEXT);
    drain_parts(&s, 2, 1 << 18, &told, tell_part);
    transcript_add(&expected, "1 idontwant id=");
    transcript_add_hex(&expected, message_id_view(&id));
    assert_non_null(strstr(told.text, expected.text));
    scripted_end(&s);
}

/* ---- what we tell ------------------------------------------------------------------------------ */

/* Those outside the mesh are told, d_lazy of them or a quarter, of what came in three heartbeats. */
static void test_who_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t peers, d_lazy, told;
    } ROWS[] = {
        {"fewer than d_lazy", 8, 6, 4},
        {"d_lazy", 20, 6, 6},
        {"a quarter", 44, 6, 10},
        {"a quarter alone", 44, 0, 10},
    };
    EACH_ROW(i, ROWS) {
        static struct scripted s;
        scripted_init(&s);
        s.config.d_lazy = ROWS[i].d_lazy;
        begin(&s, ROWS[i].peers);
        say_message(&s, 1, 99, 1, "t", "one");
        say_message(&s, 1, 99, 2, "t", "two");
        for (int beat = 0; beat < 6; beat++) {
            uint32_t told = 0;
            pass(&s, 1000);
            for (uint32_t peer = 1; peer <= ROWS[i].peers; peer++) {
                struct tally t = said(&s, peer);
                assert_int_equal(t.ids, 2 * t.parts[RPC_IHAVE]);
                told += t.parts[RPC_IHAVE];
            }
            assert_int_equal(told, beat < 3 ? ROWS[i].told : 0);
        }
        scripted_end(&s);
    }
}

/* What an IHAVE begins with, and how much it has. */
struct run {
    uint64_t first;
    uint32_t count;
};

static void measure_run(void *context, const struct rpc_part *part)
{
    struct run *run = context;
    struct rpc_ids ids = part->ids;
    struct view id;
    for (; part->type == RPC_IHAVE && rpc_next_id(&ids, &id); run->count++)
        if (run->count == 0) {
            struct cursor c = cursor_of(view_of(id.data + id.len - 8, 8));
            run->first = take_u64be(&c);
        }
}

/* More news than one RPC holds: each peer is told of a run of it, and not all of the same. */
static void test_more_news_than_room(void **state)
{
    (void)state;
    static struct scripted s;
    scripted_init(&s);
    begin(&s, 20);
    for (uint64_t i = 0; i < 1000; i++) {
        s.heard = (struct transcript){0};
        say_message(&s, 1, 99, i, "t", "x");
        the_test()->arena_used = 0;
    }
    pass(&s, 1000);
    uint32_t told = 0;
    uint64_t least = UINT64_MAX, most = 0;
    for (uint32_t i = 1; i <= 20; i++) {
        struct run run = {0};
        drain_parts(&s, i, 1 << 18, &run, measure_run);
        if (run.count == 0)
            continue;
        assert_in_range(run.count, 200, s.limits.rpc_control / 46);
        least = MIN(least, run.first);
        most = MAX(most, run.first);
        told++;
    }
    assert_int_equal(told, 6);
    assert_true(most - least > 100);
    scripted_end(&s);
}

/* Who has half a queue to read is not told of more to read. */
static void test_slow_readers_are_not_told(void **state)
{
    (void)state;
    static struct scripted s;
    static uint8_t data[50 << 10];
    scripted_init(&s);
    begin(&s, 5);
    for (int i = 0; i < 11; i++)
        assert_code(gossipsub_publish(&s.g, view_of_text("t"), view_of(data, sizeof data), s.reach,
                                      NULL, s.now),
                    5);
    pass(&s, 1000);
    assert_int_equal(said(&s, 5).parts[RPC_IHAVE], 0);
    pass(&s, 1000);
    assert_int_equal(said(&s, 5).parts[RPC_IHAVE], 1);
    scripted_end(&s);
}

/* Ids go out in the form that the peer was heard to use, or else is known to. */
static void test_told_in_the_peers_form(void **state)
{
    (void)state;
    static const struct {
        const char *name, *told;
        enum gossipsub_message_id form;
    } ROWS[] = {
        {"js", "1 ihave topic=74 id=08011220", GOSSIPSUB_ID_JS},
        {"spec", "1 ihave topic=74 id=002408011220", GOSSIPSUB_ID_SPEC},
        {"rust", "1 ihave topic=74 id=313244334b6f6f", GOSSIPSUB_ID_TEXT},
    };
    EACH_ROW(i, ROWS) {
        static struct scripted s;
        static struct transcript t;
        scripted_init(&s);
        begin(&s, 5);
        bool is_known = i % 2 == 0;
        gossipsub_set_form(&s.g, 5, is_known ? ROWS[i].form : GOSSIPSUB_ID_TEXT);
        if (!is_known)
            assert_ok(say_bytes(&s, 5, ihave(&s, "t", 9, 1, 1, ROWS[i].form)));
        said(&s, 5);
        say_message(&s, 1, 9, 2, "t", "x");
        pass(&s, 1000);
        t = (struct transcript){0};
        drain_parts(&s, 5, 1 << 18, &t, tell_part);
        assert_memory_equal(t.text, ROWS[i].told, strlen(ROWS[i].told));
        scripted_end(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ihave),
        cmocka_unit_test(test_ihave_in_other_forms),
        cmocka_unit_test(test_ihave_flood),
        cmocka_unit_test(test_ids_looked_at_are_bounded),
        cmocka_unit_test(test_ihave_of_tiny_ids),
        cmocka_unit_test(test_iwant),
        cmocka_unit_test(test_iwant_below_the_threshold),
        cmocka_unit_test(test_idontwant),
        cmocka_unit_test(test_idontwant_flood),
        cmocka_unit_test(test_idontwant_of_what_is_queued),
        cmocka_unit_test(test_long_messages_are_not_wanted_twice),
        cmocka_unit_test(test_idontwant_in_other_forms),
        cmocka_unit_test(test_who_is_told),
        cmocka_unit_test(test_more_news_than_room),
        cmocka_unit_test(test_slow_readers_are_not_told),
        cmocka_unit_test(test_told_in_the_peers_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

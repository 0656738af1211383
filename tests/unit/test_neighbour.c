#include "test.h"

#include "pubsub/neighbour.h"

struct fixture {
    struct mem mem;
    struct messages all;
    struct neighbour peer;
};

static void begin(struct fixture *f)
{
    static const struct peer_id NOBODY;
    *f = (struct fixture){0};
    f->all =
        (struct messages){.mem = &f->mem, .limit = 1 << 20, .signing = GOSSIPSUB_STRICT_NO_SIGN};
    neighbour_init(&f->peer, 1, &NOBODY, &SCORE_DEFAULTS, &f->mem, &PEERLET_LIMITS);
}

static void end(struct fixture *f)
{
    neighbour_free(&f->peer, &f->all);
    assert_int_equal(f->all.held, 0);
    assert_mem_empty(&f->mem);
}

/* Eight bytes that tell the number, 13 encoded. */
static bool push(struct fixture *f, uint64_t number, size_t limit)
{
    uint8_t data[8];
    struct message *m;
    struct writer w = writer_of(data, sizeof data);
    put_u64be(&w, number);
    assert_ok(message_write(&f->all, NULL, 0, view_of_text("t"), writer_view(&w), &m));
    bool is_queued = neighbour_push(&f->peer, m, limit, &f->all);
    message_drop(&f->all, m);
    return is_queued;
}

static uint64_t number_at(const struct fixture *f, uint32_t place)
{
    struct cursor c = cursor_of(neighbour_at(&f->peer, place)->fields.data);
    return take_u64be(&c);
}

/* Pushed and popped at different paces: the ring wraps, grows, and keeps its order. */
static void test_first_in_first_out(void **state)
{
    (void)state;
    struct fixture f;
    uint64_t in = 0, out = 0;
    begin(&f);
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 7; i++)
            assert_true(push(&f, in++, SIZE_MAX));
        assert_true(number_at(&f, f.peer.queue_len - 1) == in - 1);
        for (int i = 0; i < 5; i++) {
            assert_true(number_at(&f, 0) == out++);
            neighbour_pop(&f.peer, &f.all);
        }
    }
    assert_int_equal(f.peer.queue_len, in - out);
    assert_int_equal(f.peer.queue_bytes, 13 * (in - out));
    end(&f);
}

static void test_limit_in_bytes(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    for (uint64_t i = 0; i < 10; i++)
        assert_true(push(&f, i, 130));
    assert_false(push(&f, 10, 130));
    neighbour_pop(&f.peer, &f.all);
    assert_true(push(&f, 11, 130));
    assert_true(push(&f, 12, 143));
    end(&f);
}

static void test_silence_forgets_what_waits(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    f.peer.is_writable = true;
    assert_true(push(&f, 1, SIZE_MAX));
    assert_ok(buf_append(&f.peer.wanted, view_of_text("id")));
    neighbour_silence(&f.peer, &f.all);
    assert_false(f.peer.is_writable);
    assert_int_equal(f.peer.queue_len + f.peer.queue_bytes + f.peer.wanted.len, 0);
    assert_mem_empty(&f.mem);
    assert_true(push(&f, 2, SIZE_MAX));
    assert_true(number_at(&f, 0) == 2);
    end(&f);
}

static void test_without_memory(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    f.mem.fail_nth = 2;
    assert_false(push(&f, 1, SIZE_MAX));
    assert_true(push(&f, 2, SIZE_MAX));
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_in_first_out),
        cmocka_unit_test(test_limit_in_bytes),
        cmocka_unit_test(test_silence_forgets_what_waits),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

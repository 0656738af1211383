/*
 * What stands in for the calls of peerlet.h in the debug build (record/recorder.c), linked in here as it is
 * there: it writes down what the simulator says it told its node, and all that only pages tell theirs.
 */
#include "record/recorder.h"
#include "scenario/story.h"

static struct mem mem;
static struct recording recorded;
static bool is_wanted;
static size_t unseen; /* bytes written since the driver was last told */

struct recording *recorder_begin(enum recording_key *key)
{
    if (!is_wanted)
        return NULL;
    is_wanted = false;
    *key = RECORDING_KEY_MADE;
    buf_init(&recorded.bytes, &mem, SIZE_MAX / 4);
    return &recorded;
}

void recorder_wrote(struct recording *r)
{
    assert_ptr_equal(r, &recorded);
    unseen = r->bytes.len;
}

static void assert_replays(void)
{
    struct replay report;
    assert_int_equal(unseen, recorded.bytes.len);
    if (replay_run(buf_view(&recorded.bytes), &report, NULL) != REPLAY_SAME)
        fail_msg("after %u inputs, at %u ms: %s", (unsigned)report.inputs, (unsigned)report.now,
                 report.why);
    assert_true(report.outputs > 0);
}

static void test_it_writes_what_was_told(void **state)
{
    (void)state;
    struct sim *sim = sim_new(STORY_SEED);
    sim->is_recording = is_wanted = true;
    struct relay *relay = sim_relay(sim);
    struct node *alice = sim_page(sim, relay), *bob = sim_page(sim, relay);
    assert_within(sim, 1500, nodes_are_direct(alice, bob));
    sim_run(sim, 1000);
    assert_int_equal(node_say(alice, "hello"), 1);
    assert_int_equal(node_say(bob, "hello, you"), 1);
    struct node_stream *s = node_open(alice, bob);
    node_send(alice, s, 100000);
    assert_within(sim, 5000, s->received == 100000);
    node_close(alice, s);
    node_hide(alice, 1000);
    assert_int_equal(node_ping(alice, bob->id), 0);
    sim_run(sim, 3000);
    node_hang_up(bob, alice);
    sim_run(sim, 3000);
    node_end(alice);
    assert_view_equal(buf_view(&recorded.bytes), buf_view(&alice->recording->bytes));
    assert_replays();
    recording_free(&recorded);
    sim_free(sim);
}

static void write_in_place(struct node *n, uint32_t stream, size_t len)
{
    size_t room = len;
    uint8_t *at = peerlet_stream_reserve(n->p, stream, &room, n->host.sim->now);
    assert_non_null(at);
    assert_int_equal(room, len);
    memset(at, 'x', len);
    peerlet_stream_commit(n->p, stream, len, n->host.sim->now);
    node_tell(n, &(struct input){.type = INPUT_TICK});
}

static void test_what_only_pages_tell(void **state)
{
    (void)state;
    struct sim *sim = sim_new(STORY_SEED);
    struct peerlet_limits limits = PEERLET_LIMITS;
    limits.conns = 7;
    limits.dial_ms = 5000;
    is_wanted = true;
    struct relay *relay = sim_relay(sim);
    struct node *alice = sim_node(sim, &(struct node_config){.relays = {relay}, .limits = &limits});
    struct node *bob = sim_page(sim, relay);
    float scores[PEERLET_TUNE_NUMBERS];
    for (size_t i = 0; i < PEERLET_TUNE_NUMBERS; i++)
        scores[i] = i == 0 ? 0.5F : (float)strtod("nan", NULL);
    assert_ok(peerlet_tune(alice->p, view_of(NULL, 0), scores, sim->now));
    (void)peerlet_rate(alice->p, view_of_text("nobody"), 1);
    peerlet_name(alice->p, 99, view_of_text("id"), sim->now);
    assert_false(peerlet_judge(alice->p, 0, PEERLET_ACCEPT, sim->now));
    assert_within(sim, 1500, nodes_are_direct(alice, bob));
    sim_run(sim, 1000);

    /* Several at once, and the outputs of all of them later. */
    assert_ok(peerlet_handle(alice->p, view_of_text("/app/1"), PEERLET_ON_LIMITED, 3, 4, sim->now));
    assert_ok(peerlet_subscribe(alice->p, view_of_text("elsewhere"), sim->now));
    assert_ok(peerlet_unhandle(alice->p, view_of_text("/app/1"), sim->now));
    assert_int_not_equal(peerlet_is_dialable(alice->p, view_of_text("nothing")), 0);
    struct node_stream *s = node_open(alice, bob);
    assert_within(sim, 1000, s->is_open);
    write_in_place(alice, s->id, 300);
    s->sent += 300, s->to_send += 300;
    assert_int_equal(node_say(bob, "hello"), 1);
    assert_within(sim, 1000, alice->messages == 1);
    (void)peerlet_judge(alice->p, 1, PEERLET_ACCEPT, sim->now);
    peerlet_verified(alice->p, 99, true, sim->now);
    peerlet_dial_cancel(alice->p, 99, sim->now);
    assert_int_not_equal(peerlet_hang_up(alice->p, view_of_text("nobody"), sim->now), 0);
    node_tell(alice, &(struct input){.type = INPUT_STOP});
    node_end(alice);
    assert_replays();
    recording_free(&recorded);
    sim_free(sim);
}

static void set_byte(size_t at, uint8_t to)
{
    recorded.bytes.data[recorded.bytes.head + at] = to;
}

/* Two meet, and one of them is recorded to its end. */
static struct sim *record_meeting(void)
{
    struct sim *sim = sim_new(STORY_SEED);
    is_wanted = true;
    struct relay *relay = sim_relay(sim);
    struct node *alice = sim_page(sim, relay), *bob = sim_page(sim, relay);
    assert_within(sim, 1500, nodes_are_direct(alice, bob));
    node_end(alice);
    return sim;
}

#define SEED "tests/fuzz/corpus/recording/meeting"

/* What fuzz_recording begins with is a recording of this version: `make golden` makes it anew. */
static void test_seed_of_the_fuzzer(void **state)
{
    (void)state;
    static uint8_t seed[16384];
    struct sim *sim = record_meeting();
    const char *golden = getenv("GOLDEN");
    if (golden != NULL && strcmp(golden, "write") == 0) {
        FILE *out = fopen(SEED, "wb");
        assert_non_null(out);
        (void)fwrite(buf_view(&recorded.bytes).data, 1, recorded.bytes.len, out);
        assert_int_equal(fclose(out), 0);
    }
    FILE *in = fopen(SEED, "rb");
    assert_non_null(in);
    size_t len = fread(seed, 1, sizeof seed, in);
    (void)fclose(in);
    struct replay report;
    assert_true(len < sizeof seed); /* fuzz_recording reads no more */
    assert_int_equal(replay_run(view_of(seed, len), &report, NULL), REPLAY_SAME);
    recording_free(&recorded);
    sim_free(sim);
}

/* What was tampered with is not the same, wherever it was. */
static void test_another_byte_is_another_story(void **state)
{
    (void)state;
    struct sim *sim = record_meeting();
    assert_replays();
    struct replay report;
    for (size_t at = 0; at < recorded.bytes.len; at += 97) {
        uint8_t before = buf_view(&recorded.bytes).data[at];
        set_byte(at, before ^ 0x55);
        (void)replay_run(buf_view(&recorded.bytes), &report, NULL);
        set_byte(at, before);
    }
    for (size_t len = 0; len < recorded.bytes.len; len += 101)
        (void)replay_run(view_of(buf_view(&recorded.bytes).data, len), &report, NULL);
    size_t digest = recorded.bytes.len - 1;
    set_byte(digest, buf_view(&recorded.bytes).data[digest] ^ 1);
    assert_int_equal(replay_run(buf_view(&recorded.bytes), &report, NULL), REPLAY_DIFFERENT);
    recording_free(&recorded);
    sim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_writes_what_was_told),
        cmocka_unit_test(test_what_only_pages_tell),
        cmocka_unit_test(test_seed_of_the_fuzzer),
        cmocka_unit_test(test_another_byte_is_another_story),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

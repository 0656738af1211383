#include "scenario/story.h"

#include <stdlib.h>

static void each_node(struct sim *sim, void (*call)(struct node *n))
{
    LIST_EACH(at, &sim->hosts) {
        struct host *h = LIST_OWNER(at, struct host, in_sim);
        if (host_is_node(h))
            call(node_of_host(h));
    }
}

static void dump(struct node *n)
{
    node_dump(n);
}

void story_fails(struct sim *sim, const char *what, const char *file, int line)
{
    print_error("at %u ms, %s\n", (unsigned)sim->now, what);
    each_node(sim, dump);
    _fail(file, line);
}

/* Plays what the node was told in a new one and compares what it says. */
static void replay_node(struct node *n)
{
    struct replay report;
    if (n->recording == NULL)
        return;
    if (replay_run(buf_view(&n->recording->bytes), &report, NULL) != REPLAY_SAME)
        fail_msg("node %u is not the same again after %u inputs, at %u ms: %s", n->host.number,
                 (unsigned)report.inputs, (unsigned)report.now, report.why);
}

static uint64_t tell(story *story, uint64_t seed, bool is_recording)
{
    struct sim *sim = sim_new(seed);
    sim->is_recording = is_recording;
    sim->is_loud = getenv("SIM_LOUD") != NULL;
    story(sim);
    each_node(sim, node_end);
    uint64_t hash = sim_hash(sim);
    each_node(sim, replay_node);
    sim_free(sim);
    return hash;
}

void story_test(void **state)
{
    const struct story_row *row = *state;
    const char *seed_text = getenv("SEED");
    uint64_t seed = seed_text != NULL ? strtoull(seed_text, NULL, 10) : STORY_SEED;
    uint64_t once = tell(row->story, seed, false);
    /* Recordings of megabytes are for 64 bits. */
    assert_true(tell(row->story, seed, sizeof(size_t) >= 8) == once);
}

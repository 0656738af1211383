/*
 * A page that stays while others come and go for hours: once an hour has passed, what its node has in
 * use grows no more; and the memory that its module takes from the browser for that is the most there
 * was at once and a quarter of it, which is what the gaps between blocks may cost.
 *
 *     SOAK_HOURS=24 SOAK_PAGES=20 SOAK_LOUD=1 build/native/tests/scenario/test_soak
 */
#include "scenario/story.h"

#include "base/heap.h"

#include <stdlib.h>

#define MINUTE_MS 60000
#define PAGES_MAX 60

/* ---- the module's memory ------------------------------------------------------------------------ */

/*
 * Every block of one node is taken from base/heap.h as well, which grows as browser/malloc.c has it.
 * The linker puts these calls in the place of base/mem.h's: NOLINTBEGIN(bugprone-reserved-identifier)
 */
#define WASM_PAGE ((size_t)65536)
#define ARENA (512 * WASM_PAGE)
#define ARENA_FIRST WASM_PAGE

static struct {
    const struct mem *of; /* whose; null: nobody's */
    struct heap heap;
    uint8_t *arena;
    size_t len; /* of it in use */
    struct pair {
        const void *block;
        void *shadow;
    } *pairs; /* open addressing */
    size_t room, count;
} module;

static struct pair *pair_of(const void *block)
{
    size_t i = ((uintptr_t)block >> 4) * 0x9e3779b1u & (module.room - 1);
    while (module.pairs[i].block != NULL && module.pairs[i].block != block)
        i = (i + 1) & (module.room - 1);
    return &module.pairs[i];
}

static void watch(const struct mem *m)
{
    memset(&module, 0, sizeof module);
    module.of = m;
    module.arena = aligned_alloc(HEAP_ALIGN, ARENA);
    module.room = (size_t)1 << 16;
    module.pairs = calloc(module.room, sizeof *module.pairs);
    assert_non_null(module.arena);
    assert_non_null(module.pairs);
    heap_init(&module.heap);
    heap_add(&module.heap, module.arena, ARENA_FIRST);
    module.len = ARENA_FIRST;
}

static void stop_watching(void)
{
    free(module.arena);
    free(module.pairs);
    memset(&module, 0, sizeof module);
}

static void *take(size_t len)
{
    void *bytes = heap_take(&module.heap, len);
    size_t more = MAX(len + HEAP_OVERHEAD, module.len / 8);
    more = (more + WASM_PAGE - 1) / WASM_PAGE * WASM_PAGE;
    if (bytes != NULL)
        return bytes;
    assert_true(more <= ARENA - module.len);
    heap_add(&module.heap, module.arena + module.len, more);
    module.len += more;
    return heap_take(&module.heap, len);
}

static void taken(const struct mem *m, const void *block, size_t len)
{
    if (m != module.of || block == NULL || module.of == NULL)
        return;
    assert_true(++module.count < module.room / 2);
    *pair_of(block) = (struct pair){block, take(len + 2 * sizeof(size_t))};
}

/* What was taken before anybody watched is not there. */
static void given(const struct mem *m, const void *block)
{
    struct pair *p = m == module.of && block != NULL && module.of != NULL ? pair_of(block) : NULL;
    if (p == NULL || p->block == NULL)
        return;
    heap_give(&module.heap, p->shadow);
    module.count--;
    *p = (struct pair){0};
    for (size_t i = (size_t)(p - module.pairs + 1) & (module.room - 1);
         module.pairs[i].block != NULL; i = (i + 1) & (module.room - 1)) {
        struct pair moved = module.pairs[i];
        module.pairs[i] = (struct pair){0};
        *pair_of(moved.block) = moved;
    }
}

void *__real_mem_alloc(struct mem *m, size_t len);
void *__wrap_mem_alloc(struct mem *m, size_t len);
void *__wrap_mem_alloc(struct mem *m, size_t len)
{
    void *block = __real_mem_alloc(m, len);
    taken(m, block, len);
    return block;
}

void *__real_mem_resize(struct mem *m, void *block, size_t len);
void *__wrap_mem_resize(struct mem *m, void *block, size_t len);
void *__wrap_mem_resize(struct mem *m, void *block, size_t len)
{
    void *grown = __real_mem_resize(m, block, len);
    taken(m, grown, len);
    if (grown != NULL)
        given(m, block);
    return grown;
}

void __real_mem_free(struct mem *m, void *block);
void __wrap_mem_free(struct mem *m, void *block);
void __wrap_mem_free(struct mem *m, void *block)
{
    given(m, block);
    __real_mem_free(m, block);
}

void __real_mem_free_secret(struct mem *m, void *block);
void __wrap_mem_free_secret(struct mem *m, void *block);
void __wrap_mem_free_secret(struct mem *m, void *block)
{
    given(m, block);
    __real_mem_free_secret(m, block);
}
/* NOLINTEND(bugprone-reserved-identifier) */

/* ---- the hours ---------------------------------------------------------------------------------- */

struct crowd {
    struct sim *sim;
    struct node_config config;
    struct node *alice, *pages[PAGES_MAX];
    uint32_t count, minutes;
};

static uint32_t number_of(const char *name, uint32_t usual)
{
    const char *text = getenv(name);
    return text != NULL ? (uint32_t)strtoul(text, NULL, 10) : usual;
}

static void (*const LEAVE[])(struct node *n) = {node_leave, node_crash, node_vanish};

/* One goes and another comes; somebody says something, and some bytes go to and fro. */
static void a_minute_passes(struct crowd *c)
{
    struct node **page = &c->pages[c->minutes % c->count];
    LEAVE[c->minutes++ % ARRAY_LEN(LEAVE)](*page);
    *page = sim_node(c->sim, &c->config);
    sim_run(c->sim, MINUTE_MS / 2);
    (void)node_say(c->alice, "who is there?");
    (void)node_say(*page, "it is me");
    struct node_stream *s = node_open(c->alice, *page);
    if (s != NULL) {
        node_send(c->alice, s, 100000);
        node_close(c->alice, s);
    }
    sim_run(c->sim, MINUTE_MS / 2);
}

static void test_hours_do_not_grow_memory(void **state)
{
    (void)state;
    struct peerlet_limits limits = PEERLET_LIMITS;
    struct sim *sim = sim_new(STORY_SEED);
    bool is_loud = getenv("SOAK_LOUD") != NULL;
    struct relay *relay = sim_relay(sim);
    struct crowd c = {
        .sim = sim,
        .config = {.relays = {relay}, .limits = &limits},
        .count = MIN(number_of("SOAK_PAGES", 4), (uint32_t)PAGES_MAX),
    };
    uint32_t hours = number_of("SOAK_HOURS", 2);
    limits.peers = 64; /* known to each, so that an hour is enough to fill the book */
    relay_terms(relay)->reservations = 100;
    c.alice = sim_node(sim, &c.config);
    watch(peerlet_memory(c.alice->p));
    for (uint32_t i = 0; i < c.count; i++)
        c.pages[i] = sim_node(sim, &c.config);
    size_t first = 0;
    for (uint32_t hour = 0; hour < hours; hour++) {
        size_t used = 0;
        for (int minute = 0; minute < 60; minute++) {
            a_minute_passes(&c);
            used = MAX(used, node_memory(c.alice));
        }
        size_t peak = peerlet_memory(c.alice->p)->peak;
        if (is_loud)
            print_message("hour %u: %u bytes in use at rest, %u at the most, %u taken\n",
                          (unsigned)hour + 1, (unsigned)used, (unsigned)peak, (unsigned)module.len);
        first = hour == 0 ? used : first;
        assert_in_range(used, 1, first + first / 4);
        assert_in_range(module.len, 1, peak + peak / 4 + WASM_PAGE);
    }
    sim_free(sim);
    stop_watching();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hours_do_not_grow_memory),
    };
    return TELL(tests);
}

#include "test.h"

#include "base/timers.h"
#include "crypto/crypto.h"
#include "pubsub/mcache.h"

struct fixture {
    struct mem mem;
    struct messages all;
    struct mcache cache;
    struct list topic;
};

static void begin(struct fixture *f, size_t limit, enum gossipsub_message_id form)
{
    *f = (struct fixture){0};
    f->all =
        (struct messages){.mem = &f->mem, .limit = 1 << 20, .form = form, .hash_key = {{1, 2}}};
    mcache_init(&f->cache, &f->all, limit);
    list_init(&f->topic);
}

static void end(struct fixture *f)
{
    mcache_free(&f->cache);
    assert_true(list_is_empty(&f->topic));
    assert_int_equal(f->all.held, 0);
    assert_mem_empty(&f->mem);
}

/* Adds a message with this number, come at the same instant; it is freed if the cache lets it go. */
static uint64_t add(struct fixture *f, uint32_t number)
{
    static const struct identity NOBODY;
    struct message *m;
    uint8_t data[4];
    struct writer w = writer_of(data, sizeof data);
    put_u32be(&w, number);
    assert_ok(message_write(&f->all, &NOBODY, number, view_of_text("t"), writer_view(&w), &m));
    m->at = number;
    uint64_t hash = m->hashes.id;
    mcache_add(&f->cache, m, &f->topic);
    message_drop(&f->all, m);
    return hash;
}

static void test_finds_by_id(void **state)
{
    (void)state;
    struct fixture f;
    uint64_t hashes[100];
    begin(&f, 1 << 20, GOSSIPSUB_ID_JS);
    for (uint32_t i = 0; i < 100; i++)
        hashes[i] = add(&f, i);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(mcache_find(&f.cache, hashes[i])->at, i);
    assert_null(mcache_find(&f.cache, 12345));
    end(&f);
}

/* Where the id is a hash, the origin finds the message as well. */
static void test_finds_by_origin(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, 1 << 20, GOSSIPSUB_ID_SHA256);
    struct message *m = mcache_find(&f.cache, add(&f, 7));
    assert_non_null(m);
    assert_true(m->hashes.id != m->hashes.origin);
    assert_ptr_equal(mcache_find(&f.cache, m->hashes.origin), m);
    uint64_t origin = m->hashes.origin;
    assert_true(mcache_forget_oldest(&f.cache));
    assert_null(mcache_find(&f.cache, origin));
    assert_false(mcache_forget_oldest(&f.cache));
    end(&f);
}

static void test_expires_by_instants(void **state)
{
    (void)state;
    struct fixture f;
    uint64_t hashes[10];
    begin(&f, 1 << 20, GOSSIPSUB_ID_JS);
    for (uint32_t i = 0; i < 10; i++)
        hashes[i] = add(&f, i);
    mcache_expire(&f.cache, 4);
    for (uint32_t i = 0; i < 10; i++)
        assert_true((mcache_find(&f.cache, hashes[i]) != NULL) == (i >= 4));
    assert_int_equal(LIST_OWNER(f.topic.next, struct message, in_topic)->at, 4);
    end(&f);
}

static void test_bounded_in_bytes(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, 4000, GOSSIPSUB_ID_JS);
    uint64_t first = add(&f, 0), last = 0;
    for (uint32_t i = 1; i < 1000; i++)
        last = add(&f, i);
    assert_true(f.cache.bytes <= 4000 && f.cache.bytes > 2000);
    assert_int_equal(f.all.held, f.cache.bytes);
    assert_null(mcache_find(&f.cache, first));
    assert_non_null(mcache_find(&f.cache, last));
    end(&f);
}

/* A message that waits elsewhere outlives its place in the cache. */
static void test_holds_a_reference_only(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, 1 << 20, GOSSIPSUB_ID_JS);
    struct message *m = message_hold(mcache_find(&f.cache, add(&f, 1)));
    mcache_expire(&f.cache, NEVER);
    assert_int_equal(f.all.held, m->size);
    assert_int_equal(m->refs, 1);
    message_drop(&f.all, m);
    end(&f);
}

static void story(struct mem *mem, void *context)
{
    (void)context;
    struct messages all = {
        .mem = mem, .limit = 1 << 20, .form = GOSSIPSUB_ID_SHA256, .hash_key = {{1, 2}}};
    struct mcache cache;
    struct list topic;
    struct message *m;
    struct identity identity = {{0}};
    list_init(&topic);
    mcache_init(&cache, &all, 1 << 20);
    if (message_write(&all, &identity, 1, view_of_text("t"), view_of_text("x"), &m) == 0) {
        mcache_add(&cache, m, &topic);
        bool is_cached = mcache_find(&cache, m->hashes.id) != NULL;
        assert_true(is_cached == (mcache_find(&cache, m->hashes.origin) != NULL));
        assert_true(is_cached == !list_is_empty(&topic));
        message_drop(&all, m);
    }
    mcache_free(&cache);
}

static void test_without_memory(void **state)
{
    (void)state;
    assert_int_equal(fail_each_allocation(story, NULL), 3);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_by_id),
        cmocka_unit_test(test_finds_by_origin),
        cmocka_unit_test(test_expires_by_instants),
        cmocka_unit_test(test_bounded_in_bytes),
        cmocka_unit_test(test_holds_a_reference_only),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

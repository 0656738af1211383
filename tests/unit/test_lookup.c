#include "test.h"

#include "crypto/crypto.h"
#include "routing/lookup.h"

#define WS "047f00000106b485dd03" /* /ip4/127.0.0.1/tcp/46213/ws */
#define TCP "047f00000106b485"    /* /ip4/127.0.0.1/tcp/46213 */
#define LISTED_WS "0a" WS

/* ---- a network on which everybody knows some others ------------------------------------------- */

enum { NODES = 300, NEIGHBOURS = 12, K = 20 };

struct network {
    struct peer_id id[NODES];
    uint8_t place[NODES][SHA256_LEN];
    bool is_silent[NODES];
    const char *address; /* of everybody, in hex */
    struct buf messages; /* of one answer */
};

static void network_init(struct network *n, struct mem *mem)
{
    uint64_t seed = 7;
    *n = (struct network){.address = WS};
    buf_init(&n->messages, mem, 1 << 16);
    for (size_t i = 0; i < NODES; i++) {
        n->id[i] = (struct peer_id){.len = 34, .bytes = {0x12, 32}};
        test_rng_fill(&seed, n->id[i].bytes + 2, 32);
        sha256(peer_id_view(&n->id[i]), n->place[i]);
    }
}

static size_t node_of(const struct network *n, struct view id)
{
    for (size_t i = 0; i < NODES; i++)
        if (view_equal(peer_id_view(&n->id[i]), id))
            return i;
    fail_msg("nobody of that name");
    return 0;
}

/* Whether `a` is nearer to `target` than `b`. */
static bool is_nearer(const uint8_t *target, const uint8_t *a, const uint8_t *b)
{
    for (size_t i = 0; i < SHA256_LEN; i++)
        if (a[i] != b[i])
            return (uint8_t)(a[i] ^ target[i]) < (uint8_t)(b[i] ^ target[i]);
    return false;
}

/* The `count` nodes nearest to a place that `who` knows (i ± powers of two around the ring). */
static size_t known_near(const struct network *n, size_t who, const uint8_t *target, size_t *out,
                         size_t count)
{
    size_t found = 0;
    for (size_t step = 1; step < NODES; step *= 2)
        for (int way = 0; way < 2; way++) {
            size_t other = (who + (way ? NODES - step % NODES : step)) % NODES, at = found;
            bool is_there = other == who;
            for (size_t i = 0; i < found; i++)
                is_there |= out[i] == other;
            if (is_there)
                continue;
            while (at > 0 && is_nearer(target, n->place[other], n->place[out[at - 1]]))
                at--;
            if (found == count && at == found)
                continue;
            found = MIN(found + 1, count);
            for (size_t i = found - 1; i > at; i--)
                out[i] = out[i - 1];
            out[at] = other;
        }
    return found;
}

/* Tells the lookup what `who` answers. */
static int answer(struct network *n, struct lookup *l, size_t who, bool provides)
{
    size_t near[NEIGHBOURS], ends[NEIGHBOURS + 1] = {0};
    size_t count = known_near(n, who, l->target, near, NEIGHBOURS);
    struct view at[] = {hex(n->address)};
    struct views addresses = {at, 1, 1, 0};
    buf_truncate(&n->messages, 0);
    for (size_t i = 0; i < count; i++) {
        assert_ok(kad_peer_append(&n->messages, &n->id[near[i]], &addresses));
        ends[i + 1] = n->messages.len;
    }
    struct view peers[NEIGHBOURS];
    const uint8_t *data = buf_view(&n->messages).data;
    for (size_t i = 0; i < count; i++)
        peers[i] = view_of(data + ends[i], ends[i + 1] - ends[i]);
    struct kad_answered answered = {.closer = {peers, count, count, 0}};
    if (provides)
        answered.providers = (struct views){peers, 1, 1, 0};
    the_test()->arena_used = 0;
    return lookup_answer(l, peer_id_view(&n->id[who]), &answered);
}

struct outcome {
    size_t asked, found, forgotten, most_at_once;
    size_t order[NODES]; /* of those found */
    struct view last_addresses;
    int rc;
};

/* Does all the lookup orders, a step of 50 ms between question and answer, until it is done. */
static struct outcome run(struct network *n, struct lookup *l, bool provides)
{
    struct outcome o = {0};
    size_t pending[64], count = 0;
    uint64_t now = 0;
    struct lookup_event ev;
    for (;;) {
        while (lookup_next(l, &ev, now) == 1) {
            if (ev.type == LOOKUP_DONE) {
                assert_int_equal(lookup_next(l, &ev, now), 0);
                assert_true(lookup_deadline(l) == NEVER);
                return o;
            }
            size_t who = node_of(n, peer_id_view(&ev.peer));
            if (ev.type == LOOKUP_FOUND) {
                o.order[o.found++] = who;
                o.last_addresses = ev.addresses;
            } else if (ev.type == LOOKUP_FORGET) {
                o.forgotten++;
            } else {
                o.asked++;
                if (!n->is_silent[who])
                    pending[count++] = who;
                o.most_at_once = MAX(o.most_at_once, count);
            }
        }
        assert_true(lookup_deadline(l) > now);
        now = count > 0 ? now + 50 : lookup_deadline(l);
        assert_true(now <= SERVICE_LIMITS.lookup_ms);
        if (count > 0) {
            o.rc = answer(n, l, pending[0], provides);
            if (o.rc < 0)
                return o;
            memmove(pending, pending + 1, --count * sizeof *pending);
        }
    }
}

static void begin(struct network *n, struct lookup *l, struct mem *mem, enum lookup_goal goal,
                  struct view key)
{
    network_init(n, mem);
    const struct lookup_config config = {goal, K, 10, n->id[5]};
    assert_ok(lookup_init(l, mem, &SERVICE_LIMITS, &config, key, 0));
    assert_ok(lookup_add(l, peer_id_view(&n->id[0])));
}

static void end(struct network *n, struct lookup *l, struct mem *mem)
{
    lookup_free(l);
    buf_free(&n->messages);
    assert_mem_empty(mem);
}

/* ---- tests ------------------------------------------------------------------------------------ */

static struct network net;

static void test_a_peer(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct lookup l;
    network_init(&net, &mem);
    struct view key = view_of_span(test_copy(peer_id_view(&net.id[170])));
    begin(&net, &l, &mem, LOOKUP_PEER, key);
    assert_int_equal(lookup_question(&l), KAD_FIND_NODE);
    struct outcome o = run(&net, &l, false);
    assert_int_equal(o.found, 1);
    assert_int_equal(o.order[0], 170);
    assert_view_hex(o.last_addresses, LISTED_WS);
    assert_true(o.most_at_once <= 10);
    assert_true(o.asked < NODES / 2);
    end(&net, &l, &mem);
}

static void test_the_closest(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct lookup l;
    begin(&net, &l, &mem, LOOKUP_CLOSEST, view_of_text("any key at all"));
    struct outcome o = run(&net, &l, false);
    assert_int_equal(o.found, K);
    for (size_t i = 1; i < o.found; i++)
        assert_true(is_nearer(l.target, net.place[o.order[i - 1]], net.place[o.order[i]]));
    /* Nobody but ourselves is nearer than the first. */
    for (size_t i = 0; i < NODES; i++)
        assert_true(i == 5 || !is_nearer(l.target, net.place[i], net.place[o.order[0]]));
    for (size_t i = 0; i < o.found; i++)
        assert_true(o.order[i] != 5);
    end(&net, &l, &mem);
}

static void test_providers(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct lookup l;
    begin(&net, &l, &mem, LOOKUP_PROVIDERS, view_of_text("content"));
    assert_int_equal(lookup_question(&l), KAD_GET_PROVIDERS);
    struct outcome o = run(&net, &l, true);
    assert_true(o.found >= 1);
    for (size_t i = 0; i < o.found; i++)
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(o.order[i], o.order[j]);
    end(&net, &l, &mem);
}

static void test_the_silent_are_forgotten(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct lookup l;
    begin(&net, &l, &mem, LOOKUP_CLOSEST, view_of_text("any key at all"));
    for (size_t i = 1; i < NODES; i += 3)
        net.is_silent[i] = true;
    struct outcome o = run(&net, &l, false);
    assert_true(o.forgotten > 0);
    assert_int_equal(o.found, K);
    for (size_t i = 0; i < o.found; i++)
        assert_false(net.is_silent[o.order[i]]);
    end(&net, &l, &mem);
}

static void test_nobody_answers_and_nobody_is_known(void **state)
{
    (void)state;
    for (int known = 0; known < 2; known++) {
        struct mem mem = {0};
        struct lookup l;
        struct lookup_event ev;
        network_init(&net, &mem);
        const struct lookup_config config = {LOOKUP_CLOSEST, K, 3, net.id[5]};
        assert_ok(lookup_init(&l, &mem, &SERVICE_LIMITS, &config, view_of_text("k"), 0));
        if (known) {
            assert_ok(lookup_add(&l, peer_id_view(&net.id[0])));
            assert_int_equal(lookup_next(&l, &ev, 0), 1);
            assert_int_equal(ev.type, LOOKUP_ASK);
            assert_int_equal(ev.addresses.len, 0);
            assert_int_equal(lookup_next(&l, &ev, 0), 0);
            lookup_failed(&l, peer_id_view(&net.id[0]));
        }
        assert_int_equal(lookup_next(&l, &ev, 0), 1);
        assert_int_equal(ev.type, LOOKUP_DONE);
        end(&net, &l, &mem);
    }
}

/* What cannot be dialled from a browser is not asked, but may be what was looked for. */
static void test_addresses_of_no_use(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct lookup l;
    network_init(&net, &mem);
    begin(&net, &l, &mem, LOOKUP_CLOSEST, view_of_text("k"));
    net.address = TCP;
    struct outcome o = run(&net, &l, false);
    assert_int_equal(o.asked, 1);
    assert_int_equal(o.found, 1);
    end(&net, &l, &mem);

    network_init(&net, &mem);
    struct view key = view_of_span(test_copy(peer_id_view(&net.id[1])));
    begin(&net, &l, &mem, LOOKUP_PEER, key);
    net.address = TCP;
    o = run(&net, &l, false);
    assert_int_equal(o.found, 1);
    assert_view_hex(o.last_addresses, "08" TCP);
    end(&net, &l, &mem);
}

static void test_time_is_up(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct lookup l;
    struct lookup_event ev;
    begin(&net, &l, &mem, LOOKUP_CLOSEST, view_of_text("k"));
    assert_int_equal(lookup_next(&l, &ev, 0), 1);
    assert_int_equal(lookup_deadline(&l), SERVICE_LIMITS.lookup_ask_ms);
    assert_int_equal(lookup_next(&l, &ev, SERVICE_LIMITS.lookup_ms), 1);
    assert_int_equal(ev.type, LOOKUP_FORGET);
    assert_int_equal(lookup_next(&l, &ev, SERVICE_LIMITS.lookup_ms), 1);
    assert_int_equal(ev.type, LOOKUP_DONE);
    end(&net, &l, &mem);
}

static void test_unasked_and_late_answers(void **state)
{
    (void)state;
    struct mem mem = {0};
    struct lookup l;
    begin(&net, &l, &mem, LOOKUP_CLOSEST, view_of_text("k"));
    assert_ok(answer(&net, &l, 0, false));
    assert_ok(answer(&net, &l, 9, false));
    assert_int_equal(l.heard.count, 1);
    lookup_failed(&l, peer_id_view(&net.id[9]));
    assert_code(lookup_add(&l, view_of_text("nobody")), ERR_BAD_PEER_ID);
    assert_ok(lookup_add(&l, peer_id_view(&net.id[5])));
    assert_ok(lookup_add(&l, peer_id_view(&net.id[0])));
    assert_int_equal(l.heard.count, 1);
    end(&net, &l, &mem);
}

/* Somebody tells of ever new peers: memory stays where it is, and the nearest are kept. */
static void test_a_flood_of_peers(void **state)
{
    (void)state;
    struct service_limits limits = SERVICE_LIMITS;
    limits.lookup_peers = 16;
    struct mem mem = {0};
    struct lookup l;
    network_init(&net, &mem);
    const struct lookup_config config = {LOOKUP_CLOSEST, K, 3, net.id[5]};
    assert_ok(lookup_init(&l, &mem, &limits, &config, view_of_text("k"), 0));
    for (size_t i = 0; i < NODES; i++)
        assert_ok(lookup_add(&l, peer_id_view(&net.id[i])));
    assert_int_equal(l.heard.count, 16);
    size_t nearer = 0;
    for (size_t i = 0; i < NODES; i++)
        nearer += i != 5 && is_nearer(l.target, net.place[i],
                                      net.place[node_of(&net, peer_id_view(&l.heard.at[15].id))]);
    assert_int_equal(nearer, 15);
    end(&net, &l, &mem);
}

static void test_a_key_too_long(void **state)
{
    (void)state;
    static const uint8_t key[KAD_KEY_MAX_LEN + 1];
    struct mem mem = {0};
    struct lookup l;
    const struct lookup_config config = {LOOKUP_CLOSEST, K, 3, {0}};
    assert_code(lookup_init(&l, &mem, &SERVICE_LIMITS, &config, view_of(key, sizeof key), 0),
                ERR_TOO_BIG);
    lookup_free(&l);
    assert_mem_empty(&mem);
}

static void one_lookup(struct mem *mem, void *context)
{
    (void)context;
    struct mem other = {0};
    struct lookup l;
    network_init(&net, &other);
    const struct lookup_config config = {LOOKUP_PROVIDERS, 3, 2, net.id[5]};
    int rc = lookup_init(&l, mem, &SERVICE_LIMITS, &config, view_of_text("k"), 0);
    if (rc == 0)
        rc = lookup_add(&l, peer_id_view(&net.id[0]));
    if (rc == 0)
        rc = run(&net, &l, true).rc;
    assert_true(rc == 0 || rc == ERR_NOMEM);
    lookup_free(&l);
    buf_free(&net.messages);
    assert_mem_empty(&other);
}

static void test_allocations(void **state)
{
    (void)state;
    assert_true(fail_each_allocation(one_lookup, NULL) >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_peer),
        cmocka_unit_test(test_the_closest),
        cmocka_unit_test(test_providers),
        cmocka_unit_test(test_the_silent_are_forgotten),
        cmocka_unit_test(test_nobody_answers_and_nobody_is_known),
        cmocka_unit_test(test_addresses_of_no_use),
        cmocka_unit_test(test_time_is_up),
        cmocka_unit_test(test_unasked_and_late_answers),
        cmocka_unit_test(test_a_flood_of_peers),
        cmocka_unit_test(test_a_key_too_long),
        cmocka_unit_test(test_allocations),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

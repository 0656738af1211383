/*
 * A network of gossipsub routers in virtual time, joined by buffers.
 *
 *     static struct routers net;
 *     routers_init(&net, 20, &GOSSIPSUB_DEFAULTS);
 *     routers_join(&net, 0, 1);                    0 dials 1
 *     routers_run(&net, 5000);                     five seconds, every heartbeat in its turn
 *     routers_publish(&net, 3, 7);                 router 3 publishes message 7 to topic "t"
 *     net.at[5].heard[7]                           how often router 5 was given it
 *     routers_free(&net);
 *
 * Bytes arrive at once; while `is_asleep` a router's heartbeats do not come. The handle of router i
 * is i + 1 everywhere.
 */
#ifndef TESTS_ROUTERS_H
#define TESTS_ROUTERS_H

#include "test.h"

#include "crypto/crypto.h"
#include "pubsub/gossipsub.h"

#define ROUTERS_MAX 40
#define ROUTERS_MESSAGES 256

struct router {
    struct mem mem;
    struct identity identity;
    struct peer_id id;
    struct gossipsub g;
    bool is_asleep;
    uint8_t heard[ROUTERS_MESSAGES];
};

struct routers {
    size_t count;
    struct router at[ROUTERS_MAX];
    bool is_joined[ROUTERS_MAX][ROUTERS_MAX];
    uint64_t now, seed;
    struct rng rng;
    uint64_t rpcs, bytes;  /* that went over all links */
    uint32_t loss_percent; /* of the RPCs that carry messages */
    enum gossipsub_reach reach;
};

static inline struct view routers_topic(void)
{
    return view_of_text("t");
}

static inline void routers_init(struct routers *net, size_t count,
                                const struct gossipsub_config *config)
{
    crypto_init();
    *net = (struct routers){.count = count, .now = 1000, .seed = 17};
    net->rng = test_rng(&net->seed);
    for (size_t i = 0; i < count; i++) {
        struct router *r = &net->at[i];
        identity_generate(&net->rng, &r->identity);
        r->id = peer_id_of_identity(&r->identity);
        /* Heartbeats that do not all come at once. */
        uint64_t born = net->now - rng_below(&net->rng, config->heartbeat_ms);
        assert_ok(gossipsub_init(&r->g, config, &r->identity, &r->mem, &net->rng, &PEERLET_LIMITS,
                                 born, 1700000000000));
    }
}

static inline void routers_free(struct routers *net)
{
    for (size_t i = 0; i < net->count; i++) {
        gossipsub_free(&net->at[i].g);
        assert_mem_empty(&net->at[i].mem);
    }
}

static inline void routers_heard(struct router *r, const struct gossipsub_event *ev)
{
    if (ev->type != GOSSIPSUB_MESSAGE)
        return;
    struct cursor c = cursor_of(ev->data);
    uint32_t number = take_u32be(&c);
    assert_true(!c.failed && number < ROUTERS_MESSAGES);
    r->heard[number]++;
}

/* Whether an RPC with a message is lost on its way. */
static inline bool routers_lose(struct routers *net, struct view rpc)
{
    return net->loss_percent > 0 && rpc.len > 100 && rng_below(&net->rng, 100) < net->loss_percent;
}

/* Carries what router `from` owes to router `to`. */
static inline void routers_carry(struct routers *net, size_t from, size_t to)
{
    struct router *r = &net->at[to];
    struct buf out;
    buf_init(&out, &net->at[from].mem, 1 << 18);
    assert_ok(gossipsub_drain(&net->at[from].g, (uint32_t)to + 1, &out));
    struct span all = buf_span(&out);
    while (all.len > 0 && net->is_joined[from][to]) {
        struct cursor c = cursor_of(view_of_span(all));
        take_delimited(&c, PEERLET_LIMITS.rpc_send);
        assert_false(c.failed);
        struct span rpc = span_take(&all, all.len - c.rest.len);
        net->rpcs++;
        net->bytes += rpc.len;
        if (routers_lose(net, view_of_span(rpc)))
            continue;
        struct gossipsub_event ev;
        int rc;
        while ((rc = gossipsub_feed(&r->g, (uint32_t)from + 1, &rpc, &ev, net->now)) == 1)
            routers_heard(r, &ev);
        assert_ok(rc);
    }
    buf_free(&out);
}

/* Until nobody owes anything to anybody. */
static inline void routers_settle(struct routers *net)
{
    for (bool is_moving = true; is_moving;) {
        is_moving = false;
        for (size_t i = 0; i < net->count; i++) {
            uint32_t at = 0, handle;
            while ((handle = gossipsub_owing(&net->at[i].g, &at)) != 0) {
                routers_carry(net, i, handle - 1);
                is_moving = true;
            }
        }
    }
}

static inline void routers_join(struct routers *net, size_t dialer, size_t listener)
{
    size_t ends[] = {dialer, listener};
    if (dialer == listener || net->is_joined[dialer][listener])
        return;
    for (size_t i = 0; i < 2; i++) {
        uint32_t handle = (uint32_t)ends[!i] + 1;
        struct gossipsub *g = &net->at[ends[i]].g;
        net->is_joined[ends[i]][ends[!i]] = true;
        assert_ok(gossipsub_add_peer(g, handle, &net->at[ends[!i]].id, GOSSIPSUB_1_2,
                                     i == 0 ? DIALER : LISTENER, view_of(NULL, 0)));
        gossipsub_hear(g, handle);
        gossipsub_greet(g, handle, GOSSIPSUB_1_2, net->now);
    }
}

static inline void routers_part(struct routers *net, size_t a, size_t b)
{
    if (!net->is_joined[a][b])
        return;
    net->is_joined[a][b] = net->is_joined[b][a] = false;
    gossipsub_remove_peer(&net->at[a].g, (uint32_t)b + 1, net->now);
    gossipsub_remove_peer(&net->at[b].g, (uint32_t)a + 1, net->now);
}

/* Each dials so many others at random. */
static inline void routers_join_randomly(struct routers *net, size_t dials)
{
    for (size_t i = 0; i < net->count; i++)
        for (size_t d = 0; d < dials; d++)
            routers_join(net, i, rng_below(&net->rng, (uint32_t)net->count));
}

static inline void routers_subscribe(struct routers *net)
{
    for (size_t i = 0; i < net->count; i++)
        assert_ok(gossipsub_subscribe(&net->at[i].g, routers_topic(), net->now));
}

static inline uint64_t routers_deadline(const struct routers *net)
{
    uint64_t at = NEVER;
    for (size_t i = 0; i < net->count; i++)
        if (!net->at[i].is_asleep)
            at = earlier(at, gossipsub_deadline(&net->at[i].g));
    return at;
}

static inline void routers_run(struct routers *net, uint64_t ms)
{
    uint64_t until = net->now + ms;
    routers_settle(net);
    for (uint64_t at; (at = routers_deadline(net)) <= until;) {
        net->now = MAX(net->now, at);
        for (size_t i = 0; i < net->count; i++)
            if (!net->at[i].is_asleep)
                gossipsub_tick(&net->at[i].g, net->now);
        routers_settle(net);
    }
    net->now = until;
}

static inline void routers_publish(struct routers *net, size_t from, uint32_t number)
{
    uint8_t data[256] = {0};
    struct writer w = writer_of(data, sizeof data);
    put_u32be(&w, number);
    assert_true(gossipsub_publish(&net->at[from].g, routers_topic(), view_of(data, sizeof data),
                                  net->reach, NULL, net->now) > 0);
    net->at[from].heard[number]++;
}

static inline uint32_t routers_mesh(const struct routers *net, size_t i)
{
    const struct topic *t = topic_find(&net->at[i].g.mesh, routers_topic());
    return t ? t->mesh_count : 0;
}

/* Every router was given the messages `first` to `last`, and once each. */
static inline void routers_all_heard(const struct routers *net, uint32_t first, uint32_t last)
{
    for (size_t i = 0; i < net->count; i++)
        for (uint32_t number = first; number <= last; number++)
            if (net->at[i].heard[number] != 1)
                fail_msg("router %u was given message %u %u times", (unsigned)i, (unsigned)number,
                         (unsigned)net->at[i].heard[number]);
}

#endif

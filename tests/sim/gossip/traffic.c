#include "sim/gossip/traffic.h"

#include "sim/gossip/parts.h"
#include "sim/gossip/sybil.h"
#include "sim/sim.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define NOBODY UINT32_MAX
#define RING 16384 /* ms that can be planned ahead */
#define PACKET 1400
#define LOST_AFTER_MS 200 /* and a round trip: when a lost packet is sent again */
#define QUEUE_US 100000   /* what may wait for the uplink before the router is asked for more */

/* What comes to a node: an RPC, or its alarm, from nobody. */
struct parcel {
    uint64_t at, sequence;
    uint32_t to, from, link;
    uint32_t len, messages;
    uint8_t *bytes;
};

struct parcels {
    struct parcel *items;
    uint32_t count, room;
    uint64_t first_at; /* of a mailbox: the soonest in it */
};

/* The nodes of one thread: those whose number, divided by the threads, leaves its number. */
struct shard {
    struct crowd *crowd;
    uint32_t number;
    struct parcels ring[RING];
    /* For other shards, in turns: written in this millisecond, read in the next. */
    struct parcels mail[2][CROWD_THREADS_MAX];
    uint64_t next_at;
    struct mem mem;
    struct buf out;
    uint64_t until;
    pthread_t thread;
    pthread_barrier_t *barrier;
};

void *must(void *block)
{
    if (block == NULL) {
        fputs("out of memory\n", stderr);
        exit(1);
    }
    return block;
}

uint64_t next_random(uint64_t *state)
{
    struct rng rng = sim_rng(state);
    uint64_t number;
    rng_fill(&rng, (uint8_t *)&number, sizeof number);
    return number;
}

static void note(struct node *n, uint64_t what)
{
    n->hash = (n->hash ^ what) * 0x100000001b3;
    n->hash ^= n->hash >> 29;
}

static struct shard *shard_of(const struct crowd *c, uint32_t node)
{
    return &c->shards[node % c->shard_count];
}

/* ---- what is to come --------------------------------------------------------------------------- */

static void push(struct parcels *list, struct parcel e)
{
    if (list->count == list->room) {
        list->room = list->room ? list->room * 2 : 8;
        list->items = must(realloc(list->items, list->room * sizeof *list->items));
    }
    list->items[list->count++] = e;
}

static void plan_for(struct shard *s, struct parcel e)
{
    push(&s->ring[e.at % RING], e);
    s->next_at = MIN(s->next_at, e.at);
}

/* `from` runs now, or null: then nobody does. */
static void plan(struct crowd *c, struct shard *from, struct parcel e)
{
    struct shard *to = shard_of(c, e.to);
    e.at = MIN(e.at, c->now + RING - 1);
    if (from == NULL || from == to) {
        plan_for(to, e);
        return;
    }
    struct parcels *mail = &from->mail[c->now & 1][to->number];
    push(mail, e);
    mail->first_at = MIN(mail->first_at, e.at);
}

void crowd_wake(struct crowd *c, uint32_t number, uint64_t at)
{
    at = MIN(at, c->now + RING - 1);
    plan_for(shard_of(c, number), (struct parcel){.at = at, .to = number, .from = NOBODY});
}

static void set_alarm(struct crowd *c, struct node *n, uint32_t number)
{
    uint64_t at = gossipsub_deadline(&n->g);
    if (at == NEVER)
        return;
    if (c->plan.alarm_s > 0) {
        uint64_t step = (uint64_t)c->plan.alarm_s * 1000, offset = number * 977 % step;
        at = (at + step - offset) / step * step + offset;
    }
    at = MIN(MAX(at, c->now + 1), c->now + RING - 1);
    if (n->alarm_at <= at && n->alarm_at > c->now)
        return;
    n->alarm_at = at;
    crowd_wake(c, number, at);
}

/* ---- out --------------------------------------------------------------------------------------- */

struct link *crowd_link(const struct crowd *c, uint32_t node, uint32_t other, uint32_t *which)
{
    const struct node *n = &c->nodes[node];
    for (uint32_t i = 0; i < n->tie_count; i++)
        if (n->ties[i].other == other) {
            *which = n->ties[i].link;
            return &c->links[*which];
        }
    return NULL;
}

static bool is_lost(const struct crowd *c, struct node *n, size_t len)
{
    for (size_t packets = len / PACKET + 1; packets > 0; packets--)
        if (c->plan.loss_percent > 0 && next_random(&n->chance) % 100 < c->plan.loss_percent)
            return true;
    return false;
}

/* When bytes sent now are there. */
static uint64_t arrival(struct crowd *c, struct node *n, struct link *l, size_t len)
{
    uint64_t us = MAX(c->now * 1000, n->uplink_free_us);
    if (n->uplink > 0)
        us += len * 1000 / n->uplink;
    n->uplink_free_us = us;
    us += (uint64_t)l->latency_ms * 1000;
    if (c->plan.jitter_ms > 0)
        us += next_random(&n->chance) % (c->plan.jitter_ms * 1000);
    if (is_lost(c, n, len))
        us += (LOST_AFTER_MS + 2 * (uint64_t)l->latency_ms) * 1000;
    uint64_t *last = &l->last_arrival[&c->nodes[l->ends[1]] == n];
    return *last = MAX(MAX(*last, us / 1000 + 1), c->now + 1);
}

void crowd_send(struct crowd *c, struct shard *running, uint32_t number, uint32_t to,
                struct view bytes)
{
    struct node *n = &c->nodes[number];
    uint32_t which;
    struct link *l = crowd_link(c, number, to, &which);
    assert(l != NULL);
    n->bytes_out += bytes.len;
    uint32_t messages = parts_count(bytes, &n->control_out);
    uint64_t at = arrival(c, n, l, bytes.len);
    if (l->is_cut)
        return;
    struct parcel e = {
        .at = at,
        .to = to,
        .from = number,
        .link = which,
        .len = (uint32_t)bytes.len,
        .messages = messages,
        .sequence = n->sent++,
        .bytes = must(malloc(bytes.len)),
    };
    memcpy(e.bytes, bytes.data, bytes.len);
    plan(c, running, e);
}

void settle(struct crowd *c, struct shard *running, uint32_t number)
{
    struct node *n = &c->nodes[number];
    struct buf *out = &shard_of(c, number)->out;
    uint32_t at = 0, handle;
    while (n->uplink_free_us < c->now * 1000 + QUEUE_US &&
           (handle = gossipsub_owing(&n->g, &at)) != 0) {
        if (gossipsub_drain(&n->g, handle, out) != 0)
            abort();
        if (out->len > 0)
            crowd_send(c, running, number, handle - 1, buf_view(out));
        buf_truncate(out, 0);
    }
    if (n->uplink_free_us >= c->now * 1000 + QUEUE_US && n->room_at <= c->now) {
        n->room_at = c->now + QUEUE_US / 2000;
        crowd_wake(c, number, n->room_at);
    }
    set_alarm(c, n, number);
}

/* ---- in ---------------------------------------------------------------------------------------- */

static void hear(struct crowd *c, struct node *n, const struct gossipsub_event *ev)
{
    if (ev->type != GOSSIPSUB_MESSAGE)
        return;
    struct cursor data = cursor_of(ev->data);
    uint32_t message = take_u32be(&data);
    assert(!data.failed && message < c->told_count);
    if (node_knows(n, message)) {
        fprintf(stderr, "message %u was given out twice\n", message);
        abort();
    }
    node_hears(n, message, c->now);
    n->firsts++;
    note(n, message);
}

static void receive(struct crowd *c, struct shard *s, struct node *n, const struct parcel *e)
{
    if (!n->is_up || !c->links[e->link].is_open)
        return;
    struct span in = span_of(e->bytes, e->len);
    struct gossipsub_event ev;
    int rc;
    if (n->is_sybil) {
        sybil_receive(c, s, e->to, e->from, in);
        return;
    }
    n->messages_in += e->messages;
    note(n, c->now << 20 ^ e->from);
    while ((rc = gossipsub_feed(&n->g, e->from + 1, &in, &ev, c->now)) == 1)
        hear(c, n, &ev);
    if (rc != 0)
        abort();
}

static int by_receiver(const void *a, const void *b)
{
    const struct parcel *x = a, *y = b;
    if (x->to != y->to)
        return x->to < y->to ? -1 : 1;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

/* All that happens to the nodes of one shard in this millisecond. */
static void live(struct shard *s)
{
    struct crowd *c = s->crowd;
    struct parcels now = s->ring[c->now % RING];
    s->ring[c->now % RING] = (struct parcels){0};
    qsort(now.items, now.count, sizeof *now.items, by_receiver);
    for (uint32_t i = 0; i < now.count;) {
        uint32_t number = now.items[i].to;
        struct node *n = &c->nodes[number];
        for (; i < now.count && now.items[i].to == number; i++) {
            const struct parcel *e = &now.items[i];
            if (e->from != NOBODY)
                receive(c, s, n, e);
            else if (n->is_sybil)
                sybil_tick(c, s, number);
            else if (n->is_up)
                gossipsub_tick(&n->g, c->now);
            free(e->bytes);
        }
        if (n->is_up && !n->is_sybil)
            settle(c, s, number);
    }
    free(now.items);
}

/* ---- threads ----------------------------------------------------------------------------------- */

static void take_mail(struct shard *s, uint64_t written_at)
{
    struct crowd *c = s->crowd;
    for (uint32_t i = 0; i < c->shard_count; i++) {
        struct parcels *mail = &c->shards[i].mail[written_at & 1][s->number];
        for (uint32_t k = 0; k < mail->count; k++)
            plan_for(s, mail->items[k]);
        mail->count = 0;
        mail->first_at = NEVER;
    }
}

/* When something happens to its nodes next, after this instant. */
static uint64_t find_next(const struct shard *s, uint64_t now)
{
    for (uint64_t at = now + 1; at < now + RING; at++)
        if (s->ring[at % RING].count > 0)
            return at;
    return NEVER;
}

static uint64_t soonest(const struct crowd *c, uint64_t now)
{
    uint64_t at = NEVER;
    for (uint32_t i = 0; i < c->shard_count; i++) {
        at = MIN(at, c->shards[i].next_at);
        for (uint32_t k = 0; k < c->shard_count; k++)
            at = MIN(at, c->shards[i].mail[now & 1][k].first_at);
    }
    return at;
}

static void *run_shard(void *context)
{
    struct shard *s = context;
    struct crowd *c = s->crowd;
    for (uint64_t now = c->now; now < s->until;) {
        live(s);
        s->next_at = find_next(s, now);
        pthread_barrier_wait(s->barrier);
        uint64_t next = soonest(c, now);
        pthread_barrier_wait(s->barrier);
        if (s->number == 0)
            c->now = MIN(next, s->until);
        take_mail(s, now);
        now = MIN(next, s->until);
        pthread_barrier_wait(s->barrier);
    }
    return NULL;
}

void crowd_run(struct crowd *c, uint64_t until)
{
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, c->shard_count);
    for (uint32_t i = 0; i < c->shard_count; i++) {
        c->shards[i].until = until;
        c->shards[i].barrier = &barrier;
        if (i > 0 && pthread_create(&c->shards[i].thread, NULL, run_shard, &c->shards[i]) != 0)
            abort();
    }
    run_shard(&c->shards[0]);
    for (uint32_t i = 1; i < c->shard_count; i++)
        pthread_join(c->shards[i].thread, NULL);
    pthread_barrier_destroy(&barrier);
    c->now = until;
}

/* ---- beginning and end ------------------------------------------------------------------------- */

void traffic_init(struct crowd *c, uint32_t threads)
{
    c->shard_count = threads;
    c->shards = must(calloc(threads, sizeof *c->shards));
    for (uint32_t i = 0; i < threads; i++) {
        struct shard *s = &c->shards[i];
        s->crowd = c;
        s->number = i;
        s->next_at = NEVER;
        buf_init(&s->out, &s->mem, 1 << 20);
        for (size_t k = 0; k < 2; k++)
            for (uint32_t to = 0; to < threads; to++)
                s->mail[k][to].first_at = NEVER;
    }
}

static void free_shard(struct shard *s)
{
    for (uint32_t at = 0; at < RING; at++) {
        for (uint32_t k = 0; k < s->ring[at].count; k++)
            free(s->ring[at].items[k].bytes);
        free(s->ring[at].items);
    }
    for (size_t k = 0; k < 2; k++)
        for (uint32_t to = 0; to < CROWD_THREADS_MAX; to++)
            free(s->mail[k][to].items);
    buf_free(&s->out);
}

void traffic_free(struct crowd *c)
{
    for (uint32_t i = 0; i < c->shard_count; i++)
        free_shard(&c->shards[i]);
    free(c->shards);
}

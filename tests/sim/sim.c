#include "sim/sim.h"

#include "sim/cable.h"
#include "sim/rtc.h"
#include "sim/zone.h"

#include <assert.h>
#include <stdio.h>

/* Least time a lost packet loses: Linux's smallest retransmission timeout. */
#define RETRANSMIT_MS 200

/* 2026-01-01, about. */
#define EPOCH_MS UINT64_C(1767225600000)

struct stopped {
    struct list in_sim;
    struct event event;
};

/* ---- randomness and the hash ----------------------------------------------------------------- */

/* splitmix64, by Sebastiano Vigna, public domain. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void fill(void *context, uint8_t *out, size_t len)
{
    uint64_t *state = context;
    for (size_t i = 0; i < len; i += 8) {
        uint64_t z = next_random(state);
        for (size_t j = i; j < len && j < i + 8; j++, z >>= 8)
            out[j] = (uint8_t)z;
    }
}

struct rng sim_rng(uint64_t *state)
{
    return (struct rng){fill, state};
}

uint32_t sim_below(struct sim *s, uint32_t bound)
{
    return bound == 0 ? 0 : (uint32_t)(next_random(&s->chance) % bound);
}

uint64_t sim_seed(struct sim *s)
{
    return next_random(&s->chance);
}

void sim_note(struct sim *s, uint64_t number)
{
    uint64_t h = (s->hash ^ number) * UINT64_C(0x9fb21c651e98df25);
    s->hash = h ^ h >> 32;
}

void sim_note_bytes(struct sim *s, struct view bytes)
{
    sim_note(s, bytes.len);
    for (size_t i = 0; i < bytes.len; i += 8) {
        uint64_t eight = 0;
        for (size_t j = i; j < bytes.len && j < i + 8; j++)
            eight = eight << 8 | bytes.data[j];
        sim_note(s, eight);
    }
}

void *sim_alloc(struct sim *s, size_t len)
{
    void *block = mem_alloc(&s->mem, len);
    assert(block != NULL);
    return block;
}

/* ---- the world ------------------------------------------------------------------------------- */

struct sim *sim_new(uint64_t seed)
{
    struct mem mem = {0};
    struct sim *s = mem_alloc(&mem, sizeof *s);
    assert(s != NULL);
    *s = (struct sim){.mem = mem, .seed = seed, .chance = seed, .epoch_ms = EPOCH_MS};
    queue_init(&s->queue, &s->mem);
    table_init(&s->ends, &s->mem);
    table_init(&s->rtcs, &s->mem);
    list_init(&s->hosts);
    list_init(&s->names);
    list_init(&s->stopped);
    return s;
}

static struct host *first_host(const struct sim *s)
{
    return LIST_OWNER(s->hosts.next, struct host, in_sim);
}

void sim_free(struct sim *s)
{
    while (!list_is_empty(&s->hosts)) {
        struct host *h = first_host(s);
        list_remove(&h->in_sim);
        cable_free(h);
        rtc_free(h);
        h->ops->free(h);
    }
    LIST_EACH(node, &s->stopped) {
        struct stopped *held = LIST_OWNER(node, struct stopped, in_sim);
        mem_free(&s->mem, held->event.bytes.data);
        mem_free(&s->mem, held);
    }
    queue_free(&s->queue);
    zone_free(s);
    table_free(&s->ends);
    table_free(&s->rtcs);
    struct mem mem = s->mem;
    mem_free(&mem, s);
    assert(mem.used == 0);
}

/* ---- events ---------------------------------------------------------------------------------- */

void sim_plan(struct sim *s, struct event e, struct view bytes)
{
    if (bytes.len > 0) {
        e.bytes = span_of(sim_alloc(s, bytes.len), bytes.len);
        memcpy(e.bytes.data, bytes.data, bytes.len);
    }
    queue_add(&s->queue, e);
}

static bool is_stopped(const struct sim *s, const struct event *e)
{
    if (e->to == NULL)
        return false;
    if (e->to->is_frozen)
        return true;
    if (e->from == NULL)
        return false;
    return sim_is_cut(s, e->from, e->to) ||
           (e->is_udp && (e->from->is_without_udp || e->to->is_without_udp));
}

static void hold(struct sim *s, struct event e)
{
    struct stopped *held = sim_alloc(s, sizeof *held);
    held->event = e;
    list_add(&s->stopped, &held->in_sim);
}

/* What no fault holds up any more happens now, in the old order, and before what is sent now. */
static void release(struct sim *s)
{
    LIST_EACH(node, &s->stopped) {
        struct stopped *held = LIST_OWNER(node, struct stopped, in_sim);
        if (is_stopped(s, &held->event))
            continue;
        held->event.at = s->now;
        queue_add(&s->queue, held->event);
        list_remove(&held->in_sim);
        mem_free(&s->mem, held);
    }
}

static void ring(struct host *h, uint64_t now)
{
    if (h->alarm_at > now)
        return;
    h->alarm_at = NEVER;
    h->ops->alarm(h);
}

static void happen(struct sim *s, const struct event *e)
{
    sim_note(s, s->now);
    sim_note(s, e->type);
    sim_note(s, e->to != NULL ? e->to->number : 0);
    sim_note(s, e->id);
    sim_note_bytes(s, view_of_span(e->bytes));
    switch (e->type) {
    case EVENT_ALARM:
        ring(e->to, s->now);
        break;
    case EVENT_ACCEPT:
    case EVENT_OPENED:
    case EVENT_BYTES:
    case EVENT_ROOM:
    case EVENT_ENDED:
    case EVENT_RESUMED:
    case EVENT_CLOSED:
        cable_event(s, e);
        break;
    case EVENT_RTC_DESCRIPTION:
    case EVENT_RTC_CANDIDATE:
    case EVENT_RTC_CONNECT:
    case EVENT_RTC_STATE:
    case EVENT_RTC_CHECK:
    case EVENT_RTC_CLOSED:
        rtc_event(s, e);
        break;
    case EVENT_FOUND:
        zone_event(s, e);
        break;
    }
}

bool sim_step(struct sim *s, uint64_t until)
{
    const struct event *first = queue_first(&s->queue);
    if (first == NULL || first->at > until) {
        s->now = MAX(s->now, until);
        return false;
    }
    struct event e = queue_take(&s->queue);
    s->now = MAX(s->now, e.at);
    s->events++;
    if (is_stopped(s, &e)) {
        hold(s, e);
        return true;
    }
    happen(s, &e);
    mem_free(&s->mem, e.bytes.data);
    return true;
}

void sim_run(struct sim *s, uint64_t ms)
{
    uint64_t until = s->now + ms;
    while (sim_step(s, until))
        ;
}

/* ---- hosts ----------------------------------------------------------------------------------- */

void host_init(struct host *h, struct sim *s, const struct host_ops *ops)
{
    h->sim = s;
    h->ops = ops;
    h->number = ++s->last_host;
    h->alarm_at = NEVER;
    list_init(&h->ends);
    list_add(&s->hosts, &h->in_sim);
}

void host_ip(const struct host *h, char out[HOST_IP_MAX])
{
    snprintf(out, HOST_IP_MAX, "10.0.%u.%u", h->number / 256 % 256, h->number % 256);
}

struct host *sim_host_at(const struct sim *s, unsigned high, unsigned low)
{
    LIST_EACH(node, &s->hosts) {
        struct host *h = LIST_OWNER(node, struct host, in_sim);
        if (h->number == high * 256 + low)
            return h;
    }
    return NULL;
}

void host_set_alarm(struct host *h, uint64_t at)
{
    if (at != NEVER && h->alarm_step_ms > 0)
        at = (at + h->alarm_step_ms - 1) / h->alarm_step_ms * h->alarm_step_ms;
    /* One that is planned sooner rings in vain, and the next is then planned. */
    if (at == NEVER || at >= h->alarm_at)
        return;
    h->alarm_at = MAX(at, h->sim->now);
    sim_plan(h->sim, (struct event){.at = h->alarm_at, .type = EVENT_ALARM, .to = h},
             (struct view){0});
}

/* ---- paths and faults -------------------------------------------------------------------------- */

uint64_t sim_round_trip(const struct host *a, const struct host *b)
{
    return 2 * (uint64_t)(a->path.latency_ms + b->path.latency_ms);
}

uint64_t sim_arrival(struct sim *s, struct host *from, struct host *to, size_t len)
{
    uint64_t departs_at = s->now;
    from->sent += len;
    if (from->path.bytes_per_ms > 0) {
        from->sends_until_us = MAX(from->sends_until_us, 1000 * s->now) +
                               1000 * (uint64_t)len / from->path.bytes_per_ms;
        departs_at = from->sends_until_us / 1000;
    }
    uint64_t way_ms = from->path.latency_ms + to->path.latency_ms;
    uint32_t jitter_ms = from->path.jitter_ms + to->path.jitter_ms;
    if (jitter_ms > 0)
        way_ms += sim_below(s, jitter_ms + 1);
    uint32_t loss_percent = from->path.loss_percent + to->path.loss_percent;
    while (loss_percent > 0 && sim_below(s, 100) < loss_percent)
        way_ms += MAX(RETRANSMIT_MS, sim_round_trip(from, to));
    return departs_at + way_ms;
}

bool sim_is_cut(const struct sim *s, const struct host *a, const struct host *b)
{
    if (a->is_offline || b->is_offline)
        return true;
    for (size_t i = 0; i < SIM_CUTS; i++)
        if ((s->cuts[i][0] == a && s->cuts[i][1] == b) ||
            (s->cuts[i][0] == b && s->cuts[i][1] == a))
            return true;
    return false;
}

void sim_cut(struct sim *s, struct host *a, struct host *b)
{
    size_t i = 0;
    while (i < SIM_CUTS && s->cuts[i][0] != NULL)
        i++;
    assert(i < SIM_CUTS);
    s->cuts[i][0] = a;
    s->cuts[i][1] = b;
    rtc_paths_changed(s);
}

void sim_heal(struct sim *s, struct host *a, struct host *b)
{
    for (size_t i = 0; i < SIM_CUTS; i++)
        if (s->cuts[i][0] == a && s->cuts[i][1] == b)
            s->cuts[i][0] = s->cuts[i][1] = NULL;
    release(s);
    rtc_paths_changed(s);
}

void host_disconnect(struct host *h)
{
    h->is_offline = true;
    rtc_paths_changed(h->sim);
}

void host_reconnect(struct host *h)
{
    h->is_offline = false;
    release(h->sim);
    rtc_paths_changed(h->sim);
}

void host_freeze(struct host *h)
{
    h->is_frozen = true;
}

void host_thaw(struct host *h)
{
    h->is_frozen = false;
    release(h->sim);
}

void host_block_udp(struct host *h)
{
    h->is_without_udp = true;
    rtc_paths_changed(h->sim);
}

void host_allow_udp(struct host *h)
{
    h->is_without_udp = false;
    release(h->sim);
    rtc_paths_changed(h->sim);
}

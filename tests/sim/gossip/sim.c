/*
 * Puts a crowd of gossipsub routers, or pages, through a plan: see plan.h.
 *
 *     sim PLAN [seed=S] [threads=T] [svg=FILE] [SETTING=NUMBER ...]
 *
 * Settings given here take the place of the plan's, and another number of nodes scales it. Prints what
 * became of it and ends with 1 when the plan was not met, with 2 when it cannot be.
 */
#include "sim/gossip/pages.h"
#include "sim/gossip/tally.h"
#include "sim/queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define AFTER_MS 12000      /* the last message has so much time; nobody looks at meshes then */
#define FOUND_DEAD_MS 10000 /* a path that is cut ends a connection then */
#define DIALS_AGAIN_MS 1000

enum action_type { ATTACK, PUBLISH, LEAVE, COME_BACK, DIAL, CUT, FIND_CUT, HEAL, SAMPLE };

/* What is to be done: an action in `value`, a node in `id`. */
static struct mem mem;
static struct queue todo;

static void intend(uint64_t at, enum action_type type, uint32_t node)
{
    queue_add(&todo, (struct event){.at = at, .value = type, .id = node});
}

static void intend_all(struct crowd *c)
{
    const struct plan *p = &c->plan;
    uint64_t begin = ((uint64_t)p->late_s + p->warm_seconds) * 1000,
             ms = (uint64_t)p->seconds * 1000;
    for (uint64_t s = 1; s * 1000 < begin + ms; s++)
        intend(s * 1000, SAMPLE, 0);
    for (uint64_t i = 0; i < p->messages; i++)
        intend(begin + 100 + i * ms / p->messages, PUBLISH, 0);
    for (uint64_t i = (uint64_t)p->nodes * p->churn_percent * p->seconds / 6000; i > 0; i--)
        intend(begin + crowd_below(c, (uint32_t)ms), LEAVE, 0);
    for (uint32_t i = 0; i < p->sybils; i++)
        intend((uint64_t)MAX(p->sybils_at_s, p->late_s) * 1000 + i % 1000, ATTACK, p->nodes + i);
    if (p->cut_s > 0) {
        intend((uint64_t)p->cut_s * 1000, CUT, 0);
        intend((uint64_t)p->cut_s * 1000 + FOUND_DEAD_MS, FIND_CUT, 0);
        intend((uint64_t)p->heal_s * 1000, HEAL, 0);
    }
}

/* Somebody who is there, and has been long enough to be heard. */
static uint32_t anybody(struct crowd *c)
{
    for (;;) {
        uint32_t number = crowd_below(c, c->plan.publishers ? c->plan.publishers : c->plan.nodes);
        const struct node *n = &c->nodes[number];
        if (n->is_up &&
            n->stays[n->stay_count - 1].from + (uint64_t)c->plan.warm_seconds * 1000 <= c->now)
            return number;
    }
}

static void leave(struct crowd *c)
{
    uint32_t number = anybody(c);
    const struct node *n = &c->nodes[number];
    if (n->stay_count == CROWD_STAYS)
        return;
    for (uint32_t i = 0; i < n->tie_count; i++) {
        const struct link *l = &c->links[n->ties[i].link];
        if (l->ends[0] != number)
            intend(c->now + DIALS_AGAIN_MS, DIAL, l->ends[0]);
    }
    crowd_leave(c, number);
    intend(c->now + (uint64_t)c->plan.away_s * 1000, COME_BACK, number);
}

/* A plan whose messages cannot be said is not met. */
static void publish(struct crowd *c)
{
    int rc = crowd_publish(c, anybody(c));
    if (rc >= 0)
        return;
    fprintf(stderr, "cannot publish: %s\n", err_text(rc));
    exit(1);
}

static void act(struct crowd *c, struct report *r, struct event a)
{
    switch ((enum action_type)a.value) {
    case ATTACK:
        crowd_attack(c, a.id);
        break;
    case PUBLISH:
        publish(c);
        break;
    case LEAVE:
        leave(c);
        break;
    case COME_BACK:
        crowd_join(c, a.id);
        crowd_dial(c, a.id, c->plan.degree / 2);
        break;
    case DIAL:
        if (c->nodes[a.id].is_up)
            crowd_dial(c, a.id, c->plan.degree / 2);
        break;
    case CUT:
        crowd_cut(c);
        break;
    case FIND_CUT:
        crowd_close_cut(c);
        break;
    case HEAL:
        crowd_heal(c);
        break;
    case SAMPLE:
        tally_sample(r, c);
        break;
    }
}

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct options {
    uint64_t seed;
    uint32_t threads;
    const char *svg;
    struct plan plan;
};

/* What follows the name in "name=value"; null if that is another. */
static const char *value_of(const char *argument, const char *name)
{
    size_t len = strlen(name);
    return strncmp(argument, name, len) == 0 && argument[len] == '=' ? argument + len + 1 : NULL;
}

static bool take_options(int argc, char **argv, struct options *o)
{
    *o = (struct options){.seed = 1, .threads = 2};
    if (argc < 2 || !plan_read(argv[1], &o->plan))
        return false;
    /* First, so that what else is given counts as it is. */
    for (int i = 2; i < argc; i++)
        if (value_of(argv[i], "nodes") != NULL)
            plan_scale(&o->plan, (uint32_t)strtoul(value_of(argv[i], "nodes"), NULL, 10));
    for (int i = 2; i < argc; i++) {
        const char *value;
        if ((value = value_of(argv[i], "seed")) != NULL)
            o->seed = strtoull(value, NULL, 10);
        else if ((value = value_of(argv[i], "threads")) != NULL)
            o->threads = (uint32_t)strtoul(value, NULL, 10);
        else if ((value = value_of(argv[i], "svg")) != NULL)
            o->svg = value;
        else if (!plan_set(&o->plan, argv[i]))
            return false;
    }
    o->plan.target = MIN(o->plan.target, o->plan.nodes);
    o->plan.publishers = MIN(o->plan.publishers, o->plan.nodes);
    bool is_enough =
        o->plan.relays > 0 ? o->plan.nodes >= o->plan.relays : o->plan.nodes > o->plan.degree;
    return o->threads > 0 && o->threads <= CROWD_THREADS_MAX && is_enough;
}

static bool read_options(int argc, char **argv, struct options *o)
{
    if (!take_options(argc, argv, o)) {
        fprintf(stderr, "usage: %s PLAN [seed=S] [threads=T] [svg=FILE] [SETTING=NUMBER ...]\n",
                argv[0]);
        return false;
    }
    const char *misfit = plan_misfit(&o->plan);
    if (misfit == NULL)
        return true;
    fprintf(stderr, "%s means nothing to %s, see tests/sim/gossip/plan.h\n", misfit,
            o->plan.relays > 0 ? "pages" : "a crowd without relays");
    return false;
}

/* What became of a crowd that went through it. */
static struct crowd *live_through(const struct plan *plan, const struct options *o,
                                  struct report *report)
{
    struct crowd *c = crowd_new(plan, o->seed, o->threads);
    crowd_run(c, (uint64_t)plan->late_s * 1000);
    for (uint32_t i = 0; i < plan->nodes; i++)
        crowd_join(c, i);
    for (uint32_t i = 0; i < plan->nodes; i++)
        crowd_dial(c, i, plan->degree / 2);
    queue_init(&todo, &mem);
    intend_all(c);
    while (queue_first(&todo) != NULL) {
        struct event a = queue_take(&todo);
        crowd_run(c, a.at);
        act(c, report, a);
    }
    queue_free(&todo);
    crowd_run(c, c->now + AFTER_MS);
    tally(report, c);
    return c;
}

/* Before an attack that is there from the beginning there is only a crowd whose sybils dial nobody. */
static void live_in_peace(const struct options *o, struct report *report)
{
    struct plan peace = o->plan;
    peace.sybil_links = 0;
    crowd_free(live_through(&peace, o, report));
}

static bool crowd_through(const struct options *o, struct report *report, struct report *twin)
{
    if (plan_begins_attacked(&o->plan) && o->plan.pass_recover_ms > 0)
        live_in_peace(o, twin);
    crowd_free(live_through(&o->plan, o, report));
    return true;
}

int main(int argc, char **argv)
{
    static struct report report, twin;
    struct options o;
    if (!read_options(argc, argv, &o))
        return 2;
    const char *slash = strrchr(argv[1], '/');
    double began = seconds_now();
    bool is_told =
        o.plan.relays > 0 ? pages_run(&o.plan, o.seed, &report) : crowd_through(&o, &report, &twin);
    bool is_met = is_told && report_print(&report, &twin, &o.plan, seconds_now() - began);
    bool is_drawn =
        o.svg == NULL || report_draw(&report, &o.plan, slash != NULL ? slash + 1 : argv[1], o.svg);
    return is_met && is_drawn ? 0 : 1;
}

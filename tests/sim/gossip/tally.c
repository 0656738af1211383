#include "sim/gossip/tally.h"

void tally_sample(struct report *r, const struct crowd *c)
{
    uint32_t targets = c->plan.target > 0 ? c->plan.target : c->plan.nodes;
    struct sample sample = {0};
    for (uint32_t i = 0; i < c->plan.nodes; i++) {
        if (!c->nodes[i].is_up)
            continue;
        uint32_t degree = crowd_mesh(c, i);
        sample_add(&sample, degree);
        sample.attacked += i < targets ? degree : 0;
        sample.sybils += c->plan.sybils > 0 && i < targets ? crowd_mesh_sybils(c, i) : 0;
    }
    report_sample(r, &sample);
}

/* Whether the two were in different halves at that time, or so shortly before that it says nothing. */
static bool was_cut(const struct crowd *c, const struct message_told *m, const struct node *n)
{
    uint64_t cut = (uint64_t)c->plan.cut_s * 1000, heal = (uint64_t)c->plan.heal_s * 1000;
    return cut > 0 && c->nodes[m->by].half != n->half && m->at + REPORT_STAYED_MS > cut &&
           m->at < heal;
}

static bool was_there(const struct crowd *c, const struct message_told *m, const struct node *n)
{
    for (uint32_t i = 0; i < n->stay_count; i++)
        if (n->stays[i].from + (uint64_t)c->plan.warm_seconds * 1000 <= m->at &&
            n->stays[i].to >= m->at + REPORT_STAYED_MS)
            return !was_cut(c, m, n);
    return false;
}

static void tally_node(struct report *r, const struct crowd *c, uint32_t number)
{
    const struct node *n = &c->nodes[number];
    for (uint32_t m = 0; m < c->told_count; m++) {
        const struct message_told *told = &c->told[m];
        if (told->by == number || !was_there(c, told, n))
            continue;
        bool is_attacked = c->plan.sybils > 0 && plan_is_target(&c->plan, told->by, number);
        report_deliver(r, &c->plan, told->at, n->heard_at[m], is_attacked);
    }
    r->bytes += n->bytes_out;
    r->control += n->control_out;
    r->copies += n->messages_in;
    r->firsts += n->firsts;
    r->memory += (double)n->mem.used / c->plan.nodes;
    r->peak = MAX(r->peak, (double)n->mem.peak);
}

void tally(struct report *r, const struct crowd *c)
{
    for (uint32_t i = 0; i < c->plan.nodes; i++)
        tally_node(r, c, i);
    r->messages = c->told_count;
    r->ms = c->now;
    r->trace = crowd_hash(c);
    report_sum_up(r, &c->plan);
}

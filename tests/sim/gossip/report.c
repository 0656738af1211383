#include "sim/gossip/report.h"

#include <stdio.h>
#include <sys/resource.h>

#define STAYED_MS                                                                                  \
    10000 /* a message is to have reached who is there so long after it was published */

void report_sample(struct report *r, const struct crowd *c)
{
    uint64_t sum = 0, sybils = 0, up = 0;
    uint32_t least = UINT32_MAX, most = 0;
    for (uint32_t i = 0; i < c->plan.nodes; i++) {
        if (!c->nodes[i].is_up)
            continue;
        uint32_t degree = crowd_mesh(c, i);
        up++;
        sum += degree;
        sybils += crowd_mesh_sybils(c, i);
        least = MIN(least, degree);
        most = MAX(most, degree);
    }
    if (r->seconds == REPORT_SECONDS || up == 0)
        return;
    r->mesh[r->seconds] = (double)sum / (double)up;
    r->sybil_percent[r->seconds] = sum ? 100 * (double)sybils / (double)sum : 0;
    r->mesh_least[r->seconds] = least;
    r->mesh_most[r->seconds++] = most;
}

/* Whether the two were in different halves at that time, or so shortly before that it says nothing. */
static bool was_cut(const struct crowd *c, const struct message_told *m, const struct node *n)
{
    uint64_t cut = (uint64_t)c->plan.cut_s * 1000, heal = (uint64_t)c->plan.heal_s * 1000;
    return cut > 0 && c->nodes[m->by].half != n->half && m->at + STAYED_MS > cut && m->at < heal;
}

static bool was_there(const struct crowd *c, const struct message_told *m, const struct node *n)
{
    for (uint32_t i = 0; i < n->stay_count; i++)
        if (n->stays[i].from + (uint64_t)c->plan.warm_seconds * 1000 <= m->at &&
            n->stays[i].to >= m->at + STAYED_MS)
            return !was_cut(c, m, n);
    return false;
}

static void count_deliveries(struct report *r, const struct crowd *c)
{
    for (uint32_t i = 0; i < c->plan.nodes; i++)
        for (uint32_t m = 0; m < c->told_count; m++) {
            if (c->told[m].by == i || !was_there(c, &c->told[m], &c->nodes[i]))
                continue;
            r->expected++;
            r->delivered += node_heard(&c->nodes[i], m);
        }
}

/* What `percent` of the deliveries took at most. */
static uint32_t percentile(const uint64_t *counts, uint32_t percent)
{
    uint64_t all = 0, so_far = 0;
    for (uint32_t ms = 0; ms < CROWD_LATENCY_MAX_MS; ms++)
        all += counts[ms];
    for (uint32_t ms = 0; ms < CROWD_LATENCY_MAX_MS; ms++) {
        so_far += counts[ms];
        if (so_far * 100 >= all * percent)
            return ms;
    }
    return 0;
}

void report_sum_up(struct report *r, const struct crowd *c)
{
    uint64_t bytes = 0, control = 0, messages = 0, firsts = 0;
    for (uint32_t i = 0; i < c->plan.nodes; i++) {
        const struct node *n = &c->nodes[i];
        bytes += n->bytes_out;
        control += n->control_out;
        messages += n->messages_in;
        firsts += n->firsts;
        r->memory += (double)n->mem.used / c->plan.nodes;
        r->peak = MAX(r->peak, (double)n->mem.peak);
    }
    static uint64_t attacked[CROWD_LATENCY_MAX_MS];
    crowd_latencies(c, CROWD_USUAL, r->latencies);
    crowd_latencies(c, CROWD_ATTACKED, attacked);
    r->p50_ms = percentile(r->latencies, 50);
    r->p99_ms = percentile(r->latencies, 99);
    r->worst_ms = percentile(r->latencies, 100);
    r->attacked_p99_ms = percentile(attacked, 99);
    count_deliveries(r, c);
    r->duplicates = firsts ? (double)(messages - firsts) / (double)firsts : 0;
    r->bytes_per_s = (double)bytes / c->plan.nodes / ((double)c->now / 1000);
    r->control_percent = bytes ? 100.0 * (double)control / (double)bytes : 0;
}

#define SETTLED_S 120 /* after an attack began */

/* The mean share of sybils in the meshes of the honest, once that has settled. */
static double sybils_later(const struct report *r, const struct crowd *c)
{
    double sum = 0;
    uint32_t from = plan_attack_s(&c->plan) + SETTLED_S, count = 0;
    for (uint32_t i = from; i < r->seconds; i++, count++)
        sum += r->sybil_percent[i];
    return count ? sum / count : 100;
}

bool report_print(const struct report *r, const struct crowd *c, double wall_s)
{
    const struct plan *p = &c->plan;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    uint32_t last = r->seconds ? r->seconds - 1 : 0;
    double delivery = r->expected ? 100.0 * (double)r->delivered / (double)r->expected : 0;
    printf("nodes             %u, each with %u connections, for %llu s\n", p->nodes, p->degree,
           (unsigned long long)c->now / 1000);
    printf("messages          %u of %u bytes\n", c->told_count, p->size);
    printf("delivered         %.4f %% (%llu of %llu)\n", delivery, (unsigned long long)r->delivered,
           (unsigned long long)r->expected);
    printf("latency           p50 %u ms, p99 %u ms, longest %u ms\n", r->p50_ms, r->p99_ms,
           r->worst_ms);
    if (p->sybils > 0)
        printf("under attack      p99 %u ms in its first minute; sybils are %.1f %% of the meshes "
               "from "
               "%u s on\n",
               r->attacked_p99_ms, sybils_later(r, c), SETTLED_S);
    printf("duplicates        %.2f for each message and node\n", r->duplicates);
    printf("bandwidth         %.2f KB/s sent by a node, %.1f %% of it control\n",
           r->bytes_per_s / 1000, r->control_percent);
    printf("mesh degree       %.2f (%u to %u)\n", r->mesh[last], r->mesh_least[last],
           r->mesh_most[last]);
    printf("memory            %.1f KB a router, %.1f KB at most; %.2f GB in all\n",
           r->memory / 1000, r->peak / 1000, (double)usage.ru_maxrss / 1e6);
    printf("wall time         %.1f s\n", wall_s);
    printf("trace             %016llx\n", (unsigned long long)crowd_hash(c));
    bool is_met = true;
    if (p->pass_delivery > 0 && delivery < p->pass_delivery) {
        printf("FAILED: less than %u %% delivered\n", p->pass_delivery);
        is_met = false;
    }
    if (p->pass_sybils > 0 && sybils_later(r, c) > p->pass_sybils) {
        printf("FAILED: sybils are more than %u %% of the meshes\n", p->pass_sybils);
        is_met = false;
    }
    if (p->pass_p99_ms > 0 && r->p99_ms > p->pass_p99_ms) {
        printf("FAILED: p99 over %u ms\n", p->pass_p99_ms);
        is_met = false;
    }
    return is_met;
}

/* ---- pictures ---------------------------------------------------------------------------------- */

#define WIDTH 360.0
#define HEIGHT 160.0

static void draw_frame(FILE *f, double x, const char *title, const char *across, double right,
                       double top)
{
    fprintf(f, "<g transform='translate(%g 50)'>\n<text y='-14' class='title'>%s</text>\n", x,
            title);
    fprintf(f, "<path d='M0 0V%gH%g' class='axis'/>\n", HEIGHT, WIDTH);
    fprintf(f,
            "<text x='-6' y='4' text-anchor='end'>%g</text><text x='-6' y='%g' "
            "text-anchor='end'>0</text>\n",
            top, HEIGHT);
    fprintf(f, "<text y='%g'>0</text><text x='%g' y='%g' text-anchor='end'>%g %s</text>\n",
            HEIGHT + 16, WIDTH, HEIGHT + 16, right, across);
}

/* The share of deliveries that took no longer. */
static void draw_latencies(FILE *f, const struct report *r)
{
    uint64_t all = 0, so_far = 0;
    uint32_t most = MAX(MIN(r->worst_ms, 3 * r->p99_ms), 1);
    for (uint32_t ms = 0; ms < CROWD_LATENCY_MAX_MS; ms++)
        all += r->latencies[ms];
    draw_frame(f, 50, "Latency: percent of deliveries", "ms", most, 100);
    fprintf(f, "<path class='line' d='M0 %g", HEIGHT);
    for (uint32_t ms = 0; ms <= most && all > 0; ms++) {
        so_far += r->latencies[ms];
        if (r->latencies[ms] > 0)
            fprintf(f, "L%.1f %.1f", WIDTH * ms / most,
                    HEIGHT - HEIGHT * (double)so_far / (double)all);
    }
    fprintf(f, "'/>\n</g>\n");
}

static void draw_meshes(FILE *f, const struct report *r)
{
    double top = 1;
    uint32_t last = MAX(r->seconds, 2) - 1;
    for (uint32_t i = 0; i < r->seconds; i++)
        top = MAX(top, (double)r->mesh_most[i]);
    draw_frame(f, 480, "Mesh degree: least, mean, most", "s", last, top);
    fprintf(f, "<path class='band' d='M");
    for (uint32_t i = 0; i < r->seconds; i++)
        fprintf(f, "%.1f %.1f ", WIDTH * i / last, HEIGHT - HEIGHT * r->mesh_most[i] / top);
    for (uint32_t i = r->seconds; i-- > 0;)
        fprintf(f, "%.1f %.1f ", WIDTH * i / last, HEIGHT - HEIGHT * r->mesh_least[i] / top);
    fprintf(f, "Z'/>\n<polyline class='line' points='");
    for (uint32_t i = 0; i < r->seconds; i++)
        fprintf(f, "%.1f,%.1f ", WIDTH * i / last, HEIGHT - HEIGHT * r->mesh[i] / top);
    fprintf(f, "'/>\n</g>\n");
}

bool report_draw(const struct report *r, const struct crowd *c, const char *title, const char *file)
{
    FILE *f = fopen(file, "w");
    if (f == NULL) {
        perror(file);
        return false;
    }
    fprintf(
        f,
        "<svg xmlns='http://www.w3.org/2000/svg' width='880' height='260' viewBox='0 0 880 260'>\n"
        "<style>text{font:12px "
        "sans-serif;fill:#444}.title{font-weight:bold}.axis{fill:none;stroke:#888}"
        ".line{fill:none;stroke:#06c;stroke-width:1.5}.band{fill:#06c2}</style>\n"
        "<rect width='880' height='260' fill='#fff'/>\n"
        "<text x='50' y='20'>%s: %u nodes, %u messages of %u bytes</text>\n",
        title, c->plan.nodes, c->told_count, c->plan.size);
    draw_latencies(f, r);
    draw_meshes(f, r);
    fprintf(f, "</svg>\n");
    return fclose(f) == 0;
}

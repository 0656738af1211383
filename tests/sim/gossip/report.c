#include "sim/gossip/report.h"

#include "base/span.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define IN_TIME_MS 1000 /* a message that takes no longer, after a cut */

void sample_add(struct sample *s, uint32_t degree)
{
    s->least = s->nodes > 0 ? MIN(s->least, degree) : degree;
    s->most = MAX(s->most, degree);
    s->degrees += degree;
    s->nodes++;
}

void report_sample(struct report *r, const struct sample *s)
{
    if (r->seconds == REPORT_SECONDS || s->nodes == 0)
        return;
    r->mesh[r->seconds] = (double)s->degrees / (double)s->nodes;
    r->sybil_percent[r->seconds] = s->attacked ? 100 * (double)s->sybils / (double)s->attacked : 0;
    r->mesh_least[r->seconds] = s->least;
    r->mesh_most[r->seconds++] = s->most;
}

static enum report_time time_of(const struct plan *p, uint64_t said_at)
{
    uint64_t begin = (uint64_t)plan_attack_s(p) * 1000;
    if (said_at < begin)
        return REPORT_BEFORE;
    return said_at < begin + (uint64_t)p->recover_s * 1000 ? REPORT_ATTACKED : REPORT_AFTER;
}

void report_deliver(struct report *r, const struct plan *plan, uint64_t said_at, uint64_t heard_at,
                    bool is_attacked)
{
    uint64_t heal = (uint64_t)plan->heal_s * 1000;
    r->expected++;
    if (heal > 0 && said_at >= heal && (heard_at == 0 || heard_at > said_at + IN_TIME_MS))
        r->reunited_ms = MAX(r->reunited_ms, said_at + 1 - heal);
    if (heard_at == 0)
        return;
    uint64_t ms = MIN(heard_at - said_at, REPORT_LATENCY_MAX_MS - 1);
    r->delivered++;
    r->latencies[REPORT_ALWAYS][ms]++;
    if (is_attacked)
        r->latencies[time_of(plan, said_at)][ms]++;
}

/* What `percent` of the deliveries took at most. */
static uint32_t percentile(const uint64_t *counts, uint32_t percent)
{
    uint64_t all = 0, so_far = 0;
    for (uint32_t ms = 0; ms < REPORT_LATENCY_MAX_MS; ms++)
        all += counts[ms];
    for (uint32_t ms = 0; ms < REPORT_LATENCY_MAX_MS; ms++) {
        so_far += counts[ms];
        if (so_far * 100 >= all * percent)
            return ms;
    }
    return 0;
}

#define SETTLED_S 120 /* after an attack began */

/* The mean share of sybils in the meshes, once that has settled. */
static double sybils_later(const struct report *r, const struct plan *p)
{
    double sum = 0;
    uint32_t from = plan_attack_s(p) + SETTLED_S, count = 0;
    for (uint32_t i = from; i < r->seconds; i++, count++)
        sum += r->sybil_percent[i];
    return count ? sum / count : 100;
}

void report_sum_up(struct report *r, const struct plan *plan)
{
    for (enum report_time time = REPORT_ALWAYS; time < REPORT_TIMES; time++)
        r->time_p99_ms[time] = percentile(r->latencies[time], 99);
    r->p50_ms = percentile(r->latencies[REPORT_ALWAYS], 50);
    r->p99_ms = r->time_p99_ms[REPORT_ALWAYS];
    r->worst_ms = percentile(r->latencies[REPORT_ALWAYS], 100);
    r->sybils_later = sybils_later(r, plan);
}

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void print_attack(const struct report *r, uint32_t before_ms, const struct plan *p)
{
    printf("under attack      p99 %u ms without it, %u ms in its first %u s, %u ms later\n",
           before_ms, r->time_p99_ms[REPORT_ATTACKED], p->recover_s, r->time_p99_ms[REPORT_AFTER]);
    printf("sybils            %.1f %% of the meshes%s, from %u s after its beginning on\n",
           r->sybils_later, p->target > 0 ? " of its targets" : "", SETTLED_S);
}

/* Says so if it is not. */
static bool is_at_most(double value, double limit, const char *what)
{
    if (value <= limit)
        return true;
    printf("FAILED: %.1f %s, and %.0f are allowed\n", value, what, limit);
    return false;
}

static bool is_met(const struct report *r, uint32_t before_ms, double delivery,
                   const struct plan *p)
{
    bool met = true;
    if (p->pass_delivery > 0)
        met &= is_at_most(100 - delivery, 100 - p->pass_delivery, "percent are not delivered");
    if (p->pass_sybils > 0)
        met &= is_at_most(r->sybils_later, p->pass_sybils, "percent of the meshes are sybils");
    if (p->pass_p99_ms > 0)
        met &= is_at_most(r->p99_ms, p->pass_p99_ms, "ms are p99");
    if (p->pass_recover_ms > 0)
        met &= is_at_most(r->time_p99_ms[REPORT_AFTER], before_ms + p->pass_recover_ms,
                          "ms are p99 when that should have recovered");
    if (p->pass_reunite_s > 0)
        met &= is_at_most((double)r->reunited_ms / 1000, p->pass_reunite_s,
                          "s after a cut messages are still late");
    if (p->pass_direct_s > 0)
        met &= is_at_most((double)r->direct_ms / 1000, p->pass_direct_s,
                          "s two pages at one relay are not connected directly");
    return met;
}

static bool is_within_budget(const struct plan *p, double wall_s, double memory_mib)
{
    bool met = true;
    if (p->pass_wall_s > 0)
        met &= is_at_most(wall_s, p->pass_wall_s, "s went by");
    if (p->pass_memory_mib > 0)
        met &= is_at_most(memory_mib, p->pass_memory_mib, "MiB are in use");
    return met;
}

static void print_who(const struct report *r, const struct plan *p)
{
    unsigned long long seconds = r->ms / 1000;
    if (p->relays > 0)
        printf("pages             %u, at %u relays, for %llu s\n"
               "direct            %.2f connections a page, the slowest after %.0f s\n",
               p->nodes, p->relays, seconds, r->direct, (double)r->direct_ms / 1000);
    else
        printf("nodes             %u, each with %u connections, for %llu s\n", p->nodes, p->degree,
               seconds);
}

static void print_latencies(const struct report *r, uint32_t before_ms, const struct plan *p)
{
    printf("latency           p50 %u ms, p99 %u ms, longest %u ms\n", r->p50_ms, r->p99_ms,
           r->worst_ms);
    if (p->sybils > 0)
        print_attack(r, before_ms, p);
    if (p->heal_s > 0)
        printf("reunited          after %.1f s: what is said later reaches everybody in time\n",
               (double)r->reunited_ms / 1000);
}

static void print_costs(const struct report *r, const struct plan *p)
{
    uint32_t last = r->seconds ? r->seconds - 1 : 0;
    printf("duplicates        %.2f for each message and node\n",
           r->firsts ? (double)(r->copies - r->firsts) / (double)r->firsts : 0);
    printf("bandwidth         %.2f KB/s sent by a node, %.1f %% of it control\n",
           (double)r->bytes / p->nodes / (double)r->ms,
           r->bytes ? 100.0 * (double)r->control / (double)r->bytes : 0);
    printf("mesh degree       %.2f (%u to %u)\n", r->mesh[last], r->mesh_least[last],
           r->mesh_most[last]);
}

bool report_print(const struct report *r, const struct report *twin, const struct plan *p,
                  double wall_s)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    uint32_t before_ms =
        plan_begins_attacked(p) ? twin->time_p99_ms[REPORT_AFTER] : r->time_p99_ms[REPORT_BEFORE];
    double delivery = r->expected ? 100.0 * (double)r->delivered / (double)r->expected : 0;
    print_who(r, p);
    printf("messages          %u of %u bytes\n", r->messages, p->size);
    printf("delivered         %.4f %% (%llu of %llu)\n", delivery, (unsigned long long)r->delivered,
           (unsigned long long)r->expected);
    print_latencies(r, before_ms, p);
    print_costs(r, p);
    printf("memory            %.1f KB a node, %.1f KB at most; %.2f GB in all\n", r->memory / 1000,
           r->peak / 1000, (double)usage.ru_maxrss / 1e6);
    printf("time              %.1f s, %.1f s of processors\n", wall_s,
           seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime));
    printf("trace             %016llx\n", (unsigned long long)r->trace);
    bool met = is_met(r, before_ms, delivery, p);
    return is_within_budget(p, wall_s, (double)usage.ru_maxrss / 1024) && met;
}

/* ---- pictures ---------------------------------------------------------------------------------- */

#define WIDTH 260.0
#define HEIGHT 150.0
#define PANEL 330 /* from the left edge of one to that of the next */
#define MARGIN 46

struct panel {
    FILE *f;
    double right, top; /* what the far ends of its axes stand for */
};

static double x_of(const struct panel *p, double value)
{
    return WIDTH * value / p->right;
}

static double y_of(const struct panel *p, double value)
{
    return HEIGHT - HEIGHT * value / p->top;
}

/* 1, 2 or 5 and zeros, so that at most five fit. */
static double step_of(double most)
{
    static const double STEPS[] = {1, 2, 5};
    for (double tens = 1;; tens *= 10)
        for (size_t i = 0; i < 3; i++)
            if (most <= 5 * STEPS[i] * tens)
                return STEPS[i] * tens;
}

static struct panel begin_panel(FILE *f, uint32_t number, const char *title, double right,
                                double top)
{
    struct panel p = {f, right, top};
    fprintf(f, "<g transform='translate(%u 64)'>\n<text y='-14' class='title'>%s</text>\n",
            MARGIN + number * PANEL, title);
    for (double v = 0; v <= top; v += step_of(top))
        fprintf(f,
                "<path d='M0 %.1fH%g' class='grid'/><text x='-6' y='%.1f' class='left'>%g</text>\n",
                y_of(&p, v), WIDTH, y_of(&p, v) + 4, v);
    for (double v = 0; v <= right; v += step_of(right))
        fprintf(f, "<text x='%.1f' y='%g' class='below'>%g</text>\n", x_of(&p, v), HEIGHT + 16, v);
    return p;
}

static void draw_moment(const struct panel *p, double at, const char *name)
{
    if (at <= 0 || at > p->right)
        return;
    fprintf(p->f, "<path d='M%.1f 0V%g' class='moment'/><text x='%.1f' y='10'>%s</text>\n",
            x_of(p, at), HEIGHT, x_of(p, at) + 4, name);
}

/* When what the plan is about begins, and ends. */
static void end_timeline(const struct panel *p, const struct plan *plan)
{
    if (plan->sybils > 0)
        draw_moment(p, plan_attack_s(plan), "attack");
    draw_moment(p, plan->cut_s, "cut");
    draw_moment(p, plan->heal_s, "healed");
    fprintf(p->f, "</g>\n");
}

/* A point of the curve; its name is below to the right, where the curve never is. */
static void draw_share(const struct panel *p, uint32_t ms, double percent, const char *name)
{
    double x = x_of(p, ms), y = y_of(p, percent);
    fprintf(p->f, "<circle cx='%.1f' cy='%.1f' r='3'/><text x='%.1f' y='%.1f'%s>%s %u ms</text>\n",
            x, y, x + 80 > WIDTH ? WIDTH : x + 8, y + 18, x + 80 > WIDTH ? " class='left'" : "",
            name, ms);
}

/* The share of deliveries that took no longer. */
static void draw_latencies(FILE *f, const struct report *r)
{
    uint64_t all = 0, so_far = 0;
    uint32_t most = MAX(MIN(r->worst_ms, 3 * r->p99_ms), 1);
    most = MIN(most * 21 / 20 + 1, REPORT_LATENCY_MAX_MS - 1);
    for (uint32_t ms = 0; ms < REPORT_LATENCY_MAX_MS; ms++)
        all += r->latencies[REPORT_ALWAYS][ms];
    struct panel p = begin_panel(f, 0, "Percent of deliveries by latency in ms", most, 100);
    fprintf(f, "<path class='line' d='M0 %g", HEIGHT);
    for (uint32_t ms = 0, drawn = 0; ms <= most && all > 0; ms++) {
        so_far += r->latencies[REPORT_ALWAYS][ms];
        bool is_apart = x_of(&p, ms - drawn) > 0.5 || ms == most;
        if (!is_apart || (r->latencies[REPORT_ALWAYS][ms] == 0 && ms < most))
            continue;
        drawn = ms;
        fprintf(f, "H%.1fV%.1f", x_of(&p, ms), y_of(&p, 100 * (double)so_far / (double)all));
    }
    fprintf(f, "'/>\n");
    draw_share(&p, r->p50_ms, 50, "p50");
    draw_share(&p, r->p99_ms, 99, "p99");
    fprintf(f, "</g>\n");
}

static void draw_meshes(FILE *f, const struct report *r, const struct plan *plan)
{
    double top = 1;
    uint32_t last = MAX(r->seconds, 2) - 1;
    for (uint32_t i = 0; i < r->seconds; i++)
        top = MAX(top, (double)r->mesh_most[i]);
    struct panel p = begin_panel(f, 1, "Mesh degree by second: least, mean, most", last, top);
    fprintf(f, "<path class='band' d='M");
    for (uint32_t i = 0; i < r->seconds; i++)
        fprintf(f, "%.1f %.1f ", x_of(&p, i), y_of(&p, r->mesh_most[i]));
    for (uint32_t i = r->seconds; i-- > 0;)
        fprintf(f, "%.1f %.1f ", x_of(&p, i), y_of(&p, r->mesh_least[i]));
    fprintf(f, "Z'/>\n<polyline class='line' points='");
    for (uint32_t i = 0; i < r->seconds; i++)
        fprintf(f, "%.1f,%.1f ", x_of(&p, i), y_of(&p, r->mesh[i]));
    fprintf(f, "'/>\n");
    end_timeline(&p, plan);
}

static void draw_sybils(FILE *f, const struct report *r, const struct plan *plan)
{
    struct panel p =
        begin_panel(f, 2, "Percent of sybils in the meshes by second", MAX(r->seconds, 2) - 1, 100);
    fprintf(f, "<polyline class='line bad' points='");
    for (uint32_t i = 0; i < r->seconds; i++)
        fprintf(f, "%.1f,%.1f ", x_of(&p, i), y_of(&p, r->sybil_percent[i]));
    fprintf(f, "'/>\n");
    end_timeline(&p, plan);
}

bool report_draw(const struct report *r, const struct plan *plan, const char *title,
                 const char *file)
{
    FILE *f = fopen(file, "w");
    if (f == NULL) {
        perror(file);
        return false;
    }
    unsigned width = MARGIN + (plan->sybils > 0 ? 3 : 2) * PANEL - 24;
    fprintf(
        f,
        "<svg xmlns='http://www.w3.org/2000/svg' width='%u' height='240' viewBox='0 0 %u 240'>\n"
        "<style>text{font:12px sans-serif;fill:#444}.title{font-weight:bold}"
        ".left{text-anchor:end}.below{text-anchor:middle}.grid{fill:none;stroke:#ddd}"
        ".moment{fill:none;stroke:#888;stroke-dasharray:3}.band{fill:#06c;fill-opacity:.15}"
        ".line{fill:none;stroke:#06c;stroke-width:1.5}.bad{stroke:#c30}circle{fill:#06c}"
        "</style>\n<rect width='%u' height='240' fill='#fff'/>\n"
        "<text x='%u' y='22'>%.*s: %u %s",
        width, width, width, MARGIN, (int)strcspn(title, "."), title, plan->nodes,
        plan->relays > 0 ? "pages" : "nodes");
    if (plan->sybils > 0)
        fprintf(f, ", %u sybils", plan->sybils);
    fprintf(f, ", %u messages of %u bytes</text>\n", r->messages, plan->size);
    draw_latencies(f, r);
    draw_meshes(f, r, plan);
    if (plan->sybils > 0)
        draw_sybils(f, r, plan);
    fprintf(f, "</svg>\n");
    return fclose(f) == 0;
}

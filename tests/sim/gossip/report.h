/* What became of a crowd, or of pages: figures, and pictures of them. */
#ifndef SIM_GOSSIP_REPORT_H
#define SIM_GOSSIP_REPORT_H

#include "sim/gossip/plan.h"

#define REPORT_SECONDS 3600
#define REPORT_LATENCY_MAX_MS 60000

/* A message is to have reached who is there so long after it was published. */
#define REPORT_STAYED_MS 10000

/* All deliveries; or those that an attack is on, of messages from before it, of its beginning, and from later. */
enum report_time { REPORT_ALWAYS, REPORT_BEFORE, REPORT_ATTACKED, REPORT_AFTER, REPORT_TIMES };

struct report {
    /* What is counted while it happens, or at its end. */
    uint64_t latencies[REPORT_TIMES][REPORT_LATENCY_MAX_MS]; /* how many took so long */
    uint64_t expected, delivered; /* pairs of a message and a node that was there all the time */
    uint64_t copies, firsts;      /* of messages, that came to a node */
    uint64_t bytes, control;      /* sent, and how much of it is control */
    uint64_t reunited_ms;         /* from when on after a cut messages reached everybody in time */
    uint64_t direct_ms;  /* the longest that a pair at one relay was not connected directly */
    double direct;       /* such connections of a page */
    double memory, peak; /* bytes of one node, and the most that any had */
    uint32_t messages;
    uint64_t ms; /* that went by */
    uint64_t trace;
    double mesh[REPORT_SECONDS];
    double sybil_percent[REPORT_SECONDS];
    uint32_t mesh_least[REPORT_SECONDS], mesh_most[REPORT_SECONDS];
    uint32_t seconds; /* sampled so far */

    /* What follows from it. */
    uint32_t p50_ms, p99_ms, worst_ms;
    uint32_t time_p99_ms[REPORT_TIMES];
    double sybils_later; /* percent of the meshes that `share` asks about */
};

/* The meshes of all nodes at one instant. */
struct sample {
    uint64_t nodes, degrees;
    uint32_t least, most;
    uint64_t attacked, sybils; /* members of the meshes that `share` asks about */
};

void sample_add(struct sample *s, uint32_t degree);

/* Once a second. */
void report_sample(struct report *r, const struct sample *s);

/* A message to one who was there all the time; `heard_at` is 0 when it did not come. */
void report_deliver(struct report *r, const struct plan *plan, uint64_t said_at, uint64_t heard_at,
                    bool is_attacked);

void report_sum_up(struct report *r, const struct plan *plan);

/* To stdout; false when the plan was not met. `twin` is the report on the same crowd without sybils. */
bool report_print(const struct report *r, const struct report *twin, const struct plan *plan,
                  double wall_s);

/* False when the file cannot be written. */
bool report_draw(const struct report *r, const struct plan *plan, const char *title,
                 const char *file);

#endif

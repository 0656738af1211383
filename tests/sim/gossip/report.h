/* What became of a crowd: figures, and two pictures of them. */
#ifndef SIM_GOSSIP_REPORT_H
#define SIM_GOSSIP_REPORT_H

#include "sim/gossip/crowd.h"

#define REPORT_SECONDS 3600

struct report {
    uint64_t latencies[CROWD_LATENCY_MAX_MS];
    uint64_t expected, delivered; /* pairs of a message and a node that was there all the time */
    uint32_t p50_ms, p99_ms, worst_ms;
    uint32_t time_p99_ms[CROWD_TIMES];
    double sybils_later;    /* percent of the meshes that `share` asks about */
    double duplicates;      /* copies of a message that came to a node after the first */
    double bytes_per_s;     /* sent by a node */
    double control_percent; /* of these */
    double memory, peak;    /* bytes of one router, and the most that any had */
    double mesh[REPORT_SECONDS];
    double sybil_percent[REPORT_SECONDS];
    uint32_t mesh_least[REPORT_SECONDS], mesh_most[REPORT_SECONDS];
    uint32_t seconds; /* sampled so far */
};

/* Looks at the meshes; once a second. */
void report_sample(struct report *r, const struct crowd *c);

void report_sum_up(struct report *r, const struct crowd *c);

/* To stdout; false when the plan was not met. `twin` is the report on the same crowd without sybils. */
bool report_print(const struct report *r, const struct report *twin, const struct crowd *c,
                  double wall_s);

/* To stdout: how long it took, and of all processors together. */
void report_print_time(double wall_s);

/* False when the file cannot be written. */
bool report_draw(const struct report *r, const struct crowd *c, const char *title,
                 const char *file);

#endif

#include "sim/gossip/plan.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct plan USUAL = {
    .nodes = 1000,
    .degree = 20,
    .seconds = 60,
    .warm_seconds = 10,
    .messages = 600,
    .size = 256,
    .latency_ms = 25,
    .recover_s = 60,
};

#define MOST_NUMBERS 3

/* A setting, and where its numbers go. */
static const struct {
    const char *name;
    size_t at[MOST_NUMBERS];
} SETTINGS[] = {
    {"nodes", {offsetof(struct plan, nodes)}},
    {"relays", {offsetof(struct plan, relays)}},
    {"degree", {offsetof(struct plan, degree)}},
    {"seconds", {offsetof(struct plan, seconds)}},
    {"messages", {offsetof(struct plan, messages)}},
    {"size", {offsetof(struct plan, size)}},
    {"rpc", {offsetof(struct plan, rpc)}},
    {"latency", {offsetof(struct plan, latency_ms), offsetof(struct plan, jitter_ms)}},
    {"loss", {offsetof(struct plan, loss_percent)}},
    {"uplink",
     {offsetof(struct plan, uplink), offsetof(struct plan, fast_uplink),
      offsetof(struct plan, fast_percent)}},
    {"alarm", {offsetof(struct plan, alarm_s)}},
    {"churn", {offsetof(struct plan, churn_percent), offsetof(struct plan, away_s)}},
    {"partition", {offsetof(struct plan, cut_s), offsetof(struct plan, heal_s)}},
    {"sybils",
     {offsetof(struct plan, sybils), offsetof(struct plan, sybil_links),
      offsetof(struct plan, sybils_at_s)}},
    {"target", {offsetof(struct plan, target)}},
    {"publishers", {offsetof(struct plan, publishers)}},
    {"drop", {offsetof(struct plan, drop_percent), offsetof(struct plan, drop_from_s)}},
    {"owes", {offsetof(struct plan, owes_percent), offsetof(struct plan, owes_after_s)}},
    {"late", {offsetof(struct plan, late_s)}},
    {"delivery", {offsetof(struct plan, pass_delivery)}},
    {"share", {offsetof(struct plan, pass_sybils)}},
    {"p99", {offsetof(struct plan, pass_p99_ms)}},
    {"recover", {offsetof(struct plan, recover_s), offsetof(struct plan, pass_recover_ms)}},
};

bool plan_set(struct plan *plan, const char *line)
{
    char name[32];
    uint32_t numbers[MOST_NUMBERS] = {0};
    int count =
        sscanf(line, " %31[^= \n]%*[= ]%u %u %u", name, &numbers[0], &numbers[1], &numbers[2]);
    if (count <= 0 || name[0] == '#')
        return true;
    if (strcmp(name, "regions") == 0)
        return plan->has_regions = true;
    if (strcmp(name, "censor") == 0)
        return plan->is_censorship = true;
    if (strcmp(name, "cold") == 0) {
        plan->warm_seconds = 0;
        return true;
    }
    for (size_t i = 0; i < sizeof SETTINGS / sizeof *SETTINGS; i++) {
        if (strcmp(name, SETTINGS[i].name) != 0)
            continue;
        for (int n = 0; n < count - 1 && (n == 0 || SETTINGS[i].at[n] != 0); n++)
            memcpy((char *)plan + SETTINGS[i].at[n], &numbers[n], sizeof numbers[n]);
        return count > 1;
    }
    return false;
}

bool plan_read(const char *file, struct plan *plan)
{
    *plan = USUAL;
    FILE *f = fopen(file, "r");
    if (f == NULL) {
        perror(file);
        return false;
    }
    char line[256];
    bool is_good = true;
    for (int number = 1; is_good && fgets(line, sizeof line, f) != NULL; number++) {
        is_good = plan_set(plan, line);
        if (!is_good)
            fprintf(stderr, "%s:%d: no such setting, see tests/sim/gossip/plan.h: %s", file, number,
                    line);
    }
    fclose(f);
    return is_good;
}

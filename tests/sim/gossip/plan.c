#include "sim/gossip/plan.h"

#include "base/span.h"

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
#define AT(field) offsetof(struct plan, field)

/* A setting, who it means something to, and where its numbers go. */
enum level { CROWD = 1, PAGES = 2, BOTH = CROWD | PAGES };

static const struct setting {
    const char *name;
    enum level level;
    size_t at[MOST_NUMBERS];
    bool is_word; /* no number follows, and it stands for this one */
    uint32_t number;
} SETTINGS[] = {
    {"nodes", BOTH, {AT(nodes)}, false, 0},
    {"relays", BOTH, {AT(relays)}, false, 0},
    {"bridges", PAGES, {AT(bridges)}, false, 0},
    {"degree", CROWD, {AT(degree)}, false, 0},
    {"seconds", BOTH, {AT(seconds)}, false, 0},
    {"messages", BOTH, {AT(messages)}, false, 0},
    {"size", BOTH, {AT(size)}, false, 0},
    {"rpc", CROWD, {AT(rpc)}, false, 0},
    {"latency", BOTH, {AT(latency_ms), AT(jitter_ms)}, false, 0},
    {"regions", CROWD, {AT(has_regions)}, true, 1},
    {"loss", BOTH, {AT(loss_percent)}, false, 0},
    {"uplink", BOTH, {AT(uplink), AT(fast_uplink), AT(fast_percent)}, false, 0},
    {"alarm", CROWD, {AT(alarm_s)}, false, 0},
    {"churn", BOTH, {AT(churn_percent), AT(away_s)}, false, 0},
    {"partition", CROWD, {AT(cut_s), AT(heal_s)}, false, 0},
    {"sybils", CROWD, {AT(sybils), AT(sybil_links), AT(sybils_at_s)}, false, 0},
    {"target", CROWD, {AT(target)}, false, 0},
    {"publishers", CROWD, {AT(publishers)}, false, 0},
    {"drop", CROWD, {AT(drop_percent), AT(drop_from_s)}, false, 0},
    {"censor", CROWD, {AT(is_censorship)}, true, 1},
    {"owes", CROWD, {AT(owes_percent), AT(owes_after_s)}, false, 0},
    {"late", CROWD, {AT(late_s)}, false, 0},
    {"cold", CROWD, {AT(warm_seconds)}, true, 0},
    {"delivery", BOTH, {AT(pass_delivery)}, false, 0},
    {"share", CROWD, {AT(pass_sybils)}, false, 0},
    {"p99", BOTH, {AT(pass_p99_ms)}, false, 0},
    {"recover", CROWD, {AT(recover_s), AT(pass_recover_ms)}, false, 0},
    {"reunite", CROWD, {AT(pass_reunite_s)}, false, 0},
    {"direct", PAGES, {AT(pass_direct_s)}, false, 0},
    {"wall", BOTH, {AT(pass_wall_s)}, false, 0},
    {"memory", BOTH, {AT(pass_memory_mib)}, false, 0},
};

static void put(struct plan *plan, size_t at, uint32_t number)
{
    memcpy((char *)plan + at, &number, sizeof number);
}

bool plan_set(struct plan *plan, const char *line)
{
    char name[32];
    uint32_t numbers[MOST_NUMBERS] = {0};
    int count =
        sscanf(line, " %31[^= \n]%*[= ]%u %u %u", name, &numbers[0], &numbers[1], &numbers[2]);
    if (count <= 0 || name[0] == '#')
        return true;
    for (size_t i = 0; i < sizeof SETTINGS / sizeof *SETTINGS; i++) {
        const struct setting *s = &SETTINGS[i];
        if (strcmp(name, s->name) != 0)
            continue;
        plan->given |= UINT64_C(1) << i;
        for (int n = 0; n < count - 1 && (n == 0 || s->at[n] != 0); n++)
            put(plan, s->at[n], numbers[n]);
        if (s->is_word)
            put(plan, s->at[0], s->number);
        return s->is_word || count > 1;
    }
    return false;
}

void plan_scale(struct plan *plan, uint32_t nodes)
{
    uint32_t *others[] = {&plan->relays, &plan->sybils, &plan->target, &plan->publishers};
    if (nodes == plan->nodes)
        return;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (*others[i] > 0 && plan->nodes > 0)
            *others[i] = MAX(1, (uint32_t)((uint64_t)*others[i] * nodes / plan->nodes));
    plan->nodes = nodes;
    plan->pass_wall_s = plan->pass_memory_mib = 0;
}

const char *plan_misfit(const struct plan *plan)
{
    enum level level = plan->relays > 0 ? PAGES : CROWD;
    for (size_t i = 0; i < sizeof SETTINGS / sizeof *SETTINGS; i++)
        if ((plan->given >> i & 1) != 0 && (SETTINGS[i].level & level) == 0)
            return SETTINGS[i].name;
    return NULL;
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

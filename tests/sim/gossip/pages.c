#include "sim/gossip/pages.h"

#include "sim/node.h"
#include "sim/relay.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define ARRIVE_MS 5000 /* in which they open, one after another */

struct pages {
    const struct plan *plan;
    struct sim *sim;
    struct relay **relays;
    struct node **nodes;
    uint32_t *said; /* in each room */
};

static void open_pages(struct pages *p)
{
    const struct plan *plan = p->plan;
    for (uint32_t i = 0; i < plan->relays; i++) {
        p->relays[i] = sim_relay(p->sim);
        relay_terms(p->relays[i])->reservations = plan->nodes;
        relay_join(p->relays[i], "room");
    }
    for (uint32_t i = 0; i < plan->nodes; i++) {
        struct node_config config = {.relays = {p->relays[i % plan->relays]}};
        config.path = (struct path){.latency_ms = plan->latency_ms,
                                    .jitter_ms = plan->jitter_ms,
                                    .loss_percent = plan->loss_percent};
        p->nodes[i] = sim_node(p->sim, &config);
        sim_run(p->sim, (i + 1) * ARRIVE_MS / plan->nodes - i * ARRIVE_MS / plan->nodes);
    }
}

static bool talk(struct pages *p)
{
    const struct plan *plan = p->plan;
    uint64_t begin = p->sim->now;
    for (uint64_t i = 0; i < plan->messages; i++) {
        uint64_t at = begin + i * plan->seconds * 1000 / plan->messages;
        sim_run(p->sim, at - p->sim->now);
        uint32_t by = sim_below(p->sim, plan->nodes);
        if (node_say_number(p->nodes[by], (uint32_t)i, plan->size) <= 0)
            return false;
        p->said[by % plan->relays]++;
    }
    sim_run(p->sim, begin + (uint64_t)plan->seconds * 1000 - p->sim->now);
    return true;
}

static bool print(const struct pages *p)
{
    const struct plan *plan = p->plan;
    uint64_t heard = 0, said = 0, direct = 0, memory = 0;
    for (uint32_t i = 0; i < plan->nodes; i++) {
        const struct node *n = p->nodes[i];
        heard += n->messages;
        memory += node_memory(n);
        LIST_EACH(node, &n->conns)
            direct +=
                (LIST_OWNER(node, struct node_conn, in_node)->flags & PEERLET_CONN_WEBRTC) != 0;
    }
    for (uint32_t i = 0; i < plan->relays; i++) {
        uint32_t in_room = plan->nodes / plan->relays + (i < plan->nodes % plan->relays);
        said += (uint64_t)p->said[i] * (in_room - 1);
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("pages             %u, at %u relays, for %llu s\n", plan->nodes, plan->relays,
           (unsigned long long)p->sim->now / 1000);
    printf("messages          %u of %u bytes\n", plan->messages, plan->size);
    printf("delivered         %.4f %% (%llu of %llu)\n", 100.0 * (double)heard / (double)said,
           (unsigned long long)heard, (unsigned long long)said);
    printf("direct            %.2f connections a page\n", (double)direct / plan->nodes);
    printf("memory            %.1f KB a page; %.2f GB in all\n",
           (double)memory / plan->nodes / 1000, (double)usage.ru_maxrss / 1e6);
    printf("events            %llu\n", (unsigned long long)p->sim->events);
    printf("trace             %016llx\n", (unsigned long long)sim_hash(p->sim));
    if (plan->pass_delivery > 0 && heard * 100 < said * plan->pass_delivery) {
        printf("FAILED: less than %u %% delivered\n", plan->pass_delivery);
        return false;
    }
    return true;
}

bool pages_run(const struct plan *plan, uint64_t seed)
{
    struct pages p = {
        .plan = plan,
        .sim = sim_new(seed),
        .relays = calloc(plan->relays, sizeof *p.relays),
        .nodes = calloc(plan->nodes, sizeof *p.nodes),
        .said = calloc(plan->relays, sizeof *p.said),
    };
    if (p.relays == NULL || p.nodes == NULL || p.said == NULL)
        abort();
    open_pages(&p);
    sim_run(p.sim, (uint64_t)plan->warm_seconds * 1000);
    bool is_met = talk(&p) && print(&p);
    sim_free(p.sim);
    free(p.relays);
    free(p.nodes);
    free(p.said);
    return is_met;
}

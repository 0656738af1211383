/*
 * What a crowd is put through: a text file of tests/sim/gossip, one setting a line.
 *
 *     nodes 1000          honest nodes
 *     relays 50           these are pages, with everything they have, that meet through so many relays
 *     bridges 2           so many pages of each relay know one at another relay as well
 *     degree 20           connections of each: half of them dialled by it
 *     seconds 60          of virtual time, after the first ten
 *     messages 600        published in that time, at even distances, by anybody
 *     size 1024           bytes of each
 *     rpc 262144          bytes of the largest RPC, where everybody agrees on more than is usual
 *     latency 25 5        ms one way, and at most so much more
 *     regions             instead: eight of them, 2 to 220 ms from each other
 *     loss 5              percent of the packets, which come a retransmission later
 *     uplink 50           Mbit/s
 *     uplink 50 1000 20   the same, but 1000 for 20 percent of the nodes
 *     alarm 60            seconds: timers ring at multiples of it, as in a hidden tab
 *     churn 10 10         percent of the nodes leave each minute, and come back after so many seconds
 *     partition 20 60     from when to when two halves do not reach each other
 *     sybils 4000 20 60   attackers, the honest nodes that each dials, and from when
 *     target 100          these are among the first so many only; 0: anybody
 *     publishers 100      only the first so many publish; 0: anybody
 *     drop 100 60         percent of the messages that sybils do not pass on, and from when
 *     censor              they drop those of the first node only
 *     owes 40 25          percent of the messages that P3 asks of who is in a mesh, and the seconds it
 *                         has to begin; 0: one message a second, and five
 *     late 10             when the honest come, to meet the sybils first
 *     cold                no time to find together: the first message comes at once
 *     delivery 100        to pass: percent of the messages that reach who was there all the time
 *     p99 1000            to pass: ms
 *     recover 60 26       to pass: so many seconds after an attack began, p99 is at most so many ms
 *                         over that from before it; or, where it is there from the beginning, over
 *                         that of the same crowd without sybils
 *     share 20            to pass: percent of the meshes that are sybils, two minutes after an attack began
 *     reunite 5           to pass: seconds after the halves met from which on messages reach everybody
 *                         within one second
 *     direct 10           to pass: seconds after which two pages at one relay are connected directly
 *     wall 120            to pass: seconds that it takes, with two processors to itself
 *     memory 8192         to pass: MiB
 *
 * `recover` asks about those that the attack is on: messages to the targets, unless they are who
 * publishes; messages of the node that is censored; else all. `share` asks about the meshes of the
 * targets, if there are any. A hop takes 26 ms on links of 25, so p99 moves in steps of 26: a plan that
 * allows one allows a hop more on the way, and not two.
 *
 * With pages a packet pays at both ends: the latency, jitter and loss are that of the way from one to
 * the other. What a level does not use is refused.
 *
 * A `#` begins a comment. Seconds are counted from the start.
 */
#ifndef SIM_GOSSIP_PLAN_H
#define SIM_GOSSIP_PLAN_H

#include <stdbool.h>
#include <stdint.h>

struct plan {
    uint32_t nodes, relays, bridges, degree, seconds, warm_seconds;
    uint32_t messages, size, rpc;
    uint32_t latency_ms, jitter_ms, loss_percent;
    uint32_t has_regions;
    uint32_t uplink, fast_uplink, fast_percent; /* Mbit/s; 0: no limit */
    uint32_t alarm_s;
    uint32_t churn_percent, away_s;
    uint32_t cut_s, heal_s; /* 0: never */
    uint32_t sybils, sybil_links, sybils_at_s, target, publishers;
    uint32_t drop_percent, drop_from_s, late_s;
    uint32_t owes_percent, owes_after_s;
    uint32_t is_censorship;
    uint32_t pass_delivery, pass_p99_ms, pass_sybils; /* 0: whatever it is */
    uint32_t recover_s, pass_recover_ms, pass_reunite_s, pass_direct_s;
    uint32_t pass_wall_s, pass_memory_mib;
    uint64_t given; /* which settings, a bit for each */
};

/* Takes one line, or the same with '=' for the first blank; false when it says nothing. */
bool plan_set(struct plan *plan, const char *line);

/*
 * The same for another number of honest nodes: relays, sybils, targets and publishers are as many in
 * proportion, and how long it takes and how large it is says nothing.
 */
void plan_scale(struct plan *plan, uint32_t nodes);

/* The name of a setting given that means nothing to pages, or to a crowd; null: there is none. */
const char *plan_misfit(const struct plan *plan);

/* When the sybils begin to do harm. */
static inline uint32_t plan_attack_s(const struct plan *p)
{
    uint32_t met = p->sybils_at_s > p->late_s ? p->sybils_at_s : p->late_s;
    return p->drop_from_s > met ? p->drop_from_s : met;
}

/* Whether it is there when the first message comes. */
static inline bool plan_begins_attacked(const struct plan *p)
{
    return p->sybils > 0 && plan_attack_s(p) <= p->late_s + p->warm_seconds;
}

/* Whether an attack is on who is to hear of a message, or on who says it. */
static inline bool plan_is_target(const struct plan *p, uint32_t by, uint32_t to)
{
    if (p->is_censorship)
        return by == 0;
    return p->target == 0 || to < p->target || p->publishers > 0;
}

/* False, having said why on stderr, when the file cannot be read or has a line that says nothing. */
bool plan_read(const char *file, struct plan *plan);

#endif

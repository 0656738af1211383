/*
 * The whole stack instead of routers alone: pages of tests/sim that meet through relays, go direct to
 * each other and talk, those at one relay in one room.
 */
#ifndef SIM_GOSSIP_PAGES_H
#define SIM_GOSSIP_PAGES_H

#include "sim/gossip/plan.h"

/* Prints what became of them; false when the plan was not met. */
bool pages_run(const struct plan *plan, uint64_t seed);

#endif

/*
 * The whole stack instead of routers alone: pages of tests/sim that meet through relays, go direct to
 * each other and talk in one room. The pages of a relay announce themselves to each other, and some of
 * each know a page of another relay, too, so that what is said crosses from one to the next:
 *
 *       p   p   p              p   p   p
 *        ╲  │  ╱                ╲  │  ╱        each p is connected directly to all those
 *         relay    p ─────── p   relay         around its relay, and a bridge to one more
 */
#ifndef SIM_GOSSIP_PAGES_H
#define SIM_GOSSIP_PAGES_H

#include "sim/gossip/report.h"

/* False, having said why on stderr, when a message could not be said. */
bool pages_run(const struct plan *plan, uint64_t seed, struct report *report);

#endif

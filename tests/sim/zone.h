/*
 * The names of the network: what a node's resolver finds behind a /dnsaddr.
 *
 *     sim_name(sim, "relays.example", "/ip4/10.0.0.1/tcp/4001/ws/p2p/12D3Koo…\n/dnsaddr/other.example");
 *
 * An answer takes ZONE_MS and is what the zone holds then. Nothing is remembered.
 */
#ifndef SIM_ZONE_H
#define SIM_ZONE_H

#include "sim/sim.h"

#define ZONE_MS 20

/* Sets the records of a name, a multiaddr a line; one that is none stays in, as bytes. */
void sim_name(struct sim *s, const char *name, const char *records);

/* How resolvers are. */
void sim_names_are(struct sim *s, enum zone_state state);

/* How many lookups there were. */
uint64_t sim_lookups(const struct sim *s);

/* ---- for the parts of the simulator ---------------------------------------------------------- */

/* A node asks; EVENT_FOUND follows. */
void zone_ask(struct host *h, uint32_t lookup, struct view name);

/* Tells it: the list in binary, or why there is none. */
void zone_event(struct sim *s, const struct event *e);
void zone_free(struct sim *s);

#endif

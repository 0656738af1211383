/*
 * An attacker, as those of the public evaluation of gossipsub 1.1: it subscribes to what its peers
 * subscribe to and grafts itself into their meshes, again as soon as their backoff allows. Until its
 * attack begins it passes messages on; then it drops them.
 */
#ifndef SIM_GOSSIP_SYBIL_H
#define SIM_GOSSIP_SYBIL_H

#include "sim/gossip/crowd.h"

void sybil_receive(struct crowd *c, struct shard *running, uint32_t sybil, uint32_t from,
                   struct span rpcs);

/* Grafts where it is time to. */
void sybil_tick(struct crowd *c, struct shard *running, uint32_t sybil);

#endif

/*
 * What is under way in a crowd, and the threads that carry it: what arrives within a millisecond is
 * handled node by node, by the thread that has the node.
 */
#ifndef SIM_GOSSIP_TRAFFIC_H
#define SIM_GOSSIP_TRAFFIC_H

#include "sim/gossip/crowd.h"

void traffic_init(struct crowd *c, uint32_t threads);
void traffic_free(struct crowd *c);

/* Sends what a node's router owes, unless its line is full of it, and sets its alarm. */
void settle(struct crowd *c, struct shard *running, uint32_t node);

/* The block, which there is, or the program ends. */
void *must(void *block);

/* Of the dice with that state. */
uint64_t next_random(uint64_t *state);

#endif

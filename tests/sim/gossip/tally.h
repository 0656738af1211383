/* Counts what becomes of a crowd. */
#ifndef SIM_GOSSIP_TALLY_H
#define SIM_GOSSIP_TALLY_H

#include "sim/gossip/crowd.h"
#include "sim/gossip/report.h"

/* Looks at the meshes; once a second. */
void tally_sample(struct report *r, const struct crowd *c);

/* At its end. */
void tally(struct report *r, const struct crowd *c);

#endif

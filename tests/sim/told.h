/*
 * Inputs as tests write them: with multiaddrs in text, a line for each, where the node is told bytes.
 *
 *     LISTEN, BOOTSTRAP, IS_DIALABLE   text: the multiaddr
 *     DIAL                             text: multiaddrs, or a Peer ID
 *     ADD_ADDRESSES                    text: multiaddrs; bytes: the Peer ID
 *
 * What is no multiaddr is given to the node as it is.
 */
#ifndef SIM_TOLD_H
#define SIM_TOLD_H

#include "record/input.h"

struct told {
    struct input in; /* points into `bytes` */
    uint8_t bytes[8192];
};

/* The input that is meant, valid as long as both. */
const struct input *told_of(struct told *t, const struct input *in);

#endif

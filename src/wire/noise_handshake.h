/* The XX pattern and libp2p's payload in it. Private to Noise: noise_frames.c feeds it messages. */
#ifndef WIRE_NOISE_HANDSHAKE_H
#define WIRE_NOISE_HANDSHAKE_H

#include "wire/noise.h"

/* ERR_NOMEM, ERR_BAD_ARGUMENT. */
MUST_USE int noise_handshake_init(struct noise *n, const struct noise_config *config);

/* Wipes its secrets. */
void noise_handshake_free(struct noise *n);

/* Takes one whole message, without its length, in NOISE_WAIT_MESSAGE. As noise_feed. */
MUST_USE int noise_handshake_read(struct noise *n, struct span message, struct noise_event *ev);

/* Goes on after a good verdict. As noise_feed. */
MUST_USE int noise_handshake_resume(struct noise *n, struct noise_event *ev);

#endif

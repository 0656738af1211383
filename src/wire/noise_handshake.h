/* The XX pattern and libp2p's payload in it; noise_frames.c feeds it whole messages. */
#ifndef WIRE_NOISE_HANDSHAKE_H
#define WIRE_NOISE_HANDSHAKE_H

#include "wire/noise.h"

/* ERR_NOMEM. */
MUST_USE int handshake_init(struct noise *n, const struct noise_config *config);
void handshake_free(struct noise *n);

/* One whole handshake message, without its length. 1 with an event, 0, or an error. */
MUST_USE int handshake_read(struct noise *n, struct span message, struct noise_event *ev);

/* After a good verdict: what handshake_read would have gone on with. */
MUST_USE int handshake_resume(struct noise *n, struct noise_event *ev);

/* Appends the message owed, if any. */
MUST_USE int handshake_write(struct noise *n, struct buf *out);

#endif

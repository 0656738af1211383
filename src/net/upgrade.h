/*
 * From an open link to a secure, multiplexed connection: multistream for /noise, Noise, and
 * multistream for /yamux/1.0.0 unless Noise has settled that. conn.c drives it; nobody else calls.
 */
#ifndef NET_UPGRADE_H
#define NET_UPGRADE_H

#include "net/conn.h"

/* The link is open: begins with the security protocol. */
MUST_USE int upgrade_start(struct conn *c);

/* A link with channels: Noise at once, on what the first channel says. */
MUST_USE int upgrade_secure(struct conn *c, enum role role, struct view prologue);

/* Bytes of the link before READY. 1 with CONN_VERIFY or CONN_OPENED, 0, negative. */
MUST_USE int upgrade_feed(struct conn *c, struct span *in, struct conn_event *ev, uint64_t now);

/* One Noise frame after the handshake, into c->plain. */
MUST_USE int upgrade_decrypt(struct conn *c, struct span *in);

/* What the handshake owes, into the link's buffer. */
MUST_USE int upgrade_drain(struct conn *c);

void upgrade_negotiation_free(struct conn *c, struct multistream **m);

#endif

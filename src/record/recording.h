/*
 * A log of everything a node was told, by which it can be lived through again (replay.h).
 *
 *     "peerlet-recording 3\n"
 *     CONFIG RANDOM…
 *     { INPUT RANDOM… [ DRAIN RANDOM… [ DIGEST ] ] }…
 *     [ DIGEST ]
 *
 *     CONFIG  = 0xff key now unix_ms services page no_auto_dial limits private_key agent pubsub
 *     INPUT   = type ms id channel flags value text bytes       type: enum input_type
 *     RANDOM  = 0xfe bytes                                      drawn while the call above worked
 *     DIGEST  = 0xfd digest                                     of all outputs so far, 8 bytes
 *     DRAIN   = 0xfc                                            peerlet_next until it said false
 *
 * Types are bytes, `text`, `bytes`, `private_key` and `agent` are uvarint(len) || bytes, all other
 * fields are uvarints; `ms` is the time since the input before. `key` is an enum recording_key.
 * `limits` and `pubsub` are lists: their length, then their numbers, as recording.c has them; limits
 * that no application can set are the default ones.
 *
 * Whoever has a recording can read the connections in it: without the random bytes a Noise handshake
 * does not happen again. So what may be left out is the private key of a node that lives on: it is
 * recorded with a key made for that, and used nowhere else.
 */
#ifndef RECORD_RECORDING_H
#define RECORD_RECORDING_H

#include "base/buf.h"
#include "record/input.h"

#define RECORDING_MAGIC "peerlet-recording 3\n"

enum recording_type {
    RECORDING_DRAIN = 0xfc,
    RECORDING_DIGEST = 0xfd,
    RECORDING_RANDOM = 0xfe,
    RECORDING_CONFIG = 0xff,
};

/* Whose the private key in it is. */
enum recording_key {
    RECORDING_KEY_MADE, /* made for the recording: worth nothing afterwards */
    RECORDING_KEY_OWN,  /* the identity that the node goes on with */
};

struct recording {
    struct buf bytes; /* what is written; may be taken at any time */
    uint64_t last_at; /* instant of the last input */
    uint64_t digest;
    bool is_draining;
    bool has_spoken; /* since the last digest was written */
    bool is_over;
    bool is_short; /* memory ran out: what is written is whole, but what came then is not there */
};

/* 0 at the beginning. */
uint64_t output_digest(uint64_t digest, const struct peerlet_output *out);

/* Begins the log of a node about to be made. Of `config->limits` the settable ones are written. */
void recording_init(struct recording *r, struct mem *mem, const struct peerlet_config *config,
                    enum recording_key key, uint64_t now);
void recording_free(struct recording *r);

/* Call with each draw of randomness, while the node waits for it. */
void recording_random(struct recording *r, struct view bytes);

/* Call before the input is applied. */
void recording_input(struct recording *r, const struct input *in, uint64_t now);

/* Call before peerlet_next, and with each output it gave. */
void recording_drain(struct recording *r);
void recording_output(struct recording *r, const struct peerlet_output *out);

/* Writes down the digest, if there is anything new in it. A log is complete then, and may go on. */
void recording_seal(struct recording *r);

/* The same; nothing is recorded any more. Call before the node is deleted. */
void recording_end(struct recording *r);

#endif

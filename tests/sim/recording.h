/*
 * A log of everything a node was told, by which it can be lived through again.
 *
 *     "peerlet-recording 1\n"
 *     CONFIG                      one record
 *     { INPUT | RANDOM | DIGEST }…
 *
 *     CONFIG  = 0xff now unix_ms services page flags private_key agent pubsub…
 *     INPUT   = type ms id channel flags value text bytes       type: enum input_type
 *     RANDOM  = 0xfe bytes                                      drawn while the input above worked
 *     DIGEST  = 0xfd digest                                     of all outputs so far, 8 bytes
 *
 * Types are bytes, `text`, `bytes` and the like are uvarint(len) || bytes, all other fields are
 * uvarints; `ms` is the time since the input before. The pubsub part of CONFIG is the fields of
 * struct peerlet_pubsub_config in their order. After an input come the random bytes drawn during
 * that call and the calls of peerlet_next behind it. Limits are the default ones.
 *
 * A private key and the random bytes are secrets: whoever has a recording can read the connections
 * in it.
 */
#ifndef SIM_RECORDING_H
#define SIM_RECORDING_H

#include "base/buf.h"
#include "sim/input.h"

struct recording {
    struct buf bytes;
    struct rng rng;   /* where the node's randomness comes from */
    uint64_t last_at; /* instant of the last input */
    uint64_t digest;
    bool is_over;
};

/* 0 at the beginning. */
uint64_t output_digest(uint64_t digest, const struct peerlet_output *out);

/*
 * Begins the log of a node about to be made and replaces the source of randomness in its
 * configuration, which must outlive the recording.
 */
void recording_init(struct recording *r, struct mem *mem, struct peerlet_config *config,
                    uint64_t now);
void recording_free(struct recording *r);

/* Call before the input is applied. */
void recording_input(struct recording *r, const struct input *in, uint64_t now);

/* Call with each output. */
void recording_output(struct recording *r, const struct peerlet_output *out);

/* Writes down the digest; nothing is recorded any more. Call before the node is deleted. */
void recording_end(struct recording *r);

enum replay_result {
    REPLAY_SAME,      /* every digest was met */
    REPLAY_DIFFERENT, /* the node said something else, or drew other randomness */
    REPLAY_BROKEN,    /* the log does not parse */
};

/* Where a replay ended and what it was about. */
struct replay {
    size_t inputs; /* applied */
    size_t outputs;
    uint64_t now;
    size_t at;       /* offset in the log */
    const char *why; /* null when it is the same */
};

/*
 * Lives through a log. `line`, when not null, is called with one line of text for every input and
 * output.
 */
enum replay_result replay_run(struct view log, struct replay *r,
                              void (*line)(const char *text, size_t len));

#endif

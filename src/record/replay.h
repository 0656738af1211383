/*
 * Lives through a recording: a new node is told what the recorded one was, at the same times and with
 * the same randomness, and has to say the same.
 *
 * A log may come from anybody. One that does not parse, or tells what no driver tells, ends in
 * REPLAY_BROKEN.
 */
#ifndef RECORD_REPLAY_H
#define RECORD_REPLAY_H

#include "record/recording.h"

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
    enum recording_key key;
    char peer[64]; /* Peer ID of the node, once it was made */
};

/* Lives through a log. `line`, when not null, is told every input and output, in one line of text. */
enum replay_result replay_run(struct view log, struct replay *r,
                              void (*line)(const char *text, size_t len));

#endif

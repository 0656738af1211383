/*
 * Records what a program tells a node, without its knowledge.
 *
 * The linker puts the functions of recorder.c in the place of those of peerlet.h (--wrap): each writes
 * down its call and makes it. So neither the core nor its driver has a line about recording, and a
 * program that is linked without them not a byte. One node of a program is recorded, the first that
 * recorder_begin is asked about and says yes to.
 *
 * A test checks that no call of peerlet.h that changes a node is forgotten.
 */
#ifndef RECORD_RECORDER_H
#define RECORD_RECORDER_H

#include "record/recording.h"

/*
 * To be defined by the program: where to record the node about to be made, and whose its key is. Null:
 * it is not recorded.
 */
struct recording *recorder_begin(enum recording_key *key);

/* To be defined by the program: something was written, and the node has not worked on it yet. */
void recorder_wrote(struct recording *r);

#endif

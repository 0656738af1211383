/*
 * ICE candidates as they travel: a line of RFC 8839, section 5.1, inside the JSON of
 * RTCIceCandidate.toJSON().
 *
 *     {"candidate":"candidate:1 1 udp 2122260223 192.0.2.7 51234 typ host generation 0 ufrag abcd",
 *      "sdpMid":"0","sdpMLineIndex":0,"usernameFragment":"abcd"}
 *
 * A candidate makes the browser send packets, so it is checked, and the JSON is written anew from
 * its fields. Refused are, besides what is not a candidate: ports below 1024, where nobody gathers
 * but services listen (TCP's placeholder 9 excepted), and host names other than the `.local` ones
 * browsers hide their addresses behind, since resolving them asks the DNS for the peer.
 */
#ifndef PROTOCOLS_CANDIDATE_H
#define PROTOCOLS_CANDIDATE_H

#include "base/cursor.h"
#include "base/err.h"

#define CANDIDATE_TEMPLATE_LEN 96

struct candidate {
    struct view line;  /* "candidate:…"; empty: there are no more */
    struct view mid;   /* null: not said */
    struct view ufrag; /* null: not said */
};

/* Whether `line`, from "candidate:" on, is one we let the browser have. */
bool candidate_is_valid(struct view line);

/*
 * Reads the JSON; views point into it. The end of candidates has an empty line: nothing at all,
 * `null`, `""`, or an object whose candidate is "". ERR_BAD_MESSAGE otherwise.
 */
MUST_USE int candidate_parse(struct view json, struct candidate *candidate);

/*
 * Writes the JSON, at most CANDIDATE_TEMPLATE_LEN bytes longer than the one that was read. There is
 * one m-line in our sessions, so its index is 0.
 */
void candidate_format(const struct candidate *candidate, struct writer *w);

#endif

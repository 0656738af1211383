/*
 * /webrtc-signaling/0.0.1: how two browsers that share an authenticated relayed connection agree on
 * a direct one.
 *
 *     dialer                                  listener
 *       signaling_offer ──SDP_OFFER──────────▶ SIGNALING_OFFER
 *      SIGNALING_ANSWER ◀─────────SDP_ANSWER── signaling_answer
 *   signaling_candidate ◀──ICE_CANDIDATE ...─▶ signaling_candidate
 *       signaling_close ──────── end ──────── signaling_close
 *
 * Ordering is kept here: candidates given before our description wait until it has been written; a
 * peer whose first message is not its description is reset. What comes up was parsed and written
 * anew, so no text of the peer reaches the browser (sdp.h, candidate.h). A bad candidate is passed
 * over, as js-libp2p does; a bad description ends the stream. specs/webrtc, "Browser to Browser".
 */
#ifndef PROTOCOLS_SIGNALING_H
#define PROTOCOLS_SIGNALING_H

#include "base/limits.h"
#include "base/role.h"
#include "protocols/protocol.h"
#include "wire/delimited.h"

extern const struct protocol_ops SIGNALING_OPS;

struct signaling {
    enum role role;
    const struct peerlet_limits *limits;
    struct delimited reader;
    struct buf description;  /* our offer or answer, waiting to be written */
    struct buf candidates;   /* ours, waiting likewise */
    struct buf clean;        /* the text of the last event */
    uint32_t sent, received; /* candidates */
    bool described;          /* we gave our description */
    bool heard;              /* the peer gave its own */
    bool all_received;       /* the peer said that there are no more candidates */
    bool closing, ended;     /* our half, the peer's half */
    uint64_t expires_at;
};

/* Listens or prepares to offer; the whole exchange has limits->rtc_ms. */
void signaling_init(struct signaling *s, enum role role, struct mem *mem,
                    const struct peerlet_limits *limits, uint64_t now);

/*
 * Gives our description, the text as the browser made it: an offer by the dialer, at once; an
 * answer by the listener, after SIGNALING_OFFER. ERR_STREAM_STATE at any other time, ERR_TOO_BIG,
 * ERR_NOMEM.
 */
MUST_USE int signaling_offer(struct signaling *s, struct view sdp);
MUST_USE int signaling_answer(struct signaling *s, struct view sdp);

/*
 * Gives one of our candidates, the JSON of RTCIceCandidate.toJSON(). May come before the
 * description. ERR_FULL past limits->candidates, ERR_TOO_BIG, ERR_CLOSED, ERR_NOMEM.
 */
MUST_USE int signaling_candidate(struct signaling *s, struct view json);

/* The connection is there, or given up: say no more. Drain then closes our half. */
void signaling_close(struct signaling *s);

#endif

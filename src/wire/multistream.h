/*
 * multistream-select 1.0: how two ends of a byte channel agree on what it speaks.
 *
 *     message   uvarint(n) || text || 0a          n counts the newline, at most 1024
 *     dialer    /multistream/1.0.0  /noise  ─▶
 *                        ◀─ /multistream/1.0.0  /noise | na
 *
 * The dialer's header and first proposal leave together, and its owner may write on before the
 * answer. A listener answers each proposal; whatever follows the accepted one is the next layer's
 * and stays in `in`. specs/connections, "Multistream-select".
 */
#ifndef WIRE_MULTISTREAM_H
#define WIRE_MULTISTREAM_H

#include "base/buf.h"
#include "base/limits.h"
#include "base/role.h"
#include "wire/delimited.h"

#define MULTISTREAM_LINE_MAX 1024

enum multistream_state {
    MULTISTREAM_WAIT_PROPOSAL,  /* listener: header or proposal; dialer: nothing proposed yet */
    MULTISTREAM_WAIT_VERDICT,   /* listener: the owner's answer */
    MULTISTREAM_WAIT_ANSWER,    /* dialer: header, echo or na */
    MULTISTREAM_AGREED,
};

enum multistream_event_type {
    MULTISTREAM_ACCEPTED,  /* dialer: the peer echoed the proposal */
    MULTISTREAM_REFUSED,   /* dialer: `na`; propose another or give up */
    MULTISTREAM_PROPOSED,  /* listener: `protocol`; accept or refuse before feeding on */
};

struct multistream_event {
    enum multistream_event_type type;
    struct view protocol;  /* valid until the next call */
};

struct multistream {
    enum role role;
    enum multistream_state state;
    const struct peerlet_limits *limits;
    struct delimited reader;
    struct buf owed;
    struct buf proposal;      /* the last one: the dialer's, or the peer's */
    uint32_t proposals, refusals;
    bool header_seen;
};

void multistream_init(struct multistream *m, enum role role, struct mem *mem,
                      const struct peerlet_limits *limits);
void multistream_free(struct multistream *m);

/* Dialer: proposes, at first with the header. BAD_ARGUMENT, FULL past the refusals, NOMEM. */
MUST_USE int multistream_propose(struct multistream *m, struct view protocol);

/* Listener: the answer to MULTISTREAM_PROPOSED. */
MUST_USE int multistream_accept(struct multistream *m);
MUST_USE int multistream_refuse(struct multistream *m);

/* Takes bytes. 1 with an event, 0, ERR_PROTOCOL, ERR_TOO_BIG, ERR_FULL, ERR_NOMEM. */
MUST_USE int multistream_feed(struct multistream *m, struct span *in,
                              struct multistream_event *ev);

/* Appends what is owed: 0, ERR_FULL (try again with room), ERR_NOMEM. */
MUST_USE int multistream_drain(struct multistream *m, struct buf *out);

#endif

/*
 * multistream-select 1.0: how two ends of a byte channel agree on what it speaks.
 *
 *     line      uvarint(n) || text || 0a            n counts the newline, at most 1024
 *
 *     dialer    /multistream/1.0.0  /noise  ──▶     listener
 *                        ◀── /multistream/1.0.0  /noise, or na
 *
 * The dialer's header and first proposal leave together, and its owner may write on before the
 * answer comes. Either header may arrive first, since go's listener speaks at once. A listener
 * answers line by line, `ls` with na, a repeated header with another one, as js does. What follows
 * the accepted proposal belongs to the next layer and stays in `in`. specs/connections,
 * "multistream-select".
 */
#ifndef WIRE_MULTISTREAM_H
#define WIRE_MULTISTREAM_H

#include "base/buf.h"
#include "base/limits.h"
#include "base/role.h"
#include "wire/delimited.h"

/* Longest line, with its newline: what go and js take. */
#define MULTISTREAM_LINE_MAX 1024

enum multistream_state {
    MULTISTREAM_WAIT_PROPOSAL, /* listener: of the peer; dialer: of the owner */
    MULTISTREAM_WAIT_VERDICT,  /* listener: of the owner */
    MULTISTREAM_WAIT_ANSWER,   /* dialer: an echo or na */
    MULTISTREAM_AGREED,
};

enum multistream_event_type {
    MULTISTREAM_ACCEPTED, /* dialer: the peer speaks `protocol` */
    MULTISTREAM_REFUSED,  /* dialer: it does not; propose another or give up */
    MULTISTREAM_PROPOSED, /* listener: `protocol`; accept or refuse it before feeding on */
};

struct multistream_event {
    enum multistream_event_type type;
    struct view protocol; /* valid until the next call */
};

struct multistream {
    enum role role;
    enum multistream_state state;
    const struct peerlet_limits *limits;
    struct delimited reader;
    struct buf owed;     /* lines to write */
    struct buf proposal; /* the last one: the dialer's own, or the peer's */
    uint32_t proposals;
    uint32_t refusals;
    bool header_seen;
};

void multistream_init(struct multistream *m, enum role role, struct mem *mem,
                      const struct peerlet_limits *limits);
void multistream_free(struct multistream *m);

/*
 * Dialer: proposes a protocol, at first and after each MULTISTREAM_REFUSED. ERR_BAD_ARGUMENT when
 * the name is empty or longer than limits->protocol_name, ERR_FULL past limits->negotiate_refusals,
 * ERR_NOMEM.
 */
MUST_USE int multistream_propose(struct multistream *m, struct view protocol);

/* Listener: the answer to MULTISTREAM_PROPOSED. ERR_NOMEM. */
MUST_USE int multistream_accept(struct multistream *m);
MUST_USE int multistream_refuse(struct multistream *m);

/*
 * Takes bytes, none after the agreement nor while the owner has to speak. 1 with `*ev`, 0, or an
 * error, after which only multistream_free may follow: ERR_PROTOCOL, ERR_TOO_BIG for a longer line,
 * ERR_FULL past limits->negotiate_proposals, ERR_NOMEM.
 */
MUST_USE int multistream_feed(struct multistream *m, struct span *in, struct multistream_event *ev);

/* Appends what is owed: 0, ERR_FULL when it does not fit yet, ERR_NOMEM. */
MUST_USE int multistream_drain(struct multistream *m, struct buf *out);

#endif

/*
 * yamux: many streams over one ordered channel of bytes, each with credit of its own.
 *
 *     frames in ─feed─▶ events            commands ─▶ flags and counters ─drain─▶ frames out
 *     payload   ─reserve, commit─▶ Data frames, written where the caller encrypts them
 *
 * What the peer can make us say is owed, not queued: a flag per stream and a few counters, which
 * drain turns into frames. Data is never gathered: it is handed up as it arrives. yamux spec.
 */
#ifndef WIRE_YAMUX_H
#define WIRE_YAMUX_H

#include "base/cursor.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/role.h"
#include "base/table.h"
#include "base/timers.h"
#include "wire/yamux_frame.h"
#include "wire/yamux_stream.h"

struct yamux {
    enum role role;
    struct mem *mem;
    const struct peerlet_limits *limits;
    struct table streams;
    struct list owing;             /* streams with a frame to write */
    uint32_t next_id;
    uint32_t inbound, unacked;     /* streams the peer opened; ours without an answer */
    uint32_t grown;                /* of limits->window_conn, over the initial windows */

    uint8_t header[YAMUX_HEADER_LEN];
    size_t header_len;             /* bytes of it that have come */
    uint32_t body_left;            /* of the Data frame being received */
    uint32_t body_id;              /* its stream, which may be gone */
    uint16_t body_flags;           /* of that frame: FIN and RST count after the body */
    bool tail_owed;                /* the body is over, its flags are not looked at yet */

    uint32_t pongs[32];            /* values to answer, oldest first */
    uint32_t pong_count;
    bool ping_owed;
    uint32_t ping_value;
    uint64_t ping_sent_at;         /* NEVER: none under way */
    uint32_t rtt_ms;
    bool goaway_owed, goaway_sent, goaway_received;
    uint32_t goaway_code;
    uint32_t churn;                /* streams the peer began lately, a leaking bucket */
    uint64_t churn_at;
};

enum yamux_event_type {
    YAMUX_OPENED,  /* stream: the peer's; set its owner, or reset and release it */
    YAMUX_DATA,    /* stream, data: give it back by yamux_grant */
    YAMUX_FIN,     /* stream: the peer's half is closed */
    YAMUX_RESET,   /* stream, code: both halves are gone; release it */
    YAMUX_ROOM,    /* stream: credit came after a reserve that got none */
    YAMUX_PONG,    /* rtt_ms */
    YAMUX_GOAWAY,  /* code: open no more streams */
};

struct yamux_event {
    enum yamux_event_type type;
    struct yamux_stream *stream;
    struct span data;
    uint32_t code;
    uint32_t rtt_ms;
};

void yamux_init(struct yamux *y, enum role role, struct mem *mem,
                const struct peerlet_limits *limits, uint64_t now);

/* Frees the session and every stream, released or not. A no-op on a zeroed one. */
void yamux_free(struct yamux *y);

/*
 * Takes bytes. 1 with `*ev`, 0 when `in` is used up, ERR_PROTOCOL or ERR_FULL when the session must
 * end: drain once more for the GOAWAY, then free. `ev->data` points into the bytes of `in`.
 */
MUST_USE int yamux_feed(struct yamux *y, struct span *in, struct yamux_event *ev, uint64_t now);

static inline bool yamux_owes(const struct yamux *y)
{
    return !list_is_empty(&y->owing) || y->pong_count > 0 || y->ping_owed || y->goaway_owed;
}

/* Writes owed frames, whole ones as they fit: 1 when more is owed, 0 when all is written. */
MUST_USE int yamux_drain(struct yamux *y, struct writer *w, uint64_t now);

/*
 * Opens a stream. Null with ERR_FULL (the peer answers none of limits->streams_unacked), ERR_CLOSED
 * (GOAWAY, or ids are used up) or ERR_NOMEM. The stream lives until yamux_release.
 */
struct yamux_stream *yamux_open(struct yamux *y, int *error);

static inline uint32_t yamux_credit(const struct yamux_stream *s)
{
    return s->credit;
}

/*
 * Where to put at most `*room` bytes of payload, `want` being asked for: behind a header's room in
 * `w`. Null without credit, and then YAMUX_ROOM follows; or when `w` is too small.
 */
uint8_t *yamux_reserve(struct yamux *y, struct yamux_stream *s, struct writer *w, size_t want,
                       size_t *room);

/* The first `len` bytes were put there: writes the header and moves `w` behind them. */
void yamux_commit(struct yamux *y, struct yamux_stream *s, struct writer *w, size_t len);

/* Reserves, copies and commits; returns how many bytes were taken. */
size_t yamux_write(struct yamux *y, struct yamux_stream *s, struct view data, struct writer *w);

void yamux_close_write(struct yamux *y, struct yamux_stream *s);
void yamux_close_read(struct yamux *y, struct yamux_stream *s);
void yamux_reset(struct yamux *y, struct yamux_stream *s, uint32_t code);

/* The reader took `len` bytes of YAMUX_DATA. */
void yamux_grant(struct yamux *y, struct yamux_stream *s, size_t len, uint64_t now);

/* The owner lets go: no more events. The stream is freed once its last frame is written. */
void yamux_release(struct yamux *y, struct yamux_stream *s);

/* Asks for a round trip; YAMUX_PONG follows. One at a time: more are ignored. */
void yamux_ping(struct yamux *y, uint64_t now);

void yamux_goaway(struct yamux *y, enum yamux_code code);

#endif

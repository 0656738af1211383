/*
 * yamux: many streams over one ordered channel of bytes, each with credit of its own.
 *
 *     frames in ──feed──▶ events          commands ──▶ flags, counters ──drain──▶ frames out
 *     payload   ──reserve, commit──▶ Data frames, written where the caller encrypts them
 *
 * What a peer can make us say is owed, not queued: flags per stream and two short lists, which drain
 * turns into frames. Data is never gathered: it is handed up in the pieces in which it comes, and
 * credit for it is granted back as the reader takes it. Frames of streams that are gone are late,
 * not wrong, and dropped. yamux spec; for what implementations do, go-yamux and rust-yamux.
 */
#ifndef WIRE_YAMUX_H
#define WIRE_YAMUX_H

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/role.h"
#include "base/table.h"
#include "base/timers.h"
#include "wire/yamux_frame.h"
#include "wire/yamux_stream.h"

enum yamux_state { YAMUX_WAIT_HEADER, YAMUX_WAIT_BODY };

/* A leaking bucket. */
struct yamux_bucket {
    uint32_t level; /* thousandths of a drop */
    uint64_t at;    /* when the level was that */
};

struct yamux {
    enum role role;
    struct mem *mem;
    const struct peerlet_limits *limits;
    struct table streams;
    struct list owing; /* streams with something to say */
    uint32_t next_id;
    uint32_t inbound; /* streams the peer opened */
    uint32_t unacked; /* streams of ours without an answer */
    uint32_t grown;   /* of limits->window_conn, over the initial windows */
    uint32_t *all; /* of limits->window_node, likewise, of all sessions; null: there is no other */

    enum yamux_state state;
    uint8_t header[YAMUX_HEADER_LEN];
    size_t header_len;         /* bytes of it that have come */
    struct yamux_header frame; /* being received; its stream may be gone */
    uint32_t body_left;        /* of its body; its FIN and RST count behind that */

    struct buf pongs;    /* values to send back, four bytes each */
    struct buf refusals; /* streams to reset that never existed here, likewise */
    struct yamux_bucket pong_rate, churn;
    bool ping_owed;
    uint32_t ping_value;
    uint64_t ping_sent_at; /* NEVER: none under way */
    uint32_t rtt_ms;       /* 0: less than one, or not known yet */
    bool goaway_owed, goaway_sent, goaway_received;
    uint32_t goaway_code;
};

enum yamux_event_type {
    YAMUX_OPENED, /* stream: opened by the peer; set its owner, or release it */
    YAMUX_DATA,   /* stream, data: yamux_grant gives the credit back */
    YAMUX_FIN,    /* stream: the peer writes no more */
    YAMUX_RESET,  /* stream, code: over, for both; it stays until yamux_release */
    YAMUX_ROOM,   /* stream: credit came where there was none */
    YAMUX_PONG,   /* rtt_ms */
    YAMUX_GOAWAY, /* code: yamux_open will refuse */
};

struct yamux_event {
    enum yamux_event_type type;
    struct yamux_stream *stream;
    struct span data;
    uint32_t code;
    uint32_t rtt_ms;
};

/* Owes a ping at once: receive windows are sized by the round trip. `all` may be set after it. */
void yamux_init(struct yamux *y, enum role role, struct mem *mem,
                const struct peerlet_limits *limits, uint64_t now);

/* Frees the session and every stream, released or not. A no-op on a zeroed one. */
void yamux_free(struct yamux *y);

/*
 * Takes bytes. 1 with `*ev`; 0 when `in` is used up; ERR_PROTOCOL when the session must end: drain
 * the GOAWAY that says so, then yamux_free. `ev->data` points into the bytes of `in`; `ev->stream`
 * is valid until yamux_release.
 */
MUST_USE int yamux_feed(struct yamux *y, struct span *in, struct yamux_event *ev, uint64_t now);

static inline bool yamux_owes(const struct yamux *y)
{
    return !list_is_empty(&y->owing) || y->pongs.len > 0 || y->refusals.len > 0 || y->ping_owed ||
           y->goaway_owed;
}

/* Writes owed frames, whole ones, as they fit: 1 when more is owed, 0 when all is written. */
MUST_USE int yamux_drain(struct yamux *y, struct writer *w, uint64_t now);

/*
 * Opens a stream. Null with ERR_FULL (limits->streams_unacked wait for an answer), ERR_CLOSED
 * (GOAWAY was said, or ids are used up) or ERR_NOMEM. It lives until yamux_release.
 */
struct yamux_stream *yamux_open(struct yamux *y, int *error);

/* Bytes the peer takes now. */
static inline uint32_t yamux_credit(const struct yamux_stream *s)
{
    return s->credit;
}

/*
 * Where to put payload, behind room for a header: at most `*room` bytes, being what is wanted, what
 * the peer takes, what fits in `w`, and limits->yamux_frame. Null when that is none; after a lack of
 * credit YAMUX_ROOM follows.
 */
uint8_t *yamux_reserve(struct yamux *y, struct yamux_stream *s, struct writer *w, size_t want,
                       size_t *room);

/* The first `len` of them were put there: writes the header and moves `w` behind them. */
void yamux_commit(struct yamux *y, struct yamux_stream *s, struct writer *w, size_t len);

/* Reserves, copies and commits; returns how many bytes were taken. */
size_t yamux_write(struct yamux *y, struct yamux_stream *s, struct view data, struct writer *w);

/* We write no more. */
void yamux_close_write(struct yamux *y, struct yamux_stream *s);

/* We read no more: no YAMUX_DATA. The peer is not told, and its credit comes back all the same. */
void yamux_close_read(struct yamux *y, struct yamux_stream *s);

/* Ends both halves; `code` goes to the peer. The stream stays until yamux_release. */
void yamux_reset(struct yamux *y, struct yamux_stream *s, uint32_t code);

/* The reader took `len` bytes of YAMUX_DATA. */
void yamux_grant(struct yamux *y, struct yamux_stream *s, size_t len, uint64_t now);

/*
 * The owner lets go, and must not touch `s` again: it is freed, at the latest when its last frame is
 * written. A half that is still open is reset.
 */
void yamux_release(struct yamux *y, struct yamux_stream *s);

/* Asks for a round trip; YAMUX_PONG follows. False while one is under way: nothing happens. */
bool yamux_ping(struct yamux *y, uint64_t now);

/* Waits no longer for the answer to the ping under way. */
void yamux_forget_ping(struct yamux *y);

/* Says that no more streams are wanted. Those that are open go on. */
void yamux_goaway(struct yamux *y, enum yamux_code code);

#endif

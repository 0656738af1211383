/*
 * One byte channel of a connection: negotiation of its protocol, then bytes each way.
 *
 *     opened by us   NEGOTIATING --accepted--> OPEN
 *     by the peer    NEGOTIATING --proposed, stream_accept--> OPEN
 *
 * A stream is gone (freed, its number never reused) when the connection says CONN_STREAM_CLOSED:
 * after both halves have closed, after a reset from either side, or with its connection.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "base/buf.h"
#include "base/list.h"
#include "base/role.h"
#include "base/timers.h"
#include "wire/multistream.h"

struct conn;
struct channel;
struct yamux_stream;

enum stream_state { STREAM_NEGOTIATING, STREAM_OPEN, STREAM_DEAD };

struct stream {
    struct list in_conn;
    struct list in_pending; /* in conn->pending or conn->blocked, or in neither */
    struct conn *conn;
    uint32_t id;
    enum role role; /* DIALER: we opened it */
    enum stream_state state;
    struct multistream *negotiation; /* null once a protocol is chosen */
    char *protocol;  /* the chosen one, ended by NUL; before that what we still propose,
                                  joined by '\n' */
    size_t proposed; /* offset in `protocol` of the name being proposed */
    struct buf out;  /* ours or a protocol's, waiting for the muxer to take it */
    union {
        struct yamux_stream *yamux;
        struct channel *channel;
    } in_mux;
    bool wants_room;   /* a write was short */
    bool is_urgent;    /* few bytes that wait for nothing on their way; see flight.h */
    bool close_wanted; /* close our half when `out` is empty */
    bool write_closed; /* our half is closed */
    bool read_closed;  /* we want no more */
    bool peer_closed;  /* the peer's half is closed */
    bool is_leaving;   /* we are done with it, and the peer has until `deadline` to end its half */
    int code;          /* why it is dead; 0: both halves closed */
    uint64_t deadline; /* of the negotiation; see is_leaving */
    uint8_t use;       /* the owner's */
    void *user;        /* the owner's */
};

/* The chosen protocol, or an empty view before. */
struct view stream_protocol(const struct stream *s);

/* The listener's answer to CONN_STREAM_PROPOSED. ERR_NOMEM: the stream has been reset. */
MUST_USE int stream_accept(struct stream *s, struct view protocol);
void stream_refuse(struct stream *s);

/*
 * Where the next write may be put, at most `*room` bytes (in: wanted, out: given); null when the
 * stream, its connection or the peer's credit takes nothing now, and then CONN_ROOM will follow.
 */
uint8_t *stream_reserve(struct stream *s, size_t *room);
void stream_commit(struct stream *s, size_t len);

/* Copies in what fits and returns how much. */
size_t stream_write(struct stream *s, struct view data);

/* Bytes stream_write would take now, at least. */
size_t stream_room(struct stream *s);

/* The reader consumed `len` bytes. */
void stream_grant(struct stream *s, size_t len, uint64_t now);

/* Closes our half once what was written has left. */
void stream_close_write(struct stream *s);

/* Bytes that still come are dropped (and the peer told, where the muxer can). */
void stream_close_read(struct stream *s);

/* Ends both halves at once; `code` is what CONN_STREAM_CLOSED will say. */
void stream_reset(struct stream *s, int code);

/* Has the connection look at this stream at its next drain: after appending to `out`. */
void stream_touch(struct stream *s);

static inline bool stream_is_open(const struct stream *s)
{
    return s->state == STREAM_OPEN;
}

/* Both halves are closed as far as we are concerned, though the peer may still have to say so. */
static inline bool stream_is_done(const struct stream *s)
{
    return s->close_wanted && s->read_closed;
}

static inline bool stream_is_writable(const struct stream *s)
{
    return s->state == STREAM_OPEN && !s->write_closed && !s->close_wanted;
}

#endif

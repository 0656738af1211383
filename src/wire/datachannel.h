/*
 * Framing of streams on WebRTC data channels, which have no half-close of their own.
 *
 *     frame    uvarint(len) || Message { 1: flag, 2: message }        at most 16384 bytes as sent
 *
 *     our half     OPEN ── FIN ──▶ WAIT_FIN_ACK ── FIN_ACK, or 10 s ──▶ CLOSED
 *     their half   OPEN ◀─ FIN ─── answered by FIN_ACK ──▶ CLOSED
 *
 * The channel may be closed when both halves are, not before: what is queued in it would be lost.
 * specs/webrtc, "Multiplexing".
 */
#ifndef WIRE_DATACHANNEL_H
#define WIRE_DATACHANNEL_H

#include "base/buf.h"
#include "base/cursor.h"
#include "base/limits.h"
#include "base/timers.h"
#include "wire/delimited.h"

#define DATACHANNEL_FRAME_MAX 16384
/* Prefix, tag and length of a payload: what js, go and rust all reserve. */
#define DATACHANNEL_OVERHEAD 7
#define DATACHANNEL_PAYLOAD_MAX (DATACHANNEL_FRAME_MAX - DATACHANNEL_OVERHEAD)
/* Longest frame taken. */
#define DATACHANNEL_ACCEPT_MAX 65536
#define DATACHANNEL_FIN_ACK_MS 10000

enum datachannel_flag {
    DATACHANNEL_FLAG_FIN,
    DATACHANNEL_FLAG_STOP_SENDING,
    DATACHANNEL_FLAG_RESET,
    DATACHANNEL_FLAG_FIN_ACK,
};

enum datachannel_half { HALF_OPEN, HALF_WAIT_ACK, HALF_CLOSED };

struct datachannel {
    struct delimited reader;
    enum datachannel_half ours;
    bool fin_owed, stop_owed, reset_owed, fin_ack_owed;
    bool peer_closed;        /* FIN received */
    bool is_reset;           /* by either side */
    bool read_closed;        /* late data is dropped */
    bool has_flag;           /* of the frame whose data was given up last */
    uint32_t flag;
    uint64_t fin_until;      /* when FIN_ACK is given up */
};

enum datachannel_event_type {
    DATACHANNEL_DATA,          /* data, valid until the next call */
    DATACHANNEL_FIN,
    DATACHANNEL_STOP_SENDING,  /* the peer reads no more */
    DATACHANNEL_RESET,
    DATACHANNEL_FIN_ACK,
};

struct datachannel_event {
    enum datachannel_event_type type;
    struct span data;
};

void datachannel_init(struct datachannel *d, struct mem *mem, const struct peerlet_limits *limits);
void datachannel_free(struct datachannel *d);

/* Takes bytes of the channel. 1 with an event, 0, ERR_PROTOCOL, ERR_TOO_BIG, ERR_NOMEM. */
MUST_USE int datachannel_feed(struct datachannel *d, struct span *in,
                              struct datachannel_event *ev);

/*
 * Where to put at most `*room` (in: wanted, out: given) bytes of the next frame's payload at the
 * tail of `out`; null when nothing fits or our half is closed.
 */
uint8_t *datachannel_reserve(struct datachannel *d, struct buf *out, size_t *room);

/* The first `len` were put there. */
void datachannel_commit(struct datachannel *d, struct buf *out, size_t len);

/* Appends owed flags: 0, ERR_FULL, ERR_NOMEM. */
MUST_USE int datachannel_drain(struct datachannel *d, struct buf *out, uint64_t now);

void datachannel_close_write(struct datachannel *d);
void datachannel_close_read(struct datachannel *d);
void datachannel_reset(struct datachannel *d);

/* Nothing is owed and both halves are closed, or it was reset: close the channel. */
bool datachannel_is_done(const struct datachannel *d);

uint64_t datachannel_deadline(const struct datachannel *d);
void datachannel_tick(struct datachannel *d, uint64_t now);

/* Length of the first whole frame waiting in `out`, which is what one send takes; 0 for none. */
size_t datachannel_frame(struct view out);

#endif

/*
 * Framing of streams on WebRTC data channels, which have no half-close of their own.
 *
 *     frame        uvarint(len) || Message { 1: flag, 2: message }     sent: at most 16384 bytes
 *
 *     our half     OPEN ── FIN ──▶ WAIT ── FIN_ACK, or its time is up ──▶ CLOSED
 *     both         OPEN ── RESET ──▶ WAIT ── FIN or RESET, or its time is up ──▶ CLOSED
 *     their half   open ◀── FIN, answered by FIN_ACK ──▶ closed
 *
 * The channel may be closed when both halves are, and no sooner: what it has queued would be lost. And
 * its number is free again then, for the browser's next channel, where what the peer says late of this
 * one would be taken for that one's: rust-libp2p answers a reset by a RESET, whether it can or not.
 * There is no credit; STOP_SENDING says that a peer reads no more. specs/webrtc, "Multiplexing".
 */
#ifndef WIRE_DATACHANNEL_H
#define WIRE_DATACHANNEL_H

#include "base/buf.h"
#include "base/limits.h"
#include "base/timers.h"
#include "wire/delimited.h"

#define DATACHANNEL_FRAME_MAX 16384
/* Of one frame sent; js, go and rust all keep seven bytes for what stands in front. */
#define DATACHANNEL_PAYLOAD_MAX (DATACHANNEL_FRAME_MAX - 7)
/* The same to a server: go-libp2p (0.51, measured) loses a stream by a message over 4096 bytes. */
#define DATACHANNEL_PAYLOAD_GO (4096 - 7)
/* Longest message taken. */
#define DATACHANNEL_ACCEPT_MAX 65536

enum datachannel_flag {
    DATACHANNEL_FLAG_FIN,
    DATACHANNEL_FLAG_STOP_SENDING,
    DATACHANNEL_FLAG_RESET,
    DATACHANNEL_FLAG_FIN_ACK,
};

/* Of our half. */
enum datachannel_state { DATACHANNEL_OPEN, DATACHANNEL_WAIT, DATACHANNEL_CLOSED };

struct datachannel {
    const struct peerlet_limits *limits;
    struct delimited reader;
    enum datachannel_state state;
    bool fin_owed, fin_ack_owed, stop_owed, reset_owed;
    bool peer_closed;  /* FIN received */
    bool peer_stopped; /* STOP_SENDING received */
    bool read_closed;  /* late data is dropped */
    bool is_reset;     /* by either side */
    bool has_flag;     /* of the frame whose data was handed up last */
    uint32_t flag;
    uint64_t until; /* when the answer to FIN or RESET is given up; NEVER before that was sent */
    size_t payload_max; /* of one frame sent */
    size_t growing;     /* payload of the last frame in `out` while more may be added; 0: none */
};

enum datachannel_event_type {
    DATACHANNEL_DATA,         /* data, valid until the next call */
    DATACHANNEL_FIN,          /* the peer writes no more */
    DATACHANNEL_STOP_SENDING, /* the peer reads no more: close our half */
    DATACHANNEL_RESET,        /* both halves are over */
    DATACHANNEL_FIN_ACK,      /* our half is closed */
};

struct datachannel_event {
    enum datachannel_event_type type;
    struct span data;
};

void datachannel_init(struct datachannel *d, struct mem *mem, const struct peerlet_limits *limits);
void datachannel_free(struct datachannel *d);

/*
 * Takes bytes of the channel, whose own message boundaries mean nothing. 1 with `*ev`, 0 when `in`
 * is used up, or an error, after which the channel must be closed: ERR_PROTOCOL, ERR_TOO_BIG,
 * ERR_NOMEM. `ev->data` may be written to.
 */
MUST_USE int datachannel_feed(struct datachannel *d, struct span *in, struct datachannel_event *ev);

/*
 * Where to put more payload at the tail of `out`: at most `*room` bytes (in: wanted, out: given).
 * It makes the last frame longer while that is all there and short of payload_max, so that small
 * writes share one; whoever takes part of a frame sets `growing` to 0. Null when our half is closed,
 * the peer reads no more, or `out` is full but for the flags that may still be owed.
 */
uint8_t *datachannel_reserve(struct datachannel *d, struct buf *out, size_t *room);

/* The first `len` of them were put there: writes what stands in front of their frame. */
void datachannel_commit(struct datachannel *d, struct buf *out, size_t len);

/* Appends owed flags: 0, ERR_FULL, ERR_NOMEM. */
MUST_USE int datachannel_drain(struct datachannel *d, struct buf *out, uint64_t now);

/* We write no more. */
void datachannel_close_write(struct datachannel *d);

/* We read no more: tells the peer, and drops what still comes. */
void datachannel_close_read(struct datachannel *d);

/* Ends both halves at once. */
void datachannel_reset(struct datachannel *d);

/* Nothing is owed or waited for, and both halves are over: close the channel. */
bool datachannel_is_done(const struct datachannel *d);

uint64_t datachannel_deadline(const struct datachannel *d);
void datachannel_tick(struct datachannel *d, uint64_t now);

/* Length of the first whole frame in `out`, which is what one send takes; 0 for none. */
size_t datachannel_frame(struct view out);

#endif

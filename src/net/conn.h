/*
 * A connection: a link made secure and multiplexed.
 *
 *     OPENING --link open--> SECURITY --/noise--> NOISE --keys--> MUXER --yamux--> READY
 *                                                   \-- muxer agreed in noise --> READY
 *     LINK_RTC: OPENING --connected and identity known--> READY
 *     LINK_DIRECT, LINK_SESSION: OPENING --first channel--> NOISE --keys--> READY
 *
 * Bytes climb: conn_feed turns what arrived on the link into one event at a time. Orders go down:
 * conn_drain gives one output at a time. A connection never frees itself; after a negative result
 * or CONN_CLOSED its owner tells its streams' users and calls conn_free.
 */
#ifndef NET_CONN_H
#define NET_CONN_H

#include "base/limits.h"
#include "base/list.h"
#include "base/rng.h"
#include "net/addrbook.h"
#include "net/flight.h"
#include "net/link.h"
#include "net/stream.h"
#include "peerlet.h"
#include "wire/datachannel.h"
#include "wire/noise.h"
#include "wire/yamux.h"

struct mux_ops;

enum conn_state { CONN_OPENING, CONN_SECURITY, CONN_NOISE, CONN_MUXER, CONN_READY, CONN_DEAD };

/* What the connections of one node have in all. */
struct conn_totals {
    uint32_t streams[2]; /* enum role: DIALER, opened by us */
    uint32_t windows;    /* growth of yamux's */
    size_t unread;       /* of all channels */
};

/* A data channel, or a stream of a WebTransport session: the latter's bytes are not framed. */
struct channel {
    struct list in_conn;
    uint32_t id;
    struct datachannel frames;
    struct buf out;
    struct buf early; /* came before the connection was ready */
    size_t room;
    size_t handed; /* bytes of `out` that left with the last output */
    size_t unread; /* given up and not granted back */
    bool is_open;
    bool is_paused; /* of a session: the driver was told to read no more */
    bool open_owed; /* PEERLET_OPEN_CHANNEL not ordered yet */
    bool close_owed;
    struct stream *stream;
};

struct conn {
    struct list in_peer;
    struct list in_dirty;
    uint32_t id;
    struct mem *mem;
    const struct rng *rng;
    const struct peerlet_limits *limits;
    const struct identity *identity;
    uint32_t *last_stream; /* the node's counter of stream numbers */
    struct conn_totals *totals;
    enum role role;
    enum conn_state state;
    struct link link;

    struct peer *peer;       /* known from READY on; before that whom we expect, or null */
    struct peer_id expected; /* len 0: anyone */
    uint8_t *address;        /* remote multiaddr, binary, owned */
    size_t address_len;

    struct multistream *negotiation;
    struct noise noise;
    const struct mux_ops *mux;
    struct yamux yamux;
    struct flight flight;
    struct list channels;   /* struct channel */
    uint32_t first_channel; /* the one Noise runs on */

    struct list streams; /* struct stream, in_conn */
    struct list pending; /* streams with something to look at in drain */
    struct list blocked; /* streams that wait for room on the link */
    struct list dead;    /* streams whose owner was not told yet */
    uint32_t stream_count_in;

    struct span plain; /* decrypted bytes not yet given to the muxer */
    struct {
        struct stream *stream;
        struct span rest;
    } current;               /* stream data not yet handed up */
    struct channel *feeding; /* the data channel whose bytes are being fed */
    struct writer writing;   /* where the write being reserved goes */
    struct channel *sending; /* the data channel whose bytes were handed out last */
    bool is_verifying;       /* the peer's signature is being checked outside */
    bool is_verified;        /* it was; noise goes on at the next feed */
    struct buf held;         /* bytes that arrived meanwhile */

    bool is_limited;
    uint64_t limit_bytes; /* left of a limited connection's budget; both directions */
    uint32_t limit_s;
    uint64_t limit_until; /* NEVER when not limited */
    uint64_t opened_at;
    uint64_t heard_at;      /* last inbound byte, or channel that the peer let go on */
    uint64_t used_at;       /* last application byte or stream, for closing idle ones */
    uint64_t upgrade_until; /* deadline of everything before READY */
    bool is_closing;        /* closes when everything queued has left */
    uint64_t close_until;
    int code; /* why it is dead, or must die at the next drain */
    uint32_t rtt_ms;

    /* the owner's */
    struct stream *via; /* LINK_RELAYED: the stream of the other connection */
    void *user;
    uint8_t user_flags;
    uint64_t ping_at;
    uint8_t pings_missed;
    uint8_t identify_again; /* how often it was asked again who is there */
    size_t unanswered;      /* bytes said on channels since the last answer to a ping */
    bool is_cut;            /* the browser hears nothing of the peer either */
};

enum conn_event_type {
    CONN_VERIFY,          /* key, message, signature: answer by conn_verified */
    CONN_OPENED,          /* noise is done and the muxer runs; peer_id */
    CONN_STREAM_PROPOSED, /* stream, protocol: stream_accept or stream_refuse now */
    CONN_STREAM_OPENED,   /* stream of ours: its protocol was accepted */
    CONN_STREAM_DATA,     /* stream, data */
    CONN_STREAM_ENDED,    /* the peer closed its half */
    CONN_PONG,            /* rtt_ms is new */
    CONN_GOAWAY,          /* the peer closes */
};

struct conn_event {
    enum conn_event_type type;
    struct stream *stream;
    struct view protocol;
    struct span data;
    struct peer_id peer_id;
    struct view public_key;
    struct public_key key;
    struct view message, signature;
};

enum conn_output_type {
    CONN_SEND,          /* channel, data: call conn_sent afterwards */
    CONN_OPEN_CHANNEL,  /* channel */
    CONN_CLOSE_CHANNEL, /* channel; value: enum peerlet_channel_end */
    CONN_PAUSE_CHANNEL, /* channel; value: 1 to read no more, 0 to go on */
    CONN_ROOM,          /* stream: a write that was short may go on */
    CONN_FLUSHED,       /* is_closing, and all has left */
};

struct conn_output {
    enum conn_output_type type;
    uint32_t channel;
    uint32_t value;
    struct view data;
    struct stream *stream;
};

struct conn_config {
    uint32_t id;
    enum role role;
    enum link_kind kind;
    struct mem *mem;
    const struct rng *rng;
    const struct peerlet_limits *limits;
    const struct identity *identity;
    uint32_t *last_stream;
    struct conn_totals *totals;
    const struct peer_id *expected; /* null: anyone */
    struct view address;            /* copied */
};

/* Null when memory is out. */
struct conn *conn_new(const struct conn_config *config, uint64_t now);

/* Frees it and every stream that is left; nothing is said about them. */
void conn_free(struct conn *c);

/* The link is open: a byte link starts its upgrade, a session opens the stream of its own. */
MUST_USE int conn_opened(struct conn *c, size_t room, uint64_t now);

/*
 * The channel that Noise will run on, made before anything is known of the peer; its number is then
 * c->first_channel. conn_secure begins: `role` is that of Noise, which WebRTC Direct reverses.
 */
MUST_USE int conn_add_first_channel(struct conn *c);
MUST_USE int conn_secure(struct conn *c, enum role role, struct view prologue);

/* LINK_RTC: the peer is known and the data channels work. */
void conn_ready_native(struct conn *c, uint64_t now);

/* Selects which data channel the next conn_feed is about; false when the channel is gone. */
bool conn_feed_channel(struct conn *c, uint32_t channel);

/*
 * Takes bytes of the link (of the selected channel). 1 with `*ev`, 0 when `in` is used up, negative
 * when the connection must end. Data in the event is valid until the next call on this connection.
 */
MUST_USE int conn_feed(struct conn *c, struct span *in, struct conn_event *ev, uint64_t now);

/*
 * The answer to CONN_VERIFY. `*held` is what arrived meanwhile: feed it next, even when it is empty.
 * ERR_BAD_SIGNATURE ends the connection.
 */
MUST_USE int conn_verified(struct conn *c, bool is_valid, struct span *held);

/* The next output: 1, 0 when there is none, or negative when the connection must end. */
MUST_USE int conn_drain(struct conn *c, struct conn_output *out, uint64_t now);

/* The data of the last CONN_SEND has been copied away. */
void conn_sent(struct conn *c);

void conn_room(struct conn *c, uint32_t channel, size_t room, uint64_t now);

/* Data channels. These return false for a number that is gone. */
bool conn_channel_opened(struct conn *c, uint32_t channel, size_t room);
bool conn_channel_closed(struct conn *c, uint32_t channel);

/* The peer ended its half of a session's stream, or stopped ours: feed the channel nothing now. */
bool conn_channel_ended(struct conn *c, uint32_t channel, enum peerlet_channel_end end);

/* Bytes that came too early for one of the channels, to be fed now that READY is reached. */
bool conn_early(struct conn *c, uint32_t *channel, struct span *bytes);

/* The peer opened one: registers it under `id`. ERR_FULL, ERR_NOMEM. */
MUST_USE int conn_channel_incoming(struct conn *c, uint32_t id, size_t room, uint64_t now);

/*
 * Opens a stream and proposes `protocols` (joined by '\n') one after the other. Null with `*error`
 * LIMITED is never set here: who may run on a limited connection is the owner's to say.
 */
struct stream *conn_open_stream(struct conn *c, struct view protocols, int *error, uint64_t now);

/* Frees a dead stream; its user pointer must have been dealt with. */
void conn_forget_stream(struct conn *c, struct stream *s);

/* The next dead stream that nobody was told about, or null. */
struct stream *conn_dead_stream(struct conn *c);

/* Streams of a protocol opened by `role`, but for those we are done with. */
uint32_t conn_count_streams(const struct conn *c, struct view protocol, enum role role);

/* Sends a ping of the muxer, if it has one; false if not. */
bool conn_ping(struct conn *c, uint64_t now);

/* Closes when everything queued has left, at the latest after a second. */
void conn_close(struct conn *c, uint64_t now);

/* For the muxers: a stream begins (null at a limit or without memory), the peer closed its half (1 with an event), it ended. */
struct stream *conn_add_stream(struct conn *c, enum role role, uint64_t now);
MUST_USE int conn_peer_closed(struct stream *s, struct conn_event *ev);
void conn_stream_died(struct stream *s, int code);

/* Streams that waited for room on the link are looked at again. */
void conn_unblock(struct conn *c);

uint64_t conn_deadline(const struct conn *c);

/* 0, or negative when time has ended the connection. Streams may have died: conn_dead_stream. */
MUST_USE int conn_tick(struct conn *c, uint64_t now);

static inline bool conn_is_ready(const struct conn *c)
{
    return c->state == CONN_READY;
}

static inline struct view conn_address(const struct conn *c)
{
    return view_of(c->address, c->address_len);
}

#endif

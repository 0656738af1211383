/*
 * The face of every small protocol: one state machine per stream, bytes in, events out.
 *
 *     stream bytes ─feed─▶ ┌─────────┐ ─▶ one protocol_event
 *     peer closed  ─end──▶ │ machine │
 *     commands     ──────▶ └─────────┘ ─drain─▶ stream bytes, and what becomes of the stream
 *
 * A machine knows one stream and nothing of connections. Its own header has the x_init that fills
 * it and the commands it takes; the rest is done through its `struct protocol_ops`, so the node
 * treats all of them alike. Multistream-select is over before the first byte gets here.
 */
#ifndef PROTOCOLS_PROTOCOL_H
#define PROTOCOLS_PROTOCOL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/protobuf.h"
#include "base/span.h"
#include "base/timers.h"
#include "multiformats/peer_id.h"

enum protocol_event_type {
    IDENTIFY_RECEIVED, /* identify: all the peer said; comes once */
    PING_RTT,          /* ping: the answer to ping_send */
    CIRCUIT_RESERVED,  /* circuit: the relay took us in */
    CIRCUIT_CONNECTED, /* circuit: the stream now leads to the target */
    CIRCUIT_REFUSED,   /* circuit: reservation or connection denied, with the status */
    CIRCUIT_STOP,      /* circuit: somebody calls through a relay; circuit_stop_answer */
    SIGNALING_OFFER,   /* signaling */
    SIGNALING_ANSWER,
    SIGNALING_CANDIDATE,
    SIGNALING_END_OF_CANDIDATES, /* comes at most once, and from many peers not at all */
    FETCH_ASKED,                 /* fetch: the peer wants a value; fetch_answer */
    FETCH_ANSWERED,              /* fetch: the value, or why there is none */
    PERF_DONE,                   /* perf: everything was sent and received */
    KAD_ANSWERED,                /* kad: what the peer knows */
    RENDEZVOUS_REGISTERED,       /* rendezvous: the namespace now lists us */
    RENDEZVOUS_FOUND,            /* rendezvous: who is registered */
    RENDEZVOUS_REFUSED,          /* rendezvous: neither, with the status */
};

/*
 * What a peer says of itself. An absent field is a view with null data or a list with count 0; in
 * a push it means unchanged.
 */
struct identify_received {
    struct view public_key; /* protobuf; checked against the authenticated Peer ID */
    struct views addresses; /* valid multiaddrs; those of the signed record if there is one */
    struct views protocols; /* names of at most limits->protocol_name bytes */
    struct view observed;   /* our address as the peer sees it, a valid multiaddr: never dial it */
    struct view agent_version;    /* free text, not checked to be UTF-8 */
    struct view protocol_version; /* likewise */
    struct view record; /* the envelope, verified and of this peer; null if there is none */
    uint64_t seq;       /* of the record: keep it if greater than the one you have */
};

struct ping_rtt {
    uint32_t ms;
};

/* What a relay allows one relayed connection. Zero is no limit; both zero: not a limited one. */
struct circuit_limit {
    uint32_t duration_s; /* already freed of js-libp2p's milliseconds, see circuit.h */
    uint64_t data;       /* bytes; some relays count both directions together */
};

struct circuit_reserved {
    uint64_t expire;            /* Unix seconds as the relay says: see circuit_ttl_s */
    struct views addresses;     /* of the relay, without its /p2p; valid, through no relay */
    struct circuit_limit limit; /* of each connection that will come through */
};

struct circuit_connected {
    struct circuit_limit limit;
};

struct circuit_refused {
    uint32_t status; /* as received, 0 when absent: circuit_status_text */
};

struct circuit_stop_request {
    struct peer_id source; /* a claim of the relay's until Noise has confirmed it */
    struct circuit_limit limit;
};

/* Never the peer's own text: parsed and written anew, see sdp.h and candidate.h. */
struct signaling_text {
    struct view text; /* SDP of an offer or answer, JSON of a candidate */
};

struct fetch_asked {
    struct view key;
};

struct fetch_answered {
    uint32_t status; /* enum fetch_status, or one that is unknown here */
    struct view data;
};

struct kad_answered {
    struct views closer, providers; /* each for kad_peer_parse */
};

struct rendezvous_registered {
    uint64_t ttl_s;
};

struct rendezvous_found {
    struct views registrations; /* each for rendezvous_registration_parse */
    struct view cookie;         /* for the next question: only what is new then */
};

struct rendezvous_refused {
    uint32_t status; /* as received: rendezvous_status_text */
    struct view text;
};

/* Its views stay valid until the next call on the machine that gave it. */
struct protocol_event {
    enum protocol_event_type type;
    union {
        struct identify_received identify;
        struct ping_rtt ping;
        struct circuit_reserved reserved;
        struct circuit_connected connected;
        struct circuit_refused refused;
        struct circuit_stop_request stop;
        struct signaling_text signaling;
        struct fetch_asked fetch_asked;
        struct fetch_answered fetch;
        struct kad_answered kad;
        struct rendezvous_registered registered;
        struct rendezvous_found found;
        struct rendezvous_refused rendezvous_refused;
    };
};

/* What drain returns besides an error: what becomes of the stream behind the bytes appended. */
enum protocol_stream {
    PROTOCOL_OPEN,        /* nothing changes */
    PROTOCOL_CLOSE_WRITE, /* close our half; said again by each later drain, until DONE */
    PROTOCOL_DONE,        /* close the stream; the machine wants no more bytes */
    PROTOCOL_RAW,         /* leave the protocol, keep the stream: what follows is another's */
};

/* Every row is filled; where a call has nothing to do it does nothing. */
struct protocol_ops {
    const char *name;    /* "/ipfs/ping/1.0.0" */
    bool on_limited;     /* may run on a limited connection */
    uint8_t max_inbound; /* streams per connection, as js-libp2p */
    uint8_t max_outbound;

    /*
     * Takes bytes that arrived. Returns 1 with `*ev` filled, 0 when `in` is used up or the machine
     * wants no more of it, or an error, after which the stream is reset and only free may follow.
     */
    int (*feed)(void *state, struct span *in, struct protocol_event *ev, uint64_t now);

    /* The peer closed its half: same results. Comes once, after the last feed. */
    int (*end)(void *state, struct protocol_event *ev, uint64_t now);

    /*
     * Appends as much of what is owed as `out` has room for. Returns a protocol_stream or an
     * error. PROTOCOL_OPEN while anything is left to append.
     */
    int (*drain)(void *state, struct buf *out);

    /* 0, or ERR_TIMEOUT: reset the stream. */
    int (*tick)(void *state, uint64_t now);
    uint64_t (*deadline)(const void *state);

    void (*free)(void *state);
};

/*
 * For drain: moves what fits of `owed` to `out` and returns `then` once `owed` is empty,
 * PROTOCOL_OPEN before that, or ERR_NOMEM.
 */
MUST_USE int protocol_give(struct buf *owed, struct buf *out, enum protocol_stream then);

/* For tick: ERR_TIMEOUT when the deadline has come, else 0. */
MUST_USE int protocol_tick(uint64_t deadline, uint64_t now);

#endif

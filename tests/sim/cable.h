/*
 * Cables: what a WebSocket or a data channel is to the hosts at its two ends, bytes that arrive
 * whole and in order, if late.
 *
 *     dialling end ──ACCEPT──▶ accepting end      both begin when somebody dials
 *                 ◀──OPENED──
 *                 ◀──BYTES──▶
 *                 ◀──CLOSED──▶                    an end that closes is gone at once; the other
 *                                                 is told after all that was sent
 */
#ifndef SIM_CABLE_H
#define SIM_CABLE_H

#include "base/buf.h"
#include "sim/sim.h"

/* Bytes under way that nobody waits for: the kernel's send buffer. */
#define CABLE_BUFFER (256u << 10)

enum cable_kind {
    CABLE_SOCKET,
    CABLE_CHANNEL, /* of a peer connection */
    CABLE_SESSION, /* of WebTransport; carries nothing itself */
    CABLE_STREAM,  /* of a session */
};

struct end {
    struct list in_host;
    enum cable_kind kind;
    struct host *host;
    uint32_t id;    /* in the world, never reused */
    uint32_t other; /* the far end's; it may be gone */
    struct host *far;
    uint32_t link;    /* as this host calls it */
    uint32_t channel; /* 0: a socket */
    bool is_open;
    bool is_paused;        /* nobody reads: what comes waits, and counts as under way */
    struct buf unread;     /* what came meanwhile */
    uint32_t ended_unread; /* and how it ended; 0: not */
    void *user;            /* the host's */
    size_t high;           /* waiting bytes at which the driver stops */
    size_t in_flight;      /* sent and not yet arrived */
    size_t room_told;      /* what is left of the room the host was last told */
    bool room_planned;
    uint64_t last_arrival; /* of what this end sent: nothing overtakes */
};

/* Dials; the far end begins at once but its host hears of it only by `accept`, with the label. */
struct end *cable_dial(struct host *from, struct host *to, enum cable_kind kind, uint32_t link,
                       uint32_t channel, struct view label);

void end_send(struct end *e, struct view bytes);

/* The dial fails at once, without the far end being asked. */
void end_fail(struct end *e);

/* Of a stream: tells the other side that one half is over (enum peerlet_channel_end). */
void end_half(struct end *e, uint32_t half);

/* Nobody reads at this end any more, or again. */
void end_pause(struct end *e, bool is_paused);

/* Closes and frees; what was sent still arrives. */
void end_close(struct end *e);

/* How much the host may send now; it then counts that as told. */
size_t end_room(struct end *e);

/* The other end, or null when it has closed. */
struct end *end_far(const struct end *e);

/* Null when this host has no such end. */
struct end *host_end(const struct host *h, uint32_t link, uint32_t channel);

/* Closes the ends of one link. */
void cable_close_link(struct host *h, uint32_t link);

/* The process died: the kernel closes its sockets, and its data channels are never heard again. */
void cable_close_all(struct host *h);

void cable_event(struct sim *s, const struct event *e);

/* Frees the host's ends; nobody is told. */
void cable_free(struct host *h);

#endif

/*
 * What is going to happen, soonest first; of two things at the same instant the one that was
 * planned first. A binary heap: 1,000 nodes keep some 100,000 events here.
 */
#ifndef SIM_QUEUE_H
#define SIM_QUEUE_H

#include "base/mem.h"
#include "base/span.h"

#include <stdbool.h>

struct host;

enum event_type {
    EVENT_ALARM,  /* the host's own timer */
    EVENT_ACCEPT, /* a socket arrives at a server */
    EVENT_OPENED, /* a socket or data channel is open */
    EVENT_BYTES,
    EVENT_ROOM,    /* what was sent has left */
    EVENT_ENDED,   /* the other side ended one half of a stream */
    EVENT_RESUMED, /* what came while nobody read is read now */
    EVENT_CLOSED,
    EVENT_RTC_DESCRIPTION, /* the browser has made its description */
    EVENT_RTC_CANDIDATE,
    EVENT_RTC_CONNECT, /* ICE, DTLS and SCTP are done, if the path allows */
    EVENT_RTC_STATE,
    EVENT_RTC_CHECK,  /* how long has the path been cut? */
    EVENT_RTC_CLOSED, /* the other side says that it is over */
    EVENT_FOUND,      /* the answer to a lookup of a name */
};

struct event {
    uint64_t at;
    uint64_t sequence;
    enum event_type type;
    uint32_t id; /* an end's or peer connection's number; gone ones are ignored */
    uint32_t value;
    struct host *to;   /* whose turn it is; null: nobody's */
    struct host *from; /* it came over the network from here; null: it did not */
    bool is_udp;       /* and by UDP */
    struct span bytes; /* owned by the event */
};

struct queue {
    struct mem *mem;
    struct event *events;
    size_t count, room;
    uint64_t last_sequence;
};

void queue_init(struct queue *q, struct mem *mem);
void queue_free(struct queue *q);

/* Adds a copy, numbered. Its `bytes` now belong to the queue. */
void queue_add(struct queue *q, struct event e);

/* The soonest event, or null. Valid until the queue changes. */
const struct event *queue_first(const struct queue *q);

/* Removes the soonest; there must be one. Its `bytes` are the caller's. */
struct event queue_take(struct queue *q);

#endif

/*
 * One face for yamux and for transports that have streams of their own.
 *
 * `feed` turns bytes into the connection's current stream data or into an event; everything else is
 * about one stream. Bytes to write are put where the muxer frames them, so that nothing is copied
 * twice.
 */
#ifndef NET_MUX_H
#define NET_MUX_H

#include "net/conn.h"

struct mux_ops {
    /* Begins a stream of ours. ERR_FULL, ERR_NOMEM, ERR_CLOSED. */
    int (*open)(struct conn *c, struct stream *s);

    /* As stream_reserve; null without credit or room. */
    uint8_t *(*reserve)(struct conn *c, struct stream *s, size_t *room);
    void (*commit)(struct conn *c, struct stream *s, size_t len);

    void (*close_write)(struct conn *c, struct stream *s);
    void (*close_read)(struct conn *c, struct stream *s);
    void (*reset)(struct conn *c, struct stream *s);
    void (*grant)(struct conn *c, struct stream *s, size_t len, uint64_t now);

    /* The stream object goes away; the muxer finishes what is owed by itself. */
    void (*forget)(struct conn *c, struct stream *s);

    /*
     * Takes bytes: 1 with an event, 0 when all are used, negative when the connection must end.
     * Stream data is left in c->current, for the connection to negotiate with or to hand up.
     */
    int (*feed)(struct conn *c, struct span *in, struct conn_event *ev, uint64_t now);

    /* Control frames and, with native streams, orders: 1 with an output, 0, negative. */
    int (*drain)(struct conn *c, struct conn_output *out, uint64_t now);

    uint64_t (*deadline)(const struct conn *c);
    int (*tick)(struct conn *c, uint64_t now);
    void (*free)(struct conn *c);
};

extern const struct mux_ops MUX_YAMUX;
extern const struct mux_ops MUX_NATIVE;

#endif

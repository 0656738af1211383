/*
 * Two protocol machines joined by two buffers, as a stream would join them.
 *
 *     struct pair p = {.dialer = {&PING_OPS, &dialer}, .listener = {&PING_OPS, &listener}};
 *     pair_run(&p, now);
 *
 * What each raised is told to the `told` of its side, one line per event.
 */
#ifndef TESTS_PAIR_H
#define TESTS_PAIR_H

#include "test.h"

#include "protocols/protocol.h"

struct side {
    const struct protocol_ops *ops;
    void *state;
    void (*told)(struct side *side, const struct protocol_event *ev);
    void *context;
    int code;                    /* the error this machine ended with */
    bool closed;                 /* its half of the stream */
    enum protocol_stream stream; /* what it said last of the stream */
};

struct pair {
    struct side dialer, listener;
    size_t step; /* bytes per feed; 0: as many as there are */
};

static inline void side_tell(struct side *s, const struct protocol_event *ev)
{
    if (s->told != NULL)
        s->told(s, ev);
}

/* Feeds until nothing more is taken; false when the machine gave up. */
static inline bool side_feed(struct side *s, struct view bytes, uint64_t now)
{
    struct span in = test_copy(bytes);
    struct protocol_event ev;
    int rc;
    while ((rc = s->ops->feed(s->state, &in, &ev, now)) > 0)
        side_tell(s, &ev);
    s->code = rc;
    return rc == 0;
}

static inline void side_end(struct side *s, uint64_t now)
{
    struct protocol_event ev;
    int rc = s->ops->end(s->state, &ev, now);
    if (rc > 0)
        side_tell(s, &ev);
    s->code = MIN(rc, 0);
}

/* Carries what `from` owes to `to`; whether anything moved. */
static inline bool pair_carry(struct side *from, struct side *to, size_t step, uint64_t now)
{
    struct mem mem = {0};
    struct buf wire;
    buf_init(&wire, &mem, step == 0 ? 65536 : step);
    bool moved = false;
    if (from->code == 0 && to->code == 0 && !from->closed) {
        int rc = from->ops->drain(from->state, &wire);
        from->code = MIN(rc, 0);
        from->stream = rc < 0 ? PROTOCOL_DONE : (enum protocol_stream)rc;
        moved = wire.len > 0;
        bool fine = !moved || side_feed(to, buf_view(&wire), now);
        if (fine && (rc == PROTOCOL_CLOSE_WRITE || rc == PROTOCOL_DONE)) {
            from->closed = moved = true;
            side_end(to, now);
        }
    }
    buf_free(&wire);
    assert_mem_empty(&mem);
    return moved;
}

/* Carries bytes both ways until both are silent or one has given up. */
static inline void pair_run(struct pair *p, uint64_t now)
{
    bool moved;
    do {
        moved = pair_carry(&p->dialer, &p->listener, p->step, now);
        moved |= pair_carry(&p->listener, &p->dialer, p->step, now);
    } while (moved);
}

static inline void pair_free(struct pair *p)
{
    p->dialer.ops->free(p->dialer.state);
    p->listener.ops->free(p->listener.state);
}

#endif

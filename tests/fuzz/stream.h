/*
 * A protocol machine at the end of a stream that says anything.
 *
 *     input:  step | nth | bytes…
 *
 * The bytes arrive `step` at a time, 0 for all at once, then the stream ends; the `nth` allocation
 * fails, 0 for none. After the machine all memory must be back.
 */
#ifndef TESTS_FUZZ_STREAM_H
#define TESTS_FUZZ_STREAM_H

#include "fuzz.h"

#include "base/limits.h"
#include "crypto/crypto.h"
#include "protocols/protocol.h"

struct fuzz_stream {
    struct mem mem;
    struct view bytes;
    size_t step;
    uint64_t said;
};

/* False when the input is too short to say anything. */
static inline bool fuzz_stream_init(struct fuzz_stream *s, const uint8_t *data, size_t len)
{
    if (len < 2)
        return false;
    crypto_init();
    *s = (struct fuzz_stream){
        .mem = {.limit = 1 << 20, .fail_nth = data[1]},
        .bytes = view_of(data + 2, len - 2),
        .step = data[0],
    };
    return true;
}

/* Feeds one piece, an exact block of its own, until the machine wants more or has enough. */
static inline int fuzz_stream_piece(struct fuzz_stream *s, struct view piece,
                                    const struct protocol_ops *ops, void *state,
                                    void (*seen)(void *state, const struct protocol_event *ev))
{
    uint8_t *block = malloc(piece.len > 0 ? piece.len : 1);
    assert(block != NULL);
    if (piece.len > 0)
        memcpy(block, piece.data, piece.len);
    struct span in = {block, piece.len};
    struct protocol_event ev;
    int rc;
    while ((rc = ops->feed(state, &in, &ev, 1)) > 0) {
        fuzz_say_number(&s->said, ev.type);
        seen(state, &ev);
    }
    assert(in.len <= piece.len && in.data + in.len == block + piece.len);
    free(block);
    return rc;
}

/* Takes what is owed in small pieces. */
static inline void fuzz_stream_drain(struct fuzz_stream *s, const struct protocol_ops *ops,
                                     void *state)
{
    struct buf out;
    buf_init(&out, &s->mem, 7);
    size_t len;
    do {
        if (ops->drain(state, &out) < 0)
            break;
        fuzz_say(&s->said, buf_view(&out));
        len = out.len;
        buf_take(&out, len);
    } while (len > 0);
    buf_free(&out);
}

/* Plays the whole input to a machine, drains it, and frees it. Returns what it has said. */
static inline uint64_t fuzz_stream_run(struct fuzz_stream *s, const struct protocol_ops *ops,
                                       void *state,
                                       void (*seen)(void *state, const struct protocol_event *ev))
{
    int rc = 0;
    size_t step = s->step == 0 ? MAX(s->bytes.len, 1) : s->step;
    for (size_t at = 0; rc == 0 && at < s->bytes.len; at += step)
        rc = fuzz_stream_piece(s, view_of(s->bytes.data + at, MIN(step, s->bytes.len - at)), ops,
                               state, seen);
    fuzz_say_number(&s->said, (uint32_t)rc);
    struct protocol_event ev;
    if (rc == 0 && ops->end(state, &ev, 1) > 0)
        seen(state, &ev);
    if (rc == 0)
        fuzz_stream_drain(s, ops, state);
    assert(ops->tick(state, 0) == 0 && ops->deadline(state) > 0);
    ops->free(state);
    assert(s->mem.used == 0);
    return s->said;
}

#endif

/*
 * A machine that is fed anything, in any pieces.
 *
 *     input:  step | nth | bytes…
 *
 * Three runs: the bytes at once; then `step` + 1 at a time, with which the machine has to say the
 * same; then so again while the `nth` allocation fails. Every piece is an exact block of its own, and
 * after each run all memory must be back.
 */
#ifndef TESTS_FUZZ_FEED_H
#define TESTS_FUZZ_FEED_H

#include "fuzz.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/span.h"

/* Feeds until the machine waits for more than bytes, is done, or fails. */
static inline int fuzz_feed(struct view bytes, size_t step,
                            int (*feed)(void *machine, struct span *in), void *machine)
{
    int rc = 0;
    step = MIN(step, bytes.len);
    for (size_t at = 0; rc == 0 && at < bytes.len; at += step) {
        size_t len = MIN(step, bytes.len - at);
        uint8_t *block = malloc(len);
        assert(block != NULL);
        memcpy(block, bytes.data + at, len);
        struct span in = span_of(block, len);
        while ((rc = feed(machine, &in)) > 0)
            continue;
        assert(in.len <= len && in.data + in.len == block + len);
        bool waits = rc == 0 && in.len > 0;
        free(block);
        if (waits)
            break;
    }
    return rc;
}

/* `run` is a machine from its beginning to its end, and returns what it has said. */
static inline uint64_t fuzz_three_runs(const uint8_t *data, size_t len,
                                       uint64_t (*run)(struct view bytes, size_t step,
                                                       struct mem *mem))
{
    if (len < 2)
        return 0;
    struct view bytes = view_of(data + 2, len - 2);
    uint64_t said[3];
    for (size_t i = 0; i < ARRAY_LEN(said); i++) {
        struct mem mem = {.limit = 1 << 22, .fail_nth = i == 2 ? data[1] : 0};
        said[i] = run(bytes, i == 0 ? SIZE_MAX : data[0] + 1u, &mem);
        assert(mem.used == 0);
    }
    assert(said[0] == said[1]);
    return said[0];
}

#endif

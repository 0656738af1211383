/* What comes on a perf stream: to a listener, or, with the high bit of the step set, to a dialer. */
#include "stream.h"

#include "protocols/perf.h"

static void seen(void *state, const struct protocol_event *ev)
{
    const struct perf *p = state;
    assert(p->role == DIALER && ev->type == PERF_DONE && p->received == p->download);
}

static uint64_t fuzz_input(const uint8_t *data, size_t len)
{
    struct fuzz_stream s;
    struct perf p;
    if (!fuzz_stream_init(&s, data, len))
        return 0;
    bool dials = s.step >= 0x80;
    s.step &= 0x7f;
    if (dials)
        perf_dial_init(&p, 20, 5);
    else
        perf_listen_init(&p, &SERVICE_LIMITS, 0);
    /* Somebody may ask for more than a fuzzer should wait for. */
    if (!dials && s.bytes.len >= PERF_HEAD_LEN && memcmp(s.bytes.data, "\0\0\0\0\0\0", 6) != 0)
        s.bytes.len = PERF_HEAD_LEN - 1;
    if (dials) {
        struct buf out;
        buf_init(&out, &s.mem, 64);
        if (PERF_OPS.drain(&p, &out) < 0)
            s.bytes.len = 0;
        buf_free(&out);
    }
    return fuzz_stream_run(&s, &PERF_OPS, &p, seen);
}
